/// One running sequence of a recurrent cell: forward only, a step at a time, for as long as there is input.
///
/// Where `RecurrentLayer` holds sixteen samples in the lanes of a vector, a stream holds sixteen units, so that one
/// sequence alone uses the whole width; the results agree to rounding. The fast weights are the explicit matrix A, of
/// constant size however long the sequence.
///
/// A stream copies the layer's parameters when it is made and shares nothing with the layer or with other streams. A
/// step allocates nothing and costs O(G·H·(I + H)), G the gates; the fast weights O(H·I + (S + 2)·H²). Not for use from
/// two threads at once.
public final class RecurrentStream {
    public let configuration: CellConfiguration
    let parameters: StreamParameters
    /// h, [V] vectors; its padding is zero, as that of everything here.
    let h: Panel
    /// c of the LSTM, [V]; A of the fast weights, H columns of V; otherwise empty.
    let memory: Panel
    /// The pre-activations of a step, and two more vectors of H for the cells that need them.
    let gates: Panel
    let z: Panel
    let inner: Panel
    private let memoryVectors: Int
    /// 1 in the lanes of the last vector that are units, 0 in its padding.
    private let lastUnits: Lanes
    private let arena: Arena

    /// A stream with the layer's parameters as they are now, from `state` of one sequence (nil is the zero state).
    public init(_ layer: RecurrentLayer, state: CellState? = nil) {
        configuration = layer.configuration
        arena = Arena()
        parameters = StreamParameters(configuration, layer.parameters, arena: arena)
        let (H, V) = (configuration.hidden, parameters.vectors)
        memoryVectors = configuration.memoryRows / H * V
        h = arena.panels(1, rows: V)[0]
        memory = arena.panels(1, rows: memoryVectors)[0]
        gates = arena.panels(1, rows: parameters.gateVectors)[0]
        z = arena.panels(1, rows: V)[0]
        inner = arena.panels(1, rows: V)[0]
        var last = Lanes.zero
        for unit in (V - 1) * Lanes.width..<H { last[unit % Lanes.width] = 1 }
        lastUnits = last
        if let state { self.state = state }
    }

    /// Takes the next I numbers of the sequence: h and the memory become those after them. Traps on another count.
    public func step(_ input: [Float]) {
        input.withUnsafeBufferPointer { advance($0) }
    }

    /// Takes the next I numbers of the sequence: h and the memory become those after them. Traps on another count.
    public func step(_ input: Span<Float>) {
        input.withUnsafeBufferPointer { advance($0) }
    }

    /// A copy of h, [H].
    public var hidden: [Float] { Array(UnsafeBufferPointer(start: floats(h), count: configuration.hidden)) }

    /// Copies h, [H], into `target` without making an array. Traps unless it has room for H numbers exactly.
    public func copyHidden(into target: inout [Float]) {
        let H = configuration.hidden
        precondition(target.count == H, "h has \(H) numbers; the array to copy it into has \(target.count)")
        let source = floats(h)
        target.withUnsafeMutableBufferPointer { $0.baseAddress!.update(from: source, count: H) }
    }

    /// The state of the sequence, of which a stream or a layer can go on: `CellState` of one sequence, h [H] and c [H]
    /// or A [H, H]. Setting traps on arrays of other sizes.
    public var state: CellState {
        get {
            let (source, columns) = (floats(memory), memoryColumns)
            var values = [Float](repeating: 0, count: configuration.memoryRows)
            for k in 0..<columns {
                let column = source + k * parameters.vectors * Lanes.width
                for r in 0..<configuration.hidden { values[r * columns + k] = column[r] }
            }
            return CellState(hidden: hidden, memory: values)
        }
        set {
            let (H, M) = (configuration.hidden, configuration.memoryRows)
            precondition(
                newValue.hidden.count == H && newValue.memory.count == M,
                "the state of one sequence has \(H) numbers of h and \(M) of memory; "
                    + "\(newValue.hidden.count) and \(newValue.memory.count) were given")
            reset()
            let (target, columns) = (floats(memory), memoryColumns)
            for r in 0..<H { floats(h)[r] = newValue.hidden[r] }
            for k in 0..<columns {
                let column = target + k * parameters.vectors * Lanes.width
                for r in 0..<H { column[r] = newValue.memory[r * columns + k] }
            }
        }
    }

    /// Begins a new sequence from the zero state.
    public func reset() {
        h.update(repeating: .zero, count: parameters.vectors)
        memory.update(repeating: .zero, count: memoryVectors)
    }

    /// The memory as a matrix of H rows has this many columns: H of A, one of c.
    private var memoryColumns: Int { configuration.memoryRows / configuration.hidden }

    private func advance(_ input: UnsafeBufferPointer<Float>) {
        let p = parameters
        precondition(
            input.count == configuration.input,
            "a step of this stream takes \(configuration.input) numbers; \(input.count) were given")
        gates.update(from: p.bias, count: p.gateVectors)
        addProduct(
            p.inputWeight, vectors: p.columnVectors, columns: configuration.input, by: input.baseAddress!, into: gates)
        addProduct(
            p.recurrentWeight, vectors: p.columnVectors, columns: configuration.hidden, by: floats(h),
            into: gates + p.first)
        switch configuration.cell {
        case .rnn(let activation, _, _): stepRNN(activation)
        case .lstm: stepLSTM()
        case .gru: stepGRU()
        case .fastWeights(let options): stepFastWeights(options)
        }
    }

    /// z = gain·LN(z) + bias of one vector of H, with set `set` of the gains and biases; nothing without a norm.
    func normalise(_ z: Panel, _ norm: StreamParameters.Norm?, set: Int = 0) {
        guard let norm else { return }
        let offset = set * parameters.vectors
        FastWeights.normalise(
            z, vectors: parameters.vectors, units: configuration.hidden, last: lastUnits,
            epsilon: configuration.epsilon, gain: norm.gain + offset, bias: norm.bias + offset)
    }

    /// y = f(z) of one vector of H.
    func activate(_ z: Panel, _ activation: Activation, into y: Panel) {
        for v in 0..<parameters.vectors { y[v] = activation(z[v]) }
    }
}
