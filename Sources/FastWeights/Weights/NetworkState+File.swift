/// A tensor of a file that holds a part of the state of one layer, or of all that have one alike, as PyTorch's `h_n`.
struct StateTensor {
    /// The part's letter; of parts that are not alike, each one's own name.
    let name: String
    /// Which of the network's parts, one behind the other.
    let parts: [Int]
    /// Sizes a sequence and part.
    let sizes: [Int]
}

extension NetworkDefinition {
    /// The tensors of a state in files: [parts, B, …] each. Parts of one letter that differ in size have tensors of their own.
    var stateTensors: [StateTensor] {
        var letters: [String] = []
        for state in states where !letters.contains(state.part.letter) { letters.append(state.part.letter) }
        return letters.flatMap { letter -> [StateTensor] in
            let indices = states.indices.filter { states[$0].part.letter == letter }
            let sizes = states[indices[0]].part.sizes
            guard indices.allSatisfy({ states[$0].part.sizes == sizes }) else {
                return indices.map {
                    StateTensor(name: states[$0].part.name, parts: [$0], sizes: states[$0].part.sizes)
                }
            }
            return [StateTensor(name: letter, parts: indices, sizes: sizes)]
        }
    }

    /// Whether a state has beside these a step, the phase of the fast weights' schedule.
    var hasSchedule: Bool { period > 1 }

    /// The names of a state's tensors, with `suffix` behind each.
    func stateNames(_ suffix: String) -> [String] {
        (stateTensors.map { $0.name } + (hasSchedule ? ["step"] : [])).map { $0 + suffix }
    }

    /// The names of tensors that are there and belong to the state of another kind of layer.
    func strayStateNames(_ suffix: String, isThere: (String) -> Bool) -> [String] {
        let own = stateNames(suffix)
        return ["h", "c", "A", "sum", "steps", "step"].map { $0 + suffix }.filter { isThere($0) && !own.contains($0) }
    }

    /// The state of the numbers of its tensors, [parts, B, …] each.
    func state(of tensors: [[Float]], batch: Int, step: Int) -> NetworkState {
        var parts = states.map {
            NetworkState.Part(name: $0.part.name, shape: [batch] + $0.part.sizes, values: [])
        }
        for (tensor, values) in zip(stateTensors, tensors) {
            let size = values.count / tensor.parts.count
            for (i, part) in tensor.parts.enumerated() {
                parts[part].values = Array(values[i * size..<(i + 1) * size])
            }
        }
        return NetworkState(parts: parts, step: step)
    }
}

extension NetworkState {
    /// The numbers of each tensor of files, [parts, B, …].
    func tensors(_ definition: NetworkDefinition) -> [(name: String, shape: [Int], values: [Float])] {
        definition.stateTensors.map { tensor in
            (
                tensor.name, [tensor.parts.count] + parts[tensor.parts[0]].shape,
                tensor.parts.flatMap { parts[$0].values }
            )
        }
    }
}

extension NetworkStream {
    /// The bytes of a safetensors file with the state: `h_n` [layers, 1, H], and of an LSTM `c_n`, of fast weights `A_n`, and
    /// where these have a schedule the phase of it, `step_n` [1]; of layers of unequal sizes a tensor each, as `0.h_l0_n`.
    /// `fastweights run --state` goes on from it too.
    public func serializedState() -> [UInt8] {
        let (state, definition) = (state, configuration.definition)
        let parts = state.tensors(definition).map { (name: $0.name + "_n", shape: $0.shape, values: $0.values) }
        let step = (name: "step_n", shape: [1], values: [state.step])
        return SafeTensors.serialize(parts, integers: definition.hasSchedule ? [step] : [])
    }

    /// Writes the file atomically. Throws when it cannot be written; then nothing has changed.
    public func writeState(to path: String) throws {
        try Files.writeAtomically(serializedState(), to: path)
    }

    /// Takes the state that `writeState` wrote, or `fastweights run` of one sequence.
    ///
    /// Throws `WeightsError` that names every tensor of another shape or of another kind of layer, and `FormatError`
    /// when one is missing; then the stream keeps its state.
    public func restore(from file: SafeTensors) throws {
        let definition = configuration.definition
        let tensors = definition.stateTensors
        var problems = try tensors.compactMap { tensor in
            let found = try file.tensor(named: tensor.name + "_n").shape
            let (count, sizes) = (tensor.parts.count, tensor.sizes)
            // A run of a sequence without an axis for the batch has none in its states either.
            return found == [count, 1] + sizes || found == [count] + sizes
                ? nil : "\(tensor.name)_n should have the shape \([count, 1] + sizes), found \(found)"
        }
        problems += definition.strayStateNames("_n", isThere: file.names.contains).map {
            "\($0) is of another kind of cell's state"
        }
        guard problems.isEmpty else { throw WeightsError(source: file.source, problems: problems) }
        let steps = definition.hasSchedule ? try file.wholeNumbers("step_n") : [0]
        guard steps.count == 1, steps[0] >= 0 else {
            throw WeightsError(
                source: file.source, problems: ["step_n should be one whole number from 0, found \(steps.prefix(20))"])
        }
        state = definition.state(
            of: try tensors.map { try file.floats($0.name + "_n") }, batch: 1, step: steps[0])
    }
}
