/// How the learning rate changes in the course of a training: a factor on it at every step.
///
///     options.schedule = .cosine.afterWarmUp(of: 500)
///     options.schedule = Schedule("warm-up 500 then cosine")!
///
/// Each is PyTorch's scheduler of the name given there, over as many steps as the training has; s is the step, from 0, and
/// N the number of steps. Behind the last step the factor stays.
public struct Schedule: Sendable, Equatable {
    /// How the factor goes once the warm-up is over.
    enum Course: Equatable {
        case constant
        case linear(to: Double)
        case cosine(to: Double)
        case step(every: Int, by: Double)
        case oneCycle(rise: Double, from: Double, to: Double)
    }

    /// The steps before the course, and the factor of the first of them.
    struct WarmUp: Equatable {
        var steps: Int
        var from: Double
    }

    let course: Course
    let warmUp: WarmUp?

    init(course: Course, warmUp: WarmUp?) { (self.course, self.warmUp) = (course, warmUp) }

    private init(_ course: Course, _ shares: Double..., warmUp: WarmUp? = nil) {
        if let share = shares.first(where: { !(0...1).contains($0) }) {
            misuse("the factors and shares of a schedule are from 0 to 1, found \(share)")
        }
        self.init(course: course, warmUp: warmUp)
    }

    /// The full rate throughout.
    public static let constant = Schedule(.constant)
    /// From the full rate to zero along a line.
    public static let linear = linear(to: 0)
    /// From the full rate to zero along half a cosine.
    public static let cosine = cosine(to: 0)
    /// Up to the full rate and down to nearly nothing, each along half a cosine, with PyTorch's defaults.
    public static let oneCycle = oneCycle()

    /// From the full rate to a share e of it along a line: 1 + (e - 1)·s/N, `LinearLR`.
    public static func linear(to end: Double) -> Schedule { Schedule(.linear(to: end), end) }

    /// From the full rate to a share e of it along half a cosine: e + (1 - e)·(1 + cos(πs/N))/2, `CosineAnnealingLR`
    /// (Loshchilov and Hutter 2016).
    public static func cosine(to end: Double) -> Schedule { Schedule(.cosine(to: end), end) }

    /// Every `steps` steps the factor γ: γ^⌊s/steps⌋, `StepLR`. Traps unless there are at least 1.
    public static func step(every steps: Int, by factor: Double = 0.1) -> Schedule {
        require(steps > 0, "a learning rate falls every 1 or more steps, found \(steps)")
        return Schedule(.step(every: steps, by: factor), factor)
    }

    /// From a share `from` of the full rate up to all of it, for the share `rise` of the steps, and down to a share `to` at
    /// the last step, each along half a cosine: `OneCycleLR` without its cycle of the momentum, with `pct_start` = rise,
    /// `div_factor` = 1/from and `final_div_factor` = from/to (Smith and Topin 2017).
    public static func oneCycle(rise: Double = 0.3, from start: Double = 0.04, to end: Double = 4e-6) -> Schedule {
        Schedule(.oneCycle(rise: rise, from: start, to: end), rise, start, end)
    }

    /// The same schedule over the steps that a warm-up leaves it: in `steps` steps before it the factor rises along a line
    /// from the share `from`, `LinearLR` and the other one behind it in a `SequentialLR`. The last warm-up that is given
    /// holds; a training that is shorter than it never has the full rate. Traps unless it has at least 1 step.
    public func afterWarmUp(of steps: Int, from start: Double = 0) -> Schedule {
        require(steps > 0, "a warm-up has 1 or more steps, found \(steps)")
        return Schedule(course, start, warmUp: WarmUp(steps: steps, from: start))
    }

    /// The factor on the learning rate of step `step`, counted from 0, of so many steps. Traps unless there is at least one.
    public func factor(step: Int, of steps: Int) -> Float {
        require(
            step >= 0 && steps > 0,
            "a schedule has steps from 0 on, of at least 1; found step \(step) of \(steps)")
        return factor(Double(step) / Double(steps), of: Double(steps))
    }

    /// The factor where a share `done` of the training is over, of about so many steps: those that there will be at the
    /// pace so far, where a time ends it.
    func factor(_ done: Double, of steps: Double) -> Float {
        guard let warmUp else { return Float(course.factor(min(done, 1), of: steps)) }
        let (step, length) = ((done * steps).rounded(), Double(warmUp.steps))
        if step < length { return Float(warmUp.from + (1 - warmUp.from) * step / length) }
        let rest = max(steps - length, 1)
        return Float(course.factor(min((step - length) / rest, 1), of: rest))
    }
}

extension Schedule.Course {
    /// The factor where a share `done` of so many steps is over.
    fileprivate func factor(_ done: Double, of steps: Double) -> Double {
        switch self {
        case .constant: return 1
        case .linear(let end): return end + (1 - end) * (1 - done)
        case .cosine(let end): return end + (1 - end) * 0.5 * (1 + cosineOfPi(done))
        case .step(let every, let factor): return power(factor, Int((done * steps).rounded()) / every)
        case .oneCycle(let rise, let start, let end):
            let (step, top) = ((done * steps).rounded(), rise * steps - 1)
            if step <= top && top > 0 { return 1 + (start - 1) * 0.5 * (1 + cosineOfPi(step / top)) }
            let fall = max(steps - 1 - top, .leastNormalMagnitude)
            return end + (1 - end) * 0.5 * (1 + cosineOfPi(min((step - top) / fall, 1)))
        }
    }
}

/// cos(π·x) for x in [0, 1], by its series about the nearest quarter: the same bits on every platform.
private func cosineOfPi(_ x: Double) -> Double {
    if x > 0.5 { return -cosineOfPi(1 - x) }
    let square = (x * Double.pi) * (x * Double.pi)
    var term = 1.0
    var sum = 1.0
    for n in 1...12 {
        term *= -square / Double((2 * n - 1) * (2 * n))
        sum += term
    }
    return sum
}
