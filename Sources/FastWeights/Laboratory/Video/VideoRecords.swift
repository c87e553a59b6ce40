/// Clips in files of TensorFlow's records, as the BAIR robot pushing data has them: an example a clip, with a raw picture,
/// [side, side, 3] bytes, for each frame and camera in "0/image_main/encoded", "1/image_main/encoded" and so on, and an action
/// and a state in "0/action" and "0/endeffector_pos".
///
/// All clips are held in memory, as bytes.
struct VideoRecords {
    private var pixels: [[UInt8]] = []
    private var actions: [[Float]] = []
    private var states: [[Float]] = []
    private var shape: VideoShape?
    private var camera: String?
    private let name: String

    private static let action = "action"
    private static let state = "endeffector_pos"
    /// The camera that is taken where there are several.
    private static let mainCamera = "image_main"

    /// Clips of these files, in their order, as one camera saw them: the only one, or "image_main", unless another is named.
    ///
    /// Throws `FileError` and `FormatError` for files that cannot be read, and `VideoError`, with the file and the example, for
    /// pictures that are encoded, not square or of another size than the first, and where a frame has no picture, action or
    /// state and others have.
    static func read(_ paths: [String], camera: String? = nil, name: String) throws -> VideoClips {
        var clips = VideoRecords(camera: camera, name: name)
        for path in paths { try clips.append(try TensorFlowRecords(path: path)) }
        return try clips.result()
    }

    private init(camera: String?, name: String) { (self.camera, self.name) = (camera, name) }

    private mutating func append(_ file: TensorFlowRecords) throws {
        for i in 0..<file.count {
            let clip = VideoExample(features: try file.example(i).features, place: "\(file.source), example \(i)")
            let camera = try camera ?? clip.camera(preferred: Self.mainCamera)
            self.camera = camera
            let frames = clip.frames(camera)
            guard frames > 0 else {
                throw VideoError(
                    "\(clip.place): expected pictures as 0/\(camera)/encoded, found \(FormatError.list(clip.features.keys.sorted()))"
                )
            }
            var maps = shape?.maps
            var bytes: [UInt8] = []
            for t in 0..<frames { bytes += try clip.picture("\(t)/\(camera)/encoded", &maps) }
            let action = try clip.numbers(Self.action, frames: frames)
            let state = try clip.numbers(Self.state, frames: frames)
            let found = VideoShape(
                frames: frames, maps: maps!, actions: action.count / frames, states: state.count / frames)
            guard found == shape ?? found else {
                throw VideoError("\(clip.place): expected \(shape!), as the first example has, found \(found)")
            }
            shape = found
            pixels.append(bytes)
            actions.append(action)
            states.append(state)
        }
    }

    private func result() throws(VideoError) -> VideoClips {
        guard let shape, let camera else { throw VideoError("\(name): expected examples, found no records") }
        let (pixels, actions, states) = (pixels, actions, states)
        return VideoClips(
            shape, count: pixels.count,
            source:
                "\(name), camera \(camera), clips \(pixels.count), frames \(shape.frames), \(shape.maps.height) by \(shape.maps.width)"
        ) { b in
            VideoClip(pixels: .bytes(pixels[b]), actions: actions[b], states: states[b])
        }
    }
}

/// One clip as it stands in a record.
private struct VideoExample {
    let features: [String: TensorFlowExample.Feature]
    /// The file and the example, for error messages.
    let place: String

    /// The only camera, or the preferred one of several.
    func camera(preferred: String) throws(VideoError) -> String {
        let cameras = features.keys.filter { $0.hasPrefix("0/") && $0.hasSuffix("/encoded") }
            .map { String($0.dropFirst(2).dropLast("/encoded".count)) }.sorted()
        if cameras.contains(preferred) { return preferred }
        guard cameras.count == 1 else {
            throw VideoError(
                "\(place): expected pictures of one camera or of \(preferred), as 0/\(preferred)/encoded, found \(FormatError.list(cameras.isEmpty ? features.keys.sorted() : cameras))"
            )
        }
        return cameras[0]
    }

    func frames(_ camera: String) -> Int {
        var frames = 0
        while features["\(frames)/\(camera)/encoded"] != nil { frames += 1 }
        return frames
    }

    /// The bytes [C, H, W] of a raw picture. Its size is not said: a square has as many bytes in gray or in color, and never in
    /// both, as 3 is no square.
    func picture(_ name: String, _ maps: inout MapShape?) throws(VideoError) -> [UInt8] {
        guard case .bytes(let list)? = features[name], list.count == 1 else {
            throw VideoError("\(place): expected one raw picture as \(name), found another list")
        }
        let bytes = list[0]
        if let kind = FileKind(Array(bytes.prefix(16))), [.jpeg, .png, .gif].contains(kind) {
            throw VideoError("\(place): expected raw pictures, found \(kind.name) as \(name). Write them decoded")
        }
        func square(_ channels: Int) -> MapShape? {
            let side = Int(Double(bytes.count / channels).squareRoot())
            return side > 0 && channels * side * side == bytes.count
                ? MapShape(channels: channels, height: side, width: side) : nil
        }
        guard let size = square(3) ?? square(1) else {
            throw VideoError("\(place): expected a square picture of 1 or 3 bytes a pixel, found \(bytes.count) bytes")
        }
        let wanted = maps ?? size
        maps = wanted
        guard size == wanted else {
            throw VideoError(
                "\(place): expected \(wanted.count) bytes as \(name), as the first picture has, found \(bytes.count)")
        }
        return VideoClip.planes(bytes, channels: size.channels)
    }

    /// Numbers at every frame, [T, N]; none where the first frame has none.
    func numbers(_ name: String, frames: Int) throws(VideoError) -> [Float] {
        guard features["0/\(name)"] != nil else { return [] }
        var (all, width): ([Float], Int?) = ([], nil)
        for t in 0..<frames {
            guard case .floats(let values)? = features["\(t)/\(name)"], values.count == width ?? values.count,
                values.allSatisfy(\.isFinite)
            else {
                throw VideoError(
                    "\(place): expected \(width.map { "\($0) " } ?? "")finite floats as \(t)/\(name), found none or others"
                )
            }
            width = values.count
            all += values
        }
        return all
    }
}
