/// An optimizer: a rule, its moments in the layout of the parameters, and the steps taken.
///
///     let optimizer = Optimizer(.adam(), network.parameters, pass.gradients)
///     optimizer.step(rate: 1e-3, clip: 1)
///
/// The same gradients and rates give the same bits as in a `Trainer`, whose optimizer it is. It is not for two threads at
/// once.
public final class Optimizer {
    /// The rule of its steps.
    public let rule: OptimizerRule
    /// Steps taken, on which the corrections of Adam's moments and the first step of a dampened momentum depend. It is to
    /// be set where a training goes on, as the moments are.
    public var steps = 0 {
        didSet { require(steps >= 0, "an optimizer has taken 0 or more steps, found \(steps)") }
    }
    private let moments: Moments
    private let settings = Settings()
    private let pieces: Pieces
    private let squares: Buffer<Double>
    private let team: ThreadTeam
    private let begin: Job
    private let update: Job

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

    /// An optimizer that moves `parameters` along `gradients`, as both are at each step. Traps on blocks of different
    /// layouts, and on a rule that cannot be.
    public convenience init(_ rule: OptimizerRule, _ parameters: Parameters, _ gradients: Parameters) {
        self.init(rule, parameters, gradients, team: .alone)
    }

    /// An optimizer whose steps a team takes, in pieces of a fixed size, with the same bits for any number of threads.
    init(_ rule: OptimizerRule, _ parameters: Parameters, _ gradients: Parameters, team: ThreadTeam) {
        if let problem = rule.problem { misuse(problem) }
        require(
            parameters.layout == gradients.layout,
            "gradients have the layout of the parameters, \(parameters.layout.text); found \(gradients.layout.text)")
        let moments = Moments(rule, parameters.layout)
        let pieces = Pieces(of: parameters.layout.blockCount)
        let squares = Buffer<Double>(pieces.count)
        let settings = settings
        (self.rule, self.moments, self.pieces, self.squares, self.team) = (rule, moments, pieces, squares, team)
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

    /// The moments that the rule carries from step to step, each in the layout of the parameters and under a name of its
    /// own: what a training that goes on needs beside the parameters and `steps`. None of SGD without momentum.
    public var state: [(name: String, values: Parameters)] { moments.blocks }

    /// One step with the learning rate `rate` and the gradients clipped to the global norm `clip`, where there is one.
    /// The gradients themselves stay as they are. Traps on a rate or a norm that cannot be. O(parameters); no allocation.
    ///
    /// The decay comes first, in the pass of the norm. Every other core has read the parameters, and the first store to
    /// a line then takes a way from core to core: two stores a line, one line after another, wait for many of these at
    /// once, where among the many loads and stores of the update they would wait for few.
    public func step(rate: Float, clip: Float? = nil) {
        require(rate >= 0 && rate.isFinite, "a learning rate is a finite number of at least 0, found \(rate)")
        require(
            clip.map { $0 > 0 } ?? true,
            "gradients are clipped to a norm above 0, or with nil not at all; found \(clip ?? 0)")
        steps += 1
        (settings.rate, settings.steps, settings.clips) = (rate, steps, clip != nil)
        settings.kept = Float(1 - Double(rate) * rule.weightDecay)
        team.perform(begin, pieces: pieces.count)
        settings.scale = 1
        if let clip {
            var sum = 0.0
            for piece in 0..<pieces.count { sum += squares.pointer[piece] }
            settings.scale = clipFactor(norm: Float(sum.squareRoot()), limit: clip)
        }
        team.perform(update, pieces: pieces.count)
    }
}

/// The moments of a rule, and its step over a range of them.
final class Moments {
    /// What the moments are called in a checkpoint.
    enum Name: String {
        /// The mean of the gradients, or the velocity of a momentum.
        case first = "first_moment"
        /// The mean of their squares.
        case second = "second_moment"
        /// The largest mean of squares so far, of AMSGrad.
        case largest = "largest_second_moment"
        /// The mean of the gradients beside that of their squares, of centered RMSProp.
        case mean = "mean_gradient"
    }

    /// Those that the rule has.
    let blocks: [(name: String, values: Parameters)]
    private let rule: OptimizerRule
    private let first, second, largest, mean: UnsafeMutablePointer<Float>?

    fileprivate init(_ rule: OptimizerRule, _ layout: Parameters.Layout) {
        let blocks = rule.moments.map { (name: $0.rawValue, values: Parameters(layout)) }
        func pointer(_ name: Name) -> UnsafeMutablePointer<Float>? {
            blocks.first { $0.name == name.rawValue }?.values.pointer
        }
        (self.rule, self.blocks) = (rule, blocks)
        (first, second, largest, mean) = (pointer(.first), pointer(.second), pointer(.largest), pointer(.mean))
    }

    /// The update, the decay aside, of step number `steps` for the numbers in `range`, whole vectors: every window begins at a multiple of sixteen.
    fileprivate func update(
        _ parameters: Buffer<Float>, _ gradients: Buffer<Float>, _ range: Range<Int>, scale: Float, rate: Float,
        steps: Int
    ) {
        let (p, g) = (parameters.pointer, gradients.pointer)
        var i = range.lowerBound
        let end = range.upperBound
        switch rule {
        case .adam(let beta1, let beta2, let epsilon, _, _):
            let (m, v) = (first!, second!)
            let size = Float(Double(rate) / (1 - power(Double(beta1), steps)))
            let correction = Float((1 - power(Double(beta2), steps)).squareRoot())
            while i < end {
                let d = Lanes(at: g + i) * scale
                let mean = (Lanes(at: m + i) * beta1).mad(1 - beta1, d).withoutSubnormals
                var square = (Lanes(at: v + i) * beta2).mad(d * (1 - beta2), d).withoutSubnormals
                mean.store(at: m + i)
                square.store(at: v + i)
                if let largest {
                    square = Lanes(at: largest + i).lanewiseMax(square)
                    square.store(at: largest + i)
                }
                let denominator = square.squareRoot() / correction + epsilon
                (Lanes(at: p + i) - mean * size / denominator).store(at: p + i)
                i &+= Lanes.width
            }
        case .sgd(let momentum, let dampening, let isNesterov, let l2):
            let share = steps > 1 ? 1 - dampening : 1
            while i < end {
                var d = Lanes(at: g + i) * scale
                if l2 > 0 { d = d.mad(l2, Lanes(at: p + i)) }
                var velocity = d.withoutSubnormals
                if let first {
                    velocity = (d * share).mad(momentum, Lanes(at: first + i)).withoutSubnormals
                    velocity.store(at: first + i)
                    if isNesterov { velocity = d.mad(momentum, velocity) }
                }
                (Lanes(at: p + i) - velocity * rate).store(at: p + i)
                i &+= Lanes.width
            }
        case .rmsProp(let alpha, let epsilon, let momentum, _, let l2):
            let v = second!
            while i < end {
                var d = Lanes(at: g + i) * scale
                if l2 > 0 { d = d.mad(l2, Lanes(at: p + i)) }
                var square = (Lanes(at: v + i) * alpha).mad(d * (1 - alpha), d).withoutSubnormals
                square.store(at: v + i)
                if let mean {
                    let center = (Lanes(at: mean + i) * alpha).mad(1 - alpha, d).withoutSubnormals
                    center.store(at: mean + i)
                    // What rounding leaves below zero would have no root.
                    square = square.mad(0 - center, center).rectified
                }
                let way = d / (square.squareRoot() + epsilon)
                var velocity = way.withoutSubnormals
                if let first {
                    velocity = way.mad(momentum, Lanes(at: first + i)).withoutSubnormals
                    velocity.store(at: first + i)
                }
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
