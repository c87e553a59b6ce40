/// The frame and the elements that the reports share. All texts passed in are escaped; pictures and bodies are not.
enum HTMLPage {
    /// A picture with its caption, for example of `HeatMap.svg`.
    struct Figure: Sendable {
        var caption: String
        /// Inserted as it is. Its class and ids must begin with a prefix that no other picture of the page has.
        var svg: String
    }

    /// A whole page around `body`: self-contained, for a phone, dark mode and paper.
    static func render(title: String, body: String) -> String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>\(Markup.escaped(title))</title>
        <style>
        \(styleSheet)</style>
        </head>
        <body>
        <main>
        <h1>\(Markup.escaped(title))</h1>
        \(body)</main>
        </body>
        </html>

        """
    }

    static func paragraphs(_ texts: [String]) -> String {
        texts.map { "<p>\(Markup.escaped($0))</p>\n" }.joined()
    }

    /// Pictures with their captions, side by side where there is room.
    static func figures(_ figures: [Figure]) -> String {
        let items = figures.map { figure in
            let caption = figure.caption.isEmpty ? "" : "<figcaption>\(Markup.escaped(figure.caption))</figcaption>"
            return "<figure>\(figure.svg)\(caption)</figure>\n"
        }
        return "<div class=\"plots\">\n\(items.joined())</div>\n"
    }

    static func table(_ table: TextTable, label: String) -> String {
        func row(_ cells: [String], _ tag: String) -> String {
            cells.enumerated().map { index, text in
                let side = table.alignments[index] == .right ? " class=\"r\"" : ""
                return "<\(tag)\(side)>\(Markup.escaped(text))</\(tag)>"
            }.joined()
        }
        let body = table.rows.map { "<tr>\(row($0, "td"))</tr>\n" }.joined()
        return scrolling(
            "<table>\n<thead><tr>\(row(table.header, "th"))</tr></thead>\n<tbody>\n\(body)</tbody>\n</table>\n",
            label: label)
    }

    /// A box in which a table wider than the page scrolls.
    static func scrolling(_ table: String, label: String) -> String {
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"\(Markup.escaped(label))\">\n\(table)</div>\n"
    }
}
