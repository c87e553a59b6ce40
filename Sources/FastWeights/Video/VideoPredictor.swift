/// Predicts a clip frame by frame.
///
///     let predictor = VideoPredictor(try VideoModel(path: "push.safetensors"))
///     for (frame, action) in zip(seen, actions) { predictor.step(frame, action: action) }
///     let left = predictor.fork(), right = predictor.fork()
///     let futures = (left.lookAhead([[-0.8, 0], [-0.8, 0]]), right.lookAhead([[0.8, 0], [0.8, 0]]))
///
/// Frames are [C, H, W] of numbers from 0 to 1. A step of the paper's sizes is 3.5 billion operations. Not for two threads at
/// once; any number of predictors share a model.
public final class VideoPredictor {
    /// The model; its parameters are those that it had when the predictor was made.
    public let model: VideoModel
    /// Frames read so far, its own included.
    public private(set) var steps = 0
    private let weights: VideoWeights
    private let step: VideoStep

    /// A predictor at the beginning of a clip.
    public convenience init(_ model: VideoModel) {
        self.init(model, VideoWeights(model.network, model.parameters))
        weights.pack()
    }

    private init(_ model: VideoModel, _ weights: VideoWeights) {
        (self.model, self.weights) = (model, weights)
        step = VideoStep(model.network, weights, VideoPlan(samples: 1, steps: 1, trains: false))
        restart()
    }

    /// Begins another clip.
    public func restart() {
        steps = 0
        step.begin()
        step.command.clear()
    }

    /// Reads a frame and the action that leads to the next one, and predicts that. The state at the first frame is zero where
    /// none is given, and later on what was predicted, as in training.
    ///
    /// Traps on a frame, an action or a state of another size; no action stands for zeros.
    @discardableResult
    public func step(_ frame: [Float], action: [Float] = [], state: [Float]? = nil) -> [Float] {
        let c = model.configuration
        require(frame.count, fits: c.frame.sizes, "a frame [C, H, W]")
        require(
            c.head != .convlstm || c.patches.form == .one || steps < c.context,
            "a forecaster reads the \(c.context) frames of its context and then goes on by itself; found another frame")
        step.input.at(steps).update(from: frame, count: frame.count)
        return goOn(action, state)
    }

    /// The same from the frame that was predicted last. Traps before the first one.
    @discardableResult
    public func step(action: [Float] = []) -> [Float] {
        require(steps > 0, "a predictor needs a frame before it can go on from its own")
        step.input.at(steps).update(from: step.next.at(steps - 1), count: step.next.count)
        return goOn(action, nil)
    }

    /// The frames that would follow from these actions, one each, from the frame that was predicted last; the predictor stays
    /// where it is.
    public func lookAhead(_ actions: [[Float]]) -> [[Float]] {
        let future = fork()
        return actions.map { future.step(action: $0) }
    }

    /// The frame that was predicted last, zeros before the first.
    public var prediction: [Float] {
        Array(UnsafeBufferPointer(start: step.next.at(0), count: step.next.count))
    }

    /// The state that was predicted last, zeros before the first.
    public var state: [Float] {
        Array(UnsafeBufferPointer(start: step.nextState.at(0), count: step.nextState.count))
    }

    /// What the frame that was predicted last is made of. Traps before the first one.
    public var sources: FrameSources {
        require(steps > 0, "a predictor needs a frame before there is one that it has made")
        return step.sources(steps - 1)
    }

    /// Another predictor that stands where this one does.
    public func fork() -> VideoPredictor {
        let other = VideoPredictor(model, weights)
        guard steps > 0 else { return other }
        other.steps = steps
        let memory = Buffer<Float>(step.stateCount)
        step.storeState(after: steps - 1, into: memory.pointer)
        other.step.loadState(before: steps, from: memory.pointer)
        for (mine, its) in [(step.next, other.step.next), (step.nextState, other.step.nextState)] {
            its.at(0).update(from: mine.at(0), count: mine.count)
        }
        return other
    }

    private func goOn(_ action: [Float], _ state: [Float]?) -> [Float] {
        let c = model.configuration
        require(
            action.isEmpty || action.count == c.actions,
            "an action of this model has \(c.actions) numbers, found \(action.count)")
        require(
            state.map { $0.count == c.states } ?? true,
            "a state of this model has \(c.states) numbers, found \(state?.count ?? 0)")
        let command = step.command.at(steps)
        for k in 0..<c.actions { command[k] = action.isEmpty ? 0 : action[k] }
        for k in 0..<c.states {
            command[c.actions + k] = state?[k] ?? (steps == 0 ? 0 : step.nextState.at(steps - 1)[k])
        }
        step.forward(steps)
        steps += 1
        return prediction
    }
}
