import Testing

@testable @_spi(Laboratory) import FastWeights

/// Which images are trained on, chosen by and tested on.
@Suite struct GlimpseDataTests {
    /// An IDX file of bytes.
    private func idx(_ shape: [Int], _ numbers: [UInt8]) -> [UInt8] {
        [0, 0, 8, UInt8(shape.count)]
            + shape.flatMap { size in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: size >> $0) } } + numbers
    }

    @Test func drawnDigitsAreCutInOrderAndStandardisedByTraining() {
        let data = GlimpseData.generatedDigits(training: 100, test: 20, seed: 3)
        let drawn = GeneratedDigits.make(count: 100, seed: 3)
        #expect(data.training.count == 90 && data.validation.count == 10 && data.test.count == 20)
        expectSame(data.training.pixels + data.validation.pixels, drawn.pixels)
        expectSame(data.training.labels + data.validation.labels, drawn.labels)
        #expect(data.test.pixels != GeneratedDigits.make(count: 20, seed: 3).pixels)
        let moments = data.training.moments
        #expect(data.standardisation == .by(mean: moments.mean, deviation: moments.deviation))
        #expect(moments != drawn.moments && data.isGenerated)
    }

    /// 5003 images of `side` by `side`, each of one gray, and two of a test.
    private func mnist(_ folder: String, side: Int, rows: Int? = nil) throws -> GlimpseData {
        let place = folder + "/mnist"
        try Files.createDirectory(place)
        for (part, count) in [("train", 5003), ("t10k", 2)] {
            let grays = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
            let height = rows ?? side
            let pixels = grays.flatMap { [UInt8](repeating: $0, count: height * side) }
            try Files.writeAtomically(
                idx([count, height, side], pixels),
                to: "\(place)/\(part)-images-idx3-ubyte.gz")
            try Files.writeAtomically(
                idx([count], grays.map { $0 % 10 }), to: "\(place)/\(part)-labels-idx1-ubyte.gz")
        }
        return try GlimpseData.digits(mnist: GlimpseData.mnist(in: folder))
    }

    @Test func theLastImagesOfMNISTAreHeldOut() throws {
        try TemporaryFolder.with { folder in
            let data = try mnist(folder, side: 12)
            #expect(data.training.labels == [0, 1, 2] && data.validation.labels.count == 5000)
            #expect(data.validation.pixels.first == 3 && data.test.labels == [0, 1] && !data.isGenerated)
            let moments = data.training.moments
            #expect(moments.mean == 1)
            #expect(data.standardisation == .by(mean: 1, deviation: moments.deviation))
        }
        #expect(GlimpseData.mnist(in: nil) == nil)
        #expect(GlimpseData.mnist(in: "/no such folder") == nil)
        #expect(try GlimpseData.digits(mnist: nil).isGenerated)
    }

    /// Too small for the layers of the network of convolutions, not cut into glimpses, not square.
    @Test(arguments: [(8, 8), (14, 14), (12, 16)]) func imagesThatDoNotFitAreRefused(side: Int, rows: Int) throws {
        TemporaryFolder.with { folder in
            _ = #expect {
                try mnist(folder, side: side, rows: rows)
            } throws: {
                "\($0)".contains("a multiple of 4 pixels a side, 12 or more, found 5003 of \(rows) by \(side)")
            }
        }
    }

    /// The side of the smallest images that are taken.
    @Test func theSmallestImagesFitTheConvolutions() {
        let network = GlimpseModel.convolutions(side: 12, features: 3, classes: 10, .overlapping)
        #expect(network.definition.root.children[5].input.maps!.height >= 1)
        // 28 by 28: 14 by 14 places of 7 by 7, 7 by 7 of 9 · F, one of 9 · F, ten classes.
        let usual = GlimpseModel.convolutions(side: 28, features: 5, classes: 10, .overlapping)
        #expect(usual.definition.multiplications == 196 * 49 * 5 + 49 * 9 * 25 + 9 * 25 + 10 * 5)
    }

    /// Person, pose and expression stand in the columns of one file.
    @Test func facesReadTheColumnOfTheirLabel() throws {
        try TemporaryFolder.with { folder in
            let place = folder + "/cmu_faces"
            try Files.createDirectory(place)
            let count = 20
            var labels: [UInt8] = []
            for i in 0..<count { labels += [UInt8(i / 2), UInt8(i % 4), UInt8(3 - i % 3)] }
            let pixels: [UInt8] = (0..<count).flatMap { [UInt8](repeating: UInt8(10 * $0), count: 64 * 60) }
            func write(_ labels: [UInt8]) throws {
                try Files.writeAtomically(
                    idx([count, 3], labels), to: place + "/cmu-faces-labels-idx2-ubyte.gz")
            }
            try Files.writeAtomically(
                idx([count, 64, 60], pixels), to: place + "/cmu-faces-64x60-images-idx3-ubyte.gz")
            try write(labels)
            for (label, column) in [(FaceLabel.pose, 1), (.expression, 2)] {
                let data = try GlimpseData.faces(label, folder: folder, fold: 2)
                var seen: [Int] = []
                for part in [data.training, data.validation, data.test] {
                    #expect(part.height == 48 && part.width == 48 && part.classes == 4)
                    for i in 0..<part.count {
                        let image = Int(part.pixels[i * 48 * 48]) / 10
                        seen.append(image)
                        #expect(part.labels[i] == Int(labels[image * 3 + column]))
                    }
                }
                #expect(seen.sorted() == Array(0..<count))
            }
            labels[4] = 4
            try write(labels)
            #expect(throws: ImageSetError.self) { try GlimpseData.faces(.pose, folder: folder, fold: 0) }
        }
    }

    /// From 5 pixels to 4 and from 2 to 3, where a new pixel covers parts of two old ones.
    @Test func squaresTakeMeansOfWhatTheyCover() {
        func row(_ pixels: [UInt8], _ side: Int) -> [UInt8] {
            let edge = pixels.count
            let image = ImageSet(
                height: edge, width: edge, pixels: (0..<edge).flatMap { _ in pixels }, labels: [0], classes: 1)
            return Array(image.square(side).pixels[..<side])
        }
        // Each covers 1.25 pixels: the first 0 and a quarter of 100.
        #expect(row([0, 100, 200, 100, 0], 4) == [20, 140, 140, 20])
        #expect(row([0, 90], 3) == [0, 45, 90])
    }
}
