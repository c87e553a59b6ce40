// Animated GIFs (GIF89a, with the extension of Netscape by which they go on for ever).

extension Animation {
    /// The bytes of a GIF; the same animation always gives the same. Gray and RGB frames of at most 256 colors keep them;
    /// more become 256, the same for all frames, so that nothing flickers.
    ///
    /// Traps on frames with alpha and on sides of more than 65,535 pixels. O(*n*) in the pixels, and O(*m* log *m*) in the
    /// colors there are.
    func gif() -> [UInt8] {
        let (first, largest) = (frames[0], Int(UInt16.max))
        require(
            first.channels % 2 == 1 && max(first.width, first.height) <= largest,
            "a GIF has gray or RGB frames of at most \(largest) pixels a side, found \(first.channels) channels of \(first.height) by \(first.width)"
        )
        let palette = ColorPalette(frames)
        // A table of 2^bits colors.
        let bits = (2...8).first { 1 << $0 >= palette.colors.count }!
        var bytes = Array("GIF89a".utf8)
        func append(_ sizes: Int...) { for size in sizes { bytes.appendLittleEndian(UInt16(size)) } }
        append(first.width, first.height)
        bytes += [0xF0 | UInt8(bits - 1), 0, 0]
        for i in 0..<1 << bits {
            let color = i < palette.colors.count ? palette.colors[i] : 0
            bytes += [UInt8(color >> 16), UInt8(color >> 8 & 0xFF), UInt8(color & 0xFF)]
        }
        bytes += [0x21, 0xFF, 11] + Array("NETSCAPE2.0".utf8) + [3, 1, 0, 0, 0]
        var code = LZW()
        for (frame, delay) in zip(frames, delays) {
            // The frame stays until the next one is laid over it.
            bytes += [0x21, 0xF9, 4, 0x04]
            append(delay)
            bytes += [0, 0, 0x2C]
            append(0, 0, first.width, first.height)
            bytes += [0, UInt8(bits)]
            let data = code.compress(palette.indices(frame), bits: bits)
            for start in stride(from: 0, to: data.count, by: 255) {
                let block = data[start..<min(start + 255, data.count)]
                bytes.append(UInt8(block.count))
                bytes += block
            }
            bytes.append(0)
        }
        return bytes + [0x3B]
    }
}

/// GIF's variable-length code (Welch 1984): a code for each string that has been seen with one more byte, until there are 4,096.
private struct LZW {
    /// The code of a string, by the code of all but its last byte, and that; 0 for none.
    private var codes = [UInt16](repeating: 0, count: largest << 8)
    /// Where `codes` has others than 0.
    private var used: [Int] = []

    private static let largest = 1 << 12

    /// The codes of `bytes`, each below 2^bits.
    mutating func compress(_ bytes: [UInt8], bits: Int) -> [UInt8] {
        let clear = 1 << bits
        var (output, width, next) = (BitWriter(), bits + 1, clear + 2)
        output.append(clear, width: width)
        var string = Int(bytes[0])
        for byte in bytes.dropFirst() {
            let place = string << 8 | Int(byte)
            if codes[place] > 0 {
                string = Int(codes[place])
                continue
            }
            output.append(string, width: width)
            if next < Self.largest {
                if next == 1 << width { width += 1 }
                codes[place] = UInt16(next)
                used.append(place)
                next += 1
            } else {
                output.append(clear, width: width)
                forget()
                (width, next) = (bits + 1, clear + 2)
            }
            string = Int(byte)
        }
        output.append(string, width: width)
        // The reader makes a code of this one, too, and reads the end as wide as that asks for.
        if next == 1 << width, width < 12 { width += 1 }
        output.append(clear + 1, width: width)
        forget()
        return output.finish()
    }

    private mutating func forget() {
        for place in used { codes[place] = 0 }
        used.removeAll(keepingCapacity: true)
    }
}
