// Products of a weight matrix with panels of sixteen samples: the three a recurrent layer needs.
//
// A panel [K][16] is B of a matrix product as the tile kernel wants it, so nothing is packed or transposed.

/// y (+)= W·x: W [M, K] row-major, x [K] and y [M] panels.
@inline(__always)
func multiply(
    _ w: UnsafePointer<Float>, rows m: Int, columns k: Int, by x: Panel, into y: Panel, accumulate: Bool
) {
    multiplyColumnPanel(
        rows: m, depth: k, LeftOperand(pointer: w, rowStride: k, depthStride: 1), floats(x), Lanes.width, floats(y),
        Lanes.width, accumulate: accumulate)
}

/// x (+)= Wᵀ·y: W [M, K] row-major, y [M] and x [K] panels.
@inline(__always)
func multiplyTransposed(
    _ w: UnsafePointer<Float>, rows m: Int, columns k: Int, by y: Panel, into x: Panel, accumulate: Bool
) {
    multiplyColumnPanel(
        rows: k, depth: m, LeftOperand(pointer: w, rowStride: 1, depthStride: k), floats(y), Lanes.width, floats(x),
        Lanes.width, accumulate: accumulate)
}

@inline(__always) func floats(_ panel: Panel) -> UnsafeMutablePointer<Float> {
    UnsafeMutableRawPointer(panel).assumingMemoryBound(to: Float.self)
}

/// A run of panels of the same height: panel t begins at pointer + t·stride.
struct PanelSequence {
    var pointer: Panel
    var stride: Int

    subscript(t: Int) -> Panel { pointer + t &* stride }
}

/// dW += Σ_t dy(t)·x(t)ᵀ, summed over the sixteen samples too: the gradient of a weight matrix that was used at
/// `count` steps. dW [M, K] row-major, dy(t) [M] and x(t) [K] panels.
///
/// Each element is a dot product along lanes and steps, so a tile of 3 by 3 partial sums stays in registers over all
/// steps and its lanes are added once at the end.
func accumulateOuterProducts(
    _ dy: PanelSequence, rows m: Int, _ x: PanelSequence, columns k: Int, count: Int,
    into dw: UnsafeMutablePointer<Float>
) {
    var i = 0
    while i < m {
        let rows = min(m &- i, 3)
        let left = PanelSequence(pointer: dy.pointer + i, stride: dy.stride)
        let target = dw + i &* k
        switch rows {
        case 3: dotRows(Stack3.self, left, x, columns: k, count: count, into: target)
        case 2: dotRows(Stack2.self, left, x, columns: k, count: count, into: target)
        default: dotRows(DotRow.self, left, x, columns: k, count: count, into: target)
        }
        i &+= rows
    }
}

// Nine accumulators and six operands: within sixteen registers as AVX2 vectors, or as SSE2 ones of four.
#if FMA || arch(arm64)
    private typealias Part = SIMD8<Float>
#else
    private typealias Part = SIMD4<Float>
#endif

extension SIMD where Scalar == Float {
    @inline(__always) fileprivate static func part(_ p: UnsafePointer<Float>) -> Self {
        UnsafeRawPointer(p).loadUnaligned(as: Self.self)
    }
}

private protocol DotTile {
    init()
    mutating func add(_ dy: UnsafePointer<Float>, _ x0: Part, _ x1: Part, _ x2: Part)
    mutating func add(_ dy: UnsafePointer<Float>, _ x0: Part)
    func addThree(to dw: UnsafeMutablePointer<Float>, _ stride: Int)
    func addOne(to dw: UnsafeMutablePointer<Float>, _ stride: Int)
}

private struct DotRow: DotTile {
    var a = Part.zero
    var b = Part.zero
    var c = Part.zero

    @inline(__always) init() {}
    @inline(__always) mutating func add(_ dy: UnsafePointer<Float>, _ x0: Part, _ x1: Part, _ x2: Part) {
        let d = Part.part(dy)
        a = mad(a, d, x0)
        b = mad(b, d, x1)
        c = mad(c, d, x2)
    }
    @inline(__always) mutating func add(_ dy: UnsafePointer<Float>, _ x0: Part) { a = mad(a, Part.part(dy), x0) }
    @inline(__always) func addThree(to dw: UnsafeMutablePointer<Float>, _ stride: Int) {
        dw[0] += sum(a)
        dw[1] += sum(b)
        dw[2] += sum(c)
    }
    @inline(__always) func addOne(to dw: UnsafeMutablePointer<Float>, _ stride: Int) { dw[0] += sum(a) }
}

private struct DotStack<Upper: DotTile>: DotTile {
    var upper = Upper()
    var lower = DotRow()

    @inline(__always) init() {}
    @inline(__always) mutating func add(_ dy: UnsafePointer<Float>, _ x0: Part, _ x1: Part, _ x2: Part) {
        lower.add(dy, x0, x1, x2)
        upper.add(dy + Lanes.width, x0, x1, x2)
    }
    @inline(__always) mutating func add(_ dy: UnsafePointer<Float>, _ x0: Part) {
        lower.add(dy, x0)
        upper.add(dy + Lanes.width, x0)
    }
    @inline(__always) func addThree(to dw: UnsafeMutablePointer<Float>, _ stride: Int) {
        lower.addThree(to: dw, stride)
        upper.addThree(to: dw + stride, stride)
    }
    @inline(__always) func addOne(to dw: UnsafeMutablePointer<Float>, _ stride: Int) {
        lower.addOne(to: dw, stride)
        upper.addOne(to: dw + stride, stride)
    }
}

private typealias Stack2 = DotStack<DotRow>
private typealias Stack3 = DotStack<Stack2>

@inline(__always) private func mad(_ c: Part, _ a: Part, _ b: Part) -> Part {
    #if FMA || arch(arm64)
        c.addingProduct(a, b)
    #else
        c + a * b
    #endif
}

@inline(__always) private func sum(_ v: Part) -> Float {
    #if FMA || arch(arm64)
        let four = v.lowHalf + v.highHalf
    #else
        let four = v
    #endif
    let two = four.lowHalf + four.highHalf
    return two[0] + two[1]
}

@inline(__always)
private func dotRows<Tile: DotTile>(
    _: Tile.Type, _ dy: PanelSequence, _ x: PanelSequence, columns: Int, count: Int,
    into dw: UnsafeMutablePointer<Float>
) {
    var j = 0
    while j &+ 3 <= columns {
        var tile = Tile()
        var d = UnsafePointer(floats(dy.pointer))
        var p = UnsafePointer(floats(x.pointer + j))
        var t = count
        while t > 0 {
            var lane = 0
            while lane < Lanes.width {
                tile.add(
                    d + lane, Part.part(p + lane), Part.part(p + (lane &+ Lanes.width)),
                    Part.part(p + (lane &+ 2 &* Lanes.width)))
                lane &+= Part.scalarCount
            }
            d += dy.stride &* Lanes.width
            p += x.stride &* Lanes.width
            t &-= 1
        }
        tile.addThree(to: dw + j, columns)
        j &+= 3
    }
    while j < columns {
        var tile = Tile()
        for t in 0..<count {
            let d = UnsafePointer(floats(dy[t]))
            let p = UnsafePointer(floats(x[t] + j))
            var lane = 0
            while lane < Lanes.width {
                tile.add(d + lane, Part.part(p + lane))
                lane &+= Part.scalarCount
            }
        }
        tile.addOne(to: dw + j, columns)
        j &+= 1
    }
}

/// db[m] += Σ_t Σ_samples dy(t)[m]: the gradient of a bias.
func accumulateSums(_ dy: PanelSequence, rows m: Int, count: Int, into db: UnsafeMutablePointer<Float>) {
    var i = 0
    while i < m {
        var sum = Lanes.zero
        for t in 0..<count { sum += dy[t][i] }
        db[i] += sum.laneSum
        i &+= 1
    }
}
