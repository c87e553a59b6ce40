/// Why bytes are not a deflate stream, or a longer one than may be.
struct InflateError: Error, Equatable {
    var reason: FormatError.Reason
    var expected: String
    var found: String
}

/// Decompresses deflate streams (RFC 1951).
struct Inflate {
    /// A stream cannot expand by more: 258 bytes take at least two bits.
    static let largestExpansion = 1032

    /// The most bytes that so many bytes of deflate stream can stand for.
    static func largestSize(of compressed: Int) -> Int {
        let (size, overflow) = compressed.multipliedReportingOverflow(by: largestExpansion)
        return overflow ? .max : size
    }

    /// Appends to `output` what the stream that begins at `range`'s first byte of `bytes` stands for.
    ///
    /// - Parameters:
    ///   - range: Where the stream may lie; it may end sooner.
    ///   - limit: The most bytes it may stand for.
    /// - Returns: The byte after the stream's last.
    /// - Throws: ``InflateError`` if it is no deflate stream, is not all there, or stands for more than `limit` bytes.
    static func inflate(
        _ bytes: [UInt8], _ range: Range<Int>, limit: Int, into output: inout [UInt8]
    ) throws(InflateError) -> Int {
        var inflate = Inflate(bits: BitReader(bytes: bytes, range: range), start: output.count, limit: limit)
        swap(&inflate.output, &output)
        defer { swap(&inflate.output, &output) }
        while try inflate.block() {}
        return inflate.bits.position
    }

    private var bits: BitReader
    private var output: [UInt8] = []
    /// Bytes in `output` that are not of this stream.
    private let start: Int
    private let limit: Int

    private init(bits: BitReader, start: Int, limit: Int) {
        self.bits = bits
        self.start = start
        self.limit = limit
    }

    /// Reads one block; whether another follows.
    private mutating func block() throws(InflateError) -> Bool {
        let isLast = try bits.take(1) == 1
        switch try bits.take(2) {
        case 0: try storedBlock()
        case 1: try compressedBlock(Self.fixedLiterals, Self.fixedDistances)
        case 2:
            let (literals, distances) = try dynamicCodes()
            try compressedBlock(literals, distances)
        default: throw corrupt("a block of type 0, 1 or 2", "type 3")
        }
        return !isLast
    }

    private func corrupt(_ expected: String, _ found: String) -> InflateError {
        InflateError(reason: .compression, expected: expected, found: found)
    }

    private func checkRoom(for count: Int) throws(InflateError) {
        guard count <= limit - (output.count - start) else {
            throw InflateError(
                reason: .size, expected: "at most \(limit) bytes of decompressed data", found: "more")
        }
    }
}

// MARK: - Blocks

extension Inflate {
    private mutating func storedBlock() throws(InflateError) {
        bits.alignToByte()
        let length = try bits.take(16)
        let complement = try bits.take(16)
        guard length == ~complement & 0xFFFF else {
            throw corrupt("the complement of a stored block's length \(length)", "\(complement)")
        }
        try checkRoom(for: length)
        output.append(contentsOf: try bits.takeBytes(length))
    }

    private mutating func compressedBlock(_ literals: HuffmanCode, _ distances: HuffmanCode) throws(InflateError) {
        while true {
            let symbol = try bits.take(literals, "a literal or length")
            if symbol < 256 {
                try checkRoom(for: 1)
                output.append(UInt8(symbol))
                continue
            }
            if symbol == 256 { return }
            guard symbol - 257 < Self.lengths.count else { throw corrupt("a length symbol up to 285", "\(symbol)") }
            let (lengthBase, lengthBits) = Self.lengths[symbol - 257]
            let length = lengthBase + (try bits.take(lengthBits))
            let distanceSymbol = try bits.take(distances, "a distance")
            guard distanceSymbol < Self.distances.count else {
                throw corrupt("a distance symbol up to 29", "\(distanceSymbol)")
            }
            let (distanceBase, distanceBits) = Self.distances[distanceSymbol]
            let distance = distanceBase + (try bits.take(distanceBits))
            guard distance <= output.count - start else {
                throw corrupt("a distance up to the \(output.count - start) bytes there are", "\(distance)")
            }
            try checkRoom(for: length)
            // The copy may read what it has just written.
            let from = output.count - distance
            for i in from..<from + length { output.append(output[i]) }
        }
    }

    private mutating func dynamicCodes() throws(InflateError) -> (HuffmanCode, HuffmanCode) {
        let literalCount = try bits.take(5) + 257
        let distanceCount = try bits.take(5) + 1
        let orderCount = try bits.take(4) + 4
        guard literalCount <= 286, distanceCount <= 30 else {
            throw corrupt("at most 286 literals and 30 distances", "\(literalCount) and \(distanceCount)")
        }
        var codeLengths = [UInt8](repeating: 0, count: Self.order.count)
        for symbol in Self.order.prefix(orderCount) { codeLengths[symbol] = UInt8(try bits.take(3)) }
        let code = try code(codeLengths, "code lengths")
        var lengths: [UInt8] = []
        while lengths.count < literalCount + distanceCount {
            let symbol = try bits.take(code, "a code length")
            let (value, count): (UInt8, Int)
            switch symbol {
            case 16:
                guard let last = lengths.last else { throw corrupt("a code length to repeat", "none") }
                (value, count) = (last, 3 + (try bits.take(2)))
            case 17: (value, count) = (0, 3 + (try bits.take(3)))
            case 18: (value, count) = (0, 11 + (try bits.take(7)))
            default: (value, count) = (UInt8(symbol), 1)
            }
            lengths.append(contentsOf: repeatElement(value, count: count))
        }
        guard lengths.count == literalCount + distanceCount else {
            throw corrupt("\(literalCount + distanceCount) code lengths", "\(lengths.count)")
        }
        guard lengths[256] > 0 else { throw corrupt("a code for the end of the block", "none") }
        return (
            try self.code(lengths[..<literalCount], "literals and lengths"),
            try self.code(lengths[literalCount...], "distances")
        )
    }

    private func code(_ lengths: some RandomAccessCollection<UInt8>, _ what: String) throws(InflateError) -> HuffmanCode
    {
        guard let code = HuffmanCode(lengths: lengths) else {
            throw corrupt("a complete code for the \(what)", "lengths that make none")
        }
        return code
    }
}

// MARK: - Tables of the format

extension Inflate {
    /// The order in which a dynamic block gives the lengths of the code for code lengths.
    private static let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

    /// The shortest length of each symbol from 257, and its extra bits.
    static let lengths = ranges(from: 3, symbols: 28, group: 4) + [(258, 0)]

    /// The shortest distance of each symbol, and its extra bits.
    static let distances = ranges(from: 1, symbols: 30, group: 2)

    /// Ranges one behind the other: two groups of single numbers, then each group's ranges twice as long as the last's.
    private static func ranges(from first: Int, symbols: Int, group: Int) -> [(base: Int, bits: Int)] {
        var base = first
        return (0..<symbols).map { symbol in
            let bits = max(0, symbol / group - 1)
            defer { base += 1 << bits }
            return (base, bits)
        }
    }

    private static let fixedLiterals = HuffmanCode(
        lengths: (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 })!
    // Symbols 30 and 31 have codes but no meaning.
    private static let fixedDistances = HuffmanCode(lengths: [UInt8](repeating: 5, count: 32))!
}

// MARK: - Bits

/// The bits of some bytes, lowest first.
private struct BitReader {
    private let bytes: [UInt8]
    private let end: Int
    /// The next byte to load.
    private var next: Int
    /// Bits loaded and not yet taken, and how many.
    private var loaded: UInt64 = 0
    private var count = 0

    init(bytes: [UInt8], range: Range<Int>) {
        require(range.lowerBound >= 0 && range.upperBound <= bytes.count, "\(range) in \(bytes.count) bytes")
        self.bytes = bytes
        next = range.lowerBound
        end = range.upperBound
    }

    /// The first byte of which no bit has been taken.
    var position: Int { next - count / 8 }

    /// Loads at least 56 bits, or all that are left.
    @inline(__always)
    private mutating func load() {
        while count <= 56 && next < end {
            loaded |= UInt64(bytes[next]) << UInt64(count)
            next += 1
            count += 8
        }
    }

    @inline(__always)
    mutating func take(_ width: Int) throws(InflateError) -> Int {
        if count < width { load() }
        guard count >= width else { throw ended }
        let value = Int(loaded & (1 << UInt64(width) - 1))
        loaded >>= UInt64(width)
        count -= width
        return value
    }

    @inline(__always)
    mutating func take(_ code: borrowing HuffmanCode, _ what: StaticString) throws(InflateError) -> Int {
        if count < HuffmanCode.longest { load() }
        let (symbol, length) = code.symbol(in: loaded)
        guard length > 0, length <= count else {
            if count < HuffmanCode.longest { throw ended }
            throw InflateError(reason: .compression, expected: "the code of \(what)", found: "bits that are none")
        }
        loaded >>= UInt64(length)
        count -= length
        return symbol
    }

    /// Drops the bits before the next whole byte.
    mutating func alignToByte() {
        loaded >>= UInt64(count % 8)
        count -= count % 8
    }

    /// The next bytes, from a whole byte on.
    mutating func takeBytes(_ length: Int) throws(InflateError) -> ArraySlice<UInt8> {
        let start = position
        guard length <= end - start else { throw ended }
        (loaded, count, next) = (0, 0, start + length)
        return bytes[start..<start + length]
    }

    private var ended: InflateError {
        InflateError(reason: .truncated, expected: "more of the compressed data", found: "the end")
    }
}
