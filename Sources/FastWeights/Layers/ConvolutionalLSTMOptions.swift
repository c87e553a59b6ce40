/// The convolutional LSTM's options.
///
/// One step, after Shi et al. 2015 (arXiv 1506.04214); ∗ is a convolution that keeps rows and columns of the maps, with zeros
/// around them, and · the product number by number:
///
///     i f g o = W_ih ∗ x(t) + b_ih + W_hh ∗ h(t-1)
///     c(t)    = σ(f + w_cf·c(t-1) + forget offset)·c(t-1) + σ(i + w_ci·c(t-1))·tanh(g)
///     h(t)    = σ(o + w_co·c(t))·tanh(c(t))
///
/// The terms with w_ci, w_cf and w_co are there with `hasPeepholes` alone. With `hasLayerNorm` it is
/// i f g o = LN(W_ih ∗ x(t) + b_ih) + LN(W_hh ∗ h(t-1)), each a layer norm over all numbers of its 4·C maps.
///
/// One convolution over x and h one behind the other, as many have it, is the same with its filters cut in two.
public struct ConvolutionalLSTMOptions: Sendable, Equatable {
    /// What the bias of f begins with while the others begin with 0, as of Keras' `unit_forget_bias` 1; nil: all begin uniform
    /// as the weights.
    public var forgetBias: Float?
    /// What is added to f at every step, which no training changes: 1 in the network of Finn et al. 2016.
    public var forgetOffset: Float
    /// Whether the gates look at c: w_ci, w_cf and w_co, a number each for every number of c.
    public var hasPeepholes: Bool
    /// Whether the gates' maps are normalized, those of x and those of h apart.
    public var hasLayerNorm: Bool
    /// ε inside the square root of the norms.
    public var epsilon: Float

    /// Traps unless the numbers are finite, and ε at least 0.
    public init(
        forgetBias: Float? = nil, forgetOffset: Float = 0, hasPeepholes: Bool = false, hasLayerNorm: Bool = false,
        epsilon: Float = 1e-5
    ) {
        self.forgetBias = forgetBias
        self.forgetOffset = forgetOffset
        self.hasPeepholes = hasPeepholes
        self.hasLayerNorm = hasLayerNorm
        self.epsilon = epsilon
        if let problem { misuse(problem) }
    }

    init(_ reader: ConfigurationReader) throws(ConfigurationError) {
        forgetBias = reader.json["forget_bias"] == nil ? nil : Float(try reader.number("forget_bias"))
        forgetOffset = Float(try reader.number("forget_offset", default: 0))
        hasPeepholes = try reader.flag("peepholes", default: false)
        (hasLayerNorm, epsilon) = (try reader.flag("layer_norm", default: false), try reader.epsilon())
    }

    var members: [JSON.Member] {
        [
            JSON.Member("forget_offset", forgetOffset), JSON.Member("peepholes", hasPeepholes),
            JSON.Member("layer_norm", hasLayerNorm), JSON.Member("epsilon", epsilon),
        ] + (forgetBias.map { [JSON.Member("forget_bias", $0)] } ?? [])
    }

    var unwritten: [String] { forgetBias == nil ? ["forget_bias"] : [] }

    /// What makes these options impossible; nil of possible ones.
    var problem: String? {
        for bias in [forgetBias ?? 0, forgetOffset] where !bias.isFinite {
            return "a convolutional LSTM needs a finite bias and offset of f, found \(bias)"
        }
        return epsilonProblem(epsilon)
    }
}
