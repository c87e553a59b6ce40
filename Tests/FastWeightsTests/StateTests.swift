import Testing

@testable import FastWeights

/// A state is a whole state: whatever the next outputs depend on goes with a copy, an assignment and a file, and nothing
/// of it stays behind a reset.
@Suite struct StateTests {
    /// Every kind of cell, each option on and off.
    static let cells: [Cell] =
        [
            .rnn(activation: .tanh), .rnn(activation: .relu, hasLayerNorm: true), .irnn(), .lstm(),
            .lstm(hasLayerNorm: true),
            .gru, .associativeLSTM(),
            .associativeLSTM(
                AssociativeLSTMOptions(copies: 3, keys: 2, permutationSeed: 5, hasRecurrentCandidate: false)),
        ]
        + [
            FastWeightsOptions(), FastWeightsOptions(isLagged: true), FastWeightsOptions(innerSteps: 0),
            FastWeightsOptions(innerSteps: 3, activation: .tanh, normalizesFirst: true, hasSeparateNorms: true),
            FastWeightsOptions(writeRate: 0.01, innerSteps: 2, hasLayerNorm: false, isLagged: true, memory: .matrix),
            FastWeightsOptions(memoryDecay: 0.5, memory: .chunks(3)), FastWeightsOptions(memory: .list),
        ].map { .fastWeights($0) }
        + ScheduleTests.schedules.map { .fastWeights(FastWeightsOptions(innerSteps: 2, schedule: $0)) }
    static let heads: [TestHead?] = [nil, .perStep(3), .perSequence(11)]

    /// Two layers of random parameters, so that every one of them matters.
    static func network(_ cell: Cell, _ head: TestHead?, epsilon: Float = 0.01) -> Network {
        let network = Network(
            NetworkConfiguration.stack(
                cell, input: 3, hidden: cell.size(9), layers: 2, epsilon: epsilon, head: head), seed: 1)
        for (i, window) in network.configuration.layout.windows.enumerated() {
            let isGain = window.name.hasPrefix("norm") && window.name.contains("weight")
            network.parameters[window.name] = CellTests.random(window.count, 30 + UInt64(i))
                .map { 0.4 * $0 + (isGain ? 1 : 0) }
        }
        return network
    }

    /// W·h + b of the last layer's h, in Double; without a head h.
    static func output(_ network: Network, _ head: TestHead?, ofHidden hidden: [Float]) -> [Double] {
        let H = hidden.count / 2
        let h = hidden.suffix(H).map { Double($0) }
        guard head != nil else { return h }
        let (weight, bias) = (network.parameters["head.weight"], network.parameters["head.bias"])
        return (0..<network.configuration.output).map { r in
            (0..<H).reduce(Double(bias[r])) { $0 + Double(weight[r * H + $1]) * h[$1] }
        }
    }

    private static func file(_ stream: NetworkStream) throws -> SafeTensors {
        try SafeTensors(bytes: stream.serializedState(), source: "state")
    }

    @Test(arguments: cells, heads)
    func everyWayGoesOnWithTheSameBits(cell: Cell, head: TestHead?) throws {
        let network = Self.network(cell, head)
        let weights = try NetworkStream.Weights(network)
        let stream = NetworkStream(weights)
        let next = CellTests.random(4 * 3, 2)
        for step in 0..<7 {
            if step > 0 { stream.step(CellTests.random(3, 10 + UInt64(step))) }
            let copy = stream.copy()
            #expect(copy.output == stream.output, "after \(step) steps")
            // Streams that were elsewhere, at every place of a schedule.
            let (assigned, restored) = (NetworkStream(weights), NetworkStream(weights))
            for _ in 0..<step % 4 { for other in [assigned, restored] { other.step([3, -2, 1]) } }
            assigned.state = stream.state
            try restored.restore(from: Self.file(stream))
            let made = NetworkStream(weights, state: stream.state)
            let state = stream.state
            let outputs = NetworkStreamTests.run(stream.copy(), next)
            for (other, way) in [(copy, "copy"), (assigned, "assign"), (restored, "restore"), (made, "make")] {
                #expect(other.state == state, "\(way) after \(step) steps")
                if way != "copy" {
                    let expected = Self.output(network, head, ofHidden: state.hidden)
                    #expect(zip(other.output, expected).allSatisfy { abs(Double($0) - $1) < 1e-4 }, "\(way)")
                }
                expectSame(NetworkStreamTests.run(other, next), outputs, "\(way) after \(step) steps")
            }
            // A copy goes its own way, and its original stays where it was.
            #expect(stream.state == state)
        }
    }

    @Test(arguments: cells, heads)
    func aResetLeavesNothing(cell: Cell, head: TestHead?) throws {
        let network = Self.network(cell, head)
        let weights = try NetworkStream.Weights(network)
        let input = CellTests.random(5 * 3, 3)
        let start = RecurrentNetworkTests.state(network, batch: 1, seed: 4)
        for steps in 1..<6 {
            let (fresh, used) = (NetworkStream(weights), NetworkStream(weights))
            for _ in 0..<steps { used.step([1, -2, 0.5]) }
            used.reset()
            #expect(used.state == fresh.state && used.output == fresh.output)
            #expect(NetworkStreamTests.run(used, input) == NetworkStreamTests.run(fresh, input), "\(steps) steps")
            // A state that is set on top of another counts as it is, even behind a step that clears h.
            for _ in 0..<steps { used.step([1, -2, 0.5]) }
            used.state = start
            #expect(used.state == start)
            #expect(
                NetworkStreamTests.run(used, input)
                    == NetworkStreamTests.run(NetworkStream(weights, state: start), input), "\(steps) steps")
        }
    }

    /// Above the last layer with a state everything follows from it, but not where an input is added, and not through a
    /// layer with a state of its own.
    @Test func theOutputOfAStateIsWhatFollowsFromIt() throws {
        func stream(_ layers: [Layer]) throws -> NetworkStream {
            try NetworkStream(Network(NetworkConfiguration(.numbers(4), layers), seed: 2))
        }
        let input = CellTests.random(5 * 4, 6)
        for (layers, follows) in [
            ([.gru(4), .dense(3, activation: .tanh), .layerNorm(), .dense(2)], true), ([.dense(4), .gru(4)], true),
            ([.gru(4), .dropout(0.5), .lastStep, .dense(2)], true),
            ([.stack(.lstm(4), layers: 2, dropout: 0.5), .dense(2)], true), ([.dense(3)], false),
            ([.residual([.gru(4)]), .dense(2)], false), ([.gru(4), .residual([.gru(4)])], false),
            ([.residual([.gru(4)]), .lstm(4), .dense(2)], true),
        ] as [([Layer], Bool)] {
            let (one, other) = (try stream(layers), try stream(layers))
            _ = NetworkStreamTests.run(one, input)
            let output = one.output
            other.state = one.state
            let expected = follows ? output : [Float](repeating: 0, count: output.count)
            expectSame(other.output, expected, "\(layers)")
            // Nothing has gone on by that, and nothing is left of it.
            #expect(other.state == one.state)
            expectSame(NetworkStreamTests.run(other, input), NetworkStreamTests.run(one, input))
            other.reset()
            expectSame(other.output, try stream(layers).output)
        }
    }

    /// A stream adds up more digits than a state of Floats holds: it goes on from the rounded sum.
    @Test func aMeanGoesOnFromTheRoundedSum() throws {
        let layers: [Layer] = [.gru(4), .mean, .dense(2)]
        let network = Network(NetworkConfiguration(.numbers(4), layers), seed: 2)
        let (one, other) = (try NetworkStream(network), try NetworkStream(network))
        let input = CellTests.random(5 * 4, 6)
        _ = NetworkStreamTests.run(one, input)
        other.state = one.state
        #expect(other.state == one.state)
        for (a, b) in zip(one.output, other.output) { #expect(abs(a - b) < 1e-6) }
        let (ahead, resumed) = (NetworkStreamTests.run(one, input), NetworkStreamTests.run(other, input))
        for (a, b) in zip(ahead, resumed) { #expect(abs(a - b) < 1e-6) }
        #expect(ahead.contains { abs($0) > 0.01 })
    }

    /// A run and a stream use the ε of the configuration: against each other, and an RNN's against its equation.
    @Test(arguments: cells)
    func everyPassHasTheEpsilonOfTheConfiguration(cell: Cell) throws {
        let input = CellTests.random(6 * 3, 5)
        for epsilon: Float in [1e-5, 0.5] {
            let network = Self.network(cell, .perStep(2), epsilon: epsilon)
            let expected = network.run(input, steps: 6, batch: 1).outputs
            let found = NetworkStreamTests.run(try NetworkStream(network), input)
            #expect(RecurrentStreamTests.relativeError(found, expected) < 1e-4)
        }
    }

    @Test func theEpsilonOfALayerNormIsWithinTheRoot() throws {
        let (H, epsilon) = (5, Float(0.5))
        let layer = Network(
            .cell(.rnn(activation: .tanh, hasLayerNorm: true), input: 1, hidden: H, epsilon: epsilon), seed: 1)
        for name in ["bias_ih", "bias_hh", "norm_bias"] { layer.parameters[name] = [Float](repeating: 0, count: H) }
        // z = 1, 2, 3, 4, 5 from the zero state: mean 3, variance 2, so that LN is (z - 3) / √2.5. tanh of ±2/√2.5 and ±1/√2.5.
        layer.parameters["weight_ih"] = [1, 2, 3, 4, 5]
        let expected: [Float] = [-0.852412, -0.559741, 0, 0.559741, 0.852412]
        let stream = try NetworkStream(layer)
        stream.step(1)
        #expect(zip(stream.output, expected).allSatisfy { abs($0 - $1) < 2e-5 }, "\(stream.output)")
        let run = NetworkPass(layer).forward([1], steps: 1, batch: 1).outputs
        #expect(zip(run, expected).allSatisfy { abs($0 - $1) < 2e-5 }, "\(run)")
    }

    @Test func theStepIsAWholeNumberInAFile() throws {
        let cell = Cell.fastWeights(FastWeightsOptions(schedule: [[.write, .clear], [], .read]))
        let stream = try NetworkStream(Self.network(cell, nil))
        for _ in 0..<4 { stream.step([1, 2, 3]) }
        let file = try Self.file(stream)
        #expect(try file.tensor(named: "step_n").dtype == .int64 && file.tensor(named: "step_n").shape == [1])
        #expect(try file.integers("step_n") == [1])
        // As the library wrote it once, and what cannot be.
        let parts = try ["h_n", "A_n"].map {
            (name: $0, shape: try file.tensor(named: $0).shape, values: try file.floats($0))
        }
        func restore(_ step: [Float]) throws -> NetworkStream {
            let bytes = SafeTensors.serialize(parts + [(name: "step_n", shape: [step.count], values: step)])
            let other = NetworkStream(stream.weights)
            try other.restore(from: SafeTensors(bytes: bytes, source: "old"))
            return other
        }
        #expect(try restore([1]).state == stream.state)
        for (step, problem) in [
            ([1.5], "expected whole numbers"), ([.nan], "expected whole numbers"), ([0x1p25], "up to 2^24"),
            ([-1], "step_n should be one whole number from 0, found [-1]"), ([1, 2], "found [1, 2]"),
        ] as [([Float], String)] {
            #expect { try restore(step) } throws: { "\($0)".contains(problem) }
        }
        // A place is that within the schedule, however many steps there were.
        let far = SafeTensors.serialize(parts, integers: [(name: "step_n", shape: [], values: [.max])])
        try stream.restore(from: SafeTensors(bytes: far, source: "far"))
        #expect(stream.state.step == Int.max % 3)
        let zero = [Float](repeating: 0, count: 3)
        let run = Network(stream.configuration, seed: 1).run(
            zero, steps: 1, batch: 1,
            state: stream.configuration.state(hidden: parts[0].values, memory: parts[1].values, step: .max))
        #expect(run.state.step == (Int.max % 3 + 1) % 3)
    }

    @Test func aStateOfAnotherKindOfCellIsRefused() throws {
        let fast = try NetworkStream(Self.network(.fastWeights(), nil))
        let plain = try NetworkStream(Self.network(.gru, nil))
        let error = #expect(throws: WeightsError.self) { try plain.restore(from: Self.file(fast)) }
        #expect("\(error!)".contains("A_n is of another kind of cell's state"))
        #expect(throws: FormatError.self) { try fast.restore(from: Self.file(plain)) }
    }
}
