/// `fastweights train --task video`: a model that predicts the next frames of clips.
enum VideoTrainingCommand {
    /// The options of this task.
    static let options =
        [
            Option(
                name: "model", placeholder: "NAME", kind: .choice(VideoConfiguration.Head.allCases.map(\.rawValue)),
                defaultValue: "cdna",
                help:
                    "How a frame is made of the last one, by kernels, by a kernel a pixel, by affine maps, or painted, "
                    + "that by convolutional LSTMs over patches too"),
            .clips("data", help: "What to learn from", defaultValue: "push"),
            Option(
                name: "size", placeholder: "N", kind: .integer(8...256), defaultValue: "32",
                help: "Pixels a side of clips that are made"),
            .clipCount("clips", 3000, help: "Clips that are made to learn from"),
            .clipCount("validation-clips", 64, help: "Clips that are made to measure it on"),
            Option(
                name: "held-out", placeholder: "X", kind: .number(0.0001...0.9), defaultValue: "0.1",
                help:
                    "Share of clips that are read, drawn with --seed, that it is measured on; of one clip pieces of --frames"
            ),
            Option(
                name: "frames", placeholder: "T", kind: .integer(2...10_000), defaultValue: "10",
                help: "Frames a step, of longer clips from a place that is drawn for it"),
            Option(
                name: "context", placeholder: "N", kind: .integer(1...1000), defaultValue: "2",
                help: "Frames that are given before the model goes on from its own"),
            Option(
                name: "width", placeholder: "NAME", kind: .choice(VideoConfiguration.Width.allCases.map(\.rawValue)),
                defaultValue: "quarter", help: "Maps of each layer, of the paper's"),
            Option(
                name: "gates", placeholder: "K", kind: .choice(["3", "5"]), defaultValue: "3",
                help: "Rows and columns of the LSTMs' filters; the paper has 5"),
            Option(
                name: "patch", placeholder: "P", kind: .integer(1...64), defaultShown: "2 of 32 pixels, else 4",
                help: "Pixels a side of a patch, of convlstm"),
            Option(
                name: "form", placeholder: "NAME", kind: .choice(PatchOptions.Form.allCases.map(\.rawValue)),
                defaultShown: "one",
                help: "Of convlstm, one network that goes on from its own frames, or an encoder and a forecaster"),
            Option(
                name: "kernels", placeholder: "M", kind: .integer(1...64), defaultShown: "10, of dna 1",
                help: "Kernels or affine maps"),
            Option(
                name: "parity", placeholder: "NAME", kind: .choice(VideoConfiguration.Parity.allCases.map(\.rawValue)),
                defaultValue: "clean", help: "The model as the paper has it, or as the authors' release computes it"),
            Option(
                name: "without-actions", kind: .flag, help: "Leave aside the actions and states that the clips have"),
            Option(
                name: "sampling", placeholder: "K", kind: .number(0...1e9), defaultValue: "100",
                help:
                    "True frames are replaced by the model's own, a half of them after K ln K steps; 0 for own ones only"
            ),
        ] + Option.videoFiles + Option.length + [.batch(8, of: "Clips"), .clip()]
        + [.weightDecay, .schedule(), .evaluateEvery(250, at: "the clips held out"), .patience]

    /// What a quarter of the paper's width learned fastest with.
    private static let recipe = RetrievalModel.Recipe(learningRate: 2e-3, clip: 1, steps: 3000, quickSteps: 3000)

    /// Trains, writes the model and says how well it predicts. `output` and `checkpoint` are the command's.
    static func run(
        _ arguments: ParsedArguments, _ output: ModelOutput, _ checkpoint: CheckpointOptions?
    ) throws -> Int32 {
        let seed = arguments.unsigned("seed")
        let (training, validation) = try clips(arguments, seed: seed)
        let configuration = try configuration(arguments, training.shape)
        let model = VideoModel(configuration, seed: seed)
        var options = TrainingOptions(arguments, recipe)
        if arguments.hasValue("learning-rate") { options.learningRate = arguments.number("learning-rate") }
        try options.setLimit(arguments)
        (options.seed, options.threads) = (seed, arguments.integer("threads"))
        options.checkpoint = checkpoint
        let parameters = model.parameters.layout.parameterCount
        try output.checkRoom(parameters: parameters)
        let decay = arguments.number("sampling")
        let video = VideoTraining(
            frames: arguments.integer("frames"), sampling: ScheduledSampling(decay: decay > 0 ? decay : nil))
        let trainer = try Trainer(model, training: training, validation: validation, video, options: options)
        Interruption.install()
        let display = ProgressDisplay.onStandardError(jobs: 1, work: 1)
        let shown = display.start("\(arguments.text("model")) on \(arguments.text("data"))")
        let (outcome, divergence) = try trainer.runKeepingBest(
            progress: {
                let heldOut = $0.validationError.map { "  held out \(text($0))" } ?? ""
                display.update(shown, fraction: $0.done, status: "loss \(text($0.trainingLoss))\(heldOut)")
            }, shouldStop: { Interruption.requested })
        let ending = ModelOutput.Ending(outcome, divergence: divergence)
        display.finish(shown, status: ending.status, outcome: ending.outcome)
        display.close()
        let notes = [
            ("data", arguments.text("data")), ("steps", "\(outcome.bestStep)"), ("seed", "\(seed)"),
        ]
        return try output.finish(
            ending,
            summary: summary(model, validation, frames: video.frames, outcome, threads: options.threads)
                + "Model       \(output.path)\n"
        ) { path in
            try Files.writeAtomically(model.serialized(metadata: notes), to: path)
        }
    }

    /// What is learned from and what it is measured on: of a world as many clips as asked for, of files a part each.
    private static func clips(
        _ arguments: ParsedArguments, seed: UInt64
    ) throws -> (training: VideoClips, validation: VideoClips) {
        let (source, frames) = (VideoSource(arguments.text("data")), arguments.integer("frames"))
        guard arguments.integer("context") < frames else {
            throw UsageError(
                "--context \(arguments.integer("context")) with --frames \(frames): at least one frame must be left to predict"
            )
        }
        func clips(_ part: VideoSource.Part, _ count: String) throws -> VideoClips {
            let size = VideoSource.Size(
                clips: arguments.integer(count), frames: frames, side: arguments.integer("size"))
            let clips = try source.clips(part, size, files: VideoFileOptions(arguments)).padded(arguments)
            // Convolutional LSTMs over patches read frames alone.
            return arguments.flag("without-actions") || arguments.text("model") == "convlstm"
                ? clips.framesAlone : clips
        }
        let madeOnly = ["size", "clips", "validation-clips"]
        let names = VideoSource.names.map(\.name).joined(separator: ", ")
        for name in source.isMade ? ["held-out", "layout", "camera"] : madeOnly where arguments.isGiven(name) {
            throw UsageError(
                source.isMade
                    ? "--\(name) is for clips that are read, not for those of \(arguments.text("data"))"
                    : "--\(name) is for clips that are made, \(names), not for those that are read")
        }
        if source.isMade { return (try clips(.training, "clips"), try clips(.validation, "validation-clips")) }
        return try clips(.training, "clips").divided(into: frames)
            .split(validation: arguments.number("held-out"), seed: seed)
    }

    /// The model that the options ask for, of clips of this size. Throws `UsageError` for one that cannot be.
    private static func configuration(
        _ arguments: ParsedArguments, _ shape: VideoShape
    ) throws(UsageError) -> VideoConfiguration {
        let maps = shape.maps
        var configuration = VideoConfiguration(
            channels: maps.channels, height: maps.height, width: maps.width,
            head: VideoConfiguration.Head(rawValue: arguments.text("model")) ?? .cdna)
        (configuration.actions, configuration.states) = (shape.actions, shape.states)
        let (width, gates) = (VideoConfiguration.Width(rawValue: arguments.text("width"))!, arguments.text("gates"))
        configuration.widths = configuration.widths.map { $0 / width.divisor }
        configuration.gateSize = Int(gates)!
        configuration.context = arguments.integer("context")
        configuration.parity = VideoConfiguration.Parity(rawValue: arguments.text("parity")) ?? .clean
        let isOfPatches = configuration.head == .convlstm
        let others = isOfPatches ? ["kernels", "parity"] : ["patch", "form"]
        for name in others + (configuration.head == .paint ? ["kernels"] : []) where arguments.isGiven(name) {
            throw UsageError("--\(name) is not for the model \(configuration.head.rawValue)")
        }
        if arguments.hasValue("kernels") { configuration.kernels = arguments.integer("kernels") }
        if isOfPatches {
            configuration.patches.patch =
                arguments.hasValue("patch") ? arguments.integer("patch") : min(maps.height, maps.width) <= 32 ? 2 : 4
            configuration.patches.kernel = MapSize(configuration.gateSize)
            configuration.patches.form = PatchOptions.Form(rawValue: arguments.textIfAny("form") ?? "one") ?? .one
        }
        if let problem = configuration.problem {
            let isPadded = isOfPatches || maps.height % 8 == 0 && maps.width % 8 == 0
            throw UsageError(problem + (isPadded ? "" : "; --pad does so"))
        }
        return configuration
    }

    /// Clips held out that a model is measured on in the end, at most.
    private static let measured = 64

    /// How near the kept model comes to the clips held out.
    private static func summary(
        _ model: VideoModel, _ validation: VideoClips, frames: Int, _ outcome: Trainer.Outcome, threads: Int
    ) -> String {
        let clips = validation.selecting(Array(0..<min(validation.count, measured)))
        let steps = frames - model.configuration.context
        let predictor = VideoPredictor(model)
        let evaluation = VideoEvaluation(
            clips, context: model.configuration.context, steps: steps, threads: threads
        ) { predictor.forecast($0, clips.shape, steps: steps) }
        let shown = evaluation.shownSteps.map(String.init).joined(separator: ", ")
        let kept = outcome.curve.isEmpty ? "the last step" : "step \(outcome.bestStep) of \(outcome.steps)"
        return """
            Held out    \(clips.count) clips of \(clips.source)
            PSNR        \(evaluation.figures(evaluation.predicted, \.psnr)) dB, predicted frames \(shown), the model of \(kept)
            Copy        \(evaluation.figures(evaluation.copied, \.psnr)) dB, the last frame given

            """ + (evaluation.blackNote(clips.shape.maps).map { "\($0)\n" } ?? "")
                + "Parameters  \(FixedPoint.grouped(model.parameters.layout.parameterCount))\n"
    }

    private static func text(_ loss: Double) -> String { FixedPoint.text(loss, decimals: 5) }
}

extension VideoConfiguration {
    /// How many maps a layer has: all of `VideoConfiguration`'s own, or a part of them.
    enum Width: String, CaseIterable {
        case quarter, half, full

        var divisor: Int { [.quarter: 4, .half: 2, .full: 1][self]! }
    }
}
