/// A network over one block of up to sixteen sequences: the buffers of both passes, made once.
final class BlockPass {
    let weights: NetworkWeights
    /// Steps at most.
    let steps: Int
    /// The inputs of all steps, N rows each; of tokens none.
    let inputs: PanelSequence
    /// ∂L/∂(those), where they were asked for.
    let inputGradients: PanelSequence?
    let root: LayerPass
    private let tokens: Buffer<UInt16>
    private let leaves: [LayerPass]
    private let arena = Arena()

    /// Buffers for sequences of at most `steps` steps, with `trains` those of the backward pass too.
    ///
    /// Where it carries nothing, every sequence begins from the zero state, and the last states are not kept; then the
    /// sequences of a block may have any lengths, whatever the layers.
    init(
        _ weights: NetworkWeights, steps: Int, trains: Bool, carry: Carry = .stateAndGradient,
        wantsInputGradient: Bool = false
    ) {
        (self.weights, self.steps) = (weights, steps)
        let (definition, arena) = (weights.definition, arena)
        let rows = definition.input.count
        inputs = arena.panels(steps, rows: rows)
        inputGradients = trains && wantsInputGradient && rows > 0 ? arena.panels(steps, rows: rows) : nil
        tokens = Buffer(definition.takesTokens ? steps * Lanes.width : 0)
        let plan = PassPlan(
            steps: steps, carry: carry, trains: trains,
            scratch: arena.panels(1, rows: trains ? outerProductScratch : 0)[0])
        let input = PassInput(
            x: inputs, dx: inputGradients, tokens: definition.takesTokens ? tokens.pointer : nil)
        root = definition.root.pass(weights.root, input, plan)
        leaves = root.leaves
    }

    /// What the network gave, a panel a step or one of the sequence; and where ∂L/∂(that) goes.
    var outputs: PanelSequence { root.outputs }
    var outputGradients: PanelSequence { root.outputGradients }

    /// Panels of output of a run: of one a sequence none before its last window.
    func outputCount(_ run: Run) -> Int { weights.definition.output.isPerStep ? run.steps : run.goesOn ? 0 : 1 }

    /// Puts the tokens of a block's sequences into its lanes: lane l reads those from `source[samples[l]]` on, each
    /// `stride` behind the one before. Inlined, as nearly every caller's stride is 1.
    @inline(__always)
    func setTokens(_ source: UnsafePointer<UInt16>, stride: Int = 1, _ block: LaneBlock) {
        block.withSamples { samples in
            let even = block.count == Lanes.width ? block.shortest : 0
            for t in 0..<even {
                let (row, source) = (tokens.pointer + t &* Lanes.width, source + t &* stride)
                // Four lanes are written at once.
                var lane = 0
                while lane < Lanes.width {
                    let low = UInt64(source[samples[lane]]) | UInt64(source[samples[lane &+ 1]]) &<< 16
                    let high = UInt64(source[samples[lane &+ 2]]) | UInt64(source[samples[lane &+ 3]]) &<< 16
                    UnsafeMutableRawPointer(row + lane).storeBytes(
                        of: (low | high &<< 32).littleEndian, as: UInt64.self)
                    lane &+= 4
                }
            }
            for t in even..<block.steps {
                let (row, active) = (tokens.pointer + t &* Lanes.width, block.active(at: t))
                for lane in 0..<active { row[lane] = source[samples[lane] &+ t &* stride] }
                // Behind the end any token will do.
                for lane in active..<Lanes.width { row[lane] = 0 }
            }
        }
    }

    func forward(_ run: Run) { root.forward(run, 0..<run.steps) }

    func backward(_ run: Run, _ gradients: UnsafeMutablePointer<Float>) { root.backward(run, gradients) }

    /// Begins the next run where the last one ended, of the same sequences.
    func goOn() { root.goOn() }
    /// Begins the next run from the zero state.
    func clearState() { root.clearState() }
}

// MARK: - Between the arrays of a batch and the lanes

/// The arrays of a batch where they lie, time-major, and what a run writes.
final class BatchArrays {
    let shape: BatchShape
    /// [T, B, N], nothing of tokens, which are [T, B].
    let numbers: UnsafeBufferPointer<Float>
    let tokens: Buffer<UInt16>
    /// The states to begin from, [B, …] of each part; nil is the zero state.
    let states: [Buffer<Float>]?
    /// The phase of the first step in the network's schedule.
    let step: Int
    let outputs: UnsafeMutablePointer<Float>
    let lastStates: [Buffer<Float>]

    private init(
        _ shape: BatchShape, numbers: UnsafeBufferPointer<Float>, tokens: [Int], _ state: NetworkState?,
        outputs: UnsafeMutablePointer<Float>
    ) {
        (self.shape, self.numbers, self.outputs) = (shape, numbers, outputs)
        self.tokens = Buffer(tokens.map { UInt16(truncatingIfNeeded: $0) })
        states = state.map { $0.parts.map { Buffer($0.values) } }
        step = state?.phase(in: shape.definition.period) ?? 0
        lastStates = shape.definition.states.map { Buffer($0.part.count * shape.batch) }
    }

    /// The outputs and last states that `body` writes; outputs behind a sequence's end are 0.
    static func run(
        _ shape: BatchShape, numbers: [Float] = [], tokens: [Int] = [], _ state: NetworkState?,
        _ body: (BatchArrays) -> Void
    ) -> (outputs: [Float], state: NetworkState) {
        var lastState = NetworkState(parts: [])
        let outputs = [Float](unsafeUninitializedCapacity: shape.outputCount) { outputs, count in
            if shape.lengths != nil { outputs.initialize(repeating: 0) }
            numbers.withUnsafeBufferPointer { numbers in
                let arrays = BatchArrays(
                    shape, numbers: numbers, tokens: tokens, state, outputs: outputs.baseAddress!)
                body(arrays)
                lastState = arrays.lastState
            }
            count = shape.outputCount
        }
        return (outputs, lastState)
    }

    /// The states behind the last step.
    private var lastState: NetworkState {
        let period = shape.definition.period
        return shape.state(lastStates, step: (step + (shape.lengths?.max() ?? shape.steps) % period) % period)
    }
}

extension BlockPass {
    /// Runs the steps from `first` on of the sequences in `run`, which has those of the window, from the states in `arrays`
    /// or where the window before has ended, and writes their outputs and last states. Numbers behind a sequence's end are
    /// not read, outputs there not written.
    func forward(_ run: Run, _ arrays: BatchArrays, from first: Int = 0) {
        let (block, definition, batch) = (run.block, weights.definition, arrays.shape.batch)
        if definition.takesTokens {
            setTokens(arrays.tokens.pointer + first * batch, stride: batch, block)
        } else {
            let width = definition.input.count
            for t in 0..<block.steps {
                block.gather(
                    arrays.numbers.baseAddress! + (first + t) * batch * width, count: block.active(at: t), rows: width,
                    into: inputs[t])
            }
        }
        if first > 0 {
            goOn()
        } else {
            clearState()
            if let states = arrays.states { load(states, block) { $0.initialState($1) } }
            for leaf in leaves { leaf.setsState(initial: arrays.states != nil, finalGradient: false) }
        }
        forward(run)
        for (state, target) in zip(definition.states, arrays.lastStates) {
            block.scatter(
                leaves[state.leaf].finalState(state.index), count: block.count, rows: state.part.count,
                into: target.pointer)
        }
        let (width, isPerStep) = (definition.output.count, definition.output.isPerStep)
        for t in 0..<outputCount(run) {
            block.scatter(
                outputs[t], count: isPerStep ? block.active(at: t) : block.count, rows: width,
                into: arrays.outputs + (isPerStep ? first + t : 0) * batch * width)
        }
    }

    /// The backward pass of the last `forward` of the same block, once: from ∂L/∂outputs and ∂L/∂(last states) the gradients
    /// of the parameters, added to `gradients`, and those of inputs and first states, written. Gradients behind a sequence's
    /// end are not read.
    func backward(
        _ run: Run, _ shape: BatchShape, outputs dOutputs: Buffer<Float>, lastStates: [Buffer<Float>]?,
        _ gradients: UnsafeMutablePointer<Float>, inputs dInputs: Buffer<Float>, states dStates: [Buffer<Float>]
    ) {
        let (block, definition, batch) = (run.block, weights.definition, shape.batch)
        let (width, isPerStep) = (definition.output.count, definition.output.isPerStep)
        for t in 0..<outputCount(run) {
            block.gather(
                dOutputs.pointer + t * batch * width, count: isPerStep ? block.active(at: t) : block.count,
                rows: width, into: outputGradients[t])
        }
        if let lastStates {
            load(lastStates, block) { $0.finalStateGradient($1) }
        } else {
            for state in definition.states {
                leaves[state.leaf].finalStateGradient(state.index).update(repeating: .zero, count: state.part.count)
            }
        }
        for leaf in leaves { leaf.setsState(initial: true, finalGradient: lastStates != nil) }
        backward(run, gradients)
        for (state, target) in zip(definition.states, dStates) {
            block.scatter(
                leaves[state.leaf].initialStateGradient(state.index), count: block.count,
                rows: state.part.count, into: target.pointer)
        }
        guard let inputGradients else { return }
        let columns = definition.input.count
        for t in 0..<block.steps {
            block.scatter(
                inputGradients[t], count: block.active(at: t), rows: columns,
                into: dInputs.pointer + t * batch * columns)
        }
    }

    private func load(_ states: [Buffer<Float>], _ block: LaneBlock, _ panel: (LayerPass, Int) -> Panel) {
        for (state, source) in zip(weights.definition.states, states) {
            block.gather(
                source.pointer, count: block.count, rows: state.part.count,
                into: panel(leaves[state.leaf], state.index))
        }
    }
}
