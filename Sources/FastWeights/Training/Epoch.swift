/// A pass over what a training learns from, in steps: it has so many examples, of which each step takes as many, one pass
/// after another without regard to where one ends.
struct Epoch: Sendable, Equatable {
    var examples: Int
    var perStep: Int

    /// The step in which epoch number `epochs` ends, ⌈epochs · examples / perStep⌉; the largest `Int` where it is beyond.
    func steps(_ epochs: Int) -> Int {
        let (seen, isBeyond) = epochs.multipliedReportingOverflow(by: examples)
        return isBeyond ? .max : seen / perStep + (seen % perStep > 0 ? 1 : 0)
    }

    /// The epochs that are over after so many steps.
    func over(after steps: Int) -> Int {
        let (seen, isBeyond) = steps.multipliedReportingOverflow(by: perStep)
        return isBeyond ? .max : seen / examples
    }
}

extension TrainingOptions {
    /// The evaluations in the steps up to `steps`, apart from one after the last step of all.
    func evaluations(upTo steps: Int, _ epoch: Epoch) -> Int {
        // Where a step takes more than an epoch, one ends in each.
        evaluatesEachEpoch ? min(steps, epoch.over(after: steps)) : steps / evaluateEvery
    }

    /// Whether an evaluation follows step `step`.
    func isEvaluated(_ step: Int, _ epoch: Epoch) -> Bool {
        evaluations(upTo: step, epoch) > evaluations(upTo: step - 1, epoch)
    }
}
