/// The fast matrix A of sixteen sequences while they run: read, written and differentiated without being copied.
///
/// After n writes, equation (3) of Ba et al. 2016 gives A = λᵐ A_c + η Σ_j λ^(n-1-j) h_j h_jᵀ, where A_c is the matrix
/// at the start of the current chunk, m = n - c·chunk, and j runs over the writes of this chunk. So a read costs the
/// matrix A_c once, and two dot products a state in the list (equation (4)). A chunk of one step is the explicit
/// matrix, a chunk of the whole sequence the list alone.
///
/// Write j is of state j+1 of those given, or of state j where the memory lags a step.
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
    /// A_c of the chunks but the first, which begins with A_0 as the caller has it.
    private let matrices: PanelSequence
    private var initial: Panel?
    /// ∂L/∂A_c of the current chunk in the backward pass: with a symmetric A the sum of it and its transpose.
    private let dMatrix: BatchedMatrix
    private let isSymmetric: Bool
    private let carry: Carry
    /// Whether dMatrix is there, and whether it is zero.
    private let keepsGradient: Bool
    private var isGradientZero = true

    /// A memory of which a read looks back on at most `reach` writes; one more may follow the last read. Where no gradient
    /// of A_0 is asked for, A_0 is symmetric, as every later A then is: its panel and that of `finish` are then the lower
    /// triangle, row by row.
    init(
        _ options: FastWeightsOptions, hidden: Int, reach: Int, carry: Carry, trains: Bool, states: States, arena: Arena
    ) {
        self.hidden = hidden
        self.carry = carry
        h = states.h
        dh = states.dh
        chunk = options.memory.chunk(steps: reach + 1, hidden: hidden)
        first = options.isLagged ? 0 : 1
        let longest = min(chunk, reach + 1)
        powers = Buffer(longest + 1)
        weights = Buffer(longest + 1)
        var power = 1.0
        for k in 0...longest {
            powers.pointer[k] = Float(power)
            weights.pointer[k] = options.writeRate * Float(power)
            power *= Double(options.memoryDecay)
        }
        isSymmetric = carry != .stateAndGradient
        let count = BatchedMatrix.count(rows: hidden, isSymmetric: isSymmetric)
        matrices = arena.panels(reach / chunk, rows: count)
        keepsGradient = trains && (carry == .stateAndGradient || chunk <= reach)
        dMatrix = BatchedMatrix(
            values: arena.panels(keepsGradient ? 1 : 0, rows: count)[0], rows: hidden, isSymmetric: isSymmetric)
    }

    /// A_c, the matrix at the start of chunk c; nil where it is zero.
    private func matrix(_ c: Int) -> BatchedMatrix? {
        (c == 0 ? initial : matrices[c - 1]).map { BatchedMatrix(values: $0, rows: hidden, isSymmetric: isSymmetric) }
    }

    /// Whether A_c has a gradient to keep.
    private func hasGradient(_ c: Int) -> Bool { c > 0 || carry == .stateAndGradient }

    /// The chunk that `writes` writes end, and how many of them it has: 1 to all.
    private func end(_ writes: Int) -> (c: Int, count: Int) {
        let c = max(writes - 1, 0) / chunk
        return (c, writes - c * chunk)
    }

    /// Starts with A_0, which stays as it is until the backward pass is done; nil for zero.
    func begin(with initial: Panel?) { self.initial = initial }

    // MARK: Forward

    /// z += A·q after `writes` writes. `scores` receives h_j·q for each entry of the list, for the backward pass.
    func read(_ q: Panel, into z: Panel, after writes: Int, scores: Panel) {
        let c = writes / chunk
        let count = writes - c * chunk
        matrix(c)?.addProduct(q, scale: powers.pointer[count], into: z)
        list(c, count).read(q, into: z, scores: scores)
    }

    /// The first `count` states of chunk c, as they count after as many writes.
    private func list(_ c: Int, _ count: Int) -> StateHistory {
        StateHistory(
            states: PanelSequence(pointer: h[c * chunk + first], stride: h.stride), count: count, rows: hidden,
            weights: weights.pointer + max(count - 1, 0))
    }

    /// Takes note that `writes` writes are done, and more reads follow: closes a chunk that has become full.
    func advance(to writes: Int) {
        guard writes > 0, writes % chunk == 0 else { return }
        fold(writes, into: matrices[writes / chunk - 1])
    }

    /// The whole matrix after `writes` writes.
    func finish(after writes: Int, into target: Panel) { fold(writes, into: target) }

    /// target = λᵐ A_c + η Σ λ^(m-1-e) h_e h_eᵀ over the m writes of the chunk that `writes` writes end.
    private func fold(_ writes: Int, into target: Panel) {
        let (c, count) = end(writes)
        BatchedMatrix(values: target, rows: hidden, isSymmetric: isSymmetric)
            .setSum(matrix(c), decay: powers.pointer[count], list(c, count))
    }

    // MARK: Backward

    /// Begins the backward pass at the end, with ∂L/∂A after `writes` writes where there is one.
    ///
    /// Reads may have followed the last write: where that filled a chunk, the matrix they read is the last one of all, and
    /// `retreat` goes on to the chunk.
    func beginBackward(after writes: Int, with gradient: Panel?) {
        isGradientZero = true
        guard carry == .stateAndGradient, let gradient else {
            if keepsGradient { dMatrix.clear() }
            return
        }
        dMatrix.values.update(from: gradient, count: dMatrix.count)
        isGradientZero = false
        if writes % chunk != 0 { unfold(writes) }
    }

    /// The backward pass of `read`: given dz = ∂L/∂z, dq += Aᵀ·dz, and the states in the list and A_c get theirs.
    ///
    /// dq += w_j h_j (h_j·dz) and dh_j += w_j [(h_j·q) dz + (h_j·dz) q].
    func readBackward(_ q: Panel, _ dz: Panel, into dq: Panel, after writes: Int, scores: Panel) {
        let c = writes / chunk
        let count = writes - c * chunk
        matrix(c)?.addTransposedProduct(dz, scale: powers.pointer[count], into: dq)
        if hasGradient(c) {
            dMatrix.addOuterProduct(dz, q, scale: powers.pointer[count])
            isGradientZero = false
        }
        list(c, count).readBackward(
            q, dz, into: dq, gradients: PanelSequence(pointer: dh[c * chunk + first], stride: dh.stride),
            scores: scores)
    }

    /// The backward pass of `advance`, called once every read after `writes` writes is done.
    func retreat(from writes: Int) {
        guard !isGradientZero, writes > 0, writes % chunk == 0 else { return }
        unfold(writes)
    }

    /// ∂L/∂A_0.
    func finishBackward(into gradient: Panel?) {
        guard carry == .stateAndGradient else { return }
        gradient?.update(from: dMatrix.values, count: dMatrix.count)
    }

    /// The backward pass of `fold`: dMatrix is ∂L/∂(folded matrix) and becomes ∂L/∂A_c;
    /// dh_e += η λ^(m-1-e) (dA + dAᵀ) h_e.
    private func unfold(_ writes: Int) {
        let (c, count) = end(writes)
        for e in 0..<count {
            let slot = c * chunk + e + first
            let scale = weights.pointer[count - 1 - e]
            dMatrix.addProduct(h[slot], scale: scale, into: dh[slot])
            if !isSymmetric { dMatrix.addTransposedProduct(h[slot], scale: scale, into: dh[slot]) }
        }
        if hasGradient(c) { dMatrix.scale(by: powers.pointer[count]) }
    }
}
