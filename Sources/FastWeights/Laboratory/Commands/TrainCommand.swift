extension Command {
    /// `fastweights train`.
    static let train = Command(
        name: "train", summary: "Train one model on associative retrieval, a text, Catch, or video",
        discussion: """
            What is learned is chosen by --task; `train --task text --help` shows the options
            of that task alone.
            """,
        options: [
            Option(
                name: "model", placeholder: "NAME", kind: .choice(RetrievalModel.all.map(\.name)),
                defaultValue: "fast-weights", help: "The model to train"),
            Option(
                name: "learning-rate", placeholder: "X", kind: .number(1e-9...10), defaultShown: "the model's own",
                help: "The full learning rate, of which the schedule takes a share at each step"),
            Option(
                name: "output", placeholder: "FILE", kind: .path(), defaultValue: "model.safetensors",
                help: "The model file"),
            .seed, .threads,
        ],
        tasks: [
            Task(
                name: "associative-retrieval",
                discussion: """
                    With --task associative-retrieval the model learns to answer c9k8j3f1??c by 9,
                    the digit behind c. `recall` then shows what it attends to.
                    """,
                options: [.hidden()] + Option.length + Option.data + [.batch(), .clip(), .embeddingDeviation]
                    + Option.evaluation(),
                examples: [
                    "train --output model.safetensors", "train --checkpoint run.checkpoint --resume",
                    "train --model lstm --hidden 100 --learning-rate 2e-3",
                    #"train --epochs 20 --schedule "warm-up 500 then cosine""#,
                ]),
            Task(
                name: "text",
                discussion: """
                    With --task text the model learns to predict the next character of --file from
                    those before, or the next byte where that is not UTF-8; --batch parts of the
                    text are read side by side. `generate` then writes with it.
                    """,
                options: TextTraining.options,
                examples: ["train --task text --file book.txt --model gru --minutes 10"]),
            Task(
                name: "catch",
                discussion: """
                    With --task catch an agent learns by actor-critic to catch a ball that it sees
                    in the first frames only. `play` then shows it.
                    """,
                options: CatchCommand.options, examples: ["train --task catch --output agent.safetensors"]),
            Task(
                name: "video",
                discussion: """
                    With --task video a model learns to predict the next frames of clips, of its own
                    last one and of the actions that the clips have. `predict` then shows what it
                    sees coming, `evaluate` how near that is.
                    """,
                options: VideoTrainingCommand.options,
                examples: [
                    "train --task video --output push.safetensors",
                    "train --task video --data moving-mnist --frames 20 --context 10",
                    "train --task video --data clips --model dna --steps 10000",
                ]),
        ]
    ) { arguments in
        try arguments.checkApart(["output", "checkpoint"], from: ["file", "data"])
        let output = ModelOutput(path: arguments.text("output"))
        if arguments.text("task") == "catch" { return try CatchCommand.run(arguments, output) }
        if arguments.text("task") == "text" {
            return try TextTraining.run(arguments, output, try checkpoint(arguments))
        }
        if arguments.text("task") == "video" {
            return try VideoTrainingCommand.run(arguments, output, try checkpoint(arguments))
        }
        let seed = arguments.unsigned("seed")
        let data = try RetrievalData(arguments, seed: seed)
        let model = RetrievalModel.named(arguments.text("model"))
        let hidden = arguments.integer("hidden")
        try model.check(hidden: hidden)
        var options = TrainingOptions(arguments, model.recipe(hidden: hidden))
        options.seed = seed
        options.threads = arguments.integer("threads")
        if arguments.hasValue("learning-rate") { options.learningRate = arguments.number("learning-rate") }
        try options.setLimit(arguments)
        options.checkpoint = try checkpoint(arguments)
        var job = RetrievalTraining(model: model, hidden: hidden, seed: seed, options: options)
        job.takeFirstValues(arguments)
        try output.checkRoom(parameters: job.parameterCount)
        Interruption.install()
        let display = ProgressDisplay.onStandardError(jobs: 1, work: 1)
        let shown = display.start(job.name)
        let (run, network, divergence) = try job.runKeepingBest(data) {
            display.update(shown, fraction: $0.done, status: $0.status)
        }
        let ending = ModelOutput.Ending(run, divergence: divergence)
        display.finish(shown, status: ending.status, outcome: ending.outcome)
        display.close()
        let notes = [
            ("model", model.name), ("steps", "\(run.bestStep)"), ("seed", "\(seed)"),
            ("test_error", "\(run.testError)"),
        ]
        let validation =
            run.curve.isEmpty
            ? "not measured" : "\(FixedPoint.percent(run.validationError)) at step \(run.bestStep) of \(run.steps)"
        let summary = """
            Test error        \(FixedPoint.percent(run.testError))
            Plateau           \(FixedPoint.percent(data.plateau.error))
            Validation error  \(validation)
            Parameters        \(run.parameters)
            Model             \(output.path)

            """
        return try output.finish(ending, summary: summary) {
            try ModelFile(network, task: data.task, notes: notes).write(to: $0)
        }
    }

    /// Where the training keeps its checkpoint, and a word about what it begins from.
    private static func checkpoint(_ arguments: ParsedArguments) throws(UsageError) -> CheckpointOptions? {
        let resumes = arguments.flag("resume")
        guard arguments.hasValue("checkpoint") else {
            if resumes { throw UsageError("--resume needs --checkpoint FILE, the file to go on from") }
            if arguments.isGiven("every") { throw UsageError("--every needs --checkpoint FILE, the file to write") }
            return nil
        }
        let path = arguments.text("checkpoint")
        if resumes {
            Terminal.write(
                Files.exists(path) ? "Going on from \(path)\n" : "No checkpoint at \(path) yet: beginning anew\n",
                to: .error)
        }
        return CheckpointOptions(path: path, every: arguments.integer("every"), resumes: resumes)
    }
}

extension Option {
    /// How long a training goes on, and how it outlives what ends it.
    static let length = [
        Option(
            name: "steps", placeholder: "N", kind: .integer(1...100_000_000), defaultShown: "the model's own",
            help: "Training steps"),
        Option(
            name: "epochs", placeholder: "N", kind: .integer(1...1_000_000),
            help:
                "Passes over what is learned from, in place of --steps; evaluated after each unless --evaluate-every is given"
        ),
        Option(
            name: "minutes", placeholder: "X", kind: .number(.leastNonzeroMagnitude...1e6),
            help:
                "End after so long, as after a last step; the learning rate follows the time. A busy machine fits fewer steps, so no seed repeats the bits"
        ),
        Option(
            name: "checkpoint", placeholder: "FILE", kind: .path(),
            help: "Keep a file there from which --resume goes on, whatever ended the training"),
        Option(
            name: "every", placeholder: "N", kind: .integer(1...1_000_000), defaultValue: "1000",
            help: "Steps between two checkpoints"),
        Option(
            name: "resume", kind: .flag,
            help: "Go on from --checkpoint, to the same bits as without a break; begin if there is none"),
    ]
}

extension TrainingOptions {
    /// Takes the epochs that --epochs gives and the time that --minutes gives; the steps then are those of --steps alone.
    /// Throws where both epochs and steps are given.
    mutating func setLimit(_ arguments: ParsedArguments) throws(UsageError) {
        if arguments.hasValue("epochs") {
            guard !arguments.isGiven("steps") else {
                throw UsageError("--epochs and --steps both say how long to train; give one of them.")
            }
            epochs = arguments.integer("epochs")
            evaluatesEachEpoch = !arguments.isGiven("evaluate-every")
        }
        guard arguments.hasValue("minutes") else { return }
        timeLimit = .seconds(arguments.number("minutes") * 60)
        if !arguments.hasValue("steps") { steps = .max }
    }
}
