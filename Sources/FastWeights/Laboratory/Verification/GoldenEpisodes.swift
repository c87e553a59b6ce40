/// Runs the golden cases of actor-critic: episodes of Catch with given actions, their loss and every gradient.
extension Fixture {
    /// Rewards, outputs, the terms of the loss, and the gradients added up over blocks of sixteen episodes.
    func checkEpisodes(_ tally: inout ErrorTally) throws {
        let configuration = try NetworkConfiguration(version1: configuration)
        let reader = ConfigurationReader(json: self.configuration, owner: "episodes")
        let task = try Catch(
            size: try reader.count("size"), visibleFrames: try reader.count("visible_frames"), start: .random)
        let settings = ActorCriticWeights(
            discount: Float(try reader.number("discount")), value: Float(try reader.number("value_weight")),
            entropy: Float(try reader.number("entropy_weight")))
        guard let cell = configuration.layers.first, cell.kind.cell != nil,
            configuration == CatchAgent.configuration(cell, task)
        else {
            throw FixtureError(name, "the network is no agent for a screen of \(task.size) rows")
        }
        let parameters = try parameters(configuration.layout)
        let (count, decisions) = (try shape("columns", [nil])[0], task.decisions)
        let columns = try integers("columns", count: count, in: 0..<task.size)
        let paddles = try integers("paddles", count: count, in: 0..<task.size - Catch.paddle + 1)
        let episodes = zip(columns, paddles).map { Catch.Episode(task, column: $0, paddle: $1) }
        let actions = try integers(
            "actions", count: count * decisions, in: 0..<Catch.Action.allCases.count
        ).map { Catch.Action.allCases[$0] }
        let weights = EpisodeWeights(configuration, parameters)
        weights.pack()

        let width = CatchAgent.outputs
        var outputs = [Float](repeating: 0, count: decisions * episodes.count * width)
        var rewards: [Float] = []
        var loss = ActorCriticLoss()
        var blocks: [Buffer<Float>] = []
        for first in stride(from: 0, to: episodes.count, by: Lanes.width) {
            let block = EpisodeBlock(task, weights)
            block.begin(episodes[first..<min(first + Lanes.width, episodes.count)])
            for lane in 0..<block.count {
                let row = (first + lane) * decisions
                block.setActions(Array(actions[row..<row + decisions]), lane: lane)
            }
            block.play(.given)
            for lane in 0..<block.count {
                rewards.append(block.episodes[lane].reward)
                for t in 0..<decisions {
                    for r in 0..<width {
                        outputs[(t * episodes.count + first + lane) * width + r] = block.outputs(t)[r][lane]
                    }
                }
            }
            loss += block.loss(settings, scale: 1 / Float(decisions * episodes.count))
            let gradients = Buffer<Float>(weights.gradientCount)
            block.backward(gradients.pointer)
            blocks.append(gradients)
        }
        let sum = Parameters(configuration.layout)
        GradientSum(weights, blocks, into: sum).collect()

        tally.output("rewards", rewards, try doubles("rewards"))
        tally.output("output", outputs, try doubles("output"))
        tally.output("policy", [Float(loss.policy)], try doubles("policy"))
        tally.output("value", [Float(loss.value)], try doubles("value"))
        tally.output("entropy", [Float(loss.entropy)], try doubles("entropy"))
        tally.output(
            "loss", [Float(loss.mean(settings, terms: decisions * episodes.count))], try doubles("loss"))
        // The logits of the policy and the value come of one head.
        var parts = configuration.definition.scope.parts
        for window in configuration.layout.windows where window.name.hasPrefix("head.") {
            let row = window.count / width
            parts[window.name] = consecutive([(width - 1) * row, row], within: window.count)
        }
        try compare(sum, "gradient.", &tally, parts: parts)
    }
}
