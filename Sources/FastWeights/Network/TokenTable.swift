/// The product of every embedding with the cell's input matrix: row v is W_ih·embedding(v) + b_ih, and b_hh where the
/// cell simply adds it.
///
/// There are only V tokens, so a token's projection is a row of this table, made once a training step, instead of a
/// product at every step of every sequence. The gradient goes the same way back: rows are added up in a table of
/// gradients, and one product each gives those of the embedding and the input matrix.
final class TokenTable {
    private let vocabulary: Int
    private let embedding: Int
    let rows: Int
    /// A row begins a cache line, so that threads that write beside each other share none.
    private let stride: Int
    private let plainRows: Int
    let values: Buffer<Float>
    /// One for each piece that may be done at the same time as another.
    private var workspaces: [ProductWorkspace] = []

    init(_ configuration: ClassifierConfiguration) {
        vocabulary = configuration.vocabulary
        embedding = configuration.cell.input
        rows = configuration.cell.gateRows
        plainRows = configuration.cell.plainBiasRows
        stride = (rows + Lanes.width - 1) / Lanes.width * Lanes.width
        values = Buffer(vocabulary * stride)
        workspaces = (0..<gradientPieces).map { _ in ProductWorkspace() }
    }

    private var rowPieces: Pieces { Pieces(of: rows, about: 32) }
    private var embeddingPieces: Pieces { Pieces(of: embedding, about: 32) }

    var fillPieces: Int { rowPieces.count }
    var gradientPieces: Int { rowPieces.count + embeddingPieces.count }

    /// values = E·W_ihᵀ + the biases, [V, rows].
    func fill(_ parameters: ClassifierParameters) {
        for piece in 0..<fillPieces { fill(parameters, piece: piece) }
    }

    /// A piece of `fill`: some of the columns.
    func fill(_ parameters: ClassifierParameters, piece: Int) {
        let range = rowPieces[piece]
        let first = range.lowerBound
        let biases = values.pointer + first
        parameters.cell.copyBias(range, plainRows, into: biases)
        for v in 1..<max(vocabulary, 1) { (biases + v * stride).update(from: biases, count: range.count) }
        multiply(
            MatrixView(parameters.embedding, vocabulary, embedding),
            MatrixView(parameters.cell.inputWeight + first * embedding, range.count, embedding).transposed,
            into: columns(range), accumulate: true, workspace: workspaces[piece])
    }

    /// With `values` as ∂L/∂(table): the gradients of embedding, W_ih and b_ih; a piece of them.
    func writeGradients(_ parameters: ClassifierParameters, into gradients: ClassifierParameters, piece: Int) {
        if piece < rowPieces.count {
            let range = rowPieces[piece]
            let first = range.lowerBound
            multiply(
                columns(range).transposed, MatrixView(parameters.embedding, vocabulary, embedding),
                into: MatrixView(gradients.cell.inputWeight + first * embedding, range.count, embedding),
                accumulate: false, workspace: workspaces[piece])
            for r in range { gradients.cell.inputBias[r] = values.pointer[r] }
            for v in 1..<max(vocabulary, 1) {
                let row = values.pointer + v * stride
                for r in range { gradients.cell.inputBias[r] += row[r] }
            }
        } else {
            let range = embeddingPieces[piece - rowPieces.count]
            var weight = MatrixView(parameters.cell.inputWeight + range.lowerBound, rows, embedding)
            var target = MatrixView(gradients.embedding + range.lowerBound, vocabulary, embedding)
            (weight.columns, target.columns) = (range.count, range.count)
            multiply(
                columns(0..<rows), weight, into: target, accumulate: false,
                workspace: workspaces[piece])
        }
    }

    private func columns(_ range: Range<Int>) -> MatrixView {
        var view = MatrixView(values.pointer + range.lowerBound, vocabulary, stride)
        view.columns = range.count
        return view
    }

    /// The table by tokens.
    var tokenRows: TokenRows { TokenRows(values: values.pointer, rows: rows, stride: stride) }
}

/// Pointers to a classifier's windows in a block of parameters or of gradients.
struct ClassifierParameters {
    let embedding: UnsafeMutablePointer<Float>
    let cell: CellParameters
    let hiddenWeight: UnsafeMutablePointer<Float>
    let hiddenBias: UnsafeMutablePointer<Float>
    let outputWeight: UnsafeMutablePointer<Float>
    let outputBias: UnsafeMutablePointer<Float>

    init(_ block: Parameters) {
        embedding = block.pointer(to: "embedding.weight")
        cell = CellParameters(block, prefix: "cell.")
        hiddenWeight = block.pointer(to: "hidden.weight")
        hiddenBias = block.pointer(to: "hidden.bias")
        outputWeight = block.pointer(to: "output.weight")
        outputBias = block.pointer(to: "output.bias")
    }
}
