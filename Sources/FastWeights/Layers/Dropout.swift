extension Layer {
    /// In training each number is dropped with probability p = `rate`, and the others are divided by 1 - p (PyTorch's
    /// `nn.Dropout`); otherwise all stay as they are. A training step's seed, the layer and the sequence decide what is
    /// dropped.
    public static func dropout(_ rate: Float) -> Layer { Layer(DropoutLayer(rate: rate)) }
}

/// Dropout; see `Layer.dropout`.
final class DropoutLayer: LayerKind {
    let rate: Float

    init(rate: Float) { self.rate = rate }

    init(_ reader: ConfigurationReader) throws(ConfigurationError) { rate = Float(try reader.number("rate")) }

    var name: String { "dropout" }
    var options: [JSON.Member] { [JSON.Member("rate", rate)] }

    func problem(reading input: LayerShape) -> String? {
        guard input.maps != nil else { return "it needs numbers, found \(input.text)" }
        return dropoutProblem(rate)
    }

    func placed(_ input: LayerInput, _ scope: inout ParameterScope) -> PlacedLayer {
        PlacedDropout(rate: rate, input.shape, number: scope.takeNumber())
    }
}

/// Why a rate of dropout cannot be; nil if it can.
func dropoutProblem(_ rate: Float) -> String? {
    (0..<1).contains(rate) ? nil : "dropout needs a probability from 0 to below 1, found \(rate)"
}

/// Dropout in its place, with a number that no other has.
final class PlacedDropout: PlacedLayer {
    let rate: Float
    let number: Int

    init(rate: Float, _ input: LayerShape, number: Int) {
        (self.rate, self.number) = (rate, number)
        super.init(input, input)
    }

    override func pass(_ weights: LayerWeights, _ input: PassInput, _ plan: PassPlan) -> LayerPass {
        DropoutPass(self, input, plan)
    }

    override func streamWeights(_ weights: LayerWeights, _ precision: WeightPrecision) -> LayerStreamWeights {
        LayerStreamWeights(weights, precision)
    }
    override func stream(_ shared: LayerStreamWeights) -> LayerStream { CopyStream(width: shared.width) }
}

private final class DropoutPass: LayerPass {
    private let dropout: PlacedDropout
    private let input: PassInput
    private let rows: Int
    /// What the numbers were multiplied by.
    private let mask: PanelSequence
    private var acts = false
    private let trains: Bool
    private let arena = Arena()

    init(_ dropout: PlacedDropout, _ input: PassInput, _ plan: PassPlan) {
        (self.dropout, self.input, rows, trains) = (dropout, input, dropout.input.count, plan.trains)
        let steps = !plan.trains ? 0 : dropout.input.isPerStep ? plan.steps : 1
        mask = arena.panels(steps, rows: dropout.rate > 0 ? rows : 0)
        super.init(
            dropout, outputs: plan.trains ? arena.panels(steps, rows: rows) : input.x,
            gradients: arena.panels(steps, rows: rows))
    }

    private func steps(_ run: Run) -> Int { dropout.input.isPerStep ? run.steps : 1 }

    override func forward(_ run: Run, _ range: Range<Int>) {
        guard trains else { return }
        let range = dropout.input.isPerStep ? range : 0..<1
        if range.lowerBound == 0 {
            acts = run.dropoutSeed != nil && dropout.rate > 0
            if acts { draw(run) }
        }
        for t in range {
            let (x, y) = (input.x[t], outputs[t])
            if acts { for r in 0..<rows { y[r] = x[r] * mask[t][r] } } else { y.update(from: x, count: rows) }
        }
    }

    /// Each layer and sequence has random numbers of its own, so that they depend neither on the block nor on the other
    /// sequences.
    private func draw(_ run: Run) {
        let (p, scale, seed) = (Double(dropout.rate), 1 / (1 - dropout.rate), run.dropoutSeed ?? 0)
        for lane in run.block.lanes {
            var random = Random(seed: seed, stream: UInt64(dropout.number) << 40 | UInt64(run.block.samples[lane]))
            for t in 0..<(dropout.input.isPerStep ? run.block.lengths[lane] : 1) {
                for r in 0..<rows { mask[t][r][lane] = random.uniform() < p ? 0 : scale }
            }
        }
    }

    override func backward(_ run: Run, _ gradients: UnsafeMutablePointer<Float>) {
        guard let dx = input.dx else { return }
        for t in 0..<steps(run) {
            let (dy, dx) = (outputGradients[t], dx[t])
            if acts { for r in 0..<rows { dx[r] = dy[r] * mask[t][r] } } else { dx.update(from: dy, count: rows) }
        }
    }
}
