/// Where and how often a training keeps a file from which it can go on.
public struct CheckpointOptions: Sendable, Equatable {
    /// The file; it is replaced as a whole, so that at every moment there is a good one.
    public var path: String
    /// Steps between two checkpoints.
    public var every: Int
    /// Whether to go on from the file where it is there. Otherwise a file that is there is an error, not overwritten.
    public var resumes: Bool

    /// Traps unless `every` is at least 1.
    public init(path: String, every: Int = 1000, resumes: Bool = false) {
        (self.path, self.every, self.resumes) = (path, every, resumes)
        if let problem { misuse(problem) }
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
                "\(options.path): a checkpoint holds at most \(CheckpointOptions.evaluationLimit) evaluations, and \(evaluations) are asked for; evaluate less often"
            )
        }
        guard Files.exists(options.path) else {
            try save(TrainingState(), best, optimizer, source)
            return TrainingState()
        }
        guard options.resumes else {
            throw TrainingError.checkpoint(
                "\(options.path): there is a file already; resume from it, remove it or name another one")
        }
        do {
            let file = try CheckpointFile(path: options.path)
            let differences = wholeIdentity.differences(from: file.identity)
            guard differences.isEmpty else {
                throw CheckpointError(
                    description: "\(options.path): the checkpoint of another training; "
                        + differences.map { "\($0.key) was \($0.other) there and is \($0.own) here" }
                        .joined(separator: ", ")
                        + ". Give it the same options, or name another file"
                )
            }
            let state = try TrainingState(json: file.state, self.options, epoch)
            let blocks = try blocks(best, optimizer, source).map {
                ($0.block, try file.parameters($0.name, $0.block.layout))
            }
            for (block, values) in blocks { block.copy(from: values) }
            optimizer.steps = state.moves
            return state
        } catch {
            throw TrainingError.checkpoint("\(error)")
        }
    }

    /// Writes the checkpoint.
    func save(
        _ state: TrainingState, _ best: Parameters, _ optimizer: Optimizer, _ source: any TrainingSource
    ) throws(TrainingError) {
        var file = CheckpointFile(tensors: [], identity: wholeIdentity, state: state.json)
        for (name, block) in blocks(best, optimizer, source) { file.append(name, block) }
        do { try file.write(to: options.checkpoint!.path) } catch {
            throw TrainingError.checkpoint("\(error) The checkpoint before it, if there is one, is whole.")
        }
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
