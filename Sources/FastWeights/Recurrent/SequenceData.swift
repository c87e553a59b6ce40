/// Sequences of one's own and what a network is to learn from them: numbers or tokens, of unequal lengths.
///
///     let data = try SequenceData(.numbers(recordings, width: 3), .classes(labels))
///     let (training, validation) = try data.split(validation: 0.1, seed: 1)
public struct SequenceData: Sendable {
    /// What the sequences are of.
    public enum Inputs: Sendable {
        /// `width` numbers a step: each sequence one step behind the other, length · width numbers.
        case numbers([[Float]], width: Int)
        /// A token a step, 0 to 65,535: a one-hot input of a network whose `input` is the size of the vocabulary.
        case tokens([[Int]])
    }

    /// What is to be learnt of each.
    public enum Targets: Sendable {
        /// A class a sequence, for a head `.perSequence(classes)`. Loss: cross-entropy, mean over the sequences.
        case classes([Int])
        /// A class a step, for a head `.perStep(classes)`; steps of the class `ignored` do not count. Loss:
        /// cross-entropy, mean over the steps that count.
        case stepClasses([[Int]])
        /// Numbers a sequence, for a head `.perSequence(numbers)`. Loss: the mean of squared differences.
        case numbers([[Float]])
        /// Numbers a step, for a head `.perStep(numbers)`: each sequence's one step behind the other. Loss: the mean of
        /// squared differences.
        case stepNumbers([[Float]])
    }

    /// The class of a step that does not count.
    public static let ignored = -1

    /// Numbers a step, nil of tokens.
    public let width: Int?
    /// Steps of each sequence.
    public let lengths: [Int]
    /// Each sequence's first step among all steps.
    let starts: [Int]
    /// All sequences one behind the other.
    let numbers: [Float]
    let tokens: [UInt16]
    let targets: FlatTargets

    /// The targets one behind the other: one a sequence, or one a step of all sequences.
    struct FlatTargets: Sendable {
        let isPerStep: Bool
        /// Classes, or nothing of numbers.
        var classes: [Int32] = []
        /// Numbers, `width` a sequence or step.
        var numbers: [Float] = []
        var width = 0
        var isRegression: Bool { width > 0 }
    }

    /// Sequences.
    public var count: Int { lengths.count }
    /// Steps of the longest sequence.
    public var longest: Int { lengths.max() ?? 0 }

    /// Throws `SequenceDataError`, which names the sequence, when there is none, one is empty or not of whole steps, a
    /// number is not finite, a token is out of range, or targets are of another count.
    public init(_ inputs: Inputs, _ targets: Targets) throws(SequenceDataError) {
        func fail(_ problem: String) -> SequenceDataError { SequenceDataError(description: problem) }
        var lengths: [Int] = []
        var (numbers, tokens): ([Float], [UInt16]) = ([], [])
        switch inputs {
        case .numbers(let sequences, let width):
            guard width > 0 else { throw fail("sequences need at least 1 number a step, found \(width)") }
            for (i, sequence) in sequences.enumerated() {
                guard !sequence.isEmpty, sequence.count % width == 0 else {
                    throw fail("sequence \(i) has \(sequence.count) numbers; it needs at least one step of \(width)")
                }
                if let place = sequence.firstIndex(where: { !$0.isFinite }) {
                    throw fail("sequence \(i) has \(sequence[place]) at step \(place / width); inputs must be finite")
                }
                lengths.append(sequence.count / width)
                numbers += sequence
            }
            self.width = width
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
            width = nil
        }
        guard !lengths.isEmpty else { throw fail("there are no sequences; a training needs at least one") }
        self.lengths = lengths
        (self.numbers, self.tokens) = (numbers, tokens)
        starts = lengths.reduce(into: [0]) { $0.append($0.last! + $1) }.dropLast()
        self.targets = try FlatTargets(targets, lengths: lengths)
    }

    private init(_ data: SequenceData, _ chosen: [Int]) {
        width = data.width
        lengths = chosen.map { data.lengths[$0] }
        starts = lengths.reduce(into: [0]) { $0.append($0.last! + $1) }.dropLast()
        func steps<Value>(_ values: [Value], _ width: Int) -> [Value] {
            values.isEmpty
                ? []
                : chosen.flatMap { values[data.starts[$0] * width..<(data.starts[$0] + data.lengths[$0]) * width] }
        }
        numbers = steps(data.numbers, data.width ?? 0)
        tokens = steps(data.tokens, 1)
        var targets = data.targets
        if targets.isPerStep {
            targets.classes = steps(targets.classes, 1)
            targets.numbers = steps(targets.numbers, targets.width)
        } else {
            let old = targets
            if !old.classes.isEmpty { targets.classes = chosen.map { old.classes[$0] } }
            targets.numbers = chosen.flatMap { old.numbers[$0 * old.width..<($0 + 1) * old.width] }
        }
        self.targets = targets
    }

    /// The sequences at `indices`, in that order. Traps on an index out of range, and without any.
    public func selecting(_ indices: [Int]) -> SequenceData {
        precondition(!indices.isEmpty, "data needs at least one sequence; none was selected")
        return SequenceData(self, indices)
    }

    /// The data in two parts, drawn with `seed`: the share `validation`, rounded, and at least one sequence of each.
    ///
    /// Throws `SequenceDataError` when there is but one sequence. Traps unless the share is between 0 and 1.
    public func split(
        validation share: Double, seed: UInt64
    ) throws(SequenceDataError) -> (training: SequenceData, validation: SequenceData) {
        precondition(share > 0 && share < 1, "the share for validation must be between 0 and 1, found \(share)")
        guard count > 1 else {
            throw SequenceDataError(description: "there is only one sequence; a split needs at least two")
        }
        var order = Array(0..<count)
        var random = Random(seed: seed, stream: 3)
        random.shuffle(&order)
        let size = min(max(Int((Double(count) * share).rounded()), 1), count - 1)
        return (selecting(Array(order[size...])), selecting(Array(order[..<size])))
    }
}

extension SequenceData.FlatTargets {
    fileprivate init(_ targets: SequenceData.Targets, lengths: [Int]) throws(SequenceDataError) {
        func fail(_ problem: String) -> SequenceDataError { SequenceDataError(description: problem) }
        func checkCount(_ count: Int) throws(SequenceDataError) {
            guard count == lengths.count else {
                throw fail("\(lengths.count) sequences need as many targets; \(count) were given")
            }
        }
        func label(_ value: Int, _ i: Int, least: Int) throws(SequenceDataError) -> Int32 {
            guard let label = Int32(exactly: value), value >= least else {
                throw fail("sequence \(i) has the class \(value); classes are counted from 0")
            }
            return label
        }
        func checkFinite(_ values: [Float], _ i: Int) throws(SequenceDataError) {
            if let value = values.first(where: { !$0.isFinite }) {
                throw fail("sequence \(i) has the target \(value); targets must be finite")
            }
        }
        switch targets {
        case .classes(let values):
            try checkCount(values.count)
            isPerStep = false
            for (i, value) in values.enumerated() { classes.append(try label(value, i, least: 0)) }
        case .stepClasses(let values):
            try checkCount(values.count)
            isPerStep = true
            for (i, sequence) in values.enumerated() {
                guard sequence.count == lengths[i] else {
                    throw fail(
                        "sequence \(i) has \(lengths[i]) steps and \(sequence.count) classes; it needs one a step")
                }
                for value in sequence { classes.append(try label(value, i, least: SequenceData.ignored)) }
            }
        case .numbers(let values):
            try checkCount(values.count)
            isPerStep = false
            width = values.first?.count ?? 0
            for (i, target) in values.enumerated() {
                guard target.count == width, width > 0 else {
                    throw fail("sequence \(i) has \(target.count) target numbers, the first \(width); all need as many")
                }
                try checkFinite(target, i)
                numbers += target
            }
        case .stepNumbers(let values):
            try checkCount(values.count)
            isPerStep = true
            width = (values.first?.count ?? 0) / (lengths.first ?? 1)
            for (i, target) in values.enumerated() {
                guard target.count == width * lengths[i], width > 0 else {
                    throw fail(
                        "sequence \(i) of \(lengths[i]) steps has \(target.count) target numbers; \(width) a step are \(width * lengths[i])"
                    )
                }
                try checkFinite(target, i)
                numbers += target
            }
        }
    }
}

extension SequenceData {
    /// Traps unless the network takes such sequences and has a head for such targets; throws when a token is outside its
    /// vocabulary or a class is not among its classes.
    func check(_ configuration: RecurrentNetworkConfiguration) throws(SequenceDataError) {
        if let width {
            precondition(
                width == configuration.input,
                "the network takes \(configuration.input) numbers a step; the data has \(width)")
        }
        guard let head = configuration.head else {
            preconditionFailure("the network has no head for the targets; give its configuration a head")
        }
        precondition(
            head.isPerStep == targets.isPerStep,
            "the network's head is \(head); the data has targets a \(targets.isPerStep ? "step" : "sequence")")
        precondition(
            !targets.isRegression || targets.width == head.outputs,
            "the network's head has \(head.outputs) outputs; the data has \(targets.width) target numbers")
        if let token = tokens.first(where: { Int($0) >= configuration.input }) {
            throw SequenceDataError(
                description: "there is a token \(token); the network's vocabulary has \(configuration.input)")
        }
        if let label = targets.classes.first(where: { Int($0) >= head.outputs }) {
            throw SequenceDataError(description: "there is a class \(label); the network has \(head.outputs) classes")
        }
    }

    /// A number for all of the data: two data sets with the same are most likely the same.
    var checksum: UInt32 {
        var bytes: [UInt8] = []
        func add(_ value: UInt32) {
            for shift in stride(from: 0, to: 32, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(shift)))
            }
        }
        for length in lengths { add(UInt32(truncatingIfNeeded: length)) }
        for value in numbers + targets.numbers { add(value.bitPattern) }
        for token in tokens { add(UInt32(token)) }
        for label in targets.classes { add(UInt32(bitPattern: label)) }
        return CRC32.checksum(bytes)
    }
}

/// Data that a network cannot be trained on: which sequence, what was expected and what was found.
public struct SequenceDataError: Error, CustomStringConvertible, Equatable {
    public let description: String
}
