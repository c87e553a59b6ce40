/// A file of TensorFlow's records, as `tf.io.TFRecordWriter` writes them without compression: examples one behind the other,
/// each a dictionary of lists.
///
///     let file = try TensorFlowRecords(path: "traj_0_to_255.tfrecords")
///     let action = try file.example(0).features["0/action"]
///
/// A record is a length in 64 bits, a checksum of it, so many bytes, and a checksum of them (CRC-32C, masked). The lengths are
/// checked when the file is opened, an example when it is asked for.
@_spi(Laboratory) public struct TensorFlowRecords: Sendable {
    /// Where the bytes came from, a path as a rule, for error messages.
    public let source: String
    /// How many records there are.
    public var count: Int { records.count }

    private let bytes: [UInt8]
    /// Where each record's bytes stand.
    private let records: [Range<Int>]

    /// Opens the file whose content is `bytes`; `source` says where they came from, for error messages.
    ///
    /// - Throws: ``FormatError`` if a length has another checksum, or a record is not all there.
    /// - Complexity: O(*n*) in the number of records; nothing is copied.
    public init(bytes: [UInt8], source: String) throws(FormatError) {
        (self.bytes, self.source) = (bytes, source)
        var records: [Range<Int>] = []
        var position = 0
        while position < bytes.count {
            let record = try Self.record(in: bytes, at: position, source: source)
            records.append(record)
            position = record.upperBound + 4
        }
        self.records = records
    }

    /// Opens the file at `path`; throws ``FileError`` if it cannot be read, else as ``init(bytes:source:)``.
    public init(path: String) throws {
        try self.init(bytes: try Files.read(path), source: path)
    }

    /// Record `index` as an example.
    ///
    /// - Throws: ``FormatError`` if its bytes have another checksum or are no example. Traps on an index out of range.
    /// - Complexity: O(*n*) in the record's bytes.
    public func example(_ index: Int) throws(FormatError) -> TensorFlowExample {
        let record = try record(index)
        return try TensorFlowExample(bytes, record.indices, source: source, entry: "\(index)")
    }

    /// The bytes of record `index`, whatever they are.
    ///
    /// - Throws: ``FormatError`` if they have another checksum. Traps on an index out of range.
    /// - Complexity: O(*n*) in the record's bytes.
    public func record(_ index: Int) throws(FormatError) -> ArraySlice<UInt8> {
        require(records.indices.contains(index), "record \(index) was asked for; there are \(count), counted from 0")
        let range = records[index]
        try Self.check(bytes, range, masked: range.upperBound, "a record", entry: "\(index)", source: source)
        return bytes[range]
    }

    /// The bytes of a file of these records.
    ///
    /// - Complexity: O(*n*) in their bytes.
    public static func serialize(_ records: [[UInt8]]) -> [UInt8] {
        var bytes: [UInt8] = []
        for record in records {
            let start = bytes.count
            bytes.appendLittleEndian(UInt64(record.count))
            bytes.appendLittleEndian(masked(CRC32.castagnoli(bytes[start...])))
            bytes += record
            bytes.appendLittleEndian(masked(CRC32.castagnoli(record[...])))
        }
        return bytes
    }

    /// Where the bytes of the record that begins at `position` stand.
    private static func record(
        in bytes: [UInt8], at position: Int, source: String
    ) throws(FormatError) -> Range<Int> {
        let start = position + 12
        guard bytes.count - position >= 16 else {
            let kind = position == 0 ? FileKind(bytes) : nil
            throw FormatError(
                source: source, reason: kind == nil ? .truncated : .signature,
                expected: "a record of 16 bytes and more at byte \(position)",
                found: kind?.name ?? "\(bytes.count - position)",
                advice: kind == nil ? FormatError.cutShort : kind?.remedy)
        }
        do {
            try check(bytes, position..<position + 8, masked: position + 8, "a length", entry: nil, source: source)
        } catch {
            // What begins otherwise is most likely another kind of file.
            guard position == 0 else { throw error }
            let kind = FileKind(bytes)
            throw FormatError(
                source: source, reason: .signature,
                expected: "records of TensorFlow, whose first has a length with its checksum",
                found: kind?.name ?? "other bytes",
                advice: kind?.remedy ?? "Records that are compressed are not read: write them without.")
        }
        let length = bytes.littleEndian(UInt64.self, at: position)
        guard length <= UInt64(bytes.count - start - 4) else {
            throw FormatError(
                source: source, reason: .truncated, expected: "a record of \(length) bytes at byte \(position)",
                found: "\(bytes.count - start - 4)", advice: FormatError.cutShort)
        }
        return start..<start + Int(length)
    }

    /// Compares the checksum of some bytes with the masked one at `place`.
    private static func check(
        _ bytes: [UInt8], _ range: Range<Int>, masked place: Int, _ what: String, entry: String?, source: String
    ) throws(FormatError) {
        let stored = bytes.littleEndian(UInt32.self, at: place)
        let found = masked(CRC32.castagnoli(bytes[range]))
        guard stored == found else {
            throw FormatError(
                source: source, entry: entry, reason: .checksum,
                expected: "\(what) with the masked CRC-32C \(hexadecimal(stored))", found: hexadecimal(found),
                advice: FormatError.damaged, noun: "record")
        }
    }

    /// What stands in the file for a checksum, so that one of bytes with checksums among them is no weaker.
    private static func masked(_ checksum: UInt32) -> UInt32 { (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8 }
}

/// A dictionary of lists: TensorFlow's `tf.train.Example`, read from its protocol buffer.
@_spi(Laboratory) public struct TensorFlowExample: Sendable, Equatable {
    /// The lists by their names.
    public private(set) var features: [String: Feature] = [:]

    /// A list of values of one kind.
    public enum Feature: Sendable, Equatable {
        /// Texts, or pictures as they are encoded.
        case bytes([ArraySlice<UInt8>])
        /// Numbers in single precision.
        case floats([Float])
        /// Whole numbers.
        case integers([Int64])
    }

    /// Reads the example that `range` of the bytes is. Throws ``FormatError`` if it breaks a rule of the format.
    fileprivate init(_ bytes: [UInt8], _ range: Range<Int>, source: String, entry: String) throws(FormatError) {
        var example = Protobuf(bytes: bytes, range, source: source, entry: entry)
        while let field = try example.next() {
            guard field.number == 1, var list = example.message(field) else { continue }
            while let field = try list.next() {
                guard field.number == 1, var pair = list.message(field) else { continue }
                try readPair(&pair)
            }
        }
    }

    /// One name with its list.
    private mutating func readPair(_ pair: inout Protobuf) throws(FormatError) {
        var (name, feature): (String, Feature?) = ("", nil)
        while let field = try pair.next() {
            if field.number == 1, case .bytes(let range) = field.value {
                name = String(decoding: pair.bytes[range], as: UTF8.self)
            } else if field.number == 2, var lists = pair.message(field) {
                while let field = try lists.next() {
                    guard var list = lists.message(field) else { continue }
                    switch field.number {
                    case 1: feature = .bytes(try Self.bytes(&list))
                    case 2: feature = .floats(try Self.floats(&list))
                    case 3: feature = .integers(try Self.integers(&list))
                    default: continue
                    }
                }
            }
        }
        // A list without a kind is an empty one.
        guard features.updateValue(feature ?? .bytes([]), forKey: name) == nil else {
            throw pair.error(.duplicate, "names that differ", "two lists \"\(name)\"")
        }
    }

    private static func bytes(_ list: inout Protobuf) throws(FormatError) -> [ArraySlice<UInt8>] {
        var values: [ArraySlice<UInt8>] = []
        while let field = try list.next() {
            if field.number == 1, case .bytes(let range) = field.value { values.append(list.bytes[range]) }
        }
        return values
    }

    private static func floats(_ list: inout Protobuf) throws(FormatError) -> [Float] {
        var values: [Float] = []
        while let field = try list.next() {
            guard field.number == 1 else { continue }
            switch field.value {
            case .bytes(let range):
                guard range.count % 4 == 0 else {
                    throw list.error(.size, "a list of floats of 4 bytes each", "\(range.count) bytes")
                }
                values += list.bytes.numbers(from: range.lowerBound, count: range.count / 4) { (bits: UInt32) in
                    Float(bitPattern: bits)
                }
            case .fixed32(let bits): values.append(Float(bitPattern: bits))
            case .varint, .fixed64: throw list.error(.header, "a list of floats", "numbers of another kind")
            }
        }
        return values
    }

    private static func integers(_ list: inout Protobuf) throws(FormatError) -> [Int64] {
        var values: [Int64] = []
        while let field = try list.next() {
            guard field.number == 1 else { continue }
            switch field.value {
            case .varint(let number): values.append(Int64(bitPattern: number))
            case .bytes:
                guard var numbers = list.message(field) else { continue }
                while !numbers.isAtEnd { values.append(Int64(bitPattern: try numbers.varint())) }
            case .fixed32, .fixed64: throw list.error(.header, "a list of whole numbers", "numbers of another kind")
            }
        }
        return values
    }
}
