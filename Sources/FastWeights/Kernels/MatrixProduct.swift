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

    subscript(rows range: Range<Int>) -> MatrixView {
        var view = self
        view.pointer += range.lowerBound * rowStride
        view.rows = range.count
        return view
    }
}

/// C = A·B, or C += A·B with `accumulate`; a transposed operand is a transposed view. Any sizes, 0 and 1 included.
///
/// Shapes: A [M, K], B [K, N], C [M, N] with unit column stride; traps otherwise. O(M·N·K).
///
/// The products of one element of C are added one after another in the order of k, whatever is packed and wherever the
/// matrices are cut, so every part of C has the same bits in a product of its own. A product that packs uses the
/// workspace, or makes one for the call.
func multiply(
    _ a: MatrixView, _ b: MatrixView, into c: MatrixView, accumulate: Bool = false, workspace: ProductWorkspace? = nil
) {
    checkShapes(a, b, c)
    guard c.rows > 0 && c.columns > 0 else { return }
    guard a.columns > 0 else {
        if !accumulate { clear(c) }
        return
    }
    let product = MatrixProduct(a: a, b: b, c: c, accumulate: accumulate)
    if product.isLarge {
        product.multiplyPacked(workspace ?? ProductWorkspace())
    } else {
        product.multiplyPanels(workspace)
    }
}

/// The same on at most `threads` threads, in pieces of the larger of M and N; the bits are those of one thread.
///
/// The pieces depend on the shapes only, and one that would be too short to wake a thread for is not cut off.
func multiply(
    _ a: MatrixView, _ b: MatrixView, into c: MatrixView, accumulate: Bool = false, threads: Int,
    workspace: ProductWorkspace? = nil
) {
    checkShapes(a, b, c)
    let byRows = c.rows > c.columns
    let length = max(c.rows, c.columns)
    let count = min(
        (length + BlockSizes.piece / 2) / BlockSizes.piece, c.rows * c.columns * a.columns / BlockSizes.work)
    guard threads > 1 && count > 1 else {
        return multiply(a, b, into: c, accumulate: accumulate, workspace: workspace)
    }
    let even = (length + count - 1) / count
    let pieces = Pieces(of: length, size: (even + Lanes.width - 1) / Lanes.width * Lanes.width)
    let workspaces = (workspace ?? ProductWorkspace()).parts(pieces.count)
    ParallelLoop.run(pieces.count, threads: threads) { piece in
        let range = pieces[piece]
        multiply(
            byRows ? a[rows: range] : a, byRows ? b : b.transposed[rows: range].transposed,
            into: byRows ? c[rows: range] : c.transposed[rows: range].transposed, accumulate: accumulate,
            workspace: workspaces[piece])
    }
}

/// Memory for packed operands, which grows to what its largest product needs. One product at a time may use it.
final class ProductWorkspace: @unchecked Sendable {
    private var buffer: Buffer<Float>?
    private var others: [ProductWorkspace] = []

    fileprivate func floats(_ count: Int) -> UnsafeMutablePointer<Float> {
        if let buffer, buffer.count >= count { return buffer.pointer }
        buffer = nil
        let larger = Buffer<Float>(count)
        buffer = larger
        return larger.pointer
    }

    /// Workspaces for so many pieces of a product.
    fileprivate func parts(_ count: Int) -> [ProductWorkspace] {
        while others.count < count { others.append(ProductWorkspace()) }
        return others
    }
}

/// One product, and the two ways it is done.
private struct MatrixProduct {
    let a: MatrixView
    let b: MatrixView
    let c: MatrixView
    let accumulate: Bool

    var depth: Int { a.columns }

    /// Whether packing A is worth its while.
    var isLarge: Bool { a.rows * a.columns > BlockSizes.unpackedLeft && c.columns >= 8 * Lanes.width }

    /// Both operands packed, in blocks that stay in the caches.
    func multiplyPacked(_ workspace: ProductWorkspace) {
        let (mostRows, mostDepth) = (min(BlockSizes.rows, c.rows), min(BlockSizes.depth, depth))
        let panels = (min(BlockSizes.columns, c.columns) + Lanes.width - 1) / Lanes.width
        let left = workspace.floats((mostRows + panels * Lanes.width) * mostDepth)
        let right = left + mostRows * mostDepth
        for column in stride(from: 0, to: c.columns, by: BlockSizes.columns) {
            let columns = column..<min(column + BlockSizes.columns, c.columns)
            for k in stride(from: 0, to: depth, by: BlockSizes.depth) {
                let part = min(BlockSizes.depth, depth - k)
                for j in stride(from: columns.lowerBound, to: columns.upperBound, by: Lanes.width) {
                    pack(k, part, j, min(Lanes.width, c.columns - j), into: right + (j - column) * part)
                }
                for row in stride(from: 0, to: c.rows, by: BlockSizes.rows) {
                    let rows = min(BlockSizes.rows, c.rows - row)
                    packTiles(
                        rows: rows, depth: part, a.pointer + row * a.rowStride + k * a.columnStride,
                        rowStride: a.rowStride, depthStride: a.columnStride, into: left)
                    for j in stride(from: columns.lowerBound, to: columns.upperBound, by: Lanes.width) {
                        multiplyBlock(
                            rows, part, left, right + (j - column) * part,
                            c.pointer + row * c.rowStride + j, min(Lanes.width, c.columns - j), accumulate || k > 0)
                    }
                }
            }
        }
    }

    /// A block of A in tiles by one panel of B; a narrow one goes through a buffer, tile after tile.
    private func multiplyBlock(
        _ rows: Int, _ depth: Int, _ left: UnsafePointer<Float>, _ panel: UnsafePointer<Float>,
        _ target: UnsafeMutablePointer<Float>, _ width: Int, _ accumulate: Bool
    ) {
        if width == Lanes.width {
            return multiplyColumnPanel(
                rows: rows, depth: depth, packed: left, panel, target, c.rowStride, accumulate: accumulate)
        }
        let tall = TileRows.tall(in: rows) * TallTile.rows
        var i = 0
        while i < rows {
            let height = i < tall ? TallTile.rows : TileRows.low(in: rows - i)
            throughBuffer(target + i * c.rowStride, height, width, skip: 0, accumulate) { buffer in
                multiplyColumnPanel(
                    rows: height, depth: depth, packed: left + i * depth, panel, buffer, Lanes.width,
                    accumulate: accumulate)
            }
            i += height
        }
    }

    /// A where it lies, by one panel of B after another; B where it lies too if it can stay in the cache.
    func multiplyPanels(_ workspace: ProductWorkspace?) {
        // Rows of B that lie whole kilobytes apart share a few sets of the first-level cache, for which columns of A
        // compete too: a packed B is three percent faster at 128x256x256, but one slower where A lies in rows.
        let isCrowded = a.columnStride != 1 && b.rowStride % 256 == 0 && b.rows > 64
        let isSmall = b.rows * b.columns <= BlockSizes.unpacked && !isCrowded
        let inPlace = b.columnStride == 1 && (isSmall || c.rows <= TallTile.rows)
        let full = c.columns / Lanes.width * Lanes.width
        let edge = c.columns - full
        if inPlace {
            let left = LeftOperand(pointer: a.pointer, rowStride: a.rowStride, depthStride: a.columnStride)
            let isTransposed = edge > 0 && edge <= 8 && a.rowStride == 1 && c.rows >= BlockSizes.strip
            var (end, isDone) = (full, edge == 0)
            #if FMA || arch(arm64)
                if edge > 0 && edge <= 8 && !isTransposed && !accumulate && c.columns >= 24 {
                    // The last twenty-four columns at once, of which some are made twice, the same bits.
                    let first = c.columns - 24
                    multiplyWidePanel(
                        rows: c.rows, depth: depth, left, b.pointer + first, b.rowStride, c.pointer + first, c.rowStride
                    )
                    (end, isDone) = (full - Lanes.width, true)
                }
            #endif
            for j in stride(from: 0, to: end, by: Lanes.width) {
                multiplyColumnPanel(
                    rows: c.rows, depth: depth, left, b.pointer + j, b.rowStride, c.pointer + j, c.rowStride,
                    accumulate: accumulate)
            }
            if isDone { return }
            if isTransposed { return multiplyTransposed(full) }
            // The last eight or sixteen columns, of which some are done already.
            let width = edge <= 8 ? 8 : Lanes.width
            if c.columns >= width {
                return multiplyEdge(
                    left, depth, b.pointer + (c.columns - width), b.rowStride, c.pointer + full, edge,
                    skip: width - edge, accumulate)
            }
        }
        let workspace = workspace ?? ProductWorkspace()
        let panel = workspace.floats(min(BlockSizes.depth, depth) * Lanes.width)
        for k in stride(from: 0, to: depth, by: BlockSizes.depth) {
            let part = min(BlockSizes.depth, depth - k)
            let left = LeftOperand(
                pointer: a.pointer + k * a.columnStride, rowStride: a.rowStride, depthStride: a.columnStride)
            for j in stride(from: inPlace ? full : 0, to: c.columns, by: Lanes.width) {
                let width = min(Lanes.width, c.columns - j)
                pack(k, part, j, width, into: panel)
                if width == Lanes.width {
                    multiplyColumnPanel(
                        rows: c.rows, depth: part, left, panel, Lanes.width, c.pointer + j, c.rowStride,
                        accumulate: accumulate || k > 0)
                } else {
                    multiplyEdge(
                        left, part, panel, Lanes.width, c.pointer + j, width, skip: 0, accumulate || k > 0)
                }
            }
        }
    }

    /// `width` columns of C after `skip` others in the same panel of B, eight or sixteen columns wide.
    ///
    /// The others are there already. Without `accumulate` they are made again, the same bits; otherwise the panel goes
    /// through a buffer.
    private func multiplyEdge(
        _ left: LeftOperand, _ depth: Int, _ panel: UnsafePointer<Float>, _ bStride: Int,
        _ target: UnsafeMutablePointer<Float>, _ width: Int, skip: Int, _ accumulate: Bool
    ) {
        let isNarrow = skip + width <= 8
        func multiply(_ left: LeftOperand, _ rows: Int, _ corner: UnsafeMutablePointer<Float>, _ cStride: Int) {
            if isNarrow {
                multiplyNarrowPanel(
                    rows: rows, depth: depth, left, panel, bStride, corner, cStride, accumulate: accumulate)
            } else {
                multiplyColumnPanel(
                    rows: rows, depth: depth, left, panel, bStride, corner, cStride, accumulate: accumulate)
            }
        }
        if !accumulate && skip > 0 { return multiply(left, c.rows, target - skip, c.rowStride) }
        var (left, target) = (left, target)
        for i in stride(from: 0, to: c.rows, by: NarrowTile.rows) {
            let rows = min(NarrowTile.rows, c.rows - i)
            throughBuffer(target, rows, width, skip: skip, accumulate) { multiply(left, rows, $0, Lanes.width) }
            left.pointer += rows * left.rowStride
            target += rows * c.rowStride
        }
    }

    /// At most eight columns of C from `first` on, where A lies in columns: as rows of Cᵀ = Bᵀ·Aᵀ, which wastes no lane.
    private func multiplyTransposed(_ first: Int) {
        let (width, strip) = (c.columns - first, BlockSizes.strip)
        withUnsafeTemporaryAllocation(of: Lanes.self, capacity: 8 * strip / Lanes.width) { lanes in
            let rows = UnsafeMutableRawPointer(lanes.baseAddress!).assumingMemoryBound(to: Float.self)
            for i in stride(from: 0, to: c.rows, by: strip) {
                // The last rows may be there already: they are made again and left alone.
                let start = min(i, c.rows - strip)
                let target = c.pointer + (start * c.rowStride + first)
                for j in 0..<width where accumulate {
                    for r in i - start..<strip { rows[j &* strip &+ r] = target[r &* c.rowStride &+ j] }
                }
                for r in stride(from: 0, to: strip, by: Lanes.width) {
                    multiplyColumnPanel(
                        rows: width, depth: depth,
                        LeftOperand(pointer: b.pointer + first, rowStride: 1, depthStride: b.rowStride),
                        a.pointer + (start + r), a.columnStride, rows + r, strip, accumulate: accumulate)
                }
                for j in 0..<width {
                    for r in i - start..<strip { target[r &* c.rowStride &+ j] = rows[j &* strip &+ r] }
                }
            }
        }
    }

    /// Rows of sixteen numbers in the place of `width` columns of C, which begin after `skip` of the sixteen.
    @inline(__always)
    private func throughBuffer(
        _ target: UnsafeMutablePointer<Float>, _ rows: Int, _ width: Int, skip: Int, _ accumulate: Bool,
        _ body: (UnsafeMutablePointer<Float>) -> Void
    ) {
        withUnsafeTemporaryAllocation(of: Lanes.self, capacity: NarrowTile.rows) { lanes in
            let buffer = UnsafeMutableRawPointer(lanes.baseAddress!).assumingMemoryBound(to: Float.self)
            for r in 0..<rows where accumulate {
                let (from, to) = (target + r &* c.rowStride, buffer + (r &* Lanes.width &+ skip))
                for j in 0..<width { to[j] = from[j] }
            }
            body(buffer)
            for r in 0..<rows {
                let (from, to) = (buffer + (r &* Lanes.width &+ skip), target + r &* c.rowStride)
                for j in 0..<width { to[j] = from[j] }
            }
        }
    }

    private func pack(_ k: Int, _ depth: Int, _ j: Int, _ width: Int, into panel: UnsafeMutablePointer<Float>) {
        packPanel(
            depth: depth, width: width, b.pointer + k * b.rowStride + j * b.columnStride, rowStride: b.rowStride,
            columnStride: b.columnStride, into: panel)
    }
}

private func clear(_ c: MatrixView) {
    for i in 0..<c.rows { (c.pointer + i * c.rowStride).update(repeating: 0, count: c.columns) }
}

private func checkShapes(_ a: MatrixView, _ b: MatrixView, _ c: MatrixView) {
    require(
        a.columns == b.rows && a.rows == c.rows && b.columns == c.columns,
        "matrix product of [\(a.rows), \(a.columns)] and [\(b.rows), \(b.columns)] into [\(c.rows), \(c.columns)]")
    require(c.columnStride == 1 || c.columns <= 1, "the result of a matrix product must lie in rows")
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
