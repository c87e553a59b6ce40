/// A training that depends on no other, and ends in a result that a file of its own keeps: so many of them can run side by
/// side, on other machines, in any order, and go on after whatever ended them.
protocol IndependentJob: Sendable {
    associatedtype Result: JobResult
    /// Names the job and its file.
    var id: String { get }
    /// What the progress display calls it.
    var name: String { get }
    /// Everything that decides the result, in the order shown. A result with other settings is not this job's.
    var settings: [(name: String, value: String)] { get }
    /// About how long it takes, beside others.
    var work: Double { get }
    /// Does the work. Throws `InterruptedJob` when it was stopped.
    func result(_ context: JobContext) throws -> Result
    /// Whether `result` is what this job would give again.
    func owns(_ result: Result) -> Bool
    /// What a result comes to, in one short line, and whether it counts as a failure.
    func status(of result: Result) -> (text: String, outcome: ProgressDisplay.Outcome)
    /// Told that its result is kept: removes what it would have gone on from.
    func finish()
}

extension IndependentJob {
    func finish() {}
}

/// What a job came to, as its file keeps it.
protocol JobResult: Sendable {
    var json: JSON { get }
    /// Reads what `json` wrote. Throws with the name of what is missing or of the wrong kind.
    init(json: JSON) throws(ConfigurationError)
}

/// What a job is run with.
struct JobContext {
    let threads: Int
    /// Told how far it is, 0...1, and how it stands in one short line.
    let progress: (Double, String) -> Void
    /// Asked before every step.
    let shouldStop: () -> Bool
}

/// A job that was stopped before its end; its words say what of it is kept.
struct InterruptedJob: Error, CustomStringConvertible {
    var description = "interrupted, not kept"
}

/// A folder with the results of jobs, one file each under "jobs", which several processes may write to.
struct JobFolder<Job: IndependentJob>: Sendable {
    let path: String

    init(_ path: String) { self.path = path }

    private func file(_ job: Job) -> String { "\(path)/jobs/\(job.id).json" }

    /// Makes the folder where there is none. Throws where a result could not be written, so that the work need not begin.
    func prepare() throws(FileError) {
        try Files.createDirectory("\(path)/jobs")
        try Files.checkWritable("\(path)/jobs/result", room: 1 << 16)
    }

    /// The result of `job`, if it is there, whole and of the same settings.
    func result(of job: Job) -> Job.Result? {
        guard let result = try? JobFolder.read(file(job)), job.owns(result) else { return nil }
        return result
    }

    /// Keeps a result; the file is there whole or not at all.
    func write(_ result: Job.Result, of job: Job) throws(FileError) {
        let file = file(job)
        try Files.createDirectory(String(file[..<file.lastIndex(of: "/")!]))
        try Files.writeAtomically(Array((result.json.serialized(indented: true) + "\n").utf8), to: file)
    }

    /// Every result in the folder, and what is wrong with files that are none.
    func results() throws(FileError) -> (results: [Job.Result], problems: [String]) {
        var (results, problems): ([Job.Result], [String]) = ([], [])
        for name in try Files.list("\(path)/jobs", suffix: ".json") {
            do {
                results.append(try JobFolder.read("\(path)/jobs/\(name)"))
            } catch {
                problems.append("\(path)/jobs/\(name) is no result: \(error)")
            }
        }
        return (results, problems)
    }

    private static func read(_ path: String) throws -> Job.Result {
        try Job.Result(json: JSON(parsing: Files.read(path)))
    }
}
