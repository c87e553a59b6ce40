extension Layer {
    /// The associative LSTM of Danihelka et al. 2016; the equations stand at ``AssociativeLSTMOptions``; H = `hidden`, even.
    ///
    /// Reads I numbers or tokens at every step and gives H. Parameters: `weight_ih_l0` [G, I] with G = 3·H/2 + (2·keys + 1)·H
    /// rows, `weight_hh_l0` [G, H], without the last H where the candidate does not look at h, and `bias_ih_l0` [G]. First
    /// values: weights uniform in ±1/√H, the bias of f as the options say, the others 0. O(G·(I + H) + S·H) per step and
    /// sequence.
    public static func associativeLSTM(
        _ hidden: Int, _ options: AssociativeLSTMOptions = AssociativeLSTMOptions(), hasBias: Bool = true
    ) -> Layer {
        Layer(AssociativeLSTMLayer(hidden: hidden, options, hasBias: hasBias))
    }
}

/// The associative LSTM; the equations stand at `AssociativeLSTMOptions`.
final class AssociativeLSTMLayer: CellKind {
    let hidden: Int
    let memoryOptions: AssociativeLSTMOptions
    let hasBias: Bool

    init(hidden: Int, _ options: AssociativeLSTMOptions, hasBias: Bool = true) {
        (self.hidden, memoryOptions, self.hasBias) = (hidden, options, hasBias)
    }

    init(_ reader: ConfigurationReader) throws(ConfigurationError) {
        var options = AssociativeLSTMOptions()
        options.copies = try reader.count("copies", to: AssociativeLSTMOptions.limit, default: options.copies)
        options.keys = try reader.count("keys", to: AssociativeLSTMOptions.limit, default: options.keys)
        options.permutationSeed = UInt32(
            try reader.count("permutation_seed", from: 0, to: Int(UInt32.max), default: Int(options.permutationSeed)))
        options.hasRecurrentCandidate = try reader.flag("recurrent_candidate", default: options.hasRecurrentCandidate)
        options.forgetBias = Float(try reader.number("forget_bias", default: 1))
        (hidden, memoryOptions) = (try reader.count("hidden"), options)
        hasBias = try reader.flag("bias", default: true)
    }

    var name: String { "associative_lstm" }
    var options: [JSON.Member] {
        [
            JSON.Member("hidden", hidden), JSON.Member("copies", memoryOptions.copies),
            JSON.Member("keys", memoryOptions.keys),
            JSON.Member(key: "permutation_seed", value: .number(Double(memoryOptions.permutationSeed))),
            JSON.Member("recurrent_candidate", memoryOptions.hasRecurrentCandidate),
            JSON.Member("forget_bias", memoryOptions.forgetBias), JSON.Member("bias", hasBias),
        ]
    }

    var problem: String? {
        guard hidden % 2 == 0 else {
            return "an associative LSTM needs an even number of hidden units, as half of them are the imaginary "
                + "parts; found \(hidden)"
        }
        return memoryOptions.problem
    }

    var sizes: CellSizes {
        let vectors = memoryOptions.vectors
        var sizes = CellSizes(hidden: hidden, gates: 3 + vectors)
        sizes.gates = [Int](repeating: hidden / 2, count: 3) + [Int](repeating: hidden, count: vectors)
        sizes.units = hidden / 2
        if !memoryOptions.hasRecurrentCandidate { sizes.recurrentGates -= 1 }
        sizes.memory = StatePart(letter: "c", sizes: [memoryOptions.copies, hidden])
        return sizes
    }

    var firstValues: CellFirstValues {
        CellFirstValues(inputBias: .range(hidden / 2..<hidden, memoryOptions.forgetBias))
    }

    func pass(_ weights: CellWeights, _ input: PassInput, _ plan: PassPlan) -> CellPass {
        AssociativeLSTMPass(self, weights, input, plan)
    }

    func stream(_ shared: CellStreamWeights) -> CellStream { AssociativeLSTMStream(self, shared) }
}

private final class AssociativeLSTMPass: CellPass {
    private let options: AssociativeLSTMOptions
    /// H/2, complex numbers of a vector.
    private let half: Int
    /// The orders of the copies, [S, H/2].
    private let orders: Buffer<Int>
    /// T + 1 panels of the copies c_s, S·H rows.
    private let copies: PanelSequence
    /// bound(…) of what is read, before the output gate: T panels of H rows, or to run forward alone one.
    private let reads: PanelSequence
    /// The scales of all that is bounded in a step: keys, u, and what is read.
    private let scales: PanelSequence
    /// The sums of the input keys and of the output keys, 2·H rows.
    private let keys: Panel
    /// i · u.
    private let value: Panel
    private let dCopies: Panel
    private let dKeys: Panel
    private let dValue: Panel

    init(_ kind: AssociativeLSTMLayer, _ weights: CellWeights, _ input: PassInput, _ plan: PassPlan) {
        let arena = Arena()
        let (options, hidden) = (kind.memoryOptions, kind.hidden)
        let (steps, trains, rows) = (plan.steps, plan.trains, kind.memoryOptions.copies * kind.hidden)
        self.options = options
        half = hidden / 2
        orders = Buffer(options.permutations(of: hidden / 2))
        copies = arena.panels(steps + 1, rows: rows)
        reads = arena.panels(steps, rows: hidden, kept: trains)
        scales = arena.panels(steps, rows: (options.vectors + 1) * hidden / 2, kept: trains)
        keys = arena.panels(1, rows: 2 * hidden)[0]
        value = arena.panels(1, rows: hidden)[0]
        dCopies = arena.panels(1, rows: trains ? rows : 0)[0]
        dKeys = arena.panels(1, rows: trains ? 2 * hidden : 0)[0]
        dValue = arena.panels(1, rows: trains ? hidden : 0)[0]
        super.init(weights, input, plan, arena: arena)
    }

    /// Vector v of the pre-activations of a step: the input keys, the output keys, u.
    private func vector(_ v: Int, of gates: Panel) -> Panel { gates + 3 * half + v * hidden }

    private func bindKeysAndValue(_ gates: Panel) {
        let (i, u) = (gates, vector(2 * options.keys, of: gates))
        for k in 0..<half {
            value[k] = i[k] * u[k]
            value[half + k] = i[k] * u[half + k]
        }
        for side in 0..<2 {
            let sum = keys + side * hidden
            sum.update(from: vector(side * options.keys, of: gates), count: hidden)
            for n in 1..<options.keys {
                let key = vector(side * options.keys + n, of: gates)
                for r in 0..<hidden { sum[r] += key[r] }
            }
        }
    }

    override func unroll(_ range: Range<Int>) {
        if let initialMemory, range.lowerBound == 0 {
            copies[0].update(from: initialMemory, count: options.copies * hidden)
        }
        let recurrent = weights.recurrent()
        for t in range {
            let gates = projections[t]
            if t >= firstProduct { recurrent.multiply(by: h[t], into: gates) }
            applyGate(gates, count: 3 * half)
            for v in 0..<options.vectors {
                applyBound(vector(v, of: gates), count: half, scales: scales[t] + v * half)
            }
            bindKeysAndValue(gates)
            let (read, y, o) = (reads[t], h[t + 1], gates + 2 * half)
            read.update(repeating: .zero, count: hidden)
            for s in 0..<options.copies {
                let (c, next) = (copies[t] + s * hidden, copies[t + 1] + s * hidden)
                storeAndRead(
                    c, into: next, forget: gates + half, keys: keys, value: value, order: orders.pointer + s * half,
                    half: half, share: 1 / Float(options.copies), addingTo: read)
                hold(next, c, at: t)
            }
            applyBound(read, count: half, scales: scales[t] + options.vectors * half)
            for k in 0..<half {
                y[k] = o[k] * read[k]
                y[half + k] = o[k] * read[half + k]
            }
            hold(y, h[t], at: t)
        }
        finalMemory?.update(from: copies[steps], count: options.copies * hidden)
    }

    override func unrollBackward(_ gradients: UnsafeMutablePointer<Float>) {
        dCopies.update(repeating: .zero, count: options.copies * hidden)
        let transposed = weights.recurrentTransposed()
        for t in stride(from: steps - 1, through: 0, by: -1) {
            startMemoryGradient(dCopies, at: t)
            let (gates, dy, read) = (projections[t], dh[t + 1], reads[t])
            let (i, f, o) = (gates, gates + half, gates + 2 * half)
            let u = vector(2 * options.keys, of: gates)
            bindKeysAndValue(gates)
            // dy becomes the gradient of what was bounded, then of the mean over the copies.
            for k in 0..<half {
                let d = (dy[k] * read[k]).mad(dy[half + k], read[half + k])
                dy[k] *= o[k]
                dy[half + k] *= o[k]
                o[k] = d * o[k] * (1 - o[k])
            }
            applyBoundBackward(dy, read, count: half, scales: scales[t] + options.vectors * half, into: dy)
            dKeys.update(repeating: .zero, count: 2 * hidden)
            dValue.update(repeating: .zero, count: hidden)
            let dForget = read  // It is read no more.
            dForget.update(repeating: .zero, count: half)
            for s in 0..<options.copies {
                storeAndReadBackward(
                    copies[t] + s * hidden, copies[t + 1] + s * hidden, forget: f, keys: keys, value: value,
                    order: orders.pointer + s * half, half: half, share: 1 / Float(options.copies), dRead: dy,
                    dCopy: dCopies + s * hidden, addingTo: (dForget, dKeys, dValue))
            }
            for k in 0..<half {
                let (a, b) = (i[k], f[k])
                let d = (dValue[k] * u[k]).mad(dValue[half + k], u[half + k])
                dValue[k] *= a
                dValue[half + k] *= a
                i[k] = d * a * (1 - a)
                f[k] = dForget[k] * b * (1 - b)
            }
            for v in 0..<options.vectors {
                let y = vector(v, of: gates)
                let d = v == 2 * options.keys ? dValue : v < options.keys ? dKeys : dKeys + hidden
                applyBoundBackward(d, y, count: half, scales: scales[t] + v * half, into: y)
            }
            if t >= firstProduct { transposed.multiply(by: gates, into: dh[t]) }
        }
        dMemory?.update(from: dCopies, count: options.copies * hidden)
        addRecurrentGradient(projections, rows: cell.sizes.recurrentRows, gradients)
    }
}

/// One copy of the memory takes a value in under a key and is read: next = f·c + P r_in ⊛ v, read += share · P r_out ⊛ next.
///
/// All are complex numbers, `half` rows of real parts before those of the imaginary ones; `keys` has r_in and r_out, and
/// number k of P r is number `order[k]` of r.
@inline(never)
private func storeAndRead(
    _ c: Panel, into next: Panel, forget f: Panel, keys: Panel, value v: Panel, order: UnsafePointer<Int>, half: Int,
    share: Float, addingTo read: Panel
) {
    let output = keys + (2 &* half)
    var k = 0
    while k < half {
        let p = order[k]
        let (a, b) = (keys[p], keys[half &+ p])
        let (x, y) = (v[k], v[half &+ k])
        let real = (f[k] * c[k]).mad(a, x) - b * y
        let imaginary = (f[k] * c[half &+ k]).mad(a, y).mad(b, x)
        next[k] = real
        next[half &+ k] = imaginary
        let (d, e) = (output[p] * share, output[half &+ p] * share)
        read[k] = read[k].mad(d, real) - e * imaginary
        read[half &+ k] = read[half &+ k].mad(d, imaginary).mad(e, real)
        k &+= 1
    }
}

/// The gradients of `storeAndRead`: from `dRead` and `dCopy`, ∂L/∂next of the steps after, to those of f, both keys and v,
/// which are added up over the copies, and in `dCopy` to ∂L/∂c.
///
/// Of a product a ⊛ b the gradient of a is that of the product times the conjugate of b.
@inline(never)
private func storeAndReadBackward(
    _ c: Panel, _ next: Panel, forget f: Panel, keys: Panel, value v: Panel, order: UnsafePointer<Int>, half: Int,
    share: Float, dRead: Panel, dCopy: Panel, addingTo d: (forget: Panel, keys: Panel, value: Panel)
) {
    let output = keys + (2 &* half)
    let dOutput = d.keys + (2 &* half)
    var k = 0
    while k < half {
        let (p, q) = (order[k], half &+ order[k])
        let (r, s) = (dRead[k] * share, dRead[half &+ k] * share)
        let (real, imaginary) = (next[k], next[half &+ k])
        dOutput[p] = dOutput[p].mad(r, real).mad(s, imaginary)
        dOutput[q] = dOutput[q].mad(s, real) - r * imaginary
        let a = dCopy[k].mad(r, output[p]).mad(s, output[q])
        let b = dCopy[half &+ k].mad(s, output[p]) - r * output[q]
        let (x, y) = (v[k], v[half &+ k])
        d.keys[p] = d.keys[p].mad(a, x).mad(b, y)
        d.keys[q] = d.keys[q].mad(b, x) - a * y
        d.value[k] = d.value[k].mad(a, keys[p]).mad(b, keys[q])
        d.value[half &+ k] = d.value[half &+ k].mad(b, keys[p]) - a * keys[q]
        d.forget[k] = d.forget[k].mad(a, c[k]).mad(b, c[half &+ k])
        dCopy[k] = a * f[k]
        dCopy[half &+ k] = b * f[k]
        k &+= 1
    }
}
