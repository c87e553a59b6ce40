/// Compresses into one deflate block of the fixed Huffman code (RFC 1951, section 3.2.6): simple, and for pictures of a few
/// hundred kilobytes small enough.
enum Deflate {
    /// A stream that stands for `bytes`; the same bytes always give the same.
    ///
    /// Repeats are taken as they come, each the longest that is found. O(*n*) in the bytes.
    static func compress(_ bytes: [UInt8]) -> [UInt8] {
        var bits = BitWriter()
        // The last block, and that it is of the fixed code.
        bits.append(1, width: 1)
        bits.append(1, width: 2)
        var repeats = Repeats(bytes)
        var position = 0
        while position < bytes.count {
            guard let found = repeats.longest(at: position) else {
                append(Int(bytes[position]), to: &bits)
                position += 1
                continue
            }
            let (length, lengthBase, lengthBits) = symbol(found.length, Inflate.lengths)
            append(257 + length, to: &bits)
            bits.append(found.length - lengthBase, width: lengthBits)
            let (distance, distanceBase, distanceBits) = symbol(found.distance, Inflate.distances)
            bits.append(HuffmanCode.reversed(distance, bits: 5), width: 5)
            bits.append(found.distance - distanceBase, width: distanceBits)
            position += found.length
        }
        append(256, to: &bits)
        return bits.finish()
    }

    /// Which of some ranges one behind the other a number lies in, where that begins, and its extra bits.
    private static func symbol(
        _ number: Int, _ ranges: [(base: Int, bits: Int)]
    ) -> (symbol: Int, base: Int, bits: Int) {
        let symbol = ranges.lastIndex { $0.base <= number }!
        return (symbol, ranges[symbol].base, ranges[symbol].bits)
    }

    private static func append(_ symbol: Int, to bits: inout BitWriter) {
        bits.append(codes[symbol].bits, width: codes[symbol].width)
    }

    /// The code of each literal, of the end, 256, and of each length, its first bit lowest.
    private static let codes: [(bits: Int, width: Int)] = (0..<288).map { symbol in
        let (code, width) =
            switch symbol {
            case ..<144: (0b0011_0000 + symbol, 8)
            case ..<256: (0b1_1001_0000 + symbol - 144, 9)
            case ..<280: (symbol - 256, 7)
            default: (0b1100_0000 + symbol - 280, 8)
            }
        return (HuffmanCode.reversed(code, bits: width), width)
    }
}

/// Where bytes stood before: the places with the same three bytes are chained, the last one first.
private struct Repeats {
    private let bytes: [UInt8]
    /// The last place of each hash, and of each place in the window the one before it with the same hash; -1 for none.
    private var last = [Int32](repeating: -1, count: 1 << hashBits)
    private var before = [Int32](repeating: -1, count: window)
    /// The first place that is not in a chain.
    private var next = 0

    private static let window = 1 << 15
    private static let hashBits: UInt32 = 15
    private static let lengths = 3...258
    /// Places of a chain that are looked at.
    private static let tries = 64

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The longest string from `position` on that stood before it, as far as it is found, and how far before. Positions must
    /// go up.
    mutating func longest(at position: Int) -> (length: Int, distance: Int)? {
        while next < position {
            if let hash = hash(next) {
                before[next % Self.window] = last[hash]
                last[hash] = Int32(next)
            }
            next += 1
        }
        guard let hash = hash(position) else { return nil }
        let most = min(Self.lengths.upperBound, bytes.count - position)
        var (found, best) = (0, Self.lengths.lowerBound - 1)
        var place = Int(last[hash])
        for _ in 0..<Self.tries where place >= 0 && position - place <= Self.window && best < most {
            // A longer one has this byte, too.
            if bytes[place + best] == bytes[position + best] {
                var length = 0
                while length < most, bytes[place + length] == bytes[position + length] { length += 1 }
                if length > best { (found, best) = (place, length) }
            }
            place = Int(before[place % Self.window])
        }
        return best >= Self.lengths.lowerBound ? (best, position - found) : nil
    }

    /// Of the three bytes from a place on; nil where there are fewer.
    private func hash(_ place: Int) -> Int? {
        guard place + 2 < bytes.count else { return nil }
        let word = UInt32(bytes[place]) | UInt32(bytes[place + 1]) << 8 | UInt32(bytes[place + 2]) << 16
        return Int((word &* 0x9E37_79B1) >> (32 - Self.hashBits))
    }
}
