/// The checksum of gzip, zip and PNG: CRC-32 with the polynomial 0xEDB88320, bits reversed (RFC 1952, section 8); and that of
/// TensorFlow's records, CRC-32C with Castagnoli's 0x82F63B78.
enum CRC32 {
    private static let table = table(0xEDB8_8320)
    private static let castagnoliTable = table(0x82F6_3B78)

    /// Remainders of one byte followed by 0 to 7 zero bytes, 256 each, so that eight bytes are taken at once.
    private static func table(_ polynomial: UInt32) -> [UInt32] {
        var table = (0..<UInt32(256)).map { byte in
            (0..<8).reduce(byte) { remainder, _ in remainder >> 1 ^ (remainder & 1 == 0 ? 0 : polynomial) }
        }
        for i in 256..<8 * 256 { table.append(table[i - 256] >> 8 ^ table[Int(table[i - 256] & 0xFF)]) }
        return table
    }

    /// The checksum of `bytes`; 0 for none.
    ///
    /// - Complexity: O(*n*) in the number of bytes.
    static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 { checksum(bytes, table) }

    /// The same with Castagnoli's polynomial.
    static func castagnoli(_ bytes: ArraySlice<UInt8>) -> UInt32 { checksum(bytes, castagnoliTable) }

    private static func checksum(_ bytes: ArraySlice<UInt8>, _ table: [UInt32]) -> UInt32 {
        var crc = ~UInt32(0)
        table.withUnsafeBufferPointer { table in
            bytes.withUnsafeBytes { raw in
                let blocks = raw.count / 8
                for block in 0..<blocks {
                    let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: block * 8, as: UInt64.self))
                    let mixed = word ^ UInt64(crc)
                    crc = 0
                    for k in 0..<8 { crc ^= table[(7 - k) * 256 + Int(mixed >> (8 * UInt64(k)) & 0xFF)] }
                }
                for i in blocks * 8..<raw.count { crc = crc >> 8 ^ table[Int((crc ^ UInt32(raw[i])) & 0xFF)] }
            }
        }
        return ~crc
    }

    /// The checksum of all of `bytes`.
    static func checksum(_ bytes: [UInt8]) -> UInt32 { checksum(bytes[...]) }
}
