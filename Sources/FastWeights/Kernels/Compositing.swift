// A frame of several images: masks that sum to 1 at each pixel say how much of each is seen there.

/// Masks of a row, softmax over their logits: those of a vector's pixels stand one behind the other, `stride` vectors from one
/// vector's to the next. Logits are planar, a map `step` numbers behind the last.
struct MaskSoftmax: Sendable {
    /// K, masks.
    let masks: Int
    let row: MapRow
    /// Whether max(z, 0) are the logits.
    let isRectified: Bool
    let stride: Int

    @inline(never)
    func forward(_ logits: UnsafePointer<Float>, step: Int, into a: Panel) {
        for j in 0..<row.vectors {
            let values = a + j &* stride
            for k in 0..<masks {
                let z = row.load(logits + k &* step, j)
                values[k] = isRectified ? z.rectified : z
            }
            softmax(values, classes: masks)
        }
    }

    /// Adds ∂L/∂z_k = a_k·(g_k - Σ a·g) to the gradients of the logits, where g = ∂L/∂a; 0 where a logit is rectified.
    @inline(never)
    func backward(
        _ a: UnsafePointer<Lanes>, _ g: UnsafePointer<Lanes>, _ logits: UnsafePointer<Float>, step: Int,
        addingTo gradients: UnsafeMutablePointer<Float>
    ) {
        for j in 0..<row.vectors {
            let (a, g) = (a + j &* stride, g + j &* stride)
            var mean = Lanes.zero
            for k in 0..<masks { mean = mean.mad(a[k], g[k]) }
            for k in 0..<masks {
                var dz = a[k] * (g[k] - mean)
                if isRectified { dz = dz.replacing(with: 0, where: row.load(logits + k &* step, j) .<= Lanes.zero) }
                row.add(dz, to: gradients + k &* step, j)
            }
        }
    }
}

/// An image made from nothing, σ(z), or σ(max(z, 0)), which is at least ½.
struct PaintedPixels: Sendable {
    let isRectified: Bool

    @inline(__always) func value(_ z: Lanes) -> Lanes { (isRectified ? z.rectified : z).sigmoid() }

    /// ∂L/∂z of y = `value(z)`.
    @inline(__always) func gradient(_ z: Lanes, _ y: Lanes, _ dy: Lanes) -> Lanes {
        let dz = dy * y * (1 - y)
        return isRectified ? dz.replacing(with: 0, where: z .<= Lanes.zero) : dz
    }
}
