/// The gated recurrent unit in PyTorch's form, gates r z n:
/// r = σ(…), z = σ(…), n = tanh(W_in x + b_in + r·(W_hn h + b_hn)), h(t) = (1 - z)·n + z·h(t-1).
///
/// The candidate's recurrent part stands inside the product with r, so its gradient differs from that of the
/// projection and is kept apart.
final class GRUUnroll: Unroll {
    /// W_hn h + b_hn at each step; after the backward pass its gradient.
    private let candidate: PanelSequence

    init(_ configuration: CellConfiguration, steps: Int, carry: Carry, trains: Bool) {
        let arena = Arena()
        candidate = arena.panels(steps, rows: configuration.hidden, kept: trains)
        super.init(configuration, steps: steps, carry: carry, trains: trains, arena: arena)
    }

    override func forward(_ parameters: CellParameters, _ recurrent: RecurrentWeights, _ range: Range<Int>) {
        let bias = parameters.recurrentBias! + 2 * hidden
        for t in range {
            let (r, hn) = (projections[t], candidate[t])
            let (z, n) = (r + hidden, r + 2 * hidden)
            let (previous, y) = (h[t], h[t + 1])
            for k in 0..<hidden { hn[k] = Lanes(repeating: bias[k]) }
            if t >= firstProduct {
                recurrent.multiply(by: previous, into: r)
                recurrent.multiply(part: 1, by: previous, into: hn)
            }
            applyGate(r, count: 2 * hidden)
            for k in 0..<hidden { n[k] = n[k].mad(r[k], hn[k]) }
            applyTanh(n, into: n, count: hidden)
            for k in 0..<hidden { y[k] = n[k].mad(z[k], previous[k] - n[k]) }
            hold(y, previous, at: t)
        }
    }

    override func backward(
        _ parameters: CellParameters, _ recurrent: RecurrentWeights, gradients: CellParameters
    ) {
        for t in stride(from: steps - 1, through: 0, by: -1) {
            let gates = projections[t]
            let hn = candidate[t]
            let previous = h[t]
            let dy = dh[t + 1]
            let dPrevious = dh[t]
            for k in 0..<hidden {
                let r = gates[k]
                let z = gates[hidden + k]
                let n = gates[2 * hidden + k]
                let d = dy[k]
                let dn = d * (1 - z) * (1 - n * n)
                gates[k] = dn * hn[k] * r * (1 - r)
                gates[hidden + k] = d * (previous[k] - n) * z * (1 - z)
                gates[2 * hidden + k] = dn
                hn[k] = dn * r
                dPrevious[k] = dPrevious[k].mad(d, z)
            }
            if t >= firstProduct {
                recurrent.multiplyTransposed(by: gates, into: dPrevious)
                recurrent.multiplyTransposed(part: 1, by: hn, into: dPrevious)
            }
        }
        addRecurrentGradient(projections, rows: 2 * hidden, into: gradients.recurrentWeight)
        addRecurrentGradient(candidate, rows: hidden, into: gradients.recurrentWeight + 2 * hidden * hidden)
        accumulateSums(projections, rows: 2 * hidden, count: steps, into: gradients.recurrentBias!)
        accumulateSums(candidate, rows: hidden, count: steps, into: gradients.recurrentBias! + 2 * hidden)
    }
}
