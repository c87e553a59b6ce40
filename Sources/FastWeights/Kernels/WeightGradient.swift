// The gradients of weights and biases that were used at many steps, summed over the steps and the samples in the lanes.

/// Scratch memory that `accumulateOuterProducts` needs, in vectors.
let outerProductScratch = (StepBlock.rows + 6) * StepBlock.steps

private enum StepBlock {
    /// Steps summed up at a time: their six rows of x, 24 KB, stay in a first-level cache while the rows of dy pass.
    static let steps = 64
    /// Rows of dy that pass at a time, 256 KB: they stay in a second-level cache while the rows of x change.
    static let rows = 64
    /// Vectors of dy that are read where they lie.
    static let unpacked = 2048
}

/// dW += Σ_t dy(t)·x(t)ᵀ, summed over the sixteen samples too: the gradient of a weight matrix that was used at
/// `count` steps. dW [M, K] row-major, dy(t) [M] and x(t) [K] panels. O(M·K·count).
///
/// Each element is a dot product along lanes and steps. A tile of two rows by six columns (or four at the edge) of
/// partial sums stays in registers over a block of steps, and its lanes are added up at the end. Rows are copied to
/// `scratch` first, so that a tile reads two streams and not one of each step: panels may lie a power of two apart,
/// where a cache holds only a few of them.
func accumulateOuterProducts(
    _ dy: PanelSequence, rows m: Int, _ x: PanelSequence, columns k: Int, count: Int, scratch: Panel,
    into dw: UnsafeMutablePointer<Float>
) {
    var first = 0
    while first < count {
        let steps = min(count &- first, StepBlock.steps)
        let packs = m &* steps > StepBlock.unpacked
        var i = 0
        while i < m {
            let rows = packs ? min(m &- i, StepBlock.rows) : m
            var left = RowPairs(pointer: dy[first] + i, stepStride: dy.stride, pairStride: 2)
            if packs { left = left.packed(rows: rows, steps, into: scratch + 6 &* StepBlock.steps) }
            var j = 0
            while j < k {
                let width = tileWidth(k &- j)
                packRows(PanelSequence(pointer: x[first] + j, stride: x.stride), width, steps, into: scratch)
                addColumns(left, rows: rows, scratch, width, steps, into: dw + (i &* k &+ j), stride: k)
                j &+= width
            }
            i &+= rows
        }
        first &+= steps
    }
}

/// Rows of dy, two at a time: those of step t and pair i at pointer + t·stepStride + i·pairStride.
private struct RowPairs {
    var pointer: Panel
    var stepStride: Int
    var pairStride: Int

    /// A copy in which the steps of a pair follow one another.
    func packed(rows: Int, _ steps: Int, into scratch: Panel) -> RowPairs {
        var target = scratch
        for pair in 0..<(rows &+ 1) / 2 {
            var source = pointer + pair &* pairStride
            let second = pair &* 2 &+ 1 < rows ? 1 : 0
            for _ in 0..<steps {
                target[0] = source[0]
                target[1] = source[second]
                source += stepStride
                target += 2
            }
        }
        return RowPairs(pointer: scratch, stepStride: 2, pairStride: 2 &* steps)
    }
}

/// dW += dy·xᵀ, summed over the sixteen samples: the gradient of a weight matrix that was used once. dW [M, K] row-major,
/// dy [M] and x [K] panels; `scratch` as in `accumulateOuterProducts`. O(M·K).
///
/// With so few numbers to each sum, adding up lanes would cost more than the products. Sixteen rows of x at a time are
/// transposed instead, and the tile kernel runs down the samples; what is left behind whole sixteens is summed by lanes.
func accumulateOuterProduct(
    _ dy: Panel, rows m: Int, _ x: Panel, columns k: Int, scratch: Panel, into dw: UnsafeMutablePointer<Float>
) {
    let samples = LeftOperand(pointer: floats(dy), rowStride: Lanes.width, depthStride: 1)
    var j = 0
    while j &+ Lanes.width <= k {
        transposeSquares(floats(x + j), into: floats(scratch))
        multiplyColumnPanel(
            rows: m, depth: Lanes.width, samples, floats(scratch), Lanes.width, dw + j, k, accumulate: true)
        j &+= Lanes.width
    }
    while j < k {
        let width = tileWidth(k &- j)
        packRows(PanelSequence(pointer: x + j, stride: 0), width, 1, into: scratch)
        let pairs = RowPairs(pointer: dy, stepStride: 0, pairStride: 2)
        addColumns(pairs, rows: m, scratch, width, 1, into: dw + j, stride: k)
        j &+= width
    }
}

/// Sixteen rows of sixteen numbers, rows made columns.
private func transposeSquares(_ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>) {
    var i = 0
    while i < Lanes.width {
        var j = 0
        while j < Lanes.width {
            Square(at: source + (i &* Lanes.width &+ j), Lanes.width).transposed
                .store(at: target + (j &* Lanes.width &+ i), Lanes.width)
            j &+= 4
        }
        i &+= 4
    }
}

/// The twin of `accumulateOuterProducts` that its tests compare with.
func accumulateOuterProductsNaively(
    _ dy: PanelSequence, rows m: Int, _ x: PanelSequence, columns k: Int, count: Int,
    into dw: UnsafeMutablePointer<Float>
) {
    for i in 0..<m {
        for j in 0..<k {
            for t in 0..<count { for lane in 0..<Lanes.width { dw[i * k + j] += dy[t][i][lane] * x[t][j][lane] } }
        }
    }
}

/// Columns of the next tile where `left` columns are left: sixes, then fours so that none is narrow; at last 1, 2 or 3.
private func tileWidth(_ left: Int) -> Int {
    if left < 4 { return left }
    return left == 4 || left == 5 || left == 8 ? 4 : 6
}

/// Copies `width` rows of each step, at least to four, the rest zero.
private func packRows(_ x: PanelSequence, _ width: Int, _ steps: Int, into target: Panel) {
    var source = x.pointer
    var target = target
    for _ in 0..<steps {
        if width >= 4 {
            target[0] = source[0]
            target[1] = source[1]
            target[2] = source[2]
            target[3] = source[3]
            if width == 6 {
                target[4] = source[4]
                target[5] = source[5]
            }
        } else {
            for r in 0..<width { target[r] = source[r] }
            for r in width..<4 { target[r] = .zero }
        }
        source += x.stride
        target += max(width, 4)
    }
}

/// At most six columns of dW.
@inline(never)
private func addColumns(
    _ dy: RowPairs, rows m: Int, _ x: Panel, _ width: Int, _ steps: Int, into dw: UnsafeMutablePointer<Float>,
    stride: Int
) {
    var target = dw
    var rows = dy.pointer
    var i = 0
    while i < m {
        let pair = m &- i > 1
        let second = pair ? 1 : 0
        let (upper, lower): (SIMD4<Float>, SIMD4<Float>)
        if width == 6 {
            let sums = dotTile(SixColumns.self, rows, dy.stepStride, second: second, x, steps)
            (upper, lower) = (sums.upper, sums.lower)
            (SIMD2(at: target + 4) + sums.rest.lowHalf).store(at: target + 4)
            if pair { (SIMD2(at: target + stride + 4) + sums.rest.highHalf).store(at: target + stride + 4) }
        } else {
            let sums = dotTile(FourColumns.self, rows, dy.stepStride, second: second, x, steps)
            (upper, lower) = (sums.upper, sums.lower)
        }
        if width >= 4 {
            upper.add(to: target)
            if pair { lower.add(to: target + stride) }
        } else {
            for c in 0..<width {
                target[c] += upper[c]
                if pair { target[stride &+ c] += lower[c] }
            }
        }
        target += 2 &* stride
        rows += dy.pairStride
        i &+= 2
    }
}

// Twelve accumulators, two numbers of dy and one of x: within sixteen registers as AVX2 vectors, or as SSE2 ones of
// four.
#if FMA || arch(arm64)
    private typealias Part = SIMD8<Float>
#else
    private typealias Part = SIMD4<Float>
#endif

/// The sums of two rows and some columns: the first four columns of each row, and columns five and six of both.
private struct TileSums {
    var upper: SIMD4<Float>
    var lower: SIMD4<Float>
    var rest: SIMD4<Float>
}

/// Partial sums of two rows of dy with a few of x.
private protocol DotColumns {
    static var columns: Int { get }
    init()
    mutating func add(_ a: Part, _ b: Part, _ x: UnsafePointer<Float>)
    var sums: TileSums { get }
}

private struct FourColumns: DotColumns {
    @inline(__always) static var columns: Int { 4 }
    var (a0, a1, a2, a3) = (Part.zero, Part.zero, Part.zero, Part.zero)
    var (b0, b1, b2, b3) = (Part.zero, Part.zero, Part.zero, Part.zero)

    @inline(__always) init() {}
    @inline(__always) mutating func add(_ a: Part, _ b: Part, _ x: UnsafePointer<Float>) {
        let (x0, x1, x2, x3) = (part(x), part(x + 16), part(x + 32), part(x + 48))
        a0 = mad(a0, a, x0)
        b0 = mad(b0, b, x0)
        a1 = mad(a1, a, x1)
        b1 = mad(b1, b, x1)
        a2 = mad(a2, a, x2)
        b2 = mad(b2, b, x2)
        a3 = mad(a3, a, x3)
        b3 = mad(b3, b, x3)
    }
    @inline(__always) var sums: TileSums {
        TileSums(
            upper: Square(folded(a0), folded(a1), folded(a2), folded(a3)).rowSums,
            lower: Square(folded(b0), folded(b1), folded(b2), folded(b3)).rowSums, rest: .zero)
    }
}

private struct SixColumns: DotColumns {
    @inline(__always) static var columns: Int { 6 }
    var four = FourColumns()
    var (a4, a5, b4, b5) = (Part.zero, Part.zero, Part.zero, Part.zero)

    @inline(__always) init() {}
    @inline(__always) mutating func add(_ a: Part, _ b: Part, _ x: UnsafePointer<Float>) {
        four.add(a, b, x)
        let (x4, x5) = (part(x + 64), part(x + 80))
        a4 = mad(a4, a, x4)
        b4 = mad(b4, b, x4)
        a5 = mad(a5, a, x5)
        b5 = mad(b5, b, x5)
    }
    @inline(__always) var sums: TileSums {
        var result = four.sums
        result.rest = Square(folded(a4), folded(a5), folded(b4), folded(b5)).rowSums
        return result
    }
}

/// The dot products of two rows of dy with a few of x.
@inline(__always)
private func dotTile<Columns: DotColumns>(
    _: Columns.Type, _ dy: Panel, _ stride: Int, second: Int, _ x: Panel, _ steps: Int
) -> TileSums {
    var tile = Columns()
    var d = UnsafePointer(floats(dy))
    var p = UnsafePointer(floats(x))
    let below = second &* Lanes.width
    var left = steps
    while left > 0 {
        var lane = 0
        while lane < Lanes.width {
            tile.add(part(d + lane), part(d + (lane &+ below)), p + lane)
            lane &+= Part.scalarCount
        }
        d += stride &* Lanes.width
        p += Columns.columns &* Lanes.width
        left &-= 1
    }
    return tile.sums
}

@inline(__always) private func part(_ p: UnsafePointer<Float>) -> Part {
    UnsafeRawPointer(p).loadUnaligned(as: Part.self)
}

@inline(__always) private func mad(_ c: Part, _ a: Part, _ b: Part) -> Part {
    #if FMA || arch(arm64)
        c.addingProduct(a, b)
    #else
        c + a * b
    #endif
}

@inline(__always) private func folded(_ v: Part) -> SIMD4<Float> {
    #if FMA || arch(arm64)
        v.lowHalf + v.highHalf
    #else
        v
    #endif
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
