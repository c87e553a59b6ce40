/// What a trainer can train, and on what.
extension Trainer {
    /// A trainer of a classifier of tokens. Traps when the examples do not fit the model, or there are none, and on options
    /// that cannot be.
    public convenience init(
        _ model: SequenceClassifier, training: Examples, validation: Examples, options: TrainingOptions
    ) {
        require(
            training.count > 0 && validation.count > 0 && training.steps == validation.steps,
            "training and validation need examples, all of one length; found \(training.count) of \(training.steps) steps and \(validation.count) of \(validation.steps)"
        )
        training.check(model.configuration)
        validation.check(model.configuration)
        func summary(_ examples: Examples) -> JSON {
            let checksum = CRC32.checksum(examples.tokens + examples.targets)
            return .string("\(examples.count) of \(examples.steps) steps, checksum \(String(checksum, radix: 16))")
        }
        self.init(
            model.parameters, options, epoch: Epoch(examples: training.count, perStep: options.batch),
            identity: [
                ("network", .string(model.configuration.json.serialised())), ("training examples", summary(training)),
                ("validation examples", summary(validation)),
            ]
        ) { crew in
            let engine = ParallelClassifier(model.configuration, model.parameters, steps: training.steps, crew: crew)
            return BatchSource(engine, count: training.count, training, validation, options)
        }
    }

    /// A trainer of a network with a head on sequences of one's own.
    ///
    /// The losses are those of the data's targets: cross-entropy of classes, the mean of squares of numbers. Dropout acts
    /// in the steps and not in the evaluations. The same data, options and first values give the same bits on any number
    /// of threads. Throws `SequenceDataError` for tokens and classes that the network has not, and where no target of the
    /// training data or of the validation data counts; traps when its input or its head is not for such data, and on
    /// options that cannot be.
    ///
    /// A batch in which no target counts has no loss: the step is taken, the optimizer leaves parameters and moments alone.
    public convenience init(
        _ network: RecurrentNetwork, training: SequenceData, validation: SequenceData, options: TrainingOptions
    ) throws(SequenceDataError) {
        func kind(_ data: SequenceData) -> String { data.width.map { "\($0) numbers a step" } ?? "tokens" }
        require(
            training.width == validation.width,
            "training and validation data are both of tokens, or of as many numbers a step; found \(kind(training)) and \(kind(validation))"
        )
        try training.check(network.configuration, as: "the training part")
        try validation.check(network.configuration, as: "the validation part")
        self.init(
            network.parameters, options, epoch: Epoch(examples: training.count, perStep: options.batch),
            identity: Self.identity(network.configuration.json, training, validation)
        ) { crew in
            let engine = ParallelNetwork(
                network.configuration, network.parameters, longest: training.longest,
                takesTokens: training.width == nil, crew: crew)
            return BatchSource(engine, count: training.count, training, validation, options)
        }
    }

    /// A trainer of a network of convolutions on images, `SequenceData` of one step with a class each.
    ///
    /// The same data, options and first values give the same bits on any number of threads. Traps when the data is not of
    /// such images, and on options that cannot be.
    public convenience init(
        _ network: ConvolutionalNetwork, training: SequenceData, validation: SequenceData, options: TrainingOptions
    ) {
        network.check(training)
        network.check(validation)
        self.init(
            network.parameters, options, epoch: Epoch(examples: training.count, perStep: options.batch),
            identity: Self.identity(network.configuration.json, training, validation)
        ) { crew in
            let engine = ParallelConvolution(network.configuration, network.parameters, crew: crew)
            return BatchSource(engine, count: training.count, training, validation, options)
        }
    }

    private static func identity(
        _ network: JSON, _ training: SequenceData, _ validation: SequenceData
    ) -> [(key: String, value: JSON)] {
        func summary(_ data: SequenceData) -> JSON {
            .string("\(data.count) sequences, checksum \(String(data.checksum, radix: 16))")
        }
        return [
            ("network", .string(network.serialised())), ("training examples", summary(training)),
            ("validation examples", summary(validation)),
        ]
    }
}

/// What computes the loss of batches of some kind of data, and its gradient.
private protocol BatchEngine: AnyObject {
    associatedtype Examples
    var gradients: Parameters { get }
    /// The losses of the examples at `indices`, the gradient of whose mean is left in `gradients`; `seed` is that of the step.
    func gradient(_ examples: Examples, _ indices: [Int], ofStep seed: UInt64) -> LossSum
    func evaluate(_ examples: Examples) -> LossSum
}

extension ParallelClassifier: BatchEngine {
    func gradient(_ examples: Examples, _ indices: [Int], ofStep seed: UInt64) -> LossSum {
        gradient(examples, indices)
    }
}

extension ParallelNetwork: BatchEngine {
    func gradient(_ data: SequenceData, _ indices: [Int], ofStep seed: UInt64) -> LossSum {
        gradient(data, indices, dropoutSeed: seed)
    }
}

extension ParallelConvolution: BatchEngine {
    func gradient(_ data: SequenceData, _ indices: [Int], ofStep seed: UInt64) -> LossSum {
        gradient(data, indices, seed: seed)
    }
}

/// Batches of examples in a shuffled order.
private final class BatchSource<Engine: BatchEngine>: TrainingSource {
    private let engine: Engine
    private let training: Engine.Examples
    private let validation: Engine.Examples
    private let options: TrainingOptions
    private var order: BatchOrder

    init(
        _ engine: Engine, count: Int, _ training: Engine.Examples, _ validation: Engine.Examples,
        _ options: TrainingOptions
    ) {
        (self.engine, self.training, self.validation, self.options) = (engine, training, validation, options)
        order = BatchOrder(count: count, batch: options.batch, seed: options.seed)
    }

    var gradients: Parameters { engine.gradients }
    var carried: Parameters? { nil }

    func skip() { order.advance() }

    func advance(step: Int) -> LossSum {
        order.advance()
        return engine.gradient(training, order.indices, ofStep: options.seed(ofStep: step))
    }

    func evaluate() -> Evaluation { engine.evaluate(validation).evaluation }
}
