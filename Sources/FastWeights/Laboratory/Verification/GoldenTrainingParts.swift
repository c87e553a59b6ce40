/// Runs the golden cases of what a training loop is made of: optimizers, schedules and losses.
extension Fixture {
    /// Steps along given gradients: every parameter after each of them.
    func checkOptimizer(_ tally: inout ErrorTally) throws {
        let prefix = "parameter."
        let names = tensors.names.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
        guard let first = names.first, let count = try shape("gradient.\(first)").first, count > 0 else {
            throw FixtureError(name, "there should be parameters, and gradients of 1 or more steps")
        }
        var layout = Parameters.Layout()
        for parameter in names { _ = layout.append(parameter, shape: try shape(prefix + parameter)) }
        let (parameters, gradients) = (try self.parameters(layout), Parameters(layout))
        for window in layout.windows { _ = try shape("gradient.\(window.name)", [count] + window.shape) }
        let given = try layout.windows.map { try floats("gradient.\($0.name)") }
        let settings = ConfigurationReader(json: configuration["optimizer"] ?? .null, owner: "optimizer")
        let rate = Float(try settings.number("learning_rate"))
        let clip = configuration["clip"]?.number.map { Float($0) }
        guard rate >= 0, rate.isFinite, clip.map({ $0 > 0 }) ?? true else {
            throw FixtureError(name, "the learning rate should be at least 0, and a norm to clip to above it")
        }
        let optimizer = Optimizer(try OptimizerRule(settings), parameters, gradients)
        var ways = layout.windows.map { _ in [Float]() }
        for step in 0..<count {
            for (window, values) in zip(layout.windows, given) {
                gradients[window.name] = Array(values[step * window.count..<(step + 1) * window.count])
            }
            optimizer.step(rate: rate, clip: clip)
            for (i, window) in layout.windows.enumerated() { ways[i] += parameters[window.name] }
        }
        for (window, way) in zip(layout.windows, ways) {
            tally.gradient("parameters.\(window.name)", way, try doubles("parameters.\(window.name)"))
        }
    }

    /// The factor at every step of a training.
    func checkSchedule(_ tally: inout ErrorTally) throws {
        let reader = ConfigurationReader(json: configuration, owner: "schedule")
        let (words, steps) = (try reader.text("schedule"), try reader.count("steps"))
        guard let schedule = Schedule(words) else {
            throw FixtureError(name, "a schedule is \(Schedule.forms); found \(words)")
        }
        tally.output(
            "factors", (0..<steps).map { schedule.factor(step: $0, of: steps) }, try doubles("factors", count: steps))
    }

    /// A loss of rows of outputs, and its gradient.
    func checkLoss(_ tally: inout ErrorTally) throws {
        let reader = ConfigurationReader(json: configuration, owner: "loss")
        let sizes = try shape("outputs", [nil, nil])
        let (rows, width) = (sizes[0], sizes[1])
        let outputs = try floats("outputs", count: rows * width)
        let loss = try loss(width: width)
        let reduction: Loss.Reduction = try reader.text("reduction") == "sum" ? .sum : .mean
        let found: (value: Double, gradient: [Float])
        if case .crossEntropy(_, _, let ignored) = loss {
            let targets = try integers("targets", count: rows, in: min(ignored, 0)..<max(width, ignored + 1))
            guard targets.allSatisfy({ $0 == ignored || (0..<width).contains($0) }) else {
                throw FixtureError(name, "targets should be classes below \(width), or \(ignored)")
            }
            found = loss(outputs, classes: targets, reduction: reduction)
        } else {
            let targets = try floats("targets", count: rows * width)
            guard targets.allSatisfy({ $0.isNaN || (loss.isBinary ? (0...1).contains($0) : $0.isFinite) }) else {
                throw FixtureError(name, "targets do not fit the loss \(loss)")
            }
            found = loss(outputs, numbers: targets, reduction: reduction)
        }
        tally.output("value", [Float(found.value)], try doubles("value"))
        tally.gradient("gradient.outputs", found.gradient, try doubles("gradient.outputs"))
    }

    /// The loss of rows of so many outputs that the configuration names, or the plain one of "classes" or "numbers".
    func loss(width: Int) throws -> Loss {
        let reader = ConfigurationReader(json: configuration, owner: "loss")
        let weights = has("weights") ? try floats("weights", count: width) : []
        guard weights.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
            throw FixtureError(name, "weights should be finite and at least 0")
        }
        switch try reader.text("loss") {
        case "cross_entropy":
            let smoothing = Float(try reader.number("smoothing"))
            guard let ignored = configuration["ignoring"]?.integer, (0...1).contains(smoothing) else {
                throw reader.wrong("ignoring", "a whole number, and smoothing as one from 0 to 1")
            }
            return .crossEntropy(weights: weights, labelSmoothing: smoothing, ignoring: ignored)
        case "binary_cross_entropy": return .binaryCrossEntropy(positiveWeights: weights)
        case "classes": return .crossEntropy()
        case "mean_squares", "numbers": return .meanSquares
        case let kind: throw FixtureError(name, "there is no loss \(kind)")
        }
    }
}
