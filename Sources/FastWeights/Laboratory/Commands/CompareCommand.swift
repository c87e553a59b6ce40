extension Command {
    /// `fastweights compare`.
    static let compare = Command(
        name: "compare", summary: "Compare models on associative retrieval with the paper",
        discussion: """
            Trains every model at every size, as many at a time as there are threads, and
            prints test errors beside Table 1 of Ba et al. 2016 and the exact plateau, the
            error of a model that binds no digit to its letter. The run folder holds
            config.json, results.json, metrics.csv and report.html, and in jobs each
            training's result as soon as it is finished: the same command goes on after
            an interruption, and one with more models, sizes, seeds or rates adds to it. A
            folder with results of other settings is refused.
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
                help: "Write the results there too, once all are finished; - is standard output"),
            Option(
                name: "out", placeholder: "DIR", kind: .path(),
                defaultShown: "runs/compare, or runs/compare-quick with --quick", help: "The run folder"),
        ] + Option.data + [.batch(), .clip(), .embeddingDeviation] + Option.evaluation() + [.seed, .threads],
        examples: [
            "compare --quick", "compare --models fast-weights --hidden 20 --seeds 3 --out runs/seeds",
            "compare --pairs 8 --out runs/pairs-8",
        ]
    ) { try Comparison($0).run() }
}

/// A grid of trainings, side by side, and what is written about them.
private struct Comparison {
    private let arguments: ParsedArguments
    private let data: RetrievalData
    private let queue: JobQueue<RetrievalJob>

    private var jobs: [RetrievalJob] { queue.jobs }
    private var folder: String { queue.folder.path }

    init(_ arguments: ParsedArguments) throws {
        self.arguments = arguments
        let quick = arguments.flag("quick")
        let seed = arguments.unsigned("seed")
        guard !quick || !arguments.isGiven("steps") else {
            throw UsageError("--quick and --steps both say how many steps to train; leave one of them out.")
        }
        let data = try RetrievalData(arguments, seed: seed)
        var jobs: [RetrievalJob] = []
        for name in arguments.texts("models") {
            let model = RetrievalModel.named(name)
            for hidden in arguments.integers("hidden") {
                try model.check(hidden: hidden)
                let recipe = model.recipe(hidden: hidden)
                let rates =
                    arguments.hasValue("learning-rates") ? arguments.numbers("learning-rates") : [recipe.learningRate]
                for offset in 0..<UInt64(arguments.integer("seeds")) {
                    for rate in rates {
                        var options = TrainingOptions(arguments, recipe, quick: quick)
                        options.learningRate = rate
                        options.seed = seed &+ offset
                        var training = RetrievalTraining(
                            model: model, hidden: hidden, seed: seed &+ offset, options: options)
                        training.takeFirstValues(arguments)
                        jobs.append(RetrievalJob(training: training, data: data, dataSeed: seed))
                    }
                }
            }
        }
        self.data = data
        let usual = quick ? "runs/compare-quick" : "runs/compare"
        queue = JobQueue(
            folder: JobFolder(arguments.hasValue("out") ? arguments.text("out") : usual), jobs: jobs,
            threads: arguments.integer("threads"))
    }

    func run() throws -> Int32 {
        let file = arguments.textIfAny("json")
        if let file, file != Terminal.outputPath { try Files.checkWritable(file) }
        try queue.folder.prepare()
        try refuseOthersResults()
        try write("config.json", configurationJSON.serialized(indented: true) + "\n")
        let missing = queue.missing
        if missing.count < jobs.count {
            Terminal.write(
                "fastweights compare: \(jobs.count - missing.count) of \(jobs.count) trainings are finished in \(folder) already\n",
                to: .error)
        }
        let status = try queue.run(missing)
        let outcome = ComparisonOutcome(jobs, queue.folder.result)
        func say(_ text: String) { Terminal.write("fastweights compare: \(text)\n", to: .error) }
        let held = trainingsHeld
        // What stands in the folder is replaced by no less than it held.
        if outcome.all.count < held {
            say(
                "results.json, metrics.csv and report.html of \(held) trainings stay as they are, as \(outcome.all.count) are finished now"
            )
        } else if !outcome.all.isEmpty {
            try write("metrics.csv", MetricsCSV.text(outcome.all, unfinished: outcome.missing))
            try write("results.json", results(outcome))
            try write("report.html", report(outcome))
        }
        if let file {
            if outcome.missing.isEmpty {
                try Terminal.write(results(outcome), toPath: file)
            } else {
                say("\(file == Terminal.outputPath ? "JSON" : file) is not written, as trainings are not finished")
            }
        }
        if file != Terminal.outputPath {
            let table = ComparisonTable(
                runs: outcome.runs, unfinished: outcome.unfinished, plateauError: data.plateau.error,
                pairs: data.task.pairs)
            Terminal.write(
                table.plain(width: Terminal.tableWidth())
                    + (outcome.all.isEmpty ? "" : "\nReport: \(folder)/report.html\n"))
        }
        if status != 0 { return status }
        return outcome.all.contains { $0.stoppedEarly != nil } ? 1 : 0
    }

    /// Trainings that results.json in the folder is of.
    private var trainingsHeld: Int {
        guard let results = try? JSON(parsing: Files.read("\(folder)/results.json")) else { return 0 }
        return max(results["runs"]?.elements?.count ?? 0, results["all_runs"]?.elements?.count ?? 0)
    }

    /// Throws where the folder holds results that are none of these jobs', and would not be among what is written.
    private func refuseOthersResults() throws {
        func fail(_ problem: String) -> OtherResultsError {
            OtherResultsError(description: "\(folder): \(problem). Name another folder with --out, or remove this one")
        }
        let (results, problems) = try queue.folder.results()
        for problem in problems { Terminal.write("fastweights compare: \(problem)\n", to: .error) }
        for result in results where !jobs.contains(where: { $0.owns(result) }) {
            let name = "\(result.model) R=\(result.hidden) seed \(result.seed) rate \(result.learningRate)"
            throw fail(
                jobs.lazy.compactMap { $0.difference(from: result) }.first.map {
                    "the folder holds results of other settings: \(name), \($0)"
                } ?? "the folder holds a result of \(name), which is not asked for here")
        }
        if results.isEmpty && Files.exists("\(folder)/results.json") {
            throw fail("results.json is there, but the folder jobs has no result that it could be of")
        }
    }

    private func write(_ name: String, _ text: String) throws {
        try Files.writeAtomically(Array(text.utf8), to: "\(folder)/\(name)")
    }

    private var configuration: [(String, String)] {
        let options = jobs[0].training.options
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
                "Adam, batch \(options.batch), \(options.schedule.description) schedule; rates, decays, clipping and steps in config.json"
            ),
            (
                "Evaluation",
                "every \(options.evaluateEvery) steps; the model with the lowest validation error is tested"
            ),
            ("Seed", "\(arguments.unsigned("seed")), \(arguments.integer("seeds")) of each"),
            ("Threads", "\(queue.threads), one training each"),
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
                    jobs.map { job in
                        let (training, options) = (job.training, job.training.options)
                        return [
                            "model": .string(training.model.name), "hidden": .number(Double(training.hidden)),
                            "seed": .string("\(training.seed)"),
                            "learning_rate": .number(options.learningRate),
                            "weight_decay": .number(options.optimizer.weightDecay),
                            "clip": options.clip.map { .number(Double($0)) } ?? .null,
                            "embedding_deviation": .number(Double(training.embeddingDeviation)),
                            "steps": .number(Double(options.steps)),
                            "cell": training.model.cell.json(input: 100, hidden: training.hidden),
                        ]
                    })),
        ])
    }

    private func results(_ outcome: ComparisonOutcome) -> String {
        let json: JSON = [
            "plateau_error": .number(data.plateau.error), "plateau_loss": .number(data.plateau.loss),
            "runs": .array(outcome.runs.map(\.json)),
            "all_runs": outcome.all.count == outcome.runs.count ? .null : .array(outcome.all.map(\.json)),
            "not_finished": .array(outcome.missing.map(\.json)),
        ]
        return json.serialized(indented: true) + "\n"
    }

    private func report(_ outcome: ComparisonOutcome) -> String {
        var notes = [
            "The paper does not state its learning rates, number of steps or the width of its softmax. Here the softmax has the ten digits, the learning rate of each model is the one with the lowest validation error, and a baseline that comes out better than the paper's is left as it is.",
            "The plateau is exact: the error of answering with the digit that occurred most often, without knowing which letter it belongs to. A model there has learned no binding.",
        ]
        if arguments.flag("quick") {
            notes.insert("A quick run: the trainings were cut short, so the errors are not final.", at: 0)
        }
        if arguments.hasValue("learning-rates") {
            notes.append(
                "Of \(jobs.count) trainings with different learning rates the best on validation is shown for each model and size."
            )
        }
        return HTMLReport(
            title: "Recurrent networks with fast weights on associative retrieval",
            introduction: [
                "A sequence such as c9k8j3f1??c holds letter-digit pairs and asks for the digit of one letter. This is experiment 4.1 of Ba, Hinton, Mnih, Leibo and Ionescu, Using Fast Weights to Attend to the Recent Past (2016), trained anew."
            ],
            command: (["fastweights", "compare"] + arguments.words).joined(separator: " "),
            configuration: configuration, runs: outcome.runs, unfinished: outcome.unfinished,
            plateauError: data.plateau.error, plateauLoss: data.plateau.loss, notes: notes
        ).render()
    }
}

/// A folder with results that would be lost or mixed with others.
struct OtherResultsError: Error, CustomStringConvertible, Equatable {
    let description: String
}

/// What the jobs of a comparison came to so far.
struct ComparisonOutcome {
    /// Every result, and what has none, in the order of the jobs.
    let all: [TrainingRun]
    let missing: [UnfinishedTraining]
    /// Of trainings that differ in the learning rate alone the one with the lowest validation error, and where one of them
    /// has no result yet a word for all.
    let runs: [TrainingRun]
    let unfinished: [UnfinishedTraining]

    init(_ jobs: [RetrievalJob], _ result: (RetrievalJob) -> TrainingRun?) {
        let results = jobs.map(result)
        all = results.compactMap { $0 }
        missing = zip(jobs, results).filter { $1 == nil }.map { $0.0.unfinished }
        var places: [[Int]] = []
        for (index, job) in jobs.enumerated() {
            func isPlace(_ indices: [Int]) -> Bool {
                let (first, own) = (jobs[indices[0]].training, job.training)
                return (first.model.name, first.hidden, first.seed) == (own.model.name, own.hidden, own.seed)
            }
            if let place = places.firstIndex(where: isPlace) {
                places[place].append(index)
            } else {
                places.append([index])
            }
        }
        let isFinished: ([Int]) -> Bool = { $0.allSatisfy { results[$0] != nil } }
        runs = places.filter(isFinished).compactMap { place in
            place.compactMap { results[$0] }.min { $0.validationError < $1.validationError }
        }
        unfinished = places.filter { !isFinished($0) }.map { jobs[$0[0]].unfinished }
    }
}
