/// A video model's network in its places: where its parameters stand, and the operations of a step.
class VideoNetwork: @unchecked Sendable {
    let configuration: VideoConfiguration
    let scope: ParameterScope
    let lstms: [MapLSTM.Placed]

    init(_ configuration: VideoConfiguration, _ scope: ParameterScope, _ lstms: [MapLSTM.Placed]) {
        (self.configuration, self.scope, self.lstms) = (configuration, scope, lstms)
    }

    /// That of a configuration; traps on one that cannot be.
    static func of(_ configuration: VideoConfiguration) -> VideoNetwork {
        if let problem = configuration.problem { misuse(problem) }
        return configuration.head == .convlstm ? PatchNetwork(configuration) : MotionNetwork(configuration)
    }

    final var layout: Parameters.Layout { scope.layout }

    /// The operations of a step in their order.
    func operations(_ weights: VideoWeights, _ plan: VideoPlan, _ ends: StepEnds) -> StepParts {
        misuse("each network has its own operations")
    }
}

/// The maps that lead from step to step: a frame, [C, N, H, W], action and state, [A + S, N], and what is predicted of both.
struct StepEnds {
    let input: PlanarMaps
    let command: PlanarMaps
    let next: PlanarMaps
    let nextState: PlanarMaps
}

/// What a step is made of.
struct StepParts {
    let operations: [VideoOperation]
    /// Maps whose gradients begin with 0 at every step.
    let cleared: [PlanarMaps]
    let cells: [MapLSTM]
}

extension ParameterScope {
    /// Adds the filters of a convolution, `<name>.weight`, first values uniform in ±√(6 / (inputs + outputs)) as Glorot and
    /// Bengio have it, and `<name>.bias` of zeros.
    mutating func addConvolution(
        _ name: String, _ convolution: Convolution, isTransposed: Bool, hasBias: Bool
    ) -> MapConvolution.Placed {
        let filter = convolution.rows.size * convolution.columns.size
        let limit = (6 / Float((convolution.channels + convolution.features) * filter)).squareRoot()
        let weight = add("\(name).weight", convolution.filterSizes, first: .uniform(limit))
        let outputs = isTransposed ? convolution.channels : convolution.features
        return MapConvolution.Placed(
            convolution: convolution, isTransposed: isTransposed, weight: weight,
            bias: hasBias ? add("\(name).bias", outputs, first: .constant(0)) : nil)
    }

    /// Adds the filters of the gates of a convolutional LSTM, [4C, channels, rows, columns], first values as those of a
    /// convolution.
    mutating func addGates(_ name: String, _ hidden: Int, _ channels: Int, _ size: MapSize) -> Parameter {
        let filter = size.height * size.width
        return add(
            name, [4 * hidden, channels, size.height, size.width],
            first: .uniform((6 / Float((channels + 4 * hidden) * filter)).squareRoot()),
            parts: [Int](repeating: hidden * channels * filter, count: 4))
    }

    /// Adds gain and bias of a layer norm over maps, a number a channel.
    mutating func addMapNorm(_ name: String, _ channels: Int) -> MapNorm.Placed {
        MapNorm.Placed(
            gain: add("\(name).weight", channels, first: .constant(1)),
            bias: add("\(name).bias", channels, first: .constant(0)))
    }

    /// Adds a product of a vector of each sample.
    mutating func addProduct(
        _ name: String, inputs: Int, outputs: Int, weight: FirstValue? = nil, bias: FirstValue = .constant(0)
    ) -> VectorProduct.Placed {
        let limit = (6 / Float(inputs + outputs)).squareRoot()
        return VectorProduct.Placed(
            inputs: inputs, outputs: outputs,
            weight: add("\(name).weight", outputs, inputs, first: weight ?? .uniform(limit)),
            bias: add("\(name).bias", outputs, first: bias))
    }
}
