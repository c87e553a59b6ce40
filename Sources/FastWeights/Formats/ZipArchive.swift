/// A zip archive in memory: read through its directory, with stored and deflated entries; written with stored ones.
///
///     let archive = try ZipArchive(bytes: bytes, source: "weights.npz")
///     for entry in archive.entries { print(entry.name, try archive.content(of: entry).count) }
///
/// The whole directory is checked when the archive is opened: every entry lies in the file, no two overlap or have the
/// same name, none is encrypted or claims more than its data can stand for. An entry's content is checked when it is read.
public struct ZipArchive: Sendable {
    /// What the directory says about one entry.
    public struct Entry: Equatable, Sendable {
        /// Its name.
        public let name: String
        /// Bytes of its content.
        public let size: Int
        let checksum: UInt32
        let isDeflated: Bool
        /// Where its header and its data, as they are stored, stand in the archive's bytes.
        let headerStart: Int
        let data: Range<Int>
    }

    /// Where the bytes came from, a path as a rule, for error messages.
    public let source: String
    /// The entries in the order of the directory.
    public let entries: [Entry]

    private let bytes: [UInt8]

    /// Opens the archive whose content is `bytes`.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - source: Where the bytes came from, for error messages.
    /// - Throws: ``FormatError`` if the bytes break a rule of the format, or use what is not supported: encryption,
    ///   several disks, compression other than deflate.
    /// - Complexity: O(*n* log *n*) for *n* entries, and a search for the end of the directory in the last 64 KiB; the
    ///   data are not copied.
    public init(bytes: [UInt8], source: String) throws(FormatError) {
        entries = try ZipDirectory(bytes: bytes, source: source).entries()
        self.bytes = bytes
        self.source = source
    }

    /// Opens the archive at `path`; throws ``FileError`` if it cannot be read, else as ``init(bytes:source:)``.
    public init(path: String) throws {
        try self.init(bytes: try Files.read(path), source: path)
    }

    /// The content of an entry of this archive.
    ///
    /// - Throws: ``FormatError`` if the data do not decompress to as many bytes as the directory says, or their checksum
    ///   is wrong. Traps on an entry of another archive.
    /// - Complexity: O(*n*) in the entry's size, and no more memory than that.
    public func content(of entry: Entry) throws(FormatError) -> [UInt8] {
        require(
            entry.data.upperBound <= bytes.count,
            "the entry \"\(entry.name)\" ends at byte \(entry.data.upperBound) and is of another archive than this of \(bytes.count)"
        )
        var content: [UInt8] = []
        content.reserveCapacity(entry.size)
        if entry.isDeflated {
            do throws(InflateError) {
                let end = try Inflate.inflate(bytes, entry.data, limit: entry.size, into: &content)
                guard end == entry.data.upperBound else {
                    throw InflateError(
                        reason: .size, expected: "\(entry.data.count) bytes of compressed data",
                        found: "\(end - entry.data.lowerBound)")
                }
                guard content.count == entry.size else {
                    throw InflateError(
                        reason: .size, expected: "\(entry.size) bytes of content", found: "\(content.count)")
                }
            } catch let fault {
                throw error(entry, fault.reason, fault.expected, fault.found)
            }
        } else {
            content.append(contentsOf: bytes[entry.data])
        }
        let checksum = CRC32.checksum(content)
        guard checksum == entry.checksum else {
            throw error(
                entry, .checksum, "content with the CRC-32 \(hexadecimal(entry.checksum))", hexadecimal(checksum))
        }
        return content
    }

    private func error(
        _ entry: Entry, _ reason: FormatError.Reason, _ expected: String, _ found: String
    ) -> FormatError {
        FormatError(
            source: source, entry: entry.name, reason: reason, expected: expected, found: found,
            advice: FormatError.damaged)
    }
}
