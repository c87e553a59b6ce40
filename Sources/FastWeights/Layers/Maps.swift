extension Layer {
    /// A convolution (PyTorch's `nn.Conv2d`): y = f(W ∗ x + b), `features` filters of `size` by `size`, one every `stride`
    /// numbers, with `padding` zeros around the maps; f the `activation`, nil for none.
    ///
    /// Reads C maps, at every step or once a sequence, and gives `features` of them. Parameters: `weight`
    /// [features, C, size, size] and `bias` [features], first values uniform in ±1/√(C·size²). O(features·C·size²) per number
    /// of the maps that it gives.
    public static func convolution(
        _ features: Int, size: Int, stride: Int = 1, padding: Int = 0, activation: Activation? = .relu
    ) -> Layer {
        Layer(ConvolutionLayer(features, size: size, stride: stride, padding: padding, activation))
    }

    /// The largest number of each `size` by `size` of a map, windows that do not overlap; what is left at the edges is not
    /// looked at (PyTorch's `nn.MaxPool2d`).
    public static func maxPool(size: Int) -> Layer { Layer(MaxPoolLayer(size: size)) }

    /// All numbers of the maps as one row: map by map, row by row (PyTorch's `nn.Flatten`).
    public static var flatten: Layer { Layer(FlattenLayer()) }
}

private func needsMaps(_ input: LayerShape) -> String? {
    input.maps == nil ? "it needs maps of numbers, found \(input.text)" : nil
}

/// A convolution; see `Layer.convolution`.
final class ConvolutionLayer: LayerKind {
    let features: Int
    let size: Int
    let stride: Int
    let padding: Int
    let activation: Activation?

    init(_ features: Int, size: Int, stride: Int = 1, padding: Int = 0, _ activation: Activation? = .relu) {
        (self.features, self.size, self.stride, self.padding) = (features, size, stride, padding)
        self.activation = activation
    }

    init(_ reader: ConfigurationReader) throws(ConfigurationError) {
        (features, size) = (try reader.count("features"), try reader.count("size"))
        (stride, padding) = (try reader.count("stride", default: 1), try reader.count("padding", from: 0, default: 0))
        activation = reader.json["activation"] == nil ? nil : try reader.activation()
    }

    var name: String { "convolution" }
    var options: [JSON.Member] {
        [
            JSON.Member("features", features), JSON.Member("size", size), JSON.Member("stride", stride),
            JSON.Member("padding", padding),
        ] + (activation.map { [JSON.Member("activation", $0.rawValue)] } ?? [])
    }

    var unwrittenOptions: [String] { activation == nil ? ["activation"] : [] }

    func problem(reading input: LayerShape) -> String? {
        if let problem = needsMaps(input) { return problem }
        let sizes = 1...sizeLimit
        guard let maps = input.maps, sizes.contains(features), sizes.contains(size), sizes.contains(stride),
            (0..<size).contains(padding), size <= min(maps.height, maps.width) + 2 * padding,
            elementCount([features, maps.channels, size, size]) != nil
        else {
            return "\(features) filters of \(size) by \(size), one every \(stride), with a padding of \(padding) below "
                + "their size, do not fit \(input.text)"
        }
        return nil
    }

    func placed(_ input: LayerInput, _ scope: inout ParameterScope) -> PlacedLayer {
        PlacedConvolution(self, input.shape, &scope)
    }
}

private final class PlacedConvolution: PlacedLayer {
    let convolution: Convolution
    let activation: Activation?
    let weight: Parameter
    let bias: Parameter

    init(_ kind: ConvolutionLayer, _ input: LayerShape, _ scope: inout ParameterScope) {
        let maps = input.maps!
        convolution = Convolution(
            input: maps, features: kind.features, size: kind.size, stride: kind.stride, padding: kind.padding)
        activation = kind.activation
        let first = FirstValue.uniform(1 / Float(convolution.depth).squareRoot())
        weight = scope.add("weight", kind.features, maps.channels, kind.size, kind.size, first: first)
        bias = scope.add("bias", kind.features, first: first)
        super.init(input, LayerShape(values: .numbers(convolution.output), isPerStep: input.isPerStep))
    }

    override var multiplications: Int { convolution.output.count * convolution.depth }

    override func weights(_ block: Parameters) -> LayerWeights { ConvolutionWeights(self, block) }

    override func pass(_ weights: LayerWeights, _ input: PassInput, _ plan: PassPlan) -> LayerPass {
        ConvolutionPass(self, unsafeDowncast(weights, to: ConvolutionWeights.self), input, plan)
    }
}

/// The filters as a matrix [F, C·k·k] and that transposed, packed.
private final class ConvolutionWeights: LayerWeights {
    let matrix: PackedMatrix
    let transposed: PackedMatrix
    private let weight: Parameter

    init(_ layer: PlacedConvolution, _ block: Parameters) {
        let (features, depth) = (layer.convolution.features, layer.convolution.depth)
        matrix = PackedMatrix(rows: features, depth: depth)
        transposed = PackedMatrix(rows: depth, depth: features)
        weight = layer.weight
        super.init(layer, block)
    }

    override var pieces: Int { 1 }

    override func pack(piece: Int) {
        let (source, depth) = (numbers[weight], matrix.depth)
        matrix.pack(0..<matrix.tiles, source, rowStride: depth, depthStride: 1)
        transposed.pack(0..<transposed.tiles, source, rowStride: 1, depthStride: depth)
    }
}

private final class ConvolutionPass: LayerPass {
    private let convolution: Convolution
    private let placed: PlacedConvolution
    private let weights: ConvolutionWeights
    private let input: PassInput
    private let scratch: Panel
    /// What the filters see at the positions of one row of the output, and ∂L/∂(that of one position).
    private let seen: Panel
    private let dSeen: Panel
    /// Pre-activations of the positions of one row, or their gradients.
    private let positions: Panel
    private let arena = Arena()

    init(_ layer: PlacedConvolution, _ weights: ConvolutionWeights, _ input: PassInput, _ plan: PassPlan) {
        (placed, self.weights, self.input, scratch) = (layer, weights, input, plan.scratch)
        let c = layer.convolution
        convolution = c
        seen = arena.panels(1, rows: c.output.width * c.depth)[0]
        dSeen = arena.panels(1, rows: plan.trains ? c.depth : 0)[0]
        positions = arena.panels(1, rows: c.output.width * c.features)[0]
        let steps = layer.input.isPerStep ? plan.steps : 1
        let y = arena.panels(steps, rows: c.output.count)
        super.init(layer, outputs: y, gradients: plan.trains ? arena.panels(steps, rows: c.output.count) : y)
    }

    override func forward(_ run: Run, _ range: Range<Int>) {
        let (c, shape, bias) = (convolution, convolution.output, weights.numbers[placed.bias])
        let (area, matrix) = (shape.height * shape.width, weights.matrix.products)
        for t in placed.input.isPerStep ? range : 0..<1 {
            for v in 0..<shape.height {
                for u in 0..<shape.width {
                    c.gather(input.x[t], u, v, into: seen)
                    for f in 0..<c.features { positions[f] = Lanes(repeating: bias[f]) }
                    matrix.multiply(by: seen, into: positions)
                    placed.activation?.apply(positions, into: positions, count: c.features)
                    let target = outputs[t] + (v * shape.width + u)
                    for f in 0..<c.features { target[f &* area] = positions[f] }
                }
            }
        }
    }

    override func backward(_ run: Run, _ gradients: UnsafeMutablePointer<Float>) {
        for t in 0..<(placed.input.isPerStep ? run.steps : 1) { backward(t, gradients) }
    }

    private func backward(_ t: Int, _ gradients: UnsafeMutablePointer<Float>) {
        let (c, shape, F, depth) = (convolution, convolution.output, convolution.features, convolution.depth)
        let (area, transposed) = (shape.height * shape.width, weights.transposed.products)
        let (x, y, dy) = (input.x[t], outputs[t], outputGradients[t])
        placed.activation?.applyBackward(dy, y, count: c.output.count)
        let dz = PanelSequence(pointer: positions, stride: F)
        let seen = PanelSequence(pointer: seen, stride: depth)
        for v in 0..<shape.height {
            for u in 0..<shape.width {
                let position = v * shape.width + u
                for f in 0..<F { dz[u][f] = dy[f &* area &+ position] }
                c.gather(x, u, v, into: seen[u])
            }
            accumulateOuterProducts(
                dz, rows: F, seen, columns: depth, count: shape.width, scratch: scratch,
                into: gradients[placed.weight])
            accumulateSums(dz, rows: F, count: shape.width, into: gradients[placed.bias])
        }
        // Where ∂L/∂x stands in the panel of x, that is read no more.
        guard let dx = input.dx.map({ $0[t] }) else { return }
        dx.update(repeating: .zero, count: c.input.count)
        for v in 0..<shape.height {
            for u in 0..<shape.width {
                let position = v * shape.width + u
                for f in 0..<F { positions[f] = dy[f &* area &+ position] }
                dSeen.update(repeating: .zero, count: depth)
                transposed.multiply(by: positions, into: dSeen)
                c.scatter(dSeen, u, v, addingTo: dx)
            }
        }
    }
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
