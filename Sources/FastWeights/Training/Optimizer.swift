/// A rule that turns a gradient into a step, with the equations and defaults of PyTorch's optimizer of that name.
/// g is the gradient, p the parameter, t the number of the step, from 1.
public enum OptimizerRule: Sendable, Equatable {
    /// m = β₁m + (1-β₁)g, v = β₂v + (1-β₂)g², p -= lr · m/(1-β₁ᵗ) / (√(v/(1-β₂ᵗ)) + ε)   (Kingma and Ba 2014)
    case adam(beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8)
    /// m = µm + g, p -= lr · m
    case sgd(momentum: Float = 0)
    /// v = αv + (1-α)g², m = µm + g / (√v + ε), p -= lr · m
    case rmsProp(alpha: Float = 0.99, epsilon: Float = 1e-8, momentum: Float = 0)
}

/// An optimizer: a rule, its moments in the layout of the parameters, and the steps taken.
final class Optimizer {
    let rule: OptimizerRule
    private(set) var steps = 0
    private let first: Buffer<Float>
    private let second: Buffer<Float>

    init(_ rule: OptimizerRule, layout: ParameterLayout) {
        self.rule = rule
        first = Buffer(layout.blockCount)
        second = Buffer(layout.blockCount)
    }

    /// One step along `gradients` with the learning rate `rate`. O(parameters); no allocation.
    func step(_ parameters: Parameters, _ gradients: Parameters, rate: Float) {
        steps += 1
        let (p, g, m, v) = (parameters.pointer, gradients.pointer, first.pointer, second.pointer)
        let count = parameters.layout.blockCount
        // Blocks are whole vectors: every window begins at a multiple of sixteen.
        switch rule {
        case .adam(let beta1, let beta2, let epsilon):
            let size = Float(Double(rate) / (1 - power(Double(beta1), steps)))
            let correction = Float((1 - power(Double(beta2), steps)).squareRoot())
            for i in stride(from: 0, to: count, by: Lanes.width) {
                let d = Lanes(at: g + i)
                let mean = (Lanes(at: m + i) * beta1).mad(1 - beta1, d).withoutSubnormals
                let square = (Lanes(at: v + i) * beta2).mad(d * (1 - beta2), d).withoutSubnormals
                mean.store(at: m + i)
                square.store(at: v + i)
                let denominator = square.squareRoot() / correction + epsilon
                (Lanes(at: p + i) - mean * size / denominator).store(at: p + i)
            }
        case .sgd(let momentum):
            for i in stride(from: 0, to: count, by: Lanes.width) {
                let velocity = Lanes(at: g + i).mad(momentum, Lanes(at: m + i)).withoutSubnormals
                velocity.store(at: m + i)
                (Lanes(at: p + i) - velocity * rate).store(at: p + i)
            }
        case .rmsProp(let alpha, let epsilon, let momentum):
            for i in stride(from: 0, to: count, by: Lanes.width) {
                let d = Lanes(at: g + i)
                let square = (Lanes(at: v + i) * alpha).mad(d * (1 - alpha), d).withoutSubnormals
                square.store(at: v + i)
                let velocity = (d / (square.squareRoot() + epsilon)).mad(momentum, Lanes(at: m + i)).withoutSubnormals
                velocity.store(at: m + i)
                (Lanes(at: p + i) - velocity * rate).store(at: p + i)
            }
        }
    }
}

extension SIMD16 where Scalar == Float {
    /// Numbers below 2⁻¹²⁰ made zero. A moment whose gradient stays zero shrinks into the subnormal range and, rounded,
    /// stays there for good, where arithmetic is a hundred times slower.
    @inline(__always) fileprivate var withoutSubnormals: Lanes {
        let magnitude = replacing(with: 0 - self, where: self .< 0)
        return replacing(with: 0, where: magnitude .< 0x1p-120)
    }
}

/// Scales the gradients so that their Euclidean norm is at most `limit`, by limit / (norm + 10⁻⁶) as PyTorch's
/// `clip_grad_norm_` does, and returns the norm before.
@discardableResult
func clipNorm(_ gradients: Buffer<Float>, to limit: Float?) -> Float {
    let g = gradients.pointer
    var sum = Lanes.zero
    var total = 0.0
    var i = 0
    while i + Lanes.width <= gradients.count {
        let v = Lanes(at: g + i)
        sum = sum.mad(v, v)
        i += Lanes.width
        // Short runs in single precision, their sum in double.
        if i % 1024 == 0 {
            total += Double(sum.laneSum)
            sum = .zero
        }
    }
    total += Double(sum.laneSum)
    while i < gradients.count {
        total += Double(g[i]) * Double(g[i])
        i += 1
    }
    let norm = Float(total.squareRoot())
    guard let limit, norm + 1e-6 > limit else { return norm }
    let scale = limit / (norm + 1e-6)
    for i in 0..<gradients.count { g[i] *= scale }
    return norm
}
