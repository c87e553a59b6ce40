/// One training, as `compare` and `train` record it: what was trained, how it went and what came out.
struct TrainingRun: Sendable {
    /// The model's name as the paper's table writes it, for example "Fast weights".
    var model: String
    /// Hidden units, R in the paper's table.
    var hidden: Int
    /// Key-value pairs a sequence, K.
    var pairs: Int
    var seed: UInt64
    var learningRate: Double
    /// Trained numbers in the whole network.
    var parameters: Int
    /// Optimizer steps taken.
    var steps: Int
    /// The step whose model was kept: the lowest validation error, or the last step where there was no evaluation.
    var bestStep: Int
    /// Of the kept model, 0...1; infinite where there was no evaluation.
    var validationError: Double
    /// Test classification error of the kept model, 0...1.
    var testError: Double
    var testLoss: Double
    /// First evaluated step with a validation error below 1 %, if one was reached.
    var stepsBelowOnePercent: Int?
    var seconds: Double
    var curve: [Trainer.Point]
    /// Set when training ended otherwise than by finishing its schedule or by early stopping, with the reason.
    var stoppedEarly: String?
    /// The paper's test error for this cell of its Table 1, 0...1, where it has one.
    var paperError: Double?
    /// Everything that decided the result, in the order shown.
    var settings: [(name: String, value: String)] = []
}

/// A training of a comparison that has no result: it was stopped before its end, or its result could not be kept.
struct UnfinishedTraining: Sendable {
    /// The model's name as the paper's table writes it.
    var model: String
    var hidden: Int
    var pairs: Int
    var seed: UInt64
    var learningRate: Double
}
