/// A zip archive in memory: read through its directory, with stored and deflated entries; written with stored ones.
///
///     let archive = try ZipArchive(bytes: bytes, source: "weights.npz")
///     for entry in archive.entries { print(entry.name, try archive.content(of: entry).count) }
///
/// The whole directory is checked when the archive is opened: every entry lies in the file, no two overlap or have the
/// same name, none claims more than its data can stand for. An entry's content is checked when it is read; one that is
/// encrypted or compressed in another way stands in no other's way.
@_spi(Laboratory) public struct ZipArchive: Sendable {
    /// What the directory says about one entry.
    public struct Entry: Equatable, Sendable {
        /// Its name.
        public let name: String
        /// Bytes of its content.
        public let size: Int
        let checksum: UInt32
        let storage: Storage
        /// Where its header and its data, as they are stored, stand in the archive's bytes.
        let headerStart: Int
        let data: Range<Int>
    }

    /// How an entry's content is stored.
    enum Storage: Equatable, Sendable {
        case plain, deflated, encrypted
        /// Compressed by a method of this number that is not supported.
        case other(UInt16)
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
    /// - Throws: ``FormatError`` if the bytes break a rule of the format, or the archive is one of several parts.
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
    /// - Throws: ``FormatError`` if the data are encrypted or compressed in another way than by deflate, do not decompress
    ///   to as many bytes as the directory says, or their checksum is wrong. Traps on an entry of another archive.
    /// - Complexity: O(*n*) in the entry's size, and no more memory than that.
    public func content(of entry: Entry) throws(FormatError) -> [UInt8] {
        require(
            entry.data.upperBound <= bytes.count,
            "the entry \"\(entry.name)\" ends at byte \(entry.data.upperBound) and is of another archive than this of \(bytes.count)"
        )
        var content: [UInt8] = []
        switch entry.storage {
        case .deflated:
            content.reserveCapacity(entry.size)
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
        case .plain:
            content.append(contentsOf: bytes[entry.data])
        case .encrypted:
            throw error(
                entry, .unsupported, "data that are not encrypted", "encryption",
                advice: "Write the archive without it.")
        case .other(let method):
            throw error(
                entry, .unsupported, "stored or deflated data (method 0 or 8)", "method \(method)",
                advice: "Write the archive with deflate.")
        }
        try check(content[...], entry)
        return content
    }

    /// Where the content of an entry that is stored as it is stands in the archive's bytes.
    ///
    /// Throws ``FormatError`` for another entry and where the checksum is wrong. Complexity: O(*n*) in the entry's size.
    func range(of entry: Entry) throws(FormatError) -> Range<Int> {
        guard entry.storage == .plain else {
            throw error(
                entry, .unsupported, "data that are stored as they are", "compressed or encrypted ones",
                advice: "Write the archive without compression.")
        }
        try check(bytes[entry.data], entry)
        return entry.data
    }

    private func check(_ content: ArraySlice<UInt8>, _ entry: Entry) throws(FormatError) {
        let checksum = CRC32.checksum(content)
        guard checksum == entry.checksum else {
            throw error(
                entry, .checksum, "content with the CRC-32 \(hexadecimal(entry.checksum))", hexadecimal(checksum))
        }
    }

    private func error(
        _ entry: Entry, _ reason: FormatError.Reason, _ expected: String, _ found: String,
        advice: String = FormatError.damaged
    ) -> FormatError {
        FormatError(
            source: source, entry: entry.name, reason: reason, expected: expected, found: found, advice: advice)
    }
}
