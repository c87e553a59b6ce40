import Testing

@testable @_spi(Laboratory) import FastWeights

/// Trainings whose length is a number of epochs.
@Suite struct EpochTests {
    @Test func epochsAreSteps() {
        let epoch = Epoch(examples: 10, perStep: 4)
        #expect((1...4).map { epoch.steps($0) } == [3, 5, 8, 10])
        #expect((0...8).map { epoch.over(after: $0) } == [0, 0, 0, 1, 1, 2, 2, 2, 3])
        let short = Epoch(examples: 3, perStep: 10)
        #expect((1...4).map { short.steps($0) } == [1, 1, 1, 2] && short.over(after: 2) == 6)
        #expect(epoch.steps(.max) == .max && epoch.over(after: .max) == .max)
        var options = TrainingOptions()
        options.evaluatesEachEpoch = true
        #expect((1...10).filter { options.isEvaluated($0, epoch) } == [3, 5, 8, 10])
        #expect((1...3).allSatisfy { options.isEvaluated($0, short) } && options.evaluations(upTo: 8, epoch) == 3)
        (options.evaluatesEachEpoch, options.evaluateEvery) = (false, 3)
        #expect((1...10).filter { options.isEvaluated($0, epoch) } == [3, 6, 9])
    }

    private struct Trained {
        var bits: [Float]
        var outcome: Trainer.Outcome
        var epochs: [Int]
    }

    private static func train(_ stop: Int = .max, _ change: (inout TrainingOptions) -> Void) throws -> Trained {
        let sets = try AssociativeRetrieval(pairs: 2).generate(counts: [10, 20], seed: 1).map(\.sequences)
        let model = TrainingTests.model(.gru, hidden: 3)
        var options = TrainingOptions()
        (options.batch, options.perfectEvaluations, options.schedule) = (4, .max, .cosine.afterWarmUp(of: 2))
        change(&options)
        var (epochs, left) = ([Int](), stop)
        let outcome = try Trainer(model, training: sets[0], validation: sets[1], options: options).run(
            progress: { epochs.append($0.epoch) },
            shouldStop: {
                left -= 1
                return left < 0
            })
        return Trained(bits: model.parameters.block.array, outcome: outcome, epochs: epochs)
    }

    /// Three epochs of ten examples are eight steps of four, evaluated in those in which an epoch ends.
    @Test func aTrainingHasItsEpochs() throws {
        let epochs = try Self.train { ($0.epochs, $0.evaluatesEachEpoch) = (3, true) }
        #expect(epochs.outcome.curve.map(\.step) == [3, 5, 8] && epochs.epochs == [1, 2, 3])
        // The same by the number of steps, which rates and order follow.
        let steps = try Self.train { ($0.steps, $0.evaluatesEachEpoch) = (8, true) }
        expectSame(steps.bits, epochs.bits)
        let rare = try Self.train { ($0.epochs, $0.steps, $0.evaluateEvery) = (3, 1, 6) }
        #expect(rare.outcome.curve.map(\.step) == [6, 8] && rare.epochs == [2, 3])
    }

    @Test func epochsGoOnFromACheckpoint() throws {
        try TemporaryFolder.with { folder in
            func train(_ stop: Int = .max, every epoch: Bool = true) throws -> Trained {
                try Self.train(stop) {
                    ($0.epochs, $0.evaluatesEachEpoch, $0.evaluateEvery) = (3, epoch, 3)
                    $0.checkpoint = CheckpointOptions(path: folder + "/checkpoint", every: 100, resumes: true)
                }
            }
            #expect(try train(6).outcome.curve.map(\.step) == [3, 5])
            let error = #expect(throws: TrainingError.self) { try train(every: false) }
            #expect("\(error!)".contains("steps between evaluations was \"an epoch\" there and is 3 here"))
            let resumed = try train()
            #expect(resumed.outcome.curve.map(\.step) == [3, 5, 8])
            expectSame(resumed.bits, try Self.train { ($0.epochs, $0.evaluatesEachEpoch) = (3, true) }.bits)
        }
    }

    /// An epoch of a text is all windows of its streams, the short last one too.
    @Test func anEpochOfATextIsItsWindows() throws {
        let vocabulary = TextVocabulary(of: TextModelTests.content)
        let text = try TrainingText(TextModelTests.content, vocabulary)
        for (window, streams) in [(8, 35), (5, 1), (16, 3), (64, 1 << 20)] {
            var options = TrainingOptions()
            (options.epochs, options.batch) = (2, streams)
            let model = TextModel(.gru, hidden: 2, vocabulary: vocabulary, seed: 1)
            let trainer = Trainer(model, text: text, window: window, options: options)
            let windows = TextStreams(
                text.training, window: window, streams: streams, model.network.definition
            ).windows
            #expect(trainer.options.steps == 2 * windows && windows >= 1, "\(window), \(streams)")
        }
        let model = TextModel(.gru, hidden: 2, vocabulary: vocabulary, seed: 1)
        var options = TrainingOptions()
        (options.epochs, options.batch) = (1, 3)
        let length = text.training.longest / 3
        #expect(Trainer(model, text: text, window: 7, options: options).options.steps == (length + 6) / 7)
    }

    @Test func theToolTakesEpochsAndSchedules() throws {
        func problem(_ words: String...) -> String {
            do {
                _ = try Command.train.run(Command.train.parse(words + ["--output", "/nowhere/model"]))
                return ""
            } catch { return "\(error)" }
        }
        #expect(
            problem("--epochs", "2", "--steps", "3")
                == "--epochs and --steps both say how long to train; give one of them.")
        #expect(problem("--epochs", "0").hasPrefix("--epochs expects a whole number from 1 to 1000000"))
        #expect(
            problem("--schedule", "warm-up then cosine")
                == "--schedule expects \(Schedule.forms), but found \"warm-up then cosine\"; for example --schedule \"warm-up 500 then cosine\"."
        )
        #expect(
            problem("--task", "catch", "--epochs", "2").contains("--epochs is for --task associative-retrieval or text")
        )
        try TemporaryFolder.with { folder in
            let words = [
                "train", "--hidden", "4", "--pairs", "2", "--batch", "200", "--epochs", "2", "--schedule",
                "warm-up 2 then cosine", "--output", folder + "/model", "--train-examples", "500",
                "--validation-examples", "50", "--test-examples", "50", "--checkpoint", folder + "/checkpoint",
            ]
            #expect(CommandLineTool.run(arguments: words) == 0)
            let file = try CheckpointFile(path: folder + "/checkpoint").read()
            #expect(file.identity["steps"]?.integer == 5 && file.state["curve"]?.elements?.count == 2)
            #expect(file.identity["schedule"]?.text == "warm-up 2 then cosine")
        }
    }
}
