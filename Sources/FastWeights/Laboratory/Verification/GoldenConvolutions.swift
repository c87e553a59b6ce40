/// Runs the golden cases of networks of convolutions.
extension Fixture {
    /// Logits and losses, the gradient of everything given, and that of the images.
    func checkConvolution(_ tally: inout ErrorTally) throws {
        let configuration = try ConvolutionalNetworkConfiguration(json: configuration)
        let parameters = try parameters(configuration.layout)
        let network = ConvolutionalNetwork(configuration, seed: 0)
        network.parameters.copy(from: parameters)
        let image = configuration.input
        let (batch, size) = (
            try shape("input", [nil, image.channels, image.height, image.width])[0], configuration.input.count
        )
        let input = try floats("input")
        let labels = try integers("targets", count: batch, in: 0..<configuration.classes)
        // A block at a time, with the gradients of the images.
        let weights = ConvolutionWeights(configuration, network.parameters)
        for piece in 0..<weights.pieces { weights.pack(piece: piece) }
        let gradients = Parameters(configuration.layout)
        let pass = ConvolutionPass(configuration)
        let windows = ConvolutionGradients(configuration, gradients)
        let targets = Buffer<Int32>(Lanes.width)
        var logits: [Float] = []
        var inputGradient: [Float] = []
        var loss = 0.0
        for first in stride(from: 0, to: batch, by: Lanes.width) {
            let samples = Array(first..<min(first + Lanes.width, batch))
            let block = LaneBlock(samples: samples, lengths: samples.map { _ in 1 })
            let count = block.samples.count
            input.withUnsafeBufferPointer {
                block.gather($0.baseAddress!, count: count, rows: size, into: pass.input)
            }
            for lane in 0..<count { targets.pointer[lane] = Int32(labels[first + lane]) }
            pass.forward(weights)
            for lane in 0..<count { for r in 0..<configuration.classes { logits.append(pass.logits[r][lane]) } }
            loss +=
                crossEntropy(
                    pass.logits, classes: configuration.classes, targets: targets.pointer, count: count,
                    scale: 1 / Float(batch)
                ).loss
            pass.backward(weights, gradients: windows, ofInput: true)
            for lane in 0..<count { for r in 0..<size { inputGradient.append(pass.inputGradient[r][lane]) } }
        }
        tally.output("logits", logits, try doubles("logits"))
        tally.output("loss", [Float(loss / Double(batch))], try doubles("loss"))
        tally.gradient("gradient.input", inputGradient, try doubles("gradient.input"))
        // And as a training does it.
        let data = try SequenceData(
            .numbers((0..<batch).map { Array(input[$0 * size..<($0 + 1) * size]) }, width: size), .classes(labels))
        try Crew.run(threads: 2) { crew in
            let engine = ParallelConvolution(configuration, network.parameters, crew: crew)
            let result = engine.gradient(data, Array(0..<batch))
            tally.output("loss, in shards", [Float(result.loss)], try doubles("loss"))
            try compare(gradients, "gradient.", &tally)
            try compare(engine.gradients, "gradient.", &tally, note: ", in shards")
        }
    }
}
