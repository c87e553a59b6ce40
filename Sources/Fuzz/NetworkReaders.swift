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
                    let network = try Network(SafeTensors(bytes: bytes, source: "fuzz"))
                    return { try use(network) }
                }, inside: [metadata(["config"]), safeTensorsHeader]),
            Reader(
                name: "state-dict", seeds: stateDicts, words: stateDictWords, allowance: 160,
                open: { bytes in
                    let network = try Network(SafeTensors(bytes: bytes, source: "fuzz"))
                    return { try use(network) }
                }, inside: [shapes(of: tensors) { SafeTensors.serialize($0) }, safeTensorsHeader]),
            Reader(
                name: "text", seeds: texts, words: modelWords + networkWords + ["bytes", "ü", "\\u00fc", "aa"],
                allowance: 160,
                open: { bytes in
                    let model = try TextModel(SafeTensors(bytes: bytes, source: "fuzz"))
                    return {
                        let writer = try model.writer(prompt: "", seed: 1)
                        for _ in 0..<3 { _ = writer.next() }
                        try check(
                            try TextModel(SafeTensors(bytes: model.serialized(), source: "again")).vocabulary
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
                    let network = try Network(keras: arrays, isBidirectional: isBidirectional)
                    return { try use(network) }
                }, inside: [shapes(of: arrays) { NumPyArchive.serialize($0) }, zipEntries]),
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
                            isLinearBeforeReset: true)
                    }
                    let network = try Network(onnx: nodes)
                    return { try use(network) }
                }, inside: [shapes(of: arrays) { NumPyArchive.serialize($0) }, zipEntries]),
        ]
    }

    private typealias Tensors = [(name: String, shape: [Int], values: [Float])]

    /// Two steps through a network that was read, all at once and one by one, and the way into a file and back.
    private static func use(_ network: Network) throws {
        let configuration = network.configuration
        let sizes = configuration.outputSizes(steps: 2, batch: 1)
        let stream = try? NetworkStream(network)
        let outputs: [Float]
        switch configuration.input {
        case .tokens:
            outputs = network.run(tokens: [0, 0], steps: 2, batch: 1).outputs
            stream?.step(token: 0)
        case .numbers(let count): outputs = numbers(count)
        case .maps(let channels, let height, let width): outputs = numbers(channels * height * width)
        }
        /// Of `count` numbers a step.
        func numbers(_ count: Int) -> [Float] {
            let input = [Float](repeating: 0.5, count: 2 * count)
            stream?.step(Array(input.prefix(count)))
            return network.run(input, steps: 2, batch: 1).outputs
        }
        try check(outputs.count == sizes.reduce(1, *))
        if let stream { try check(stream.output.count == sizes.last) }
        let again = try Network(SafeTensors(bytes: network.serialized(), source: "again"))
        try check(again.parameters.layout == network.parameters.layout)
    }
}

// MARK: - Files to start from

extension Reader {
    private static let networkWords = [
        "\"outputs\":2", "{\"layer\":\"last_step\"}", "{\"layer\":\"dropout\",\"rate\":0.5}", "\"numbers\":2",
        "\"tokens\":3", "\"bidirectional\":true", "\"bias\":false", "\"layers\":2", "\"dropout\":0.5",
        "\"inner_steps\":256", "\"layer\":\"mean\"", "\"layer\":\"flatten\"", "\"padding\":1048575",
        "\"size\":1048576", "\"size\":[3,5]", "\"padding\":\"same\"", "\"padding\":[1,0,0,1048575]", "\"stride\":[1,2]",
        "\"output_padding\":1", "\"peepholes\":true", "\"per_channel\":true", "\"name\":\"0.\"", "\"cell_suffix\":\"\"",
        "\"head\":null", "\"per\":\"sequence\"",
    ]
    private static let shapeWords = ["\n", " ", " 0", " 1", " 2", " 3", " 8", " 12", "arr_", "W.0", "R.0", "B.0"]
    private static let stateDictWords =
        shapeWords + [
            "weight_ih", "weight_hh", "weight_hr", "bias_ih", "bias_hh", "_l0", "_l1", "_l255", "_reverse", "rnn.",
            "\nbias_hh_l0 12", "\nweight_ih_l1 8 2",
        ]

    /// Networks of every kind of layer, as `write(to:)` makes them, and one as it was written before.
    private static let networks: [[UInt8]] = {
        let options = FastWeightsOptions(innerSteps: 2, normalizesFirst: true, hasSeparateNorms: true)
        let configurations = [
            NetworkConfiguration(.numbers(2), [.lstm(2), .lastStep, .dense(3)]),
            NetworkConfiguration(
                .numbers(1), [.stack(.gru(3), layers: 2, isBidirectional: true, dropout: 0.1), .layerNorm()]),
            NetworkConfiguration(.tokens(3), [.fastWeights(2, options), .dense(1, activation: .tanh)]),
            NetworkConfiguration(.tokens(4), [.embedding(2), .rnn(2, hasLayerNorm: true, hasBias: false), .mean]),
            NetworkConfiguration(
                .numbers(1), [.bidirectional(.lstm(2, hasLayerNorm: true)), .residual([.rmsNorm(), .dense(4)])]),
            NetworkConfiguration(
                .maps(channels: 1, height: 4, width: 4), [.convolution(2, size: 3), .maxPool(size: 2), .flatten]),
            NetworkConfiguration(
                .maps(channels: 1, height: 2, width: 3),
                [
                    .convolution(1, kernel: 2, stride: 2, padding: .same), .layerNorm(isPerChannel: true),
                    .convolutionalLSTM(1, kernel: 1, ConvolutionalLSTMOptions(hasPeepholes: true, hasLayerNorm: true)),
                    .convolutionalGRU(1, kernel: MapSize(1, 3)), .transposedConvolution(1, kernel: 2, stride: 2),
                ]),
        ]
        return configurations.map { Network($0, seed: 1).serialized() } + [before]
    }()

    /// A network of the format fastweights-network-1.
    private static let before: [UInt8] = SafeTensors.serialize(
        [
            ("weight_ih_l0", [6, 1], [Float](repeating: 0.1, count: 6)),
            ("weight_hh_l0", [6, 2], [Float](repeating: 0.2, count: 12)),
            ("bias_ih_l0", [6], [Float](repeating: 0.3, count: 6)),
            ("bias_hh_l0", [6], [Float](repeating: 0.4, count: 6)), ("head.weight", [1, 2], [0.5, 0.6]),
            ("head.bias", [1], [0.7]),
        ],
        metadata: [
            ("format", "fastweights-network-1"),
            (
                "config",
                #"{"cell":{"cell":"gru","input":1,"hidden":2},"layers":1,"bidirectional":false,"bias":true,"dropout":0,"head":{"per":"sequence","outputs":1}}"#
            ),
        ])

    /// Text models of characters and of bytes.
    private static let texts: [[UInt8]] =
        ["hello wörld", "ab"].map {
            TextModel([.gru(2)], vocabulary: TextVocabulary(of: Array($0.utf8)), seed: 1).serialized()
        } + [
            TextModel([.fastWeights(1)], vocabulary: .bytes, seed: 1).serialized(),
            TextModel([.stack(.lstm(1), layers: 2)], vocabulary: TextVocabulary(of: [97]), seed: 1).serialized(),
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
        return SafeTensors.serialize(
            tensors(fixture).filter { $0.name.hasPrefix(prefix) }.map {
                (String($0.name.dropFirst(prefix.count)), $0.shape, $0.values)
            })
    }

    /// The arrays of a golden case whose names begin so, as NumPy saves them, in the order of their numbers.
    private static func archive(_ fixture: [UInt8], _ prefixes: [String]) -> [UInt8] {
        NumPyArchive.serialize(
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
