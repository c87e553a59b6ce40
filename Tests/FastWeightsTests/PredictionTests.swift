import Testing

@testable import FastWeights

/// `predict` against its naive twin, one sequence at a time through a forward pass.
@Suite struct PredictionTests {
    static let heads: [TestHead?] = [.perSequence(4), .perStep(7), nil]

    /// Sequences of three numbers a step, some longer than two windows of steps, more than two blocks of them.
    static let sequences: [[Float]] = {
        var random = Random(seed: 8)
        return (0..<37).map { i in
            let steps = i % 9 == 4 ? 60 + random.below(40) : 1 + random.below(34)
            return (0..<steps * 3).map { _ in Float(random.normal()) }
        }
    }()

    static func network(_ cell: Cell, isBidirectional: Bool, head: TestHead?, input: Int = 3) -> Network {
        Network(
            NetworkConfiguration.stack(
                cell, input: input, hidden: cell.size(5), layers: 2, isBidirectional: isBidirectional, dropout: 0.3,
                head: head),
            seed: 2)
    }

    @Test(arguments: RecurrentNetworkTests.cells, [false, true])
    func aSequenceGivesWhatItGivesAlone(cell: Cell, isBidirectional: Bool) throws {
        for head in Self.heads {
            let network = Self.network(cell, isBidirectional: isBidirectional, head: head)
            let predictions = try network.predict(.numbers(Self.sequences, width: 3), threads: 2)
            #expect(predictions.count == Self.sequences.count)
            for (prediction, sequence) in zip(predictions, Self.sequences) {
                let steps = sequence.count / 3
                // Side by side in lanes too: a run would step through a single sequence.
                let alone = NetworkPass(network).forward(sequence, steps: steps, batch: 1).outputs
                #expect(prediction.width == network.configuration.output)
                #expect(prediction.rows == (head?.isPerStep ?? true ? steps : 1))
                if cell.isFading {
                    #expect(RecurrentStreamTests.relativeError(prediction.outputs, alone) < 1e-3)
                } else {
                    expectSame(prediction.outputs, alone)
                }
            }
        }
    }

    @Test(arguments: RecurrentNetworkTests.cells, heads)
    func sameBitsForAnyNumberOfThreads(cell: Cell, head: TestHead?) throws {
        let network = Self.network(cell, isBidirectional: head != nil, head: head)
        let one = try network.predict(.numbers(Self.sequences, width: 3))
        for threads in [2, 3, 8] {
            #expect(try network.predict(.numbers(Self.sequences, width: 3), threads: threads) == one)
        }
        guard let head else { return }
        let targets: SequenceData.Targets =
            head.isPerStep
            ? .stepNumbers(Self.sequences.map { [Float](repeating: 0.5, count: $0.count / 3 * head.outputs) })
            : .classes(Self.sequences.indices.map { $0 % head.outputs })
        let data = try SequenceData(.numbers(Self.sequences, width: 3), targets)
        let evaluation = try network.evaluate(data)
        for threads in [2, 3, 8] { #expect(try network.evaluate(data, threads: threads) == evaluation) }
        #expect(try network.predict(data, threads: 2) == one)
    }

    /// Tokens are their one-hot inputs.
    @Test(arguments: RecurrentNetworkTests.cells)
    func tokensAreOneHot(cell: Cell) throws {
        let network = Self.network(cell, isBidirectional: true, head: .perStep(4), input: 6)
        let reader = try #require(network.reading(tokens: true))
        var random = Random(seed: 3)
        let tokens = (0..<21).map { _ in (0..<1 + random.below(70)).map { _ in random.below(6) } }
        let numbers = tokens.map { $0.flatMap { token in (0..<6).map { $0 == token ? Float(1) : 0 } } }
        let found = try reader.predict(.tokens(tokens), threads: 2)
        let expected = try network.predict(.numbers(numbers, width: 6))
        for (a, b) in zip(found, expected) {
            #expect(RecurrentStreamTests.relativeError(a.outputs, b.outputs) < 1e-5)
        }
        let error = #expect(throws: SequenceDataError.self) { try reader.predict(.tokens([[0], [3, 6]])) }
        #expect("\(error!)".contains("token 6; the network's vocabulary has 6"))
        #expect(throws: SequenceDataError.self) { try network.predict(.numbers([], width: 6)) }
        #expect(throws: SequenceDataError.self) { try network.predict(.numbers([[1, 2]], width: 6)) }
    }

    @Test func classesAndProbabilitiesAreThoseOfTheRows() {
        var random = Random(seed: 4)
        let (rows, width) = (35, 3)
        let outputs = (0..<rows * width).map { _ in Float(random.normal() * 4) } + [1000, -1000, 999, 2, 7, 7]
        let prediction = Prediction(outputs: outputs, width: width)
        #expect(prediction.rows == rows + 2 && prediction.classes.count == rows + 2)
        #expect(prediction.classes.suffix(2) == [0, 1])
        for row in 0..<prediction.rows {
            let logits = outputs[row * width..<(row + 1) * width].map(Double.init)
            let largest = logits.max()!
            #expect(prediction.classes[row] == logits.firstIndex(of: largest))
            let exponentials = logits.map { Self.exponential($0 - largest) }
            let sum = exponentials.reduce(0, +)
            for c in 0..<width {
                #expect(abs(Double(prediction.probabilities[row * width + c]) - exponentials[c] / sum) < 1e-6)
            }
        }
    }

    /// e^x of x at most 0, by its series at x / 1024.
    private static func exponential(_ x: Double) -> Double {
        guard x > -700 else { return 0 }
        let y = x / 1024
        var (term, sum) = (1.0, 1.0)
        for k in 1..<20 {
            term *= y / Double(k)
            sum += term
        }
        for _ in 0..<10 { sum *= sum }
        return sum
    }

    /// The share of wrong classes is the error of `evaluate`.
    @Test func theErrorIsThatOfTheClasses() throws {
        let head = TestHead.perStep(3)
        let data = try SequenceTrainingTests.data(head, count: 50)
        let network = SequenceTrainingTests.network(.gru, head)
        let predictions = try network.predict(data, threads: 2)
        let classes = predictions.flatMap(\.classes)
        var (errors, terms) = (0, 0)
        for (found, wanted) in zip(classes, data.targets.classes) where wanted >= 0 {
            terms += 1
            if found != Int(wanted) { errors += 1 }
        }
        #expect(try network.evaluate(data).error == Double(errors) / Double(terms))
    }

    /// A class is right or wrong however little its logit is ahead; of equal ones the first counts. Of networks of every
    /// kind that give these logits whatever they are given.
    @Test(arguments: [
        ([1, Float(1).nextUp, 1], 1), ([Float(1).nextUp, 1, 1], 0), ([-2, -2, Float(-2).nextUp], 2), ([3, 3, 3], 0),
        ([0, 1e-3, 9e-4], 1), ([1e-30, 0, 2e-30], 2), ([1000, 1000.01, 1000.005], 1),
    ])
    func theSmallestGapDecides(logits: [Float], largest: Int) throws {
        let network = Network(
            NetworkConfiguration.stack(.gru, input: 2, hidden: 3, head: .perSequence(3)), seed: 1)
        let classifier = Network(
            NetworkConfiguration.classifier(.gru, hidden: 3, vocabulary: 5, classes: 3, embedding: 2, head: 2), seed: 1)
        let images = Network(
            ConvolutionTests.configuration(
                MapShape(channels: 1, height: 2, width: 1), [.convolution(2, size: 1)], classes: 3), seed: 1)
        for (parameters, layer) in [
            (network.parameters, "head"), (classifier.parameters, "output"), (images.parameters, "3"),
        ] {
            parameters["\(layer).weight"] = parameters["\(layer).weight"].map { _ in 0 }
            parameters["\(layer).bias"] = logits
        }
        for wanted in 0..<3 {
            let isWrong = wanted != largest
            let data = try SequenceData(.numbers([[1, 2], [3, 4]], width: 2), .classes([wanted, wanted]))
            #expect(try network.evaluate(data).error == (isWrong ? 1 : 0))
            #expect(try network.predict(data).map(\.classes) == [[largest], [largest]])
            #expect(try images.evaluate(data).error == (isWrong ? 1 : 0))
            let tokens = try SequenceData(.tokens([[1, 2], [3, 4]]), .classes([wanted, wanted]))
            #expect(try classifier.evaluate(tokens).error == (isWrong ? 1 : 0))
        }
    }

    /// What is held out may be longer than what is trained on.
    @Test(arguments: [Cell.gru, .fastWeights()])
    func heldOutSequencesMayBeLonger(cell: Cell) throws {
        func data(_ lengths: [Int]) throws -> SequenceData {
            try SequenceData(
                .numbers(lengths.map { CellTests.random($0 * 3, UInt64($0)) }, width: 3),
                .classes(lengths.map { $0 % 4 }))
        }
        let network = Self.network(cell, isBidirectional: true, head: .perSequence(4))
        let heldOut = try data([1, 80, 33, 5])
        let outcome = try Trainer(
            network, training: try data([3, 1, 2, 3, 2]), validation: heldOut,
            options: SequenceTrainingTests.options { $0.batch = 3 }
        ).run()
        #expect(outcome.curve.count == 3)
        #expect(try network.evaluate(heldOut).loss == outcome.bestLoss)
    }

    // MARK: - Memory

    /// To run forward alone a stack needs its inputs, the boundaries of two layers and a window of its cells, whatever the
    /// length.
    @Test(arguments: [Cell.irnn(), .lstm(), .gru])
    func forwardAloneNeedsTwoBoundaries(cell: Cell) {
        let configuration = NetworkConfiguration.stack(
            cell, input: 7, hidden: 20, layers: 3, isBidirectional: true, head: .perSequence(4))
        let network = Network(configuration, seed: 1)
        func vectors(_ steps: Int, trains: Bool) -> Double {
            let pass = BlockPass(network.definition.weights(network.parameters), steps: steps, trains: trains)
            return Double(bufferBytes(reachableFrom: pass)) / Double(MemoryLayout<Lanes>.size)
        }
        let aStep = (vectors(3000, trains: false) - vectors(1000, trains: false)) / 2000
        #expect(abs(aStep - (7 + 2 * 40)) < 1e-6)
        #expect(vectors(1000, trains: true) > 5 * vectors(1000, trains: false))
    }
}
