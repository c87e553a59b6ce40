extension TrainingRun: JobResult {
    /// Everything but the seconds, which differ from run to run, stands before them.
    var json: JSON {
        func optional(_ value: Double?) -> JSON { value.map { .number($0) } ?? .null }
        return [
            "model": .string(model), "hidden": .number(Double(hidden)), "pairs": .number(Double(pairs)),
            "seed": .string("\(seed)"), "learning_rate": .number(learningRate),
            "settings": .object(settings.map { JSON.Member(key: $0.name, value: .string($0.value)) }),
            "parameters": .number(Double(parameters)), "steps": .number(Double(steps)),
            "best_step": .number(Double(bestStep)), "validation_error": .number(validationError),
            "test_error": .number(testError), "test_loss": .number(testLoss), "paper_error": optional(paperError),
            "steps_below_one_percent": optional(stepsBelowOnePercent.map { Double($0) }),
            "stopped_early": stoppedEarly.map { .string($0) } ?? .null,
            "curve": .array(curve.map(\.json)),
            "seconds": .number(seconds),
        ]
    }

    /// A loss that was no number comes back as infinite: JSON has neither.
    init(json: JSON) throws(ConfigurationError) {
        let reader = ConfigurationReader(json: json, owner: "result")
        func count(_ key: String) throws(ConfigurationError) -> Int { try reader.count(key, from: 0, to: 1 << 52) }
        func share(_ key: String) throws(ConfigurationError) -> Double {
            let value = try reader.number(key)
            guard (0...1).contains(value) else {
                throw ConfigurationError(description: "the result's \(key) must be from 0 to 1, found \(value)")
            }
            return value
        }
        guard let seed = UInt64(try reader.text("seed")) else {
            throw ConfigurationError(description: "the result's seed must be a whole number in a string")
        }
        self.init(
            model: try reader.text("model"), hidden: try count("hidden"), pairs: try count("pairs"), seed: seed,
            learningRate: try reader.number("learning_rate"), parameters: try count("parameters"),
            steps: try count("steps"), bestStep: try count("best_step"),
            validationError: try share("validation_error"), testError: try share("test_error"),
            testLoss: try reader.number("test_loss", default: .infinity),
            stepsBelowOnePercent: json["steps_below_one_percent"]?.integer, seconds: try reader.number("seconds"),
            curve: try Trainer.Point.curve(json["curve"]), stoppedEarly: json["stopped_early"]?.text,
            paperError: json["paper_error"]?.number,
            settings: (json["settings"]?.members ?? []).map { ($0.key, $0.value.text ?? "") })
    }
}

extension Trainer.Point {
    var json: JSON {
        [
            "step": .number(Double(step)), "training_loss": .number(trainingLoss),
            "validation_loss": .number(validationLoss), "validation_error": .number(validationError),
        ]
    }

    /// The points of a learning curve, of which each wrote its `json`.
    static func curve(_ json: JSON?) throws(ConfigurationError) -> [Trainer.Point] {
        var points: [Trainer.Point] = []
        for point in json?.elements ?? [] {
            let reader = ConfigurationReader(json: point, owner: "curve")
            points.append(
                Trainer.Point(
                    step: try reader.count("step", to: 1 << 52),
                    trainingLoss: try reader.number("training_loss", default: .infinity),
                    validationLoss: try reader.number("validation_loss", default: .infinity),
                    validationError: try reader.number("validation_error", default: .infinity)))
        }
        return points
    }
}

extension UnfinishedTraining {
    var json: JSON {
        [
            "model": .string(model), "hidden": .number(Double(hidden)), "pairs": .number(Double(pairs)),
            "seed": .string("\(seed)"), "learning_rate": .number(learningRate),
        ]
    }
}
