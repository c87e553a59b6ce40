/// The gated recurrent unit in PyTorch's form, gates r z n:
/// r = σ(…), z = σ(…), n = tanh(W_in x + b_in + r·(W_hn h + b_hn)), h(t) = (1 - z)·n + z·h(t-1).
///
/// The candidate's recurrent part stands inside the product with r, so its gradient differs from that of the
/// projection and is kept apart.
final class GRUUnroll: Unroll {
    /// W_hn h + b_hn at each step; after the backward pass its gradient.
    private let candidate: PanelSequence

    init(_ configuration: CellConfiguration, steps: Int) {
        let arena = Arena()
        candidate = arena.panels(steps, rows: configuration.hidden)
        super.init(configuration, steps: steps, carriesMemory: false, arena: arena)
    }

    override func forward(_ parameters: CellParameters) {
        let bias = parameters.recurrentBias!
        let weight = parameters.recurrentWeight
        for t in 0..<steps {
            let gates = projections[t]
            let hn = candidate[t]
            let previous = h[t]
            let y = h[t + 1]
            multiply(weight, rows: 2 * hidden, columns: hidden, by: previous, into: gates, accumulate: true)
            multiply(
                weight + 2 * hidden * hidden, rows: hidden, columns: hidden, by: previous, into: hn, accumulate: false)
            for k in 0..<hidden {
                let r = (gates[k] + bias[k]).sigmoid()
                let z = (gates[hidden + k] + bias[hidden + k]).sigmoid()
                let inner = hn[k] + bias[2 * hidden + k]
                let n = gates[2 * hidden + k].mad(r, inner).hyperbolicTangent()
                gates[k] = r
                gates[hidden + k] = z
                gates[2 * hidden + k] = n
                hn[k] = inner
                y[k] = n.mad(z, previous[k] - n)
            }
        }
    }

    override func backward(_ parameters: CellParameters, gradients: CellParameters) {
        let weight = parameters.recurrentWeight
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
            multiplyTransposed(
                weight, rows: 2 * hidden, columns: hidden, by: gates, into: dPrevious, accumulate: true)
            multiplyTransposed(
                weight + 2 * hidden * hidden, rows: hidden, columns: hidden, by: hn, into: dPrevious, accumulate: true)
        }
        accumulateOuterProducts(
            projections, rows: 2 * hidden, h, columns: hidden, count: steps, scratch: scratch,
            into: gradients.recurrentWeight)
        accumulateOuterProducts(
            candidate, rows: hidden, h, columns: hidden, count: steps, scratch: scratch,
            into: gradients.recurrentWeight + 2 * hidden * hidden)
        accumulateSums(projections, rows: 2 * hidden, count: steps, into: gradients.recurrentBias!)
        accumulateSums(candidate, rows: hidden, count: steps, into: gradients.recurrentBias! + 2 * hidden)
    }
}
