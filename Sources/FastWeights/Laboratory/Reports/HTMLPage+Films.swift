extension HTMLPage {
    /// A picture of pixels, or an animation, that stands in the page itself.
    struct Film: Sendable {
        /// The bytes of the file.
        var content: [UInt8]
        /// What it is, for example "image/png".
        var type: String
        /// Pixels.
        var (width, height): (Int, Int)
        /// What is seen, for readers who do not see it.
        var description: String
        var caption: String
    }

    /// Pictures of pixels one below the other; one that is wider than the page scrolls in its own box.
    static func films(_ films: [Film]) -> String {
        films.map { film in
            let image =
                "<img width=\"\(film.width)\" height=\"\(film.height)\" alt=\"\(Markup.escaped(film.description))\" "
                + "src=\"data:\(film.type);base64,\(base64(film.content))\">"
            return
                "<figure><div class=\"film\" tabindex=\"0\" role=\"region\" aria-label=\"\(Markup.escaped(film.caption))\">"
                + "\(image)</div><figcaption>\(Markup.escaped(film.caption))</figcaption></figure>\n"
        }.joined()
    }

    /// The letters that stand for bytes in a page (RFC 4648), three bytes in four.
    static func base64(_ bytes: [UInt8]) -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for first in stride(from: 0, to: bytes.count, by: 3) {
            let part = bytes[first..<min(first + 3, bytes.count)]
            let bits = (0..<3).reduce(0) { $0 << 8 | ($1 < part.count ? Int(part[first + $1]) : 0) }
            for place in 0..<4 {
                text.append(place <= part.count ? letters[bits >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
