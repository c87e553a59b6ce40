extension Command {
    /// `fastweights evaluate`.
    static let evaluate = Command(
        name: "evaluate", summary: "Measure a model file's error on fresh examples of its task",
        discussion: """
            The examples are drawn with --seed as `train` and `compare` draw theirs; with
            the seed of the training the test examples are the same ones.
            """,
        positionals: [Positional(name: "model", help: "A file written by fastweights train")],
        options: [.trainingExamples, .validationExamples, .testExamples, .seed, .threads],
        examples: ["evaluate model.safetensors", "evaluate model.safetensors --seed 7"]
    ) { arguments in
        let file = try ModelFile(path: arguments.positional("model")[0])
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
