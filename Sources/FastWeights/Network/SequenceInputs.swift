/// Sequences one behind the other: numbers, or tokens.
final class SequenceInputs: Sendable {
    /// Numbers a step, nil of tokens.
    let width: Int?
    /// Steps of each sequence.
    let lengths: [Int]
    /// Steps of the longest sequence.
    let longest: Int
    /// Each sequence's first step among all steps.
    let starts: [Int]
    let numbers: [Float]
    let tokens: [UInt16]
    /// What makes the sequences where they are not stored; sequence i is then number starts[i] of these.
    let made: (any MadeSequences)?
    /// Whether all sequences have as many steps.
    let isEven: Bool

    var count: Int { lengths.count }
    /// Steps of all sequences.
    var steps: Int { starts[count - 1] + lengths[count - 1] }

    private init(width: Int?, lengths: [Int], numbers: [Float], tokens: [UInt16]) {
        (self.width, self.lengths, self.numbers, self.tokens, made) = (width, lengths, numbers, tokens, nil)
        starts = lengths.reduce(into: [0]) { $0.append($0.last! + $1) }.dropLast()
        longest = lengths.max() ?? 0
        isEven = lengths.allSatisfy { $0 == lengths[0] }
    }

    /// Sequences that are made on demand: those at `indices`, or all.
    init(_ made: any MadeSequences, _ indices: [Int]? = nil) {
        starts = indices ?? Array(0..<made.count)
        lengths = [Int](repeating: made.steps, count: starts.count)
        (width, numbers, tokens, self.made, longest, isEven) = (made.width, [], [], made, made.steps, true)
    }

    /// Throws `SequenceDataError`, which names the sequence, when there is none, one is empty or not of whole steps, a
    /// number is not finite, or a token is out of range.
    convenience init(_ inputs: SequenceData.Inputs) throws(SequenceDataError) {
        func fail(_ problem: String) -> SequenceDataError { SequenceDataError(description: problem) }
        var lengths: [Int] = []
        var (numbers, tokens): ([Float], [UInt16]) = ([], [])
        var numbersAStep: Int?
        switch inputs {
        case .numbers(let sequences, let width):
            guard width > 0 else { throw fail("sequences need at least 1 number a step, found \(width)") }
            for (i, sequence) in sequences.enumerated() {
                guard !sequence.isEmpty, sequence.count % width == 0 else {
                    throw fail("sequence \(i) has \(sequence.count) numbers; it needs at least one step of \(width)")
                }
                if let index = sequence.firstIndex(where: { !$0.isFinite }) {
                    throw fail("sequence \(i) has \(sequence[index]) at step \(index / width); inputs must be finite")
                }
                lengths.append(sequence.count / width)
                numbers += sequence
            }
            numbersAStep = width
        case .tokens(let sequences):
            for (i, sequence) in sequences.enumerated() {
                guard !sequence.isEmpty else { throw fail("sequence \(i) has no tokens; it needs at least one") }
                for (t, token) in sequence.enumerated() {
                    guard let value = UInt16(exactly: token) else {
                        throw fail("sequence \(i) has the token \(token) at step \(t); tokens are 0 to 65535")
                    }
                    tokens.append(value)
                }
                lengths.append(sequence.count)
            }
        }
        guard !lengths.isEmpty else { throw fail("there are no sequences; at least one is needed") }
        self.init(width: numbersAStep, lengths: lengths, numbers: numbers, tokens: tokens)
    }

    /// The sequences at `indices`, in that order.
    func selecting(_ indices: [Int]) -> SequenceInputs {
        if let made { return SequenceInputs(made, indices.map { starts[$0] }) }
        func steps<Value>(_ values: [Value], _ width: Int) -> [Value] {
            values.isEmpty
                ? [] : indices.flatMap { values[starts[$0] * width..<(starts[$0] + lengths[$0]) * width] }
        }
        return SequenceInputs(
            width: width, lengths: indices.map { lengths[$0] }, numbers: steps(numbers, width ?? 0),
            tokens: steps(tokens, 1))
    }

    /// Calls `body` with the values where they lie.
    func read(_ body: (InputRows) -> Void) {
        tokens.withUnsafeBufferPointer { tokens in
            numbers.withUnsafeBufferPointer { numbers in
                body(InputRows(width: width, made: made, numbers: numbers, tokens: tokens))
            }
        }
    }

    /// Traps unless the network takes such sequences; throws when a token is outside its vocabulary.
    func check(_ definition: NetworkDefinition) throws(SequenceDataError) {
        let found = width.map { "\($0) numbers a step" } ?? "tokens"
        guard let vocabulary = definition.input.vocabulary else {
            return require(
                width == definition.input.count,
                "the network takes \(definition.input.count) numbers a step; the data has \(found)")
        }
        require(width == nil, "the network takes tokens; the data has \(found)")
        if let token = tokens.first(where: { Int($0) >= vocabulary }) {
            throw SequenceDataError(
                description: "there is a token \(token); the network's vocabulary has \(vocabulary)")
        }
    }
}

/// `SequenceInputs` where they lie in memory.
struct InputRows {
    let width: Int?
    let made: (any MadeSequences)?
    let numbers: UnsafeBufferPointer<Float>
    let tokens: UnsafeBufferPointer<UInt16>
}
