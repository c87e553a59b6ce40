/// A folder of clips as numbered PNGs: one folder a clip, or the folder itself a single one.
///
/// Frames come in the order of the last number in their names, which go up in equal steps; clips in the order of their names as
/// texts. `actions.npy` and `states.npy` stand beside a clip's frames, [T, N], or in the folder of all, [B, T, N].
struct VideoFolder {
    private let path: String
    /// Of each clip its name, "" for the folder itself, and its files.
    private let clips: [(name: String, frames: [String])]

    /// Throws `VideoError` where there are no PNGs, frames are missing, or it is not clear what is a clip; `FileError` when the
    /// folder cannot be read.
    init(path: String) throws {
        self.path = path
        let files = try Files.list(path)
        let pictures = files.filter { Self.ending($0) == "png" }
        guard !pictures.isEmpty else {
            let others = files.filter { Self.unread.contains(Self.ending($0)) }
            guard let other = others.first else {
                throw VideoError(
                    "\(path): expected clips as folders of numbered PNGs, or .tfrecord files, found \(FormatError.list(files))"
                )
            }
            throw VideoError(
                "\(path): expected clips as folders of numbered PNGs, found \(other). JPEG, GIF and video codecs are not read: \(FileKind.makingFrames)"
            )
        }
        let folders = Dictionary(grouping: pictures) { file in
            file.lastIndex(of: "/").map { String(file[..<$0]) } ?? ""
        }
        if let own = folders[""], folders.count > 1 {
            throw VideoError(
                "\(path): expected one folder a clip, or the frames of one clip, found \(own[0]) beside folders of PNGs"
            )
        }
        clips = try folders.sorted { $0.key < $1.key }.map { name, files in
            (name, try Self.ordered(files, in: path))
        }
    }

    /// What has frames and is not read, by how its name ends.
    private static let unread = ["jpg", "jpeg", "gif", "mp4", "avi", "mov", "mkv", "webm", "m4v", "mpg"]

    private static func ending(_ name: String) -> String {
        name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() } ?? ""
    }

    /// The last number in a file's name.
    private static func number(_ name: String) -> Int? {
        let stem = name[..<(name.lastIndex(of: ".") ?? name.endIndex)]
        let start = stem.lastIndex(of: "/").map { stem.index(after: $0) } ?? stem.startIndex
        let end = stem[start...].lastIndex { $0.isASCII && $0.isNumber }
        guard let end else { return nil }
        let digits = stem[start...end].reversed().prefix { $0.isASCII && $0.isNumber }
        return Int(String(digits.reversed()))
    }

    /// A clip's files in the order of their numbers. Throws where one has none, two have the same, or one is missing.
    private static func ordered(_ files: [String], in path: String) throws(VideoError) -> [String] {
        var numbered: [(number: Int, file: String)] = []
        for file in files {
            guard let number = number(file) else {
                throw VideoError("\(path)/\(file): expected a frame's number in the name, as 0001.png, found none")
            }
            numbered.append((number, file))
        }
        numbered.sort { ($0.number, $0.file) < ($1.number, $1.file) }
        let step = numbered.count > 1 ? numbered[1].number - numbered[0].number : 1
        for (last, next) in zip(numbered, numbered.dropFirst()) where next.number - last.number != step || step == 0 {
            throw VideoError(
                next.number == last.number
                    ? "\(path): expected frames of different numbers, found \(last.file) and \(next.file)"
                    : "\(path): expected frames whose numbers go up by \(step), found \(next.file) behind \(last.file); a frame is missing"
            )
        }
        return numbered.map(\.file)
    }
}

// MARK: - Reading

extension VideoFolder {
    /// All clips, in memory as bytes; of unequal ones as many frames as the shortest has.
    ///
    /// Throws `FormatError` for a file that is no PNG as it is read, `VideoError` for one of another size than the first and
    /// one with transparent pixels, and for actions or states that do not fit.
    func read() throws -> VideoClips {
        let lengths = clips.map(\.frames.count)
        let frames = lengths.min()!
        var maps: MapShape?
        let pixels = try clips.map { clip in
            try clip.frames.prefix(frames).reduce(into: [UInt8]()) { bytes, file in
                bytes += try Self.frame("\(path)/\(file)", &maps)
            }
        }
        let (actions, states) = (try numbers("actions"), try numbers("states"))
        let isEven = lengths.allSatisfy { $0 == frames }
        let shape = VideoShape(
            frames: frames, maps: maps!, actions: actions?[0].width ?? 0, states: states?[0].width ?? 0)
        return VideoClips(
            shape, count: clips.count,
            source:
                "\(path), clips \(clips.count), frames \(frames)\(isEven ? "" : ", as many as the shortest has"), channels \(shape.maps.channels), \(shape.maps.height) by \(shape.maps.width)"
        ) { b in
            func rows(_ numbers: [VideoNumbers]?) -> [Float] {
                numbers.map { Array($0[b].clip(0).prefix(frames * $0[b].width)) } ?? []
            }
            return VideoClip(pixels: .bytes(pixels[b]), actions: rows(actions), states: rows(states))
        }
    }

    /// A frame's bytes [C, H, W]; the first says what size all have.
    private static func frame(_ path: String, _ maps: inout MapShape?) throws -> [UInt8] {
        let picture = try PNG(path: path)
        let hasAlpha = picture.channels % 2 == 0
        let channels = picture.channels - (hasAlpha ? 1 : 0)
        let size = MapShape(channels: channels, height: picture.height, width: picture.width)
        let wanted = maps ?? size
        maps = wanted
        guard size == wanted else {
            func text(_ maps: MapShape) -> String { "\(maps.channels) channels of \(maps.height) by \(maps.width)" }
            throw VideoError("\(path): expected \(text(wanted)), as the first frame has, found \(text(size))")
        }
        let bytes = VideoClip.planes(picture.pixels[...], channels: picture.channels)
        guard hasAlpha else { return bytes }
        guard bytes.suffix(size.height * size.width).allSatisfy({ $0 == 255 }) else {
            throw VideoError(
                "\(path): expected pixels that are opaque, found transparent ones, and nothing says what is behind them. Write the frames without alpha: ffmpeg -i FILE -pix_fmt rgb24 NEW.png"
            )
        }
        return Array(bytes.prefix(size.count))
    }

    /// Numbers at each frame, one array a clip: from a file in each clip's folder, or from one for all; nil without.
    private func numbers(_ name: String) throws -> [VideoNumbers]? {
        let file = "\(path)/\(name).npy"
        let own = clips.map { "\(path)/\($0.name)/\(name).npy" }
        let isThere = clips[0].name == "" ? [] : own.filter(Files.exists)
        if Files.exists(file) {
            guard isThere.isEmpty else {
                throw VideoError("\(path): expected \(name).npy in the folder or in those of its clips, found both")
            }
            let array = try NumPyArray(path: file)
            guard Set(clips.map(\.frames.count)).count == 1 else {
                throw VideoError(
                    "\(file): expected clips of one length for one array, found \(clips.map(\.frames.count)). Put a file into each clip's folder"
                )
            }
            let all = try VideoNumbers(array, clips: clips.count, frames: clips[0].frames.count)
            return clips.indices.map { all.only($0) }
        }
        guard !isThere.isEmpty else { return nil }
        guard isThere.count == clips.count else {
            let missing = own.first { !isThere.contains($0) }!
            throw VideoError("\(path): expected \(name).npy for every clip or none, found none at \(missing)")
        }
        let all = try zip(own, clips).map { file, clip in
            try VideoNumbers(try NumPyArray(path: file), clips: 1, frames: clip.frames.count)
        }
        for (file, numbers) in zip(own, all) where numbers.width != all[0].width {
            throw VideoError(
                "\(file): expected \(all[0].width) numbers per frame, as \(own[0]) has, found \(numbers.width)")
        }
        return all
    }
}
