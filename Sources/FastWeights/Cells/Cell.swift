/// The function that makes a hidden state of a pre-activation.
public enum Activation: String, Sendable, CaseIterable {
    /// max(0, z).
    case relu
    /// tanh z.
    case tanh

    @inline(__always) func callAsFunction(_ z: Lanes) -> Lanes {
        self == .relu ? z.rectified : z.hyperbolicTangent()
    }

    /// y = f(z), row by row; y may be z.
    func apply(_ z: Panel, into y: Panel, count: Int) {
        switch self {
        case .relu: applyReLU(z, into: y, count: count)
        case .tanh: applyTanh(z, into: y, count: count)
        }
    }

    /// dy becomes dy·f′, from the function's result y, row by row.
    func applyBackward(_ dy: Panel, _ y: Panel, count: Int) {
        switch self {
        case .relu: for r in 0..<count { dy[r] = Lanes.zero.replacing(with: dy[r], where: y[r] .> 0) }
        case .tanh: for r in 0..<count { dy[r] *= 1 - y[r] * y[r] }
        }
    }
}

/// A kind of recurrent cell with its options. H is the hidden size, I the input size, σ the logistic function.
public enum Cell: Sendable, Equatable {
    /// h = f(W_ih x + b_ih + W_hh h + b_hh), Elman's network; with a layer norm h = f(LN(…)).
    ///
    /// `identity` starts W_hh as the identity matrix and the biases at zero: with ReLU the IRNN of Le, Jaitly and
    /// Hinton 2015 (arXiv 1504.00941).
    case rnn(activation: Activation, layerNorm: Bool = false, identity: Bool = false)

    /// Long short-term memory in PyTorch's form and gate order, i f g o:
    /// c = σ(f)·c + σ(i)·tanh(g), h = σ(o)·tanh(c).
    ///
    /// With a layer norm each gate's H pre-activations are normalised apart, and h = σ(o)·tanh(LN(c)) while c itself
    /// is carried on as it is.
    case lstm(layerNorm: Bool = false)

    /// Gated recurrent unit in PyTorch's form and gate order, r z n:
    /// n = tanh(W_in x + b_in + r·(W_hn h + b_hn)), h = (1 - z)·n + z·h.
    case gru

    /// The fast-weights network of Ba et al. 2016; see `FastWeightsOptions`.
    case fastWeights(FastWeightsOptions = FastWeightsOptions())

    /// The associative LSTM of Danihelka et al. 2016, with a memory of complex numbers; see `AssociativeLSTMOptions`.
    /// H must be even.
    case associativeLSTM(AssociativeLSTMOptions = AssociativeLSTMOptions())

    /// The IRNN: ReLU, identity recurrent matrix.
    public static func irnn(layerNorm: Bool = false) -> Cell {
        .rnn(activation: .relu, layerNorm: layerNorm, identity: true)
    }

    /// Whether its state beside h is a fast matrix.
    var isFading: Bool { if case .fastWeights = self { true } else { false } }
}

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
    public var decay: Float
    /// η, how strongly a state is written. With 0 only the extra inner steps remain, a control for their depth.
    public var rate: Float
    /// S, inner steps a time step, 0 to 256; with 0 the cell is a plain network.
    public var innerSteps: Int
    /// f.
    public var activation: Activation
    /// Normalise b + A h_s before f, as the paper does.
    public var layerNorm: Bool
    /// Normalise b before the first f too; the paper does not say.
    public var normaliseFirst: Bool
    /// One gain and bias for each normalisation in a step; otherwise all share one.
    public var separateNorms: Bool
    /// A lags one step, as in the paper's first version: h(t) is computed before h(t-1) is written.
    public var lagged: Bool
    /// How A is held; the result is the same.
    public var memory: FastMemoryForm
    /// What the steps do with A, taken in turn from a sequence's first step on; see `MemoryEvents`.
    public var schedule: [MemoryEvents]

    /// Most inner steps: a file of some hundred bytes cannot ask for a million of them.
    static let innerStepLimit = 256

    /// Most steps that a schedule of a file has before it begins again.
    static let periodLimit = 1 << 16

    /// Options with the defaults of the paper. Traps unless λ and η are finite and the inner steps 0 to 256, on an empty
    /// schedule, on a lagged memory with a schedule other than the usual one, and on chunks without steps.
    public init(
        decay: Float = 0.95, rate: Float = 0.5, innerSteps: Int = 1, activation: Activation = .relu,
        layerNorm: Bool = true, normaliseFirst: Bool = false, separateNorms: Bool = false, lagged: Bool = false,
        memory: FastMemoryForm = .automatic, schedule: [MemoryEvents] = [.usual]
    ) {
        self.decay = decay
        self.rate = rate
        self.innerSteps = innerSteps
        self.activation = activation
        self.layerNorm = layerNorm
        self.normaliseFirst = normaliseFirst
        self.separateNorms = separateNorms
        self.lagged = lagged
        self.memory = memory
        self.schedule = schedule
        if let problem { misuse(problem) }
    }

    /// What makes these options impossible; nil of possible ones.
    var problem: String? {
        guard decay.isFinite && rate.isFinite else {
            return "fast weights need finite λ and η, found \(decay) and \(rate)"
        }
        guard (0...Self.innerStepLimit).contains(innerSteps) else {
            return "inner steps must be from 0 to \(Self.innerStepLimit), found \(innerSteps)"
        }
        guard !schedule.isEmpty else {
            return "a schedule of the fast memory needs the events of at least 1 step, found none"
        }
        guard !lagged || isUsual else {
            return "a lagged memory reads and writes at every step; the schedule given is \(schedule.map { $0.text })"
        }
        guard case .chunks(let length) = memory, length < 1 else { return nil }
        return "a chunk of the fast memory needs at least 1 step, found \(length)"
    }

    /// Whether every step reads and writes, and none clears.
    var isUsual: Bool { schedule.allSatisfy { $0 == .usual } }

    /// Normalisations in one time step.
    var norms: Int { layerNorm ? innerSteps + (normaliseFirst ? 1 : 0) : 0 }
    /// Sets of gain and bias.
    var normSets: Int { separateNorms ? norms : min(norms, 1) }
}

/// How the fast matrix is held while a sequence runs. All forms compute the same function.
public enum FastMemoryForm: Sendable, Equatable {
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

/// A cell of given sizes: its parameters and how they start.
public struct CellConfiguration: Sendable, Equatable {
    /// The kind of cell.
    public var cell: Cell
    /// I, numbers of input a step.
    public var input: Int
    /// H, hidden units.
    public var hidden: Int
    /// ε inside the square root of a layer norm.
    public var epsilon: Float

    /// A cell of these sizes. Traps unless they are from 1 to 1,048,576, on an odd H of an associative LSTM, and on an ε
    /// that is below 0 or not finite.
    public init(_ cell: Cell, input: Int, hidden: Int, epsilon: Float = 1e-5) {
        self.cell = cell
        self.input = input
        self.hidden = hidden
        self.epsilon = epsilon
        if let problem { misuse(problem) }
    }

    /// What makes the cell impossible; nil of a possible one.
    var problem: String? { Self.problem(cell, input: input, hidden: hidden, epsilon: epsilon) }

    static func problem(_ cell: Cell, input: Int, hidden: Int, epsilon: Float = 1e-5) -> String? {
        guard (1...sizeLimit).contains(input), (1...sizeLimit).contains(hidden) else {
            return "a cell needs input and hidden sizes from 1 to \(sizeLimit), found \(input) and \(hidden)"
        }
        guard epsilon >= 0 && epsilon.isFinite else {
            return "the ε of a layer norm is a finite number of at least 0, found \(epsilon)"
        }
        return cell.problem(hidden: hidden)
    }

    /// Rows of weight_ih: H a gate, in the associative LSTM H/2 a gate and H a key.
    var gateRows: Int {
        switch cell {
        case .rnn, .fastWeights: hidden
        case .gru: 3 * hidden
        case .lstm: 4 * hidden
        case .associativeLSTM(let options): 3 * hidden / 2 + options.vectors * hidden
        }
    }

    /// Rows of weight_hh, the first ones of weight_ih: all, but for an associative LSTM's candidate without h.
    var recurrentRows: Int {
        guard case .associativeLSTM(let options) = cell, !options.candidateIsRecurrent else { return gateRows }
        return gateRows - hidden
    }

    /// Units that the rows of a gate belong to: H, or H/2 complex numbers.
    var units: Int { if case .associativeLSTM = cell { hidden / 2 } else { hidden } }

    /// Rows of the gates in which b_ih and b_hh are simply added up; the GRU's candidate takes its b_hh elsewhere.
    var plainBiasRows: Int {
        switch cell {
        case .rnn: hidden
        case .lstm: 4 * hidden
        case .gru: 2 * hidden
        case .fastWeights, .associativeLSTM: 0
        }
    }

    /// Numbers a sample of the state beside h: c of the LSTM, A of the fast weights, the copies of the associative LSTM.
    var memoryRows: Int {
        switch cell {
        case .rnn, .gru: 0
        case .lstm: hidden
        case .fastWeights: hidden * hidden
        case .associativeLSTM(let options): options.copies * hidden
        }
    }

    /// Adds the cell's parameters, PyTorch's names between `prefix` and `suffix`; without `bias` neither b_ih nor b_hh.
    /// Traps on a cell that a change since it was made has made impossible.
    func declare(in layout: inout ParameterLayout, prefix: String = "", suffix: String = "", bias: Bool = true) {
        if let problem { misuse(problem) }
        func add(_ name: String, _ shape: Int...) { _ = layout.append(prefix + name + suffix, shape: shape) }
        add("weight_ih", gateRows, input)
        add("weight_hh", recurrentRows, hidden)
        if bias {
            add("bias_ih", gateRows)
            if plainBiasRows > 0 { add("bias_hh", gateRows) }
        }
        switch cell {
        case .rnn(_, layerNorm: true, _):
            add("norm_weight", hidden)
            add("norm_bias", hidden)
        case .lstm(layerNorm: true):
            add("norm_weight", 4 * hidden)
            add("norm_bias", 4 * hidden)
            add("norm_cell_weight", hidden)
            add("norm_cell_bias", hidden)
        case .fastWeights(let options) where options.normSets > 0:
            for name in ["norm_weight", "norm_bias"] {
                if options.separateNorms { add(name, options.normSets, hidden) } else { add(name, hidden) }
            }
        case .rnn, .lstm, .gru, .fastWeights, .associativeLSTM: break
        }
    }

    /// Gives the parameters their first values.
    ///
    /// RNN, LSTM and GRU: uniform in ±1/√H, as PyTorch. IRNN: W_hh the identity, biases 0. Fast weights, as the
    /// paper: W 0.05 times the identity, C uniform in ±1/√H, bias 0. Associative LSTM: weights uniform in ±1/√H, the bias
    /// of f as its options say, the others 0. Gains 1, norms' biases 0.
    func initialise(_ parameters: Parameters, prefix: String = "", suffix: String = "", random: inout Random) {
        let limit = 1 / Float(hidden).squareRoot()
        for window in parameters.layout.windows
        where window.name.hasPrefix(prefix) && window.name.hasSuffix(suffix) {
            let p = parameters.pointer + window.offset
            func fill(_ value: () -> Float) { for i in 0..<window.count { p[i] = value() } }
            switch (window.name.dropFirst(prefix.count).dropLast(suffix.count), cell) {
            case ("norm_weight", _), ("norm_cell_weight", _): fill { 1 }
            case ("norm_bias", _), ("norm_cell_bias", _): fill { 0 }
            case ("weight_hh", .rnn(_, _, identity: true)): fillIdentity(p, 1)
            case ("weight_hh", .fastWeights): fillIdentity(p, 0.05)
            case ("bias_ih", .rnn(_, _, identity: true)), ("bias_hh", .rnn(_, _, identity: true)),
                ("bias_ih", .fastWeights):
                fill { 0 }
            case ("bias_ih", .associativeLSTM(let options)):
                fill { 0 }
                for r in hidden / 2..<hidden { p[r] = options.forgetBias }
            case ("weight_ih", _), ("weight_hh", _), ("bias_ih", _), ("bias_hh", _):
                fill { random.uniform(within: limit) }
            default: break
            }
        }
    }

    private func fillIdentity(_ w: UnsafeMutablePointer<Float>, _ scale: Float) {
        for r in 0..<hidden {
            for k in 0..<hidden { w[r * hidden + k] = r == k ? scale : 0 }
        }
    }
}
