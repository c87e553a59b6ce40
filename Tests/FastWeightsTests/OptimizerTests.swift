import Testing

@testable import FastWeights

/// Optimizers against their equations in double precision, number by number, over blocks of several pieces and steps at
/// which the corrections of the moments have long settled.
@Suite struct OptimizerTests {
    static let rules: [OptimizerRule] = [
        .adam(), .adam(beta1: 0.98, beta2: 0.99, epsilon: 1e-3), .adam(beta1: 0.95, decay: 0.3),
        .sgd(), .sgd(momentum: 0.9), .rmsProp(), .rmsProp(alpha: 0.9, epsilon: 1e-2, momentum: 0.8),
    ]

    /// One number under a rule, as Kingma and Ba, Loshchilov and Hutter, and PyTorch have it.
    private struct Twin {
        var value: Double
        private var first = 0.0
        private var second = 0.0
        private var steps = 0

        init(_ value: Float) { self.value = Double(value) }

        mutating func step(_ rule: OptimizerRule, gradient g: Double, rate: Double) {
            steps += 1
            switch rule {
            case .adam(let beta1, let beta2, let epsilon, let decay):
                let (b1, b2) = (Double(beta1), Double(beta2))
                value -= rate * decay * value
                first = b1 * first + (1 - b1) * g
                second = b2 * second + (1 - b2) * g * g
                let mean = first / (1 - OptimizerTests.power(b1, steps))
                let deviation = (second / (1 - OptimizerTests.power(b2, steps))).squareRoot()
                value -= rate * mean / (deviation + Double(epsilon))
            case .sgd(let momentum):
                first = Double(momentum) * first + g
                value -= rate * first
            case .rmsProp(let alpha, let epsilon, let momentum):
                second = Double(alpha) * second + (1 - Double(alpha)) * g * g
                first = Double(momentum) * first + g / (second.squareRoot() + Double(epsilon))
                value -= rate * first
            }
        }
    }

    /// A layout of so many numbers in windows of several sizes, with the gaps that a network has.
    private static func layout(_ count: Int) -> ParameterLayout {
        var layout = ParameterLayout()
        layout.append("a", min(count, 5))
        if count > 5 { layout.append("b", count - 5) }
        return layout
    }

    private static func fill(_ block: Parameters, _ seed: UInt64, scale: Float = 1) {
        for (i, window) in block.layout.windows.enumerated() {
            block[window.name] = CellTests.random(window.count, seed + UInt64(i)).map { $0 * scale }
        }
    }

    /// Takes steps of a falling rate, and compares each number with its twin. The Euclidean norm of a gradient is that of
    /// all windows together.
    private static func compare(
        _ rule: OptimizerRule, count: Int, steps: Int, clip: Float? = nil, threads: Int = 1,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let (parameters, gradients) = (Parameters(layout(count)), Parameters(layout(count)))
        fill(parameters, 1)
        var twins = parameters.layout.windows.map { parameters[$0.name].map { Twin($0) } }
        Crew.run(threads: threads) { crew in
            let optimizer = Optimizer(rule, parameters, gradients, crew: crew)
            for step in 1...steps {
                // Gradients that keep a direction, so that no correction cancels.
                fill(gradients, 10, scale: 1 + 0.3 * Float(step % 3))
                let rate = Float(0.02) / Float(step)
                optimizer.step(rate: rate, clip: clip)
                let norm = gradients.block.array.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
                let scale = clip.map { min(1, Double($0) / (norm + 1e-6)) } ?? 1
                for (w, window) in gradients.layout.windows.enumerated() {
                    for (i, g) in gradients[window.name].enumerated() {
                        twins[w][i].step(rule, gradient: Double(g) * scale, rate: Double(rate))
                    }
                }
            }
        }
        for (w, window) in parameters.layout.windows.enumerated() {
            let worst = zip(parameters[window.name], twins[w]).enumerated().max {
                abs(Double($0.element.0) - $0.element.1.value) < abs(Double($1.element.0) - $1.element.1.value)
            }!
            #expect(
                abs(Double(worst.element.0) - worst.element.1.value) < 5e-6,
                "\(rule), \(count) numbers, after \(steps) steps \(window.name)[\(worst.offset)] is \(worst.element.0) instead of \(worst.element.1.value)",
                sourceLocation: sourceLocation)
        }
        let gap = parameters.layout.windows[0]
        #expect(
            (gap.count..<16).allSatisfy { parameters.pointer[gap.offset + $0] == 0 }, "the gaps between windows stay 0")
    }

    /// Each step is the equation's, the hundredth as the first.
    @Test(arguments: rules)
    func everyStepIsTheEquations(rule: OptimizerRule) {
        for steps in [1, 2, 39, 100] { Self.compare(rule, count: 7, steps: steps) }
    }

    /// Each number is moved, in the first piece, the last and between, whoever does it.
    @Test(arguments: rules, [16, 2048, 2064, 5000])
    func everyNumberIsMoved(rule: OptimizerRule, count: Int) {
        Self.compare(rule, count: count, steps: 3)
        Self.compare(rule, count: count, steps: 2, clip: 1, threads: 3)
    }

    /// A norm below the limit is left alone, one above is brought to it.
    @Test(arguments: rules)
    func clippingIsToTheNormOfAllNumbers(rule: OptimizerRule) {
        for clip: Float in [1e-3, 0.5, 1000] { Self.compare(rule, count: 40, steps: 5, clip: clip) }
    }

    /// Without a gradient only the decay moves: each step leaves 1 - lr·δ of every number.
    @Test(arguments: [5, 2048, 4100])
    func decayIsThatOfEveryNumber(count: Int) {
        let (parameters, gradients) = (Parameters(Self.layout(count)), Parameters(Self.layout(count)))
        Self.fill(parameters, 3)
        let before = parameters.block.array
        Crew.run(threads: 2) { crew in
            let optimizer = Optimizer(.adam(decay: 0.5), parameters, gradients, crew: crew)
            for _ in 0..<3 { optimizer.step(rate: 0.25) }
        }
        let left = 0.875 * 0.875 * 0.875 as Float
        let wrong = zip(parameters.block.array, before).count { abs($0 - left * $1) > 1e-6 * abs($1) }
        #expect(wrong == 0)
    }

    fileprivate static func power(_ base: Double, _ exponent: Int) -> Double {
        (0..<exponent).reduce(1) { product, _ in product * base }
    }
}
