/// One training of one agent on Catch, from first values to its catch rate.
struct CatchTraining: Sendable {
    let model: RetrievalModel
    var cell: Cell
    /// Hidden units; the paper does not say how many.
    var hidden = 128
    let task: Catch
    var options: CatchOptions

    /// η of the fast weights here. A h is a sum of products h·h; at the rate of the paper's retrieval, 0.5, they drown what
    /// is new.
    static let fastRate: Float = 0.02

    /// The learning rate at which a cell learned fastest without falling back: a plain network does with higher ones.
    static func learningRate(_ cell: Cell) -> Double { if case .rnn = cell { 5e-3 } else { 1e-2 } }

    /// A training of a model's cell, of fast weights with `fastRate`.
    init(model: RetrievalModel, task: Catch, options: CatchOptions) {
        (self.model, cell, self.task, self.options) = (model, model.cell, task, options)
        if case .fastWeights(var fast) = cell, fast.writeRate > 0 {
            fast.writeRate = Self.fastRate
            cell = .fastWeights(fast)
        }
    }

    var name: String { "\(model.title) on Catch N=\(task.size) M=\(task.visibleFrames) seed \(options.seed)" }

    /// Trained numbers in the whole network.
    var parameterCount: Int { CatchAgent.configuration(cell.layer(hidden), task).layout.parameterCount }

    /// Episodes of the test at the end.
    static let testEpisodes = 4096

    /// Trains the agent and measures it; `progress` is told of every point of the curve, `shouldStop` asked before every
    /// step. Throws when the loss diverges.
    func run(
        progress: (CatchCurve.Point) -> Void = { _ in }, shouldStop: () -> Bool = { false }
    ) throws(TrainingError) -> (run: CatchRun, agent: CatchAgent) {
        let start = ContinuousClock.now
        let agent = CatchAgent(cell, hidden: hidden, task: task, seed: options.seed)
        let curve: CatchCurve
        if options.isAsynchronous {
            curve = try ThreadTeam.run(threads: 1) { team throws(TrainingError) in
                try AsynchronousLearner(agent, options, team: team).run(progress: progress, shouldStop: shouldStop)
            }
        } else {
            curve = try ThreadTeam.run(threads: options.threads) { team throws(TrainingError) in
                try SynchronousLearner(agent, options, team: team).run(progress: progress, shouldStop: shouldStop)
            }
        }
        let seconds = (ContinuousClock.now - start).seconds
        let run = CatchRun(
            parameters: parameterCount, curve: curve,
            catchRate: agent.catchRate(episodes: Self.testEpisodes, seed: options.seed),
            greedyCatchRate: agent.greedyCatchRate(), seconds: seconds)
        return (run, agent)
    }
}

/// One finished training of an agent on Catch: how it went and what came out.
struct CatchRun: Sendable {
    let parameters: Int
    let curve: CatchCurve
    /// Share of test episodes caught by an agent that draws what it does, and of all episodes there are by one that does
    /// what is most probable.
    let catchRate: Double
    let greedyCatchRate: Double
    /// Of the training, evaluations included.
    let seconds: Double

    /// Episodes after which an evaluation first had `rate` of the balls caught, if one had.
    func episodes(to rate: Double) -> Int? { curve.points.first { $0.catchRate >= rate }?.episodes }
}

extension CatchAgent {
    /// Share of `episodes` test episodes of this seed in which the ball is caught, when the agent draws what it does.
    func catchRate(episodes: Int, seed: UInt64) -> Double {
        let weights = EpisodeWeights(network.configuration, network.parameters)
        weights.pack()
        let caught = EpisodeBlock(task, weights)
            .countCaught(of: episodes, seed: seed, .test)
        return Double(caught) / Double(episodes)
    }

    /// Share of all episodes there are in which the ball is caught, when the agent does what is most probable.
    func greedyCatchRate() -> Double {
        let weights = EpisodeWeights(network.configuration, network.parameters)
        weights.pack()
        let (block, episodes) = (EpisodeBlock(task, weights), task.allEpisodes)
        var caught = 0
        for first in stride(from: 0, to: episodes.count, by: Lanes.width) {
            block.begin(episodes[first..<min(first + Lanes.width, episodes.count)])
            block.play(.greedy)
            caught += block.caught
        }
        return Double(caught) / Double(episodes.count)
    }
}
