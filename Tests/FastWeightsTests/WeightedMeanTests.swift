import Testing

@testable import FastWeights

/// Means of losses: every target that counts weighs the same, wherever it stands, and a mean over nothing is no number.
@Suite struct WeightedMeanTests {
    private let folder = TemporaryFolder()

    /// Sequences of four tokens, each with classes at every step or with none, as `isLabeled` says.
    private static func tokens(_ isLabeled: [Bool]) throws -> SequenceData {
        try SequenceData(
            .tokens(isLabeled.indices.map { i in (0..<4).map { ($0 * 7 + i) % 5 } }),
            .stepClasses(isLabeled.map { $0 ? [1, 2, 0, 1] : [Int](repeating: SequenceData.ignored, count: 4) }))
    }

    private static func network(_ outputs: Int = 3, seed: UInt64 = 1) -> Network {
        Network(
            NetworkConfiguration.stack(.lstm(), input: 5, hidden: 4, head: .perStep(outputs), tokens: true), seed: seed)
    }

    /// Batches of `batch`, an evaluation at every step.
    private static func options(
        steps: Int, batch: Int, rate: Double, _ change: (inout TrainingOptions) -> Void = { _ in }
    ) -> TrainingOptions {
        var options = TrainingOptions()
        (options.steps, options.batch, options.learningRate, options.evaluateEvery) = (steps, batch, rate, 1)
        (options.schedule, options.perfectEvaluations) = (.constant, .max)
        change(&options)
        return options
    }

    /// What is thrown, in words.
    private static func message<Result>(_ body: () throws -> Result) -> String {
        do {
            _ = try body()
            return "nothing"
        } catch { return "\(error)" }
    }

    // MARK: - Parts in which nothing counts

    @Test func aSplitNeedsTargetsInBothParts() throws {
        // Four sequences of forty have labels, and four are drawn for validation.
        let data = try Self.tokens((0..<40).map { $0 % 10 == 0 })
        var refused = 0
        for seed in 0..<20 as Range<UInt64> {
            let text = Self.message { try data.split(validation: 0.1, seed: seed) }
            guard text != "nothing" else {
                let parts = try data.split(validation: 0.1, seed: seed)
                #expect(parts.validation.targets.terms.contains { $0 > 0 })
                continue
            }
            refused += 1
            #expect(
                text
                    == "no target counts in the validation part of the split, 4 of 40 sequences drawn with seed \(seed): there is nothing but the class to be ignored; take another share or seed, or leave out the sequences without targets"
            )
        }
        // (36·35·34·33)/(40·39·38·37) = 64 % of all draws.
        #expect((5...19).contains(refused))
        let one = try Self.tokens([true, false])
        let found = Set(
            (0..<20 as Range<UInt64>).map { seed in Self.message { try one.split(validation: 0.5, seed: seed) } })
        #expect(found.count == 20 && !found.contains("nothing"))
        #expect(found.contains { $0.contains("in the training part of the split, 1 of 2") })
        #expect(found.contains { $0.contains("in the validation part of the split, 1 of 2") })
    }

    @Test func aTrainerNeedsTargetsInBothParts() throws {
        let (some, none) = (try Self.tokens([true, false]), try Self.tokens([true, false]).selecting([1]))
        func trainer(_ training: SequenceData, _ validation: SequenceData) -> String {
            Self.message {
                try Trainer(
                    Self.network(), training: training, validation: validation,
                    options: Self.options(steps: 1, batch: 1, rate: 0))
            }
        }
        #expect(trainer(some, some) == "nothing")
        #expect(
            trainer(some, none).hasPrefix("no target counts in the validation part: there is nothing but the class"))
        #expect(trainer(none, some).hasPrefix("no target counts in the training part: there is nothing but the class"))
        #expect(
            Self.message { try Self.network().evaluate(none) }.hasPrefix("no target counts in the data to evaluate on")
        )
        // What needs no target goes on without any.
        #expect(try Self.network().predict(none).count == 1)
        let numbers = try SequenceData(.tokens([[1], [2]]), .stepNumbers([[1, 2], [.nan, .nan]]))
        #expect(Self.message { try Self.network(2).evaluate(numbers.selecting([1])) }.contains("nothing but nan"))
    }

    // MARK: - Training losses

    /// One labeled sequence of forty: both losses are of the same four targets.
    @Test func batchesWithoutTargetsDoNotCount() throws {
        let data = try Self.tokens((0..<40).map { $0 == 0 })
        let expected = try Self.network().evaluate(data.selecting([0])).loss
        let options = Self.options(steps: 20, batch: 2, rate: 0) { $0.evaluateEvery = 20 }
        let outcome = try Trainer(Self.network(), training: data, validation: data.selecting([0]), options: options)
            .run()
        #expect(outcome.curve.count == 1)
        #expect(abs(outcome.curve[0].trainingLoss - expected) < 1e-6 && expected > 0.5)
    }

    /// Batches with many targets and with few: at a rate of 0 the mean over whole passes is that of an evaluation.
    @Test(arguments: [false, true])
    func theTrainingLossIsTheMeanOfItsTargets(regression: Bool) throws {
        let data = try SequenceTrainingTests.data(.perStep(3), count: 12, regression: regression, seed: 6)
        let network = Network(
            NetworkConfiguration.stack(.gru, input: 5, hidden: 4, head: .perStep(3)), seed: 2)
        network.parameters["head.weight"] = network.parameters["head.weight"].map { 8 * $0 }
        let expected = try network.evaluate(data).loss
        let options = Self.options(steps: 12, batch: 3, rate: 0) { $0.evaluateEvery = 4 }
        var between: [Double] = []
        let outcome = try Trainer(network, training: data, validation: data, options: options)
            .run(progress: { between.append($0.trainingLoss) })
        // Three passes of four batches.
        #expect(outcome.curve.count == 3 && between.count == 3)
        for loss in outcome.curve.map(\.trainingLoss) + between { #expect(abs(loss / expected - 1) < 1e-6) }
    }

    /// A step without a target moves nothing: neither along the moments nor by the decay.
    @Test(arguments: [OptimizerRule.adam(weightDecay: 0.1), .sgd(momentum: 0.9), .rmsProp(momentum: 0.5)])
    func aBatchWithoutTargetsMovesNothing(rule: OptimizerRule) throws {
        let data = try Self.tokens([true, false])
        func train(_ data: SequenceData, steps: Int) throws -> (Trainer.Outcome, [Float]) {
            let network = Self.network()
            let options = Self.options(steps: steps, batch: 1, rate: 0.01) { $0.optimizer = rule }
            let outcome = try Trainer(network, training: data, validation: data.selecting([0]), options: options).run()
            return (outcome, network.parameters.block.array)
        }
        let (sparse, found) = try train(data, steps: 10)
        let (dense, expected) = try train(data.selecting([0]), steps: 5)
        #expect(found == expected && sparse.steps == 10)
        // Each pass of two batches has one without; its loss is no number.
        let losses = sparse.curve.map(\.trainingLoss)
        for pass in 0..<5 { #expect(losses[2 * pass..<2 * pass + 2].count { $0.isNaN } == 1) }
        #expect(losses.filter { !$0.isNaN } == dense.curve.map(\.trainingLoss))
    }

    // MARK: - Checkpoints

    /// A mean goes on in its middle, and so does one over nothing.
    @Test(arguments: [1, 2, 3, 4, 5, 8, 11])
    func aMeanGoesOnFromACheckpoint(stop: Int) throws {
        let data = try Self.tokens((0..<7).map { $0 % 3 == 0 })
        func train(_ path: String?, stop: Int = .max, every: Int) throws -> (Trainer.Outcome, [Float]) {
            let network = Self.network(seed: path == nil ? 1 : stop == .max ? 5 : 1)
            let options = Self.options(steps: 12, batch: 1, rate: 0.01) {
                $0.evaluateEvery = every
                $0.checkpoint = path.map { CheckpointOptions(path: $0, every: 100, resumes: true) }
            }
            var left = stop
            let outcome = try Trainer(network, training: data, validation: data, options: options).run(shouldStop: {
                left -= 1
                return left < 0
            })
            return (outcome, network.parameters.block.array)
        }
        for every in [1, 4, 5] {
            let path = folder.path("\(stop) \(every)")
            let (whole, values) = try train(nil, every: every)
            #expect(try train(path, stop: stop, every: every).0.steps == stop)
            let (outcome, found) = try train(path, every: every)
            #expect(found == values)
            #expect(
                outcome.curve.map { "\($0.trainingLoss.magnitude)" }
                    == whole.curve.map { "\($0.trainingLoss.magnitude)" })
            #expect(outcome.curve.map(\.validationLoss) == whole.curve.map(\.validationLoss))
            #expect(whole.curve.contains { $0.trainingLoss.isNaN } == (every == 1))
        }
    }

    /// Its sum is of means of batches, and cannot be gone on with.
    @Test func aCheckpointOfTheFormatBeforeIsRefused() throws {
        let path = folder.path("old")
        let data = try Self.tokens([true])
        func trainer() throws -> Trainer {
            try Trainer(
                Self.network(), training: data, validation: data,
                options: Self.options(steps: 2, batch: 1, rate: 0) {
                    $0.checkpoint = CheckpointOptions(path: path, resumes: true)
                })
        }
        _ = try trainer().run()
        let format = Array("fastweights-checkpoint-".utf8)
        var bytes = try Files.read(path)
        let place = bytes.indices.first { bytes[$0...].starts(with: format) }! + format.count
        #expect(bytes[place] == UInt8(ascii: "2"))
        bytes[place] = UInt8(ascii: "1")
        // The checksum stands behind the length and {"__metadata__":{"crc32":", and is that of eight zeros there.
        let checksum = 34..<42
        bytes.replaceSubrange(checksum, with: "00000000".utf8)
        let digits = String(CRC32.checksum(bytes), radix: 16)
        bytes.replaceSubrange(checksum, with: (String(repeating: "0", count: 8 - digits.count) + digits).utf8)
        try Files.writeAtomically(bytes, to: path)
        #expect { _ = try trainer().run() } throws: {
            "\($0)".contains(
                "expected a checkpoint of the format fastweights-checkpoint-2, found fastweights-checkpoint-1, that of another version; go on"
            )
        }
    }

    // MARK: - Other means

    @Test func aMeanOverNothingIsNoNumber() throws {
        #expect(LossSum().loss.isNaN && LossSum().error.isNaN && LossSum().evaluation.loss.isNaN)
        var sum = LossSum(BlockLoss(loss: 3, errors: 1), terms: 2, weight: 2)
        sum += LossSum()
        #expect(sum.loss == 1.5 && sum.error == 0.5)
        sum += LossSum(BlockLoss(loss: 5, errors: 3), terms: 6, weight: 6)
        #expect(sum.loss == 1 && sum.error == 0.5)
        #expect(LossSum(BlockLoss(loss: 3, errors: 0), terms: 2, weight: 2, isOfSquares: true).error == 1.5)
        // The error is a share of targets, the loss of what they weigh.
        sum += LossSum(BlockLoss(loss: 2, errors: 4), terms: 8, weight: 0.5)
        #expect(sum.loss == 10 / 8.5 && sum.error == 0.5)
        var curve = CatchCurve()
        let point = curve.mark(CatchOptions())(0.5)
        #expect(point.loss.isNaN && point.entropy.isNaN)
        var tally = ErrorTally()
        func passes(_ tolerance: Double) -> Bool {
            GoldenResult("", tally, tolerance: tolerance).passed
        }
        #expect(tally.outputs.isNaN && tally.gradients.isNaN && !passes(1))
        tally.gradient("none", [], [])
        #expect(tally.gradients.isNaN && !passes(1))
        tally.output("one", [1], [1])
        #expect(tally.outputs == 0 && tally.gradients.isNaN && passes(0))
        tally.gradient("another", [1], [2])
        #expect(tally.gradients == 0.5 && tally.worstTensor == "another" && !passes(0.4) && passes(0.5))
    }
}
