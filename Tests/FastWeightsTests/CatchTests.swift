import Testing

@testable @_spi(Laboratory) import FastWeights

/// The environment: what it shows, how it moves, and the levels that results are measured by.
@Suite struct CatchTests {
    @Test func ballAndPaddleMoveAndAreSeen() throws {
        let task = try Catch(size: 5, visibleFrames: 2)
        var episode = Catch.Episode(task, column: 3, paddle: 0)
        func lit(_ pixels: [Float]) -> [Int] { pixels.indices.filter { pixels[$0] == 1 } }
        #expect(lit(episode.screen) == [3, 20, 21] && episode.observation == episode.screen)
        #expect((0..<Catch.litPixels).map { episode.lit($0) } == [3, 20, 21])
        episode.advance(.left)
        #expect(episode.paddle == 0 && lit(episode.observation) == [8, 20, 21])
        episode.advance(.right)
        #expect(lit(episode.screen) == [13, 21, 22] && lit(episode.observation) == [] && !episode.isVisible)
        episode.advance(.stay)
        #expect(!episode.isOver && lit(episode.screen) == [18, 21, 22] && episode.movesNeeded == 1)
        episode.advance(.right)
        #expect(episode.isOver && episode.reward == 1 && lit(episode.screen) == [22, 23])
    }

    @Test func thePaddleStaysOnTheScreen() throws {
        let task = try Catch(size: 6, visibleFrames: 6)
        var episode = Catch.Episode(task, column: 0, paddle: 3)
        for _ in 0..<task.decisions { episode.advance(.right) }
        #expect(episode.paddle == 4 && episode.reward == -1 && episode.movesNeeded == 4)
    }

    /// How often each place of the paddle comes out at the end of uniformly random moves, times the columns it covers.
    private func chanceByMoves(_ task: Catch) -> Double {
        var shares = [Double](repeating: 0, count: task.size - 1)
        let episodes = task.allEpisodes
        for episode in episodes { shares[episode.paddle] += 1 / Double(episodes.count) }
        for _ in 0..<task.decisions {
            var next = [Double](repeating: 0, count: shares.count)
            for (place, share) in shares.enumerated() {
                for move in [-1, 0, 1] { next[max(0, min(shares.count - 1, place + move))] += share / 3 }
            }
            shares = next
        }
        return shares.reduce(0) { $0 + $1 * 2 / Double(task.size) }
    }

    @Test(arguments: [3, 4, 5, 16, 24], Catch.Start.allCases)
    func levelsAreThoseOfEveryEpisode(size: Int, start: Catch.Start) throws {
        for visible in [0, 1, size] {
            let task = try Catch(size: size, visibleFrames: visible, start: start)
            #expect(abs(task.chanceLevel - chanceByMoves(task)) < 1e-12)
            // Who knows the column walks to it as soon as the ball is seen.
            var caught = 0
            for var episode in task.allEpisodes {
                let column = visible > 0 ? episode.column : 0
                while !episode.isOver {
                    episode.advance(column < episode.paddle ? .left : column > episode.paddle + 1 ? .right : .stay)
                }
                if episode.isBelow { caught += 1 }
            }
            #expect(task.informedOptimum == Double(caught) / Double(task.allEpisodes.count))
        }
    }

    @Test func levelsOfThePaper() throws {
        let (small, large) = (try Catch(size: 16, visibleFrames: 3), try Catch(size: 24, visibleFrames: 5))
        #expect(small.chanceLevel == 0.125 && large.chanceLevel == 2.0 / 24)
        #expect(small.informedOptimum == 1 && large.informedOptimum == 1)
    }

    @Test(arguments: Catch.Start.allCases)
    func episodesAreDrawnEvenly(start: Catch.Start) throws {
        let task = try Catch(size: 5, visibleFrames: 2, start: start)
        var random = Random(seed: 1)
        let all = task.allEpisodes
        #expect(all.count == (start == .center ? 5 : 20))
        #expect(Set(all.map { $0.column * 8 + $0.paddle }).count == all.count)
        var counts = [Int](repeating: 0, count: all.count)
        for _ in 0..<100 * all.count { counts[try #require(all.firstIndex(of: task.episode(&random)))] += 1 }
        #expect(counts.allSatisfy { (60...140).contains($0) })
    }

    @Test func impossibleTasksAreRefused() throws {
        for (size, visible) in [(2, 1), (129, 1), (5, 6), (5, -1)] {
            let error = #expect(throws: TaskError.self) { try Catch(size: size, visibleFrames: visible) }
            #expect("\(error!)".contains("found \(size) rows and \(visible) visible frames"))
        }
        let task = try Catch(size: 9, visibleFrames: 4, start: .random)
        #expect(try Catch(json: task.json) == task)
        let broken: JSON = ["name": "catch", "size": 9, "visible_frames": 4, "start": "below"]
        let error = #expect(throws: ConfigurationError.self) { try Catch(json: broken) }
        #expect(
            error?.description == "the task's configuration needs start as center or random, found \"below\"")
        // As it was written before.
        let older: JSON = ["name": "catch", "size": 9, "visible_frames": 4, "start": "centre"]
        #expect(try Catch(json: older) == Catch(size: 9, visibleFrames: 4))
        #expect(throws: ConfigurationError.self) { try Catch(json: ["name": "pong"]) }
    }
}
