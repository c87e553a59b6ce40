/// A picture of a PNG file (ISO/IEC 15948), 8 bits a channel: read strictly, written compressed.
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
        Self.serialize([
            (Array("IHDR".utf8), header), (Array("IDAT".utf8), compressed), (Array("IEND".utf8), []),
        ])
    }

    /// The content of the chunk IHDR.
    var header: [UInt8] {
        var header: [UInt8] = []
        for size in [width, height] { header.appendBigEndian(UInt32(size)) }
        return header + [8, Self.colorTypes[channels - 1], 0, 0, 0]
    }

    /// The rows, filtered and compressed.
    var compressed: [UInt8] {
        Zlib.compress(PNGFilter.apply(to: pixels, row: width * channels, step: channels))
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
