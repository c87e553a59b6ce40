/// What a network's outputs are worth over some sequences.
public struct Evaluation: Sendable, Equatable {
    /// Mean loss: where no other one was asked for, nats of classes, squares of numbers.
    public var loss: Double
    /// The share of targets that are missed, 0...1: of sequences or steps with a wrong class, and of
    /// `Loss.binaryCrossEntropy` of numbers t on the other side of ½ than σ(z). Each counts as one, whatever it weighs in the
    /// loss. Of `Loss.meanSquares` the loss again.
    public var error: Double
}

/// The losses of some examples: sums over their targets that count, so that those of several batches can be added, each
/// weighing as much as such targets of it do.
struct LossSum: Equatable {
    /// Σ of the losses.
    private(set) var total = 0.0
    /// Missed targets, or of mean squares Σ of the losses again.
    private(set) var errors = 0.0
    /// Targets that count.
    private(set) var terms = 0
    /// What they weigh together; without weights of classes as much as there are.
    private(set) var weight = 0.0

    /// Of nothing.
    init() {}

    /// Of `terms` targets, which weigh `weight` together.
    init(_ sum: BlockLoss, terms: Int, weight: Double, isOfSquares: Bool = false) {
        (total, errors) = (sum.loss, isOfSquares ? sum.loss : Double(sum.errors))
        (self.terms, self.weight) = (terms, weight)
    }

    static func += (a: inout LossSum, b: LossSum) {
        a.total += b.total
        a.errors += b.errors
        a.terms += b.terms
        a.weight += b.weight
    }

    /// The means; not a number where no target counts.
    var loss: Double { total / weight }
    var error: Double { errors / Double(terms) }
    var evaluation: Evaluation { Evaluation(loss: loss, error: error) }
}
