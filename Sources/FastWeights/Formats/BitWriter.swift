/// Bytes written bit by bit, the lowest first, as deflate and GIF have them.
struct BitWriter {
    private(set) var bytes: [UInt8] = []
    private var waiting: UInt64 = 0
    private var count = 0

    /// Appends the lowest `width` bits of `value`, at most 32.
    mutating func append(_ value: Int, width: Int) {
        waiting |= UInt64(value) << UInt64(count)
        count += width
        while count >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: waiting))
            waiting >>= 8
            count -= 8
        }
    }

    /// All bytes; the last is filled up with zeros.
    mutating func finish() -> [UInt8] {
        if count > 0 { append(0, width: 8 - count) }
        return bytes
    }
}
