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
    func dropsBetweenLayers(isBidirectional: Bool) {
        let network = RecurrentNetworkTests.network(.gru, isBidirectional: isBidirectional, dropout: 0.3)
        let width = network.configuration.output
        func layer(_ input: Int) -> Network {
            Network(
                NetworkConfiguration.stack(.gru, input: input, hidden: 5, isBidirectional: isBidirectional), seed: 1)
        }
        let (first, second) = (layer(3), layer(width))
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
        expectSame(without, network.run(input, steps: Self.steps, batch: Self.batch).outputs)
    }

    /// The gradients against differences of the loss under the same random numbers.
    @Test(arguments: [false, true])
    func gradientsGoThroughWhatIsLeft(isBidirectional: Bool) {
        let network = RecurrentNetworkTests.network(.lstm(), isBidirectional: isBidirectional, dropout: 0.4)
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
        expectSame(passes.0.gradients.block.array, passes.1.gradients.block.array)
    }

    /// Layers that hand on what they read: W_ih the identity, W_hh and the biases 0, ReLU. Of ones comes the product of what
    /// dropout multiplied by at each place between layers, [T, B, H].
    private static func masks(layers: Int, dropout: Float, steps: Int, batch: Int, hidden H: Int, seed: UInt64)
        -> [Float]
    {
        let network = Network(
            NetworkConfiguration.stack(
                .rnn(activation: .relu), input: H, hidden: H, layers: layers, dropout: dropout), seed: 1)
        network.parameters.clear()
        for layer in 0..<layers {
            network.parameters["weight_ih_l\(layer)"] = (0..<H * H).map { $0 % (H + 1) == 0 ? 1 : 0 }
        }
        let ones = [Float](repeating: 1, count: steps * batch * H)
        return NetworkPass(network).forward(ones, steps: steps, batch: batch, dropoutSeed: seed).outputs
    }

    /// What is left after n layers that each drop for themselves is (1 - p)ⁿ of the numbers, each of them 1/(1 - p)ⁿ times
    /// as large; and nothing is dropped behind the last layer.
    @Test(arguments: [1, 2, 3, 5], [Float(0.5), 0.2])
    func everyLayerDropsForItself(layers: Int, dropout p: Float) {
        let found = Self.masks(layers: layers, dropout: p, steps: 40, batch: 19, hidden: 8, seed: 3)
        let (share, n) = ((0..<layers - 1).reduce(1.0) { product, _ in product * Double(1 - p) }, Double(found.count))
        let left = found.filter { $0 != 0 }
        #expect(abs(Double(left.count) / n - share) <= 4 * (share * (1 - share) / n).squareRoot())
        #expect(left.count { abs(Double($0) * share - 1) > 1e-5 } == 0)
    }

    /// No two steps, sequences, units or seeds have the numbers of one another: of each pair as many are dropped in both
    /// as chance has it.
    @Test func nothingIsDroppedTwiceAlike() {
        let (T, B, H) = (24, 19, 16)
        let found = Self.masks(layers: 2, dropout: 0.5, steps: T, batch: B, hidden: H, seed: 3).map { $0 == 0 }
        let other = Self.masks(layers: 2, dropout: 0.5, steps: T, batch: B, hidden: H, seed: 4).map { $0 == 0 }
        func expectUnlike(_ count: Int, _ what: String, _ row: (Int) -> [Bool]) {
            let rows = (0..<count).map(row)
            for a in 0..<count {
                for b in 0..<a {
                    let alike = Double(zip(rows[a], rows[b]).count { $0 == $1 }) / Double(rows[a].count)
                    // Five deviations of a share of halves.
                    #expect(
                        abs(alike - 0.5) < 2.5 / Double(rows[a].count).squareRoot(), "\(what)s \(b) and \(a)")
                }
            }
        }
        expectUnlike(T, "step") { t in (0..<B * H).map { found[t * B * H + $0] } }
        expectUnlike(B, "sequence") { b in (0..<T * H).map { found[($0 / H * B + b) * H + $0 % H] } }
        expectUnlike(H, "unit") { r in (0..<T * B).map { found[$0 * H + r] } }
        expectUnlike(2, "seed") { $0 == 0 ? found : other }
    }
}
