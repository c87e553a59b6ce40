// Matrices copied into the order in which the tile kernel reads them, so that each operand is one stream of memory,
// which a processor fetches ahead of the kernel.

/// Copies `rows` rows into tiles, each column by column: element (i, k) is at source[i·rowStride + k·depthStride].
func packTiles(
    rows: Int, depth: Int, _ source: UnsafePointer<Float>, rowStride: Int, depthStride: Int,
    into target: UnsafeMutablePointer<Float>
) {
    let tall = TileRows.tall(in: rows) * TallTile.rows
    var row = 0
    while row < rows {
        let height = row < tall ? TallTile.rows : TileRows.low(in: rows - row)
        packTile(height, depth, source + row * rowStride, rowStride, depthStride, target + row * depth)
        row += height
    }
}

/// Four rows at a time where the tile is as high: a tile of six is rows 0 to 3, and rows 2 to 5 over them; one of twelve has
/// four more in the middle.
private func packTile(
    _ height: Int, _ depth: Int, _ source: UnsafePointer<Float>, _ rowStride: Int, _ depthStride: Int,
    _ target: UnsafeMutablePointer<Float>
) {
    var k = 0
    if height >= 4 {
        let upper = height &- 4
        #if AVX512
            let middle = height > 8 ? 4 : 0
        #endif
        if rowStride == 1 {
            var (from, to) = (source, target)
            while k < depth {
                SIMD4(at: from).store(at: to)
                #if AVX512
                    SIMD4(at: from + middle).store(at: to + middle)
                #endif
                SIMD4(at: from + upper).store(at: to + upper)
                from += depthStride
                to += height
                k &+= 1
            }
        } else if depthStride == 1 {
            let lower = source + upper &* rowStride
            while k &+ 4 <= depth {
                let to = target + k &* height
                Matrix4x4(at: source + k, rowStride).transposed.store(at: to, height)
                #if AVX512
                    Matrix4x4(at: source + (middle &* rowStride &+ k), rowStride).transposed
                        .store(at: to + middle, height)
                #endif
                Matrix4x4(at: lower + k, rowStride).transposed.store(at: to + upper, height)
                k &+= 4
            }
        }
    }
    while k < depth {
        var r = 0
        while r < height {
            target[k &* height &+ r] = source[r &* rowStride &+ k &* depthStride]
            r &+= 1
        }
        k &+= 1
    }
}

/// Copies `depth` rows of `width` numbers into a panel of sixteen columns, the rest zero: element (k, j) is at
/// source[k·rowStride + j·columnStride].
func packPanel(
    depth: Int, width: Int, _ source: UnsafePointer<Float>, rowStride: Int, columnStride: Int,
    into panel: UnsafeMutablePointer<Float>
) {
    var k = 0
    if width == Lanes.width && columnStride == 1 {
        var (from, to) = (source, panel)
        while k < depth {
            Lanes(at: from).store(at: to)
            from += rowStride
            to += Lanes.width
            k &+= 1
        }
    } else if width == Lanes.width && rowStride == 1 {
        while k &+ 4 <= depth {
            let (from, to) = (source + k, panel + k &* Lanes.width)
            var j = 0
            while j < Lanes.width {
                Matrix4x4(at: from + j &* columnStride, columnStride).transposed.store(at: to + j, Lanes.width)
                j &+= 4
            }
            k &+= 4
        }
    }
    while k < depth {
        let (from, to) = (source + k &* rowStride, panel + k &* Lanes.width)
        var j = 0
        while j < width {
            to[j] = from[j &* columnStride]
            j &+= 1
        }
        while j < Lanes.width {
            to[j] = 0
            j &+= 1
        }
        k &+= 1
    }
}
