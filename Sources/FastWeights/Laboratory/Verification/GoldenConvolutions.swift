/// Runs the golden cases of networks of convolutions.
extension Fixture {
    /// Logits and losses, the gradient of everything given, and that of the images.
    func checkConvolution(_ tally: inout ErrorTally) throws {
        let reader = ConfigurationReader(json: configuration, owner: "network")
        let (channels, height) = (try reader.count("channels"), try reader.count("height"))
        let (width, classes) = (try reader.count("width"), try reader.count("classes"))
        var named: [NamedLayer] = []
        for (i, layer) in (configuration["layers"]?.elements ?? []).enumerated() {
            let activation = layer["layer"]?.text == "convolution" ? [JSON.Member("activation", "relu")] : []
            let layer = try Layer(json: .object((layer.members ?? []) + activation))
            named.append(NamedLayer(layer: layer, prefix: "layers.\(i)."))
        }
        named.append(NamedLayer(layer: .flatten, prefix: "flatten."))
        named.append(NamedLayer(layer: .dense(classes), prefix: "head."))
        let configuration = try NetworkConfiguration(
            reading: .maps(channels: channels, height: height, width: width), named)
        let network = Network(configuration, parameters: try parameters(configuration.layout))
        let batch = try shape("input", [nil, channels, height, width])[0]
        let (input, size) = (try floats("input"), configuration.definition.input.count)
        let labels = try integers("targets", count: batch, in: 0..<classes)
        let pass = NetworkPass(network)
        let logits = pass.forward(input, steps: 1, batch: batch).outputs
        tally.output("logits", logits, try doubles("logits"))
        // The gradient of the mean cross-entropy.
        var cotangent = Prediction(outputs: logits, width: classes).probabilities
        for (b, label) in labels.enumerated() { cotangent[b * classes + label] -= 1 }
        let gradient = pass.backward(cotangent.map { $0 / Float(batch) })
        tally.gradient("gradient.input", gradient.input, try doubles("gradient.input"))
        try compare(pass.gradients, "gradient.", &tally)
        // And as a training does it.
        let data = try SequenceData(
            .numbers((0..<batch).map { Array(input[$0 * size..<($0 + 1) * size]) }, width: size),
            .stepClasses(labels.map { [$0] }))
        try ThreadTeam.run(threads: 2) { team in
            let engine = ParallelTraining(configuration.definition, network.parameters, longest: 1, team: team)
            let result = engine.gradient(data, Array(0..<batch))
            tally.output("loss, in shards", [Float(result.loss)], try doubles("loss"))
            try compare(engine.gradients, "gradient.", &tally, note: ", in shards")
        }
    }
}
