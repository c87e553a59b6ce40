/// How a file or folder of clips is to be read where it does not say so itself.
struct VideoFileOptions: Sendable, Equatable {
    /// What the axes of an array are.
    var layout: VideoLayout?
    /// Which camera's pictures of records that have several.
    var camera: String?
}

extension VideoClips {
    /// Somebody's own clips: a `.npy`, `.npz` or IDX file, a folder of folders of numbered PNGs, a `.tfrecord` file or a folder
    /// of them. What they were taken for stands in `source`.
    ///
    /// Beside an array of frames `actions.npy` and `states.npy` are read, [B, T, N]; of an archive its arrays `actions` and
    /// `states`. Throws `FileError`, `FormatError` or `VideoError`, which says what was expected, what was found and what to do.
    init(path: String, _ options: VideoFileOptions = VideoFileOptions()) throws {
        if Files.isDirectory(path) {
            self = try Self.folder(path, options)
            return
        }
        let bytes = try Files.read(path)
        switch FileKind(bytes) {
        case .numPyArray:
            let array = try NumPyArray(bytes: bytes, source: path)
            let clips = try VideoArray(array.numbers, shape: array.shape, layout: options.layout, source: path)
            let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
            func beside(_ name: String) throws -> VideoNumbers {
                let file = "\(folder)\(name).npy"
                guard file != path, Files.exists(file) else { return .none }
                return try VideoNumbers(try NumPyArray(path: file), clips: clips.clips, frames: clips.frames)
            }
            self.init(clips, actions: try beside("actions"), states: try beside("states"))
        case .numPyArchive, .zip: self = try Self.archive(try NumPyArchive(bytes: bytes, source: path), options)
        case .idx, .gzip:
            let file = try IDX(bytes: bytes, source: path)
            self.init(try VideoArray(file.numbers, shape: file.shape, layout: options.layout, source: path))
        case nil: self = try VideoRecords.read([path], camera: options.camera, name: path)
        case let kind?:
            throw VideoError(
                "\(path): expected clips as .npy, .npz, IDX, .tfrecord or a folder of numbered PNGs, found \(kind.name)"
                    + (kind.remedy.map { ". \($0)" } ?? ""))
        }
    }

    private static func folder(_ path: String, _ options: VideoFileOptions) throws -> VideoClips {
        let records = try [".tfrecord", ".tfrecords"].flatMap { try Files.list(path, suffix: $0) }.sorted()
        guard records.isEmpty else {
            return try VideoRecords.read(records.map { "\(path)/\($0)" }, camera: options.camera, name: path)
        }
        return try VideoFolder(path: path).read()
    }

    /// The frames of an archive are the array of one of these names, or the only one that can be.
    private static let names = ["frames", "images", "videos"]

    private static func archive(_ file: NumPyArchive, _ options: VideoFileOptions) throws -> VideoClips {
        let others = ["actions", "states"]
        let named = file.names.filter(names.contains)
        let possible = named.isEmpty ? file.names.filter { !others.contains($0) } : named
        guard possible.count == 1 else {
            throw VideoError(
                "\(file.source): expected one array of frames, called \(names.joined(separator: ", ")) or alone, found \(FormatError.list(file.names))"
            )
        }
        let frames = try file.array(named: possible[0])
        let clips = try VideoArray(
            frames.numbers, shape: frames.shape, layout: options.layout, source: "\(file.source), \(possible[0])")
        let numbers = try others.map { name in
            guard file.names.contains(name) else { return VideoNumbers.none }
            return try VideoNumbers(try file.array(named: name), clips: clips.clips, frames: clips.frames)
        }
        return VideoClips(clips, actions: numbers[0], states: numbers[1])
    }
}
