/// What each token adds to the pre-activations of a layer: row v is W·(what stands for token v) + the biases.
///
/// There are only V tokens, so a token's projection is a row of this table, made once a training step, instead of a
/// product at every step of every sequence: of one-hot tokens a column of W, of an embedding W·E_v. The gradient goes the
/// same way back: rows are added up in a table of gradients, and one product each gives those of embedding and W.
final class TokenTable {
    let source: TokenSource
    private let cell: PlacedCell
    private let hasBias: Bool
    private let values: Buffer<Float>
    /// The table by tokens.
    let tokenRows: TokenRows
    /// A row begins a cache line, so that threads that write beside each other share none.
    private let stride: Int
    /// One for each piece that may be done at the same time as another.
    private var workspaces: [ProductWorkspace] = []
    /// Where its gradients lie in the blocks of a step, behind the parameters.
    private(set) var gradientOffset = 0

    private var rows: Int { cell.sizes.rows }
    private var vocabulary: Int { source.vocabulary }
    /// Numbers of what stands for a token in memory: E of an embedding.
    private var width: Int { source.embedding.map { $0.count / vocabulary } ?? vocabulary }

    /// A table of the tokens below a cell. Without biases rows of several tokens at once may be added up.
    init(_ source: TokenSource, of cell: PlacedCell, hasBias: Bool = true) {
        (self.source, self.cell, self.hasBias) = (source, cell, hasBias)
        stride = (cell.sizes.rows + Lanes.width - 1) / Lanes.width * Lanes.width
        values = Buffer(source.vocabulary * stride)
        tokenRows = TokenRows(values: values.pointer, rows: cell.sizes.rows, stride: stride)
        workspaces = (0..<rowPieces.count + embeddingPieces.count).map { _ in ProductWorkspace() }
    }

    /// Floats of the table, and of its gradients.
    var count: Int { values.count }

    /// Other tables of the same embedding, whose gradients of it this one adds to its own.
    private var others: [TokenTable] = []
    private var isOther = false

    /// Gives the gradients their place; `first` is another table of the same tokens.
    func place(at offset: Int, behind first: TokenTable?) {
        gradientOffset = offset
        guard let first else { return }
        first.others.append(self)
        isOther = true
    }

    /// The parameters whose gradients come of the table's.
    var written: [Parameter] {
        guard let embedding = source.embedding else { return [cell.inputWeight] }
        return [embedding, cell.inputWeight] + (cell.inputBias.map { [$0] } ?? [])
    }

    /// The gradients in a block.
    func gradientRows(_ gradients: UnsafeMutablePointer<Float>) -> TokenRows {
        TokenRows(values: gradients + gradientOffset, rows: rows, stride: stride)
    }

    private var rowPieces: Pieces { Pieces(of: rows, about: 32) }
    private var embeddingPieces: Pieces { Pieces(of: source.embedding == nil || isOther ? 0 : width, about: 32) }

    /// Pieces of `fill`, and those of `writeGradients`.
    var fillPieces: Int { rowPieces.count }
    var gradientPieces: Int { rowPieces.count + embeddingPieces.count }

    /// Whether the table's gradients hold that of b_ih too: a sum of rows, of an embedding.
    var sumsBias: Bool { source.embedding != nil }

    /// Makes a piece of the table anew: some of the columns.
    func fill(_ p: UnsafeMutablePointer<Float>, piece: Int) {
        let range = rowPieces[piece]
        let first = range.lowerBound
        let row = values.pointer + first
        if hasBias { cell.copyBias(p, range, into: row) } else { row.update(repeating: 0, count: range.count) }
        for v in 1..<max(vocabulary, 1) { (row + v * stride).update(from: row, count: range.count) }
        let weight = p[cell.inputWeight] + first * width
        if let embedding = source.embedding {
            multiply(
                MatrixView(p[embedding], vocabulary, width), MatrixView(weight, range.count, width).transposed,
                into: columns(values.pointer, range), accumulate: true, workspace: workspaces[piece])
        } else {
            for v in 0..<vocabulary {
                let row = row + v &* stride
                for r in 0..<range.count { row[r] += weight[r &* width &+ v] }
            }
        }
    }

    /// From ∂L/∂(table) in `gradients` those of W, and of an embedding b_ih and E: a piece of them.
    func writeGradients(
        _ p: UnsafeMutablePointer<Float>, _ gradients: UnsafeMutablePointer<Float>,
        into g: UnsafeMutablePointer<Float>, piece: Int
    ) {
        let table = gradients + gradientOffset
        guard piece < rowPieces.count else {
            let range = embeddingPieces[piece - rowPieces.count]
            writeEmbeddingGradient(p, gradients, range, into: g, accumulate: false, workspaces[piece])
            for other in others {
                other.writeEmbeddingGradient(p, gradients, range, into: g, accumulate: true, workspaces[piece])
            }
            return
        }
        let range = rowPieces[piece]
        let target = g[cell.inputWeight]
        guard let embedding = source.embedding else {
            for r in range { for v in 0..<vocabulary { target[r &* width &+ v] = table[v &* stride &+ r] } }
            return
        }
        multiply(
            columns(table, range).transposed, MatrixView(p[embedding], vocabulary, width),
            into: MatrixView(target + range.lowerBound * width, range.count, width), accumulate: false,
            workspace: workspaces[piece])
        guard let inputBias = cell.inputBias else { return }
        let bias = g[inputBias]
        for r in range { bias[r] = table[r] }
        for v in 1..<max(vocabulary, 1) {
            let row = table + v * stride
            for r in range { bias[r] += row[r] }
        }
    }

    private func writeEmbeddingGradient(
        _ p: UnsafeMutablePointer<Float>, _ gradients: UnsafeMutablePointer<Float>, _ range: Range<Int>,
        into g: UnsafeMutablePointer<Float>, accumulate: Bool, _ workspace: ProductWorkspace
    ) {
        guard let embedding = source.embedding else { return }
        var weight = MatrixView(p[cell.inputWeight] + range.lowerBound, rows, width)
        var target = MatrixView(g[embedding] + range.lowerBound, vocabulary, width)
        (weight.columns, target.columns) = (range.count, range.count)
        multiply(
            columns(gradients + gradientOffset, 0..<rows), weight, into: target, accumulate: accumulate,
            workspace: workspace)
    }

    private func columns(_ table: UnsafeMutablePointer<Float>, _ range: Range<Int>) -> MatrixView {
        var view = MatrixView(table + range.lowerBound, vocabulary, stride)
        view.columns = range.count
        return view
    }
}
