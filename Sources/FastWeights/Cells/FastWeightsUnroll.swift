/// The fast-weights network of Ba et al. 2016; the equations stand at `FastWeightsOptions`.
final class FastWeightsUnroll: Unroll {
    private let options: FastWeightsOptions
    private let epsilon: Float
    private let memory: FastMemory
    /// h_s of every step, s = 0 … S-1 (h_S is the state itself).
    private let inner: PanelSequence
    /// ẑ and 1/σ of every normalisation of every step.
    private let normalised: PanelSequence
    private let scales: PanelSequence
    private let normGradients: LaneGradients
    /// h(τ)·h_s of every read, as far as the list reaches.
    private let scores: PanelSequence
    /// b + A h_s where no layer norm keeps it.
    private let z: Panel
    private let dInner: Panel

    init(
        _ configuration: CellConfiguration, _ options: FastWeightsOptions, steps: Int, carry: Carry, trains: Bool
    ) {
        let arena = Arena()
        let rows = configuration.hidden
        self.options = options
        epsilon = configuration.epsilon
        inner = arena.panels(steps * options.innerSteps, rows: rows, kept: trains)
        normalised = arena.panels(steps * options.norms, rows: rows, kept: trains)
        scales = arena.panels(steps * options.norms, rows: 1, kept: trains)
        normGradients = arena.laneGradients(rows: trains ? options.normSets * rows : 0)
        let chunk = options.memory.chunk(steps: steps, hidden: rows)
        scores = arena.panels(steps * options.innerSteps, rows: min(chunk, steps), kept: trains)
        z = arena.panels(1, rows: rows)[0]
        dInner = arena.panels(1, rows: trains ? rows : 0)[0]
        let states = States(steps: steps, hidden: rows, trains: trains, arena: arena)
        memory = FastMemory(
            options, hidden: rows, steps: steps, carry: carry, trains: trains, states: states,
            arena: arena)
        super.init(
            configuration, steps: steps, carry: carry, trains: trains, arena: arena, states: states)
    }

    /// The state h_s within step t: h(t) itself when s = S.
    private func state(_ t: Int, _ s: Int) -> Panel {
        s == options.innerSteps ? h[t + 1] : inner[t * options.innerSteps + s]
    }

    /// The weight of each earlier state in the last read of each step of one sequence, η λ^(t-τ) [h(τ)·h_s]: row t has
    /// as many entries as there are steps before, of the list the memory holds. Only for the list form.
    func attention(lane: Int) -> [[Double]] {
        (0..<steps).map { t in
            guard options.innerSteps > 0 else { return [Double](repeating: 0, count: t) }
            let row = scores[t * options.innerSteps + options.innerSteps - 1]
            // Write e is of h(e+1), the state after step e; where the memory lags, of h(e), the state before it.
            let weights = (0..<t).map { e in
                Double(row[e][lane]) * Double(options.rate) * power(Double(options.decay), t - 1 - e)
            }
            return options.lagged ? Array((weights + [0]).dropFirst().prefix(t)) : weights
        }
    }

    override func forward(_ parameters: CellParameters, _ recurrent: RecurrentWeights, _ range: Range<Int>) {
        if range.lowerBound == 0 { memory.begin(with: memoryIsZero ? nil : initialMemory) }
        for t in range {
            let b = projections[t]
            if t >= firstProduct { recurrent.multiply(by: h[t], into: b) }
            activate(b, t, norm: options.normaliseFirst ? 0 : nil, into: state(t, 0), parameters)
            for s in 0..<options.innerSteps {
                let norm = options.layerNorm ? s + (options.normaliseFirst ? 1 : 0) : nil
                let z = norm.map { normalised[t * options.norms + $0] } ?? self.z
                z.update(from: b, count: hidden)
                memory.read(state(t, s), into: z, after: t, scores: scores[t * options.innerSteps + s])
                activate(z, t, norm: norm, into: state(t, s + 1), parameters)
            }
            hold(h[t + 1], h[t], at: t)
            if t + 1 < steps { memory.advance(to: t + 1) }
        }
        if let finalMemory, range.upperBound == steps { memory.finish(after: steps, into: finalMemory) }
    }

    /// y = f(z), or f(gain·LN(z) + bias) with the norm of that number within the step.
    private func activate(_ z: Panel, _ t: Int, norm: Int?, into y: Panel, _ parameters: CellParameters) {
        guard options.layerNorm, let norm else { return options.activation.apply(z, into: y, count: hidden) }
        let slot = t * options.norms + norm
        let kept = normalised[slot]
        if kept != z { kept.update(from: z, count: hidden) }
        scales[slot].pointee = normalise(kept, rows: hidden, epsilon: epsilon)
        let set = options.separateNorms ? norm * hidden : 0
        let (gain, shift) = (parameters.normGain! + set, parameters.normBias! + set)
        for r in 0..<hidden { y[r] = Lanes(repeating: shift[r]).mad(gain[r], kept[r]) }
        options.activation.apply(y, into: y, count: hidden)
    }

    override func backward(
        _ parameters: CellParameters, _ recurrent: RecurrentWeights, gradients: CellParameters
    ) {
        normGradients.clear(rows: options.normSets * hidden)
        memory.beginBackward(after: steps, with: dMemory)
        for t in stride(from: steps - 1, through: 0, by: -1) {
            // ∂L/∂h_s, for s from S down to 0: the panel of ∂L/∂h(t+1) is read no more.
            var (d, dInner) = (dh[t + 1], self.dInner)
            let db = projections[t]
            db.update(repeating: .zero, count: hidden)
            for s in stride(from: options.innerSteps - 1, through: 0, by: -1) {
                activateBackward(
                    d, t, norm: s + (options.normaliseFirst ? 1 : 0), state(t, s + 1), addingTo: db, parameters)
                dInner.update(repeating: .zero, count: hidden)
                memory.readBackward(
                    state(t, s), d, into: dInner, after: t, scores: scores[t * options.innerSteps + s])
                swap(&d, &dInner)
            }
            activateBackward(d, t, norm: options.normaliseFirst ? 0 : nil, state(t, 0), addingTo: db, parameters)
            if t >= firstProduct { recurrent.multiplyTransposed(by: db, into: dh[t]) }
            memory.retreat(from: t)
        }
        memory.finishBackward(into: dMemory)
        addRecurrentGradient(projections, rows: hidden, into: gradients.recurrentWeight)
        if options.normSets > 0 {
            normGradients.add(
                rows: options.normSets * hidden, toGain: gradients.normGain!, bias: gradients.normBias!)
        }
    }

    /// d, ∂L/∂y of `activate`, becomes ∂L/∂z and is added to ∂L/∂b.
    private func activateBackward(
        _ d: Panel, _ t: Int, norm: Int?, _ y: Panel, addingTo db: Panel, _ parameters: CellParameters
    ) {
        options.activation.applyBackward(d, y, count: hidden)
        if options.layerNorm, let norm {
            let slot = t * options.norms + norm
            let set = options.separateNorms ? norm * hidden : 0
            normaliseBackward(
                d, normalised[slot], scales[slot].pointee, rows: hidden, gain: parameters.normGain! + set,
                LaneGradients(gain: normGradients.gain + set, bias: normGradients.bias + set))
        }
        for r in 0..<hidden { db[r] += d[r] }
    }
}
