// The commands that reproduce the paper: all of it, or job by job on several machines.

extension Option {
    fileprivate static let folder = Option(
        name: "out", placeholder: "DIR", kind: .path(), defaultValue: "runs/paper",
        help: "The folder of the results; jobs of several machines may share it")
    fileprivate static let experiments = Option(
        name: "only", placeholder: "NAMES", kind: .list(of: .choice(PaperExperiment.all.map(\.name))),
        defaultShown: "all", help: "Experiments")
    fileprivate static let quick = Option(
        name: "quick", kind: .flag, help: "Short trainings, one seed: a version of ten minutes")
    fileprivate static let seeds = Option(
        name: "seeds", placeholder: "N", kind: .integer(1...1000), defaultShown: "each experiment's own",
        help: "Trainings for each place of a table, with seeds 1 to N; table-3 and inside keep their own")
    fileprivate static let jobs = [folder, experiments, quick, seeds]
}

extension Command {
    /// `fastweights paper`.
    static let paper = Command(
        name: "paper", summary: "Reproduce every table and figure of the paper",
        discussion: """
            Trains what is missing in the folder, as many jobs at a time as there are
            threads, and writes report.html and results.csv. What is finished is kept:
            the same command goes on after an interruption.
            """,
        options: Option.jobs + [.threads],
        examples: ["paper --quick", "paper --only table-1 --seeds 5", "paper --out runs/paper --threads 8"]
    ) { try PaperRun($0).run() }

    /// `fastweights jobs`.
    static let jobs = Command(
        name: "jobs", summary: "List the paper's trainings, each an independent job",
        discussion: """
            The numbers are those that run-job takes, with the same options. A job array
            of a batch system runs them on many machines; report merges the results.
            """,
        options: Option.jobs + [
            Option(name: "missing", kind: .flag, help: "Print only the numbers of jobs without a result, one a line"),
            .threads,
        ], examples: ["jobs", "jobs --quick --only table-1", "jobs --missing"]
    ) { arguments in
        let run = try PaperRun(arguments)
        let missing = run.queue.missing
        if arguments.flag("missing") {
            Terminal.write(missing.map { "\($0)\n" }.joined())
            return 0
        }
        var table = TextTable(["Job", "Name", "Minutes", ""], alignments: [.right, .left, .right, .left])
        for (number, job) in run.jobs.enumerated() {
            table.add([
                "\(number)", job.id, FixedPoint.text(job.seconds / 60, decimals: 1),
                missing.contains(number) ? "" : "done",
            ])
        }
        Terminal.write(table.plain(width: Terminal.tableWidth()) + "\n" + run.estimate(missing) + "\n")
        return 0
    }

    /// `fastweights run-job`.
    static let runJob = Command(
        name: "run-job", summary: "Run one of the paper's trainings by its number",
        discussion: """
            Writes the job's result into the folder, or nothing if it is there already.
            """,
        positionals: [Positional(name: "number", help: "A number of fastweights jobs, from 0")],
        options: Option.jobs + [.threads],
        examples: ["run-job 12", "run-job $SLURM_ARRAY_TASK_ID --threads 1"]
    ) { arguments in
        let run = try PaperRun(arguments)
        let word = arguments.positional("number")[0]
        guard let number = Int(word), run.jobs.indices.contains(number) else {
            throw UsageError(
                "run-job expects a number from 0 to \(run.jobs.count - 1), found \"\(word)\". Run fastweights jobs to see them."
            )
        }
        guard run.folder.result(of: run.jobs[number]) == nil else {
            Terminal.write("fastweights run-job: \(run.jobs[number].id) is done already\n", to: .error)
            return 0
        }
        return try run.queue.run([number])
    }

    /// `fastweights report`.
    static let report = Command(
        name: "report", summary: "Merge the paper's results into one report",
        positionals: [Positional(name: "folder", help: "A folder that paper or run-job wrote to")],
        examples: ["report runs/paper"]
    ) { arguments in
        let path = arguments.positional("folder")[0]
        guard Files.exists("\(path)/jobs") else {
            throw UsageError("report expects a folder that paper or run-job wrote to; \(path) has no folder jobs.")
        }
        return try PaperRun.report(JobFolder(path))
    }
}

/// The jobs that a command's options ask for, and their folder.
private struct PaperRun {
    let queue: JobQueue<PaperJob>
    var folder: JobFolder<PaperJob> { queue.folder }
    var jobs: [PaperJob] { queue.jobs }

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

    /// How much is left to do.
    func estimate(_ numbers: [Int]) -> String {
        let seconds = numbers.map { jobs[$0].seconds }
        let all = max(seconds.reduce(0, +) / Double(queue.threads), seconds.max() ?? 0)
        return "\(jobs.count - numbers.count) of \(jobs.count) jobs are done; "
            + (numbers.isEmpty
                ? "nothing is left."
                : "about \(FixedPoint.duration(all)) for the others with threads: \(queue.threads).")
    }

    /// Everything that is missing, then the report.
    func run() throws -> Int32 {
        let numbers = queue.missing
        Terminal.write("fastweights paper: " + estimate(numbers) + "\n", to: .error)
        let status = try queue.run(numbers)
        let reported = try PaperRun.report(folder)
        return status == 0 ? reported : status
    }

    /// Writes the report on all results in a folder and prints its tables; on none it writes nothing, as what stands there
    /// is of more. Returns the exit status.
    static func report(_ folder: JobFolder<PaperJob>) throws -> Int32 {
        let (results, problems) = try folder.results()
        guard !results.isEmpty else {
            for problem in problems { Terminal.write("fastweights: \(problem)\n", to: .error) }
            Terminal.write(
                "fastweights: there are no results in \(folder.path) yet, and no report is written\n", to: .error)
            return 1
        }
        let report = PaperReport(results: results, problems: problems)
        try Files.writeAtomically(Array(report.render().utf8), to: "\(folder.path)/report.html")
        try Files.writeAtomically(Array(report.csv().utf8), to: "\(folder.path)/results.csv")
        Terminal.write(report.plain(width: Terminal.tableWidth()) + "Report: \(folder.path)/report.html\n")
        return 0
    }
}
