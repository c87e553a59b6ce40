/// `fastweights train --task text`: a model of the next character of a file.
enum TextTraining {
    /// The options of this task.
    static let options =
        [
            Option(name: "file", placeholder: "FILE", kind: .path(), help: "The text, any UTF-8 or bytes"),
            Option(
                name: "layers", placeholder: "N", kind: .integer(1...64), defaultValue: "1",
                help: "Recurrent layers"),
            Option(
                name: "window", placeholder: "T", kind: .integer(1...4096), defaultValue: "64",
                help: "Characters a step that gradients go back through; the state goes on"),
            Option(
                name: "held-out", placeholder: "X", kind: .number(0.0001...0.9), defaultValue: "0.1",
                help: "Share of the text, its end, that it is measured on"),
        ] + [.hidden()] + Option.length + [.batch(32, of: "Parts of the text"), .clip()]
        + Option.evaluation(at: "the text held out") + Option.fastWeights

    /// η where the options do not say. A h is a sum of products h·h, which grow with H: at the rate of the paper's task, 0.5, it
    /// drowns the input.
    private static let fastRate: Float = 3e-4

    /// Rate and clipping of the cells where the options do not say: the lowest loss on the end of tiny Shakespeare after a
    /// minute of training with about 108,000 parameters. What was tried stands in the article "Learning from a
    /// text".
    private static func recipe(_ cell: Cell) -> RetrievalModel.Recipe {
        let (rate, clip): (Double, Float) =
            switch cell {
            case .lstm, .associativeLSTM: (1e-2, 5)
            case .gru: (5e-3, 5)
            case .fastWeights: (8e-3, 5)
            // A ReLU network whose state never ends grows, and its gradients with it.
            case .rnn(activation: .relu, hasLayerNorm: false, _): (4e-3, 0.1)
            case .rnn: (4e-3, 5)
            }
        return RetrievalModel.Recipe(learningRate: rate, clip: clip, steps: 5000, quickSteps: 5000)
    }

    /// Trains, writes the model and says how well it predicts. `output` and `checkpoint` are the command's.
    static func run(
        _ arguments: ParsedArguments, _ output: ModelOutput, _ checkpoint: CheckpointOptions?
    ) throws -> Int32 {
        guard arguments.hasValue("file") else {
            throw UsageError("--task text needs --file FILE, the text to learn from")
        }
        let file = arguments.text("file")
        let content = try Files.read(file)
        guard !content.isEmpty else {
            throw TextError(description: "\(file) is empty; there is nothing to learn from it")
        }
        let vocabulary = vocabulary(of: content, file)
        let text = try TrainingText(content, vocabulary, heldOut: arguments.number("held-out"))
        let seed = arguments.unsigned("seed")
        let kind = RetrievalModel.named(arguments.text("model"))
        let cell = try kind.cell(arguments, rate: fastRate)
        try kind.check(hidden: arguments.integer("hidden"))
        let layers = Layer.stacked(
            cell.layer(arguments.integer("hidden")), layers: arguments.integer("layers"))
        let model = TextModel([layers], vocabulary: vocabulary, seed: seed)
        var options = TrainingOptions(arguments, recipe(cell))
        if arguments.hasValue("learning-rate") { options.learningRate = arguments.number("learning-rate") }
        try options.setLimit(arguments)
        (options.seed, options.threads) = (seed, arguments.integer("threads"))
        options.checkpoint = checkpoint
        let parameters = model.network.parameters.layout.parameterCount
        try output.checkRoom(parameters: parameters)
        let trainer = Trainer(model, text: text, window: arguments.integer("window"), options: options)
        Interruption.install()
        let display = ProgressDisplay.onStandardError(jobs: 1, work: 1)
        let shown = display.start("\(kind.title) H=\(arguments.integer("hidden")) on \(file)")
        let (outcome, divergence) = try trainer.runKeepingBest(
            progress: {
                let heldOut = $0.validationError.map { "  held out \(bits($0))" } ?? ""
                display.update(shown, fraction: $0.done, status: bits($0.trainingLoss) + heldOut)
            }, shouldStop: { Interruption.requested })
        let ending = ModelOutput.Ending(outcome, divergence: divergence)
        display.finish(shown, status: ending.status, outcome: ending.outcome)
        display.close()
        let unit = vocabulary.characters == nil ? "bytes" : "characters"
        let heldOut =
            outcome.curve.isEmpty
            ? "not measured" : "\(bits(outcome.bestLoss)) at step \(outcome.bestStep) of \(outcome.steps)"
        let summary = """
            Held out    \(heldOut)
            Vocabulary  \(vocabulary.count) \(unit)
            Parameters  \(parameters)
            Model       \(output.path)

            """
        return try output.finish(ending, summary: summary) { try model.write(to: $0) }
    }

    /// The characters of the file, or bytes, of which it then says why.
    private static func vocabulary(of content: [UInt8], _ file: String) -> TextVocabulary {
        do { return try TextVocabulary(charactersOf: content) } catch {
            Terminal.write("fastweights train: \(file) is learned in bytes, not characters: \(error)\n", to: .error)
            return .bytes
        }
    }

    /// A loss in nats as bits a token.
    private static func bits(_ loss: Double) -> String {
        "\(FixedPoint.text(loss / naturalLogarithm(2), decimals: 4)) bits"
    }
}
