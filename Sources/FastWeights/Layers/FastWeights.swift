extension Layer {
    /// The fast-weights network of Ba et al. 2016; the equations stand at ``FastWeightsOptions``; H = `hidden`, and ε =
    /// `epsilon` inside the square root of its layer norms.
    ///
    /// Reads I numbers or tokens at every step and gives H. Parameters: `weight_ih_l0` [H, I] (C), `weight_hh_l0` [H, H] (W),
    /// `bias_ih_l0` [H], and of the norms `norm_weight_l0` and `norm_bias_l0` [H], or with separate norms [N, H] in the order
    /// in which a step uses them: that of the first f where it is normalized, then one for each inner step. First values:
    /// W 0.05 times the identity, C uniform in ±1/√H, the bias 0. O(H·(I + H) + S·H·min(T, H)) per step and sequence.
    public static func fastWeights(
        _ hidden: Int, _ options: FastWeightsOptions = FastWeightsOptions(), hasBias: Bool = true,
        epsilon: Float = 1e-5
    ) -> Layer {
        Layer(FastWeightsLayer(hidden: hidden, options, hasBias: hasBias, epsilon: epsilon))
    }
}

/// The fast-weights network; the equations stand at `FastWeightsOptions`, the events of a step at `MemoryEvents`.
final class FastWeightsLayer: CellKind {
    let hidden: Int
    let memoryOptions: FastWeightsOptions
    let hasBias: Bool
    let epsilon: Float

    init(hidden: Int, _ options: FastWeightsOptions, hasBias: Bool = true, epsilon: Float = 1e-5) {
        (self.hidden, memoryOptions, self.hasBias, self.epsilon) = (hidden, options, hasBias, epsilon)
    }

    init(_ reader: ConfigurationReader) throws(ConfigurationError) {
        // Set one by one, so that what is impossible comes to `problem`.
        var options = FastWeightsOptions()
        options.memoryDecay = Float(try reader.number("lambda", default: Double(options.memoryDecay)))
        options.writeRate = Float(try reader.number("eta", default: Double(options.writeRate)))
        options.innerSteps = try reader.count(
            "inner_steps", from: 0, to: FastWeightsOptions.innerStepLimit, default: options.innerSteps)
        options.activation = try reader.activation(default: options.activation)
        options.hasLayerNorm = try reader.flag("layer_norm", default: options.hasLayerNorm)
        options.normalizesFirst = try reader.flag("normalise_first", default: options.normalizesFirst)
        options.hasSeparateNorms = try reader.flag("separate_norms", default: options.hasSeparateNorms)
        options.isLagged = try reader.flag("lagged", default: options.isLagged)
        options.schedule = try reader.schedule()
        (hidden, memoryOptions) = (try reader.count("hidden"), options)
        (hasBias, epsilon) = (try reader.flag("bias", default: true), try reader.epsilon())
    }

    var name: String { "fast_weights" }
    var options: [JSON.Member] {
        let options = memoryOptions
        let schedule = JSON.Member(key: "schedule", value: .array(options.schedule.map { .string($0.text) }))
        return [
            JSON.Member("hidden", hidden), JSON.Member("activation", options.activation.rawValue),
            JSON.Member("layer_norm", options.hasLayerNorm), JSON.Member("lambda", options.memoryDecay),
            JSON.Member("eta", options.writeRate), JSON.Member("inner_steps", options.innerSteps),
            JSON.Member("normalise_first", options.normalizesFirst),
            JSON.Member("separate_norms", options.hasSeparateNorms), JSON.Member("lagged", options.isLagged),
        ] + (options.isUsual ? [] : [schedule]) + [JSON.Member("bias", hasBias), JSON.Member("epsilon", epsilon)]
    }

    var unwrittenOptions: [String] { memoryOptions.isUsual ? ["schedule"] : [] }

    var forms: [any LayerKind] {
        [memoryOptions.memory, .matrix, .list, .chunks(3)].map { form in
            var options = memoryOptions
            options.memory = form
            return FastWeightsLayer(hidden: hidden, options, hasBias: hasBias, epsilon: epsilon)
        }
    }

    var problem: String? { memoryOptions.problem ?? epsilonProblem(epsilon) }

    var sizes: CellSizes {
        var sizes = CellSizes(hidden: hidden, gates: 1)
        sizes.memory = StatePart(letter: "A", sizes: [hidden, hidden])
        return sizes
    }

    var firstValues: CellFirstValues { CellFirstValues(recurrentWeight: .diagonal(0.05), inputBias: .constant(0)) }
    var period: Int { memoryOptions.isUsual ? 1 : memoryOptions.schedule.count }
    var prefersWhole: Bool { true }

    func declare(_ scope: inout ParameterScope) -> [Parameter] {
        let (sets, isMatrix) = (memoryOptions.normSets, memoryOptions.hasSeparateNorms)
        return sets > 0 ? scope.addNorm("norm", hidden, sets: sets, isMatrix: isMatrix) : []
    }

    var normLayouts: [CellStreamWeights.NormLayout] {
        memoryOptions.normSets > 0 ? [.sets(memoryOptions.normSets)] : []
    }

    func memoryRows(_ carry: Carry) -> Int {
        switch carry {
        case .nothing: 0
        case .state: BatchedMatrix.count(rows: hidden, isSymmetric: true)
        case .stateAndGradient: hidden * hidden
        }
    }

    func pass(_ weights: CellWeights, _ input: PassInput, _ plan: PassPlan) -> CellPass {
        FastWeightsPass(self, weights, input, plan)
    }

    func stream(_ shared: CellStreamWeights) -> CellStream { FastWeightsStream(self, shared) }
}

extension ConfigurationReader {
    /// The schedule of fast weights; without one the usual.
    fileprivate func schedule() throws(ConfigurationError) -> [FastWeightsOptions.MemoryEvents] {
        guard let value = json["schedule"] else { return [.usual] }
        guard case .array(let steps) = value, (1...FastWeightsOptions.periodLimit).contains(steps.count) else {
            throw wrong("schedule", "a list with the events of each step")
        }
        var schedule: [FastWeightsOptions.MemoryEvents] = []
        for step in steps {
            guard let events = step.text.flatMap({ FastWeightsOptions.MemoryEvents(text: $0) }) else {
                throw wrong("schedule", "events among read, write and clear")
            }
            schedule.append(events)
        }
        return schedule
    }
}

/// Over sixteen sequences.
final class FastWeightsPass: CellPass {
    private let options: FastWeightsOptions
    private let epsilon: Float
    private let memory: FastMemory
    /// h_s of every step, s = 0 … S-1 (h_S is the state itself).
    private let inner: PanelSequence
    /// ẑ and 1/σ of every normalization of every step.
    private let normalized: PanelSequence
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

    init(_ kind: FastWeightsLayer, _ weights: CellWeights, _ input: PassInput, _ plan: PassPlan) {
        let arena = Arena()
        let (rows, options) = (kind.hidden, kind.memoryOptions)
        let (steps, trains) = (plan.steps, plan.trains)
        self.options = options
        epsilon = kind.epsilon
        inner = arena.panels(steps * options.innerSteps, rows: rows, kept: trains)
        normalized = arena.panels(steps * options.norms, rows: rows, kept: trains)
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
            options, hidden: rows, reach: reach, carry: plan.carry, trains: trains, states: written ?? states,
            arena: arena)
        super.init(weights, input, plan, arena: arena, states: states)
    }

    /// The events of step t of these steps.
    private func events(_ t: Int) -> FastWeightsOptions.MemoryEvents { options.events(at: firstStep + t) }

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
                for (e, step) in writers.enumerated() where step >= (options.isLagged ? 1 : 0) {
                    row[step - (options.isLagged ? 1 : 0)] =
                        Double(scores[e][lane]) * Double(options.writeRate)
                        * power(Double(options.memoryDecay), writers.count - 1 - e)
                }
            }
            if events(t).contains(.write) { writers.append(t) }
            return row
        }
    }

    override func unroll(_ range: Range<Int>) {
        if range.lowerBound == 0 {
            memory.begin(with: memoryIsZero ? nil : initialMemory)
            writes = 0
        }
        let recurrent = weights.recurrent()
        for t in range {
            let b = projections[t]
            if t >= firstProduct && !startsClear(t) { recurrent.multiply(by: h[t], into: b) }
            activate(b, t, norm: options.normalizesFirst ? 0 : nil, into: state(t, 0))
            for s in 0..<innerSteps(t) {
                let norm = options.hasLayerNorm ? s + (options.normalizesFirst ? 1 : 0) : nil
                let z = norm.map { normalized[t * options.norms + $0] } ?? self.z
                z.update(from: b, count: hidden)
                memory.read(state(t, s), into: z, after: writes, scores: scores[t * options.innerSteps + s])
                activate(z, t, norm: norm, into: state(t, s + 1))
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
    private func activate(_ z: Panel, _ t: Int, norm: Int?, into y: Panel) {
        guard options.hasLayerNorm, let norm else { return options.activation.apply(z, into: y, count: hidden) }
        let slot = t * options.norms + norm
        let kept = normalized[slot]
        if kept != z { kept.update(from: z, count: hidden) }
        scales[slot].pointee = normalize(kept, rows: hidden, epsilon: epsilon)
        let set = options.hasSeparateNorms ? norm * hidden : 0
        let (gain, shift) = (own(0) + set, own(1) + set)
        for r in 0..<hidden { y[r] = Lanes(repeating: shift[r]).mad(gain[r], kept[r]) }
        options.activation.apply(y, into: y, count: hidden)
    }

    override func unrollBackward(_ gradients: UnsafeMutablePointer<Float>) {
        normGradients.clear(rows: options.normSets * hidden)
        written?.dh.pointer.update(repeating: .zero, count: (writes + 1) * hidden)
        memory.beginBackward(after: writes, with: dMemory)
        let transposed = weights.recurrentTransposed()
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
                    d, t, norm: s + (options.normalizesFirst ? 1 : 0), state(t, s + 1), addingTo: db)
                dInner.update(repeating: .zero, count: hidden)
                memory.readBackward(
                    state(t, s), d, into: dInner, after: writes, scores: scores[t * options.innerSteps + s])
                swap(&d, &dInner)
            }
            activateBackward(d, t, norm: options.normalizesFirst ? 0 : nil, state(t, 0), addingTo: db)
            if t >= firstProduct && !startsClear(t) { transposed.multiply(by: db, into: dh[t]) }
        }
        memory.finishBackward(into: dMemory)
        addRecurrentGradients(gradients)
        if options.normSets > 0 {
            normGradients.add(
                rows: options.normSets * hidden, toGain: gradients[cell.own[0]], bias: gradients[cell.own[1]])
        }
    }

    /// d, ∂L/∂y of `activate`, becomes ∂L/∂z and is added to ∂L/∂b.
    private func activateBackward(
        _ d: Panel, _ t: Int, norm: Int?, _ y: Panel, addingTo db: Panel
    ) {
        options.activation.applyBackward(d, y, count: hidden)
        if options.hasLayerNorm, let norm {
            let slot = t * options.norms + norm
            let set = options.hasSeparateNorms ? norm * hidden : 0
            normalizeBackward(
                d, normalized[slot], scales[slot].pointee, rows: hidden, gain: own(0) + set,
                LaneGradients(gain: normGradients.gain + set, bias: normGradients.bias + set))
        }
        add(d, to: db)
    }

    private func add(_ x: Panel, to y: Panel) {
        for r in 0..<hidden { y[r] += x[r] }
    }

    /// The gradient of W_hh over each run of steps that none clears: the step behind one that does has used no W_hh.
    private func addRecurrentGradients(_ gradients: UnsafeMutablePointer<Float>) {
        var first = firstProduct
        while first < steps {
            var end = first
            while end < steps && !startsClear(end) { end += 1 }
            if first < end { addRecurrentGradient(projections, rows: hidden, steps: first..<end, gradients) }
            first = end + 1
        }
    }
}

private final class FastWeightsStream: CellStream {
    private let options: FastWeightsOptions
    private let epsilon: Float
    private let z: UnsafeMutablePointer<Octet>
    private let inner: UnsafeMutablePointer<Octet>
    /// What the last step wrote into A, which takes it in with the next step, and that step's λ and η.
    private let written: UnsafeMutablePointer<Octet>
    private var pendingDecay: Float = 1
    private var pendingRate: Float = 0

    init(_ kind: FastWeightsLayer, _ shared: CellStreamWeights) {
        (options, epsilon) = (kind.memoryOptions, kind.epsilon)
        let (U, arena) = (shared.vectors, StreamArena())
        (z, inner, written) = (arena.octets(U), arena.octets(U), arena.octets(U))
        super.init(shared, arena: arena, tallest: StreamMatrix.tallestFading)
    }

    /// The equations stand at `FastWeightsOptions`; b is in `gates`, h_s in `inner`.
    ///
    /// What was written last is added to A in the pass that multiplies A by h_0, so that A is read and written once a
    /// step; or before another write, where no step between has read A.
    @inline(never)
    override func step(_ input: ColumnNumbers) {
        let x = begin(input)
        let events = options.schedule[phase]
        if isCleared { h.update(repeating: .zero, count: shared.vectors) }
        project(x)
        let (U, h, inner, z, written) = (shared.vectors, h, inner, z, written)
        let innerNumbers = ColumnNumbers(pointer: numbers(inner), count: hidden)
        let none = ColumnNumbers(pointer: x.pointer, count: 0)
        var norms = 0
        func activateInner(_ y: UnsafeMutablePointer<Octet>, normalizes: Bool) {
            if normalizes {
                normalize(y, shared.norms[0], epsilon: epsilon, offset: options.hasSeparateNorms ? norms &* U : 0)
                norms &+= 1
            }
            activate(y, options.activation, into: inner)
        }
        z.update(from: gates, count: U)
        activateInner(z, normalizes: options.hasLayerNorm && options.normalizesFirst)
        let reads = events.contains(.read)
        if reads || events.contains(.write) && pendingRate != 0 { fade(by: numbers(inner), from: gates, into: z) }
        for s in 0..<(reads ? options.innerSteps : 0) {
            if s > 0 { multiply(memory, by: innerNumbers, none, from: gates, into: z, backwards: backwards) }
            activateInner(z, normalizes: options.hasLayerNorm)
        }
        if events.contains(.write) {
            written.update(from: options.isLagged ? h : inner, count: U)
            (pendingDecay, pendingRate) = (options.memoryDecay, options.writeRate)
        }
        h.update(from: inner, count: U)
        isCleared = events.contains(.clear)
        phase = phase &+ 1 < options.schedule.count ? phase &+ 1 : 0
    }

    /// A takes in what is pending, and y = start + A·x.
    @inline(__always)
    private func fade(
        by x: UnsafePointer<Float>, from start: UnsafePointer<Octet>, into y: UnsafeMutablePointer<Octet>
    ) {
        fadeAndMultiply(
            memory, decay: pendingDecay, rate: pendingRate, writing: written, by: x, from: start, into: y,
            backwards: backwards)
        (pendingDecay, pendingRate) = (1, 0)
    }

    override var memoryIsByRows: Bool { true }
    override func settle() { fade(by: numbers(inner), from: z, into: z) }

    override func reset() {
        super.reset()
        written.update(repeating: .zero, count: shared.vectors)
        (pendingDecay, pendingRate) = (1, 0)
    }

    override func takeOver(_ other: LayerStream) {
        super.takeOver(other)
        let other = unsafeDowncast(other, to: FastWeightsStream.self)
        written.update(from: other.written, count: shared.vectors)
        (pendingDecay, pendingRate) = (other.pendingDecay, other.pendingRate)
    }
}
