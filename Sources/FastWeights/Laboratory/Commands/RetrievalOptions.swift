/// The options that several commands on associative retrieval share, and what they make of them.
extension Option {
    static let pairs = Option(
        name: "pairs", placeholder: "K", kind: .integer(1...26), defaultValue: "4",
        help: "Letter-digit pairs a sequence")
    static let distinctDigits = Option(
        name: "distinct-digits", kind: .flag, help: "Draw the digits of a sequence without replacement")
    static let trainingExamples = Option(
        name: "train-examples", placeholder: "N", kind: .integer(1...10_000_000), defaultValue: "100000",
        help: "Training examples; none of them is among the validation or test examples")
    static let validationExamples = Option(
        name: "validation-examples", placeholder: "N", kind: .integer(1...10_000_000), defaultValue: "10000",
        help: "Validation examples, by which models are chosen")
    static let testExamples = Option(
        name: "test-examples", placeholder: "N", kind: .integer(1...10_000_000), defaultValue: "20000",
        help: "Test examples, looked at once")
    static func hidden(_ units: Int = 50) -> Option {
        Option(
            name: "hidden", placeholder: "R", kind: .integer(1...4096), defaultValue: "\(units)",
            help: "Recurrent units")
    }
    static func batch(_ size: Int = 128, of what: String = "Sequences") -> Option {
        Option(
            name: "batch", placeholder: "B", kind: .integer(1...65_536), defaultValue: "\(size)",
            help: "\(what) a step")
    }
    /// Without a norm each model has its own.
    static func clip(_ norm: String? = nil) -> Option {
        Option(
            name: "clip", placeholder: "X", kind: .number(0...1e9), defaultValue: norm,
            defaultShown: norm ?? "each model's own", help: "Global norm the gradients are clipped to; 0 for none")
    }
    static let embeddingDeviation = Option(
        name: "embedding-deviation", placeholder: "X", kind: .number(0...1e3), defaultShown: "each model's own",
        help: "Standard deviation of the embeddings' first values")
    static func schedule(_ schedule: Schedule = .cosine) -> Option {
        Option(
            name: "schedule", placeholder: "WORDS",
            kind: .form(Schedule.forms, example: "\"warm-up 500 then cosine\"") { Schedule($0) != nil },
            defaultValue: schedule.description,
            help: "How the learning rate changes in the course of the training, the words in quotes")
    }
    static let weightDecay = Option(
        name: "weight-decay", placeholder: "X", kind: .number(0...1e3), defaultShown: "each model's own",
        help: "What Adam takes off every parameter at each step, as a share of it, over the learning rate")
    static func evaluateEvery(_ count: Int = 500, of what: String = "Steps", at examples: String) -> Option {
        Option(
            name: "evaluate-every", placeholder: "N", kind: .integer(1...1_000_000), defaultValue: "\(count)",
            help: "\(what) between two looks at \(examples)")
    }
    static let patience = Option(
        name: "patience", placeholder: "N", kind: .integer(0...1_000_000), defaultValue: "0",
        help: "Stop after N evaluations without a lower validation error; 0 for never")

    static let data: [Option] = [.pairs, .distinctDigits, .trainingExamples, .validationExamples, .testExamples]

    /// What `TrainingOptions` takes beside the batch and the clipping.
    static func evaluation(at examples: String = "the validation examples") -> [Option] {
        [.weightDecay, .schedule(), .evaluateEvery(at: examples), .patience]
    }
}

extension RetrievalData {
    /// The task and its examples as the options ask, drawn with `seed`.
    init(_ arguments: ParsedArguments, seed: UInt64) throws(TaskError) {
        try self.init(
            AssociativeRetrieval(
                pairs: arguments.integer("pairs"), repeatsDigits: !arguments.flag("distinct-digits")),
            counts: ["train-examples", "validation-examples", "test-examples"].map { arguments.integer($0) },
            seed: seed)
    }
}

extension RetrievalTraining {
    /// Takes what the options say of first values.
    mutating func takeFirstValues(_ arguments: ParsedArguments) {
        if arguments.hasValue("embedding-deviation") {
            embeddingDeviation = Float(arguments.number("embedding-deviation"))
        }
    }
}

extension RetrievalModel {
    /// Throws unless its cell can have so many hidden units.
    func check(hidden: Int) throws(UsageError) {
        guard let problem = cell.problem(hidden: hidden) else { return }
        throw UsageError("\(name) with --hidden \(hidden): \(problem)")
    }
}

extension TrainingOptions {
    /// The options of a training, and the model's recipe for what they leave open.
    init(_ arguments: ParsedArguments, _ recipe: RetrievalModel.Recipe, quick: Bool = false) {
        self.init(recipe, quick: quick)
        if arguments.hasValue("steps") { steps = arguments.integer("steps") }
        if arguments.hasValue("weight-decay") { optimizer = .adam(weightDecay: arguments.number("weight-decay")) }
        if arguments.hasValue("clip") { clip = arguments.clip }
        batch = arguments.integer("batch")
        schedule = Schedule(arguments.text("schedule")) ?? .cosine
        evaluateEvery = arguments.integer("evaluate-every")
        patience = arguments.integer("patience") > 0 ? arguments.integer("patience") : nil
    }
}

extension ParsedArguments {
    /// The norm of --clip; nil of 0. One that is 0 as a `Float` is the least that is not.
    var clip: Float? {
        let norm = number("clip")
        return norm > 0 ? max(Float(norm), .leastNormalMagnitude) : nil
    }
}
