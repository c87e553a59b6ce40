/// Labeled sequences of one length, of a task with at most 256 tokens and classes.
@_spi(Laboratory) public struct Examples: Sendable, Equatable {
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
        require(steps > 0, "examples have sequences of at least 1 step, found \(steps)")
        require(tokens.count, fits: [targets.count, steps], "the array of tokens")
    }

    /// The sequences, for a `Trainer` and for a network's `evaluate`. Traps when there is none.
    public var sequences: SequenceData {
        let all = (0..<count).map { i in tokens[i * steps..<(i + 1) * steps].map { Int($0) } }
        do { return try SequenceData(.tokens(all), .classes(targets.map { Int($0) })) } catch {
            misuse(error.description)
        }
    }
}

extension Network {
    /// Mean loss and error over examples that must fit the network.
    func evaluate(_ examples: Examples, threads: Int) -> Evaluation {
        do { return try evaluate(examples.sequences, threads: threads) } catch { misuse(error.description) }
    }
}
