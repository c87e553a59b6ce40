/// One running sequence of a recurrent cell: forward only, a step at a time, for as long as there is input.
///
/// Where `RecurrentLayer` holds sixteen samples in the lanes of a vector, a stream holds eight units, so that one
/// sequence alone uses the whole width; the results agree to rounding. The fast weights are the explicit matrix A, of
/// constant size however long the sequence.
///
/// A stream of a layer copies the parameters when it is made and shares nothing with the layer; streams of a network
/// share one copy, see `NetworkStream`. A step allocates nothing and costs O(G·H·(I + H)), G the gates; the fast weights
/// O(H·I + (S + 2)·H²). Not for use from two threads at once.
///
/// The loop that allocates nothing either is
///
///     stream.step(sample)                             // one number; or step(_:) of an array or a span
///     let y = stream.withHidden { h in h[0] }         // h in place, a span of H numbers
public final class RecurrentStream {
    /// Kind and sizes of the cell.
    public let configuration: CellConfiguration
    let parameters: StreamParameters
    private let owner: SharedStreamParameters
    /// h, [U] vectors; its padding is zero, as that of everything here.
    let h: UnsafeMutablePointer<Octet>
    /// c of the LSTM, one column; A of the fast weights, H columns; real and imaginary parts of each copy of the associative
    /// LSTM, a column each; otherwise empty.
    let memory: StreamMatrix
    /// The pre-activations of a step, and more vectors of H for the cells that need them.
    let gates: UnsafeMutablePointer<Octet>
    let z: UnsafeMutablePointer<Octet>
    let inner: UnsafeMutablePointer<Octet>
    /// What the last step wrote into A, which takes it in with the next step, and that step's λ and η.
    let written: UnsafeMutablePointer<Octet>
    var pendingDecay: Float = 1
    var pendingRate: Float = 0
    /// The place of the next step in the fast weights' schedule, and whether it starts from h = 0.
    var place = 0
    var isCleared = false
    /// 1 in the lanes of the last vector that are units, 0 in its padding.
    let lastUnits: Octet
    /// Whether this step takes the tiles of its matrices from the last to the first; steps take turns.
    private(set) var backwards = false
    private let associative: AssociativeStream?
    private let arena: StreamArena

    /// A stream of parameters that others may share, from `state` of one sequence (nil is the zero state).
    init(_ owner: SharedStreamParameters, state: CellState? = nil) {
        self.owner = owner
        configuration = owner.configuration
        parameters = owner.parameters
        arena = StreamArena()
        let (H, U) = (configuration.hidden, parameters.vectors)
        let isFading = if case .fastWeights = configuration.cell { true } else { false }
        memory = StreamMatrix(
            vectors: U, columns: configuration.memoryRows / configuration.units,
            tallest: isFading ? StreamMatrix.tallestFading : U, arena: arena)
        h = arena.octets((H + Octet.width - 1) / Octet.width)
        gates = arena.octets(parameters.gates * U)
        z = arena.octets(U)
        inner = arena.octets(U)
        written = arena.octets(U)
        if case .associativeLSTM(let options) = configuration.cell {
            associative = AssociativeStream(options, hidden: H, vectors: U, arena: arena)
        } else {
            associative = nil
        }
        var last = Octet.zero
        for unit in (U - 1) * Octet.width..<configuration.units { last[unit % Octet.width] = 1 }
        lastUnits = last
        if let state { self.state = state }
    }

    /// Takes the next I numbers of the sequence: h and the memory become those after them. Traps on another count.
    @inline(__always)
    public func step(_ input: [Float]) {
        input.withUnsafeBufferPointer { advance($0) }
    }

    /// Takes the next I numbers of the sequence: h and the memory become those after them. Traps on another count.
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
    public func step(token: Int) { advance(token: token) }

    /// A copy of h, [H].
    public var hidden: [Float] { withHidden { $0.withUnsafeBufferPointer { Array($0) } } }

    /// Calls `body` with h, [H], in place.
    public func withHidden<Result, Failure>(
        _ body: (Span<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeBufferPointer(start: numbers(h), count: configuration.hidden).span)
    }

    /// Copies h, [H], into `target` without making an array. Traps unless it has room for H numbers exactly.
    public func copyHidden(into target: inout [Float]) {
        let H = configuration.hidden
        require(target.count == H, "h has \(H) numbers; the array to copy it into has \(target.count)")
        let source = numbers(h)
        target.withUnsafeMutableBufferPointer { $0.baseAddress!.update(from: source, count: H) }
    }

    /// The state of the sequence, of which a stream or a layer can go on: `CellState` of one sequence, h [H], 0 where the
    /// last step cleared it, and c [H], A [H, H] or c [S, H] of an associative LSTM. Setting traps on arrays of other sizes.
    public var state: CellState {
        get {
            if case .fastWeights = configuration.cell { fade(by: numbers(inner), from: z, into: z) }
            var values = [Float](repeating: 0, count: configuration.memoryRows)
            for r in 0..<configuration.units {
                for k in 0..<memory.columns {
                    values[place(ofUnit: r, column: k)] =
                        memory.vector(r / Octet.width, column: k).pointee[r % Octet.width]
                }
            }
            let carried = isCleared ? [Float](repeating: 0, count: configuration.hidden) : hidden
            return CellState(hidden: carried, memory: values, step: place)
        }
        set {
            let (H, M) = (configuration.hidden, configuration.memoryRows)
            require(
                newValue.hidden.count == H && newValue.memory.count == M,
                "the state of one sequence has \(H) numbers of h and \(M) of memory; "
                    + "\(newValue.hidden.count) and \(newValue.memory.count) were given")
            let next = newValue.place(in: configuration.cell.period)
            reset()
            place = next
            for r in 0..<H { h[r / Octet.width][r % Octet.width] = newValue.hidden[r] }
            for r in 0..<configuration.units {
                for k in 0..<memory.columns {
                    memory.vector(r / Octet.width, column: k).pointee[r % Octet.width] =
                        newValue.memory[place(ofUnit: r, column: k)]
                }
            }
        }
    }

    /// Where a number of the memory stands in a `CellState`: A is kept there row by row, all else column by column.
    private func place(ofUnit r: Int, column k: Int) -> Int {
        configuration.cell.isFading ? r * memory.columns + k : k * configuration.units + r
    }

    /// Begins a new sequence from the zero state.
    public func reset() {
        h.update(repeating: .zero, count: (configuration.hidden + Octet.width - 1) / Octet.width)
        memory.values.update(repeating: .zero, count: memory.vectors * memory.columns)
        written.update(repeating: .zero, count: parameters.vectors)
        (pendingDecay, pendingRate) = (1, 0)
        (place, isCleared) = (0, false)
    }

    /// Takes over all that the next steps of another stream of the same parameters depend on, and its h.
    func takeOver(_ other: RecurrentStream) {
        h.update(from: other.h, count: (configuration.hidden + Octet.width - 1) / Octet.width)
        memory.values.update(from: other.memory.values, count: memory.vectors * memory.columns)
        written.update(from: other.written, count: parameters.vectors)
        (pendingDecay, pendingRate) = (other.pendingDecay, other.pendingRate)
        (place, isCleared) = (other.place, other.isCleared)
    }

    /// A takes in what is pending, and y = start + A·x.
    @inline(__always)
    func fade(by x: UnsafePointer<Float>, from start: UnsafePointer<Octet>, into y: UnsafeMutablePointer<Octet>) {
        fadeAndMultiply(
            memory, decay: pendingDecay, rate: pendingRate, writing: written, by: x, from: start, into: y,
            backwards: backwards)
        (pendingDecay, pendingRate) = (1, 0)
    }

    /// Takes the next I numbers of the sequence.
    func advance(_ input: UnsafeBufferPointer<Float>) {
        require(
            input.count == configuration.input,
            "a step of this stream takes \(configuration.input) numbers; \(input.count) were given")
        advance(ColumnNumbers(pointer: input.baseAddress!, count: input.count))
    }

    /// Takes the next token of the sequence.
    func advance(token: Int) {
        let columns = configuration.input
        require(
            (0..<columns).contains(token), "a token of this stream is from 0 to \(columns - 1); \(token) was given")
        var four = SIMD4<Float>.zero
        withUnsafeMutablePointer(to: &four) { advance(ColumnNumbers(oneAt: token, of: columns, in: $0)) }
    }

    private func advance(_ x: ColumnNumbers) {
        switch configuration.cell {
        case .rnn(let activation, _, _): stepRNN(x, activation)
        case .lstm(layerNorm: false): stepLSTM(x)
        case .lstm(layerNorm: true): stepNormalisedLSTM(x)
        case .gru: stepGRU(x)
        case .fastWeights(let options): stepFastWeights(x, options)
        case .associativeLSTM: stepAssociativeLSTM(x, associative!)
        }
        backwards.toggle()
    }
}
