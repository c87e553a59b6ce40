/// A matrix in memory, seen through strides: element (i, j) at pointer[i·rowStride + j·columnStride].
struct MatrixView {
    var pointer: UnsafeMutablePointer<Float>
    var rows: Int
    var columns: Int
    var rowStride: Int
    var columnStride: Int

    /// A row-major matrix without gaps.
    init(_ pointer: UnsafeMutablePointer<Float>, _ rows: Int, _ columns: Int) {
        self.pointer = pointer
        self.rows = rows
        self.columns = columns
        rowStride = columns
        columnStride = 1
    }

    var transposed: MatrixView {
        var view = self
        (view.rows, view.columns) = (columns, rows)
        (view.rowStride, view.columnStride) = (columnStride, rowStride)
        return view
    }
}

/// C = A·B, or C += A·B with `accumulate`; a transposed operand is a transposed view. Any sizes, 0 and 1 included.
///
/// Shapes: A [M, K], B [K, N], C [M, N] with unit column stride; traps otherwise. O(M·N·K).
///
/// The numbers of one element of C are added in the order of k, in blocks of `BlockSizes.depth`, so the result does
/// not depend on how M and N are split. B is packed into panels of sixteen columns where it does not lie in rows, or
/// is too large to stay in the cache while all rows of A pass over it.
func multiply(_ a: MatrixView, _ b: MatrixView, into c: MatrixView, accumulate: Bool = false) {
    checkShapes(a, b, c)
    guard c.rows > 0 && c.columns > 0 else { return }
    guard a.columns > 0 else {
        if !accumulate { clear(c) }
        return
    }
    let inPlace = b.columnStride == 1 && b.rows * b.columns <= BlockSizes.unpacked
    withUnsafeTemporaryAllocation(of: Float.self, capacity: BlockSizes.depth * Lanes.width) { panel in
        let panel = panel.baseAddress!
        var k = 0
        while k < a.columns {
            let depth = inPlace ? a.columns : min(BlockSizes.depth, a.columns - k)
            let add = accumulate || k > 0
            var j = 0
            while j < c.columns {
                let width = min(Lanes.width, c.columns - j)
                let corner = b.pointer + k * b.rowStride + j * b.columnStride
                if inPlace && width == Lanes.width {
                    multiplyPanel(a, k, depth, corner, b.rowStride, c, j, width, add)
                } else {
                    var done = 0
                    while done < depth {
                        let part = min(BlockSizes.depth, depth - done)
                        pack(corner + done * b.rowStride, b, part, width, into: panel)
                        multiplyPanel(a, k + done, part, panel, Lanes.width, c, j, width, add || done > 0)
                        done += part
                    }
                }
                j += Lanes.width
            }
            k += depth
        }
    }
}

private enum BlockSizes {
    /// Rows of B in a packed panel: 16 KB, half a small first-level cache.
    static let depth = 256
    /// B stays where it is up to this many numbers: 256 KB, half a small second-level cache.
    static let unpacked = 65_536
}

/// One panel of at most sixteen columns of C, from row `k` of B on; a narrow one goes through a buffer.
private func multiplyPanel(
    _ a: MatrixView, _ k: Int, _ depth: Int, _ b: UnsafePointer<Float>, _ bStride: Int, _ c: MatrixView, _ j: Int,
    _ width: Int, _ accumulate: Bool
) {
    var left = LeftOperand(
        pointer: a.pointer + k * a.columnStride, rowStride: a.rowStride, depthStride: a.columnStride)
    let corner = c.pointer + j
    if width == Lanes.width {
        multiplyColumnPanel(
            rows: c.rows, depth: depth, left, b, bStride, corner, c.rowStride, accumulate: accumulate)
        return
    }
    withUnsafeTemporaryAllocation(of: Lanes.self, capacity: TallTile.rows) { narrow in
        let narrow = UnsafeMutableRawPointer(narrow.baseAddress!).assumingMemoryBound(to: Float.self)
        var i = 0
        while i < c.rows {
            let rows = min(TallTile.rows, c.rows - i)
            let target = corner + i * c.rowStride
            for r in 0..<rows where accumulate {
                Lanes(first: width, at: target + r * c.rowStride).store(at: narrow + r * Lanes.width)
            }
            multiplyColumnPanel(
                rows: rows, depth: depth, left, b, bStride, narrow, Lanes.width, accumulate: accumulate)
            for r in 0..<rows {
                Lanes(at: narrow + r * Lanes.width).store(first: width, at: target + r * c.rowStride)
            }
            left.pointer += rows * a.rowStride
            i += rows
        }
    }
}

/// Copies `depth` rows of `width` numbers into a panel of sixteen columns, the rest zero.
private func pack(
    _ corner: UnsafePointer<Float>, _ b: MatrixView, _ depth: Int, _ width: Int, into panel: UnsafeMutablePointer<Float>
) {
    var source = corner
    var target = panel
    for _ in 0..<depth {
        if width == Lanes.width && b.columnStride == 1 {
            Lanes(at: source).store(at: target)
        } else {
            for j in 0..<width { target[j] = source[j &* b.columnStride] }
            for j in width..<Lanes.width { target[j] = 0 }
        }
        source += b.rowStride
        target += Lanes.width
    }
}

private func clear(_ c: MatrixView) {
    for i in 0..<c.rows { (c.pointer + i * c.rowStride).update(repeating: 0, count: c.columns) }
}

private func checkShapes(_ a: MatrixView, _ b: MatrixView, _ c: MatrixView) {
    precondition(
        a.columns == b.rows && a.rows == c.rows && b.columns == c.columns,
        "matrix product of [\(a.rows), \(a.columns)] and [\(b.rows), \(b.columns)] into [\(c.rows), \(c.columns)]")
    precondition(c.columnStride == 1 || c.columns <= 1, "the result of a matrix product must lie in rows")
}

/// The naive twin of `multiply`: three loops, the reference its tests compare with.
func multiplyNaively(_ a: MatrixView, _ b: MatrixView, into c: MatrixView, accumulate: Bool = false) {
    checkShapes(a, b, c)
    for i in 0..<c.rows {
        for j in 0..<c.columns {
            var sum: Float = accumulate ? c.pointer[i * c.rowStride + j] : 0
            for k in 0..<a.columns {
                sum +=
                    a.pointer[i * a.rowStride + k * a.columnStride] * b.pointer[k * b.rowStride + j * b.columnStride]
            }
            c.pointer[i * c.rowStride + j] = sum
        }
    }
}
