extension NetworkStream {
    /// The bytes of a safetensors file with the state: `h_n` [layers, 1, H], and of an LSTM `c_n`, of fast weights `A_n`, and
    /// where these have a schedule the place in it, `step_n` [1]. `fastweights run --state` goes on from it too.
    public func serialisedState() -> [UInt8] {
        let state = state
        let parts = zip(configuration.stateParts, [state.hidden, state.memory]).map { part, values in
            (name: part.letter + "_n", shape: [configuration.layers, 1] + part.sizes, values: values)
        }
        let step = (name: "step_n", shape: [1], values: [state.step])
        return SafeTensors.serialise(parts, integers: configuration.hasSchedule ? [step] : [])
    }

    /// Writes the file atomically. Throws when it cannot be written; then nothing has changed.
    public func writeState(to path: String) throws {
        try Files.writeAtomically(serialisedState(), to: path)
    }

    /// Takes the state that `writeState` wrote, or `fastweights run` of one sequence.
    ///
    /// Throws `WeightsError` that names every tensor of another shape or of another kind of cell, and `SafeTensorsError`
    /// when one is missing; then the stream keeps its state.
    public func restore(from file: SafeTensors) throws {
        let layers = configuration.layers
        var problems = try configuration.stateParts.compactMap { letter, sizes in
            let found = try file.tensor(named: letter + "_n").shape
            // A run of a sequence without an axis for the batch has none in its states either.
            return found == [layers, 1] + sizes || found == [layers] + sizes
                ? nil : "\(letter)_n should have the shape \([layers, 1] + sizes), found \(found)"
        }
        problems += configuration.strayStateNames("_n", isThere: file.names.contains).map {
            "\($0) is of another kind of cell's state"
        }
        guard problems.isEmpty else { throw WeightsError(source: file.source, problems: problems) }
        let steps = configuration.hasSchedule ? try file.wholeNumbers("step_n") : [0]
        guard steps.count == 1, steps[0] >= 0 else {
            throw WeightsError(
                source: file.source, problems: ["step_n should be one whole number from 0, found \(steps.prefix(20))"])
        }
        let parts = try configuration.stateParts.map { try file.floats($0.letter + "_n") }
        state = CellState(hidden: parts[0], memory: parts.count > 1 ? parts[1] : [], step: steps[0])
    }
}

extension RecurrentNetworkConfiguration {
    /// What a state is made of: the letters of its tensors' names, and their sizes a sequence and cell.
    var stateParts: [(letter: String, sizes: [Int])] { [("h", [hidden])] + (memoryTensor.map { [$0] } ?? []) }

    /// Whether a state has beside these a step, the place in the fast weights' schedule.
    var hasSchedule: Bool { cell.period > 1 }

    /// The names of a state's tensors, with `suffix` behind each.
    func stateNames(_ suffix: String) -> [String] {
        (stateParts.map(\.letter) + (hasSchedule ? ["step"] : [])).map { $0 + suffix }
    }

    /// The names of tensors that are there and belong to the state of another kind of cell.
    func strayStateNames(_ suffix: String, isThere: (String) -> Bool) -> [String] {
        let own = stateNames(suffix)
        return ["h", "c", "A", "step"].map { $0 + suffix }.filter { isThere($0) && !own.contains($0) }
    }
}
