/// The product of every embedding with the cell's input matrix: row v is W_ih·embedding(v) + b_ih.
///
/// There are only V tokens, so a token's projection is a row of this table, made once a training step, instead of a
/// product at every step of every sequence. The gradient goes the same way back: rows are added up in a table of
/// gradients, and one product each gives those of the embedding and the input matrix.
final class TokenTable {
    private let vocabulary: Int
    private let embedding: Int
    let rows: Int
    let values: Buffer<Float>

    init(_ configuration: ClassifierConfiguration) {
        vocabulary = configuration.vocabulary
        embedding = configuration.cell.input
        rows = configuration.cell.gateRows
        values = Buffer(vocabulary * rows)
    }

    /// values = E·W_ihᵀ + b_ih, [V, rows].
    func fill(_ parameters: ClassifierParameters) {
        for v in 0..<vocabulary { (values.pointer + v * rows).update(from: parameters.cell.inputBias, count: rows) }
        multiply(
            MatrixView(parameters.embedding, vocabulary, embedding),
            MatrixView(parameters.cell.inputWeight, rows, embedding).transposed,
            into: MatrixView(values.pointer, vocabulary, rows), accumulate: true)
    }

    /// With `values` as ∂L/∂(table): adds the gradients of embedding, W_ih and b_ih.
    func addGradients(_ parameters: ClassifierParameters, into gradients: ClassifierParameters) {
        let d = MatrixView(values.pointer, vocabulary, rows)
        multiply(
            d, MatrixView(parameters.cell.inputWeight, rows, embedding),
            into: MatrixView(gradients.embedding, vocabulary, embedding), accumulate: true)
        multiply(
            d.transposed, MatrixView(parameters.embedding, vocabulary, embedding),
            into: MatrixView(gradients.cell.inputWeight, rows, embedding), accumulate: true)
        for v in 0..<vocabulary {
            let row = values.pointer + v * rows
            for r in 0..<rows { gradients.cell.inputBias[r] += row[r] }
        }
    }

    /// panel[r][lane] = table[token of the lane][r].
    func gather(_ tokens: UnsafePointer<UInt8>, into panel: Panel) {
        let target = floats(panel)
        for lane in 0..<Lanes.width {
            let row = values.pointer + Int(tokens[lane]) &* rows
            var r = 0
            while r < rows {
                target[r &* Lanes.width &+ lane] = row[r]
                r &+= 1
            }
        }
    }

    /// table[token of the lane][r] += panel[r][lane], for the first `count` lanes.
    func scatter(_ tokens: UnsafePointer<UInt8>, from panel: Panel, count: Int) {
        let source = floats(panel)
        for lane in 0..<count {
            let row = values.pointer + Int(tokens[lane]) &* rows
            var r = 0
            while r < rows {
                row[r] += source[r &* Lanes.width &+ lane]
                r &+= 1
            }
        }
    }
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
