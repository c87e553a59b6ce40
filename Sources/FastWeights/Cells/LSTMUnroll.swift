/// Long short-term memory in PyTorch's form, gates i f g o: c = σ(f)·c + σ(i)·tanh(g), h = σ(o)·tanh(LN?(c)).
final class LSTMUnroll: Unroll {
    private let epsilon: Float
    /// T + 1 panels of c, and T, or to run forward alone one, of tanh of (normalised) c.
    private let cells: PanelSequence
    private let tanhCells: PanelSequence
    private let dCell: Panel
    /// What the layer-normalised form keeps besides.
    private let norm: Norm?

    private struct Norm {
        /// ẑ of the four gates and of c, and their 1/σ: five a step.
        let gates: PanelSequence
        let cells: PanelSequence
        let scales: PanelSequence
        let gateGradients: LaneGradients
        let cellGradients: LaneGradients
    }

    init(_ configuration: CellConfiguration, layerNorm: Bool, steps: Int, carry: Carry, trains: Bool) {
        let arena = Arena()
        let rows = configuration.hidden
        epsilon = configuration.epsilon
        cells = arena.panels(steps + 1, rows: rows)
        tanhCells = arena.panels(steps, rows: rows, kept: trains)
        dCell = arena.panels(1, rows: trains ? rows : 0)[0]
        norm =
            layerNorm
            ? Norm(
                gates: arena.panels(steps, rows: 4 * rows, kept: trains),
                cells: arena.panels(steps, rows: rows, kept: trains),
                scales: arena.panels(steps, rows: 5, kept: trains),
                gateGradients: arena.laneGradients(rows: trains ? 4 * rows : 0),
                cellGradients: arena.laneGradients(rows: trains ? rows : 0)) : nil
        super.init(configuration, steps: steps, carry: carry, trains: trains, arena: arena)
    }

    override func forward(_ parameters: CellParameters, _ recurrent: RecurrentWeights, _ range: Range<Int>) {
        if let initialMemory, range.lowerBound == 0 { cells[0].update(from: initialMemory, count: hidden) }
        for t in range {
            let gates = projections[t]
            if t >= firstProduct { recurrent.multiply(by: h[t], into: gates) }
            if let norm { normaliseGates(gates, norm, t, parameters) }
            let (f, g, o) = (gates + hidden, gates + 2 * hidden, gates + 3 * hidden)
            applyGate(gates, count: 2 * hidden)
            applyTanh(g, into: g, count: hidden)
            applyGate(o, count: hidden)
            let (c, next, squashed, y) = (cells[t], cells[t + 1], tanhCells[t], h[t + 1])
            for k in 0..<hidden { next[k] = (gates[k] * g[k]).mad(f[k], c[k]) }
            applyTanh(normalisedCell(next, t, parameters), into: squashed, count: hidden)
            for k in 0..<hidden { y[k] = o[k] * squashed[k] }
            hold(next, c, at: t)
            hold(y, h[t], at: t)
        }
        finalMemory?.update(from: cells[steps], count: hidden)
    }

    /// LN(c) with a layer norm, in the panel where tanh of it will stand; otherwise c itself.
    private func normalisedCell(_ c: Panel, _ t: Int, _ parameters: CellParameters) -> Panel {
        guard let norm else { return c }
        let (normalised, result) = (norm.cells[t], tanhCells[t])
        normalised.update(from: c, count: hidden)
        norm.scales[t][4] = normalise(normalised, rows: hidden, epsilon: epsilon)
        let (gain, shift) = (parameters.cellGain!, parameters.cellBias!)
        for k in 0..<hidden { result[k] = Lanes(repeating: shift[k]).mad(gain[k], normalised[k]) }
        return result
    }

    private func normaliseGates(_ gates: Panel, _ norm: Norm, _ t: Int, _ parameters: CellParameters) {
        let (gain, shift) = (parameters.normGain!, parameters.normBias!)
        let normalised = norm.gates[t]
        normalised.update(from: gates, count: 4 * hidden)
        for gate in 0..<4 {
            norm.scales[t][gate] = normalise(normalised + gate * hidden, rows: hidden, epsilon: epsilon)
        }
        for r in 0..<4 * hidden { gates[r] = Lanes(repeating: shift[r]).mad(gain[r], normalised[r]) }
    }

    override func backward(
        _ parameters: CellParameters, _ recurrent: RecurrentWeights, gradients: CellParameters
    ) {
        norm?.gateGradients.clear(rows: 4 * hidden)
        norm?.cellGradients.clear(rows: hidden)
        dCell.update(repeating: .zero, count: hidden)
        for t in stride(from: steps - 1, through: 0, by: -1) {
            startMemoryGradient(dCell, at: t)
            let i = projections[t]
            let (f, g, o) = (i + hidden, i + 2 * hidden, i + 3 * hidden)
            let dy = dh[t + 1]
            let squashed = tanhCells[t]
            if let norm {
                // The cell's panel of this step is read no more: it becomes ∂L/∂LN(c), then ∂L/∂c.
                let d = tanhCells[t]
                for k in 0..<hidden {
                    let y = squashed[k]
                    let dOutput = dy[k] * y
                    d[k] = dy[k] * o[k] * (1 - y * y)
                    o[k] = dOutput * o[k] * (1 - o[k])
                }
                normaliseBackward(
                    d, norm.cells[t], norm.scales[t][4], rows: hidden, gain: parameters.cellGain!, norm.cellGradients)
                for k in 0..<hidden { dCell[k] += d[k] }
            } else {
                for k in 0..<hidden {
                    let y = squashed[k]
                    dCell[k] = dCell[k].mad(dy[k] * o[k], 1 - y * y)
                    o[k] = dy[k] * y * o[k] * (1 - o[k])
                }
            }
            let c = cells[t]
            for k in 0..<hidden {
                let d = dCell[k]
                let (a, b, e) = (i[k], f[k], g[k])
                i[k] = d * e * a * (1 - a)
                f[k] = d * c[k] * b * (1 - b)
                g[k] = d * a * (1 - e * e)
                dCell[k] = d * b
            }
            if let norm {
                for gate in 0..<4 {
                    let first = gate * hidden
                    normaliseBackward(
                        i + first, norm.gates[t] + first, norm.scales[t][gate], rows: hidden,
                        gain: parameters.normGain! + first,
                        LaneGradients(gain: norm.gateGradients.gain + first, bias: norm.gateGradients.bias + first))
                }
            }
            if t >= firstProduct { recurrent.multiplyTransposed(by: i, into: dh[t]) }
        }
        dMemory?.update(from: dCell, count: hidden)
        addRecurrentGradient(projections, rows: 4 * hidden, into: gradients.recurrentWeight)
        accumulateSums(projections, rows: 4 * hidden, count: steps, into: gradients.recurrentBias!)
        norm?.gateGradients.add(rows: 4 * hidden, toGain: gradients.normGain!, bias: gradients.normBias!)
        norm?.cellGradients.add(rows: hidden, toGain: gradients.cellGain!, bias: gradients.cellBias!)
    }
}
