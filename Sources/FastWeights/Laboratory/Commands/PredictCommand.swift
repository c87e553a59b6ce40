extension Command {
    /// `fastweights predict`.
    static let predict = Command(
        name: "predict", summary: "Let a video model go on with a clip, and show what it sees coming",
        discussion: """
            The model reads the first frames of a clip, as many as its context, and predicts
            the next ones, each from its own last one. In a terminal of colors they are
            played beside the true ones. The name of --output says what is written: .gif and
            .apng animations of truth and prediction side by side, .png a strip, any other a
            new folder of numbered PNGs, those that were given first.
            """,
        options: [
            .model(help: "A file written by train --task video"),
            .clips("input", help: "The clip, or several"),
            Option(
                name: "clip", placeholder: "I", kind: .integer(0...100_000_000), defaultValue: "0",
                help: "Which one of several clips, counted from 0"),
            Option(
                name: "actions", placeholder: "FILE", kind: .path(),
                help: "Other actions than the clip's, a .npy of [frames, numbers]: row t leads from frame t to the next"
            ),
            Option(
                name: "steps", placeholder: "N", kind: .integer(1...100_000), defaultShown: "as many as follow, or 10",
                help: "Frames to predict"),
            Option(
                name: "output", placeholder: "PATH", kind: .path(), help: "name.gif, name.apng, name.png or a folder"),
            Option(
                name: "speed", placeholder: "X", kind: .number(0.1...50), defaultValue: "5",
                help: "Frames a second"),
            Option(
                name: "scale", placeholder: "N", kind: .integer(1...64), defaultShown: "by the frames' size",
                help: "Pixels a side that a pixel is drawn with"),
        ] + Option.videoFiles,
        examples: [
            "predict --model push.safetensors --input push-novel --output push.gif",
            "predict --model push.safetensors --input clips --clip 3 --actions left.npy --output left",
        ]
    ) { arguments in
        try arguments.checkApart(["output"], from: ["model", "input", "actions"])
        guard arguments.hasValue("input") else {
            throw UsageError("predict needs --input CLIPS, the clip to go on with")
        }
        let output = try arguments.textIfAny("output").map { path in
            do { return try VideoOutput(path: path) } catch { throw UsageError("--output \(error)") }
        }
        let path = try arguments.model()
        try arguments.checkApart(["output"], fromModel: [path])
        try output?.check()
        let model = try VideoModel(path: path)
        let clip = try PredictedClip(model, arguments)
        Interruption.install()
        let predicted = VideoPredictor(model).forecast(clip.clip, clip.shape, steps: clip.steps)
        let comparison = clip.comparison(model.configuration.head.rawValue, predicted)
        try output?.write(
            comparison, speed: arguments.number("speed"),
            scale: arguments.hasValue("scale") ? arguments.integer("scale") : nil)
        VideoPlayer.play(comparison, speed: arguments.number("speed"))
        Terminal.write(clip.summary(predicted, output: arguments.textIfAny("output")))
        return Interruption.requested ? 130 : 0
    }
}

/// The clip that a model goes on with, and for how many frames.
private struct PredictedClip {
    /// Its actions are those of --actions where these are given.
    private(set) var clip: VideoClip
    private(set) var shape: VideoShape
    let steps: Int
    private let context: Int
    /// What clip it is, for people.
    private let source: String

    /// Frames that a world makes, and steps where a clip ends with the context.
    private static let (madeFrames, usualSteps) = (20, 10)

    init(_ model: VideoModel, _ arguments: ParsedArguments) throws {
        let own = model.configuration
        let asked = arguments.hasValue("steps") ? arguments.integer("steps") : nil
        let index = arguments.integer("clip")
        let size = VideoSource.Size(
            clips: index + 1, frames: asked.map { own.context + $0 } ?? Self.madeFrames, side: own.height)
        let clips = try VideoSource(arguments.text("input"))
            .clips(.test, size, files: VideoFileOptions(arguments)).padded(arguments)
        guard index < clips.count else {
            throw UsageError("--clip \(index) is not there: \(clips.source), counted from 0")
        }
        (clip, shape, context) = (clips[index], clips.shape, own.context)
        source = clips.count > 1 || index > 0 ? "\(clips.source), clip \(index)" : clips.source
        if arguments.hasValue("actions") {
            let array = try NumPyArray(path: arguments.text("actions"))
            guard array.shape.count == 2, array.shape[0] >= own.context else {
                throw VideoError(
                    "\(array.source): expected the shape [frames, numbers], of \(own.context) frames or more, found \(array.shape)"
                )
            }
            let others = try VideoNumbers(array, clips: 1, frames: array.shape[0])
            (clip.actions, shape.actions) = (others.clip(0), others.width)
        }
        try model.check(shape, source: source)
        guard [1, 3].contains(shape.maps.channels) else {
            throw VideoError(
                "\(source): expected frames of 1 or 3 channels, which pictures have, found \(shape.maps.channels)")
        }
        guard shape.frames >= own.context else {
            throw VideoError(
                "\(source): expected at least \(own.context) frames, which the model is given, found \(shape.frames)")
        }
        // Action t leads from frame t to the next.
        let rows = own.actions > 0 ? clip.actions.count / own.actions : Int.max - own.context
        let following = shape.frames - own.context
        steps = asked ?? min(following > 0 ? following : Self.usualSteps, rows - own.context + 1)
        guard own.context + steps - 1 <= rows else {
            throw VideoError(
                "\(source): expected actions at \(own.context + steps - 1) frames, as \(steps) are to be predicted behind \(own.context), found \(rows). Ask for at most \(rows - own.context + 1) with --steps, or give more with --actions"
            )
        }
    }

    /// The true frames, and those that were predicted.
    func comparison(_ name: String, _ predicted: [[Float]]) -> VideoComparison {
        var comparison = VideoComparison(
            truth: Array(clip.frames(shape.maps).prefix(context + steps)), shape.maps, context: context)
        comparison.add(name, predicted: predicted)
        return comparison
    }

    /// What was done, and how near it is to what is known of the truth.
    func summary(_ predicted: [[Float]], output: String?) -> String {
        let frames = clip.frames(shape.maps)
        let (known, last) = (min(frames.count - context, steps), frames[context - 1])
        func psnr(_ frame: (Int) -> [Float]) -> String {
            var mean = MeanOfFinite()
            for step in 0..<known {
                mean.add(VideoMetrics.psnr(frame(step).map { min(max($0, 0), 1) }[...], frames[context + step][...]))
            }
            return mean.mean.map { "\(FixedPoint.text($0, decimals: 2)) dB" } ?? "infinite"
        }
        let nearness =
            "PSNR    \(psnr { predicted[$0] }), the mean of \(known) frames; of the last frame given \(psnr { _ in last })\n"
        return "Clip    \(source)\nFrames  \(context) given, \(steps) predicted\n" + (known > 0 ? nearness : "")
            + (output.map { "Output  \($0)\n" } ?? "")
    }
}
