/// What a training is to do. The defaults are those of `fastweights train`.
public struct TrainingOptions: Sendable, Equatable {
    /// Optimizer steps at most, where `epochs` does not say.
    public var steps = 20_000
    /// Epochs at most, in place of `steps`: ⌈epochs · examples / batch⌉ steps, in which every training example is seen so
    /// often. Nil counts in steps.
    ///
    /// One shuffled pass over the examples follows another, cut into batches without regard to where one ends: a batch may
    /// have the last examples of an epoch and the first of the next. Of a text an epoch is all windows of its streams.
    public var epochs: Int?
    /// Time after which no step begins: the training then ends with an evaluation, as after the last step. Nil for none.
    ///
    /// The schedule follows the larger of the shares of steps and of time that are over. How many steps fit depends on
    /// the machine, so a training that time ends cannot be repeated bit for bit.
    public var timeLimit: Duration?
    /// B, sequences a step.
    public var batch = 128
    /// The full learning rate, of which the schedule takes a share at each step.
    public var learningRate = 1e-3
    /// How the learning rate changes.
    public var schedule = Schedule.cosine
    /// What is made small, and what validation is measured by; nil stands for cross-entropy of classes, the mean of squares
    /// of numbers.
    ///
    /// One with weights is a mean over a batch as PyTorch's is: of classes Σ loss / Σ w_y. A text has none but its own.
    public var loss: Loss?
    /// The rule of a step.
    public var optimizer = OptimizerRule.adam()
    /// The global norm that gradients are clipped to; nil leaves them alone.
    public var clip: Float? = 5
    /// Steps between two evaluations on the validation examples.
    public var evaluateEvery = 500
    /// Whether evaluations follow the steps in which an epoch ends, in place of every `evaluateEvery` steps.
    public var evaluatesEachEpoch = false
    /// Evaluations in a row without a lower validation error after which training ends; nil goes on to the last step.
    public var patience: Int? = nil
    /// Evaluations in a row without a validation error after which training ends.
    public var perfectEvaluations = 10
    /// Seed of the order of the examples, and of what dropout drops.
    public var seed: UInt64 = 1
    /// Cores at most; the bits do not depend on it.
    public var threads = 1
    /// Where the training keeps a file from which it can go on; nil for nowhere.
    public var checkpoint: CheckpointOptions?

    /// The defaults.
    public init() {}

    /// Most sequences of a step.
    private static let batchLimit = 1 << 24

    /// What makes a training with these options impossible; nil of a possible one.
    var problem: String? {
        guard steps > 0, evaluateEvery > 0 else {
            return "a training has at least 1 step, and at least 1 between evaluations; found \(steps) and "
                + "\(evaluateEvery)"
        }
        guard epochs.map({ $0 > 0 }) ?? true else {
            return "a training has at least 1 epoch, or with nil the steps that are asked for; found \(epochs ?? 0)"
        }
        guard timeLimit.map({ $0 >= .zero }) ?? true else {
            return "a training's time is at least 0 seconds, found \(timeLimit?.seconds ?? 0)"
        }
        guard (1...Self.batchLimit).contains(batch) else {
            return "a batch has from 1 to \(Self.batchLimit) sequences, found \(batch)"
        }
        guard learningRate >= 0, Float(learningRate).isFinite else {
            return "a learning rate is a finite number of at least 0, found \(learningRate)"
        }
        guard clip.map({ $0 > 0 }) ?? true else {
            return "gradients are clipped to a norm above 0, or with nil not at all; found \(clip ?? 0)"
        }
        guard patience.map({ $0 > 0 }) ?? true, perfectEvaluations > 0 else {
            return "a training ends after at least 1 evaluation without a better one, or 1 perfect one; found "
                + "\(patience.map { "\($0)" } ?? "no patience") and \(perfectEvaluations)"
        }
        return optimizer.problem ?? ParallelLoop.problem(threads: threads) ?? checkpoint?.problem
    }

    /// The seed of what is random in a step beside the order: each step drops other numbers, the same ones in a training
    /// that went on from its checkpoint.
    func seed(ofStep step: Int) -> UInt64 { seed &+ UInt64(step) &* 0x9E37_79B9_7F4A_7C15 }
}

/// Why a training ended before its time.
public enum TrainingError: Error, CustomStringConvertible, Equatable {
    /// The loss became infinite or not a number, in training or at the first evaluation.
    case diverged(step: Int, learningRate: Double)
    /// The checkpoint cannot be written, read or used: the sentence names the file, what is wrong and what to do.
    case checkpoint(String)

    /// The sentence that says so.
    public var description: String {
        switch self {
        case .diverged(let step, let learningRate):
            "the loss stopped being a finite number at step \(step) with learning rate \(learningRate): try a lower learning rate, or a smaller norm to clip to"
        case .checkpoint(let problem): problem
        }
    }
}

/// Trains a network: mini-batches in a seeded order, a schedule, clipping, early stopping on the validation examples, and
/// the best model kept.
///
///     let network = Network(NetworkConfiguration(.numbers(3), [.gru(64), .lastStep, .dense(5)]), seed: 1)
///     let trainer = try Trainer(network, training: training, validation: validation, options: options)
///     let outcome = try trainer.run(onEvaluation: { print($0.step, $0.validationError) })
public final class Trainer {
    /// How a training stands, at every evaluation and some steps between.
    public struct Progress: Sendable {
        /// Optimizer steps taken so far.
        public var step: Int
        /// Steps at most.
        public var steps: Int
        /// Epochs that are over: whole passes over the training examples.
        public var epoch: Int
        /// The share that is over, of the steps or of the time, whichever is larger: 0...1.
        public var done: Double
        /// Mean training loss since the last evaluation, over the targets that count; not a number where none did.
        public var trainingLoss: Double
        /// The last validation error, once there is one, as in `Point`.
        public var validationError: Double?
    }

    /// The metrics of an evaluation, a point of the learning curve. Losses are means of `TrainingOptions.loss`: where there is
    /// none, nats of classes, squares of numbers.
    public struct Point: Sendable {
        /// Optimizer steps taken so far.
        public var step: Int
        /// Mean training loss since the point before, over the targets that count; not a number where none did.
        public var trainingLoss: Double
        /// Mean validation loss, of the same loss as in training, its weights and smoothing included.
        public var validationLoss: Double
        /// The share of validation targets that are missed, 0...1, each counting as one: classes, and of
        /// `Loss.binaryCrossEntropy` numbers on the other side of ½ than σ(z). Of `Loss.meanSquares` the loss.
        public var validationError: Double
    }

    /// What came out: the learning curve, and where the kept model stands in it.
    public struct Outcome: Sendable {
        /// The metrics of every evaluation.
        public var curve: [Point] = []
        /// Steps taken, those of batches without a target that counts among them.
        public var steps = 0
        /// The step whose parameters were kept: that of the best evaluation, and without one the last step taken; 0 where they
        /// are those it began with.
        public var bestStep = 0
        /// The validation error of the kept parameters, as in `Point`; infinite without an evaluation.
        public var bestError = Double.infinity
        /// The validation loss of the kept parameters; infinite without an evaluation.
        public var bestLoss = Double.infinity
        /// The first evaluated step with a validation error below 0.01, if one was reached.
        public var stepsBelowOnePercent: Int?
        /// Whether the caller stopped it.
        public var interrupted = false
    }

    /// What has come out so far: of a `run` that threw, what there was before, and which parameters the model then holds.
    public private(set) var outcome = Outcome()
    /// What is trained.
    let parameters: Parameters
    let options: TrainingOptions
    /// A pass over the training examples.
    let epoch: Epoch
    /// What beside the options must be the same for a training to go on from its checkpoint.
    let identity: [(key: String, value: JSON)]
    private let makeSource: (ThreadTeam) -> any TrainingSource
    /// Seconds since some moment; tests have one of their own.
    var clock: () -> Double = stopwatch()

    init(
        _ parameters: Parameters, _ options: TrainingOptions, epoch: Epoch, identity: [(key: String, value: JSON)],
        source: @escaping (ThreadTeam) -> any TrainingSource
    ) {
        if let problem = options.problem { misuse(problem) }
        var options = options
        if let epochs = options.epochs { options.steps = epoch.steps(epochs) }
        (self.parameters, self.options, self.epoch, self.identity) = (parameters, options, epoch, identity)
        makeSource = source
    }

    /// Trains until the steps are done or the time is over, validation says stop, or `shouldStop` does; the model then holds the
    /// parameters with the lowest validation error (of equal ones, the lowest validation loss). Stopped before the first
    /// evaluation it holds those of the last step.
    ///
    /// - Parameters:
    ///   - progress: Told of every evaluation and some steps between.
    ///   - onEvaluation: Given the metrics of every evaluation.
    ///   - shouldStop: Asked before every step; `{ Task.isCancelled }` ends a training with its task.
    ///
    /// They are called one at a time, on one thread, which may be another than the caller's. Throws `TrainingError` when
    /// the loss stops being a number or a checkpoint cannot be used. The model then holds what it would have if it had been
    /// stopped there, but of a loss that is no number before the first evaluation the parameters it began with; `outcome`
    /// says which they are.
    public func run(
        progress: (Progress) -> Void = { _ in }, onEvaluation: (Point) -> Void = { _ in },
        shouldStop: () -> Bool = { false }
    ) throws(TrainingError) -> Outcome {
        outcome = Outcome()
        try ThreadTeam.run(threads: options.threads) { team throws(TrainingError) in
            try run(team, progress, onEvaluation, shouldStop)
        }
        return outcome
    }

    /// Leaves what came out in `outcome`, and the parameters that it names in the model, however it ends.
    private func run(
        _ team: ThreadTeam, _ progress: (Progress) -> Void, _ onEvaluation: (Point) -> Void,
        _ shouldStop: () -> Bool
    ) throws(TrainingError) {
        let source = makeSource(team)
        let optimizer = Optimizer(options.optimizer, parameters, source.gradients, team: team)
        let best = Parameters(parameters.layout)
        best.copy(from: parameters)
        var state = TrainingState()
        if options.checkpoint != nil { state = try resume(best, optimizer, source) }
        for _ in 0..<state.outcome.steps { source.skip() }
        var hasDiverged = false
        defer {
            outcome = state.outcome
            if outcome.bestStep > 0 || hasDiverged {
                parameters.copy(from: best)
            } else {
                // Without an evaluation there is nothing better than the last step.
                outcome.bestStep = outcome.steps
            }
        }
        func divergence(at step: Int) -> TrainingError {
            hasDiverged = true
            return .diverged(step: step, learningRate: options.learningRate)
        }
        let begun = options.timeLimit == nil ? 0 : clock() - state.seconds
        func seconds() -> Double { options.timeLimit == nil ? 0 : clock() - begun }
        while state.done(options) < 1 && !state.isOver {
            if shouldStop() {
                state.outcome.interrupted = true
                break
            }
            let step = state.outcome.steps + 1
            let loss = source.advance(step: step)
            guard loss.total.isFinite else { throw divergence(at: step) }
            let factor = options.schedule.factor(state.done(options), of: state.length(options))
            let rate = Float(options.learningRate) * factor
            // A batch in which no target counts has no gradient; a step along zero would still move by the moments.
            if loss.weight > 0 { optimizer.step(rate: rate, clip: options.clip) }
            (state.outcome.steps, state.seconds) = (step, seconds())
            state.take(loss, moves: optimizer.steps)
            if options.isEvaluated(step, epoch) || state.done(options) >= 1 {
                let evaluation = source.evaluate()
                guard evaluation.loss.isFinite || state.outcome.bestStep > 0 else { throw divergence(at: step) }
                if state.take(evaluation, options) { best.copy(from: parameters) }
                state.seconds = seconds()
                onEvaluation(state.outcome.curve[state.outcome.curve.count - 1])
                progress(state.progress(options, epoch))
            } else if step % 50 == 0 {
                progress(state.progress(options, epoch))
            }
            if let checkpoint = options.checkpoint, step % checkpoint.every == 0 {
                try save(state, best, optimizer, source)
            }
        }
        if options.checkpoint != nil { try save(state, best, optimizer, source) }
    }
}

/// Where a training's batches come from, and the gradients of their losses.
protocol TrainingSource: AnyObject {
    /// The gradient that `advance` left.
    var gradients: Parameters { get }
    /// What beside the parameters goes from step to step, and into a checkpoint.
    var carried: Parameters? { get }
    /// Moves on to the next batch without looking at it.
    func skip()
    /// Moves on to the next batch, that of step `step`: its losses, the gradient of whose mean is left in `gradients`.
    func advance(step: Int) -> LossSum
    /// Loss and error over the validation examples.
    func evaluate() -> Evaluation
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
