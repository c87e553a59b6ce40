/// A model that predicts video: its sizes and its parameters.
///
///     let model = try VideoModel(path: "push.safetensors")
///     let predictor = VideoPredictor(model)
///
/// It may be read from any number of threads at once, and be changed from one.
public final class VideoModel: Sendable {
    /// What it is made of.
    public let configuration: VideoConfiguration
    /// Its numbers.
    public let parameters: Parameters
    let network: VideoNetwork

    /// A model with first values drawn with `seed`: Glorot's of filters, biases of 0. Kernels begin near that which moves
    /// nothing, affine maps at the identity. Traps on a configuration that cannot be.
    public convenience init(_ configuration: VideoConfiguration, seed: UInt64) {
        let network = VideoNetwork.of(configuration)
        let parameters = Parameters(network.layout)
        network.scope.initialize(parameters, seed: seed)
        self.init(network, parameters)
    }

    /// A model with parameters of its layout; traps on others, and on a configuration that cannot be.
    public convenience init(_ configuration: VideoConfiguration, parameters: Parameters) {
        let network = VideoNetwork.of(configuration)
        require(
            parameters.layout == network.layout,
            "the parameters of a video model have the layout \(network.layout.text), found \(parameters.layout.text)")
        self.init(network, parameters)
    }

    init(_ network: VideoNetwork, _ parameters: Parameters) {
        (configuration, self.network, self.parameters) = (network.configuration, network, parameters)
    }
}
