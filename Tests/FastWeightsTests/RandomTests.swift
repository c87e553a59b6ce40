import Testing

@testable import FastWeights

@Suite struct RandomTests {
    @Test func firstNumbersAreThoseOfTheAlgorithm() {
        // xoshiro256++ from the four SplitMix64 words of seed 0, computed apart from this module.
        var random = Random(seed: 0)
        #expect(
            [random.next(), random.next(), random.next()] == [
                5_987_356_902_031_041_503, 7_051_070_477_665_621_255, 6_633_766_593_972_829_180,
            ])
    }

    @Test func streamsDiffer() {
        var (a, b) = (Random(seed: 1, stream: 1), Random(seed: 1, stream: 2))
        #expect(a.next() != b.next())
    }

    @Test func uniformAndNormalHaveTheirMoments() {
        var random = Random(seed: 5)
        let n = 100_000
        let uniform = (0..<n).map { _ in random.uniform() }
        #expect(uniform.allSatisfy { $0 >= 0 && $0 < 1 })
        #expect(abs(uniform.reduce(0, +) / Double(n) - 0.5) < 0.005)
        let normal = (0..<n).map { _ in random.normal() }
        #expect(abs(normal.reduce(0, +) / Double(n)) < 0.015)
        #expect(abs(normal.reduce(0) { $0 + $1 * $1 } / Double(n) - 1) < 0.02)
        #expect(abs(normal.reduce(0) { $0 + $1 * $1 * $1 * $1 } / Double(n) - 3) < 0.15)
    }

    @Test func belowIsUniformAndShuffleIsAPermutation() {
        var random = Random(seed: 6)
        var counts = [Int](repeating: 0, count: 7)
        for _ in 0..<70_000 { counts[random.below(7)] += 1 }
        #expect(counts.allSatisfy { abs($0 - 10_000) < 500 })
        var values = Array(0..<100)
        random.shuffle(&values)
        #expect(values != Array(0..<100) && values.sorted() == Array(0..<100))
    }
}
