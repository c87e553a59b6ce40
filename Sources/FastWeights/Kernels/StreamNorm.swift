/// z = gain·ẑ + bias of one vector of units, eight a SIMD vector: layer normalization as `LayerNorm` does it for
/// panels of samples.
///
/// The `vectors` vectors of z, gain and bias are `stride` apart and padded with zeros, so that padding stays zero.
/// `last` is 1 in the lanes of the last vector that are units, 0 in its padding, which must not enter the variance.
/// Two passes, so a large mean costs no accuracy.
@inline(__always)
func normalizeUnits(
    _ z: UnsafeMutablePointer<Octet>, vectors: Int, stride: Int, units: Int, last: Octet, epsilon: Float,
    gain: UnsafePointer<Octet>, bias: UnsafePointer<Octet>
) {
    let inverse = 1 / Float(units)
    let end = vectors &* stride
    var sum = Octet.zero
    var v = 0
    while v < end {
        sum += z[v]
        v &+= stride
    }
    let mean = Octet(repeating: sum.laneSum * inverse)
    var squares = Octet.zero
    v = 0
    while v < end &- stride {
        let d = z[v] - mean
        z[v] = d
        squares = squares.mad(d, d)
        v &+= stride
    }
    let d = (z[v] - mean) * last
    z[v] = d
    squares = squares.mad(d, d)
    let scale = 1 / (squares.laneSum * inverse + epsilon).squareRoot()
    v = 0
    while v < end {
        z[v] = bias[v].mad(gain[v], z[v] * scale)
        v &+= stride
    }
}
