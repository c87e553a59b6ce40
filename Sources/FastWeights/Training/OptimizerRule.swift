/// A rule that turns a gradient into a step, with the equations and defaults of PyTorch's optimizer of that name.
/// g is the gradient, p the parameter, t the number of the step, from 1.
public enum OptimizerRule: Sendable, Equatable {
    /// m = β₁m + (1-β₁)g, v = β₂v + (1-β₂)g², p -= lr · m/(1-β₁ᵗ) / (√(v/(1-β₂ᵗ)) + ε)   (Kingma and Ba 2014)
    /// With a decay δ, before p -= lr · δ · p   (AdamW: Loshchilov and Hutter 2017)
    /// AMSGrad has the largest v so far in the place of v   (Reddi, Kale and Kumar 2018)
    case adam(
        beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8, weightDecay: Double = 0,
        isAMSGrad: Bool = false)
    /// g += λp with λ `l2`, PyTorch's `weight_decay`; m = µm + (1-τ)g with τ the dampening, but m = g in the first step;
    /// p -= lr · m, of Nesterov's momentum p -= lr · (g + µm)   (Sutskever, Martens, Dahl and Hinton 2013)
    case sgd(momentum: Float = 0, dampening: Float = 0, isNesterov: Bool = false, l2: Float = 0)
    /// g += λp, v = αv + (1-α)g², m = µm + g / (√v + ε), p -= lr · m   (Tieleman and Hinton 2012)
    /// Centered: ḡ = αḡ + (1-α)g, and v - ḡ² in the place of v under the root   (Graves 2013)
    case rmsProp(
        alpha: Float = 0.99, epsilon: Float = 1e-8, momentum: Float = 0, isCentered: Bool = false, l2: Float = 0)

    /// What makes the rule impossible; nil of a possible one.
    var problem: String? {
        func shares(_ values: Float...) -> Bool { values.allSatisfy { (0..<1).contains($0) } }
        func numbers(_ values: Float...) -> Bool { values.allSatisfy { $0 >= 0 && $0.isFinite } }
        let isPossible: Bool
        switch self {
        case .adam(let beta1, let beta2, let epsilon, let decay, _):
            isPossible = shares(beta1, beta2) && numbers(epsilon, Float(decay))
        case .sgd(let momentum, let dampening, let isNesterov, let l2):
            isPossible = numbers(momentum, l2) && (0...1).contains(dampening)
            if isPossible && isNesterov && !(momentum > 0 && dampening == 0) {
                return "Nesterov's momentum is above 0, and without dampening; found \(self)"
            }
        case .rmsProp(let alpha, let epsilon, let momentum, _, let l2):
            isPossible = shares(alpha) && numbers(epsilon, momentum, l2)
        }
        return isPossible
            ? nil
            : "β and α are from 0 to below 1, dampening to 1, ε, decay, l2 and momentum finite and at least 0; found \(self)"
    }

    /// δ of Adam, 0 of the others.
    public var weightDecay: Double {
        if case .adam(_, _, _, let decay, _) = self { decay } else { 0 }
    }

    /// The moments that the rule carries from step to step.
    var moments: [Moments.Name] {
        switch self {
        case .adam(_, _, _, _, let isAMSGrad): [.first, .second] + (isAMSGrad ? [.largest] : [])
        case .sgd(let momentum, _, _, _): momentum > 0 ? [.first] : []
        case .rmsProp(_, _, let momentum, let isCentered, _):
            (momentum > 0 ? [.first] : []) + [.second] + (isCentered ? [.mean] : [])
        }
    }
}

extension OptimizerRule: CustomStringConvertible {
    /// The rule as it is written in Swift, without the options that do nothing.
    public var description: String {
        func options(_ values: (name: String, isSet: Bool, value: String)...) -> String {
            values.filter { $0.isSet }.map { ", \($0.name): \($0.value)" }.joined()
        }
        switch self {
        case .adam(let beta1, let beta2, let epsilon, let decay, let isAMSGrad):
            return "adam(beta1: \(beta1), beta2: \(beta2), epsilon: \(epsilon), weightDecay: \(decay)"
                + options(("isAMSGrad", isAMSGrad, "true")) + ")"
        case .sgd(let momentum, let dampening, let isNesterov, let l2):
            return "sgd(momentum: \(momentum)"
                + options(
                    ("dampening", dampening != 0, "\(dampening)"), ("isNesterov", isNesterov, "true"),
                    ("l2", l2 != 0, "\(l2)")) + ")"
        case .rmsProp(let alpha, let epsilon, let momentum, let isCentered, let l2):
            return "rmsProp(alpha: \(alpha), epsilon: \(epsilon), momentum: \(momentum)"
                + options(("isCentered", isCentered, "true"), ("l2", l2 != 0, "\(l2)")) + ")"
        }
    }
}
