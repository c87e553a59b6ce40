/// The function that makes a hidden state of a pre-activation.
public enum Activation: String, Sendable, CaseIterable {
    /// max(0, z).
    case relu
    /// tanh z.
    case tanh

    @inline(__always) func callAsFunction(_ z: Lanes) -> Lanes {
        self == .relu ? z.rectified : z.hyperbolicTangent()
    }

    /// y = f(z), row by row; y may be z.
    func apply(_ z: Panel, into y: Panel, count: Int) {
        switch self {
        case .relu: applyReLU(z, into: y, count: count)
        case .tanh: applyTanh(z, into: y, count: count)
        }
    }

    /// dy becomes dy·f′, from the function's result y, row by row.
    func applyBackward(_ dy: Panel, _ y: Panel, count: Int) {
        switch self {
        case .relu: for r in 0..<count { dy[r] = Lanes.zero.replacing(with: dy[r], where: y[r] .> 0) }
        case .tanh: for r in 0..<count { dy[r] *= 1 - y[r] * y[r] }
        }
    }
}
