/// A recurrent layer over T steps of one block of sixteen sequences: h of every step, the state that goes from window to
/// window of the sequences, and ∂L/∂(both). A subclass computes the steps.
///
/// Where the sequences of a block differ in length, `lengths` has them: behind its end a lane keeps its state, so that
/// `h[T]` and `finalMemory` are those of every sequence's own end. Its dh is then 0 behind the end. The final memory of the
/// fast weights needs sequences of one length.
///
/// `Carry` says what it has to do with the time before and after its steps, and so what it can spare. Made without
/// `trains`, it runs forward only, and has neither the panels of gradients nor those that only the backward pass reads.
class RecurrentPass: LayerPass {
    /// T of the run.
    final private(set) var steps: Int
    /// Rows of h.
    let hidden: Int
    /// The first step at which the recurrent weights are used: 0, or 1 from the zero state.
    let firstProduct: Int
    /// T + 1 panels of H rows, and their gradients.
    let h: PanelSequence
    let dh: PanelSequence
    /// The state beside h, a panel of `memoryRows` of the `Carry` each; nil where there is none.
    let initialMemory: Panel?
    let finalMemory: Panel?
    let dMemory: Panel?
    let memoryRows: Int
    /// Whether `initialMemory` is known to be zero, which spares the fast weights to read it.
    final private(set) var memoryIsZero = true
    /// The number of the first step in its sequence, from 0, for cells that do not do the same at every step.
    final private(set) var firstStep = 0
    /// Steps of each sequence where they differ; nil where all have T.
    final private(set) var lengths: SIMD16<Int32>?
    /// ∂L/∂(last h), which enters where a sequence ends.
    private let dLast: Panel?
    private var endsWithGradient = false
    private let arena: Arena

    /// `memory` are the rows of the state beside h as it is carried.
    init(
        _ layer: PlacedLayer, hidden: Int, memory rows: Int, _ plan: PassPlan, arena: Arena, states: States? = nil
    ) {
        (steps, self.hidden, memoryRows, self.arena) = (plan.steps, hidden, rows, arena)
        firstProduct = plan.carry == .nothing ? 1 : 0
        let states = states ?? States(steps: plan.steps, hidden: hidden, trains: plan.trains, arena: arena)
        (h, dh) = (states.h, states.dh)
        initialMemory = rows > 0 ? arena.panels(1, rows: rows)[0] : nil
        finalMemory = rows > 0 ? arena.panels(1, rows: rows)[0] : nil
        let goesBack = plan.trains && plan.carry == .stateAndGradient
        dMemory = rows > 0 && goesBack ? arena.panels(1, rows: rows)[0] : nil
        dLast = goesBack ? arena.panels(1, rows: hidden)[0] : nil
        super.init(layer, outputs: h.dropping(1), gradients: plan.trains ? dh.dropping(1) : dh)
    }

    /// The state after the last step, from which others go on: h(T), or 0 where that step clears it.
    var lastState: Panel { h[steps] }
    /// Whether `lastState` is h(T).
    var keepsLastState: Bool { true }

    /// What comes before the first step.
    final func begin(_ run: Run) {
        (steps, firstStep) = (run.steps, run.firstStep)
        lengths = run.block.laneLengths
    }

    /// What comes before the first step back: ∂L/∂(last h) enters where each sequence ends.
    final func beginBackward(_ block: LaneBlock) {
        dh[0].update(repeating: .zero, count: hidden)
        guard endsWithGradient, keepsLastState, let dLast else { return }
        for lane in block.lanes {
            let end = dh[block.lengths[lane]]
            for r in 0..<hidden { end[r][lane] += dLast[r][lane] }
        }
    }

    /// Lanes whose sequence is over before step t go on with the old numbers of the state.
    @inline(__always)
    final func hold(_ new: Panel, _ old: Panel, at t: Int) {
        guard let lengths else { return }
        let isOver = lengths .<= SIMD16(repeating: Int32(truncatingIfNeeded: t))
        for k in 0..<hidden { new[k] = new[k].replacing(with: old[k], where: isOver) }
    }

    /// ∂L/∂(last memory) enters `gradient`, that of the memory after step t, where a sequence ends: before the last step, or
    /// before its own.
    final func startMemoryGradient(_ gradient: Panel, at t: Int) {
        guard let dMemory else { return }
        if let lengths {
            let end = lengths .== SIMD16(repeating: Int32(truncatingIfNeeded: t + 1))
            for k in 0..<memoryRows { gradient[k] = gradient[k].replacing(with: dMemory[k], where: end) }
        } else if t == steps - 1 {
            gradient.update(from: dMemory, count: memoryRows)
        }
    }

    // MARK: State

    final override func goOn() {
        h[0].update(from: lastState, count: hidden)
        if let initialMemory, let finalMemory {
            initialMemory.update(from: finalMemory, count: memoryRows)
            memoryIsZero = false
        }
    }

    final override func clearState() {
        h[0].update(repeating: .zero, count: hidden)
        initialMemory?.update(repeating: .zero, count: memoryRows)
        memoryIsZero = true
    }

    final override var carriedRows: Int { hidden + memoryRows }

    final override func loadState(_ source: Panel) {
        h[0].update(from: source, count: hidden)
        guard let initialMemory else { return }
        memoryIsZero = false
        initialMemory.update(from: source + hidden, count: memoryRows)
    }

    final override func storeState(_ target: Panel) {
        target.update(from: lastState, count: hidden)
        if let finalMemory { (target + hidden).update(from: finalMemory, count: memoryRows) }
    }

    final override func initialState(_ part: Int) -> Panel { part == 0 ? h[0] : initialMemory! }
    final override func finalState(_ part: Int) -> Panel { part == 0 ? lastState : finalMemory! }
    final override func finalStateGradient(_ part: Int) -> Panel { part == 0 ? dLast! : dMemory! }
    final override func initialStateGradient(_ part: Int) -> Panel { part == 0 ? dh[0] : dMemory! }
    final override func setsState(initial: Bool, finalGradient: Bool) {
        (memoryIsZero, endsWithGradient) = (!initial, finalGradient)
    }
}

/// What a pass takes over from the time before its steps and hands on to the time after them.
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

/// h(0) … h(T) and, where they are trained, their gradients.
struct States {
    let h: PanelSequence
    let dh: PanelSequence

    init(steps: Int, hidden: Int, trains: Bool, arena: Arena) {
        h = arena.panels(steps + 1, rows: hidden)
        dh = arena.panels(trains ? steps + 1 : 0, rows: hidden)
    }
}

extension PanelSequence {
    /// The panels behind the first `count`.
    @inline(__always) func dropping(_ count: Int) -> PanelSequence {
        PanelSequence(pointer: self[count], stride: stride)
    }
}
