/// One pass over a file of a picture. `position` is the next byte to read.
struct PNGFile {
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
        if let wrong = PNGFilter.remove(from: &pixels, height: height, row: width * channels, step: channels) {
            throw error(.header, "a filter from 0 to 4 before each row", "\(wrong)")
        }
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
}
