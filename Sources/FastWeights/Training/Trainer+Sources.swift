extension Trainer {
    /// A trainer of a network on sequences of one's own, or images, which are sequences of one step.
    ///
    /// The losses are those of the data's targets, cross-entropy of classes, the mean of squares of numbers, or what
    /// `options.loss` says. Dropout acts in the steps and not in the evaluations. The same data, options and first values
    /// give the same bits on any number of threads. Throws `SequenceDataError` for tokens and classes that the network has
    /// not, numbers that the loss has not, and where no target of the training data or of the validation data counts; traps
    /// when the network does not read or give what such data has, on a loss that is not one of such targets, and on options
    /// that cannot be.
    ///
    /// A batch without a target that counts, with a weight above 0, has no loss: the step is taken, the optimizer leaves
    /// parameters and moments alone.
    public convenience init(
        _ network: Network, training: SequenceData, validation: SequenceData, options: TrainingOptions
    ) throws(SequenceDataError) {
        let definition = network.definition
        let training = try training.measured(by: options.loss, definition, as: "the training part")
        let validation = try validation.measured(by: options.loss, definition, as: "the validation part")
        self.init(
            network.parameters, options, epoch: Epoch(examples: training.count, perStep: options.batch),
            identity: Self.identity(network.configuration.json, training, validation)
        ) { team in
            BatchSource(
                ParallelTraining(definition, network.parameters, longest: training.longest, team: team), training,
                validation, options)
        }
    }

    private static func identity(
        _ network: JSON, _ training: SequenceData, _ validation: SequenceData
    ) -> [(key: String, value: JSON)] {
        func summary(_ data: SequenceData) -> JSON {
            .string("\(data.count) sequences, checksum \(String(data.checksum, radix: 16))")
        }
        return [
            ("network", .string(network.serialized())), ("training examples", summary(training)),
            ("validation examples", summary(validation)), ("loss", .string("\(training.targets.loss)")),
        ]
    }
}

/// Batches of sequences in a shuffled order.
private final class BatchSource: TrainingSource {
    private let engine: ParallelTraining
    private let training: SequenceData
    private let validation: SequenceData
    private let options: TrainingOptions
    private var order: BatchOrder

    init(
        _ engine: ParallelTraining, _ training: SequenceData, _ validation: SequenceData, _ options: TrainingOptions
    ) {
        (self.engine, self.training, self.validation, self.options) = (engine, training, validation, options)
        order = BatchOrder(count: training.count, batch: options.batch, seed: options.seed)
    }

    var gradients: Parameters { engine.gradients }
    var carried: Parameters? { nil }

    func skip() { order.advance() }

    func advance(step: Int) -> LossSum {
        order.advance()
        return engine.gradient(training, order.indices, dropoutSeed: options.seed(ofStep: step))
    }

    func evaluate() -> Evaluation { engine.evaluate(validation).evaluation }
}
