// Sections 4.2 and 4.3 of the paper, pictures read glimpse by glimpse: Table 2 and the stand-in for Table 3.

extension PaperExperiment {
    private static let features = [50, 100, 200]

    /// Table 2.
    static let glimpses = PaperExperiment(
        name: "table-2", title: "Table 2: MNIST from integrated glimpses",
        introduction: [
            "A digit is read in 24 glimpses of 7 by 7 pixels on two scales: each quadrant as a coarse view, then its four details, then the coarse view again. The fast weights keep the coarse view while the details are read, and an integration brings it back."
        ],
        measure: .testError, rows: GlimpseModel.all.map(\.title), columns: features.map { "\($0) features" },
        paper: Dictionary(
            uniqueKeysWithValues: GlimpseModel.all.map { model in
                (
                    model.title,
                    Dictionary(uniqueKeysWithValues: model.digitErrors.map { ("\($0) features", $1) })
                )
            }),
        figures: features.map {
            Figure(
                column: "\($0) features", curve: validationError, title: "\($0) features", xLabel: "training steps",
                yLabel: "Validation error", yAxis: .percent)
        },
        deviations: [
            "The order of the 24 glimpses and the control signals are not in the paper. Here each of four quadrants is coarse view, four details, coarse view; the first is written to A and clears h, the second reads A; the controls say which kind a glimpse is.",
            "The layers of the paper’s ConvNet are not known either: ours has three, of as many filters as features, the first as large as a glimpse.",
        ],
        jobs: { scale in
            GlimpseModel.all.flatMap { model in
                features.flatMap { features in
                    scale.seeds(3).map { seed in
                        PaperJob(
                            "table-2", "\(features) features",
                            GlimpseJob(
                                model, features: features, seed: seed, settings: settings(model, isQuick: scale.isQuick)
                            ),
                            images: 55_000, isQuick: scale.isQuick
                        ) { try GlimpseData.digits(folder: DataFolder.path) }
                    }
                }
            }
        })

    private static func settings(_ model: GlimpseModel, isQuick: Bool) -> GlimpseSettings {
        var settings = GlimpseSettings()
        if isQuick { settings.epochs = 1 }
        return settings
    }
}

extension PaperJob {
    /// Seconds for a multiplication of a training step, about.
    private static let secondsPerProduct = 1.0e-10

    /// A training on glimpses of the images that `data` reads, `images` of them in training.
    fileprivate init(
        _ experiment: String, _ column: String, _ job: GlimpseJob, images: Int, isQuick: Bool,
        data: @escaping @Sendable () throws -> GlimpseData
    ) {
        let settings = job.settings
        let rows = job.model.cell(settings).map { CellConfiguration($0, input: 52, hidden: job.features).gateRows }
        // Without a cell: the overlapping windows of three layers.
        let products = rows.map { 24 * $0 * (job.features + 52) } ?? 200 * job.features * (49 + job.features)
        self.init(
            experiment: experiment, row: job.model.title, column: column, seed: job.seed, settings: settings.facts,
            isQuick: isQuick,
            seconds: Double(settings.epochs * images) * Double(products) * Self.secondsPerProduct
        ) { context in
            let result = try job.run(
                data(), threads: context.threads,
                progress: { context.progress(Double($0.step) / Double($0.steps), $0.status) },
                shouldStop: context.shouldStop)
            if result.interrupted { throw InterruptedJob() }
            var outcome = Outcome(measure: result.testError, validation: result.validationError)
            (outcome.steps, outcome.parameters) = (result.steps, result.parameters)
            outcome.curves = Outcome.curves(result.curve)
            outcome.facts = [Fact(name: "images", value: result.source)]
            return outcome
        }
    }
}

extension GlimpseSettings {
    /// Everything that decides a training beside model, features, seed and images.
    fileprivate var facts: [(name: String, value: String)] {
        [
            ("epochs", "\(epochs)"), ("batch", "\(batch)"),
            ("learning rate", JSON.number(learningRate).serialised()),
            ("weight decay", JSON.number(weightDecay).serialised()), ("clip", clip.map { "\($0)" } ?? "none"),
            ("shift", "\(shift)"), ("controls", controls.rawValue), ("λ", "\(decay)"), ("η", "\(rate)"),
            ("S", "\(innerSteps)"), ("norm of h₀", "\(normaliseFirst)"), ("separate norms", "\(separateNorms)"),
            ("events", events.rawValue), ("W", recurrentScale.map { "\($0) I" } ?? "as the cell has it"),
            ("windows", windows.rawValue),
        ]
    }
}
