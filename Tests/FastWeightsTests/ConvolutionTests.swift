import Testing

@testable import FastWeights

/// Networks of convolutions against sums written out, and in any number of parts.
@Suite struct ConvolutionTests {
    static let configurations: [ConvolutionalNetworkConfiguration] = [
        ConvolutionalNetworkConfiguration(
            MapShape(channels: 2, height: 5, width: 7),
            [.convolution(features: 3, size: 3, stride: 2, padding: 1), .convolution(features: 17, size: 2)], classes: 4
        ),
        ConvolutionalNetworkConfiguration(
            MapShape(channels: 1, height: 9, width: 8),
            [.maxPool(size: 2), .convolution(features: 5, size: 3, padding: 2), .maxPool(size: 3)], classes: 3),
        ConvolutionalNetworkConfiguration(
            MapShape(channels: 3, height: 4, width: 4), [.convolution(features: 6, size: 4, stride: 4)], classes: 2),
    ]

    /// The logits of one image.
    static func naive(_ network: ConvolutionalNetwork, _ image: [Float]) -> [Double] {
        let configuration = network.configuration
        var (x, shape) = (image.map { Double($0) }, configuration.input)
        func at(_ c: Int, _ v: Int, _ u: Int) -> Double? {
            (0..<shape.height).contains(v) && (0..<shape.width).contains(u)
                ? x[(c * shape.height + v) * shape.width + u] : nil
        }
        for (i, layer) in configuration.layers.enumerated() {
            var y: [Double] = []
            var output = shape
            switch layer {
            case .convolution(let features, let size, let stride, let padding):
                let (w, b) = (network.parameters["layers.\(i).weight"], network.parameters["layers.\(i).bias"])
                output = MapShape(
                    channels: features, height: (shape.height + 2 * padding - size) / stride + 1,
                    width: (shape.width + 2 * padding - size) / stride + 1)
                for f in 0..<features {
                    for v in 0..<output.height {
                        for u in 0..<output.width {
                            var sum = Double(b[f])
                            for c in 0..<shape.channels {
                                for j in 0..<size {
                                    for k in 0..<size {
                                        let weight = Double(w[((f * shape.channels + c) * size + j) * size + k])
                                        sum += weight * (at(c, v * stride + j - padding, u * stride + k - padding) ?? 0)
                                    }
                                }
                            }
                            y.append(max(sum, 0))
                        }
                    }
                }
            case .maxPool(let size):
                output = MapShape(
                    channels: shape.channels, height: shape.height / size, width: shape.width / size)
                for c in 0..<shape.channels {
                    for v in 0..<output.height {
                        for u in 0..<output.width {
                            var largest = -Double.infinity
                            for j in 0..<size {
                                for k in 0..<size { largest = max(largest, at(c, v * size + j, u * size + k)!) }
                            }
                            y.append(largest)
                        }
                    }
                }
            }
            (x, shape) = (y, output)
        }
        let (w, b) = (network.parameters["head.weight"], network.parameters["head.bias"])
        return (0..<configuration.classes).map { c in
            x.indices.reduce(Double(b[c])) { $0 + Double(w[c * x.count + $1]) * x[$1] }
        }
    }

    static func data(_ configuration: ConvolutionalNetworkConfiguration, count: Int) throws -> SequenceData {
        let size = configuration.input.count
        let numbers = CellTests.random(count * size, 3)
        return try SequenceData(
            .numbers((0..<count).map { Array(numbers[$0 * size..<($0 + 1) * size]) }, width: size),
            .classes((0..<count).map { $0 % configuration.classes }))
    }

    @Test(arguments: configurations)
    func agreesWithTheSums(configuration: ConvolutionalNetworkConfiguration) {
        let network = ConvolutionalNetwork(configuration, seed: 2)
        let weights = ConvolutionWeights(configuration, network.parameters)
        for piece in 0..<weights.pieces { weights.pack(piece: piece) }
        let pass = ConvolutionPass(configuration)
        let size = configuration.input.count
        let images = CellTests.random(16 * size, 4)
        for lane in 0..<16 { for r in 0..<size { pass.input[r][lane] = images[lane * size + r] } }
        pass.forward(weights)
        for lane in 0..<16 {
            let twin = Self.naive(network, Array(images[lane * size..<(lane + 1) * size]))
            for (c, expected) in twin.enumerated() { #expect(abs(Double(pass.logits[c][lane]) - expected) < 1e-5) }
        }
    }

    @Test(arguments: configurations)
    func sameBitsForAnyNumberOfThreads(configuration: ConvolutionalNetworkConfiguration) throws {
        let (training, validation) = try Self.data(configuration, count: 100).split(validation: 0.3, seed: 1)
        func train(_ threads: Int) throws -> ([Float], [Double], Evaluation) {
            let network = ConvolutionalNetwork(configuration, seed: 3)
            var options = TrainingOptions()
            (options.steps, options.batch, options.evaluateEvery, options.threads) = (12, 37, 4, threads)
            let outcome = try Trainer(network, training: training, validation: validation, options: options).run()
            return (
                network.parameters.block.array, outcome.curve.map(\.validationLoss),
                network.evaluate(validation, threads: threads)
            )
        }
        let one = try train(1)
        for threads in [2, 5] {
            let other = try train(threads)
            #expect(one.0 == other.0 && one.1 == other.1 && one.2 == other.2)
        }
        #expect(one.0 != ConvolutionalNetwork(configuration, seed: 3).parameters.block.array)
    }

    @Test func configurationsGoThroughJSON() throws {
        for configuration in Self.configurations {
            #expect(try ConvolutionalNetworkConfiguration(json: configuration.json) == configuration)
        }
        #expect(throws: ConfigurationError.self) {
            try ConvolutionalNetworkConfiguration(json: ["channels": .number(1)])
        }
    }

    /// Of several largest numbers the first has the gradient.
    @Test func aTieGoesToTheFirst() {
        let pool = MaxPool(input: MapShape(channels: 1, height: 2, width: 2), size: 2)
        let arena = Arena()
        let (x, y) = (arena.panels(1, rows: 4)[0], arena.panels(1, rows: 1)[0])
        let (dx, dy) = (arena.panels(1, rows: 4)[0], arena.panels(1, rows: 1)[0])
        for r in 0..<4 { x[r] = Lanes(repeating: r == 1 || r == 3 ? 5 : -1) }
        dy[0] = Lanes(repeating: 2)
        pool.forward(x, into: y)
        pool.backward(x, y, dy, into: dx)
        #expect(y[0] == Lanes(repeating: 5))
        #expect((0..<4).map { dx[$0][7] } == [0, 2, 0, 0])
    }
}
