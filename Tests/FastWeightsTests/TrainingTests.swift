import Testing

@testable import FastWeights

@Suite struct TrainingTests {
    static let cells: [Cell] = [
        .irnn(), .rnn(activation: .tanh, layerNorm: true), .lstm(), .lstm(layerNorm: true), .gru, .fastWeights(),
        .fastWeights(FastWeightsOptions(innerSteps: 2, separateNorms: true, memory: .chunks(3))),
        .associativeLSTM(AssociativeLSTMOptions(copies: 2)),
    ]

    static func model(_ cell: Cell, hidden: Int = 9) -> SequenceClassifier {
        SequenceClassifier(
            ClassifierConfiguration(cell, hidden: cell.size(hidden), vocabulary: 37, classes: 10, embedding: 12, head: 14), seed: 3
        )
    }

    @Test(arguments: cells)
    func sameBitsForAnyNumberOfThreads(cell: Cell) throws {
        let sets = try AssociativeRetrieval(pairs: 2).generate(counts: [300, 70], seed: 1)
        func train(_ threads: Int) throws -> ([Float], [Double]) {
            let model = Self.model(cell)
            var options = TrainingOptions()
            options.steps = 12
            options.batch = 75
            options.evaluateEvery = 4
            options.threads = threads
            let outcome = try Trainer(model, training: sets[0], validation: sets[1], options: options).run()
            return (model.parameters.block.array, outcome.curve.map(\.validationLoss))
        }
        let one = try train(1)
        for threads in [2, 3, 8] {
            let other = try train(threads)
            #expect(one.0 == other.0 && one.1 == other.1)
        }
    }

    @Test func fastWeightsLearnTwoPairs() throws {
        let sets = try AssociativeRetrieval(pairs: 2).generate(counts: [20_000, 1000, 1000], seed: 1)
        let model = Self.model(.fastWeights(), hidden: 40)
        var options = TrainingOptions()
        options.steps = 1500
        options.learningRate = 3e-3
        let outcome = try Trainer(model, training: sets[0], validation: sets[1], options: options).run()
        #expect(outcome.bestError < 0.05)
        let test = model.evaluate(sets[2], threads: 2)
        #expect(Double(test.errors) / 1000 < 0.06)
    }

    @Test func theBestModelIsKept() throws {
        let sets = try AssociativeRetrieval(pairs: 2).generate(counts: [500, 200], seed: 1)
        let model = Self.model(.gru)
        var options = TrainingOptions()
        options.steps = 200
        options.evaluateEvery = 10
        options.schedule = .constant
        options.learningRate = 0.05
        let outcome = try Trainer(model, training: sets[0], validation: sets[1], options: options).run()
        let kept = model.evaluate(sets[1], threads: 1)
        #expect(Double(kept.errors) / 200 == outcome.bestError)
        #expect(outcome.bestError == outcome.curve.map(\.validationError).min())
        #expect(outcome.curve.first { $0.validationError == outcome.bestError } != nil)
    }

    @Test func aLossThatIsNotANumberStops() throws {
        let sets = try AssociativeRetrieval(pairs: 2).generate(counts: [500, 200], seed: 1)
        let model = Self.model(.irnn())
        model.parameters["cell.weight_hh"] = [Float](repeating: .nan, count: 81)
        var options = TrainingOptions()
        options.steps = 5
        #expect(throws: TrainingError.diverged(step: 1, learningRate: 1e-3)) {
            _ = try Trainer(model, training: sets[0], validation: sets[1], options: options).run()
        }
    }

    @Test func stoppingKeepsWhatIsDone() throws {
        let sets = try AssociativeRetrieval(pairs: 2).generate(counts: [500, 200], seed: 1)
        var left = 30
        var options = TrainingOptions()
        options.evaluateEvery = 10
        let outcome = try Trainer(Self.model(.gru), training: sets[0], validation: sets[1], options: options).run(
            shouldStop: {
                left -= 1
                return left < 0
            })
        #expect(outcome.interrupted && outcome.steps == 30 && outcome.curve.count == 3)
    }

    @Test func batchesGoThroughEveryExampleOnceAPass() {
        var order = BatchOrder(count: 10, batch: 4, seed: 1)
        var seen: [Int] = []
        for _ in 0..<5 {
            order.advance()
            seen += order.indices
        }
        #expect(seen.prefix(10).sorted() == Array(0..<10) && seen.suffix(10).sorted() == Array(0..<10))
        #expect(Array(seen.prefix(10)) != Array(seen.suffix(10)))
    }

    @Test func schedulesRunFromOneToZero() {
        #expect(Schedule.constant.factor(70, of: 100) == 1)
        #expect(Schedule.cosine.factor(0, of: 100) == 1 && abs(Schedule.cosine.factor(100, of: 100)) < 1e-7)
        #expect(abs(Schedule.cosine.factor(50, of: 100) - 0.5) < 1e-6 && Schedule.linear.factor(25, of: 100) == 0.75)
        #expect(abs(Schedule.cosine.factor(25, of: 100) - 0.853_553_4) < 1e-6)
    }
}
