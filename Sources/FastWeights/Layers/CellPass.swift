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
class CellPass: RecurrentPass {
    let cell: PlacedCell
    let weights: CellWeights
    /// T panels of the cell's gate rows.
    let projections: PanelSequence
    final var input: PassInput
    private let scratch: Panel

    init(_ weights: CellWeights, _ input: PassInput, _ plan: PassPlan, arena: Arena, states: States? = nil) {
        let cell = weights.cell
        (self.cell, self.weights, self.input, scratch) = (cell, weights, input, plan.scratch)
        projections = arena.panels(plan.steps, rows: cell.sizes.rows)
        super.init(
            cell, hidden: cell.sizes.hidden, memory: cell.kind.memoryRows(plan.carry), plan, arena: arena,
            states: states)
    }

    /// The steps of `range` from their projections.
    func unroll(_ range: Range<Int>) { misuse("each kind of cell has its own forward pass") }

    func unrollBackward(_ gradients: UnsafeMutablePointer<Float>) {
        misuse("each kind of cell has its own backward pass")
    }

    // MARK: Passes

    final override func forward(_ run: Run, _ range: Range<Int>) {
        if range.lowerBound == 0 { begin(run) }
        project(range)
        unroll(range)
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
        beginBackward(run.block)
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

    // MARK: What the kinds need

    /// The numbers of parameter i of the kind's own.
    final func own(_ i: Int) -> UnsafeMutablePointer<Float> { weights.numbers[cell.own[i]] }

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
}
