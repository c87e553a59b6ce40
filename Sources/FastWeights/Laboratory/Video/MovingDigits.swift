/// Moving MNIST (Srivastava, Mansimov and Salakhutdinov 2015), made on the fly: digits that cross a black square and are
/// reflected by its walls, as in OpenSTL's generator.
///
/// A clip follows from the seed and its number. Each digit is one of the images; it starts anywhere, as probable, and goes a
/// tenth of the way that is free, the side less that of a digit, per frame, in a direction as probable as any other. Beyond a
/// wall it is set onto it and its speed across is reversed. It is drawn at the whole pixel at or before its place; where
/// digits lie over one another the brighter pixel counts.
struct MovingDigits: Sendable {
    /// Pixels a side, 64 or 32, where digits are averaged over two by two pixels.
    let side: Int
    /// Digits a clip.
    let digits: Int
    let seed: UInt64
    private let images: ImageSet
    private let name: String

    private static let digitSide = 28
    private static let sides = [64, 32]
    /// The share of the free way that a digit goes per frame.
    private static let step = 0.1

    /// `digits` of these images, 28 by 28, a clip; `name` says what the images are.
    ///
    /// Throws unless the side is 64 or 32, there is a digit, and the images are of that size.
    init(_ images: ImageSet, name: String, side: Int = 64, digits: Int = 2, seed: UInt64) throws(VideoError) {
        guard Self.sides.contains(side) else {
            throw VideoError("moving digits have frames of 64 or 32 pixels a side, found \(side)")
        }
        guard (1...10).contains(digits) else {
            throw VideoError("a clip has 1 to 10 moving digits, found \(digits)")
        }
        guard images.height == Self.digitSide, images.width == Self.digitSide, images.count > 0 else {
            throw VideoError(
                "moving digits need images of \(Self.digitSide) by \(Self.digitSide), found \(images.count) of \(images.height) by \(images.width)"
            )
        }
        self.images = side == 64 ? images : images.square(Self.digitSide / 2)
        (self.name, self.side, self.digits, self.seed) = (name, side, digits, seed)
    }

    /// Clip `number` of `frames` frames [T, 1, side, side]. A longer clip begins with the frames of a shorter one. Traps on a
    /// number below 0 and without a frame.
    func clip(_ number: Int, frames: Int) -> VideoClip {
        require(number >= 0 && frames >= 1, "clip \(number) of \(frames) frames; numbers are at least 0, frames 1")
        var random = Random(seed: seed, stream: UInt64(number))
        var movers = (0..<digits).map { _ in
            (image: random.below(images.count), motion: Motion(speed: Self.step, &random))
        }
        var pixels = [UInt8](repeating: 0, count: frames * side * side)
        for t in 0..<frames {
            for i in movers.indices {
                movers[i].motion.advance()
                draw(movers[i].image, at: movers[i].motion.place, into: &pixels, from: t * side * side)
            }
        }
        return VideoClip(pixels: .bytes(pixels))
    }

    /// Lays an image over the frame that begins at `first`, its upper left corner at `place` of the free way.
    private func draw(_ image: Int, at place: SIMD2<Double>, into pixels: inout [UInt8], from first: Int) {
        let size = images.height
        let free = Double(side - size)
        let (left, top) = (Int(place.x * free), Int(place.y * free))
        for y in 0..<size {
            for x in 0..<size {
                let target = first + (top + y) * side + left + x
                pixels[target] = max(pixels[target], images.pixels[(image * size + y) * size + x])
            }
        }
    }

    /// A point in the unit square that walls reflect.
    private struct Motion {
        private(set) var place: SIMD2<Double>
        private var velocity: SIMD2<Double>

        init(speed: Double, _ random: inout Random) {
            let (x, y) = (random.uniform(), random.uniform())
            place = SIMD2(x, y)
            velocity = speed * random.direction()
        }

        mutating func advance() {
            place += velocity
            for axis in 0..<2 where place[axis] <= 0 || place[axis] >= 1 {
                place[axis] = place[axis] <= 0 ? 0 : 1
                velocity[axis] = -velocity[axis]
            }
        }
    }
}

extension Random {
    /// A step of length 1, in a direction as probable as any other: that of a point in the disc.
    mutating func direction() -> SIMD2<Double> {
        while true {
            let (x, y) = (2 * uniform() - 1, 2 * uniform() - 1)
            let square = x * x + y * y
            if square > 1e-6 && square <= 1 { return SIMD2(x, y) / square.squareRoot() }
        }
    }
}

extension MovingDigits {
    /// Digits of a part of MNIST from its folder; without a folder drawn ones.
    ///
    /// Throws `FormatError`, `FileError` or `ImageSetError` for files that cannot be used, and as the other initializer.
    init(mnist: String?, _ part: ImageSet.MNISTPart, side: Int = 64, digits: Int = 2, seed: UInt64) throws {
        let isTest = part == .test
        let (images, name) =
            if let mnist {
                (try ImageSet(mnist: mnist, part), isTest ? "test digits of MNIST" : "MNIST")
            } else {
                (GeneratedDigits.make(count: 2000, seed: isTest ? 2 : 1), "drawn digits: no MNIST was found")
            }
        try self.init(images, name: name, side: side, digits: digits, seed: seed)
    }
}

extension VideoClips {
    /// The clips 0..<count of moving digits, of so many frames each, made whenever they are asked for.
    init(_ world: MovingDigits, count: Int, frames: Int) {
        self.init(
            VideoShape(frames: frames, maps: MapShape(channels: 1, height: world.side, width: world.side)),
            count: count, source: world.source
        ) { world.clip($0, frames: frames) }
    }
}

extension MovingDigits {
    /// What the clips are, for a report.
    fileprivate var source: String { "\(digits) moving digits, \(side) by \(side), seed \(seed) (\(name))" }
}
