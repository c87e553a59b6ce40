/// A zip archive in memory: read through its directory, with stored and deflated entries; written with stored ones.
///
///     let archive = try ZipArchive(bytes: bytes, source: "weights.npz")
///     for entry in archive.entries { print(entry.name, try archive.content(of: entry).count) }
///
/// The whole directory is checked when the archive is opened: every entry lies in the file, no two overlap or have the
/// same name, none claims more than its data can stand for. An entry's content is checked when it is read; one that is
/// encrypted or compressed in another way stands in no other's way.
public struct ZipArchive: Sendable {
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
    ///   to as many bytes as the directory says, or their checksum is wrong.
    /// - Complexity: O(*n*) in the entry's size, and no more memory than that.
    public func content(of entry: Entry) throws(FormatError) -> [UInt8] {
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
        let checksum = CRC32.checksum(content)
        guard checksum == entry.checksum else {
            throw error(
                entry, .checksum, "content with the CRC-32 \(hexadecimal(entry.checksum))", hexadecimal(checksum))
        }
        return content
    }

    private func error(
        _ entry: Entry, _ reason: FormatError.Reason, _ expected: String, _ found: String,
        advice: String = FormatError.damaged
    ) -> FormatError {
        FormatError(
            source: source, entry: entry.name, reason: reason, expected: expected, found: found, advice: advice)
    }
}

// MARK: - Writing

extension ZipArchive {
    /// The bytes of an archive that stores `entries` in the order given: the same arguments always give the same bytes.
    ///
    /// They are those Python's zipfile writes for entries of unknown size, as `numpy.savez` does: dated 1 January 1980,
    /// readable by their owner, sizes in 64 bits ahead of the data.
    ///
    /// - Parameter entries: Names that differ, of at most 65,535 bytes, with their content; at most 65,534, and together
    ///   less than 2 GiB, as an archive beyond needs a directory in 64 bits. Safetensors has no such limit.
    /// - Complexity: O(*n*) in the number of bytes.
    public static func serialise(_ entries: [(name: String, content: [UInt8])]) -> [UInt8] {
        let size = entries.reduce(0) { $0 + $1.content.count + 2 * $1.name.utf8.count + 128 }
        require(
            entries.count < 0xFFFF && size < 1 << 31,
            "\(entries.count) entries with \(size) bytes are too many for a zip archive without a 64-bit directory")
        require(
            Set(entries.map(\.name)).count == entries.count, "the names of a zip archive's entries must differ")
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        var directory: [UInt8] = []
        for (name, content) in entries {
            require(name.utf8.count <= 0xFFFF, "an entry's name of \(name.utf8.count) bytes is too long")
            let offset = UInt32(bytes.count)
            let header = Header(name: name, content: content)
            header.appendLocal(to: &bytes)
            bytes.append(contentsOf: content)
            header.appendCentral(offset: offset, to: &directory)
        }
        let start = bytes.count
        bytes.append(contentsOf: directory)
        bytes.appendLittleEndian(ZipDirectory.endSignature)
        bytes.appendLittleEndian(UInt32(0))  // this disk and that of the directory
        bytes.appendLittleEndian(UInt16(entries.count))  // on this disk
        bytes.appendLittleEndian(UInt16(entries.count))
        bytes.appendLittleEndian(UInt32(directory.count))
        bytes.appendLittleEndian(UInt32(start))
        bytes.appendLittleEndian(UInt16(0))  // comment
        return bytes
    }

    /// The two headers of an entry that is written.
    private struct Header {
        let name: [UInt8]
        let flags: UInt16
        let size: Int
        let checksum: UInt32

        init(name: String, content: [UInt8]) {
            self.name = Array(name.utf8)
            flags = self.name.allSatisfy { $0 < 0x80 } ? 0 : ZipDirectory.utf8Flag
            size = content.count
            checksum = CRC32.checksum(content)
        }

        func appendLocal(to bytes: inout [UInt8]) {
            bytes.appendLittleEndian(ZipDirectory.localSignature)
            appendCommon(size: .max, extra: 20, to: &bytes)
            bytes.append(contentsOf: name)
            bytes.appendLittleEndian(ZipDirectory.wideField)
            bytes.appendLittleEndian(UInt16(16))
            bytes.appendLittleEndian(UInt64(size))
            bytes.appendLittleEndian(UInt64(size))
        }

        func appendCentral(offset: UInt32, to bytes: inout [UInt8]) {
            bytes.appendLittleEndian(ZipDirectory.centralSignature)
            bytes.appendLittleEndian(UInt16(3 << 8 | 45))  // made on Unix, by version 4.5
            appendCommon(size: UInt32(size), extra: 0, to: &bytes)
            bytes.appendLittleEndian(UInt16(0))  // comment
            bytes.appendLittleEndian(UInt32(0))  // disk, internal attributes
            bytes.appendLittleEndian(UInt32(0o600 << 16))  // permissions
            bytes.appendLittleEndian(offset)
            bytes.append(contentsOf: name)
        }

        /// What both headers have, from the version needed to the length of the extra field.
        private func appendCommon(size: UInt32, extra: UInt16, to bytes: inout [UInt8]) {
            bytes.appendLittleEndian(UInt16(45))  // version 4.5, the first with 64-bit sizes
            bytes.appendLittleEndian(flags)
            bytes.appendLittleEndian(UInt16(0))  // stored
            bytes.appendLittleEndian(UInt16(0))  // midnight
            bytes.appendLittleEndian(UInt16(1 << 5 | 1))  // 1 January 1980
            bytes.appendLittleEndian(checksum)
            bytes.appendLittleEndian(size)  // compressed
            bytes.appendLittleEndian(size)
            bytes.appendLittleEndian(UInt16(name.count))
            bytes.appendLittleEndian(extra)
        }
    }
}
