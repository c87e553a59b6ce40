/// One training of the paper's experiments.
struct PaperJob: Sendable {
    /// The name of its experiment, for example "table-1".
    let experiment: String
    /// Where the result stands in the experiment's table.
    let row: String
    let column: String
    let seed: UInt64
    let settings: [(name: String, value: String)]
    /// Whether it is cut short, to see that everything runs.
    let isQuick: Bool
    /// What stands in for the paper's data, if anything does.
    var standIn: String?
    /// About how long it takes on one core, in seconds.
    let seconds: Double
    /// The measure of a training that comes to nothing.
    let worst: Double
    /// Does the work.
    let train: @Sendable (JobContext) throws -> Outcome

    /// Does the work. A loss that stops being a number is a result too: all that is asked is taken as answered wrong.
    func run(_ context: JobContext) throws -> Outcome {
        do {
            return try train(context)
        } catch TrainingError.diverged(let step, _) {
            var outcome = Outcome(measure: worst)
            outcome.steps = step
            outcome.facts = [Fact(name: Fact.diverged, value: "at step \(step)")]
            return outcome
        }
    }

    /// What came out.
    struct Outcome: Sendable, Equatable {
        /// The measure of the experiment's table, 0...1: test error, accuracy, catch rate.
        var measure: Double
        /// The same on the validation examples, by which the model was kept.
        var validation: Double?
        /// The step at which something was reached, if it was.
        var milestone: Double?
        var steps = 0
        var parameters = 0
        /// Learning curves by name.
        var curves: [Curve] = []
        /// What stood in for data that were not there.
        var data: String?
        /// What else there is to say, in the order shown.
        var facts: [Fact] = []
        /// What a picture is drawn from.
        var drawing: JSON?
    }

    struct Curve: Sendable, Equatable {
        static let validationError = "validation error"
        static let validationLoss = "validation loss"

        var name: String
        var points: [LinePlot.Point]
    }

    struct Fact: Sendable, Equatable {
        /// The name of what says when a training's loss stopped being a number.
        static let diverged = "diverged"

        var name: String
        var value: String
    }

    /// Names the job and its file: "table-1/fast-weights/r-50/seed-1". Quick ones and those on other data have names of
    /// their own, so that none takes the place of a whole one.
    var id: String {
        ([experiment, PaperJob.slug(row), PaperJob.slug(column)] + (isQuick ? ["quick"] : [])
            + (standIn.map { [PaperJob.slug($0)] } ?? []) + ["seed-\(seed)"]).joined(separator: "/")
    }

    /// Latin letters and digits in lower case, the paper's Greek letters by their names, all else one hyphen.
    private static func slug(_ text: String) -> String {
        let spelled = text.map { ["λ": "lambda", "η": "eta"][$0] ?? $0.lowercased() }.joined()
        return spelled.split { !$0.isASCII || !($0.isLetter || $0.isNumber || $0 == ".") }.joined(separator: "-")
    }
}

extension PaperJob: IndependentJob {
    var name: String { id }
    var work: Double { seconds }

    func result(_ context: JobContext) throws -> PaperResult {
        let start = ContinuousClock.now
        let outcome = try run(context)
        return PaperResult(self, outcome, seconds: (ContinuousClock.now - start).seconds)
    }

    func owns(_ result: PaperResult) -> Bool {
        (result.experiment, result.row, result.column, result.seed) == (experiment, row, column, seed)
            && result.settings.elementsEqual(settings) { ($0.name, $0.value) == ($1.name, $1.value) }
    }

    func status(of result: PaperResult) -> (text: String, outcome: ProgressDisplay.Outcome) {
        (FixedPoint.percent(result.outcome.measure), .done)
    }
}
