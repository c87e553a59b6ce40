// The rows of networks of layers on sequences of one's own.

extension BenchmarkRow {
    /// `sequences/lstm/R=64/T=50`: a training step, as `training` has it, of two layers of each cell of the registry with ten
    /// classes a sequence on top, on 64 sequences of T steps of twenty numbers.
    static var sequences: [BenchmarkRow] {
        Layer.cells(hidden: SequencesBench.hidden).map { cell in
            let (name, bench) = (cell.name, SequencesBench(cell))
            return BenchmarkRow(
                id: "sequences/\(name)/R=\(SequencesBench.hidden)/T=\(SequencesBench.steps)",
                description:
                    "training step, two layers, \(SequencesBench.input) numbers in, batch \(SequencesBench.batch)",
                work: .timed(.milliseconds) { threads, measure in bench.training(threads: threads, measure) },
                usesThreads: true, isQuick: ["lstm", "gru"].contains(name), operations: bench.operations)
        }
    }
}

/// A network of two layers, and sequences of random numbers with random classes.
private struct SequencesBench {
    static let (input, hidden, steps, batch, batches, classes) = (20, 64, 50, 64, 8, 10)
    let configuration: NetworkConfiguration
    private let rows: Double
    private let recurrentRows: Double

    init(_ cell: any CellKind) {
        configuration = NetworkConfiguration(
            .numbers(Self.input), [.stack(cell.layer, layers: 2), .lastStep, .dense(Self.classes)])
        (rows, recurrentRows) = (Double(cell.sizes.rows), Double(cell.sizes.recurrentRows))
    }

    /// The products of a step as `FloatingPointOperations` counts them: at each step W_ih and W_hh forwards, and backwards
    /// the gradients of both and of what they read, which nobody asks of the input.
    var operations: Double {
        let (first, wide) = (rows * Double(Self.input), rows * Double(Self.hidden))
        let steps = Double(Self.steps)
        let recurrent = 2 * (steps - 1) * recurrentRows * Double(Self.hidden)
        let forward = steps * (first + wide) + recurrent + Double(Self.hidden * Self.classes)
        return Double(Self.batch) * 2 * (3 * forward - steps * first)
    }

    func training(threads: Int, _ measure: ((_ calls: Int) -> Void) -> Void) {
        let network = Network(configuration, seed: 1)
        let count = Self.batch * Self.batches
        let numbers = BenchmarkRow.numbers(count * Self.steps * Self.input, within: 1).array
        let size = Self.steps * Self.input
        let sequences = (0..<count).map { Array(numbers[$0 * size..<($0 + 1) * size]) }
        guard
            let data = try? SequenceData(
                .numbers(sequences, width: Self.input), .classes((0..<count).map { $0 * 7 % Self.classes }))
        else { misuse("sequences of one length are data") }
        TrainingStep.measure(network, data, batch: Self.batch, threads: threads, measure)
    }
}
