/// A training of a comparison: one model, of one size, seed and learning rate, on examples that all of them share.
struct RetrievalJob: Sendable {
    let training: RetrievalTraining
    let data: RetrievalData
    /// The seed that the examples were drawn with.
    let dataSeed: UInt64

    /// What stands for it in tables as long as there is no result.
    var unfinished: UnfinishedTraining {
        UnfinishedTraining(
            model: training.model.title, hidden: training.hidden, pairs: data.task.pairs, seed: training.seed,
            learningRate: training.options.learningRate)
    }

    /// Why `result` is none of this job's; nil where it differs in more than settings.
    func difference(from result: TrainingRun) -> String? {
        guard isNamed(as: result) else { return nil }
        let (own, other) = (settings, result.settings)
        return own.lazy.compactMap { setting in
            let there = other.first { $0.name == setting.name }?.value ?? "not given"
            return there == setting.value ? nil : "\(setting.name): \(there) there, \(setting.value) here"
        }.first
    }

    private func isNamed(as result: TrainingRun) -> Bool {
        (result.model, result.hidden, result.seed) == (training.model.title, training.hidden, training.seed)
            && result.learningRate == training.options.learningRate
    }
}

extension RetrievalJob: IndependentJob {
    var id: String {
        let rate = JSON.number(training.options.learningRate).serialized()
        return "\(training.model.name)/r-\(training.hidden)/rate-\(rate)/seed-\(training.seed)"
    }

    var name: String { training.name }
    var work: Double { training.work(pairs: data.task.pairs) }

    var settings: [(name: String, value: String)] {
        let options = training.options
        return training.settings([data.training.count, data.validation.count, data.test.count]) + [
            ("seed of the examples", "\(dataSeed)"), ("pairs", "\(data.task.pairs)"),
            ("digits", data.task.repeatsDigits ? "with replacement" : "without replacement"),
            ("steps between evaluations", "\(options.evaluateEvery)"),
            ("patience", options.patience.map { "\($0)" } ?? "none"),
        ]
    }

    /// Trains and tests. A loss that stops being a number is a result too.
    func result(_ context: JobContext) throws -> TrainingRun {
        var training = training
        training.options.threads = context.threads
        var run: TrainingRun
        do throws(TrainingError) {
            run = try training.run(data, shouldStop: context.shouldStop) { context.progress($0.done, $0.status) }.run
        } catch {
            run = training.failure(error, data)
            run.settings = settings
            return run
        }
        guard run.stoppedEarly == nil else { throw InterruptedJob() }
        run.settings = settings
        return run
    }

    func owns(_ result: TrainingRun) -> Bool {
        isNamed(as: result)
            && result.settings.elementsEqual(settings) { ($0.name, $0.value) == ($1.name, $1.value) }
    }

    func status(of result: TrainingRun) -> (text: String, outcome: ProgressDisplay.Outcome) {
        if let reason = result.stoppedEarly { return (reason, .failed) }
        return ("test error \(FixedPoint.percent(result.testError)) after \(result.steps) steps", .done)
    }
}
