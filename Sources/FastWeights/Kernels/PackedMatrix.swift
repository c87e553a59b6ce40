/// A weight matrix copied into the order in which the tile kernel reads it: tiles of as many rows as a tile has, each
/// column by column.
///
/// A product with a panel then reads one stream of memory, which a processor fetches ahead of the kernel. Read where it
/// lies, a large matrix costs up to a fifth more, and its transpose more than that where rows lie a power of two apart.
struct PackedMatrix {
    let rows: Int
    let depth: Int
    private let buffer: Buffer<Float>

    init(rows: Int, depth: Int) {
        (self.rows, self.depth) = (rows, depth)
        buffer = Buffer(rows * depth)
    }

    /// Tiles, the last ones lower.
    var tiles: Int { (rows + TallTile.rows - 1) / TallTile.rows }

    /// Copies the tiles in `range` from a matrix whose element (i, k) is at source[i·rowStride + k·depthStride].
    func pack(_ range: Range<Int>, _ source: UnsafePointer<Float>, rowStride: Int, depthStride: Int) {
        for tile in range {
            var row = tile * TallTile.rows
            let end = min(row + TallTile.rows, rows)
            var target = buffer.pointer + row * depth
            while row < end {
                let height = Self.height(end - row)
                let corner = source + row * rowStride
                var k = 0
                while k < depth {
                    var r = 0
                    while r < height {
                        target[r] = corner[r &* rowStride &+ k &* depthStride]
                        r &+= 1
                    }
                    target += height
                    k &+= 1
                }
                row += height
            }
        }
    }

    /// Rows of the next tile where `left` are left.
    private static func height(_ left: Int) -> Int {
        if left >= TallTile.rows { return TallTile.rows }
        return left >= 4 ? 4 : left >= 2 ? 2 : 1
    }

    /// y += W·x, with x a panel of `depth` rows and y one of `rows`. O(rows·depth).
    @inline(never)
    func multiply(by x: Panel, into y: Panel) {
        var weights = UnsafePointer(buffer.pointer)
        var target = floats(y)
        var left = rows
        while left >= TallTile.rows {
            addTile(TallTile.self, &weights, x, &target)
            left &-= TallTile.rows
        }
        #if FMA || arch(arm64)
            if left >= 4 {
                addTile(FourRows.self, &weights, x, &target)
                left &-= 4
            }
            if left >= 2 {
                addTile(TwoRows.self, &weights, x, &target)
                left &-= 2
            }
        #endif
        if left == 1 { addTile(OneRow.self, &weights, x, &target) }
    }

    @inline(__always)
    private func addTile<Tile: RowTile>(
        _: Tile.Type, _ weights: inout UnsafePointer<Float>, _ x: Panel, _ target: inout UnsafeMutablePointer<Float>
    ) {
        var tile = Tile(at: target, Lanes.width)
        var number = weights
        var row = UnsafePointer(x)
        var k = depth
        while k > 0 {
            tile.add(number, 1, row.pointee)
            number += Tile.rows
            row += 1
            k &-= 1
        }
        weights = number
        tile.store(at: target, Lanes.width)
        target += Tile.rows &* Lanes.width
    }
}
