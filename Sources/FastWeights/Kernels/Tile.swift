// The one multiply-add kernel under every matrix product of the module.
//
// A tile holds a few rows by sixteen columns of C in registers while the loop runs down the common dimension: each
// turn loads sixteen numbers of B once and broadcasts one number of A a row.

/// Rows of C held in registers. Stacks of stacks of single rows, so that each height is a type, the compiler unrolls
/// it, and the numbers live in registers.
protocol RowTile<Row> {
    /// The numbers of a row of B.
    associatedtype Row
    static var rows: Int { get }
    init()
    /// Loads the rows at `c`, `stride` floats apart.
    init(at c: UnsafePointer<Float>, _ stride: Int)
    /// Adds a[i·stride] · b to row i.
    mutating func add(_ a: UnsafePointer<Float>, _ stride: Int, _ b: Row)
    func store(at c: UnsafeMutablePointer<Float>, _ stride: Int)
}

struct OneRow: RowTile {
    @inline(__always) static var rows: Int { 1 }
    var c: Lanes

    @inline(__always) init() { c = .zero }
    @inline(__always) init(at p: UnsafePointer<Float>, _ stride: Int) { c = Lanes(at: p) }
    @inline(__always) mutating func add(_ a: UnsafePointer<Float>, _ stride: Int, _ b: Lanes) {
        c = c.mad(a.pointee, b)
    }
    @inline(__always) func store(at p: UnsafeMutablePointer<Float>, _ stride: Int) { c.store(at: p) }
}

struct Stack<Upper: RowTile, Lower: RowTile<Upper.Row>>: RowTile {
    @inline(__always) static var rows: Int { Upper.rows &+ Lower.rows }
    var upper: Upper
    var lower: Lower

    @inline(__always) init() {
        upper = Upper()
        lower = Lower()
    }
    @inline(__always) init(at p: UnsafePointer<Float>, _ stride: Int) {
        upper = Upper(at: p, stride)
        lower = Lower(at: p + Upper.rows &* stride, stride)
    }
    @inline(__always) mutating func add(_ a: UnsafePointer<Float>, _ stride: Int, _ b: Upper.Row) {
        upper.add(a, stride, b)
        lower.add(a + Upper.rows &* stride, stride, b)
    }
    @inline(__always) func store(at p: UnsafeMutablePointer<Float>, _ stride: Int) {
        upper.store(at: p, stride)
        lower.store(at: p + Upper.rows &* stride, stride)
    }
}

/// Two rows of eight columns in the place of one row of sixteen; the eight numbers of B are there twice.
struct RowPair: RowTile {
    @inline(__always) static var rows: Int { 2 }
    var c: Lanes

    @inline(__always) init() { c = .zero }
    @inline(__always) init(at p: UnsafePointer<Float>, _ stride: Int) {
        c = Lanes(lowHalf: SIMD8(at: p), highHalf: SIMD8(at: p + stride))
    }
    @inline(__always) mutating func add(_ a: UnsafePointer<Float>, _ stride: Int, _ b: Lanes) {
        c = c.mad(Lanes(lowHalf: SIMD8(repeating: a.pointee), highHalf: SIMD8(repeating: a[stride])), b)
    }
    @inline(__always) func store(at p: UnsafeMutablePointer<Float>, _ stride: Int) {
        c.lowHalf.store(at: p)
        c.highHalf.store(at: p + stride)
    }
}

#if FMA || arch(arm64)
    /// Twenty-four numbers of a row.
    struct WideLanes {
        var lanes: Lanes
        var more: SIMD8<Float>

        @inline(__always) init() { (lanes, more) = (.zero, .zero) }
        @inline(__always) init(at p: UnsafePointer<Float>) {
            (lanes, more) = (Lanes(at: p), SIMD8(at: p + Lanes.width))
        }
    }

    /// One row of twenty-four columns.
    struct WideRow: RowTile {
        @inline(__always) static var rows: Int { 1 }
        var c: WideLanes

        @inline(__always) init() { c = WideLanes() }
        @inline(__always) init(at p: UnsafePointer<Float>, _ stride: Int) { c = WideLanes(at: p) }
        @inline(__always) mutating func add(_ a: UnsafePointer<Float>, _ stride: Int, _ b: WideLanes) {
            c.lanes = c.lanes.mad(a.pointee, b.lanes)
            c.more = c.more.addingProduct(SIMD8(repeating: a.pointee), b.more)
        }
        @inline(__always) func store(at p: UnsafeMutablePointer<Float>, _ stride: Int) {
            c.lanes.store(at: p)
            c.more.store(at: p + Lanes.width)
        }
    }

    typealias TwoWideRows = Stack<WideRow, WideRow>
    /// Twelve AVX2 accumulators, three vectors of B and one of A: all registers.
    typealias WideTile = Stack<TwoWideRows, TwoWideRows>

    /// C = A·B for `rows` rows and twenty-four columns.
    @inline(never)
    func multiplyWidePanel(
        rows: Int, depth: Int, _ a: LeftOperand, _ b: UnsafePointer<Float>, _ bStride: Int,
        _ c: UnsafeMutablePointer<Float>, _ cStride: Int
    ) {
        var (a, c, left) = (a, c, rows)
        @inline(__always) func next<Tile: RowTile<WideLanes>>(_: Tile.Type) {
            var tile = Tile()
            var column = a.pointer
            var row = b
            var k = depth
            while k > 0 {
                tile.add(column, a.rowStride, WideLanes(at: row))
                column += a.depthStride
                row += bStride
                k &-= 1
            }
            tile.store(at: c, cStride)
            a.pointer += Tile.rows &* a.rowStride
            c += Tile.rows &* cStride
            left &-= Tile.rows
        }
        while left >= WideTile.rows { next(WideTile.self) }
        while left > 0 { next(WideRow.self) }
    }
#endif

/// What a stack of one part has below it.
struct NoRows: RowTile {
    @inline(__always) static var rows: Int { 0 }

    @inline(__always) init() {}
    @inline(__always) init(at p: UnsafePointer<Float>, _ stride: Int) {}
    @inline(__always) mutating func add(_ a: UnsafePointer<Float>, _ stride: Int, _ b: Lanes) {}
    @inline(__always) func store(at p: UnsafeMutablePointer<Float>, _ stride: Int) {}
}

typealias TwoRows = Stack<OneRow, OneRow>
typealias TwoPairedRows = Stack<RowPair, NoRows>
typealias FourPairedRows = Stack<RowPair, RowPair>
#if FMA || arch(arm64)
    typealias FourRows = Stack<TwoRows, TwoRows>
    /// Twelve AVX2 accumulators, two vectors of B and one of A: fifteen of sixteen registers.
    typealias TallTile = Stack<FourRows, TwoRows>
    typealias SixPairedRows = Stack<FourPairedRows, RowPair>
    typealias EightPairedRows = Stack<FourPairedRows, FourPairedRows>
    /// As many accumulators in twelve rows of eight columns.
    typealias NarrowTile = Stack<SixPairedRows, SixPairedRows>
#else
    /// Eight SSE2 accumulators; more would spill.
    typealias TallTile = TwoRows
    /// As many accumulators in four rows of eight columns.
    typealias NarrowTile = FourPairedRows
#endif

/// How rows are cut into tiles: tall ones first, then tiles of four, two and one.
///
/// Two or three rows keep the multiply-add units half busy, so with tiles of six the last eight rows are two tiles of
/// four, and the last nine these and one of one.
enum TileRows {
    /// Tall tiles in so many rows.
    @inline(__always) static func tall(in rows: Int) -> Int {
        let full = rows / TallTile.rows
        let left = rows &- full &* TallTile.rows
        return TallTile.rows > 4 && full > 0 && (left == 2 || left == 3) ? full &- 1 : full
    }

    /// Rows of the next tile where `left` are left and no tall tile is.
    @inline(__always) static func low(in left: Int) -> Int { left >= 4 ? 4 : left >= 2 ? 2 : 1 }
}

/// A matrix operand read one number at a time: element (i, k) at pointer[i·rowStride + k·depthStride].
struct LeftOperand {
    var pointer: UnsafePointer<Float>
    var rowStride: Int
    var depthStride: Int
}

/// C (+)= A·B for `rows` rows and sixteen columns; row k of B at b + k·bStride, row i of C at c + i·cStride.
@inline(never)
func multiplyColumnPanel(
    rows: Int, depth: Int, _ a: LeftOperand, _ b: UnsafePointer<Float>, _ bStride: Int,
    _ c: UnsafeMutablePointer<Float>, _ cStride: Int, accumulate: Bool
) {
    var product = TileProduct(
        a: a, isPacked: false, depth: depth, b: b, bStride: bStride, c: c, cStride: cStride, accumulate: accumulate)
    product.run(rows)
}

/// The same with `rows` rows of A packed in tiles, and a packed panel of B.
@inline(never)
func multiplyColumnPanel(
    rows: Int, depth: Int, packed a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafeMutablePointer<Float>,
    _ cStride: Int, accumulate: Bool
) {
    var product = TileProduct(
        a: LeftOperand(pointer: a, rowStride: 1, depthStride: 0), isPacked: true, depth: depth, b: b,
        bStride: Lanes.width, c: c, cStride: cStride, accumulate: accumulate)
    product.run(rows)
}

/// The rows of C one tile after another, for one panel of B.
private struct TileProduct {
    var a: LeftOperand
    let isPacked: Bool
    let depth: Int
    let b: UnsafePointer<Float>
    let bStride: Int
    var c: UnsafeMutablePointer<Float>
    let cStride: Int
    let accumulate: Bool

    @inline(__always) mutating func run(_ rows: Int) {
        var tall = TileRows.tall(in: rows)
        var left = rows &- tall &* TallTile.rows
        while tall > 0 {
            next(TallTile.self)
            tall &-= 1
        }
        #if FMA || arch(arm64)
            while left >= 4 {
                next(FourRows.self)
                left &-= 4
            }
            if left >= 2 {
                next(TwoRows.self)
                left &-= 2
            }
        #endif
        if left == 1 { next(OneRow.self) }
    }

    @inline(__always) private mutating func next<Tile: RowTile<Lanes>>(_: Tile.Type) {
        let (rowStride, depthStride) = isPacked ? (1, Tile.rows) : (a.rowStride, a.depthStride)
        var tile = accumulate ? Tile(at: c, cStride) : Tile()
        var column = a.pointer
        var row = b
        var k = depth
        while k > 0 {
            tile.add(column, rowStride, Lanes(at: row))
            column += depthStride
            row += bStride
            k &-= 1
        }
        tile.store(at: c, cStride)
        a.pointer += isPacked ? Tile.rows &* depth : Tile.rows &* rowStride
        c += Tile.rows &* cStride
    }
}

/// C (+)= A·B for `rows` rows and eight columns.
@inline(never)
func multiplyNarrowPanel(
    rows: Int, depth: Int, _ a: LeftOperand, _ b: UnsafePointer<Float>, _ bStride: Int,
    _ c: UnsafeMutablePointer<Float>, _ cStride: Int, accumulate: Bool
) {
    var (a, c, left) = (a, c, rows)
    @inline(__always) func next<Upper: RowTile<Lanes>, Lower: RowTile<Lanes>>(
        _: Stack<Upper, Lower>.Type, _ rowStride: Int, _ cStride: Int
    ) {
        var tile = accumulate ? Stack<Upper, Lower>(at: c, cStride) : Stack()
        // Two pointers: the address of each row comes from that of the row before, a chain which for twelve rows would
        // take longer than the multiplications.
        var column = a.pointer
        var lower = column + Upper.rows &* rowStride
        var row = b
        var k = depth
        while k > 0 {
            let eight = SIMD8(at: row)
            let twice = Lanes(lowHalf: eight, highHalf: eight)
            tile.upper.add(column, rowStride, twice)
            tile.lower.add(lower, rowStride, twice)
            column += a.depthStride
            lower += a.depthStride
            row += bStride
            k &-= 1
        }
        tile.store(at: c, cStride)
        a.pointer += (Upper.rows &+ Lower.rows) &* rowStride
        c += (Upper.rows &+ Lower.rows) &* cStride
        left &-= Upper.rows &+ Lower.rows
    }
    while left >= NarrowTile.rows { next(NarrowTile.self, a.rowStride, cStride) }
    #if FMA || arch(arm64)
        if left >= 8 { next(EightPairedRows.self, a.rowStride, cStride) }
        if left >= 4 { next(FourPairedRows.self, a.rowStride, cStride) }
    #endif
    if left >= 2 { next(TwoPairedRows.self, a.rowStride, cStride) }
    // Both rows of the pair are the last one.
    if left == 1 { next(TwoPairedRows.self, 0, 0) }
}
