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

    public init() {}
}

/// Why a training ended before its time.
public enum TrainingError: Error, CustomStringConvertible, Equatable {
    /// The loss became infinite or not a number.
    case diverged(step: Int, learningRate: Double)

    public var description: String {
        switch self {
        case .diverged(let step, let learningRate):
            "the training loss stopped being a finite number at step \(step) with learning rate \(learningRate): try a lower --learning-rate, or a smaller --clip"
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

    private let model: SequenceClassifier
    private let training: Examples
    private let validation: Examples
    private let options: TrainingOptions

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
        var outcome = Outcome()
        var lossSum = 0.0
        var stale = 0
        var perfect = 0
        defer { model.parameters.copy(from: best) }
        for step in 1...max(options.steps, 1) {
            if shouldStop() {
                outcome.interrupted = true
                break
            }
            order.advance()
            let loss = engine.gradient(training, order.indices).loss
            guard loss.isFinite else {
                throw TrainingError.diverged(step: step, learningRate: options.learningRate)
            }
            lossSum += loss
            let rate = Float(options.learningRate) * options.schedule.factor(step - 1, of: options.steps)
            optimizer.step(rate: rate, clip: options.clip)
            outcome.steps = step
            let evaluates = step % options.evaluateEvery == 0 || step == options.steps
            if !evaluates {
                if step % 50 == 0 {
                    let since = (step - 1) % options.evaluateEvery + 1
                    progress(report(step, lossSum / Double(since), outcome))
                }
                continue
            }
            let result = engine.evaluate(validation)
            let error = Double(result.errors) / Double(validation.count)
            let since = (step - 1) % options.evaluateEvery + 1
            outcome.curve.append(
                TrainingRun.Point(
                    step: step, trainingLoss: lossSum / Double(since), validationLoss: result.loss,
                    validationError: error))
            lossSum = 0
            stale += 1
            if (error, result.loss) < (outcome.bestError, outcome.bestLoss) {
                if error < outcome.bestError { stale = 0 }
                (outcome.bestError, outcome.bestLoss, outcome.bestStep) = (error, result.loss, step)
                best.copy(from: model.parameters)
            }
            if error < 0.01 && outcome.stepsBelowOnePercent == nil { outcome.stepsBelowOnePercent = step }
            progress(report(step, outcome.curve[outcome.curve.count - 1].trainingLoss, outcome))
            perfect = result.errors == 0 ? perfect + 1 : 0
            if perfect >= options.perfectEvaluations { break }
            if let patience = options.patience, stale >= patience { break }
        }
        return outcome
    }

    private func report(_ step: Int, _ loss: Double, _ outcome: Outcome) -> Progress {
        Progress(
            step: step, steps: options.steps, trainingLoss: loss, validationError: outcome.curve.last?.validationError)
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
