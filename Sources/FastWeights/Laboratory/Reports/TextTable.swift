/// A table of short texts, rendered aligned for a terminal or as Markdown.
///
///     var table = TextTable(["Model", "Test error"], alignments: [.left, .right])
///     table.add(["LSTM", "1.85 %"])
///     print(table.plain())
struct TextTable: Sendable {
    /// Which side of its column a text stands on.
    enum Alignment: Sendable {
        case left, right
    }

    let header: [String]
    let alignments: [Alignment]
    private(set) var rows: [[String]] = []

    /// An empty table. Without alignments the first column is on the left and all others, numbers, on the right.
    init(_ header: [String], alignments: [Alignment]? = nil) {
        let sides = alignments ?? header.indices.map { $0 == 0 ? .left : .right }
        require(
            sides.count == header.count, "the table has \(header.count) columns but \(sides.count) alignments")
        self.header = header
        self.alignments = sides
    }

    /// Appends a row.
    ///
    /// - Precondition: one text for each column.
    mutating func add(_ row: [String]) {
        require(row.count == header.count, "the table has \(header.count) columns but the row has \(row.count)")
        rows.append(row)
    }

    /// Columns two spaces apart under a header and a rule, without trailing spaces; every line ends with a newline.
    ///
    /// Where that is wider than `width`, headers and texts are broken between words; where it still is, each row is a
    /// block of lines, a cell each.
    func plain(width: Int = .max) -> String {
        let table = ([header] + rows).map { $0.map(TextTable.singleLine) }
        guard let widths = widths(of: table, within: width) else { return blocks(table, width: width) }
        var lines = table.map { row in
            let cells = header.indices.map { LineBreaks.lines(row[$0], width: widths[$0]) }
            return (0..<(cells.map(\.count).max() ?? 0)).map { i in
                line(cells.map { i < $0.count ? $0[i] : "" }, widths: widths) + "\n"
            }.joined()
        }
        lines.insert(line(widths.map { String(repeating: "-", count: $0) }, widths: widths) + "\n", at: 1)
        return lines.joined()
    }

    /// The columns' widths, together at most `limit` with the spaces between them; nil where whole words need more.
    private func widths(of table: [[String]], within limit: Int) -> [Int]? {
        var widths = header.indices.map { column in table.map { TextTable.displayWidth($0[column]) }.max() ?? 0 }
        func excess() -> Int { widths.reduce(2 * (widths.count - 1), +) - limit }
        guard limit < .max, excess() > 0 else { return widths }
        let least = header.indices.map { column in
            table.enumerated().map { i, row in
                // Numbers stay in one piece.
                i > 0 && alignments[column] == .right
                    ? TextTable.displayWidth(row[column])
                    : row[column].split(separator: " ").map { TextTable.displayWidth(String($0)) }.max() ?? 0
            }.max() ?? 0
        }
        while excess() > 0 {
            guard let widest = header.indices.filter({ widths[$0] > least[$0] }).max(by: { widths[$0] < widths[$1] })
            else { return nil }
            widths[widest] -= 1
        }
        return widths
    }

    /// The rows one below the other, each cell behind its column's header.
    private func blocks(_ table: [[String]], width: Int) -> String {
        table.dropFirst().map { row in
            header.indices.filter { !row[$0].isEmpty }.map { column in
                let indent = column == 0 ? "" : "  "
                let text = table[0][column].isEmpty ? row[column] : "\(table[0][column]): \(row[column])"
                return LineBreaks.lines(text, width: width - 4).enumerated()
                    .map { "\(indent)\($0 == 0 ? "" : "  ")\($1)\n" }.joined()
            }.joined()
        }.joined(separator: "\n")
    }

    /// A GitHub-flavoured Markdown table; a `|` in a text is escaped.
    func markdown() -> String {
        func row(_ cells: [String]) -> String {
            "| " + cells.joined(separator: " | ") + " |\n"
        }
        let rule = alignments.map { $0 == .left ? "---" : "---:" }
        return row(header.map(TextTable.escapedForMarkdown)) + row(rule)
            + rows.map { row($0.map(TextTable.escapedForMarkdown)) }.joined()
    }

    private func line(_ cells: [String], widths: [Int]) -> String {
        var line = ""
        for column in cells.indices {
            if column > 0 { line += "  " }
            line += TextTable.padded(cells[column], to: widths[column], alignments[column])
        }
        while line.last == " " { line.removeLast() }
        return line
    }

    // MARK: - Width of text

    /// Columns a terminal uses for the text: one a character as a reader counts them, so that a letter with an accent
    /// written as two code points is one, and two for the East Asian wide blocks and emoji.
    static func displayWidth(_ text: String) -> Int {
        var width = 0
        for character in text {
            guard let first = character.unicodeScalars.first?.value else { continue }
            switch first {
            case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
                0xFF00...0xFF60, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
                width += 2
            default:
                width += 1
            }
        }
        return width
    }

    /// The text with spaces added up to a width; a longer text is returned as it is.
    static func padded(_ text: String, to width: Int, _ alignment: Alignment = .left) -> String {
        let space = String(repeating: " ", count: max(0, width - displayWidth(text)))
        return alignment == .left ? text + space : space + text
    }

    /// The text cut to a width, with an ellipsis as its last character when something was cut: behind its last whole word,
    /// or within the first where that alone is longer.
    static func truncated(_ text: String, to width: Int) -> String {
        if displayWidth(text) <= width { return text }
        if width <= 0 { return "" }
        var kept = ""
        var used = 0
        for character in text {
            let next = displayWidth(String(character))
            if used + next > width - 1 { break }
            kept.append(character)
            used += next
        }
        if text.dropFirst(kept.count).first != " ", let end = kept.lastIndex(of: " "),
            kept[..<end].contains(where: { $0 != " " })
        {
            kept = String(kept[..<end])
        }
        while kept.last == " " { kept.removeLast() }
        return kept + "…"
    }

    /// The text with every control character, line breaks among them, replaced by a space: what would break a row of a
    /// table or move the cursor of a terminal.
    static func singleLine(_ text: String) -> String {
        String(text.map { isControl($0) ? " " : $0 })
    }

    private static func isControl(_ character: Character) -> Bool {
        character.unicodeScalars.contains {
            $0.value < 0x20 || (0x7F...0x9F).contains($0.value) || $0.value == 0x2028 || $0.value == 0x2029
        }
    }

    private static func escapedForMarkdown(_ text: String) -> String {
        var result = ""
        for character in singleLine(text) {
            if character == "|" || character == "\\" { result.append("\\") }
            result.append(character)
        }
        return result
    }
}
