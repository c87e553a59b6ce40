// Section 4.4 of the paper, an agent that must remember: Figure 5.

extension PaperExperiment {
    private static let catchTasks = [
        (column: "N = 16, M = 3", task: try! Catch(size: 16, visibleFrames: 3)),
        (column: "N = 24, M = 5", task: try! Catch(size: 24, visibleFrames: 5)),
    ]
    private static let agents = ["irnn", "lstm", "fast-weights"].map(RetrievalModel.named)

    /// Figure 5.
    static let catching = PaperExperiment(
        name: "figure-5", title: "Figure 5: Catch with blanked observations",
        introduction: [
            "A ball falls down a screen of N by N pixels, a row a frame, and a paddle of two pixels must be under it at the end. After the first M frames the screen is blank, so the agent must remember where ball and paddle are. The paper shows learning curves and no table: its fast weights learn fastest, by a wider margin at N = 24."
        ],
        measure: .catchRate, rows: agents.map(\.title), columns: catchTasks.map(\.column), paper: [:],
        milestone: "95 % at episode",
        figures: catchTasks.map { column, task in
            Figure(
                column: column, curve: catchRate, title: "Figure 5: \(column)", xLabel: "episodes",
                yLabel: "Balls caught", yAxis: .percent,
                references: [
                    LinePlot.Reference(
                        value: task.chanceLevel, label: "by chance: \(FixedPoint.percent(task.chanceLevel))"),
                    LinePlot.Reference(
                        value: task.informedOptimum, label: "informed: \(FixedPoint.percent(task.informedOptimum))"),
                ])
        },
        deviations: [
            "The paper does not give sizes, rates or workers. Here agents have 128 units, and the same settings but for the learning rate and η, chosen by how fast each learns.",
            "The curves are of synchronous actor-critic, whose workers make one step together: the same loss as A3C, and the same bits at any number of threads. fastweights train --task catch trains asynchronously too.",
        ],
        jobs: { scale in
            agents.flatMap { model in
                catchTasks.flatMap { column, task in
                    var options = CatchOptions()
                    options.learningRate = CatchTraining.learningRate(model.cell)
                    if scale.isQuick { options.episodes = 10_000 }
                    return scale.seeds(5).map { seed in
                        options.seed = seed
                        return PaperJob(
                            CatchTraining(model: model, task: task, options: options), column: column,
                            isQuick: scale.isQuick)
                    }
                }
            }
        })
}

/// The name of the curves of agents.
private let catchRate = "catch rate"

extension PaperJob {
    /// Seconds for a frame of an episode and a unit of the recurrent product, about.
    private static let secondsPerProduct = 7.5e-11

    /// A training of an agent.
    fileprivate init(_ training: CatchTraining, column: String, isQuick: Bool) {
        let options = training.options
        let cell = training.cell.json(input: training.task.pixels, hidden: training.hidden)
        let rows = training.cell.rows(hidden: training.hidden)
        let products = Double(rows * (training.hidden + 60) * training.task.size)
        self.init(
            experiment: "figure-5", row: training.model.title, column: column, seed: options.seed,
            settings: [
                ("cell", cell.serialized()), ("episodes", "\(options.episodes)"),
                ("workers", "\(options.workers)"),
                ("learning rate", JSON.number(options.learningRate).serialized()),
                ("schedule", options.schedule.description),
                ("clip", options.clip.map { JSON.number(Double($0)).serialized() } ?? "none"),
                ("discount", "\(options.weights.discount)"), ("value weight", "\(options.weights.value)"),
                ("entropy weight", "\(options.weights.entropy)"),
            ], isQuick: isQuick, seconds: Double(options.episodes) * products * Self.secondsPerProduct,
            worst: 0
        ) { context in
            var training = training
            training.options.threads = context.threads
            let run = try training.run(
                progress: { point in
                    context.progress(
                        Double(point.episodes) / Double(options.episodes),
                        "catches \(FixedPoint.percent(point.catchRate))"
                    )
                }, shouldStop: context.shouldStop
            ).run
            if run.curve.interrupted { throw InterruptedJob() }
            var outcome = Outcome(measure: run.catchRate)
            (outcome.steps, outcome.parameters) = (run.curve.steps, run.parameters)
            outcome.milestone = run.episodes(to: 0.95).map { Double($0) }
            outcome.curves = [
                Curve(
                    name: catchRate,
                    points: run.curve.points.map { LinePlot.Point(x: Double($0.episodes), y: $0.catchRate) })
            ]
            outcome.facts = [
                Fact(
                    name: "caught when always doing what is most probable",
                    value: FixedPoint.percent(run.greedyCatchRate))
            ]
            return outcome
        }
    }
}
