/// Collects errors: of each part of a tensor max |found - expected| / max |expected in the part|.
///
/// A part is what can be wrong alone, as a gate's rows of a weight: a small gate's gradient could hide behind that of a
/// large one beside it. A part that is nearly zero throughout is measured by `floor` of the tensor's largest number
/// instead, as sums that cancel leave roundings of the size of their terms; where all expected numbers are zero, the error
/// is absolute. The worst of none is not a number; one that is not a number counts as infinite.
struct ErrorTally {
    /// The least that a part is measured by, as a share of the largest number expected in the whole tensor. With a
    /// tolerance of 1e-5 a part of zeros may be wrong by 1e-7 of that number, the rounding of a single Float of its size.
    static let floor = 0.01

    private(set) var outputs = Double.nan
    private(set) var gradients = Double.nan
    private(set) var worstTensor = "-"
    private var worstError = -1.0

    mutating func output(_ name: String, _ found: [Float], _ expected: [Double], parts: [Range<Int>]? = nil) {
        outputs = Self.larger(outputs, note(name, found, expected, parts))
    }

    mutating func gradient(_ name: String, _ found: [Float], _ expected: [Double], parts: [Range<Int>]? = nil) {
        gradients = Self.larger(gradients, note(name, found, expected, parts))
    }

    /// The worse of two errors, of which the first may not be there yet.
    private static func larger(_ a: Double, _ b: Double) -> Double { a.isNaN ? b : b.isNaN ? a : max(a, b) }

    /// The worst error of the parts, which are the whole tensor one behind the other; without `parts` it is one.
    private mutating func note(
        _ name: String, _ found: [Float], _ expected: [Double], _ parts: [Range<Int>]?
    ) -> Double {
        guard found.count == expected.count else { return keep(.infinity, name) }
        guard !expected.isEmpty else { return .nan }
        let parts = parts ?? [0..<expected.count]
        require(
            parts.reduce(0) { $1.lowerBound == $0 ? $1.upperBound : -1 } == expected.count,
            "\(name) has \(expected.count) numbers; its parts are \(parts)")
        func largest(_ part: Range<Int>) -> Double { expected[part].reduce(0) { max($0, abs($1)) } }
        let least = Self.floor * largest(0..<expected.count)
        var result = 0.0
        for (i, part) in parts.enumerated() {
            var error = 0.0
            for k in part {
                let difference = abs(Double(found[k]) - expected[k])
                // Written so that NaN is the worst of all.
                if !(difference <= error) { error = difference.isNaN ? .infinity : difference }
            }
            let scale = max(largest(part), least)
            if scale > 0 { error /= scale }
            if error.isNaN { error = .infinity }
            result = max(result, keep(error, parts.count > 1 ? "\(name), part \(i + 1) of \(parts.count)" : name))
        }
        return result
    }

    /// Remembers the name of the worst error of all.
    private mutating func keep(_ error: Double, _ name: String) -> Double {
        if error > worstError { (worstError, worstTensor) = (error, name) }
        return error
    }
}

/// The parts of tensors, by their names; a tensor that is not among them is one part.
typealias TensorParts = [String: [Range<Int>]]
