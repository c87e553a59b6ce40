extension Layer {
    /// Layer normalization (Ba, Kiros, Hinton 2016; PyTorch's `nn.LayerNorm` over the N numbers of a step):
    ///
    ///     y = gain·(x - μ) / √(σ² + ε) + bias,   μ = Σ x / N,   σ² = Σ (x - μ)² / N
    ///
    /// Of C maps μ and σ are those of all their numbers together. Parameters: `weight` (gain, first 1) and `bias` (first 0), [N],
    /// or with `isPerChannel` one for each map, [C], as in TensorFlow's `layer_norm` of TF-slim, whose ε is 1e-12. O(N).
    public static func layerNorm(epsilon: Float = 1e-5, isPerChannel: Bool = false) -> Layer {
        Layer(NormLayer(centers: true, epsilon: epsilon, isPerChannel: isPerChannel))
    }

    /// Root mean square normalization (Zhang and Sennrich 2019, arXiv 1910.07467; PyTorch's `nn.RMSNorm` over the N numbers of
    /// a step): y = gain·x / √(Σ x² / N + ε). Parameter: `weight` (gain, first 1), [N]. O(N).
    public static func rmsNorm(epsilon: Float = 1e-6) -> Layer { Layer(NormLayer(centers: false, epsilon: epsilon)) }
}

/// A norm over the numbers of a step; see `Layer.layerNorm` and `Layer.rmsNorm`.
final class NormLayer: LayerKind {
    /// Whether the mean is taken off, and a bias added.
    let centers: Bool
    let epsilon: Float
    /// Whether gain and bias are those of a map, not of a number.
    let isPerChannel: Bool

    init(centers: Bool, epsilon: Float, isPerChannel: Bool = false) {
        (self.centers, self.epsilon, self.isPerChannel) = (centers, epsilon, isPerChannel)
    }

    convenience init(centered reader: ConfigurationReader) throws(ConfigurationError) {
        self.init(
            centers: true, epsilon: try reader.epsilon(),
            isPerChannel: try reader.flag("per_channel", default: false))
    }

    convenience init(plain reader: ConfigurationReader) throws(ConfigurationError) {
        self.init(centers: false, epsilon: try reader.epsilon(default: 1e-6))
    }

    var name: String { centers ? "layer_norm" : "rms_norm" }
    var options: [JSON.Member] {
        [JSON.Member("epsilon", epsilon)] + (isPerChannel ? [JSON.Member("per_channel", true)] : [])
    }
    var unwrittenOptions: [String] { centers && !isPerChannel ? ["per_channel"] : [] }

    func problem(reading input: LayerShape) -> String? {
        input.maps == nil ? "it needs numbers, found \(input.text)" : epsilonProblem(epsilon)
    }

    func placed(_ input: LayerInput, _ scope: inout ParameterScope) -> PlacedLayer {
        PlacedNorm(self, input.shape, &scope)
    }
}

private final class PlacedNorm: PlacedLayer {
    let epsilon: Float
    /// Gains, and as many biases.
    let gains: Int
    let gain: Parameter
    let bias: Parameter?

    init(_ kind: NormLayer, _ input: LayerShape, _ scope: inout ParameterScope) {
        epsilon = kind.epsilon
        gains = kind.isPerChannel ? input.maps!.channels : input.count
        gain = scope.add("weight", gains, first: .constant(1))
        bias = kind.centers ? scope.add("bias", gains, first: .constant(0)) : nil
        super.init(input, input)
    }

    override func pass(_ weights: LayerWeights, _ input: PassInput, _ plan: PassPlan) -> LayerPass {
        NormPass(self, weights.numbers, input, plan)
    }
}

private final class NormPass: LayerPass {
    private let norm: PlacedNorm
    private let numbers: UnsafeMutablePointer<Float>
    private let input: PassInput
    private let rows: Int
    /// Rows that have one gain.
    private let area: Int
    /// x̂ and 1/σ of each step.
    private let normalized: PanelSequence
    private let scales: PanelSequence
    private let gradients: LaneGradients
    private let arena = Arena()

    init(_ norm: PlacedNorm, _ numbers: UnsafeMutablePointer<Float>, _ input: PassInput, _ plan: PassPlan) {
        (self.norm, self.numbers, self.input, rows) = (norm, numbers, input, norm.input.count)
        area = rows / norm.gains
        let steps = norm.input.isPerStep ? plan.steps : 1
        normalized = arena.panels(steps, rows: rows, kept: plan.trains)
        scales = arena.panels(steps, rows: 1, kept: plan.trains)
        gradients = arena.laneGradients(rows: plan.trains ? norm.gains : 0)
        let y = arena.panels(steps, rows: rows)
        super.init(norm, outputs: y, gradients: plan.trains ? arena.panels(steps, rows: rows) : y)
    }

    override func forward(_ run: Run, _ range: Range<Int>) {
        let (gain, bias) = (numbers[norm.gain], norm.bias.map { numbers[$0] })
        for t in norm.input.isPerStep ? range : 0..<1 {
            let (z, y) = (normalized[t], outputs[t])
            z.update(from: input.x[t], count: rows)
            if let bias {
                scales[t].pointee = normalize(z, rows: rows, epsilon: norm.epsilon)
                if area == 1 {
                    for r in 0..<rows { y[r] = Lanes(repeating: bias[r]).mad(gain[r], z[r]) }
                } else {
                    scaleChannels(z, channels: norm.gains, area: area, gain: gain, bias: bias, into: y)
                }
            } else {
                scales[t].pointee = normalizeRootMeanSquare(z, rows: rows, epsilon: norm.epsilon)
                for r in 0..<rows { y[r] = z[r] * gain[r] }
            }
        }
    }

    override func backward(_ run: Run, _ block: UnsafeMutablePointer<Float>) {
        let gain = numbers[norm.gain]
        gradients.clear(rows: norm.gains)
        for t in 0..<(norm.input.isPerStep ? run.steps : 1) {
            let dz = outputGradients[t]
            if norm.bias != nil {
                normalizeBackward(
                    dz, normalized[t], scales[t].pointee, rows: rows, area: area, gain: gain, gradients)
            } else {
                normalizeRootMeanSquareBackward(dz, normalized[t], scales[t].pointee, rows: rows, gain: gain, gradients)
            }
            if let dx = input.dx { dx[t].update(from: dz, count: rows) }
        }
        let dGain = block[norm.gain]
        for r in 0..<norm.gains { dGain[r] += gradients.gain[r].laneSum }
        guard let bias = norm.bias else { return }
        let dBias = block[bias]
        for r in 0..<norm.gains { dBias[r] += gradients.bias[r].laneSum }
    }
}
