/// What the SVG and HTML writers share: escaping, coordinates, text measures and the colors of both color schemes.
enum Markup {
    /// The text with the five characters escaped that mean something in HTML or XML, and without the control characters
    /// that XML forbids.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\t", "\n": result.unicodeScalars.append(scalar)
            default:
                let isForbidden = scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF
                result.unicodeScalars.append(isForbidden ? " " : scalar)
            }
        }
        return result
    }

    /// A coordinate with one decimal, none when it is zero: 12.5, 40.
    static func number(_ value: Double) -> String {
        assert(value.isFinite, "a coordinate must be finite")
        let text = FixedPoint.text(value, decimals: 1)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// About how wide a sans-serif text is: a good guess of the browser's font is enough to reserve space.
    static func textWidth(_ text: String, size: Double) -> Double {
        var ems = 0.0
        for character in text {
            switch character {
            case "i", "j", "l", "t", "f", "r", "I", " ", ".", ",", ":", ";", "|", "'", "(", ")", "[", "]", "!":
                ems += 0.33
            case "m", "w", "M", "W", "%", "@", "…":
                ems += 0.9
            default:
                ems += character.isASCII ? (character.isUppercase ? 0.68 : 0.57) : 0.75
            }
        }
        return ems * size
    }

    /// The text cut with an ellipsis to about `width`.
    static func fitted(_ text: String, width: Double, size: Double) -> String {
        if textWidth(text, size: size) <= width { return text }
        var kept = text
        while !kept.isEmpty && textWidth(kept + "…", size: size) > width { kept.removeLast() }
        return kept + "…"
    }

    /// The text broken at spaces into lines of about `width`; a longer word stands alone.
    static func wrapped(_ text: String, width: Double, size: Double) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, textWidth(last + " " + word, size: size) <= width {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }

    /// The opening tag, title and description of a picture that scales to its container and is read out as one image.
    static func svgStart(prefix: String, width: Double, height: Double, title: String, description: String) -> String {
        require(
            isName(prefix), "the prefix must be a letter followed by letters, digits or hyphens, not \(prefix)")
        return """
            <svg xmlns="http://www.w3.org/2000/svg" class="\(prefix)" viewBox="0 0 \(number(width)) \(number(height))" \
            width="100%" role="img" aria-labelledby="\(prefix)-title \(prefix)-desc">
            <title id="\(prefix)-title">\(escaped(title))</title>
            <desc id="\(prefix)-desc">\(escaped(description))</desc>

            """
    }

    private static func isName(_ prefix: String) -> Bool {
        guard let first = prefix.first, first.isASCII, first.isLetter else { return false }
        return prefix.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
    }

    /// A style element whose rules all begin with the picture's own class, so that several pictures can share a page.
    ///
    /// The dark rules hold on a screen only: paper is white.
    static func style(prefix: String, variables: [Variable], rules: [String]) -> String {
        let light = variables.map { "--\($0.name):\($0.light)" }.joined(separator: ";")
        let dark = variables.map { "--\($0.name):\($0.dark)" }.joined(separator: ";")
        let scoped = rules.map { ".\(prefix) \($0)\n" }.joined()
        return """
            <style>
            .\(prefix){\(light);font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;display:block}
            @media screen and (prefers-color-scheme:dark){.\(prefix){\(dark)}}
            \(scoped)</style>

            """
    }

    /// A color with its value in either color scheme.
    struct Variable {
        let name: String
        let light: String
        let dark: String
    }

    static let surface = [
        Variable(name: "bg", light: "#ffffff", dark: "#151a21"),
        Variable(name: "ink", light: "#1b2430", dark: "#e7eaef"),
        Variable(name: "muted", light: "#586474", dark: "#9ba7b7"),
        Variable(name: "grid", light: "#e3e7ec", dark: "#2b333f"),
    ]

    /// Okabe and Ito's colors, told apart with any kind of color vision, without the yellow that white paper swallows;
    /// lightened where a dark ground asks for it.
    static let seriesColors = [
        Variable(name: "c0", light: "#0072b2", dark: "#56b4e9"),
        Variable(name: "c1", light: "#bd5200", dark: "#f28e43"),
        Variable(name: "c2", light: "#00815f", dark: "#2fc49a"),
        Variable(name: "c3", light: "#b0568f", dark: "#dd96c0"),
        Variable(name: "c4", light: "#946500", dark: "#e6b34a"),
        Variable(name: "c5", light: "#4b5563", dark: "#c3cad4"),
    ]

    /// A dash a series, so that color is not the only sign and a line that lies on another lets it be seen.
    static let seriesDashes = ["none", "8 7", "1 5", "10 6 1 6", "4 6", "15 7"]
}
