/// Runs the golden cases of trainings: some steps, as a trainer takes them.
extension Fixture {
    /// Of a network with a head, sequences of unequal length.
    func checkTraining(_ tally: inout ErrorTally) throws {
        let network = try NetworkConfiguration(version1: configuration, takesTokens: has("tokens"))
        let sizes =
            has("tokens")
            ? try shape("tokens", [nil, nil, nil])
            : try shape("input", [nil, nil, nil, network.definition.input.count])
        let loss = try loss(width: network.definition.output.count)
        let data = try trainingData(network.definition, loss, count: sizes[0] * sizes[1], steps: sizes[2])
        try checkTraining(network, data, loss, steps: sizes[0], batch: sizes[1], &tally)
    }

    /// Of a classifier, tokens.
    func checkNetwork(_ tally: inout ErrorTally) throws {
        let network = try NetworkConfiguration(classifier: configuration)
        let sizes = try shape("tokens", [nil, nil, nil])
        let (count, steps) = (sizes[0] * sizes[1], sizes[2])
        let vocabulary = network.definition.input.vocabulary ?? 0
        let tokens = try integers("tokens", count: count * steps, in: 0..<vocabulary)
        let data = try SequenceData(
            .tokens((0..<count).map { Array(tokens[$0 * steps..<($0 + 1) * steps]) }),
            .classes(try integers("targets", count: count, in: 0..<network.definition.output.count)))
        try checkTraining(network, data, nil, steps: sizes[0], batch: sizes[1], &tally)
    }

    /// Every loss, the first gradient, and every parameter at the end.
    private func checkTraining(
        _ network: NetworkConfiguration, _ data: SequenceData, _ loss: Loss?, steps: Int, batch: Int,
        _ tally: inout ErrorTally
    ) throws {
        let definition = network.definition
        let parameters = try parameters(network.layout)
        let settings = ConfigurationReader(json: configuration["optimizer"] ?? .null, owner: "optimizer")
        let rule = try OptimizerRule(settings)
        let rate = Float(try settings.number("learning_rate"))
        let clip = configuration["clip"]?.number.map { Float($0) }
        let data = try data.measured(by: loss, definition, as: "the data")
        var losses: [Float] = []
        try ThreadTeam.run(threads: 2) { team in
            let engine = ParallelTraining(definition, parameters, longest: data.longest, team: team)
            let optimizer = Optimizer(rule, parameters, engine.gradients, team: team)
            for step in 0..<steps {
                losses.append(Float(engine.gradient(data, Array(step * batch..<(step + 1) * batch)).loss))
                if step == 0 {
                    try compare(engine.gradients, "gradient.", &tally, parts: definition.scope.parts)
                }
                optimizer.step(rate: rate, clip: clip)
            }
        }
        tally.output("losses", losses, try doubles("losses"))
        try compare(parameters, "final.", &tally, parts: definition.scope.parts)
    }

    /// The sequences of all batches, each cut at its own end.
    private func trainingData(
        _ network: NetworkDefinition, _ loss: Loss, count: Int, steps: Int
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
            inputs = .numbers(all.map { cut(numbers, $0, network.input.count) }, width: network.input.count)
        }
        let (isPerStep, outputs) = (network.output.isPerStep, network.output.count)
        let targets = count * (isPerStep ? steps : 1)
        guard case .crossEntropy(_, _, let ignored) = loss else {
            let values = try floats("targets", count: targets * outputs)
            return try SequenceData(
                inputs,
                isPerStep
                    ? .stepNumbers(all.map { cut(values, $0, outputs) })
                    : .numbers(all.map { Array(values[$0 * outputs..<($0 + 1) * outputs]) }))
        }
        let labels = try integers("targets", count: targets, in: SequenceData.ignored..<max(outputs, ignored + 1))
        return try SequenceData(inputs, isPerStep ? .stepClasses(all.map { cut(labels, $0, 1) }) : .classes(labels))
    }
}
