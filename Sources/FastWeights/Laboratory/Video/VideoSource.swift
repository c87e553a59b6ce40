/// Where the clips of a command come from: a world that makes them, by its name, or a path to somebody's own.
enum VideoSource: Equatable, Sendable {
    /// The world "push" with objects as in training, or such as no training has.
    case push(PushWorld.Objects)
    case movingDigits
    case bouncingBalls
    case path(String)

    /// The worlds by their names.
    static let names: [(name: String, source: VideoSource)] = [
        ("push", .push(.seen)), ("push-novel", .push(.novel)), ("moving-mnist", .movingDigits),
        ("balls", .bouncingBalls),
    ]

    /// What a word of a command line stands for; a file or folder of one of the names is written ./push.
    init(_ word: String) { self = Self.names.first { $0.name == word }?.source ?? .path(word) }

    /// What clips are used for: those of a world are others for each.
    enum Part: UInt64, Sendable {
        case training = 1, test = 2, validation = 4
    }

    /// How many clips a world makes, of so many frames of so many pixels a side.
    struct Size: Sendable {
        var clips: Int
        var frames: Int
        var side: Int
    }

    /// Whether clips are made, as many, as long and as large as they shall be, rather than read.
    var isMade: Bool { if case .path = self { false } else { true } }

    /// The clips of a part; of a path all clips, whatever the part.
    ///
    /// The test clips of "push" are those of seed 2 and, of novel objects, of seed 3, as its specification has them. Digits are
    /// MNIST's from the folder `mnist` of the data folder, where that is there, else drawn ones. Throws `VideoError`, and what
    /// reading files throws.
    func clips(_ part: Part, _ size: Size, files options: VideoFileOptions = VideoFileOptions()) throws -> VideoClips {
        switch self {
        case .push(let objects):
            let seed = objects == .novel && part == .test ? 3 : part.rawValue + (objects == .novel ? 10 : 0)
            let world = try PushWorld(side: size.side, objects: objects, seed: seed)
            return VideoClips(world, count: size.clips, frames: size.frames)
        case .movingDigits:
            let world = try MovingDigits(
                mnist: GlimpseData.mnist(in: DataFolder.path), part == .test ? .test : .training, side: size.side,
                seed: part.rawValue)
            return VideoClips(world, count: size.clips, frames: size.frames)
        case .bouncingBalls:
            let world = try BouncingBalls(side: size.side, seed: part.rawValue)
            return VideoClips(world, count: size.clips, frames: size.frames)
        case .path(let path): return try VideoClips(path: path, options)
        }
    }
}

extension VideoClips {
    /// The same clips without their actions and states.
    var framesAlone: VideoClips {
        let whole = self
        return VideoClips(
            VideoShape(frames: shape.frames, maps: shape.maps), count: count, source: "\(source), frames alone"
        ) { VideoClip(pixels: whole[$0].pixels) }
    }

    /// A single clip as several of `frames` frames each, one behind the other, so that it can be split; several clips, and one
    /// that is too short for two, as they are.
    func divided(into frames: Int) -> VideoClips {
        let (whole, pieces) = (self, shape.frames / frames)
        guard count == 1, pieces > 1 else { return self }
        let sizes = VideoShape(frames: frames, maps: shape.maps, actions: shape.actions, states: shape.states)
        return VideoClips(sizes, count: pieces, source: "\(source), in \(pieces) pieces of \(frames) frames") { index in
            let clip = whole[0]
            func cut<Value>(_ values: [Value], _ width: Int) -> [Value] {
                Array(values[index * frames * width..<(index + 1) * frames * width])
            }
            let pixels: VideoClip.Pixels =
                switch clip.pixels {
                case .bytes(let bytes): .bytes(cut(bytes, sizes.maps.count))
                case .floats(let floats): .floats(cut(floats, sizes.maps.count))
                }
            return VideoClip(
                pixels: pixels, actions: cut(clip.actions, sizes.actions), states: cut(clip.states, sizes.states))
        }
    }

    /// The same clips with rows below and columns on the right, as many as it takes to multiples of `factor`: they repeat the
    /// last ones.
    func padded(toMultiplesOf factor: Int) -> VideoClips {
        func padded(_ size: Int) -> Int { (size + factor - 1) / factor * factor }
        let (whole, maps) = (self, shape.maps)
        let wanted = MapShape(channels: maps.channels, height: padded(maps.height), width: padded(maps.width))
        guard wanted != maps else { return self }
        let sizes = VideoShape(frames: shape.frames, maps: wanted, actions: shape.actions, states: shape.states)
        return VideoClips(
            sizes, count: count, source: "\(source); padded to \(wanted.height) by \(wanted.width)"
        ) { index in
            var clip = whole[index]
            func pad<Value>(_ values: [Value]) -> [Value] {
                (0..<sizes.frames * maps.channels).flatMap { map in
                    (0..<wanted.height).flatMap { y in
                        let row = (map * maps.height + min(y, maps.height - 1)) * maps.width
                        return (0..<wanted.width).map { values[row + min($0, maps.width - 1)] }
                    }
                }
            }
            clip.pixels =
                switch clip.pixels {
                case .bytes(let bytes): .bytes(pad(bytes))
                case .floats(let floats): .floats(pad(floats))
                }
            return clip
        }
    }
}

extension VideoClip {
    /// Its frames, [C, H, W] each, from 0 to 1.
    func frames(_ maps: MapShape) -> [[Float]] {
        let all: [Float] =
            switch pixels {
            case .bytes(let bytes): bytes.map { Float($0) / 255 }
            case .floats(let floats): floats
            }
        return stride(from: 0, to: all.count, by: maps.count).map { Array(all[$0..<$0 + maps.count]) }
    }
}
