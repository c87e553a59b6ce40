import Testing

@testable import FastWeights

/// Recurrent layers of maps beside the golden cases: against the cells of vectors, as streams, over threads, and what they
/// begin with.
@Suite struct ConvolutionalCellTests {
    private let folder = TemporaryFolder()

    private static let video = NetworkInput.maps(channels: 2, height: 4, width: 5)
    static let videos: [NetworkConfiguration] = [
        NetworkConfiguration(
            video,
            [
                .convolutionalLSTM(
                    3, kernel: MapSize(3, 1), ConvolutionalLSTMOptions(hasPeepholes: true, hasLayerNorm: true)),
                .convolutionalLSTM(2, kernel: 3),
            ]),
        NetworkConfiguration(
            video, [.convolutionalGRU(3, kernel: 3), .convolutionalGRU(3, kernel: MapSize(1, 3), resetsFirst: true)]),
    ]

    /// With maps of one number and filters of one the equations are those of the cells of vectors.
    @Test(arguments: [
        (Layer.convolutionalLSTM(5, kernel: 1), Layer.lstm(5)), (.convolutionalGRU(5, kernel: 1), .gru(5)),
    ])
    func mapsOfOneNumberAreAVector(cell: Layer, twin: Layer) {
        let network = Network(NetworkConfiguration(.numbers(3), [cell]), seed: 1)
        let other = Network(NetworkConfiguration(.numbers(3), [twin]), seed: 2)
        for window in other.configuration.layout.windows {
            let isThere = network.configuration.layout.windows.contains { $0.name == window.name }
            // The LSTM of maps has one bias.
            other.parameters[window.name] =
                isThere ? network.parameters[window.name] : [Float](repeating: 0, count: window.count)
        }
        let input = CellTests.random(6 * 4 * 3, 1)
        let (found, expected) = (
            network.run(input, steps: 6, batch: 4), other.run(input, steps: 6, batch: 4)
        )
        for (a, b) in zip(found.outputs, expected.outputs) { #expect(abs(a - b) < 1e-6) }
        for (a, b) in zip(found.state.parts, expected.state.parts) {
            #expect(a.name == b.name)
            for (x, y) in zip(a.values, b.values) { #expect(abs(x - y) < 1e-6) }
        }
    }

    /// A constant that is added to f is a bias of it.
    @Test func theOffsetOfFIsABias() {
        func network(_ options: ConvolutionalLSTMOptions) -> Network {
            Network(NetworkConfiguration(Self.video, [.convolutionalLSTM(3, kernel: 3, options)]), seed: 4)
        }
        let (offset, bias) = (network(ConvolutionalLSTMOptions(forgetOffset: 1)), network(ConvolutionalLSTMOptions()))
        for f in 3..<6 { bias.parameters["0.bias_ih_l0"][f] += 1 }
        let input = CellTests.random(5 * 2 * 40, 2)
        let (a, b) = (offset.run(input, steps: 5, batch: 2), bias.run(input, steps: 5, batch: 2))
        for (x, y) in zip(a.outputs, b.outputs) { #expect(abs(x - y) < 1e-6) }
    }

    @Test func firstValuesAreThoseOfTheOptions() {
        let options = ConvolutionalLSTMOptions(forgetBias: 2, hasPeepholes: true, hasLayerNorm: true)
        let network = Network(
            NetworkConfiguration(Self.video, [.convolutionalLSTM(2, kernel: MapSize(3, 5), options)]), seed: 4)
        let p = network.parameters
        #expect(p["0.bias_ih_l0"] == [0, 0, 2, 2, 0, 0, 0, 0])
        for name in ["ci", "cf", "co"] { #expect(p["0.weight_\(name)_l0"] == [Float](repeating: 0, count: 40)) }
        for name in ["ih", "hh"] {
            #expect(p["0.norm_\(name)_weight_l0"] == [Float](repeating: 1, count: 160))
            #expect(p["0.norm_\(name)_bias_l0"] == [Float](repeating: 0, count: 160))
        }
        let limit = 1 / Float(4 * 15).squareRoot()
        for name in ["weight_ih", "weight_hh"] {
            let weights = p["0.\(name)_l0"]
            #expect(weights.count == 8 * 2 * 15 && weights.allSatisfy { abs($0) <= limit })
            #expect(weights.contains { abs($0) > limit / 2 })
        }
        #expect(network.configuration.layout.windows.map(\.shape).contains([8, 2, 3, 5]))
        let plain = Network(NetworkConfiguration(Self.video, [.convolutionalLSTM(2, kernel: 1)]), seed: 4)
        #expect(Set(plain.parameters["0.bias_ih_l0"]).count == 8)
    }

    /// Frame by frame, in two streams that part, and by way of a file.
    @Test(arguments: videos)
    func streamsGoFrameByFrame(configuration: NetworkConfiguration) throws {
        let network = Network(configuration, seed: 3)
        let frames = (0..<7).map { CellTests.random(40, UInt64(10 + $0)) }
        let whole = network.run(frames.flatMap { $0 }, steps: 7, batch: 1)
        let width = configuration.output
        func near(_ a: [Float], _ b: some Sequence<Float>) -> Bool { zip(a, b).allSatisfy { abs($0 - $1) < 1e-6 } }

        let stream = try NetworkStream(network)
        for frame in frames.prefix(4) { stream.step(frame) }
        #expect(near(stream.output, whole.outputs[3 * width..<4 * width]))
        let branch = stream.copy()
        #expect(branch.output == stream.output && branch.state == stream.state)
        branch.step(frames[0])
        let path = folder.path("state.safetensors")
        try stream.writeState(to: path)
        for frame in frames.dropFirst(4) { stream.step(frame) }
        #expect(near(stream.output, whole.outputs.suffix(width)))
        for (a, b) in zip(stream.state.parts, whole.state.parts) {
            #expect(a.shape == b.shape && a.shape.count == 4 && near(a.values, b.values))
        }
        #expect(branch.output != stream.output)

        let later = try NetworkStream(network)
        try later.restore(from: SafeTensors(path: path))
        // Once set, the output is that of the state: h of the last layer.
        #expect(near(later.output, whole.outputs[3 * width..<4 * width]))
        for frame in frames.dropFirst(4) { later.step(frame) }
        #expect(later.output == stream.output && later.state == stream.state)
        later.reset()
        #expect(later.output.allSatisfy { $0 == 0 })
        for frame in frames.prefix(4) { later.step(frame) }
        #expect(near(later.output, whole.outputs[3 * width..<4 * width]))
    }

    /// Where sixteen videos take as long as one, a few of them are not run one by one: the bits are those of a pass.
    @Test(arguments: videos)
    func aFewLongVideosRunSideBySide(configuration: NetworkConfiguration) {
        let network = Network(configuration, seed: 3)
        let input = CellTests.random(18 * 3 * 40, 5)
        let run = network.run(input, steps: 18, batch: 3)
        let pass = NetworkPass(network).forward(input, steps: 18, batch: 3)
        #expect(run.outputs == pass.outputs && run.state == pass.state)
    }

    @Test(arguments: videos)
    func sameBitsForAnyNumberOfThreads(configuration: NetworkConfiguration) throws {
        let next = NetworkConfiguration(configuration.input, configuration.layers + [.lastStep, .flatten, .dense(3)])
        let data = try SequenceData(
            .numbers((0..<70).map { CellTests.random((1 + $0 % 4) * 40, UInt64($0)) }, width: 40),
            .classes((0..<70).map { $0 % 3 }))
        func train(_ threads: Int) throws -> ([Float], Double) {
            let network = Network(next, seed: 3)
            var options = TrainingOptions()
            (options.steps, options.batch, options.evaluateEvery, options.threads) = (5, 40, 5, threads)
            let outcome = try Trainer(network, training: data, validation: data, options: options).run()
            return (network.parameters.block.array, outcome.curve.last?.validationLoss ?? 0)
        }
        let one = try train(1)
        for threads in [2, 5] {
            let other = try train(threads)
            #expect(one.0 == other.0 && one.1 == other.1)
        }
        #expect(one.0 != Network(next, seed: 3).parameters.block.array)
    }

    @Test func aStackIsOfVectors() {
        let json: JSON = [
            "layer": "stack", "cell": Layer.convolutionalGRU(2, kernel: 3).json, "layers": 2,
        ]
        let error = #expect(throws: ConfigurationError.self) { try Layer(json: json) }
        #expect(error?.description.contains("a recurrent layer") == true)
    }
}
