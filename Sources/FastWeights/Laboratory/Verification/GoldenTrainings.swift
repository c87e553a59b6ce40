/// Runs the golden cases of networks with a head: some training steps on sequences of unequal length.
extension Fixture {
    /// Every loss, the first gradient, and every parameter at the end.
    func checkTraining(_ tally: inout ErrorTally) throws {
        guard let head = configuration["head"] else { throw FixtureError(name, "the configuration has no head") }
        var network = try RecurrentNetworkConfiguration(json: configuration)
        network.head = try Head(json: head)
        let parameters = try parameters(network.layout)
        let rule = try OptimizerRule(ConfigurationReader(json: configuration["optimizer"] ?? .null, place: "optimizer"))
        let rate = configuration["optimizer"]?["learning_rate"]?.number ?? 0
        let sizes =
            has("tokens") ? try shape("tokens", [nil, nil, nil]) : try shape("input", [nil, nil, nil, network.input])
        let (count, batch, steps) = (sizes[0], sizes[1], sizes[2])
        let data = try trainingData(network, count: count * batch, steps: steps)
        let parts = network.parts
        try data.check(network, as: "the data")
        var losses: [Float] = []
        try Crew.run(threads: 2) { crew in
            let engine = ParallelNetwork(
                network, parameters, longest: data.longest, takesTokens: data.width == nil, crew: crew)
            let optimizer = Optimizer(rule, parameters, engine.gradients, crew: crew)
            for step in 0..<count {
                losses.append(Float(engine.gradient(data, Array(step * batch..<(step + 1) * batch)).loss))
                if step == 0 {
                    try compare(engine.gradients, "gradient.", &tally, parts: parts)
                }
                optimizer.step(rate: Float(rate))
            }
        }
        tally.output("losses", losses, try doubles("losses"))
        try compare(parameters, "final.", &tally, parts: parts)
    }

    /// The sequences of all batches, each cut at its own end.
    private func trainingData(
        _ network: RecurrentNetworkConfiguration, count: Int, steps: Int
    ) throws -> SequenceData {
        let lengths = try integers("lengths", count: count, in: 1..<steps + 1)
        /// Sequence i of those with `width` numbers a step.
        func cut<Value>(_ values: [Value], _ i: Int, _ width: Int) -> [Value] {
            let first = i * steps * width
            return Array(values[first..<first + lengths[i] * width])
        }
        let all = 0..<count
        let inputs: SequenceData.Inputs
        if has("tokens") {
            let tokens = try tensors.integers("tokens")
            inputs = .tokens(all.map { cut(tokens, $0, 1) })
        } else {
            let numbers = try floats("input")
            inputs = .numbers(all.map { cut(numbers, $0, network.input) }, width: network.input)
        }
        let isPerStep = network.head?.isPerStep == true
        let outputs = network.output
        let targets = count * (isPerStep ? steps : 1)
        if configuration["loss"]?.text == "numbers" {
            let values = try floats("targets", count: targets * outputs)
            return try SequenceData(
                inputs,
                isPerStep
                    ? .stepNumbers(all.map { cut(values, $0, outputs) })
                    : .numbers(all.map { Array(values[$0 * outputs..<($0 + 1) * outputs]) }))
        }
        let labels = try integers("targets", count: targets, in: SequenceData.ignored..<outputs)
        return try SequenceData(inputs, isPerStep ? .stepClasses(all.map { cut(labels, $0, 1) }) : .classes(labels))
    }
}
