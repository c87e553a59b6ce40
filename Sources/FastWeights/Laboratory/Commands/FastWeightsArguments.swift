// The options of fast weights that tasks other than the paper's first have, and what they make of a model's cell.

extension Option {
    static let fastWeights = [
        Option(
            name: "fast-decay", placeholder: "X", kind: .number(0...1), defaultShown: "0.95",
            help: "λ of fast weights"),
        Option(
            name: "fast-rate", placeholder: "X", kind: .number(0...1e3), defaultShown: "the task's own",
            help: "η of fast weights"),
        Option(
            name: "inner-steps", placeholder: "S", kind: .integer(0...64), defaultShown: "1",
            help: "Inner steps of fast weights"),
    ]
}

extension RetrievalModel {
    /// The cell, with what the options say of fast weights, and where they do not, with η a task's own `rate`.
    func cell(_ arguments: ParsedArguments, rate: Float) throws(UsageError) -> Cell {
        let given = Option.fastWeights.map(\.name).filter { arguments.hasValue($0) }
        guard case .fastWeights(var options) = cell else {
            guard given.isEmpty else {
                throw UsageError("--\(given[0]) is for models of fast weights, not for \(name)")
            }
            return cell
        }
        if options.writeRate > 0 { options.writeRate = rate }
        if arguments.hasValue("fast-decay") { options.memoryDecay = Float(arguments.number("fast-decay")) }
        if arguments.hasValue("fast-rate") { options.writeRate = Float(arguments.number("fast-rate")) }
        if arguments.hasValue("inner-steps") { options.innerSteps = arguments.integer("inner-steps") }
        return .fastWeights(options)
    }
}
