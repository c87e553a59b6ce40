/// "Push", a world in which it is right to move pixels rather than to paint them: seen from above, an arm from the upper edge
/// pushes three textured objects, they push one another, and the arm hides what is below it. The objects of a test have shapes,
/// patterns and colors that none of a training has.
///
/// A clip follows from the seed and its number alone. Numbers are of double precision, and of arithmetic there are only
/// + - · ÷ √ floor min max, in the order that stands here, so that every language and processor gives the same bytes. W is 32
/// or 64, S = W / 32; lengths that are not said to be pixels are multiplied by S. X goes to the right, Y down, and the middle
/// of pixel (x, y) is (x + 0.5, y + 0.5).
struct PushWorld: Sendable, Equatable {
    /// W, pixels a side.
    let side: Int
    let objects: Objects
    let seed: UInt64

    enum Objects: String, Sendable, CaseIterable {
        /// Discs and squares of two halves or with an inner disc, none of them bluish: those of a training.
        case seen
        /// Diamonds and plus signs of two triangles or with an inner cross, all of them bluish.
        case novel
    }

    /// Numbers an action: what the hand is told to do, (x, y) in units of two pixels.
    static let actions = 2
    /// Numbers a state: where the hand is, (x, y) as shares of W.
    static let states = 2
    /// Red, green and blue.
    static let channels = 3
    private static let sides = [32, 64]

    /// Throws unless the side is 32 or 64 pixels and the seed fits 32 bits.
    init(side: Int, objects: Objects, seed: UInt64) throws(VideoError) {
        guard Self.sides.contains(side) else {
            throw VideoError("the world \"push\" is 32 or 64 pixels wide, found \(side)")
        }
        guard seed <= UInt32.max else {
            throw VideoError("a seed of the world \"push\" is at most \(UInt32.max), found \(seed)")
        }
        (self.side, self.objects, self.seed) = (side, objects, seed)
    }

    /// Clip `number` of `frames` frames [T, 3, W, W], an action and a state each; action t leads from frame t to t + 1.
    ///
    /// A longer clip begins with the frames of a shorter one. O(T·W²) time. Traps unless 0 ≤ number < 2³² and T ≥ 1.
    func clip(_ number: Int, frames: Int) -> VideoClip {
        require(
            number >= 0 && UInt64(number) <= UInt64(UInt32.max) && frames >= 1,
            "clip \(number) of \(frames) frames; clips have numbers from 0 to \(UInt32.max) and at least 1 frame")
        var scene = PushScene(self, random: SplitMix64(state: seed << 32 | UInt64(number)))
        let canvas = PushCanvas(scene)
        var pixels: [UInt8] = []
        pixels.reserveCapacity(frames * Self.channels * side * side)
        var (actions, states): ([Float], [Float]) = ([], [])
        for t in 0..<frames {
            canvas.draw(scene, into: &pixels)
            states += [Float(scene.hand.x / scene.extent), Float(scene.hand.y / scene.extent)]
            let action = scene.advance(isFirst: t == 0)
            actions += [Float(action.x), Float(action.y)]
        }
        return VideoClip(pixels: .bytes(pixels), actions: actions, states: states)
    }
}

extension VideoClips {
    /// The clips 0..<count of a world, of so many frames each, made whenever they are asked for.
    init(_ world: PushWorld, count: Int, frames: Int) {
        self.init(
            VideoShape(
                frames: frames, maps: MapShape(channels: PushWorld.channels, height: world.side, width: world.side),
                actions: PushWorld.actions, states: PushWorld.states), count: count,
            source: "push, \(world.side) by \(world.side), \(world.objects.rawValue) objects, seed \(world.seed)"
        ) { world.clip($0, frames: frames) }
    }
}

/// A place or a step in the world.
typealias PushVector = SIMD2<Double>

/// One of the objects that are pushed.
struct PushObject {
    var place: PushVector
    let radius: Double
    let shape: Shape
    let pattern: Pattern
    /// Its two colors, A where the pattern is not and B where it is.
    let colors: (a: SIMD3<Double>, b: SIMD3<Double>)

    enum Shape: Int { case disc, square, diamond, plus }
    enum Pattern: Int { case rightHalf, lowerHalf, innerDisc, triangle, innerCross }

    /// Draws an object of the world.
    init(_ kind: PushWorld.Objects, scale: Double, _ random: inout SplitMix64) {
        let (x, y) = (6 + 20 * random.uniform(), 8 + 18 * random.uniform())
        let r = 3 + 1.2 * random.uniform()
        (place, radius) = (PushVector(x * scale, y * scale), r * scale)
        let isNovel = kind == .novel
        shape = Shape(rawValue: Int(2 * random.uniform()) + (isNovel ? 2 : 0))!
        let u = random.uniform()
        pattern = Pattern(rawValue: isNovel ? 3 + Int(2 * u) : Int(3 * u))!
        func color(_ random: inout SplitMix64) -> SIMD3<Double> {
            let red = 0.1 + 0.8 * random.uniform()
            let green = 0.1 + 0.8 * random.uniform()
            let blue = 0.1 + 0.8 * random.uniform()
            let (less, more) = (min(red, blue), max(red, blue))
            return isNovel ? SIMD3(less, green, more) : SIMD3(more, green, less)
        }
        let a = color(&random)
        colors = (a, color(&random))
    }
}

/// What is where at one time, and how it goes on.
struct PushScene {
    /// S.
    let scale: Double
    /// L, pixels a side.
    let extent: Double
    /// What the background is made of: a color, and a 9 by 9 lattice of more or less light.
    let base: SIMD3<Double>
    let lattice: [Double]
    private(set) var objects: [PushObject]
    /// The middle of the hand.
    private(set) var hand: PushVector
    private var goal = PushVector.zero
    private var random: SplitMix64

    static let latticeSide = 9
    /// The hand's radius in pixels of the smaller world.
    static let handRadius = 2.5

    init(_ world: PushWorld, random: SplitMix64) {
        var random = random
        let scale = Double(world.side) / 32
        (self.scale, extent) = (scale, Double(world.side))
        var color = SIMD3<Double>.zero
        for c in 0..<PushWorld.channels { color[c] = 0.35 + 0.3 * random.uniform() }
        base = color
        lattice = (0..<Self.latticeSide * Self.latticeSide).map { _ in 0.3 * (random.uniform() - 0.5) }
        objects = (0..<3).map { _ in PushObject(world.objects, scale: scale, &random) }
        let (x, y) = (4 + 24 * random.uniform(), 4 + 24 * random.uniform())
        hand = PushVector(x * scale, y * scale)
        self.random = random
        for _ in 0..<20 { relax() }
    }

    /// Moves the hand on towards a goal, and what it pushes; gives the action, half the step that was commanded in pixels.
    ///
    /// The goal lies beyond one of the objects, so that the way to it pushes that object; a new one is taken at first, where
    /// the hand has come within half a pixel, and now and then.
    mutating func advance(isFirst: Bool) -> PushVector {
        let u = (random.uniform(), random.uniform(), random.uniform(), random.uniform())
        if isFirst || u.0 < 0.15 || Self.length(goal - hand) < 0.5 {
            let object = objects[min(Int(3 * u.1), 2)]
            goal = object.place + 4 * scale * Self.direction(object.place - hand)
        }
        var move = goal - hand
        let length = Self.length(move)
        if length > Self.longestMove { move *= Self.longestMove / length }
        move += 0.4 * PushVector(u.2 - 0.5, u.3 - 0.5)
        let target = Self.clamp(hand + move, 3 * scale, extent - 3 * scale)
        let step = (target - hand) / 4
        for _ in 0..<4 {
            hand += step
            relax()
            relax()
        }
        return move / 2
    }

    /// Pixels a frame that the hand goes towards its goal, in the larger world too: no kernel of five pixels need reach further.
    private static let longestMove = 1.6

    /// Moves the objects out of the hand, apart from one another, and back into the world. The hand is never pushed: an
    /// object that cannot get away is run over.
    private mutating func relax() {
        for k in objects.indices {
            let away = objects[k].place - hand
            let overlap = max(Self.handRadius * scale + objects[k].radius - Self.length(away), 0)
            objects[k].place += overlap * Self.direction(away)
        }
        for i in objects.indices {
            for j in i + 1..<objects.count {
                let away = objects[j].place - objects[i].place
                let half = max(objects[i].radius + objects[j].radius - Self.length(away), 0) / 2
                let push = half * Self.direction(away)
                objects[i].place -= push
                objects[j].place += push
            }
        }
        for k in objects.indices {
            objects[k].place = Self.clamp(objects[k].place, objects[k].radius, extent - objects[k].radius)
        }
    }

    private static func length(_ v: PushVector) -> Double { (v.x * v.x + v.y * v.y).squareRoot() }

    /// The direction of v, to the right where v is next to nothing.
    private static func direction(_ v: PushVector) -> PushVector {
        let length = length(v)
        return length > 1e-9 ? v / length : PushVector(1, 0)
    }

    private static func clamp(_ v: PushVector, _ low: Double, _ high: Double) -> PushVector {
        PushVector(min(max(v.x, low), high), min(max(v.y, low), high))
    }
}
