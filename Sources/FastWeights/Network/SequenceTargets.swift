/// The targets of sequences one behind the other: one a sequence, or one a step of all sequences.
final class SequenceTargets: Sendable {
    let isPerStep: Bool
    /// Classes, or nothing of numbers; negative where none counts.
    let classes: [Int32]
    /// Numbers, `width` a sequence or step; NaN where none counts.
    let numbers: [Float]
    let width: Int
    /// Their loss: that of such targets where `measured` has not given them another.
    let loss: Loss
    /// Terms of each sequence in the loss: its targets that count, and what they weigh together, Σ w_y of classes.
    let terms: [Int]
    let weights: [Double]

    var areNumbers: Bool { width > 0 }
    /// What stands where no target counts.
    var nameOfNone: String {
        areNumbers ? "nan" : "the class to be ignored" + (loss.weights.isEmpty ? "" : " and classes that weigh 0")
    }

    /// Throws `SequenceDataError`, which names the sequence, for targets of another count, classes that cannot be,
    /// infinite numbers, and where no target counts at all.
    convenience init(_ targets: SequenceData.Targets, lengths: [Int]) throws(SequenceDataError) {
        let isPerStep: Bool
        var (classes, numbers, width): ([Int32], [Float], Int) = ([], [], 0)
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
            if let value = values.first(where: { $0.isInfinite }) {
                throw fail("sequence \(i) has the target \(value); targets must be finite, or nan where there is none")
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
        self.init(
            isPerStep: isPerStep, classes, numbers, width: width, width > 0 ? .meanSquares : .crossEntropy(),
            lengths: lengths)
        guard terms.contains(where: { $0 > 0 }) else {
            throw fail("no target counts: there is nothing but \(nameOfNone)")
        }
    }

    /// Counts what counts. Classes are those of the loss.
    private init(
        isPerStep: Bool, _ classes: [Int32], _ numbers: [Float], width: Int, _ loss: Loss, lengths: [Int]
    ) {
        let classWeights = loss.isOfClasses ? loss.weights : []
        var (terms, weights, first): ([Int], [Double], Int) = ([], [], 0)
        for length in lengths {
            let range = first..<first + (isPerStep ? length : 1)
            first = range.upperBound
            terms.append(
                width > 0
                    ? numbers[range.lowerBound * width..<range.upperBound * width].count { !$0.isNaN }
                    : classes[range].count { $0 >= 0 })
            weights.append(
                classWeights.isEmpty
                    ? Double(terms.last!)
                    : classes[range].reduce(0) { $1 < 0 ? $0 : $0 + Double(classWeights[Int($1)]) })
        }
        (self.isPerStep, self.classes, self.numbers, self.width) = (isPerStep, classes, numbers, width)
        (self.loss, self.terms, self.weights) = (loss, terms, weights)
    }

    /// Calls `body` with the values where they lie.
    func read(_ body: (TargetRows) -> Void) {
        classes.withUnsafeBufferPointer { classes in
            numbers.withUnsafeBufferPointer { numbers in
                loss.weights.withUnsafeBufferPointer { weights in
                    body(
                        TargetRows(
                            isPerStep: isPerStep, areNumbers: areNumbers, isBinary: loss.isBinary,
                            smoothing: loss.smoothing, classes: classes, numbers: numbers,
                            weights: weights.isEmpty ? nil : weights.baseAddress))
                }
            }
        }
    }

    /// Those of the sequences at `indices` of `inputs`, in that order.
    func selecting(_ indices: [Int], of inputs: SequenceInputs) -> SequenceTargets {
        /// The values of the chosen ones, `width` each of them or each of their steps.
        func chosen<Value>(_ values: [Value], _ width: Int) -> [Value] {
            guard !values.isEmpty else { return [] }
            return indices.flatMap { i in
                let first = isPerStep ? inputs.starts[i] : i
                return values[first * width..<(first + (isPerStep ? inputs.lengths[i] : 1)) * width]
            }
        }
        return SequenceTargets(
            isPerStep: isPerStep, chosen(classes, 1), chosen(numbers, width), width: width, loss,
            lengths: indices.map { inputs.lengths[$0] })
    }

    /// The targets of `inputs` for a network, with `other` as their loss, or without one that which they have.
    ///
    /// Traps unless the network gives what such targets ask for, and the loss is one of them; throws when a class is not
    /// among the network's, and when a number is not from 0 to 1 of which it must be.
    func measured(
        by other: Loss?, _ definition: NetworkDefinition, _ inputs: SequenceInputs
    ) throws(SequenceDataError) -> SequenceTargets {
        guard let other else {
            try check(loss, classes, definition, inputs)
            return self
        }
        require(
            other.isOfClasses != areNumbers,
            "the loss \(other) is of \(other.isOfClasses ? "classes" : "numbers"); the data has \(areNumbers ? "numbers" : "classes")"
        )
        var counting = classes
        if case .crossEntropy(_, _, let ignored) = other, ignored >= 0 {
            counting = classes.map { Int($0) == ignored ? Int32(SequenceData.ignored) : $0 }
        }
        try check(other, counting, definition, inputs)
        return SequenceTargets(
            isPerStep: isPerStep, counting, numbers, width: width, other, lengths: inputs.lengths)
    }

    private func check(
        _ loss: Loss, _ classes: [Int32], _ definition: NetworkDefinition, _ inputs: SequenceInputs
    ) throws(SequenceDataError) {
        require(
            loss == .meanSquares || !definition.root.givesProbabilities,
            "the network ends with softmax, "
                + (areNumbers
                    ? "and the loss \(loss) is of logits" : "which the cross-entropy of classes has in it")
                + "; make one without that layer")
        let output = definition.output
        require(
            output.isPerStep == isPerStep,
            "the network gives \(output.text); the data has a target per "
                + (isPerStep
                    ? "step: leave lastStep and mean out of the layers"
                    : "sequence: put lastStep or mean below the last layer"))
        require(
            !areNumbers || width == output.count,
            "the network gives \(output.text); the data has \(width) target numbers")
        loss.check(width: output.count)
        if let label = classes.first(where: { Int($0) >= output.count }) {
            throw SequenceDataError(description: "there is a class \(label); the network has \(output.count) classes")
        }
        if loss.isBinary, let i = numbers.firstIndex(where: { !$0.isNaN && !(0...1).contains($0) }) {
            let row = i / width
            let sequence = isPerStep ? inputs.starts.lastIndex { $0 <= row }! : row
            throw SequenceDataError(
                description:
                    "sequence \(sequence) has the target \(numbers[i]); those of binaryCrossEntropy are from 0 to 1, or nan where there is none"
            )
        }
    }
}

/// `SequenceTargets` where they lie in memory, and what is asked of their loss.
struct TargetRows {
    let isPerStep: Bool
    let areNumbers: Bool
    let isBinary: Bool
    let smoothing: Float
    let classes: UnsafeBufferPointer<Int32>
    let numbers: UnsafeBufferPointer<Float>
    /// w of its classes or outputs; nil for 1 each.
    let weights: UnsafePointer<Float>?
}
