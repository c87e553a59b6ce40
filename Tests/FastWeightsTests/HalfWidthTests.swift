import Testing

@testable import FastWeights

/// Streams whose weights have half the width.
@Suite struct HalfWidthTests {
    static let halves: [WeightPrecision] = [.bfloat16, .float16]

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

    @Test func halvesAreTheNearestAndTheEven() {
        let half = WeightPrecision.float16
        for (x, expected) in [
            (0, 0), (1, 1), (1.00048828125, 1), (0x1.002002p0, 1.0009765625), (1.00146484375, 1.001953125),
            (-1.00146484375, -1.001953125), (65504, 65504), (65519.996, 65504), (65520, .infinity),
            (-65520, -.infinity), (.infinity, .infinity), (3e38, .infinity), (0x1p-14, 0x1p-14),
            (0x1.FFFp-15, 0x1p-14), (0x1p-24, 0x1p-24), (0x1p-25, 0), (0x1.8p-24, 0x1p-23), (-0x1.000002p-25, -0x1p-24),
            (0x1.4p-23, 0x1p-23), (1e-40, 0),
        ] as [(Float, Float)] {
            #expect(half.rounded(x) == expected, "\(x)")
            #expect(half.rounded(x).sign == x.sign)
        }
        #expect(half.rounded(.nan).isNaN && half.rounded(-0.0).sign == .minus)
        // Every half stays what it is, and what lies between two goes to the nearer one.
        for bits in 0..<UInt16(0x7BFF) {
            let (x, next) = (Float(halfBits: bits), Float(halfBits: bits + 1))
            let middle = x + (next - x) / 2
            guard half.rounded(x) == x, half.rounded(-x) == -x, half.rounded(middle) == (bits % 2 == 0 ? x : next),
                half.rounded(middle.nextDown) == x, half.rounded(middle.nextUp) == next
            else {
                Issue.record("\(x)")
                break
            }
        }
    }

    // MARK: The naive twin

    /// Sums of products with the rounded numbers, in doubles; of one part and of two, of even and odd columns.
    @Test(
        arguments: [(1, 1), (2, 7), (3, 16), (4, 5), (5, 40), (6, 9), (7, 8), (8, 20), (9, 7), (13, 9), (25, 30)],
        halves)
    func productsAgreeWithTheNaiveTwin(_ sizes: (Int, Int), precision: WeightPrecision) {
        let (vectors, columns) = sizes
        var random = Random(seed: 11)
        func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in random.uniform(within: 1) } }
        let (rows, x) = (vectors * 8, numbers(columns))
        let (start, weights) = (numbers(rows), (0..<columns).map { _ in numbers(rows) })
        for cut in Set([0, 1, columns / 3, columns]) {
            for backwards in [false, true] {
                let arena = StreamArena()
                let w = StreamMatrix(
                    vectors: vectors, parts: [cut, columns - cut], precision: precision, arena: arena)
                #expect(w.precision == StreamMatrix.kept(precision))
                let isHalf = w.precision != .float32
                #expect(w.depth == (isHalf ? (cut + 1) / 2 + (columns - cut + 1) / 2 : columns))
                let second = w.end(ofPartAt: 0, columns: cut)
                for k in 0..<columns {
                    for r in 0..<rows {
                        // A number may be set again.
                        for number in [0.3, weights[k][r]] {
                            w.set(
                                precision.rounded(number), r / 8, lane: r % 8,
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
                        expected += Double(precision.rounded(weights[k][r])) * Double(x[k])
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
    private static func rounded(_ network: Network, dense: [String], _ precision: WeightPrecision) -> Network {
        let copy = Network(network.configuration, seed: 1)
        copy.parameters.copy(from: network.parameters)
        for window in copy.parameters.layout.windows
        where window.name.contains("weight_ih") || window.name.contains("weight_hh") || dense.contains(window.name) {
            copy.parameters[window.name] = copy.parameters[window.name].map {
                // What the last of its digits counts.
                let last = precision == .bfloat16 ? $0.exponent - 7 : max($0.exponent, -14) - 10
                return ($0 / Float(sign: .plus, exponent: last, significand: 1)).rounded(.toNearestOrEven)
                    * Float(sign: .plus, exponent: last, significand: 1)
            }
        }
        return copy
    }

    /// Within 1e-5 of the largest number, or twice what two roundings of the input change: the sums are those of float32.
    private static func expectTheRoundedNetwork(
        _ network: Network, dense: [String], _ precision: WeightPrecision, _ note: String
    ) throws {
        let twin = rounded(network, dense: dense, precision)
        let input = CellTests.random(7 * network.configuration.definition.input.count, 3)
        let (found, expected, moved) = (
            NetworkStream(try NetworkStream.Weights(network, precision: precision)), try NetworkStream(twin),
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

    @Test(arguments: RecurrentStreamTests.cells, halves)
    func aStreamIsThatOfTheRoundedNetwork(cell: Cell, precision: WeightPrecision) throws {
        for (input, hidden) in [(1, 5), (2, 17), (3, 40), (20, 33)] {
            let network = Self.network(cell, input: input, hidden: cell.size(hidden))
            try Self.expectTheRoundedNetwork(network, dense: ["head.weight"], precision, "H = \(hidden), I = \(input)")
        }
    }

    @Test(arguments: halves)
    func otherLayersAreThoseOfTheRoundedNetwork(precision: WeightPrecision) throws {
        for hidden in [5, 17, 40] {
            let network = Network(
                NetworkConfiguration(
                    .numbers(3), [.dense(hidden, activation: .tanh), .minGRU(hidden), .rmsNorm(), .dense(2)]), seed: 1)
            try Self.expectTheRoundedNetwork(network, dense: ["0.weight", "3.weight"], precision, "H = \(hidden)")
        }
    }

    /// Of layers that have no such matrix not a bit changes.
    @Test(arguments: halves)
    func otherWeightsStayAsTheyAre(precision: WeightPrecision) throws {
        let network = Network(
            NetworkConfiguration(
                .maps(channels: 2, height: 4, width: 4), [.convolution(3, size: 3), .flatten, .layerNorm()]), seed: 1)
        let half = NetworkStream(try NetworkStream.Weights(network, precision: precision))
        let input = CellTests.random(3 * 32, 4)
        expectSame(NetworkStreamTests.run(half, input), NetworkStreamTests.run(try NetworkStream(network), input))
        let tokens = Network(NetworkConfiguration(.tokens(5), [.embedding(7), .softmax]), seed: 1)
        let (one, other) = (
            NetworkStream(try NetworkStream.Weights(tokens, precision: precision)), try NetworkStream(tokens)
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
        var outputs = [NetworkStreamTests.run(NetworkStream(weights), input)]
        for precision in Self.halves {
            let half = try NetworkStream.Weights(network, precision: precision)
            #expect(half.precision == precision)
            outputs.append(NetworkStreamTests.run(NetworkStream(half), input))
        }
        #expect(Set(outputs).count == 3)
    }

    /// A token's step has the bits of the one-hot step, as with float32.
    @Test(arguments: RecurrentNetworkTests.cells, [1, 2, 3, 4, 5, 6, 7, 13])
    func aTokenIsAOneHotInput(cell: Cell, vocabulary: Int) throws {
        for (hidden, precision) in [(9, .bfloat16), (40, .bfloat16), (40, .float16)] as [(Int, WeightPrecision)] {
            let network = Self.network(cell, input: vocabulary, hidden: cell.size(hidden))
            let weights = try NetworkStream.Weights(network, precision: precision)
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
        for (from, to) in [(0, 1), (1, 0), (0, 2), (2, 1)].map({ (weights[$0], weights[$1]) }) {
            let stream = NetworkStream(from)
            _ = NetworkStreamTests.run(stream, CellTests.random(5 * 3, 3))
            let other = NetworkStream(to, state: stream.state)
            #expect(other.state == stream.state)
            let input = CellTests.random(2 * 3, 4)
            let (y, z) = (NetworkStreamTests.run(other, input), NetworkStreamTests.run(stream, input))
            #expect(y != z && RecurrentStreamTests.relativeError(y, z) < 0.1)
        }
    }

    /// What is infinite or not a number makes the outputs so; of a large matrix too, which is kept in half width.
    @Test(arguments: halves, [1, 40])
    func whatIsNoNumberStaysNone(precision: WeightPrecision, outputs: Int) throws {
        for weight in [.infinity, -.infinity, .nan, 65504] as [Float] {
            let network = Network(NetworkConfiguration(.numbers(2), [.dense(outputs)]), seed: 1)
            network.parameters["0.weight"] = (0..<2 * outputs).map { $0 == 2 * outputs - 1 ? weight : 0 }
            network.parameters["0.bias"] = [Float](repeating: 0, count: outputs)
            let stream = NetworkStream(try NetworkStream.Weights(network, precision: precision))
            stream.step([1, 0.5])
            let y = stream.output[outputs - 1]
            #expect(weight.isNaN ? y.isNaN : y == precision.rounded(weight) / 2, "\(weight)")
        }
    }

    /// A number that would become infinite is an error with the parameter and its place, of the rounded matrices alone.
    @Test(arguments: [(WeightPrecision.float16, Float(65520), "65504"), (.bfloat16, 3.397e38, "3.3895e38")])
    func whatCannotBeHeldIsAnError(precision: WeightPrecision, number: Float, largest: String) throws {
        for (name, i, place) in [
            ("1.weight", 4, "[1, 1]"), ("0.weight_ih_l0", 2, "[0, 2]"), ("0.weight_hh_l0", 11, "[3, 2]"),
            ("0.bias_ih_l0", 1, nil), ("1.bias", 0, nil),
        ] as [(String, Int, String?)] {
            let network = Network(NetworkConfiguration(.numbers(3), [.lstm(3), .dense(2)]), seed: 1)
            network.parameters[name][i] = -number
            let message =
                "\(name) has at \(place ?? "") a number that \(precision.rawValue) cannot hold, whose largest is "
                + "\(largest); take a precision of more range, as float32"
            if place != nil {
                #expect(throws: StreamError(description: message)) {
                    try NetworkStream.Weights(network, precision: precision)
                }
            } else {
                _ = try NetworkStream.Weights(network, precision: precision)
            }
            _ = try NetworkStream.Weights(network)
            network.parameters[name][i] = number.nextDown
            _ = try NetworkStream.Weights(network, precision: precision == .float16 ? .float16 : .float32)
        }
    }

    // MARK: Errors

    /// What the error of such a stream is measured by: the network's cell, or that it has none but dense layers.
    private static func kind(_ network: Network) -> String? {
        let leaves = network.definition.root.leaves
        let cells = Set(
            leaves.compactMap { ($0 as? PlacedCell).map { $0.kind.name + ($0.own.isEmpty ? "" : ", layer norm") } })
        if cells.count > 1 { return "several" }
        return cells.first ?? (leaves.contains { $0 is PlacedDense } ? "dense" : nil)
    }

    /// The largest errors over all golden streams, of outputs and last states, measured by the largest number of each
    /// layer's part of a tensor: a little above what was found, which stands in the article "Streaming".
    private static let tolerances: [WeightPrecision: [String: Double]] = [
        .bfloat16: [
            "rnn": 0.015, "rnn, layer norm": 0.01, "lstm": 0.0075, "lstm, layer norm": 0.009, "gru": 0.0135,
            "min_gru": 0.0025, "fast_weights": 0.009, "fast_weights, layer norm": 0.0105, "associative_lstm": 0.012,
            "dense": 0.0025, "several": 0.006,
        ],
        .float16: [
            "rnn": 0.0009, "rnn, layer norm": 0.0012, "lstm": 0.00115, "lstm, layer norm": 0.00075, "gru": 0.00155,
            "min_gru": 0.00025, "fast_weights": 0.0029, "fast_weights, layer norm": 0.0025,
            "associative_lstm": 0.0029, "dense": 0.0004, "several": 0.00055,
        ],
    ]

    /// Over all golden cases of layers: a stream of half width, and streams that change their weights halfway.
    @Test(arguments: halves)
    func goldenStreamsHaveTheErrorsOfTheArticle(precision: WeightPrecision) throws {
        var errors: [String: (error: Double, name: String, count: Int)] = [:]
        for name in GoldenTests.cases {
            let fixture = try Fixture(path: "\(GoldenTests.directory)/\(name).safetensors", name: name)
            guard let network = try fixture.network(), !network.definition.root.isReversed else { continue }
            let golden = try GoldenBatch(fixture, network.definition)
            let full = try NetworkStream.Weights(network)
            let half = try NetworkStream.Weights(network, precision: precision)
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
        let tolerances = try #require(Self.tolerances[precision])
        for (kind, worst) in errors.sorted(by: { $0.key < $1.key }) {
            #expect(worst.error <= tolerances[kind] ?? 0, "\(kind): \(worst)")
        }
        #expect(Set(errors.keys) == Set(tolerances.keys))
    }
}
