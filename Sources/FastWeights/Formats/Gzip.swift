/// Reads gzip (RFC 1952), as `gzip` and Python's gzip module write it: members one behind the other, each checked.
@_spi(Laboratory) public enum Gzip {
    /// Whether `bytes` begin as a gzip file does.
    public static func isGzip(_ bytes: [UInt8]) -> Bool {
        bytes.count >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B
    }

    /// What the gzip file `bytes` holds, all members together.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - source: Where the bytes came from, for error messages.
    ///   - limit: The most bytes it may hold; unless given, what a file of this size can: 1032 times as many.
    /// - Throws: ``FormatError`` if the bytes break a rule of the format, a checksum or size is wrong, anything but
    ///   another member or zero bytes follows a member, or the content is larger than `limit`. Traps on a limit below 0.
    /// - Complexity: O(*n* + *m*) in the numbers of bytes before and after. The memory taken grows with what has been
    ///   decompressed, not with what the file claims.
    public static func decompress(
        _ bytes: [UInt8], source: String, limit: Int? = nil
    ) throws(FormatError) -> [UInt8] {
        if let limit { require(limit >= 0, "a limit of bytes is at least 0, found \(limit)") }
        var file = GzipFile(bytes: bytes, source: source)
        return try file.content(limit: limit ?? Inflate.largestSize(of: bytes.count))
    }

    /// What the gzip file at `path` holds; throws ``FileError`` if it cannot be read, else as
    /// ``decompress(_:source:limit:)``.
    public static func decompress(path: String, limit: Int? = nil) throws -> [UInt8] {
        try decompress(try Files.read(path), source: path, limit: limit)
    }
}

/// One pass over a gzip file. `position` is the next byte to read.
private struct GzipFile {
    let bytes: [UInt8]
    let source: String
    private var position = 0

    /// Bytes of a member without its optional fields before and after the compressed data.
    private static let headerLength = 10
    private static let trailerLength = 8

    init(bytes: [UInt8], source: String) {
        self.bytes = bytes
        self.source = source
    }

    mutating func content(limit: Int) throws(FormatError) -> [UInt8] {
        var content: [UInt8] = []
        repeat {
            try member(limit: limit, into: &content)
            skipPadding()
        } while position < bytes.count
        return content
    }

    /// Steps over zero bytes behind a member: tapes and disks fill up their blocks with them.
    private mutating func skipPadding() {
        while position < bytes.count, bytes[position] == 0 { position += 1 }
    }

    private mutating func member(limit: Int, into content: inout [UInt8]) throws(FormatError) {
        try header()
        guard bytes.count - position >= Self.trailerLength else { throw cutShort("compressed data and 8 bytes") }
        let start = content.count
        reserve(limit: limit, in: &content)
        do {
            position = try Inflate.inflate(
                bytes, position..<bytes.count - Self.trailerLength, limit: limit - start, into: &content)
        } catch let fault {
            throw error(fault.reason, fault.expected, fault.found, fault.reason == .size ? nil : FormatError.damaged)
        }
        let storedChecksum = bytes.littleEndian(UInt32.self, at: position)
        let checksum = CRC32.checksum(content[start...])
        guard checksum == storedChecksum else {
            throw error(
                .checksum, "content with the CRC-32 \(hexadecimal(storedChecksum))", hexadecimal(checksum),
                FormatError.damaged)
        }
        let storedSize = bytes.littleEndian(UInt32.self, at: position + 4)
        guard storedSize == UInt32(truncatingIfNeeded: content.count - start) else {
            throw error(.size, "\(storedSize) bytes of content", "\(content.count - start)", FormatError.damaged)
        }
        position += Self.trailerLength
    }

    /// Room for the content of a file of one member, if its last bytes claim a size that the file can have.
    private func reserve(limit: Int, in content: inout [UInt8]) {
        let claimed = Int(truncatingIfNeeded: bytes.littleEndian(UInt32.self, at: bytes.count - 4))
        let possible = min(limit, Inflate.largestSize(of: bytes.count - position))
        if content.isEmpty, (1...max(1, possible)).contains(claimed) { content.reserveCapacity(claimed) }
    }

    private mutating func header() throws(FormatError) {
        let start = position
        guard start == bytes.count || bytes[start] == 0x1F, start + 1 >= bytes.count || bytes[start + 1] == 0x8B else {
            let first = bytes[start..<min(start + 2, bytes.count)].map { hexadecimal($0) }.joined(separator: " ")
            guard start == 0 else {
                let rest = bytes.count - start
                throw error(
                    .signature, "another gzip member or the end at byte \(start)", first, FormatError.appended(rest))
            }
            let kind = FileKind(bytes)
            throw error(.signature, "a gzip file, which begins 0x1F 0x8B", kind?.name ?? first, kind?.remedy)
        }
        guard bytes.count - start >= Self.headerLength else { throw cutShort("a header of 10 bytes") }
        guard bytes[start + 2] == 8 else {
            throw error(.unsupported, "compression method 8, deflate", "\(bytes[start + 2])")
        }
        let flags = bytes[start + 3]
        guard flags & 0xE0 == 0 else {
            throw error(.header, "no flags beyond 0x1F", hexadecimal(flags))
        }
        position += Self.headerLength
        if flags & 0x04 != 0 {
            guard bytes.count - position >= 2 else { throw cutShort("the length of an extra field") }
            let length = Int(bytes.littleEndian(UInt16.self, at: position))
            guard bytes.count - position - 2 >= length else { throw cutShort("an extra field of \(length) bytes") }
            position += 2 + length
        }
        if flags & 0x08 != 0 { try skipText("the file's name") }
        if flags & 0x10 != 0 { try skipText("a comment") }
        if flags & 0x02 != 0 {
            guard bytes.count - position >= 2 else { throw cutShort("the header's checksum") }
            let stored = bytes.littleEndian(UInt16.self, at: position)
            let checksum = UInt16(truncatingIfNeeded: CRC32.checksum(bytes[start..<position]))
            guard stored == checksum else {
                throw error(
                    .checksum, "a header with the checksum \(hexadecimal(stored))", hexadecimal(checksum),
                    FormatError.damaged)
            }
            position += 2
        }
    }

    /// Steps over a text that ends with a zero byte.
    private mutating func skipText(_ what: String) throws(FormatError) {
        guard let end = bytes[position...].firstIndex(of: 0) else { throw cutShort("a zero byte that ends \(what)") }
        position = end + 1
    }

    private func cutShort(_ expected: String) -> FormatError {
        error(.truncated, expected, "\(bytes.count - position) bytes", FormatError.cutShort)
    }

    private func error(
        _ reason: FormatError.Reason, _ expected: String, _ found: String, _ advice: String? = nil
    ) -> FormatError {
        FormatError(source: source, reason: reason, expected: expected, found: found, advice: advice)
    }
}

/// A number as error messages give bytes: 0x and its digits.
func hexadecimal(_ number: some FixedWidthInteger & UnsignedInteger) -> String {
    let digits = String(number, radix: 16, uppercase: true)
    return "0x" + String(repeating: "0", count: max(0, number.bitWidth / 4 - digits.count)) + digits
}
