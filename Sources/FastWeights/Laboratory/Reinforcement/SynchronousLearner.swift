/// Advantage actor-critic in which all workers play with the same parameters, and their gradients make one step: with the
/// same bits for any number of threads.
///
/// Each worker has sixteen episodes, and buffers and gradients of its own; gradients are added up in the order of the
/// workers. A step allocates nothing.
final class SynchronousLearner {
    private let options: CatchOptions
    private let task: Catch
    private let team: ThreadTeam
    private let workers: [EpisodeWorker]
    private let weights: EpisodeWeights
    private let sum: GradientSum
    private let optimizer: Optimizer
    private let round = Round()
    private let pack: Job
    private let learn: Job
    private let collect: Job
    private let evaluation: Job

    /// The number of the episode with which the workers' round begins.
    private final class Round {
        var first = 0
    }

    init(_ agent: CatchAgent, _ options: CatchOptions, team: ThreadTeam) {
        let (configuration, task, round) = (agent.network.configuration, agent.task, round)
        let weights = EpisodeWeights(configuration, agent.network.parameters)
        let workers = (0..<options.workers).map { _ in EpisodeWorker(task, weights) }
        let gradients = Parameters(configuration.layout)
        let sum = GradientSum(weights, workers.map(\.gradients), into: gradients)
        (self.options, self.task, self.team) = (options, task, team)
        (self.workers, self.weights, self.sum) = (workers, weights, sum)
        optimizer = Optimizer(options.optimizer, agent.network.parameters, gradients, team: team)
        pack = Job { weights.pack(piece: $0) }
        let scale = 1 / Float(options.batch * task.decisions)
        learn = Job { w in
            workers[w].learn(options, first: round.first + w * Lanes.width, scale: scale)
        }
        collect = Job { sum.collect(piece: $0) }
        evaluation = Job { w in
            workers[w].caught = workers[w].block.countCaught(
                of: options.evaluationEpisodes, first: w, stride: workers.count, seed: options.seed,
                .evaluation)
        }
    }

    /// Trains until all episodes are done or `shouldStop` says so.
    func run(progress: (CatchCurve.Point) -> Void, shouldStop: () -> Bool) throws(TrainingError) -> CatchCurve {
        var curve = CatchCurve()
        while curve.steps < options.steps {
            if shouldStop() {
                curve.interrupted = true
                break
            }
            try advance(&curve)
            if curve.isDue(options) {
                let point = curve.mark(options)(evaluate())
                curve.append(point)
                progress(point)
            }
        }
        return curve
    }

    /// One step of the optimizer, after the next round of all workers.
    func advance(_ curve: inout CatchCurve) throws(TrainingError) {
        round.first = curve.episodes
        try curve.take(gradient(), options, task)
        optimizer.step(rate: options.rate(curve.steps - 1), clip: options.clip)
    }

    /// The loss of the next episodes, whose gradient is left for the optimizer.
    private func gradient() -> ActorCriticLoss {
        team.perform(pack, pieces: weights.pieces)
        team.perform(learn, pieces: workers.count)
        team.perform(collect, pieces: sum.pieces)
        var loss = ActorCriticLoss()
        for worker in workers { loss += worker.loss }
        return loss
    }

    private func evaluate() -> Double {
        team.perform(pack, pieces: weights.pieces)
        team.perform(evaluation, pieces: workers.count)
        var caught = 0
        for worker in workers { caught += worker.caught }
        return Double(caught) / Double(options.evaluationEpisodes)
    }
}
