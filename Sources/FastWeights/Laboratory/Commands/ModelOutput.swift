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

        /// For the progress display.
        var status: String { "\(isInterrupted ? "interrupted" : "done") after \(count) \(unit)s" }
        var outcome: ProgressDisplay.Outcome { isInterrupted ? .interrupted : .done }
    }

    /// Throws where the model of so many parameters could not be written, so that the work need not begin.
    func checkRoom(parameters: Int) throws(FileError) {
        try Files.checkWritable(path, room: parameters * MemoryLayout<Float>.size)
    }

    /// Writes the model and prints `summary`, unless no step was taken. Says which step an interrupted training left.
    /// Returns the exit status.
    func finish(_ ending: Ending, summary: String, write: (String) throws -> Void) throws -> Int32 {
        func say(_ text: String) { Terminal.write("fastweights train: interrupted \(text)\n", to: .error) }
        guard ending.count > 0 else {
            say(
                "before the first \(ending.unit); "
                    + (Files.exists(path) ? "\(path) is as it was" : "no model is written"))
            return 130
        }
        try write(path)
        Terminal.write(summary)
        guard ending.isInterrupted else { return 0 }
        let kept = "\(path) holds the model of \(ending.unit) \(ending.kept), \(ending.choice)"
        say("after \(ending.count) \(ending.unit)s; \(kept)")
        return 130
    }
}

extension ModelOutput.Ending {
    init(_ outcome: Trainer.Outcome) {
        self.init(
            count: outcome.steps, kept: outcome.bestStep, choice: Self.choice(error: outcome.bestError),
            isInterrupted: outcome.interrupted)
    }

    init(_ run: TrainingRun) {
        self.init(
            count: run.steps, kept: run.bestStep, choice: Self.choice(error: run.validationError),
            isInterrupted: run.stoppedEarly != nil)
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
