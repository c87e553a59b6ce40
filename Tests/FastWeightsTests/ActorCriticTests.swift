import Testing

@testable import FastWeights

/// The loss and its gradients against a naive twin and finite differences, in what blocks of episodes do, and in training.
@Suite struct ActorCriticTests {
    static let cells: [Cell] = [
        .irnn(), .lstm(), .lstm(hasLayerNorm: true), .gru, .fastWeights(),
        .fastWeights(FastWeightsOptions(innerSteps: 2, memory: .chunks(3))),
    ]
    static let settings = ActorCriticWeights(discount: 0.9, value: 0.3, entropy: 0.2)

    /// The three terms of one decision in double precision.
    static func terms(_ y: [Double], chosen: Int, reward: Double, advantage: Double) -> [Double] {
        let largest = y[0..<3].max()!
        let powers = y[0..<3].map { exponential($0 - largest) }
        let sum = powers.reduce(0, +)
        let p = powers.map { $0 / sum }
        return [
            -naturalLogarithm(p[chosen]) * advantage, (reward - y[3]) * (reward - y[3]) / 2,
            -p.reduce(0) { $0 + $1 * naturalLogarithm($1) },
        ]
    }

    /// eˣ as a series of x / 1024, raised again.
    private static func exponential(_ x: Double) -> Double {
        let z = x / 1024
        return power(1 + z * (1 + z / 2 * (1 + z / 3 * (1 + z / 4))), 1024)
    }

    @Test func theLossIsThatOfItsTwin() {
        let (y, before) = (Buffer<Lanes>(4), Buffer<Lanes>(4))
        let chosen = Buffer<UInt8>(Lanes.width)
        var random = Random(seed: 4)
        var (returns, scale) = (Lanes.zero, Lanes.zero)
        let count = 11
        for lane in 0..<Lanes.width {
            for r in 0..<4 { y.pointer[r][lane] = Float(random.normal() * 2) }
            chosen.pointer[lane] = UInt8(random.below(3))
            returns[lane] = Float(random.normal())
            if lane < count { scale[lane] = 0.25 }
        }
        before.pointer.update(from: y.pointer, count: 4)
        let found = actorCriticLoss(
            y.pointer, actions: 3, chosen: chosen.pointer, returns: returns, scale: scale, Self.settings)
        var expected = [0.0, 0, 0]
        for lane in 0..<Lanes.width {
            let values = (0..<4).map { Double(before.pointer[$0][lane]) }
            let (action, reward) = (Int(chosen.pointer[lane]), Double(returns[lane]))
            let advantage = reward - values[3]
            func loss(_ values: [Double]) -> Double {
                let terms = Self.terms(values, chosen: action, reward: reward, advantage: advantage)
                return terms[0] + 0.3 * terms[1] - 0.2 * terms[2]
            }
            if lane < count {
                let terms = Self.terms(values, chosen: action, reward: reward, advantage: advantage)
                for i in 0..<3 { expected[i] += terms[i] }
            }
            for r in 0..<4 {
                var (above, below) = (values, values)
                above[r] += 1e-5
                below[r] -= 1e-5
                let slope = lane < count ? 0.25 * (loss(above) - loss(below)) / 2e-5 : 0
                #expect(abs(Double(y.pointer[r][lane]) - slope) < 1e-6, "row \(r) of lane \(lane)")
            }
        }
        #expect(abs(found.policy - expected[0]) < 1e-5)
        #expect(abs(found.value - expected[1]) < 1e-5)
        #expect(abs(found.entropy - expected[2]) < 1e-5)
    }

    static func agent(_ cell: Cell, size: Int = 6, visible: Int = 2, hidden: Int = 9) throws -> CatchAgent {
        let task = try Catch(size: size, visibleFrames: visible, start: .random)
        return CatchAgent(cell, hidden: hidden, task: task, seed: 3)
    }

    static func weights(_ agent: CatchAgent) -> EpisodeWeights {
        let weights = EpisodeWeights(agent.network.configuration, agent.network.parameters)
        weights.pack()
        return weights
    }

    /// The outputs of a block are those of a stream that is shown the screens, and its actions those with the probabilities
    /// there are.
    @Test(arguments: cells)
    func aBlockPlaysAsAStream(cell: Cell) throws {
        let agent = try Self.agent(cell)
        let block = EpisodeBlock(agent.task, Self.weights(agent))
        block.begin(13, from: 100, seed: 1, .training)
        let beginnings = block.episodes
        block.play(.sampled)
        var (caught, entropies) = (0, 0.0)
        for lane in 0..<13 {
            let stream = try NetworkStream(agent.network)
            var episode = beginnings[lane]
            for t in 0..<agent.task.decisions {
                stream.step(episode.observation)
                let found = (0..<4).map { block.outputs(t)[$0][lane] }
                #expect(RecurrentStreamTests.relativeError(found, stream.output) < 1e-5)
                episode.advance(block.action(t, lane: lane))
                entropies += Self.terms(found.map { Double($0) }, chosen: 0, reward: 0, advantage: 0)[2]
            }
            #expect(episode == block.episodes[lane])
            if episode.isBelow { caught += 1 }
        }
        #expect(block.caught == caught)
        let loss = block.loss(Self.settings, scale: 1)
        #expect(abs(loss.entropy - entropies) < 1e-3)
    }

    /// Of the same number an episode is the same in any lane of any block; other numbers and purposes have others.
    @Test func episodesAreThoseOfTheirNumberAndPurpose() throws {
        let agent = try Self.agent(.gru, size: 24, visible: 2)
        let block = EpisodeBlock(agent.task, Self.weights(agent))
        func play(from first: Int, _ purpose: EpisodePurpose) -> [Catch.Episode] {
            block.begin(16, from: first, seed: 1, purpose)
            block.play(.sampled)
            return block.episodes
        }
        let training = play(from: 0, .training)
        #expect(Set(training.map(\.column)).count > 8)
        #expect(play(from: 5, .training).prefix(11) == training.suffix(11))
        let (evaluation, test) = (play(from: 0, .evaluation), play(from: 0, .test))
        #expect(training != evaluation && evaluation != test && test != training)
    }

    @Test func theMostProbableIsDoneWhereAsked() throws {
        let agent = try Self.agent(.lstm(), size: 16, visible: 16)
        let block = EpisodeBlock(agent.task, Self.weights(agent))
        block.begin(agent.task.allEpisodes.prefix(16))
        block.play(.greedy)
        var done: Set<Int> = []
        for t in 0..<agent.task.decisions {
            for lane in 0..<16 {
                let y = (0..<3).map { block.outputs(t)[$0][lane] }
                done.insert(block.action(t, lane: lane).rawValue)
                #expect(block.action(t, lane: lane).rawValue == y.firstIndex(of: y.max()!))
            }
        }
        #expect(done.count > 1, "always the same is done, so that nothing is shown")
    }

    @Test func actionsAreDrawnByTheirProbabilities() throws {
        let agent = try Self.agent(.gru, size: 3, visible: 0)
        let block = EpisodeBlock(agent.task, Self.weights(agent))
        var counts = [0.0, 0, 0]
        for first in stride(from: 0, to: 16_000, by: 16) {
            block.begin(16, from: first, seed: 1, .training)
            block.play(.sampled)
            for lane in 0..<16 { counts[block.action(1, lane: lane).rawValue] += 1 / 16_000 }
        }
        // Nothing is seen, so all lanes have the same outputs.
        let y = (0..<3).map { Double(block.outputs(1)[$0][0]) }
        for (k, count) in counts.enumerated() {
            let p = Self.terms(y + [0], chosen: k, reward: 0, advantage: 1)[0]
            #expect(abs(naturalLogarithm(count) + p) < 0.05)
        }
    }

    /// The gradient of the whole loss, by central differences of the loss of the same actions with the same advantages: the
    /// policy's term takes V as a constant. A step over a kink of ReLU would see another slope, so the cells are smooth.
    @Test(arguments: [
        Cell.rnn(activation: .tanh), .lstm(), .lstm(hasLayerNorm: true), .gru,
        .fastWeights(FastWeightsOptions(activation: .tanh)),
        .fastWeights(FastWeightsOptions(innerSteps: 2, activation: .tanh, memory: .chunks(3))),
    ])
    func gradientsAreSlopes(cell: Cell) throws {
        let agent = try Self.agent(cell, size: 5, visible: 2, hidden: 5)
        let configuration = agent.network.configuration
        let parameters = agent.network.parameters
        let weights = Self.weights(agent)
        let block = EpisodeBlock(agent.task, weights)
        block.begin(5, from: 0, seed: 8, .training)
        let episodes = block.episodes
        block.play(.sampled)
        let actions = (0..<5).map { lane in (0..<agent.task.decisions).map { block.action($0, lane: lane) } }
        let values = (0..<agent.task.decisions).map { t in (0..<5).map { Double(block.outputs(t)[3][$0]) } }
        let gradients = Buffer<Float>(weights.gradientCount)
        _ = block.loss(Self.settings, scale: 1)
        block.backward(gradients.pointer)
        let sum = Parameters(configuration.layout)
        GradientSum(weights, [gradients], into: sum).collect()

        func loss() -> Double {
            block.begin(episodes[0..<5])
            for lane in 0..<5 { block.setActions(actions[lane], lane: lane) }
            weights.pack()
            block.play(.given)
            var loss = 0.0
            for t in 0..<agent.task.decisions {
                for lane in 0..<5 {
                    let reward = Double(block.episodes[lane].reward) * power(0.9, agent.task.decisions - 1 - t)
                    let terms = Self.terms(
                        (0..<4).map { Double(block.outputs(t)[$0][lane]) }, chosen: actions[lane][t].rawValue,
                        reward: reward, advantage: reward - values[t][lane])
                    loss += terms[0] + 0.3 * terms[1] - 0.2 * terms[2]
                }
            }
            return loss
        }
        for window in configuration.layout.windows {
            let found = sum[window.name]
            let largest = found.map(\.magnitude).max()!
            #expect(largest > 0, "\(window.name)")
            // The steepest of each, and one somewhere.
            for i in [found.firstIndex { $0.magnitude == largest }!, window.count / 2] {
                let place = parameters.pointer + window.offset + i
                let kept = place.pointee
                let step: Float = 5e-3
                place.pointee = kept + step
                let above = loss()
                place.pointee = kept - step
                let below = loss()
                place.pointee = kept
                let slope = (above - below) / Double(2 * step)
                #expect(
                    abs(slope - Double(found[i])) < 0.02 * Double(largest) + 2e-3,
                    "\(window.name)[\(i)]: \(found[i]) instead of \(slope)")
            }
        }
    }

    static func options(_ change: (inout CatchOptions) -> Void) -> CatchOptions {
        var options = CatchOptions()
        (options.episodes, options.evaluateEvery, options.evaluationEpisodes) = (1000, 300, 70)
        options.workers = 3
        change(&options)
        return options
    }

    static func train(_ cell: Cell, _ options: CatchOptions) throws -> ([Float], CatchCurve) {
        let agent = try agent(cell)
        let curve = try ThreadTeam.run(threads: options.isAsynchronous ? 1 : options.threads) { team in
            try options.isAsynchronous
                ? AsynchronousLearner(agent, options, team: team).run(progress: { _ in }, shouldStop: { false })
                : SynchronousLearner(agent, options, team: team).run(progress: { _ in }, shouldStop: { false })
        }
        return (agent.network.parameters.block.array, curve)
    }

    @Test(arguments: cells)
    func sameBitsForAnyNumberOfThreads(cell: Cell) throws {
        let one = try Self.train(cell, Self.options { $0.threads = 1 })
        #expect(one.1.points.map(\.episodes) == [336, 624, 912, 1008] && one.1.steps == 21)
        for threads in [2, 3, 8] {
            let other = try Self.train(cell, Self.options { $0.threads = threads })
            expectSame(one.0, other.0)
            #expect(one.1 == other.1)
        }
        #expect(try Self.train(cell, Self.options { $0.seed = 2 }).0 != one.0)
    }

    /// Workers of one turn make the step that a single batch of their episodes makes.
    @Test func asynchronousWorkersTakeTurns() throws {
        let options = Self.options {
            $0.isAsynchronous = true
            $0.workers = 1
        }
        let alone = try Self.train(.gru, options)
        // One worker that applies what it learned before it goes on is the synchronous training of one worker.
        let synchronous = try Self.train(.gru, Self.options { $0.workers = 1 })
        expectSame(alone.0, synchronous.0)
        #expect(alone.1 == synchronous.1)
        // Several on one thread are stale by some steps, and yet come out the same every time.
        let stale = Self.options { $0.isAsynchronous = true }
        let first = try Self.train(.gru, stale)
        #expect(try Self.train(.gru, stale).0 == first.0 && first.0 != alone.0)
        // On several threads every episode is played once, and every step taken.
        let several = try Self.train(
            .gru,
            Self.options {
                $0.isAsynchronous = true
                $0.threads = 4
            })
        #expect(several.1.episodes == 1008 && several.1.steps == 63)
        #expect(several.1.points.map(\.episodes) == [304, 608, 912, 1008])
    }

    @Test(arguments: [false, true])
    func aSmallScreenIsLearned(isAsynchronous: Bool) throws {
        let task = try Catch(size: 6, visibleFrames: 2)
        var options = Self.options {
            $0.isAsynchronous = isAsynchronous
            ($0.episodes, $0.evaluateEvery, $0.workers, $0.threads) = (30_000, 5000, 2, 2)
            $0.learningRate = 3e-3
        }
        options.seed = 1
        var training = CatchTraining(model: RetrievalModel.named("fast-weights"), task: task, options: options)
        training.hidden = 24
        let (run, agent) = try training.run()
        // What asynchronous workers learn is another each time, but far above the third that chance gives.
        #expect(run.catchRate > (isAsynchronous ? 0.6 : 0.9))
        #expect(run.catchRate == agent.catchRate(episodes: CatchTraining.testEpisodes, seed: 1))
    }

    @Test func stoppingKeepsWhatIsDone() throws {
        for isAsynchronous in [false, true] {
            var left = 5
            let training = CatchTraining(
                model: RetrievalModel.named("gru"), task: try Catch(size: 5, visibleFrames: 2),
                options: Self.options { $0.isAsynchronous = isAsynchronous })
            let run = try training.run(shouldStop: {
                left -= 1
                return left < 0
            }).run
            #expect(run.curve.interrupted && run.curve.steps == 5)
        }
    }

    @Test func aLossThatIsNoNumberStops() throws {
        for isAsynchronous in [false, true] {
            let training = CatchTraining(
                model: RetrievalModel.named("irnn"), task: try Catch(size: 5, visibleFrames: 2),
                options: Self.options {
                    ($0.isAsynchronous, $0.learningRate, $0.clip, $0.threads) = (isAsynchronous, 1e30, nil, 2)
                })
            #expect(throws: TrainingError.self) { try training.run() }
        }
    }
}
