/// A weight matrix packed in tiles, see `packTiles`, for products with one panel after another.
///
/// Read where it lies, a large matrix costs up to a fifth more, and its transpose more than that where rows lie a power
/// of two apart.
struct PackedMatrix {
    let rows: Int
    let depth: Int
    private let buffer: Buffer<Float>

    init(rows: Int, depth: Int) {
        (self.rows, self.depth) = (rows, depth)
        buffer = Buffer(rows * depth)
    }

    /// Tall tiles, and one for the lower ones after them.
    var tiles: Int {
        let tall = TileRows.tall(in: rows)
        return tall * TallTile.rows < rows ? tall + 1 : tall
    }

    /// Copies the tiles in `range` from a matrix whose element (i, k) is at source[i·rowStride + k·depthStride].
    func pack(_ range: Range<Int>, _ source: UnsafePointer<Float>, rowStride: Int, depthStride: Int) {
        let first = range.lowerBound * TallTile.rows
        let end = range.upperBound == tiles ? rows : range.upperBound * TallTile.rows
        packTiles(
            rows: end - first, depth: depth, source + first * rowStride, rowStride: rowStride, depthStride: depthStride,
            into: buffer.pointer + first * depth)
    }

    /// Its products, for as long as the matrix is there.
    var products: PackedProducts { PackedProducts(rows: rows, depth: depth, tiles: UnsafePointer(buffer.pointer)) }
}

/// The products of a packed matrix, of which nobody counts the references: threads that share a count wait for each other.
struct PackedProducts {
    let rows: Int
    let depth: Int
    let tiles: UnsafePointer<Float>

    /// y += W·x, with x a panel of `depth` rows and y one of `rows`. O(rows·depth).
    func multiply(by x: Panel, into y: Panel) {
        multiplyColumnPanel(
            rows: rows, depth: depth, packed: tiles, floats(x), floats(y), Lanes.width, accumulate: true)
    }
}
