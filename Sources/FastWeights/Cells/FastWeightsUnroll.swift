/// The fast-weights network of Ba et al. 2016; the equations stand at `FastWeightsOptions`, the events of a step at
/// `MemoryEvents`.
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
    /// What is written where not every step writes, one write behind the other, and its gradients; nil where write n is
    /// of h(n) itself.
    private let written: States?
    /// Zero, the state behind a step that clears it.
    private let zero: Panel
    /// Writes of the steps gone through: of all after `forward`.
    private var writes = 0

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
        // Where every step writes, the last does so behind the last read; a schedule may read after all its writes.
        let reach = options.isUsual ? steps - 1 : options.mostWrites(steps: steps)
        let chunk = options.memory.chunk(steps: reach + 1, hidden: rows)
        scores = arena.panels(steps * options.innerSteps, rows: min(chunk, reach + 1), kept: trains)
        z = arena.panels(1, rows: rows)[0]
        dInner = arena.panels(1, rows: trains ? rows : 0)[0]
        zero = arena.panels(1, rows: options.isUsual ? 0 : rows)[0]
        let states = States(steps: steps, hidden: rows, trains: trains, arena: arena)
        written = options.isUsual ? nil : States(steps: reach, hidden: rows, trains: trains, arena: arena)
        memory = FastMemory(
            options, hidden: rows, reach: reach, carry: carry, trains: trains, states: written ?? states, arena: arena)
        super.init(
            configuration, steps: steps, carry: carry, trains: trains, arena: arena, states: states)
    }

    /// The events of step t of these steps.
    private func events(_ t: Int) -> MemoryEvents { options.events(at: firstStep + t) }

    /// Inner steps of step t.
    private func innerSteps(_ t: Int) -> Int { events(t).contains(.read) ? options.innerSteps : 0 }

    /// Whether step t starts from h = 0, as the step before has cleared it. Of the first step the state says so itself.
    private func startsClear(_ t: Int) -> Bool { t > 0 && events(t - 1).contains(.clear) }

    /// The state h_s within step t: h(t) itself after the step's last inner step.
    private func state(_ t: Int, _ s: Int) -> Panel {
        s == innerSteps(t) ? h[t + 1] : inner[t * options.innerSteps + s]
    }

    override var lastState: Panel { steps > 0 && events(steps - 1).contains(.clear) ? zero : h[steps] }
    override var keepsLastState: Bool { steps == 0 || !events(steps - 1).contains(.clear) }

    /// The weight of each earlier state in the last read of each step of one sequence, η λ^(t-τ) [h(τ)·h_s]: row t has
    /// as many entries as there are steps before, of the list the memory holds. Only for the list form.
    func attention(lane: Int) -> [[Double]] {
        var writers: [Int] = []
        return (0..<steps).map { t in
            var row = [Double](repeating: 0, count: t)
            if innerSteps(t) > 0 {
                let scores = scores[t * options.innerSteps + options.innerSteps - 1]
                // Write e is of the state after its step; where the memory lags, of the state before it.
                for (e, step) in writers.enumerated() where step >= (options.lagged ? 1 : 0) {
                    row[step - (options.lagged ? 1 : 0)] =
                        Double(scores[e][lane]) * Double(options.rate)
                        * power(Double(options.decay), writers.count - 1 - e)
                }
            }
            if events(t).contains(.write) { writers.append(t) }
            return row
        }
    }

    override func forward(_ parameters: CellParameters, _ recurrent: RecurrentWeights, _ range: Range<Int>) {
        if range.lowerBound == 0 {
            memory.begin(with: memoryIsZero ? nil : initialMemory)
            writes = 0
        }
        for t in range {
            let b = projections[t]
            if t >= firstProduct && !startsClear(t) { recurrent.multiply(by: h[t], into: b) }
            activate(b, t, norm: options.normaliseFirst ? 0 : nil, into: state(t, 0), parameters)
            for s in 0..<innerSteps(t) {
                let norm = options.layerNorm ? s + (options.normaliseFirst ? 1 : 0) : nil
                let z = norm.map { normalised[t * options.norms + $0] } ?? self.z
                z.update(from: b, count: hidden)
                memory.read(state(t, s), into: z, after: writes, scores: scores[t * options.innerSteps + s])
                activate(z, t, norm: norm, into: state(t, s + 1), parameters)
            }
            hold(h[t + 1], h[t], at: t)
            guard events(t).contains(.write) else { continue }
            writes += 1
            written?.h[writes].update(from: h[t + 1], count: hidden)
            // Nothing reads behind the last step.
            if t + 1 < steps { memory.advance(to: writes) }
        }
        if let finalMemory, range.upperBound == steps { memory.finish(after: writes, into: finalMemory) }
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
        written?.dh.pointer.update(repeating: .zero, count: (writes + 1) * hidden)
        memory.beginBackward(after: writes, with: dMemory)
        for t in stride(from: steps - 1, through: 0, by: -1) {
            if events(t).contains(.write) {
                memory.retreat(from: writes)
                if let written { add(written.dh[writes], to: dh[t + 1]) }
                writes -= 1
            }
            // ∂L/∂h_s, for s from S down to 0: the panel of ∂L/∂h(t+1) is read no more.
            var (d, dInner) = (dh[t + 1], self.dInner)
            let db = projections[t]
            db.update(repeating: .zero, count: hidden)
            for s in stride(from: innerSteps(t) - 1, through: 0, by: -1) {
                activateBackward(
                    d, t, norm: s + (options.normaliseFirst ? 1 : 0), state(t, s + 1), addingTo: db, parameters)
                dInner.update(repeating: .zero, count: hidden)
                memory.readBackward(
                    state(t, s), d, into: dInner, after: writes, scores: scores[t * options.innerSteps + s])
                swap(&d, &dInner)
            }
            activateBackward(d, t, norm: options.normaliseFirst ? 0 : nil, state(t, 0), addingTo: db, parameters)
            if t >= firstProduct && !startsClear(t) { recurrent.multiplyTransposed(by: db, into: dh[t]) }
        }
        memory.finishBackward(into: dMemory)
        addRecurrentGradients(into: gradients.recurrentWeight)
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
        add(d, to: db)
    }

    private func add(_ x: Panel, to y: Panel) {
        for r in 0..<hidden { y[r] += x[r] }
    }

    /// The gradient of W_hh over each run of steps that none clears: the step behind one that does has used no W_hh.
    private func addRecurrentGradients(into dw: UnsafeMutablePointer<Float>) {
        var first = firstProduct
        while first < steps {
            var end = first
            while end < steps && !startsClear(end) { end += 1 }
            if first < end { addRecurrentGradient(projections, rows: hidden, steps: first..<end, into: dw) }
            first = end + 1
        }
    }
}
