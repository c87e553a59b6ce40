extension Command {
    /// `fastweights video`.
    static let video = Command(
        name: "video", summary: "Train models that predict video, and compare moving pixels with painting them",
        discussion: """
            Trains what is missing in the folder, as many jobs at a time as there are
            threads, and writes report.html and results.csv. What is finished is kept, and
            the trained models beside it, in models; a training that is interrupted goes on
            where it was.
            """,
        options: VideoRun.options + [.threads],
        examples: ["video --quick", "video --only cdna,paint --seeds 1", "video --out runs/video --threads 8"]
    ) { try VideoRun($0).run() }
}

/// The trainings of models of video that a command's options ask for.
struct VideoRun: JobRun {
    static let command = "video"
    let queue: JobQueue<VideoJob>

    static let options = [
        Option(
            name: "out", placeholder: "DIR", kind: .path(), defaultValue: "runs/video",
            help: "The folder of results, trained models and checkpoints; jobs of several machines may share it"),
        Option(
            name: "only", placeholder: "MODELS", kind: .list(of: .choice(VideoExperiment.models.map(\.name))),
            defaultShown: "all", help: "Models"),
        Option(name: "quick", kind: .flag, help: "Short trainings, one seed, small models: a version of ten minutes"),
        Option(
            name: "seeds", placeholder: "N", kind: .integer(1...1000), defaultShown: "each setting's own",
            help: "Trainings of each model, with seeds 1 to N"),
    ]

    /// Throws `UsageError` where the folder holds results of the same names and other settings, which would be overwritten.
    init(_ arguments: ParsedArguments) throws {
        let scale = VideoExperiment.Scale(
            isQuick: arguments.flag("quick"), seeds: arguments.hasValue("seeds") ? arguments.integer("seeds") : nil,
            models: arguments.hasValue("only") ? arguments.texts("only") : nil)
        let folder = arguments.text("out")
        queue = JobQueue(
            folder: JobFolder(folder), jobs: VideoExperiment.jobs(scale, folder: folder),
            threads: arguments.integer("threads"))
        guard Files.exists("\(folder)/jobs") else { return }
        let results = try queue.folder.results().results
        for job in queue.jobs {
            guard let difference = results.lazy.compactMap({ job.difference(from: $0) }).first else { continue }
            throw UsageError(
                "\(folder) holds a result of \(job.id) with other settings, \(difference). Name another folder with --out, or remove it."
            )
        }
    }

    static func report(_ results: [VideoResult], problems: [String], in folder: String) -> any JobReport {
        VideoReport(results: results, problems: problems, folder: folder)
    }
}
