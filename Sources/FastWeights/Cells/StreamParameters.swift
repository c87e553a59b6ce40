/// The parameters of a cell laid out for `RecurrentStream`: sixteen units a vector, matrices by columns.
///
/// Each gate's H rows are padded with zeros to V = ⌈H / 16⌉ vectors, so that every gate begins on a vector and a
/// padded unit computes 0 from 0. The pre-activations of a step are one run of `gateVectors` vectors:
///
///     gates = bias,  gates[0 ..< G·V] += W_ih x,  gates[first ..< first + G·V] += W_hh h
///
/// where G counts the gates and `first` is 0 but for the GRU. Its candidate multiplies the recurrent part alone by r,
/// so it has two runs: the gates are W_in x | r | z | W_hn h, and first = V.
struct StreamParameters {
    /// V, vectors a gate.
    let vectors: Int
    /// G·V, vectors a column of the two matrices.
    let columnVectors: Int
    /// Vectors of pre-activations in a step.
    let gateVectors: Int
    /// Where the recurrent matrix's rows begin among them.
    let first: Int
    /// I columns.
    let inputWeight: Panel
    /// H columns.
    let recurrentWeight: Panel
    /// Both biases added, [gateVectors].
    let bias: Panel
    /// Gains and biases of the layer norms: those of the LSTM's gates, of the fast weights' sets, or one.
    let norm: Norm?
    /// Those of the LSTM's c.
    let cellNorm: Norm?

    struct Norm {
        let gain: Panel
        let bias: Panel
    }

    /// Copies the parameters as they are now into panels of `arena`.
    init(_ configuration: CellConfiguration, _ block: Parameters, arena: Arena) {
        let source = CellParameters(block)
        let (input, hidden) = (configuration.input, configuration.hidden)
        let gates = configuration.gateRows / hidden
        let vectors = (hidden + Lanes.width - 1) / Lanes.width
        var inputOrder = Array(0..<gates)
        let recurrentOrder = inputOrder
        if case .gru = configuration.cell {
            inputOrder = [2, 0, 1]
            first = vectors
        } else {
            first = 0
        }
        self.vectors = vectors
        columnVectors = gates * vectors
        gateVectors = columnVectors + first

        /// Adds column k of the rows of `order`'s gates, H each, to padded rows at `target`.
        func add(
            _ values: UnsafePointer<Float>, column k: Int = 0, of columns: Int = 1, _ order: [Int], to target: Panel
        ) {
            let target = floats(target)
            for (place, gate) in order.enumerated() {
                for r in 0..<hidden {
                    target[place * vectors * Lanes.width + r] += values[(gate * hidden + r) * columns + k]
                }
            }
        }
        func matrix(_ values: UnsafePointer<Float>, columns: Int, _ order: [Int]) -> Panel {
            let packed = arena.panels(columns, rows: order.count * vectors)
            for k in 0..<columns { add(values, column: k, of: columns, order, to: packed[k]) }
            return packed.pointer
        }
        func norm(_ gain: UnsafePointer<Float>?, _ bias: UnsafePointer<Float>?, sets: Int) -> Norm? {
            guard let gain, let bias else { return nil }
            let packed = arena.panels(2, rows: sets * vectors)
            add(gain, Array(0..<sets), to: packed[0])
            add(bias, Array(0..<sets), to: packed[1])
            return Norm(gain: packed[0], bias: packed[1])
        }

        inputWeight = matrix(source.inputWeight, columns: input, inputOrder)
        recurrentWeight = matrix(source.recurrentWeight, columns: hidden, recurrentOrder)
        bias = arena.panels(1, rows: gateVectors)[0]
        add(source.inputBias, inputOrder, to: bias)
        if let recurrentBias = source.recurrentBias { add(recurrentBias, recurrentOrder, to: bias + first) }
        let sets =
            if case .fastWeights(let options) = configuration.cell { options.normSets } else { gates }
        self.norm = norm(source.normGain, source.normBias, sets: sets)
        cellNorm = norm(source.cellGain, source.cellBias, sets: 1)
    }
}
