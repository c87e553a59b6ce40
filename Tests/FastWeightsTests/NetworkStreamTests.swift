import Testing

@testable import FastWeights

@Suite struct NetworkStreamTests {
    static func run(_ stream: NetworkStream, _ input: [Float]) -> [Float] {
        let width = stream.configuration.definition.input.count
        return stride(from: 0, to: input.count, by: width).flatMap { first in
            stream.step(Array(input[first..<first + width]))
            return stream.output
        }
    }

    @Test(arguments: RecurrentNetworkTests.cells, [true, false])
    func agreesWithTheNetwork(cell: Cell, bias: Bool) throws {
        let network = RecurrentNetworkTests.network(cell, bias: bias)
        let input = CellTests.random(8 * 3, 1)
        for start in [nil, RecurrentNetworkTests.state(network, batch: 1, seed: 2)] {
            let expected = network.run(input, steps: 8, batch: 1, state: start)
            let stream = try NetworkStream(network, state: start)
            #expect(RecurrentStreamTests.relativeError(Self.run(stream, input), expected.outputs) < 1e-4)
            #expect(RecurrentStreamTests.relativeError(stream.state.hidden, expected.state.hidden) < 1e-4)
            #expect(RecurrentStreamTests.relativeError(stream.state.memory, expected.state.memory) < 1e-4)
            // And on from there.
            let next = network.run(input, steps: 8, batch: 1, state: stream.state)
            #expect(RecurrentStreamTests.relativeError(Self.run(stream, input), next.outputs) < 1e-4)
        }
    }

    /// A token's step has the bits of the one-hot step, at vocabularies of whole and of broken groups of columns.
    @Test(arguments: RecurrentStreamTests.cells, [1, 2, 3, 4, 5, 6, 7, 13])
    func aTokenIsAOneHotInput(cell: Cell, vocabulary: Int) throws {
        let network = Network(
            NetworkConfiguration.stack(
                cell, input: vocabulary, hidden: cell.size(9), layers: 2, head: .perStep(3)), seed: 1)
        let weights = try NetworkStream.Weights(network)
        let (numbers, tokens) = (NetworkStream(weights), NetworkStream(weights))
        let ofTokens = NetworkStream(try NetworkStream.Weights(#require(network.reading(tokens: true))))
        var random = Random(seed: 2)
        for token in Array(0..<vocabulary) + (0..<9).map({ _ in random.below(vocabulary) }) {
            var input = [Float](repeating: 0, count: vocabulary)
            input[token] = 1
            numbers.step(input)
            tokens.step(token: token)
            ofTokens.step(token: token)
            #expect(numbers.output == tokens.output && numbers.state == tokens.state)
            #expect(numbers.output == ofTokens.output && numbers.state == ofTokens.state)
        }
        let layer = RecurrentStreamTests.layer(cell, input: vocabulary, hidden: cell.size(17))
        let (one, other) = (try NetworkStream(layer), try NetworkStream(layer))
        for token in [vocabulary - 1, 0] {
            one.step((0..<vocabulary).map { $0 == token ? 1 : 0 })
            other.step(token: token)
            expectSame(one.output, other.output)
        }
    }

    /// So it is for layers that copy their input, add it up or normalize it.
    @Test(
        arguments: [
            [.mean], [.lastStep], [.dropout(0.5)], [.residual([.dense(7)])], [.residual([.dropout(0.1)])], [.dense(2)],
            [.layerNorm()], [.rmsNorm()], [.softmax],
        ] as [[Layer]])
    func aTokenIsAOneHotInputOfAnyLayer(layers: [Layer]) throws {
        let weights = try NetworkStream.Weights(Network(NetworkConfiguration(.numbers(7), layers), seed: 1))
        let (numbers, tokens) = (NetworkStream(weights), NetworkStream(weights))
        for token in [6, 0, 4, 4, 3] {
            numbers.step((0..<7).map { $0 == token ? 1 : 0 })
            tokens.step(token: token)
            #expect(numbers.output == tokens.output && numbers.state == tokens.state)
        }
        // A mean of tokens is how often each was there; the last step is the last token.
        if layers == [.mean] { expectSame(tokens.output, [0.2, 0, 0, 0.2, 0.4, 0, 0.2]) }
        if layers == [.lastStep] { expectSame(tokens.output, [0, 0, 0, 1, 0, 0, 0]) }
    }

    /// From 2²⁴ steps on a Float is no counter: one more is the same Float. Nor does it take in 0.25.
    @Test func theMeanOfALongSequenceCountsEveryStep() throws {
        let network = Network(NetworkConfiguration(.numbers(3), [.mean]), seed: 1)
        var start = network.configuration.zeroState(batch: 1)
        let past = Float(1 << 24)
        start.parts[0].values = [past / 2, past, -past]
        start.parts[1].values = [past]
        let (stream, sample) = (try NetworkStream(network, state: start), [1, 0.25, -3] as [Float])
        for _ in 0..<4032 { stream.step(sample) }
        var copy = stream.copy()
        for _ in 0..<64 {
            stream.step(sample)
            copy = copy.copy()
            copy.step(sample)
        }
        let sums = [8_392_704, 16_778_240, -16_789_504] as [Float]  // 2²³ + 4096, 2²⁴ + 1024, -2²⁴ - 12288
        let steps: Float = 16_781_312
        for other in [stream, copy] {
            #expect(other.state.parts.map(\.values) == [sums, [steps]])
            for (found, sum) in zip(other.output, sums) { #expect(abs(found - sum / steps) < 1e-7) }
        }
        let run = network.run((0..<4096).flatMap { _ in sample }, steps: 4096, batch: 1, state: start)
        #expect(run.state.parts.map(\.values) == [sums, [steps]])
        for (found, sum) in zip(run.outputs, sums) { #expect(abs(found - sum / steps) < 1e-7) }
    }

    @Test(arguments: RecurrentNetworkTests.cells)
    func stateIsCopiedSavedAndRestored(cell: Cell) throws {
        let stream = try NetworkStream(RecurrentNetworkTests.network(cell))
        let (first, second) = (CellTests.random(5 * 3, 3), CellTests.random(6 * 3, 4))
        _ = Self.run(stream, first)
        let copy = stream.copy()
        let saved = stream.serializedState()
        let expected = Self.run(stream, second)
        expectSame(Self.run(copy, second), expected)
        try copy.restore(from: try SafeTensors(bytes: saved, source: "state"))
        expectSame(Self.run(copy, second), expected)
        copy.reset()
        expectSame(Self.run(copy, first), Self.run(NetworkStream(stream.weights), first))
    }

    @Test func aStateOfAnotherNetworkIsRefused() throws {
        let stream = try NetworkStream(RecurrentNetworkTests.network(.lstm()))
        stream.step([1, 2, 3])
        let state = stream.state
        let configuration = NetworkConfiguration.stack(.lstm(), input: 3, hidden: 6, layers: 2)
        let other = try NetworkStream(Network(configuration, seed: 1))
        let file = try SafeTensors(bytes: other.serializedState(), source: "other")
        let error = #expect(throws: WeightsError.self) { try stream.restore(from: file) }
        #expect(
            error?.description
                == "other: h_n should have the shape [2, 1, 5], found [2, 1, 6]; c_n should have the shape [2, 1, 5], found [2, 1, 6]."
        )
        #expect(throws: FormatError.self) {
            try stream.restore(from: try SafeTensors(bytes: SafeTensors.serialize([]), source: "empty"))
        }
        #expect(stream.state == state)
    }

    @Test(arguments: [Cell.lstm(), .gru, .fastWeights()])
    func manyThreadsShareTheWeights(cell: Cell) async throws {
        let network = RecurrentNetworkTests.network(cell)
        let inputs = (0..<8).map { CellTests.random(200 * 3, 20 + UInt64($0)) }
        let weights = try NetworkStream.Weights(network)
        let expected = try inputs.map { Self.run(try NetworkStream(network), $0) }
        // Parameters that change later do not reach the streams.
        network.parameters["weight_hh_l1"] = network.parameters["weight_hh_l1"].map { -$0 }
        let found = await withTaskGroup(of: (Int, [Float]).self) { group in
            for (i, input) in inputs.enumerated() {
                group.addTask { (i, Self.run(NetworkStream(weights), input)) }
            }
            var results = [[Float]](repeating: [], count: inputs.count)
            for await (i, outputs) in group { results[i] = outputs }
            return results
        }
        expectSame(found, expected)
    }

    @Test func aBidirectionalNetworkHasNoStream() {
        let error = #expect(throws: StreamError.self) {
            try NetworkStream(RecurrentNetworkTests.network(.gru, isBidirectional: true))
        }
        #expect(
            error?.description
                == "layer 0, stack, reads its sequences backwards too, from an end that a stream does not know; run the "
                + "network over whole sequences")
    }
}
