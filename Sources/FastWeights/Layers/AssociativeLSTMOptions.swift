/// The associative LSTM's options.
///
/// One step, after Danihelka et al. 2016 (arXiv 1602.03032). A vector of H numbers is one of H/2 complex numbers, its real
/// parts first and then the imaginary ones; ⊛ is their product one by one, and bound(z) = z / max(1, |z|), one by one.
///
///     i, f, o  = σ(…)                                H/2 gates each, one a complex number
///     r_in, r_out, u = bound(…)                      each of W_ih x(t) + b_ih + W_hh h(t-1)
///     c_s(t)   = f · c_s(t-1) + Σ P_s r_in ⊛ (i · u)              s = 1 … S, the sum over the input keys
///     h(t)     = o · bound(1/S Σ_s Σ P_s r_out ⊛ c_s(t))          the inner sum over the output keys
///
/// Each copy s of the memory binds the value i · u to the key in an order of its own, P_s. Reading with the inverse of a key
/// brings its value back, and with it noise of all others that are stored; the noise of the copies is independent and falls
/// as 1/S in their mean. The order of the rows is i f o, the input keys, the output keys, u.
public struct AssociativeLSTMOptions: Sendable, Equatable {
    /// S, copies of the memory, which need no parameters of their own.
    public var copies: Int
    /// Input keys, and as many output keys. The value is stored under each of the input keys, and what the output keys read
    /// is added up: with several, a key is a sum of bounded vectors.
    public var keys: Int
    /// What the orders P_s are drawn by; see `permutations(of:)`.
    public var permutationSeed: UInt32
    /// Whether u depends on h(t-1) too. Without, W_hh ends before the rows of u.
    public var hasRecurrentCandidate: Bool
    /// What the bias of f begins with; the others begin with 0.
    public var forgetBias: Float

    /// The largest number of copies, and of keys.
    static let limit = 256

    /// Traps unless copies and keys are from 1 to 256, and the bias finite.
    public init(
        copies: Int = 1, keys: Int = 1, permutationSeed: UInt32 = 0, hasRecurrentCandidate: Bool = true,
        forgetBias: Float = 1
    ) {
        self.copies = copies
        self.keys = keys
        self.permutationSeed = permutationSeed
        self.hasRecurrentCandidate = hasRecurrentCandidate
        self.forgetBias = forgetBias
        if let problem { misuse(problem) }
    }

    /// What makes these options impossible; nil of possible ones.
    var problem: String? {
        guard (1...Self.limit).contains(copies), (1...Self.limit).contains(keys) else {
            return "an associative LSTM needs from 1 to \(Self.limit) copies and keys, found \(copies) copies and "
                + "\(keys) keys"
        }
        return forgetBias.isFinite ? nil : "an associative LSTM needs a finite bias of f, found \(forgetBias)"
    }

    /// The orders P_1 … P_S of `count` complex numbers, one behind the other: number k of P_s r is number
    /// `permutations[s·count + k]` of r, s from 0.
    ///
    /// The first is the order as it is, for the keys are learned anyway. The others are shuffles by
    /// `Random(seed: permutationSeed, stream: s)`, the same on every machine. Traps unless the count is from 0 to
    /// 1,048,576.
    public func permutations(of count: Int) -> [Int] {
        if let problem { misuse(problem) }
        require((0...sizeLimit).contains(count), "an order is of 0 to \(sizeLimit) numbers, found \(count)")
        return (0..<copies).flatMap { s in
            var order = Array(0..<count)
            if s > 0 {
                var random = Random(seed: UInt64(permutationSeed), stream: UInt64(s))
                random.shuffle(&order)
            }
            return order
        }
    }

    /// Vectors of H numbers among the rows: the keys and u.
    var vectors: Int { 2 * keys + 1 }
}
