/// How far a training has come: what its loop carries from step to step beside the numbers of model and optimizer.
struct TrainingState {
    var outcome = Trainer.Outcome()
    /// Σ of the training losses since the last evaluation, and of what their targets weigh.
    private var (lossSum, lossWeight) = (0.0, 0.0)
    /// Steps of the optimizer, which takes none where no target of a batch counts.
    private(set) var moves = 0
    /// Time spent, evaluations included, of a training with a limit.
    var seconds = 0.0
    /// Evaluations in a row without a lower validation error, and without any error.
    private var stale = 0
    private var perfect = 0
    /// Whether validation has said stop.
    private(set) var isOver = false

    init() {}

    /// Takes in the losses of a step, after which the optimizer has taken `moves`.
    mutating func take(_ losses: LossSum, moves: Int) {
        lossSum += losses.total
        lossWeight += losses.weight
        self.moves = moves
    }

    /// Takes in an evaluation after the steps so far. Returns whether it is the best one.
    mutating func take(_ evaluation: Evaluation, _ options: TrainingOptions) -> Bool {
        let (validationLoss, error) = (evaluation.loss, evaluation.error)
        outcome.curve.append(
            Trainer.Point(
                step: outcome.steps, trainingLoss: meanLoss, validationLoss: validationLoss,
                validationError: error))
        (lossSum, lossWeight) = (0, 0)
        stale += 1
        // Outputs that are no numbers may have a low error, by the classes that come first.
        let isBest = validationLoss.isFinite && (error, validationLoss) < (outcome.bestError, outcome.bestLoss)
        if isBest {
            if error < outcome.bestError { stale = 0 }
            (outcome.bestError, outcome.bestLoss, outcome.bestStep) = (error, validationLoss, outcome.steps)
        }
        if error < 0.01 && outcome.stepsBelowOnePercent == nil { outcome.stepsBelowOnePercent = outcome.steps }
        perfect = error == 0 ? perfect + 1 : 0
        isOver = perfect >= options.perfectEvaluations || options.patience.map { stale >= $0 } ?? false
        return isBest
    }

    /// The share of the training that is over, of the steps or of the time, whichever is larger.
    func done(_ options: TrainingOptions) -> Double {
        max(
            Double(outcome.steps) / Double(max(options.steps, 1)),
            options.timeLimit.map { seconds / max($0.seconds, .leastNonzeroMagnitude) } ?? 0)
    }

    /// The steps that there will be: those of the options, or as many as fit at the pace so far where more of the time is
    /// over than of them.
    func length(_ options: TrainingOptions) -> Double {
        let (steps, done) = (Double(max(options.steps, 1)), done(options))
        return done > Double(outcome.steps) / steps ? Double(max(outcome.steps, 1)) / done : steps
    }

    /// What to tell the caller: at an evaluation its own mean loss, between two the mean since the last.
    func progress(_ options: TrainingOptions, _ epoch: Epoch) -> Trainer.Progress {
        let last = outcome.curve.last
        return Trainer.Progress(
            step: outcome.steps, steps: options.steps, epoch: epoch.over(after: outcome.steps),
            done: min(done(options), 1),
            trainingLoss: last?.step == outcome.steps ? last!.trainingLoss : meanLoss,
            validationError: last?.validationError)
    }

    /// Not a number where no target counted.
    private var meanLoss: Double { lossSum / lossWeight }
}

extension TrainingState {
    /// The state as it stands in a checkpoint.
    var json: JSON {
        [
            "steps": .number(Double(outcome.steps)), "best_step": .number(Double(outcome.bestStep)),
            "best_error": .number(outcome.bestError), "best_loss": .number(outcome.bestLoss),
            "steps_below_one_percent": outcome.stepsBelowOnePercent.map { .number(Double($0)) } ?? .null,
            "loss_sum": .number(lossSum), "loss_weight": .number(lossWeight), "moves": .number(Double(moves)),
            "seconds": .number(seconds), "stale": .number(Double(stale)),
            "perfect": .number(Double(perfect)), "is_over": .bool(isOver),
            "curve": .array(
                outcome.curve.map {
                    [
                        .number(Double($0.step)), .number($0.trainingLoss), .number($0.validationLoss),
                        .number($0.validationError),
                    ]
                }),
        ]
    }

    /// Reads what `json` wrote in a training of these options and epochs. Throws with the name of what is missing or cannot
    /// be.
    init(json: JSON, _ options: TrainingOptions, _ epoch: Epoch) throws(ConfigurationError) {
        let reader = ConfigurationReader(json: json, owner: "training")
        func count(_ key: String) throws(ConfigurationError) -> Int {
            try reader.count(key, from: 0, to: max(options.steps, 1))
        }
        outcome.steps = try count("steps")
        outcome.bestStep = try count("best_step")
        // Before the first evaluation both are infinite, for which JSON has no number.
        outcome.bestError = try reader.number("best_error", default: .infinity)
        outcome.bestLoss = try reader.number("best_loss", default: .infinity)
        outcome.stepsBelowOnePercent = json["steps_below_one_percent"]?.integer
        lossSum = try reader.number("loss_sum")
        lossWeight = try reader.number("loss_weight")
        guard lossWeight >= 0 else { throw reader.wrong("loss_weight", "a number of at least 0") }
        moves = try count("moves")
        seconds = try reader.number("seconds", default: 0)
        stale = try count("stale")
        perfect = try count("perfect")
        isOver = try reader.flag("is_over")
        for point in json["curve"]?.elements ?? [] {
            // What JSON has no number for: the mean of no training loss, and losses of validation that are infinite.
            let numbers = (point.elements ?? []).enumerated().map { $1.number ?? ($0 == 1 ? .nan : .infinity) }
            guard numbers.count == 4, let step = Int(exactly: numbers[0]) else {
                throw ConfigurationError(
                    description: "the training's curve needs points of 4 numbers, found \(point.serialized())")
            }
            outcome.curve.append(
                Trainer.Point(
                    step: step, trainingLoss: numbers[1], validationLoss: numbers[2], validationError: numbers[3]))
        }
        // Every step that is claimed is skipped one by one, so there must be its evaluations to show for it.
        let evaluations = options.evaluations(upTo: outcome.steps, epoch)
        guard outcome.curve.count >= evaluations else {
            throw ConfigurationError(
                description:
                    "the training's curve needs \(evaluations) points at step \(outcome.steps), found \(outcome.curve.count)"
            )
        }
    }
}
