/// Clips as one array of bytes, or of floats in [0, 1], in any order of axes: those of a `.npy`, `.npz` or IDX file.
struct VideoArray: Sendable {
    let source: String
    let layout: VideoLayout
    private let axes: [Character: (size: Int, stride: Int)]
    private let pixels: Pixels

    private enum Pixels: Sendable {
        /// From a byte on.
        case bytes([UInt8], start: Int)
        case floats([Float])
    }

    var clips: Int { axes["B"]!.size }
    var frames: Int { axes["T"]!.size }
    var maps: MapShape { MapShape(channels: axes["C"]!.size, height: axes["H"]!.size, width: axes["W"]!.size) }

    /// Throws `VideoError` where the layout is not known and could be more than one, and for numbers that could mean more than
    /// one thing: bytes that are all 0 or 1, floats beyond [0, 1], other types.
    init(_ numbers: PackedNumbers, shape: [Int], layout: VideoLayout? = nil, source: String) throws {
        self.source = source
        self.layout = if let layout { layout } else { try VideoLayout(of: shape, source: source) }
        axes = try self.layout.axes(shape, source: source)
        switch numbers.type {
        case .uint8:
            let (bytes, start) = numbers.rowMajorBytes
            guard bytes[start..<start + numbers.count].contains(where: { $0 > 1 }) else {
                throw VideoError(
                    "\(source): expected bytes from 0 to 255, found none above 1. If 1 is white, save them as float32")
            }
            pixels = .bytes(bytes, start: start)
        case .float16, .float32, .float64:
            let values = try numbers.floats(source: source)
            if let wrong = values.first(where: { !(0...1).contains($0) }) {
                throw VideoError(
                    "\(source): expected floats from 0 to 1, found \(wrong). Save numbers up to 255 as uint8; take back a normalization to mean 0, as the metrics ask for pixels from 0 to 1"
                )
            }
            pixels = .floats(values)
        case let type:
            throw VideoError(
                "\(source): expected pixels of uint8, or floats from 0 to 1, found \(type?.rawValue ?? "others"). Save them with .astype(\"uint8\")"
            )
        }
    }

    /// Clip `b` in the order [T, C, H, W].
    func pixels(_ b: Int) -> VideoClip.Pixels {
        switch pixels {
        case .bytes(let bytes, let start): .bytes(gather(bytes, from: start, b))
        case .floats(let floats): .floats(gather(floats, from: 0, b))
        }
    }

    private func gather<Value>(_ values: [Value], from start: Int, _ b: Int) -> [Value] {
        let (T, C, H, W) = (axes["T"]!, axes["C"]!, axes["H"]!, axes["W"]!)
        let first = start + b * axes["B"]!.stride
        var result: [Value] = []
        result.reserveCapacity(T.size * C.size * H.size * W.size)
        for t in 0..<T.size {
            for c in 0..<C.size {
                for h in 0..<H.size {
                    let row = first + t * T.stride + c * C.stride + h * H.stride
                    if W.stride == 1 {
                        result += values[row..<row + W.size]
                    } else {
                        for w in 0..<W.size { result.append(values[row + w * W.stride]) }
                    }
                }
            }
        }
        return result
    }
}

// MARK: - What goes with the frames

/// Numbers at each frame, actions or states: [clips, frames, width].
struct VideoNumbers: Sendable {
    let width: Int
    private let values: [Float]
    private let frames: Int

    /// None.
    static let none = VideoNumbers(width: 0, values: [], frames: 0)

    private init(width: Int, values: [Float], frames: Int) {
        (self.width, self.values, self.frames) = (width, values, frames)
    }

    /// Of an array [B, T, N], or of a single clip [T, N]. Throws `VideoError` for other sizes and numbers that are not finite.
    init(_ array: NumPyArray, clips: Int, frames: Int) throws {
        let wanted = clips == 1 && array.shape.count == 2 ? [frames] : [clips, frames]
        guard array.shape.count == wanted.count + 1, Array(array.shape.dropLast()) == wanted else {
            throw VideoError(
                "\(array.source): expected the shape [\(wanted.map { "\($0)" }.joined(separator: ", ")), numbers per frame], as there are \(clips) clips of \(frames) frames, found \(array.shape)"
            )
        }
        let values = try array.floats
        guard values.allSatisfy(\.isFinite) else {
            throw VideoError("\(array.source): expected finite numbers, found one that is not")
        }
        self.init(width: array.shape.last!, values: values, frames: frames)
    }

    /// Those of clip `b`, [T, N].
    func clip(_ b: Int) -> [Float] { Array(values[b * frames * width..<(b + 1) * frames * width]) }

    /// The same of clip `b` alone.
    func only(_ b: Int) -> VideoNumbers { VideoNumbers(width: width, values: clip(b), frames: frames) }
}

extension VideoClips {
    /// The clips of an array, with their actions and states.
    init(_ array: VideoArray, actions: VideoNumbers = .none, states: VideoNumbers = .none) {
        let (shape, maps) = (array.layout, array.maps)
        self.init(
            VideoShape(frames: array.frames, maps: maps, actions: actions.width, states: states.width),
            count: array.clips,
            source:
                "\(array.source), taken for \(shape): clips \(array.clips), frames \(array.frames), channels \(maps.channels), \(maps.height) by \(maps.width)"
        ) { b in
            VideoClip(pixels: array.pixels(b), actions: actions.clip(b), states: states.clip(b))
        }
    }
}
