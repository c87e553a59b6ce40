import Testing

@testable import FastWeights

@Suite struct DropoutTests {
    private static let (steps, batch) = (5, 19)

    private static func loss(_ pass: NetworkPass, _ input: [Float], _ cotangent: [Float], seed: UInt64?) -> Double {
        let outputs = pass.forward(input, steps: steps, batch: batch, dropoutSeed: seed).outputs
        return zip(outputs, cotangent).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }

    /// Dropout stands between the layers: the second one run on what is left of the first one's outputs.
    @Test(arguments: [false, true])
    func dropsBetweenLayers(bidirectional: Bool) {
        let network = RecurrentNetworkTests.network(.gru, bidirectional: bidirectional, dropout: 0.3)
        let width = network.configuration.output
        var single = network.configuration
        (single.layers, single.dropout) = (1, 0)
        let first = RecurrentNetwork(single, seed: 1)
        single.input = width
        let second = RecurrentNetwork(single, seed: 1)
        for window in first.configuration.layout.windows {
            first.parameters[window.name] = network.parameters[window.name]
        }
        for window in second.configuration.layout.windows {
            let name = String(window.name.map { $0 == "0" ? "1" : $0 })
            second.parameters[window.name] = network.parameters[name]
        }
        let input = CellTests.random(Self.steps * Self.batch * 3, 1)
        var between = first.run(input, steps: Self.steps, batch: Self.batch).outputs
        var dropped = 0
        for b in 0..<Self.batch {
            var random = Random(seed: 7, stream: UInt64(b))
            for t in 0..<Self.steps {
                for r in 0..<width {
                    let isDropped = random.uniform() < Double(Float(0.3))
                    between[(t * Self.batch + b) * width + r] *= isDropped ? 0 : 1 / (1 - Float(0.3))
                    dropped += isDropped ? 1 : 0
                }
            }
        }
        let share = Double(dropped) / Double(between.count)
        #expect(abs(share - 0.3) < 4 * (0.21 / Double(between.count)).squareRoot())
        let expected = second.run(between, steps: Self.steps, batch: Self.batch).outputs
        let pass = NetworkPass(network)
        #expect(
            pass.forward(input, steps: Self.steps, batch: Self.batch, dropoutSeed: 7).outputs == expected)
        #expect(pass.forward(input, steps: Self.steps, batch: Self.batch, dropoutSeed: 8).outputs != expected)
        let without = pass.forward(input, steps: Self.steps, batch: Self.batch).outputs
        #expect(without == network.run(input, steps: Self.steps, batch: Self.batch).outputs)
    }

    /// The gradients against differences of the loss under the same random numbers.
    @Test(arguments: [false, true])
    func gradientsGoThroughWhatIsLeft(bidirectional: Bool) {
        let network = RecurrentNetworkTests.network(.lstm(), bidirectional: bidirectional, dropout: 0.4)
        let pass = NetworkPass(network)
        let input = CellTests.random(Self.steps * Self.batch * 3, 2)
        let cotangent = CellTests.random(Self.steps * Self.batch * network.configuration.output, 3)
        _ = Self.loss(pass, input, cotangent, seed: 5)
        let dx = pass.backward(cotangent).input
        for name in ["weight_ih_l0", "weight_hh_l0", "weight_ih_l1", "bias_hh_l1"] {
            // A step along the gradient itself changes the loss by its squared norm.
            let (values, gradient) = (network.parameters[name], pass.gradients[name])
            let norm = gradient.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
            func moved(_ step: Float) -> Double {
                network.parameters[name] = zip(values, gradient).map { $0 + step * $1 / Float(norm) }
                return Self.loss(pass, input, cotangent, seed: 5)
            }
            let difference = (moved(0.01) - moved(-0.01)) / 0.02
            network.parameters[name] = values
            #expect(abs(difference - norm) < 0.01 * norm, "\(name): \(difference), \(norm)")
        }
        let norm = dx.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        func moved(_ step: Float) -> Double {
            Self.loss(pass, zip(input, dx).map { $0 + step * $1 / Float(norm) }, cotangent, seed: 5)
        }
        #expect(abs((moved(0.01) - moved(-0.01)) / 0.02 - norm) < 0.01 * norm)
    }

    @Test func aPassWithoutASeedHasNoDropoutInItsGradientsEither() {
        let (with, without) = (
            RecurrentNetworkTests.network(.gru, dropout: 0.5), RecurrentNetworkTests.network(.gru)
        )
        let input = CellTests.random(Self.steps * Self.batch * 3, 2)
        let cotangent = CellTests.random(Self.steps * Self.batch * 5, 3)
        let passes = (NetworkPass(with), NetworkPass(without))
        _ = Self.loss(passes.0, input, cotangent, seed: 5)
        for pass in [passes.0, passes.1] {
            _ = Self.loss(pass, input, cotangent, seed: nil)
            _ = pass.backward(cotangent)
        }
        #expect(passes.0.gradients.block.array == passes.1.gradients.block.array)
    }
}
