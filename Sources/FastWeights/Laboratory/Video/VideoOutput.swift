/// Where predicted frames go, by the ending of a path.
enum VideoOutput: Equatable, Sendable {
    /// Truth and prediction side by side, one frame behind the other.
    case gif(String)
    case animatedPNG(String)
    /// A row for the truth and one for the prediction.
    case strip(String)
    /// Numbered PNGs in a folder: the frames that were given and those that were predicted.
    case folder(String)

    /// What a path asks for. Throws `VideoError` for pictures and videos that are not written.
    init(path: String) throws(VideoError) {
        let name = path.split(separator: "/").last.map { String($0) } ?? path
        let ending = name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() } ?? ""
        switch path.hasSuffix("/") ? "" : ending {
        case "gif": self = .gif(path)
        case "apng": self = .animatedPNG(path)
        case "png": self = .strip(path)
        case "jpg", "jpeg", "webp", "mp4", "webm", "avi", "mov", "mkv", "npy", "npz", "svg":
            throw VideoError(
                "\(path): expected a name that ends with .gif, .apng or .png, or that of a folder, found .\(ending). A video is made of a folder of frames: ffmpeg -i FOLDER/%04d.png \(name)"
            )
        default: self = .folder(path)
        }
    }

    /// Throws where the frames could not be written, so that the work need not begin.
    func check() throws {
        switch self {
        case .gif(let path), .animatedPNG(let path), .strip(let path): try Files.checkWritable(path)
        case .folder(let path): try VideoFolder.checkNew(path)
        }
    }

    /// Writes a comparison, of a folder the frames of its last row with those before it. Throws `FileError` for what cannot be
    /// written, and `VideoError` for a folder in which there is something.
    func write(_ comparison: VideoComparison, speed: Double, scale: Int? = nil) throws {
        let delay = min(max(Int((100 / speed).rounded()), 2), Int(UInt16.max))
        switch self {
        case .gif(let path):
            try Files.writeAtomically(comparison.animation(delay: delay, scale: scale).gif(), to: path)
        case .animatedPNG(let path):
            try Files.writeAtomically(comparison.animation(delay: delay, scale: scale).png(), to: path)
        case .strip(let path): try comparison.strip(scale: scale).write(to: path)
        case .folder(let path):
            let frames = comparison.rows[0].frames.prefix(comparison.context) + comparison.rows.last!.frames
            try VideoFolder.write(Array(frames), to: path)
        }
    }
}
