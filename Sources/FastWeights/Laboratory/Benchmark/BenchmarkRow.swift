/// One line of the bench: what is measured, and how, but not yet measured.
///
/// A row costs nothing until it is measured: its data are made by `Work.timed` when its turn comes, and given back
/// after it.
struct BenchmarkRow {
    /// Its name, from the general to the particular: `training/lstm/R=50/K=4`.
    let id: String
    /// What is done, in words.
    let description: String
    let work: Work
    /// Whether it can use several threads; one that cannot is measured once, with one.
    var usesThreads = false
    /// Fewest threads it makes sense with.
    var leastThreads = 1
    /// Whether `--quick` measures it.
    var isQuick = false
    /// Floating-point operations of one call as `FloatingPointOperations` counts them, where that is known.
    var operations: Double?
    /// Takes a call on one thread apart, of rows that say what more threads would do.
    var phases: ((Benchmark) -> StepPhases)?

    enum Work {
        /// Prepares for so many threads, and hands what makes so many calls one after another to `measure`.
        case timed(Figure, (_ threads: Int, _ measure: ((_ calls: Int) -> Void) -> Void) -> Void)
        /// What so many threads reach together of what each of them reaches alone beside the others, in percent: the
        /// seconds of so many calls on all threads, and of so many of its own on each at the same time.
        case shared((_ threads: Int) -> (together: (_ calls: Int) -> Double, apart: (_ calls: Int) -> Double))
        /// A number that is counted, not timed, in megabytes (10⁶ bytes).
        case megabytes(() -> Double)
    }

    /// What is made of the seconds of one call.
    enum Figure {
        case milliseconds
        /// A call is so many steps.
        case nanosecondsPerStep(Double)
        /// A call does so much, in the unit given, a second.
        case rate(Double, unit: String)

        func value(seconds: Double) -> Double {
            switch self {
            case .milliseconds: seconds * 1e3
            case .nanosecondsPerStep(let steps): seconds * 1e9 / steps
            case .rate(let work, _): work / seconds
            }
        }

        var unit: String {
            switch self {
            case .milliseconds: "ms"
            case .nanosecondsPerStep: "ns"
            case .rate(_, let unit): unit
            }
        }
    }

    var unit: String {
        switch work {
        case .timed(let figure, _): figure.unit
        case .shared: "%"
        case .megabytes: "MB"
        }
    }
}

// MARK: - Choosing rows by their ids

extension BenchmarkRow {
    /// Every row, in the order they are measured.
    static var all: [BenchmarkRow] {
        products + functions + convolutions + trainings + sequences + videos + inferences + runs + streams + threads
            + shares + fastMemories + memories
    }

    /// Those of `threads` that the row is measured with.
    func counts(_ threads: [Int]) -> [Int] { usesThreads ? threads.filter { $0 >= leastThreads } : [1] }

    /// `training`, `training/lstm`, … up to the whole id.
    var prefixes: [String] {
        let parts = id.split(separator: "/")
        return parts.indices.map { parts[...$0].joined(separator: "/") }
    }
}
