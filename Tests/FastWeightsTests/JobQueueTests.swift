import Synchronization
import Testing

@testable @_spi(Laboratory) import FastWeights

/// Trainings whose results are kept as they finish: of `compare`, whose queue is that of `paper`.
@Suite struct JobQueueTests {
    /// Three trainings of a few steps, GRU before LSTM before plain network: the order of their work.
    private func jobs(steps: Int = 4, rate: Double = 1e-3) throws -> [RetrievalJob] {
        let data = try RetrievalData(AssociativeRetrieval(pairs: 2), counts: [200, 40, 40], seed: 1)
        return ["rnn", "lstm", "gru"].map { name in
            let model = RetrievalModel.named(name)
            var options = TrainingOptions(model.recipe(hidden: 5))
            (options.steps, options.evaluateEvery, options.batch, options.learningRate) = (steps, 2, 20, rate)
            return RetrievalJob(
                training: RetrievalTraining(model: model, hidden: 5, seed: 3, options: options), data: data, dataSeed: 1
            )
        }
    }

    private func queue(
        _ folder: TemporaryFolder, _ jobs: [RetrievalJob], shouldStop: @escaping @Sendable () -> Bool = { false }
    ) -> JobQueue<RetrievalJob> {
        var queue = JobQueue(folder: JobFolder<RetrievalJob>(folder.path("run")), jobs: jobs, threads: 1)
        queue.shouldStop = shouldStop
        return queue
    }

    private func textWithoutSeconds(_ run: TrainingRun) -> String {
        var run = run
        run.seconds = 0
        return run.json.serialized()
    }

    @Test func whatIsFinishedIsKeptAndNotTrainedAgain() throws {
        let (folder, whole) = (TemporaryFolder(), TemporaryFolder())
        let jobs = try jobs()
        #expect(try queue(whole, jobs).run([0, 1, 2]) == 0)
        // Stopped in the second training, after three of its four steps and an evaluation.
        let asked = Atomic<Int>(0)
        let stopped = queue(folder, jobs) {
            let isOneThere = jobs.contains { JobFolder<RetrievalJob>(folder.path("run")).result(of: $0) != nil }
            return isOneThere && asked.add(1, ordering: .relaxed).newValue > 4
        }
        #expect(try stopped.run(stopped.missing) == 130)
        let rest = queue(folder, jobs)
        #expect(rest.missing.count == 2)
        let first = try #require(Set(jobs.indices).subtracting(rest.missing).first)
        let file = folder.path("run/jobs/\(jobs[first].id).json")
        let before = try Files.read(file)
        #expect(try rest.run(rest.missing) == 0)
        #expect(rest.missing.isEmpty)
        try expectSame(Files.read(file), before)
        for job in jobs {
            let found = try #require(rest.folder.result(of: job))
            let expected = try #require(queue(whole, jobs).folder.result(of: job))
            #expect(textWithoutSeconds(found) == textWithoutSeconds(expected))
        }
    }

    @Test func aStopBeforeTheFirstStepKeepsNothing() throws {
        let folder = TemporaryFolder()
        let queue = queue(folder, try jobs(), shouldStop: { true })
        #expect(try queue.run([0, 1, 2]) == 130)
        #expect(try queue.folder.results().results.isEmpty && queue.missing == [0, 1, 2])
    }

    /// What was trained afterwards would be lost too.
    @Test func aResultThatCannotBeKeptEndsTheWork() throws {
        let folder = TemporaryFolder()
        let jobs = try jobs()
        let queue = queue(folder, jobs)
        try queue.folder.prepare()
        // A file where the folder of one of them must be: the longest, which comes first.
        let longest = jobs.indices.max { jobs[$0].work < jobs[$1].work }!
        let name = String(jobs[longest].id.prefix { $0 != "/" })
        try Files.writeAtomically([], to: folder.path("run/jobs/\(name)"))
        #expect(try queue.run([0, 1, 2]) == 1)
        #expect(try queue.folder.results().results.isEmpty)
    }

    @Test func aResultComesBackFromItsFile() throws {
        let job = try jobs()[0]
        let run = try job.result(JobContext(threads: 1, progress: { _, _ in }, shouldStop: { false }))
        #expect(run.steps == 4 && run.curve.map(\.step) == [2, 4] && job.owns(run))
        let again = try TrainingRun(json: JSON(parsing: Array(run.json.serialized().utf8)))
        #expect(again.json == run.json && job.owns(again))
        // A loss that is no number is a result too, and JSON has no such number.
        let diverged = try jobs(rate: 1e30)[0]
        let failure = try diverged.result(JobContext(threads: 1, progress: { _, _ in }, shouldStop: { false }))
        #expect(
            failure.testError == 1 && failure.stoppedEarly != nil && diverged.status(of: failure).outcome == .failed)
        let read = try TrainingRun(json: JSON(parsing: Array(failure.json.serialized().utf8)))
        #expect(read.testLoss == .infinity && diverged.owns(read))
        #expect(throws: InterruptedJob.self) {
            try job.result(JobContext(threads: 1, progress: { _, _ in }, shouldStop: { true }))
        }
        for key in ["model", "seed", "learning_rate", "steps", "test_error", "validation_error", "seconds"] {
            let members = (run.json.members ?? []).filter { $0.key != key }
            let error = #expect(throws: ConfigurationError.self) { try TrainingRun(json: .object(members)) }
            #expect("\(error!)".contains(key))
        }
    }

    @Test func aResultOfOtherSettingsIsNoneOfItsOwn() throws {
        let (short, long) = (try jobs()[1], try jobs(steps: 6)[1])
        #expect(short.id == long.id)
        let run = try short.result(JobContext(threads: 1, progress: { _, _ in }, shouldStop: { false }))
        #expect(short.owns(run) && !long.owns(run))
        #expect(long.difference(from: run) == "steps: 4 there, 6 here")
        let another = try jobs()[0]
        #expect(short.difference(from: run) == nil && another.difference(from: run) == nil)
    }
}
