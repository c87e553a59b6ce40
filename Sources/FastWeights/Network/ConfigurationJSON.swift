/// A configuration in a file that is incomplete, or of a kind this module does not know.
public struct ConfigurationError: Error, CustomStringConvertible, Equatable {
    /// The sentence that says so.
    public let description: String
}

extension CellConfiguration {
    /// The configuration as it stands in model files and fixtures.
    var json: JSON {
        var members: [JSON.Member] = []
        func add(_ key: String, _ value: JSON) { members.append(JSON.Member(key: key, value: value)) }
        func number(_ value: Float) -> JSON { .number(Double("\(value)") ?? Double(value)) }
        switch cell {
        case .rnn(let activation, let layerNorm, let identity):
            add("cell", "rnn")
            add("activation", .string(activation.rawValue))
            add("layer_norm", .bool(layerNorm))
            add("identity", .bool(identity))
        case .lstm(let layerNorm):
            add("cell", "lstm")
            add("layer_norm", .bool(layerNorm))
        case .gru:
            add("cell", "gru")
        case .fastWeights(let options):
            add("cell", "fast_weights")
            add("activation", .string(options.activation.rawValue))
            add("layer_norm", .bool(options.layerNorm))
            add("lambda", number(options.decay))
            add("eta", number(options.rate))
            add("inner_steps", .number(Double(options.innerSteps)))
            add("normalise_first", .bool(options.normaliseFirst))
            add("separate_norms", .bool(options.separateNorms))
            add("lagged", .bool(options.lagged))
            if !options.isUsual { add("schedule", .array(options.schedule.map { .string($0.text) })) }
        case .associativeLSTM(let options):
            add("cell", "associative_lstm")
            add("copies", .number(Double(options.copies)))
            add("keys", .number(Double(options.keys)))
            add("permutation_seed", .number(Double(options.permutationSeed)))
            add("recurrent_candidate", .bool(options.candidateIsRecurrent))
            add("forget_bias", number(options.forgetBias))
        }
        add("epsilon", number(epsilon))
        add("input", .number(Double(input)))
        add("hidden", .number(Double(hidden)))
        return .object(members)
    }

    /// Reads what `json` wrote. Throws with the name of what is missing or unknown.
    init(json: JSON) throws(ConfigurationError) {
        let reader = ConfigurationReader(json: json, place: "cell")
        let cell: Cell
        switch try reader.text("cell") {
        case "rnn":
            cell = .rnn(
                activation: try reader.activation(), layerNorm: try reader.flag("layer_norm"),
                identity: try reader.flag("identity", default: false))
        case "lstm": cell = .lstm(layerNorm: try reader.flag("layer_norm"))
        case "gru": cell = .gru
        case "fast_weights":
            // Set one by one, so that what is impossible comes to `problem` below.
            var options = FastWeightsOptions()
            (options.decay, options.rate) = (Float(try reader.number("lambda")), Float(try reader.number("eta")))
            options.innerSteps = try reader.count("inner_steps", from: 0, to: FastWeightsOptions.innerStepLimit)
            (options.activation, options.layerNorm) = (try reader.activation(), try reader.flag("layer_norm"))
            options.normaliseFirst = try reader.flag("normalise_first")
            options.separateNorms = try reader.flag("separate_norms")
            (options.lagged, options.schedule) = (try reader.flag("lagged"), try reader.schedule())
            cell = .fastWeights(options)
        case "associative_lstm":
            var options = AssociativeLSTMOptions()
            options.copies = try reader.count("copies", to: AssociativeLSTMOptions.limit)
            options.keys = try reader.count("keys", to: AssociativeLSTMOptions.limit)
            options.permutationSeed = UInt32(try reader.count("permutation_seed", from: 0, to: Int(UInt32.max)))
            options.candidateIsRecurrent = try reader.flag("recurrent_candidate")
            options.forgetBias = Float(try reader.number("forget_bias", default: 1))
            cell = .associativeLSTM(options)
        case let kind:
            throw ConfigurationError(
                description:
                    "expected a cell rnn, lstm, gru, fast_weights or associative_lstm, found \"\(kind)\"")
        }
        self.cell = cell
        (input, hidden) = (try reader.count("input"), try reader.count("hidden"))
        epsilon = Float(try reader.number("epsilon", default: 1e-5))
        if let problem { throw ConfigurationError(description: problem) }
    }
}

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

/// Typed members of a configuration, each with an error that names it.
struct ConfigurationReader {
    let json: JSON
    let place: String

    private func wrong(_ key: String, _ expected: String) -> ConfigurationError {
        let found = json[key].map { $0.serialised() } ?? "nothing"
        return ConfigurationError(
            description: "the \(place)'s configuration needs \(key) as \(expected), found \(found)")
    }

    func text(_ key: String) throws(ConfigurationError) -> String {
        guard let value = json[key]?.text else { throw wrong(key, "a text") }
        return value
    }

    func number(_ key: String, default fallback: Double? = nil) throws(ConfigurationError) -> Double {
        guard let value = json[key]?.number ?? fallback else { throw wrong(key, "a number") }
        return value
    }

    func flag(_ key: String, default fallback: Bool? = nil) throws(ConfigurationError) -> Bool {
        guard let value = json[key]?.boolean ?? fallback else { throw wrong(key, "true or false") }
        return value
    }

    func count(_ key: String, from: Int = 1, to: Int = CellConfiguration.sizeLimit) throws(ConfigurationError) -> Int {
        guard let value = json[key]?.integer, (from...to).contains(value) else {
            throw wrong(key, "a whole number from \(from) to \(to)")
        }
        return value
    }

    /// The schedule of fast weights; without one the usual.
    func schedule() throws(ConfigurationError) -> [MemoryEvents] {
        guard let value = json["schedule"] else { return [.usual] }
        guard case .array(let steps) = value, (1...FastWeightsOptions.periodLimit).contains(steps.count) else {
            throw wrong("schedule", "a list with the events of each step")
        }
        var schedule: [MemoryEvents] = []
        for step in steps {
            guard let events = step.text.flatMap({ MemoryEvents(text: $0) }) else {
                throw wrong("schedule", "events among read, write and clear")
            }
            schedule.append(events)
        }
        return schedule
    }

    func activation() throws(ConfigurationError) -> Activation {
        guard let value = Activation(rawValue: try text("activation")) else {
            throw wrong("activation", "relu or tanh")
        }
        return value
    }
}
