/// A layer norm over the maps of each sample (Ba, Kiros, Hinton 2016), gain and bias a channel, of planar maps [C, N, H, W]:
///
///     μ = Σ x / CHW,  σ² = Σ (x - μ)² / CHW,  x̂ = (x - μ) / √(σ² + ε),  y = gain_c·x̂ + bias_c
///
/// with `isRectified` max(y, 0). O(C·N·H·W).
struct PlanarNorm {
    let channels: Int
    let samples: Int
    /// H·W.
    let area: Int
    let epsilon: Float
    let isRectified: Bool

    /// Numbers of what the backward pass needs: mean and 1/√(σ² + ε) of each sample.
    var moments: Int { 2 * samples }

    private func plane(_ c: Int, _ n: Int) -> Int { (c &* samples &+ n) &* area }

    func forward(
        _ x: UnsafePointer<Float>, gain: UnsafePointer<Float>, bias: UnsafePointer<Float>,
        into y: UnsafeMutablePointer<Float>, moments: UnsafeMutablePointer<Float>
    ) {
        for n in 0..<samples {
            var total = 0.0
            for c in 0..<channels { total += Double(sum(x + plane(c, n), count: area)) }
            let mean = Float(total / Double(channels * area))
            var squares = 0.0
            for c in 0..<channels { squares += Double(deviation(x + plane(c, n), from: mean)) }
            let scale = 1 / (Float(squares / Double(channels * area)) + epsilon).squareRoot()
            (moments[2 * n], moments[2 * n + 1]) = (mean, scale)
            for c in 0..<channels {
                write(x + plane(c, n), into: y + plane(c, n), mean: mean, factor: scale * gain[c], bias: bias[c])
            }
        }
    }

    /// dx += ∂L/∂x, and the gradients of gain and bias, from dy = ∂L/∂y, which where y is rectified becomes 0.
    func backward(
        _ dy: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>,
        gain: UnsafePointer<Float>, moments: UnsafePointer<Float>, addingTo dx: UnsafeMutablePointer<Float>,
        dGain: UnsafeMutablePointer<Float>, dBias: UnsafeMutablePointer<Float>
    ) {
        if isRectified { clearWhereNotPositive(dy, y, count: channels * samples * area) }
        for n in 0..<samples {
            let (mean, scale) = (moments[2 * n], moments[2 * n + 1])
            var (first, second) = (0.0, 0.0)
            for c in 0..<channels {
                let p = plane(c, n)
                let sums = products(dy + p, x + p, mean)
                dBias[c] += sums.dy
                dGain[c] += sums.product * scale
                first += Double(gain[c] * sums.dy)
                second += Double(gain[c] * sums.product * scale)
            }
            let count = Double(channels * area)
            let (a, b) = (Float(first / count) * scale, Float(second / count) * scale * scale)
            for c in 0..<channels {
                let p = plane(c, n)
                add(dy + p, x + p, mean, factor: gain[c] * scale, a, b, to: dx + p)
            }
        }
    }

    // MARK: One map

    @inline(never) private func deviation(_ x: UnsafePointer<Float>, from mean: Float) -> Float {
        var sum = Lanes.zero
        forEachVector(area) { i, count in
            let isWhole = count == Lanes.width
            var d = (isWhole ? Lanes(at: x + i) : Lanes(first: count, at: x + i)) - mean
            if !isWhole { d = d.replacing(with: Lanes.zero, where: Lanes.isBehind(count)) }
            sum = sum.mad(d, d)
        }
        return sum.laneSum
    }

    @inline(never) private func write(
        _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, mean: Float, factor: Float, bias: Float
    ) {
        let isRectified = isRectified
        forEachVector(area) { i, count in
            let d = (count == Lanes.width ? Lanes(at: x + i) : Lanes(first: count, at: x + i)) - mean
            var result = Lanes(repeating: bias).mad(factor, d)
            if isRectified { result = result.rectified }
            if count == Lanes.width { result.store(at: y + i) } else { result.store(first: count, at: y + i) }
        }
    }

    /// Σ dy and Σ dy·(x - mean).
    @inline(never) private func products(
        _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>, _ mean: Float
    ) -> (dy: Float, product: Float) {
        var (first, second) = (Lanes.zero, Lanes.zero)
        forEachVector(area) { i, count in
            let isWhole = count == Lanes.width
            let d = isWhole ? Lanes(at: dy + i) : Lanes(first: count, at: dy + i)
            first += d
            second = second.mad(d, (isWhole ? Lanes(at: x + i) : Lanes(first: count, at: x + i)) - mean)
        }
        return (first.laneSum, second.laneSum)
    }

    /// dx += factor·dy - a - b·(x - mean).
    @inline(never) private func add(
        _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>, _ mean: Float, factor: Float, _ a: Float, _ b: Float,
        to dx: UnsafeMutablePointer<Float>
    ) {
        forEachVector(area) { i, count in
            let isWhole = count == Lanes.width
            func load(_ p: UnsafePointer<Float>) -> Lanes {
                isWhole ? Lanes(at: p + i) : Lanes(first: count, at: p + i)
            }
            let result = (load(dx) - a).mad(factor, load(dy)).mad(-b, load(x) - mean)
            if isWhole { result.store(at: dx + i) } else { result.store(first: count, at: dx + i) }
        }
    }
}

/// dy becomes 0 where y is not above 0: the way back through max(y, 0).
func clearWhereNotPositive(_ dy: UnsafeMutablePointer<Float>, _ y: UnsafePointer<Float>, count: Int) {
    forEachVector(count) { i, n in
        if n == Lanes.width {
            Lanes(at: dy + i).replacing(with: Lanes.zero, where: Lanes(at: y + i) .<= Lanes.zero).store(at: dy + i)
        } else {
            for k in i..<i + n where y[k] <= 0 { dy[k] = 0 }
        }
    }
}

/// y becomes max(y, 0).
func rectify(_ y: UnsafeMutablePointer<Float>, count: Int) {
    forEachVector(count) { i, n in
        if n == Lanes.width {
            Lanes(at: y + i).rectified.store(at: y + i)
        } else {
            for k in i..<i + n { y[k] = max(y[k], 0) }
        }
    }
}
