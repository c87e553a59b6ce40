import Testing

@testable import FastWeights

/// The heads of video models against twins that make every image, and against differences of these along random directions.
@Suite struct VideoHeadTests {
    /// A head and what it is to be tried with: C, N, H, W, M and k.
    struct Setting: Sendable, CustomTestStringConvertible {
        var kind: NaiveVideoHead.Kind
        var frame: MapShape
        var samples: Int
        var kernels = 1
        var kernelSize = 5
        var isRelease = false
        var alignment = AffineSampling.Alignment.middles
        /// How large what is given to the head is.
        var scale = 1.0

        var options: HeadOptions {
            HeadOptions(frame: frame, kernels: kernels, kernelSize: kernelSize, isRelease: isRelease)
        }

        var testDescription: String {
            "\(kind) \([frame.channels, samples, frame.height, frame.width]) \(kernels) of \(kernelSize)"
                + (isRelease ? ", release" : "") + (alignment == .edges ? ", edges" : "")
        }

        init(
            _ kind: NaiveVideoHead.Kind, _ sizes: [Int], kernels: Int = 1, kernelSize: Int = 5, isRelease: Bool = false,
            alignment: AffineSampling.Alignment = .middles, scale: Double = 1
        ) {
            (self.kind, samples) = (kind, sizes[1])
            frame = MapShape(channels: sizes[0], height: sizes[2], width: sizes[3])
            (self.kernels, self.kernelSize, self.isRelease) = (kernels, kernelSize, isRelease)
            (self.alignment, self.scale) = (alignment, scale)
        }

        var head: VideoHead {
            switch kind {
            case .cdna: MotionKernels(options, samples: samples)
            case .dna: PixelKernels(options, samples: samples)
            case .stp: AffineMaps(options, samples: samples, alignment: alignment)
            case .paint: Painting(options, samples: samples)
            }
        }

        var twin: NaiveVideoHead {
            NaiveVideoHead(kind: kind, options: options, samples: samples, alignment: alignment)
        }

        /// Random inputs, all of them numbers that Float holds.
        func inputs(seed: UInt64) -> NaiveVideoHead.Inputs {
            let sizes = type(of: head).sizes(of: options)
            let plane = samples * frame.area
            var random = Random(seed: seed)
            func drawn(_ count: Int, _ deviation: Double) -> [Double] {
                (0..<count).map { _ in Double(Float(deviation * random.normal())) }
            }
            return NaiveVideoHead.Inputs(
                kernels: drawn(samples * sizes.kernels, scale), taps: drawn(plane * sizes.taps, scale),
                transforms: drawn(samples * sizes.transforms, 0.3 * scale), masks: drawn(plane * sizes.masks, 2),
                paint: drawn(plane * sizes.paint, 2), previous: drawn(plane * frame.channels, 1))
        }
    }

    static let settings =
        [false, true].flatMap { isRelease in
            [
                Setting(.cdna, [3, 2, 9, 13], kernels: 4, isRelease: isRelease),
                Setting(.cdna, [1, 3, 5, 21], kernels: 3, kernelSize: 3, isRelease: isRelease),
                Setting(.dna, [3, 2, 9, 13], isRelease: isRelease),
                Setting(.stp, [3, 2, 9, 13], kernels: 4, isRelease: isRelease),
                Setting(.paint, [3, 2, 9, 13], isRelease: isRelease),
            ]
        } + [
            Setting(.cdna, [2, 1, 4, 16], kernels: 2, kernelSize: 7),
            Setting(.cdna, [2, 3, 3, 7], kernels: 19, kernelSize: 3),
            Setting(.cdna, [4, 2, 2, 3], kernels: 1),
            Setting(.cdna, [1, 2, 3, 40], kernels: 5, kernelSize: 1),
            Setting(.cdna, [1, 2, 1, 1], kernels: 2, kernelSize: 3),
            Setting(.dna, [2, 3, 4, 35], kernelSize: 3), Setting(.dna, [1, 2, 5, 16], kernelSize: 7),
            Setting(.stp, [2, 3, 4, 37], kernels: 3), Setting(.stp, [2, 3, 7, 16], kernels: 2, scale: 6),
            Setting(.stp, [3, 2, 6, 13], kernels: 2, alignment: .edges),
        ]

    /// A head's frame and gradients, of inputs in double precision.
    struct Run {
        var next: [Float]
        /// In the order of `NaiveVideoHead.Inputs.paths`.
        var gradients: [[Float]]
        let head: VideoHead

        /// `passes` ways back, each of which adds.
        init(_ head: VideoHead, _ inputs: NaiveVideoHead.Inputs, _ cotangent: [Double], passes: Int = 1) {
            self.head = head
            let given = NaiveVideoHead.Inputs.paths.map { Buffer(inputs[keyPath: $0].map { Float($0) }) }
            let sums = given.map { Buffer<Float>($0.count) }
            let (next, dNext) = (Buffer<Float>(cotangent.count), Buffer(cotangent.map { Float($0) }))
            func pointers(_ buffers: [Buffer<Float>]) -> HeadInputs {
                let all = buffers.map { $0.count > 0 ? $0.pointer : nil }
                return HeadInputs(kernels: all[0], taps: all[1], transforms: all[2], masks: all[3], paint: all[4])
            }
            // A frame that is not looked at may be anything.
            head.forward(pointers(given), previous: given[5].pointer, into: next.pointer)
            for _ in 0..<passes {
                head.backward(
                    pointers(given), previous: given[5].pointer, dNext: dNext.pointer, gradients: pointers(sums),
                    addingTo: sums[5].pointer)
            }
            (self.next, gradients) = (next.array, sums.map { $0.array })
            withExtendedLifetime((given, dNext)) {}
        }
    }

    private static func cotangent(_ setting: Setting) -> [Double] {
        CellTests.random(setting.samples * setting.frame.count, 9).map { Double($0) }
    }

    @Test(arguments: settings)
    func framesAreThoseOfTheTwin(setting: Setting) {
        let inputs = setting.inputs(seed: 1)
        let expected = setting.twin.next(inputs)
        let found = Run(setting.head, inputs, Self.cotangent(setting)).next
        let largest = expected.reduce(0) { max($0, abs($1)) }
        for (a, b) in zip(found, expected) { #expect(abs(Double(a) - b) < 3e-6 * largest) }
    }

    /// Σ gradient·direction is how fast the twin's loss grows in that direction, of each of the inputs by itself.
    @Test(arguments: settings)
    func gradientsAreDifferences(setting: Setting) throws {
        let (twin, cotangent) = (setting.twin, Self.cotangent(setting))
        let inputs = try #require((1...200).lazy.map { setting.inputs(seed: $0) }.first { twin.nearestKink($0) > 2e-5 })
        let gradients = Run(setting.head, inputs, cotangent).gradients
        var random = Random(seed: 5)
        for (path, gradient) in zip(NaiveVideoHead.Inputs.paths, gradients) {
            guard !gradient.isEmpty, setting.kind != .paint || path != \.previous else {
                #expect(gradient.allSatisfy { $0 == 0 })
                continue
            }
            for _ in 0..<2 {
                let direction = gradient.map { _ in random.normal() }
                func loss(_ step: Double) -> Double {
                    var moved = inputs
                    for i in direction.indices { moved[keyPath: path][i] += step * direction[i] }
                    return zip(twin.next(moved), cotangent).reduce(0) { $0 + $1.0 * $1.1 }
                }
                let step = 1e-7
                let slope = (loss(step) - loss(-step)) / (2 * step)
                let found = zip(gradient, direction).reduce(0) { $0 + Double($1.0) * $1.1 }
                let size = zip(gradient, direction).reduce(0) { $0 + abs(Double($1.0) * $1.1) }
                #expect(abs(found - slope) < 2e-5 * size + 1e-6, "\(path): \(found) instead of \(slope)")
            }
        }
    }

    /// Gradients are added to what is there, and nothing of a way back is left for the next.
    @Test(arguments: settings)
    func gradientsAreAdded(setting: Setting) {
        let (inputs, cotangent) = (setting.inputs(seed: 2), Self.cotangent(setting))
        let (once, twice) = (Run(setting.head, inputs, cotangent), Run(setting.head, inputs, cotangent, passes: 2))
        for (a, b) in zip(once.gradients, twice.gradients) { expectSame(b, a.map { 2 * $0 }) }
    }

    /// The samples of a shard have the bits that each has alone.
    @Test(arguments: settings)
    func samplesDoNotMix(setting: Setting) {
        let (inputs, cotangent) = (setting.inputs(seed: 3), Self.cotangent(setting))
        let all = Run(setting.head, inputs, cotangent)
        let (area, samples) = (setting.frame.area, setting.samples)
        func own<Value>(_ values: [Value], _ n: Int, isPlanar: Bool) -> [Value] {
            guard isPlanar else {
                return Array(values[n * values.count / samples..<(n + 1) * values.count / samples])
            }
            return values.indices.filter { $0 / area % samples == n }.map { values[$0] }
        }
        let paths = NaiveVideoHead.Inputs.paths
        let isPlanar = paths.map { $0 != \.kernels && $0 != \.transforms }
        for n in 0..<samples {
            var alone = setting
            alone.samples = 1
            var other = inputs
            for (path, planar) in zip(paths, isPlanar) {
                other[keyPath: path] = own(inputs[keyPath: path], n, isPlanar: planar)
            }
            let run = Run(alone.head, other, own(cotangent, n, isPlanar: true))
            expectSame(run.next, own(all.next, n, isPlanar: true))
            for (i, planar) in isPlanar.enumerated() {
                expectSame(run.gradients[i], own(all.gradients[i], n, isPlanar: planar))
            }
        }
    }

    /// A kernel all of whose numbers are negative is the mean of what it sees, and learns nothing.
    @Test func aDeadKernelIsUniform() {
        let setting = Setting(.cdna, [1, 1, 6, 18], kernels: 3, kernelSize: 3)
        var inputs = setting.inputs(seed: 4)
        for t in 9..<18 { inputs.kernels[t] = -1 - Double(t) }
        // Of the images the second is all that is seen.
        for (i, z) in [-200.0, -200, -200, 200, -200].enumerated() {
            for p in 0..<108 { inputs.masks[i * 108 + p] = z }
        }
        inputs.previous = [Double](repeating: 1, count: 108)
        let run = Run(setting.head, inputs, Self.cotangent(setting))
        for v in 0..<6 {
            for u in 0..<18 {
                let seen = (v == 0 || v == 5 ? 2 : 3) * (u == 0 || u == 17 ? 2 : 3)
                #expect(abs(run.next[v * 18 + u] - Float(seen) / 9) < 1e-6)
            }
        }
        #expect(run.gradients[0][9..<18].allSatisfy { $0 == 0 })
    }

    /// The last kernel of the release is in no image: whatever it is, frame and gradients have the same bits.
    @Test func theReleaseDoesNotUseItsLastKernel() {
        let setting = Setting(.cdna, [2, 2, 4, 8], kernels: 3, kernelSize: 3, isRelease: true)
        let (inputs, cotangent) = (setting.inputs(seed: 4), Self.cotangent(setting))
        var other = inputs
        for n in 0..<2 { for t in 18..<27 { other.kernels[n * 27 + t] += 1 } }
        let (a, b) = (Run(setting.head, inputs, cotangent), Run(setting.head, other, cotangent))
        #expect(a.next == b.next && a.gradients == b.gradients)
        for n in 0..<2 {
            let gradient = a.gradients[0][n * 27..<(n + 1) * 27]
            #expect(gradient.suffix(9).allSatisfy { $0 == 0 } && gradient.prefix(18).contains { $0 != 0 })
        }
    }

    /// Affine maps that add nothing to the identity read every pixel where it is, to the last bit.
    @Test(arguments: [(13, AffineSampling.Alignment.middles), (64, .middles), (13, .edges), (64, .edges)])
    func theIdentityIsExact(width: Int, alignment: AffineSampling.Alignment) {
        let setting = Setting(.stp, [2, 1, 7, width], kernels: 1, alignment: alignment)
        var inputs = setting.inputs(seed: 4)
        inputs.transforms = [Double](repeating: 0, count: 6)
        for i in 0..<3 { for p in 0..<7 * width { inputs.masks[i * 7 * width + p] = i == 2 ? 200 : -200 } }
        expectSame(Run(setting.head, inputs, Self.cotangent(setting)).next, inputs.previous.map { Float($0) })
    }

    /// Whatever a network that fails gives, a frame comes out: without numbers where there were none.
    @Test(arguments: [Float.nan, .infinity, -.infinity, .greatestFiniteMagnitude])
    func whatIsNoNumberEndsNothing(number: Float) {
        for setting in [
            Setting(.cdna, [1, 2, 4, 13], kernels: 2, kernelSize: 3), Setting(.dna, [1, 2, 4, 13], kernelSize: 3),
            Setting(.stp, [1, 2, 4, 13], kernels: 2), Setting(.paint, [1, 2, 4, 13]),
        ] {
            for path in NaiveVideoHead.Inputs.paths {
                var inputs = setting.inputs(seed: 6)
                for i in inputs[keyPath: path].indices where i % 5 == 0 { inputs[keyPath: path][i] = Double(number) }
                let run = Run(setting.head, inputs, Self.cotangent(setting))
                guard number.isNaN, !inputs[keyPath: path].isEmpty, setting.kind != .paint || path == \.paint else {
                    continue
                }
                // `max(z, 0)` of what is no number is none.
                #expect(run.next.contains { $0.isNaN }, "\(setting.testDescription), \(path)")
            }
        }
    }
}
