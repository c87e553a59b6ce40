import Testing

@testable import FastWeights

/// Images, the order in which they are looked at, and the jobs that train on them.
@Suite struct GlimpseTests {
    /// Two 8 by 8 images whose pixels are 2·place + 100·image.
    static let images: ImageSet = {
        var pixels: [UInt8] = []
        for image in 0..<2 { for place in 0..<64 { pixels.append(UInt8(2 * place + 100 * image)) } }
        return ImageSet(height: 8, width: 8, pixels: pixels, labels: [1, 0], classes: 2)
    }()

    /// The numbers of step t of sequence `index`, in lane 3.
    static func glimpse(_ glimpses: Glimpses, _ t: Int, _ index: Int, seed: UInt64? = nil) -> [Float] {
        let arena = Arena()
        let panels = arena.panels(glimpses.steps, rows: glimpses.width)
        glimpses.write(index, from: 0, count: glimpses.steps, into: panels, lane: 3, seed: seed)
        return (0..<glimpses.width).map { panels[t][$0][3] }
    }

    @Test func twentyFourGlimpsesInTheirOrder() {
        let plain = StandardisedImages(Self.images, .by(mean: 10, deviation: 2), shift: 0)
        let glimpses = Glimpses(plain, GlimpsePolicy(side: 8))
        #expect(glimpses.steps == 24 && glimpses.width == 4 + 3)
        #expect(GlimpsePolicy.order.count % GlimpsePolicy.schedule.count == 0)
        func pixel(_ x: Int, _ y: Int, _ image: Int) -> Float { Float((y * 8 + x) * 2 + image * 100) }
        for (t, glimpse) in GlimpsePolicy.order.enumerated() {
            let events = GlimpsePolicy.schedule[t % GlimpsePolicy.schedule.count]
            let isCoarse = glimpse.kind != .detail
            #expect(events == (glimpse.kind == .coarse ? [.write, .clear] : isCoarse ? .read : []))
            let (left, top) = (glimpse.quadrant % 2 * 4, glimpse.quadrant / 2 * 4)
            var expected: [Float] = []
            for y in 0..<2 {
                for x in 0..<2 {
                    if isCoarse {
                        let (u, v) = (left + 2 * x, top + 2 * y)
                        let sum = pixel(u, v, 1) + pixel(u + 1, v, 1) + pixel(u, v + 1, 1) + pixel(u + 1, v + 1, 1)
                        expected.append((sum / 4 - 10) / 2)
                    } else {
                        let (u, v) = (left + glimpse.detail % 2 * 2 + x, top + glimpse.detail / 2 * 2 + y)
                        expected.append((pixel(u, v, 1) - 10) / 2)
                    }
                }
            }
            expected += (0..<3).map { $0 == glimpse.kind.rawValue ? 1 : 0 }
            #expect(Self.glimpse(glimpses, t, 1) == expected, "glimpse \(t)")
        }
        // Every pixel is in one detail.
        let details = GlimpsePolicy.order.filter { $0.kind == .detail }
        #expect(Set(details.map { $0.quadrant * 4 + $0.detail }) == Set(0..<16))
    }

    @Test func placesAreToldWhereAsked() {
        let plain = StandardisedImages(Self.images, .each, shift: 0)
        let glimpses = Glimpses(plain, GlimpsePolicy(side: 8, controls: .place))
        #expect(Self.glimpse(glimpses, 9, 0).suffix(11) == [0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0])
        #expect(Self.glimpse(glimpses, 23, 0).suffix(11) == [0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0])
    }

    @Test func imagesMoveInTrainingAlone() {
        let moving = Glimpses(
            StandardisedImages(Self.images, .by(mean: 0, deviation: 1), shift: 1), GlimpsePolicy(side: 8))
        let still = Self.glimpse(moving, 2, 0)
        #expect(still.prefix(4) == [4, 6, 20, 22])
        var corners: Set<Float> = []
        for seed in 0..<200 {
            let moved = Self.glimpse(moving, 2, 0, seed: UInt64(seed))
            #expect(moved == Self.glimpse(moving, 2, 0, seed: UInt64(seed)))
            #expect(moved.suffix(3) == still.suffix(3))
            corners.insert(moved[0])
        }
        // From (2, 0), by one to each side; above the image its first row goes on.
        #expect(corners == [2, 4, 6, 18, 20, 22])
    }

    /// Forty images alike: with a seed for all of them each is moved its own way.
    @Test func imagesOfABatchMoveEachItsOwnWay() {
        let pixels = (0..<40).flatMap { _ in (0..<64).map { UInt8($0) } }
        let alike = ImageSet(
            height: 8, width: 8, pixels: pixels, labels: [Int](repeating: 0, count: 40), classes: 1)
        let moving = Glimpses(StandardisedImages(alike, .by(mean: 0, deviation: 1), shift: 1), GlimpsePolicy(side: 8))
        let corners = Set((0..<40).map { Self.glimpse(moving, 4, $0, seed: 3)[0] })
        #expect(corners.count > 6, "of nine places an image may be moved to, \(corners.count) came out")
    }

    @Test func aWholeImageIsReadRowByRow() {
        let pixels = (0..<12).map { UInt8(3 * $0) }
        let image = ImageSet(height: 3, width: 4, pixels: pixels, labels: [0], classes: 1)
        let whole = WholeImages(source: StandardisedImages(image, .by(mean: 5, deviation: 2), shift: 0))
        #expect(whole.steps == 1 && whole.width == 12)
        let arena = Arena()
        let panels = arena.panels(1, rows: 12)
        whole.write(0, from: 0, count: 1, into: panels, lane: 2, seed: nil)
        #expect((0..<12).map { panels[0][$0][2] } == pixels.map { (Float($0) - 5) / 2 })
    }

    @Test func drawnDigitsAreTheSameForASeed() {
        let (a, b) = (GeneratedDigits.make(count: 30, seed: 4), GeneratedDigits.make(count: 30, seed: 4))
        #expect(a.pixels == b.pixels && a.labels == (0..<30).map { $0 % 10 })
        #expect(GeneratedDigits.make(count: 30, seed: 5).pixels != a.pixels)
        for i in 0..<30 {
            let image = a.pixels[i * 784..<(i + 1) * 784]
            let ink = image.reduce(0) { $0 + Int($1) } / 784
            #expect((8...100).contains(ink), "digit \(i % 10) has \(ink)")
        }
    }

    @Test func squaresKeepTheMean() {
        let pixels = (0..<24).map { UInt8(10 * $0) }
        let square = ImageSet(height: 4, width: 6, pixels: pixels, labels: [0], classes: 1).square(2)
        // The middle 4 by 4, each new pixel the mean of four: of 10, 20, 70 and 80 the first.
        let expected: [UInt8] = [45, 65, 165, 185]
        expectSame(square.pixels, expected)
        expectSame(Self.images.square(8).pixels, Self.images.pixels)
        #expect(Self.images.square(3).pixels.count == 18)
    }

    @Test(arguments: GlimpseModel.all.map(\.name))
    func settingsAreThoseOfTheFeatures(name: String) {
        let model = GlimpseModel.named(name)
        for features in [50, 100, 200] {
            #expect(model.digitErrors[features] != nil)
            let settings = model.digitSettings(features: features)
            #expect(settings.epochs > model.digitSettings(features: features, quick: true).epochs)
            let described = GlimpseJob(model, features: features, seed: 1, settings: settings)
                .described(images: "MNIST")
            #expect(described.contains { $0 == ("epochs", "\(settings.epochs)") })
            #expect(described.contains { $0.name == "λ" } == (name == "fast-weights"))
            #expect(described.contains { $0.name == "windows" } == (name == "convnet"))
        }
        #expect(model.faceSettings().batch == 32)
    }

    /// Student's t of 4 degrees of freedom is 2.776, of 20 2.086.
    @Test func anIntervalOverTheParts() {
        let five = CrossValidation([0.1, 0.2, 0.3, 0.4, 0.5])
        #expect(abs(five.mean - 0.3) < 1e-12)
        #expect(abs(five.halfWidth - 2.776 * (0.025 / 5).squareRoot()) < 1e-4)
        let many = CrossValidation((0..<21).map { Double($0) })
        #expect(abs(many.halfWidth - 2.086 * (38.5 / 21.0).squareRoot()) < 2e-3)
        #expect(CrossValidation([0.2]).halfWidth == .infinity)
    }

    @Test func facesAreSplitByPerson() throws {
        let persons = (0..<60).map { $0 / 4 }
        let pixels: [UInt8] = persons.flatMap { [UInt8](repeating: UInt8($0), count: 48 * 48) }
        let images = ImageSet(
            height: 48, width: 48, pixels: pixels,
            labels: (0..<60).map { $0 % 3 }, classes: 3)
        var tested: [Int] = []
        for fold in 0..<GlimpseData.folds {
            let data = try GlimpseData.byPerson(images, persons, fold: fold, path: "faces", source: "faces")
            func people(_ set: ImageSet) -> Set<UInt8> { Set(set.pixels) }
            let parts = [people(data.training), people(data.validation), people(data.test)]
            #expect(parts[0].count + parts[1].count + parts[2].count == 15 && Set(parts.joined()).count == 15)
            tested += parts[2].map { Int($0) }
        }
        #expect(tested.sorted() == Array(0..<15))
        #expect(throws: ImageSetError.self) {
            try GlimpseData.byPerson(images, persons.map { $0 % 4 }, fold: 0, path: "faces", source: "faces")
        }
    }

    @Test(arguments: GlimpseModel.all.map(\.name))
    func aJobLearnsTheSameOnAnyNumberOfThreads(name: String) throws {
        let data = GlimpseData.generatedDigits(training: 400, test: 50, seed: 2)
        var settings = GlimpseSettings()
        (settings.batch, settings.epochs, settings.learningRate, settings.shift) = (20, 9, 3e-3, 1)
        let job = GlimpseJob(.named(name), features: 24, seed: 1, settings: settings)
        let one = try job.run(data, threads: 1)
        let two = try job.run(data, threads: 3)
        #expect(one.curve.map(\.validationLoss) == two.curve.map(\.validationLoss) && one.testLoss == two.testLoss)
        #expect(one.steps == 162 && one.isGenerated && one.source.contains("no MNIST"))
        #expect(one.curve.count == 9 && one.testError < 0.75, "\(name): \(one.testError)")
        #expect(one.curve.last!.trainingLoss < 0.8 * one.curve.first!.trainingLoss)
        let stopped = try job.run(data, shouldStop: { true })
        #expect(stopped.interrupted && stopped.steps == 0)
    }

    /// As far as validation: nothing but the images' places differs.
    @Test(arguments: GlimpseModel.all.map(\.name))
    func aTrainingMovesItsImages(name: String) throws {
        let data = GlimpseData.generatedDigits(training: 100, test: 10, seed: 2)
        func losses(shift: Int) throws -> [Double] {
            var settings = GlimpseSettings()
            (settings.batch, settings.epochs, settings.shift) = (30, 1, shift)
            return try GlimpseJob(.named(name), features: 5, seed: 1, settings: settings).run(data)
                .curve.map(\.trainingLoss)
        }
        let (still, moved) = (try losses(shift: 0), try losses(shift: 2))
        #expect(!still.isEmpty && still.count == moved.count && still != moved)
        try expectSame(losses(shift: 2), moved)
    }

    @Test func filesOfOtherShapesAreRefused() throws {
        try TemporaryFolder.with { folder in
            func write(_ name: String, _ bytes: [UInt8]) throws -> String {
                try Files.writeAtomically(bytes, to: "\(folder)/\(name)")
                return "\(folder)/\(name)"
            }
            let images = try write("images", [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4])
            let two = try write("two", [0, 0, 8, 1, 0, 0, 0, 2, 0, 0])
            let nine = try write("nine", [0, 0, 8, 1, 0, 0, 0, 1, 9])
            let good = try ImageSet(images: images, labels: nine)
            #expect(good.labels == [9] && good.classes == 10 && good.pixels == [1, 2, 3, 4])
            for (pictures, labels, problem) in [
                (nine, nine, "expected images [count, rows, columns]"), (images, two, "expected 1 labels"),
                (images, images, "expected labels [count]"),
            ] {
                #expect {
                    _ = try ImageSet(images: pictures, labels: labels)
                } throws: {
                    "\($0)".contains(problem)
                }
            }
            #expect(throws: ImageSetError.self) { try ImageSet(images: images, labels: nine, classes: 9) }
            #expect {
                _ = try ImageSet(images: images, labels: nine, column: 1)
            } throws: {
                "\($0)".contains("with a column 1, found [1]")
            }
        }
    }
}
