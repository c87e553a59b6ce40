import Testing

@testable import FastWeights

/// Streams whose weights have half the width.
@Suite struct HalfWidthTests {
    // MARK: Rounding

    @Test func weightsAreRoundedToTheNearestAndToTheEven() {
        func rounded(_ bits: UInt32) -> UInt32 { WeightPrecision.bfloat16.rounded(Float(bitPattern: bits)).bitPattern }
        for (bits, expected) in [
            (0x3F80_0000, 0x3F80_0000), (0x3F80_7FFF, 0x3F80_0000), (0x3F80_8000, 0x3F80_0000),
            (0x3F80_8001, 0x3F81_0000), (0x3F81_8000, 0x3F82_0000), (0x3F81_7FFF, 0x3F81_0000),
            (0xBF81_8000, 0xBF82_0000), (0x3FFF_8000, 0x4000_0000), (0x0000_0000, 0x0000_0000),
            (0x8000_0000, 0x8000_0000), (0x0000_8001, 0x0001_0000), (0x007F_FFFF, 0x0080_0000),
            // The largest that is finite, the first that is not, and what is neither.
            (0x7F7F_7FFF, 0x7F7F_0000), (0x7F7F_8000, 0x7F80_0000), (0xFF7F_FFFF, 0xFF80_0000),
            (0x7F80_0000, 0x7F80_0000), (0xFF80_0000, 0xFF80_0000),
        ] as [(UInt32, UInt32)] {
            #expect(rounded(bits) == expected, "\(String(bits, radix: 16))")
        }
        for bits in [0x7F80_0001, 0x7FC0_0000, 0xFFFF_FFFF, 0xFF80_0001] as [UInt32] {
            #expect(Float(bitPattern: rounded(bits)).isNaN)
        }
        var random = Random(seed: 1)
        for _ in 0..<10000 {
            let x = random.uniform(within: 10)
            #expect(abs(WeightPrecision.bfloat16.rounded(x) - x) <= 0x1p-8 * abs(x))
            #expect(WeightPrecision.float32.rounded(x) == x)
        }
    }

    // MARK: The naive twin

    /// Sums of products with the rounded numbers, in doubles; of one part and of two, of even and odd columns.
    @Test(arguments: [(1, 1), (2, 7), (3, 16), (4, 5), (5, 40), (6, 9), (7, 8), (8, 20), (9, 7), (13, 9), (25, 30)])
    func productsAgreeWithTheNaiveTwin(vectors: Int, columns: Int) {
        var random = Random(seed: 11)
        func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in random.uniform(within: 1) } }
        let (rows, x) = (vectors * 8, numbers(columns))
        let (start, weights) = (numbers(rows), (0..<columns).map { _ in numbers(rows) })
        for cut in Set([0, 1, columns / 3, columns]) {
            for backwards in [false, true] {
                let arena = StreamArena()
                let w = StreamMatrix(
                    vectors: vectors, parts: [cut, columns - cut], precision: .bfloat16, arena: arena)
                #expect((w.pairs != nil) == StreamMatrix.hasPairs)
                let second = w.end(ofPartAt: 0, columns: cut)
                for k in 0..<columns {
                    for r in 0..<rows {
                        // A number may be set again.
                        for number in [0.3, weights[k][r]] {
                            w.set(
                                WeightPrecision.bfloat16.rounded(number), r / 8, lane: r % 8,
                                column: k < cut ? k : k - cut,
                                ofPartAt: k < cut ? 0 : second)
                        }
                    }
                }
                let y = arena.octets(vectors)
                for r in 0..<rows { y[r / 8][r % 8] = start[r] }
                x.withUnsafeBufferPointer { x in
                    multiply(
                        w, by: ColumnNumbers(pointer: x.baseAddress!, count: cut),
                        ColumnNumbers(pointer: x.baseAddress! + cut, count: columns - cut), from: UnsafePointer(y),
                        into: y, backwards: backwards)
                }
                for r in 0..<rows {
                    var expected = Double(start[r])
                    for k in 0..<columns {
                        expected += Double(WeightPrecision.bfloat16.rounded(weights[k][r])) * Double(x[k])
                    }
                    #expect(abs(Double(y[r / 8][r % 8]) - expected) < 1e-5)
                }
            }
        }
    }

    private static func network(_ cell: Cell, input: Int, hidden: Int) -> Network {
        let network = Network(
            NetworkConfiguration.stack(cell, input: input, hidden: hidden, layers: 2, head: .perStep(3)), seed: 1)
        var random = Random(seed: 2)
        for window in network.parameters.layout.windows where !window.name.contains("norm") {
            let limit = 1 / Float(window.shape.last!).squareRoot()
            network.parameters[window.name] = (0..<window.count).map { _ in random.uniform(within: limit) }
        }
        return network
    }

    /// The network with the matrices of its recurrent and dense layers rounded by hand.
    private static func rounded(_ network: Network, dense: [String]) -> Network {
        let copy = Network(network.configuration, seed: 1)
        copy.parameters.copy(from: network.parameters)
        for window in copy.parameters.layout.windows
        where window.name.contains("weight_ih") || window.name.contains("weight_hh") || dense.contains(window.name) {
            copy.parameters[window.name] = copy.parameters[window.name].map {
                Float(bitPattern: ($0.bitPattern + 0x7FFF + ($0.bitPattern >> 16) % 2) / 0x10000 * 0x10000)
            }
        }
        return copy
    }

    /// Within 1e-5 of the largest number, or twice what two roundings of the input change: the sums are those of float32.
    private static func expectTheRoundedNetwork(_ network: Network, dense: [String], _ note: String) throws {
        let twin = rounded(network, dense: dense)
        let input = CellTests.random(7 * network.configuration.definition.input.count, 3)
        let (found, expected, moved) = (
            NetworkStream(try NetworkStream.Weights(network, precision: .bfloat16)), try NetworkStream(twin),
            try NetworkStream(twin)
        )
        let (y, z) = (NetworkStreamTests.run(found, input), NetworkStreamTests.run(expected, input))
        let other = NetworkStreamTests.run(moved, input.map { $0 * (1 + 0x1p-22) })
        func expect(_ y: [Float], _ z: [Float], _ other: [Float]) {
            let limit = max(1e-5, 2 * RecurrentStreamTests.relativeError(other, z))
            #expect(RecurrentStreamTests.relativeError(y, z) <= limit, "\(note)")
        }
        expect(y, z, other)
        for (i, part) in found.state.parts.enumerated() {
            expect(part.values, expected.state.parts[i].values, moved.state.parts[i].values)
        }
    }

    @Test(arguments: RecurrentStreamTests.cells)
    func aStreamIsThatOfTheRoundedNetwork(cell: Cell) throws {
        for (input, hidden) in [(1, 5), (2, 17), (3, 40), (20, 33)] {
            let network = Self.network(cell, input: input, hidden: cell.size(hidden))
            try Self.expectTheRoundedNetwork(network, dense: ["head.weight"], "H = \(hidden), I = \(input)")
        }
    }

    @Test func otherLayersAreThoseOfTheRoundedNetwork() throws {
        for hidden in [5, 17, 40] {
            let network = Network(
                NetworkConfiguration(
                    .numbers(3), [.dense(hidden, activation: .tanh), .minGRU(hidden), .rmsNorm(), .dense(2)]), seed: 1)
            try Self.expectTheRoundedNetwork(network, dense: ["0.weight", "3.weight"], "H = \(hidden)")
        }
    }

    /// Of layers that have no such matrix not a bit changes.
    @Test func otherWeightsStayAsTheyAre() throws {
        let network = Network(
            NetworkConfiguration(
                .maps(channels: 2, height: 4, width: 4), [.convolution(3, size: 3), .flatten, .layerNorm()]), seed: 1)
        let half = NetworkStream(try NetworkStream.Weights(network, precision: .bfloat16))
        let input = CellTests.random(3 * 32, 4)
        expectSame(NetworkStreamTests.run(half, input), NetworkStreamTests.run(try NetworkStream(network), input))
        let tokens = Network(NetworkConfiguration(.tokens(5), [.embedding(7), .softmax]), seed: 1)
        let (one, other) = (
            NetworkStream(try NetworkStream.Weights(tokens, precision: .bfloat16)), try NetworkStream(tokens)
        )
        for token in [4, 0] {
            one.step(token: token)
            other.step(token: token)
            expectSame(one.output, other.output)
        }
    }

    // MARK: Streams

    @Test func float32IsWhatNobodyAskedFor() throws {
        let network = Self.network(.lstm(), input: 3, hidden: 9)
        let input = CellTests.random(12, 5)
        let weights = try NetworkStream.Weights(network)
        #expect(weights.precision == .float32)
        let named = try NetworkStream.Weights(network, precision: .float32)
        expectSame(
            NetworkStreamTests.run(NetworkStream(weights), input), NetworkStreamTests.run(NetworkStream(named), input))
        let half = try NetworkStream.Weights(network, precision: .bfloat16)
        #expect(half.precision == .bfloat16)
        #expect(
            NetworkStreamTests.run(NetworkStream(half), input)
                != NetworkStreamTests.run(NetworkStream(weights), input))
    }

    /// A token's step has the bits of the one-hot step, as with float32.
    @Test(arguments: RecurrentNetworkTests.cells, [1, 2, 3, 4, 5, 6, 7, 13])
    func aTokenIsAOneHotInput(cell: Cell, vocabulary: Int) throws {
        for hidden in [9, 40] {
            let network = Self.network(cell, input: vocabulary, hidden: cell.size(hidden))
            let weights = try NetworkStream.Weights(network, precision: .bfloat16)
            let (numbers, tokens) = (NetworkStream(weights), NetworkStream(weights))
            for token in Array(0..<vocabulary) + [0, vocabulary - 1] {
                numbers.step((0..<vocabulary).map { $0 == token ? 1 : 0 })
                tokens.step(token: token)
                #expect(numbers.output == tokens.output && numbers.state == tokens.state)
            }
        }
    }

    @Test(arguments: RecurrentNetworkTests.cells)
    func stateIsCopiedSavedAndRestored(cell: Cell) throws {
        let weights = try NetworkStream.Weights(
            Self.network(cell, input: 3, hidden: cell.size(9)), precision: .bfloat16)
        let stream = NetworkStream(weights)
        let (first, second) = (CellTests.random(5 * 3, 3), CellTests.random(6 * 3, 4))
        let beginning = NetworkStreamTests.run(stream, first)
        let (copy, state, saved) = (stream.copy(), stream.state, stream.serializedState())
        let expected = NetworkStreamTests.run(stream, second)
        expectSame(NetworkStreamTests.run(copy, second), expected)
        try copy.restore(from: try SafeTensors(bytes: saved, source: "state"))
        #expect(copy.state == state)
        expectSame(NetworkStreamTests.run(copy, second), expected)
        expectSame(NetworkStreamTests.run(NetworkStream(weights, state: state), second), expected)
        copy.reset()
        expectSame(NetworkStreamTests.run(copy, first), beginning)
    }

    /// A state is of float32 whatever the weights: what one stream has left, another goes on from.
    @Test(arguments: RecurrentNetworkTests.cells)
    func aStateGoesFromOnePrecisionToTheOther(cell: Cell) throws {
        let network = Self.network(cell, input: 3, hidden: cell.size(9))
        let weights = try WeightPrecision.allCases.map { try NetworkStream.Weights(network, precision: $0) }
        for (from, to) in [(weights[0], weights[1]), (weights[1], weights[0])] {
            let stream = NetworkStream(from)
            _ = NetworkStreamTests.run(stream, CellTests.random(5 * 3, 3))
            let other = NetworkStream(to, state: stream.state)
            #expect(other.state == stream.state)
            let input = CellTests.random(2 * 3, 4)
            let (y, z) = (NetworkStreamTests.run(other, input), NetworkStreamTests.run(stream, input))
            #expect(y != z && RecurrentStreamTests.relativeError(y, z) < 0.1)
        }
    }

    /// What rounds to infinity, is infinite or not a number makes the outputs so, and nothing else happens.
    @Test func whatCannotBeHeldIsInfinite() throws {
        for (weight, isNaN) in [(3.4e38, false), (.infinity, false), (.nan, true)] as [(Float, Bool)] {
            let network = Network(NetworkConfiguration(.numbers(2), [.dense(1)]), seed: 1)
            network.parameters["0.weight"] = [0, weight]
            network.parameters["0.bias"] = [0]
            let stream = NetworkStream(try NetworkStream.Weights(network, precision: .bfloat16))
            stream.step([1, 0.5])
            #expect(isNaN ? stream.output[0].isNaN : stream.output[0] == .infinity)
        }
    }

    // MARK: Errors

    /// What the error of a stream in bfloat16 is measured by: the network's cell, or that it has none but dense layers.
    private static func kind(_ network: Network) -> String? {
        let leaves = network.definition.root.leaves
        let cells = Set(
            leaves.compactMap { ($0 as? PlacedCell).map { $0.kind.name + ($0.own.isEmpty ? "" : ", layer norm") } })
        if cells.count > 1 { return "several" }
        return cells.first ?? (leaves.contains { $0 is PlacedDense } ? "dense" : nil)
    }

    /// The largest errors in bfloat16 over all golden streams, of outputs and last states, measured by the largest number of
    /// each layer's part of a tensor: a little above what was found, which stands in the article "Streaming".
    private static let tolerances = [
        "rnn": 0.015, "rnn, layer norm": 0.01, "lstm": 0.0075, "lstm, layer norm": 0.009, "gru": 0.0135,
        "min_gru": 0.0025, "fast_weights": 0.009, "fast_weights, layer norm": 0.0105, "associative_lstm": 0.012,
        "dense": 0.0025, "several": 0.006,
    ]

    /// Over all golden cases of layers: a stream in bfloat16, and streams that change their weights halfway.
    @Test func goldenStreamsHaveTheErrorsOfTheArticle() throws {
        var errors: [String: (error: Double, name: String, count: Int)] = [:]
        for name in GoldenTests.cases {
            let fixture = try Fixture(path: "\(GoldenTests.directory)/\(name).safetensors", name: name)
            guard let network = try fixture.network(), !network.definition.root.isReversed else { continue }
            let golden = try GoldenBatch(fixture, network.definition)
            let full = try NetworkStream.Weights(network)
            let half = try NetworkStream.Weights(network, precision: .bfloat16)
            func run(_ first: NetworkStream.Weights, _ second: NetworkStream.Weights) -> [[Float]] {
                var stream = NetworkStream(first, state: golden.start?.first)
                let steps = golden.lengths?[0] ?? golden.steps
                var outputs: [Float] = []
                for t in 0..<steps {
                    if t == steps / 2, second !== first { stream = NetworkStream(second, state: stream.state) }
                    golden.step(stream, t)
                    outputs += stream.output
                }
                return [outputs] + stream.state.parts.map(\.values)
            }
            let expected = run(full, full)
            guard let kind = Self.kind(network) else {
                #expect(run(half, half) == expected, "\(name)")
                continue
            }
            for found in [run(half, half), run(half, full), run(full, half)] {
                for (y, z) in zip(found, expected) where !z.isEmpty {
                    let error = Double(RecurrentStreamTests.relativeError(y, z))
                    var worst = errors[kind] ?? (0, "", 0)
                    if error > worst.error { worst = (error, name, worst.count) }
                    errors[kind] = worst
                }
            }
            errors[kind]?.count += 1
        }
        for (kind, worst) in errors.sorted(by: { $0.key < $1.key }) {
            #expect(worst.error <= Self.tolerances[kind] ?? 0, "\(kind): \(worst)")
        }
        #expect(Set(errors.keys) == Set(Self.tolerances.keys))
    }
}
