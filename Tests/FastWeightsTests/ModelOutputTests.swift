import Testing

@testable import FastWeights

/// The file that `train` writes: what is there stays unless a model that was trained takes its place.
@Suite struct ModelOutputTests {
    private let folder = TemporaryFolder()
    private var output: ModelOutput { ModelOutput(path: folder.path("model")) }

    private func finish(steps: Int, interrupted: Bool) throws -> (status: Int32, content: [UInt8]) {
        try Files.writeAtomically([1, 2, 3], to: output.path)
        let ending = ModelOutput.Ending(count: steps, kept: steps, choice: "the last", isInterrupted: interrupted)
        let status = try output.finish(ending, summary: "") { try Files.writeAtomically([9], to: $0) }
        return (status, try Files.read(output.path))
    }

    @Test func onlyATrainedModelTakesThePlaceOfAnother() throws {
        for (steps, interrupted, status, content) in [
            (0, true, 130, [1, 2, 3]), (1, true, 130, [9]), (7, false, 0, [9]),
        ] as [(Int, Bool, Int32, [UInt8])] {
            let found = try finish(steps: steps, interrupted: interrupted)
            #expect(found.status == status && found.content == content, "\(steps) steps")
        }
    }

    /// The best model is worth keeping, and the training has failed all the same.
    @Test func aDivergedTrainingLeavesItsBestModelAndFails() throws {
        try Files.writeAtomically([1, 2, 3], to: output.path)
        var outcome = Trainer.Outcome()
        (outcome.steps, outcome.bestStep, outcome.bestError) = (121, 100, 0.5)
        let divergence = TrainingError.diverged(step: 122, learningRate: 1)
        let run = TrainingRun.sample("GRU", 5, error: 0.5, stopped: divergence.description)
        for ending in [
            ModelOutput.Ending(outcome, divergence: divergence), ModelOutput.Ending(run, divergence: divergence),
        ] {
            #expect(ending.status == "diverged after \(ending.count) steps" && ending.outcome == .failed)
            #expect(ending.choice == "the best that was evaluated" && !ending.isInterrupted)
            #expect(try output.finish(ending, summary: "") { try Files.writeAtomically([9], to: $0) } == 1)
            #expect(try Files.read(output.path) == [9])
        }
    }

    @Test func anEndingSaysWhatIsKept() throws {
        var outcome = Trainer.Outcome()
        (outcome.steps, outcome.bestStep, outcome.interrupted) = (121, 121, true)
        let last = ModelOutput.Ending(outcome)
        #expect(last.status == "interrupted after 121 steps" && last.outcome == .interrupted)
        #expect(last.choice == "the last, as none was evaluated")
        outcome.curve = [.init(step: 100, trainingLoss: 1, validationLoss: 1, validationError: 1)]
        (outcome.bestStep, outcome.bestError, outcome.interrupted) = (100, 1, false)
        let best = ModelOutput.Ending(outcome)
        #expect(best.status == "done after 121 steps" && best.outcome == .done && best.kept == 100)
        #expect(best.choice == "the best that was evaluated")
        var run = TrainingRun.sample("GRU", 5, error: 0.5)
        #expect(ModelOutput.Ending(run).kept == 900 && !ModelOutput.Ending(run).isInterrupted)
        (run.validationError, run.stoppedEarly) = (.infinity, "interrupted after 1000 steps")
        #expect(
            ModelOutput.Ending(run).status == "interrupted after 1000 steps"
                && ModelOutput.Ending(run).choice == last.choice)
    }

    /// 100,000 numbers have room in a temporary folder, and beside the file nothing is left.
    @Test func roomIsLookedForWithoutATrace() throws {
        try Files.writeAtomically([1, 2, 3], to: output.path)
        try output.checkRoom(parameters: 100_000)
        #expect(try Files.list(folder.path) == ["model"] && Files.read(output.path) == [1, 2, 3])
        #expect(throws: FileError.self) {
            try ModelOutput(path: folder.path("none/model")).checkRoom(parameters: 1)
        }
        #expect(throws: FileError.self) { try ModelOutput(path: folder.path).checkRoom(parameters: 1) }
    }
}
