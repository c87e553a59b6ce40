extension Command {
    /// `fastweights compare`.
    static let compare = Command(
        name: "compare", summary: "Compare models on associative retrieval with the paper",
        discussion: """
            Trains every model at every size, as many at a time as there are threads, and
            prints test errors beside Table 1 of Ba et al. 2016 and the exact plateau, the
            error of a model that binds no digit to its letter. The run folder holds
            config.json, results.json, metrics.csv and report.html. Ctrl-C ends cleanly
            and keeps what is finished.
            """,
        options: [
            Option(
                name: "models", placeholder: "NAMES", kind: .list(of: .choice(RetrievalModel.all.map(\.name))),
                defaultValue: "irnn,lstm,fast-weights", help: "Models to train"),
            Option(
                name: "hidden", placeholder: "R", kind: .list(of: .integer(1...4096)), defaultValue: "20,50,100",
                help: "Recurrent units"),
            Option(
                name: "seeds", placeholder: "N", kind: .integer(1...1000), defaultValue: "1",
                help: "Trainings of each model and size, with seeds counted from --seed"),
            Option(
                name: "learning-rates", placeholder: "X", kind: .list(of: .number(1e-9...10)),
                defaultShown: "each model's own",
                help: "Train with each of these and keep the one with the lowest validation error"),
            Option(
                name: "steps", placeholder: "N", kind: .integer(1...100_000_000), defaultShown: "each model's own",
                help: "Training steps"),
            Option(name: "quick", kind: .flag, help: "Fewer steps: a first look in about a minute"),
            Option(
                name: "json", placeholder: "FILE", kind: .path(orOutput: true),
                help: "Write the results there too; - is standard output"),
            Option(
                name: "out", placeholder: "DIR", kind: .path(), defaultValue: "runs/compare", help: "The run folder"),
        ] + Option.data + [.batch(), .clip(), .embeddingDeviation] + Option.evaluation() + [.seed, .threads],
        examples: ["compare --quick", "compare --models fast-weights --hidden 20 --seeds 3", "compare --pairs 8"]
    ) { try Comparison($0).run() }
}

/// A grid of trainings, side by side, and what is written about them.
private struct Comparison {
    private let arguments: ParsedArguments
    private let folder: String
    private let threads: Int
    private let data: RetrievalData
    private let jobs: [RetrievalTraining]

    init(_ arguments: ParsedArguments) throws {
        self.arguments = arguments
        folder = arguments.text("out")
        threads = arguments.integer("threads")
        let seed = arguments.unsigned("seed")
        guard !arguments.flag("quick") || !arguments.isGiven("steps") else {
            throw UsageError("--quick and --steps both say how many steps to train; leave one of them out.")
        }
        // Before the work, so that a folder that cannot be written costs nothing.
        try Files.createDirectory(folder)
        data = try RetrievalData(arguments, seed: seed)
        var jobs: [RetrievalTraining] = []
        for name in arguments.texts("models") {
            let model = RetrievalModel.named(name)
            for hidden in arguments.integers("hidden") {
                try model.check(hidden: hidden)
                let recipe = model.recipe(hidden: hidden)
                let rates =
                    arguments.hasValue("learning-rates") ? arguments.numbers("learning-rates") : [recipe.learningRate]
                for offset in 0..<UInt64(arguments.integer("seeds")) {
                    for rate in rates {
                        var options = TrainingOptions(arguments, recipe, quick: arguments.flag("quick"))
                        options.learningRate = rate
                        options.seed = seed &+ offset
                        var job = RetrievalTraining(
                            model: model, hidden: hidden, seed: seed &+ offset, options: options)
                        job.takeFirstValues(arguments)
                        jobs.append(job)
                    }
                }
            }
        }
        self.jobs = jobs
    }

    func run() throws -> Int32 {
        Interruption.install()
        try write("config.json", configurationJSON.serialised(indented: true) + "\n")
        let all = train()
        let runs = best(all)
        try write("metrics.csv", MetricsCSV.text(all))
        let results = resultsJSON(runs, all).serialised(indented: true) + "\n"
        try write("results.json", results)
        try write("report.html", report(runs, all))
        if arguments.hasValue("json") {
            try Terminal.write(results, toPath: arguments.text("json"))
        }
        if arguments.textIfAny("json") != Terminal.outputPath {
            let table = ComparisonTable(runs: runs, plateauError: data.plateau.error, pairs: data.task.pairs)
            Terminal.write(table.plain(width: Terminal.tableWidth()) + "\nReport: \(folder)/report.html\n")
        }
        if Interruption.requested {
            let finished = all.filter { $0.stoppedEarly == nil }.count
            Terminal.write(
                "fastweights compare: interrupted; \(finished) of \(jobs.count) trainings are finished and kept\n",
                to: .error)
            return 130
        }
        return all.contains { $0.stoppedEarly != nil } ? 1 : 0
    }

    /// Trains every job, the longest first so that the cores end together; the results stand in the order of the jobs.
    private func train() -> [TrainingRun] {
        let work = jobs.map { $0.work(pairs: data.task.pairs) }
        let order = jobs.indices.sorted { (work[$0], $1) > (work[$1], $0) }
        let display = ProgressDisplay.onStandardError(jobs: jobs.count, work: work.reduce(0, +))
        defer { display.close() }
        let results = Slots<TrainingRun>(count: jobs.count)
        ParallelLoop.run(jobs.count, threads: threads) { position in
            let index = order[position]
            guard !Interruption.requested else { return }
            let job = jobs[index]
            let shown = display.start(job.name, work: work[index])
            do throws(TrainingError) {
                let run = try job.run(data) {
                    display.update(shown, fraction: $0.done, status: $0.status)
                }.run
                results.set(index, run)
                let note = run.stoppedEarly.map { ", \($0)" } ?? ""
                display.finish(
                    shown, status: "test error \(FixedPoint.percent(run.testError)) after \(run.steps) steps\(note)")
            } catch {
                results.set(index, job.failure(error, data))
                display.finish(shown, status: error.description, outcome: .failed)
            }
        }
        return results.filled
    }

    /// Of trainings that differ in the learning rate alone the one with the lowest validation error.
    private func best(_ runs: [TrainingRun]) -> [TrainingRun] {
        var kept: [TrainingRun] = []
        for run in runs {
            let same = kept.firstIndex { ($0.model, $0.hidden, $0.seed) == (run.model, run.hidden, run.seed) }
            guard let same else {
                kept.append(run)
                continue
            }
            if run.validationError < kept[same].validationError { kept[same] = run }
        }
        return kept
    }

    private func write(_ name: String, _ text: String) throws {
        try Files.writeAtomically(Array(text.utf8), to: "\(folder)/\(name)")
    }

    private var configuration: [(String, String)] {
        let options = jobs[0].options
        return [
            (
                "Task",
                "associative retrieval, K = \(data.task.pairs), digits \(data.task.repeatsDigits ? "with" : "without") replacement"
            ),
            (
                "Examples",
                "\(data.training.count) training, \(data.validation.count) validation, \(data.test.count) test; none in two sets"
            ),
            ("Network", "embedding 100, cell of R units, 100 ReLU units, softmax over 10 digits"),
            (
                "Training",
                "Adam, batch \(options.batch), \(options.schedule.rawValue) schedule; rates, decays, clipping and steps in config.json"
            ),
            (
                "Evaluation",
                "every \(options.evaluateEvery) steps; the model with the lowest validation error is tested"
            ),
            ("Seed", "\(arguments.unsigned("seed")), \(arguments.integer("seeds")) of each"),
            ("Threads", "\(threads), one training each"),
            (
                "Machine",
                "\(Machine.operatingSystem), \(Machine.architecture), \(Machine.coreCount) cores, \(Machine.hasFusedMultiplyAdd ? "fused multiply-add" : "portable build")"
            ),
            ("Version", CommandLineTool.version),
        ]
    }

    private var configurationJSON: JSON {
        .object([
            JSON.Member(
                key: "settings", value: .object(configuration.map { JSON.Member(key: $0.0, value: .string($0.1)) })),
            JSON.Member(
                key: "jobs",
                value: .array(
                    jobs.map {
                        [
                            "model": .string($0.model.name), "hidden": .number(Double($0.hidden)),
                            "seed": .string("\($0.seed)"),
                            "learning_rate": .number($0.options.learningRate),
                            "weight_decay": .number($0.options.optimizer.decay),
                            "clip": $0.options.clip.map { .number(Double($0)) } ?? .null,
                            "embedding_deviation": .number(Double($0.embeddingDeviation)),
                            "steps": .number(Double($0.options.steps)),
                            "cell": CellConfiguration($0.model.cell, input: 100, hidden: $0.hidden).json,
                        ]
                    })),
        ])
    }

    private func resultsJSON(_ runs: [TrainingRun], _ all: [TrainingRun]) -> JSON {
        [
            "plateau_error": .number(data.plateau.error), "plateau_loss": .number(data.plateau.loss),
            "runs": .array(runs.map(\.json)), "all_runs": all.count == runs.count ? .null : .array(all.map(\.json)),
        ]
    }

    private func report(_ runs: [TrainingRun], _ all: [TrainingRun]) -> String {
        var notes = [
            "The paper does not state its learning rates, number of steps or the width of its softmax. Here the softmax has the ten digits, the learning rate of each model is the one with the lowest validation error, and a baseline that comes out better than the paper's is left as it is.",
            "The plateau is exact: the error of answering with the digit that occurred most often, without knowing which letter it belongs to. A model there has learned no binding.",
        ]
        if arguments.flag("quick") {
            notes.insert("A quick run: the trainings were cut short, so the errors are not final.", at: 0)
        }
        if all.count > runs.count {
            notes.append(
                "Of \(all.count) trainings with different learning rates the best on validation is shown for each model and size."
            )
        }
        return HTMLReport(
            title: "Recurrent networks with fast weights on associative retrieval",
            introduction: [
                "A sequence such as c9k8j3f1??c holds letter-digit pairs and asks for the digit of one letter. This is experiment 4.1 of Ba, Hinton, Mnih, Leibo and Ionescu, Using Fast Weights to Attend to the Recent Past (2016), trained anew."
            ],
            command: (["fastweights", "compare"] + arguments.words).joined(separator: " "),
            configuration: configuration, runs: runs,
            plateauError: data.plateau.error, plateauLoss: data.plateau.loss, notes: notes
        ).render()
    }
}
