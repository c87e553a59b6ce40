/// The fields of a message in Protocol Buffers' encoding, one behind the other; what they mean, who reads them must know.
///
/// A field begins with a varint: its number · 8 + the kind of its value.
struct Protobuf {
    /// One field of a message.
    struct Field {
        let number: Int
        let value: Value
    }

    enum Value {
        case varint(UInt64)
        case fixed64(UInt64)
        /// A text, bytes, a message of its own or a packed list.
        case bytes(Range<Int>)
        case fixed32(UInt32)
    }

    let bytes: [UInt8]
    private let source: String
    private let entry: String?
    private var position: Int
    private let end: Int

    /// The message that `range` of the bytes is. Traps on a range outside them.
    init(bytes: [UInt8], _ range: Range<Int>, source: String, entry: String? = nil) {
        require(range.lowerBound >= 0 && range.upperBound <= bytes.count, "\(range) in \(bytes.count) bytes")
        (self.bytes, self.source, self.entry) = (bytes, source, entry)
        (position, end) = (range.lowerBound, range.upperBound)
    }

    var isAtEnd: Bool { position == end }

    /// The next field; nil at the end. Throws ``FormatError`` where the bytes are no field.
    mutating func next() throws(FormatError) -> Field? {
        guard position < end else { return nil }
        let start = position
        let key = try varint()
        guard key >> 3 >= 1, key >> 3 < 1 << 29 else {
            throw error(.header, "a field's number from 1 to \(1 << 29 - 1) at byte \(start)", "\(key >> 3)")
        }
        let value: Value
        switch key & 7 {
        case 0: value = .varint(try varint())
        case 1: value = .fixed64(bytes.littleEndian(UInt64.self, at: try take(8).lowerBound))
        case 2: value = .bytes(try take(try varint()))
        case 5: value = .fixed32(bytes.littleEndian(UInt32.self, at: try take(4).lowerBound))
        case let kind: throw error(.header, "a field's kind among 0, 1, 2 and 5 at byte \(start)", "\(kind)")
        }
        return Field(number: Int(key >> 3), value: value)
    }

    /// A field's bytes as a message, or packed list, of its own; nil of other fields.
    func message(_ field: Field) -> Protobuf? {
        guard case .bytes(let range) = field.value else { return nil }
        return Protobuf(bytes: bytes, range, source: source, entry: entry)
    }

    /// The next number of up to 64 bits: seven in each byte, lowest first, the highest bit of all but the last set.
    mutating func varint() throws(FormatError) -> UInt64 {
        let start = position
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard position < end else { throw ended(start) }
            let byte = bytes[position]
            position += 1
            if shift == 63, byte > 1 { break }
            number |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return number }
        }
        throw error(.header, "a number of at most 64 bits at byte \(start)", "a longer one")
    }

    private mutating func take(_ count: UInt64) throws(FormatError) -> Range<Int> {
        let start = position
        guard count <= UInt64(end - position) else { throw ended(start) }
        position += Int(count)
        return start..<position
    }

    private func ended(_ start: Int) -> FormatError {
        error(.truncated, "more of the field at byte \(start)", "the end of its message")
    }

    func error(_ reason: FormatError.Reason, _ expected: String, _ found: String) -> FormatError {
        FormatError(
            source: source, entry: entry, reason: reason, expected: expected, found: found,
            advice: FormatError.damaged, noun: "record")
    }
}
