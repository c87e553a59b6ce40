/// A network that reads a sequence of tokens and names its class: the paper's for associative retrieval.
///
///     embedding [V, E] → cell, H units → last h → ReLU layer → softmax over the classes
public struct ClassifierConfiguration: Sendable, Equatable {
    /// V, kinds of token; at most 256.
    public var vocabulary: Int
    /// The cell; its input size is E, numbers an embedded token.
    public var cell: CellConfiguration
    /// Units of the ReLU layer between the last hidden state and the softmax.
    public var head: Int
    /// Classes, at most 256.
    public var classes: Int

    /// Most tokens and classes: each is a byte.
    static let kindLimit = 256

    /// A classifier of these sizes. Traps unless they are from 1 to 1,048,576, those of tokens and classes to 256.
    public init(_ cell: Cell, hidden: Int, vocabulary: Int, classes: Int, embedding: Int = 100, head: Int = 100) {
        self.vocabulary = vocabulary
        self.cell = CellConfiguration(cell, input: embedding, hidden: hidden)
        self.head = head
        self.classes = classes
        check()
    }

    /// Traps on a classifier that cannot be.
    private func check() {
        let kinds = 1...Self.kindLimit
        require(
            kinds.contains(vocabulary) && kinds.contains(classes),
            "a classifier needs 1 to \(Self.kindLimit) tokens and classes, found \(vocabulary) and \(classes)")
        require(
            (1...sizeLimit).contains(head),
            "a classifier's head needs 1 to \(sizeLimit) units, found \(head)")
    }

    /// The network's parameters: `embedding.weight`, `cell.…` by PyTorch's names, `hidden.…` and `output.…`. Traps on a
    /// classifier that a change since it was made has made impossible.
    public var layout: ParameterLayout {
        check()
        var layout = ParameterLayout()
        layout.append("embedding.weight", vocabulary, cell.input)
        cell.declare(in: &layout, prefix: "cell.")
        layout.append("hidden.weight", head, cell.hidden)
        layout.append("hidden.bias", head)
        layout.append("output.weight", classes, head)
        layout.append("output.bias", classes)
        return layout
    }
}

/// A classifier's parameters with the configuration they belong to.
public final class SequenceClassifier: Sendable {
    /// Cell and sizes.
    public let configuration: ClassifierConfiguration
    /// All parameters in one block, in the configuration's layout.
    public let parameters: Parameters

    /// A network with first values: embeddings normal with `embeddingDeviation`, the two dense layers uniform in
    /// ±1/√(inputs), the cell as `CellConfiguration` says.
    ///
    /// Traps on a deviation that is below 0 or not finite.
    public init(_ configuration: ClassifierConfiguration, seed: UInt64, embeddingDeviation: Float = 1) {
        require(
            embeddingDeviation >= 0 && embeddingDeviation.isFinite,
            "the deviation of embeddings is a finite number of at least 0, found \(embeddingDeviation)")
        self.configuration = configuration
        parameters = Parameters(configuration.layout)
        var random = Random(seed: seed, stream: 1)
        for window in configuration.layout.windows {
            let p = parameters.pointer + window.offset
            switch window.name {
            case "embedding.weight":
                for i in 0..<window.count { p[i] = Float(random.normal()) * embeddingDeviation }
            case "hidden.weight", "hidden.bias":
                for i in 0..<window.count {
                    p[i] = random.uniform(within: 1 / Float(configuration.cell.hidden).squareRoot())
                }
            case "output.weight", "output.bias":
                for i in 0..<window.count { p[i] = random.uniform(within: 1 / Float(configuration.head).squareRoot()) }
            default: break
            }
        }
        configuration.cell.initialise(parameters, prefix: "cell.", random: &random)
    }

    /// A network with parameters of its own layout, as read from a file.
    init(_ configuration: ClassifierConfiguration, parameters: Parameters) {
        self.configuration = configuration
        self.parameters = parameters
    }

    /// Probabilities of the classes for each sequence, [count, classes], row-major.
    ///
    /// `tokens` holds count sequences of `steps` tokens one behind the other. Traps when it does not divide, or a
    /// token is outside the vocabulary.
    public func probabilities(_ tokens: [UInt8], steps: Int) -> [Float] {
        let examples = Examples(
            tokens: tokens, targets: [UInt8](repeating: 0, count: tokens.count / max(steps, 1)), steps: steps)
        examples.check(configuration)
        let block = ClassifierBlock(configuration, steps: steps)
        let table = TokenTable(configuration)
        let weights = ClassifierParameters(parameters)
        let recurrent = RecurrentWeights(configuration.cell)
        table.fill(weights)
        recurrent.pack(weights.cell.recurrentWeight)
        var result = [Float](repeating: 0, count: examples.count * configuration.classes)
        for first in stride(from: 0, to: examples.count, by: Lanes.width) {
            let count = min(Lanes.width, examples.count - first)
            for lane in 0..<count { block.setSequence(lane, examples, first + lane) }
            block.forward(weights, table, recurrent)
            softmax(block.logits, classes: configuration.classes)
            for lane in 0..<count {
                for c in 0..<configuration.classes {
                    result[(first + lane) * configuration.classes + c] = block.logits[c][lane]
                }
            }
        }
        return result
    }
}

/// Labelled sequences of one length.
public struct Examples: Sendable, Equatable {
    /// count · steps tokens, one sequence behind the other.
    public var tokens: [UInt8]
    /// The class of each sequence.
    public var targets: [UInt8]
    /// T, tokens a sequence.
    public var steps: Int

    /// Sequences.
    public var count: Int { targets.count }

    /// Traps unless there is one target for each `steps` tokens.
    public init(tokens: [UInt8], targets: [UInt8], steps: Int) {
        self.tokens = tokens
        self.targets = targets
        self.steps = steps
        checkCounts()
    }

    private func checkCounts() {
        require(steps > 0, "examples have sequences of at least 1 step, found \(steps)")
        require(tokens.count, fits: [targets.count, steps], "the array of tokens")
    }

    /// Traps unless there is one target for each `steps` tokens, and every token and target is within the network's
    /// vocabulary and classes.
    func check(_ configuration: ClassifierConfiguration) {
        checkCounts()
        for (i, token) in tokens.enumerated() where Int(token) >= configuration.vocabulary {
            misuse(
                "sequence \(i / steps) has the token \(token) at step \(i % steps); the network's vocabulary has \(configuration.vocabulary), counted from 0"
            )
        }
        for (i, target) in targets.enumerated() where Int(target) >= configuration.classes {
            misuse(
                "sequence \(i) has the target \(target); the network has \(configuration.classes) classes, counted from 0"
            )
        }
    }
}
