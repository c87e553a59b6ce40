/// One table or figure of Ba, Hinton, Mnih, Leibo and Ionescu, "Using Fast Weights to Attend to the Recent Past" (2016):
/// what is trained for it, and how it is shown beside the paper's.
struct PaperExperiment: Sendable {
    /// What the command line and the files call it.
    let name: String
    let title: String
    /// Paragraphs on what is asked.
    let introduction: [String]
    /// What the table shows, 0...1.
    let measure: Measure
    let rows: [String]
    let columns: [String]
    /// The paper's figures by row and column.
    let paper: [String: [String: Double]]
    /// What an outcome's milestone is, where the table shows it.
    var milestone: String?
    /// Whether the results of a place are the parts of a cross-validation, of which the mean has a confidence interval.
    var hasInterval = false
    var figures: [Figure] = []
    /// What the paper leaves open or we did otherwise, a paragraph each.
    let deviations: [String]
    /// Pictures of what its outcomes' drawings hold.
    var draw: (@Sendable (JSON) -> [HTMLPage.Figure])?
    /// The trainings, for each seed of the scale.
    let jobs: @Sendable (Scale) -> [PaperJob]

    enum Measure: Sendable {
        case testError, testAccuracy, catchRate

        var name: String {
            switch self {
            case .testError: "test error"
            case .testAccuracy: "test accuracy"
            case .catchRate: "catch rate"
            }
        }

        var lowerIsBetter: Bool { self == .testError }
    }

    /// A picture of the learning curves of one column.
    struct Figure: Sendable {
        let column: String
        /// The name of the curves.
        let curve: String
        let title: String
        let xLabel: String
        let yLabel: String
        var yAxis = LinePlot.Axis.linear
        var references: [LinePlot.Reference] = []
    }

    /// How much is trained.
    struct Scale: Sendable {
        /// A version of minutes, to see that everything runs.
        var isQuick = false
        /// Trainings of each cell of a table; nil for each experiment's own number.
        var seeds: Int?

        /// The seeds of an experiment that by itself has `count` of them; one when quick.
        func seeds(_ count: Int) -> [UInt64] {
            (1...UInt64(seeds ?? (isQuick ? 1 : count))).map { $0 }
        }
    }

    /// All of them. The last is there only with its data, so that it does not change the numbers of the others' jobs.
    static let all: [PaperExperiment] = [
        .retrieval, .controls, .glimpses, .catching, .inside, .readings, .faces,
    ]
}
