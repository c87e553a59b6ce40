/// The fast-weights cell's options; published implementations differ in all of them.
///
/// One step, equations (1) to (5) of Ba et al. 2016 (arXiv 1610.06258 v3):
///
///     b      = W h(t-1) + C x(t)               W is weight_hh, C is weight_ih
///     h_0    = f(b)                            or f(LN(b))
///     h_s+1  = f(LN(b + A(t-1) h_s))           s = 0 … S-1
///     h(t)   = h_S
///     A(t)   = λ A(t-1) + η h(t) h(t)ᵀ
public struct FastWeightsOptions: Sendable, Equatable {
    /// λ, how much of the fast matrix stays from one step to the next.
    public var memoryDecay: Float
    /// η, how strongly a state is written. With 0 only the extra inner steps remain, a control for their depth.
    public var writeRate: Float
    /// S, inner steps a time step, 0 to 256; with 0 the cell is a plain network.
    public var innerSteps: Int
    /// f.
    public var activation: Activation
    /// Normalize b + A h_s before f, as the paper does.
    public var hasLayerNorm: Bool
    /// Normalize b before the first f too; the paper does not say.
    public var normalizesFirst: Bool
    /// One gain and bias for each normalization in a step; otherwise all share one.
    public var hasSeparateNorms: Bool
    /// A lags one step, as in the paper's first version: h(t) is computed before h(t-1) is written.
    public var isLagged: Bool
    /// How A is held; the result is the same.
    public var memory: MemoryForm
    /// What the steps do with A, taken in turn from a sequence's first step on; see `MemoryEvents`.
    public var schedule: [MemoryEvents]

    /// Most inner steps: a file of some hundred bytes cannot ask for a million of them.
    static let innerStepLimit = 256

    /// Most steps that a schedule of a file has before it begins again.
    static let periodLimit = 1 << 16

    /// Options with the defaults of the paper. Traps unless λ and η are finite and the inner steps 0 to 256, on an empty
    /// schedule, on a lagged memory with a schedule other than the usual one, and on chunks without steps.
    public init(
        memoryDecay: Float = 0.95, writeRate: Float = 0.5, innerSteps: Int = 1, activation: Activation = .relu,
        hasLayerNorm: Bool = true, normalizesFirst: Bool = false, hasSeparateNorms: Bool = false,
        isLagged: Bool = false, memory: MemoryForm = .automatic, schedule: [MemoryEvents] = [.usual]
    ) {
        self.memoryDecay = memoryDecay
        self.writeRate = writeRate
        self.innerSteps = innerSteps
        self.activation = activation
        self.hasLayerNorm = hasLayerNorm
        self.normalizesFirst = normalizesFirst
        self.hasSeparateNorms = hasSeparateNorms
        self.isLagged = isLagged
        self.memory = memory
        self.schedule = schedule
        if let problem { misuse(problem) }
    }

    /// What makes these options impossible; nil of possible ones.
    var problem: String? {
        guard memoryDecay.isFinite && writeRate.isFinite else {
            return "fast weights need finite λ and η, found \(memoryDecay) and \(writeRate)"
        }
        guard (0...Self.innerStepLimit).contains(innerSteps) else {
            return "inner steps must be from 0 to \(Self.innerStepLimit), found \(innerSteps)"
        }
        guard !schedule.isEmpty else {
            return "a schedule of the fast memory needs the events of at least 1 step, found none"
        }
        guard !isLagged || isUsual else {
            let given = schedule.map { "\"\($0.text)\"" }
            return "a lagged memory reads and writes at every step; the schedule given is \(given.text)"
        }
        guard case .chunks(let length) = memory, length < 1 else { return nil }
        return "a chunk of the fast memory needs at least 1 step, found \(length)"
    }

    /// Whether every step reads and writes, and none clears.
    var isUsual: Bool { schedule.allSatisfy { $0 == .usual } }

    /// Normalizations in one time step.
    var norms: Int { hasLayerNorm ? innerSteps + (normalizesFirst ? 1 : 0) : 0 }
    /// Sets of gain and bias.
    var normSets: Int { hasSeparateNorms ? norms : min(norms, 1) }
}

extension FastWeightsOptions {
    /// How the fast matrix is held while a sequence runs. All forms compute the same function.
    public enum MemoryForm: Sendable, Equatable {
        /// The explicit H by H matrix A of equation (1), updated at every step.
        case matrix
        /// The list of past hidden states, equation (4): A h = η Σ λ^(t-τ) h(τ) [h(τ)·h].
        case list
        /// The matrix at the start of each chunk of this many steps, the list within it.
        case chunks(Int)
        /// The cheaper of list and chunks for the length at hand: O(T·H) memory in training.
        ///
        /// In multiply-adds a step and inner step, both passes together, the list costs 3·H·T (half of T states on average,
        /// 6·H each), and chunks of H steps 3·H² for their own list and 6·H² for reading, folding and their gradients; 4.5·H²
        /// where A is symmetric, but those wait longer for memory than the list's. So the list is taken up to T = 3·H; the rows
        /// `fast-memory` of the bench show where the times cross.
        case automatic

        /// Steps a chunk for a sequence of `steps` steps.
        func chunk(steps: Int, hidden: Int) -> Int {
            switch self {
            case .matrix: return 1
            case .list: return max(steps, 1)
            case .chunks(let length): return length
            case .automatic: return steps <= 3 * hidden ? max(steps, 1) : max(hidden, 1)
            }
        }
    }
}
