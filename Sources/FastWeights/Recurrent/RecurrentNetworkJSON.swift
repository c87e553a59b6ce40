extension RecurrentNetworkConfiguration {
    /// The configuration as it stands in model files and fixtures.
    var json: JSON {
        var members: [JSON.Member] = [
            JSON.Member(key: "cell", value: cell(at: 0).json),
            JSON.Member(key: "layers", value: .number(Double(layers))),
            JSON.Member(key: "bidirectional", value: .bool(bidirectional)),
            JSON.Member(key: "bias", value: .bool(bias)),
            JSON.Member(key: "dropout", value: .number(Double("\(dropout)") ?? Double(dropout))),
        ]
        if let head { members.append(JSON.Member(key: "head", value: head.json)) }
        return .object(members)
    }

    /// Reads what `json` wrote. Throws with the name of what is missing or unknown.
    init(json: JSON) throws(ConfigurationError) {
        let reader = ConfigurationReader(json: json, place: "network")
        guard let cell = json["cell"] else {
            throw ConfigurationError(description: "the network's configuration has no cell")
        }
        let configuration = try CellConfiguration(json: cell)
        (self.cell, input, hidden, epsilon) = (
            configuration.cell, configuration.input, configuration.hidden, configuration.epsilon
        )
        layers = try reader.count("layers", to: Self.layerLimit)
        (bidirectional, bias) = (try reader.flag("bidirectional"), try reader.flag("bias"))
        dropout = Float(try reader.number("dropout", default: 0))
        switch json["head"] {
        case nil, .null?: head = nil
        case let value?: head = try Head(json: value)
        }
        if let problem { throw ConfigurationError(description: problem) }
    }
}
