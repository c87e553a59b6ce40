import Testing

@testable import FastWeights

@Suite struct RecurrentStreamTests {
    static let steps = 6

    /// Every cell with every combination of options that changes a step. The rates are below the usual 0.5, at which
    /// the fast weights grow without bound when nothing normalizes them.
    static let cells: [Cell] = {
        var cells: [Cell] = [.irnn(), .lstm(), .lstm(hasLayerNorm: true), .gru]
        for (copies, keys) in [(1, 1), (3, 1), (1, 2), (4, 3)] {
            for isRecurrent in [true, false] {
                cells.append(
                    .associativeLSTM(
                        AssociativeLSTMOptions(
                            copies: copies, keys: keys, permutationSeed: 5, hasRecurrentCandidate: isRecurrent)))
            }
        }
        for activation in Activation.allCases {
            for hasLayerNorm in [false, true] {
                cells.append(.rnn(activation: activation, hasLayerNorm: hasLayerNorm))
                for innerSteps in [0, 1, 3] {
                    for choice in 0..<4 {
                        let (normalizesFirst, hasSeparateNorms) = (choice & 1 > 0, choice & 2 > 0)
                        for isLagged in [false, true] {
                            cells.append(
                                .fastWeights(
                                    FastWeightsOptions(
                                        writeRate: hasLayerNorm ? 0.1 : 0.005, innerSteps: innerSteps,
                                        activation: activation,
                                        hasLayerNorm: hasLayerNorm, normalizesFirst: normalizesFirst,
                                        hasSeparateNorms: hasSeparateNorms, isLagged: isLagged)))
                        }
                    }
                }
            }
        }
        return cells
    }()

    /// A network of one cell whose every parameter is random, gains around 1.
    static func layer(_ cell: Cell, input: Int, hidden: Int, seed: UInt64 = 1) -> Network {
        let layer = Network(.cell(cell, input: input, hidden: hidden), seed: seed)
        var random = Random(seed: seed, stream: 2)
        for window in layer.parameters.layout.windows {
            let isGain = window.name.hasSuffix("weight") && window.name.hasPrefix("norm")
            let limit = isGain ? 0.5 : 1 / Float(window.shape.last!).squareRoot()
            layer.parameters[window.name] = (0..<window.count).map { _ in
                random.uniform(within: limit) + (isGain ? 1 : 0)
            }
        }
        return layer
    }

    /// A state of one sequence; the fast matrix small enough for the sequence to stay bounded, and not symmetric.
    static func state(_ configuration: NetworkConfiguration, seed: UInt64) -> NetworkState {
        let zero = configuration.zeroState(batch: 1)
        return configuration.state(
            hidden: CellTests.random(zero.hidden.count, seed),
            memory: CellTests.random(zero.memory.count, seed + 1).map { 0.2 * $0 / Float(zero.hidden.count) })
    }

    static func relativeError(_ found: [Float], _ expected: [Float]) -> Float {
        guard found.count == expected.count else { return .infinity }
        let scale = expected.reduce(0) { max($0, abs($1)) }
        guard (found + expected).allSatisfy(\.isFinite) else { return .infinity }
        let error = zip(found, expected).reduce(0) { max($0, abs($1.0 - $1.1)) }
        return scale > 0 ? error / scale : error
    }

    /// To 2e-5, or twice what two roundings of the input change in the layer's own results: several inner steps with
    /// layer norms amplify a rounding a thousandfold in a few of these cases.
    @Test(arguments: cells)
    func agreesWithTheLayer(cell: Cell) throws {
        for hidden in [1, 5, 16, 17, 33].map(cell.size) {
            for width in [1, 3, 20] {
                let layer = Self.layer(cell, input: width, hidden: hidden)
                let pass = NetworkPass(layer)
                let input = CellTests.random(Self.steps * width, 3)
                for state in [nil, Self.state(layer.configuration, seed: 4)] {
                    let expected = pass.forward(input, steps: Self.steps, batch: 1, state: state)
                    let moved = pass.forward(
                        input.map { $0 * (1 + 0x1p-22) }, steps: Self.steps, batch: 1, state: state)
                    let stream = try NetworkStream(layer, state: state)
                    let outputs = NetworkStreamTests.run(stream, input)
                    let size = Comment("H = \(hidden), I = \(width), \(state == nil ? "no state" : "a state")")
                    for (found, expected, moved) in [
                        (outputs, expected.outputs, moved.outputs),
                        (stream.state.hidden, expected.state.hidden, moved.state.hidden),
                        (stream.state.memory, expected.state.memory, moved.state.memory),
                    ] {
                        let limit = max(2e-5, 2 * Self.relativeError(moved, expected))
                        #expect(Self.relativeError(found, expected) <= limit, size)
                    }
                    #expect(Self.padding(of: stream).allSatisfy { $0 == 0 }, size)
                }
            }
        }
    }

    /// What stands behind the units in h and in the columns of the memory.
    static func padding(of stream: NetworkStream) -> [Float] {
        guard let cell = stream.leaves.first as? CellStream else { misuse("the network has no cell") }
        let (H, units) = (cell.hidden, cell.shared.cell.sizes.units)
        func behind(_ count: Int, _ vector: (Int) -> Octet) -> [Float] {
            (count..<(count + 7) / 8 * 8).map { vector($0 / 8)[$0 % 8] }
        }
        return behind(H) { cell.h[$0] }
            + (0..<cell.memory.columns).flatMap { k in
                behind(units) { cell.memory.vector($0, column: k).pointee }
            }
    }

    @Test(arguments: cells)
    func goesOnFromItsStateWithTheSameBits(cell: Cell) throws {
        let layer = Self.layer(cell, input: 3, hidden: cell.size(17))
        let (first, second) = (CellTests.random(12, 5), CellTests.random(12, 6))
        let stream = try NetworkStream(layer, state: Self.state(layer.configuration, seed: 7))
        _ = NetworkStreamTests.run(stream, first)
        let state = stream.state
        let other = try NetworkStream(layer, state: state)
        #expect(other.state == state)
        let outputs = NetworkStreamTests.run(stream, second)
        expectSame(NetworkStreamTests.run(other, second), outputs)
        #expect(other.state == stream.state)
        // Back to the same point, and to the beginning.
        stream.state = state
        expectSame(NetworkStreamTests.run(stream, second), outputs)
        stream.reset()
        expectSame(NetworkStreamTests.run(stream, first), NetworkStreamTests.run(try NetworkStream(layer), first))
    }

    @Test(arguments: [Cell.irnn(), .lstm(hasLayerNorm: true), .gru, .fastWeights()])
    func streamsOfOneLayerAreIndependent(cell: Cell) throws {
        let layer = Self.layer(cell, input: 3, hidden: 20)
        let (a, b) = (CellTests.random(24, 8), CellTests.random(24, 9))
        let expected = (
            try NetworkStreamTests.run(NetworkStream(layer), a), try NetworkStreamTests.run(NetworkStream(layer), b)
        )
        let (one, two) = (try NetworkStream(layer), try NetworkStream(layer))
        // Parameters that change later do not reach a stream.
        layer.parameters["weight_hh"] = layer.parameters["weight_hh"].map { -$0 }
        var found: ([Float], [Float]) = ([], [])
        for first in stride(from: 0, to: 24, by: 3) {
            found.0 += NetworkStreamTests.run(one, Array(a[first..<first + 3]))
            found.1 += NetworkStreamTests.run(two, Array(b[first..<first + 3]))
        }
        expectSame(found.0, expected.0)
        expectSame(found.1, expected.1)
        #expect(try NetworkStreamTests.run(NetworkStream(layer), a) != expected.0)
    }

    @Test func spansAndCopies() throws {
        let layer = Self.layer(.gru, input: 3, hidden: 5)
        let (one, two) = (try NetworkStream(layer), try NetworkStream(layer))
        let input = CellTests.random(3, 10)
        one.step(input)
        guard #available(macOS 10.14.4, iOS 12.2, tvOS 12.2, watchOS 5.2, *) else { return }
        two.step(input.span)
        var copy = [Float](repeating: .nan, count: 5)
        two.copyOutput(into: &copy)
        #expect(copy == one.output && copy == two.state.hidden)
    }

    @Test func anotherInputSizeTraps() async {
        await #expect(processExitsWith: .failure) {
            try NetworkStream(Network(.cell(.gru, input: 3, hidden: 5), seed: 1)).step([1, 2])
        }
    }

    @Test(arguments: [(1, 1), (2, 7), (3, 16), (4, 5), (5, 40), (8, 20), (11, 3), (13, 9), (25, 30), (40, 2)])
    func productsAgreeWithTheNaiveTwin(vectors: Int, columns: Int) {
        let rows = vectors * 8
        var random = Random(seed: 11)
        func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in random.uniform(within: 1) } }
        func vector(_ values: [Float]) -> Buffer<Octet> {
            let buffer = Buffer<Octet>(values.count / 8)
            for (i, x) in values.enumerated() { buffer.pointer[i / 8][i % 8] = x }
            return buffer
        }
        let (x, start) = (numbers(columns), numbers(rows))
        let weights = (0..<columns).map { _ in numbers(rows) }
        for backwards in [false, true] {
            let arena = StreamArena()
            func matrix(tallest: Int) -> StreamMatrix {
                let matrix = StreamMatrix(vectors: vectors, columns: columns, tallest: tallest, arena: arena)
                for k in 0..<columns {
                    for r in 0..<rows { matrix.vector(r / 8, column: k).pointee[r % 8] = weights[k][r] }
                }
                return matrix
            }
            let y = vector(start)
            let (w, cut) = (matrix(tallest: StreamMatrix.tallest), columns / 3)
            x.withUnsafeBufferPointer { x in
                multiply(
                    w, by: ColumnNumbers(pointer: x.baseAddress!, count: cut),
                    ColumnNumbers(pointer: x.baseAddress! + cut, count: columns - cut), from: y.pointer,
                    into: y.pointer, backwards: backwards)
            }
            for r in 0..<rows {
                var expected = Double(start[r])
                for k in 0..<columns { expected += Double(weights[k][r]) * Double(x[k]) }
                #expect(abs(Double(y.pointer[r / 8][r % 8]) - expected) < 1e-5)
            }

            // A square matrix in the upper rows: fades, takes in w wᵀ, multiplies.
            guard columns <= rows else { continue }
            let a = matrix(tallest: StreamMatrix.tallestFading)
            let (written, result) = (vector(start), Buffer<Octet>(vectors))
            let from = Buffer<Octet>(vectors)
            x.withUnsafeBufferPointer {
                fadeAndMultiply(
                    a, decay: 0.9, rate: 0.5, writing: written.pointer, by: $0.baseAddress!, from: from.pointer,
                    into: result.pointer, backwards: backwards)
            }
            for r in 0..<rows {
                var expected = 0.0
                for k in 0..<columns {
                    let kept = 0.9 * Double(weights[k][r]) + 0.5 * Double(start[k]) * Double(start[r])
                    #expect(abs(Double(a.vector(r / 8, column: k).pointee[r % 8]) - kept) < 1e-6)
                    expected += kept * Double(x[k])
                }
                #expect(abs(Double(result.pointer[r / 8][r % 8]) - expected) < 1e-5)
            }
        }
    }

    /// What is written once must not fade into subnormal numbers, on which a processor is many times slower.
    @Test func aFadingMemoryEndsInZero() throws {
        let cell = Cell.fastWeights(FastWeightsOptions(memoryDecay: 0.5, writeRate: 0, hasLayerNorm: false))
        let stream = try NetworkStream(Self.layer(cell, input: 3, hidden: 5))
        stream.state = Self.state(stream.configuration, seed: 12)
        for step in 0..<140 {
            stream.step([1, 2, 3])
            let memory = stream.state.memory
            #expect(memory.allSatisfy { !$0.isSubnormal })
            if step < 60 { #expect(memory.allSatisfy { $0 != 0 }) }
        }
        #expect(stream.state.memory.allSatisfy { $0 == 0 })
    }
}
