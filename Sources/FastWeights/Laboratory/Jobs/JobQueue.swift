import Synchronization

/// Jobs that run side by side, each of which keeps its result in the folder as soon as it is done: whatever ends the
/// process, what is finished is not lost and not trained again.
struct JobQueue<Job: IndependentJob> {
    let folder: JobFolder<Job>
    let jobs: [Job]
    let threads: Int
    /// Asked before every job and every step.
    var shouldStop: @Sendable () -> Bool = { Interruption.requested }

    /// The numbers of the jobs without a result.
    var missing: [Int] { jobs.indices.filter { folder.result(of: jobs[$0]) == nil } }

    /// Runs the jobs of these numbers, the longest first so that the cores end together; a lone job has all threads. Says on
    /// standard error what failed. Returns the exit status: 1 if a job failed, 130 after a signal.
    func run(_ numbers: [Int]) throws(FileError) -> Int32 {
        // Before the work, so that a folder that cannot be written costs nothing.
        try folder.prepare()
        Interruption.install()
        let order = numbers.sorted { (jobs[$0].work, $1) > (jobs[$1].work, $0) }
        let display = ProgressDisplay.onStandardError(
            jobs: order.count, work: order.reduce(0) { $0 + jobs[$1].work })
        let failures = Slots<String>(count: order.count)
        // A disk that is full ends the work: what is trained afterwards would be lost.
        let isLosing = Atomic<Bool>(false)
        ParallelLoop.run(order.count, threads: threads) { position in
            let job = jobs[order[position]]
            guard !shouldStop(), !isLosing.load(ordering: .relaxed), folder.result(of: job) == nil else {
                return
            }
            let shown = display.start(job.name, work: job.work)
            let context = JobContext(
                threads: order.count == 1 ? threads : 1,
                progress: { display.update(shown, fraction: $0, status: $1) },
                shouldStop: shouldStop)
            do {
                let result = try job.result(context)
                do {
                    try folder.write(result, of: job)
                } catch {
                    isLosing.store(true, ordering: .relaxed)
                    throw error
                }
                job.finish()
                let status = job.status(of: result)
                display.finish(shown, status: status.text, outcome: status.outcome)
            } catch let stop as InterruptedJob {
                display.finish(shown, status: stop.description, outcome: .interrupted)
            } catch {
                failures.set(position, "\(job.name) failed: \(error)")
                display.finish(shown, status: "\(error)", outcome: .failed)
            }
        }
        display.close()
        // A display of one line may have cut them short.
        for failure in failures.filled { Terminal.write("fastweights: \(failure)\n", to: .error) }
        if shouldStop() {
            Terminal.write(
                "fastweights: interrupted; what is finished is kept in \(folder.path); run the same command to go on\n",
                to: .error)
            return 130
        }
        return failures.filled.isEmpty ? 0 : 1
    }
}
