extension Trainer {
    /// A trainer of a network of convolutions on images, `SequenceData` of one step with a class each.
    ///
    /// The same data, options and first values give the same bits on any number of threads. Traps when the data is not of
    /// such images.
    public convenience init(
        _ network: ConvolutionalNetwork, training: SequenceData, validation: SequenceData, options: TrainingOptions
    ) {
        network.check(training)
        network.check(validation)
        func summary(_ data: SequenceData) -> JSON {
            .string("\(data.count) images, checksum \(String(data.checksum, radix: 16))")
        }
        self.init(
            network.parameters, options,
            identity: [
                ("network", .string(network.configuration.json.serialised())), ("training images", summary(training)),
                ("validation images", summary(validation)),
            ]
        ) { crew in
            ImageSource(network, training, validation, options, crew)
        }
    }
}

/// Batches of images.
private final class ImageSource: TrainingSource {
    private let engine: ParallelConvolution
    private let training: SequenceData
    private let validation: SequenceData
    private let options: TrainingOptions
    private var order: BatchOrder

    init(
        _ network: ConvolutionalNetwork, _ training: SequenceData, _ validation: SequenceData,
        _ options: TrainingOptions, _ crew: Crew
    ) {
        engine = ParallelConvolution(network.configuration, network.parameters, crew: crew)
        (self.training, self.validation, self.options) = (training, validation, options)
        order = BatchOrder(count: training.count, batch: options.batch, seed: options.seed)
    }

    var gradients: Parameters { engine.gradients }
    var carried: Parameters? { nil }

    func skip() { order.advance() }

    func advance(step: Int) -> Double {
        order.advance()
        return engine.gradient(training, order.indices, seed: options.seed(ofStep: step)).loss
    }

    func evaluate() -> Evaluation { engine.evaluate(validation) }
}
