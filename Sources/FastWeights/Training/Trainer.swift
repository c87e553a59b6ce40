/// What a training is to do. The defaults are those of `fastweights train`.
public struct TrainingOptions: Sendable, Equatable {
    /// Optimizer steps at most.
    public var steps = 20_000
    /// B, sequences a step.
    public var batch = 128
    public var learningRate = 1e-3
    public var schedule = Schedule.cosine
    public var optimizer = OptimizerRule.adam()
    /// The global norm that gradients are clipped to; nil leaves them alone.
    public var clip: Float? = 5
    /// Steps between two evaluations on the validation examples.
    public var evaluateEvery = 500
    /// Evaluations without a better validation loss or error after which training ends; nil goes on to the last step.
    public var patience: Int? = nil
    /// Evaluations in a row without a validation error after which training ends.
    public var perfectEvaluations = 10
    /// Seed of the order of the examples.
    public var seed: UInt64 = 1
    public var threads = 1
    /// Where the training keeps a file from which it can go on; nil for nowhere.
    public var checkpoint: CheckpointOptions?

    public init() {}
}

/// Why a training ended before its time.
public enum TrainingError: Error, CustomStringConvertible, Equatable {
    /// The loss became infinite or not a number.
    case diverged(step: Int, learningRate: Double)
    /// The checkpoint cannot be written, read or used: the sentence names the file, what is wrong and what to do.
    case checkpoint(String)

    public var description: String {
        switch self {
        case .diverged(let step, let learningRate):
            "the training loss stopped being a finite number at step \(step) with learning rate \(learningRate): try a lower --learning-rate, or a smaller --clip"
        case .checkpoint(let problem): problem
        }
    }
}

/// Trains a classifier: mini-batches in a seeded order, a schedule, clipping, early stopping on the validation
/// examples, and the best model kept.
public final class Trainer {
    /// How a training stands, at every evaluation and some steps between.
    public struct Progress: Sendable {
        public var step: Int
        public var steps: Int
        /// Mean training loss since the last evaluation, in nats.
        public var trainingLoss: Double
        /// The last validation error, 0...1, once there is one.
        public var validationError: Double?
    }

    /// What came out: the learning curve, and where the kept model stands in it.
    public struct Outcome: Sendable {
        public var curve: [TrainingRun.Point] = []
        public var steps = 0
        public var bestStep = 0
        public var bestError = Double.infinity
        public var bestLoss = Double.infinity
        public var stepsBelowOnePercent: Int?
        /// Whether the caller stopped it.
        public var interrupted = false
    }

    let model: SequenceClassifier
    let training: Examples
    let validation: Examples
    let options: TrainingOptions

    /// Traps when the examples do not fit the model, or there are none.
    public init(_ model: SequenceClassifier, training: Examples, validation: Examples, options: TrainingOptions) {
        precondition(
            training.count > 0 && validation.count > 0 && training.steps == validation.steps,
            "training needs examples of one length; found \(training.count) of \(training.steps) steps and \(validation.count) of \(validation.steps)"
        )
        precondition(options.batch > 0 && options.evaluateEvery > 0, "batch and evaluateEvery must be at least 1")
        training.check(model.configuration)
        validation.check(model.configuration)
        self.model = model
        self.training = training
        self.validation = validation
        self.options = options
    }

    /// Trains until the steps are done, validation says stop, or `shouldStop` does; the model then holds the
    /// parameters with the lowest validation error (of equal ones, the lowest validation loss). `progress` and
    /// `shouldStop` are called one at a time, on one thread, which may be another than the caller's.
    public func run(
        progress: (Progress) -> Void = { _ in }, shouldStop: () -> Bool = { false }
    ) throws(TrainingError) -> Outcome {
        try Crew.run(threads: options.threads) { crew throws(TrainingError) in
            try run(crew, progress, shouldStop)
        }
    }

    private func run(
        _ crew: Crew, _ progress: (Progress) -> Void, _ shouldStop: () -> Bool
    ) throws(TrainingError) -> Outcome {
        let engine = ParallelClassifier(model.configuration, model.parameters, steps: training.steps, crew: crew)
        let optimizer = Optimizer(options.optimizer, model.parameters, engine.gradients, crew: crew)
        let best = Parameters(model.parameters.layout)
        best.copy(from: model.parameters)
        var order = BatchOrder(count: training.count, batch: options.batch, seed: options.seed)
        var state = TrainingState()
        if options.checkpoint != nil { state = try resume(best, optimizer) }
        for _ in 0..<state.outcome.steps { order.advance() }
        defer { model.parameters.copy(from: best) }
        while state.outcome.steps < max(options.steps, 1) && !state.isOver {
            if shouldStop() {
                state.outcome.interrupted = true
                break
            }
            let step = state.outcome.steps + 1
            order.advance()
            let loss = engine.gradient(training, order.indices).loss
            guard loss.isFinite else {
                throw TrainingError.diverged(step: step, learningRate: options.learningRate)
            }
            let rate = Float(options.learningRate) * options.schedule.factor(step - 1, of: options.steps)
            optimizer.step(rate: rate, clip: options.clip)
            state.outcome.steps = step
            state.lossSum += loss
            if step % options.evaluateEvery == 0 || step == options.steps {
                let result = engine.evaluate(validation)
                let isBest = state.take(
                    validationLoss: result.loss, errors: result.errors, of: validation.count, options)
                if isBest { best.copy(from: model.parameters) }
                progress(state.progress(options))
            } else if step % 50 == 0 {
                progress(state.progress(options))
            }
            if let checkpoint = options.checkpoint, step % checkpoint.every == 0 {
                try save(state, best, optimizer)
            }
        }
        if options.checkpoint != nil { try save(state, best, optimizer) }
        return state.outcome
    }
}

/// The examples of each step: one shuffled pass after another, cut into batches without regard to where one ends.
struct BatchOrder {
    private(set) var indices: [Int]
    private var permutation: [Int]
    private var position: Int
    private var random: Random

    init(count: Int, batch: Int, seed: UInt64) {
        permutation = Array(0..<count)
        indices = [Int](repeating: 0, count: batch)
        position = count
        random = Random(seed: seed, stream: 2)
    }

    /// Moves on to the next batch.
    mutating func advance() {
        for i in indices.indices {
            if position == permutation.count {
                random.shuffle(&permutation)
                position = 0
            }
            indices[i] = permutation[position]
            position += 1
        }
    }
}
