extension Command {
    /// `fastweights evaluate`.
    static let evaluate: Command = Command(
        name: "evaluate", summary: "Measure a model file's error on fresh examples of its task",
        positionals: [
            Positional(name: "file", arity: .optional, help: "The model, in the place of --model")
        ],
        options: [.model(help: "A file written by fastweights train"), .threads],
        tasks: [
            Task(
                name: "associative-retrieval",
                discussion: """
                    The examples are drawn with --seed as `train` and `compare` draw theirs; with
                    the seed of the training the test examples are the same ones.
                    """,
                options: [.trainingExamples, .validationExamples, .testExamples, .seed],
                examples: ["evaluate --model model.safetensors", "evaluate --model model.safetensors --seed 7"]),
            Task(
                name: "video",
                discussion: """
                    A model of video predicts the frames behind the first ones of each clip; how near
                    they are is shown step by step, beside the last frame given. Without --task such
                    a file is known by its metadata.
                    """,
                options: VideoEvaluationCommand.options,
                examples: ["evaluate --task video --model push.safetensors --data push-novel --steps 18"]),
        ]
    ) { arguments in
        let word = arguments.positional("file").first
        guard word == nil || !arguments.isGiven("model") else {
            throw UsageError("\(word ?? "") and --model both name a model; leave one of them out.")
        }
        let path = try word ?? arguments.model()
        if arguments.text("task") == "video" {
            return try VideoEvaluationCommand.run(arguments, try VideoModel(path: path))
        }
        if !arguments.isGiven("task"), VideoModel.isModel(path) {
            return try evaluate.run(try evaluate.parse(["--task", "video"] + arguments.words))
        }
        let file = try ModelFile(path: path)
        let counts = ["train-examples", "validation-examples", "test-examples"].map { arguments.integer($0) }
        let examples = try file.task.generate(counts: counts, seed: arguments.unsigned("seed"))[2]
        let result = file.model.evaluate(examples, threads: arguments.integer("threads"))
        let plateau = Plateau(file.task)
        Terminal.write(
            """
            Examples  \(examples.count), K = \(file.task.pairs)
            Error     \(FixedPoint.percent(result.error))
            Loss      \(FixedPoint.text(result.loss, decimals: 4)) nats
            Plateau   \(FixedPoint.percent(plateau.error)), \(FixedPoint.text(plateau.loss, decimals: 4)) nats

            """)
        return 0
    }
}
