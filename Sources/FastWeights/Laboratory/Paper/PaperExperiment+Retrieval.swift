// Section 4.1 of the paper, associative retrieval: Table 1 and Figure 2; and the controls that critics asked for.

extension PaperExperiment {
    private static let sizes = [20, 50, 100]
    /// Of the paper's task, K = 4.
    private static let plateau = Plateau(try! AssociativeRetrieval(pairs: PaperJob.pairs))

    /// Table 1 and Figure 2.
    static let retrieval = PaperExperiment(
        name: "table-1", title: "Table 1: associative retrieval",
        introduction: [
            "A sequence such as c9k8j3f1??c holds four letter-digit pairs and asks for the digit of one letter. A model that knows which digits occurred, but binds none to its letter, errs in \(FixedPoint.percent(plateau.error)) of all cases."
        ],
        measure: .testError, rows: table1Models.map(\.title), columns: sizes.map { "R = \($0)" },
        paper: papersTable1,
        figures: [
            Figure(
                column: "R = 50", curve: PaperJob.Curve.validationLoss,
                title: "Figure 2: R = 50, negative log likelihood",
                xLabel: "training steps", yLabel: "Validation loss, nats",
                references: [
                    LinePlot.Reference(
                        value: plateau.loss,
                        label: "plateau: digits without letters")
                ])
        ],
        deviations: [
            "The paper gives no learning rates, steps, decay of weights or clipping; ours, with AdamW and a cosine schedule, were chosen on validation and stand with every run, as do the first embeddings, which are wider for the LSTM with 50 units. A training ends early when ten evaluations in turn find no error. It does not say how wide the softmax is: ours has the ten digits.",
            "Whether the layer norm acts on the first h₀ too is not said: here it acts in the inner loop only, equation (5) as it stands; the controls below try the other. λ = 0.95, η = 0.5, S = 1.",
            "The paper does not say how many copies of its memory the A-LSTM has, nor how it begins. Ours has one copy and one key, weights uniform in ±1/√R, and a forget gate that begins with a bias of 1.",
            "The paper's IRNN, LSTM and A-LSTM stay at the plateau at R = 20, and its IRNN at R = 50. Where ours leave it, nothing was done to weaken them.",
        ],
        jobs: { scale in
            table1Models.flatMap { model in
                sizes.flatMap { hidden in
                    let recipe = model.recipe(hidden: hidden)
                    var options = TrainingOptions(recipe, quick: scale.isQuick)
                    return scale.seeds(3).map { seed in
                        options.seed = seed
                        return PaperJob(
                            "table-1", RetrievalTraining(model: model, hidden: hidden, seed: seed, options: options),
                            isQuick: scale.isQuick)
                    }
                }
            }
        })

    private static let table1Models = ["irnn", "lstm", "a-lstm", "fast-weights"].map(RetrievalModel.named)

    private static let papersTable1 = Dictionary(
        uniqueKeysWithValues: table1Models.map { model in
            (model.title, Dictionary(uniqueKeysWithValues: model.paperErrors.map { ("R = \($0)", $1) }))
        })

    /// What of the fast-weights cell does the work: section 1.10 of the criticism it met.
    static let controls = PaperExperiment(
        name: "controls", title: "Controls: what makes fast weights work",
        introduction: [
            "Critics held that the gain might come from the layer norm or from the second application of the nonlinearity, not from the fast matrix. Each row changes one thing of the fast weights' network. All rows of a column train equally long, or until ten evaluations in turn find no error, by the recipe of the fast weights with 50 units."
        ],
        measure: .testError, rows: controlCells.map(\.title), columns: ["R = 20", "R = 50"], paper: [:],
        milestone: "below 1 % at step",
        deviations: [
            "Networks without a fast matrix have the learning rate and the decay that were chosen for them on validation at R = 50; where the first says so, also those of the fast weights."
        ],
        jobs: { scale in
            controlCells.flatMap { control in
                [(20, 100_000), (50, 40_000)].flatMap { hidden, steps in
                    let model = RetrievalModel.named(control.recipes).with(control.cell, title: control.title)
                    var options = TrainingOptions(model.recipe(hidden: 50), quick: scale.isQuick)
                    options.steps = scale.isQuick ? 4000 : steps
                    return scale.seeds(3).map { seed in
                        options.seed = seed
                        return PaperJob(
                            "controls", RetrievalTraining(model: model, hidden: hidden, seed: seed, options: options),
                            isQuick: scale.isQuick)
                    }
                }
            }
        })

    private struct Control {
        let title: String
        let cell: Cell
        /// The model whose recipe it trains by.
        var recipes = "fast-weights"
    }

    private static let controlCells: [Control] = {
        func changed(_ change: (inout FastWeightsOptions) -> Void) -> Cell {
            var options = FastWeightsOptions()
            change(&options)
            return .fastWeights(options)
        }
        var controls = [
            Control(title: "Fast weights", cell: changed { _ in }),
            Control(title: "no fast matrix: η = 0", cell: changed { $0.writeRate = 0 }, recipes: "no-memory"),
            Control(
                title: "no fast matrix: η = 0, rate and decay of the fast weights", cell: changed { $0.writeRate = 0 }),
            Control(
                title: "no fast matrix, no inner step: IRNN with layer norm", cell: .irnn(hasLayerNorm: true),
                recipes: "ln-irnn"),
            Control(title: "no layer norm", cell: changed { $0.hasLayerNorm = false }),
            Control(
                title: "no layer norm, η = 0.02",
                cell: changed {
                    $0.hasLayerNorm = false
                    $0.writeRate = 0.02
                }),
            Control(title: "LSTM with layer norm", cell: .lstm(hasLayerNorm: true), recipes: "ln-lstm"),
            Control(title: "layer norm on h₀ too", cell: changed { $0.normalizesFirst = true }),
            Control(title: "A lags a step, as in the paper's v1", cell: changed { $0.isLagged = true }),
        ]
        for steps in [2, 3] {
            controls.append(Control(title: "S = \(steps)", cell: changed { $0.innerSteps = steps }))
        }
        for decay: Float in [0.5, 0.8, 0.9, 1] {
            controls.append(Control(title: "λ = \(decay)", cell: changed { $0.memoryDecay = decay }))
        }
        for rate: Float in [0.1, 0.25, 1, 2] {
            controls.append(Control(title: "η = \(rate)", cell: changed { $0.writeRate = rate }))
        }
        return controls
    }()
}

extension PaperJob {
    /// K.
    static let pairs = 4
    /// Training examples and those to choose and to test by, as in the paper.
    static let retrievalCounts = [100_000, 10_000, 20_000]
    /// Seconds for one unit of `RetrievalModel.cost`, on a core of the machine in the article
    /// "Reproducing the paper".
    private static let secondsPerCost = 5.8e-9

    /// A training on associative retrieval with K = 4 on examples of its own seed.
    /// `finish` may add to what came out, from the trained network.
    init(
        _ experiment: String, _ training: RetrievalTraining, isQuick: Bool,
        finish: @escaping @Sendable (inout Outcome, Network, RetrievalData) -> Void = { _, _, _ in }
    ) {
        self.init(
            experiment: experiment, row: training.model.title, column: "R = \(training.hidden)", seed: training.seed,
            settings: training.settings(PaperJob.retrievalCounts), isQuick: isQuick,
            seconds: training.work(pairs: PaperJob.pairs) * PaperJob.secondsPerCost, worst: 1
        ) { context in
            let data = try RetrievalData(
                AssociativeRetrieval(pairs: PaperJob.pairs), counts: PaperJob.retrievalCounts, seed: training.seed)
            var training = training
            training.options.threads = context.threads
            let (run, model) = try training.run(data, shouldStop: context.shouldStop) { progress in
                context.progress(Double(progress.step) / Double(progress.steps), progress.status)
            }
            if run.stoppedEarly != nil { throw InterruptedJob() }
            var outcome = Outcome(run)
            finish(&outcome, model, data)
            return outcome
        }
    }
}

extension PaperJob.Outcome {
    /// What a training of a classifier came to.
    init(_ run: TrainingRun) {
        self.init(measure: run.testError, validation: run.validationError)
        (steps, parameters) = (run.steps, run.parameters)
        milestone = run.stepsBelowOnePercent.map { Double($0) }
        curves = Self.curves(run.curve)
    }

    /// The validation error and loss of a training.
    static func curves(_ points: [Trainer.Point]) -> [PaperJob.Curve] {
        func curve(_ name: String, _ value: (Trainer.Point) -> Double) -> PaperJob.Curve {
            PaperJob.Curve(name: name, points: points.map { LinePlot.Point(x: Double($0.step), y: value($0)) })
        }
        return [
            curve(PaperJob.Curve.validationError, \.validationError),
            curve(PaperJob.Curve.validationLoss, \.validationLoss),
        ]
    }
}
