extension Layer {
    /// A transposed convolution (PyTorch's `nn.ConvTranspose2d`, Keras' `Conv2DTranspose`): what a convolution does to the
    /// gradient of its maps on the way back, here on the way forward; it makes maps larger by the `stride`.
    ///
    ///     y[f, m, n] = f(Σ W[c, f, i, j] · x[c, v, u] + b[f])
    ///
    /// over all c, v, u, i and j with v·stride + i - top = m and u·stride + j - left = n. Of n rows become (n - 1)·stride + rows - top - bottom + `outputPadding`, which is less than the stride; with a padding of
    /// `.same` stride·n, TensorFlow's "SAME", which crops less before than behind. Reads C maps, at every step or once a
    /// sequence, and gives `features` of them. Parameters: `weight` [C, features, rows, columns], as PyTorch has it, and `bias`
    /// [features], first values uniform in ±1/√(C·rows·columns). O(C·features·rows·columns) per number of a map that it reads.
    public static func transposedConvolution(
        _ features: Int, kernel: MapSize, stride: MapSize = 1, padding: MapPadding = .none,
        outputPadding: MapSize = 0, hasBias: Bool = true, activation: Activation? = .relu
    ) -> Layer {
        Layer(
            TransposedConvolutionLayer(
                FilterOptions(
                    features: features, size: kernel, stride: stride, padding: padding, hasBias: hasBias,
                    activation: activation), outputPadding: outputPadding))
    }
}

/// A transposed convolution; see `Layer.transposedConvolution`.
final class TransposedConvolutionLayer: LayerKind {
    let filters: FilterOptions
    let outputPadding: MapSize

    init(_ filters: FilterOptions, outputPadding: MapSize) {
        (self.filters, self.outputPadding) = (filters, outputPadding)
    }

    init(_ reader: ConfigurationReader) throws(ConfigurationError) {
        filters = try FilterOptions(reader)
        outputPadding = try reader.mapSize("output_padding", from: 0, default: 0)
    }

    var name: String { "transposed_convolution" }
    var options: [JSON.Member] {
        filters.members
            + (outputPadding == 0 ? [] : [JSON.Member(key: "output_padding", value: outputPadding.json)])
    }
    var unwrittenOptions: [String] { filters.unwritten + (outputPadding == 0 ? ["output_padding"] : []) }

    /// The convolution that would make what is read of what is given; nil where there is none.
    func convolution(of maps: MapShape) -> Convolution? {
        let (size, stride, padding, extra) = (filters.size, filters.stride, filters.padding, outputPadding)
        guard filters.canBe(channels: maps.channels), extra.height >= 0, extra.width >= 0,
            extra.height < stride.height, extra.width < stride.width, padding != .same || extra == 0
        else { return nil }
        let convolution = Convolution(
            channels: filters.features, features: maps.channels,
            rows: FilterAxis(
                giving: maps.height, size: size.height, stride: stride.height, padding.rows, extra: extra.height),
            columns: FilterAxis(
                giving: maps.width, size: size.width, stride: stride.width, padding.columns, extra: extra.width))
        guard convolution.rows.input > 0, convolution.columns.input > 0, elementCount(convolution.input.sizes) != nil
        else { return nil }
        return convolution
    }

    func problem(reading input: LayerShape) -> String? {
        if let problem = needsMaps(input) { return problem }
        guard let maps = input.maps, convolution(of: maps) != nil else {
            return "\(filters.text), and an output padding of \(outputPadding.text) below the stride, none of SAME, "
                + "give nothing of \(input.text)"
        }
        return nil
    }

    func placed(_ input: LayerInput, _ scope: inout ParameterScope) -> PlacedLayer {
        guard let convolution = convolution(of: input.shape.maps!) else {
            misuse("the layer cannot read \(input.shape.text)")
        }
        return PlacedConvolution(filters, convolution, isTransposed: true, input.shape, &scope)
    }
}
