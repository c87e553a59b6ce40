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
        convolution(
            features, kernel: MapSize(size), stride: MapSize(stride), padding: .zeros(MapSize(padding)),
            activation: activation)
    }

    /// A convolution with filters of any rows and columns, `kernel`, and any zeros around the maps: those of PyTorch, as many
    /// on one side as on the other, or TensorFlow's and Keras' "SAME", which with a stride differ by one.
    ///
    ///     y[f, v, u] = f(Σ W[f, c, i, j] · x[c, v·stride + i - top, u·stride + j - left] + b[f])
    ///
    /// Parameters: `weight` [features, C, rows, columns] and `bias` [features], first values uniform in ±1/√(C·rows·columns).
    /// O(features·C·rows·columns) per number of the maps that it gives.
    public static func convolution(
        _ features: Int, kernel: MapSize, stride: MapSize = 1, padding: MapPadding = .none, hasBias: Bool = true,
        activation: Activation? = .relu
    ) -> Layer {
        Layer(
            ConvolutionLayer(
                FilterOptions(
                    features: features, size: kernel, stride: stride, padding: padding, hasBias: hasBias,
                    activation: activation)))
    }
}

/// A convolution; see `Layer.convolution`.
final class ConvolutionLayer: LayerKind {
    let filters: FilterOptions

    init(_ filters: FilterOptions) { self.filters = filters }
    init(_ reader: ConfigurationReader) throws(ConfigurationError) { filters = try FilterOptions(reader) }

    var name: String { "convolution" }
    var options: [JSON.Member] { filters.members }
    var unwrittenOptions: [String] { filters.unwritten }

    func problem(reading input: LayerShape) -> String? {
        if let problem = needsMaps(input) { return problem }
        let zeros = filters.padding
        guard let maps = input.maps, filters.canBe(channels: maps.channels),
            zeros.rows.map({ filters.size.height <= maps.height + $0.before + $0.behind }) ?? true,
            zeros.columns.map({ filters.size.width <= maps.width + $0.before + $0.behind }) ?? true,
            elementCount(filters.convolution(of: maps).output.sizes) != nil
        else {
            return "\(filters.text), do not fit \(input.text)"
        }
        return nil
    }

    func placed(_ input: LayerInput, _ scope: inout ParameterScope) -> PlacedLayer {
        PlacedConvolution(filters, filters.convolution(of: input.shape.maps!), isTransposed: false, input.shape, &scope)
    }
}

/// A convolution in its place, or the transposed one, which reads what the convolution gives and gives what it reads.
final class PlacedConvolution: PlacedLayer {
    let convolution: Convolution
    let isTransposed: Bool
    let activation: Activation?
    let weight: Parameter
    let bias: Parameter?

    init(
        _ filters: FilterOptions, _ convolution: Convolution, isTransposed: Bool, _ input: LayerShape,
        _ scope: inout ParameterScope
    ) {
        (self.convolution, self.isTransposed, activation) = (convolution, isTransposed, filters.activation)
        let seen = input.maps!.channels * filters.size.height * filters.size.width
        let first = FirstValue.uniform(1 / Float(seen).squareRoot())
        weight = scope.add("weight", convolution.filterSizes, first: first)
        bias = filters.hasBias ? scope.add("bias", filters.features, first: first) : nil
        let output = isTransposed ? convolution.input : convolution.output
        super.init(input, LayerShape(values: .numbers(output), isPerStep: input.isPerStep))
    }

    override var multiplications: Int { convolution.multiplications }

    override func weights(_ block: Parameters) -> LayerWeights {
        FilterWeights(self, block, [(convolution, weight, 0)])
    }

    override func pass(_ weights: LayerWeights, _ input: PassInput, _ plan: PassPlan) -> LayerPass {
        ConvolutionPass(self, unsafeDowncast(weights, to: FilterWeights.self), input, plan)
    }
}

private final class ConvolutionPass: LayerPass {
    private let placed: PlacedConvolution
    private let weights: FilterWeights
    private let input: PassInput
    private let scratch: Panel
    private let products: FilterProducts
    private let arena = Arena()

    init(_ layer: PlacedConvolution, _ weights: FilterWeights, _ input: PassInput, _ plan: PassPlan) {
        (placed, self.weights, self.input, scratch) = (layer, weights, input, plan.scratch)
        products = FilterProducts(
            layer.convolution, trains: plan.trains, isTransposed: layer.isTransposed, arena: arena)
        let steps = layer.input.isPerStep ? plan.steps : 1
        let y = arena.panels(steps, rows: layer.output.count)
        super.init(layer, outputs: y, gradients: plan.trains ? arena.panels(steps, rows: layer.output.count) : y)
    }

    override func forward(_ run: Run, _ range: Range<Int>) {
        let (shape, filters) = (placed.output.maps!, weights.filters())
        for t in placed.input.isPerStep ? range : 0..<1 {
            let y = outputs[t]
            weights.fill(y, shape, with: placed.bias)
            if placed.isTransposed {
                products.addTransposed(filters, input.x[t], to: y)
            } else {
                products.add(filters, input.x[t], to: y)
            }
            placed.activation?.apply(y, into: y, count: shape.count)
        }
    }

    override func backward(_ run: Run, _ gradients: UnsafeMutablePointer<Float>) {
        let (shape, filters, weight) = (placed.output.maps!, weights.filters(), gradients[placed.weight])
        for t in 0..<(placed.input.isPerStep ? run.steps : 1) {
            let (x, dy) = (input.x[t], outputGradients[t])
            placed.activation?.applyBackward(dy, outputs[t], count: shape.count)
            if placed.isTransposed {
                products.addGradient(x, dy, scratch: scratch, to: weight)
            } else {
                products.addGradient(dy, x, scratch: scratch, to: weight)
            }
            if let bias = placed.bias {
                accumulateChannelSums(dy, channels: shape.channels, area: shape.area, into: gradients[bias])
            }
            // Where ∂L/∂x stands in the panel of x, that is read no more.
            guard let dx = input.dx.map({ $0[t] }) else { continue }
            dx.update(repeating: .zero, count: placed.input.count)
            if placed.isTransposed {
                products.add(filters, dy, to: dx)
            } else {
                products.addTransposed(filters, dy, to: dx)
            }
        }
    }
}
