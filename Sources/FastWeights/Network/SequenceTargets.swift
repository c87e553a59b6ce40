/// The targets of sequences one behind the other: one a sequence, or one a step of all sequences.
struct SequenceTargets: Sendable {
    let isPerStep: Bool
    /// Classes, or nothing of numbers; negative where none counts.
    var classes: [Int32] = []
    /// Numbers, `width` a sequence or step; NaN where none counts.
    var numbers: [Float] = []
    var width = 0
    /// Terms of each sequence in the loss: its targets that count.
    private(set) var terms: [Int] = []

    var isRegression: Bool { width > 0 }
    /// What stands where no target counts.
    var nameOfNone: String { isRegression ? "nan" : "the class to be ignored" }

    /// Throws `SequenceDataError`, which names the sequence, for targets of another count, classes that cannot be,
    /// infinite numbers, and where no target counts at all.
    init(_ targets: SequenceData.Targets, lengths: [Int]) throws(SequenceDataError) {
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
        countTerms(lengths)
        guard terms.contains(where: { $0 > 0 }) else {
            throw fail("no target counts: there is nothing but \(nameOfNone)")
        }
    }

    private mutating func countTerms(_ lengths: [Int]) {
        var first = 0
        terms = lengths.map { length in
            let count = isPerStep ? length : 1
            defer { first += count }
            return isRegression
                ? numbers[first * width..<(first + count) * width].count { !$0.isNaN }
                : classes[first..<first + count].count { $0 >= 0 }
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
        var result = self
        result.classes = chosen(classes, 1)
        result.numbers = chosen(numbers, width)
        result.terms = indices.map { terms[$0] }
        return result
    }

    /// Traps unless the network gives what such targets ask for; throws when a class is not among its classes.
    func check(_ definition: NetworkDefinition) throws(SequenceDataError) {
        require(
            isRegression || !definition.root.givesProbabilities,
            "the network ends with softmax, which the cross-entropy of classes has in it; make one without that layer")
        let output = definition.output
        require(
            output.isPerStep == isPerStep,
            "the network gives \(output.text); the data has a target per "
                + (isPerStep
                    ? "step: leave lastStep and mean out of the layers"
                    : "sequence: put lastStep or mean below the last layer"))
        require(
            !isRegression || width == output.count,
            "the network gives \(output.text); the data has \(width) target numbers")
        if let label = classes.first(where: { Int($0) >= output.count }) {
            throw SequenceDataError(description: "there is a class \(label); the network has \(output.count) classes")
        }
    }
}
