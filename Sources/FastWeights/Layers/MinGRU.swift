extension Layer {
    /// minGRU, a gated recurrent unit whose gates look at the input alone (Feng et al. 2024, arXiv 2410.01201); H = `hidden`,
    /// G = 2 gates, z h̃:
    ///
    ///     z = σ(W_z x + b_z),   h̃ = W_h x + b_h,   h = (1 - z)·h + z·h̃
    ///
    /// Reads I numbers or tokens at every step and gives H. Parameters: `weight_ih_l0` [2·H, I] and `bias_ih_l0` [2·H], first
    /// values uniform in ±1/√H. O(G·H·I) per step and sequence.
    public static func minGRU(_ hidden: Int, hasBias: Bool = true) -> Layer {
        Layer(MinGRULayer(hidden: hidden, hasBias: hasBias))
    }
}

/// The minimal gated recurrent unit; the equations stand at `Layer.minGRU`.
final class MinGRULayer: CellKind {
    let hidden: Int
    let hasBias: Bool

    init(hidden: Int, hasBias: Bool = true) { (self.hidden, self.hasBias) = (hidden, hasBias) }

    init(_ reader: ConfigurationReader) throws(ConfigurationError) {
        (hidden, hasBias) = (try reader.count("hidden"), try reader.flag("bias", default: true))
    }

    var name: String { "min_gru" }
    var options: [JSON.Member] { [JSON.Member("hidden", hidden), JSON.Member("bias", hasBias)] }

    /// No gate looks at h, so that there is no weight_hh and no bias_hh.
    var sizes: CellSizes {
        var sizes = CellSizes(hidden: hidden, gates: 2)
        sizes.recurrentGates = 0
        return sizes
    }

    func pass(_ weights: CellWeights, _ input: PassInput, _ plan: PassPlan) -> CellPass {
        MinGRUPass(weights, input, plan, arena: Arena())
    }

    func stream(_ shared: CellStreamWeights) -> CellStream { MinGRUStream(shared) }
}

private final class MinGRUPass: CellPass {
    override func unroll(_ range: Range<Int>) {
        for t in range {
            let (z, candidate) = (projections[t], projections[t] + hidden)
            let (previous, y) = (h[t], h[t + 1])
            applyGate(z, count: hidden)
            for k in 0..<hidden { y[k] = previous[k].mad(z[k], candidate[k] - previous[k]) }
            hold(y, previous, at: t)
        }
    }

    override func unrollBackward(_ gradients: UnsafeMutablePointer<Float>) {
        for t in stride(from: steps - 1, through: 0, by: -1) {
            let (gates, candidates) = (projections[t], projections[t] + hidden)
            let (previous, dy, dPrevious) = (h[t], dh[t + 1], dh[t])
            for k in 0..<hidden {
                let (z, candidate, d) = (gates[k], candidates[k], dy[k])
                gates[k] = d * (candidate - previous[k]) * z * (1 - z)
                candidates[k] = d * z
                dPrevious[k] = dPrevious[k].mad(d, 1 - z)
            }
        }
    }
}

/// A padded unit has h̃ = 0 and so h = 0.
private final class MinGRUStream: CellStream {
    @inline(never)
    override func step(_ input: ColumnNumbers) {
        let x = begin(input)
        let (U, h) = (shared.vectors, h)
        project(x)
        var gate = gates
        var u = 0
        while u < U {
            h[u] = h[u].mad(gate[0].sigmoid(), gate[1] - h[u])
            gate += 2
            u &+= 1
        }
    }
}
