/// A picture of a PNG file (ISO/IEC 15948), 8 bits a channel: read strictly; written without compression.
///
///     let frame = try PNG(path: "clip/0001.png")
///     frame.pixels                     // [height, width, channels], 0 to 255
///
/// Gray, RGB, either with alpha, and palettes, which become RGB or, where they have transparent entries, RGBA. Every chunk's
/// CRC-32 and the content's Adler-32 are checked. Interlaced pictures, those of another depth, animations and single
/// transparent colors are refused; what a file says of gamma, color profiles or texts is left aside.
@_spi(Laboratory) public struct PNG: Sendable, Equatable {
    /// Pixels a row.
    public let width: Int
    /// Rows.
    public let height: Int
    /// 1 of gray, 2 of gray and alpha, 3 of RGB, 4 of RGBA.
    public let channels: Int
    /// [height, width, channels].
    public let pixels: [UInt8]

    /// The most pixels of a picture: a small file may claim to be a very large one.
    static let largestCount = 1 << 26

    static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    /// The format's code for the kinds of pixels that are written, by their channels.
    private static let colorTypes: [UInt8] = [0, 4, 2, 6]

    /// A picture of these pixels, [height, width, channels]. Traps unless there are as many, 1 to 4 channels, and 1 to 2^26
    /// pixels.
    public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
        require(pixels.count, fits: [height, width, channels], "a picture")
        require(
            (1...4).contains(channels) && (1...Self.largestCount).contains(width * height),
            "a picture has 1 to 4 channels and 1 to \(Self.largestCount) pixels, found \(channels) of \(height) by \(width)"
        )
        (self.width, self.height, self.channels, self.pixels) = (width, height, channels, pixels)
    }

    /// Opens the file whose content is `bytes`; `source` says where they came from, for error messages.
    ///
    /// - Throws: ``FormatError`` if the bytes break a rule of the format, a checksum is wrong, or the picture is one that is
    ///   not read.
    /// - Complexity: O(*n* + *m*) in the bytes of the file and of the pixels.
    public init(bytes: [UInt8], source: String) throws(FormatError) {
        var file = PNGFile(bytes: bytes, source: source)
        self = try file.picture()
    }

    /// Opens the file at `path`; throws ``FileError`` if it cannot be read, else as ``init(bytes:source:)``.
    public init(path: String) throws {
        try self.init(bytes: try Files.read(path), source: path)
    }

    /// The bytes of a file of the picture; the same picture always gives the same.
    ///
    /// - Complexity: O(*n*) in the bytes of the pixels.
    public func serialized() -> [UInt8] {
        var header: [UInt8] = []
        for size in [width, height] { header.appendBigEndian(UInt32(size)) }
        header += [8, Self.colorTypes[channels - 1], 0, 0, 0]
        // Each row behind a byte that says that it is not filtered.
        var rows: [UInt8] = []
        let row = width * channels
        rows.reserveCapacity(height * (row + 1))
        for y in 0..<height {
            rows.append(0)
            rows += pixels[y * row..<(y + 1) * row]
        }
        return Self.serialize([
            (Array("IHDR".utf8), header), (Array("IDAT".utf8), Zlib.stored(rows)), (Array("IEND".utf8), []),
        ])
    }

    /// The bytes of a file of these chunks, whatever they hold, with their lengths and checksums.
    ///
    /// - Complexity: O(*n*) in their bytes.
    public static func serialize(_ chunks: [(name: [UInt8], content: [UInt8])]) -> [UInt8] {
        chunks.reduce(into: signature) { bytes, chunk in
            bytes.appendBigEndian(UInt32(chunk.content.count))
            bytes += chunk.name + chunk.content
            bytes.appendBigEndian(CRC32.checksum((chunk.name + chunk.content)[...]))
        }
    }

    /// Writes the file at `path` atomically, as ``serialized()`` gives it; throws ``FileError`` when it cannot be written,
    /// and then nothing has changed.
    public func write(to path: String) throws {
        try Files.writeAtomically(serialized(), to: path)
    }
}

extension [UInt8] {
    mutating func appendBigEndian(_ number: UInt32) { appendLittleEndian(number.byteSwapped) }
}

// MARK: - Reading

/// One pass over a file. `position` is the next byte to read.
private struct PNGFile {
    let bytes: [UInt8]
    let source: String
    private var position = 0

    private var header = PNGHeader()
    /// Red, green and blue of each entry.
    private var palette: ArraySlice<UInt8>?
    /// The alpha of the palette's first entries.
    private var alphas: ArraySlice<UInt8> = []
    private var compressed: [UInt8] = []

    init(bytes: [UInt8], source: String) {
        self.bytes = bytes
        self.source = source
    }

    mutating func picture() throws(FormatError) -> PNG {
        try readSignature()
        var (last, name) = ("", "")
        repeat {
            let content: ArraySlice<UInt8>
            (name, content) = try chunk()
            guard (last == "") == (name == "IHDR") else {
                throw error(.header, "one chunk IHDR, the first of all", "\(name) behind \(last == "" ? "none" : last)")
            }
            switch name {
            case "IHDR": header = try readHeader(content)
            case "PLTE": palette = try readPalette(content)
            case "tRNS": alphas = try readAlphas(content)
            case "IDAT":
                guard compressed.isEmpty || last == name else {
                    throw error(.header, "chunks IDAT one behind the other", "\(last) between them")
                }
                compressed += content
            case "acTL":
                throw error(
                    .unsupported, "a picture that stands still", "an animation",
                    "Make a folder of PNGs of it, one a frame: \(FileKind.makingFrames)")
            case "IEND":
                guard content.isEmpty else { throw error(.size, "an empty chunk IEND", "\(content.count) bytes") }
            default:
                // Capital letters first: chunks without which the picture is not what it is.
                guard name.utf8.first! & 0x20 != 0 else {
                    throw error(.unsupported, "the chunks IHDR, PLTE, IDAT and IEND", name)
                }
            }
            last = name
        } while name != "IEND"
        guard position == bytes.count else {
            throw error(
                .size, "the end of the file behind IEND", "\(bytes.count - position) bytes",
                FormatError.appended(bytes.count - position))
        }
        return try decoded()
    }

    private mutating func readSignature() throws(FormatError) {
        guard bytes.starts(with: PNG.signature) else {
            let kind = FileKind(bytes)
            throw error(
                .signature, "a PNG image, which begins 0x89 and PNG", kind?.name ?? "other bytes", kind?.remedy)
        }
        position = PNG.signature.count
    }

    /// The next chunk's name and content, its checksum checked.
    private mutating func chunk() throws(FormatError) -> (name: String, content: ArraySlice<UInt8>) {
        guard bytes.count - position >= 12 else {
            throw error(
                .truncated, "a chunk of 12 bytes and more at byte \(position)", "\(bytes.count - position)",
                FormatError.cutShort)
        }
        let length = Int(clamping: bigEndian(position))
        guard length <= bytes.count - position - 12 else {
            throw error(
                .truncated, "a chunk of \(length) bytes at byte \(position)", "\(bytes.count - position - 12)",
                FormatError.cutShort)
        }
        let start = position + 8
        let letters = bytes[start - 4..<start]
        guard letters.allSatisfy({ (0x41...0x5A).contains($0 & ~0x20) }) else {
            throw error(.header, "a chunk's name of four letters at byte \(start - 4)", "other bytes")
        }
        let name = String(decoding: letters, as: UTF8.self)
        let (stored, found) = (bigEndian(start + length), CRC32.checksum(bytes[start - 4..<start + length]))
        guard stored == found else {
            throw error(
                .checksum, "a chunk \(name) with the CRC-32 \(hexadecimal(stored))", hexadecimal(found),
                FormatError.damaged)
        }
        position = start + length + 4
        return (name, bytes[start..<start + length])
    }

    private func bigEndian(_ offset: Int) -> UInt32 { bytes.littleEndian(UInt32.self, at: offset).byteSwapped }

    private func error(
        _ reason: FormatError.Reason, _ expected: String, _ found: String, _ advice: String? = nil
    ) -> FormatError {
        FormatError(source: source, reason: reason, expected: expected, found: found, advice: advice)
    }
}

/// What a file says of its pixels.
private struct PNGHeader {
    var width = 0
    var height = 0
    /// Bytes a pixel as it is stored: of a palette one.
    var channels = 0
    var hasPalette = false
}

// MARK: - Chunks

extension PNGFile {
    private func readHeader(_ content: ArraySlice<UInt8>) throws(FormatError) -> PNGHeader {
        guard content.count == 13 else { throw error(.header, "13 bytes in IHDR", "\(content.count)") }
        let start = content.startIndex
        let (width, height) = (Int(clamping: bigEndian(start)), Int(clamping: bigEndian(start + 4)))
        let (depth, color, interlace) = (bytes[start + 8], bytes[start + 9], bytes[start + 12])
        let stored = [0: 1, 2: 3, 3: 1, 4: 2, 6: 4]
        guard let channels = stored[Int(color)] else {
            throw error(.header, "a color type among 0, 2, 3, 4 and 6", "\(color)")
        }
        guard [1, 2, 4, 8, 16].contains(depth) else { throw error(.header, "a depth of 1 to 16 bits", "\(depth)") }
        guard depth == 8 else {
            throw error(
                .unsupported, "8 bits a channel", "\(depth)",
                "Write it again with 8 bits: ffmpeg -i FILE -pix_fmt rgb24 NEW.png")
        }
        guard bytes[start + 10] == 0, bytes[start + 11] == 0, interlace <= 1 else {
            throw error(
                .header, "compression 0, filtering 0 and interlacing 0 or 1",
                "\(bytes[start + 10]), \(bytes[start + 11]) and \(interlace)")
        }
        guard interlace == 0 else {
            throw error(
                .unsupported, "rows one behind the other", "an interlaced picture",
                "Write it again without interlacing: ffmpeg -i FILE NEW.png")
        }
        let (count, overflow) = width.multipliedReportingOverflow(by: height)
        guard !overflow, (1...PNG.largestCount).contains(count) else {
            throw error(.size, "1 to \(PNG.largestCount) pixels", "\(height) by \(width)")
        }
        return PNGHeader(width: width, height: height, channels: channels, hasPalette: color == 3)
    }

    private func readPalette(_ content: ArraySlice<UInt8>) throws(FormatError) -> ArraySlice<UInt8> {
        guard palette == nil, compressed.isEmpty else {
            throw error(.header, "one chunk PLTE, before IDAT", palette == nil ? "one behind it" : "another one")
        }
        guard content.count % 3 == 0, (3...3 * 256).contains(content.count) else {
            throw error(.header, "a palette of 3 bytes for each of 1 to 256 entries", "\(content.count) bytes")
        }
        return content
    }

    private func readAlphas(_ content: ArraySlice<UInt8>) throws(FormatError) -> ArraySlice<UInt8> {
        guard header.hasPalette else {
            throw error(
                .unsupported, "transparency as a channel", "one transparent color",
                "Write it again with a channel: ffmpeg -i FILE -pix_fmt rgba NEW.png")
        }
        guard let palette, compressed.isEmpty, (1...palette.count / 3).contains(content.count) else {
            throw error(
                .header, "a chunk tRNS between PLTE and IDAT, of at most a byte for each entry of the palette",
                "one of \(content.count) bytes")
        }
        return content
    }
}

// MARK: - Pixels

extension PNGFile {
    private func decoded() throws(FormatError) -> PNG {
        let (width, height, channels) = (header.width, header.height, header.channels)
        if header.hasPalette && palette == nil { throw error(.header, "a chunk PLTE before IDAT", "none") }
        var pixels = try Zlib.decompress(compressed, size: height * (width * channels + 1), source: source)
        try removeFilters(&pixels)
        guard let palette, header.hasPalette else {
            return PNG(width: width, height: height, channels: channels, pixels: pixels)
        }
        let entries = palette.count / 3
        let colors = (0..<entries).map { entry in
            let first = palette.startIndex + 3 * entry
            let alpha = entry < alphas.count ? alphas[alphas.startIndex + entry] : 255
            return palette[first..<first + 3] + (alphas.isEmpty ? [] : [alpha])
        }
        var colored: [UInt8] = []
        colored.reserveCapacity(pixels.count * colors[0].count)
        for index in pixels {
            guard Int(index) < entries else {
                throw error(.valueOutOfRange, "pixels of the palette's \(entries) entries", "\(index)")
            }
            colored += colors[Int(index)]
        }
        return PNG(width: width, height: height, channels: colors[0].count, pixels: colored)
    }

    /// Makes rows that each have the number of their filter in front rows of pixels, in place: what is written never reaches
    /// what is still to be read.
    private func removeFilters(_ rows: inout [UInt8]) throws(FormatError) {
        let (width, step) = (header.width * header.channels, header.channels)
        var wrong: UInt8?
        rows.withUnsafeMutableBufferPointer { rows in
            for y in 0..<header.height where wrong == nil {
                let filter = rows[y * (width + 1)]
                let (from, to) = (y * (width + 1) + 1, y * width)
                for i in 0..<width {
                    let left = i >= step ? rows[to + i - step] : 0
                    let above = y > 0 ? rows[to + i - width] : 0
                    let prediction: UInt8
                    switch filter {
                    case 0: prediction = 0
                    case 1: prediction = left
                    case 2: prediction = above
                    case 3: prediction = UInt8((Int(left) + Int(above)) / 2)
                    case 4:
                        prediction = Self.paeth(left, above, y > 0 && i >= step ? rows[to + i - width - step] : 0)
                    default:
                        wrong = filter
                        return
                    }
                    rows[to + i] = rows[from + i] &+ prediction
                }
            }
        }
        if let wrong { throw error(.header, "a filter from 0 to 4 before each row", "\(wrong)") }
        rows.removeLast(header.height)
    }

    /// That of left, above and both which is nearest to left + above - both; of equals the first (Paeth 1991).
    private static func paeth(_ left: UInt8, _ above: UInt8, _ both: UInt8) -> UInt8 {
        let (a, b, c) = (Int(left), Int(above), Int(both))
        let (da, db, dc) = (abs(b - c), abs(a - c), abs(a + b - 2 * c))
        return da <= db && da <= dc ? left : db <= dc ? above : both
    }
}
