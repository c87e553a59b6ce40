import Testing

@testable import FastWeights

/// Clips made on the fly: digits that cross one another, and balls that do not.
@Suite struct MovingPicturesTests {
    private func bytes(_ clip: VideoClip) -> [UInt8] {
        guard case .bytes(let bytes) = clip.pixels else { return [] }
        return bytes
    }

    /// The smallest box [left, top, right, bottom] of a frame's lit pixels.
    private func box(_ frame: ArraySlice<UInt8>, side: Int) -> [Int] {
        let lit = frame.indices.filter { frame[$0] > 0 }.map { $0 - frame.startIndex }
        let (x, y) = (lit.map { $0 % side }, lit.map { $0 / side })
        return [x.min()!, y.min()!, x.max()!, y.max()!]
    }

    /// One image, white all over: its place is where it is lit.
    private static let white = ImageSet(
        height: 28, width: 28, pixels: [UInt8](repeating: 255, count: 784), labels: [3], classes: 10)

    @Test(arguments: [64, 32])
    func digitsGoStraightAndAreReflected(side: Int) throws {
        let world = try MovingDigits(Self.white, name: "white", side: side, digits: 1, seed: 5)
        let (size, free) = (side == 64 ? 28 : 14, side == 64 ? 36 : 18)
        var walls = 0
        for number in 0..<20 {
            let clip = bytes(world.clip(number, frames: 20))
            let boxes = (0..<20).map { box(clip[$0 * side * side..<($0 + 1) * side * side], side: side) }
            for box in boxes {
                #expect(box[2] - box[0] == size - 1 && box[3] - box[1] == size - 1)
                #expect(box[2] < side && box[3] < side)
            }
            for (last, next) in zip(boxes, boxes.dropFirst()) {
                // On the far wall it stays for one frame.
                for axis in 0..<2 { #expect(last[axis] < free || next[axis] < free) }
            }
            // A tenth of the free way per frame, except where a wall cuts it short.
            for (last, next) in zip(boxes, boxes.dropFirst()) {
                let (dx, dy) = (Double(next[0] - last[0]), Double(next[1] - last[1]))
                let way = (dx * dx + dy * dy).squareRoot()
                #expect(way < 0.1 * Double(free) + 1.5)
                if [0, free].contains(next[0]) || [0, free].contains(next[1]) {
                    walls += 1
                } else if ![0, free].contains(last[0]), ![0, free].contains(last[1]) {
                    #expect(way > 0.1 * Double(free) - 1.5)
                }
            }
        }
        #expect(walls > 20)
    }

    @Test func digitsAreThoseOfTheImagesAndTheBrighterCounts() throws {
        let images = GeneratedDigits.make(count: 30, seed: 3)
        let two = bytes(try MovingDigits(images, name: "drawn", seed: 1).clip(4, frames: 20))
        #expect(two.count == 20 * 64 * 64 && two.max() == 255)
        // A frame has no more ink than both digits, and the ink of the brighter one where they lie over one another.
        let inks = (0..<30).map { i in images.pixels[i * 784..<(i + 1) * 784].reduce(0) { $0 + Int($1) } }
        let sums = (0..<20).map { t in two[t * 4096..<(t + 1) * 4096].reduce(0) { $0 + Int($1) } }
        let pairs = inks.flatMap { a in inks.map { a + $0 } }
        #expect(pairs.contains(sums.max()!))
        #expect(sums.min()! >= sums.max()! / 2)
        // Half as large, a quarter of the ink.
        let small = bytes(try MovingDigits(images, name: "drawn", side: 32, seed: 1).clip(4, frames: 20))
        let small0 = small[..<1024].reduce(0) { $0 + Int($1) }
        #expect(abs(Double(small0) / Double(sums[0]) - 0.25) < 0.06)
    }

    @Test func whereDigitsLieOverOneAnotherTheyAreNoBrighter() throws {
        let gray = ImageSet(
            height: 28, width: 28, pixels: [UInt8](repeating: 200, count: 784), labels: [3], classes: 10)
        let clip = bytes(try MovingDigits(gray, name: "gray", digits: 4, seed: 1).clip(0, frames: 10))
        #expect(Set(clip) == [0, 200])
        #expect(clip.count { $0 == 200 } < 10 * 4 * 784)
    }

    @Test func clipsFollowFromSeedAndNumber() throws {
        let images = GeneratedDigits.make(count: 10, seed: 3)
        let digits = try MovingDigits(images, name: "drawn", seed: 1)
        let balls = try BouncingBalls(side: 32, seed: 1)
        #expect(bytes(digits.clip(3, frames: 9)).starts(with: bytes(digits.clip(3, frames: 4))))
        #expect(bytes(balls.clip(3, frames: 9)).starts(with: bytes(balls.clip(3, frames: 4))))
        #expect(digits.clip(3, frames: 2) != digits.clip(4, frames: 2))
        #expect(balls.clip(3, frames: 2) != balls.clip(4, frames: 2))
        #expect(try digits.clip(3, frames: 2) != MovingDigits(images, name: "drawn", seed: 2).clip(3, frames: 2))
        #expect(try balls.clip(3, frames: 2) != BouncingBalls(side: 32, seed: 2).clip(3, frames: 2))
        let clips = VideoClips(digits, count: 100, frames: 20)
        #expect(clips.shape == VideoShape(frames: 20, maps: MapShape(channels: 1, height: 64, width: 64)))
        #expect(clips.source == "2 moving digits, 64 by 64, seed 1 (drawn)" && clips[3] == digits.clip(3, frames: 20))
        let drawn = try MovingDigits(mnist: nil, .test, side: 32, seed: 1)
        #expect(VideoClips(drawn, count: 1, frames: 2).source.contains("no MNIST was found"))
    }

    /// The levels that every report prints: what is black, and what stays where it was.
    @Test(.enabled(if: GlimpseData.mnist(in: DataFolder.path) != nil, "FASTWEIGHTS_DATA names no folder with MNIST"))
    func baselinesOfMNIST() throws {
        let folder = try #require(GlimpseData.mnist(in: DataFolder.path))
        let clips = VideoClips(try MovingDigits(mnist: folder, .test, side: 32, seed: 1), count: 300, frames: 20)
        var (black, copy) = (0.0, 0.0)
        for b in 0..<clips.count {
            let frames = clips.batch([b]).frames
            let none = [Float](repeating: 0, count: 1024)[...]
            for t in 10..<20 {
                let target = frames[t * 1024..<(t + 1) * 1024]
                black += VideoMetrics.squaredError(none, target) / 3000
                copy += VideoMetrics.squaredError(frames[9 * 1024..<10 * 1024], target) / 3000
            }
        }
        // 37.6 and 60.0 on other clips of the same kind.
        #expect(abs(black - 37.6) < 1.5 && abs(copy - 60.0) < 3, "\(black), \(copy)")
    }

    @Test func ballsKeepTheirEnergyAndStayApart() throws {
        let world = try BouncingBalls(side: 32, balls: 4, seed: 7)
        var (random, contacts) = (Random(seed: 2), 0)
        for _ in 0..<20 {
            var balls = world.begin(&random)
            for _ in 0..<400 {
                let before = balls
                BouncingBalls.advance(&balls)
                let energy = balls.reduce(0) { $0 + ($1.velocity * $1.velocity).sum() }
                #expect(abs(energy - 4 * 0.05 * 0.05) < 1e-12)
                for (i, ball) in balls.enumerated() {
                    #expect((0..<2).allSatisfy { (0.12...0.88).contains(ball.place[$0]) })
                    for other in balls[..<i] {
                        let line = ball.place - other.place
                        #expect((line * line).sum().squareRoot() > 0.24 - 0.06)
                    }
                }
                // Along the line between two that touch, and along a wall, nothing else changes.
                let turned = balls.indices.filter { balls[$0].velocity != before[$0].velocity }
                if turned.count == 2 { contacts += 1 }
            }
        }
        #expect(contacts > 50)
    }

    /// Two of equal mass that meet head on exchange their speeds, and part.
    @Test func ballsThatMeetPart() {
        let velocity = SIMD2(0.05, 0)
        var balls = [
            BouncingBalls.Ball(place: SIMD2(0.3, 0.5), velocity: velocity),
            BouncingBalls.Ball(place: SIMD2(0.7, 0.5), velocity: -velocity),
        ]
        for _ in 0..<12 { BouncingBalls.advance(&balls) }
        #expect(balls[0].velocity == -velocity && balls[1].velocity == velocity)
        #expect(balls[1].place.x - balls[0].place.x > 0.24)
        // Those that part already, as a third one or a wall may leave them, are left alone.
        balls = [
            BouncingBalls.Ball(place: SIMD2(0.45, 0.5), velocity: -velocity),
            BouncingBalls.Ball(place: SIMD2(0.55, 0.5), velocity: velocity),
        ]
        BouncingBalls.advance(&balls)
        #expect(balls[0].velocity == -velocity && balls[1].velocity == velocity)
    }

    @Test func ballsAreRoundAndInside() throws {
        let clip = bytes(try BouncingBalls(side: 64, balls: 1, seed: 1).clip(0, frames: 6))
        for t in 0..<6 {
            let frame = clip[t * 4096..<(t + 1) * 4096]
            let box = box(frame, side: 64)
            #expect((14...18).contains(box[2] - box[0] + 1) && (14...18).contains(box[3] - box[1] + 1))
            let area = frame.reduce(0) { $0 + Double($1) / 255 }
            #expect(abs(area - Double.pi * 7.68 * 7.68) < 1.5)
        }
    }

    @Test func impossibleClipsAreRefused() throws {
        func problem(_ body: () throws -> Void) -> String? {
            #expect(throws: VideoError.self) { try body() }?.description
        }
        #expect(
            problem { _ = try MovingDigits(Self.white, name: "", side: 48, seed: 1) }
                == "moving digits have frames of 64 or 32 pixels a side, found 48")
        #expect(
            problem { _ = try MovingDigits(Self.white, name: "", digits: 0, seed: 1) }
                == "a clip has 1 to 10 moving digits, found 0")
        let wide = ImageSet(height: 2, width: 3, pixels: [1, 2, 3, 4, 5, 6], labels: [0], classes: 1)
        #expect(
            problem { _ = try MovingDigits(wide, name: "", seed: 1) }
                == "moving digits need images of 28 by 28, found 1 of 2 by 3")
        #expect(
            problem { _ = try BouncingBalls(side: 7, balls: 5, seed: 1) }
                == "there are 1 to 4 balls in a box of 8 to 256 pixels a side, found 5 in one of 7")
    }
}
