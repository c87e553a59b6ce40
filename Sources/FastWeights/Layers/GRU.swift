extension Layer {
    /// Gated recurrent unit in PyTorch's form and gate order, r z n (`nn.GRU`); H = `hidden`, G = 3 gates:
    ///
    ///     r = σ(W_ir x + b_ir + W_hr h + b_hr)
    ///     z = σ(W_iz x + b_iz + W_hz h + b_hz)
    ///     n = tanh(W_in x + b_in + r·(W_hn h + b_hn))
    ///     h = (1 - z)·n + z·h
    ///
    /// Reads I numbers or tokens at every step and gives H. Parameters: `weight_ih_l0` [3·H, I], `weight_hh_l0` [3·H, H],
    /// `bias_ih_l0` and `bias_hh_l0` [3·H], first values uniform in ±1/√H. O(G·H·(I + H)) per step and sequence.
    public static func gru(_ hidden: Int, hasBias: Bool = true) -> Layer {
        Layer(GRULayer(hidden: hidden, hasBias: hasBias))
    }
}

/// The gated recurrent unit; the equations stand at `Layer.gru`.
final class GRULayer: CellKind {
    let hidden: Int
    let hasBias: Bool

    init(hidden: Int, hasBias: Bool = true) { (self.hidden, self.hasBias) = (hidden, hasBias) }

    init(_ reader: ConfigurationReader) throws(ConfigurationError) {
        (hidden, hasBias) = (try reader.count("hidden"), try reader.flag("bias", default: true))
    }

    var name: String { "gru" }
    var options: [JSON.Member] { [JSON.Member("hidden", hidden), JSON.Member("bias", hasBias)] }

    /// The candidate multiplies its recurrent part by r, so that its product with h is apart, and its bias not added up.
    var sizes: CellSizes {
        var sizes = CellSizes(hidden: hidden, gates: 3)
        (sizes.addedGates, sizes.separateGates) = (2, 1)
        return sizes
    }

    func pass(_ weights: CellWeights, _ input: PassInput, _ plan: PassPlan) -> CellPass {
        GRUPass(weights, input, plan)
    }

    func stream(_ shared: CellStreamWeights) -> CellStream { GRUStream(shared) }
}

/// The candidate's recurrent part stands inside the product with r, so its gradient differs from that of the projection
/// and is kept apart.
private final class GRUPass: CellPass {
    /// W_hn h + b_hn at each step; after the backward pass its gradient.
    private let candidate: PanelSequence

    init(_ weights: CellWeights, _ input: PassInput, _ plan: PassPlan) {
        let arena = Arena()
        candidate = arena.panels(plan.steps, rows: weights.cell.sizes.hidden, kept: plan.trains)
        super.init(weights, input, plan, arena: arena)
    }

    override func unroll(_ range: Range<Int>) {
        let bias = weights.recurrentBias + 2 * hidden
        let (ofGates, ofCandidate) = (weights.recurrent(), weights.recurrent(part: 1))
        for t in range {
            let (r, hn) = (projections[t], candidate[t])
            let (z, n) = (r + hidden, r + 2 * hidden)
            let (previous, y) = (h[t], h[t + 1])
            for k in 0..<hidden { hn[k] = Lanes(repeating: bias[k]) }
            if t >= firstProduct {
                ofGates.multiply(by: previous, into: r)
                ofCandidate.multiply(by: previous, into: hn)
            }
            applyGate(r, count: 2 * hidden)
            for k in 0..<hidden { n[k] = n[k].mad(r[k], hn[k]) }
            applyTanh(n, into: n, count: hidden)
            for k in 0..<hidden { y[k] = n[k].mad(z[k], previous[k] - n[k]) }
            hold(y, previous, at: t)
        }
    }

    override func unrollBackward(_ gradients: UnsafeMutablePointer<Float>) {
        let (ofGates, ofCandidate) = (weights.recurrentTransposed(), weights.recurrentTransposed(part: 1))
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
                ofGates.multiply(by: gates, into: dPrevious)
                ofCandidate.multiply(by: hn, into: dPrevious)
            }
        }
        addRecurrentGradient(projections, rows: 2 * hidden, gradients)
        addRecurrentGradient(candidate, firstRow: 2 * hidden, rows: hidden, gradients)
        addRecurrentBiasGradient(projections, rows: 2 * hidden, gradients)
        addRecurrentBiasGradient(candidate, firstRow: 2 * hidden, rows: hidden, gradients)
    }
}

/// A padded unit has n = tanh(0) = 0 and so h = 0.
private final class GRUStream: CellStream {
    /// W_in x + b_in, until r has multiplied the recurrent part.
    private let candidate: UnsafeMutablePointer<Octet>
    /// h of the units whose tiles are done, as long as others read the old one.
    private let next: UnsafeMutablePointer<Octet>

    init(_ shared: CellStreamWeights) {
        let arena = StreamArena()
        (candidate, next) = (arena.octets(shared.vectors), arena.octets(shared.vectors))
        super.init(shared, arena: arena)
    }

    /// Gates r z n. Behind the product of a tile its units are done, which takes place beside the product of the next one.
    @inline(never)
    override func step(_ input: ColumnNumbers) {
        let x = begin(input)
        let p = shared
        let (U, h, gates, candidate, old) = (p.vectors, h, gates, candidate, hiddenNumbers)
        let none = ColumnNumbers(pointer: x.pointer, count: 0)
        multiply(weight, by: x, none, from: bias, into: gates, backwards: backwards)
        var u = 0
        while u < U {
            candidate[u] = gates[3 &* u &+ 2]
            gates[3 &* u &+ 2] = p.candidateBias[u]
            u &+= 1
        }
        let w = p.recurrentWeight
        let target = w.tileCount == 1 ? h : next
        var i = 0
        while i < w.tileCount {
            let tile = w.tile(i, backwards: backwards)
            multiplyTile(tile, by: old, none, from: gates, into: gates)
            u = tile.pointee.first / 3
            let end = u &+ tile.pointee.height / 3
            if end &- u == 1 {
                // r and z of a unit alone stay in registers.
                let gate = gates + 3 &* u
                let both = Lanes(lowHalf: gate[0], highHalf: gate[1]).gate()
                let n = candidate[u].mad(both.lowHalf, gate[2]).hyperbolicTangent()
                target[u] = n.mad(both.highHalf, h[u] - n)
            } else {
                // Two loops, so that many functions which do not wait for each other are under way at a time.
                for u in u..<end {
                    let gate = gates + 3 &* u
                    let both = Lanes(lowHalf: gate[0], highHalf: gate[1]).gate()
                    (gate[0], gate[1]) = (both.lowHalf, both.highHalf)
                }
                for u in u..<end {
                    let gate = gates + 3 &* u
                    let n = candidate[u].mad(gate[0], gate[2]).hyperbolicTangent()
                    target[u] = n.mad(gate[1], h[u] - n)
                }
            }
            i &+= 1
        }
        if w.tileCount > 1 { h.update(from: next, count: U) }
    }
}
