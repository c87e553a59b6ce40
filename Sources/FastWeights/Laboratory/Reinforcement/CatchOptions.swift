/// What a training of an agent of Catch is to do.
struct CatchOptions: Sendable, Equatable {
    /// Episodes to learn from, rounded up to whole rounds of the workers.
    var episodes = 200_000
    /// Each plays sixteen episodes per round. Together they make a step's batch, or each makes steps of its own.
    var workers = 4
    /// Whether workers step on their own, see `AsynchronousLearner`. Then a seed does not repeat the bits.
    var isAsynchronous = false
    var learningRate = 1e-2
    var schedule = Schedule.linear
    var optimizer = OptimizerRule.adam()
    /// The global norm that gradients are clipped to; nil leaves them alone.
    var clip: Float? = 1
    var weights = ActorCriticWeights()
    /// Episodes between two evaluations, and episodes of one.
    var evaluateEvery = 2500
    var evaluationEpisodes = 512
    var seed: UInt64 = 1
    var threads = 1

    /// Episodes of a step.
    var batch: Int { Lanes.width * (isAsynchronous ? 1 : workers) }
    /// Optimizer steps.
    var steps: Int { (episodes + batch - 1) / batch }

    /// The learning rate of step `step`, from 0.
    func rate(_ step: Int) -> Float { Float(learningRate) * schedule.factor(step: step, of: steps) }
}

/// How a training of an agent went.
struct CatchCurve: Sendable, Equatable {
    struct Point: Sendable, Equatable {
        /// Episodes played until then.
        let episodes: Int
        /// Share of the evaluation's episodes in which the ball was caught.
        let catchRate: Double
        /// Mean loss, and mean entropy of a decision in nats, since the point before.
        let loss: Double
        let entropy: Double
    }

    private(set) var points: [Point] = []
    /// Episodes learned from, and optimizer steps.
    private(set) var episodes = 0
    private(set) var steps = 0
    /// Whether the caller stopped it.
    var interrupted = false
    private var sum = ActorCriticLoss()
    private var terms = 0

    /// Takes note of a step. Throws when its loss is no number.
    mutating func take(
        _ loss: ActorCriticLoss, _ options: CatchOptions, _ task: Catch
    ) throws(TrainingError) {
        guard loss.mean(options.weights, terms: 1).isFinite else {
            throw .diverged(step: steps + 1, learningRate: options.learningRate)
        }
        steps += 1
        episodes += options.batch
        sum += loss
        terms += options.batch * task.decisions
    }

    /// Whether an evaluation is due after the step just taken.
    func isDue(_ options: CatchOptions) -> Bool {
        episodes / options.evaluateEvery > (episodes - options.batch) / options.evaluateEvery || steps == options.steps
    }

    /// Where the curve stands, to become a point with a catch rate.
    mutating func mark(_ options: CatchOptions) -> @Sendable (Double) -> Point {
        let (episodes, loss) = (episodes, sum.mean(options.weights, terms: terms))
        let entropy = sum.entropy / Double(terms)
        (sum, terms) = (ActorCriticLoss(), 0)
        return { Point(episodes: episodes, catchRate: $0, loss: loss, entropy: entropy) }
    }

    /// Adds a point, in the order of the episodes.
    mutating func append(_ point: Point) {
        points.insert(point, at: points.lastIndex { $0.episodes <= point.episodes }.map { $0 + 1 } ?? 0)
    }
}
