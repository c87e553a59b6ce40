extension Layer {
    /// y_i = e^(x_i) / Σ_j e^(x_j) over the numbers of a step (PyTorch's `nn.Softmax`): probabilities of classes.
    ///
    /// A network that ends with it cannot be trained with classes, as cross-entropy has the softmax in it: train the layers
    /// below alone. O(N).
    public static var softmax: Layer { Layer(SoftmaxLayer()) }
}

/// Probabilities; see `Layer.softmax`.
final class SoftmaxLayer: LayerKind {
    init() {}
    init(_ reader: ConfigurationReader) throws(ConfigurationError) {}

    var name: String { "softmax" }
    func problem(reading input: LayerShape) -> String? {
        input.maps == nil ? "it needs numbers, found \(input.text)" : nil
    }
    func placed(_ input: LayerInput, _ scope: inout ParameterScope) -> PlacedLayer { PlacedSoftmax(input.shape) }
}

private final class PlacedSoftmax: PlacedLayer {
    init(_ input: LayerShape) { super.init(input, input) }

    override var givesProbabilities: Bool { true }

    override func pass(_ weights: LayerWeights, _ input: PassInput, _ plan: PassPlan) -> LayerPass {
        SoftmaxPass(self, input, plan)
    }
}

private final class SoftmaxPass: LayerPass {
    private let input: PassInput
    private let rows: Int
    private let arena = Arena()

    init(_ layer: PlacedSoftmax, _ input: PassInput, _ plan: PassPlan) {
        (self.input, rows) = (input, layer.input.count)
        let steps = layer.input.isPerStep ? plan.steps : 1
        let y = arena.panels(steps, rows: rows)
        super.init(layer, outputs: y, gradients: plan.trains ? arena.panels(steps, rows: rows) : y)
    }

    override func forward(_ run: Run, _ range: Range<Int>) {
        for t in layer.input.isPerStep ? range : 0..<1 {
            outputs[t].update(from: input.x[t], count: rows)
            softmax(outputs[t], classes: rows)
        }
    }

    /// dx = y (dy - Σ dy·y).
    override func backward(_ run: Run, _ gradients: UnsafeMutablePointer<Float>) {
        guard let dx = input.dx else { return }
        for t in 0..<(layer.input.isPerStep ? run.steps : 1) {
            let (y, dy) = (outputs[t], outputGradients[t])
            var dot = Lanes.zero
            for r in 0..<rows { dot = dot.mad(dy[r], y[r]) }
            for r in 0..<rows { dx[t][r] = y[r] * (dy[r] - dot) }
        }
    }
}
