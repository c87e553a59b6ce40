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
        "\(model.title) R=\(hidden) seed \(seed) rate \(JSON.number(options.learningRate).serialised())"
    }

    /// About how long it takes, beside others.
    func work(pairs: Int) -> Double { model.cost(hidden: hidden, pairs: pairs) * Double(options.steps) }

    /// Trains, tests the kept model and says how it went. Throws when the loss diverges.
    func run(
        _ data: RetrievalData, shouldStop: () -> Bool = { Interruption.requested },
        progress: (Trainer.Progress) -> Void
    ) throws(TrainingError) -> (run: TrainingRun, model: SequenceClassifier) {
        let start = ContinuousClock.now
        let network = SequenceClassifier(
            ClassifierConfiguration(
                model.cell, hidden: hidden, vocabulary: AssociativeRetrieval.vocabulary,
                classes: AssociativeRetrieval.classes), seed: seed, embeddingDeviation: embeddingDeviation)
        let trainer = Trainer(network, training: data.training, validation: data.validation, options: options)
        let outcome = try trainer.run(progress: progress, shouldStop: shouldStop)
        let test = network.evaluate(data.test, threads: options.threads)
        let isPapersTask = data.task.pairs == 4 && data.task.repeatsDigits
        let run = TrainingRun(
            model: model.title, hidden: hidden, pairs: data.task.pairs, seed: seed, learningRate: options.learningRate,
            parameters: network.parameters.layout.parameterCount, steps: outcome.steps, bestStep: outcome.bestStep,
            validationError: outcome.curve.isEmpty ? 1 : outcome.bestError,
            testError: test.error, testLoss: test.loss,
            stepsBelowOnePercent: outcome.stepsBelowOnePercent, seconds: (ContinuousClock.now - start).seconds,
            curve: outcome.curve,
            stoppedEarly: outcome.interrupted ? "interrupted at step \(outcome.steps) of \(options.steps)" : nil,
            paperError: isPapersTask ? model.paperErrors[hidden] : nil)
        return (run, network)
    }

    /// What is recorded of a training whose loss diverged.
    func failure(_ error: TrainingError, _ data: RetrievalData) -> TrainingRun {
        let layout = ClassifierConfiguration(
            model.cell, hidden: hidden, vocabulary: AssociativeRetrieval.vocabulary,
            classes: AssociativeRetrieval.classes
        ).layout
        return TrainingRun(
            model: model.title, hidden: hidden, pairs: data.task.pairs, seed: seed, learningRate: options.learningRate,
            parameters: layout.parameterCount, steps: 0, bestStep: 0, validationError: 1, testError: 1,
            testLoss: .infinity, stepsBelowOnePercent: nil, seconds: 0, curve: [], stoppedEarly: error.description)
    }
}

extension TrainingRun {
    /// Everything but the seconds, which differ from run to run, stands before them.
    var json: JSON {
        func optional(_ value: Double?) -> JSON { value.map { .number($0) } ?? .null }
        return [
            "model": .string(model), "hidden": .number(Double(hidden)), "pairs": .number(Double(pairs)),
            "seed": .string("\(seed)"), "learning_rate": .number(learningRate),
            "parameters": .number(Double(parameters)), "steps": .number(Double(steps)),
            "best_step": .number(Double(bestStep)), "validation_error": .number(validationError),
            "test_error": .number(testError), "test_loss": .number(testLoss), "paper_error": optional(paperError),
            "steps_below_one_percent": optional(stepsBelowOnePercent.map { Double($0) }),
            "stopped_early": stoppedEarly.map { .string($0) } ?? .null,
            "curve": .array(
                curve.map {
                    [
                        "step": .number(Double($0.step)), "training_loss": .number($0.trainingLoss),
                        "validation_loss": .number($0.validationLoss), "validation_error": .number($0.validationError),
                    ]
                }),
            "seconds": .number(seconds),
        ]
    }
}

extension TrainingOptions {
    /// A recipe's; `quick` for a first look.
    init(_ recipe: RetrievalModel.Recipe, quick: Bool = false) {
        self.init()
        learningRate = recipe.learningRate
        steps = quick ? recipe.quickSteps : recipe.steps
        optimizer = .adam(decay: recipe.weightDecay)
        clip = recipe.clip > 0 ? recipe.clip : nil
    }
}
