/// The plain recurrent network, h(t) = f(LN?(W_ih x(t) + b_ih + W_hh h(t-1) + b_hh)).
final class RNNUnroll: Unroll {
    private let activation: Activation
    private let epsilon: Float
    /// 1/σ of each step, and the gradients of gain and bias; nil without a layer norm.
    private let norm: (scales: PanelSequence, gradients: LaneGradients, normalised: PanelSequence)?

    init(
        _ configuration: CellConfiguration, _ activation: Activation, layerNorm: Bool, steps: Int, carry: Carry,
        trains: Bool
    ) {
        let arena = Arena()
        self.activation = activation
        epsilon = configuration.epsilon
        let rows = configuration.hidden
        norm =
            layerNorm
            ? (
                arena.panels(steps, rows: 1, kept: trains), arena.laneGradients(rows: trains ? rows : 0),
                arena.panels(steps, rows: rows, kept: trains)
            ) : nil
        super.init(configuration, steps: steps, carry: carry, trains: trains, arena: arena)
    }

    override func forward(_ parameters: CellParameters, _ recurrent: RecurrentWeights, _ range: Range<Int>) {
        for t in range {
            let z = projections[t]
            if t >= firstProduct { recurrent.multiply(by: h[t], into: z) }
            if let norm {
                let normalised = norm.normalised[t]
                normalised.update(from: z, count: hidden)
                norm.scales[t].pointee = normalise(normalised, rows: hidden, epsilon: epsilon)
                let gain = parameters.normGain!
                let shift = parameters.normBias!
                for r in 0..<hidden { z[r] = Lanes(repeating: shift[r]).mad(gain[r], normalised[r]) }
            }
            activation.apply(z, into: h[t + 1], count: hidden)
            hold(h[t + 1], h[t], at: t)
        }
    }

    override func backward(
        _ parameters: CellParameters, _ recurrent: RecurrentWeights, gradients: CellParameters
    ) {
        norm?.gradients.clear(rows: hidden)
        for t in stride(from: steps - 1, through: 0, by: -1) {
            let dz = projections[t]
            dz.update(from: dh[t + 1], count: hidden)
            activation.applyBackward(dz, h[t + 1], count: hidden)
            if let norm {
                normaliseBackward(
                    dz, norm.normalised[t], norm.scales[t].pointee, rows: hidden, gain: parameters.normGain!,
                    norm.gradients)
            }
            if t >= firstProduct { recurrent.multiplyTransposed(by: dz, into: dh[t]) }
        }
        addRecurrentGradient(projections, rows: hidden, into: gradients.recurrentWeight)
        accumulateSums(projections, rows: hidden, count: steps, into: gradients.recurrentBias!)
        norm?.gradients.add(rows: hidden, toGain: gradients.normGain!, bias: gradients.normBias!)
    }
}
