extension Layer {
    /// Every kind of layer that files may name, and what reads its options: a line a kind.
    private static let kinds: [Kind] = [
        Kind("embedding", EmbeddingLayer.init),
        Kind("dense", DenseLayer.init),
        Kind("rnn", RNNLayer.init),
        Kind("lstm", LSTMLayer.init),
        Kind("gru", GRULayer.init),
        Kind("min_gru", MinGRULayer.init),
        Kind("fast_weights", FastWeightsLayer.init),
        Kind("associative_lstm", AssociativeLSTMLayer.init),
        Kind("bidirectional", BidirectionalLayer.init),
        Kind("stack", StackLayer.init),
        Kind("dropout", DropoutLayer.init),
        Kind("layer_norm", NormLayer.init(centered:)),
        Kind("rms_norm", NormLayer.init(plain:)),
        Kind("residual", ResidualLayer.init),
        Kind("softmax", SoftmaxLayer.init),
        Kind("last_step", LastStepLayer.init),
        Kind("mean", MeanLayer.init),
        Kind("convolution", ConvolutionLayer.init),
        Kind("transposed_convolution", TransposedConvolutionLayer.init),
        Kind("convolutional_lstm", ConvolutionalLSTMLayer.init),
        Kind("convolutional_gru", ConvolutionalGRULayer.init),
        Kind("max_pool", MaxPoolLayer.init),
        Kind("flatten", FlattenLayer.init),
    ]

    /// The names of all kinds in files.
    static var kindNames: [String] { kinds.map { $0.name } }

    private struct Kind: Sendable {
        let name: String
        let read: @Sendable (ConfigurationReader) throws(ConfigurationError) -> any LayerKind

        init(
            _ name: String,
            _ read: @escaping @Sendable (ConfigurationReader) throws(ConfigurationError) -> any LayerKind
        ) {
            (self.name, self.read) = (name, read)
        }
    }

    /// A recurrent cell of each kind, with so many hidden units and else its usual options.
    static func cells(hidden: Int) -> [any CellKind] {
        let options = JSON.object([JSON.Member("hidden", hidden)])
        return kinds.compactMap { (try? $0.read(ConfigurationReader(json: options, owner: $0.name)))?.cell }
    }

    /// Reads what `json` wrote; an option that is not there has the value that the layer's function gives it. Throws with the
    /// name of what is missing or unknown. Layers in layers may be `depth` deep.
    ///
    /// Not strict, it does not look at members beside the options: files of before have a cell's among others.
    init(json: JSON, depth: Int = 8, isStrict: Bool = true) throws(ConfigurationError) {
        guard depth > 0 else { throw ConfigurationError(description: "layers are in layers more than 8 deep") }
        let named = ConfigurationReader(json: json, owner: "layer", depth: depth)
        let name = try named.text("layer")
        guard let kind = Self.kinds.first(where: { $0.name == name }) else {
            throw ConfigurationError(
                description: "expected a layer of the kind \(Self.kindNames.joined(separator: ", ")), found \"\(name)\""
            )
        }
        self.init(try kind.read(ConfigurationReader(json: json, owner: name, depth: depth)))
        let known = ["layer"] + self.kind.options.map { $0.key } + self.kind.unwrittenOptions
        for member in json.members ?? [] where isStrict && !known.contains(member.key) {
            let options = known.dropFirst().joined(separator: ", ")
            throw ConfigurationError(
                description: "the \(name)'s configuration has \(member.key)"
                    + (options.isEmpty ? "; it has no options" : ", which is none of its options \(options)"))
        }
    }
}

extension ConfigurationReader {
    /// A layer within a layer.
    func layer(_ key: String) throws(ConfigurationError) -> Layer {
        guard let value = json[key] else { throw wrong(key, "a layer") }
        return try Layer(json: value, depth: depth - 1)
    }

    /// A recurrent cell within a layer.
    func cell(_ key: String) throws(ConfigurationError) -> any CellKind {
        guard let cell = try layer(key).kind.cell else { throw wrong(key, "a recurrent layer") }
        return cell
    }

    func layers(_ key: String) throws(ConfigurationError) -> [Layer] {
        guard case .array(let values)? = json[key], (1...PlacedList.limit).contains(values.count) else {
            throw wrong(key, "a list of 1 to \(PlacedList.limit) layers")
        }
        var layers: [Layer] = []
        for value in values { layers.append(try Layer(json: value, depth: depth - 1)) }
        return layers
    }
}

extension BidirectionalLayer {
    convenience init(_ reader: ConfigurationReader) throws(ConfigurationError) { self.init(try reader.cell("cell")) }
}

extension StackLayer {
    convenience init(_ reader: ConfigurationReader) throws(ConfigurationError) {
        self.init(
            try reader.cell("cell"), layers: try reader.count("layers", to: PlacedList.limit),
            isBidirectional: try reader.flag("bidirectional", default: false),
            dropout: Float(try reader.number("dropout", default: 0)))
    }
}

extension ResidualLayer {
    convenience init(_ reader: ConfigurationReader) throws(ConfigurationError) {
        self.init(try reader.layers("layers"))
    }
}
