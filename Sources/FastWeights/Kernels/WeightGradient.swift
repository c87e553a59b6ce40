// The gradients of weights and biases that were used at many steps, summed over the steps and the samples in the lanes.

/// Scratch memory that `accumulateOuterProducts` needs, in vectors.
let outerProductScratch = Lanes.width * BlockSizes.steps

/// dW += Σ_t dy(t)·x(t)ᵀ, summed over the sixteen samples too: the gradient of a weight matrix that was used at
/// `count` steps. dW [M, K] row-major, dy(t) [M] and x(t) [K] panels. O(M·K·count).
///
/// Sixteen rows of x at a time are transposed in `scratch`, a sample a row, and the tile kernel runs down the samples
/// of some steps with numbers of dy broadcast. So no lanes are added up; where fewer than sixteen rows of x are left,
/// they are, since most of a tile would be empty.
func accumulateOuterProducts(
    _ dy: PanelSequence, rows m: Int, _ x: PanelSequence, columns k: Int, count: Int, scratch: Panel,
    into dw: UnsafeMutablePointer<Float>
) {
    var first = 0
    while first < count {
        let steps = min(count &- first, BlockSizes.steps)
        let left = PanelSequence(pointer: dy[first], stride: dy.stride)
        var j = 0
        while j &+ Lanes.width <= k {
            for t in 0..<steps {
                transposeSquares(floats(x[first &+ t] + j), into: floats(scratch + t &* Lanes.width))
            }
            addSamples(left, rows: m, steps, scratch, into: dw + j, stride: k)
            j &+= Lanes.width
        }
        first &+= steps
    }
    var j = k &- k % Lanes.width
    while j < k {
        addColumns(dy, rows: m, x, j, min(k &- j, 4), count, into: dw + j, stride: k)
        j &+= 4
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

/// Sixteen rows of sixteen numbers, rows made columns.
private func transposeSquares(_ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>) {
    var i = 0
    while i < Lanes.width {
        var j = 0
        while j < Lanes.width {
            Matrix4x4(at: source + (i &* Lanes.width &+ j), Lanes.width).transposed
                .store(at: target + (j &* Lanes.width &+ i), Lanes.width)
            j &+= 4
        }
        i &+= 4
    }
}

/// Sixteen columns of dW, from the transposed samples of `steps` steps.
@inline(never)
private func addSamples(
    _ dy: PanelSequence, rows m: Int, _ steps: Int, _ samples: Panel, into dw: UnsafeMutablePointer<Float>, stride: Int
) {
    var row = dy.pointer
    var target = dw
    var left = m
    @inline(__always) func next<Tile: RowTile<Lanes>>(_: Tile.Type) {
        addSampleTile(Tile.self, row, dy.stride, steps, samples, target, stride)
        row += Tile.rows
        target += Tile.rows &* stride
        left &-= Tile.rows
    }
    #if AVX512
        let low = m &- TileRows.tall(in: m) &* TallTile.rows
        while left > low { next(TallTile.self) }
        while left >= 8 { next(EightRows.self) }
        if left >= 6 { next(SixRows.self) }
        if left >= 4 { next(FourRows.self) }
    #else
        while left >= TallTile.rows { next(TallTile.self) }
    #endif
    while left >= 2 { next(TwoRows.self) }
    if left == 1 { next(OneRow.self) }
}

@inline(__always)
private func addSampleTile<Tile: RowTile<Lanes>>(
    _: Tile.Type, _ dy: Panel, _ dyStride: Int, _ steps: Int, _ samples: Panel, _ dw: UnsafeMutablePointer<Float>,
    _ stride: Int
) {
    var tile = Tile(at: dw, stride)
    var step = dy
    var sample = samples
    var t = steps
    while t > 0 {
        var number = UnsafePointer(floats(step))
        var lane = Lanes.width
        while lane > 0 {
            tile.add(number, Lanes.width, sample.pointee)
            number += 1
            sample += 1
            lane &-= 1
        }
        step += dyStride
        t &-= 1
    }
    tile.store(at: dw, stride)
}

/// At most four columns of dW, from row `j` of x on: dot products along lanes and steps, two rows at a time.
@inline(never)
private func addColumns(
    _ dy: PanelSequence, rows m: Int, _ x: PanelSequence, _ j: Int, _ width: Int, _ count: Int,
    into dw: UnsafeMutablePointer<Float>, stride: Int
) {
    var target = dw
    var i = 0
    while i < m {
        let pair = m &- i > 1
        let sums = dotTile(
            PanelSequence(pointer: dy.pointer + i, stride: dy.stride), second: pair ? 1 : 0,
            PanelSequence(pointer: x.pointer + j, stride: x.stride), width, count)
        for c in 0..<width {
            target[c] += sums.upper[c]
            if pair { target[stride &+ c] += sums.lower[c] }
        }
        target += 2 &* stride
        i &+= 2
    }
}

// Eight accumulators and six operands: within sixteen registers as AVX2 vectors, or as SSE2 ones of four.
#if FMA || arch(arm64)
    private typealias Part = SIMD8<Float>
#else
    private typealias Part = SIMD4<Float>
#endif

/// The dot products of two rows of dy with `width` rows of x, at most four; the sums behind them repeat the last.
@inline(__always)
private func dotTile(
    _ dy: PanelSequence, second: Int, _ x: PanelSequence, _ width: Int, _ count: Int
) -> (upper: SIMD4<Float>, lower: SIMD4<Float>) {
    var (a0, a1, a2, a3) = (Part.zero, Part.zero, Part.zero, Part.zero)
    var (b0, b1, b2, b3) = (Part.zero, Part.zero, Part.zero, Part.zero)
    var d = UnsafePointer(floats(dy.pointer))
    var p = UnsafePointer(floats(x.pointer))
    let below = second &* Lanes.width
    let (o1, o2, o3) = (min(width &- 1, 1) &* 16, min(width &- 1, 2) &* 16, min(width &- 1, 3) &* 16)
    var left = count
    while left > 0 {
        var lane = 0
        while lane < Lanes.width {
            let (a, b) = (part(d + lane), part(d + (lane &+ below)))
            let (x0, x1) = (part(p + lane), part(p + (lane &+ o1)))
            let (x2, x3) = (part(p + (lane &+ o2)), part(p + (lane &+ o3)))
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
        d += dy.stride &* Lanes.width
        p += x.stride &* Lanes.width
        left &-= 1
    }
    return (
        Matrix4x4(folded(a0), folded(a1), folded(a2), folded(a3)).rowSums,
        Matrix4x4(folded(b0), folded(b1), folded(b2), folded(b3)).rowSums
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
