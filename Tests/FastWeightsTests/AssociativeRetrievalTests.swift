import Testing

@testable @_spi(Laboratory) import FastWeights

@Suite struct AssociativeRetrievalTests {
    @Test(arguments: [true, false])
    func examplesAreWellFormedAndAllDifferent(repeatsDigits: Bool) throws {
        let task = try AssociativeRetrieval(pairs: 4, repeatsDigits: repeatsDigits)
        let sets = try task.generate(counts: [3000, 500, 700], seed: 9)
        #expect(sets.map(\.count) == [3000, 500, 700])
        var all = Set<String>()
        var repeated = 0
        for set in sets {
            for i in 0..<set.count {
                let text = AssociativeRetrieval.text(set.tokens[i * 11..<(i + 1) * 11])
                all.insert(text)
                let parsed = try AssociativeRetrieval.parse(text)
                #expect(parsed.pairs == 4 && parsed.answer == set.targets[i])
                let letters = (0..<4).map { set.tokens[i * 11 + 2 * $0] }
                #expect(Set(letters).count == 4)
                let digits = (0..<4).map { set.tokens[i * 11 + 2 * $0 + 1] }
                if Set(digits).count < 4 { repeated += 1 }
            }
        }
        #expect(all.count == 4200)
        #expect(repeatsDigits ? repeated > 1000 : repeated == 0)
        #expect(try task.generate(counts: [3000, 500, 700], seed: 9) == sets)
        #expect(try task.generate(counts: [3000, 500, 700], seed: 10) != sets)
    }

    @Test func thePapersExamplesParse() throws {
        #expect(try AssociativeRetrieval.parse("c9k8j3f1??c").answer == 9)
        #expect(try AssociativeRetrieval.parse("j0a5s5z2??a").answer == 5)
        #expect(try AssociativeRetrieval.parse("c9??k").answer == nil)
        for wrong in ["", "c9k8", "c9k8??9", "9c??c", "c9?c", "cc??c", "c9-??c"] {
            #expect(throws: TaskError.sequence(wrong)) { try AssociativeRetrieval.parse(wrong) }
        }
    }

    @Test func impossibleSettingsAreRefused() {
        #expect(throws: TaskError.pairs(27, limit: 26)) { try AssociativeRetrieval(pairs: 27) }
        #expect(throws: TaskError.pairs(11, limit: 10)) { try AssociativeRetrieval(pairs: 11, repeatsDigits: false) }
        #expect(throws: TaskError.tooManyExamples(300, distinct: 260, pairs: 1)) {
            try AssociativeRetrieval(pairs: 1).generate(counts: [200, 100], seed: 1)
        }
    }

    @Test func everyExampleOfASmallTaskCanBeDrawn() throws {
        #expect(try AssociativeRetrieval(pairs: 1).generate(counts: [260], seed: 1)[0].count == 260)
    }

    /// Exact values from enumerating all digit strings.
    @Test(arguments: [(1, 0.0), (2, 0.45), (3, 0.57), (4, 0.6165), (6, 0.66340), (8, 0.70009)])
    func plateauIsExact(pairs: Int, error: Double) throws {
        #expect(abs(Plateau(try AssociativeRetrieval(pairs: pairs)).error - error) < 6e-5)
    }

    @Test func plateauLossIsExact() throws {
        #expect(abs(Plateau(try AssociativeRetrieval(pairs: 4)).loss - 1.187) < 5e-4)
        #expect(Plateau(try AssociativeRetrieval(pairs: 4, repeatsDigits: false)).error == 0.75)
    }
}
