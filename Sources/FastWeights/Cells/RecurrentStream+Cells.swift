// What each kind of cell makes of the pre-activations in `gates`; the equations stand at `Cell`.

extension RecurrentStream {
    func stepRNN(_ activation: Activation) {
        normalise(gates, parameters.norm)
        activate(gates, activation, into: h)
    }

    /// Gates i f g o. A padded unit has c = σ(0)·tanh(0) + σ(0)·0 = 0 and so h = 0.
    func stepLSTM() {
        let V = parameters.vectors
        for gate in 0..<4 { normalise(gates + gate * V, parameters.norm, set: gate) }
        let (i, f, g, o) = (gates, gates + V, gates + 2 * V, gates + 3 * V)
        for v in 0..<V {
            let c = (i[v].sigmoid() * g[v].hyperbolicTangent()).mad(f[v].sigmoid(), memory[v])
            memory[v] = c
            z[v] = c
        }
        normalise(z, parameters.cellNorm)
        for v in 0..<V { h[v] = o[v].sigmoid() * z[v].hyperbolicTangent() }
    }

    /// Gates W_in x | r | z | W_hn h. A padded unit has n = tanh(0) = 0 and so h = 0.
    func stepGRU() {
        let V = parameters.vectors
        let (candidate, r, update, recurrent) = (gates, gates + V, gates + 2 * V, gates + 3 * V)
        for v in 0..<V {
            let n = candidate[v].mad(r[v].sigmoid(), recurrent[v]).hyperbolicTangent()
            h[v] = n.mad(update[v].sigmoid(), h[v] - n)
        }
    }

    /// The equations stand at `FastWeightsOptions`; b is in `gates`, h_s in `inner`.
    func stepFastWeights(_ options: FastWeightsOptions) {
        let (H, V) = (configuration.hidden, parameters.vectors)
        var norms = 0
        func activateInner(layerNorm: Bool) {
            if layerNorm {
                normalise(z, parameters.norm, set: options.separateNorms ? norms : 0)
                norms += 1
            }
            activate(z, options.activation, into: inner)
        }
        z.update(from: gates, count: V)
        activateInner(layerNorm: options.layerNorm && options.normaliseFirst)
        for _ in 0..<options.innerSteps {
            z.update(from: gates, count: V)
            addProduct(memory, vectors: V, columns: H, by: floats(inner), into: z)
            activateInner(layerNorm: options.layerNorm)
        }
        // What is written is h(t), or h(t-1) where the memory lags.
        decayAndAddOuterProduct(
            memory, vectors: V, columns: H, decay: options.decay, rate: options.rate, options.lagged ? h : inner)
        h.update(from: inner, count: V)
    }
}
