import Testing

@testable import FastWeights

/// Texts in windows: their states go on and begin anew where they should, and their losses weigh by the tokens.
@Suite struct TextStateTests {
    static let cells: [Cell] = [
        .lstm(), .gru, .fastWeights(FastWeightsOptions(writeRate: 0.1)),
        .fastWeights(FastWeightsOptions(schedule: [[.write, .clear], [], .read])),
    ]
    /// Letters that a model finds more and less easy, so that the means of windows differ.
    static let content: [UInt8] = {
        var random = Random(seed: 3)
        return (0..<110).map { _ in UInt8(ascii: "a") + UInt8(min(random.below(6), random.below(6))) }
    }()

    private static func model(_ cell: Cell, seed: UInt64 = 1) -> TextModel {
        let model = TextModel(cell, hidden: 5, vocabulary: TextVocabulary(of: content), seed: seed)
        for name in ["1.weight", "0.weight_ih_l0", "0.weight_hh_l0"] {
            let scale: Float = name == "1.weight" ? 6 : 2
            model.network.parameters[name] = model.network.parameters[name].map { scale * $0 }
        }
        return model
    }

    /// The mean loss of predicting the tokens of each stream from the zero state: one run of all, softmax in Double.
    private static func loss(_ model: TextModel, _ data: SequenceData, streams: Int) throws -> Double {
        let network = try #require(model.network.reading(tokens: false))
        let (tokens, wanted) = (data.inputs.tokens, data.targets.classes)
        let (length, V) = (tokens.count / streams, model.vocabulary.count)
        var sum = 0.0
        for s in 0..<streams {
            let part = s * length..<(s + 1) * length
            let input = tokens[part].flatMap { token in (0..<V).map { $0 == Int(token) ? Float(1) : 0 } }
            let logits = network.run(input, steps: length, batch: 1).outputs
            for (t, place) in part.enumerated() {
                let row = logits[t * V..<(t + 1) * V].map { Double($0) }
                let probabilities = Prediction(outputs: row.map { Float($0) }, width: V).probabilities
                sum -= naturalLogarithm(Double(probabilities[Int(wanted[place])]))
            }
        }
        return sum / Double(length * streams)
    }

    /// 92 tokens to train on in two streams of 45: four windows of 12, 12, 12 and 9. 17 held out in one: 12 and 5.
    private static func train(
        _ model: TextModel, rate: Double, steps: Int, _ change: (inout TrainingOptions) -> Void = { _ in },
        shouldStop: () -> Bool = { false }
    ) throws -> Trainer.Outcome {
        let text = try TrainingText(content, model.vocabulary, heldOut: 0.16)
        #expect(text.training.longest == 91 && text.heldOut.longest == 17)
        var options = TrainingOptions()
        (options.steps, options.batch, options.evaluateEvery, options.learningRate) = (steps, 2, 4, rate)
        (options.schedule, options.optimizer) = (.constant, .sgd())
        change(&options)
        return try Trainer(model, text: text, window: 12, options: options).run(shouldStop: shouldStop)
    }

    /// At a rate of 0 every pass has the loss of the whole text, which begins from the zero state each time.
    @Test(arguments: cells)
    func everyPassIsTheWholeText(cell: Cell) throws {
        let model = Self.model(cell)
        let text = try TrainingText(Self.content, model.vocabulary, heldOut: 0.16)
        let outcome = try Self.train(model, rate: 0, steps: 12)
        let expected = (
            try Self.loss(model, text.training, streams: 2), try Self.loss(model, text.heldOut, streams: 1)
        )
        #expect(outcome.curve.count == 3)
        for point in outcome.curve {
            #expect(abs(point.trainingLoss / expected.0 - 1) < 1e-4, "\(point.trainingLoss), \(expected.0)")
            #expect(abs(point.validationLoss / expected.1 - 1) < 1e-4, "\(point.validationLoss), \(expected.1)")
            #expect(point.validationError == point.validationLoss)
            #expect(point.trainingLoss == outcome.curve[0].trainingLoss)
            #expect(point.validationLoss == outcome.curve[0].validationLoss)
        }
        let long = try TrainingText(Self.content, model.vocabulary, heldOut: 0.8)
        // 87 tokens, in windows that are of whole periods of any schedule.
        let bits = try Self.loss(model, long.heldOut, streams: 1) / naturalLogarithm(2)
        #expect(abs(model.bitsPerToken(of: long) / bits - 1) < 1e-4)
    }

    /// From checkpoints in the middle of a pass, at its end and behind it.
    @Test(arguments: cells, 1...9)
    func aPassGoesOnFromACheckpoint(cell: Cell, stop: Int) throws {
        let folder = TemporaryFolder()
        let whole = Self.model(cell)
        let expected = try Self.train(whole, rate: 0.3, steps: 10)
        func train(_ model: TextModel, stop: Int) throws -> Trainer.Outcome {
            var left = stop
            return try Self.train(model, rate: 0.3, steps: 10) {
                $0.checkpoint = CheckpointOptions(path: folder.path("checkpoint"), resumes: true)
            } shouldStop: {
                left -= 1
                return left < 0
            }
        }
        #expect(try train(Self.model(cell), stop: stop).steps == stop)
        let model = Self.model(cell, seed: 2)
        let outcome = try train(model, stop: .max)
        expectSame(model.network.parameters.block.array, whole.network.parameters.block.array)
        #expect(outcome.curve.map(\.trainingLoss) == expected.curve.map(\.trainingLoss))
        #expect(outcome.curve.map(\.validationLoss) == expected.curve.map(\.validationLoss))
    }
}
