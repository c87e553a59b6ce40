extension NetworkConfiguration {
    /// The configuration as it stands in model files and fixtures.
    var json: JSON {
        ["input": input.json, "layers": .array(named.map { $0.json })]
    }

    /// Reads what `json` wrote. Throws with the name of what is missing or unknown, and of a layer that does not fit.
    init(json: JSON) throws(ConfigurationError) {
        guard let input = json["input"] else {
            throw ConfigurationError(description: "the network's configuration has no input")
        }
        guard case .array(let layers)? = json["layers"], (1...PlacedList.limit).contains(layers.count) else {
            throw ConfigurationError(
                description: "the network's configuration needs a list of 1 to \(PlacedList.limit) layers")
        }
        var named: [NamedLayer] = []
        for (number, layer) in layers.enumerated() { named.append(try NamedLayer(json: layer, number: number)) }
        try self.init(reading: try NetworkInput(json: input), named)
    }

    /// Throws when the layers do not fit.
    init(reading input: NetworkInput, _ named: [NamedLayer]) throws(ConfigurationError) {
        do { try self.init(checking: input, named) } catch {
            throw ConfigurationError(description: error.sentence)
        }
    }
}

extension NetworkInput {
    var json: JSON {
        func number(_ value: Int) -> JSON { .number(Double(value)) }
        return switch self {
        case .numbers(let count): ["numbers": number(count)]
        case .tokens(let count): ["tokens": number(count)]
        case .maps(let channels, let height, let width):
            ["channels": number(channels), "height": number(height), "width": number(width)]
        }
    }

    init(json: JSON) throws(ConfigurationError) {
        let reader = ConfigurationReader(json: json, owner: "input")
        if json["numbers"] != nil {
            self = .numbers(try reader.count("numbers"))
        } else if json["tokens"] != nil {
            self = .tokens(try reader.count("tokens"))
        } else {
            self = .maps(
                channels: try reader.count("channels"), height: try reader.count("height"),
                width: try reader.count("width"))
        }
    }
}

extension NamedLayer {
    /// The layer, and its names where they are not those of its index.
    var json: JSON {
        var members = [JSON.Member("name", prefix)]
        if cellSuffix != Self.usualSuffix { members.append(JSON.Member("cell_suffix", cellSuffix)) }
        return .object((layer.json.members ?? []) + members)
    }

    init(json: JSON, number: Int) throws(ConfigurationError) {
        let options = (json.members ?? []).filter { $0.key != "name" && $0.key != "cell_suffix" }
        layer = try Layer(json: .object(options))
        let reader = ConfigurationReader(json: json, owner: "layer")
        prefix = try reader.text("name", default: "\(number).")
        cellSuffix = try reader.text("cell_suffix", default: Self.usualSuffix)
    }

    private static let usualSuffix = "_l0"
}

// MARK: - Files of before

extension NetworkConfiguration {
    /// A network of the format fastweights-network-1: layers of one kind and a dense layer on top, `head`.
    init(version1 json: JSON, takesTokens: Bool = false) throws(ConfigurationError) {
        let reader = ConfigurationReader(json: json, owner: "network")
        let bias = try reader.flag("bias")
        let cell = try Self.version1Cell(json, bias: bias)
        let layers = try reader.count("layers", to: PlacedList.limit)
        let isBidirectional = try reader.flag("bidirectional")
        let dropout = Float(try reader.number("dropout", default: 0))
        // Of a single layer, which has none to act behind, too.
        if let problem = dropoutProblem(dropout) { throw ConfigurationError(description: problem) }
        let stack = Layer.stacked(cell.layer, layers: layers, isBidirectional: isBidirectional, dropout: dropout)
        var named = [NamedLayer(layer: stack, prefix: "")]
        switch json["head"] {
        case nil, .null?: break
        case let value?:
            let head = ConfigurationReader(json: value, owner: "head")
            switch try head.text("per") {
            case "step": break
            case "sequence": named.append(NamedLayer(layer: .lastStep, prefix: "last."))
            case let other:
                throw ConfigurationError(
                    description: "the head's configuration needs per as step or sequence, found \"\(other)\"")
            }
            named.append(NamedLayer(layer: .dense(try head.count("outputs")), prefix: "head."))
        }
        try self.init(reading: takesTokens ? .tokens(cell.input) : .numbers(cell.input), named)
    }

    /// A classifier of the format fastweights-classifier-1.
    init(classifier json: JSON) throws(ConfigurationError) {
        let reader = ConfigurationReader(json: json, owner: "network")
        let cell = try Self.version1Cell(json, bias: true)
        try self.init(
            reading: .tokens(try reader.count("vocabulary")),
            Self.classifier(
                embedding: try reader.count("embedding"), cell.layer, head: try reader.count("head"),
                classes: try reader.count("classes")))
    }

    /// A classifier of sequences of tokens with the names that its files have had from the first.
    static func classifier(
        embedding: Int, deviation: Float = 1, _ cell: Layer, head: Int, classes: Int
    ) -> [NamedLayer] {
        [
            NamedLayer(layer: .embedding(embedding, deviation: deviation), prefix: "embedding."),
            NamedLayer(layer: cell, prefix: "cell.", cellSuffix: ""),
            NamedLayer(layer: .lastStep, prefix: "last."),
            NamedLayer(layer: .dense(head, activation: .relu), prefix: "hidden."),
            NamedLayer(layer: .dense(classes), prefix: "output."),
        ]
    }

    private static func version1Cell(_ json: JSON, bias: Bool) throws(ConfigurationError) -> (layer: Layer, input: Int)
    {
        guard case .object(let members)? = json["cell"] else {
            throw ConfigurationError(description: "the network's configuration has no cell")
        }
        let reader = ConfigurationReader(json: .object(members), owner: "cell")
        let kind = JSON.Member("layer", try reader.text("cell"))
        let layer = try Layer(json: .object([kind, JSON.Member("bias", bias)] + members), isStrict: false)
        return (layer, try reader.count("input"))
    }
}
