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
