import Testing

@testable import FastWeights

/// Networks of convolutions against sums written out, and in any number of parts.
@Suite struct ConvolutionTests {
    static let configurations: [NetworkConfiguration] = [
        configuration(
            MapShape(channels: 2, height: 5, width: 7),
            [.convolution(3, size: 3, stride: 2, padding: 1), .convolution(17, size: 2)], classes: 4),
        configuration(
            MapShape(channels: 1, height: 9, width: 8),
            [.maxPool(size: 2), .convolution(5, size: 3, padding: 2), .maxPool(size: 3)], classes: 3),
        configuration(
            MapShape(channels: 3, height: 4, width: 4), [.convolution(6, size: 4, stride: 4)], classes: 2),
    ]

    /// Layers over images, which are sequences of one step, and logits of classes on top.
    static func configuration(_ input: MapShape, _ layers: [Layer], classes: Int) -> NetworkConfiguration {
        NetworkConfiguration(
            .maps(channels: input.channels, height: input.height, width: input.width),
            layers + [.flatten, .lastStep, .dense(classes)])
    }

    /// The logits of one image.
    static func naive(_ network: Network, _ image: [Float]) -> [Double] {
        let configuration = network.configuration
        var (x, shape) = (image.map { Double($0) }, configuration.definition.input.maps!)
        func at(_ c: Int, _ v: Int, _ u: Int) -> Double? {
            (0..<shape.height).contains(v) && (0..<shape.width).contains(u)
                ? x[(c * shape.height + v) * shape.width + u] : nil
        }
        for (i, layer) in configuration.layers.enumerated() {
            var y: [Double] = []
            var output = shape
            switch layer.kind {
            case let layer as ConvolutionLayer:
                let (features, size, stride) = (
                    layer.filters.features, layer.filters.size.height, layer.filters.stride.height
                )
                guard case .zeros(let padding, _, _, _) = layer.filters.padding else { continue }
                let (w, b) = (network.parameters["\(i).weight"], network.parameters["\(i).bias"])
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
            case let layer as MaxPoolLayer:
                let size = layer.size
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
            // Maps as one row, and the only step.
            default: continue
            }
            (x, shape) = (y, output)
        }
        let head = configuration.layers.count - 1
        let (w, b) = (network.parameters["\(head).weight"], network.parameters["\(head).bias"])
        return (0..<configuration.output).map { c in
            x.indices.reduce(Double(b[c])) { $0 + Double(w[c * x.count + $1]) * x[$1] }
        }
    }

    static func data(_ configuration: NetworkConfiguration, count: Int) throws -> SequenceData {
        let size = configuration.definition.input.count
        let numbers = CellTests.random(count * size, 3)
        return try SequenceData(
            .numbers((0..<count).map { Array(numbers[$0 * size..<($0 + 1) * size]) }, width: size),
            .classes((0..<count).map { $0 % configuration.output }))
    }

    @Test(arguments: configurations)
    func agreesWithTheSums(configuration: NetworkConfiguration) {
        let network = Network(configuration, seed: 2)
        let (size, classes) = (configuration.definition.input.count, configuration.output)
        let images = CellTests.random(16 * size, 4)
        let logits = network.run(images, steps: 1, batch: 16).outputs
        #expect(logits.count == 16 * classes)
        for i in 0..<16 {
            let twin = Self.naive(network, Array(images[i * size..<(i + 1) * size]))
            for (c, expected) in twin.enumerated() {
                #expect(abs(Double(logits[i * classes + c]) - expected) < 1e-5)
            }
        }
    }

    @Test(arguments: configurations)
    func sameBitsForAnyNumberOfThreads(configuration: NetworkConfiguration) throws {
        let (training, validation) = try Self.data(configuration, count: 100).split(validation: 0.3, seed: 1)
        func train(_ threads: Int) throws -> ([Float], [Double], Evaluation) {
            let network = Network(configuration, seed: 3)
            var options = TrainingOptions()
            (options.steps, options.batch, options.evaluateEvery, options.threads) = (12, 37, 4, threads)
            let outcome = try Trainer(network, training: training, validation: validation, options: options).run()
            return (
                network.parameters.block.array, outcome.curve.map(\.validationLoss),
                try network.evaluate(validation, threads: threads)
            )
        }
        let one = try train(1)
        for threads in [2, 5] {
            let other = try train(threads)
            #expect(one.0 == other.0 && one.1 == other.1 && one.2 == other.2)
        }
        #expect(one.0 != Network(configuration, seed: 3).parameters.block.array)
    }

    @Test func configurationsGoThroughJSON() throws {
        for configuration in Self.configurations {
            #expect(try NetworkConfiguration(json: configuration.json) == configuration)
        }
        #expect(throws: ConfigurationError.self) {
            try NetworkConfiguration(json: ["input": ["channels": 1], "layers": [["layer": "flatten"]]])
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
