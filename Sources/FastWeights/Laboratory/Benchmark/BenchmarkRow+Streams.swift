// The rows of one sequence, one step at a time.

extension BenchmarkRow {
    private static let streamSizes = [8, 16, 20, 40, 50, 64, 100, 256]
    /// Those from which on a step waits for the weights.
    private static let halfWidthSizes = [64, 100, 256]

    /// `stream/lstm/R=20`: one number in, the next state out. `stream/lstm-dense/R=20` has a dense output of one number
    /// on top, as the real-time frameworks for audio are measured. `stream-bfloat16/lstm/R=100` and
    /// `stream-float16/…` have weights of half width.
    static var streams: [BenchmarkRow] {
        models.flatMap { model in
            streamSizes.map { stream(model, hidden: $0, name: model.name, hasOutput: false) }
        }
            + ["lstm", "gru"].flatMap { name in
                streamSizes.map { stream(.named(name), hidden: $0, name: "\(name)-dense", hasOutput: true) }
            }
            + ["lstm", "gru"].flatMap { name in
                [WeightPrecision.bfloat16, .float16].flatMap { precision in
                    halfWidthSizes.map {
                        stream(.named(name), hidden: $0, name: name, hasOutput: false, precision: precision)
                    }
                }
            }
    }

    private static func stream(
        _ model: RetrievalModel, hidden: Int, name: String, hasOutput: Bool, precision: WeightPrecision = .float32
    ) -> BenchmarkRow {
        let isFull = precision == .float32
        return BenchmarkRow(
            id: "stream\(isFull ? "" : "-" + precision.rawValue)/\(name)/R=\(hidden)",
            description: "streaming step, \(model.title), one number in"
                + (hasOutput ? ", one number out of a dense layer" : "")
                + (isFull ? "" : ", weights in \(precision.rawValue)"),
            work: .timed(.nanosecondsPerStep(Double(StreamBench.steps))) { _, measure in
                let bench = StreamBench([model.cell.layer(hidden)] + (hasOutput ? [.dense(1)] : []), precision)
                measure { calls in for _ in 0..<calls { bench.run() } }
            }, isQuick: hidden == 20)
    }
}

/// A stream with a signal to read. Each run begins anew, so that no state grows without end.
private final class StreamBench {
    static let steps = 256
    private let stream: NetworkStream
    private let signal: [Float]
    /// The last number of the last output, so that somebody reads it.
    private(set) var last: Float = 0

    init(_ layers: [Layer], _ precision: WeightPrecision) {
        let network = Network(NetworkConfiguration(.numbers(1), layers), seed: 1)
        do { stream = NetworkStream(try NetworkStream.Weights(network, precision: precision)) } catch {
            misuse(error.description)
        }
        signal = BenchmarkRow.numbers(Self.steps, within: 1).array
    }

    func run() {
        stream.reset()
        for x in signal { stream.step(x) }
        last = stream.withOutput { $0[$0.count - 1] }
    }
}
