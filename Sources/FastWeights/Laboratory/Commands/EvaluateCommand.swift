extension Command {
    /// `fastweights evaluate`.
    static let evaluate = Command(
        name: "evaluate", summary: "Measure a model file's error on fresh examples of its task",
        discussion: """
            The examples are drawn with --seed as `train` and `compare` draw theirs; with
            the seed of the training the test examples are the same ones.
            """,
        positionals: [
            Positional(name: "file", arity: .optional, help: "The model, in the place of --model")
        ],
        options: [
            .model(help: "A file written by fastweights train"), .trainingExamples, .validationExamples, .testExamples,
            .seed, .threads,
        ],
        examples: ["evaluate --model model.safetensors", "evaluate --model model.safetensors --seed 7"]
    ) { arguments in
        let word = arguments.positional("file").first
        guard word == nil || !arguments.isGiven("model") else {
            throw UsageError("\(word ?? "") and --model both name a model; leave one of them out.")
        }
        let file = try ModelFile(path: word ?? arguments.model())
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
