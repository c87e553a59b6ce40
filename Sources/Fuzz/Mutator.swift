import FastWeights

/// Changes bytes in the ways files get damaged, and in those of somebody who knows the format.
struct Mutator {
    var random: Random
    /// Words of the format, to be put where they do not belong.
    let words: [[UInt8]]

    /// Lengths, counts and offsets at and around which arithmetic breaks.
    private static let extremes: [UInt64] = [
        0, 1, 2, 7, 8, 63, 64, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFF_FFFF, 0x8000_0000,
        0xFFFF_FFFF, 1 << 32, 1 << 53, 1 << 61, 1 << 62, 1 << 63 - 1, 1 << 63, .max - 7, .max - 1, .max,
    ]
    private static let numerals = [
        "0", "-1", "1", "2", "00", "1e9", "-0", "0.5", "1e400", "255", "65536", "2147483648", "4294967295",
        "9007199254740993", "4611686018427387904", "9223372036854775807", "18446744073709551616",
        "99999999999999999999999",
    ].map { Array($0.utf8) }

    /// `bytes` after one change or several; `other` is a file that pieces may come from.
    mutating func mutate(_ bytes: [UInt8], with other: [UInt8]) -> [UInt8] {
        var bytes = bytes
        repeat { change(&bytes, other) } while random.below(3) == 0
        return bytes
    }

    private mutating func change(_ bytes: inout [UInt8], _ other: [UInt8]) {
        switch random.below(12) {
        case 0 where !bytes.isEmpty: bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8))
        case 1 where !bytes.isEmpty: bytes[random.below(bytes.count)] = byte()
        case 2 where !bytes.isEmpty: bytes.removeLast(1 + random.below(bytes.count))
        case 3: insert((0...random.below(8)).map { _ in byte() }, into: &bytes)
        case 4: insert(piece(of: bytes), into: &bytes)
        case 5: insert(piece(of: other), into: &bytes)
        case 6: bytes = Array(bytes.prefix(random.below(bytes.count + 1)) + other.suffix(random.below(other.count + 1)))
        case 7: bytes.removeSubrange(range(in: bytes.count))
        case 8: putNumber(in: &bytes)
        case 9: putNumeral(in: &bytes)
        case 10 where !words.isEmpty:
            let word = words[random.below(words.count)]
            if random.below(2) == 0 { insert(word, into: &bytes) } else { overwrite(with: word, in: &bytes) }
        case 11 where random.below(32) == 0:
            let piece = piece(of: bytes)
            insert(Array(repeatElement(piece, count: 1 + random.below(2000)).joined()), into: &bytes)
        default: bytes.append(byte())
        }
    }

    private mutating func byte() -> UInt8 { UInt8(truncatingIfNeeded: random.next()) }

    private mutating func insert(_ piece: [UInt8], into bytes: inout [UInt8]) {
        bytes.insert(contentsOf: piece, at: random.below(bytes.count + 1))
    }

    private mutating func overwrite(with piece: [UInt8], in bytes: inout [UInt8]) {
        guard piece.count <= bytes.count else { return }
        let start = random.below(bytes.count - piece.count + 1)
        bytes.replaceSubrange(start..<start + piece.count, with: piece)
    }

    /// A range of up to 64 bytes, seldom any.
    private mutating func range(in count: Int) -> Range<Int> {
        let start = random.below(count + 1)
        let longest = random.below(8) == 0 ? count : 64
        return start..<start + random.below(min(longest, count - start) + 1)
    }

    private mutating func piece(of bytes: [UInt8]) -> [UInt8] {
        Array(bytes[range(in: bytes.count)])
    }

    /// Writes an extreme number, or one near that which is there, of 1, 2, 4 or 8 bytes in either order.
    private mutating func putNumber(in bytes: inout [UInt8]) {
        let width = 1 << random.below(4)
        guard bytes.count >= width else { return }
        let start = random.below(bytes.count - width + 1)
        let isBigEndian = random.below(3) == 0
        let places = (0..<width).map { start + (isBigEndian ? width - 1 - $0 : $0) }
        var number = Self.extremes[random.below(Self.extremes.count)]
        if random.below(3) == 0 {
            number = places.reversed().reduce(0) { $0 << 8 | UInt64(bytes[$1]) }
            number = number &+ UInt64(random.below(5)) &- 2
        }
        for (k, place) in places.enumerated() { bytes[place] = UInt8(truncatingIfNeeded: number >> UInt64(8 * k)) }
    }

    /// Replaces one of the decimal numbers in a text.
    private mutating func putNumeral(in bytes: inout [UInt8]) {
        func isDigit(_ i: Int) -> Bool { (0x30...0x39).contains(bytes[i]) }
        let starts = bytes.indices.filter { isDigit($0) && ($0 == 0 || !isDigit($0 - 1)) }
        guard !starts.isEmpty else { return }
        let start = starts[random.below(starts.count)]
        let end = bytes.indices[start...].first { !isDigit($0) } ?? bytes.count
        bytes.replaceSubrange(start..<end, with: Self.numerals[random.below(Self.numerals.count)])
    }
}
