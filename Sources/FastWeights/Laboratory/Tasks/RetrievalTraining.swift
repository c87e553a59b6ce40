/// One training of one model on associative retrieval, from first values to test error.
struct RetrievalTraining: Sendable {
    let model: RetrievalModel
    let hidden: Int
    let seed: UInt64
    /// Of the embeddings' first values.
    var embeddingDeviation: Float
    var options: TrainingOptions

    /// A training whose embeddings begin as the model's recipe says.
    init(model: RetrievalModel, hidden: Int, seed: UInt64, options: TrainingOptions) {
        (self.model, self.hidden, self.seed, self.options) = (model, hidden, seed, options)
        embeddingDeviation = model.recipe(hidden: hidden).embeddingDeviation
    }

    var name: String {
        "\(model.title) R=\(hidden) seed \(seed) rate \(JSON.number(options.learningRate).serialized())"
    }

    /// What decides the result, beside the seeds of training and examples; `counts` of examples in training, validation and
    /// test.
    func settings(_ counts: [Int]) -> [(name: String, value: String)] {
        [
            ("cell", model.cell.json(input: 100, hidden: hidden).serialized()),
            ("steps", "\(options.steps)"), ("batch", "\(options.batch)"),
            ("learning rate", JSON.number(options.learningRate).serialized()),
            ("weight decay", JSON.number(options.optimizer.weightDecay).serialized()),
            ("clip", options.clip.map { JSON.number(Double($0)).serialized() } ?? "none"),
            ("schedule", options.schedule.description),
            ("deviation of embeddings", JSON.number(Double(embeddingDeviation)).serialized()),
            ("examples", counts.map { "\($0)" }.joined(separator: ", ")),
        ]
    }

    private var configuration: NetworkConfiguration {
        AssociativeRetrieval.classifier(model.cell.layer(hidden), embeddingDeviation: embeddingDeviation)
    }

    /// Trained numbers in the whole network.
    var parameterCount: Int { configuration.layout.parameterCount }

    /// About how long it takes, beside others.
    func work(pairs: Int) -> Double { model.cost(hidden: hidden, pairs: pairs) * Double(options.steps) }

    /// Trains, tests the kept model and says how it went. Throws when the loss diverges.
    func run(
        _ data: RetrievalData, shouldStop: () -> Bool = { Interruption.requested },
        progress: (Trainer.Progress) -> Void
    ) throws(TrainingError) -> (run: TrainingRun, model: Network) {
        let (run, model, divergence) = try runKeepingBest(data, shouldStop: shouldStop, progress: progress)
        if let divergence { throw divergence }
        return (run, model)
    }

    /// The same, but a loss that diverges behind a good evaluation is given beside the best model there was.
    func runKeepingBest(
        _ data: RetrievalData, shouldStop: () -> Bool = { Interruption.requested },
        progress: (Trainer.Progress) -> Void
    ) throws(TrainingError) -> (run: TrainingRun, model: Network, divergence: TrainingError?) {
        let start = ContinuousClock.now
        let network = Network(configuration, seed: seed)
        let trainer: Trainer
        do {
            trainer = try Trainer(
                network, training: data.training.sequences, validation: data.validation.sequences, options: options)
        } catch { misuse("the network is made for these sequences: \(error)") }
        let (outcome, divergence) = try trainer.runKeepingBest(progress: progress, shouldStop: shouldStop)
        let test = network.evaluate(data.test, threads: options.threads)
        let isPapersTask = data.task.pairs == 4 && data.task.repeatsDigits
        let run = TrainingRun(
            model: model.title, hidden: hidden, pairs: data.task.pairs, seed: seed, learningRate: options.learningRate,
            parameters: parameterCount, steps: outcome.steps, bestStep: outcome.bestStep,
            validationError: outcome.bestError, testError: test.error, testLoss: test.loss,
            stepsBelowOnePercent: outcome.stepsBelowOnePercent, seconds: (ContinuousClock.now - start).seconds,
            curve: outcome.curve,
            stoppedEarly: outcome.interrupted ? "interrupted after \(outcome.steps) steps" : divergence?.description,
            paperError: isPapersTask ? model.paperErrors[hidden] : nil)
        return (run, network, divergence)
    }

    /// What is recorded of a training whose loss diverged.
    func failure(_ error: TrainingError, _ data: RetrievalData) -> TrainingRun {
        TrainingRun(
            model: model.title, hidden: hidden, pairs: data.task.pairs, seed: seed, learningRate: options.learningRate,
            parameters: parameterCount, steps: 0, bestStep: 0, validationError: 1, testError: 1,
            testLoss: .infinity, stepsBelowOnePercent: nil, seconds: 0, curve: [], stoppedEarly: error.description)
    }
}

extension Trainer {
    /// Trains as `run` does, but a loss that diverges behind a good evaluation is given beside what came out before, of which
    /// the model is the best.
    func runKeepingBest(
        progress: (Progress) -> Void, shouldStop: () -> Bool
    ) throws(TrainingError) -> (outcome: Outcome, divergence: TrainingError?) {
        do throws(TrainingError) {
            return (try run(progress: progress, shouldStop: shouldStop), nil)
        } catch {
            guard case .diverged = error, outcome.bestStep > 0 else { throw error }
            return (outcome, error)
        }
    }
}

extension TrainingOptions {
    /// A recipe's; `quick` for a first look.
    init(_ recipe: RetrievalModel.Recipe, quick: Bool = false) {
        self.init()
        learningRate = recipe.learningRate
        steps = quick ? recipe.quickSteps : recipe.steps
        optimizer = .adam(weightDecay: recipe.weightDecay)
        clip = recipe.clip > 0 ? recipe.clip : nil
    }
}
