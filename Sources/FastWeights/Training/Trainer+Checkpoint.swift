/// Where and how often a training keeps a file from which it can go on.
public struct CheckpointOptions: Sendable, Equatable {
    /// What keeps the checkpoints.
    var store: any CheckpointStore
    /// Steps between two checkpoints.
    public var every: Int
    /// Whether to go on from the file where it is there. Otherwise a file that is there is an error, not overwritten.
    public var resumes: Bool

    init(store: any CheckpointStore, every: Int, resumes: Bool) {
        (self.store, self.every, self.resumes) = (store, every, resumes)
        if let problem { misuse(problem) }
    }

    /// Whether the files and all else are the same.
    public static func == (a: CheckpointOptions, b: CheckpointOptions) -> Bool {
        (a.store.name, a.every, a.resumes) == (b.store.name, b.every, b.resumes)
    }

    /// What makes these options impossible; nil of possible ones.
    var problem: String? { every > 0 ? nil : "steps between checkpoints are at least 1, found \(every)" }

    /// Most evaluations whose metrics a checkpoint has room for, about 70 bytes each in the header of its file.
    static let evaluationLimit = 1_000_000
}

extension Trainer {
    /// The state in the checkpoint, whose numbers `model`, `best` and `optimizer` then have; or the first state, in a
    /// new checkpoint: written before the work, so that a place that cannot be written costs nothing.
    func resume(
        _ best: Parameters, _ optimizer: Optimizer, _ source: any TrainingSource
    ) throws(TrainingError) -> TrainingState {
        let evaluations = self.options.evaluations(upTo: self.options.steps, epoch)
        let options = self.options.checkpoint!
        guard self.options.timeLimit != nil || evaluations <= CheckpointOptions.evaluationLimit else {
            throw TrainingError.checkpoint(
                "\(options.store.name): a checkpoint holds at most \(CheckpointOptions.evaluationLimit) evaluations, and \(evaluations) are asked for; evaluate less often"
            )
        }
        guard !options.store.isEmpty else {
            try save(TrainingState(), best, optimizer, source)
            return TrainingState()
        }
        guard options.resumes else {
            throw TrainingError.checkpoint(
                "\(options.store.name): there is a file already; resume from it, remove it or name another one")
        }
        let checkpoint = try options.store.read()
        let differences = wholeIdentity.differences(from: checkpoint.identity)
        guard differences.isEmpty else {
            throw TrainingError.checkpoint(
                "\(options.store.name): the checkpoint of another training; "
                    + differences.map { "\($0.key) was \($0.other) there and is \($0.own) here" }
                    .joined(separator: ", ")
                    + ". Give it the same options, or name another file")
        }
        let state: TrainingState
        do { state = try TrainingState(json: checkpoint.state, self.options, epoch) } catch {
            throw TrainingError.checkpoint(error.description)
        }
        let own = blocks(best, optimizer, source)
        var values: [Parameters] = []
        for (name, block) in own { values.append(try checkpoint.parameters(name, block.layout)) }
        for ((_, block), values) in zip(own, values) { block.copy(from: values) }
        optimizer.steps = state.moves
        return state
    }

    /// Writes the checkpoint.
    func save(
        _ state: TrainingState, _ best: Parameters, _ optimizer: Optimizer, _ source: any TrainingSource
    ) throws(TrainingError) {
        var checkpoint = Checkpoint(tensors: [], identity: wholeIdentity, state: state.json)
        for (name, block) in blocks(best, optimizer, source) { checkpoint.append(name, block) }
        try options.checkpoint!.store.write(checkpoint)
    }

    private func blocks(
        _ best: Parameters, _ optimizer: Optimizer, _ source: any TrainingSource
    ) -> [(name: String, block: Parameters)] {
        [("parameters", parameters), ("best", best)] + optimizer.state.map { ($0.name, $0.values) }
            + (source.carried.map { [("carried", $0)] } ?? [])
    }

    /// What must be the same for a training to go on to the same bits; the number of threads need not.
    private var wholeIdentity: JSON {
        func optional(_ value: (some BinaryInteger)?) -> JSON { value.map { .number(Double($0)) } ?? .null }
        let optionMembers: [(key: String, value: JSON)] = [
            ("optimizer", .string("\(options.optimizer)")), ("steps", .number(Double(options.steps))),
            ("batch", .number(Double(options.batch))), ("learning rate", .number(options.learningRate)),
            ("schedule", .string(options.schedule.description)),
            ("clip", options.clip.map { .string("\($0)") } ?? .null),
            (
                "steps between evaluations",
                options.evaluatesEachEpoch ? .string("an epoch") : .number(Double(options.evaluateEvery))
            ),
            ("patience", optional(options.patience)),
            ("perfect evaluations", .number(Double(options.perfectEvaluations))), ("seed", .string("\(options.seed)")),
        ]
        let limit = options.timeLimit.map { [(key: "seconds", value: JSON.number($0.seconds))] } ?? []
        return .object((identity + optionMembers + limit).map { JSON.Member(key: $0.key, value: $0.value) })
    }
}

extension JSON {
    /// The members of this object that another one has not, or has otherwise.
    fileprivate func differences(from other: JSON) -> [(key: String, own: String, other: String)] {
        guard case .object(let members) = self else { return [] }
        return members.filter { other[$0.key] != $0.value }.map {
            ($0.key, $0.value.serialized(), other[$0.key]?.serialized() ?? "nothing")
        }
    }
}
