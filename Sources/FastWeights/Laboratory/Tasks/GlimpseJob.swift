/// One training of one model on glimpses, from first values to test error: what `fastweights run-job` does.
struct GlimpseJob: Sendable {
    let model: GlimpseModel
    /// Hidden units, "features" in the paper's tables.
    let features: Int
    let seed: UInt64
    var settings: GlimpseSettings

    /// Traps unless there is at least one feature.
    init(_ model: GlimpseModel, features: Int, seed: UInt64, settings: GlimpseSettings) {
        require(features > 0, "a model needs at least 1 feature, found \(features)")
        (self.model, self.features, self.seed, self.settings) = (model, features, seed, settings)
    }

    /// What came out.
    struct Result: Sendable {
        var validationError: Double
        /// Test error of the model with the lowest validation error, 0...1.
        var testError: Double
        var testLoss: Double
        var curve: [Trainer.Point]
        var steps: Int
        /// Trained numbers.
        var parameters: Int
        /// Which images.
        var source: String
        var isGenerated: Bool
        var interrupted: Bool
    }

    /// Steps of the whole training.
    func steps(_ data: GlimpseData) -> Int {
        max(1, settings.epochs * data.training.count / settings.batch)
    }

    /// Trains, and tests the kept model. `progress` and `shouldStop` as in `Trainer.run`; the bits of the result do not
    /// depend on `threads`. Throws `TrainingError` when the loss diverges.
    func run(
        _ data: GlimpseData, threads: Int = 1, progress: (Trainer.Progress) -> Void = { _ in },
        shouldStop: () -> Bool = { false }
    ) throws(TrainingError) -> Result {
        let cell = model.cell(settings)
        let parts = data.sequences(cell == nil ? nil : settings.controls, shift: settings.shift)
        let network = Network(configuration(cell, data, parts.training), seed: seed)
        // Sequences of numbers with classes that the network has: nothing is left to throw for.
        func fits<Value>(_ body: () throws(SequenceDataError) -> Value) -> Value {
            do { return try body() } catch { misuse("the network is made for these images: \(error)") }
        }
        let trainer = fits { () throws(SequenceDataError) in
            try Trainer(
                network, training: parts.training, validation: parts.validation, options: options(data, threads))
        }
        let outcome = try trainer.run(progress: progress, shouldStop: shouldStop)
        let test = fits { () throws(SequenceDataError) in try network.evaluate(parts.test, threads: threads) }
        return Result(
            validationError: outcome.bestError, testError: test.error, testLoss: test.loss,
            curve: outcome.curve, steps: outcome.steps,
            parameters: network.parameters.layout.parameterCount, source: data.source,
            isGenerated: data.isGenerated, interrupted: outcome.interrupted)
    }

    private func configuration(
        _ cell: Cell?, _ data: GlimpseData, _ training: SequenceData
    ) -> NetworkConfiguration {
        let classes = data.training.classes
        guard let cell else {
            return GlimpseModel.convolutions(
                side: data.training.height, features: features, classes: classes, settings.windows)
        }
        return NetworkConfiguration(
            .numbers(training.width!), [cell.layer(features), .lastStep, .dense(classes)])
    }

    private func options(_ data: GlimpseData, _ threads: Int) -> TrainingOptions {
        var options = TrainingOptions()
        options.batch = settings.batch
        options.steps = steps(data)
        options.evaluateEvery = max(1, min(data.training.count / settings.batch, options.steps))
        options.learningRate = settings.learningRate
        options.optimizer = .adam(weightDecay: settings.weightDecay)
        options.clip = settings.clip
        options.perfectEvaluations = .max
        options.seed = seed
        options.threads = threads
        return options
    }
}
