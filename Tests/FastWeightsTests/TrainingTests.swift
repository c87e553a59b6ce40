import Testing

@testable @_spi(Laboratory) import FastWeights

@Suite struct TrainingTests {
    static let cells: [Cell] = [
        .irnn(), .rnn(activation: .tanh, hasLayerNorm: true), .lstm(), .lstm(hasLayerNorm: true), .gru, .fastWeights(),
        .fastWeights(FastWeightsOptions(innerSteps: 2, hasSeparateNorms: true, memory: .chunks(3))),
        .associativeLSTM(AssociativeLSTMOptions(copies: 2)),
    ]

    static func model(_ cell: Cell, hidden: Int = 9) -> Network {
        Network(
            NetworkConfiguration.classifier(
                cell, hidden: cell.size(hidden), vocabulary: 37, classes: 10, embedding: 12, head: 14), seed: 3
        )
    }

    @Test(arguments: cells)
    func sameBitsForAnyNumberOfThreads(cell: Cell) throws {
        let sets = try AssociativeRetrieval(pairs: 2).generate(counts: [300, 70], seed: 1).map(\.sequences)
        func train(_ threads: Int) throws -> ([Float], [Double]) {
            let model = Self.model(cell)
            var options = TrainingOptions()
            options.steps = 12
            options.batch = 75
            options.evaluateEvery = 4
            options.threads = threads
            let outcome = try Trainer(model, training: sets[0], validation: sets[1], options: options).run()
            return (model.parameters.block.array, outcome.curve.map(\.validationLoss))
        }
        let one = try train(1)
        for threads in [2, 3, 8] {
            let other = try train(threads)
            expectSame(one.0, other.0)
            expectSame(one.1, other.1)
        }
    }

    @Test func fastWeightsLearnTwoPairs() throws {
        let sets = try AssociativeRetrieval(pairs: 2).generate(counts: [20_000, 1000, 1000], seed: 1).map(\.sequences)
        let model = Self.model(.fastWeights(), hidden: 40)
        var options = TrainingOptions()
        options.steps = 1500
        options.learningRate = 3e-3
        let outcome = try Trainer(model, training: sets[0], validation: sets[1], options: options).run()
        #expect(outcome.bestError < 0.05)
        #expect(try model.evaluate(sets[2], threads: 2).error < 0.06)
    }

    @Test func theBestModelIsKept() throws {
        let sets = try AssociativeRetrieval(pairs: 2).generate(counts: [500, 200], seed: 1).map(\.sequences)
        let model = Self.model(.gru)
        var options = TrainingOptions()
        options.steps = 200
        options.evaluateEvery = 10
        options.schedule = .constant
        options.learningRate = 0.05
        let outcome = try Trainer(model, training: sets[0], validation: sets[1], options: options).run()
        #expect(try model.evaluate(sets[1]).error == outcome.bestError)
        #expect(outcome.bestError == outcome.curve.map(\.validationError).min())
        #expect(outcome.curve.first { $0.validationError == outcome.bestError } != nil)
    }

    @Test func aLossThatIsNotANumberStops() throws {
        let sets = try AssociativeRetrieval(pairs: 2).generate(counts: [500, 200], seed: 1).map(\.sequences)
        let model = Self.model(.irnn())
        model.parameters["cell.weight_hh"] = [Float](repeating: .nan, count: 81)
        var options = TrainingOptions()
        options.steps = 5
        #expect(throws: TrainingError.diverged(step: 1, learningRate: 1e-3)) {
            _ = try Trainer(model, training: sets[0], validation: sets[1], options: options).run()
        }
    }

    @Test func stoppingKeepsWhatIsDone() throws {
        let sets = try AssociativeRetrieval(pairs: 2).generate(counts: [500, 200], seed: 1).map(\.sequences)
        var left = 30
        var options = TrainingOptions()
        options.evaluateEvery = 10
        let outcome = try Trainer(Self.model(.gru), training: sets[0], validation: sets[1], options: options).run(
            shouldStop: {
                left -= 1
                return left < 0
            })
        #expect(outcome.interrupted && outcome.steps == 30 && outcome.curve.count == 3)
    }

    /// A clock that ticks once a step makes a limit of time one of steps: the same rates, evaluations and bits.
    @Test(arguments: [Schedule.cosine, .oneCycle, .step(every: 3), .cosine.afterWarmUp(of: 4)])
    func timeEndsATrainingAsStepsDo(schedule: Schedule) throws {
        let sets = try AssociativeRetrieval(pairs: 2).generate(counts: [500, 200], seed: 1).map(\.sequences)
        func train(_ steps: Int, _ limit: Duration?, stopAt stop: Int = .max, _ checkpoint: CheckpointOptions? = nil)
            throws -> (bits: [Float], outcome: Trainer.Outcome)
        {
            let model = Self.model(.gru)
            var options = TrainingOptions()
            (options.steps, options.timeLimit, options.evaluateEvery) = (steps, limit, 4)
            options.schedule = schedule
            options.checkpoint = checkpoint
            let trainer = try Trainer(model, training: sets[0], validation: sets[1], options: options)
            var ticks = 0
            trainer.clock = { 100 + Double(ticks) }
            let outcome = try trainer.run(shouldStop: {
                if ticks == stop { return true }
                ticks += 1
                return false
            })
            return (model.parameters.block.array, outcome)
        }
        let whole = try train(14, nil)
        #expect(whole.outcome.curve.map(\.step) == [4, 8, 12, 14])
        func expectWhole(_ found: (bits: [Float], outcome: Trainer.Outcome)) {
            expectSame(found.bits, whole.bits)
            #expect(!found.outcome.interrupted)
            #expect(found.outcome.curve.map(\.step) == whole.outcome.curve.map(\.step))
            #expect(found.outcome.curve.map(\.trainingLoss) == whole.outcome.curve.map(\.trainingLoss))
        }
        expectWhole(try train(.max, .seconds(14)))
        expectWhole(try train(14, .seconds(1000)))
        // And over a break, of which the time spent before is remembered.
        let folder = TemporaryFolder()
        let checkpoint = CheckpointOptions(path: folder.path("checkpoint"), every: 5, resumes: true)
        #expect(try train(.max, .seconds(14), stopAt: 6, checkpoint).outcome.steps == 6)
        expectWhole(try train(.max, .seconds(14), checkpoint))
        // What is over needs no step more.
        expectWhole(try train(.max, .seconds(14), stopAt: 0, checkpoint))
        #expect(throws: TrainingError.self) { try train(.max, .seconds(15), checkpoint) }
    }

    /// A training is its steps written out: batches in the order of the seed, the gradient clipped, the rate as the
    /// schedule has it where the share of the steps before is over.
    @Test(
        arguments: [
            Schedule.constant, .cosine, .linear, .oneCycle, .step(every: 2), .cosine.afterWarmUp(of: 3, from: 0.2),
        ], [nil, Float(0.3)])
    func aTrainingIsItsSteps(schedule: Schedule, clip: Float?) throws {
        let sets = try AssociativeRetrieval(pairs: 2).generate(counts: [60, 20], seed: 1).map(\.sequences)
        let (trained, written) = (Self.model(.gru, hidden: 3), Self.model(.gru, hidden: 3))
        var options = TrainingOptions()
        (options.steps, options.batch, options.evaluateEvery, options.seed) = (6, 25, 2, 9)
        (options.schedule, options.clip, options.learningRate) = (schedule, clip, 0.02)
        options.optimizer = .sgd(momentum: 0.5)
        var found: [Float] = []
        let outcome = try Trainer(trained, training: sets[0], validation: sets[1], options: options)
            .run(onEvaluation: { _ in found = trained.parameters.block.array })
        var losses: [Double] = []
        ThreadTeam.run(threads: 1) { team in
            let engine = ParallelTraining(written.definition, written.parameters, longest: sets[0].longest, team: team)
            let optimizer = Optimizer(.sgd(momentum: 0.5), written.parameters, engine.gradients, team: team)
            var order = BatchOrder(count: 60, batch: 25, seed: 9)
            for step in 0..<6 {
                order.advance()
                losses.append(engine.gradient(sets[0], order.indices).loss)
                optimizer.step(rate: 0.02 * schedule.factor(step: step, of: 6), clip: clip)
            }
        }
        expectSame(found, written.parameters.block.array)
        #expect(outcome.curve.map(\.step) == [2, 4, 6])
        for (i, point) in outcome.curve.enumerated() {
            #expect(abs(point.trainingLoss - (losses[2 * i] + losses[2 * i + 1]) / 2) < 1e-12)
        }
    }

    @Test func batchesGoThroughEveryExampleOnceAPass() {
        var order = BatchOrder(count: 10, batch: 4, seed: 1)
        var seen: [Int] = []
        for _ in 0..<5 {
            order.advance()
            seen += order.indices
        }
        #expect(seen.prefix(10).sorted() == Array(0..<10) && seen.suffix(10).sorted() == Array(0..<10))
        #expect(Array(seen.prefix(10)) != Array(seen.suffix(10)))
        var other = BatchOrder(count: 10, batch: 10, seed: 2)
        other.advance()
        #expect(other.indices.sorted() == Array(0..<10) && other.indices != Array(seen.prefix(10)))
    }

    /// Patience is for a lower error: a loss that falls alone makes a model the best one, and ends a training all the same.
    @Test func patienceWaitsForALowerError() {
        var options = TrainingOptions()
        options.patience = 2
        var state = TrainingState()
        let evaluations = [(0.5, 3.0), (0.4, 4), (0.4, 2), (0.4, 3)]
        var (best, over): ([Bool], [Bool]) = ([], [])
        for (error, loss) in evaluations {
            state.outcome.steps += options.evaluateEvery
            best.append(state.take(Evaluation(loss: loss, error: error), options))
            over.append(state.isOver)
        }
        #expect(best == [true, true, true, false] && over == [false, false, false, true])
        #expect(state.outcome.bestError == 0.4 && state.outcome.bestLoss == 2 && state.outcome.bestStep == 1500)
    }

    @Test func schedulesRunFromOneToZero() {
        func factor(_ schedule: Schedule, _ done: Double) -> Float { schedule.factor(done, of: 100) }
        #expect(factor(.constant, 0.7) == 1)
        #expect(factor(.cosine, 0) == 1 && abs(factor(.cosine, 1)) < 1e-7)
        #expect(abs(factor(.cosine, 0.5) - 0.5) < 1e-6 && factor(.linear, 0.25) == 0.75)
        #expect(abs(factor(.cosine, 0.25) - 0.853_553_4) < 1e-6)
    }
}
