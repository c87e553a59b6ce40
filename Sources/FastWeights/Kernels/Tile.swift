// The one multiply-add kernel under every matrix product of the module.
//
// A tile holds a few rows by sixteen columns of C in registers while the loop runs down the common dimension: each
// turn loads sixteen numbers of B once and broadcasts one number of A a row.

/// Rows of C held in registers. Stacks of stacks of single rows, so that each height is a type, the compiler unrolls
/// it, and the numbers live in registers.
protocol RowTile {
    static var rows: Int { get }
    init()
    /// Loads the rows at `c`, `stride` floats apart.
    init(at c: UnsafePointer<Float>, _ stride: Int)
    /// Adds a[i·stride] · b to row i.
    mutating func add(_ a: UnsafePointer<Float>, _ stride: Int, _ b: Lanes)
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

struct Stack<Upper: RowTile, Lower: RowTile>: RowTile {
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
    @inline(__always) mutating func add(_ a: UnsafePointer<Float>, _ stride: Int, _ b: Lanes) {
        upper.add(a, stride, b)
        lower.add(a + Upper.rows &* stride, stride, b)
    }
    @inline(__always) func store(at p: UnsafeMutablePointer<Float>, _ stride: Int) {
        upper.store(at: p, stride)
        lower.store(at: p + Upper.rows &* stride, stride)
    }
}

typealias TwoRows = Stack<OneRow, OneRow>
#if FMA || arch(arm64)
    typealias FourRows = Stack<TwoRows, TwoRows>
    /// Twelve AVX2 accumulators, two vectors of B and one of A: fifteen of sixteen registers.
    typealias TallTile = Stack<FourRows, TwoRows>
#else
    /// Eight SSE2 accumulators; more would spill.
    typealias TallTile = TwoRows
#endif

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
    var a = a
    var c = c
    var left = rows
    while left >= TallTile.rows {
        multiplyTile(TallTile.self, depth, &a, b, bStride, &c, cStride, accumulate)
        left &-= TallTile.rows
    }
    #if FMA || arch(arm64)
        if left >= 4 {
            multiplyTile(FourRows.self, depth, &a, b, bStride, &c, cStride, accumulate)
            left &-= 4
        }
        if left >= 2 {
            multiplyTile(TwoRows.self, depth, &a, b, bStride, &c, cStride, accumulate)
            left &-= 2
        }
    #endif
    if left == 1 { multiplyTile(OneRow.self, depth, &a, b, bStride, &c, cStride, accumulate) }
}

@inline(__always)
private func multiplyTile<Tile: RowTile>(
    _: Tile.Type, _ depth: Int, _ a: inout LeftOperand, _ b: UnsafePointer<Float>, _ bStride: Int,
    _ c: inout UnsafeMutablePointer<Float>, _ cStride: Int, _ accumulate: Bool
) {
    var tile = accumulate ? Tile(at: c, cStride) : Tile()
    var column = a.pointer
    var row = b
    var k = depth
    while k > 0 {
        tile.add(column, a.rowStride, Lanes(at: row))
        column += a.depthStride
        row += bStride
        k &-= 1
    }
    tile.store(at: c, cStride)
    a.pointer += Tile.rows &* a.rowStride
    c += Tile.rows &* cStride
}
