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
/// Made without `carriesState`, it starts every sequence from the zero state, and reports neither the last memory nor
/// the gradients of the first state. That spares the recurrent product and its two gradients at the first step, and the
/// fast weights their matrix.
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
    /// The state beside h, a panel of `memoryRows` each; nil where the cell has none or was made without.
    let initialMemory: Panel?
    let finalMemory: Panel?
    let dMemory: Panel?
    private let memoryRows: Int
    /// Steps of each sequence where they differ; nil where all have T.
    final var lengths: SIMD16<Int32>?
    /// For `accumulateOuterProducts`, here and of the caller.
    let scratch: Panel
    private let arena: Arena

    init(
        _ configuration: CellConfiguration, steps: Int, carriesState: Bool, trains: Bool, arena: Arena,
        states: States? = nil
    ) {
        self.steps = steps
        firstProduct = carriesState ? 0 : 1
        self.arena = arena
        hidden = configuration.hidden
        projections = arena.panels(steps, rows: configuration.gateRows)
        scratch = arena.panels(1, rows: trains ? outerProductScratch : 0)[0]
        let states = states ?? States(steps: steps, hidden: hidden, trains: trains, arena: arena)
        h = states.h
        dh = states.dh
        let rows = carriesState ? configuration.memoryRows : 0
        memoryRows = rows
        initialMemory = rows > 0 ? arena.panels(1, rows: rows)[0] : nil
        finalMemory = rows > 0 ? arena.panels(1, rows: rows)[0] : nil
        dMemory = rows > 0 && trains ? arena.panels(1, rows: rows)[0] : nil
    }

    func forward(_ parameters: CellParameters, _ recurrent: RecurrentWeights) {
        preconditionFailure("each kind of cell has its own forward pass")
    }

    func backward(_ parameters: CellParameters, _ recurrent: RecurrentWeights, gradients: CellParameters) {
        preconditionFailure("each kind of cell has its own backward pass")
    }

    /// The last h of every sequence, after `forward`.
    final var lastHidden: Panel { h[steps] }

    /// Begins where the last `forward` ended.
    final func goOn() {
        h[0].update(from: lastHidden, count: hidden)
        if let initialMemory, let finalMemory {
            initialMemory.update(from: finalMemory, count: memoryRows)
        }
    }

    /// Begins from the zero state.
    final func clearState() {
        h[0].update(repeating: .zero, count: hidden)
        initialMemory?.update(repeating: .zero, count: memoryRows)
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

    /// The weight gradient of the recurrent product of `rows` rows of W_hh: dW += Σ_t dz(t)·h(t-1)ᵀ.
    func addRecurrentGradient(_ dz: PanelSequence, rows: Int, into dw: UnsafeMutablePointer<Float>) {
        accumulateOuterProducts(
            PanelSequence(pointer: dz[firstProduct], stride: dz.stride), rows: rows,
            PanelSequence(pointer: h[firstProduct], stride: h.stride), columns: hidden, count: steps - firstProduct,
            scratch: scratch, into: dw)
    }

    /// The cell of `configuration` unrolled over `steps` steps.
    static func make(
        _ configuration: CellConfiguration, steps: Int, carriesState: Bool = true, trains: Bool = true
    ) -> Unroll {
        switch configuration.cell {
        case .rnn(let activation, let layerNorm, _):
            RNNUnroll(
                configuration, activation, layerNorm: layerNorm, steps: steps, carriesState: carriesState,
                trains: trains)
        case .lstm(let layerNorm):
            LSTMUnroll(
                configuration, layerNorm: layerNorm, steps: steps, carriesState: carriesState, trains: trains)
        case .gru: GRUUnroll(configuration, steps: steps, carriesState: carriesState, trains: trains)
        case .fastWeights(let options):
            FastWeightsUnroll(configuration, options, steps: steps, carriesState: carriesState, trains: trains)
        case .associativeLSTM(let options):
            AssociativeLSTMUnroll(configuration, options, steps: steps, carriesState: carriesState, trains: trains)
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

/// Owns the panels of one unrolled cell.
final class Arena {
    private var owned: [Buffer<Lanes>] = []

    func panels(_ count: Int, rows: Int) -> PanelSequence {
        let buffer = Buffer<Lanes>(count * rows)
        owned.append(buffer)
        return PanelSequence(pointer: buffer.pointer, stride: rows)
    }

    /// As many panels; or, not to be kept, a single one in the place of all.
    func panels(_ count: Int, rows: Int, kept: Bool) -> PanelSequence {
        kept ? panels(count, rows: rows) : PanelSequence(pointer: panels(1, rows: rows).pointer, stride: 0)
    }

    func laneGradients(rows: Int) -> LaneGradients {
        LaneGradients(gain: panels(1, rows: rows)[0], bias: panels(1, rows: rows)[0])
    }
}
