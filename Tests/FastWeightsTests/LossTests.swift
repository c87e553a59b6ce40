import Testing

@testable import FastWeights

/// Losses and softmax on arrays, beside the golden cases of `Fixtures/loss`: what does not count, what cannot be computed,
/// and a loop of one's own made of them.
@Suite struct LossTests {
    private static let logits: [Float] = [1, -2, 0.5, 0, 3, -1, 2, 2, 2, -1, 0, 1]

    @Test func softmaxIsOfEachRow() {
        let found = softmax(Self.logits, classes: 3)
        for row in 0..<4 { #expect(abs(found[row * 3..<row * 3 + 3].reduce(0, +) - 1) < 1e-6) }
        #expect(found[6..<9].allSatisfy { abs($0 - 1 / 3) < 1e-7 })
        // e / (e + e⁻² + √e) and so on.
        for (p, wanted) in zip(found, [0.603_75, 0.030_06, 0.366_19] as [Float]) { #expect(abs(p - wanted) < 1e-5) }
        // A row does not depend on those beside it, nor on its place among sixteen.
        let many = softmax(Array(repeating: Self.logits, count: 9).flatMap { $0 }, classes: 3)
        for i in many.indices { #expect(many[i] == found[i % 12]) }
        #expect(softmax([], classes: 3) == [])
    }

    @Test func rowsThatDoNotCountHaveNoGradient() {
        let loss = Loss.crossEntropy(weights: [1, 2, 3], labelSmoothing: 0.25, ignoring: 7)
        let some = loss(Self.logits, classes: [0, 7, 2, 7])
        #expect(some.gradient[3..<6].allSatisfy { $0 == 0 } && some.gradient[9...].allSatisfy { $0 == 0 })
        #expect(some.gradient[0..<3].allSatisfy { $0 != 0 })
        // The others are those of the others alone.
        let alone = loss(Array(Self.logits[0..<3] + Self.logits[6..<9]), classes: [0, 2])
        #expect(alone.value == some.value && alone.gradient == Array(some.gradient[0..<3] + some.gradient[6..<9]))
        let numbers = Loss.meanSquares([1, 2, 3], numbers: [0, .nan, 5])
        #expect(numbers.value == 2.5 && numbers.gradient == [1, 0, -2])
    }

    /// PyTorch's mean of nothing is not a number, and its sum zero.
    @Test func nothingThatCountsHasNoMean() {
        for loss in [Loss.crossEntropy(), .crossEntropy(weights: [0, 1, 1])] {
            let targets = loss == .crossEntropy() ? [-1, -1, -1, -1] : [0, 0, 0, 0]
            let found = loss(Self.logits, classes: targets)
            #expect(found.value.isNaN && found.gradient == [Float](repeating: 0, count: 12))
            #expect(loss(Self.logits, classes: targets, reduction: .sum).value == 0)
        }
        for loss in [Loss.meanSquares, .binaryCrossEntropy(), .binaryCrossEntropy(positiveWeights: [2, 3])] {
            let found = loss([1, 2], numbers: [.nan, .nan])
            #expect(found.value.isNaN && found.gradient == [0, 0])
            #expect(loss([], numbers: [], reduction: .sum).value == 0)
        }
        #expect(Loss.crossEntropy()([], classes: []).gradient == [])
    }

    /// Outputs that are no numbers make a loss that is none, and no trap.
    @Test func lossesOfNoNumbersAreNone() {
        for value: Float in [.nan, .infinity] {
            #expect(!Loss.crossEntropy(labelSmoothing: 0.1)([value, 0], classes: [1]).value.isFinite)
            #expect(!Loss.meanSquares([value], numbers: [0]).value.isFinite)
            #expect(!Loss.binaryCrossEntropy()([value], numbers: [0]).value.isFinite)
        }
    }

    /// Classes that weigh one each are classes without weights, to the bit: what trainings have.
    @Test func equalWeightsAreNone() {
        let logits = CellTests.random(37 * 5, 1)
        let labels = (0..<37).map { $0 * 7 % 6 - 1 }
        let (plain, ones) = (Loss.crossEntropy(), Loss.crossEntropy(weights: [1, 1, 1, 1, 1]))
        let (a, b) = (plain(logits, classes: labels), ones(logits, classes: labels))
        #expect(a.value == b.value && a.gradient == b.gradient)
    }

    /// A loss without its gradient has the same bits, and leaves the outputs as they are.
    @Test func aLossAloneLeavesTheOutputs() {
        let (rows, count) = (5, 13)
        let y = CellTests.random(Lanes.width * rows, 3)
        let wanted = Buffer<Lanes>(rows)
        for r in 0..<rows { for lane in 0..<Lanes.width { wanted.pointer[r][lane] = lane < count ? 0.25 : .nan } }
        let labels = (0..<count).map { Int32($0 % 6 - 1) }
        let weights: [Float] = [1, 2, 0.5, 0, 3]
        let losses: [(Panel, Float?) -> BlockLoss] = [
            { panel, scale in crossEntropy(panel, classes: rows, targets: labels, count: count, scale: scale) },
            { panel, scale in
                crossEntropy(
                    panel, classes: rows, targets: labels, count: count, scale: scale,
                    ClassWeights(weights: weights, smoothing: 0.1))
            },
            { panel, scale in meanSquares(panel, wanted.pointer, rows: rows, scale: scale) },
            { panel, scale in binaryCrossEntropy(panel, wanted.pointer, rows: rows, weights: weights, scale: scale) },
        ]
        for loss in losses {
            func found(_ scale: Float?) -> (loss: BlockLoss, y: [Float]) {
                let panel = Buffer<Float>(y)
                let loss = UnsafeMutableRawPointer(panel.pointer).withMemoryRebound(to: Lanes.self, capacity: rows) {
                    loss($0, scale)
                }
                return (loss, panel.array)
            }
            let (alone, both) = (found(nil), found(0.5))
            #expect(alone.loss.loss == both.loss.loss && alone.loss.errors == both.loss.errors && alone.loss.loss > 0)
            #expect(alone.y == y && both.y != y)
        }
    }

    /// Without weights the gradient is that of the kernel of the trainings: (p - onehot)·scale, rounded as there.
    @Test func aPlainLossIsThatOfTrainings() {
        let logits = CellTests.random(16 * 5, 2)
        let labels = (0..<16).map { $0 % 5 }
        let found = Loss.crossEntropy()(logits, classes: labels).gradient
        let p = softmax(logits, classes: 5)
        for (row, label) in labels.enumerated() {
            for c in 0..<5 {
                #expect(found[row * 5 + c] == p[row * 5 + c] * (1 / 16) - (c == label ? 1 / 16 : 0))
            }
        }
    }

    /// A training written out with passes, losses and an optimizer of one's own goes the way that `Trainer` goes.
    @Test func aLoopOfOnesOwnIsATraining() throws {
        let (count, T, classes) = (16, 5, 3)
        func network() -> Network {
            Network(
                NetworkConfiguration.stack(.gru, input: 2, hidden: 4, head: .perSequence(classes)), seed: 2)
        }
        let sequences = (0..<count).map { CellTests.random(T * 2, UInt64($0 + 1)) }
        let labels = (0..<count).map { $0 % classes }
        let data = try SequenceData(.numbers(sequences, width: 2), .classes(labels))
        var options = TrainingOptions()
        (options.epochs, options.batch, options.evaluatesEachEpoch, options.perfectEvaluations) = (9, count, true, .max)
        (options.schedule, options.clip, options.learningRate) = (.cosine.afterWarmUp(of: 3, from: 0.1), 0.05, 0.02)
        options.optimizer = .sgd(momentum: 0.9, isNesterov: true)
        let (trained, own) = (network(), network())
        var last: [Float] = []
        let curve = try Trainer(trained, training: data, validation: data, options: options)
            .run(onEvaluation: { _ in last = trained.parameters.block.array }).curve

        // [T, B, I] from sequences one behind the other.
        let input = (0..<T).flatMap { t in sequences.flatMap { $0[t * 2..<t * 2 + 2] } }
        let pass = NetworkPass(own)
        let optimizer = Optimizer(options.optimizer, own.parameters, pass.gradients)
        for step in 0..<9 {
            let outputs = pass.forward(input, steps: T, batch: count).outputs
            let (value, gradient) = Loss.crossEntropy()(outputs, classes: labels)
            #expect(abs(value - curve[step].trainingLoss) < 1e-6)
            pass.gradients.clear()
            _ = pass.backward(gradient)
            optimizer.step(rate: 0.02 * options.schedule.factor(step: step, of: 9), clip: 0.05)
        }
        let worst = zip(own.parameters.block.array, last).map { abs($0 - $1) }.max()!
        #expect(worst < 1e-6 && curve.last!.trainingLoss < curve[0].trainingLoss)
    }
}
