/// Sequences of one's own and what a network is to learn from them: numbers or tokens, of unequal lengths.
///
///     let data = try SequenceData(.numbers(recordings, width: 3), .classes(labels))
///     let (training, validation) = try data.split(validation: 0.1, seed: 1)
public struct SequenceData: Sendable {
    /// What the sequences are of.
    public enum Inputs: Sendable {
        /// `width` numbers a step: each sequence one step behind the other, length · width numbers.
        case numbers([[Float]], width: Int)
        /// A token per step, 0 to 65,535, of a network that reads tokens.
        case tokens([[Int]])
    }

    /// What is to be learned of each. A loss is the mean over the targets that count, as PyTorch's with `ignore_index` or
    /// a mask; the one named here, or another `Loss` that a training or an evaluation is asked for.
    public enum Targets: Sendable {
        /// A class per sequence, for a network that ends with a number of each class per sequence, as by `.lastStep` and
        /// `.dense(classes)`. Loss: cross-entropy, mean over the sequences.
        case classes([Int])
        /// A class per step, for a network that ends with a number of each class at every step; steps of the class
        /// `ignored` do not count. Loss: cross-entropy, mean over the steps that count.
        case stepClasses([[Int]])
        /// Numbers per sequence, for a network that ends with as many; one that is NaN does not count. Loss: the mean of
        /// squared differences, over the numbers that count.
        case numbers([[Float]])
        /// Numbers per step, for a network that gives as many at every step: each sequence's one step behind the other; one
        /// that is NaN does not count. Loss: the mean of squared differences, over the numbers that count.
        case stepNumbers([[Float]])
    }

    /// The class of a step that does not count.
    public static let ignored = -1

    let inputs: SequenceInputs
    private(set) var targets: SequenceTargets

    /// Numbers a step, nil of tokens.
    public var width: Int? { inputs.width }
    /// Steps of each sequence.
    public var lengths: [Int] { inputs.lengths }
    /// Sequences.
    public var count: Int { inputs.count }
    /// Steps of the longest sequence.
    public var longest: Int { inputs.longest }

    /// Throws `SequenceDataError`, which names the sequence, when there is none, one is empty or not of whole steps, a
    /// number is not finite, a token is out of range, targets are of another count, or none of them counts.
    public init(_ inputs: Inputs, _ targets: Targets) throws(SequenceDataError) {
        self.inputs = try SequenceInputs(inputs)
        self.targets = try SequenceTargets(targets, lengths: self.inputs.lengths)
    }

    /// All of what is made on demand, with a class each. Throws as the other initializer.
    init(_ made: any MadeSequences, classes: [Int]) throws(SequenceDataError) {
        guard made.count > 0 else {
            throw SequenceDataError(description: "there are no sequences; at least one is needed")
        }
        inputs = SequenceInputs(made)
        targets = try SequenceTargets(.classes(classes), lengths: inputs.lengths)
    }

    private init(_ data: SequenceData, _ chosen: [Int]) {
        inputs = data.inputs.selecting(chosen)
        targets = data.targets.selecting(chosen, of: data.inputs)
    }

    /// The sequences at `indices`, in that order. Traps on an index out of range, and without any.
    public func selecting(_ indices: [Int]) -> SequenceData {
        require(!indices.isEmpty, "data needs at least one sequence; none was selected")
        if let wrong = indices.first(where: { !(0..<count).contains($0) }) {
            misuse("sequence \(wrong) was selected; the data has \(count), counted from 0")
        }
        return SequenceData(self, indices)
    }

    /// The data in two parts, drawn with `seed`: the share `validation`, rounded, and at least one sequence of each.
    ///
    /// Throws `SequenceDataError` when there is but one sequence, and when no target of one of the parts counts, of which
    /// nothing could be learned or said. Traps unless the share is between 0 and 1.
    public func split(
        validation share: Double, seed: UInt64
    ) throws(SequenceDataError) -> (training: SequenceData, validation: SequenceData) {
        require(share > 0 && share < 1, "the share for validation must be between 0 and 1, found \(share)")
        guard count > 1 else {
            throw SequenceDataError(description: "there is only one sequence; a split needs at least two")
        }
        var order = Array(0..<count)
        var random = Random(seed: seed, stream: 3)
        random.shuffle(&order)
        let size = min(max(Int((Double(count) * share).rounded()), 1), count - 1)
        let parts = (training: selecting(Array(order[size...])), validation: selecting(Array(order[..<size])))
        for (name, part) in [("training", parts.training), ("validation", parts.validation)] {
            try part.requireTargets(
                as: "the \(name) part of the split, \(part.count) of \(count) sequences drawn with seed \(seed)",
                advice: "take another share or seed, or leave out the sequences without targets")
        }
        return parts
    }
}

extension SequenceData {
    /// The data as a network learns from it, by `loss` or without one that of such targets.
    ///
    /// Traps unless the network takes such sequences and gives what such targets ask for, and the loss is one of them; throws
    /// when a token is outside its vocabulary, a class is not among its classes, a number not one of the loss, or no target
    /// counts, in words that call the data `name`.
    func measured(
        by loss: Loss? = nil, _ definition: NetworkDefinition, as name: String
    ) throws(SequenceDataError) -> SequenceData {
        try inputs.check(definition)
        var result = self
        result.targets = try targets.measured(by: loss, definition, inputs)
        try result.requireTargets(as: name, advice: "give it sequences with targets")
        return result
    }

    private func requireTargets(as name: String, advice: String) throws(SequenceDataError) {
        guard !targets.weights.contains(where: { $0 > 0 }) else { return }
        throw SequenceDataError(
            description: "no target counts in \(name): there is nothing but \(targets.nameOfNone); \(advice)")
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
        if let made = inputs.made {
            add(made.checksum)
            for start in inputs.starts { add(UInt32(truncatingIfNeeded: start)) }
        }
        for value in inputs.numbers + targets.numbers { add(value.bitPattern) }
        for token in inputs.tokens { add(UInt32(token)) }
        for label in targets.classes { add(UInt32(bitPattern: label)) }
        return CRC32.checksum(bytes)
    }
}

/// Sequences or targets that a network cannot be given: which sequence, what was expected and what was found.
public struct SequenceDataError: Error, CustomStringConvertible, Equatable {
    /// The sentence that says so.
    public let description: String
}
