import Testing

@testable import FastWeights

/// A training that goes on from its checkpoint, and files that it must not go on from.
@Suite struct CheckpointTests {
    private let folder = TemporaryFolder()

    private func trainer(_ model: SequenceClassifier, _ change: (inout TrainingOptions) -> Void = { _ in }) throws
        -> Trainer
    {
        let sets = try AssociativeRetrieval(pairs: 2).generate(counts: [300, 60], seed: 3)
        var options = TrainingOptions()
        (options.steps, options.batch, options.evaluateEvery, options.learningRate) = (70, 37, 20, 3e-3)
        options.checkpoint = CheckpointOptions(path: folder.path("checkpoint"), every: 9, resumes: true)
        change(&options)
        return Trainer(model, training: sets[0], validation: sets[1], options: options)
    }

    private func network(_ cell: Cell, seed: UInt64 = 7) -> SequenceClassifier {
        SequenceClassifier(ClassifierConfiguration(cell, hidden: 13, vocabulary: 37, classes: 10), seed: seed)
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
        #expect(outcome.curve.map(\.validationLoss) == expected.curve.map(\.validationLoss))
        #expect(outcome.curve.map(\.trainingLoss) == expected.curve.map(\.trainingLoss))
        #expect(outcome.bestStep == expected.bestStep && outcome.steps == 70)
        #expect(model.parameters.block.array == whole.parameters.block.array)
    }

    @Test func aTrainingThatIsOverStaysSo() throws {
        let model = network(.gru)
        let outcome = try trainer(model).run()
        let again = network(.gru, seed: 9)
        #expect(try trainer(again).run().curve.count == outcome.curve.count)
        #expect(again.parameters.block.array == model.parameters.block.array)
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
        #expect("\(error!)".contains("--resume"))
        #expect(try Files.read(folder.path("checkpoint")) == before)
    }

    @Test func aPlaceThatCannotBeWrittenIsFoundBeforeTheWork() throws {
        var steps = 0
        let error = #expect(throws: TrainingError.self) {
            try trainer(network(.gru)) { $0.checkpoint?.path = folder.path("none/checkpoint") }
                .run(progress: { _ in steps += 1 })
        }
        #expect("\(error!)".contains("none/checkpoint") && steps == 0)
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
            #expect(throws: CheckpointError.self, "bit flipped in byte \(place)") { try CheckpointFile(path: path) }
        }
        for count in [0, 1, 8, 30, 41, 500, good.count / 2, good.count - 1] {
            try Files.writeAtomically(Array(good[..<count]), to: path)
            #expect(throws: CheckpointError.self, "cut to \(count) bytes") { try CheckpointFile(path: path) }
        }
        try Files.writeAtomically(good + [0], to: path)
        #expect(throws: CheckpointError.self) { try CheckpointFile(path: path) }
    }
}
