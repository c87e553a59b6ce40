// Sections 4.2 and 4.3 of the paper, pictures read glimpse by glimpse: Table 2, and what stands in for Table 3.

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
                column: "\($0) features", curve: PaperJob.Curve.validationError, title: "\($0) features",
                xLabel: "training steps",
                yLabel: "Validation error", yAxis: .percent)
        },
        deviations: [
            "The order of the 24 glimpses and the control signals are not in the paper. Here each of four quadrants is coarse view, four details, coarse view; the first is written to A and clears h, the second reads A; the controls say which kind a glimpse is.",
            "In training images are moved at random by 1 or 2 pixels and the weights decay, for all models alike; the paper mentions neither.",
            "The layers of the paper’s ConvNet are not known either: ours has three, of as many filters as features, the first as large as a glimpse, over windows that overlap.",
        ],
        jobs: { scale in
            GlimpseModel.all.flatMap { model in
                features.flatMap { features in
                    scale.seeds(3).map { seed in
                        PaperJob(
                            "table-2", "\(features) features",
                            GlimpseJob(
                                model, features: features, seed: seed,
                                settings: model.digitSettings(features: features, quick: scale.isQuick)
                            ),
                            images: 55_000, isQuick: scale.isQuick
                        ) { try GlimpseData.digits(folder: DataFolder.path) }
                    }
                }
            }
        })

    /// The stand-in for Table 3.
    static let faces = PaperExperiment(
        name: "table-3", title: "In place of Table 3: faces from integrated glimpses",
        introduction: [
            "A face of 48 by 48 pixels is read in 24 glimpses of 12 by 12. The paper’s Multi-PIE is under a licence, so these are the 624 CMU Face Images of 20 persons (Mitchell 1997): another experiment, whose figures are not to be compared with the paper’s 81.11 % (IRNN), 81.32 % (LSTM), 88.23 % (ConvNet) and 86.34 % (fast weights). Each training is one of five parts of a cross-validation by person."
        ],
        measure: .testAccuracy, rows: GlimpseModel.all.map(\.title), columns: FaceLabel.allCases.map(\.rawValue),
        paper: [:], hasInterval: true,
        deviations: [
            "Of 20 persons four are the test, four choose the model and twelve are trained on. The four expressions are posed and faint: published small networks are at about chance, 25 %."
        ],
        jobs: { scale in
            guard let folder = DataFolder.path, Files.exists(folder + "/cmu_faces") else { return [] }
            return GlimpseModel.all.flatMap { model in
                FaceLabel.allCases.flatMap { label in
                    (0..<(scale.isQuick ? 1 : GlimpseData.folds)).map { fold in
                        PaperJob(
                            "table-3", label.rawValue,
                            GlimpseJob(
                                model, features: 200, seed: UInt64(fold) + 1,
                                settings: model.faceSettings(quick: scale.isQuick)),
                            images: 374, isQuick: scale.isQuick, measuresAccuracy: true
                        ) { try GlimpseData.faces(label, folder: folder, fold: fold) }
                    }
                }
            }
        })
}

extension PaperJob {
    /// Seconds for a multiplication of a training step, about.
    private static let secondsPerProduct = 1.0e-10

    /// A training on glimpses of the images that `data` reads, `images` of them in training.
    fileprivate init(
        _ experiment: String, _ column: String, _ job: GlimpseJob, images: Int, isQuick: Bool,
        measuresAccuracy: Bool = false, data: @escaping @Sendable () throws -> GlimpseData
    ) {
        let settings = job.settings
        let rows = job.model.cell(settings).map { CellConfiguration($0, input: 52, hidden: job.features).gateRows }
        // Without a cell: the overlapping windows of three layers.
        let products = rows.map { 24 * $0 * (job.features + 52) } ?? 200 * job.features * (49 + job.features)
        self.init(
            experiment: experiment, row: job.model.title, column: column, seed: job.seed, settings: settings.described,
            isQuick: isQuick,
            seconds: Double(settings.epochs * images) * Double(products) * Self.secondsPerProduct
        ) { context in
            let result = try job.run(
                data(), threads: context.threads,
                progress: { context.progress(Double($0.step) / Double($0.steps), $0.status) },
                shouldStop: context.shouldStop)
            if result.interrupted { throw InterruptedJob() }
            var outcome = Outcome(
                measure: measuresAccuracy ? 1 - result.testError : result.testError,
                validation: measuresAccuracy ? 1 - result.validationError : result.validationError)
            (outcome.steps, outcome.parameters) = (result.steps, result.parameters)
            outcome.curves = Outcome.curves(result.curve)
            outcome.facts = [Fact(name: "images", value: result.source)]
            if result.isGenerated { outcome.data = result.source }
            return outcome
        }
    }
}
