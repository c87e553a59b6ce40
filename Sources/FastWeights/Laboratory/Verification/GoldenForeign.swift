/// Runs the golden cases of networks made of other frameworks' weights.
extension Fixture {
    /// A module of PyTorch with an embedding below its layers and a dense layer on top, from its state dict: what it makes
    /// of tokens, sequences of unequal length.
    func checkModel(_ tally: inout ErrorTally) throws {
        let isPerStep = configuration["head"]?["per"]?.text == "step"
        let names = tensors.names.filter { $0.hasPrefix("parameter.") }
        let dictionary = StateDictionary(
            try names.map { (String($0.dropFirst("parameter.".count)), try shape($0), try floats($0)) }, source: name)
        let network = try dictionary.network(
            activation: try activation(), embedding: "encoder",
            head: isPerStep ? .perStep("decoder") : .perSequence("decoder"))
        let sizes = try shape("tokens", [nil, nil])
        let (tokens, steps) = (try tensors.integers("tokens"), sizes[1])
        let lengths = try integers("lengths", count: sizes[0], in: 1..<steps + 1)
        let sequences = lengths.enumerated().map { Array(tokens[$0 * steps..<$0 * steps + $1]) }
        let outputs = try network.predict(.tokens(sequences), threads: 2).flatMap(\.outputs)
        tally.output("output", outputs, try doubles("output"))
    }

    /// A network of Keras, from its arrays.
    func checkKeras(_ tally: inout ErrorTally) throws {
        let count = tensors.names.filter { $0.hasPrefix("array.") }.count
        let arrays = try (0..<count).map { try array("array.\($0)") }
        let network = try Network(
            keras: arrays, isBidirectional: configuration["bidirectional"]?.boolean == true,
            activation: try activation())
        try check(network, &tally)
    }

    /// A whole model of Keras, from its configuration and arrays.
    func checkKerasModel(_ tally: inout ErrorTally) throws {
        let arrays = try (0..<tensors.names.count { $0.hasPrefix("array.") }).map { try array("array.\($0)") }
        let network = try Network(kerasModel: configuration.serialized(), weights: arrays)
        let result: (outputs: [Float], state: NetworkState)
        if let vocabulary = network.definition.input.vocabulary {
            let sizes = try shape("tokens", [nil, nil])
            let tokens = try integers("tokens", count: sizes[0] * sizes[1], in: 0..<vocabulary)
            result = network.run(tokens: tokens, steps: sizes[0], batch: sizes[1])
        } else {
            let sizes = try shape("input", [nil, nil, network.definition.input.count])
            result = network.run(try floats("input"), steps: sizes[0], batch: sizes[1])
        }
        tally.output("output", result.outputs, try doubles("output"))
    }

    /// A network of ONNX nodes, from their arrays.
    func checkONNX(_ tally: inout ErrorTally) throws {
        let nodes = try (0..<tensors.names.count { $0.hasPrefix("W.") }).map {
            ONNXWeights(
                input: try array("W.\($0)"), recurrent: try array("R.\($0)"),
                bias: has("B.\($0)") ? try array("B.\($0)") : nil, isLinearBeforeReset: true)
        }
        try check(try Network(onnx: nodes, activation: try activation()), &tally)
    }

    /// Convolutional LSTMs under the names and in the gates' order of another code.
    func checkConvolutionalCode(_ tally: inout ErrorTally) throws {
        let reader = ConfigurationReader(json: configuration, owner: "code")
        let name = try reader.text("code")
        let sizes = try shape("input", [nil, nil, nil, nil, nil])
        let network: Network
        if name == "keras" {
            network = try Network(
                kerasConvolutionalLSTMs: try (0..<tensors.names.count { $0.hasPrefix("array.") }).map {
                    try array("array.\($0)")
                }, height: sizes[3], width: sizes[4])
        } else {
            guard let code = ConvolutionalLSTMCode(rawValue: name) else {
                throw FixtureError(self.name, "there is no code \(name)")
            }
            let prefix = "weights."
            let dictionary = StateDictionary(
                try tensors.names.filter { $0.hasPrefix(prefix) }.map {
                    (String($0.dropFirst(prefix.count)), try shape($0), try floats($0))
                }, source: self.name)
            network = try dictionary.convolutionalNetwork(of: code, height: sizes[3], width: sizes[4])
        }
        try check(network, &tally)
    }

    private func array(_ name: String) throws -> WeightArray {
        WeightArray(shape: try shape(name), values: try floats(name))
    }

    /// That of a plain RNN; of other cells PyTorch's default.
    private func activation() throws -> Activation {
        let cell = ConfigurationReader(json: configuration["cell"] ?? .null, owner: "cell")
        return cell.json["activation"] == nil ? .tanh : try cell.activation()
    }

    private func check(_ network: Network, _ tally: inout ErrorTally) throws {
        let definition = network.definition
        let shape = try shape("input", [nil, nil] + definition.input.sizes)
        let result = network.run(try floats("input"), steps: shape[0], batch: shape[1])
        tally.output("output", result.outputs, try doubles("output"))
        for tensor in result.state.tensors(definition) {
            tally.output("final.\(tensor.name)", tensor.values, try doubles("final.\(tensor.name)"))
        }
    }
}
