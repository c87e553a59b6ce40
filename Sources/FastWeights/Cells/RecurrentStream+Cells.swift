// What each kind of cell makes of an input and the state; the equations stand at `Cell`.
//
// Each step is one function that is not inlined and works on local pointers: no counting of references, no checks.

extension RecurrentStream {
    /// gates = bias + W_ih x + W_hh h.
    @inline(__always)
    private func project(_ x: ColumnNumbers) {
        multiply(parameters.weight, by: x, hiddenNumbers, from: parameters.bias, into: gates, backwards: backwards)
    }

    @inline(__always)
    private var hiddenNumbers: ColumnNumbers { ColumnNumbers(pointer: numbers(h), count: configuration.hidden) }

    @inline(never)
    func stepRNN(_ x: ColumnNumbers, _ activation: Activation) {
        project(x)
        normalise(gates, parameters.norm)
        activate(gates, activation, into: h)
    }

    /// Gates i f g o. A padded unit has c = σ(0)·tanh(0) + σ(0)·0 = 0 and so h = 0.
    @inline(never)
    func stepLSTM(_ x: ColumnNumbers) {
        let (U, h, c) = (parameters.vectors, h, memory.values)
        let gates = gates
        @inline(__always) func gate(_ g: Int, _ u: Int, _ v: Int) -> Lanes {
            Lanes(lowHalf: gates[4 &* u &+ g], highHalf: gates[4 &* v &+ g])
        }
        @inline(__always) func updateCell(_ u: Int, _ v: Int) {
            let old = Lanes(lowHalf: c[u], highHalf: c[v])
            let sum = (gate(0, u, v).gate() * gate(2, u, v).hyperbolicTangent()).mad(gate(1, u, v).gate(), old)
            (c[u], c[v]) = (sum.lowHalf, sum.highHalf)
        }
        @inline(__always) func updateHidden(_ u: Int, _ v: Int) {
            let y = gate(3, u, v).gate() * Lanes(lowHalf: c[u], highHalf: c[v]).hyperbolicTangent()
            (h[u], h[v]) = (y.lowHalf, y.highHalf)
        }
        let w = parameters.weight
        let v = hiddenNumbers
        let bias = parameters.bias
        let backwards = backwards
        var turn = 0
        var u = 0
        while turn < w.tiles {
            let tile = backwards ? w.tiles &- 1 &- turn : turn
            multiplyTile(w, tile, by: x, v, from: bias, into: gates)
            u = w.first(tile) &>> 2
            let end = u &+ w.height(tile) &>> 2
            while u < end &- 1 {
                updateCell(u, u &+ 1)
                u &+= 2
            }
            if u < end { updateCell(u, u) }
            turn &+= 1
        }
        u = 0
        while u < U &- 1 {
            updateHidden(u, u &+ 1)
            u &+= 2
        }
        if u < U { updateHidden(u, u) }
    }

    /// The same with a layer norm of each gate and of c.
    @inline(never)
    func stepNormalisedLSTM(_ x: ColumnNumbers) {
        project(x)
        for g in 0..<4 { normalise(gates + g, parameters.norm, offset: g, stride: 4) }
        let (U, h, c, z, gates) = (parameters.vectors, h, memory.values, z, gates)
        var gate = gates
        var u = 0
        while u < U {
            c[u] = (gate[0].sigmoid() * gate[2].hyperbolicTangent()).mad(gate[1].sigmoid(), c[u])
            z[u] = c[u]
            gate += 4
            u &+= 1
        }
        normalise(z, parameters.cellNorm)
        u = 0
        while u < U {
            h[u] = gates[4 &* u &+ 3].sigmoid() * z[u].hyperbolicTangent()
            u &+= 1
        }
    }

    /// Gates r z n. The candidate's recurrent part is apart from that of the input until r has multiplied it. A padded
    /// unit has n = tanh(0) = 0 and so h = 0.
    @inline(never)
    func stepGRU(_ x: ColumnNumbers) {
        let p = parameters
        let (U, h, gates, candidate) = (p.vectors, h, gates, inner)
        let none = ColumnNumbers(pointer: x.pointer, count: 0)
        multiply(p.weight, by: x, none, from: p.bias, into: gates, backwards: backwards)
        var u = 0
        while u < U {
            candidate[u] = gates[3 &* u &+ 2]
            gates[3 &* u &+ 2] = p.candidateBias[u]
            u &+= 1
        }
        multiply(p.recurrentWeight, by: hiddenNumbers, none, from: gates, into: gates, backwards: backwards)
        var gate = gates
        u = 0
        while u < U {
            let n = candidate[u].mad(gate[0].sigmoid(), gate[2]).hyperbolicTangent()
            h[u] = n.mad(gate[1].sigmoid(), h[u] - n)
            gate += 3
            u &+= 1
        }
    }

    @inline(never)
    func stepAssociativeLSTM(_ x: ColumnNumbers, _ associative: AssociativeStream) {
        project(x)
        associative.step(gates, copies: memory.values, h: h)
    }

    /// The equations stand at `FastWeightsOptions`; b is in `gates`, h_s in `inner`.
    ///
    /// What was written last is added to A in the pass that multiplies A by h_0, so that A is read and written once a
    /// step; or before another write, where no step between has read A.
    @inline(never)
    func stepFastWeights(_ x: ColumnNumbers, _ options: FastWeightsOptions) {
        let events = options.events(at: place)
        if isCleared { h.update(repeating: .zero, count: parameters.vectors) }
        project(x)
        let (U, h, inner, z, written) = (parameters.vectors, h, inner, z, written)
        let innerNumbers = ColumnNumbers(pointer: numbers(inner), count: configuration.hidden)
        let none = ColumnNumbers(pointer: x.pointer, count: 0)
        var norms = 0
        func activateInner(_ y: UnsafeMutablePointer<Octet>, layerNorm: Bool) {
            if layerNorm {
                normalise(y, parameters.norm, offset: options.separateNorms ? norms &* U : 0)
                norms &+= 1
            }
            activate(y, options.activation, into: inner)
        }
        z.update(from: gates, count: U)
        activateInner(z, layerNorm: options.layerNorm && options.normaliseFirst)
        let reads = events.contains(.read)
        if reads || events.contains(.write) && pendingRate != 0 { fade(by: numbers(inner), from: gates, into: z) }
        for s in 0..<(reads ? options.innerSteps : 0) {
            if s > 0 { multiply(memory, by: innerNumbers, none, from: gates, into: z, backwards: backwards) }
            activateInner(z, layerNorm: options.layerNorm)
        }
        if events.contains(.write) {
            written.update(from: options.lagged ? h : inner, count: U)
            (pendingDecay, pendingRate) = (options.decay, options.rate)
        }
        h.update(from: inner, count: U)
        isCleared = events.contains(.clear)
        place = (place &+ 1) % options.schedule.count
    }

    /// z = gain·LN(z) + bias of one vector of H; nothing without a norm.
    @inline(__always)
    private func normalise(
        _ z: UnsafeMutablePointer<Octet>, _ norm: StreamParameters.Norm?, offset: Int = 0, stride: Int = 1
    ) {
        guard let norm else { return }
        normaliseUnits(
            z, vectors: parameters.vectors, stride: stride, units: configuration.hidden, last: lastUnits,
            epsilon: configuration.epsilon, gain: norm.gain + offset, bias: norm.bias + offset)
    }

    /// y = f(z) of one vector of H.
    @inline(__always)
    private func activate(
        _ z: UnsafePointer<Octet>, _ activation: Activation, into y: UnsafeMutablePointer<Octet>
    ) {
        let U = parameters.vectors
        var u = 0
        switch activation {
        case .relu:
            while u < U {
                y[u] = z[u].rectified
                u &+= 1
            }
        case .tanh:
            while u < U {
                y[u] = z[u].hyperbolicTangent()
                u &+= 1
            }
        }
    }
}

/// The vectors at `p` as numbers.
@inline(__always)
func numbers(_ p: UnsafePointer<Octet>) -> UnsafePointer<Float> {
    UnsafeRawPointer(p).assumingMemoryBound(to: Float.self)
}
