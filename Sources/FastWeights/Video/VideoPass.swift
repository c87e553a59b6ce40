/// A video model over some clips of a batch, forward and backward through all their steps.
///
/// Step t reads frame t and predicts frame t + 1. It reads the true frame while t is below the context, and the predicted one
/// afterwards, but where the batch says that it is true; the gradient goes back through predicted frames. The true state is
/// read at the first step, and the predicted one from then on. The loss is, over the frames behind the context,
///
///     L = Σ_t [mean (x̂_t - x_t)² + 10⁻⁴ · mean (ŝ_t - s_t)²] / (T - context)
final class VideoPass {
    /// What of the loss is the state's.
    static let stateWeight: Float = 1e-4

    private let configuration: VideoConfiguration
    private let plan: VideoPlan
    private let step: VideoStep
    /// The true frames, planar, T of them; and states, [T, S, N].
    private let truth: PlanarMaps
    private let trueStates: PlanarMaps
    /// Of each step and sample, whether it reads the true frame.
    private let isTrue: Buffer<Bool>
    /// Frames T of the clips, and B of their whole batch.
    private var (frames, batch) = (0, 0)
    /// Given ∂L/∂(the frame that a step reads), planar, where that is asked for.
    var onInputGradient: ((_ t: Int, UnsafePointer<Float>) -> Void)?

    /// A pass over `samples` clips of up to `frames` frames; it trains, or runs forward alone.
    init(_ weights: VideoWeights, samples: Int, frames: Int, trains: Bool) {
        let network = weights.network
        configuration = network.configuration
        plan = VideoPlan(samples: samples, steps: trains ? max(frames - 1, 1) : 1, trains: trains)
        step = VideoStep(network, weights, plan)
        let all = VideoPlan(samples: samples, steps: frames, trains: false)
        let c = configuration
        truth = all.maps(c.channels, c.height, c.width)
        trueStates = all.maps(c.states, 1, 1)
        isTrue = Buffer(frames * samples)
    }

    /// Frame t + 1 as it was predicted, planar, until the next step of a pass that does not train.
    func predicted(_ t: Int) -> UnsafePointer<Float> { UnsafePointer(step.next.at(t)) }
    /// State t + 1 as it was predicted, [S, N].
    func predictedState(_ t: Int) -> UnsafePointer<Float> { UnsafePointer(step.nextState.at(t)) }

    // MARK: Forward

    /// Runs the clips `first` and following of a batch, as many as there are samples, and gives their share of the loss.
    /// `sampled` says of steps and clips of the batch, [T - 1, B], which behind the context read the true frame. `onStep` is
    /// told of every step.
    func forward(
        _ clips: VideoBatch, from first: Int, sampled: [Bool] = [], onStep: (_ t: Int) -> Void = { _ in }
    ) -> Double {
        load(clips, first, sampled)
        step.begin()
        var loss = 0.0
        for t in 0..<frames - 1 {
            read(t, clips, first)
            step.forward(t)
            loss += self.loss(t)
            onStep(t)
        }
        return loss
    }

    /// Takes in the true frames and states.
    private func load(_ clips: VideoBatch, _ first: Int, _ sampled: [Bool]) {
        (frames, batch) = (clips.shape.frames, clips.count)
        let (samples, maps) = (plan.samples, configuration.frame)
        clips.frames.withUnsafeBufferPointer { source in
            for t in 0..<frames {
                for n in 0..<samples {
                    for c in 0..<maps.channels {
                        (truth.at(t) + (c * samples + n) * maps.area).update(
                            from: source.baseAddress! + ((t * batch + first + n) * maps.channels + c) * maps.area,
                            count: maps.area)
                    }
                    let isSampled = !sampled.isEmpty && t < frames - 1 && sampled[t * batch + first + n]
                    isTrue.pointer[t * samples + n] = t < configuration.context || isSampled
                    for k in 0..<configuration.states {
                        trueStates.at(t)[k * samples + n] =
                            clips.states[(t * batch + first + n) * configuration.states + k]
                    }
                }
            }
        }
    }

    /// What step t reads.
    private func read(_ t: Int, _ clips: VideoBatch, _ first: Int) {
        let (samples, c) = (plan.samples, configuration)
        let (x, command) = (step.input.at(t), step.command.at(t))
        forEachPlane { plane, n in
            let source = isTrue.pointer[t * samples + n] ? truth.at(t) : step.next.at(t - 1)
            (x + plane).update(from: source + plane, count: c.frame.area)
        }
        for n in 0..<samples {
            for k in 0..<c.actions { command[k * samples + n] = clips.actions[(t * batch + first + n) * c.actions + k] }
        }
        (command + c.actions * samples).update(
            from: t == 0 ? trueStates.at(0) : step.nextState.at(t - 1), count: c.states * samples)
    }

    /// Calls `body` with where each map of a frame begins, and its sample.
    private func forEachPlane(_ body: (_ plane: Int, _ sample: Int) -> Void) {
        for c in 0..<configuration.channels {
            for n in 0..<plan.samples { body((c * plan.samples + n) * configuration.frame.area, n) }
        }
    }

    // MARK: Loss

    /// What the squared errors of frames and states enter the loss with.
    private var factors: (frame: Double, state: Double) {
        let share = 1 / Double(max(frames - firstLearned, 1) * batch)
        return (
            share / Double(configuration.frame.count),
            share * Double(Self.stateWeight) / Double(max(configuration.states, 1))
        )
    }

    /// The first frame that is learned: that behind the context, or of one network over patches the second.
    private var firstLearned: Int {
        configuration.head == .convlstm && configuration.patches.form == .one ? 1 : configuration.context
    }
    private var isCrossEntropy: Bool {
        configuration.head == .convlstm && configuration.patches.loss == .crossEntropy
    }

    /// Whether frame t + 1 is learned.
    private func counts(_ t: Int) -> Bool { t + 1 >= firstLearned }

    private func loss(_ t: Int) -> Double {
        guard counts(t) else { return 0 }
        let (factors, x, y) = (factors, step.next.at(t), truth.at(t + 1))
        guard !isCrossEntropy else { return factors.frame * crossEntropy(x, y, count: step.next.count) }
        return factors.frame * squaredDistance(x, y, count: step.next.count) + factors.state
            * squaredDistance(step.nextState.at(t), trueStates.at(t + 1), count: step.nextState.count)
    }

    // MARK: Backward

    /// Adds the gradients of the loss of the last `forward` to a block.
    func backward(_ gradients: UnsafeMutablePointer<Float>) {
        let (c, samples, factors) = (configuration, plan.samples, factors)
        step.beginBackward()
        for t in stride(from: frames - 2, through: 0, by: -1) {
            let (dNext, dState) = (step.next.gradient, step.nextState.gradient)
            let scale: (frame: Float, state: Float) =
                counts(t) ? (Float(2 * factors.frame), Float(2 * factors.state)) : (0, 0)
            let (x, y) = (step.next.at(t), truth.at(t + 1))
            if isCrossEntropy {
                setDifference(x, y, scale.frame / 2, into: dNext, count: step.next.count)
                for k in 0..<step.next.count { dNext[k] /= SigmoidSlope.of(x[k]) }
            } else {
                setDifference(x, y, scale.frame, into: dNext, count: step.next.count)
            }
            setDifference(
                step.nextState.at(t), trueStates.at(t + 1), scale.state, into: dState, count: step.nextState.count)
            if t + 1 < frames - 1 {
                // What the step behind has read of this one.
                forEachPlane { plane, n in
                    guard !isTrue.pointer[(t + 1) * samples + n] else { return }
                    add(step.input.gradient + plane, to: dNext + plane, count: c.frame.area)
                }
                add(step.command.gradient + c.actions * samples, to: dState, count: c.states * samples)
            }
            step.backward(t, gradients)
            onInputGradient?(t, step.input.gradient)
        }
        step.finishBackward(gradients)
    }
}

/// Σ (x - y)² of `count` numbers.
private func squaredDistance(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, count: Int) -> Double {
    var total = 0.0
    for first in stride(from: 0, to: count, by: 4096) {
        let (x, y) = (x + first, y + first)
        var sum = Lanes.zero
        forEachVector(min(4096, count - first)) { k, n in
            let isWhole = n == Lanes.width
            let d =
                (isWhole ? Lanes(at: x + k) : Lanes(first: n, at: x + k))
                - (isWhole ? Lanes(at: y + k) : Lanes(first: n, at: y + k))
            sum = sum.mad(d, d)
        }
        total += Double(sum.laneSum)
    }
    return total
}

/// Σ -y·log x - (1 - y)·log(1 - x) of `count` numbers.
private func crossEntropy(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, count: Int) -> Double {
    var total = 0.0
    for k in 0..<count {
        let (p, target) = (max(Double(x[k]), 1e-30), Double(y[k]))
        total -= target * naturalLogarithm(p) + (1 - target) * naturalLogarithm(max(1 - p, 1e-8))
    }
    return total
}

/// z = factor·(x - y).
private func setDifference(
    _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ factor: Float, into z: UnsafeMutablePointer<Float>,
    count: Int
) {
    for k in 0..<count { z[k] = factor * (x[k] - y[k]) }
}
