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

extension ConfigurationReader {
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
