/// A canonical Huffman code of deflate (RFC 1951, section 3.2.2): at most 288 symbols of up to 15 bits each.
///
/// Codes of up to nine bits are found in one look-up; the few longer ones bit by bit from the numbers of codes of each
/// length. So a table costs little to build, however many a hostile stream asks for.
struct HuffmanCode {
    static let longest = 15
    private static let direct = 9

    /// For each value of the next nine bits, first bit lowest: symbol · 16 + length; 0 where the code is longer or none.
    private var table = [UInt16](repeating: 0, count: 1 << direct)
    /// How many codes have each length.
    private var counts = [Int](repeating: 0, count: longest + 1)
    /// The symbols ordered by their codes.
    private var symbols: [UInt16] = []

    /// The code in which symbol i has `lengths[i]` bits, 0 for none; `nil` if the lengths do not make a code.
    ///
    /// The code must use up all bit patterns, except that one symbol alone may have one bit, and none at all is a code
    /// with which nothing can be read.
    init?(lengths: some RandomAccessCollection<UInt8>) {
        for length in lengths { counts[Int(length)] += 1 }
        counts[0] = 0
        var left = 1
        for length in 1...Self.longest {
            left = 2 * left - counts[length]
            if left < 0 { return nil }
        }
        let used = counts.reduce(0, +)
        guard left == 0 || used == 0 || used == 1 && counts[1] == 1 else { return nil }

        // Where each length's symbols begin, and its first code.
        var place = [Int](repeating: 0, count: Self.longest + 2)
        var code = [Int](repeating: 0, count: Self.longest + 2)
        for length in 1...Self.longest {
            place[length + 1] = place[length] + counts[length]
            code[length + 1] = (code[length] + counts[length]) << 1
        }
        symbols = [UInt16](repeating: 0, count: used)
        for (symbol, length) in lengths.enumerated() where length > 0 {
            let length = Int(length)
            symbols[place[length]] = UInt16(symbol)
            place[length] += 1
            if length <= Self.direct {
                let entry = UInt16(symbol << 4 | length)
                let first = Self.reversed(code[length], bits: length)
                for i in stride(from: first, to: table.count, by: 1 << length) { table[i] = entry }
            }
            code[length] += 1
        }
    }

    /// The bits of a code, of which the first is the lowest.
    static func reversed(_ code: Int, bits: Int) -> Int {
        (0..<bits).reduce(0) { result, bit in result << 1 | code >> bit & 1 }
    }

    /// The symbol whose code begins `bits`, first bit lowest, and the code's length; length 0 if there is none.
    @inline(__always)
    func symbol(in bits: UInt64) -> (symbol: Int, length: Int) {
        let entry = table[Int(bits & UInt64(1 << Self.direct - 1))]
        return entry != 0 ? (Int(entry >> 4), Int(entry & 15)) : longSymbol(in: bits)
    }

    private func longSymbol(in bits: UInt64) -> (symbol: Int, length: Int) {
        var code = 0  // the bits so far
        var first = 0  // the first code of this length
        var index = 0  // its place among the symbols
        for length in 1...Self.longest {
            code |= Int(bits >> UInt64(length - 1) & 1)
            let count = counts[length]
            if code - first < count { return (Int(symbols[index + code - first]), length) }
            index += count
            first = (first + count) << 1
            code <<= 1
        }
        return (0, 0)
    }
}
