/// The fast matrix A of sixteen sequences while they run: read, written and differentiated without being copied.
///
/// After n writes, equation (3) of Ba et al. 2016 gives A = λᵐ A_c + η Σ_j λ^(n-1-j) h_j h_jᵀ, where A_c is the matrix
/// at the start of the current chunk, m = n - c·chunk, and j runs over the writes of this chunk. So a read costs the
/// matrix A_c once, and two dot products a state in the list (equation (4)). A chunk of one step is the explicit
/// matrix, a chunk of the whole sequence the list alone.
///
/// Write j is of h(j+1), or of h(j) where the memory lags a step.
final class FastMemory {
    private let hidden: Int
    private let chunk: Int
    private let first: Int
    /// λ⁰, λ¹, …
    private let powers: Buffer<Float>
    /// η λ⁰, η λ¹, …: the weights of the states in the list, the youngest first.
    private let weights: Buffer<Float>
    private let h: PanelSequence
    private let dh: PanelSequence
    /// A_c for each chunk, and whether A_0 is other than zero.
    private let matrices: PanelSequence
    private let startsEmpty: Bool
    private let needsMatrix: Bool
    /// ∂L/∂A_c of the current chunk in the backward pass.
    private let dMatrix: Panel

    init(
        _ options: FastWeightsOptions, hidden: Int, steps: Int, startsEmpty: Bool, trains: Bool, states: States,
        arena: Arena
    ) {
        self.hidden = hidden
        self.startsEmpty = startsEmpty
        h = states.h
        dh = states.dh
        chunk = options.memory.chunk(steps: steps, hidden: hidden)
        first = options.lagged ? 0 : 1
        let longest = min(chunk, steps)
        powers = Buffer(longest + 1)
        weights = Buffer(longest + 1)
        var power = 1.0
        for k in 0...longest {
            powers.pointer[k] = Float(power)
            weights.pointer[k] = options.rate * Float(power)
            power *= Double(options.decay)
        }
        needsMatrix = !startsEmpty || chunk < steps
        matrices = arena.panels(needsMatrix ? steps / chunk + 1 : 0, rows: hidden * hidden)
        dMatrix = arena.panels(needsMatrix && trains ? 1 : 0, rows: hidden * hidden)[0]
    }

    private func hasMatrix(_ c: Int) -> Bool { needsMatrix && !(c == 0 && startsEmpty) }

    /// Sets A_0.
    func begin(with initial: Panel?) {
        if let initial { matrices[0].update(from: initial, count: hidden * hidden) }
    }

    // MARK: Forward

    /// z += A·q after `writes` writes. `scores` receives h_j·q for each entry of the list, for the backward pass.
    func read(_ q: Panel, into z: Panel, after writes: Int, scores: Panel) {
        let c = writes / chunk
        let count = writes - c * chunk
        if hasMatrix(c) { addProduct(matrices[c], q, scale: powers.pointer[count], into: z) }
        list(c, count).read(q, into: z, scores: scores)
    }

    /// The first `count` states of chunk c, as they count after as many writes.
    private func list(_ c: Int, _ count: Int) -> StateList {
        StateList(
            states: PanelSequence(pointer: h[c * chunk + first], stride: h.stride), count: count, rows: hidden,
            weights: weights.pointer + max(count - 1, 0))
    }

    /// Takes note that `writes` writes are done: closes a chunk that has become full.
    func advance(to writes: Int) {
        guard needsMatrix, writes > 0, writes % chunk == 0 else { return }
        let c = writes / chunk
        fold(c - 1, count: chunk, into: matrices[c])
    }

    /// The whole matrix after `writes` writes.
    func finish(after writes: Int, into matrix: Panel) {
        fold(writes / chunk, count: writes % chunk, into: matrix)
    }

    /// matrix = λᵐ A_c + η Σ λ^(m-1-e) h_e h_eᵀ over the first m entries of chunk c.
    private func fold(_ c: Int, count: Int, into matrix: Panel) {
        let old = hasMatrix(c) ? matrices[c] : nil
        let decay = powers.pointer[count]
        for r in 0..<hidden {
            let row = matrix + r * hidden
            if let old {
                for k in 0..<hidden { row[k] = old[r * hidden + k] * decay }
            } else {
                row.update(repeating: .zero, count: hidden)
            }
            for e in 0..<count {
                let entry = h[c * chunk + e + first]
                add(entry[r] * weights.pointer[count - 1 - e], times: entry, to: row)
            }
        }
    }

    // MARK: Backward

    /// Begins the backward pass at the end, with ∂L/∂A after `writes` writes where there is one.
    func beginBackward(after writes: Int, with gradient: Panel?) {
        guard needsMatrix else { return }
        guard let gradient else {
            dMatrix.update(repeating: .zero, count: hidden * hidden)
            return
        }
        dMatrix.update(from: gradient, count: hidden * hidden)
        unfold(writes / chunk, count: writes % chunk)
        retreat(from: writes)
    }

    /// The backward pass of `read`: given dz = ∂L/∂z, dq += Aᵀ·dz, and the states in the list and A_c get theirs.
    ///
    /// dq += w_j h_j (h_j·dz) and dh_j += w_j [(h_j·q) dz + (h_j·dz) q].
    func readBackward(_ q: Panel, _ dz: Panel, into dq: Panel, after writes: Int, scores: Panel) {
        let c = writes / chunk
        let count = writes - c * chunk
        if hasMatrix(c) {
            addTransposedProduct(matrices[c], dz, scale: powers.pointer[count], into: dq)
            addOuterProduct(dz, q, scale: powers.pointer[count], into: dMatrix)
        }
        list(c, count).readBackward(
            q, dz, into: dq, gradients: PanelSequence(pointer: dh[c * chunk + first], stride: dh.stride),
            scores: scores)
    }

    /// The backward pass of `advance`, called once every read after `writes` writes is done.
    func retreat(from writes: Int) {
        guard needsMatrix, writes > 0, writes % chunk == 0 else { return }
        unfold(writes / chunk - 1, count: chunk)
    }

    /// ∂L/∂A_0.
    func finishBackward(into gradient: Panel?) {
        gradient?.update(from: dMatrix, count: hidden * hidden)
    }

    /// The backward pass of `fold`: dMatrix is ∂L/∂(folded matrix) and becomes ∂L/∂A_c;
    /// dh_e += η λ^(m-1-e) (dA + dAᵀ) h_e.
    private func unfold(_ c: Int, count: Int) {
        for e in 0..<count {
            let slot = c * chunk + e + first
            let scale = weights.pointer[count - 1 - e]
            addProduct(dMatrix, h[slot], scale: scale, into: dh[slot])
            addTransposedProduct(dMatrix, h[slot], scale: scale, into: dh[slot])
        }
        let decay = powers.pointer[count]
        for i in 0..<hidden * hidden { dMatrix[i] *= decay }
    }

    // MARK: Products of a lane's own matrix and vectors

    private func dot(_ a: Panel, _ b: Panel) -> Lanes {
        var even = Lanes.zero
        var odd = Lanes.zero
        var r = 0
        while r &+ 1 < hidden {
            even = even.mad(a[r], b[r])
            odd = odd.mad(a[r &+ 1], b[r &+ 1])
            r &+= 2
        }
        if r < hidden { even = even.mad(a[r], b[r]) }
        return even + odd
    }

    private func add(_ scale: Lanes, times x: Panel, to y: Panel) {
        var r = 0
        while r < hidden {
            y[r] = y[r].mad(scale, x[r])
            r &+= 1
        }
    }

    private func addProduct(_ m: Panel, _ x: Panel, scale: Float, into y: Panel) {
        for r in 0..<hidden { y[r] = y[r].mad(scale, dot(m + r * hidden, x)) }
    }

    private func addTransposedProduct(_ m: Panel, _ x: Panel, scale: Float, into y: Panel) {
        for r in 0..<hidden { add(x[r] * scale, times: m + r * hidden, to: y) }
    }

    private func addOuterProduct(_ x: Panel, _ y: Panel, scale: Float, into m: Panel) {
        for r in 0..<hidden { add(x[r] * scale, times: y, to: m + r * hidden) }
    }
}
