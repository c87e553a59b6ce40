import Testing

@testable import FastWeights

/// Numbers without a target: NaN in `SequenceData`. The loss is the mean over the others, as PyTorch's
/// `((y - target)[mask] ** 2).mean()`.
@Suite struct IgnoredTargetsTests {
    static let cells: [Cell] = [.rnn(activation: .tanh), .lstm(), .gru, .fastWeights()]
    private static let heads: [TestHead] = [.perSequence(3), .perStep(3)]

    /// Sequences of 1 to 40 steps of five numbers, with a third of the targets missing, those of sequence 4 all.
    static func arrays(_ head: TestHead, count: Int) -> (inputs: [[Float]], targets: [[Float]]) {
        var random = Random(seed: 5)
        let lengths = (0..<count).map { _ in 1 + random.below(40) }
        func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in Float(random.normal()) } }
        let inputs = lengths.map { numbers($0 * 5) }
        let targets = lengths.enumerated().map { i, length in
            numbers(head.isPerStep ? length * 3 : 3).map { random.below(3) == 0 || i == 4 ? Float.nan : $0 }
        }
        return (inputs, targets)
    }

    static func data(_ head: TestHead, count: Int) throws -> SequenceData {
        let (inputs, targets) = arrays(head, count: count)
        return try SequenceData(
            .numbers(inputs, width: 5), head.isPerStep ? .stepNumbers(targets) : .numbers(targets))
    }

    /// Loss and gradient of the twin: a pass over one sequence after another, and the mean written out.
    private static func twin(
        _ network: Network, _ head: TestHead, count: Int
    ) -> (loss: Double, gradients: Parameters) {
        let (inputs, targets) = arrays(head, count: count)
        let terms = targets.joined().count { !$0.isNaN }
        let pass = NetworkPass(network)
        var sum = 0.0
        for (input, wanted) in zip(inputs, targets) {
            let y = pass.forward(input, steps: input.count / 5, batch: 1).outputs
            var gradient = [Float](repeating: 0, count: y.count)
            for i in y.indices where !wanted[i].isNaN {
                sum += Double((y[i] - wanted[i]) * (y[i] - wanted[i]))
                gradient[i] = 2 * (y[i] - wanted[i]) / Float(terms)
            }
            _ = pass.backward(gradient)
        }
        return (sum / Double(terms), pass.gradients)
    }

    @Test(arguments: cells, heads)
    func theLossIsTheMeanOfTheOthers(cell: Cell, head: TestHead) throws {
        let network = SequenceTrainingTests.network(cell, head)
        let data = try Self.data(head, count: 39)
        let (loss, gradients) = Self.twin(network, head, count: 39)
        #expect(abs(try network.evaluate(data, threads: 2).loss / loss - 1) < 1e-5)
        ThreadTeam.run(threads: 2) { team in
            let engine = ParallelTraining(network.definition, network.parameters, longest: data.longest, team: team)
            let found = engine.gradient(data, Array(0..<39))
            #expect(abs(found.loss / loss - 1) < 1e-5 && found.error == found.loss)
            for name in network.parameters.layout.windows.map(\.name) {
                let error = RecurrentStreamTests.relativeError(engine.gradients[name], gradients[name])
                #expect(error < 1e-4, "\(name): \(error)")
            }
        }
    }

    /// The loss falls along the gradient as fast as the gradient says; of cells without kinks, at which it may not.
    @Test(arguments: [Cell.rnn(activation: .tanh), .lstm(), .gru], heads)
    func theGradientIsThatOfTheLoss(cell: Cell, head: TestHead) throws {
        let network = SequenceTrainingTests.network(cell, head)
        let data = try Self.data(head, count: 20)
        let gradient = ThreadTeam.run(threads: 1) { team in
            let engine = ParallelTraining(network.definition, network.parameters, longest: data.longest, team: team)
            _ = engine.gradient(data, Array(0..<20))
            return engine.gradients.block.array
        }
        let squares = gradient.reduce(0.0) { $0 + Double($1 * $1) }
        let start = network.parameters.block.array
        func loss(_ step: Double) throws -> Double {
            let scale = Float(step / squares.squareRoot())
            for i in start.indices { network.parameters.pointer[i] = start[i] + scale * gradient[i] }
            return try network.evaluate(data).loss
        }
        let slope = (try loss(1e-2) - loss(-1e-2)) / 2e-2
        #expect(abs(slope / squares.squareRoot() - 1) < 0.02)
    }

    /// A training reads none of them: other numbers of inputs behind, and the same bits, whatever the batch has missing.
    @Test func aTrainingGoesOnWithoutThem() throws {
        let head = TestHead.perStep(3)
        let (training, validation) = try Self.data(head, count: 60).split(validation: 0.3, seed: 1)
        func train(_ threads: Int) throws -> (outcome: Trainer.Outcome, values: [Float]) {
            let network = SequenceTrainingTests.network(.lstm(), head)
            let options = SequenceTrainingTests.options { ($0.threads, $0.batch, $0.steps) = (threads, 7, 40) }
            let outcome = try Trainer(network, training: training, validation: validation, options: options).run()
            return (outcome, network.parameters.block.array)
        }
        let one = try train(1)
        #expect(one.outcome.bestLoss.isFinite && one.values.allSatisfy(\.isFinite))
        try expectSame(train(3).values, one.values)
    }

    @Test func dataWithoutAnyTargetIsRefused() throws {
        func message(_ targets: SequenceData.Targets) -> String {
            let error = #expect(throws: SequenceDataError.self) {
                try SequenceData(.numbers([[1, 2], [3]], width: 1), targets)
            }
            return "\(error!)"
        }
        #expect(message(.stepNumbers([[.nan, .nan], [.nan]])).contains("no target counts: there is nothing but nan"))
        #expect(message(.stepClasses([[-1, -1], [-1]])).contains("no target counts"))
        #expect(message(.numbers([[1], [.infinity]])).contains("sequence 1 has the target inf"))
        let data = try SequenceData(.numbers([[1, 2], [3]], width: 1), .stepNumbers([[.nan, 1], [.nan]]))
        #expect(data.targets.terms == [1, 0] && data.selecting([1, 0]).targets.terms == [0, 1])
    }
}
