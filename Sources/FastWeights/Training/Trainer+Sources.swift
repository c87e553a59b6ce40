/// What a trainer can train, and on what.
extension Trainer {
    /// A trainer of a classifier of tokens. Traps when the examples do not fit the model, or there are none.
    public convenience init(
        _ model: SequenceClassifier, training: Examples, validation: Examples, options: TrainingOptions
    ) {
        precondition(
            training.count > 0 && validation.count > 0 && training.steps == validation.steps,
            "training needs examples of one length; found \(training.count) of \(training.steps) steps and \(validation.count) of \(validation.steps)"
        )
        training.check(model.configuration)
        validation.check(model.configuration)
        func summary(_ examples: Examples) -> JSON {
            let checksum = CRC32.checksum(examples.tokens + examples.targets)
            return .string("\(examples.count) of \(examples.steps) steps, checksum \(String(checksum, radix: 16))")
        }
        self.init(
            model.parameters, options,
            identity: [
                ("network", .string(model.configuration.json.serialised())), ("training examples", summary(training)),
                ("validation examples", summary(validation)),
            ]
        ) { crew in
            ClassifierSource(model, training, validation, options, crew)
        }
    }

    /// A trainer of a network with a head on sequences of one's own.
    ///
    /// The losses are those of the data's targets: cross-entropy of classes, the mean of squares of numbers. Dropout acts
    /// in the steps and not in the evaluations. The same data, options and first values give the same bits on any number
    /// of threads. Throws `SequenceDataError` for tokens and classes that the network has not; traps when its input or
    /// its head is not for such data.
    public convenience init(
        _ network: RecurrentNetwork, training: SequenceData, validation: SequenceData, options: TrainingOptions
    ) throws(SequenceDataError) {
        precondition(
            training.width == validation.width,
            "training and validation are both of tokens, or of as many numbers a step; found \(training.width ?? 0) and \(validation.width ?? 0)"
        )
        try training.check(network.configuration)
        try validation.check(network.configuration)
        func summary(_ data: SequenceData) -> JSON {
            .string("\(data.count) sequences, checksum \(String(data.checksum, radix: 16))")
        }
        self.init(
            network.parameters, options,
            identity: [
                ("network", .string(network.configuration.json.serialised())), ("training examples", summary(training)),
                ("validation examples", summary(validation)),
            ]
        ) { crew in
            SequenceSource(network, training, validation, options, crew)
        }
    }
}

/// Batches of a classifier's examples.
private final class ClassifierSource: TrainingSource {
    private let engine: ParallelClassifier
    private let training: Examples
    private let validation: Examples
    private var order: BatchOrder

    init(
        _ model: SequenceClassifier, _ training: Examples, _ validation: Examples, _ options: TrainingOptions,
        _ crew: Crew
    ) {
        engine = ParallelClassifier(model.configuration, model.parameters, steps: training.steps, crew: crew)
        (self.training, self.validation) = (training, validation)
        order = BatchOrder(count: training.count, batch: options.batch, seed: options.seed)
    }

    var gradients: Parameters { engine.gradients }
    var carried: Parameters? { nil }

    func skip() { order.advance() }

    func advance(step: Int) -> Double {
        order.advance()
        return engine.gradient(training, order.indices).loss
    }

    func evaluate() -> Evaluation {
        let result = engine.evaluate(validation)
        return Evaluation(loss: result.loss, error: Double(result.errors) / Double(validation.count))
    }
}

/// Batches of sequences of one's own.
private final class SequenceSource: TrainingSource {
    private let engine: ParallelNetwork
    private let training: SequenceData
    private let validation: SequenceData
    private let options: TrainingOptions
    private var order: BatchOrder

    init(
        _ network: RecurrentNetwork, _ training: SequenceData, _ validation: SequenceData, _ options: TrainingOptions,
        _ crew: Crew
    ) {
        engine = ParallelNetwork(
            network.configuration, network.parameters, longest: training.longest, takesTokens: training.width == nil,
            crew: crew)
        (self.training, self.validation, self.options) = (training, validation, options)
        order = BatchOrder(count: training.count, batch: options.batch, seed: options.seed)
    }

    var gradients: Parameters { engine.gradients }
    var carried: Parameters? { nil }

    func skip() { order.advance() }

    func advance(step: Int) -> Double {
        order.advance()
        return engine.gradient(training, order.indices, dropoutSeed: options.seed(ofStep: step)).loss
    }

    func evaluate() -> Evaluation { engine.evaluate(validation) }
}
