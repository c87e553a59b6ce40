import Testing

@testable import FastWeights

@Suite struct RecurrentNetworkTests {
    static let cells: [Cell] = [
        .rnn(activation: .tanh), .rnn(activation: .relu, hasLayerNorm: true), .lstm(), .lstm(hasLayerNorm: true), .gru,
        .fastWeights(), .fastWeights(FastWeightsOptions(innerSteps: 2, isLagged: true, memory: .chunks(3))),
        .associativeLSTM(AssociativeLSTMOptions(copies: 2, keys: 2)),
    ]

    /// Two layers, whose sizes all differ.
    static func network(
        _ cell: Cell, isBidirectional: Bool = false, bias: Bool = true, dropout: Float = 0, seed: UInt64 = 1
    ) -> Network {
        Network(
            NetworkConfiguration.stack(
                cell, input: 3, hidden: cell.size(5), layers: 2, isBidirectional: isBidirectional, bias: bias,
                dropout: dropout),
            seed: seed)
    }

    static func state(_ network: Network, batch: Int, seed: UInt64) -> NetworkState {
        let zero = network.configuration.zeroState(batch: batch)
        return network.configuration.state(
            hidden: CellTests.random(zero.hidden.count, seed),
            memory: CellTests.random(zero.memory.count, seed + 1).map { $0 * 0.1 })
    }

    /// What belongs to one sequence in a state of a batch.
    static func state(_ state: NetworkState, of b: Int) -> NetworkState {
        NetworkState(
            parts: state.parts.map { part in
                let size = part.values.count / part.shape[0]
                return NetworkState.Part(
                    name: part.name, shape: [1] + part.shape.dropFirst(),
                    values: Array(part.values[b * size..<(b + 1) * size]))
            }, step: state.step)
    }

    @Test(arguments: cells, [false, true])
    func noStateIsTheZeroState(cell: Cell, isBidirectional: Bool) {
        let network = Self.network(cell, isBidirectional: isBidirectional)
        let input = CellTests.random(4 * 2 * 3, 1)
        let zero = network.configuration.zeroState(batch: 2)
        let (a, b) = (
            network.run(input, steps: 4, batch: 2), network.run(input, steps: 4, batch: 2, state: zero)
        )
        expectSame(a.outputs, b.outputs)
        #expect(a.state == b.state)
        #expect(a.outputs.contains { $0 != 0 })
    }

    @Test(arguments: cells)
    func aSplitSequenceIsTheWholeOne(cell: Cell) {
        let network = Self.network(cell)
        let (steps, batch) = (70, 19)
        let input = CellTests.random(steps * batch * 3, 2)
        let start = Self.state(network, batch: batch, seed: 3)
        let whole = network.run(input, steps: steps, batch: batch, state: start)
        for cut in [1, 32, 69] {
            let first = network.run(Array(input[..<(cut * batch * 3)]), steps: cut, batch: batch, state: start)
            let second = network.run(
                Array(input[(cut * batch * 3)...]), steps: steps - cut, batch: batch, state: first.state)
            expectEqual(first.outputs + second.outputs, whole.outputs, cell)
            expectEqual(second.state.hidden, whole.state.hidden, cell)
            expectEqual(second.state.memory, whole.state.memory, cell)
        }
    }

    /// The same bits; of the fast weights, whose matrix is folded elsewhere, to rounding, which many steps enlarge.
    private func expectEqual(_ a: [Float], _ b: [Float], _ cell: Cell) {
        if case .fastWeights = cell {
            #expect(RecurrentStreamTests.relativeError(a, b) < 1e-3)
        } else {
            expectSame(a, b)
        }
    }

    /// What `run` does in windows and on threads, a pass does in one piece.
    @Test(arguments: cells, [false, true])
    func runIsTheForwardPass(cell: Cell, isBidirectional: Bool) {
        let network = Self.network(cell, isBidirectional: isBidirectional)
        // Beyond one window; the fast weights not far, as every step enlarges a rounding.
        let isFading = if case .fastWeights = cell { true } else { false }
        let (steps, batch) = (isFading ? 35 : 67, 35)
        let input = CellTests.random(steps * batch * 3, 4)
        let start = Self.state(network, batch: batch, seed: 5)
        for lengths in [nil, (0..<batch).map { 1 + ($0 * 29) % steps }] {
            let pass = NetworkPass(network).forward(
                input, steps: steps, batch: batch, lengths: lengths, state: start)
            let one = network.run(input, steps: steps, batch: batch, lengths: lengths, state: start)
            let three = network.run(
                input, steps: steps, batch: batch, lengths: lengths, state: start, threads: 3)
            expectSame(one.outputs, three.outputs)
            #expect(one.state == three.state)
            expectEqual(one.outputs, pass.outputs, cell)
            expectEqual(one.state.hidden, pass.state.hidden, cell)
            expectEqual(one.state.memory, pass.state.memory, cell)
        }
    }

    @Test(arguments: cells, [false, true])
    func aBatchOfUnequalLengthsIsItsSequencesAlone(cell: Cell, isBidirectional: Bool) {
        let network = Self.network(cell, isBidirectional: isBidirectional)
        let (steps, batch, width) = (9, 19, network.configuration.output)
        let lengths = (0..<batch).map { 1 + ($0 * 5) % steps }
        let input = CellTests.random(steps * batch * 3, 6)
        let start = Self.state(network, batch: batch, seed: 7)
        let pass = NetworkPass(network)
        let whole = pass.forward(input, steps: steps, batch: batch, lengths: lengths, state: start)
        let cotangent = CellTests.random(steps * batch * width, 8)
        let last = Self.state(network, batch: batch, seed: 9)
        let gradient = pass.backward(cotangent, state: last)
        let alone = NetworkPass(network)
        for b in 0..<batch {
            func sequence(_ values: [Float], _ width: Int) -> [Float] {
                Array(CellTests.sequence(b, of: values, batch, steps, width)[..<(lengths[b] * width)])
            }
            let result = alone.forward(
                sequence(input, 3), steps: lengths[b], batch: 1,
                state: Self.state(start, of: b))
            expectSame(result.outputs, sequence(whole.outputs, width))
            #expect(result.state == Self.state(whole.state, of: b))
            let dx = alone.backward(
                sequence(cotangent, width), state: Self.state(last, of: b))
            expectSame(dx.input, sequence(gradient.input, 3))
            #expect(dx.state == Self.state(gradient.state, of: b))
            let behind = CellTests.sequence(b, of: whole.outputs, batch, steps, width)[(lengths[b] * width)...]
            #expect(behind.allSatisfy { $0 == 0 })
            #expect(
                CellTests.sequence(b, of: gradient.input, batch, steps, 3)[(lengths[b] * 3)...].allSatisfy { $0 == 0 })
        }
        for window in network.configuration.layout.windows {
            let error = RecurrentStreamTests.relativeError(pass.gradients[window.name], alone.gradients[window.name])
            #expect(error < 1e-5, "\(window.name)")
        }
    }

    @Test(arguments: cells, [false, true])
    func whatStandsBehindAnEndIsNotRead(cell: Cell, isBidirectional: Bool) {
        let network = Self.network(cell, isBidirectional: isBidirectional)
        let (steps, batch, width) = (6, 18, network.configuration.output)
        let lengths = (0..<batch).map { 1 + ($0 * 7) % steps }
        func results(garbage: Float) -> [[Float]] {
            func padded(_ values: [Float], _ width: Int) -> [Float] {
                var values = values
                for t in 0..<steps {
                    for b in 0..<batch where t >= lengths[b] {
                        for r in 0..<width { values[(t * batch + b) * width + r] = garbage }
                    }
                }
                return values
            }
            let pass = NetworkPass(network)
            let input = padded(CellTests.random(steps * batch * 3, 10), 3)
            let result = pass.forward(input, steps: steps, batch: batch, lengths: lengths)
            let gradient = pass.backward(padded(CellTests.random(steps * batch * width, 11), width))
            let run = network.run(input, steps: steps, batch: batch, lengths: lengths)
            return [
                result.outputs, result.state.hidden, result.state.memory, gradient.input, gradient.state.hidden,
                gradient.state.memory, pass.gradients.block.array, run.outputs, run.state.hidden, run.state.memory,
            ]
        }
        let expected = results(garbage: 0)
        #expect(expected.joined().allSatisfy { $0.isFinite })
        expectSame(results(garbage: .nan), expected)
        expectSame(results(garbage: .infinity), expected)
    }

    /// A network that grows without bound must not run on behind a sequence's end.
    @Test func aSequenceThatHasEndedCannotOverflow() {
        let network = Network(
            NetworkConfiguration.stack(.rnn(activation: .relu), input: 1, hidden: 2, bias: false), seed: 1)
        network.parameters["weight_ih_l0"] = [1, 1]
        network.parameters["weight_hh_l0"] = [3, 0, 0, 3]
        let steps = 200
        var input = [Float](repeating: 0, count: steps * 2)
        input[0] = 1
        let pass = NetworkPass(network)
        let result = pass.forward(input, steps: steps, batch: 2, lengths: [2, steps])
        #expect(Array(result.outputs[4..<6]) == [3, 3] && result.state.hidden == [3, 3, 0, 0])
        _ = pass.backward([Float](repeating: 1, count: steps * 4))
        #expect(pass.gradients.block.array.allSatisfy { $0.isFinite })
    }

    @Test(arguments: [Cell.lstm(), .gru, .fastWeights()])
    func manyThreadsShareOneNetwork(cell: Cell) async {
        let network = Self.network(cell, isBidirectional: true)
        let inputs = (0..<8).map { CellTests.random(20 * 17 * 3, 20 + UInt64($0)) }
        let expected = inputs.map { network.run($0, steps: 20, batch: 17).outputs }
        let found = await withTaskGroup(of: (Int, [Float]).self) { group in
            for (i, input) in inputs.enumerated() {
                group.addTask { (i, network.run(input, steps: 20, batch: 17).outputs) }
            }
            var results = [[Float]](repeating: [], count: inputs.count)
            for await (i, outputs) in group { results[i] = outputs }
            return results
        }
        expectSame(found, expected)
    }

    @Test func firstValuesAreThoseOfPyTorch() {
        let network = Self.network(.lstm(), isBidirectional: true)
        let limit = 1 / Float(5).squareRoot()
        #expect(network.configuration.layout.windows.map(\.name).count == 16)
        for window in network.configuration.layout.windows {
            let values = network.parameters[window.name]
            #expect(values.allSatisfy { abs($0) <= limit } && values.contains { abs($0) > limit / 2 })
        }
        #expect(network.parameters["weight_hh_l0"] != network.parameters["weight_hh_l0_reverse"])
        #expect(network.parameters["weight_hh_l0"] != network.parameters["weight_hh_l1"])
    }

    @Test func impossibleLengthsTrap() async {
        await #expect(processExitsWith: .failure) {
            _ = RecurrentNetworkTests.network(.gru).run(
                [Float](repeating: 0, count: 12), steps: 2, batch: 2, lengths: [1, 3])
        }
        await #expect(processExitsWith: .failure) {
            _ = RecurrentNetworkTests.network(.gru).run(
                [Float](repeating: 0, count: 12), steps: 2, batch: 2, lengths: [1])
        }
    }
}
