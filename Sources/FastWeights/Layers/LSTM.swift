extension Layer {
    /// Long short-term memory in PyTorch's form and gate order, i f g o (`nn.LSTM`); H = `hidden`, G = 4 gates:
    ///
    ///     c = σ(f)·c + σ(i)·tanh(g),   h = σ(o)·tanh(c),   i f g o = W_ih x + b_ih + W_hh h + b_hh
    ///
    /// With a layer norm each gate's H pre-activations are normalized apart, and h = σ(o)·tanh(LN(c)) while c itself is
    /// carried on as it is; ε = `epsilon` inside their square roots.
    ///
    /// Reads I numbers or tokens at every step and gives H. Parameters: `weight_ih_l0` [4·H, I], `weight_hh_l0` [4·H, H],
    /// `bias_ih_l0` and `bias_hh_l0` [4·H], first values uniform in ±1/√H; of the norms `norm_weight_l0` and `norm_bias_l0`
    /// [4·H], `norm_cell_weight_l0` and `norm_cell_bias_l0` [H]. O(G·H·(I + H)) per step and sequence.
    public static func lstm(
        _ hidden: Int, hasLayerNorm: Bool = false, hasBias: Bool = true, epsilon: Float = 1e-5
    ) -> Layer {
        Layer(LSTMLayer(hidden: hidden, hasLayerNorm: hasLayerNorm, hasBias: hasBias, epsilon: epsilon))
    }
}

/// Long short-term memory; the equations stand at `Layer.lstm`.
final class LSTMLayer: CellKind {
    let hidden: Int
    let hasLayerNorm: Bool
    let hasBias: Bool
    let epsilon: Float

    init(hidden: Int, hasLayerNorm: Bool = false, hasBias: Bool = true, epsilon: Float = 1e-5) {
        (self.hidden, self.hasLayerNorm, self.hasBias, self.epsilon) = (hidden, hasLayerNorm, hasBias, epsilon)
    }

    init(_ reader: ConfigurationReader) throws(ConfigurationError) {
        (hidden, hasLayerNorm) = (try reader.count("hidden"), try reader.flag("layer_norm", default: false))
        (hasBias, epsilon) = (try reader.flag("bias", default: true), try reader.epsilon())
    }

    var name: String { "lstm" }
    var options: [JSON.Member] {
        [
            JSON.Member("hidden", hidden), JSON.Member("layer_norm", hasLayerNorm), JSON.Member("bias", hasBias),
            JSON.Member("epsilon", epsilon),
        ]
    }

    var problem: String? { epsilonProblem(epsilon) }

    var sizes: CellSizes {
        var sizes = CellSizes(hidden: hidden, gates: 4)
        sizes.addedGates = 4
        sizes.memory = StatePart(letter: "c", sizes: [hidden])
        return sizes
    }

    func declare(_ scope: inout ParameterScope) -> [Parameter] {
        hasLayerNorm ? scope.addNorm("norm", hidden, sets: 4) + scope.addNorm("norm_cell", hidden) : []
    }

    var normLayouts: [CellStreamWeights.NormLayout] { hasLayerNorm ? [.ofGates(4), .ofGates(1)] : [] }

    func pass(_ weights: CellWeights, _ input: PassInput, _ plan: PassPlan) -> CellPass {
        LSTMPass(self, weights, input, plan)
    }

    func stream(_ shared: CellStreamWeights) -> CellStream { LSTMStream(self, shared) }
}

private final class LSTMPass: CellPass {
    private let epsilon: Float
    /// T + 1 panels of c, and T, or to run forward alone one, of tanh of (normalized) c.
    private let cells: PanelSequence
    private let tanhCells: PanelSequence
    private let dCell: Panel
    /// What the layer-normalized form keeps besides.
    private let norm: Norm?

    private struct Norm {
        /// ẑ of the four gates and of c, and their 1/σ: five a step.
        let gates: PanelSequence
        let cells: PanelSequence
        let scales: PanelSequence
        let gateGradients: LaneGradients
        let cellGradients: LaneGradients
    }

    init(_ kind: LSTMLayer, _ weights: CellWeights, _ input: PassInput, _ plan: PassPlan) {
        let arena = Arena()
        let (rows, steps, trains) = (kind.hidden, plan.steps, plan.trains)
        epsilon = kind.epsilon
        cells = arena.panels(steps + 1, rows: rows)
        tanhCells = arena.panels(steps, rows: rows, kept: trains)
        dCell = arena.panels(1, rows: trains ? rows : 0)[0]
        norm =
            kind.hasLayerNorm
            ? Norm(
                gates: arena.panels(steps, rows: 4 * rows, kept: trains),
                cells: arena.panels(steps, rows: rows, kept: trains),
                scales: arena.panels(steps, rows: 5, kept: trains),
                gateGradients: arena.laneGradients(rows: trains ? 4 * rows : 0),
                cellGradients: arena.laneGradients(rows: trains ? rows : 0)) : nil
        super.init(weights, input, plan, arena: arena)
    }

    override func unroll(_ range: Range<Int>) {
        if let initialMemory, range.lowerBound == 0 { cells[0].update(from: initialMemory, count: hidden) }
        let recurrent = weights.recurrent()
        for t in range {
            let gates = projections[t]
            if t >= firstProduct { recurrent.multiply(by: h[t], into: gates) }
            if let norm { normalizeGates(gates, norm, t) }
            let (f, g, o) = (gates + hidden, gates + 2 * hidden, gates + 3 * hidden)
            applyGate(gates, count: 2 * hidden)
            applyTanh(g, into: g, count: hidden)
            applyGate(o, count: hidden)
            let (c, next, squashed, y) = (cells[t], cells[t + 1], tanhCells[t], h[t + 1])
            for k in 0..<hidden { next[k] = (gates[k] * g[k]).mad(f[k], c[k]) }
            applyTanh(normalizedCell(next, t), into: squashed, count: hidden)
            for k in 0..<hidden { y[k] = o[k] * squashed[k] }
            hold(next, c, at: t)
            hold(y, h[t], at: t)
        }
        finalMemory?.update(from: cells[steps], count: hidden)
    }

    /// LN(c) with a layer norm, in the panel where tanh of it will stand; otherwise c itself.
    private func normalizedCell(_ c: Panel, _ t: Int) -> Panel {
        guard let norm else { return c }
        let (normalized, result) = (norm.cells[t], tanhCells[t])
        normalized.update(from: c, count: hidden)
        norm.scales[t][4] = normalize(normalized, rows: hidden, epsilon: epsilon)
        let (gain, shift) = (own(2), own(3))
        for k in 0..<hidden { result[k] = Lanes(repeating: shift[k]).mad(gain[k], normalized[k]) }
        return result
    }

    private func normalizeGates(_ gates: Panel, _ norm: Norm, _ t: Int) {
        let (gain, shift) = (own(0), own(1))
        let normalized = norm.gates[t]
        normalized.update(from: gates, count: 4 * hidden)
        for gate in 0..<4 {
            norm.scales[t][gate] = normalize(normalized + gate * hidden, rows: hidden, epsilon: epsilon)
        }
        for r in 0..<4 * hidden { gates[r] = Lanes(repeating: shift[r]).mad(gain[r], normalized[r]) }
    }

    override func unrollBackward(_ gradients: UnsafeMutablePointer<Float>) {
        norm?.gateGradients.clear(rows: 4 * hidden)
        norm?.cellGradients.clear(rows: hidden)
        dCell.update(repeating: .zero, count: hidden)
        let transposed = weights.recurrentTransposed()
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
                normalizeBackward(
                    d, norm.cells[t], norm.scales[t][4], rows: hidden, gain: own(2), norm.cellGradients)
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
                    normalizeBackward(
                        i + first, norm.gates[t] + first, norm.scales[t][gate], rows: hidden,
                        gain: own(0) + first,
                        LaneGradients(gain: norm.gateGradients.gain + first, bias: norm.gateGradients.bias + first))
                }
            }
            if t >= firstProduct { transposed.multiply(by: i, into: dh[t]) }
        }
        dMemory?.update(from: dCell, count: hidden)
        addRecurrentGradient(projections, rows: 4 * hidden, gradients)
        addRecurrentBiasGradient(projections, rows: 4 * hidden, gradients)
        guard let norm else { return }
        let own = cell.own
        norm.gateGradients.add(rows: 4 * hidden, toGain: gradients[own[0]], bias: gradients[own[1]])
        norm.cellGradients.add(rows: hidden, toGain: gradients[own[2]], bias: gradients[own[3]])
    }
}

private final class LSTMStream: CellStream {
    private let kind: LSTMLayer
    private let z: UnsafeMutablePointer<Octet>

    init(_ kind: LSTMLayer, _ shared: CellStreamWeights) {
        self.kind = kind
        let arena = StreamArena()
        z = arena.octets(kind.hasLayerNorm ? shared.vectors : 0)
        super.init(shared, arena: arena)
    }

    override func step(_ input: ColumnNumbers) {
        let x = begin(input)
        kind.hasLayerNorm ? stepNormalized(x) : stepPlain(x)
    }

    /// Gates i f g o. A padded unit has c = σ(0)·tanh(0) + σ(0)·0 = 0 and so h = 0.
    @inline(never)
    private func stepPlain(_ x: ColumnNumbers) {
        let (U, h, c) = (shared.vectors, h, memory.values)
        let gates = gates
        #if AVX512
            // Two vectors of units at a time, which lie one behind the other in c and h: loaded and stored as one, they stay one.
            @inline(__always) func pair(_ p: UnsafeMutablePointer<Octet>, _ u: Int) -> UnsafeMutablePointer<Float> {
                UnsafeMutableRawPointer(p + u).assumingMemoryBound(to: Float.self)
            }
            @inline(__always) func gate(_ g: Int, _ u: Int) -> Lanes {
                Lanes(lowHalf: gates[4 &* u &+ g], highHalf: gates[4 &* u &+ (4 &+ g)])
            }
            @inline(__always) func updateCells(_ u: Int) {
                let sum = (gate(0, u).gate() * gate(2, u).hyperbolicTangent()).mad(
                    gate(1, u).gate(), Lanes(at: pair(c, u)))
                sum.store(at: pair(c, u))
            }
            @inline(__always) func updateCell(_ u: Int) {
                let own = gates + 4 &* u
                c[u] = (own[0].gate() * own[2].hyperbolicTangent()).mad(own[1].gate(), c[u])
            }
            @inline(__always) func updateHidden(_ u: Int) {
                h[u] = gates[4 &* u &+ 3].gate() * c[u].hyperbolicTangent()
            }
            @inline(__always) func updateHiddens(_ u: Int) {
                (gate(3, u).gate() * Lanes(at: pair(c, u)).hyperbolicTangent()).store(at: pair(h, u))
            }
        #else
            @inline(__always) func gate(_ g: Int, _ u: Int, _ v: Int) -> Lanes {
                Lanes(lowHalf: gates[4 &* u &+ g], highHalf: gates[4 &* v &+ g])
            }
            @inline(__always) func updateCell(_ u: Int, and v: Int) {
                let old = Lanes(lowHalf: c[u], highHalf: c[v])
                let sum = (gate(0, u, v).gate() * gate(2, u, v).hyperbolicTangent()).mad(gate(1, u, v).gate(), old)
                (c[u], c[v]) = (sum.lowHalf, sum.highHalf)
            }
            @inline(__always) func updateHidden(_ u: Int, and v: Int) {
                let y = gate(3, u, v).gate() * Lanes(lowHalf: c[u], highHalf: c[v]).hyperbolicTangent()
                (h[u], h[v]) = (y.lowHalf, y.highHalf)
            }
            @inline(__always) func updateCells(_ u: Int) { updateCell(u, and: u &+ 1) }
            @inline(__always) func updateCell(_ u: Int) { updateCell(u, and: u) }
            @inline(__always) func updateHiddens(_ u: Int) { updateHidden(u, and: u &+ 1) }
            @inline(__always) func updateHidden(_ u: Int) { updateHidden(u, and: u) }
        #endif
        let w = weight
        let v = hiddenNumbers
        let bias = bias
        let backwards = backwards
        var i = 0
        var u = 0
        while i < w.tileCount {
            let tile = w.tile(i, backwards: backwards)
            multiplyTile(tile, by: x, v, from: bias, into: gates)
            u = tile.pointee.first &>> 2
            let end = u &+ tile.pointee.height &>> 2
            while u < end &- 1 {
                updateCells(u)
                u &+= 2
            }
            if u < end { updateCell(u) }
            i &+= 1
        }
        u = 0
        while u < U &- 1 {
            updateHiddens(u)
            u &+= 2
        }
        if u < U { updateHidden(u) }
    }

    /// The same with a layer norm of each gate and of c.
    @inline(never)
    private func stepNormalized(_ x: ColumnNumbers) {
        project(x)
        let epsilon = kind.epsilon
        for g in 0..<4 { normalize(gates + g, shared.norms[0], epsilon: epsilon, offset: g, stride: 4) }
        let (U, h, c, z, gates) = (shared.vectors, h, memory.values, z, gates)
        var gate = gates
        var u = 0
        while u < U {
            c[u] = (gate[0].sigmoid() * gate[2].hyperbolicTangent()).mad(gate[1].sigmoid(), c[u])
            z[u] = c[u]
            gate += 4
            u &+= 1
        }
        normalize(z, shared.norms[1], epsilon: epsilon)
        u = 0
        while u < U {
            h[u] = gates[4 &* u &+ 3].sigmoid() * z[u].hyperbolicTangent()
            u &+= 1
        }
    }
}
