/// A deflate stream with two bytes in front and a checksum behind it (RFC 1950), as PNG has it.
@_spi(Laboratory) public enum Zlib {
    /// What `bytes`, which are a stream and nothing else, stand for: `size` bytes.
    ///
    /// Throws ``FormatError`` if they are none, stand for another number of bytes, or the checksum is wrong. No memory is taken
    /// for a size that so many bytes cannot stand for.
    public static func decompress(_ bytes: [UInt8], size: Int, source: String) throws(FormatError) -> [UInt8] {
        func fail(
            _ reason: FormatError.Reason, _ expected: String, _ found: String, _ advice: String? = nil
        ) -> FormatError {
            FormatError(source: source, reason: reason, expected: expected, found: found, advice: advice)
        }
        guard bytes.count >= 6 else {
            throw fail(.truncated, "compressed data of 6 bytes and more", "\(bytes.count)", FormatError.cutShort)
        }
        let (method, flags) = (bytes[0], bytes[1])
        guard method & 0x0F == 8, (Int(method) << 8 + Int(flags)) % 31 == 0, flags & 0x20 == 0 else {
            throw fail(
                .compression, "a zlib stream of deflate without a dictionary",
                "one that begins \(hexadecimal(method)) \(hexadecimal(flags))")
        }
        let end = bytes.count - 4
        guard size <= Inflate.largestSize(of: end - 2) else {
            throw fail(
                .size, "at most \(Inflate.largestSize(of: end - 2)) bytes in \(end - 2) compressed ones", "\(size)")
        }
        var content: [UInt8] = []
        content.reserveCapacity(size)
        do throws(InflateError) {
            let last = try Inflate.inflate(bytes, 2..<end, limit: size, into: &content)
            guard last == end else {
                throw InflateError(
                    reason: .size, expected: "\(end - 2) bytes of compressed data", found: "\(last - 2)")
            }
            guard content.count == size else {
                throw InflateError(reason: .size, expected: "\(size) bytes of content", found: "\(content.count)")
            }
        } catch let fault {
            throw fail(fault.reason, fault.expected, fault.found, FormatError.damaged)
        }
        let (stored, found) = (bytes.littleEndian(UInt32.self, at: end).byteSwapped, adler32(content))
        guard stored == found else {
            throw fail(
                .checksum, "content with the Adler-32 \(hexadecimal(stored))", hexadecimal(found),
                FormatError.damaged)
        }
        return content
    }

    /// A stream that stands for `content`, and always the same one: compressed where that is shorter than without.
    ///
    /// - Complexity: O(*n*) in the bytes.
    public static func compress(_ content: [UInt8]) -> [UInt8] {
        let (stored, compressed) = (stored(content), header + Deflate.compress(content))
        guard compressed.count + 4 < stored.count else { return stored }
        return compressed + stored.suffix(4)
    }

    /// Deflate with a window of 32,768 bytes, quickly made.
    private static let header: [UInt8] = [0x78, 0x01]

    /// A stream that stands for `content`, without compression.
    public static func stored(_ content: [UInt8]) -> [UInt8] {
        var bytes = header
        let longest = 0xFFFF
        bytes.reserveCapacity(content.count + content.count / longest * 5 + 16)
        var start = 0
        repeat {
            let end = min(start + longest, content.count)
            bytes.append(end == content.count ? 1 : 0)
            bytes.appendLittleEndian(UInt16(end - start))
            bytes.appendLittleEndian(~UInt16(end - start))
            bytes += content[start..<end]
            start = end
        } while start < content.count
        bytes.appendBigEndian(adler32(content))
        return bytes
    }

    /// The checksum of a zlib stream: two sums modulo 65,521.
    static func adler32(_ bytes: [UInt8]) -> UInt32 {
        var (low, high): (UInt32, UInt32) = (1, 0)
        // So many bytes can be added before the sums are reduced.
        for start in stride(from: 0, to: bytes.count, by: 5552) {
            for byte in bytes[start..<min(start + 5552, bytes.count)] {
                low += UInt32(byte)
                high += low
            }
            low %= 65521
            high %= 65521
        }
        return high << 16 | low
    }
}
