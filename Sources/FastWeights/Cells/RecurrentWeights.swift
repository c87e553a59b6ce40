/// W_hh and its transpose, packed once a training step for the products of every time step.
///
/// The GRU's candidate multiplies its recurrent part by r, so that its rows are a part of their own; other cells have
/// one part.
struct RecurrentWeights {
    private struct Part {
        /// Its first number in W_hh.
        let offset: Int
        let matrix: PackedMatrix
        let transposed: PackedMatrix
    }

    private let parts: [Part]
    private let hidden: Int

    init(_ configuration: CellConfiguration) {
        let (rows, hidden) = (configuration.recurrentRows, configuration.hidden)
        self.hidden = hidden
        var ends = [rows]
        if case .gru = configuration.cell { ends = [2 * hidden, rows] }
        parts = ends.indices.map { i in
            let first = i == 0 ? 0 : ends[i - 1]
            return Part(
                offset: first * hidden, matrix: PackedMatrix(rows: ends[i] - first, depth: hidden),
                transposed: PackedMatrix(rows: hidden, depth: ends[i] - first))
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

    /// Packs all of it.
    func pack(_ weight: UnsafePointer<Float>) {
        for piece in 0..<pieces { pack(weight, piece: piece) }
    }

    private static func pieces(_ matrix: PackedMatrix) -> Pieces { Pieces(of: matrix.tiles, size: 4) }

    /// z += W h, or with the rows of one part.
    func multiply(part: Int = 0, by h: Panel, into z: Panel) { parts[part].matrix.multiply(by: h, into: z) }

    /// dh += Wᵀ dz, or with the rows of one part.
    func multiplyTransposed(part: Int = 0, by dz: Panel, into dh: Panel) {
        parts[part].transposed.multiply(by: dz, into: dh)
    }
}
