@testable @_spi(Laboratory) import FastWeights

/// An animation as it stands in a file, read by code of its own: strictly, and no more than `Animation` writes.
struct AnimationReader {
    private(set) var frames: [PNG] = []
    /// In hundredths of a second.
    private(set) var delays: [Int] = []
    /// How often it is shown, 0 for ever.
    private(set) var plays = -1

    struct Wrong: Error { let at: Int }

    // MARK: GIF

    init(gif bytes: [UInt8]) throws {
        var position = 0
        func take(_ count: Int) throws -> [UInt8] {
            guard position + count <= bytes.count else { throw Wrong(at: position) }
            defer { position += count }
            return Array(bytes[position..<position + count])
        }
        func take16() throws -> Int {
            let two = try take(2)
            return Int(two[0]) | Int(two[1]) << 8
        }
        func expect(_ expected: [UInt8]) throws {
            guard try take(expected.count) == expected else { throw Wrong(at: position) }
        }
        try expect(Array("GIF89a".utf8))
        let (width, height) = (try take16(), try take16())
        let packed = try take(3)[0]
        guard packed & 0xF8 == 0xF0 else { throw Wrong(at: position) }
        let colors = try take(3 << Int(packed & 7 + 1))
        try expect([0x21, 0xFF, 11] + Array("NETSCAPE2.0".utf8) + [3, 1])
        plays = try take16()
        try expect([0])
        while true {
            let kind = try take(1)[0]
            if kind == 0x3B { break }
            guard kind == 0x21 else { throw Wrong(at: position) }
            try expect([0xF9, 4, 0x04])
            delays.append(try take16())
            try expect([0, 0, 0x2C, 0, 0, 0, 0])
            guard try take16() == width, try take16() == height else { throw Wrong(at: position) }
            try expect([0])
            let bits = Int(try take(1)[0])
            var data: [UInt8] = []
            while case let length = Int(try take(1)[0]), length > 0 { data += try take(length) }
            let indices = try Self.expand(data, bits: bits)
            guard indices.count == width * height else { throw Wrong(at: position) }
            let pixels = indices.flatMap { colors[3 * Int($0)..<3 * Int($0) + 3] }
            frames.append(PNG(width: width, height: height, channels: 3, pixels: pixels))
        }
        guard position == bytes.count else { throw Wrong(at: position) }
    }

    /// What codes of the variable-length code stand for.
    private static func expand(_ data: [UInt8], bits: Int) throws -> [UInt8] {
        let clear = 1 << bits
        let single = (0..<clear).map { [UInt8($0)] } + [[], []]
        var (strings, width, last) = (single, bits + 1, [UInt8]?.none)
        var (output, position): ([UInt8], Int) = ([], 0)
        while true {
            guard position + width <= 8 * data.count else { throw Wrong(at: position) }
            var code = 0
            for bit in position..<position + width {
                code |= Int(data[bit / 8] >> UInt8(bit % 8) & 1) << (bit - position)
            }
            position += width
            if code == clear + 1 { break }
            if code == clear {
                (strings, width, last) = (single, bits + 1, nil)
                continue
            }
            guard let before = last else {
                guard code < clear else { throw Wrong(at: position) }
                output += strings[code]
                last = strings[code]
                continue
            }
            guard code <= strings.count else { throw Wrong(at: position) }
            let string = code < strings.count ? strings[code] : before + [before[0]]
            if strings.count < 4096 { strings.append(before + [string[0]]) }
            if strings.count == 1 << width, width < 12 { width += 1 }
            output += string
            last = string
        }
        guard data.count == (position + 7) / 8 else { throw Wrong(at: position) }
        return output
    }

    // MARK: PNG

    /// The frames are read as pictures of their own.
    init(png bytes: [UInt8]) throws {
        func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
        var chunks: [(name: String, content: [UInt8])] = []
        var position = PNG.signature.count
        while position < bytes.count {
            let length = number(bytes[position..<position + 4])
            let name = String(decoding: bytes[position + 4..<position + 8], as: UTF8.self)
            chunks.append((name, Array(bytes[position + 8..<position + 8 + length])))
            position += length + 12
        }
        guard chunks.count > 3, chunks[0].name == "IHDR", chunks[1].name == "acTL", chunks.last!.name == "IEND" else {
            throw Wrong(at: 8)
        }
        let (header, control) = (chunks[0].content, chunks[1].content)
        plays = number(control[4..<8])
        var (sequence, frame) = (0, 0)
        for place in stride(from: 2, to: chunks.count - 1, by: 2) {
            let (control, data) = (chunks[place], chunks[place + 1])
            let shown = control.content
            guard control.name == "fcTL", shown.count == 26, data.name == (frame == 0 ? "IDAT" : "fdAT") else {
                throw Wrong(at: place)
            }
            // Numbered with those of data behind the first; the size of all, at the place (0, 0), in hundredths of a second.
            let isNumbered =
                number(shown[..<4]) == sequence && (frame == 0 || number(data.content[..<4]) == sequence + 1)
            guard isNumbered, shown[4..<12].elementsEqual(header[..<8]), number(shown[12..<20]) == 0,
                number(shown[22..<24]) == 100, shown[24] == 0, shown[25] == 0
            else { throw Wrong(at: place) }
            sequence += frame == 0 ? 1 : 2
            delays.append(number(shown[20..<22]))
            let parts = [
                (Array("IHDR".utf8), header), (Array("IDAT".utf8), Array(data.content.dropFirst(frame == 0 ? 0 : 4))),
                (Array("IEND".utf8), []),
            ]
            frames.append(try PNG(bytes: PNG.serialize(parts), source: "frame \(frame)"))
            frame += 1
        }
        guard frame == number(control[..<4]), chunks.count == 3 + 2 * frame else { throw Wrong(at: frame) }
    }
}
