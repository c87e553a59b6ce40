import Synchronization
import Testing

@testable @_spi(Laboratory) import FastWeights

/// The trainings of `fastweights video`: which there are, and what one comes to.
@Suite struct VideoExperimentTests {
    private typealias Scale = VideoExperiment.Scale

    /// A training of two steps on a few clips, with an evaluation and a checkpoint at each.
    private func job(_ name: String = "cdna", in folder: TemporaryFolder) throws -> VideoJob {
        var setting = VideoExperiment.settings[0]
        (setting.steps, setting.trainingClips, setting.validationClips, setting.testClips) = (2, 8, 2, 2)
        setting.evaluateEvery = 1
        let model = try #require(VideoExperiment.model(named: name))
        return VideoJob(setting: setting, model: model, seed: 3, folder: folder.path("run"))
    }

    private func queue(
        _ job: VideoJob, threads: Int = 1, shouldStop: @escaping @Sendable () -> Bool = { false }
    ) -> JobQueue<VideoJob> {
        var queue = JobQueue(folder: JobFolder<VideoJob>(job.folder), jobs: [job], threads: threads)
        queue.shouldStop = shouldStop
        return queue
    }

    // MARK: Jobs

    @Test func everyJobHasANameOfItsOwn() {
        let (whole, quick) = (
            VideoExperiment.jobs(Scale(), folder: "f"), VideoExperiment.jobs(Scale(isQuick: true), folder: "f")
        )
        #expect(whole.count == 17 && quick.count == 5)
        #expect(Set((whole + quick).map(\.id)).count == 22)
        #expect(whole[0].id == "quick/cdna/seed-1" && quick[0].id == "quick/cdna/short/seed-1")
        #expect(whole.last?.id == "full/paint/seed-1")
        #expect(whole[3].modelFile == "f/models/quick/cdna-without-actions/seed-1.safetensors")
        for job in whole + quick {
            #expect(job.work > 0 && job.configuration.problem == nil)
            #expect(job.id.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/-".contains($0)) })
            // No two jobs that differ in more than their seed train the same.
            let same = (whole + quick).filter { $0.settings.elementsEqual(job.settings) { $0 == $1 } }
            #expect(Set(same.map { "\($0.setting.name) \($0.model.name) \($0.setting.isShort)" }).count == 1)
        }
    }

    @Test func theSettingsAreThoseOfTheIssue() throws {
        let jobs = VideoExperiment.jobs(Scale(), folder: "f")
        let quick = try #require(jobs.first { $0.id == "quick/cdna/seed-2" })
        #expect(quick.configuration.widths == [8, 8, 16, 16, 32, 16, 8] && quick.configuration.gateSize == 3)
        #expect((quick.configuration.actions, quick.configuration.states, quick.configuration.kernels) == (2, 2, 10))
        let settings = Dictionary(uniqueKeysWithValues: quick.settings.map { ($0.name, $0.value) })
        #expect(settings["steps"] == "3000" && settings["batch"] == "8" && settings["learning rate"] == "0.002")
        #expect(settings["clips"] == "3000, 64 and 256" && settings["frames"] == "10" && settings["sampling"] == "120")
        let full = try #require(jobs.first { $0.id == "full/cdna/seed-1" })
        #expect(full.configuration.widths == [16, 16, 32, 32, 64, 32, 16] && full.configuration.gateSize == 5)
        #expect(full.setting.steps == 6000 && full.work > quick.work)
        let blind = try #require(jobs.first { $0.model.name == "cdna-without-actions" })
        #expect((blind.configuration.actions, blind.configuration.states) == (0, 0))
        let short = try #require(VideoExperiment.jobs(Scale(isQuick: true), folder: "f").first)
        #expect(short.setting.steps == 1000 && short.setting.testClips == 64 && short.setting.isShort)
    }

    @Test func modelsAndSeedsAreChosen() {
        let some = VideoExperiment.jobs(Scale(seeds: 2, models: ["paint", "dna"]), folder: "f")
        #expect(
            some.map(\.id).sorted() == [
                "full/paint/seed-1", "full/paint/seed-2", "quick/dna/seed-1", "quick/dna/seed-2", "quick/paint/seed-1",
                "quick/paint/seed-2",
            ])
        #expect(
            VideoExperiment.jobs(Scale(isQuick: true, models: ["stp"]), folder: "f").map(\.id) == [
                "quick/stp/short/seed-1"
            ])
    }

    /// The test clips are those that the world's specification names.
    @Test func theClipsAreThoseOfTheSpecification() throws {
        let clips = try VideoExperiment.testClips(.novel, count: 3)
        #expect(clips.shape.frames == 20 && clips.source.hasSuffix("novel objects, seed 3"))
        #expect(try VideoExperiment.testClips(.seen, count: 1).source.hasSuffix("seen objects, seed 2"))
        let training = try VideoExperiment.clips(.seen, .training, count: 3, frames: 10)
        #expect(training.source.hasSuffix("seen objects, seed 1"))
    }

    // MARK: A training from end to end

    @Test func aTrainingThatIsStoppedGoesOnToTheSameBits() throws {
        let (folder, other) = (TemporaryFolder(), TemporaryFolder())
        let whole = try job(in: other)
        #expect(try queue(whole, threads: 2).run([0]) == 0)
        let job = try job(in: folder)
        // Asked before the job, and before each step: stopped after the first.
        let asked = Atomic<Int>(0)
        let stopped = queue(job) { asked.add(1, ordering: .relaxed).newValue > 2 }
        #expect(try stopped.run([0]) == 130)
        #expect(stopped.folder.result(of: job) == nil && stopped.missing == [0])
        #expect(Files.exists(job.checkpointFile) && !Files.exists(job.modelFile))
        let rest = queue(job)
        #expect(try rest.run([0]) == 0)
        #expect(rest.missing.isEmpty && !Files.exists(job.checkpointFile))
        #expect(try Files.read(job.modelFile) == Files.read(whole.modelFile))
        let result = try #require(rest.folder.result(of: job))
        let expected = try #require(queue(whole).folder.result(of: whole))
        #expect(result.training.isResumed && !expected.training.isResumed)
        #expect((result.training.steps, result.training.curve.count) == (2, 2))
        #expect(result.novel.predicted[.psnr] == expected.novel.predicted[.psnr])
        #expect(result.seen.copied[.ssim] == expected.seen.copied[.ssim])
        #expect(result.novel.clips == 2 && result.novel.predicted[.squaredError].count == 18)
        #expect(result.novel.predicted[.psnr, at: 1] > 0 && result.novel.predicted[.psnr, at: 19].isNaN)
        // Neither trained nor written again.
        let file = folder.path("run/jobs/\(job.id).json")
        let before = try Files.read(file)
        #expect(try queue(job).run([0]) == 0)
        #expect(try Files.read(file) == before)
    }

    @Test(arguments: ["cdna-without-actions", "dna", "stp", "paint"])
    func everyModelIsTrainedAndMeasured(_ name: String) throws {
        let folder = TemporaryFolder()
        let job = try job(name, in: folder)
        let result = try job.result(JobContext(threads: 2, progress: { _, _ in }, shouldStop: { false }))
        #expect(job.owns(result) && result.training.steps == 2 && job.status(of: result).outcome == .done)
        let trained = try VideoModel(path: job.modelFile)
        #expect(trained.configuration == job.configuration)
        #expect(result.training.parameters == trained.parameters.layout.parameterCount)
    }

    /// Of another training: it is not gone on from, and not overwritten.
    @Test func aCheckpointOfOtherSettingsIsRefused() throws {
        let folder = TemporaryFolder()
        let job = try job(in: folder)
        var longer = job.setting
        longer.steps = 3
        let other = VideoJob(setting: longer, model: job.model, seed: job.seed, folder: job.folder)
        let asked = Atomic<Int>(0)
        #expect(try queue(job, shouldStop: { asked.add(1, ordering: .relaxed).newValue > 2 }).run([0]) == 130)
        let before = try Files.read(job.checkpointFile)
        let error = #expect(throws: TrainingError.self) {
            try other.result(JobContext(threads: 1, progress: { _, _ in }, shouldStop: { false }))
        }
        #expect("\(error!)".contains("steps was 2 there and is 3 here"))
        #expect(try Files.read(job.checkpointFile) == before)
    }

    // MARK: Commands

    private func run(_ words: String...) -> Int32 { CommandLineTool.run(arguments: words) }

    @Test func wrongOptionsAreNamed() {
        func message(_ words: String...) -> String? {
            do {
                _ = try Command.video.parse(words)
                return nil
            } catch { return error.description }
        }
        #expect(message("--only", "cdna,vae")?.contains("cdna, cdna-without-actions, dna, stp, paint") == true)
        #expect(message("--seeds", "0")?.contains("--seeds expects a whole number from 1 to 1000") == true)
        #expect(message("--stpes", "3")?.contains("unknown option") == true)
        #expect(message("--quick", "--only", "cdna", "--out", "runs/x", "--threads", "2") == nil)
        #expect(run("jobs", "--task", "vidoe") == 2 && run("jobs", "--task", "video", "--only", "table-1") == 2)
        #expect(run("jobs", "--only", "cdna") == 2)
    }

    @Test func jobsAreListedDoneAndReported() throws {
        let folder = TemporaryFolder()
        let path = folder.path("run")
        #expect(run("jobs", "--task", "video", "--quick", "--out", path) == 0)
        #expect(run("run-job", "5", "--task", "video", "--quick", "--out", path) == 2)
        #expect(run("report", "--task", "video", path) == 2)
        let jobs = VideoExperiment.jobs(Scale(isQuick: true), folder: path)
        let results = JobFolder<VideoJob>(path)
        for job in jobs { try results.write(VideoReportTests.result(job), of: job) }
        // Done already: nothing is trained.
        #expect(run("run-job", "0", "--task", "video", "--quick", "--out", path) == 0)
        #expect(run("video", "--quick", "--out", path) == 0)
        for name in ["report.html", "results.csv"] { #expect(Files.exists(folder.path("run/\(name)"))) }
        #expect(run("report", "--task", "video", path) == 0)
        // The paper's report takes none of them for its own.
        #expect(run("report", path) == 1)
    }

    /// It would be overwritten.
    @Test func aResultOfOtherSettingsIsRefused() throws {
        let folder = TemporaryFolder()
        let path = folder.path("run")
        let job = try #require(VideoExperiment.jobs(Scale(isQuick: true), folder: path).first)
        var setting = job.setting
        setting.steps = 999
        let other = VideoJob(setting: setting, model: job.model, seed: job.seed, folder: path)
        try JobFolder<VideoJob>(path).write(VideoReportTests.result(other), of: other)
        let error = #expect(throws: UsageError.self) {
            _ = try VideoRun(try Command.video.parse(["--quick", "--only", "cdna", "--out", path]))
        }
        #expect("\(error!)".contains("quick/cdna/short/seed-1 with other settings, steps: 999 there, 1000 here"))
        #expect(run("video", "--quick", "--out", path) == 2)
    }
}
