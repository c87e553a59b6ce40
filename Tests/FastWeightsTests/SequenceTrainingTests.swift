import Testing

@testable import FastWeights

/// Training on sequences of one's own: the same bits on any number of threads, padding, checkpoints, and learning.
@Suite struct SequenceTrainingTests {
    static let cells: [Cell] = [
        .rnn(activation: .tanh), .lstm(hasLayerNorm: true), .gru, .fastWeights(),
        .fastWeights(FastWeightsOptions(innerSteps: 2, memory: .chunks(3))),
        .associativeLSTM(AssociativeLSTMOptions(copies: 2)),
    ]

    /// Sequences of 1 to 9 steps, five numbers or one of five tokens each, with targets for `head` of three outputs.
    static func data(
        _ head: TestHead, count: Int, isToken: Bool = false, regression: Bool = false, seed: UInt64 = 1
    ) throws -> SequenceData {
        var random = Random(seed: seed)
        let lengths = (0..<count).map { _ in 1 + random.below(9) }
        func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in Float(random.normal()) } }
        let inputs: SequenceData.Inputs =
            isToken
            ? .tokens(lengths.map { (0..<$0).map { _ in random.below(5) } })
            : .numbers(lengths.map { numbers($0 * 5) }, width: 5)
        let targets: SequenceData.Targets =
            switch (head.isPerStep, regression) {
            case (false, false): .classes(lengths.map { _ in random.below(3) })
            case (true, false): .stepClasses(lengths.map { (0..<$0).map { _ in random.below(4) - 1 } })
            case (false, true): .numbers(lengths.map { _ in numbers(3) })
            case (true, true): .stepNumbers(lengths.map { numbers($0 * 3) })
            }
        return try SequenceData(inputs, targets)
    }

    static func network(_ cell: Cell, _ head: TestHead, isToken: Bool = false, seed: UInt64 = 1) -> Network {
        Network(
            NetworkConfiguration.stack(
                cell, input: 5, hidden: 6, layers: 2, isBidirectional: true, dropout: 0.1, head: head, tokens: isToken),
            seed: seed)
    }

    static func options(_ change: (inout TrainingOptions) -> Void = { _ in }) -> TrainingOptions {
        var options = TrainingOptions()
        (options.steps, options.batch, options.evaluateEvery, options.learningRate) = (10, 75, 4, 1e-2)
        change(&options)
        return options
    }

    @Test(arguments: cells, [TestHead.perSequence(3), .perStep(3)])
    func sameBitsForAnyNumberOfThreads(cell: Cell, head: TestHead) throws {
        let (training, validation) = try Self.data(head, count: 170, isToken: head.isPerStep)
            .split(validation: 0.2, seed: 4)
        func train(_ threads: Int) throws -> ([Float], [Double]) {
            let network = Self.network(cell, head, isToken: head.isPerStep)
            let outcome = try Trainer(
                network, training: training, validation: validation, options: Self.options { $0.threads = threads }
            ).run()
            return (network.parameters.block.array, outcome.curve.map(\.validationLoss))
        }
        let one = try train(1)
        for threads in [2, 3, 8] {
            let other = try train(threads)
            expectSame(one.0, other.0)
            expectSame(one.1, other.1)
        }
    }

    /// What a sequence gives does not depend on those beside it, nor on what stands behind its end.
    @Test(arguments: cells, [TestHead.perSequence(3), .perStep(3)])
    func aSequencesLossIsItsOwn(cell: Cell, head: TestHead) throws {
        let network = Self.network(cell, head)
        for regression in [false, true] {
            let data = try Self.data(head, count: 21, regression: regression)
            var sum = 0.0
            var terms = 0.0
            for i in 0..<data.count {
                let alone = data.selecting([i])
                let share = Double(
                    !head.isPerStep
                        ? 1 : regression ? data.lengths[i] : alone.targets.classes.filter { $0 >= 0 }.count)
                // A sequence without a target has no loss.
                if share == 0 { continue }
                sum += try network.evaluate(alone).loss * share
                terms += share
            }
            let whole = try network.evaluate(data, threads: 2).loss
            #expect(abs(sum / terms - whole) < 1e-6 * max(whole, 1))
        }
    }

    /// The engine's losses are those of `run`.
    @Test(arguments: cells)
    func lossesAreThoseOfTheOutputs(cell: Cell) throws {
        let head = TestHead.perSequence(3)
        let network = Self.network(cell, head)
        let data = try Self.data(head, count: 19, regression: true)
        var squares = 0.0
        for i in 0..<data.count {
            let steps = data.lengths[i]
            let input = Array(data.inputs.numbers[data.inputs.starts[i] * 5..<(data.inputs.starts[i] + steps) * 5])
            let y = network.run(input, steps: steps, batch: 1).outputs
            for r in 0..<3 {
                squares += Double((y[r] - data.targets.numbers[i * 3 + r]) * (y[r] - data.targets.numbers[i * 3 + r]))
            }
        }
        let loss = try network.evaluate(data).loss
        #expect(abs(squares / 57 - loss) < 1e-5)
    }

    @Test(arguments: [Cell.lstm(), .gru, .fastWeights()])
    func streamsAndFilesHaveTheHead(cell: Cell) throws {
        let folder = TemporaryFolder()
        for head in [TestHead.perSequence(3), .perStep(11)] {
            let network = Network(
                NetworkConfiguration.stack(cell, input: 2, hidden: 9, layers: 2, head: head), seed: 5)
            try network.write(to: folder.path("model"))
            let read = try Network(path: folder.path("model"))
            #expect(read.configuration == network.configuration)
            let (steps, outputs) = (37, head.outputs)
            let input = CellTests.random(steps * 2, 1)
            let whole = read.run(input, steps: steps, batch: 1).outputs
            #expect(whole.count == (head.isPerStep ? steps * outputs : outputs))
            let stream = try NetworkStream(network)
            for t in 0..<steps { stream.step(Array(input[t * 2..<t * 2 + 2])) }
            #expect(RecurrentStreamTests.relativeError(stream.output, Array(whole.suffix(outputs))) < 1e-3)
        }
    }

    @Test(arguments: [Cell.lstm(), .fastWeights()], [3, 4, 9])
    func goesOnFromACheckpointToTheSameBits(cell: Cell, stop: Int) throws {
        let folder = TemporaryFolder()
        let head = TestHead.perStep(3)
        let (training, validation) = try Self.data(head, count: 90).split(validation: 0.3, seed: 2)
        func trainer(_ network: Network, saves: Bool) throws -> Trainer {
            try Trainer(
                network, training: training, validation: validation,
                options: Self.options {
                    if saves {
                        $0.checkpoint = CheckpointOptions(path: folder.path("checkpoint"), every: 2, resumes: true)
                    }
                })
        }
        let whole = Self.network(cell, head)
        let expected = try trainer(whole, saves: false).run()
        var left = stop
        let first = try trainer(Self.network(cell, head), saves: true).run(shouldStop: {
            left -= 1
            return left < 0
        })
        #expect(first.interrupted && first.steps == stop)
        let other = Self.network(cell, head, seed: 9)
        let outcome = try trainer(other, saves: true).run()
        #expect(outcome.curve.map(\.validationLoss) == expected.curve.map(\.validationLoss))
        expectSame(other.parameters.block.array, whole.parameters.block.array)
    }

    /// Each step drops other numbers, and so does each seed: at a rate of zero, over all of the data in every step, nothing
    /// else changes the loss. Evaluations drop nothing.
    @Test func everyStepDropsOtherNumbers() throws {
        let data = try Self.data(.perSequence(3), count: 20)
        func losses(dropout: Float, seed: UInt64) throws -> (training: [Double], validation: [Double]) {
            let network = Network(
                NetworkConfiguration.stack(
                    .gru, input: 5, hidden: 6, layers: 2, dropout: dropout, head: .perSequence(3)), seed: 1)
            let outcome = try Trainer(
                network, training: data, validation: data,
                options: Self.options {
                    ($0.steps, $0.evaluateEvery, $0.learningRate, $0.batch, $0.seed) = (6, 1, 0, data.count, seed)
                }
            ).run()
            return (outcome.curve.map(\.trainingLoss), outcome.curve.map(\.validationLoss))
        }
        let without = try losses(dropout: 0, seed: 1)
        let loss = without.validation[0]
        #expect((without.training + without.validation).allSatisfy { abs($0 - loss) < 1e-6 })
        let dropped = try losses(dropout: 0.5, seed: 1)
        #expect(dropped.validation.allSatisfy { abs($0 - loss) < 1e-6 })
        let all = dropped.training + (try losses(dropout: 0.5, seed: 2)).training + [loss]
        for i in all.indices { for k in 0..<i { #expect(abs(all[i] - all[k]) > 1e-5, "losses \(k) and \(i)") } }
    }

    /// Whether there is a 2 somewhere in the tokens: learned, with every evaluation told of.
    @Test func aTinyTaskIsLearned() throws {
        var random = Random(seed: 3)
        let sequences = (0..<600).map { _ in (0..<3 + random.below(6)).map { _ in random.below(9) } }
        let data = try SequenceData(.tokens(sequences), .classes(sequences.map { $0.contains(2) ? 1 : 0 }))
        let (training, validation) = try data.split(validation: 0.2, seed: 1)
        let network = Network(
            NetworkConfiguration.stack(.gru, input: 9, hidden: 12, head: .perSequence(2), tokens: true), seed: 1)
        var errors: [Double] = []
        let outcome = try Trainer(
            network, training: training, validation: validation,
            options: Self.options { ($0.steps, $0.evaluateEvery, $0.batch) = (400, 50, 32) }
        ).run(onEvaluation: { errors.append($0.validationError) })
        #expect(errors == outcome.curve.map(\.validationError) && outcome.bestError < 0.02)
        #expect(try network.evaluate(validation).error == outcome.bestError)
    }

    @Test func dataThatCannotBeIsNamed() throws {
        func message(_ inputs: SequenceData.Inputs, _ targets: SequenceData.Targets) -> String {
            let error = #expect(throws: SequenceDataError.self) { try SequenceData(inputs, targets) }
            return "\(error!)"
        }
        #expect(message(.numbers([], width: 1), .classes([])).contains("no sequences"))
        #expect(message(.numbers([[1, 2], [1]], width: 2), .classes([0, 1])).contains("sequence 1 has 1 numbers"))
        #expect(message(.numbers([[1], [.nan]], width: 1), .classes([0, 1])).contains("sequence 1 has nan at step 0"))
        #expect(message(.tokens([[1, -1]]), .classes([0])).contains("token -1 at step 1"))
        #expect(message(.tokens([[1], [2]]), .classes([0])).contains("2 sequences need as many targets; 1"))
        #expect(message(.tokens([[1, 2]]), .stepClasses([[0]])).contains("2 steps and 1 classes"))
        #expect(message(.tokens([[1]]), .classes([-1])).contains("class -1"))
        #expect(message(.tokens([[1], [2]]), .numbers([[1, 2], [1]])).contains("sequence 1 has 1 target numbers"))
        let data = try SequenceData(.tokens([[1], [7]]), .classes([0, 3]))
        for (input, outputs) in [(7, 4), (8, 3)] {
            let network = Network(
                NetworkConfiguration.stack(
                    .gru, input: input, hidden: 2, head: .perSequence(outputs), tokens: true), seed: 1)
            #expect(throws: SequenceDataError.self) { try network.evaluate(data) }
        }
    }

    @Test func aSplitIsSeededAndWhole() throws {
        let data = try Self.data(.perStep(3), count: 20)
        let (a, b) = try data.split(validation: 0.25, seed: 7)
        #expect(a.count == 15 && b.count == 5)
        #expect((a.lengths + b.lengths).sorted() == data.lengths.sorted())
        #expect(a.inputs.numbers.count + b.inputs.numbers.count == data.inputs.numbers.count)
        try expectSame(data.split(validation: 0.25, seed: 7).validation.inputs.numbers, b.inputs.numbers)
        #expect(try data.split(validation: 0.25, seed: 8).validation.inputs.numbers != b.inputs.numbers)
    }
}
