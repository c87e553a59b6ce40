// Products of a matrix and one vector, sixteen units of the result in the lanes: what a single sequence needs.
//
// A matrix W [M, K] is stored by columns, each padded with zeros to whole vectors: column k is `vectors` vectors at
// w + k·vectors, where vectors = ⌈M / 16⌉. So a product streams through memory once, and padding stays zero.

/// Vectors of the result held in registers. As `RowTile`: stacks of stacks of single vectors, so that each height is
/// a type which the compiler unrolls.
private protocol VectorTile {
    static var vectors: Int { get }
    init(at y: Panel)
    /// Adds x · w[i] to vector i.
    mutating func add(_ x: Lanes, _ w: UnsafePointer<Lanes>)
    func store(at y: Panel)
}

private struct OneVector: VectorTile {
    @inline(__always) static var vectors: Int { 1 }
    var y: Lanes

    @inline(__always) init(at p: Panel) { y = p.pointee }
    @inline(__always) mutating func add(_ x: Lanes, _ w: UnsafePointer<Lanes>) { y = y.mad(x, w.pointee) }
    @inline(__always) func store(at p: Panel) { p.pointee = y }
}

private struct VectorStack<Upper: VectorTile, Lower: VectorTile>: VectorTile {
    @inline(__always) static var vectors: Int { Upper.vectors &+ Lower.vectors }
    var upper: Upper
    var lower: Lower

    @inline(__always) init(at p: Panel) {
        upper = Upper(at: p)
        lower = Lower(at: p + Upper.vectors)
    }
    @inline(__always) mutating func add(_ x: Lanes, _ w: UnsafePointer<Lanes>) {
        upper.add(x, w)
        lower.add(x, w + Upper.vectors)
    }
    @inline(__always) func store(at p: Panel) {
        upper.store(at: p)
        lower.store(at: p + Upper.vectors)
    }
}

private typealias TwoVectors = VectorStack<OneVector, OneVector>
private typealias ThreeVectors = VectorStack<TwoVectors, OneVector>
#if FMA || arch(arm64)
    /// Eight AVX2 accumulators, as many as hide the latency of a multiply-add.
    private typealias TallVectors = VectorStack<TwoVectors, TwoVectors>
#else
    /// Twelve SSE2 accumulators; more would spill.
    private typealias TallVectors = ThreeVectors
#endif

/// y += W·x: W [M, K] by padded columns, x [K], y [M] padded to `vectors` vectors. O(M·K).
///
/// The numbers of one element of y are added in the order of k. Each tile of y stays in registers over all k.
@inline(never)
func addProduct(
    _ w: UnsafePointer<Lanes>, vectors: Int, columns: Int, by x: UnsafePointer<Float>, into y: Panel
) {
    var done = 0
    while vectors &- done >= TallVectors.vectors {
        addTile(TallVectors.self, w + done, vectors, columns, x, y + done)
        done &+= TallVectors.vectors
    }
    switch vectors &- done {
    case 3: addTile(ThreeVectors.self, w + done, vectors, columns, x, y + done)
    case 2: addTile(TwoVectors.self, w + done, vectors, columns, x, y + done)
    case 1: addTile(OneVector.self, w + done, vectors, columns, x, y + done)
    default: break
    }
}

@inline(__always)
private func addTile<Tile: VectorTile>(
    _: Tile.Type, _ w: UnsafePointer<Lanes>, _ stride: Int, _ columns: Int, _ x: UnsafePointer<Float>, _ y: Panel
) {
    var tile = Tile(at: y)
    var column = w
    var number = x
    var k = columns
    while k > 0 {
        tile.add(Lanes(repeating: number.pointee), column)
        column += stride
        number += 1
        k &-= 1
    }
    tile.store(at: y)
}

/// A = λ A + η x xᵀ: A [H, H] by padded columns, x [H] padded to `vectors` vectors. O(H²).
///
/// Numbers below 2⁻¹⁰⁰ become 0. Where a unit falls silent its part of A fades by λ a step, and would stay among the
/// subnormal numbers for ever: after two thousand steps the products took forty times as long.
@inline(never)
func decayAndAddOuterProduct(
    _ a: Panel, vectors: Int, columns: Int, decay: Float, rate: Float, _ x: Panel
) {
    let tiny: Float = 0x1p-100
    let numbers = floats(x)
    var column = a
    var k = 0
    while k < columns {
        let weight = Lanes(repeating: rate * numbers[k])
        var v = 0
        while v < vectors {
            let sum = (column[v] * decay).mad(weight, x[v])
            column[v] = sum.replacing(with: 0, where: (sum .< tiny) .& (sum .> -tiny))
            v &+= 1
        }
        column += vectors
        k &+= 1
    }
}
