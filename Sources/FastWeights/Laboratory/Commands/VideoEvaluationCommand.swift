/// `fastweights evaluate` of a model of video.
enum VideoEvaluationCommand {
    /// The options of this task.
    static let options =
        [
            Option.clips("data", help: "What it is measured on", defaultValue: "push"),
            .clipCount("clips", 256, help: "Clips that are made, or the first of those that are read"),
            Option(
                name: "steps", placeholder: "N", kind: .integer(1...10_000),
                defaultShown: "8, or as many as clips have",
                help: "Frames to predict of each clip"),
            Option(
                name: "window", placeholder: "NAME", kind: .choice(["box", "gaussian"]), defaultValue: "box",
                help: "Of SSIM: 7 by 7 as scikit-image has it, or the paper's 11 by 11"),
        ] + Option.videoFiles

    /// Frames to predict where it is not said.
    private static let usualSteps = 8

    /// Measures a model and prints the table.
    static func run(_ arguments: ParsedArguments, _ model: VideoModel) throws -> Int32 {
        let (source, context) = (VideoSource(arguments.text("data")), model.configuration.context)
        let asked = arguments.hasValue("steps") ? arguments.integer("steps") : nil
        let size = VideoSource.Size(
            clips: arguments.integer("clips"), frames: context + (asked ?? usualSteps),
            side: model.configuration.height)
        var clips = try source.clips(.test, size, files: VideoFileOptions(arguments)).padded(arguments)
        if clips.count > size.clips { clips = clips.selecting(Array(0..<size.clips)) }
        try model.check(clips.shape, source: clips.source)
        let steps = asked ?? min(usualSteps, clips.shape.frames - context)
        guard steps > 0, context + steps <= clips.shape.frames else {
            throw VideoError(
                "\(clips.source): expected clips of at least \(context + max(steps, 1)) frames, \(context) of which the model is given, found \(clips.shape.frames)"
            )
        }
        let measure: SSIM = arguments.text("window") == "gaussian" ? .gaussian : .box
        let predictor = VideoPredictor(model)
        let evaluation = VideoEvaluation(
            clips, context: context, steps: steps, measure, threads: arguments.integer("threads")
        ) { predictor.forecast($0, clips.shape, steps: steps) }
        Terminal.write("Clips  \(clips.count) of \(clips.source)\n\n")
        Terminal.write(evaluation.table.plain(width: Terminal.tableWidth()) + "\n")
        for note in evaluation.notes + [evaluation.blackNote(clips.shape.maps)].compactMap({ $0 }) {
            Terminal.write("\(note).\n")
        }
        return 0
    }
}
