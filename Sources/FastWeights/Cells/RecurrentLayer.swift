/// The state of a batch of sequences between two runs of a cell.
public struct CellState: Sendable, Equatable {
    /// h, [B, H].
    public var hidden: [Float]
    /// What the cell keeps beside h: c of the LSTM, [B, H]; A of the fast weights, [B, H, H]; otherwise empty.
    public var memory: [Float]

    public init(hidden: [Float], memory: [Float] = []) {
        self.hidden = hidden
        self.memory = memory
    }
}

/// A recurrent cell run over whole sequences of numbers, and differentiated through time.
///
/// Arrays are row-major and time-major as PyTorch's default: input [T, B, I], outputs [T, B, H]. Gradients add up in
/// `gradients` until they are cleared. Not for use from two threads at once.
public final class RecurrentLayer {
    public let configuration: CellConfiguration
    public let parameters: Parameters
    public let gradients: Parameters
    private let recurrent: RecurrentWeights
    private var blocks: [Block] = []
    private var steps = 0
    private var batch = 0

    /// Sixteen sequences: the unrolled cell and its input, T panels of I rows.
    private struct Block {
        let unroll: Unroll
        let input: PanelSequence
        let dInput: PanelSequence
        let arena: Arena
    }

    /// A layer with first values as `CellConfiguration` gives them for this seed.
    public init(_ configuration: CellConfiguration, seed: UInt64) {
        self.configuration = configuration
        var layout = ParameterLayout()
        configuration.declare(in: &layout)
        parameters = Parameters(layout)
        gradients = Parameters(layout)
        recurrent = RecurrentWeights(configuration)
        var random = Random(seed: seed, stream: 1)
        configuration.initialise(parameters, random: &random)
    }

    /// Runs `input`, [T, B, I], from `state` (nil is the zero state) and returns h at every step, [T, B, H], and the
    /// last state, from which a later run goes on. Traps on arrays of other sizes.
    public func forward(
        _ input: [Float], steps: Int, batch: Int, state: CellState? = nil
    ) -> (outputs: [Float], state: CellState) {
        let (I, H, M) = (configuration.input, configuration.hidden, configuration.memoryRows)
        precondition(steps > 0 && batch > 0, "a run needs at least 1 step and 1 sequence, found \(steps) and \(batch)")
        precondition(
            input.count == steps * batch * I,
            "input [\(steps), \(batch), \(I)] has \(steps * batch * I) numbers; \(input.count) were given")
        if let state {
            precondition(
                state.hidden.count == batch * H && state.memory.count == batch * M,
                "the state of \(batch) sequences has \(batch * H) numbers of h and \(batch * M) of memory; \(state.hidden.count) and \(state.memory.count) were given"
            )
        }
        prepare(steps: steps, batch: batch)
        let p = CellParameters(parameters)
        recurrent.pack(p.recurrentWeight)
        var bias = [Float](repeating: 0, count: configuration.gateRows)
        bias.withUnsafeMutableBufferPointer {
            p.copyBias(0..<configuration.gateRows, configuration.plainBiasRows, into: $0.baseAddress!)
        }
        var outputs = [Float](repeating: 0, count: steps * batch * H)
        var last = CellState(
            hidden: [Float](repeating: 0, count: batch * H), memory: [Float](repeating: 0, count: batch * M))
        for (b, block) in blocks.enumerated() {
            let lanes = b * Lanes.width..<min((b + 1) * Lanes.width, batch)
            let unroll = block.unroll
            for t in 0..<steps {
                load(input, at: t * batch * I, rows: I, lanes, into: block.input[t])
                let z = unroll.projections[t]
                for r in 0..<configuration.gateRows { z[r] = Lanes(repeating: bias[r]) }
                multiply(
                    p.inputWeight, rows: configuration.gateRows, columns: I, by: block.input[t], into: z,
                    accumulate: true)
            }
            load(state?.hidden, at: 0, rows: H, lanes, into: unroll.h[0])
            if let memory = unroll.initialMemory { load(state?.memory, at: 0, rows: M, lanes, into: memory) }
            unroll.forward(p, recurrent)
            for t in 0..<steps { store(unroll.h[t + 1], rows: H, lanes, in: &outputs, at: t * batch * H) }
            store(unroll.h[steps], rows: H, lanes, in: &last.hidden, at: 0)
            if let memory = unroll.finalMemory { store(memory, rows: M, lanes, in: &last.memory, at: 0) }
        }
        return (outputs, last)
    }

    /// The backward pass of the last `forward`, once each: from ∂L/∂outputs, [T, B, H], and ∂L/∂(last state) (nil is
    /// zero) the gradients of the input, [T, B, I], and of the first state; those of the parameters are added to
    /// `gradients`.
    public func backward(
        _ outputGradient: [Float], state stateGradient: CellState? = nil
    ) -> (input: [Float], state: CellState) {
        let (I, H, M) = (configuration.input, configuration.hidden, configuration.memoryRows)
        precondition(
            outputGradient.count == steps * batch * H && steps > 0,
            "the outputs [\(steps), \(batch), \(H)] have \(steps * batch * H) gradients; \(outputGradient.count) were given"
        )
        let (p, g) = (CellParameters(parameters), CellParameters(gradients))
        var input = [Float](repeating: 0, count: steps * batch * I)
        var first = CellState(
            hidden: [Float](repeating: 0, count: batch * H), memory: [Float](repeating: 0, count: batch * M))
        for (b, block) in blocks.enumerated() {
            let lanes = b * Lanes.width..<min((b + 1) * Lanes.width, batch)
            let unroll = block.unroll
            load(nil, at: 0, rows: H, lanes, into: unroll.dh[0])
            for t in 0..<steps { load(outputGradient, at: t * batch * H, rows: H, lanes, into: unroll.dh[t + 1]) }
            if let hidden = stateGradient?.hidden {
                for lane in lanes {
                    for r in 0..<H { unroll.dh[steps][r][lane - lanes.lowerBound] += hidden[lane * H + r] }
                }
            }
            if let memory = unroll.dMemory { load(stateGradient?.memory, at: 0, rows: M, lanes, into: memory) }
            unroll.backward(p, recurrent, gradients: g)
            let rows = configuration.gateRows
            for t in 0..<steps {
                multiplyTransposed(
                    p.inputWeight, rows: rows, columns: I, by: unroll.projections[t], into: block.dInput[t],
                    accumulate: false)
                store(block.dInput[t], rows: I, lanes, in: &input, at: t * batch * I)
            }
            accumulateOuterProducts(
                unroll.projections, rows: rows, block.input, columns: I, count: steps,
                scratch: unroll.scratch, into: g.inputWeight)
            accumulateSums(unroll.projections, rows: rows, count: steps, into: g.inputBias)
            store(unroll.dh[0], rows: H, lanes, in: &first.hidden, at: 0)
            if let memory = unroll.dMemory { store(memory, rows: M, lanes, in: &first.memory, at: 0) }
        }
        return (input, first)
    }

    private func prepare(steps: Int, batch: Int) {
        guard steps != self.steps || batch != self.batch else { return }
        (self.steps, self.batch) = (steps, batch)
        blocks = (0..<(batch + Lanes.width - 1) / Lanes.width).map { _ in
            let arena = Arena()
            return Block(
                unroll: Unroll.make(configuration, steps: steps),
                input: arena.panels(steps, rows: configuration.input),
                dInput: arena.panels(steps, rows: configuration.input), arena: arena)
        }
    }

    /// Puts the rows of the samples `lanes` into a panel, zero behind them and where there is no source.
    private func load(_ source: [Float]?, at offset: Int, rows: Int, _ lanes: Range<Int>, into panel: Panel) {
        panel.update(repeating: .zero, count: rows)
        guard let source, !source.isEmpty else { return }
        let target = floats(panel)
        for lane in lanes {
            for r in 0..<rows {
                target[r * Lanes.width + lane - lanes.lowerBound] = source[offset + lane * rows + r]
            }
        }
    }

    private func store(_ panel: Panel, rows: Int, _ lanes: Range<Int>, in target: inout [Float], at offset: Int) {
        let source = floats(panel)
        for lane in lanes {
            for r in 0..<rows {
                target[offset + lane * rows + r] = source[r * Lanes.width + lane - lanes.lowerBound]
            }
        }
    }
}
