extension HeatMap {
    /// The picture as SVG text: the sequence as tiles, arcs from the query to what it attended to, the heat map below
    /// and the answer with its probabilities.
    ///
    /// Like `LinePlot.svg` it has no script and no external reference and follows the reader's color scheme.
    ///
    /// - Parameters:
    ///   - prefix: class of the picture and beginning of its ids, which no other picture of the page has.
    ///   - title: the heading of the picture.
    func svg(prefix: String, title: String = "What the fast weights attended to") -> String {
        let layout = Layout(count: sequence.count)
        let height = layout.captionTop + Double(captionLines.count) * 17 + 24
        return Markup.svgStart(
            prefix: prefix, width: Layout.width, height: height, title: title, description: description)
            + Markup.style(prefix: prefix, variables: HeatMap.variables, rules: HeatMap.rules)
            + "<rect class=\"bg\" width=\"\(Markup.number(Layout.width))\" height=\"\(Markup.number(height))\" rx=\"10\"/>\n"
            + text(Markup.fitted(title, width: Layout.width - 40, size: 17.5), 20, 32, "title")
            + arcs(layout) + tiles(layout) + squares(layout) + legend(layout) + answer(layout) + caption(layout)
            + "</svg>\n"
    }

    /// What the picture shows in words: the strongest weights of the query and the answer.
    private var description: String {
        let strongest = queryWeights.enumerated().filter { $1.isFinite && $1 != 0 }
            .sorted { ($1.element.magnitude, $0.offset) < ($0.element.magnitude, $1.offset) }.prefix(3)
            .map { "'\(sequence[$0.offset])' at step \($0.offset) (\(FixedPoint.text($0.element, decimals: 3)))" }
        let attended = strongest.isEmpty ? "no earlier step" : strongest.joined(separator: ", ")
        let query = "the query '\(sequence[sequence.count - 1])'"
        return
            "Sequence \(String(sequence)). In the last row \(query) attends most to \(attended). Answer: \(answerText)."
    }

    /// Where things stand. The drawing is 480 wide; squares shrink as the sequence grows.
    private struct Layout {
        static let width = 480.0
        /// Left of the squares, for "query" and the character of the row.
        static let margin = 74.0
        let cell: Double
        let left: Double
        let rowHeight: Double
        let tileTop: Double
        let mapTop: Double
        let queryTop: Double
        let queryHeight: Double
        let answerTop: Double
        let captionTop: Double

        init(count: Int) {
            let room = Layout.width - Layout.margin - 18
            cell = min(44, room / Double(count))
            left = Layout.margin + (room - cell * Double(count)) / 2
            rowHeight = min(24, cell * 0.62)
            tileTop = 150
            mapTop = tileTop + cell + 14
            queryTop = mapTop + Double(max(0, count - 2)) * rowHeight + 10
            queryHeight = max(rowHeight, min(34, cell * 0.85))
            answerTop = queryTop + queryHeight + 30
            captionTop = answerTop + 162
        }

        func x(_ column: Int) -> Double { left + Double(column) * cell }
        func center(_ column: Int) -> Double { x(column) + cell / 2 }
        func right(_ count: Int) -> Double { x(count) }
    }

    // MARK: - Style

    private static let variables: [Markup.Variable] =
        Markup.surface + ColorScale.variables + [
            Markup.Variable(name: "tile", light: "#eef1f5", dark: "#262e3a"),
            Markup.Variable(name: "on", light: "#ffffff", dark: "#10141a"),
            Markup.Variable(name: "warm", light: "#c23a50", dark: "#f8964a"),
            Markup.Variable(name: "cold", light: "#2563a6", dark: "#55b0cc"),
        ]

    private static let rules: [String] =
        [
            ".bg{fill:var(--bg)}",
            "text{fill:var(--muted);font-size:13px}",
            ".title{fill:var(--ink);font-size:17px;font-weight:600}",
            ".char{fill:var(--ink);font-weight:600;text-anchor:middle}",
            ".strong{fill:var(--ink);font-weight:600}",
            ".mid{text-anchor:middle}",
            ".end{text-anchor:end}",
            ".on{fill:var(--on);font-weight:600;text-anchor:middle}",
            ".off{fill:var(--ink);text-anchor:middle}",
            ".tile{fill:var(--tile)}",
            ".query{fill:var(--warm)}",
            ".top{stroke:var(--warm);stroke-width:2}",
            ".frame{fill:none;stroke:var(--ink);stroke-width:1.5}",
            ".rule{stroke:var(--grid);stroke-width:1}",
            ".arc{fill:none;stroke:var(--warm);stroke-linecap:round}",
            ".neg{stroke:var(--cold)}",
            ".bar{fill:var(--muted);opacity:.55}",
            ".hit{fill:var(--warm)}",
        ] + ColorScale.rules

    // MARK: - Parts

    /// Arcs from the query's tile to the steps it attended to; thickness and strength follow the weight.
    private func arcs(_ layout: Layout) -> String {
        let query = sequence.count - 1
        let strongest = queryWeights.lazy.filter(\.isFinite).map(\.magnitude).max() ?? 0
        guard strongest > 0 else { return "" }
        let span = max(1, layout.center(query) - layout.center(0))
        var result = "<g>\n"
        // The strong ones last, on top.
        let order = queryWeights.indices.filter { queryWeights[$0].isFinite }
            .sorted { (queryWeights[$0].magnitude, $0) < (queryWeights[$1].magnitude, $1) }
        for step in order {
            let share = queryWeights[step].magnitude / strongest
            guard share >= 0.03 else { continue }
            let (from, to, base) = (layout.center(query), layout.center(step), layout.tileTop - 5)
            // The control points' height; the curve reaches three quarters of it, 96 at most.
            let rise = 40 + 88 * (from - to) / span
            let path =
                "M\(Markup.number(from)) \(Markup.number(base))C\(Markup.number(from)) \(Markup.number(base - rise)) "
                + "\(Markup.number(to)) \(Markup.number(base - rise)) \(Markup.number(to)) \(Markup.number(base))"
            result += "<path class=\"arc\(queryWeights[step] < 0 ? " neg" : "")\" d=\"\(path)\" "
            result += "stroke-width=\"\(Markup.number(1 + 8 * share))\" "
            result += "opacity=\"\(FixedPoint.text(0.25 + 0.65 * share, decimals: 2))\">"
            result += "<title>\(tooltip(query, step))</title></path>\n"
        }
        return result + "</g>\n"
    }

    private func tiles(_ layout: Layout) -> String {
        let size = layout.cell * 0.55
        let best = queryWeights.indices.filter { queryWeights[$0] > 0 }.max { queryWeights[$0] < queryWeights[$1] }
        var result = "<g font-size=\"\(Markup.number(size))\">\n"
        for (step, character) in sequence.enumerated() {
            let isQuery = step == sequence.count - 1
            let name = isQuery ? "query" : step == best ? "tile top" : "tile"
            let side = layout.cell - 4
            result += rectangle(name, layout.x(step) + 2, layout.tileTop + 2, side, side, radius: 6)
            result += text(
                String(character), layout.center(step), layout.tileTop + layout.cell / 2 + size * 0.36,
                isQuery ? "on" : "char", size: size)
        }
        return result + "</g>\n"
    }

    /// The triangle of past weights, the query's row set apart and with its numbers.
    private func squares(_ layout: Layout) -> String {
        let query = sequence.count - 1
        var result = "<g>\n"
        for step in sequence.indices.dropFirst() {
            let isQuery = step == query
            let top = isQuery ? layout.queryTop : layout.mapTop + Double(step - 1) * layout.rowHeight
            let height = isQuery ? layout.queryHeight : layout.rowHeight
            let middle = top + height / 2 + 4.5
            result += text(String(sequence[step]), layout.left - 14, middle, isQuery ? "strong mid" : "mid")
            for (past, weight) in self.past[step].enumerated() {
                guard let level = ColorScale.level(weight, largest: largest) else { continue }
                let (x, width) = (layout.x(past), layout.cell)
                result += "<rect class=\"\(level < 0 ? "n" : "p")\(level.magnitude)\" x=\"\(Markup.number(x + 1))\" "
                result += "y=\"\(Markup.number(top + 1))\" width=\"\(Markup.number(width - 2))\" "
                result +=
                    "height=\"\(Markup.number(height - 2))\" rx=\"3\"><title>\(tooltip(step, past))</title></rect>\n"
                if isQuery && layout.cell >= 33 && level != 0 && weight.isFinite {
                    let value = FixedPoint.text(weight, decimals: 2)
                    result += text(value, x + width / 2, middle, level.magnitude >= 6 ? "on" : "off", size: 12)
                }
            }
        }
        if query > 0 {
            let width = layout.cell * Double(query) + 4
            result += rectangle(
                "frame", layout.left - 2, layout.queryTop - 2, width, layout.queryHeight + 4, radius: 5)
            result += text("query", layout.left - 26, layout.queryTop + layout.queryHeight / 2 + 4.5, "end")
        }
        if sequence.count > 3 {
            result += text("step", layout.left - 26, layout.mapTop + layout.rowHeight / 2 + 4.5, "end")
        }
        return result + "</g>\n"
    }

    private func tooltip(_ step: Int, _ past: Int) -> String {
        let weight = FixedPoint.text(self.past[step][past], decimals: 4)
        return Markup.escaped("'\(sequence[step])' at step \(step) to '\(sequence[past])' at step \(past): \(weight)")
    }

    /// The color scale, in the empty corner above the diagonal.
    private func legend(_ layout: Layout) -> String {
        let count = sequence.count
        guard count >= 6 else { return "" }
        let first = isSigned ? -ColorScale.levels : 0
        let levels = Array(first...ColorScale.levels)
        let width = min(150, layout.cell * 3.5)
        let right = layout.right(count) - 4
        let step = width / Double(levels.count)
        let top = layout.mapTop + 18
        var result = "<g>\n" + text("weight of an earlier step", right, top - 7, "end", size: 12)
        for (index, level) in levels.enumerated() {
            let x = right - width + Double(index) * step
            let name = "\(level < 0 ? "n" : "p")\(level.magnitude)"
            // Half a unit of overlap hides the seams.
            result += rectangle(name, x, top, step + (index + 1 < levels.count ? 0.5 : 0), 10, radius: 0)
        }
        let high = FixedPoint.text(largest, decimals: 2)
        result += text(isSigned ? "−" + high : "0", right - width, top + 24, nil, size: 12)
        if isSigned { result += text("0", right - width / 2, top + 24, "mid", size: 12) }
        return result + text(high, right, top + 24, "end", size: 12) + "</g>\n"
    }

    /// The predicted digit as a tile, beside it a bar for the probability of each digit.
    private func answer(_ layout: Layout) -> String {
        let top = layout.answerTop
        let side = 64.0
        let (barsLeft, slot, base) = (150.0, (Layout.width - 20 - 150) / 10, top + 112)
        let verdict = correct.map { $0 == predicted ? "✓ correct" : "✗ it is \($0)" } ?? "answer"
        var result = "<g>\n" + text(correct == nil ? "" : "answer", 78, top + 10, "mid")
        result += rectangle("query", 46, top + 20, side, side, radius: 10)
        result += text(String(predicted), 78, top + 20 + side * 0.72, "on", size: 44)
        result += text(verdict, 78, top + 20 + side + 20, "strong mid")
        result += text("probability of each digit", barsLeft + 4, top + 10)
        result +=
            "<line class=\"rule\" x1=\"\(Markup.number(barsLeft))\" x2=\"\(Markup.number(barsLeft + 10 * slot))\" "
        result += "y1=\"\(Markup.number(base))\" y2=\"\(Markup.number(base))\"/>\n"
        for (digit, probability) in probabilities.enumerated() {
            let height = probability.isFinite ? 72 * min(1, max(0, probability)) : 0
            let center = barsLeft + (Double(digit) + 0.5) * slot
            let value = FixedPoint.percent(probability, decimals: 1)
            result +=
                "<rect class=\"\(digit == predicted ? "hit" : "bar")\" x=\"\(Markup.number(center - slot * 0.32))\" "
            result += "y=\"\(Markup.number(base - height))\" width=\"\(Markup.number(slot * 0.64))\" "
            result += "height=\"\(Markup.number(height))\" rx=\"2\"><title>\(digit): \(value)</title></rect>\n"
            if probability >= 0.095 {
                let short = FixedPoint.percent(probability, decimals: 0)
                result += text(short, center, base - height - 5, "mid", size: 11)
            }
            result += text(String(digit), center, base + 18, digit == predicted ? "strong mid" : "mid")
        }
        return result + "</g>\n"
    }

    private var captionLines: [String] {
        Markup.wrapped(HeatMap.caption, width: Layout.width - 40, size: 13)
    }

    /// The sentence and under it the equation, whose exponent is raised by hand: not every browser knows
    /// `baseline-shift`.
    private func caption(_ layout: Layout) -> String {
        let lines = captionLines
        let place = "x=\"20\" y=\"\(Markup.number(layout.captionTop + Double(lines.count) * 17 + 4))\""
        return lines.enumerated().map { text($1, 20, layout.captionTop + Double($0) * 17) }.joined()
            + "<text class=\"strong\" \(place)>A(t)·h = η Σ λ<tspan dy=\"-5\" style=\"font-size:9px\">t−τ</tspan>"
            + "<tspan dy=\"5\"> h(τ) [h(τ)·h]</tspan></text>\n"
    }

    // MARK: - Elements

    private func text(_ text: String, _ x: Double, _ y: Double, _ name: String? = nil, size: Double? = nil) -> String {
        let place = "x=\"\(Markup.number(x))\" y=\"\(Markup.number(y))\""
        let type = name.map { " class=\"\($0)\"" } ?? ""
        let style = size.map { " style=\"font-size:\(Markup.number($0))px\"" } ?? ""
        return "<text\(type) \(place)\(style)>\(Markup.escaped(text))</text>\n"
    }

    private func rectangle(
        _ name: String, _ x: Double, _ y: Double, _ width: Double, _ height: Double, radius: Double
    ) -> String {
        "<rect class=\"\(name)\" x=\"\(Markup.number(x))\" y=\"\(Markup.number(y))\" width=\"\(Markup.number(width))\" "
            + "height=\"\(Markup.number(height))\" rx=\"\(Markup.number(radius))\"/>\n"
    }
}
