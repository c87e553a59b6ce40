/// The file that `train` writes its model to, whatever the task. What stands there stays until a model that was trained takes
/// its place.
struct ModelOutput {
    let path: String

    /// How a training ended.
    struct Ending {
        /// What it went on in: "step", "episode".
        var unit = "step"
        /// How many it went.
        let count: Int
        /// After how many the model was that is kept.
        let kept: Int
        /// Why that one.
        let choice: String
        let isInterrupted: Bool
        /// What ended it, where its loss stopped being a number.
        var divergence: TrainingError?

        /// For the progress display.
        var status: String { "\(display.word) after \(count) \(unit)s" }
        var outcome: ProgressDisplay.Outcome { display.outcome }

        private var display: (word: String, outcome: ProgressDisplay.Outcome) {
            if divergence != nil { return ("diverged", .failed) }
            return isInterrupted ? ("interrupted", .interrupted) : ("done", .done)
        }
    }

    /// Throws where the model of so many parameters could not be written, so that the work need not begin.
    func checkRoom(parameters: Int) throws(FileError) {
        try Files.checkWritable(path, room: parameters * MemoryLayout<Float>.size)
    }

    /// Writes the model and prints `summary`, which is made then, unless no step was taken. Says what ended the training before
    /// its time, and which step is kept. Returns the exit status.
    func finish(
        _ ending: Ending, summary: @autoclosure () -> String, write: (String) throws -> Void
    ) throws -> Int32 {
        func say(_ text: String) { Terminal.write("fastweights train: \(text)\n", to: .error) }
        guard ending.count > 0 else {
            say(
                "interrupted before the first \(ending.unit); "
                    + (Files.exists(path) ? "\(path) is as it was" : "no model is written"))
            return 130
        }
        if let divergence = ending.divergence { say("\(divergence)") }
        try write(path)
        Terminal.write(summary())
        let kept = "\(path) holds the model of \(ending.unit) \(ending.kept), \(ending.choice)"
        if ending.divergence != nil {
            say(kept)
            return 1
        }
        guard ending.isInterrupted else { return 0 }
        say("interrupted after \(ending.count) \(ending.unit)s; \(kept)")
        return 130
    }
}

extension ModelOutput.Ending {
    /// Of a training that `divergence`, where there is one, has ended.
    init(_ outcome: Trainer.Outcome, divergence: TrainingError? = nil) {
        self.init(
            count: outcome.steps, kept: outcome.bestStep, choice: Self.choice(error: outcome.bestError),
            isInterrupted: outcome.interrupted, divergence: divergence)
    }

    init(_ run: TrainingRun, divergence: TrainingError? = nil) {
        self.init(
            count: run.steps, kept: run.bestStep, choice: Self.choice(error: run.validationError),
            isInterrupted: run.stoppedEarly != nil && divergence == nil, divergence: divergence)
    }

    /// Of a validation error that is infinite where there was no evaluation.
    private static func choice(error: Double) -> String {
        error.isFinite ? "the best that was evaluated" : "the last, as none was evaluated"
    }

    /// An agent is kept as it is, whatever its evaluations were.
    init(_ curve: CatchCurve) {
        self.init(
            unit: "episode", count: curve.episodes, kept: curve.episodes, choice: "the last",
            isInterrupted: curve.interrupted)
    }
}
