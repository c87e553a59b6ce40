import FastWeights

/// Options that no training can have, and data that do not go together.
extension Case {
    /// A training with options that were changed.
    private static func trainer(_ change: (inout TrainingOptions) -> Void) throws -> Trainer {
        var options = TrainingOptions()
        change(&options)
        let network = Network(NetworkConfiguration(.numbers(1), [.gru(2), .lastStep, .dense(2)]), seed: 1)
        let data = try SequenceData(.numbers([[1]], width: 1), .classes([0]))
        return try Trainer(network, training: data, validation: data, options: options)
    }

    private static let text = Array("abracadabra, abracadabra, abracadabra".utf8)

    private static func text(_ layer: Layer, window: Int, loss: Loss? = nil) throws -> Trainer {
        let vocabulary = TextVocabulary(of: text)
        var options = TrainingOptions()
        options.loss = loss
        return Trainer(
            TextModel([layer], vocabulary: vocabulary, seed: 1), text: try TrainingText(text, vocabulary),
            window: window, options: options)
    }

    static let trainings: [Case] = [
        Case(
            "steps", "a training has at least 1 step, and at least 1 between evaluations; found 0 and 500",
            try trainer { $0.steps = 0 }),
        Case(
            "evaluate-every", "a training has at least 1 step, and at least 1 between evaluations; found 20000 and -1",
            try trainer { $0.evaluateEvery = -1 }),
        Case(
            "time", "a training's time is at least 0 seconds, found -1.0",
            try trainer { $0.timeLimit = .seconds(-1) }),
        Case("batch", "a batch has from 1 to 16777216 sequences, found 0", try trainer { $0.batch = 0 }),
        Case(
            "batch-too-large", "a batch has from 1 to 16777216 sequences, found \(Int.max)",
            try trainer { $0.batch = .max }),
        Case(
            "learning-rate-nan", "a learning rate is a finite number of at least 0, found nan",
            try trainer { $0.learningRate = .nan }),
        Case(
            "clip-zero", "gradients are clipped to a norm above 0, or with nil not at all; found 0.0",
            try trainer { $0.clip = 0 }),
        Case(
            "patience",
            "a training ends after at least 1 evaluation without a better one, or 1 perfect one; found -1 and 10",
            try trainer { $0.patience = -1 }),
        Case(
            "threads", "work is done on 1 to 1024 threads, found 0", try trainer { $0.threads = 0 }),
        Case(
            "momentum",
            "β and α are from 0 to below 1, dampening to 1, ε, decay, l2 and momentum finite and at least 0; found sgd(momentum: nan)",
            try trainer { $0.optimizer = .sgd(momentum: .nan) }),
        Case(
            "epochs", "a training has at least 1 epoch, or with nil the steps that are asked for; found 0",
            try trainer { $0.epochs = 0 }),
        Case(
            "checkpoint-every", "steps between checkpoints are at least 1, found 0",
            CheckpointOptions(path: "x", every: 0)),
        Case(
            "checkpoint-changed", "steps between checkpoints are at least 1, found -1",
            try trainer {
                var checkpoint = CheckpointOptions(path: "x")
                checkpoint.every = -1
                $0.checkpoint = checkpoint
            }),
        Case(
            "training-widths", "the network takes 1 numbers a step; the data has tokens",
            doing: {
                let network = Network(NetworkConfiguration(.numbers(1), [.gru(2), .lastStep, .dense(2)]), seed: 1)
                _ = try Trainer(
                    network, training: try SequenceData(.numbers([[1]], width: 1), .classes([0])),
                    validation: try SequenceData(.tokens([[0]]), .classes([0])), options: TrainingOptions())
            }),
        Case(
            "no-last-step",
            "the network gives 2 numbers per step; the data has a target per sequence: put lastStep or mean below the last layer",
            doing: {
                let network = Network(NetworkConfiguration(.numbers(1), [.gru(2)]), seed: 1)
                let data = try SequenceData(.numbers([[1]], width: 1), .classes([0]))
                _ = try Trainer(network, training: data, validation: data, options: TrainingOptions())
            }),
        Case(
            "training-loss-of-numbers", "the loss meanSquares is of numbers; the data has classes",
            try trainer { $0.loss = .meanSquares }),
        Case(
            "training-loss-weights", "weights are one each of 2 classes, found 3",
            try trainer { $0.loss = .crossEntropy(weights: [1, 1, 1]) }),
        Case(
            "training-loss-smoothing", "the smoothing of labels is from 0 to 1, found 2.0",
            try trainer { $0.loss = .crossEntropy(labelSmoothing: 2) }),
        Case(
            "training-loss-positive-weights", "weights are one each of 2 outputs, found 1",
            doing: {
                let network = Network(NetworkConfiguration(.numbers(1), [.dense(2)]), seed: 1)
                _ = try network.evaluate(
                    try SequenceData(.numbers([[1]], width: 1), .stepNumbers([[0, 1]])),
                    loss: .binaryCrossEntropy(positiveWeights: [2]))
            }),
        Case(
            "training-loss-of-probabilities",
            "the network ends with softmax, and the loss binaryCrossEntropy is of logits; make one without that layer",
            doing: {
                let network = Network(NetworkConfiguration(.numbers(1), [.dense(2), .softmax]), seed: 1)
                _ = try network.evaluate(
                    try SequenceData(.numbers([[1]], width: 1), .stepNumbers([[0, 1]])), loss: .binaryCrossEntropy())
            }),
        Case(
            "text-loss",
            "a text is learned by the plain cross-entropy, the loss nil; found crossEntropy(labelSmoothing: 0.5)",
            try text(.gru(2), window: 4, loss: .crossEntropy(labelSmoothing: 0.5))),
        Case("window", "a window has from 1 to 65536 tokens, found 0", try text(.gru(2), window: 0)),
        Case(
            "window-of-schedule",
            "a window of fast weights with a schedule is of whole periods of its 2 steps, found 3 tokens",
            try text(.fastWeights(2, FastWeightsOptions(schedule: [.usual, .read])), window: 3)),
    ]
}
