/// The function that makes a hidden state of a pre-activation.
public enum Activation: String, Sendable, CaseIterable {
    /// max(0, z).
    case relu
    /// tanh z.
    case tanh
    /// σ(z) = 1 / (1 + e⁻ᶻ).
    case sigmoid

    @inline(__always) func callAsFunction(_ z: Lanes) -> Lanes {
        switch self {
        case .relu: z.rectified
        case .tanh: z.hyperbolicTangent()
        case .sigmoid: z.gate()
        }
    }

    /// y = f(z), row by row; y may be z.
    func apply(_ z: Panel, into y: Panel, count: Int) {
        switch self {
        case .relu: applyReLU(z, into: y, count: count)
        case .tanh: applyTanh(z, into: y, count: count)
        case .sigmoid:
            if y != z { y.update(from: z, count: count) }
            applyGate(y, count: count)
        }
    }

    /// dy becomes dy·f′, from the function's result y, row by row.
    func applyBackward(_ dy: Panel, _ y: Panel, count: Int) {
        switch self {
        case .relu: for r in 0..<count { dy[r] = Lanes.zero.replacing(with: dy[r], where: y[r] .> 0) }
        case .tanh: for r in 0..<count { dy[r] *= 1 - y[r] * y[r] }
        case .sigmoid: for r in 0..<count { dy[r] *= y[r] * (1 - y[r]) }
        }
    }

    /// y = f(z) of eight units a vector; y may be z. Padded with zeros they stay zero but for the sigmoid's.
    @inline(__always)
    func apply(_ z: UnsafePointer<Octet>, into y: UnsafeMutablePointer<Octet>, vectors: Int) {
        var u = 0
        switch self {
        case .relu:
            while u < vectors {
                y[u] = z[u].rectified
                u &+= 1
            }
        case .tanh:
            while u < vectors {
                y[u] = z[u].hyperbolicTangent()
                u &+= 1
            }
        case .sigmoid:
            while u < vectors {
                y[u] = z[u].sigmoid()
                u &+= 1
            }
        }
    }
}
