/// Runs the golden cases of stacked networks: outputs, last states and every gradient, and those of other frameworks.
extension Fixture {
    /// A stack of layers over sequences of equal or unequal length, in every way this module can run it.
    func checkStack(_ tally: inout ErrorTally) throws {
        let configuration = try RecurrentNetworkConfiguration(json: configuration)
        guard configuration.head == nil else { throw FixtureError(name, "a stack of layers has no head") }
        let network = RecurrentNetwork(configuration, parameters: try parameters(configuration.layout))
        let memory = configuration.memoryTensor?.letter
        let input = try floats("input")
        let shape = try shape("input", [nil, nil, configuration.input])
        let (steps, batch) = (shape[0], shape[1])
        let lengths = try lengths(configuration, batch: batch, steps: steps)
        let start = try state("state.", configuration, batch: batch)
        let cells = configuration.places.count

        let pass = NetworkPass(network)
        let result = pass.forward(input, steps: steps, batch: batch, lengths: lengths, state: start)
        tally.output("output", result.outputs, try doubles("output"))
        try check(result.state, "final.", memory, cells: cells) { tally.output($0, $1, $2, parts: $3) }
        let gradients = pass.backward(
            try floats("cotangent.output", count: result.outputs.count),
            state: try state("cotangent.final.", configuration, batch: batch))
        try compare(pass.gradients, "gradient.", &tally, parts: configuration.parts)
        tally.gradient("gradient.input", gradients.input, try doubles("gradient.input"))
        if start != nil {
            try check(gradients.state, "gradient.state.", memory, cells: cells) {
                tally.gradient($0, $1, $2, parts: $3)
            }
        }

        let run = network.run(input, steps: steps, batch: batch, lengths: lengths, state: start, threads: 2)
        tally.output("output, run", run.outputs, try doubles("output"))
        try check(run.state, "final.", memory, cells: cells) { tally.output($0 + ", run", $1, $2, parts: $3) }
        guard !configuration.bidirectional else { return }
        try checkStream(network, batch: batch, steps: lengths?[0] ?? steps, start, &tally)
    }

    /// The first sequence of the batch alone, a step at a time.
    private func checkStream(
        _ network: RecurrentNetwork, batch: Int, steps: Int, _ start: CellState?, _ tally: inout ErrorTally
    ) throws {
        let (I, H) = (network.configuration.input, network.configuration.output)
        let stream = NetworkStream(network, state: start?.first(of: batch, cells: network.configuration.layers))
        let input = try floats("input")
        let expected = try doubles("output", count: input.count / I * H)
        var outputs: [Float] = []
        var first: [Double] = []
        for t in 0..<steps {
            stream.step(Array(input[t * batch * I..<t * batch * I + I]))
            outputs += stream.output
            first += expected[t * batch * H..<t * batch * H + H]
        }
        tally.output("output, stream", outputs, first)
    }

    /// A module of PyTorch with an embedding below its layers and a dense layer on top, from its state dict: what it makes
    /// of tokens, sequences of unequal length.
    func checkModel(_ tally: inout ErrorTally) throws {
        let expected = try RecurrentNetworkConfiguration(json: configuration)
        let names = tensors.names.filter { $0.hasPrefix("parameter.") }
        let dictionary = StateDictionary(
            try names.map { (String($0.dropFirst("parameter.".count)), try shape($0), try floats($0)) }, source: name)
        let network = try dictionary.network(
            activation: expected.cell.activation, embedding: "encoder",
            head: expected.head?.isPerStep == true ? .perStep("decoder") : .perSequence("decoder"))
        guard network.configuration == expected else {
            throw FixtureError(name, "the state dict makes \(network.configuration) instead of \(expected)")
        }
        let sizes = try shape("tokens", [nil, nil])
        let (tokens, steps) = (try tensors.integers("tokens"), sizes[1])
        let lengths = try integers("lengths", count: sizes[0], in: 1..<steps + 1)
        let sequences = lengths.enumerated().map { Array(tokens[$0 * steps..<$0 * steps + $1]) }
        let outputs = try network.predict(.tokens(sequences), threads: 2).flatMap(\.outputs)
        tally.output("output", outputs, try doubles("output"))
    }

    /// A network of Keras, from its arrays.
    func checkKeras(_ tally: inout ErrorTally) throws {
        let configuration = try RecurrentNetworkConfiguration(json: configuration)
        let count = tensors.names.filter { $0.hasPrefix("array.") }.count
        let arrays = try (0..<count).map { try array("array.\($0)") }
        let network = try RecurrentNetwork(
            keras: arrays, bidirectional: configuration.bidirectional, activation: configuration.cell.activation)
        try check(network, configuration, &tally)
    }

    /// A network of ONNX nodes, from their arrays.
    func checkONNX(_ tally: inout ErrorTally) throws {
        let configuration = try RecurrentNetworkConfiguration(json: configuration)
        let nodes = try (0..<configuration.layers).map {
            ONNXWeights(
                input: try array("W.\($0)"), recurrent: try array("R.\($0)"),
                bias: has("B.\($0)") ? try array("B.\($0)") : nil, linearBeforeReset: true)
        }
        try check(
            try RecurrentNetwork(onnx: nodes, activation: configuration.cell.activation), configuration, &tally)
    }

    private func array(_ name: String) throws -> WeightArray {
        WeightArray(shape: try shape(name), values: try floats(name))
    }

    private func check(
        _ network: RecurrentNetwork, _ expected: RecurrentNetworkConfiguration, _ tally: inout ErrorTally
    ) throws {
        guard network.configuration == expected else {
            throw FixtureError(name, "the weights make \(network.configuration) instead of \(expected)")
        }
        let shape = try shape("input", [nil, nil, expected.input])
        let result = network.run(try floats("input"), steps: shape[0], batch: shape[1])
        tally.output("output", result.outputs, try doubles("output"))
        try check(result.state, "final.", expected.memoryTensor?.letter, cells: expected.places.count) {
            tally.output($0, $1, $2, parts: $3)
        }
    }
}

extension Cell {
    /// That of a plain RNN; of other cells PyTorch's default.
    fileprivate var activation: Activation {
        if case .rnn(let activation, _, _) = self { activation } else { .tanh }
    }
}
