extension VideoFolder {
    /// Throws unless a folder of frames can be begun at `path`: what stands there must be an empty folder, if anything.
    static func checkNew(_ path: String) throws {
        guard Files.exists(path) else { return }
        guard Files.isDirectory(path), try Files.list(path).isEmpty else {
            throw VideoError("\(path): expected a new or empty folder for frames, found one with files, or a file")
        }
    }

    /// Writes frames into a new folder, which it makes, as 0001.png, 0002.png and so on: a clip that ``read()`` reads. Throws
    /// `VideoError` where something is there already, `FileError` for what cannot be written.
    static func write(_ frames: [PNG], to path: String) throws {
        try checkNew(path)
        try Files.createDirectory(path)
        for (i, frame) in frames.enumerated() {
            let number = "\(i + 1)"
            let zeros = String(repeating: "0", count: max(0, 4 - number.count))
            try frame.write(to: "\(path)/\(zeros)\(number).png")
        }
    }
}
