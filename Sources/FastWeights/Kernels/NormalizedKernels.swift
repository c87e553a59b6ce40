// What a network gives becomes kernels whose numbers are positive and sum to 1 (Finn, Goodfellow, Levine 2016):
//
//     a = max(z - ε, 0) + ε,   w = a / Σ a,   ε = 10⁻¹²
//
// A kernel a lane, a number of it a row: sixteen kernels of a frame side by side, or those of sixteen pixels.

/// What of a kernel's number is least.
private let leastWeight: Float = 1e-12

/// Makes w of z, `taps` rows, and returns 1 / Σ a for the way back.
@inline(__always)
func normalizeKernels(_ z: Panel, taps: Int, into w: Panel) -> Lanes {
    let least = Lanes(repeating: leastWeight)
    var sum = Lanes.zero
    var t = 0
    while t < taps {
        let a = (z[t] - least).rectified + least
        w[t] = a
        sum += a
        t &+= 1
    }
    let scale = 1 / sum
    t = 0
    while t < taps {
        w[t] *= scale
        t &+= 1
    }
    return scale
}

/// The way back. In: dw holds ∂L/∂w. Out: dw holds ∂L/∂z = (∂L/∂w - Σ ∂L/∂w·w) / Σ a where z > ε, and 0 elsewhere: a kernel
/// of which no z is learns nothing.
@inline(__always)
func normalizeKernelsBackward(_ dw: Panel, _ z: Panel, _ w: Panel, _ scale: Lanes, taps: Int) {
    var dot = Lanes.zero
    var t = 0
    while t < taps {
        dot = dot.mad(dw[t], w[t])
        t &+= 1
    }
    let least = Lanes(repeating: leastWeight)
    t = 0
    while t < taps {
        let dz = (dw[t] - dot) * scale
        dw[t] = dz.replacing(with: 0, where: z[t] .<= least)
        t &+= 1
    }
}
