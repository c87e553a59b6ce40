/// A network of convolutions with its parameters, for a `Trainer`.
///
/// Its images are `SequenceData` of one step: channels · height · width numbers each, with a class a sequence.
public final class ConvolutionalNetwork: Sendable {
    /// Its layers and sizes.
    public let configuration: ConvolutionalNetworkConfiguration
    /// All parameters in one block; see `ConvolutionalNetworkConfiguration.layout`.
    public let parameters: Parameters

    /// A network with first values uniform in ±1/√(numbers a filter or an output reads), as PyTorch's.
    public init(_ configuration: ConvolutionalNetworkConfiguration, seed: UInt64) {
        self.configuration = configuration
        parameters = Parameters(configuration.layout)
        var random = Random(seed: seed, stream: 1)
        var limit: Float = 1
        for window in configuration.layout.windows {
            // A weight stands before its bias, which has the same limit.
            if window.shape.count > 1 { limit = 1 / Float(window.count / window.shape[0]).squareRoot() }
            for i in 0..<window.count { parameters.pointer[window.offset + i] = random.uniform(within: limit) }
        }
    }

    /// Mean loss and error over `data`, on at most `threads` cores; the bits do not depend on their number.
    ///
    /// Traps unless the data is of one step with as many numbers as an image, and of a class a sequence.
    public func evaluate(_ data: SequenceData, threads: Int = 1) -> Evaluation {
        check(data)
        return Crew.run(threads: threads) { crew in
            ParallelConvolution(configuration, parameters, crew: crew).evaluate(data).evaluation
        }
    }

    func check(_ data: SequenceData) {
        require(
            data.width == configuration.input.count && data.longest == 1,
            "the network takes images of \(configuration.input.count) numbers, one step each; the data has \(data.width.map { "\($0) numbers" } ?? "a token") a step and up to \(data.longest) steps"
        )
        require(
            !data.targets.isRegression && !data.targets.isPerStep,
            "the network gives each image a class; the data has \(data.targets.isRegression ? "numbers" : "a class a step")"
        )
        if let label = data.targets.classes.first(where: { !(0..<configuration.classes).contains(Int($0)) }) {
            misuse("there is a class \(label); the network has \(configuration.classes) classes, counted from 0")
        }
    }
}
