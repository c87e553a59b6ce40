import FastWeights

extension Reader {
    /// The readers of networks, and of trainings to go on with.
    static func networks(fixture: (String) -> [UInt8]) -> [Reader] {
        let stateDicts = ["lstm_no_bias", "gru_two_layers", "lstm_bidirectional", "rnn_tanh_two_layers"]
            .map { stateDict(fixture("stack/\($0).safetensors")) }
        let keras = ["lstm", "gru", "gru_stacked_bidirectional", "rnn_relu_no_bias", "lstm_no_bias"]
        let onnx = ["lstm", "gru_no_bias", "gru_stacked_bidirectional", "rnn_tanh"]
        return [
            Reader(
                name: "network", seeds: networks, words: modelWords + networkWords, allowance: 160,
                open: { bytes in
                    let network = try RecurrentNetwork(SafeTensors(bytes: bytes, source: "fuzz"))
                    return { try use(network) }
                }, inside: [metadata(["config"]), safeTensorsHeader]),
            Reader(
                name: "state-dict", seeds: stateDicts, words: stateDictWords, allowance: 160,
                open: { bytes in
                    let network = try RecurrentNetwork(SafeTensors(bytes: bytes, source: "fuzz"))
                    return { try use(network) }
                }, inside: [shapes(of: tensors) { SafeTensors.serialise($0) }, safeTensorsHeader]),
            Reader(
                name: "text", seeds: texts, words: modelWords + networkWords + ["bytes", "ü", "\\u00fc", "aa"],
                allowance: 160,
                open: { bytes in
                    let model = try TextModel(SafeTensors(bytes: bytes, source: "fuzz"))
                    return {
                        let writer = try model.writer(prompt: "", seed: 1)
                        for _ in 0..<3 { _ = writer.next() }
                        try check(
                            try TextModel(SafeTensors(bytes: model.serialised(), source: "again")).vocabulary
                                == model.vocabulary)
                    }
                }, inside: [metadata(["config", "vocabulary"]), metadata(["vocabulary"]), safeTensorsHeader]),
            Reader(
                name: "keras", seeds: keras.map { archive(fixture("keras/\($0).safetensors"), ["array."]) },
                words: shapeWords, allowance: 1100,
                open: { bytes in
                    let archive = try NumPyArchive(bytes: bytes, source: "fuzz")
                    let arrays = try archive.names.map { try WeightArray(archive.array(named: $0)) }
                    let isBidirectional = arrays.count % 6 == 0
                    let network = try RecurrentNetwork(keras: arrays, bidirectional: isBidirectional)
                    return { try use(network) }
                }, inside: [shapes(of: arrays) { NumPyArchive.serialise($0) }, zipEntries]),
            Reader(
                name: "onnx", seeds: onnx.map { archive(fixture("onnx/\($0).safetensors"), ["W.", "R.", "B."]) },
                words: shapeWords, allowance: 1100,
                open: { bytes in
                    let archive = try NumPyArchive(bytes: bytes, source: "fuzz")
                    func part(_ letter: String) throws -> [WeightArray] {
                        try archive.names.filter { $0.hasPrefix(letter) }.map {
                            try WeightArray(archive.array(named: $0))
                        }
                    }
                    let (inputs, recurrents, biases) = (try part("W"), try part("R"), try part("B"))
                    let nodes = zip(inputs, recurrents).enumerated().map { i, matrices in
                        ONNXWeights(
                            input: matrices.0, recurrent: matrices.1, bias: i < biases.count ? biases[i] : nil,
                            linearBeforeReset: true)
                    }
                    let network = try RecurrentNetwork(onnx: nodes)
                    return { try use(network) }
                }, inside: [shapes(of: arrays) { NumPyArchive.serialise($0) }, zipEntries]),
        ]
    }

    private typealias Tensors = [(name: String, shape: [Int], values: [Float])]

    /// Two steps through a network that was read, all at once and one by one, and the way into a file and back.
    private static func use(_ network: RecurrentNetwork) throws {
        let configuration = network.configuration
        let input = [Float](repeating: 0.5, count: 2 * configuration.input)
        let outputs = network.run(input, steps: 2, batch: 1).outputs
        try check(outputs.count == configuration.output * (configuration.head?.isPerSequence ?? false ? 1 : 2))
        if !configuration.bidirectional {
            let stream = NetworkStream(network)
            stream.step(Array(input.prefix(configuration.input)))
            try check(stream.output.count == configuration.output)
        }
        let again = try RecurrentNetwork(SafeTensors(bytes: network.serialised(), source: "again"))
        try check(again.parameters.layout == network.parameters.layout)
    }
}

extension Head {
    fileprivate var isPerSequence: Bool { if case .perSequence = self { true } else { false } }
}

// MARK: - Files to start from

extension Reader {
    private static let networkWords = [
        "\"head\":null", "\"outputs\":2", "\"per\":\"step\"", "\"per\":\"sequence\"", "\"bidirectional\":true",
        "\"bias\":false", "\"layers\":2", "\"dropout\":0.5", "\"inner_steps\":256",
    ]
    private static let shapeWords = ["\n", " ", " 0", " 1", " 2", " 3", " 8", " 12", "arr_", "W.0", "R.0", "B.0"]
    private static let stateDictWords =
        shapeWords + [
            "weight_ih", "weight_hh", "weight_hr", "bias_ih", "bias_hh", "_l0", "_l1", "_l255", "_reverse", "rnn.",
            "\nbias_hh_l0 12", "\nweight_ih_l1 8 2",
        ]

    /// Networks with and without heads, as `write(to:)` makes them.
    private static let networks: [[UInt8]] = {
        let options = FastWeightsOptions(innerSteps: 2, normaliseFirst: true, separateNorms: true)
        let configurations = [
            RecurrentNetworkConfiguration(.lstm(), input: 2, hidden: 2, head: .perSequence(3)),
            RecurrentNetworkConfiguration(.gru, input: 1, hidden: 3, layers: 2, bidirectional: true, dropout: 0.1),
            RecurrentNetworkConfiguration(.fastWeights(options), input: 2, hidden: 2, head: .perStep(1)),
            RecurrentNetworkConfiguration(.rnn(activation: .tanh, layerNorm: true), input: 2, hidden: 2, bias: false),
            RecurrentNetworkConfiguration(
                .lstm(layerNorm: true), input: 1, hidden: 2, bidirectional: true, head: .perStep(2)),
        ]
        return configurations.map { RecurrentNetwork($0, seed: 1).serialised() }
    }()

    /// Text models of characters and of bytes.
    private static let texts: [[UInt8]] =
        ["hello wörld", "ab"].map {
            TextModel(.gru, hidden: 2, vocabulary: TextVocabulary(of: Array($0.utf8)), seed: 1).serialised()
        } + [
            TextModel(.fastWeights(), hidden: 1, vocabulary: .bytes, seed: 1).serialised(),
            TextModel(.lstm(), hidden: 1, layers: 2, vocabulary: TextVocabulary(of: [97]), seed: 1).serialised(),
        ]

    private static func tensors(_ bytes: [UInt8]) -> Tensors {
        guard let file = try? SafeTensors(bytes: bytes, source: "fuzz") else { return [] }
        return file.names.compactMap { name in
            guard let tensor = try? file.tensor(named: name), let values = try? file.floats(name) else { return nil }
            return (name, tensor.shape, values)
        }
    }

    private static func arrays(_ bytes: [UInt8]) -> Tensors {
        guard let file = try? NumPyArchive(bytes: bytes, source: "fuzz") else { return [] }
        return file.names.compactMap { name in
            guard let array = try? file.array(named: name), let values = try? array.floats else { return nil }
            return (name, array.shape, values)
        }
    }

    /// The parameters of a golden case as PyTorch saves them.
    private static func stateDict(_ fixture: [UInt8]) -> [UInt8] {
        let prefix = "parameter."
        return SafeTensors.serialise(
            tensors(fixture).filter { $0.name.hasPrefix(prefix) }.map {
                (String($0.name.dropFirst(prefix.count)), $0.shape, $0.values)
            })
    }

    /// The arrays of a golden case whose names begin so, as NumPy saves them, in the order of their numbers.
    private static func archive(_ fixture: [UInt8], _ prefixes: [String]) -> [UInt8] {
        NumPyArchive.serialise(
            prefixes.flatMap { prefix in
                tensors(fixture).filter { $0.name.hasPrefix(prefix) }.sorted {
                    ($0.name.utf8.count, $0.name) < ($1.name.utf8.count, $1.name)
                }
            })
    }
}

// MARK: - Changes of shapes

extension Reader {
    /// Changes the list of names and shapes of a file, and writes one with as many numbers as these then ask for.
    private static func shapes(of read: @escaping ([UInt8]) -> Tensors, _ write: @escaping (Tensors) -> [UInt8])
        -> Inside
    {
        { bytes, change in
            let list = read(bytes).map { tensor in
                ([tensor.name] + tensor.shape.map { "\($0)" }).joined(separator: " ")
            }
            let changed = String(decoding: change(Array(list.joined(separator: "\n").utf8)), as: UTF8.self)
            var names: Set = ["__metadata__"]
            let tensors: Tensors = changed.split(separator: "\n").compactMap { line in
                let words = line.split(separator: " ", omittingEmptySubsequences: false)
                let shape = words.dropFirst().compactMap { Int($0) }.filter { (0...64).contains($0) }
                // A zip archive has names of less than 64 KB.
                guard shape.count <= 4, words[0].utf8.count < 1 << 12, names.insert(String(words[0])).inserted else {
                    return nil
                }
                let count = shape.reduce(1, *)
                return count > 1 << 12 ? nil : (String(words[0]), shape, [Float](repeating: 0.1, count: count))
            }
            return write(tensors)
        }
    }
}
