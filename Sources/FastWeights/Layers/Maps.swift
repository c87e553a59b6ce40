extension Layer {
    /// The largest number of each `size` by `size` of a map, windows that do not overlap; what is left at the edges is not
    /// looked at (PyTorch's `nn.MaxPool2d`).
    public static func maxPool(size: Int) -> Layer { Layer(MaxPoolLayer(size: size)) }

    /// All numbers of the maps as one row: map by map, row by row (PyTorch's `nn.Flatten`).
    public static var flatten: Layer { Layer(FlattenLayer()) }
}

/// The largest of each window; see `Layer.maxPool`.
final class MaxPoolLayer: LayerKind {
    let size: Int

    init(size: Int) { self.size = size }
    init(_ reader: ConfigurationReader) throws(ConfigurationError) { size = try reader.count("size") }

    var name: String { "max_pool" }
    var options: [JSON.Member] { [JSON.Member("size", size)] }

    func problem(reading input: LayerShape) -> String? {
        if let problem = needsMaps(input) { return problem }
        guard let maps = input.maps, (1...min(maps.height, maps.width)).contains(size) else {
            return "windows of \(size) by \(size) do not fit \(input.text)"
        }
        return nil
    }

    func placed(_ input: LayerInput, _ scope: inout ParameterScope) -> PlacedLayer { PlacedMaxPool(self, input.shape) }
}

private final class PlacedMaxPool: PlacedLayer {
    let pool: MaxPool

    init(_ kind: MaxPoolLayer, _ input: LayerShape) {
        pool = MaxPool(input: input.maps!, size: kind.size)
        super.init(input, LayerShape(values: .numbers(pool.output), isPerStep: input.isPerStep))
    }

    override func pass(_ weights: LayerWeights, _ input: PassInput, _ plan: PassPlan) -> LayerPass {
        MaxPoolPass(self, input, plan)
    }
}

private final class MaxPoolPass: LayerPass {
    private let pool: MaxPool
    private let input: PassInput
    private let arena = Arena()

    init(_ layer: PlacedMaxPool, _ input: PassInput, _ plan: PassPlan) {
        (pool, self.input) = (layer.pool, input)
        let steps = layer.input.isPerStep ? plan.steps : 1
        let y = arena.panels(steps, rows: pool.output.count)
        super.init(layer, outputs: y, gradients: plan.trains ? arena.panels(steps, rows: pool.output.count) : y)
    }

    override func forward(_ run: Run, _ range: Range<Int>) {
        for t in layer.input.isPerStep ? range : 0..<1 { pool.forward(input.x[t], into: outputs[t]) }
    }

    override func backward(_ run: Run, _ gradients: UnsafeMutablePointer<Float>) {
        guard let dx = input.dx else { return }
        for t in 0..<(layer.input.isPerStep ? run.steps : 1) {
            pool.backward(input.x[t], outputs[t], outputGradients[t], into: dx[t])
        }
    }
}

/// Maps as one row; see `Layer.flatten`.
final class FlattenLayer: LayerKind {
    init() {}
    init(_ reader: ConfigurationReader) throws(ConfigurationError) {}

    var name: String { "flatten" }
    func problem(reading input: LayerShape) -> String? { needsMaps(input) }
    func placed(_ input: LayerInput, _ scope: inout ParameterScope) -> PlacedLayer { PlacedFlatten(input.shape) }
}

private final class PlacedFlatten: PlacedLayer {
    init(_ input: LayerShape) {
        var output = LayerShape.vector(input.count, isPerStep: input.isPerStep)
        output.reversed = input.reversed
        super.init(input, output)
    }

    override func pass(_ weights: LayerWeights, _ input: PassInput, _ plan: PassPlan) -> LayerPass {
        FlattenPass(self, outputs: input.x, gradients: input.dx ?? input.x)
    }

    override func streamWeights(_ weights: LayerWeights, _ precision: WeightPrecision) -> LayerStreamWeights {
        LayerStreamWeights(weights, precision)
    }
    override func stream(_ shared: LayerStreamWeights) -> LayerStream { CopyStream(width: shared.width) }
}

/// The panels are as they were: both passes are those of who lent them.
private final class FlattenPass: LayerPass {
    override func forward(_ run: Run, _ range: Range<Int>) {}
    override func backward(_ run: Run, _ gradients: UnsafeMutablePointer<Float>) {}
}
