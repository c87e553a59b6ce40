import Testing

@testable import FastWeights

/// Clips from anywhere: how they are numbered, cut and laid out.
@Suite struct VideoClipsTests {
    static let shape = VideoShape(
        frames: 5, maps: MapShape(channels: 2, height: 3, width: 4), actions: 2, states: 1)

    /// Seven clips whose numbers say where they belong.
    private static func clips(floats: Bool = false) -> VideoClips {
        VideoClips(shape, count: 7, source: "numbers") { b in
            let values = (0..<shape.frames * shape.maps.count).map { (b * 31 + $0) % 256 }
            return VideoClip(
                pixels: floats
                    ? .floats(values.map { Float($0) / 255 }) : .bytes(values.map { UInt8($0) }),
                actions: (0..<10).map { Float(100 * b + $0) }, states: (0..<5).map { Float(-100 * b - $0) })
        }
    }

    @Test(arguments: [false, true])
    func batchesAreLaidOutAsNetworksReadThem(floats: Bool) {
        let clips = Self.clips(floats: floats)
        let (indices, first, size) = ([6, 0, 3], 1, Self.shape.maps.count)
        let batch = clips.batch(indices, from: first, frames: 3)
        #expect(batch.frames.count == 3 * 3 * size && batch.actions.count == 3 * 3 * 2 && batch.states.count == 9)
        for t in 0..<3 {
            for (b, clip) in indices.enumerated() {
                for k in 0..<size {
                    let expected = Float((clip * 31 + (first + t) * size + k) % 256) / 255
                    #expect(batch.frames[(t * 3 + b) * size + k] == expected)
                }
                for a in 0..<2 {
                    #expect(batch.actions[(t * 3 + b) * 2 + a] == Float(100 * clip + (first + t) * 2 + a))
                }
                #expect(batch.states[t * 3 + b] == Float(-100 * clip - first - t))
            }
        }
        // A batch is used again, and nothing is left of what it held.
        var again = batch
        clips.read([1, 1, 5], from: 2, into: &again)
        #expect(again == clips.batch([1, 1, 5], from: 2, frames: 3))
        #expect(clips.batch([2]).shape == Self.shape && clips.batch([2], from: 4).shape.frames == 1)
    }

    /// A network of maps reads a batch as it is.
    @Test func aNetworkReadsABatch() {
        let maps = Self.shape.maps
        let network = Network(
            NetworkConfiguration(
                .maps(channels: maps.channels, height: maps.height, width: maps.width), [.flatten, .gru(3)]), seed: 1)
        let batch = Self.clips().batch([2, 4])
        let (outputs, _) = network.run(batch.frames, steps: 5, batch: 2)
        let alone = network.run(Self.clips().batch([4]).frames, steps: 5, batch: 1).outputs
        for t in 0..<5 {
            for k in 0..<3 { #expect(abs(outputs[(t * 2 + 1) * 3 + k] - alone[t * 3 + k]) < 1e-6) }
        }
    }

    @Test func selectionsAreNumberedAnew() {
        let some = Self.clips().selecting([5, 2, 2, 6])
        #expect(some.count == 4 && some[0] == Self.clips()[5] && some[2] == Self.clips()[2])
        #expect(some.selecting([3])[0] == Self.clips()[6])
    }

    @Test func aSplitIsBySeedAndTearsNoClip() throws {
        let clips = Self.clips()
        let (training, validation) = try clips.split(validation: 0.3, seed: 4)
        #expect(training.count == 5 && validation.count == 2)
        let numbers = { (part: VideoClips) in (0..<part.count).map { Int(part[$0].actions[0]) / 100 } }
        #expect((numbers(training) + numbers(validation)).sorted() == Array(0..<7))
        let again = try clips.split(validation: 0.3, seed: 4)
        #expect(numbers(again.training) == numbers(training))
        let others = try (5..<10).map { numbers(try clips.split(validation: 0.3, seed: $0).validation) }
        #expect(Set(others).count > 1)
        #expect(try clips.split(validation: 0.01, seed: 1).validation.count == 1)
        #expect(try clips.split(validation: 0.99, seed: 1).training.count == 1)
        let error = #expect(throws: VideoError.self) { try clips.selecting([3]).split(validation: 0.5, seed: 1) }
        #expect(error?.description == "numbers: expected at least two clips for a split, found one")
    }

    @Test func everyClipComesOnceAPass() {
        var order = BatchOrder(count: 7, batch: 3, seed: 1)
        var seen: [Int] = []
        for _ in 0..<7 {
            order.advance()
            seen += order.indices
        }
        #expect((0..<3).allSatisfy { Set(seen[$0 * 7..<$0 * 7 + 7]).count == 7 })
    }
}
