/// Capital letters, digits and some signs of three by five pixels, for words in pictures. Small letters are drawn as capital
/// ones, what is not there as a space.
enum PixelFont {
    static let (width, height) = (3, 5)
    /// Columns from one letter to the next.
    static let advance = 4

    /// Columns of a text, without the space behind its last letter.
    static func columns(_ text: String) -> Int { max(text.count * advance - 1, 0) }

    /// The pixels (x, y) of a text that are drawn.
    static func pixels(_ text: String) -> [(x: Int, y: Int)] {
        text.uppercased().enumerated().flatMap { place, letter in
            let rows = glyphs[letter] ?? 0
            return (0..<width * height).filter { rows >> (width * height - 1 - $0) & 1 == 1 }.map {
                (place * advance + $0 % width, $0 / width)
            }
        }
    }

    /// Of each letter five rows of three pixels.
    private static let glyphs: [Character: Int] = [
        "0": 0b111_101_101_101_111, "1": 0b010_110_010_010_111, "2": 0b111_001_111_100_111,
        "3": 0b111_001_111_001_111, "4": 0b101_101_111_001_001, "5": 0b111_100_111_001_111,
        "6": 0b111_100_111_101_111, "7": 0b111_001_010_010_010, "8": 0b111_101_111_101_111,
        "9": 0b111_101_111_001_111, "A": 0b010_101_111_101_101, "B": 0b110_101_110_101_110,
        "C": 0b011_100_100_100_011, "D": 0b110_101_101_101_110, "E": 0b111_100_110_100_111,
        "F": 0b111_100_110_100_100, "G": 0b011_100_101_101_011, "H": 0b101_101_111_101_101,
        "I": 0b111_010_010_010_111, "J": 0b001_001_001_101_010, "K": 0b101_101_110_101_101,
        "L": 0b100_100_100_100_111, "M": 0b101_111_111_101_101, "N": 0b110_101_101_101_101,
        "O": 0b010_101_101_101_010, "P": 0b110_101_110_100_100, "Q": 0b010_101_101_110_011,
        "R": 0b110_101_110_101_101, "S": 0b011_100_010_001_110, "T": 0b111_010_010_010_010,
        "U": 0b101_101_101_101_111, "V": 0b101_101_101_101_010, "W": 0b101_101_111_111_101,
        "X": 0b101_101_010_101_101, "Y": 0b101_101_010_010_010, "Z": 0b111_001_010_100_111,
        "+": 0b000_010_111_010_000, "-": 0b000_000_111_000_000, "=": 0b000_111_000_111_000,
        ".": 0b000_000_000_000_010, ",": 0b000_000_000_010_100, ":": 0b000_010_000_010_000,
        "/": 0b001_001_010_100_100, "%": 0b101_001_010_100_101, "(": 0b001_010_010_010_001,
        ")": 0b100_010_010_010_100,
    ]
}
