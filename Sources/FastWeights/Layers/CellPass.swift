/// A cell over T steps of one block of sixteen sequences: a subclass is one kind of cell.
///
/// The cell makes its projections, W_ih x(t) + b_ih, in the first gates + b_hh, of numbers or by a table of tokens. The
/// subclass makes h(t) of them in `unroll`, and in `unrollBackward` the gradients of its own parameters and of the
/// projections. It works on panels of sixteen samples throughout:
///
/// 1. `projections` is there, `h[0]` and `initialMemory` have the state to start from.
/// 2. `unroll` leaves h(t) in `h[t]`, t = 1…T, and the last memory in `finalMemory`.
/// 3. ∂L/∂h(t) is in `dh[t]`, 0 in `dh[0]`, and ∂L/∂(final memory) in `dMemory`.
/// 4. `unrollBackward` adds the gradients of W_hh, b_hh and what is the kind's own to a gradient block, and leaves the
///    gradients of the projections in `projections`, of h(0) in `dh[0]` and of the initial memory in `dMemory`.
///
/// Where the sequences of a block differ in length, `lengths` has them: behind its end a lane keeps its state, so that
/// `h[T]` and `finalMemory` are those of every sequence's own end. Its dh is then 0 behind the end. The final memory of the
/// fast weights needs sequences of one length.
///
/// `Carry` says what it has to do with the time before and after its steps, and so what it can spare. Made without
/// `trains`, it runs forward only, and has neither the panels of gradients nor those that only the backward pass reads.
class CellPass: LayerPass {
    let cell: PlacedCell
    let weights: CellWeights
    /// T of the run.
    final private(set) var steps: Int
    let hidden: Int
    /// The first step at which the recurrent weights are used: 0, or 1 from the zero state.
    let firstProduct: Int
    /// T panels of the cell's gate rows.
    let projections: PanelSequence
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
    final var input: PassInput
    private let scratch: Panel
    /// ∂L/∂(last h), which enters where a sequence ends.
    private let dLast: Panel?
    private var endsWithGradient = false
    private let arena: Arena

    init(_ weights: CellWeights, _ input: PassInput, _ plan: PassPlan, arena: Arena, states: States? = nil) {
        let cell = weights.cell
        (self.cell, self.weights, self.input, self.arena) = (cell, weights, input, arena)
        (steps, scratch, hidden) = (plan.steps, plan.scratch, cell.sizes.hidden)
        firstProduct = plan.carry == .nothing ? 1 : 0
        projections = arena.panels(plan.steps, rows: cell.sizes.rows)
        let states = states ?? States(steps: plan.steps, hidden: hidden, trains: plan.trains, arena: arena)
        (h, dh) = (states.h, states.dh)
        let rows = cell.kind.memoryRows(plan.carry)
        memoryRows = rows
        initialMemory = rows > 0 ? arena.panels(1, rows: rows)[0] : nil
        finalMemory = rows > 0 ? arena.panels(1, rows: rows)[0] : nil
        let goesBack = plan.trains && plan.carry == .stateAndGradient
        dMemory = rows > 0 && goesBack ? arena.panels(1, rows: rows)[0] : nil
        dLast = goesBack ? arena.panels(1, rows: hidden)[0] : nil
        super.init(cell, outputs: h.dropping(1), gradients: plan.trains ? dh.dropping(1) : dh)
    }

    /// The steps of `range` from their projections.
    func unroll(_ range: Range<Int>) { misuse("each kind of cell has its own forward pass") }

    func unrollBackward(_ gradients: UnsafeMutablePointer<Float>) {
        misuse("each kind of cell has its own backward pass")
    }

    /// The state after the last step, from which others go on: h(T), or 0 where that step clears it.
    var lastState: Panel { h[steps] }
    /// Whether `lastState` is h(T).
    var keepsLastState: Bool { true }

    // MARK: Passes

    final override func forward(_ run: Run, _ range: Range<Int>) {
        if range.lowerBound == 0 { begin(run) }
        project(range)
        unroll(range)
    }

    /// What comes before the first step, of who makes the projections himself and calls `unroll`.
    final func begin(_ run: Run) {
        (steps, firstStep) = (run.steps, run.firstStep)
        lengths = run.block.laneLengths
    }

    /// W_ih x(t) and the biases.
    private func project(_ range: Range<Int>) {
        if let tokens = input.tokens, let table = weights.table?.tokenRows {
            for t in range { table.gather(tokens + t * Lanes.width, into: projections[t]) }
            return
        }
        let (rows, columns, bias) = (cell.sizes.rows, cell.input.count, weights.bias.pointer)
        let weight = weights.numbers[cell.inputWeight]
        for t in range {
            let z = projections[t]
            for r in 0..<rows { z[r] = Lanes(repeating: bias[r]) }
            multiply(weight, rows: rows, columns: columns, by: input.x[t], into: z, accumulate: true)
        }
    }

    /// All but the gradients of what was multiplied by W_ih: those of the projections are left in `projections`.
    final func differentiate(_ run: Run, _ gradients: UnsafeMutablePointer<Float>) {
        dh[0].update(repeating: .zero, count: hidden)
        addLastGradient(run.block)
        unrollBackward(gradients)
        guard let inputBias = cell.inputBias, input.tokens == nil || weights.table?.sumsBias != true else { return }
        accumulateSums(projections, rows: cell.sizes.rows, count: steps, into: gradients[inputBias])
    }

    final override func backward(_ run: Run, _ gradients: UnsafeMutablePointer<Float>) {
        backwardToParameters(run, gradients)
        backwardToInput()
    }

    /// The gradients of all parameters.
    final func backwardToParameters(_ run: Run, _ gradients: UnsafeMutablePointer<Float>) {
        differentiate(run, gradients)
        let (rows, table) = (cell.sizes.rows, weights.table)
        if let tokens = input.tokens, let table = table?.gradientRows(gradients) {
            for t in 0..<steps {
                table.scatter(tokens + t * Lanes.width, from: projections[t], count: run.block.active(at: t))
            }
            return
        }
        let columns = cell.input.count
        accumulateOuterProducts(
            projections, rows: rows, input.x, columns: columns, count: steps, scratch: scratch,
            into: gradients[cell.inputWeight])
    }

    /// ∂L/∂x, behind `backwardToParameters`.
    final func backwardToInput() {
        guard let dx = input.dx else { return }
        let (rows, columns, weight) = (cell.sizes.rows, cell.input.count, weights.numbers[cell.inputWeight])
        for t in 0..<steps {
            multiplyTransposed(
                weight, rows: rows, columns: columns, by: projections[t], into: dx[t], accumulate: input.addsGradient)
        }
    }

    private func addLastGradient(_ block: LaneBlock) {
        guard endsWithGradient, keepsLastState, let dLast else { return }
        for lane in block.lanes {
            let end = dh[block.lengths[lane]]
            for r in 0..<hidden { end[r][lane] += dLast[r][lane] }
        }
    }

    // MARK: What the kinds need

    /// The numbers of parameter i of the kind's own.
    final func own(_ i: Int) -> UnsafeMutablePointer<Float> { weights.numbers[cell.own[i]] }

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

    /// The gradient of some rows of W_hh, dW += Σ_t dz(t)·h(t-1)ᵀ over all steps that have one, or over those in `range`.
    final func addRecurrentGradient(
        _ dz: PanelSequence, firstRow: Int = 0, rows: Int, steps range: Range<Int>? = nil,
        _ gradients: UnsafeMutablePointer<Float>
    ) {
        guard let weight = cell.recurrentWeight else { return }
        let first = range?.lowerBound ?? firstProduct
        accumulateOuterProducts(
            dz.dropping(first), rows: rows, h.dropping(first), columns: hidden,
            count: (range?.upperBound ?? steps) - first, scratch: scratch,
            into: gradients[weight] + firstRow * hidden)
    }

    /// The gradient of some of b_hh, where the cell has it.
    final func addRecurrentBiasGradient(
        _ dz: PanelSequence, firstRow: Int = 0, rows: Int, _ gradients: UnsafeMutablePointer<Float>
    ) {
        guard let bias = cell.recurrentBias else { return }
        accumulateSums(dz, rows: rows, count: steps, into: gradients[bias] + firstRow)
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
