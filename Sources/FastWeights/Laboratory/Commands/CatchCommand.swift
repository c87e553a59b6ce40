/// `fastweights train --task catch`: an agent that plays Catch with blanked observations.
enum CatchCommand {
    /// The options of this task.
    static let options =
        [
            Option(
                name: "size", placeholder: "N", kind: .integer(3...128), defaultValue: "16",
                help: "Rows and columns"),
            Option(
                name: "visible", placeholder: "M", kind: .integer(0...128), defaultValue: "3",
                help: "Frames that are seen before the screen goes blank"),
            Option(
                name: "paddle", placeholder: "NAME", kind: .choice(Catch.Start.allCases.map(\.rawValue)),
                defaultValue: Catch.Start.center.rawValue, help: "Where the paddle begins"),
            Option(
                name: "episodes", placeholder: "N", kind: .integer(1...1_000_000_000),
                defaultValue: "\(CatchOptions().episodes)",
                help: "Episodes to learn from, in whole rounds of the workers"),
            Option(
                name: "workers", placeholder: "N", kind: .integer(1...256), defaultValue: "\(CatchOptions().workers)",
                help: "Workers, of sixteen episodes each"),
            Option(
                name: "asynchronous", kind: .flag,
                help: "Workers step on their own; the same seed then gives another agent each time"),
            Option(
                name: "entropy", placeholder: "X", kind: .number(0...10),
                defaultValue: JSON.number(Double("\(ActorCriticWeights().entropy)") ?? 0).serialized(),
                help: "What the entropy of a decision counts in the loss"),
            Option(
                name: "discount", placeholder: "X", kind: .number(0...1), defaultValue: "1",
                help: "What a reward counts a decision earlier"),
        ] + [
            .hidden(128), .clip("1"), .schedule(.linear), .evaluateEvery(2500, of: "Episodes", at: "the agent's play"),
        ]
        + Option.fastWeights

    /// Trains, writes the agent and says how often it catches the ball. `output` is the command's.
    static func run(_ arguments: ParsedArguments, _ output: ModelOutput) throws -> Int32 {
        let task: Catch
        do {
            task = try Catch(
                size: arguments.integer("size"), visibleFrames: arguments.integer("visible"),
                start: Catch.Start(rawValue: arguments.text("paddle")) ?? .center)
        } catch { throw UsageError("--size and --visible do not go together: \(error).") }
        let model = RetrievalModel.named(arguments.text("model"))
        var training = CatchTraining(model: model, task: task, options: CatchOptions(arguments, model))
        training.cell = try model.cell(arguments, rate: CatchTraining.fastRate)
        training.hidden = arguments.integer("hidden")
        try model.check(hidden: training.hidden)
        try output.checkRoom(parameters: training.parameterCount)
        Interruption.install()
        let display = ProgressDisplay.onStandardError(jobs: 1, work: 1)
        let shown = display.start(training.name)
        let (run, agent) = try training.run(
            progress: {
                display.update(
                    shown, fraction: Double($0.episodes) / Double(training.options.episodes),
                    status: "caught \(FixedPoint.percent($0.catchRate, decimals: 1))")
            }, shouldStop: { Interruption.requested })
        let ending = ModelOutput.Ending(run.curve)
        display.finish(shown, status: ending.status, outcome: ending.outcome)
        display.close()
        let notes = [
            ("model", training.model.name), ("episodes", "\(run.curve.episodes)"),
            ("seed", "\(training.options.seed)"), ("catch_rate", "\(run.catchRate)"),
        ]
        let first = run.episodes(to: 0.95).map { FixedPoint.grouped($0) + " episodes" } ?? "not reached"
        let summary = """
            Caught       \(FixedPoint.percent(run.catchRate)) as it plays, \(FixedPoint.percent(run.greedyCatchRate)) by what is most probable
            Chance       \(FixedPoint.percent(task.chanceLevel))
            Optimum      \(FixedPoint.percent(task.informedOptimum))
            95 % after   \(first)
            Episodes     \(FixedPoint.grouped(run.curve.episodes)) in \(FixedPoint.text(run.seconds, decimals: 1)) s
            Parameters   \(run.parameters)
            Model        \(output.path)

            """
        return try output.finish(ending, summary: summary) { try agent.write(to: $0, notes: notes) }
    }
}

extension CatchOptions {
    /// The options of `CatchCommand`, and of those of all tasks the ones that are given.
    fileprivate init(_ arguments: ParsedArguments, _ model: RetrievalModel) {
        self.init()
        learningRate = CatchTraining.learningRate(model.cell)
        episodes = arguments.integer("episodes")
        workers = arguments.integer("workers")
        isAsynchronous = arguments.flag("asynchronous")
        weights.entropy = Float(arguments.number("entropy"))
        weights.discount = Float(arguments.number("discount"))
        if arguments.hasValue("learning-rate") { learningRate = arguments.number("learning-rate") }
        clip = arguments.clip
        schedule = Schedule(arguments.text("schedule")) ?? schedule
        evaluateEvery = arguments.integer("evaluate-every")
        seed = arguments.unsigned("seed")
        threads = arguments.integer("threads")
    }
}
