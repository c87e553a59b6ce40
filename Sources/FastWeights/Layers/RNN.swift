extension Layer {
    /// Elman's recurrent network (PyTorch's `nn.RNN`); H = `hidden`, f = `activation`:
    ///
    ///     h = f(W_ih x + b_ih + W_hh h + b_hh)
    ///
    /// and with a layer norm h = f(LN(…)), ε = `epsilon` inside its square root.
    ///
    /// Reads I numbers or tokens at every step and gives H. Parameters: `weight_ih_l0` [H, I], `weight_hh_l0` [H, H],
    /// `bias_ih_l0` and `bias_hh_l0` [H], first values uniform in ±1/√H; of the norm `norm_weight_l0` and `norm_bias_l0` [H].
    /// O(H·(I + H)) per step and sequence.
    public static func rnn(
        _ hidden: Int, activation: Activation = .tanh, hasLayerNorm: Bool = false, hasBias: Bool = true,
        epsilon: Float = 1e-5
    ) -> Layer {
        Layer(RNNLayer(hidden: hidden, activation, hasLayerNorm: hasLayerNorm, hasBias: hasBias, epsilon: epsilon))
    }

    /// The IRNN of Le, Jaitly and Hinton 2015 (arXiv 1504.00941): `rnn` with ReLU, W_hh first the identity, biases 0.
    public static func irnn(
        _ hidden: Int, hasLayerNorm: Bool = false, hasBias: Bool = true, epsilon: Float = 1e-5
    ) -> Layer {
        Layer(
            RNNLayer(
                hidden: hidden, .relu, hasLayerNorm: hasLayerNorm, isIdentity: true, hasBias: hasBias, epsilon: epsilon)
        )
    }
}

/// The plain recurrent network; the equations stand at `Layer.rnn`.
final class RNNLayer: CellKind {
    let hidden: Int
    let activation: Activation
    let hasLayerNorm: Bool
    let isIdentity: Bool
    let hasBias: Bool
    let epsilon: Float

    init(
        hidden: Int, _ activation: Activation, hasLayerNorm: Bool = false, isIdentity: Bool = false,
        hasBias: Bool = true, epsilon: Float = 1e-5
    ) {
        (self.hidden, self.activation, self.hasLayerNorm) = (hidden, activation, hasLayerNorm)
        (self.isIdentity, self.hasBias, self.epsilon) = (isIdentity, hasBias, epsilon)
    }

    init(_ reader: ConfigurationReader) throws(ConfigurationError) {
        (hidden, activation) = (try reader.count("hidden"), try reader.activation(default: .tanh))
        hasLayerNorm = try reader.flag("layer_norm", default: false)
        isIdentity = try reader.flag("identity", default: false)
        (hasBias, epsilon) = (try reader.flag("bias", default: true), try reader.epsilon())
    }

    var name: String { "rnn" }
    var options: [JSON.Member] {
        [
            JSON.Member("hidden", hidden), JSON.Member("activation", activation.rawValue),
            JSON.Member("layer_norm", hasLayerNorm), JSON.Member("identity", isIdentity), JSON.Member("bias", hasBias),
            JSON.Member("epsilon", epsilon),
        ]
    }

    var problem: String? { epsilonProblem(epsilon) }

    var sizes: CellSizes {
        var sizes = CellSizes(hidden: hidden, gates: 1)
        sizes.addedGates = 1
        return sizes
    }

    var firstValues: CellFirstValues {
        guard isIdentity else { return CellFirstValues() }
        return CellFirstValues(
            recurrentWeight: .diagonal(1), inputBias: .constant(0), recurrentBias: .constant(0))
    }

    func declare(_ scope: inout ParameterScope) -> [Parameter] {
        hasLayerNorm ? scope.addNorm("norm", hidden) : []
    }

    var normLayouts: [CellStreamWeights.NormLayout] { hasLayerNorm ? [.sets(1)] : [] }

    func pass(_ weights: CellWeights, _ input: PassInput, _ plan: PassPlan) -> CellPass {
        RNNPass(self, weights, input, plan)
    }

    func stream(_ shared: CellStreamWeights) -> CellStream { RNNStream(self, shared) }
}

private final class RNNPass: CellPass {
    private let kind: RNNLayer
    /// 1/σ of each step, and the gradients of gain and bias; nil without a layer norm.
    private let norm: (scales: PanelSequence, gradients: LaneGradients, normalized: PanelSequence)?

    init(_ kind: RNNLayer, _ weights: CellWeights, _ input: PassInput, _ plan: PassPlan) {
        let arena = Arena()
        self.kind = kind
        let (rows, steps, trains) = (kind.hidden, plan.steps, plan.trains)
        norm =
            kind.hasLayerNorm
            ? (
                arena.panels(steps, rows: 1, kept: trains), arena.laneGradients(rows: trains ? rows : 0),
                arena.panels(steps, rows: rows, kept: trains)
            ) : nil
        super.init(weights, input, plan, arena: arena)
    }

    override func unroll(_ range: Range<Int>) {
        let recurrent = weights.recurrent()
        for t in range {
            let z = projections[t]
            if t >= firstProduct { recurrent.multiply(by: h[t], into: z) }
            if let norm {
                let normalized = norm.normalized[t]
                normalized.update(from: z, count: hidden)
                norm.scales[t].pointee = normalize(normalized, rows: hidden, epsilon: kind.epsilon)
                let gain = own(0)
                let shift = own(1)
                for r in 0..<hidden { z[r] = Lanes(repeating: shift[r]).mad(gain[r], normalized[r]) }
            }
            kind.activation.apply(z, into: h[t + 1], count: hidden)
            hold(h[t + 1], h[t], at: t)
        }
    }

    override func unrollBackward(_ gradients: UnsafeMutablePointer<Float>) {
        norm?.gradients.clear(rows: hidden)
        let transposed = weights.recurrentTransposed()
        for t in stride(from: steps - 1, through: 0, by: -1) {
            let dz = projections[t]
            dz.update(from: dh[t + 1], count: hidden)
            kind.activation.applyBackward(dz, h[t + 1], count: hidden)
            if let norm {
                normalizeBackward(
                    dz, norm.normalized[t], norm.scales[t].pointee, rows: hidden, gain: own(0),
                    norm.gradients)
            }
            if t >= firstProduct { transposed.multiply(by: dz, into: dh[t]) }
        }
        addRecurrentGradient(projections, rows: hidden, gradients)
        addRecurrentBiasGradient(projections, rows: hidden, gradients)
        if let norm {
            norm.gradients.add(rows: hidden, toGain: gradients[cell.own[0]], bias: gradients[cell.own[1]])
        }
    }
}

private final class RNNStream: CellStream {
    private let activation: Activation
    /// ε of the layer norm; nil without.
    private let epsilon: Float?

    init(_ kind: RNNLayer, _ shared: CellStreamWeights) {
        (activation, epsilon) = (kind.activation, kind.hasLayerNorm ? kind.epsilon : nil)
        super.init(shared)
    }

    @inline(never)
    override func step(_ input: ColumnNumbers) {
        let x = begin(input)
        project(x)
        if let epsilon { normalize(gates, shared.norms[0], epsilon: epsilon) }
        activate(gates, activation, into: h)
    }
}
