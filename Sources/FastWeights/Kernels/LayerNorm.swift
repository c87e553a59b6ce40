// Layer normalization (Ba, Kiros, Hinton 2016) of a panel: every sample, a lane, is normalized over the rows.
//
//     μ = Σ z / H,  σ² = Σ (z - μ)² / H,  ẑ = (z - μ) / √(σ² + ε),  y = gain·ẑ + bias
//
// Callers fuse gain, bias and what follows into their own pass over the rows, so these two functions stop at ẑ.

/// Replaces z by ẑ and returns 1 / √(σ² + ε) for the backward pass. Two passes, so a large mean costs no accuracy. The
/// sums run in four parts: one alone would wait for itself.
@inline(__always)
func normalize(_ z: Panel, rows: Int, epsilon: Float) -> Lanes {
    let inverse = 1 / Float(rows)
    let fours = rows & ~3
    var (a, b, c, d) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
    var r = 0
    while r < fours {
        a += z[r]
        b += z[r &+ 1]
        c += z[r &+ 2]
        d += z[r &+ 3]
        r &+= 4
    }
    while r < rows {
        a += z[r]
        r &+= 1
    }
    let mean = ((a + b) + (c + d)) * inverse
    (a, b, c, d) = (.zero, .zero, .zero, .zero)
    @inline(__always) func center(_ r: Int, _ sum: inout Lanes) {
        let difference = z[r] - mean
        z[r] = difference
        sum = sum.mad(difference, difference)
    }
    r = 0
    while r < fours {
        center(r, &a)
        center(r &+ 1, &b)
        center(r &+ 2, &c)
        center(r &+ 3, &d)
        r &+= 4
    }
    while r < rows {
        center(r, &a)
        r &+= 1
    }
    let scale = 1 / (((a + b) + (c + d)) * inverse + epsilon).squareRoot()
    r = 0
    while r < rows {
        z[r] *= scale
        r &+= 1
    }
    return scale
}

/// The same of one vector, sixteen units a SIMD vector: replaces z, `units` numbers padded with zeros to `vectors`
/// vectors, by gain·ẑ + bias, padded with zeros as gain and bias are. `last` is 1 in the lanes of the last vector that
/// are units and 0 in its padding, which must not enter the variance.
@inline(__always)
func normalize(
    _ z: Panel, vectors: Int, units: Int, last: Lanes, epsilon: Float, gain: UnsafePointer<Lanes>,
    bias: UnsafePointer<Lanes>
) {
    let inverse = 1 / Float(units)
    var sum = Lanes.zero
    var v = 0
    while v < vectors {
        sum += z[v]
        v &+= 1
    }
    let mean = sum.laneSum * inverse
    var squares = Lanes.zero
    v = 0
    while v < vectors {
        let d = v == vectors &- 1 ? (z[v] - mean) * last : z[v] - mean
        z[v] = d
        squares = squares.mad(d, d)
        v &+= 1
    }
    let scale = 1 / (squares.laneSum * inverse + epsilon).squareRoot()
    v = 0
    while v < vectors {
        z[v] = bias[v].mad(gain[v], z[v] * scale)
        v &+= 1
    }
}

/// y = gain·ẑ + bias of maps that have a gain and a bias each.
func scaleChannels(
    _ z: Panel, channels: Int, area: Int, gain: UnsafePointer<Float>, bias: UnsafePointer<Float>, into y: Panel
) {
    var r = 0
    for c in 0..<channels {
        let (gain, bias, end) = (gain[c], Lanes(repeating: bias[c]), r &+ area)
        while r < end {
            y[r] = bias.mad(gain, z[r])
            r &+= 1
        }
    }
}

/// The backward pass. In: dz holds ∂L/∂y. Out: dz holds ∂L/∂z, and Σ_t ∂L/∂gain and ∂L/∂bias grew by this step's
/// share, kept a lane each until `LaneGradients.add`. A gain and a bias are those of `area` rows.
@inline(__always)
func normalizeBackward(
    _ dz: Panel, _ normalized: Panel, _ scale: Lanes, rows: Int, area: Int = 1, gain: UnsafePointer<Float>,
    _ gradients: LaneGradients
) {
    let inverse = 1 / Float(rows)
    var sum = Lanes.zero
    var dot = Lanes.zero
    var r = 0
    if area == 1 {
        while r < rows {
            let dy = dz[r]
            let y = normalized[r]
            gradients.gain[r] = gradients.gain[r].mad(dy, y)
            gradients.bias[r] += dy
            let d = dy * gain[r]
            dz[r] = d
            sum += d
            dot = dot.mad(d, y)
            r &+= 1
        }
    } else {
        for c in 0..<rows / area {
            // Of one gain, so that the sums over its map are those over d but for the gain.
            var (products, total) = (Lanes.zero, Lanes.zero)
            let end = r &+ area
            while r < end {
                let dy = dz[r]
                products = products.mad(dy, normalized[r])
                total += dy
                dz[r] = dy * gain[c]
                r &+= 1
            }
            gradients.gain[c] += products
            gradients.bias[c] += total
            sum = sum.mad(gain[c], total)
            dot = dot.mad(gain[c], products)
        }
    }
    let meanGradient = sum * inverse
    let meanDot = dot * inverse
    r = 0
    while r < rows {
        dz[r] = (dz[r] - meanGradient - normalized[r] * meanDot) * scale
        r &+= 1
    }
}

/// Gradients of gain and bias that still hold each sample's share in its lane.
struct LaneGradients {
    var gain: Panel
    var bias: Panel

    func clear(rows: Int) {
        gain.update(repeating: .zero, count: rows)
        bias.update(repeating: .zero, count: rows)
    }

    /// Adds the sum over the samples to the gradients of `rows` gains and biases.
    func add(rows: Int, toGain dGain: UnsafeMutablePointer<Float>, bias dBias: UnsafeMutablePointer<Float>) {
        for r in 0..<rows {
            dGain[r] += gain[r].laneSum
            dBias[r] += bias[r].laneSum
        }
    }
}

/// z becomes z / √(Σ z² / rows + ε); returns what it was multiplied by.
@inline(__always)
func normalizeRootMeanSquare(_ z: Panel, rows: Int, epsilon: Float) -> Lanes {
    var squares = Lanes.zero
    for r in 0..<rows { squares = squares.mad(z[r], z[r]) }
    let scale = 1 / (squares * (1 / Float(rows)) + epsilon).squareRoot()
    for r in 0..<rows { z[r] *= scale }
    return scale
}

/// The backward pass, as `normalizeBackward`: dz = scale·(d - ẑ Σ d·ẑ / rows), d = gain·dy.
@inline(__always)
func normalizeRootMeanSquareBackward(
    _ dz: Panel, _ normalized: Panel, _ scale: Lanes, rows: Int, gain: UnsafePointer<Float>, _ gradients: LaneGradients
) {
    var dot = Lanes.zero
    for r in 0..<rows {
        gradients.gain[r] = gradients.gain[r].mad(dz[r], normalized[r])
        dz[r] *= gain[r]
        dot = dot.mad(dz[r], normalized[r])
    }
    let mean = dot * (1 / Float(rows))
    for r in 0..<rows { dz[r] = (dz[r] - normalized[r] * mean) * scale }
}
