import Testing

@testable @_spi(Laboratory) import FastWeights

/// A training that goes on from its checkpoint, and files that it must not go on from.
@Suite struct CheckpointTests {
    private let folder = TemporaryFolder()

    /// A trainer on the task, or on its sequences with one class for all.
    private func trainer(
        _ model: Network, class target: UInt8? = nil, _ change: (inout TrainingOptions) -> Void = { _ in }
    ) throws -> Trainer {
        var sets = try AssociativeRetrieval(pairs: 2).generate(counts: [300, 60], seed: 3)
        if let target { for i in sets.indices { sets[i].targets = sets[i].targets.map { _ in target } } }
        var options = TrainingOptions()
        (options.steps, options.batch, options.evaluateEvery, options.learningRate) = (70, 37, 20, 3e-3)
        options.checkpoint = CheckpointOptions(path: folder.path("checkpoint"), every: 9, resumes: true)
        change(&options)
        return try Trainer(model, training: sets[0].sequences, validation: sets[1].sequences, options: options)
    }

    private func network(_ cell: Cell, seed: UInt64 = 7) -> Network {
        Network(NetworkConfiguration.classifier(cell, hidden: 13, vocabulary: 37, classes: 10), seed: seed)
    }

    /// One to go through many trainings with.
    private func smallNetwork() -> Network {
        Network(
            NetworkConfiguration.classifier(.gru, hidden: 3, vocabulary: 37, classes: 10, embedding: 4, head: 5),
            seed: 7)
    }

    @Test(arguments: [Cell.irnn(), .lstm(), .gru, .fastWeights()], [1, 20, 33, 40, 69])
    func goesOnToTheSameBits(cell: Cell, stop: Int) throws {
        let whole = network(cell)
        let expected = try trainer(whole) { $0.checkpoint = nil }.run()
        var left = stop
        let first = try trainer(network(cell)).run(shouldStop: {
            left -= 1
            return left < 0
        })
        #expect(first.interrupted && first.steps == stop)
        // Other first values and another number of threads: what counts stands in the file.
        let model = network(cell, seed: 8)
        let outcome = try trainer(model) { $0.threads = 2 }.run()
        #expect(outcome.steps == 70)
        compare(outcome, expected)
        expectSame(model.parameters.block.array, whole.parameters.block.array)
    }

    /// A file of a moment in the middle, as it is left when a training is killed, goes on to the same bits as well.
    @Test(arguments: [5, 9, 30])
    func goesOnFromWhatAKilledTrainingLeaves(step: Int) throws {
        let path = folder.path("checkpoint")
        let whole = smallNetwork()
        let expected = try trainer(whole) { $0.checkpoint = nil }.run()
        var asked = 0
        var left: [UInt8] = []
        _ = try trainer(smallNetwork()).run(shouldStop: {
            // Asked before every step, so as often as there are steps.
            if asked == step { left = (try? Files.read(path)) ?? [] }
            asked += 1
            return false
        })
        try Files.writeAtomically(left, to: path)
        let state = try TrainingState(
            json: CheckpointFile(path: path).read().state, trainer(whole).options, trainer(whole).epoch)
        #expect(state.outcome.steps == step / 9 * 9)
        let model = smallNetwork()
        model.parameters.clear()
        compare(try trainer(model).run(), expected)
        expectSame(model.parameters.block.array, whole.parameters.block.array)
    }

    /// Runs a training one step at a time, each from the file of the one before, until it ends by itself.
    private func runInSteps(
        _ makeModel: () -> Network, class target: UInt8? = nil, _ change: (inout TrainingOptions) -> Void
    ) throws -> (model: Network, outcome: Trainer.Outcome) {
        for _ in 0..<200 {
            let model = makeModel()
            var left = 1
            let outcome = try trainer(model, class: target, change).run(shouldStop: {
                left -= 1
                return left < 0
            })
            if !outcome.interrupted { return (model, outcome) }
        }
        Issue.record("200 steps, and the training has not ended")
        return (makeModel(), Trainer.Outcome())
    }

    /// Expects every member to be the same.
    private func compare(
        _ found: Trainer.Outcome, _ expected: Trainer.Outcome, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect("\(found)" == "\(expected)", sourceLocation: sourceLocation)
    }

    /// What validation counts is carried over each break: evaluations without a lower error, and those without any.
    @Test(arguments: [nil, 3], [10, 2])
    func validationEndsItAtTheSameStep(patience: Int?, perfect: Int) throws {
        for isPerfect in [false, true] {
            func makeModel() -> Network {
                let model = smallNetwork()
                // Says class 4 whatever it reads: of no target, or of all.
                model.parameters["output.bias"] = (0..<10).map { $0 == 4 ? 100 : 0 }
                return model
            }
            // At a rate of zero each evaluation is the first one again.
            func change(_ options: inout TrainingOptions) {
                (options.steps, options.evaluateEvery, options.learningRate) = (24, 2, 0)
                (options.patience, options.perfectEvaluations) = (patience, perfect)
                options.checkpoint?.path = folder.path("\(isPerfect)")
            }
            let target: UInt8 = isPerfect ? 4 : 5
            let whole = try trainer(makeModel(), class: target) {
                change(&$0)
                $0.checkpoint = nil
            }.run()
            // The first evaluation is better than none; the third after it is one too many.
            let evaluations = min(patience.map { $0 + 1 } ?? 12, isPerfect ? perfect : 12)
            #expect(whole.steps == 2 * evaluations && whole.curve.count == evaluations && whole.bestStep == 2)
            #expect(whole.bestError == (isPerfect ? 0 : 1) && whole.stepsBelowOnePercent == (isPerfect ? 2 : nil))
            compare(try runInSteps(makeModel, class: target, change).outcome, whole)
        }
    }

    /// The best model so far, and that it is, is carried over each break: a training that gets worse ends with it.
    @Test func theBestModelIsKeptOverBreaks() throws {
        func change(_ options: inout TrainingOptions) {
            (options.steps, options.evaluateEvery, options.learningRate) = (24, 2, 0.3)
            options.schedule = .constant
        }
        let whole = smallNetwork()
        let expected = try trainer(whole) {
            change(&$0)
            $0.checkpoint = nil
        }.run()
        #expect(expected.bestStep < 20, "the best model is one of the last; nothing is shown")
        let (model, outcome) = try runInSteps({ smallNetwork() }, change)
        compare(outcome, expected)
        expectSame(model.parameters.block.array, whole.parameters.block.array)
    }

    @Test func aTrainingThatIsOverStaysSo() throws {
        let model = network(.gru)
        let outcome = try trainer(model).run()
        let again = network(.gru, seed: 9)
        #expect(try trainer(again).run().curve.count == outcome.curve.count)
        expectSame(again.parameters.block.array, model.parameters.block.array)
    }

    @Test func anotherTrainingsCheckpointIsRefusedByWhatDiffers() throws {
        _ = try trainer(network(.gru)).run()
        let error = #expect(throws: TrainingError.self) {
            try trainer(network(.gru)) { ($0.batch, $0.seed) = (36, 5) }.run()
        }
        let text = "\(error!)"
        #expect(text.contains("batch was 37 there and is 36 here"), "\(text)")
        #expect(text.contains(#"seed was "1" there and is "5" here"#), "\(text)")
        #expect(!text.contains("clip"), "\(text)")
        #expect(throws: TrainingError.self) { try trainer(network(.lstm())).run() }
    }

    @Test func aFileIsNotOverwrittenUnasked() throws {
        _ = try trainer(network(.gru)).run()
        let before = try Files.read(folder.path("checkpoint"))
        let error = #expect(throws: TrainingError.self) {
            try trainer(network(.gru)) { $0.checkpoint?.resumes = false }.run()
        }
        #expect("\(error!)".contains("there is a file already; resume from it"))
        try expectSame(Files.read(folder.path("checkpoint")), before)
    }

    @Test func aPlaceThatCannotBeWrittenIsFoundBeforeTheWork() throws {
        var steps = 0
        let error = #expect(throws: TrainingError.self) {
            try trainer(network(.gru)) { $0.checkpoint?.path = folder.path("none/checkpoint") }
                .run(progress: { _ in steps += 1 })
        }
        #expect("\(error!)".contains("none/checkpoint") && steps == 0)
    }

    /// Their metrics would make the header longer than a safetensors file may have, after days of work.
    @Test func moreEvaluationsThanFitAreRefusedBeforeTheWork() throws {
        let error = #expect(throws: TrainingError.self) {
            try trainer(network(.gru)) { ($0.steps, $0.evaluateEvery) = (1_000_001, 1) }
                .run(shouldStop: {
                    Issue.record("a step was begun")
                    return true
                })
        }
        let sentence = "a checkpoint holds at most 1000000 evaluations, and 1000001 are asked for; evaluate less often"
        #expect(error?.description.hasSuffix(sentence) == true)
        #expect(!Files.exists(folder.path("checkpoint")))
        #expect(
            try trainer(network(.gru)) { ($0.steps, $0.evaluateEvery) = (1_000_000, 1) }.run(shouldStop: { true }).steps
                == 0)
    }

    @Test func everyDamageIsNoticed() throws {
        _ = try trainer(network(.gru)) { $0.steps = 9 }.run()
        let path = folder.path("checkpoint")
        let good = try Files.read(path)
        var random = Random(seed: 1)
        for _ in 0..<200 {
            var bytes = good
            let place = random.below(bytes.count)
            bytes[place] ^= 1 << UInt8(random.below(8))
            try Files.writeAtomically(bytes, to: path)
            #expect(throws: TrainingError.self, "bit flipped in byte \(place)") {
                try CheckpointFile(path: path).read()
            }
        }
        for count in [0, 1, 8, 30, 41, 500, good.count / 2, good.count - 1] {
            try Files.writeAtomically(Array(good[..<count]), to: path)
            #expect(throws: TrainingError.self, "cut to \(count) bytes") { try CheckpointFile(path: path).read() }
        }
        try Files.writeAtomically(good + [0], to: path)
        #expect(throws: TrainingError.self) { try CheckpointFile(path: path).read() }
    }
}
