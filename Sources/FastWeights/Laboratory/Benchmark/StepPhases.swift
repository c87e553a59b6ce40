/// A training step taken apart: its phases on one thread, and a model of what they come to on many.
///
/// The jobs of a phase are dealt greedily: each, in their order, to the thread that has least to do so far. The phase lasts
/// as long as the thread that has most, and where threads share it, a barrier longer. Cores are taken for as fast together
/// as one is alone: that their caches and memory are shared is not in the model.
struct StepPhases {
    /// Work in jobs that any thread may do.
    struct Phase {
        let name: String
        /// The size of each job, in any unit: so much of the phase's time is its.
        let jobs: [Int]
        /// Of all jobs, on one thread.
        let seconds: Double
        /// How often threads wait for each other in it.
        var barriers = 1

        /// The part of the work that the thread has which has most, on so many.
        func share(threads: Int) -> Double {
            let total = jobs.reduce(0, +)
            return total == 0 ? 0 : Double(StepPhases.most(jobs, threads: threads)) / Double(total)
        }

        func seconds(threads: Int, barrier: Double) -> Double {
            share(threads: threads) * seconds + (threads > 1 && jobs.count > 1 ? Double(barriers) * barrier : 0)
        }
    }

    let phases: [Phase]
    /// Seconds that it takes to open a job for other threads and to close it.
    let barrier: Double

    /// What the thread has to do that has most, when jobs of these sizes are dealt greedily in their order.
    static func most(_ jobs: [Int], threads: Int) -> Int {
        var loads = [Int](repeating: 0, count: threads)
        for job in jobs { loads[loads.indices.min { loads[$0] < loads[$1] }!] += job }
        return loads.max()!
    }

    /// Seconds of a step.
    func seconds(threads: Int) -> Double { phases.reduce(0) { $0 + $1.seconds(threads: threads, barrier: barrier) } }

    /// T(1) / T(threads).
    func speedUp(threads: Int) -> Double { seconds(threads: 1) / seconds(threads: threads) }

    /// Numbers of threads that are shown.
    static let threads = [1, 2, 4, 8, 16]

    /// Milliseconds of each phase by the number of threads.
    var table: TextTable {
        var table = TextTable(
            ["phase, ms", "jobs", "largest"] + Self.threads.map { "\($0) thread\($0 == 1 ? "" : "s")" })
        func milliseconds(_ seconds: Double) -> String { BenchmarkReport.number(seconds * 1e3) }
        for phase in phases {
            // On a thread each, the largest job lasts longest.
            let largest = phase.share(threads: max(1, phase.jobs.count)) * phase.seconds
            table.add(
                [phase.name, "\(phase.jobs.count)", milliseconds(largest)]
                    + Self.threads.map { milliseconds(phase.seconds(threads: $0, barrier: barrier)) })
        }
        table.add(["step", "", ""] + Self.threads.map { milliseconds(seconds(threads: $0)) })
        table.add(["times as fast", "", ""] + Self.threads.map { FixedPoint.text(speedUp(threads: $0), decimals: 2) })
        return table
    }

    var json: JSON {
        func byThreads(_ value: (Int) -> Double) -> JSON {
            .object(Self.threads.map { JSON.Member(key: "\($0)", value: .number(value($0))) })
        }
        return [
            "phases": .array(
                phases.map { phase in
                    [
                        "name": .string(phase.name), "jobs": .array(phase.jobs.map { .number(Double($0)) }),
                        "milliseconds": byThreads { phase.seconds(threads: $0, barrier: barrier) * 1e3 },
                    ]
                }),
            "barrier_microseconds": .number(barrier * 1e6),
            "milliseconds": byThreads { seconds(threads: $0) * 1e3 },
            "speed_up": byThreads { speedUp(threads: $0) },
        ]
    }
}
