/// White balls of one size in a black box, which bounce off its walls and off one another without loss: what a network has to
/// know to go on is in two frames.
///
/// A clip follows from the seed and its number. W is the side; balls have the radius 0.12 W and begin apart from one another,
/// each at the speed of 0.05 W per frame in a direction of its own. A frame is four steps of equal time, in each of which balls
/// move, beyond a wall are set onto it and reflected, and exchange what they have of speed along the line between them where
/// they touch and approach.
struct BouncingBalls: Sendable {
    /// W, pixels a side.
    let side: Int
    /// Balls a clip.
    let balls: Int
    let seed: UInt64

    private static let radius = 0.12
    private static let speed = 0.05
    private static let steps = 4
    private static let sides = 8...256
    /// As many as there is always room for, wherever the others are.
    private static let counts = 1...4

    /// Throws unless there are 1 to 4 balls in a box of 8 to 256 pixels a side.
    init(side: Int, balls: Int = 3, seed: UInt64) throws(VideoError) {
        guard Self.sides.contains(side), Self.counts.contains(balls) else {
            throw VideoError(
                "there are \(Self.counts.lowerBound) to \(Self.counts.upperBound) balls in a box of \(Self.sides.lowerBound) to \(Self.sides.upperBound) pixels a side, found \(balls) in one of \(side)"
            )
        }
        (self.side, self.balls, self.seed) = (side, balls, seed)
    }

    /// Clip `number` of `frames` frames [T, 1, W, W]. A longer clip begins with the frames of a shorter one. Traps on a number
    /// below 0 and without a frame.
    func clip(_ number: Int, frames: Int) -> VideoClip {
        require(number >= 0 && frames >= 1, "clip \(number) of \(frames) frames; numbers are at least 0, frames 1")
        var random = Random(seed: seed, stream: UInt64(number))
        var balls = begin(&random)
        var pixels = [UInt8](repeating: 0, count: frames * side * side)
        for t in 0..<frames {
            if t > 0 { for _ in 0..<Self.steps { Self.advance(&balls) } }
            for ball in balls { draw(ball.place, into: &pixels, from: t * side * side) }
        }
        return VideoClip(pixels: .bytes(pixels))
    }

    /// A ball in the unit square.
    struct Ball {
        var place: SIMD2<Double>
        /// Per frame.
        var velocity: SIMD2<Double>
    }

    /// Balls that are apart, each drawn anew until it is.
    func begin(_ random: inout Random) -> [Ball] {
        var found: [Ball] = []
        while found.count < balls {
            let (x, y) = (random.uniform(), random.uniform())
            let place = Self.radius + (1 - 2 * Self.radius) * SIMD2(x, y)
            guard found.allSatisfy({ Self.square(place - $0.place) > 4 * Self.radius * Self.radius }) else { continue }
            found.append(Ball(place: place, velocity: Self.speed * random.direction()))
        }
        return found
    }

    /// One step of a frame's.
    static func advance(_ balls: inout [Ball]) {
        for i in balls.indices {
            balls[i].place += balls[i].velocity / Double(steps)
            for axis in 0..<2 where balls[i].place[axis] <= radius || balls[i].place[axis] >= 1 - radius {
                balls[i].place[axis] = balls[i].place[axis] <= radius ? radius : 1 - radius
                balls[i].velocity[axis] = -balls[i].velocity[axis]
            }
        }
        for i in balls.indices {
            for j in i + 1..<balls.count {
                let line = balls[j].place - balls[i].place
                let (distance, speed) = (square(line), balls[j].velocity - balls[i].velocity)
                let approach = line.x * speed.x + line.y * speed.y
                guard approach < 0, distance < 4 * radius * radius, distance > 0 else { continue }
                let exchanged = line * (approach / distance)
                balls[i].velocity += exchanged
                balls[j].velocity -= exchanged
            }
        }
    }

    private static func square(_ v: SIMD2<Double>) -> Double { v.x * v.x + v.y * v.y }

    /// Lays a disc over the frame that begins at `first`; its edge fades over a pixel.
    private func draw(_ place: SIMD2<Double>, into pixels: inout [UInt8], from first: Int) {
        let (center, radius) = (place * Double(side), Self.radius * Double(side))
        func range(_ middle: Double) -> ClosedRange<Int> {
            max(Int(middle - radius - 1), 0)...min(Int(middle + radius + 1), side - 1)
        }
        for y in range(center.y) {
            for x in range(center.x) {
                let distance = Self.square(SIMD2(Double(x) + 0.5, Double(y) + 0.5) - center).squareRoot()
                let target = first + y * side + x
                let light = UInt8(255 * min(max(0.5 + radius - distance, 0), 1) + 0.5)
                pixels[target] = max(pixels[target], light)
            }
        }
    }
}

extension VideoClips {
    /// The clips 0..<count of bouncing balls, of so many frames each, made whenever they are asked for.
    init(_ world: BouncingBalls, count: Int, frames: Int) {
        self.init(
            VideoShape(frames: frames, maps: MapShape(channels: 1, height: world.side, width: world.side)),
            count: count, source: "\(world.balls) bouncing balls, \(world.side) by \(world.side), seed \(world.seed)"
        ) { world.clip($0, frames: frames) }
    }
}
