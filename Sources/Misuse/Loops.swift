import FastWeights

/// Optimizers, schedules and losses of a loop of one's own that cannot be.
extension Case {
    private static func block(_ size: Int = 2) -> Parameters {
        var layout = Parameters.Layout()
        layout.append("x", size)
        return Parameters(layout)
    }

    private static func optimizer(_ rule: OptimizerRule = .adam()) -> Optimizer { Optimizer(rule, block(), block()) }

    static let loops: [Case] = [
        Case(
            "nesterov",
            "Nesterov's momentum is above 0, and without dampening; found sgd(momentum: 0.0, isNesterov: true)",
            optimizer(.sgd(isNesterov: true))),
        Case(
            "dampening",
            "β and α are from 0 to below 1, dampening to 1, ε, decay, l2 and momentum finite and at least 0; found sgd(momentum: 0.5, dampening: 2.0)",
            optimizer(.sgd(momentum: 0.5, dampening: 2))),
        Case(
            "layouts", "gradients have the layout of the parameters, x [2]; found x [3]",
            Optimizer(.sgd(), block(2), block(3))),
        Case(
            "rate", "a learning rate is a finite number of at least 0, found inf",
            optimizer().step(rate: .infinity)),
        Case(
            "step-clip", "gradients are clipped to a norm above 0, or with nil not at all; found -1.0",
            optimizer().step(rate: 1, clip: -1)),
        Case(
            "steps-taken", "an optimizer has taken 0 or more steps, found -1",
            doing: { optimizer().steps = -1 }),
        Case("clip-norm", "numbers are clipped to a norm above 0, found 0.0", block().clip(toNorm: 0)),
        Case(
            "schedule-share", "the factors and shares of a schedule are from 0 to 1, found 1.5",
            Schedule.cosine(to: 1.5)),
        Case(
            "schedule-every", "a learning rate falls every 1 or more steps, found 0", Schedule.step(every: 0)),
        Case("warm-up", "a warm-up has 1 or more steps, found 0", Schedule.cosine.afterWarmUp(of: 0)),
        Case(
            "schedule-step", "a schedule has steps from 0 on, of at least 1; found step -1 of 10",
            Schedule.cosine.factor(step: -1, of: 10)),
        Case(
            "softmax", "a softmax has rows of 1 or more classes; found 3 numbers in rows of 2",
            softmax([1, 2, 3], classes: 2)),
        Case(
            "loss-of-numbers", "the loss meanSquares is of numbers; it was given classes",
            Loss.meanSquares([1, 2], classes: [0])),
        Case(
            "loss-of-classes",
            "the loss crossEntropy is of classes; it was given numbers",
            Loss.crossEntropy()([1, 2], numbers: [0, 1])),
        Case(
            "loss-rows", "outputs have a row of 1 or more numbers for each target; found 5 numbers and 2 classes",
            Loss.crossEntropy()([1, 2, 3, 4, 5], classes: [0, 1])),
        Case(
            "loss-class", "classes are from 0 to 1, or -1 where none counts; found 2",
            Loss.crossEntropy()([1, 2], classes: [2])),
        Case(
            "loss-smoothing", "the smoothing of labels is from 0 to 1, found -0.5",
            Loss.crossEntropy(labelSmoothing: -0.5)([1, 2], classes: [0])),
        Case(
            "loss-weights", "weights are one each of 2 classes, found 3",
            Loss.crossEntropy(weights: [1, 1, 1])([1, 2], classes: [0])),
        Case(
            "loss-weight", "weights are finite and at least 0, found -1.0",
            Loss.crossEntropy(weights: [1, -1])([1, 2], classes: [0])),
        Case(
            "loss-targets", "outputs have a target each; found 2 numbers and 1 targets",
            Loss.meanSquares([1, 2], numbers: [1])),
        Case(
            "loss-target",
            "targets of binaryCrossEntropy are from 0 to 1, or nan where none counts; found 2.0",
            Loss.binaryCrossEntropy()([1], numbers: [2])),
        Case(
            "loss-infinite", "targets of meanSquares are finite, or nan where none counts; found inf",
            Loss.meanSquares([1], numbers: [.infinity])),
        Case(
            "loss-positive-weights", "outputs have a weight each in a row; found 3 numbers and 2 weights",
            Loss.binaryCrossEntropy(positiveWeights: [1, 2])([1, 2, 3], numbers: [0, 1, 1])),
    ]
}
