extension Command {
    /// `fastweights paper`.
    static let paper = Command(
        name: "paper", summary: "Reproduce every table and figure of the paper",
        discussion: """
            Trains what is missing in the folder, as many jobs at a time as there are
            threads, and writes report.html and results.csv. What is finished is kept:
            the same command goes on after an interruption.
            """,
        options: PaperRun.options + [.threads],
        examples: ["paper --quick", "paper --only table-1 --seeds 5", "paper --out runs/paper --threads 8"]
    ) { try PaperRun($0).run() }
}

/// The trainings of the paper that a command's options ask for.
struct PaperRun: JobRun {
    static let command = "paper"
    let queue: JobQueue<PaperJob>

    static let options = [
        Option(
            name: "out", placeholder: "DIR", kind: .path(), defaultValue: "runs/paper",
            help: "The folder of the results; jobs of several machines may share it"),
        Option(
            name: "only", placeholder: "NAMES", kind: .list(of: .choice(PaperExperiment.all.map(\.name))),
            defaultShown: "all", help: "Experiments"),
        Option(name: "quick", kind: .flag, help: "Short trainings, one seed: a version of ten minutes"),
        Option(
            name: "seeds", placeholder: "N", kind: .integer(1...1000), defaultShown: "each experiment's own",
            help: "Trainings for each place of a table, with seeds 1 to N; table-3 and inside keep their own"),
    ]

    /// Throws where the data folder that is named is not there, and where nothing is left of what was asked for.
    init(_ arguments: ParsedArguments) throws(UsageError) {
        if let data = DataFolder.path, !Files.exists(data) {
            throw UsageError("FASTWEIGHTS_DATA names the folder \(data), which is not there.")
        }
        let scale = PaperExperiment.Scale(
            isQuick: arguments.flag("quick"), seeds: arguments.hasValue("seeds") ? arguments.integer("seeds") : nil)
        let names = arguments.hasValue("only") ? arguments.texts("only") : PaperExperiment.all.map(\.name)
        let experiments = PaperExperiment.all.filter { names.contains($0.name) }
        let jobs = experiments.flatMap { $0.jobs(scale) }
        let without = experiments.filter { $0.jobs(scale).isEmpty }.map(\.name).joined(separator: ", ")
        let reason = "\(without) needs data that are not there: FASTWEIGHTS_DATA names the folder with cmu_faces."
        guard !jobs.isEmpty else { throw UsageError(reason) }
        if !without.isEmpty { Terminal.write("fastweights: left out: \(reason)\n", to: .error) }
        /// Jobs with so many seeds.
        func count(_ seeds: Int) -> Int {
            experiments.reduce(0) { $0 + $1.jobs(PaperExperiment.Scale(isQuick: scale.isQuick, seeds: seeds)).count }
        }
        guard scale.seeds == nil || count(1) != count(2) else {
            throw UsageError("--seeds changes nothing: \(names.joined(separator: ", ")) keeps its own.")
        }
        queue = JobQueue(
            folder: JobFolder(arguments.text("out")), jobs: jobs, threads: arguments.integer("threads"))
    }

    static func report(_ results: [PaperResult], problems: [String], in folder: String) -> any JobReport {
        PaperReport(results: results, problems: problems)
    }
}
