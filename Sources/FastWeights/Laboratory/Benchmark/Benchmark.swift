/// Measures rows by the wall clock: several repeats a row, each of as many calls as last long enough.
struct Benchmark {
    /// Figures a row.
    var repeats = 7
    /// Least duration of a repeat.
    var seconds = 0.1
    /// What `PeakMultiplyAdd` measured in this run: operations a second of one thread.
    var peak: Double?

    /// A row that was measured.
    struct Result {
        let row: BenchmarkRow
        let threads: Int
        /// One figure a repeat, in the unit of the row.
        let figures: [Double]
        /// Operations a second at the median, where the row knows its operations.
        var speed: Double?
        /// That speed as a part of the peak of so many threads.
        var share: Double?
        /// Of one thread, where the row has phases.
        var phases: StepPhases?

        var median: Double { Benchmark.median(figures) }
        var least: Double { figures.min() ?? .nan }
        var most: Double { figures.max() ?? .nan }
        /// (most - least) / median.
        var spread: Double { (most - least) / median }
    }

    /// Measures `row` with so many threads.
    func measure(_ row: BenchmarkRow, threads: Int) -> Result {
        switch row.work {
        case .megabytes(let count):
            return Result(row: row, threads: threads, figures: [count()])
        case .shared(let prepare):
            let (together, apart) = prepare(threads)
            // In turn, so that both see the same moments of a shared machine.
            let brief = Benchmark(repeats: 1, seconds: seconds)
            let figures = (0..<repeats).map { _ in
                let (one, each) = (brief.repeated(together)[0], brief.repeated(apart)[0])
                return 100 * each / (Double(threads) * one)
            }
            return Result(row: row, threads: threads, figures: figures)
        case .timed(let figure, let prepare):
            var durations: [Double] = []
            prepare(threads) { durations = time($0) }
            var result = Result(row: row, threads: threads, figures: durations.map { figure.value(seconds: $0) })
            result.speed = row.operations.map { $0 / Benchmark.median(durations) }
            if let speed = result.speed, let peak { result.share = speed / (peak * Double(threads)) }
            if threads == 1 { result.phases = row.phases?(self) }
            return result
        }
    }

    /// Seconds of one call, for each repeat.
    func time(_ run: (_ calls: Int) -> Void) -> [Double] {
        repeated { calls in Self.elapsed { run(calls) } }
    }

    /// Seconds of `body`.
    static func elapsed(_ body: () -> Void) -> Double {
        let start = ContinuousClock.now
        body()
        return (ContinuousClock.now - start).seconds
    }

    /// Seconds of one call, for each repeat, of what says how long so many calls have taken.
    ///
    /// The clock is read once for so many calls as last a twentieth of a repeat; the first call, and those that find
    /// that number out, warm up the caches and the threads.
    private func repeated(_ elapsed: (_ calls: Int) -> Double) -> [Double] {
        var calls = 1
        while elapsed(calls) < seconds / 20 && calls < 1 << 30 { calls *= 2 }
        return (0..<repeats).map { _ in
            var (total, done) = (0.0, 0)
            repeat {
                total += elapsed(calls)
                done += calls
            } while total < seconds
            return total / Double(done)
        }
    }

    /// The middle number, or the mean of the two in the middle.
    static func median(_ numbers: [Double]) -> Double {
        let sorted = numbers.sorted()
        return (sorted[sorted.count / 2] + sorted[(sorted.count - 1) / 2]) / 2
    }
}
