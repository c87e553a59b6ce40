/// One running sequence of a network: a step at a time through all layers, for as long as there is input.
///
///     let packed = StreamWeights(network)                        // once
///     let stream = NetworkStream(packed)                         // one a sequence, on any thread
///     stream.step(sample)                                        // I numbers
///     let y = stream.withOutput { h in h[0] }                    // H numbers in place
///
/// A step allocates nothing and costs O(layers·G·H·(I + H)), G the gates. One stream is not for two threads at once; many
/// streams share their `StreamWeights` without locks.
public final class NetworkStream {
    /// The weights that it shares with other streams.
    public let weights: StreamWeights
    private let cells: [RecurrentStream]
    private let top: RecurrentStream
    /// y of the head, padded to whole vectors.
    private let headOutput: Buffer<Octet>

    /// Cell and sizes of the network.
    public var configuration: RecurrentNetworkConfiguration { weights.configuration }

    /// A stream from `state` of one sequence (nil is the zero state), as `state` describes it.
    public init(_ weights: StreamWeights, state: CellState? = nil) {
        self.weights = weights
        cells = weights.cells.map { RecurrentStream($0) }
        top = cells[cells.count - 1]
        headOutput = Buffer(weights.head?.vectors ?? 0)
        if let state { self.state = state } else { applyHead() }
    }

    /// A stream with a copy of the network's parameters as they are now. Traps when the network is bidirectional.
    public convenience init(_ network: RecurrentNetwork, state: CellState? = nil) {
        self.init(StreamWeights(network), state: state)
    }

    /// Takes the next I numbers of the sequence. Traps on another count.
    @inline(__always)
    public func step(_ input: [Float]) {
        input.withUnsafeBufferPointer { advance($0) }
    }

    /// Takes the next I numbers of the sequence. Traps on another count.
    @inline(__always)
    public func step(_ input: Span<Float>) {
        input.withUnsafeBufferPointer { advance($0) }
    }

    /// Takes the next number of a sequence with I = 1. Traps on another I.
    @inline(__always)
    public func step(_ input: Float) {
        withUnsafePointer(to: input) { advance(UnsafeBufferPointer(start: $0, count: 1)) }
    }

    /// Takes the next token of a sequence whose inputs are one-hot: the bits of a step of I numbers that are 0 but for a 1
    /// at `token`, without the work of multiplying by the zeros. Traps unless the token is from 0 to I - 1.
    public func step(token: Int) {
        cells[0].advance(token: token)
        advanceAbove()
    }

    /// A copy of what the last step gave: the last layer's h, [H], or y = W·h + b of the head, [outputs]. A head a sequence
    /// gives what it would if the sequence ended here. Before the first step h is that of the state the stream began with.
    public var output: [Float] { withOutput { $0.withUnsafeBufferPointer { Array($0) } } }

    /// Calls `body` with what the last step gave, as `output` has it, in place.
    public func withOutput<Result, Failure>(
        _ body: (Span<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let head = configuration.head else { return try top.withHidden(body) }
        return try body(UnsafeBufferPointer(start: numbers(headOutput.pointer), count: head.outputs).span)
    }

    /// Copies what the last step gave into `target` without making an array. Traps unless it has room for exactly that
    /// many numbers.
    public func copyOutput(into target: inout [Float]) {
        let count = configuration.output
        require(
            target.count == count, "the output has \(count) numbers; the array to copy it into has \(target.count)")
        let source = configuration.head == nil ? numbers(top.h) : numbers(headOutput.pointer)
        target.withUnsafeMutableBufferPointer { $0.baseAddress!.update(from: source, count: count) }
    }

    /// The state of the sequence, with which another stream or `RecurrentNetwork.run` of one sequence goes on: h
    /// [layers, H], 0 where the last step cleared it, c [layers, H] or A [layers, H, H], and the place in the schedule.
    /// Once set, the output is that of its h. Setting traps on arrays of other sizes.
    public var state: CellState {
        get {
            var state = CellState(hidden: [])
            for cell in cells {
                let part = cell.state
                state.hidden += part.hidden
                state.memory += part.memory
                state.step = part.step
            }
            return state
        }
        set {
            let (H, M) = (configuration.hidden, configuration.memoryRows)
            require(
                newValue.hidden.count == cells.count * H && newValue.memory.count == cells.count * M,
                "the state of one sequence in \(cells.count) layers has \(cells.count * H) numbers of h and \(cells.count * M) of memory; \(newValue.hidden.count) and \(newValue.memory.count) were given"
            )
            for (i, cell) in cells.enumerated() {
                cell.state = CellState(
                    hidden: Array(newValue.hidden[i * H..<(i + 1) * H]),
                    memory: Array(newValue.memory[i * M..<(i + 1) * M]), step: newValue.step)
            }
            applyHead()
        }
    }

    /// Another stream of the same network in the same state and with the same output, which from now on goes its own way.
    public func copy() -> NetworkStream {
        let copy = NetworkStream(weights)
        for (own, cell) in zip(copy.cells, cells) { own.takeOver(cell) }
        copy.applyHead()
        return copy
    }

    /// Begins a new sequence from the zero state.
    public func reset() {
        for cell in cells { cell.reset() }
        applyHead()
    }

    private func advance(_ input: UnsafeBufferPointer<Float>) {
        cells[0].advance(input)
        advanceAbove()
    }

    /// The step of what stands above the first layer.
    private func advanceAbove() {
        var layer = 1
        while layer < cells.count {
            let below = cells[layer &- 1]
            cells[layer].advance(
                UnsafeBufferPointer(start: numbers(below.h), count: below.configuration.hidden))
            layer &+= 1
        }
        applyHead()
    }

    /// y = W·h + b, where there is a head.
    @inline(__always)
    private func applyHead() {
        guard let head = weights.head else { return }
        let h = numbers(top.h)
        multiply(
            head.weight, by: ColumnNumbers(pointer: h, count: top.configuration.hidden),
            ColumnNumbers(pointer: h, count: 0), from: head.bias, into: headOutput.pointer, backwards: false)
    }
}

/// A network's parameters as they were when this was made, laid out for streams: any number of them, on any threads.
public final class StreamWeights: Sendable {
    /// Cell and sizes of the network.
    public let configuration: RecurrentNetworkConfiguration
    let cells: [SharedStreamParameters]
    let head: StreamHead?

    /// Copies the parameters as they are now; later changes of them do not reach the streams. Traps when the network is
    /// bidirectional, as the reversed direction begins at the end of a sequence, which a stream does not know.
    public init(_ network: RecurrentNetwork) {
        require(
            !network.configuration.bidirectional,
            "a stream runs forwards only, and this network is bidirectional; run it over whole sequences")
        configuration = network.configuration
        let weights = configuration.weights(network.parameters)
        cells = weights.cells.map { SharedStreamParameters($0.configuration, $0.parameters) }
        head = weights.head.map {
            StreamHead($0, outputs: network.configuration.output, columns: network.configuration.features)
        }
    }
}

/// A head laid out for streams: W [outputs padded to whole vectors, H] and b.
final class StreamHead: @unchecked Sendable {
    let weight: StreamMatrix
    let bias: UnsafePointer<Octet>
    var vectors: Int { weight.vectors }
    private let arena = StreamArena()

    init(_ source: HeadParameters, outputs: Int, columns: Int) {
        let vectors = (outputs + Octet.width - 1) / Octet.width
        weight = StreamMatrix(vectors: vectors, columns: columns, arena: arena)
        let bias = arena.octets(vectors)
        for r in 0..<outputs {
            let (vector, lane) = (r / Octet.width, r % Octet.width)
            bias[vector][lane] = source.bias[r]
            for k in 0..<columns {
                weight.vector(vector, column: k).pointee[lane] = source.weight[r * columns + k]
            }
        }
        self.bias = UnsafePointer(bias)
    }
}
