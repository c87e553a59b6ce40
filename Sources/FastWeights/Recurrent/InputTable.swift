/// What a token of a vocabulary adds to a cell's pre-activations: row v is column v of W_ih and the biases.
///
/// A token is a one-hot input, of which W_ih takes one column; so its projection is a row of this table, made once a
/// training step, instead of a product at every step of every sequence.
final class InputTable: @unchecked Sendable {
    private let cell: CellWeights
    private let values: Buffer<Float>
    private let rowPieces: Pieces

    init(_ cell: CellWeights) {
        self.cell = cell
        let rows = cell.configuration.gateRows
        values = Buffer(cell.configuration.input * rows)
        rowPieces = Pieces(of: rows, size: 16)
    }

    var rows: TokenRows { TokenRows(values: values.pointer, rows: cell.configuration.gateRows) }

    /// Pieces of `fill` and of `transpose`: some of the gates' rows.
    var pieces: Int { rowPieces.count }

    /// Makes a piece of the table anew from the parameters.
    func fill(piece: Int) {
        let range = rowPieces[piece]
        let (rows, vocabulary) = (cell.configuration.gateRows, cell.configuration.input)
        let (weight, table) = (cell.parameters.inputWeight, values.pointer)
        for v in 0..<vocabulary {
            let row = table + v &* rows
            cell.parameters.copyBias(range, cell.configuration.plainBiasRows, into: row + range.lowerBound)
            for r in range { row[r] += weight[r &* vocabulary &+ v] }
        }
    }

    /// A piece of ∂L/∂W_ih [rows, V]: the sum of the table's gradients [V, rows], `count` of them, turned.
    static func turn(
        _ sources: [UnsafeMutablePointer<Float>], _ count: Int, _ configuration: CellConfiguration, piece: Int,
        into target: UnsafeMutablePointer<Float>
    ) {
        let (rows, vocabulary) = (configuration.gateRows, configuration.input)
        for r in Pieces(of: rows, size: 16)[piece] {
            for v in 0..<vocabulary {
                var sum = sources[0][v &* rows &+ r]
                for s in 1..<max(count, 1) { sum += sources[s][v &* rows &+ r] }
                target[r &* vocabulary &+ v] = sum
            }
        }
    }
}
