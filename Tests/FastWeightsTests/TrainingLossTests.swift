import Testing

@testable import FastWeights

/// Losses of a training that are asked for: weights of classes, smoothed labels, labels that do not count, binary
/// cross-entropy. Beside the golden cases of `Fixtures/training`, against sums in double precision over one sequence after
/// another.
@Suite struct TrainingLossTests {
    private static let classes: [Loss] = [
        .crossEntropy(), .crossEntropy(weights: [0.5, 2, 1.25]), .crossEntropy(labelSmoothing: 0.1),
        .crossEntropy(weights: [3, 0, 0.25], labelSmoothing: 0.3), .crossEntropy(weights: [1, 2, 3], ignoring: 1),
    ]
    private static let numbers: [Loss] = [
        .meanSquares, .binaryCrossEntropy(), .binaryCrossEntropy(positiveWeights: [0.5, 4, 1]),
    ]
    static let losses = classes + numbers
    private static let heads: [TestHead] = [.perSequence(3), .perStep(3)]

    /// Sequences of 1 to 9 steps of five numbers with targets that the loss can be of: at every step a fifth without, of
    /// sequences only numbers.
    static func data(_ loss: Loss, _ head: TestHead, count: Int) throws -> SequenceData {
        var random = Random(seed: 4)
        let lengths = (0..<count).map { _ in 1 + random.below(9) }
        let inputs = lengths.map { length in (0..<length * 5).map { _ in Float(random.normal()) } }
        func label() -> Int { random.below(5) == 0 ? SequenceData.ignored : random.below(3) }
        func number() -> Float { random.below(5) == 0 ? .nan : [0, 1, 0.5, 0.875, 0.25][random.below(5)] }
        let targets: SequenceData.Targets =
            switch (head.isPerStep, loss.isOfClasses) {
            case (false, true): .classes(lengths.map { _ in random.below(3) })
            case (true, true): .stepClasses(lengths.map { (0..<$0).map { _ in label() } })
            case (false, false): .numbers(lengths.map { _ in (0..<3).map { _ in number() } })
            case (true, false): .stepNumbers(lengths.map { (0..<$0 * 3).map { _ in number() } })
            }
        return try SequenceData(.numbers(inputs, width: 5), targets)
    }

    private static func network(_ head: TestHead, seed: UInt64 = 1) -> Network {
        let network = Network(NetworkConfiguration.stack(.gru, input: 5, hidden: 4, head: head), seed: seed)
        // So that there are right answers and wrong ones, and no two losses that are alike.
        network.parameters["head.weight"] = network.parameters["head.weight"].map { 4 * $0 }
        return network
    }

    // MARK: - The twin

    /// Sums over targets.
    private struct Sums {
        var (loss, weight, missed, terms) = (0.0, 0.0, 0, 0)
    }

    /// Adds a row's loss; returns ∂loss/∂z.
    private static func addClass(_ loss: Loss, _ z: [Double], _ label: Int, _ sums: inout Sums) -> [Double] {
        guard case .crossEntropy(let weights, let smoothing, let ignored) = loss, label >= 0, label != ignored else {
            return z.map { _ in 0 }
        }
        let w = z.indices.map { weights.isEmpty ? 1 : Double(weights[$0]) }
        let e = z.map { exponential($0) }
        let p = e.map { $0 / e.reduce(0, +) }
        let q = z.indices.map { c in
            (1 - Double(smoothing)) * (c == label ? w[c] : 0) + Double(smoothing) / Double(z.count) * w[c]
        }
        sums.loss -= zip(q, p).reduce(0) { $0 + $1.0 * naturalLogarithm($1.1) }
        sums.weight += w[label]
        sums.terms += 1
        if z.firstIndex(of: z.max()!) != label { sums.missed += 1 }
        return zip(q, p).map { q.reduce(0, +) * $0.1 - $0.0 }
    }

    private static func addNumber(_ loss: Loss, _ z: Double, _ t: Double, output: Int, _ sums: inout Sums) -> Double {
        guard !t.isNaN else { return 0 }
        sums.weight += 1
        sums.terms += 1
        guard case .binaryCrossEntropy(let weights) = loss else {
            sums.loss += (z - t) * (z - t)
            return 2 * (z - t)
        }
        let (w, p) = (weights.isEmpty ? 1 : Double(weights[output]), 1 / (1 + exponential(-z)))
        sums.loss -= w * t * naturalLogarithm(p) + (1 - t) * naturalLogarithm(1 - p)
        if t != 0.5 && (t > 0.5) != (z > 0) { sums.missed += 1 }
        return (1 - t) * p - w * t * (1 - p)
    }

    private static func exponential(_ x: Double) -> Double {
        // e^x = (e^(x/1024))^1024, by its series.
        let y = x / 1024
        var power = 1 + y * (1 + y / 2 * (1 + y / 3 * (1 + y / 4 * (1 + y / 5))))
        for _ in 0..<10 { power *= power }
        return power
    }

    private static func twin(_ network: Network, _ data: SequenceData, _ loss: Loss) -> (Sums, Parameters) {
        let (inputs, targets) = (data.inputs, data.targets)
        var sums = Sums()
        let (pass, gradients) = (NetworkPass(network), Parameters(network.parameters.layout))
        for i in 0..<data.count {
            let (start, length) = (inputs.starts[i], inputs.lengths[i])
            let numbers = Array(inputs.numbers[start * 5..<(start + length) * 5])
            let z = pass.forward(numbers, steps: length, batch: 1).outputs.map { Double($0) }
            var gradient: [Double] = []
            for row in 0..<z.count / 3 {
                let (place, values) = (targets.isPerStep ? start + row : i, Array(z[row * 3..<row * 3 + 3]))
                if loss.isOfClasses {
                    gradient += addClass(loss, values, Int(targets.classes[place]), &sums)
                } else {
                    for c in 0..<3 {
                        let target = Double(targets.numbers[place * 3 + c])
                        gradient.append(addNumber(loss, values[c], target, output: c, &sums))
                    }
                }
            }
            _ = pass.backward(gradient.map { Float($0) })
        }
        for (i, value) in pass.gradients.block.array.enumerated() {
            gradients.pointer[i] = Float(Double(value) / sums.weight)
        }
        return (sums, gradients)
    }

    @Test(arguments: losses, heads)
    func lossesAndGradientsAreThoseOfTheTwin(loss: Loss, head: TestHead) throws {
        let (network, data) = (Self.network(head), try Self.data(loss, head, count: 39))
        let (sums, gradients) = Self.twin(network, data, loss)
        let mean = sums.loss / sums.weight
        let missed = loss == .meanSquares ? mean : Double(sums.missed) / Double(sums.terms)
        func check(_ evaluation: Evaluation) {
            #expect(abs(evaluation.loss / mean - 1) < 1e-5 && abs(evaluation.error - missed) < 1e-6)
        }
        #expect(sums.terms > 20 && sums.missed > 0 || loss == .meanSquares)
        check(try network.evaluate(data, loss: loss, threads: 2))
        let measured = try data.measured(by: loss, network.definition, as: "the data")
        ThreadTeam.run(threads: 2) { team in
            let engine = ParallelTraining(network.definition, network.parameters, longest: 9, team: team)
            check(engine.gradient(measured, Array(0..<39)).evaluation)
            for name in network.parameters.layout.windows.map(\.name) {
                let error = RecurrentStreamTests.relativeError(engine.gradients[name], gradients[name])
                #expect(error < 1e-5, "\(name): \(error)")
            }
        }
    }

    // MARK: - By hand

    /// A network whose outputs are its biases.
    private static func constant(_ biases: [Float]) -> Network {
        let network = Network(NetworkConfiguration(.numbers(1), [.lastStep, .dense(biases.count)]), seed: 1)
        network.parameters["1.weight"] = biases.map { _ in 0 }
        network.parameters["1.bias"] = biases
        return network
    }

    private static func inputs(_ count: Int) -> SequenceData.Inputs {
        .numbers([[Float]](repeating: [1], count: count), width: 1)
    }

    /// Probabilities of ¼ and ¾: the mean is Σ loss / Σ w_y, and every sequence one of the error's.
    @Test func theMeanIsOfWeights() throws {
        let network = Self.constant([0, Float(naturalLogarithm(3))])
        let data = try SequenceData(Self.inputs(3), .classes([0, 1, 1]))
        let (rare, common) = (naturalLogarithm(4), naturalLogarithm(4.0 / 3))
        func expect(_ loss: Loss, _ mean: Double, error: Double = 1.0 / 3) throws {
            let found = try network.evaluate(data, loss: loss)
            #expect(abs(found.loss - mean) < 1e-6 && abs(found.error - error) < 1e-12, "\(loss): \(found)")
        }
        try expect(.crossEntropy(), (rare + 2 * common) / 3)
        try expect(.crossEntropy(weights: [2, 0.5]), (2 * rare + 2 * 0.5 * common) / 3)
        try expect(.crossEntropy(weights: [0, 1]), common)
        // Of ε = ½ half of it goes to each class: ¾ of the label to its own, ¼ to the other.
        let (own, other) = ((3 * rare + common) / 4, (3 * common + rare) / 4)
        try expect(.crossEntropy(labelSmoothing: 0.5), (own + 2 * other) / 3)
        try expect(.crossEntropy(ignoring: 1), rare, error: 1)
        try expect(.crossEntropy(ignoring: 0), common, error: 0)
    }

    /// σ(z) is ½ and ¾. A target of ½ is never missed, and z = 0 says 0.
    @Test func numbersOnTheOtherSideOfAHalfAreMissed() throws {
        let network = Self.constant([0, Float(naturalLogarithm(3))])
        func expect(_ targets: [Float], _ loss: Double, error: Double, weights: [Float] = []) throws {
            let data = try SequenceData(Self.inputs(1), .numbers([targets]))
            let found = try network.evaluate(data, loss: .binaryCrossEntropy(positiveWeights: weights))
            #expect(abs(found.loss - loss) < 1e-6 && found.error == error, "\(targets): \(found)")
        }
        let (half, quarter, most) = (naturalLogarithm(2), naturalLogarithm(4), naturalLogarithm(4.0 / 3))
        try expect([1, 0], (half + quarter) / 2, error: 1)
        try expect([0, 1], (half + most) / 2, error: 0)
        try expect([0, 0], (half + quarter) / 2, error: 0.5)
        try expect([0.5, 0.5], (half + (quarter + most) / 2) / 2, error: 0)
        try expect([.nan, 0.25], 0.75 * quarter + 0.25 * most, error: 1)
        try expect([1, 1], (3 * half + 5 * most) / 2, error: 0.5, weights: [3, 5])
    }

    // MARK: - Trainings

    private static func train(
        _ loss: Loss?, of targets: Loss, _ head: TestHead, threads: Int = 1,
        _ change: (inout TrainingOptions) -> Void = { _ in }
    ) throws -> (curve: [Trainer.Point], values: [Float]) {
        let (training, validation) = try data(targets, head, count: 180).split(validation: 0.1, seed: 1)
        let network = Self.network(head)
        let options = SequenceTrainingTests.options {
            ($0.steps, $0.evaluateEvery, $0.batch, $0.loss, $0.threads) = (4, 2, 150, loss, threads)
            change(&$0)
        }
        let outcome = try Trainer(network, training: training, validation: validation, options: options).run()
        return (outcome.curve, network.parameters.block.array)
    }

    /// Batches of ten blocks, in as many shards.
    @Test(arguments: losses, heads)
    func sameBitsForAnyNumberOfThreads(loss: Loss, head: TestHead) throws {
        let one = try Self.train(loss, of: loss, head)
        for threads in [2, 3, 8] {
            let other = try Self.train(loss, of: loss, head, threads: threads)
            expectSame(one.values, other.values, "\(threads) threads")
            #expect("\(one.curve)" == "\(other.curve)")
        }
    }

    /// What is asked for by its name, or weighs 1 everywhere, is what trainings have by themselves, to the bit; nothing else is.
    @Test(arguments: heads)
    func thePlainLossHasThePlainBits(head: TestHead) throws {
        for (plain, others) in [
            (Loss.crossEntropy(), [.crossEntropy(), .crossEntropy(weights: [1, 1, 1])] + Self.classes.dropFirst()),
            (.meanSquares, Self.numbers),
        ] {
            let expected = try Self.train(nil, of: plain, head)
            for loss in others {
                let found = try Self.train(loss, of: plain, head)
                let isPlain = loss == plain || loss == .crossEntropy(weights: [1, 1, 1])
                #expect((difference(found.values, expected.values) == nil) == isPlain, "\(loss)")
                #expect(("\(found.curve)" == "\(expected.curve)") == isPlain, "\(loss)")
            }
        }
    }

    /// Validation has the loss of the training, and at a rate of 0 both are those of an evaluation.
    @Test(arguments: losses)
    func bothLossesAreTheOneAskedFor(loss: Loss) throws {
        let head = TestHead.perStep(3)
        let data = try Self.data(loss, head, count: 24)
        let network = Self.network(head)
        let expected = try network.evaluate(data, loss: loss)
        let options = SequenceTrainingTests.options {
            ($0.steps, $0.evaluateEvery, $0.batch, $0.loss, $0.learningRate) = (6, 3, 8, loss, 0)
        }
        let outcome = try Trainer(network, training: data, validation: data, options: options).run()
        #expect(outcome.curve.count == 2)
        for point in outcome.curve {
            #expect(point.validationLoss == expected.loss && point.validationError == expected.error)
            #expect(abs(point.trainingLoss / expected.loss - 1) < 1e-6)
        }
    }

    /// In batches of one, those of the class that weighs nothing take no step, smoothed or not.
    @Test(arguments: [0, 0.25] as [Float])
    func aBatchThatWeighsNothingMovesNothing(smoothing: Float) throws {
        let inputs: [[Float]] = [[1, 0.5], [-1, 0.25]]
        func train(_ indices: [Int], steps: Int) throws -> (Trainer.Outcome, [Float]) {
            let data = try SequenceData(.numbers(inputs, width: 1), .classes([1, 0]))
            let network = Network(NetworkConfiguration(.numbers(1), [.gru(3), .lastStep, .dense(2)]), seed: 2)
            let options = SequenceTrainingTests.options {
                ($0.steps, $0.batch, $0.evaluateEvery, $0.schedule) = (steps, 1, 1, .constant)
                ($0.perfectEvaluations, $0.optimizer) = (.max, .adam(weightDecay: 0.1))
                $0.loss = .crossEntropy(weights: [0, 2], labelSmoothing: smoothing)
            }
            let trainer = try Trainer(
                network, training: data.selecting(indices), validation: data.selecting([0]), options: options)
            var last: [Float] = []
            let outcome = try trainer.run(onEvaluation: { _ in last = network.parameters.block.array })
            return (outcome, last)
        }
        let (some, found) = try train([0, 1], steps: 8)
        let (all, expected) = try train([0], steps: 4)
        expectSame(found, expected)
        #expect(some.steps == 8 && some.curve.count { !$0.trainingLoss.isFinite } == 4)
        #expect(some.curve.map(\.trainingLoss).filter(\.isFinite) == all.curve.map(\.trainingLoss))
    }

    // MARK: - Checkpoints

    /// By their names checkpoints tell losses apart.
    @Test func aLossIsNamedByItsOptions() {
        let names = [
            ("crossEntropy", Loss.crossEntropy()),
            ("crossEntropy(labelSmoothing: 0.25)", .crossEntropy(labelSmoothing: 0.25)),
            (
                "crossEntropy(weights: [0.5, 2.0], labelSmoothing: 1.0, ignoring: 255)",
                .crossEntropy(weights: [0.5, 2], labelSmoothing: 1, ignoring: 255)
            ),
            ("crossEntropy(ignoring: 0)", .crossEntropy(ignoring: 0)), ("meanSquares", .meanSquares),
            ("binaryCrossEntropy", .binaryCrossEntropy()),
            ("binaryCrossEntropy(positiveWeights: [1.0])", .binaryCrossEntropy(positiveWeights: [1])),
        ]
        for (name, loss) in names { #expect("\(loss)" == name) }
    }

    /// Stopped between two evaluations, where what the targets weigh so far is no whole number.
    @Test(arguments: [
        Loss.crossEntropy(weights: [0.3, 2, 1.1], labelSmoothing: 0.1),
        .binaryCrossEntropy(positiveWeights: [3, 1, 1]),
    ])
    func aTrainingGoesOnToTheSameBits(loss: Loss) throws {
        let folder = TemporaryFolder()
        let head = TestHead.perStep(3)
        let data = try Self.data(loss, head, count: 20)
        func run(_ loss: Loss?, stop: Int = .max, saves: Bool = true) throws -> (Trainer.Outcome, [Float]) {
            let network = Self.network(head)
            let options = SequenceTrainingTests.options {
                ($0.steps, $0.batch, $0.evaluateEvery, $0.loss) = (6, 7, 3, loss)
                if saves { $0.checkpoint = CheckpointOptions(path: folder.path("a"), every: 100, resumes: true) }
            }
            var left = stop
            let outcome = try Trainer(network, training: data, validation: data, options: options).run(shouldStop: {
                left -= 1
                return left < 0
            })
            return (outcome, network.parameters.block.array)
        }
        let (whole, values) = try run(loss, saves: false)
        #expect(try run(loss, stop: 4).0.steps == 4)
        // Another loss is refused by its name, and the plain one by its own.
        for (other, name) in [
            (nil, "\(loss.isOfClasses ? Loss.crossEntropy() : .meanSquares)"),
            (loss.isOfClasses ? .crossEntropy(weights: [0.3, 2, 1]) : .binaryCrossEntropy(), nil),
        ] as [(Loss?, String?)] {
            let error = #expect(throws: TrainingError.self) { try run(other) }
            let words = "loss was \"\(loss)\" there and is \"\(name ?? "\(other!)")\" here. Give"
            #expect(error?.description.contains(words) == true, "\(error?.description ?? "no error")")
        }
        let (outcome, found) = try run(loss)
        expectSame(found, values)
        #expect("\(outcome.curve)" == "\(whole.curve)")
    }

    /// A plain loss by its name goes on where none was named.
    @Test func aPlainLossGoesOnByItsName() throws {
        let folder = TemporaryFolder()
        func train(_ loss: Loss?, steps: Int = 4) throws {
            _ = try Self.train(loss, of: .meanSquares, .perSequence(3)) {
                $0.checkpoint = CheckpointOptions(path: folder.path("a"), resumes: true)
            }
        }
        try train(nil)
        try train(.meanSquares)
        #expect(throws: TrainingError.self) { try train(.binaryCrossEntropy()) }
    }

    // MARK: - Refusals

    @Test func dataThatTheLossHasNotIsNamed() throws {
        let network = Network(NetworkConfiguration(.numbers(1), [.gru(2), .dense(2)]), seed: 1)
        func message(_ targets: SequenceData.Targets, _ loss: Loss) throws -> String {
            let data = try SequenceData(.numbers([[1, 2], [3]], width: 1), targets)
            var options = TrainingOptions()
            (options.loss, options.steps) = (loss, 1)
            let found = [
                #expect(throws: SequenceDataError.self) { try network.evaluate(data, loss: loss) },
                #expect(throws: SequenceDataError.self) {
                    try Trainer(network, training: data, validation: data, options: options)
                },
            ].map { $0?.description ?? "no error" }
            return found[0].contains("to evaluate on") ? found[1] : found[0]
        }
        #expect(
            try message(.stepNumbers([[0, 1, .nan, 0], [1, 1.5]]), .binaryCrossEntropy())
                == "sequence 1 has the target 1.5; those of binaryCrossEntropy are from 0 to 1, or nan where there is none"
        )
        #expect(
            try message(.stepNumbers([[0, 1, -0.5, 0], [1, 1]]), .binaryCrossEntropy()).hasPrefix(
                "sequence 0 has the target -0.5"))
        #expect(
            try message(.stepClasses([[0, -1], [0]]), .crossEntropy(weights: [0, 1]))
                == "no target counts in the training part: there is nothing but the class to be ignored and classes that weigh 0; give it sequences with targets"
        )
        #expect(
            try message(.stepClasses([[0, -1], [0]]), .crossEntropy(ignoring: 0)).hasPrefix(
                "no target counts in the training part"))
        #expect(
            try message(.stepClasses([[0, 2], [0]]), .crossEntropy(weights: [1, 1], ignoring: 5)).contains("a class 2"))
        // What is ignored need not be a class of the network's.
        let data = try SequenceData(.numbers([[1, 2], [3]], width: 1), .stepClasses([[255, -1], [1]]))
        #expect(
            try network.evaluate(data, loss: .crossEntropy(ignoring: 255))
                == network.evaluate(data.selecting([1])))
    }
}
