/// What a token of a vocabulary adds to a cell's pre-activations: row v is column v of W_ih and the biases.
///
/// A token is a one-hot input, of which W_ih takes one column; so its projection is a row of this table, made once a
/// training step, instead of a product at every step of every sequence. Of an input with a few ones, such as the lit
/// pixels of a screen, it is the sum of their rows.
final class InputTable: @unchecked Sendable {
    private let cell: CellWeights
    private let values: Buffer<Float>
    private let rowPieces: Pieces
    private let hasBias: Bool

    /// With `hasBias` a row holds the biases too; without, rows of several tokens at once may be added up.
    init(_ cell: CellWeights, hasBias: Bool = true) {
        (self.cell, self.hasBias) = (cell, hasBias)
        let rows = cell.configuration.gateRows
        values = Buffer(cell.configuration.input * rows)
        rowPieces = Self.pieces(cell.configuration)
    }

    var rows: TokenRows {
        TokenRows(values: values.pointer, rows: cell.configuration.gateRows, stride: cell.configuration.gateRows)
    }

    /// Pieces of `fill` and of `turn`: some of the gates' rows.
    var pieces: Int { rowPieces.count }

    static func pieces(_ configuration: CellConfiguration) -> Pieces { Pieces(of: configuration.gateRows, size: 16) }

    /// Makes a piece of the table anew from the parameters.
    func fill(piece: Int) {
        let range = rowPieces[piece]
        let (rows, vocabulary) = (cell.configuration.gateRows, cell.configuration.input)
        let (weight, table) = (cell.parameters.inputWeight, values.pointer)
        for v in 0..<vocabulary {
            let row = table + v &* rows
            if hasBias {
                cell.parameters.copyBias(range, cell.configuration.plainBiasRows, into: row + range.lowerBound)
                for r in range { row[r] += weight[r &* vocabulary &+ v] }
            } else {
                for r in range { row[r] = weight[r &* vocabulary &+ v] }
            }
        }
    }

    /// A piece of ∂L/∂W_ih [rows, V]: the sum of the table's gradients [V, rows], `count` of them, turned.
    static func turn(
        _ sources: [UnsafeMutablePointer<Float>], _ count: Int, _ configuration: CellConfiguration, piece: Int,
        into target: UnsafeMutablePointer<Float>
    ) {
        let (rows, vocabulary) = (configuration.gateRows, configuration.input)
        for r in pieces(configuration)[piece] {
            for v in 0..<vocabulary {
                var sum = sources[0][v &* rows &+ r]
                for s in 1..<max(count, 1) { sum += sources[s][v &* rows &+ r] }
                target[r &* vocabulary &+ v] = sum
            }
        }
    }
}
