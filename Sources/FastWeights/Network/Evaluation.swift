/// What a network's outputs are worth over some sequences.
public struct Evaluation: Sendable, Equatable {
    /// Mean loss: nats of classes, squares of numbers.
    public var loss: Double
    /// The share of sequences or steps with a wrong class, 0...1; of numbers the loss again.
    public var error: Double
}

/// The losses of some examples: sums over their targets that count, so that those of several batches can be added, each
/// weighing as much as it has such targets.
struct LossSum: Equatable {
    /// Σ of the losses.
    private(set) var total = 0.0
    /// Wrong classes, or of numbers Σ of the losses again.
    private(set) var errors = 0.0
    /// Targets that count.
    private(set) var terms = 0

    /// Of nothing.
    init() {}

    /// Of `terms` targets.
    init(_ sum: BlockLoss, terms: Int, isRegression: Bool = false) {
        (total, errors, self.terms) = (sum.loss, isRegression ? sum.loss : Double(sum.errors), terms)
    }

    static func += (a: inout LossSum, b: LossSum) {
        a.total += b.total
        a.errors += b.errors
        a.terms += b.terms
    }

    /// The means; not a number where no target counts.
    var loss: Double { total / Double(terms) }
    var error: Double { errors / Double(terms) }
    var evaluation: Evaluation { Evaluation(loss: loss, error: error) }
}
