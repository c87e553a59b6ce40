extension Layer {
    /// Every kind of layer that files may name, and what reads its options: a line a kind.
    private static let kinds: [(name: String, read: (ConfigurationReader) throws(ConfigurationError) -> any LayerKind)] =
        [
            ("embedding", { r throws(ConfigurationError) in try EmbeddingLayer(r) }),
            ("dense", { r throws(ConfigurationError) in try DenseLayer(r) }),
            ("rnn", { r throws(ConfigurationError) in try RNNLayer(r) }),
            ("lstm", { r throws(ConfigurationError) in try LSTMLayer(r) }),
            ("gru", { r throws(ConfigurationError) in try GRULayer(r) }),
            ("fast_weights", { r throws(ConfigurationError) in try FastWeightsLayer(r) }),
            ("associative_lstm", { r throws(ConfigurationError) in try AssociativeLSTMLayer(r) }),
            ("bidirectional", { r throws(ConfigurationError) in try BidirectionalLayer(r) }),
            ("stack", { r throws(ConfigurationError) in try StackLayer(r) }),
            ("dropout", { r throws(ConfigurationError) in try DropoutLayer(r) }),
            ("layer_norm", { r throws(ConfigurationError) in try NormLayer(r, centers: true) }),
            ("rms_norm", { r throws(ConfigurationError) in try NormLayer(r, centers: false) }),
            ("residual", { r throws(ConfigurationError) in try ResidualLayer(r) }),
            ("last_step", { _ throws(ConfigurationError) in LastStepLayer() }),
            ("mean", { _ throws(ConfigurationError) in MeanLayer() }),
            ("convolution", { r throws(ConfigurationError) in try ConvolutionLayer(r) }),
            ("max_pool", { r throws(ConfigurationError) in try MaxPoolLayer(r) }),
            ("flatten", { _ throws(ConfigurationError) in FlattenLayer() }),
        ]

    /// Reads what `json` wrote. Throws with the name of what is missing or unknown. Layers in layers may be `depth` deep.
    init(json: JSON, depth: Int = 8) throws(ConfigurationError) {
        guard depth > 0 else { throw ConfigurationError(description: "layers are in layers more than 8 deep") }
        let named = ConfigurationReader(json: json, place: "layer", depth: depth)
        let name = try named.text("layer")
        guard let kind = Self.kinds.first(where: { $0.name == name }) else {
            var names: [String] = []
            for kind in Self.kinds { names.append(kind.name) }
            throw ConfigurationError(
                description: "expected a layer of the kind \(names.joined(separator: ", ")), found \"\(name)\"")
        }
        self.init(try kind.read(ConfigurationReader(json: json, place: name, depth: depth)))
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
            isBidirectional: try reader.flag("bidirectional"),
            dropout: Float(try reader.number("dropout", default: 0)))
    }
}

extension ResidualLayer {
    convenience init(_ reader: ConfigurationReader) throws(ConfigurationError) { self.init(try reader.layers("layers")) }
}
