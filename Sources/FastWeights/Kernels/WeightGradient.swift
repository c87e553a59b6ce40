// The gradients of weights and biases that were used at many steps, summed over the steps and the samples in the lanes.

/// Scratch memory that `accumulateOuterProducts` needs, in vectors.
let outerProductScratch = (StepBlock.rows + 4) * StepBlock.steps

private enum StepBlock {
    /// Steps summed up at a time: their four rows of x, 16 KB, stay in a first-level cache while the rows of dy pass.
    static let steps = 64
    /// Rows of dy that pass at a time, 256 KB: they stay in a second-level cache while the rows of x change.
    static let rows = 64
    /// Vectors of dy that are read where they lie.
    static let unpacked = 2048
}

/// dW += Σ_t dy(t)·x(t)ᵀ, summed over the sixteen samples too: the gradient of a weight matrix that was used at
/// `count` steps. dW [M, K] row-major, dy(t) [M] and x(t) [K] panels. O(M·K·count).
///
/// Each element is a dot product along lanes and steps. A tile of two rows by four columns of partial sums stays in
/// registers over a block of steps, and its lanes are added up at the end, four elements at a time. Rows are copied to
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
            if packs { left = left.packed(rows: rows, steps, into: scratch + 4 &* StepBlock.steps) }
            var j = 0
            while j < k {
                let width = min(k &- j, 4)
                packRows(PanelSequence(pointer: x[first] + j, stride: x.stride), width, steps, into: scratch)
                addColumns(left, rows: rows, scratch, width, steps, into: dw + (i &* k &+ j), stride: k)
                j &+= 4
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
        let width = min(k &- j, 4)
        packRows(PanelSequence(pointer: x + j, stride: 0), width, 1, into: scratch)
        let pairs = RowPairs(pointer: dy, stepStride: 0, pairStride: 2)
        addColumns(pairs, rows: m, scratch, width, 1, into: dw + j, stride: k)
        j &+= 4
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

/// Copies `width` rows of each step into four, the rest zero.
private func packRows(_ x: PanelSequence, _ width: Int, _ steps: Int, into target: Panel) {
    var source = x.pointer
    var target = target
    for _ in 0..<steps {
        if width == 4 {
            target[0] = source[0]
            target[1] = source[1]
            target[2] = source[2]
            target[3] = source[3]
        } else {
            for r in 0..<width { target[r] = source[r] }
            for r in width..<4 { target[r] = .zero }
        }
        source += x.stride
        target += 4
    }
}

/// At most four columns of dW.
private func addColumns(
    _ dy: RowPairs, rows m: Int, _ x: Panel, _ width: Int, _ steps: Int, into dw: UnsafeMutablePointer<Float>,
    stride: Int
) {
    var target = dw
    var rows = dy.pointer
    var i = 0
    while i < m {
        let pair = m &- i > 1
        let sums = dotTile(rows, dy.stepStride, second: pair ? 1 : 0, x, steps)
        if width == 4 {
            sums.upper.add(to: target)
            if pair { sums.lower.add(to: target + stride) }
        } else {
            for c in 0..<width {
                target[c] += sums.upper[c]
                if pair { target[stride &+ c] += sums.lower[c] }
            }
        }
        target += 2 &* stride
        rows += dy.pairStride
        i &+= 2
    }
}

// Eight accumulators and six operands: within sixteen registers as AVX2 vectors, or as SSE2 ones of four.
#if FMA || arch(arm64)
    private typealias Part = SIMD8<Float>
#else
    private typealias Part = SIMD4<Float>
#endif

/// The dot products of two rows of dy with four of x.
@inline(__always)
private func dotTile(
    _ dy: Panel, _ stride: Int, second: Int, _ x: Panel, _ steps: Int
) -> (upper: SIMD4<Float>, lower: SIMD4<Float>) {
    var (a0, a1, a2, a3) = (Part.zero, Part.zero, Part.zero, Part.zero)
    var (b0, b1, b2, b3) = (Part.zero, Part.zero, Part.zero, Part.zero)
    var d = UnsafePointer(floats(dy))
    var p = UnsafePointer(floats(x))
    let below = second &* Lanes.width
    var left = steps
    while left > 0 {
        var lane = 0
        while lane < Lanes.width {
            let (a, b) = (part(d + lane), part(d + (lane &+ below)))
            let (x0, x1) = (part(p + lane), part(p + (lane &+ 16)))
            let (x2, x3) = (part(p + (lane &+ 32)), part(p + (lane &+ 48)))
            a0 = mad(a0, a, x0)
            a1 = mad(a1, a, x1)
            a2 = mad(a2, a, x2)
            a3 = mad(a3, a, x3)
            b0 = mad(b0, b, x0)
            b1 = mad(b1, b, x1)
            b2 = mad(b2, b, x2)
            b3 = mad(b3, b, x3)
            lane &+= Part.scalarCount
        }
        d += stride &* Lanes.width
        p += 4 &* Lanes.width
        left &-= 1
    }
    return (
        Square(folded(a0), folded(a1), folded(a2), folded(a3)).rowSums,
        Square(folded(b0), folded(b1), folded(b2), folded(b3)).rowSums
    )
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
