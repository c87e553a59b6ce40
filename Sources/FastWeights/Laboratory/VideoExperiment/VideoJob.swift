/// One training of the experiment: a model in a setting, with a seed.
///
/// While it runs it keeps a checkpoint in the folder and goes on from it after whatever ended it; the trained model stays
/// there, for pictures and for `predict`.
struct VideoJob: Sendable {
    let setting: VideoExperiment.Setting
    let model: VideoExperiment.Model
    let seed: UInt64
    /// Where results, models and checkpoints stand.
    let folder: String

    /// The trained model, a file that `predict` and `evaluate` take.
    var modelFile: String { Self.modelFile(id, in: folder) }
    /// What an interrupted training goes on from.
    var checkpointFile: String { "\(folder)/checkpoints/\(id).safetensors" }

    static func modelFile(_ id: String, in folder: String) -> String { "\(folder)/models/\(id).safetensors" }

    /// The name of a job, and of its files; short ones have names of their own, so that none takes the place of a whole one.
    static func id(setting: String, model: String, isShort: Bool, seed: UInt64) -> String {
        ([setting, model] + (isShort ? ["short"] : []) + ["seed-\(seed)"]).joined(separator: "/")
    }

    // MARK: - What decides the result

    var configuration: VideoConfiguration {
        var c = VideoConfiguration(
            channels: PushWorld.channels, height: VideoExperiment.side, width: VideoExperiment.side, head: model.head)
        if model.readsActions { (c.actions, c.states) = (PushWorld.actions, PushWorld.states) }
        c.widths = c.widths.map { $0 / setting.divisor }
        (c.gateSize, c.context) = (setting.gateSize, VideoExperiment.context)
        return c
    }

    private var training: VideoTraining {
        VideoTraining(frames: VideoExperiment.trainedFrames, sampling: ScheduledSampling(decay: setting.decay))
    }

    private var options: TrainingOptions {
        var options = TrainingOptions()
        (options.steps, options.batch, options.learningRate) = (setting.steps, 8, 2e-3)
        (options.schedule, options.clip, options.seed) = (.cosine, 1, seed)
        options.evaluateEvery = setting.evaluateEvery
        return options
    }

    /// Clips as the model reads them.
    private func clips(_ clips: VideoClips) -> VideoClips { model.readsActions ? clips : clips.framesAlone }

    private func trainingClips() throws -> (training: VideoClips, validation: VideoClips) {
        func part(_ part: VideoSource.Part, _ count: Int) throws -> VideoClips {
            clips(try VideoExperiment.clips(.seen, part, count: count, frames: VideoExperiment.trainedFrames))
        }
        return (try part(.training, setting.trainingClips), try part(.validation, setting.validationClips))
    }

    /// Why a result of the same name is none of this job's; nil of another name, and where it differs in nothing.
    func difference(from result: VideoResult) -> String? {
        guard result.id == id else { return nil }
        return settings.lazy.compactMap { setting in
            let there = result.settings.first { $0.name == setting.name }?.value ?? "not given"
            return there == setting.value ? nil : "\(setting.name): \(there) there, \(setting.value) here"
        }.first
    }

    // MARK: - Work

    /// Trains as far as it can, and leaves the model in its file. Throws `InterruptedJob` where it was stopped.
    private func train(_ context: JobContext) throws -> VideoResult.Training {
        let model = VideoModel(configuration, seed: seed)
        let (training, validation) = try trainingClips()
        var options = options
        options.threads = context.threads
        options.checkpoint = CheckpointOptions(path: checkpointFile, every: setting.evaluateEvery, resumes: true)
        let isResumed = Files.exists(checkpointFile)
        for file in [checkpointFile, modelFile] {
            try Files.createDirectory(String(file[..<file.lastIndex(of: "/")!]))
        }
        let seconds = stopwatch()
        let trainer = try Trainer(
            model, training: training, validation: validation, self.training, options: options)
        let (outcome, divergence) = try trainer.runKeepingBest(
            progress: {
                let heldOut = $0.validationError.map { "  held out \(FixedPoint.text($0, decimals: 5))" } ?? ""
                context.progress(
                    $0.done, "step \($0.step)  loss \(FixedPoint.text($0.trainingLoss, decimals: 5))\(heldOut)")
            }, shouldStop: context.shouldStop)
        if outcome.interrupted {
            throw InterruptedJob(description: "interrupted after step \(outcome.steps), from which it will go on")
        }
        let notes = [("data", training.source), ("steps", "\(outcome.bestStep)"), ("seed", "\(seed)")]
        try Files.writeAtomically(model.serialized(metadata: notes), to: modelFile)
        return VideoResult.Training(
            parameters: model.parameters.layout.parameterCount, steps: outcome.steps, bestStep: outcome.bestStep,
            divergence: divergence?.description, curve: outcome.curve, seconds: seconds(), isResumed: isResumed,
            threads: context.threads)
    }

    /// Measures the trained model on the test clips.
    private func figures(_ objects: PushWorld.Objects, _ predictor: VideoPredictor, threads: Int) throws
        -> VideoResult.Figures
    {
        let clips = clips(try VideoExperiment.testClips(objects, count: setting.testClips))
        let steps = VideoExperiment.predictedSteps
        return VideoResult.Figures(
            VideoEvaluation(
                clips, context: VideoExperiment.context, steps: steps, VideoExperiment.measure, threads: threads
            ) { predictor.forecast($0, clips.shape, steps: steps) })
    }
}

extension VideoJob: IndependentJob {
    var id: String {
        Self.id(setting: setting.name, model: model.name, isShort: setting.isShort, seed: seed)
    }
    var name: String { id }
    /// In seconds on a core.
    var work: Double { Double(setting.steps) * setting.secondsPerStep }

    var settings: [(name: String, value: String)] {
        let options = options
        return [
            ("model", configuration.json.serialized()), ("steps", "\(options.steps)"), ("batch", "\(options.batch)"),
            ("learning rate", JSON.number(options.learningRate).serialized()),
            ("schedule", options.schedule.description),
            ("clip", options.clip.map { JSON.number(Double($0)).serialized() } ?? "none"),
            ("optimizer", "\(options.optimizer)"), ("frames", "\(training.frames)"),
            ("sampling", training.sampling.decay.map { JSON.number($0).serialized() } ?? "own frames"),
            ("steps between evaluations", "\(options.evaluateEvery)"),
            ("clips", "\(setting.trainingClips), \(setting.validationClips) and \(setting.testClips)"),
            ("world", "push, \(VideoExperiment.side) by \(VideoExperiment.side)"),
            ("predicted steps", "\(VideoExperiment.predictedSteps)"),
        ]
    }

    func result(_ context: JobContext) throws -> VideoResult {
        let training = try train(context)
        context.progress(1, "measured on \(2 * setting.testClips) clips")
        let predictor = VideoPredictor(try VideoModel(path: modelFile))
        let (seen, novel) = (
            try figures(.seen, predictor, threads: context.threads),
            try figures(.novel, predictor, threads: context.threads)
        )
        return VideoResult(self, training, seen: seen, novel: novel)
    }

    func owns(_ result: VideoResult) -> Bool {
        result.id == id && result.settings.elementsEqual(settings) { ($0.name, $0.value) == ($1.name, $1.value) }
    }

    func status(of result: VideoResult) -> (text: String, outcome: ProgressDisplay.Outcome) {
        let steps = [1, 4, 8].map { FixedPoint.text(result.novel.predicted[.psnr, at: $0], decimals: 1) }
        let text = "novel objects \(steps.joined(separator: " / ")) dB at steps 1, 4, 8"
        return (text, result.training.divergence == nil ? .done : .failed)
    }

    func finish() { Files.remove(checkpointFile) }
}
