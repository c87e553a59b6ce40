/// Where long texts are broken: between words, which stay whole.
enum LineBreaks {
    /// Lines of at most `width` columns; a word that is longer has a line of its own.
    static func lines(_ text: String, width: Int) -> [String] {
        guard TextTable.displayWidth(text) > width else { return [text] }
        var lines = [""]
        var used = 0
        for word in text.split(separator: " ") {
            let size = TextTable.displayWidth(String(word))
            if used == 0 {
                lines[lines.count - 1] = String(word)
                used = size
            } else if used + 1 + size <= width {
                lines[lines.count - 1] += " \(word)"
                used += 1 + size
            } else {
                lines.append(String(word))
                used = size
            }
        }
        return lines
    }

    /// Paragraphs that stand within 80 columns, for a narrower place: those at the left edge are filled anew, and of a list
    /// each entry, whose own lines are indented further than its first. Wide enough a place has the text as it stands.
    static func paragraphs(_ text: String, width: Int) -> String {
        guard text.split(separator: "\n").contains(where: { TextTable.displayWidth(String($0)) > width }) else {
            return text
        }
        var result: [String] = []
        var entry: (indent: Int, text: String)?
        func end() {
            guard let (indent, text) = entry else { return }
            let hanging = String(repeating: " ", count: indent == 0 ? 0 : indent + 2)
            for (i, line) in lines(text, width: width - hanging.count).enumerated() {
                result.append((i == 0 ? String(repeating: " ", count: indent) : hanging) + line)
            }
            entry = nil
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let indent = line.prefix { $0 == " " }.count
            if let begun = entry, !line.isEmpty, indent > begun.indent || indent == 0 && begun.indent == 0 {
                entry = (begun.indent, begun.text + " " + line.dropFirst(indent))
                continue
            }
            end()
            if line.isEmpty { result.append("") } else { entry = (indent, String(line.dropFirst(indent))) }
        }
        end()
        return result.joined(separator: "\n")
    }
}
