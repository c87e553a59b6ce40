extension NetworkStream {
    /// The state as tensors for `SafeTensors.serialise`: `h_n` [layers, 1, H], and of an LSTM `c_n`, of fast weights `A_n`
    /// and where these have a schedule the place in it, `step_n` [1].
    public var stateTensors: [(name: String, shape: [Int], values: [Float])] {
        let (state, layers) = (state, configuration.layers)
        var tensors = [(name: "h_n", shape: [layers, 1, configuration.hidden], values: state.hidden)]
        if let (letter, sizes) = configuration.memoryTensor {
            tensors.append((name: "\(letter)_n", shape: [layers, 1] + sizes, values: state.memory))
        }
        if configuration.cell.period > 1 { tensors.append((name: "step_n", shape: [1], values: [Float(state.step)])) }
        return tensors
    }

    /// Takes the state that `stateTensors` put into a file. Throws `WeightsError` that names every tensor of another
    /// shape, and `SafeTensorsError` when one is missing; then the stream keeps its state.
    public func restore(from file: SafeTensors) throws {
        let wanted = stateTensors
        let wrong = try wanted.compactMap { name, shape, _ in
            let found = try file.tensor(named: name).shape
            return found == shape ? nil : "\(name) should have the shape \(shape), found \(found)"
        }
        guard wrong.isEmpty else { throw WeightsError(source: file.source, problems: wrong) }
        let step = configuration.cell.period > 1 ? try file.floats("step_n")[0] : 0
        guard let step = Int(exactly: step), step >= 0 else {
            throw WeightsError(source: file.source, problems: ["step_n should be a whole number, found \(step)"])
        }
        state = CellState(
            hidden: try file.floats(wanted[0].name), memory: wanted.count > 1 ? try file.floats(wanted[1].name) : [],
            step: step)
    }
}
