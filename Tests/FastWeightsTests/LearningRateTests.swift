import Testing

@testable import FastWeights

/// Schedules of the learning rate beside the golden cases of `Fixtures/schedule`: their words, and where they begin and end.
@Suite struct LearningRateTests {
    static let schedules: [(schedule: Schedule, words: String)] = [
        (.constant, "constant"), (.linear, "linear"), (.linear(to: 0.25), "linear to 0.25"), (.cosine, "cosine"),
        (.cosine(to: 0.1), "cosine to 0.1"), (.step(every: 7), "step every 7"),
        (.step(every: 7, by: 0.5), "step every 7 by 0.5"), (.oneCycle, "one-cycle"),
        (.oneCycle(rise: 0.5, from: 0.1, to: 1e-3), "one-cycle rise 0.5 from 0.1 to 0.001"),
        (.cosine.afterWarmUp(of: 500), "warm-up 500 then cosine"),
        (.step(every: 9).afterWarmUp(of: 3, from: 0.5), "warm-up 3 from 0.5 then step every 9"),
        (.linear.afterWarmUp(of: 8, from: 0.5).afterWarmUp(of: 2), "warm-up 2 then linear"),
    ]

    @Test func schedulesHaveWords() {
        for (schedule, words) in Self.schedules {
            #expect("\(schedule)" == words && Schedule(words) == schedule, "\(words)")
        }
        #expect(Schedule("one-cycle from 0.04 rise 0.3") == nil, "options stand in their order")
        #expect(Schedule(" cosine  to 1e-1 ") == .cosine(to: 0.1))
    }

    @Test(arguments: [
        "", "Cosine", "cosinus", "cosine 0.1", "cosine to", "cosine to 1.5", "cosine to -0.1", "cosine to nan",
        "cosine to 0x0.1", "constant to 1", "step", "step every", "step every 0", "step every 1.5", "step every 5 by 2",
        "step every 5 to 0.1", "warm-up", "warm-up 5", "warm-up 5 then", "warm-up 5 cosine", "warm-up 0 then cosine",
        "warm-up 5 from then cosine", "warm-up 5 then warm-up 5 then cosine", "cosine cosine", "one-cycle 0.3",
        "step every 99999999999999999999",
    ])
    func otherWordsAreNone(words: String) {
        #expect(Schedule(words) == nil)
    }

    /// The first step has what a schedule begins with, and behind the last the factor stays.
    @Test func schedulesBeginAndEnd() {
        func ends(_ schedule: Schedule, of steps: Int = 100) -> [Float] {
            [0, steps, steps + 7, .max].map { schedule.factor(step: $0, of: steps) }
        }
        #expect(ends(.constant) == [1, 1, 1, 1] && ends(.linear) == [1, 0, 0, 0])
        #expect(ends(.linear(to: 0.25)) == [1, 0.25, 0.25, 0.25])
        #expect(ends(.cosine(to: 0.5)) == [1, 0.5, 0.5, 0.5])
        #expect(ends(.step(every: 40, by: 0.5)) == [1, 0.25, 0.25, 0.25])
        #expect(ends(.oneCycle(from: 0.5, to: 0.125)) == [0.5, 0.125, 0.125, 0.125])
        #expect(ends(.constant.afterWarmUp(of: 4, from: 0.5)) == [0.5, 1, 1, 1])
        // A training that its warm-up does not fit into, and the shortest ones.
        #expect((0..<3).map { Schedule.cosine.afterWarmUp(of: 4).factor(step: $0, of: 3) } == [0, 0.25, 0.5])
        for (schedule, _) in Self.schedules {
            for steps in 1...3 {
                for step in 0..<steps {
                    let factor = schedule.factor(step: step, of: steps)
                    #expect(factor >= 0 && factor <= 1, "\(schedule), step \(step) of \(steps)")
                }
            }
        }
        #expect(Schedule.oneCycle(rise: 1).factor(step: 0, of: 1) == 1)
        #expect(Schedule.oneCycle(rise: 1).factor(step: 9, of: 10) == 1)
    }

    /// The step is the one that is meant, although it comes as a share of all, which is rounded.
    @Test func everyStepIsItself() {
        for steps in 1...200 {
            let wrong = (0..<steps).filter {
                Schedule.step(every: 1, by: 0.5).factor(step: $0, of: steps) != Float(power(0.5, $0))
                    || Schedule.constant.afterWarmUp(of: 1000).factor(step: $0, of: steps) != Float(Double($0) / 1000)
            }
            #expect(wrong.isEmpty, "\(wrong) of \(steps)")
        }
    }

    /// Where a time ends a training, its steps are as many as fit at the pace so far.
    @Test func scheduledTimeIsScheduledSteps() {
        var options = TrainingOptions()
        (options.steps, options.timeLimit) = (.max, .seconds(50))
        var state = TrainingState()
        #expect(state.length(options) == Double(Int.max))
        // Two steps in ten of fifty seconds: ten in all.
        (state.outcome.steps, state.seconds) = (2, 10)
        #expect(state.done(options) == 0.2 && state.length(options) == 10)
        let schedule = Schedule.linear.afterWarmUp(of: 1)
        #expect(schedule.factor(state.done(options), of: state.length(options)) == 1 - 1 / Float(9))
        options.steps = 4
        #expect(state.done(options) == 0.5 && state.length(options) == 4)
    }
}
