/// A cell unrolled over T steps for one block of sixteen samples: its buffers, and the two passes over them.
///
/// A subclass is one kind of cell. The contract, with panels of sixteen samples throughout:
///
/// 1. The caller fills `projections` with W_ih x(t) + b_ih, and in the first `plainBiasRows` rows + b_hh; `h[0]` and
///    `initialMemory` with the state to start from.
/// 2. `forward` leaves h(t) in `h[t]`, t = 1…T, and the last memory in `finalMemory`.
/// 3. The caller puts ∂L/∂h(t) into `dh[t]`, 0 into `dh[0]`, and ∂L/∂(final memory) into `dMemory`.
/// 4. `backward` adds the gradients of the cell's own parameters to a gradient block, and leaves the gradients of the
///    projections in `projections`, of h(0) in `dh[0]` and of the initial memory in `dMemory`.
///
/// So the cell knows nothing of where its input comes from: numbers, or tokens of an embedding. Buffers are made
/// once; the passes allocate nothing.
///
/// Where the sequences of a block differ in length, `lengths` has them: behind its end a lane keeps its state, so that
/// `h[T]` and `finalMemory` are those of every sequence's own end. Its dh is then 0 behind the end, and ∂L/∂(last h) in
/// the panel of the end itself. The final memory of the fast weights needs sequences of one length.
///
/// `Carry` says what it has to do with the time before and after its steps, and so what it can spare.
///
/// Made without `trains`, it runs forward only, and has neither the panels of gradients nor those that `backward` alone
/// would read again.
class Unroll {
    /// T of the next passes, at most the steps that it was made for.
    final var steps: Int
    let hidden: Int
    /// The first step at which the recurrent weights are used: 0, or 1 from the zero state.
    let firstProduct: Int
    /// T panels of the cell's gate rows.
    let projections: PanelSequence
    /// T + 1 panels of H rows.
    let h: PanelSequence
    let dh: PanelSequence
    /// The state beside h, a panel of `memoryRows` of the `Carry` each; nil where there is none.
    let initialMemory: Panel?
    /// Whether `initialMemory` is known to be zero, which spares the fast weights to read it.
    final var memoryIsZero = false
    let finalMemory: Panel?
    let dMemory: Panel?
    /// Vectors of each.
    let memoryRows: Int
    /// The number of the first step in its sequence, from 0, for cells that do not do the same at every step.
    final var firstStep = 0
    /// Steps of each sequence where they differ; nil where all have T.
    final var lengths: SIMD16<Int32>?
    /// For `accumulateOuterProducts`, here and of the caller.
    let scratch: Panel
    private let arena: Arena

    init(
        _ configuration: CellConfiguration, steps: Int, carry: Carry, trains: Bool, arena: Arena,
        states: States? = nil
    ) {
        self.steps = steps
        firstProduct = carry == .nothing ? 1 : 0
        self.arena = arena
        hidden = configuration.hidden
        projections = arena.panels(steps, rows: configuration.gateRows)
        scratch = arena.panels(1, rows: trains ? outerProductScratch : 0)[0]
        let states = states ?? States(steps: steps, hidden: hidden, trains: trains, arena: arena)
        h = states.h
        dh = states.dh
        let rows = configuration.memoryRows(carry)
        memoryRows = rows
        initialMemory = rows > 0 ? arena.panels(1, rows: rows)[0] : nil
        finalMemory = rows > 0 ? arena.panels(1, rows: rows)[0] : nil
        dMemory = rows > 0 && trains && carry == .stateAndGradient ? arena.panels(1, rows: rows)[0] : nil
    }

    final func forward(_ parameters: CellParameters, _ recurrent: RecurrentWeights) {
        forward(parameters, recurrent, 0..<steps)
    }

    /// The steps of `range` alone, where the projections of a step depend on what came of those before: from 0 to T in turn.
    func forward(_ parameters: CellParameters, _ recurrent: RecurrentWeights, _ range: Range<Int>) {
        misuse("each kind of cell has its own forward pass")
    }

    func backward(_ parameters: CellParameters, _ recurrent: RecurrentWeights, gradients: CellParameters) {
        misuse("each kind of cell has its own backward pass")
    }

    /// The last h of every sequence, after `forward`.
    final var lastHidden: Panel { h[steps] }

    /// The state after the last step, from which others go on: h(T), or 0 where that step clears it.
    var lastState: Panel { h[steps] }
    /// Whether `lastState` is h(T).
    var keepsLastState: Bool { true }

    /// Begins where the last `forward` ended.
    final func goOn() {
        h[0].update(from: lastState, count: hidden)
        if let initialMemory, let finalMemory {
            initialMemory.update(from: finalMemory, count: memoryRows)
            memoryIsZero = false
        }
    }

    /// Begins from the zero state.
    final func clearState() {
        h[0].update(repeating: .zero, count: hidden)
        initialMemory?.update(repeating: .zero, count: memoryRows)
        memoryIsZero = true
    }

    /// Lanes whose sequence is over before step t go on with the old numbers of the state.
    @inline(__always)
    func hold(_ new: Panel, _ old: Panel, at t: Int) {
        guard let lengths else { return }
        let isOver = lengths .<= Int32(truncatingIfNeeded: t)
        for k in 0..<hidden { new[k].replace(with: old[k], where: isOver) }
    }

    /// ∂L/∂(last memory) enters `gradient`, that of the memory after step t, where a sequence ends: before the last step, or
    /// before its own.
    func startMemoryGradient(_ gradient: Panel, at t: Int) {
        guard let dMemory else { return }
        if let lengths {
            let end = lengths .== Int32(truncatingIfNeeded: t + 1)
            for k in 0..<memoryRows { gradient[k].replace(with: dMemory[k], where: end) }
        } else if t == steps - 1 {
            gradient.update(from: dMemory, count: memoryRows)
        }
    }

    /// The weight gradient of the recurrent product of `rows` rows of W_hh, dW += Σ_t dz(t)·h(t-1)ᵀ over all steps that
    /// have one, or over those in `range`.
    func addRecurrentGradient(
        _ dz: PanelSequence, rows: Int, steps range: Range<Int>? = nil, into dw: UnsafeMutablePointer<Float>
    ) {
        let first = range?.lowerBound ?? firstProduct
        accumulateOuterProducts(
            PanelSequence(pointer: dz[first], stride: dz.stride), rows: rows,
            PanelSequence(pointer: h[first], stride: h.stride), columns: hidden,
            count: (range?.upperBound ?? steps) - first, scratch: scratch, into: dw)
    }

    /// The cell of `configuration` unrolled over `steps` steps.
    static func make(
        _ configuration: CellConfiguration, steps: Int, carry: Carry, trains: Bool = true
    ) -> Unroll {
        switch configuration.cell {
        case .rnn(let activation, let layerNorm, _):
            RNNUnroll(
                configuration, activation, layerNorm: layerNorm, steps: steps, carry: carry,
                trains: trains)
        case .lstm(let layerNorm):
            LSTMUnroll(
                configuration, layerNorm: layerNorm, steps: steps, carry: carry, trains: trains)
        case .gru: GRUUnroll(configuration, steps: steps, carry: carry, trains: trains)
        case .fastWeights(let options):
            FastWeightsUnroll(configuration, options, steps: steps, carry: carry, trains: trains)
        case .associativeLSTM(let options):
            AssociativeLSTMUnroll(configuration, options, steps: steps, carry: carry, trains: trains)
        }
    }
}

/// What an unrolled cell takes over from the time before its steps and hands on to the time after them.
enum Carry {
    /// Nothing: every sequence starts from the zero state, and neither the last memory nor a gradient of the first state is
    /// reported. That spares the recurrent product and its two gradients at the first step, and the fast weights their
    /// matrix.
    case nothing
    /// The state, at whose beginning gradients end: windows of truncated back-propagation, the first from the zero state.
    /// That spares the gradients of the memory. The A of fast weights then is a sum of h hᵀ, and its lower triangle alone
    /// is kept, row by row.
    case state
    /// The state, and its gradient back.
    case stateAndGradient
}

extension CellConfiguration {
    /// Numbers a sample of the memory as it is carried.
    func memoryRows(_ carry: Carry) -> Int {
        switch (carry, cell) {
        case (.nothing, _): 0
        case (.state, .fastWeights): LaneMatrix.count(rows: hidden, isSymmetric: true)
        case (.state, _), (.stateAndGradient, _): memoryRows
        }
    }
}

/// h(0) … h(T) and, where they are trained, their gradients.
struct States {
    let h: PanelSequence
    let dh: PanelSequence

    init(steps: Int, hidden: Int, trains: Bool, arena: Arena) {
        h = arena.panels(steps + 1, rows: hidden)
        dh = arena.panels(trains ? steps + 1 : 0, rows: hidden)
    }
}

/// Pointers to a cell's windows in a block of parameters or of gradients.
struct CellParameters {
    let inputWeight: UnsafeMutablePointer<Float>
    let inputBias: UnsafeMutablePointer<Float>
    let recurrentWeight: UnsafeMutablePointer<Float>
    let recurrentBias: UnsafeMutablePointer<Float>?
    let normGain: UnsafeMutablePointer<Float>?
    let normBias: UnsafeMutablePointer<Float>?
    let cellGain: UnsafeMutablePointer<Float>?
    let cellBias: UnsafeMutablePointer<Float>?

    /// The windows called `prefix` + name + `suffix`. A cell without biases reads them from, or adds their gradients to,
    /// `absentBias`: room for the gate rows.
    init(
        _ block: Parameters, prefix: String = "", suffix: String = "", absentBias: UnsafeMutablePointer<Float>? = nil
    ) {
        func optional(_ name: String) -> UnsafeMutablePointer<Float>? {
            block.layout.windows.first { $0.name == prefix + name + suffix }.map { block.pointer + $0.offset }
        }
        inputWeight = block.pointer(to: prefix + "weight_ih" + suffix)
        inputBias = absentBias ?? block.pointer(to: prefix + "bias_ih" + suffix)
        recurrentWeight = block.pointer(to: prefix + "weight_hh" + suffix)
        recurrentBias = absentBias ?? optional("bias_hh")
        normGain = optional("norm_weight")
        normBias = optional("norm_bias")
        cellGain = optional("norm_cell_weight")
        cellBias = optional("norm_cell_bias")
    }

    /// The bias of the projections of some rows: b_ih, and in the first `plainRows` rows + b_hh.
    func copyBias(_ rows: Range<Int>, _ plainRows: Int, into target: UnsafeMutablePointer<Float>) {
        for (i, r) in rows.enumerated() { target[i] = inputBias[r] + (r < plainRows ? recurrentBias![r] : 0) }
    }
}
