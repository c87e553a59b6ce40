/// A picture as rows of a terminal: each character, ▀, has the colors of two pixels, one above the other.
enum HalfBlocks {
    /// The colors that a terminal has.
    enum Colors {
        /// 24 bits.
        case all
        /// The 256 of xterm: a cube of six a side and 24 grays.
        case indexed
    }

    /// Rows of a gray or RGB picture, without line ends; behind each the terminal's own colors are back. Of an odd number of
    /// pixel rows the last has nothing below.
    static func rows(_ picture: PNG, _ colors: Colors) -> [String] {
        stride(from: 0, to: picture.height, by: 2).map { y in
            var (text, last) = ("", ("", ""))
            for x in 0..<picture.width {
                let upper = code(picture.color(x, y), colors)
                let lower = y + 1 < picture.height ? code(picture.color(x, y + 1), colors) : ""
                if upper != last.0 { text += "\u{1B}[38;\(upper)m" }
                if lower != last.1 { text += "\u{1B}[48;\(lower)m" }
                last = (upper, lower)
                text += "▀"
            }
            return text + "\u{1B}[0m"
        }
    }

    private static func code(_ color: VideoCanvas.Color, _ colors: Colors) -> String {
        switch colors {
        case .all: "2;\(color.x);\(color.y);\(color.z)"
        case .indexed: "5;\(index(color))"
        }
    }

    /// The nearest of the 256 colors, but for the first sixteen, which are the user's own.
    static func index(_ color: VideoCanvas.Color) -> Int {
        let parts = SIMD3(Int(color.x), Int(color.y), Int(color.z))
        /// The levels of the cube are 0, 95, 135, and so on up to 255.
        func level(_ part: Int) -> Int { part < 48 ? 0 : part < 115 ? 1 : (part - 35) / 40 }
        let cube = SIMD3(level(parts.x), level(parts.y), level(parts.z))
        let gray = min(max((parts.x + parts.y + parts.z - 9) / 30, 0), 23)
        func distance(_ other: SIMD3<Int>) -> Int {
            let difference = parts &- other
            return (difference &* difference).wrappedSum()
        }
        let ofCube = SIMD3(
            cube.x > 0 ? 55 + 40 * cube.x : 0, cube.y > 0 ? 55 + 40 * cube.y : 0, cube.z > 0 ? 55 + 40 * cube.z : 0)
        return distance(ofCube) <= distance(SIMD3(repeating: 8 + 10 * gray))
            ? 16 + 36 * cube.x + 6 * cube.y + cube.z : 232 + gray
    }
}
