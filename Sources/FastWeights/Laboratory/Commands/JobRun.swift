/// The jobs that a command's options ask for, their folder, and the report that is made of their results. The work of a job is
/// in seconds on a core.
protocol JobRun {
    associatedtype Job: IndependentJob
    /// The command that runs all of them.
    static var command: String { get }
    var queue: JobQueue<Job> { get }
    /// Throws where the options ask for what cannot be.
    init(_ arguments: ParsedArguments) throws
    /// The report on results in a folder, with what is wrong with files that are none.
    static func report(_ results: [Job.Result], problems: [String], in folder: String) -> any JobReport
}

extension JobRun {
    var folder: JobFolder<Job> { queue.folder }
    var jobs: [Job] { queue.jobs }

    /// How much is left to do.
    func estimate(_ numbers: [Int]) -> String {
        let seconds = numbers.map { jobs[$0].work }
        let all = max(seconds.reduce(0, +) / Double(queue.threads), seconds.max() ?? 0)
        return "\(jobs.count - numbers.count) of \(jobs.count) jobs are done; "
            + (numbers.isEmpty
                ? "nothing is left."
                : "about \(FixedPoint.duration(all)) for the others with threads: \(queue.threads).")
    }

    /// Everything that is missing, then the report.
    func run() throws -> Int32 {
        let numbers = queue.missing
        Terminal.write("fastweights \(Self.command): " + estimate(numbers) + "\n", to: .error)
        let status = try queue.run(numbers)
        let reported = try Self.report(folder)
        return status == 0 ? reported : status
    }

    /// Prints all jobs, or the numbers alone of those without a result.
    func list(missingAlone: Bool) -> Int32 {
        let missing = queue.missing
        if missingAlone {
            Terminal.write(missing.map { "\($0)\n" }.joined())
            return 0
        }
        var table = TextTable(["Job", "Name", "Minutes", ""], alignments: [.right, .left, .right, .left])
        for (number, job) in jobs.enumerated() {
            table.add([
                "\(number)", job.id, FixedPoint.text(job.work / 60, decimals: 1),
                missing.contains(number) ? "" : "done",
            ])
        }
        Terminal.write(table.plain(width: Terminal.tableWidth()) + "\n" + estimate(missing) + "\n")
        return 0
    }

    /// Runs the job whose number `word` is, unless it is done.
    func run(_ word: String) throws -> Int32 {
        guard let number = Int(word), jobs.indices.contains(number) else {
            throw UsageError(
                "run-job expects a number from 0 to \(jobs.count - 1), found \"\(word)\". Run fastweights jobs to see them."
            )
        }
        guard folder.result(of: jobs[number]) == nil else {
            Terminal.write("fastweights run-job: \(jobs[number].id) is done already\n", to: .error)
            return 0
        }
        return try queue.run([number])
    }

    /// Writes the report on all results in a folder and prints its tables; on none it writes nothing, as what stands there
    /// is of more. Returns the exit status.
    static func report(_ folder: JobFolder<Job>) throws -> Int32 {
        let (results, problems) = try folder.results()
        guard !results.isEmpty else {
            for problem in problems { Terminal.write("fastweights: \(problem)\n", to: .error) }
            Terminal.write(
                "fastweights: there are no results in \(folder.path) yet, and no report is written\n", to: .error)
            return 1
        }
        let report = Self.report(results, problems: problems, in: folder.path)
        try Files.writeAtomically(Array(report.render().utf8), to: "\(folder.path)/report.html")
        try Files.writeAtomically(Array(report.csv().utf8), to: "\(folder.path)/results.csv")
        Terminal.write(report.plain(width: Terminal.tableWidth()) + "Report: \(folder.path)/report.html\n")
        return 0
    }
}

// MARK: - Job by job, on several machines

extension Command {
    /// The experiments whose trainings are jobs, by the commands that run all of one.
    private static let tasks = [
        Task(name: PaperRun.command, options: PaperRun.options),
        Task(name: VideoRun.command, options: VideoRun.options),
    ]

    /// That of `--task`.
    private static func experiment(_ arguments: ParsedArguments) -> any JobRun.Type {
        arguments.text("task") == VideoRun.command ? VideoRun.self : PaperRun.self
    }

    /// `fastweights jobs`.
    static let jobs = Command(
        name: "jobs", summary: "List the trainings of an experiment, each an independent job",
        discussion: """
            The numbers are those that run-job takes, with the same options. A job array
            of a batch system runs them on many machines; report merges the results.
            """,
        options: [
            Option(name: "missing", kind: .flag, help: "Print only the numbers of jobs without a result, one a line"),
            .threads,
        ], tasks: tasks,
        examples: ["jobs", "jobs --quick --only table-1", "jobs --task video", "jobs --missing"]
    ) { arguments in
        try experiment(arguments).init(arguments).list(missingAlone: arguments.flag("missing"))
    }

    /// `fastweights run-job`.
    static let runJob = Command(
        name: "run-job", summary: "Run one training of an experiment by its number",
        discussion: """
            Writes the job's result into the folder, or nothing if it is there already.
            """,
        positionals: [Positional(name: "number", help: "A number of fastweights jobs, from 0")],
        options: [.threads], tasks: tasks,
        examples: [
            "run-job 12", "run-job 3 --task video --threads 2", "run-job $SLURM_ARRAY_TASK_ID --threads 1",
        ]
    ) { arguments in
        try experiment(arguments).init(arguments).run(arguments.positional("number")[0])
    }

    /// `fastweights report`.
    static let report = Command(
        name: "report", summary: "Merge the results of an experiment into one report",
        positionals: [Positional(name: "folder", help: "A folder that paper, video or run-job wrote to")],
        tasks: tasks.map { Task(name: $0.name, options: []) },
        examples: ["report runs/paper", "report --task video runs/video"]
    ) { arguments in
        let path = arguments.positional("folder")[0]
        guard Files.exists("\(path)/jobs") else {
            throw UsageError(
                "report expects a folder that paper, video or run-job wrote to; \(path) has no folder jobs.")
        }
        return try experiment(arguments).report(inFolder: path)
    }
}

extension JobRun {
    fileprivate static func report(inFolder path: String) throws -> Int32 { try report(JobFolder<Job>(path)) }
}
