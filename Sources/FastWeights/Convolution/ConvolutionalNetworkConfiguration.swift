/// A network of convolutions for images: its layers and sizes.
///
///     ConvolutionalNetworkConfiguration(
///         MapShape(channels: 1, height: 28, width: 28),
///         [.convolution(features: 50, size: 7, stride: 7), .convolution(features: 50, size: 2, stride: 2)], classes: 10)
public struct ConvolutionalNetworkConfiguration: Sendable, Equatable {
    /// One layer.
    public enum Layer: Sendable, Equatable {
        /// `features` filters of `size` by `size`, one every `stride` numbers, with `padding` zeros around the image, and
        /// ReLU.
        case convolution(features: Int, size: Int, stride: Int = 1, padding: Int = 0)
        /// The largest number of each `size` by `size`, windows that do not overlap.
        case maxPool(size: Int)
    }

    /// What an image is.
    public let input: MapShape
    /// The layers, the first reads the image.
    public let layers: [Layer]
    /// Classes of the dense layer on top of all that the last layer gives.
    public let classes: Int

    /// Most channels, rows, columns, features and classes.
    private static let sizeLimit = 1 << 14

    /// Traps unless sizes are from 1 to 16,384, and on a layer that does not fit the image that the one before leaves.
    public init(_ input: MapShape, _ layers: [Layer], classes: Int) {
        (self.input, self.layers, self.classes) = (input, layers, classes)
        if let problem { misuse(problem) }
    }

    /// What makes the network impossible; nil of a possible one.
    private var problem: String? {
        func isSize(_ numbers: Int...) -> Bool { numbers.allSatisfy { (1...Self.sizeLimit).contains($0) } }
        guard isSize(input.channels, input.height, input.width, classes) else {
            return "an image's channels, rows and columns, and a network's classes are from 1 to \(Self.sizeLimit), "
                + "found \(input.channels), \(input.height), \(input.width) and \(classes)"
        }
        var shape = input
        for (i, layer) in layers.enumerated() {
            let least = min(shape.height, shape.width)
            let fits =
                switch layer {
                case .convolution(let features, let size, let stride, let padding):
                    isSize(features, size, stride) && (0..<size).contains(padding) && size <= least + 2 * padding
                case .maxPool(let size): isSize(size) && size <= least
                }
            guard fits else {
                return "layer \(i), \(layer), does not fit an image of \(shape.height) by \(shape.width)"
            }
            shape = Self.work(of: layer, on: shape).output
        }
        return nil
    }

    /// What a layer does to an image of some size.
    enum Work: Sendable {
        case convolution(Convolution)
        case maxPool(MaxPool)

        var output: MapShape {
            switch self {
            case .convolution(let convolution): convolution.output
            case .maxPool(let pool): pool.output
            }
        }
    }

    private static func work(of layer: Layer, on shape: MapShape) -> Work {
        switch layer {
        case .convolution(let features, let size, let stride, let padding):
            .convolution(
                Convolution(input: shape, features: features, size: size, stride: stride, padding: padding))
        case .maxPool(let size): .maxPool(MaxPool(input: shape, size: size))
        }
    }

    /// The layers, each for what the one before leaves.
    var work: [Work] {
        var shape = input
        return layers.map { layer in
            let work = Self.work(of: layer, on: shape)
            shape = work.output
            return work
        }
    }

    /// What the dense layer reads.
    public var features: MapShape { work.last?.output ?? input }

    /// Multiplications of filters and dense layer for one image, forward.
    var multiplications: Int {
        work.reduce(classes * features.count) { sum, work in
            guard case .convolution(let c) = work else { return sum }
            return sum + c.output.count * c.depth
        }
    }

    /// The parameters by PyTorch's names in a `Sequential` called `layers`, whose ReLUs do not count: `layers.0.weight`
    /// [features, channels, size, size], `layers.0.bias`, …, `head.weight` [classes, numbers] and `head.bias`.
    public var layout: ParameterLayout {
        var layout = ParameterLayout()
        for (i, work) in work.enumerated() {
            guard case .convolution(let c) = work else { continue }
            layout.append("layers.\(i).weight", c.features, c.input.channels, c.size, c.size)
            layout.append("layers.\(i).bias", c.features)
        }
        layout.append("head.weight", classes, features.count)
        layout.append("head.bias", classes)
        return layout
    }
}

extension ConvolutionalNetworkConfiguration {
    /// The configuration as it stands in fixtures and checkpoints.
    var json: JSON {
        func number(_ value: Int) -> JSON { .number(Double(value)) }
        return [
            "channels": number(input.channels), "height": number(input.height), "width": number(input.width),
            "classes": number(classes),
            "layers": .array(
                layers.map { layer -> JSON in
                    switch layer {
                    case .convolution(let features, let size, let stride, let padding):
                        [
                            "layer": "convolution", "features": number(features), "size": number(size),
                            "stride": number(stride), "padding": number(padding),
                        ]
                    case .maxPool(let size): ["layer": "max_pool", "size": number(size)]
                    }
                }),
        ]
    }

    /// Reads what `json` wrote. Throws with the name of what is missing or unknown, and on layers that do not fit.
    init(json: JSON) throws(ConfigurationError) {
        let reader = ConfigurationReader(json: json, place: "network")
        guard case .array(let given)? = json["layers"] else {
            throw ConfigurationError(description: "the network's configuration has no layers")
        }
        var layers: [Layer] = []
        for layer in given {
            let reader = ConfigurationReader(json: layer, place: "layer")
            switch try reader.text("layer") {
            case "convolution":
                layers.append(
                    .convolution(
                        features: try reader.count("features"), size: try reader.count("size"),
                        stride: try reader.count("stride"), padding: try reader.count("padding", from: 0)))
            case "max_pool": layers.append(.maxPool(size: try reader.count("size")))
            case let kind:
                throw ConfigurationError(description: "expected a layer convolution or max_pool, found \"\(kind)\"")
            }
        }
        input = MapShape(
            channels: try reader.count("channels"), height: try reader.count("height"),
            width: try reader.count("width"))
        (self.layers, classes) = (layers, try reader.count("classes"))
        if let problem { throw ConfigurationError(description: problem) }
    }
}
