/// A training step taken apart: its phases on one thread, and a model of what they come to on many.
///
/// The jobs of a phase are the same work each. A phase of n jobs takes ⌈n / threads⌉ of them one after another on the thread
/// that has most, and where threads share it, a barrier. Cores are taken for as fast together as one is alone: that their
/// caches and memory are shared is not in the model.
struct StepPhases {
    /// Work in jobs that any thread may do.
    struct Phase {
        let name: String
        let jobs: Int
        /// Of all jobs, on one thread.
        let seconds: Double
        /// How often threads wait for each other in it.
        var barriers = 1

        /// Seconds of a job.
        var each: Double { jobs == 0 ? 0 : seconds / Double(jobs) }

        func seconds(threads: Int, barrier: Double) -> Double {
            Double((jobs + threads - 1) / threads) * each
                + (threads > 1 && jobs > 1 ? Double(barriers) * barrier : 0)
        }
    }

    let phases: [Phase]
    /// Seconds that it takes to open a job for other threads and to close it.
    let barrier: Double

    /// Seconds of a step.
    func seconds(threads: Int) -> Double { phases.reduce(0) { $0 + $1.seconds(threads: threads, barrier: barrier) } }

    /// T(1) / T(threads).
    func speedUp(threads: Int) -> Double { seconds(threads: 1) / seconds(threads: threads) }

    /// Numbers of threads that are shown.
    static let threads = [1, 2, 4, 8, 16]

    /// Milliseconds of each phase by the number of threads.
    var table: TextTable {
        var table = TextTable(["phase", "jobs", "ms each"] + Self.threads.map { "\($0) thread\($0 == 1 ? "" : "s")" })
        func milliseconds(_ seconds: Double) -> String { BenchmarkReport.number(seconds * 1e3) }
        for phase in phases {
            table.add(
                [phase.name, "\(phase.jobs)", milliseconds(phase.each)]
                    + Self.threads.map { milliseconds(phase.seconds(threads: $0, barrier: barrier)) })
        }
        table.add(["step", "", ""] + Self.threads.map { milliseconds(seconds(threads: $0)) })
        table.add(["times as fast", "", ""] + Self.threads.map { FixedPoint.text(speedUp(threads: $0), decimals: 2) })
        return table
    }

    var json: JSON {
        [
            "phases": .array(
                phases.map {
                    [
                        "name": .string($0.name), "jobs": .number(Double($0.jobs)),
                        "milliseconds": .number($0.seconds * 1e3),
                    ]
                }),
            "barrier_microseconds": .number(barrier * 1e6),
            "speed_up": .object(
                Self.threads.map { JSON.Member(key: "\($0)", value: .number(speedUp(threads: $0))) }),
        ]
    }
}
