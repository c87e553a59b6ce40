/// A kind of recurrent cell: what it needs beside the projection of its input, which all cells share.
protocol CellKind: LayerKind {
    var sizes: CellSizes { get }
    /// Whether there are b_ih and, where the cell has one, b_hh.
    var hasBias: Bool { get }
    /// Why the cell cannot be; nil if it can.
    var problem: String? { get }
    /// What weight_hh, bias_ih and bias_hh begin with, where not uniform in ±1/√H.
    var firstValues: CellFirstValues { get }
    /// Adds the parameters of the cell that are its own, in the order in which it will ask for them.
    func declare(_ scope: inout ParameterScope) -> [Parameter]
    /// Rows of the memory of a sequence as it is carried.
    func memoryRows(_ carry: Carry) -> Int
    var period: Int { get }
    var prefersWhole: Bool { get }
    func pass(_ weights: CellWeights, _ input: PassInput, _ plan: PassPlan) -> CellPass
    func stream(_ shared: CellStreamWeights) -> CellStream
    /// How each layer norm of the cell is laid out for streams: pairs of gain and bias of what `declare` gave.
    var normLayouts: [CellStreamWeights.NormLayout] { get }
}

extension CellKind {
    var readsTable: Bool { true }
    var cell: (any CellKind)? { self }
    var problem: String? { nil }
    var firstValues: CellFirstValues { CellFirstValues() }
    var period: Int { 1 }
    var prefersWhole: Bool { false }
    var normLayouts: [CellStreamWeights.NormLayout] { [] }
    func declare(_ scope: inout ParameterScope) -> [Parameter] { [] }
    func memoryRows(_ carry: Carry) -> Int { carry == .nothing ? 0 : sizes.memory?.count ?? 0 }

    func problem(reading input: LayerShape) -> String? {
        guard input.isPerStep else { return "it needs values at every step, found \(input.text)" }
        guard (1...sizeLimit).contains(sizes.hidden) else {
            return "it needs from 1 to \(sizeLimit) hidden units, found \(sizes.hidden)"
        }
        return problem
    }

    func placed(_ input: LayerInput, _ scope: inout ParameterScope) -> PlacedLayer {
        placedCell(input, suffix: scope.cellSuffix, &scope)
    }

    func placedCell(_ input: LayerInput, suffix: String, _ scope: inout ParameterScope) -> PlacedCell {
        scope.within(suffix: suffix, isRecurrent: true) { PlacedCell(self, input, &$0) }
    }
}

/// The sizes of a cell.
struct CellSizes {
    /// H, hidden units.
    var hidden: Int
    /// Units that the rows of a gate belong to: H, or H/2 complex numbers.
    var units: Int
    /// Rows of each gate in weight_ih.
    var gates: [Int]
    /// How many of the gates, the first, have rows in weight_hh.
    var recurrentGates: Int
    /// In how many of the gates, the first, b_ih and b_hh are simply added up; a cell with none has no b_hh.
    var addedGates = 0
    /// How many of the recurrent gates, the last, have a product with h of their own.
    var separateGates = 0
    /// The state beside h.
    var memory: StatePart?

    init(hidden: Int, gates: Int) {
        (self.hidden, units, recurrentGates) = (hidden, hidden, gates)
        self.gates = [Int](repeating: hidden, count: gates)
    }

    /// Rows of weight_ih.
    var rows: Int { gates.reduce(0, +) }
    /// Rows of weight_hh.
    var recurrentRows: Int { gates.prefix(recurrentGates).reduce(0, +) }
    var addedRows: Int { gates.prefix(addedGates).reduce(0, +) }
}

/// What a cell's parameters begin with: nil is uniform in ±1/√H.
struct CellFirstValues {
    var recurrentWeight: FirstValue?
    var inputBias: FirstValue?
    var recurrentBias: FirstValue?
}

/// A cell in its place: PyTorch's names and shapes.
final class PlacedCell: PlacedLayer {
    let kind: any CellKind
    let sizes: CellSizes
    let tokens: TokenSource?
    /// weight_ih [G·H, I].
    let inputWeight: Parameter
    /// weight_hh [G·H, H]; nil of a cell whose gates do not look at h.
    let recurrentWeight: Parameter?
    let inputBias: Parameter?
    let recurrentBias: Parameter?
    /// What the kind has declared besides.
    let own: [Parameter]
    private let parts: [StatePart]

    init(_ kind: any CellKind, _ input: LayerInput, _ scope: inout ParameterScope) {
        let sizes = kind.sizes
        (self.kind, self.sizes, tokens) = (kind, sizes, input.tokens)
        let (rows, columns) = (sizes.rows, input.tokens?.columns ?? input.shape.count)
        let uniform = FirstValue.uniform(1 / Float(sizes.hidden).squareRoot())
        let first = kind.firstValues
        let gates = sizes.gates
        inputWeight = scope.add("weight_ih", rows, columns, first: uniform, parts: gates.map { $0 * columns })
        let hidden = sizes.hidden
        recurrentWeight =
            sizes.recurrentGates == 0
            ? nil
            : scope.add(
                "weight_hh", sizes.recurrentRows, hidden, first: first.recurrentWeight ?? uniform,
                parts: gates.map { $0 * hidden })
        inputBias = kind.hasBias ? scope.add("bias_ih", rows, first: first.inputBias ?? uniform, parts: gates) : nil
        recurrentBias =
            kind.hasBias && sizes.addedGates > 0
            ? scope.add("bias_hh", rows, first: first.recurrentBias ?? uniform, parts: gates) : nil
        own = kind.declare(&scope)
        let memory = sizes.memory.map { [$0] } ?? []
        parts = scope.named([StatePart(letter: "h", sizes: [sizes.hidden])] + memory)
        super.init(input.shape, .vector(sizes.hidden))
    }

    override var state: [StatePart] { parts }
    override var carriedRows: Int { sizes.hidden + kind.memoryRows(.state) }
    override var period: Int { kind.period }
    override var prefersWhole: Bool { kind.prefersWhole }
    override func weights(_ block: Parameters) -> LayerWeights { CellWeights(self, block) }
    override func pass(_ weights: LayerWeights, _ input: PassInput, _ plan: PassPlan) -> LayerPass {
        kind.pass(unsafeDowncast(weights, to: CellWeights.self), input, plan)
    }
    override var streamMatrices: [Parameter] { [inputWeight] + (recurrentWeight.map { [$0] } ?? []) }
    override func streamWeights(_ weights: LayerWeights, _ precision: WeightPrecision) -> LayerStreamWeights {
        CellStreamWeights(unsafeDowncast(weights, to: CellWeights.self), precision)
    }
    override func stream(_ shared: LayerStreamWeights) -> LayerStream {
        kind.stream(unsafeDowncast(shared, to: CellStreamWeights.self))
    }

    /// What the projections of some rows begin with: b_ih, and b_hh where it is simply added.
    func copyBias(_ p: UnsafePointer<Float>, _ rows: Range<Int>, into target: UnsafeMutablePointer<Float>) {
        for (i, r) in rows.enumerated() {
            let input = inputBias.map { p[$0.offset + r] } ?? 0
            let recurrent = r < sizes.addedRows ? recurrentBias.map { p[$0.offset + r] } ?? 0 : 0
            target[i] = input + recurrent
        }
    }
}

extension TokenSource {
    /// Columns of the matrix that is multiplied by what stands for a token.
    var columns: Int { embedding.map { $0.count / vocabulary } ?? vocabulary }
}

/// A cell's parameters made ready: biases added up, W_hh packed, and tokens as a table.
final class CellWeights: LayerWeights {
    let cell: PlacedCell
    /// What every projection begins with, [rows].
    let bias: Buffer<Float>
    /// b_hh, of a cell without it zeros, [rows].
    var recurrentBias: UnsafePointer<Float> { UnsafePointer(cell.recurrentBias.map { numbers[$0] } ?? noBias.pointer) }
    private let recurrent: RecurrentWeights
    private let noBias: Buffer<Float>
    private let ownTable: TokenTable?

    /// `tableHasBias` is false where rows of several tokens are added up.
    init(_ cell: PlacedCell, _ block: Parameters, tableHasBias: Bool = true) {
        self.cell = cell
        bias = Buffer(cell.sizes.rows)
        noBias = Buffer(cell.recurrentBias == nil ? cell.sizes.rows : 0)
        recurrent = RecurrentWeights(cell.sizes)
        ownTable = cell.tokens.map { TokenTable($0, of: cell, hasBias: tableHasBias) }
        super.init(cell, block)
    }

    override var table: TokenTable? { ownTable }
    override var pieces: Int { 1 + recurrent.pieces + (table?.fillPieces ?? 0) }

    override func pack(piece: Int) {
        if piece == 0 { return cell.copyBias(numbers, 0..<cell.sizes.rows, into: bias.pointer) }
        if piece <= recurrent.pieces, let weight = cell.recurrentWeight {
            return recurrent.pack(numbers[weight], piece: piece - 1)
        }
        table?.fill(numbers, piece: piece - 1 - recurrent.pieces)
    }

    /// W_hh for z += W_hh h, the rows of one part; asked for before a loop over steps.
    func recurrent(part: Int = 0) -> PackedProducts { recurrent.parts[part].matrix.products }
    /// W_hhᵀ for dh += W_hhᵀ dz.
    func recurrentTransposed(part: Int = 0) -> PackedProducts { recurrent.parts[part].transposed.products }
}

/// W_hh and its transpose, packed once a training step for the products of every time step; in parts where a cell has
/// gates with a product of their own.
struct RecurrentWeights {
    struct Part {
        /// Its first number in W_hh.
        let offset: Int
        let matrix: PackedMatrix
        let transposed: PackedMatrix
    }

    let parts: [Part]
    private let hidden: Int

    init(_ sizes: CellSizes) {
        let (rows, hidden) = (sizes.recurrentRows, sizes.hidden)
        self.hidden = hidden
        let first = sizes.gates.prefix(sizes.recurrentGates - sizes.separateGates).reduce(0, +)
        let ends = first < rows ? [0, first, rows] : [0, rows]
        parts = (rows == 0 ? [] : zip(ends, ends.dropFirst()).map { ($0, $1) }).map { first, end in
            Part(
                offset: first * hidden, matrix: PackedMatrix(rows: end - first, depth: hidden),
                transposed: PackedMatrix(rows: hidden, depth: end - first))
        }
    }

    /// Pieces of `pack`, of some tiles each.
    var pieces: Int { parts.reduce(0) { $0 + Self.pieces($1.matrix).count + Self.pieces($1.transposed).count } }

    /// Packs a piece of the matrix at `weight`.
    func pack(_ weight: UnsafePointer<Float>, piece: Int) {
        var piece = piece
        for part in parts {
            let source = weight + part.offset
            for (matrix, rowStride, depthStride) in [(part.matrix, hidden, 1), (part.transposed, 1, hidden)] {
                let pieces = Self.pieces(matrix)
                if piece < pieces.count {
                    return matrix.pack(pieces[piece], source, rowStride: rowStride, depthStride: depthStride)
                }
                piece -= pieces.count
            }
        }
    }

    private static func pieces(_ matrix: PackedMatrix) -> Pieces { Pieces(of: matrix.tiles, size: 4) }
}

/// Why an ε inside a square root cannot be; nil if it can.
func epsilonProblem(_ epsilon: Float) -> String? {
    epsilon >= 0 && epsilon.isFinite
        ? nil : "the ε of a layer norm is a finite number of at least 0, found \(epsilon)"
}

extension ConfigurationReader {
    /// The ε of a layer norm.
    func epsilon(default fallback: Double = 1e-5) throws(ConfigurationError) -> Float {
        Float(try number("epsilon", default: fallback))
    }

    func activation(default fallback: Activation? = nil) throws(ConfigurationError) -> Activation {
        if let fallback, json["activation"] == nil { return fallback }
        guard let value = Activation(rawValue: try text("activation")) else {
            throw wrong("activation", "relu, tanh or sigmoid")
        }
        return value
    }
}
