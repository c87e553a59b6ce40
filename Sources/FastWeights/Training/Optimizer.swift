/// A rule that turns a gradient into a step, with the equations and defaults of PyTorch's optimizer of that name.
/// g is the gradient, p the parameter, t the number of the step, from 1.
public enum OptimizerRule: Sendable, Equatable {
    /// m = β₁m + (1-β₁)g, v = β₂v + (1-β₂)g², p -= lr · m/(1-β₁ᵗ) / (√(v/(1-β₂ᵗ)) + ε)   (Kingma and Ba 2014)
    /// With a decay δ, after p -= lr · δ · p   (AdamW: Loshchilov and Hutter 2017)
    case adam(beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8, decay: Double = 0)
    /// m = µm + g, p -= lr · m
    case sgd(momentum: Float = 0)
    /// v = αv + (1-α)g², m = µm + g / (√v + ε), p -= lr · m
    case rmsProp(alpha: Float = 0.99, epsilon: Float = 1e-8, momentum: Float = 0)

    /// What makes the rule impossible; nil of a possible one.
    var problem: String? {
        func shares(_ values: Float...) -> Bool { values.allSatisfy { (0..<1).contains($0) } }
        func numbers(_ values: Float...) -> Bool { values.allSatisfy { $0 >= 0 && $0.isFinite } }
        let isPossible =
            switch self {
            case .adam(let beta1, let beta2, let epsilon, let decay):
                shares(beta1, beta2) && numbers(epsilon, Float(decay))
            case .sgd(let momentum): numbers(momentum)
            case .rmsProp(let alpha, let epsilon, let momentum): shares(alpha) && numbers(epsilon, momentum)
            }
        return isPossible
            ? nil : "β and α are from 0 to below 1, ε, decay and momentum finite and at least 0; found \(self)"
    }

    /// δ of Adam, 0 of the others.
    public var decay: Double {
        if case .adam(_, _, _, let decay) = self { decay } else { 0 }
    }
}

/// An optimizer: a rule, its moments in the layout of the parameters, and the steps taken.
///
/// A step runs on a crew in pieces of a fixed size, with the same bits for any number of threads.
final class Optimizer {
    /// The moments, in the layout of the parameters.
    let moments: Moments
    private let rule: OptimizerRule
    private let settings = Settings()
    private let gradients: Parameters
    private let pieces: Pieces
    private let squares: Buffer<Double>
    private let crew: Crew
    private let begin: Job
    private let update: Job
    /// Steps taken.
    var steps = 0

    /// What a step is done with, from its beginning to its end.
    private final class Settings {
        /// The factor on the gradients that clips them.
        var scale: Float = 1
        var rate: Float = 0
        /// Whether the norm of the gradients is wanted.
        var clips = false
        /// What the decay leaves of each parameter.
        var kept: Float = 1
        var steps = 0
    }

    /// An optimizer that moves `parameters` along `gradients`, as both are at each step.
    init(_ rule: OptimizerRule, _ parameters: Parameters, _ gradients: Parameters, crew: Crew) {
        require(parameters.layout == gradients.layout, "parameters and gradients of different layouts")
        let moments = Moments(rule, parameters.layout)
        let pieces = Pieces(of: parameters.layout.blockCount)
        let squares = Buffer<Double>(pieces.count)
        let settings = settings
        (self.rule, self.moments, self.gradients, self.pieces, self.squares, self.crew) =
            (rule, moments, gradients, pieces, squares, crew)
        begin = Job { piece in
            parameters.block.scale(pieces[piece], by: settings.kept)
            if settings.clips { squares.pointer[piece] = sumOfSquares(gradients.block, pieces[piece]) }
        }
        update = Job { piece in
            moments.update(
                parameters.block, gradients.block, pieces[piece], scale: settings.scale, rate: settings.rate,
                steps: settings.steps)
        }
    }

    /// One step with the learning rate `rate` and the gradients clipped to the global norm `clip`, where there is one.
    /// The gradients themselves stay as they are. O(parameters); no allocation.
    ///
    /// The decay comes first, in the pass of the norm. Every other core has read the parameters, and the first store to
    /// a line then takes a way from core to core: two stores a line, one line after another, wait for many of these at
    /// once, where among the many loads and stores of the update they would wait for few.
    func step(rate: Float, clip: Float? = nil) {
        steps += 1
        (settings.rate, settings.steps, settings.clips) = (rate, steps, clip != nil)
        settings.kept = Float(1 - Double(rate) * rule.decay)
        crew.perform(begin, pieces: pieces.count)
        settings.scale = 1
        if let clip {
            var sum = 0.0
            for piece in 0..<pieces.count { sum += squares.pointer[piece] }
            settings.scale = clipFactor(norm: Float(sum.squareRoot()), limit: clip)
        }
        crew.perform(update, pieces: pieces.count)
    }
}

/// The moments of a rule, and its step over a range of them.
final class Moments {
    private let rule: OptimizerRule
    let first: Parameters
    let second: Parameters

    fileprivate init(_ rule: OptimizerRule, _ layout: ParameterLayout) {
        self.rule = rule
        first = Parameters(layout)
        second = Parameters(layout)
    }

    /// The update, the decay aside, of step number `steps` for the numbers in `range`, whole vectors: every window begins at a multiple of sixteen.
    fileprivate func update(
        _ parameters: Buffer<Float>, _ gradients: Buffer<Float>, _ range: Range<Int>, scale: Float, rate: Float,
        steps: Int
    ) {
        let (p, g, m, v) = (parameters.pointer, gradients.pointer, first.pointer, second.pointer)
        var i = range.lowerBound
        let end = range.upperBound
        switch rule {
        case .adam(let beta1, let beta2, let epsilon, _):
            let size = Float(Double(rate) / (1 - power(Double(beta1), steps)))
            let correction = Float((1 - power(Double(beta2), steps)).squareRoot())
            while i < end {
                let d = Lanes(at: g + i) * scale
                let mean = (Lanes(at: m + i) * beta1).mad(1 - beta1, d).withoutSubnormals
                let square = (Lanes(at: v + i) * beta2).mad(d * (1 - beta2), d).withoutSubnormals
                mean.store(at: m + i)
                square.store(at: v + i)
                let denominator = square.squareRoot() / correction + epsilon
                (Lanes(at: p + i) - mean * size / denominator).store(at: p + i)
                i &+= Lanes.width
            }
        case .sgd(let momentum):
            while i < end {
                let velocity = (Lanes(at: g + i) * scale).mad(momentum, Lanes(at: m + i)).withoutSubnormals
                velocity.store(at: m + i)
                (Lanes(at: p + i) - velocity * rate).store(at: p + i)
                i &+= Lanes.width
            }
        case .rmsProp(let alpha, let epsilon, let momentum):
            while i < end {
                let d = Lanes(at: g + i) * scale
                let square = (Lanes(at: v + i) * alpha).mad(d * (1 - alpha), d).withoutSubnormals
                square.store(at: v + i)
                let velocity = (d / (square.squareRoot() + epsilon)).mad(momentum, Lanes(at: m + i)).withoutSubnormals
                velocity.store(at: m + i)
                (Lanes(at: p + i) - velocity * rate).store(at: p + i)
                i &+= Lanes.width
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

/// Σ g² over a range: runs of 1024 in single precision, their sum in double.
func sumOfSquares(_ gradients: Buffer<Float>, _ range: Range<Int>) -> Double {
    let g = gradients.pointer
    var total = 0.0
    var i = range.lowerBound
    while i < range.upperBound {
        let end = min(i + 1024, range.upperBound)
        var sum = Lanes.zero
        while i + Lanes.width <= end {
            let v = Lanes(at: g + i)
            sum = sum.mad(v, v)
            i += Lanes.width
        }
        total += Double(sum.laneSum)
        while i < end {
            total += Double(g[i]) * Double(g[i])
            i += 1
        }
    }
    return total
}

/// The factor that brings a Euclidean norm to `limit`: limit / (norm + 10⁻⁶) as PyTorch's `clip_grad_norm_` has it, and
/// 1 where the norm is below.
func clipFactor(norm: Float, limit: Float) -> Float {
    norm + 1e-6 > limit ? limit / (norm + 1e-6) : 1
}
