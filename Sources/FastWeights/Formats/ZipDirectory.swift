/// The directory of a zip archive, read from its bytes with the rules of the format checked.
struct ZipDirectory {
    static let localSignature: UInt32 = 0x0403_4B50
    static let centralSignature: UInt32 = 0x0201_4B50
    static let endSignature: UInt32 = 0x0605_4B50
    static let wideEndSignature: UInt32 = 0x0606_4B50
    static let wideLocatorSignature: UInt32 = 0x0706_4B50
    /// The flag of a name in UTF-8.
    static let utf8Flag: UInt16 = 1 << 11
    /// The extra field that holds sizes and offset in 64 bits.
    static let wideField: UInt16 = 1

    private static let localLength = 30
    private static let centralLength = 46
    private static let endLength = 22
    static let wideEndLength = 56
    private static let wideLocatorLength = 20

    private let bytes: [UInt8]
    private let source: String

    init(bytes: [UInt8], source: String) {
        self.bytes = bytes
        self.source = source
    }

    /// The names of an archive's entries, as far as they can be told: of one that is cut short that of the first.
    static func names(_ bytes: [UInt8]) -> [String] {
        if let entries = try? ZipDirectory(bytes: bytes, source: "").entries() { return entries.map { $0.name } }
        guard bytes.count >= localLength else { return [] }
        let end = localLength + Int(bytes.littleEndian(UInt16.self, at: 26))
        return [String(decoding: bytes[localLength..<min(end, bytes.count)], as: UTF8.self)]
    }

    /// All entries in order, none of them out of place.
    func entries() throws(FormatError) -> [ZipArchive.Entry] {
        let (count, range) = try directory()
        var entries: [ZipArchive.Entry] = []
        entries.reserveCapacity(count)
        var names: Set<String> = []
        var position = range.lowerBound
        for _ in 0..<count {
            let entry = try entry(at: &position, directory: range)
            guard names.insert(entry.name).inserted else {
                throw error(.duplicate, entry: entry.name, "names that differ", "two entries of this name")
            }
            entries.append(entry)
        }
        guard position == range.upperBound else {
            throw error(.size, "a directory of \(position - range.lowerBound) bytes", "\(range.count)")
        }
        try checkPlaces(entries)
        return entries
    }

    /// No byte may belong to two entries: otherwise a small file could hold a large content many times.
    private func checkPlaces(_ entries: [ZipArchive.Entry]) throws(FormatError) {
        var end = 0
        for entry in entries.sorted(by: { $0.headerStart < $1.headerStart }) {
            guard entry.headerStart >= end else {
                throw error(.coverage, entry: entry.name, "a header from byte \(end) on", "byte \(entry.headerStart)")
            }
            end = entry.data.upperBound
        }
    }
}

// MARK: - The end of the archive

extension ZipDirectory {
    /// How many entries the directory has, and where it stands.
    private func directory() throws(FormatError) -> (count: Int, Range<Int>) {
        let end = try endRecord()
        let disks = bytes.littleEndian(UInt32.self, at: end + 4)
        var count = UInt64(bytes.littleEndian(UInt16.self, at: end + 10))
        let countHere = UInt64(bytes.littleEndian(UInt16.self, at: end + 8))
        var size = UInt64(bytes.littleEndian(UInt32.self, at: end + 12))
        var start = UInt64(bytes.littleEndian(UInt32.self, at: end + 16))
        var limit = end
        if let wide = try wideEndRecord(before: end) {
            count = bytes.littleEndian(UInt64.self, at: wide + 32)
            size = bytes.littleEndian(UInt64.self, at: wide + 40)
            start = bytes.littleEndian(UInt64.self, at: wide + 48)
            limit = wide
        } else {
            guard disks == 0, count == countHere else {
                throw error(.unsupported, "an archive in one part", "one of several")
            }
        }
        guard size <= UInt64(limit), start == UInt64(limit) - size else {
            throw error(
                .coverage, "a directory that ends where its end record begins, at byte \(limit)",
                "\(size) bytes from byte \(start)", FormatError.cutShort)
        }
        guard count <= size / UInt64(Self.centralLength) else {
            throw error(.size, "a directory of at least 46 bytes an entry", "\(size) bytes for \(count) entries")
        }
        return (Int(count), Int(start)..<limit)
    }

    /// Where the record stands that ends the archive: the last whose comment ends with the file, or with zero bytes behind
    /// it as tapes and disks fill up their blocks.
    private func endRecord() throws(FormatError) -> Int {
        var position = bytes.count - Self.endLength
        let first = max(0, position - 0xFFFF)
        // The last zero bytes may be the record's own.
        let zeros = bytes.reversed().prefix { $0 == 0 }.count
        var appended: Int?
        while position >= first {
            if bytes[position] == 0x50, bytes.littleEndian(UInt32.self, at: position) == Self.endSignature {
                let comment = Int(bytes.littleEndian(UInt16.self, at: position + 20))
                let rest = bytes.count - position - Self.endLength - comment
                if (0...zeros).contains(rest) { return position }
                if rest > 0, appended == nil { appended = rest }
            }
            position -= 1
        }
        let isZip = bytes.starts(with: [0x50, 0x4B])
        let kind = isZip ? nil : FileKind(bytes)
        throw error(
            .signature, "a zip archive, which ends with a directory",
            kind?.name ?? appended.map { "\($0) bytes behind its directory" } ?? "no end of a directory",
            isZip ? appended.map { FormatError.appended($0) } ?? FormatError.cutShort : kind?.advice(path: source))
    }

    /// Where the end record with 64-bit fields stands, if there is one.
    private func wideEndRecord(before end: Int) throws(FormatError) -> Int? {
        let locator = end - Self.wideLocatorLength
        guard locator >= 0, bytes.littleEndian(UInt32.self, at: locator) == Self.wideLocatorSignature else {
            return nil
        }
        let place = bytes.littleEndian(UInt64.self, at: locator + 8)
        guard locator >= Self.wideEndLength, place == UInt64(locator - Self.wideEndLength),
            bytes.littleEndian(UInt32.self, at: Int(place)) == Self.wideEndSignature
        else {
            throw error(.coverage, "a 64-bit end record just before its locator at byte \(locator)", "byte \(place)")
        }
        let wide = Int(place)
        guard bytes.littleEndian(UInt64.self, at: wide + 16) == 0,
            bytes.littleEndian(UInt64.self, at: wide + 24) == bytes.littleEndian(UInt64.self, at: wide + 32)
        else { throw error(.unsupported, "an archive in one part", "one of several") }
        return wide
    }
}

// MARK: - One entry

extension ZipDirectory {
    /// Reads the entry of the directory at `position`, which then is that of the next.
    private func entry(at position: inout Int, directory: Range<Int>) throws(FormatError) -> ZipArchive.Entry {
        let start = position
        guard directory.upperBound - start >= Self.centralLength,
            bytes.littleEndian(UInt32.self, at: start) == Self.centralSignature
        else { throw error(.header, "an entry of the directory at byte \(start)", "other bytes") }
        let nameEnd = start + Self.centralLength + Int(bytes.littleEndian(UInt16.self, at: start + 28))
        let extraEnd = nameEnd + Int(bytes.littleEndian(UInt16.self, at: start + 30))
        position = extraEnd + Int(bytes.littleEndian(UInt16.self, at: start + 32))
        guard position <= directory.upperBound else {
            throw error(.size, "an entry that ends with the directory, at byte \(directory.upperBound)", "\(position)")
        }
        // A name in another encoding is one that nobody asks for.
        let name = String(decoding: bytes[start + Self.centralLength..<nameEnd], as: UTF8.self)
        let storage = storage(at: start)
        let (size, storedSize, place) = try sizes(at: start, extra: nameEnd..<extraEnd, of: name)
        let largest: UInt64? =
            switch storage {
            case .plain: storedSize
            case .deflated: UInt64(Inflate.largestSize(of: Int(clamping: storedSize)))
            case .encrypted, .other: nil
            }
        if let largest {
            guard size <= largest, storage == .deflated || size == storedSize else {
                throw error(
                    .size, entry: name,
                    "\(storage == .deflated ? "at most " : "")\(largest) bytes in \(storedSize) stored ones", "\(size)")
            }
        }
        let data = try data(
            of: name, at: place, size: storedSize, named: start + Self.centralLength..<nameEnd,
            before: directory.lowerBound)
        return ZipArchive.Entry(
            name: name, size: Int(clamping: size), checksum: bytes.littleEndian(UInt32.self, at: start + 16),
            storage: storage, headerStart: Int(place), data: data)
    }

    private func storage(at start: Int) -> ZipArchive.Storage {
        // Encrypted data, patches, strong encryption, encrypted directory.
        guard bytes.littleEndian(UInt16.self, at: start + 8) & 0x2061 == 0 else { return .encrypted }
        return switch bytes.littleEndian(UInt16.self, at: start + 10) {
        case 0: .plain
        case 8: .deflated
        case let method: .other(method)
        }
    }

    /// The content's size, that of the data as stored, and the local header's place: from the extra field where the
    /// directory has no room for 64 bits.
    private func sizes(
        at start: Int, extra: Range<Int>, of name: String
    ) throws(FormatError) -> (size: UInt64, stored: UInt64, place: UInt64) {
        guard bytes.littleEndian(UInt16.self, at: start + 34) == 0 else {
            throw error(.unsupported, entry: name, "an archive in one part", "one of several")
        }
        var numbers = [start + 24, start + 20, start + 42].map { UInt64(bytes.littleEndian(UInt32.self, at: $0)) }
        guard numbers.contains(0xFFFF_FFFF) else { return (numbers[0], numbers[1], numbers[2]) }
        var wide = try wideField(in: extra, of: name)
        for i in numbers.indices where numbers[i] == 0xFFFF_FFFF {
            guard wide.count >= 8 else {
                throw error(.header, entry: name, "an extra field with its sizes in 64 bits", "none that has them")
            }
            numbers[i] = bytes.littleEndian(UInt64.self, at: wide.lowerBound)
            wide = wide.dropFirst(8)
        }
        return (numbers[0], numbers[1], numbers[2])
    }

    /// Where the 64-bit numbers stand among the extra fields; empty if they do not.
    private func wideField(in extra: Range<Int>, of name: String) throws(FormatError) -> Range<Int> {
        var position = extra.lowerBound
        while extra.upperBound - position >= 4 {
            let kind = bytes.littleEndian(UInt16.self, at: position)
            let end = position + 4 + Int(bytes.littleEndian(UInt16.self, at: position + 2))
            guard end <= extra.upperBound else { break }
            if kind == Self.wideField { return position + 4..<end }
            position = end
        }
        guard position == extra.upperBound else {
            throw error(.header, entry: name, "extra fields of \(extra.count) bytes", "fields of another length")
        }
        return extra.upperBound..<extra.upperBound
    }

    /// Where the data of an entry stand: behind its local header, whose name must be the same.
    private func data(
        of name: String, at place: UInt64, size: UInt64, named centralName: Range<Int>, before limit: Int
    ) throws(FormatError) -> Range<Int> {
        guard limit >= Self.localLength, place <= UInt64(limit - Self.localLength) else {
            throw error(.coverage, entry: name, "a header before the directory at byte \(limit)", "byte \(place)")
        }
        let header = Int(place)
        guard bytes.littleEndian(UInt32.self, at: header) == Self.localSignature else {
            throw error(.header, entry: name, "a header at byte \(header)", "other bytes")
        }
        let nameStart = header + Self.localLength
        let nameEnd = nameStart + Int(bytes.littleEndian(UInt16.self, at: header + 26))
        let start = nameEnd + Int(bytes.littleEndian(UInt16.self, at: header + 28))
        guard start <= limit, size <= UInt64(limit - start) else {
            throw error(
                .coverage, entry: name, "data before the directory at byte \(limit)", "\(size) bytes from byte \(start)"
            )
        }
        guard bytes[nameStart..<nameEnd] == bytes[centralName] else {
            throw error(.header, entry: name, "the same name in the entry's header", "another")
        }
        return start..<start + Int(size)
    }

    private func error(
        _ reason: FormatError.Reason, entry: String? = nil, _ expected: String, _ found: String, _ advice: String? = nil
    ) -> FormatError {
        FormatError(source: source, entry: entry, reason: reason, expected: expected, found: found, advice: advice)
    }
}
