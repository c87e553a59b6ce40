import Synchronization

/// Asynchronous advantage actor-critic, A3C (Mnih et al. 2016, arXiv 1602.01783): every worker plays with a copy of the
/// parameters of its own, and moves the shared ones along its own gradient, with an optimizer whose moments are shared too.
/// By then others have moved them, so that gradients are of parameters a few steps old.
///
/// Threads take the workers in turn. Worker and shared parameters meet under a lock, where a gradient is applied and the
/// parameters are copied whole: nothing is read while it is written, as it is where A3C goes without locks. In what order
/// the steps come is left to the threads, so two trainings differ, except with one thread.
final class AsynchronousLearner: @unchecked Sendable {
    private let agent: CatchAgent
    private let options: CatchOptions
    private let optimizer: Optimizer
    private let lock = Mutex(())
    // Under the lock.
    private var idle: [Worker]
    private var curve = CatchCurve()
    private var next = 0
    private var isStopped = false
    private var failure: TrainingError?

    /// A worker with the parameters it plays with; whoever took it out of `idle` has it alone.
    private final class Worker: @unchecked Sendable {
        let base: EpisodeWorker
        let parameters: Parameters
        let weights: EpisodeWeights
        let sum: GradientSum
        /// The number of its next episode.
        var first = 0

        init(_ agent: CatchAgent, gradients: Parameters) {
            let configuration = agent.network.configuration
            parameters = Parameters(configuration.layout)
            parameters.copy(from: agent.network.parameters)
            weights = EpisodeWeights(configuration, parameters)
            weights.pack()
            base = EpisodeWorker(agent.task, weights)
            sum = GradientSum(weights, [base.gradients], into: gradients)
        }
    }

    /// A learner whose `team` is of one thread alone.
    init(_ agent: CatchAgent, _ options: CatchOptions, team: ThreadTeam) {
        let gradients = Parameters(agent.network.configuration.layout)
        (self.agent, self.options) = (agent, options)
        optimizer = Optimizer(options.optimizer, agent.network.parameters, gradients, team: team)
        idle = (0..<options.workers).map { _ in Worker(agent, gradients: gradients) }
    }

    /// Trains until all episodes are done or `shouldStop` says so. Both closures are called under the lock.
    func run(progress: (CatchCurve.Point) -> Void, shouldStop: () -> Bool) throws(TrainingError) -> CatchCurve {
        let threads = min(options.threads, options.workers)
        ParallelLoop.run(threads, threads: threads) { _ in
            Subnormals.flushed { while let worker = begin(shouldStop) { play(worker, progress) } }
        }
        if let failure { throw failure }
        return curve
    }

    /// The worker whose turn it is; nil where no more episodes are to be played.
    private func begin(_ shouldStop: () -> Bool) -> Worker? {
        lock.withLock { _ in
            guard !isStopped, failure == nil, next < options.steps * options.batch else { return nil }
            if shouldStop() {
                (isStopped, curve.interrupted) = (true, true)
                return nil
            }
            let worker = idle.removeFirst()
            worker.first = next
            next += options.batch
            return worker
        }
    }

    private func play(_ worker: Worker, _ progress: (CatchCurve.Point) -> Void) {
        let scale = 1 / Float(options.batch * agent.task.decisions)
        worker.base.learn(options, first: worker.first, scale: scale)
        let mark = lock.withLock { _ in apply(worker) }
        worker.weights.pack()
        let rate = mark.map { _ in
            Double(
                worker.base.block.countCaught(
                    of: options.evaluationEpisodes, seed: options.seed, .evaluation))
                / Double(options.evaluationEpisodes)
        }
        lock.withLock { _ in
            if let mark, let rate {
                curve.append(mark(rate))
                progress(mark(rate))
            }
            idle.append(worker)
        }
    }

    /// A step along the worker's gradient, and a copy of what it leads to. Where an evaluation of that is due, what makes a
    /// point of the curve of its result.
    private func apply(_ worker: Worker) -> (@Sendable (Double) -> CatchCurve.Point)? {
        do throws(TrainingError) { try curve.take(worker.base.loss, options, agent.task) } catch {
            failure = error
            return nil
        }
        worker.sum.collect()
        optimizer.step(rate: options.rate(curve.steps - 1), clip: options.clip)
        worker.parameters.copy(from: agent.network.parameters)
        return curve.isDue(options) ? curve.mark(options) : nil
    }
}
