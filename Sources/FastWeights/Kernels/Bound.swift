// bound(z) = z / max(1, |z|) of complex numbers: real parts in one row, imaginary parts in another.

/// What z is multiplied by: 1/|z| where |z| is above 1, which then is below 1, and 1 elsewhere.
///
/// |z| is the larger part's modulus times a root from 1 to √2, so that no square overflows.
@_transparent
func boundScale(_ real: Lanes, _ imaginary: Lanes) -> Lanes {
    let largest = real.lanewiseMax(-real).lanewiseMax(imaginary.lanewiseMax(-imaginary)).lanewiseMax(
        Lanes(repeating: 1))
    let (a, b) = (real / largest, imaginary / largest)
    let modulus = largest * (a * a).mad(b, b).squareRoot()
    return (1 / modulus).replacing(with: 1, where: modulus .<= 1)
}

/// z becomes bound(z): `count` rows of real parts and as many of imaginary ones; `scales` has a row a number.
@inline(never)
func applyBound(_ z: Panel, count: Int, scales: Panel) {
    let imaginary = z + count
    var k = 0
    while k < count {
        let scale = boundScale(z[k], imaginary[k])
        scales[k] = scale
        z[k] *= scale
        imaginary[k] *= scale
        k &+= 1
    }
}

/// ∂L/∂z from dy = ∂L/∂y of y = bound(z), laid out as there; dz may be y or dy.
///
/// Where |z| ≤ 1 it is dy, elsewhere (dy - y (y·dy)) / |z| with y·dy the sum over both parts. At |z| = 1 that is the
/// derivative of PyTorch's `z / z.abs().clamp(min=1)`, which takes the side of z.
@inline(never)
func applyBoundBackward(_ dy: Panel, _ y: Panel, count: Int, scales: Panel, into dz: Panel) {
    var k = 0
    while k < count {
        let (a, b) = (y[k], y[count &+ k])
        let (da, db) = (dy[k], dy[count &+ k])
        let scale = scales[k]
        let along = (scale * (a * da).mad(b, db)).replacing(with: 0, where: scale .== 1)
        dz[k] = scale * da - along * a
        dz[count &+ k] = scale * db - along * b
        k &+= 1
    }
}
