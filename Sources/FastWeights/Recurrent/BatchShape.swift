/// The sizes of a batch, checked against the arrays that were given with it.
struct BatchShape {
    let configuration: RecurrentNetworkConfiguration
    let steps: Int
    let batch: Int
    let lengths: [Int]?

    /// Traps on sizes below 1, and on lengths that are not one from 1 to T for each sequence.
    init(_ configuration: RecurrentNetworkConfiguration, steps: Int, batch: Int, lengths: [Int]?) {
        require(steps > 0 && batch > 0, "a run needs at least 1 step and 1 sequence, found \(steps) and \(batch)")
        if let lengths {
            require(
                lengths.count == batch, "\(batch) sequences need \(batch) lengths; \(lengths.count) were given")
            for (b, length) in lengths.enumerated() where !(1...steps).contains(length) {
                misuse(
                    "sequence \(b) has the length \(length); a batch of \(steps) steps allows 1 to \(steps)")
            }
            // Their states would stand at different places of the schedule.
            require(
                configuration.cell.period == 1 || lengths.allSatisfy { $0 == lengths[0] },
                "fast weights with a schedule of \(configuration.cell.period) steps run sequences of one length; "
                    + "the lengths given are \(lengths)")
        }
        (self.configuration, self.steps, self.batch, self.lengths) = (configuration, steps, batch, lengths)
    }

    var inputCount: Int { steps * batch * configuration.input }
    private var outputSizes: [Int] { configuration.outputSizes(steps: steps, batch: batch) }
    private var outputCount: Int { elementCount(outputSizes) ?? .max }
    private var cells: Int { configuration.layers * configuration.directions }
    var hiddenCount: Int { cells * batch * configuration.hidden }
    var memoryCount: Int { cells * batch * configuration.memoryRows }

    /// The sequences in blocks of lanes. The fast weights need blocks of one length.
    var blocks: [LaneBlock] {
        LaneBlock.deal(batch: batch, steps: steps, lengths: lengths, equalLengths: configuration.cell.isFading)
    }

    func check(input: [Float]) {
        require(input.count, fits: [steps, batch, configuration.input], "the input")
    }

    func check(tokens: [Int]) {
        require(tokens.count, fits: [steps, batch], "the array of tokens")
        let count = min(configuration.input, 1 << 16)
        for (place, token) in tokens.enumerated() where !(0..<count).contains(token) {
            let (t, b) = (place / batch, place % batch)
            if t < lengths?[b] ?? steps {
                misuse(
                    "the token of step \(t) of sequence \(b) is \(token); the network has the tokens 0 to \(count - 1)")
            }
        }
    }

    func check(outputGradient: [Float]) {
        require(outputGradient.count, fits: outputSizes, "the gradient of the outputs")
    }

    func check(state: CellState?) {
        guard let state else { return }
        _ = state.place(in: configuration.cell.period)
        require(
            state.hidden.count == hiddenCount && state.memory.count == memoryCount,
            "the state of \(batch) sequences and \(cells) cells has \(hiddenCount) numbers of h and \(memoryCount) of memory; \(state.hidden.count) and \(state.memory.count) were given"
        )
    }

    /// The state's place in the fast weights' schedule, and that after these steps.
    private func place(after steps: Int, _ state: CellState?) -> Int {
        let period = configuration.cell.period
        return ((state?.place(in: period) ?? 0) + steps % period) % period
    }

    /// A state of zeros.
    var zeroState: CellState {
        CellState(
            hidden: [Float](repeating: 0, count: hiddenCount), memory: [Float](repeating: 0, count: memoryCount))
    }

    /// Calls `body` with the arrays of a forward pass in place, and gives what it wrote. Outputs behind a sequence's end
    /// are zero.
    func forward(
        _ input: ForwardArrays.Input, _ state: CellState?, _ body: (ForwardArrays) -> Void
    ) -> (outputs: [Float], state: CellState) {
        var outputs = [Float](repeating: 0, count: outputCount)
        var last = zeroState
        last.step = place(after: lengths?.max() ?? steps, state)
        Self.withPointers(state) { hidden, memory in
            outputs.withUnsafeMutableBufferPointer { outputs in
                last.hidden.withUnsafeMutableBufferPointer { lastHidden in
                    last.memory.withUnsafeMutableBufferPointer { lastMemory in
                        body(
                            ForwardArrays(
                                batch: batch, step: place(after: 0, state), input: input,
                                hidden: hidden, memory: memory,
                                outputs: outputs.baseAddress!, lastHidden: lastHidden.baseAddress!,
                                lastMemory: lastMemory.baseAddress ?? lastHidden.baseAddress!))
                    }
                }
            }
        }
        return (outputs, last)
    }

    /// The same for a backward pass.
    func backward(
        _ outputGradient: [Float], _ stateGradient: CellState?, _ body: (BackwardArrays) -> Void
    ) -> (input: [Float], state: CellState) {
        var input = [Float](repeating: 0, count: inputCount)
        var first = zeroState
        outputGradient.withUnsafeBufferPointer { outputs in
            Self.withPointers(stateGradient) { lastHidden, lastMemory in
                input.withUnsafeMutableBufferPointer { input in
                    first.hidden.withUnsafeMutableBufferPointer { hidden in
                        first.memory.withUnsafeMutableBufferPointer { memory in
                            body(
                                BackwardArrays(
                                    batch: batch, outputs: outputs.baseAddress!, lastHidden: lastHidden,
                                    lastMemory: lastMemory, input: input.baseAddress!, hidden: hidden.baseAddress!,
                                    memory: memory.baseAddress ?? hidden.baseAddress!))
                        }
                    }
                }
            }
        }
        return (input, first)
    }

    private static func withPointers(
        _ state: CellState?, _ body: (UnsafePointer<Float>?, UnsafePointer<Float>?) -> Void
    ) {
        guard let state else { return body(nil, nil) }
        state.hidden.withUnsafeBufferPointer { hidden in
            state.memory.withUnsafeBufferPointer { memory in body(hidden.baseAddress, memory.baseAddress) }
        }
    }
}
