extension ClassifierConfiguration {
    var json: JSON {
        [
            "vocabulary": .number(Double(vocabulary)), "embedding": .number(Double(cell.input)), "cell": cell.json,
            "head": .number(Double(head)), "classes": .number(Double(classes)),
        ]
    }

    init(json: JSON) throws(ConfigurationError) {
        let reader = ConfigurationReader(json: json, place: "network")
        guard let cell = json["cell"] else {
            throw ConfigurationError(description: "the network's configuration has no cell")
        }
        let configuration = try CellConfiguration(json: cell)
        self.cell = configuration
        (vocabulary, classes) = (
            try reader.count("vocabulary", to: Self.kindLimit), try reader.count("classes", to: Self.kindLimit)
        )
        head = try reader.count("head")
    }
}
