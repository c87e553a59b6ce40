// The rows of one sequence, one step at a time.

extension BenchmarkRow {
    private static let streamSizes = [8, 16, 20, 40, 50, 64, 100, 256]
    /// Those from which on a step waits for the weights.
    private static let halfWidthSizes = [64, 100, 256]

    /// `stream/lstm/R=20`: one number in, the next state out. `stream/lstm-dense/R=20` has a dense output of one number
    /// on top, as the real-time frameworks for audio are measured. `stream-bfloat16/lstm/R=100` has weights of half width.
    static var streams: [BenchmarkRow] {
        models.flatMap { model in
            streamSizes.map { stream(model, hidden: $0, name: model.name, hasOutput: false) }
        }
            + ["lstm", "gru"].flatMap { name in
                streamSizes.map { stream(.named(name), hidden: $0, name: "\(name)-dense", hasOutput: true) }
            }
            + ["lstm", "gru"].flatMap { name in
                halfWidthSizes.map {
                    stream(.named(name), hidden: $0, name: name, hasOutput: false, precision: .bfloat16)
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
                let bench = StreamBench(model, hidden: hidden, precision)
                measure { calls in for _ in 0..<calls { hasOutput ? bench.runWithOutput() : bench.run() } }
            }, isQuick: hidden == 20)
    }
}

/// A stream with a signal to read. Each run begins anew, so that no state grows without end.
///
/// The arrays that a step reads and writes are local, as a caller's would be: of a property of a class each access is
/// checked for exclusivity.
private final class StreamBench {
    static let steps = 256
    private let stream: NetworkStream
    private let hidden: Int
    private let signal: [Float]
    private let weights: [Float]
    /// The sum of the outputs, so that they are computed.
    private(set) var total: Float = 0

    init(_ model: RetrievalModel, hidden: Int, _ precision: WeightPrecision) {
        let network = Network(NetworkConfiguration(.numbers(1), [model.cell.layer(hidden)]), seed: 1)
        do { stream = NetworkStream(try NetworkStream.Weights(network, precision: precision)) } catch {
            misuse(error.description)
        }
        self.hidden = hidden
        signal = BenchmarkRow.numbers(Self.steps, within: 1).array
        weights = BenchmarkRow.numbers(hidden, within: 1).array
    }

    func run() {
        stream.reset()
        var input: [Float] = [0]
        for x in signal {
            input[0] = x
            stream.step(input)
        }
    }

    func runWithOutput() {
        stream.reset()
        var input: [Float] = [0]
        var state = [Float](repeating: 0, count: hidden)
        var sum: Float = 0
        for x in signal {
            input[0] = x
            stream.step(input)
            stream.copyOutput(into: &state)
            sum += dot(state, weights)
        }
        total = sum
    }

    /// Four lanes, for the small sizes of such models.
    private func dot(_ x: [Float], _ y: [Float]) -> Float {
        x.withUnsafeBytes { x in
            y.withUnsafeBytes { y in
                let four = MemoryLayout<SIMD4<Float>>.size
                var sum = SIMD4<Float>.zero
                var i = 0
                while i &+ four <= x.count {
                    sum +=
                        x.loadUnaligned(fromByteOffset: i, as: SIMD4<Float>.self)
                        * y.loadUnaligned(fromByteOffset: i, as: SIMD4<Float>.self)
                    i &+= four
                }
                let two = sum.lowHalf + sum.highHalf
                var total = two[0] + two[1]
                while i < x.count {
                    total +=
                        x.loadUnaligned(fromByteOffset: i, as: Float.self)
                        * y.loadUnaligned(fromByteOffset: i, as: Float.self)
                    i &+= MemoryLayout<Float>.size
                }
                return total
            }
        }
    }
}
