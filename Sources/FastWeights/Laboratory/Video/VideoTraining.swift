/// How a video model is trained, beside `TrainingOptions`.
struct VideoTraining: Sendable, Equatable {
    /// T, frames of a clip that are trained on at a time, from a place in it that is drawn for every step.
    var frames = 10
    /// Which clips read true frames behind the context.
    var sampling = ScheduledSampling(decay: 900)

    /// What makes a training of such clips impossible; nil of a possible one.
    func problem(_ model: VideoConfiguration, _ clips: VideoShape) -> String? {
        guard frames > model.context else {
            return "a training needs a frame behind the context of \(model.context), found \(frames) frames"
        }
        guard frames <= clips.frames else {
            return "the clips have \(clips.frames) frames, and \(frames) of each are to be trained on; ask for "
                + "fewer frames"
        }
        let shape = VideoShape(frames: clips.frames, maps: model.frame, actions: model.actions, states: model.states)
        guard shape == clips else {
            return "the model reads frames of \(model.frame.sizes.text) with \(model.actions) numbers of actions and "
                + "\(model.states) of states, the clips have \(clips.maps.sizes.text) with \(clips.actions) and \(clips.states)"
        }
        return nil
    }
}

extension Trainer {
    /// A trainer of a video model on clips. Its validation is the mean loss over clips of which the model reads the context
    /// alone; the same clips, options and first values give the same bits on any number of threads.
    ///
    /// Throws `VideoError` where the model cannot be trained on such clips.
    convenience init(
        _ model: VideoModel, training: VideoClips, validation: VideoClips, _ video: VideoTraining,
        options: TrainingOptions
    ) throws(VideoError) {
        for clips in [training, validation] {
            if let problem = video.problem(model.configuration, clips.shape) {
                throw VideoError("\(clips.source): \(problem)")
            }
        }
        self.init(
            model.parameters, options, epoch: Epoch(examples: training.count, perStep: options.batch),
            identity: [
                ("model", .string(model.configuration.json.serialized())), ("training clips", training.summary),
                ("validation clips", validation.summary), ("frames", .number(Double(video.frames))),
                ("sampling", .string(video.sampling.decay.map { "\($0)" } ?? "own frames")),
            ]
        ) { team in
            ClipSource(model, training, validation, video, options, team)
        }
    }
}

extension VideoClips {
    /// What says that clips are the same: where they are from, their sizes, and a checksum of some of them.
    fileprivate var summary: JSON {
        var checksum: UInt32 = 0
        for k in 0..<min(count, 16) {
            let clip = self[k * count / min(count, 16)]
            var bytes: [UInt8] = withUnsafeBytes(of: checksum.littleEndian) { Array($0) }
            switch clip.pixels {
            case .bytes(let values): bytes += values
            case .floats(let values): values.withUnsafeBytes { bytes += $0 }
            }
            for values in [clip.actions, clip.states] { values.withUnsafeBytes { bytes += $0 } }
            checksum = CRC32.checksum(bytes)
        }
        return .string("\(count) of \(source), checksum \(String(checksum, radix: 16))")
    }
}

/// Batches of clips in a shuffled order.
private final class ClipSource: TrainingSource {
    private let engine: ParallelVideo
    private let inference: VideoInference
    private let training: VideoClips
    private let validation: VideoClips
    private let video: VideoTraining
    private let options: TrainingOptions
    private var order: BatchOrder
    private var batch: VideoBatch

    init(
        _ model: VideoModel, _ training: VideoClips, _ validation: VideoClips, _ video: VideoTraining,
        _ options: TrainingOptions, _ team: ThreadTeam
    ) {
        (self.training, self.validation, self.video, self.options) = (training, validation, video, options)
        engine = ParallelVideo(model.network, model.parameters, frames: video.frames, team: team)
        inference = VideoInference(model.network, model.parameters, frames: video.frames, team: team)
        order = BatchOrder(count: training.count, batch: options.batch, seed: options.seed)
        var shape = training.shape
        shape.frames = video.frames
        batch = VideoBatch(shape, count: options.batch)
    }

    var gradients: Parameters { engine.gradients }
    var carried: Parameters? { nil }

    func skip() { order.advance() }

    func advance(step: Int) -> LossSum {
        order.advance()
        let seed = options.seed(ofStep: step)
        var random = Random(seed: seed, stream: 6)
        training.read(order.indices, from: random.below(training.shape.frames - video.frames + 1), into: &batch)
        let sampled = video.sampling.draw(steps: video.frames - 1, batch: options.batch, step: step, seed: seed)
        let loss = engine.gradient(batch, sampled: sampled)
        return LossSum(
            BlockLoss(loss: loss * Double(options.batch)), terms: options.batch, weight: Double(options.batch),
            isOfSquares: true)
    }

    func evaluate() -> Evaluation {
        let loss = inference.run(validation)
        return Evaluation(loss: loss, error: loss)
    }
}
