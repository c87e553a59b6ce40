/// A text to train on, as tokens, with its end held out.
public struct TrainingText: Sendable {
    /// What cut it into tokens.
    private let vocabulary: TextVocabulary
    /// The tokens to train on, and behind them those held out.
    let training: SequenceData
    let heldOut: SequenceData

    /// The tokens of `content`, the last `share` of which are held out.
    ///
    /// Throws `TextError` when the content is too short for both, or has a character outside the vocabulary. Traps
    /// unless the share is between 0 and 1.
    public init(_ content: [UInt8], _ vocabulary: TextVocabulary, heldOut share: Double = 0.1) throws {
        require(share > 0 && share < 1, "the share held out must be between 0 and 1, found \(share)")
        guard !content.isEmpty else { throw TextError(description: "the text is empty; there is nothing to learn") }
        let tokens = try vocabulary.tokens(content)
        let size = Int((Double(tokens.count) * share).rounded())
        guard size >= 2, tokens.count - size >= 2 else {
            throw TextError(
                description:
                    "the text has \(tokens.count) tokens, of which \(size) would be held out; both parts need at least 2"
            )
        }
        /// Every token but the last, and to learn the one behind each.
        func data(_ tokens: ArraySlice<UInt16>) throws -> SequenceData {
            let values = tokens.map { Int($0) }
            return try SequenceData(.tokens([Array(values.dropLast())]), .stepClasses([Array(values.dropFirst())]))
        }
        training = try data(tokens.dropLast(size))
        heldOut = try data(tokens.suffix(size))
        self.vocabulary = vocabulary
    }

    /// Traps unless its tokens are those of the model.
    func check(_ model: TextModel) {
        require(
            vocabulary == model.vocabulary,
            "the text has tokens of another vocabulary, of \(vocabulary.count), than the model, of \(model.vocabulary.count); make it with the model's"
        )
    }
}

/// Windows of a text, with states that go on. The text held out is read in streams of at least 256 tokens, so that their
/// beginnings, which know nothing of what came before, count for little.
final class TextSource: TrainingSource {
    private let engine: ParallelTraining
    private var training: TextStreams
    private var heldOut: TextStreams
    private let options: TrainingOptions

    init(
        _ model: TextModel, _ text: TrainingText, window: Int, streams: Int, _ team: ThreadTeam,
        options: TrainingOptions = TrainingOptions()
    ) {
        self.options = options
        let definition = model.network.definition
        engine = ParallelTraining(
            definition, model.network.parameters, longest: window, carry: .state, team: team)
        training = TextStreams(text.training, window: window, streams: streams, definition)
        heldOut = TextStreams(
            text.heldOut, window: window, streams: max(1, min(text.heldOut.longest / 256, 4 * Lanes.width)),
            definition)
    }

    var gradients: Parameters { engine.gradients }
    var carried: Parameters? { training.states.values }

    func skip() { _ = training.advance() }

    func advance(step: Int) -> LossSum {
        if training.advance() { training.states.values.clear() }
        return engine.gradient(training, dropoutSeed: options.seed(ofStep: step))
    }

    func evaluate() -> Evaluation {
        heldOut.rewind()
        var sum = LossSum()
        for _ in 0..<heldOut.windows {
            if heldOut.advance() { heldOut.states.values.clear() }
            sum += engine.evaluate(heldOut)
        }
        // Of texts the model with the lowest loss is kept.
        return Evaluation(loss: sum.loss, error: sum.loss)
    }
}
