import Testing

@testable @_spi(Laboratory) import FastWeights

/// What a training leaves that ended before its time. At a constant rate the model of step n is that of a training of n
/// steps, whose only evaluation keeps it.
@Suite struct InterruptedTrainingTests {
    enum Kind: CaseIterable { case classifier, network, text }

    /// A model that can be trained, anew each time, and the numbers it holds.
    private func trainer(_ kind: Kind, _ options: TrainingOptions) throws -> (trainer: Trainer, values: () -> [Float]) {
        switch kind {
        case .classifier:
            let sets = try AssociativeRetrieval(pairs: 2).generate(counts: [200, 50], seed: 1).map(\.sequences)
            let model = TrainingTests.model(.gru)
            return (
                try Trainer(model, training: sets[0], validation: sets[1], options: options),
                { model.parameters.block.array }
            )
        case .network:
            let network = Network(
                NetworkConfiguration.stack(.lstm(), input: 2, hidden: 5, head: .perSequence(3)), seed: 2)
            let numbers: [[Float]] = (0..<40).map { i in
                let (a, b) = (Float(i % 7), Float(i % 3))
                return [a / 7, b - 1, 0.5, a / 5]
            }
            let data = try SequenceData(.numbers(numbers, width: 2), .classes((0..<40).map { $0 % 3 }))
            return (
                try Trainer(network, training: data, validation: data, options: options),
                { network.parameters.block.array }
            )
        case .text:
            let vocabulary = TextVocabulary(of: TextModelTests.content)
            let model = TextModel(.fastWeights(), hidden: 6, vocabulary: vocabulary, seed: 1)
            let text = try TrainingText(TextModelTests.content, vocabulary)
            return (
                Trainer(model, text: text, window: 9, options: options), { model.network.parameters.block.array }
            )
        }
    }

    private func options(steps: Int, evaluateEvery: Int) -> TrainingOptions {
        var options = TrainingOptions()
        (options.steps, options.evaluateEvery, options.batch) = (steps, evaluateEvery, 17)
        options.schedule = .constant
        return options
    }

    /// The model after so many steps.
    private func model(_ kind: Kind, ofStep step: Int) throws -> [Float] {
        let (trainer, values) = try trainer(kind, options(steps: step, evaluateEvery: step))
        #expect(try trainer.run().bestStep == step)
        return values()
    }

    private func stopping(after count: Int) -> () -> Bool {
        var left = count
        return {
            left -= 1
            return left < 0
        }
    }

    @Test(arguments: Kind.allCases)
    func withoutAnEvaluationTheLastStepIsKept(kind: Kind) throws {
        let (trainer, values) = try trainer(kind, options(steps: 20, evaluateEvery: 10))
        let outcome = try trainer.run(shouldStop: stopping(after: 7))
        #expect(outcome.interrupted && outcome.steps == 7 && outcome.bestStep == 7 && outcome.curve.isEmpty)
        #expect(outcome.bestError == .infinity && outcome.bestLoss == .infinity)
        expectSame(values(), try model(kind, ofStep: 7))
    }

    @Test(arguments: Kind.allCases)
    func withOneTheBestIsKept(kind: Kind) throws {
        let (trainer, values) = try trainer(kind, options(steps: 20, evaluateEvery: 10))
        let outcome = try trainer.run(shouldStop: stopping(after: 13))
        #expect(outcome.interrupted && outcome.steps == 13 && outcome.bestStep == 10 && outcome.curve.count == 1)
        expectSame(values(), try model(kind, ofStep: 10))
    }

    @Test(arguments: Kind.allCases)
    func beforeTheFirstStepNothingHasChanged(kind: Kind) throws {
        let (trainer, values) = try trainer(kind, options(steps: 20, evaluateEvery: 10))
        let first = values()
        let outcome = try trainer.run(shouldStop: { true })
        #expect(outcome.interrupted && outcome.steps == 0 && outcome.bestStep == 0)
        expectSame(values(), first)
    }

    /// Stopped twice before the first evaluation, and then not: the model of each stop, and in the end the same bits as
    /// without a stop.
    @Test(arguments: Kind.allCases)
    func aTrainingThatGoesOnLeavesTheStepItCameTo(kind: Kind) throws {
        let folder = TemporaryFolder()
        var options = options(steps: 20, evaluateEvery: 10)
        let whole = try trainer(kind, options)
        _ = try whole.trainer.run()
        options.checkpoint = CheckpointOptions(path: folder.path("checkpoint"), every: 4, resumes: true)
        for (stop, step) in [(3, 3), (0, 3), (5, 8), (4, 10)] {
            let (trainer, values) = try trainer(kind, options)
            let outcome = try trainer.run(shouldStop: stopping(after: stop))
            #expect(outcome.interrupted && outcome.bestStep == step)
            expectSame(values(), try model(kind, ofStep: step))
        }
        let (trainer, values) = try trainer(kind, options)
        #expect(try !trainer.run().interrupted)
        expectSame(values(), whole.values())
    }

    @Test func aCheckpointThatCannotBeWrittenTakesNoStepBack() throws {
        let folder = TemporaryFolder()
        var options = options(steps: 20, evaluateEvery: 10)
        try Files.createDirectory(folder.path("there"))
        options.checkpoint = CheckpointOptions(path: folder.path("there/checkpoint"), every: 6)
        let (trainer, values) = try trainer(.classifier, options)
        var steps = 0
        #expect(throws: TrainingError.self) {
            try trainer.run(shouldStop: {
                steps += 1
                if steps == 6 { TemporaryFolder.remove(folder.path("there")) }
                return false
            })
        }
        expectSame(values(), try model(.classifier, ofStep: 6))
    }

    /// What is left of a loss that is no number are no such numbers.
    @Test func aTrainingThatDivergesIsTakenBack() throws {
        let sets = try AssociativeRetrieval(pairs: 2).generate(counts: [200, 50], seed: 1).map(\.sequences)
        let model = TrainingTests.model(.irnn())
        let first = model.parameters.block.array
        var options = options(steps: 50, evaluateEvery: 50)
        (options.learningRate, options.clip) = (1e30, nil)
        let trainer = try Trainer(model, training: sets[0], validation: sets[1], options: options)
        #expect(throws: TrainingError.diverged(step: 2, learningRate: 1e30)) { try trainer.run() }
        expectSame(model.parameters.block.array, first)
        #expect(trainer.outcome.steps == 1 && trainer.outcome.bestStep == 0 && trainer.outcome.curve.isEmpty)
        // The evaluation may be the first to see it.
        (options.steps, options.evaluateEvery) = (1, 1)
        let short = try Trainer(model, training: sets[0], validation: sets[1], options: options)
        #expect(throws: TrainingError.diverged(step: 1, learningRate: 1e30)) { try short.run() }
        expectSame(model.parameters.block.array, first)
        #expect(short.outcome.bestStep == 0)
    }

    /// Of a loss that is no number from step 11 on, the evaluation of step 10 is left.
    @Test(arguments: Kind.allCases)
    func aTrainingThatDivergesKeepsTheBest(kind: Kind) throws {
        let (trainer, values) = try trainer(kind, options(steps: 20, evaluateEvery: 10))
        #expect(throws: TrainingError.diverged(step: 11, learningRate: 1e-3)) {
            try trainer.run(onEvaluation: { _ in
                for i in values().indices { trainer.parameters.pointer[i] = .nan }
            })
        }
        expectSame(values(), try model(kind, ofStep: 10))
        let outcome = trainer.outcome
        #expect(outcome.steps == 10 && outcome.bestStep == 10 && outcome.curve.count == 1 && !outcome.interrupted)
        #expect(outcome.bestError == outcome.curve[0].validationError && outcome.bestError.isFinite)
    }

    /// A loss per step and an evaluation behind it; the parameters are the step's number.
    private final class Script: TrainingSource {
        let (parameters, gradients): (Parameters, Parameters)
        var carried: Parameters? { nil }
        private let steps: [(loss: Double, evaluation: Evaluation)]
        private var step = 0

        init(_ parameters: Parameters, _ steps: [(loss: Double, evaluation: Evaluation)]) {
            (self.parameters, gradients, self.steps) = (parameters, Parameters(parameters.layout), steps)
        }

        func skip() {}
        func advance(step: Int) -> LossSum {
            self.step = step
            parameters.pointer[0] = Float(step)
            return LossSum(BlockLoss(loss: steps[step - 1].loss, errors: 0), terms: 1, weight: 1)
        }
        func evaluate() -> Evaluation { steps[step - 1].evaluation }
    }

    /// Outputs that are no numbers are of the first class, which may be right more often than what was learned.
    @Test(arguments: [Double.nan, .infinity])
    func anEvaluationWithoutALossIsNotTheBest(loss: Double) throws {
        var layout = Parameters.Layout()
        _ = layout.append("number", shape: [1])
        let parameters = Parameters(layout)
        var options = options(steps: 9, evaluateEvery: 1)
        options.learningRate = 0
        let trainer = Trainer(parameters, options, epoch: Epoch(examples: 1, perStep: 1), identity: []) { _ in
            Script(
                parameters,
                [
                    (1, Evaluation(loss: 1, error: 0.75)), (1, Evaluation(loss: 0.5, error: 0.5)),
                    (1, Evaluation(loss: loss, error: 0.25)), (loss, Evaluation(loss: loss, error: 0.25)),
                ])
        }
        #expect(throws: TrainingError.diverged(step: 4, learningRate: 0)) { try trainer.run() }
        #expect(parameters.pointer[0] == 2 && trainer.outcome.bestStep == 2 && trainer.outcome.bestError == 0.5)
        #expect(trainer.outcome.steps == 3 && trainer.outcome.curve.count == 3)
    }
}
