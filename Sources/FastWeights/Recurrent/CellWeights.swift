/// One cell's parameters made ready for a run, for any number of threads to read.
final class CellWeights: @unchecked Sendable {
    let configuration: CellConfiguration
    let parameters: CellParameters
    let recurrent: RecurrentWeights
    /// What every projection begins with: b_ih, and b_hh where it is simply added; [gate rows].
    let bias: Buffer<Float>
    private let absentBias: Buffer<Float>?
    private let block: Parameters

    /// Ready for the parameters of `block` as they are now; `pack` takes in what has changed.
    init(_ configuration: CellConfiguration, _ block: Parameters, suffix: String = "", bias: Bool = true) {
        let rows = configuration.gateRows
        self.configuration = configuration
        self.block = block
        absentBias = bias ? nil : Buffer(rows)
        parameters = CellParameters(block, suffix: suffix, absentBias: absentBias?.pointer)
        recurrent = RecurrentWeights(configuration)
        self.bias = Buffer(rows)
        pack()
    }

    /// Pieces of `pack`: the biases, and those of the recurrent matrix.
    var pieces: Int { 1 + recurrent.pieces }

    func pack() {
        for piece in 0..<pieces { pack(piece: piece) }
    }

    /// A piece of `pack`.
    func pack(piece: Int) {
        if piece == 0 {
            parameters.copyBias(0..<configuration.gateRows, configuration.plainBiasRows, into: bias.pointer)
        } else {
            recurrent.pack(parameters.recurrentWeight, piece: piece - 1)
        }
    }
}

/// A network's parameters made ready for a run.
struct NetworkWeights {
    /// The cells in PyTorch's order.
    let cells: [CellWeights]
    let head: HeadParameters?
    /// The first layer's inputs by tokens, a table a direction; none where its input is numbers.
    let tables: [InputTable]

    /// Pieces of `pack`: those of the cells, then those of the tables.
    var pieces: Int { cells.reduce(0) { $0 + $1.pieces } + tables.reduce(0) { $0 + $1.pieces } }

    func pack() {
        for piece in 0..<pieces { pack(piece: piece) }
    }

    /// A piece of `pack`.
    func pack(piece: Int) {
        var piece = piece
        for cell in cells {
            if piece < cell.pieces { return cell.pack(piece: piece) }
            piece -= cell.pieces
        }
        for table in tables {
            if piece < table.pieces { return table.fill(piece: piece) }
            piece -= table.pieces
        }
    }
}

/// Pointers to a network's windows in a block of gradients.
struct NetworkGradients {
    let cells: [CellParameters]
    let head: HeadParameters?
    /// Where the gradients of absent biases go.
    private var absentBias: Buffer<Float>?

    init(_ configuration: RecurrentNetworkConfiguration, _ block: Parameters) {
        let absentBias = configuration.bias ? nil : Buffer<Float>(configuration.cell(at: 0).gateRows)
        self.absentBias = absentBias
        cells = configuration.places.map {
            CellParameters(block, suffix: $0.suffix, absentBias: absentBias?.pointer)
        }
        head = configuration.head.map { _ in HeadParameters(block) }
    }

    /// Those of a single cell under the names without a layer.
    init(ofCell block: Parameters) {
        cells = [CellParameters(block)]
        head = nil
    }
}

extension RecurrentNetworkConfiguration {
    /// The parameters of a block, ready for a run; of tokens with tables, which `pack` fills.
    func weights(_ block: Parameters, takesTokens: Bool = false) -> NetworkWeights {
        let cells = places.map { CellWeights(cell(at: $0.layer), block, suffix: $0.suffix, bias: bias) }
        return NetworkWeights(
            cells: cells, head: head.map { _ in HeadParameters(block) },
            tables: takesTokens ? cells.prefix(directions).map { InputTable($0) } : [])
    }
}
