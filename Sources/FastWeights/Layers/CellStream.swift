/// The parameters of a cell laid out for streams: eight units a vector.
///
/// H units, of the associative LSTM H/2 complex ones, are padded with zeros to U vectors of eight. Vector u·G + g of the
/// pre-activations holds gate g of the units 8u … 8u + 7, so that one sweep over them has all gates of a unit at hand, and
/// a padded unit computes 0 from 0. The gates of eight units stay in one tile of the product, but those of the associative
/// LSTM, which has more than a tile has room for.
final class CellStreamWeights: LayerStreamWeights {
    let cell: PlacedCell
    /// The rows that stand for tokens, [V, E]; nil where the cell reads numbers, or tokens as they are.
    private let embedding: UnsafePointer<Float>?
    private let embeddingColumns: Int
    /// U, vectors a gate.
    let vectors: Int
    /// G, gates.
    let gates: Int
    /// b_ih, and b_hh where it is simply added, [G·U].
    let bias: UnsafePointer<Octet>
    /// W_ih and W_hh side by side, [G·U vectors, I + H]; W_ih alone where gates have a product with h of their own.
    let weight: StreamMatrix
    /// W_hh where it is apart.
    let recurrentWeight: StreamMatrix
    /// b_hh of the gate with a product of its own, [U].
    let candidateBias: UnsafePointer<Octet>
    /// Gains and biases of the layer norms.
    let norms: [Norm]
    private let block: Parameters
    private let arena = StreamArena()

    struct Norm {
        let gain: UnsafePointer<Octet>
        let bias: UnsafePointer<Octet>
    }

    /// How the sets of a layer norm are laid out: of the gates, so that those of eight units are neighbors, or one behind
    /// the other.
    enum NormLayout {
        case ofGates(Int)
        case sets(Int)
    }

    init(_ source: CellWeights, _ precision: WeightPrecision) {
        let (cell, p, arena) = (source.cell, source.numbers, arena)
        let (hidden, units) = (cell.sizes.hidden, cell.sizes.units)
        let gates = cell.sizes.rows / units
        let vectors = (units + Octet.width - 1) / Octet.width
        (self.cell, self.gates, self.vectors) = (cell, gates, vectors)

        typealias Part = (values: UnsafePointer<Float>, rows: Int, columns: Int)
        /// Matrices of G·H rows or the first of them side by side.
        func matrix(_ parts: [Part]) -> StreamMatrix {
            let matrix = StreamMatrix(
                vectors: gates * vectors, parts: parts.map { $0.columns }, precision: precision,
                grain: units < hidden ? 1 : gates, arena: arena)
            var first = 0
            for part in parts {
                for row in 0..<part.rows {
                    let (gate, unit) = (row / units, row % units)
                    for k in 0..<part.columns {
                        matrix.set(
                            precision.rounded(part.values[row * part.columns + k]), unit / Octet.width * gates + gate,
                            lane: unit % Octet.width, column: k, ofPartAt: first)
                    }
                }
                first = matrix.end(ofPartAt: first, columns: part.columns)
            }
            return matrix
        }
        /// Adds `sets` runs of a number a unit to vectors of which those of a run are `stride` apart, the runs `step`.
        func add(
            _ values: UnsafePointer<Float>, sets: Int, stride: Int, step: Int, to target: UnsafeMutablePointer<Octet>
        ) {
            for set in 0..<sets {
                for unit in 0..<units {
                    target[unit / Octet.width * stride + set * step][unit % Octet.width] += values[set * units + unit]
                }
            }
        }

        let inputColumns = cell.inputWeight.count / cell.sizes.rows
        let input: Part = (UnsafePointer(p[cell.inputWeight]), cell.sizes.rows, inputColumns)
        let recurrent: [Part] =
            cell.recurrentWeight.map {
                [(UnsafePointer(p[$0]), cell.sizes.recurrentRows, hidden)]
            } ?? []
        let isApart = cell.sizes.separateGates > 0
        weight = matrix(isApart ? [input] : [input] + recurrent)
        recurrentWeight = matrix(isApart ? recurrent : [])
        let (bias, candidateBias) = (arena.octets(gates * vectors), arena.octets(vectors))
        if let inputBias = cell.inputBias { add(p[inputBias], sets: gates, stride: gates, step: 1, to: bias) }
        if let recurrentBias = cell.recurrentBias {
            let added = cell.sizes.addedGates
            add(p[recurrentBias], sets: added, stride: gates, step: 1, to: bias)
            if isApart { add(p[recurrentBias] + added * hidden, sets: 1, stride: 1, step: 0, to: candidateBias) }
        }
        self.bias = UnsafePointer(bias)
        self.candidateBias = UnsafePointer(candidateBias)
        norms = cell.kind.normLayouts.enumerated().map { i, layout in
            let (sets, stride, step) =
                switch layout {
                case .ofGates(let count): (count, count, 1)
                case .sets(let count): (count, 1, vectors)
                }
            let (gain, shift) = (arena.octets(sets * vectors), arena.octets(sets * vectors))
            add(p[cell.own[2 * i]], sets: sets, stride: stride, step: step, to: gain)
            add(p[cell.own[2 * i + 1]], sets: sets, stride: stride, step: step, to: shift)
            return Norm(gain: gain, bias: shift)
        }
        embedding = cell.tokens?.embedding.map { UnsafePointer(p[$0]) }
        (embeddingColumns, block) = (inputColumns, source.block)
        super.init(source, precision)
    }

    /// What W_ih is multiplied by: x, or the row of the embedding below that stands for the token at whose index x has a 1.
    @inline(__always) func read(_ x: ColumnNumbers) -> ColumnNumbers {
        guard let embedding else { return x }
        return ColumnNumbers(pointer: embedding + x.indexOfOne &* embeddingColumns, count: embeddingColumns)
    }
}

/// One running sequence of a cell; a subclass is one kind of cell, whose step is one function that is not inlined and works
/// on local pointers. What each step reads stands in front, here and in the weights: a matrix as large as the first-level
/// cache leaves none of it there.
///
/// A step costs O(G·H·(I + H)), G the gates; the fast weights O(H·I + (S + 2)·H²). The fast weights are the explicit matrix
/// A, of constant size however long the sequence.
class CellStream: LayerStream {
    let shared: CellStreamWeights
    let hidden: Int
    /// h, [U] vectors; its padding is zero, as that of everything here.
    final let h: UnsafeMutablePointer<Octet>
    /// The pre-activations of a step.
    final let gates: UnsafeMutablePointer<Octet>
    /// What they are made of, that of the shared weights.
    final let weight: StreamMatrix
    final let bias: UnsafePointer<Octet>
    /// Whether this step takes the tiles of its matrices from the last to the first; steps take turns.
    final private(set) var backwards = false
    /// Whether the next step starts from h = 0.
    final var isCleared = false
    /// The state beside h: c of the LSTM, one column; A of the fast weights, H columns; real and imaginary parts of each
    /// copy of the associative LSTM, a column each; otherwise empty.
    final let memory: StreamMatrix
    /// 1 in the lanes of the last vector that are units, 0 in its padding.
    final let lastUnits: Octet
    let arena: StreamArena
    private let hiddenVectors: Int

    /// A stream in the zero state; the tiles of its memory have at most `tallest` vectors.
    init(_ shared: CellStreamWeights, arena: StreamArena = StreamArena(), tallest: Int? = nil) {
        let sizes = shared.cell.sizes
        (self.shared, hidden, self.arena) = (shared, sizes.hidden, arena)
        (weight, bias) = (shared.weight, shared.bias)
        let U = shared.vectors
        memory = StreamMatrix(
            vectors: U, columns: (sizes.memory?.count ?? 0) / sizes.units, tallest: tallest ?? U, arena: arena)
        hiddenVectors = (hidden + Octet.width - 1) / Octet.width
        h = arena.octets(hiddenVectors)
        gates = arena.octets(shared.gates * U)
        var last = Octet.zero
        for unit in (U - 1) * Octet.width..<sizes.units { last[unit % Octet.width] = 1 }
        lastUnits = last
        super.init(outputs: h, width: hidden)
    }

    /// Whether a number a unit stands row by row in the memory, or column by column.
    var memoryIsByRows: Bool { false }
    /// Does what is left to do before the memory is read.
    func settle() {}

    override func reset() {
        h.update(repeating: .zero, count: hiddenVectors)
        memory.values.update(repeating: .zero, count: memory.vectors * memory.columns)
        (phase, isCleared) = (0, false)
    }

    final override func showState() -> Bool { true }

    override func takeOver(_ other: LayerStream) {
        super.takeOver(other)
        let other = unsafeDowncast(other, to: CellStream.self)
        memory.values.update(from: other.memory.values, count: memory.vectors * memory.columns)
        (phase, isCleared) = (other.phase, other.isCleared)
    }

    final override var state: [[Float]] {
        get {
            settle()
            let H = hidden
            let carried = isCleared ? [Float](repeating: 0, count: H) : (0..<H).map { numbers(h)[$0] }
            guard memory.columns > 0 else { return [carried] }
            var values = [Float](repeating: 0, count: shared.cell.sizes.units * memory.columns)
            forEachNumber { values[$0] = $1.pointee[$2] }
            return [carried, values]
        }
        set {
            reset()
            for r in 0..<hidden { h[r / Octet.width][r % Octet.width] = newValue[0][r] }
            forEachNumber { $1.pointee[$2] = newValue[1][$0] }
        }
    }

    /// Calls `body` with every number of the memory: its index in a state, the vector where it stands and its lane.
    private func forEachNumber(_ body: (Int, UnsafeMutablePointer<Octet>, Int) -> Void) {
        let units = shared.cell.sizes.units
        for r in 0..<units {
            for k in 0..<memory.columns {
                body(
                    memoryIsByRows ? r * memory.columns + k : k * units + r, memory.vector(r / Octet.width, column: k),
                    r % Octet.width)
            }
        }
    }

    // MARK: What the kinds need

    /// Begins a step, by which h and the memory become those after x: the other way through the tiles, and what W_ih is
    /// multiplied by.
    @inline(__always)
    final func begin(_ input: ColumnNumbers) -> ColumnNumbers {
        backwards.toggle()
        return shared.read(input)
    }

    /// gates = bias + W_ih x + W_hh h, of a cell without W_hh, or with it apart, bias + W_ih x.
    @inline(__always)
    final func project(_ x: ColumnNumbers) {
        let recurrent = ColumnNumbers(pointer: numbers(h), count: weight.columns &- x.columns)
        multiply(weight, by: x, recurrent, from: bias, into: gates, backwards: backwards)
    }

    @inline(__always)
    final var hiddenNumbers: ColumnNumbers { ColumnNumbers(pointer: numbers(h), count: hidden) }

    /// z = gain·LN(z) + bias of one vector of H.
    @inline(__always)
    final func normalize(
        _ z: UnsafeMutablePointer<Octet>, _ norm: CellStreamWeights.Norm, epsilon: Float, offset: Int = 0,
        stride: Int = 1
    ) {
        normalizeUnits(
            z, vectors: shared.vectors, stride: stride, units: hidden, last: lastUnits, epsilon: epsilon,
            gain: norm.gain + offset, bias: norm.bias + offset)
    }

    /// y = f(z) of one vector of H, its padding zero.
    @inline(__always)
    final func activate(
        _ z: UnsafePointer<Octet>, _ activation: Activation, into y: UnsafeMutablePointer<Octet>
    ) {
        activation.apply(z, into: y, vectors: shared.vectors)
        if activation == .sigmoid { y[shared.vectors &- 1] *= lastUnits }
    }
}
