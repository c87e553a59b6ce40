/// How near predicted frames come to the true ones, step by step, and how near the last frame comes that was given, which is
/// what a figure must be read beside.
struct VideoEvaluation: Sendable, Equatable {
    /// A score of each predicted step, means over the clips.
    private(set) var predicted: [VideoScore]
    /// The same of the last frame given, as the prediction of every step.
    private(set) var copied: [VideoScore]
    /// Σ x² over a frame, the squared error of a black one, means over the clips.
    private(set) var black: [MeanOfFinite]
    /// Which similarity it is.
    let measure: SSIM
    /// Clips that were predicted.
    let clips: Int
    /// Frames that were given of each.
    let context: Int

    /// Of what `forecast` makes of each clip: the `steps` frames, [C, H, W] each, that follow the first `context` ones.
    ///
    /// `forecast` is called on at most `threads` threads, at one time for different clips; the figures do not depend on their
    /// number. Traps unless clips have as many frames, and frames are gray or color of at least the window of `measure`.
    init(
        _ clips: VideoClips, context: Int, steps: Int, _ measure: SSIM = .box, threads: Int,
        forecast: (VideoClip) -> [[Float]]
    ) {
        let maps = clips.shape.maps
        require(
            context >= 1 && steps >= 1 && context + steps <= clips.shape.frames,
            "\(steps) frames behind \(context) are measured in clips of \(clips.shape.frames)")
        let none = Parts(
            predicted: .init(repeating: VideoScore(), count: steps),
            copied: .init(repeating: VideoScore(), count: steps),
            black: .init(repeating: MeanOfFinite(), count: steps))
        var parts = [Parts](repeating: none, count: clips.count)
        parts.withUnsafeMutableBufferPointer { parts in
            ParallelLoop.run(clips.count, threads: threads) { index in
                let clip = clips[index]
                let (frames, predictions) = (clip.frames(maps), forecast(clip))
                let last = frames[context - 1][...]
                for step in 0..<steps {
                    let target = frames[context + step][...]
                    parts[index].predicted[step].add(predictions[step][...], target, context: last, maps, measure)
                    parts[index].copied[step].add(last, target, context: last, maps, measure)
                    parts[index].black[step].add(target.reduce(0) { $0 + Double($1) * Double($1) })
                }
            }
        }
        var sum = none
        for part in parts { sum.add(part) }
        (predicted, copied, black) = (sum.predicted, sum.copied, sum.black)
        (self.measure, self.clips, self.context) = (measure, clips.count, context)
    }

    /// What was found in some clips.
    private struct Parts {
        var predicted: [VideoScore]
        var copied: [VideoScore]
        var black: [MeanOfFinite]

        mutating func add(_ other: Parts) {
            for step in predicted.indices {
                predicted[step].add(other.predicted[step])
                copied[step].add(other.copied[step])
                black[step].add(other.black[step])
            }
        }
    }

    /// Steps.
    var steps: Int { predicted.count }

    /// Whether frames of nothing but black would be as near as those that were predicted, squared errors added up over all
    /// steps: a model of digits on black that has learned nothing.
    var isNotBelowBlack: Bool {
        func sum(_ means: [MeanOfFinite]) -> Double { means.reduce(0) { $0 + ($1.mean ?? .infinity) } }
        return !(sum(predicted.map(\.squaredError)) < sum(black))
    }
}
