import Testing

@testable import FastWeights

/// Optimizers against their equations in double precision, number by number, over blocks of several pieces and steps at
/// which the corrections of the moments have long settled.
@Suite struct OptimizerTests {
    static let rules: [OptimizerRule] = [
        .adam(), .adam(beta1: 0.98, beta2: 0.99, epsilon: 1e-3), .adam(beta1: 0.95, weightDecay: 0.3),
        .sgd(), .sgd(momentum: 0.9), .rmsProp(), .rmsProp(alpha: 0.9, epsilon: 1e-2, momentum: 0.8),
        .adam(beta2: 0.9, isAMSGrad: true), .adam(beta2: 0.9, weightDecay: 0.3, isAMSGrad: true), .sgd(l2: 0.3),
        .sgd(momentum: 0.9, dampening: 0.25), .sgd(momentum: 0.9, isNesterov: true, l2: 0.2),
        .rmsProp(alpha: 0.9, epsilon: 1e-2, isCentered: true),
        .rmsProp(alpha: 0.9, epsilon: 1e-2, momentum: 0.8, isCentered: true, l2: 0.2),
    ]

    /// One number under a rule, as Kingma and Ba, Loshchilov and Hutter, and PyTorch have it.
    private struct Twin {
        var value: Double
        private var first = 0.0
        private var second = 0.0
        private var third = 0.0
        private var steps = 0

        init(_ value: Float) { self.value = Double(value) }

        mutating func step(_ rule: OptimizerRule, gradient g: Double, rate: Double) {
            steps += 1
            switch rule {
            case .adam(let beta1, let beta2, let epsilon, let decay, let isAMSGrad):
                let (b1, b2) = (Double(beta1), Double(beta2))
                value -= rate * decay * value
                first = b1 * first + (1 - b1) * g
                second = b2 * second + (1 - b2) * g * g
                let mean = first / (1 - OptimizerTests.power(b1, steps))
                third = max(third, second)
                let deviation = ((isAMSGrad ? third : second) / (1 - OptimizerTests.power(b2, steps))).squareRoot()
                value -= rate * mean / (deviation + Double(epsilon))
            case .sgd(let momentum, let dampening, let isNesterov, let l2):
                let g = g + Double(l2) * value
                first = Double(momentum) * first + (steps == 1 ? 1 : 1 - Double(dampening)) * g
                value -= rate * (isNesterov ? g + Double(momentum) * first : first)
            case .rmsProp(let alpha, let epsilon, let momentum, let isCentered, let l2):
                let g = g + Double(l2) * value
                third = Double(alpha) * third + (1 - Double(alpha)) * g
                second = Double(alpha) * second + (1 - Double(alpha)) * g * g
                let variance = isCentered ? second - third * third : second
                first = Double(momentum) * first + g / (variance.squareRoot() + Double(epsilon))
                value -= rate * first
            }
        }
    }

    /// A layout of so many numbers in windows of several sizes, with the gaps that a network has.
    private static func layout(_ count: Int) -> Parameters.Layout {
        var layout = Parameters.Layout()
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
        ThreadTeam.run(threads: threads) { team in
            let optimizer = Optimizer(rule, parameters, gradients, team: team)
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
        ThreadTeam.run(threads: 2) { team in
            let optimizer = Optimizer(.adam(weightDecay: 0.5), parameters, gradients, team: team)
            for _ in 0..<3 { optimizer.step(rate: 0.25) }
        }
        let left = 0.875 * 0.875 * 0.875 as Float
        let wrong = zip(parameters.block.array, before).count { abs($0 - left * $1) > 1e-6 * abs($1) }
        #expect(wrong == 0)
    }

    /// What one's own loop has is what a team has, to the bit, and with the moments and the number of steps another optimizer
    /// goes on where one ended.
    @Test(arguments: rules)
    func anOptimizerOfOnesOwnGoesOn(rule: OptimizerRule) {
        let layout = Self.layout(5000)
        let (parameters, gradients, crewed) = (Parameters(layout), Parameters(layout), Parameters(layout))
        for block in [parameters, crewed] { Self.fill(block, 1) }
        var optimizer = Optimizer(rule, parameters, gradients)
        ThreadTeam.run(threads: 3) { team in
            let other = Optimizer(rule, crewed, gradients, team: team)
            for step in 1...6 {
                Self.fill(gradients, UInt64(10 + step))
                if step == 4 {
                    let next = Optimizer(rule, parameters, gradients)
                    for (new, old) in zip(next.state, optimizer.state) { new.values.copy(from: old.values) }
                    next.steps = optimizer.steps
                    optimizer = next
                }
                optimizer.step(rate: 0.01, clip: 1)
                other.step(rate: 0.01, clip: 1)
            }
        }
        expectSame(parameters.block.array, crewed.block.array)
        #expect(optimizer.steps == 6 && optimizer.rule == rule)
    }

    /// Each rule carries what it needs and no more, under the names that checkpoints have.
    @Test func momentsFollowFromTheRule() {
        func names(_ rule: OptimizerRule) -> [String] {
            let block = Parameters(Self.layout(5))
            return Optimizer(rule, block, block).state.map(\.name)
        }
        let (first, second) = ("first_moment", "second_moment")
        #expect(names(.adam()) == [first, second])
        #expect(names(.adam(isAMSGrad: true)) == [first, second, "largest_second_moment"])
        #expect(names(.sgd()) == [] && names(.sgd(momentum: 0.5, isNesterov: true)) == [first])
        #expect(names(.rmsProp()) == [second] && names(.rmsProp(momentum: 0.5)) == [first, second])
        #expect(names(.rmsProp(momentum: 0.5, isCentered: true)) == [first, second, "mean_gradient"])
    }

    /// Today's checkpoints name a rule by these words; an option that does nothing does not stand in them.
    @Test func rulesHaveTheWordsOfCheckpoints() {
        #expect("\(OptimizerRule.adam())" == "adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-08, weightDecay: 0.0)")
        #expect("\(OptimizerRule.sgd(momentum: 0.5))" == "sgd(momentum: 0.5)")
        #expect("\(OptimizerRule.rmsProp())" == "rmsProp(alpha: 0.99, epsilon: 1e-08, momentum: 0.0)")
        #expect(
            "\(OptimizerRule.sgd(momentum: 0.5, isNesterov: true, l2: 0.25))"
                == "sgd(momentum: 0.5, isNesterov: true, l2: 0.25)")
        #expect(
            "\(OptimizerRule.adam(isAMSGrad: true))".hasSuffix("weightDecay: 0.0, isAMSGrad: true)")
                && "\(OptimizerRule.rmsProp(isCentered: true))".hasSuffix("momentum: 0.0, isCentered: true)"))
    }

    /// Gradients that are equal at every step have no variance, and what rounding makes of that has a root all the same.
    @Test func aVarianceOfNothingIsNoTrouble() {
        let (parameters, gradients) = (Parameters(Self.layout(40)), Parameters(Self.layout(40)))
        Self.fill(gradients, 3)
        let optimizer = Optimizer(.rmsProp(alpha: 0.5, epsilon: 1e-3, isCentered: true), parameters, gradients)
        for _ in 0..<60 { optimizer.step(rate: 1e-3) }
        #expect(parameters.block.array.allSatisfy { $0.isFinite })
    }

    /// Clipping first is a step that clips, to the bit.
    @Test func clippingIsAStepThatClips() {
        let layout = Self.layout(5000)
        let (a, b, gradients) = (Parameters(layout), Parameters(layout), Parameters(layout))
        Self.fill(gradients, 2)
        let norm = gradients.block.array.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        Optimizer(.sgd(), a, gradients).step(rate: 1, clip: 0.5)
        #expect(abs(Double(gradients.norm) - norm) < 1e-5 * norm)
        let before = gradients.norm
        #expect(gradients.clip(toNorm: 1000) == before && gradients.norm == before)
        #expect(gradients.clip(toNorm: 0.5) == before && abs(gradients.norm - 0.5) < 1e-6)
        Optimizer(.sgd(), b, gradients).step(rate: 1)
        expectSame(a.block.array, b.block.array)
    }

    fileprivate static func power(_ base: Double, _ exponent: Int) -> Double {
        (0..<exponent).reduce(1) { product, _ in product * base }
    }
}
