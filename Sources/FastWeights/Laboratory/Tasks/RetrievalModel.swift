/// The models that are compared on associative retrieval: the rows of the paper's Table 1, and controls.
struct RetrievalModel: Sendable {
    /// What the command line calls it.
    let name: String
    /// What tables and reports call it.
    let title: String
    let cell: Cell
    /// Test error in the paper's Table 1 by R, 0...1.
    let paperErrors: [Int: Double]
    /// How long and how fast it trains by default, by the smallest R each entry holds for.
    private let recipes: [(hidden: Int, recipe: Recipe)]

    /// Learning rate, decay, clipping and first embeddings with the lowest validation error in the sweeps that the
    /// article "Reproducing the paper" shows, and steps enough for its curve to be flat at the end.
    struct Recipe: Sendable {
        let learningRate: Double
        var weightDecay = 0.0
        var clip: Float = 5
        /// Standard deviation of the embeddings' first values.
        var embeddingDeviation: Float = 1
        let steps: Int
        /// Steps with `--quick`.
        let quickSteps: Int
    }

    /// The same model with another cell, trained by the same recipes.
    func with(_ cell: Cell, title: String) -> RetrievalModel {
        RetrievalModel(name: name, title: title, cell: cell, paperErrors: [:], recipes: recipes)
    }

    func recipe(hidden: Int) -> Recipe {
        recipes.last { $0.hidden <= hidden }?.recipe ?? recipes[0].recipe
    }

    /// Cost of one training step, in about the same unit for all: multiply-adds of the products, and for each gate's
    /// function about sixty more.
    func cost(hidden: Int, pairs: Int) -> Double {
        let rows = cell.rows(hidden: hidden)
        let steps = 2 * pairs + 3
        return Double(rows * (hidden + 60) * steps + hidden * 300 + 10_000)
    }

    static let all: [RetrievalModel] = [
        RetrievalModel(
            name: "irnn", title: "IRNN", cell: .irnn(), paperErrors: [20: 0.6211, 50: 0.6023, 100: 0.0034],
            recipes: [
                (0, Recipe(learningRate: 7e-4, weightDecay: 0.01, steps: 200_000, quickSteps: 20_000)),
                (50, Recipe(learningRate: 1e-3, weightDecay: 0.01, clip: 1, steps: 60_000, quickSteps: 8000)),
                (100, Recipe(learningRate: 1e-3, weightDecay: 0.03, clip: 1, steps: 60_000, quickSteps: 6000)),
            ]),
        RetrievalModel(
            name: "lstm", title: "LSTM", cell: .lstm(), paperErrors: [20: 0.6081, 50: 0.0185, 100: 0],
            recipes: [
                (0, Recipe(learningRate: 3e-3, clip: 1, steps: 150_000, quickSteps: 8000)),
                (
                    50,
                    Recipe(
                        learningRate: 1e-3, weightDecay: 0.1, embeddingDeviation: 2.5, steps: 40_000, quickSteps: 5000)
                ),
                (100, Recipe(learningRate: 2e-3, weightDecay: 0.1, steps: 30_000, quickSteps: 2500)),
            ]),
        RetrievalModel(
            name: "a-lstm", title: "A-LSTM", cell: .associativeLSTM(),
            paperErrors: [20: 0.6013, 50: 0.0162, 100: 0],
            recipes: [
                (0, Recipe(learningRate: 3e-3, clip: 1, steps: 150_000, quickSteps: 8000)),
                (50, Recipe(learningRate: 2e-3, weightDecay: 0.1, steps: 40_000, quickSteps: 4000)),
                (100, Recipe(learningRate: 2e-3, steps: 20_000, quickSteps: 2000)),
            ]),
        RetrievalModel(
            name: "fast-weights", title: "Fast weights", cell: .fastWeights(),
            paperErrors: [20: 0.0181, 50: 0, 100: 0],
            recipes: [
                (0, Recipe(learningRate: 7e-4, weightDecay: 0.03, steps: 350_000, quickSteps: 20_000)),
                (50, Recipe(learningRate: 1e-3, weightDecay: 0.1, steps: 40_000, quickSteps: 8000)),
                (100, Recipe(learningRate: 1e-3, steps: 20_000, quickSteps: 3000)),
            ]),
        RetrievalModel(
            name: "rnn", title: "RNN (tanh)", cell: .rnn(activation: .tanh), paperErrors: [:],
            recipes: [(0, Recipe(learningRate: 1e-3, steps: 60_000, quickSteps: 8000))]),
        RetrievalModel(
            name: "gru", title: "GRU", cell: .gru, paperErrors: [:],
            recipes: [(0, Recipe(learningRate: 2e-3, steps: 40_000, quickSteps: 5000))]),
        RetrievalModel(
            name: "ln-irnn", title: "IRNN, layer norm", cell: .irnn(hasLayerNorm: true), paperErrors: [:],
            recipes: [(0, Recipe(learningRate: 1e-3, steps: 60_000, quickSteps: 8000))]),
        RetrievalModel(
            name: "ln-lstm", title: "LSTM, layer norm", cell: .lstm(hasLayerNorm: true), paperErrors: [:],
            recipes: [(0, Recipe(learningRate: 2e-3, steps: 40_000, quickSteps: 5000))]),
        RetrievalModel(
            name: "no-memory", title: "Inner step, η = 0", cell: .fastWeights(FastWeightsOptions(writeRate: 0)),
            paperErrors: [:], recipes: [(0, Recipe(learningRate: 1e-3, steps: 40_000, quickSteps: 8000))]),
    ]

    static func named(_ name: String) -> RetrievalModel {
        guard let model = all.first(where: { $0.name == name }) else {
            misuse("no model is named \(name); there are \(all.map(\.name).joined(separator: ", "))")
        }
        return model
    }
}
