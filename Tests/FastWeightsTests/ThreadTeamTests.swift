import Synchronization
import Testing

@testable import FastWeights

@Suite struct ThreadTeamTests {
    @Test(arguments: [1, 2, 3, 8])
    func everyPieceIsDoneOnce(threads: Int) {
        let counts = Buffer<Int32>(300)
        ThreadTeam.run(threads: threads) { team in
            let job = Job { counts.pointer[$0] += 1 }
            for pieces in [0, 1, 2, 7, 300, 3] + [Int](repeating: 40, count: 2000) {
                counts.clear()
                team.perform(job, pieces: pieces)
                for piece in 0..<counts.count { #expect(counts.pointer[piece] == (piece < pieces ? 1 : 0)) }
            }
        }
    }

    /// What a job wrote is there when `perform` returns, and the next job sees it, whoever does its pieces.
    @Test(arguments: [1, 2, 8])
    func oneJobSeesWhatTheLastOneWrote(threads: Int) {
        let (count, rounds) = (37, 3000)
        let (a, b) = (Buffer<Int>(count), Buffer<Int>(count))
        ThreadTeam.run(threads: threads) { team in
            let there = Job { b.pointer[$0] = a.pointer[count - 1 - $0] + 1 }
            let back = Job { a.pointer[$0] = b.pointer[count - 1 - $0] + 1 }
            for _ in 0..<rounds {
                team.perform(there, pieces: count)
                team.perform(back, pieces: count)
            }
        }
        for i in 0..<count { #expect(a.pointer[i] == 2 * rounds) }
    }

    @Test(arguments: [1, 3])
    func whatTheLeaderReturnsOrThrowsComesOut(threads: Int) throws {
        struct Failure: Error {}
        #expect(ThreadTeam.run(threads: threads) { _ in 5 } == 5)
        #expect(throws: Failure.self) { try ThreadTeam.run(threads: threads) { _ in throw Failure() } }
    }

    /// Half the smallest normal number, on the leader's thread and on a helper's, and after the job. Pieces wait for each
    /// other, so that the leader does not do both; a helper that does not come is not waited for longer than a second.
    @Test(arguments: [1, 2, 3])
    func subnormalsAreZeroInACrewAlone(threads: Int) {
        let count = min(threads, 2)
        let (numbers, halves) = (Buffer<Float>(2), Buffer<Float>(2))
        for i in 0..<2 { numbers.pointer[i] = .leastNormalMagnitude }
        let arrived = Atomic<Int>(0)
        let half = Job { piece in
            halves.pointer[piece] = numbers.pointer[piece] / 2
            arrived.wrappingAdd(1, ordering: .relaxed)
            let deadline = ContinuousClock.now + .seconds(1)
            while arrived.load(ordering: .relaxed) < count && ContinuousClock.now < deadline {}
        }
        ThreadTeam.run(threads: threads) { $0.perform(half, pieces: count) }
        for piece in 0..<count {
            #expect((halves.pointer[piece] == 0) == Subnormals.canBeFlushed, "piece \(piece)")
            #expect(numbers.pointer[piece] / 2 > 0)
        }
    }

    @Test func piecesCoverAllOnce() {
        for total in [0, 1, 15, 16, 17, 4096, 4097, 10_000] {
            let pieces = Pieces(of: total)
            #expect((0..<pieces.count).flatMap { Array(pieces[$0]) } == Array(0..<total))
            let even = Pieces(of: total, about: 32)
            #expect((0..<even.count).flatMap { Array(even[$0]) } == Array(0..<total))
            #expect(total < 16 || (0..<even.count).allSatisfy { (16..<48).contains(even[$0].count) })
        }
        // A network of four thousand million parameters, in no more pieces than a job has.
        let pieces = Pieces(of: 1 << 32)
        #expect(pieces.count <= 40_000 && pieces[pieces.count - 1].upperBound == 1 << 32)
        #expect(pieces.size % Lanes.width == 0)
    }
}
