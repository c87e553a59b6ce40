// The rows of one layer applied to whole sequences, as a program runs what it has trained elsewhere: every state comes out.

extension BenchmarkRow {
    private static let runSizes = [20, 50, 100, 256]

    /// `sequence/lstm/R=20/T=1000`: one sequence of one number a step by `Network.run`, ns a step; `sequence/lstm-stream/…` is
    /// the same by a `NetworkStream`, step by step. `batch/lstm/R=20/T=63`: 128 sequences of twenty numbers a step.
    static var runs: [BenchmarkRow] {
        let benches = runSizes.flatMap { hidden in
            Layer.cells(hidden: hidden).filter { ["lstm", "gru"].contains($0.name) }.map { ($0.name, hidden, $0) }
        }
        return benches.map { name, hidden, cell in
            let bench = RunBench(cell, input: 1, steps: 1000, batch: 1)
            return BenchmarkRow(
                id: "sequence/\(name)/R=\(hidden)/T=\(bench.steps)",
                description: "one sequence of one number a step, every state out",
                work: .timed(.nanosecondsPerStep(Double(bench.steps))) { _, measure in bench.run(threads: 1, measure) },
                isQuick: (name, hidden) == ("lstm", 20), operations: bench.operations)
        }
            + benches.map { name, hidden, cell in
                let bench = RunBench(cell, input: 1, steps: 1000, batch: 1)
                return BenchmarkRow(
                    id: "sequence/\(name)-stream/R=\(hidden)/T=\(bench.steps)",
                    description: "one sequence of one number a step, every state out, by a stream",
                    work: .timed(.nanosecondsPerStep(Double(bench.steps))) { _, measure in bench.stream(measure) },
                    operations: bench.operations)
            }
            + benches.map { name, hidden, cell in
                let bench = RunBench(cell, input: 20, steps: 63, batch: 128)
                return BenchmarkRow(
                    id: "batch/\(name)/R=\(hidden)/T=\(bench.steps)",
                    description: "\(bench.batch) sequences of \(bench.input) numbers a step, every state out",
                    work: .timed(.rate(Double(bench.batch), unit: "sequences/s")) { threads, measure in
                        bench.run(threads: threads, measure)
                    }, usesThreads: true, isQuick: (name, hidden) == ("lstm", 20), operations: bench.operations)
            }
    }
}

/// A network of one layer, and sequences of random numbers for it.
private struct RunBench {
    private let cell: any CellKind
    let input: Int
    let steps: Int
    let batch: Int

    init(_ cell: any CellKind, input: Int, steps: Int, batch: Int) {
        (self.cell, self.input, self.steps, self.batch) = (cell, input, steps, batch)
    }

    private var network: Network { Network(NetworkConfiguration(.numbers(input), [cell.layer]), seed: 1) }
    private var numbers: [Float] { BenchmarkRow.numbers(steps * batch * input, within: 1).array }

    /// The products of a call: W_ih at every step, W_hh at all but the first.
    var operations: Double {
        let sizes = cell.sizes
        let recurrent = sizes.recurrentRows * sizes.hidden * (steps - 1)
        return 2 * Double(batch) * Double(sizes.rows * input * steps + recurrent)
    }

    func run(threads: Int, _ measure: ((_ calls: Int) -> Void) -> Void) {
        let (network, numbers) = (network, numbers)
        measure { calls in
            for _ in 0..<calls { _ = network.run(numbers, steps: steps, batch: batch, threads: threads) }
        }
    }

    /// Each state goes into an array of all.
    func stream(_ measure: ((_ calls: Int) -> Void) -> Void) {
        let numbers = numbers
        let stream: NetworkStream
        do { stream = try NetworkStream(network) } catch { misuse(error.description) }
        let hidden = cell.sizes.hidden
        var outputs = [Float](repeating: 0, count: steps * hidden)
        measure { calls in
            for _ in 0..<calls {
                stream.reset()
                outputs.withUnsafeMutableBufferPointer { outputs in
                    var target = outputs.baseAddress!
                    for x in numbers {
                        stream.step(x)
                        stream.withOutput { output in
                            output.withUnsafeBufferPointer { target.update(from: $0.baseAddress!, count: hidden) }
                        }
                        target += hidden
                    }
                }
            }
        }
    }
}
