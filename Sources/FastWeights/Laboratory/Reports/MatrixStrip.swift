/// Square matrices side by side, in one scale of colors: the fast weights as they grow and decay over a sequence, or the
/// kernels by which a model moves pixels.
struct MatrixStrip {
    /// One matrix, row by row, and the words above it.
    struct Panel {
        let label: String
        let values: [Double]
        /// Where an arrow from the middle ends, so many columns to the right and rows down from there; none without one.
        var arrow: SIMD2<Double>?
    }

    let title: String
    let description: String
    let panels: [Panel]

    private static let width = 480.0
    private static let columns = 4
    private static let top = 52.0

    /// The picture as SVG text, like `HeatMap.svg`. Neighbors of one color in a row are one rectangle.
    func svg(prefix: String) -> String {
        let pitch = (MatrixStrip.width - 40) / Double(MatrixStrip.columns)
        let side = pitch - 12
        let rows = (panels.count + MatrixStrip.columns - 1) / MatrixStrip.columns
        let height = MatrixStrip.top + Double(rows) * (pitch + 20) + 8
        let largest = panels.lazy.flatMap(\.values).map(\.magnitude).filter(\.isFinite).max() ?? 0
        var text =
            Markup.svgStart(
                prefix: prefix, width: MatrixStrip.width, height: height, title: title, description: description)
            + Markup.style(prefix: prefix, variables: MatrixStrip.variables, rules: MatrixStrip.rules)
            + "<rect class=\"bg\" width=\"\(Markup.number(MatrixStrip.width))\" height=\"\(Markup.number(height))\" rx=\"8\"/>\n"
            + "<text class=\"title\" x=\"20\" y=\"30\">\(Markup.escaped(title))</text>\n"
        for (index, panel) in panels.enumerated() {
            let x = 20 + Double(index % MatrixStrip.columns) * pitch
            let y = MatrixStrip.top + Double(index / MatrixStrip.columns) * (pitch + 20)
            text +=
                "<text x=\"\(Markup.number(x))\" y=\"\(Markup.number(y + 8))\">\(Markup.escaped(panel.label))</text>\n"
            text += squares(panel, x: x, y: y + 16, side: side, largest: largest)
            text += arrow(panel, x: x, y: y + 16, side: side)
        }
        return text + "</svg>\n"
    }

    /// A line from the middle of a panel, with a head where it is long enough for one.
    private func arrow(_ panel: Panel, x: Double, y: Double, side: Double) -> String {
        guard let arrow = panel.arrow else { return "" }
        let cell = side / Double(panel.values.count).squareRoot()
        let start = SIMD2(x + side / 2, y + side / 2)
        let (end, length) = (start + cell * arrow, cell * (arrow * arrow).sum().squareRoot())
        func point(_ place: SIMD2<Double>) -> String {
            "\(FixedPoint.text(place.x, decimals: 2)) \(FixedPoint.text(place.y, decimals: 2))"
        }
        var path = "M\(point(start))L\(point(end))"
        if length > 1 {
            let along = (end - start) / length * min(length, 8)
            let across = SIMD2(-along.y, along.x) / 2
            path += "M\(point(end - along + across))L\(point(end))L\(point(end - along - across))"
        }
        // On a light line that is wider, so that it is seen on dark squares.
        return ["halo", "arrow"].map { "<path class=\"\($0)\" d=\"\(path)\"/>\n" }.joined()
    }

    private func squares(_ panel: Panel, x: Double, y: Double, side: Double, largest: Double) -> String {
        let count = Int(Double(panel.values.count).squareRoot())
        guard count > 0 else { return "" }
        let cell = side / Double(count)
        func name(_ i: Int, _ j: Int) -> String? {
            guard let level = ColorScale.level(panel.values[i * count + j], largest: largest), level != 0 else {
                return nil
            }
            return (level < 0 ? "n" : "p") + "\(level.magnitude)"
        }
        var text = "<rect class=\"p0\" x=\"\(Markup.number(x))\" y=\"\(Markup.number(y))\" "
        text += "width=\"\(Markup.number(side))\" height=\"\(Markup.number(side))\"/>\n"
        for i in 0..<count {
            var j = 0
            while j < count {
                let first = j
                let color = name(i, j)
                while j < count && name(i, j) == color { j += 1 }
                guard let color else { continue }
                let left = FixedPoint.text(x + Double(first) * cell, decimals: 2)
                text +=
                    "<rect class=\"\(color)\" x=\"\(left)\" y=\"\(FixedPoint.text(y + Double(i) * cell, decimals: 2))\" "
                text += "width=\"\(FixedPoint.text(Double(j - first) * cell, decimals: 2))\" "
                text += "height=\"\(FixedPoint.text(cell, decimals: 2))\"/>\n"
            }
        }
        return text
    }

    private static let variables = Markup.surface + ColorScale.variables

    private static let rules =
        [
            ".bg{fill:var(--bg)}", "text{fill:var(--muted);font-size:13px}",
            ".title{fill:var(--ink);font-size:17px;font-weight:600}",
            "path{fill:none;stroke-linecap:round;stroke-linejoin:round}", ".halo{stroke:var(--bg);stroke-width:6}",
            ".arrow{stroke:var(--ink);stroke-width:2.5}",
        ] + ColorScale.rules
}
