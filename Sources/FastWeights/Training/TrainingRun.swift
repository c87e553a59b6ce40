/// One finished training, as `compare` and `train` record it: what was trained, how it went and what came out.
public struct TrainingRun: Sendable {
    /// A point of the learning curve.
    public struct Point: Sendable {
        /// Optimizer steps taken so far.
        public var step: Int
        /// Mean training loss in nats since the point before.
        public var trainingLoss: Double
        /// Mean validation loss in nats.
        public var validationLoss: Double
        /// Validation classification error, 0...1.
        public var validationError: Double

        public init(step: Int, trainingLoss: Double, validationLoss: Double, validationError: Double) {
            self.step = step
            self.trainingLoss = trainingLoss
            self.validationLoss = validationLoss
            self.validationError = validationError
        }
    }

    /// The model's name as the paper's table writes it, for example "Fast weights".
    public var model: String
    /// Hidden units, R in the paper's table.
    public var hidden: Int
    /// Key-value pairs a sequence, K.
    public var pairs: Int
    public var seed: UInt64
    public var learningRate: Double
    /// Trained numbers in the whole network.
    public var parameters: Int
    /// Optimizer steps taken.
    public var steps: Int
    /// The step whose model was kept: the lowest validation error.
    public var bestStep: Int
    public var validationError: Double
    /// Test classification error of the kept model, 0...1.
    public var testError: Double
    public var testLoss: Double
    /// First evaluated step with a validation error below 1 %, if one was reached.
    public var stepsBelowOnePercent: Int?
    public var seconds: Double
    public var curve: [Point]
    /// Set when training ended otherwise than by finishing its schedule or by early stopping, with the reason.
    public var stoppedEarly: String?
    /// The paper's test error for this cell of its Table 1, 0...1, where it has one.
    public var paperError: Double?

    public init(
        model: String, hidden: Int, pairs: Int, seed: UInt64, learningRate: Double, parameters: Int, steps: Int,
        bestStep: Int, validationError: Double, testError: Double, testLoss: Double, stepsBelowOnePercent: Int?,
        seconds: Double, curve: [Point], stoppedEarly: String? = nil, paperError: Double? = nil
    ) {
        self.model = model
        self.hidden = hidden
        self.pairs = pairs
        self.seed = seed
        self.learningRate = learningRate
        self.parameters = parameters
        self.steps = steps
        self.bestStep = bestStep
        self.validationError = validationError
        self.testError = testError
        self.testLoss = testLoss
        self.stepsBelowOnePercent = stepsBelowOnePercent
        self.seconds = seconds
        self.curve = curve
        self.stoppedEarly = stoppedEarly
        self.paperError = paperError
    }
}
