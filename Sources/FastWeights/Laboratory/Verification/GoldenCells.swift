/// Runs the golden cases of a cell: every output, the last state, and every gradient.
extension Fixture {
    /// The errors of this cell, over all forms of the fast memory where it has one, whole and split in two.
    func checkCell(_ tally: inout ErrorTally) throws {
        let configuration = try CellConfiguration(json: configuration)
        guard case .fastWeights(let options) = configuration.cell else {
            try checkCell(configuration, &tally)
            return
        }
        for form in [FastMemoryForm.automatic, .matrix, .list, .chunks(3)] {
            var options = options
            options.memory = form
            var configuration = configuration
            configuration.cell = .fastWeights(options)
            try checkCell(configuration, &tally)
        }
    }

    private func checkCell(_ configuration: CellConfiguration, _ tally: inout ErrorTally) throws {
        var layout = ParameterLayout()
        configuration.declare(in: &layout)
        let parameters = try parameters(layout)
        let layer = RecurrentLayer(configuration, seed: 0)
        layer.parameters.copy(from: parameters)
        let shape = try shape("input", [nil, nil, configuration.input])
        let (steps, batch) = (shape[0], shape[1])
        let network = RecurrentNetworkConfiguration(configuration)
        let memory = network.memoryTensor?.letter
        let start = try state("state.", network, batch: batch)
        let input = try floats("input")
        let result = layer.forward(input, steps: steps, batch: batch, state: start)
        tally.output("output", result.outputs, try doubles("output"))
        try check(result.state, "final.", memory) { tally.output($0, $1, $2, parts: $3) }
        let cotangent = try floats("cotangent.output", count: result.outputs.count)
        let gradients = layer.backward(cotangent, state: try state("cotangent.final.", network, batch: batch))
        try compare(layer.gradients, "gradient.", &tally, parts: configuration.parts())
        tally.gradient("gradient.input", gradients.input, try doubles("gradient.input"))
        if start != nil {
            try check(gradients.state, "gradient.state.", memory) { tally.gradient($0, $1, $2, parts: $3) }
        }
        if steps > 1 {
            // The same sequence in two parts, the state carried on.
            let cut = steps / 2 * batch * configuration.input
            let first = layer.forward(Array(input[..<cut]), steps: steps / 2, batch: batch, state: start)
            let second = layer.forward(Array(input[cut...]), steps: steps - steps / 2, batch: batch, state: first.state)
            tally.output("output, split", first.outputs + second.outputs, try doubles("output"))
            try check(second.state, "final.", memory) { tally.output($0 + ", split", $1, $2, parts: $3) }
        }
        // The first sequence of the batch alone, a step at a time.
        let stream = RecurrentStream(layer, state: start?.first(of: batch))
        var outputs: [Float] = []
        var expected: [Double] = []
        let (I, H) = (configuration.input, configuration.hidden)
        let batchOutputs = try doubles("output", count: result.outputs.count)
        for t in 0..<steps {
            stream.step(Array(input[t * batch * I..<t * batch * I + I]))
            outputs += stream.hidden
            expected += batchOutputs[t * batch * H..<t * batch * H + H]
        }
        tally.output("output, stream", outputs, expected)
        try check(stream.state, "final.", memory) {
            tally.output($0 + ", stream", $1, Array($2.prefix($1.count)), parts: $3)
        }
    }

    /// Notes h and the memory of so many cells, each cell's apart.
    func check(
        _ state: CellState, _ prefix: String, _ memory: String?, cells: Int = 1,
        _ note: (String, [Float], [Double], [Range<Int>]) -> Void
    ) throws {
        func check(_ name: String, _ values: [Float]) throws {
            let sizes = [Int](repeating: values.count / cells, count: cells)
            note(name, values, try doubles(name), consecutive(sizes, within: values.count))
        }
        try check(prefix + "h", state.hidden)
        if let memory { try check(prefix + memory, state.memory) }
    }
}

extension CellState {
    /// The first sequence of a state of `batch` in so many cells.
    func first(of batch: Int, cells: Int = 1) -> CellState {
        func first(_ values: [Float]) -> [Float] {
            let size = values.count / (batch * cells)
            var result: [Float] = []
            for cell in 0..<cells {
                let first = cell * batch * size
                result += values[first..<first + size]
            }
            return result
        }
        return CellState(hidden: first(hidden), memory: first(memory))
    }
}
