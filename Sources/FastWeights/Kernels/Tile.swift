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

#if AVX512
    /// Eight numbers of a row.
    typealias NarrowNumbers = SIMD8<Float>

    /// Two rows of eight columns, each half of a register: to join two halves costs more than a multiply-add.
    struct RowPair: RowTile {
        @inline(__always) static var rows: Int { 2 }
        var first: NarrowNumbers
        var second: NarrowNumbers

        @inline(__always) init() { (first, second) = (.zero, .zero) }
        @inline(__always) init(at p: UnsafePointer<Float>, _ stride: Int) {
            (first, second) = (SIMD8(at: p), SIMD8(at: p + stride))
        }
        @inline(__always) mutating func add(_ a: UnsafePointer<Float>, _ stride: Int, _ b: NarrowNumbers) {
            first = first.mad(SIMD8(repeating: a.pointee), b)
            second = second.mad(SIMD8(repeating: a[stride]), b)
        }
        @inline(__always) func store(at p: UnsafeMutablePointer<Float>, _ stride: Int) {
            first.store(at: p)
            second.store(at: p + stride)
        }
    }
#else
    /// Eight numbers of a row, twice.
    typealias NarrowNumbers = Lanes

    /// Two rows of eight columns in the place of one row of sixteen.
    struct RowPair: RowTile {
        @inline(__always) static var rows: Int { 2 }
        var c: Lanes

        @inline(__always) init() { c = .zero }
        @inline(__always) init(at p: UnsafePointer<Float>, _ stride: Int) {
            c = Lanes(lowHalf: SIMD8(at: p), highHalf: SIMD8(at: p + stride))
        }
        @inline(__always) mutating func add(_ a: UnsafePointer<Float>, _ stride: Int, _ b: NarrowNumbers) {
            c = c.mad(Lanes(lowHalf: SIMD8(repeating: a.pointee), highHalf: SIMD8(repeating: a[stride])), b)
        }
        @inline(__always) func store(at p: UnsafeMutablePointer<Float>, _ stride: Int) {
            c.lowHalf.store(at: p)
            c.highHalf.store(at: p + stride)
        }
    }
#endif

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
    typealias FourWideRows = Stack<TwoWideRows, TwoWideRows>

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
        if left >= 4 { next(FourWideRows.self) }
        while left > 0 { next(WideRow.self) }
    }
#endif

/// What a stack of one part has below it.
struct NoRows: RowTile {
    @inline(__always) static var rows: Int { 0 }

    @inline(__always) init() {}
    @inline(__always) init(at p: UnsafePointer<Float>, _ stride: Int) {}
    @inline(__always) mutating func add(_ a: UnsafePointer<Float>, _ stride: Int, _ b: NarrowNumbers) {}
    @inline(__always) func store(at p: UnsafeMutablePointer<Float>, _ stride: Int) {}
}

// The heights that a build chooses among: `BlockSizes`.
typealias TwoRows = Stack<OneRow, OneRow>
typealias FourRows = Stack<TwoRows, TwoRows>
typealias ThreeRows = Stack<TwoRows, OneRow>
typealias SixRows = Stack<ThreeRows, ThreeRows>
typealias EightRows = Stack<FourRows, FourRows>
typealias TwoPairedRows = Stack<RowPair, NoRows>
typealias FourPairedRows = Stack<RowPair, RowPair>
typealias SixPairedRows = Stack<FourPairedRows, RowPair>
typealias EightPairedRows = Stack<FourPairedRows, FourPairedRows>

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

/// The same for the first eight columns of both panels; in the others of C anything may stand then. Behind the last row of B
/// eight numbers more are read.
@inline(never)
func multiplyHalfPanel(
    rows: Int, depth: Int, packed a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafeMutablePointer<Float>
) {
    // As many rows as a narrow tile has are one tall tile or two.
    let tiles = NarrowTile.rows / TallTile.rows
    let upper = NarrowTile.rows / 2
    let (step, below) = (TallTile.rows, tiles == 1 ? upper : upper &* depth)
    var (a, c, left) = (a, c, rows)
    var tall = TileRows.tall(in: rows)
    while tall >= tiles {
        var tile = NarrowTile()
        var column = a
        var lower = a + below
        var row = b
        var k = depth
        while k > 0 {
            let numbers = narrowNumbers(at: row)
            tile.upper.add(column, 1, numbers)
            tile.lower.add(lower, 1, numbers)
            column += step
            lower += step
            row += Lanes.width
            k &-= 1
        }
        tile.store(at: c, Lanes.width)
        a += NarrowTile.rows &* depth
        c += NarrowTile.rows &* Lanes.width
        left &-= NarrowTile.rows
        tall &-= tiles
    }
    if left > 0 { multiplyColumnPanel(rows: left, depth: depth, packed: a, b, c, Lanes.width, accumulate: false) }
}

/// Eight numbers of a row as tiles of rows take them.
@inline(__always) private func narrowNumbers(at row: UnsafePointer<Float>) -> NarrowNumbers {
    let eight = SIMD8(at: row)
    #if AVX512
        return eight
    #else
        return Lanes(lowHalf: eight, highHalf: eight)
    #endif
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
            nextTall()
            tall &-= 1
        }
        #if AVX512
            while left >= 8 {
                next(EightRows.self)
                left &-= 8
            }
            if left >= 6 {
                next(SixRows.self)
                left &-= 6
            }
        #endif
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

    @inline(__always) private mutating func nextTall() {
        #if AVX512
            if !isPacked { return nextTwelve() }
        #endif
        next(TallTile.self)
    }

    #if AVX512
        /// A tall tile where A lies, with four pointers: the rows at one, and one and two strides behind it, have addresses
        /// that are parts of an instruction. With one pointer the compiler keeps twelve strides, or makes them, at every turn.
        @inline(__always) private mutating func nextTwelve() {
            var tile = accumulate ? TallTile(at: c, cStride) : TallTile()
            let three = ThreeRows.rows &* a.rowStride
            var first = a.pointer
            var (second, third, fourth) = (first + three, first + 2 &* three, first + 3 &* three)
            var row = b
            var k = depth
            while k > 0 {
                let numbers = Lanes(at: row)
                tile.upper.upper.add(first, a.rowStride, numbers)
                tile.upper.lower.add(second, a.rowStride, numbers)
                tile.lower.upper.add(third, a.rowStride, numbers)
                tile.lower.lower.add(fourth, a.rowStride, numbers)
                first += a.depthStride
                second += a.depthStride
                third += a.depthStride
                fourth += a.depthStride
                row += bStride
                k &-= 1
            }
            tile.store(at: c, cStride)
            a.pointer += TallTile.rows &* a.rowStride
            c += TallTile.rows &* cStride
        }
    #endif

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
    @inline(__always) func next<Upper: RowTile<NarrowNumbers>, Lower: RowTile<NarrowNumbers>>(
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
            let numbers = narrowNumbers(at: row)
            tile.upper.add(column, rowStride, numbers)
            tile.lower.add(lower, rowStride, numbers)
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
