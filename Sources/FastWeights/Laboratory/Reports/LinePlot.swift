/// A line chart as SVG text: a thin line for each seed, a thick one for their median, names at the line ends.
///
/// The file has no script and no external reference, scales to its container, follows the reader's color scheme and is
/// the same byte for byte for the same input.
struct LinePlot: Sendable {
    struct Point: Sendable, Equatable {
        var x: Double
        var y: Double

        init(x: Double, y: Double) {
            self.x = x
            self.y = y
        }
    }

    /// The curves of one model.
    struct Series: Sendable {
        var name: String
        /// One curve a seed, each with ascending x. A point that is not finite leaves a gap.
        var curves: [[Point]]
        /// Color and dash, so that a model looks the same in several figures.
        var style: Int

        init(name: String, curves: [[Point]], style: Int) {
            self.name = name
            self.curves = curves
            self.style = style
        }
    }

    /// A value to compare with.
    struct Reference: Sendable {
        enum Mark: Sendable {
            /// A dashed line across the plot with its label on it.
            case line
            /// A diamond on the right edge; the label is read out and shown when pointed at.
            case diamond
        }

        var value: Double
        var label: String
        var mark: Mark
        /// The series whose color it takes; neutral when nil.
        var style: Int?

        init(value: Double, label: String, mark: Mark = .line, style: Int? = nil) {
            self.value = value
            self.label = label
            self.mark = mark
            self.style = style
        }
    }

    /// How an axis is divided.
    enum Axis: Sendable, Equatable {
        case linear
        case logarithmic
        /// Rates 0...1, written in percent.
        case percent
        case logarithmicPercent
    }

    var title: String
    /// What the picture shows, for readers who do not see it.
    var description: String
    var xLabel: String
    var yLabel: String
    /// `.linear` or `.logarithmic`; counts are written as 500, 20k, 1.5M.
    var xAxis: Axis
    var yAxis: Axis
    var series: [Series]
    var references: [Reference]
    /// Size of the drawing in its own units; text is 12 to 14 of them high.
    var width: Double
    var height: Double

    init(
        title: String, description: String, xLabel: String, yLabel: String, xAxis: Axis = .linear,
        yAxis: Axis = .linear, series: [Series], references: [Reference] = [], width: Double = 440, height: Double = 310
    ) {
        self.title = title
        self.description = description
        self.xLabel = xLabel
        self.yLabel = yLabel
        self.xAxis = xAxis
        self.yAxis = yAxis
        self.series = series
        self.references = references
        self.width = width
        self.height = height
    }

    /// The picture.
    ///
    /// - Parameter prefix: class of the picture and beginning of its ids, a name of letters, digits and hyphens that no
    ///   other picture of the same page has.
    func svg(prefix: String) -> String {
        let frame = Frame(self)
        let isEmpty = series.allSatisfy { $0.curves.allSatisfy { LinePlot.drawable($0).isEmpty } }
        return Markup.svgStart(prefix: prefix, width: width, height: height, title: title, description: description)
            + Markup.style(prefix: prefix, variables: Markup.surface + Markup.seriesColors, rules: LinePlot.rules)
            + "<rect class=\"bg\" width=\"\(Markup.number(width))\" height=\"\(Markup.number(height))\" rx=\"8\"/>\n"
            + headings() + frame.axes(xLabel: xLabel)
            + referenceLines(frame)
            + (isEmpty ? frame.noData() : series.map { curves($0, frame) }.joined() + endLabels(frame))
            + referenceLabels(frame)
            + "</svg>\n"
    }

    // MARK: - Median

    /// The median of several curves at every x that one of them has.
    ///
    /// A curve that ended before an x takes part with its last value, so that a model which stopped because it had solved
    /// the task does not leave the median to the others; before its first x it takes no part.
    static func median(_ curves: [[Point]]) -> [Point] {
        let finite = curves.map(drawable).filter { !$0.isEmpty }
        let steps = Set(finite.joined().map(\.x)).sorted()
        var position = [Int](repeating: -1, count: finite.count)
        return steps.map { x in
            for (index, curve) in finite.enumerated() {
                while position[index] + 1 < curve.count && curve[position[index] + 1].x <= x { position[index] += 1 }
            }
            let values = finite.indices.filter { position[$0] >= 0 }.map { finite[$0][position[$0]].y }.sorted()
            let middle = values.count / 2
            let y = values.count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2
            return Point(x: x, y: y)
        }
    }

    static func drawable(_ curve: [Point]) -> [Point] {
        curve.filter { $0.x.isFinite && $0.y.isFinite }
    }

    /// The curve that stands for the series: its only one or the median.
    static func main(_ series: Series) -> [Point] {
        series.curves.count == 1 ? series.curves[0] : median(series.curves)
    }

    // MARK: - Parts

    private static let rules =
        [
            ".bg{fill:var(--bg)}",
            "text{fill:var(--muted);font-size:12px}",
            ".title{fill:var(--ink);font-size:14px;font-weight:600}",
            ".grid{stroke:var(--grid);stroke-width:1}",
            ".tick{stroke:var(--muted);stroke-width:1}",
            ".ref{stroke:var(--muted);stroke-width:1.2;stroke-dasharray:1 3;stroke-linecap:round}",
            ".halo{paint-order:stroke;stroke:var(--bg);stroke-width:4px;stroke-linejoin:round}",
            ".seed{fill:none;stroke-width:1;opacity:.4}",
            ".main{fill:none;stroke-width:2.4;stroke-linejoin:round;stroke-linecap:round}",
            ".lead{fill:none;stroke-width:1;opacity:.55}",
            ".name{font-weight:600}",
        ]
        + Markup.seriesColors.enumerated().flatMap { index, color in
            [".s\(index){stroke:var(--\(color.name))}", ".f\(index){fill:var(--\(color.name))}"]
        }

    private func headings() -> String {
        let title = Markup.fitted(self.title, width: width - 24, size: 14.5)
        let label = Markup.fitted(yLabel, width: width - 24, size: 12)
        return "<text class=\"title\" x=\"12\" y=\"22\">\(Markup.escaped(title))</text>\n"
            + "<text x=\"12\" y=\"40\">\(Markup.escaped(label))</text>\n"
    }

    private func referenceLines(_ frame: Frame) -> String {
        var result = ""
        for reference in references where reference.value.isFinite {
            let y = frame.y.position(reference.value)
            let text = Markup.escaped(reference.label)
            switch reference.mark {
            case .line:
                result += "<line class=\"ref\(strokeClass(reference.style))\" x1=\"\(Markup.number(frame.left))\" "
                result +=
                    "x2=\"\(Markup.number(frame.right))\" y1=\"\(Markup.number(y))\" y2=\"\(Markup.number(y))\"/>\n"
            case .diamond:
                let (x, d) = (frame.right, 5.0)
                let points = [(x, y - d), (x + d, y), (x, y + d), (x - d, y)]
                    .map { "\(Markup.number($0.0)),\(Markup.number($0.1))" }.joined(separator: " ")
                result +=
                    "<polygon class=\"bg\(reference.style == nil ? " tick" : strokeClass(reference.style))\" stroke-width=\"1.6\" "
                result += "points=\"\(points)\"><title>\(text)</title></polygon>\n"
            }
        }
        return result
    }

    /// The labels of the dashed lines, each above its line, on top of the curves with a halo.
    private func referenceLabels(_ frame: Frame) -> String {
        let lines = references.enumerated().filter { $1.value.isFinite && $1.mark == .line }
        let labels = lines.map { (y: frame.y.position($1.value) - 8, index: $0, text: Markup.escaped($1.label)) }
            .sorted { ($0.y, $0.index) < ($1.y, $1.index) }
        var result = ""
        let places = LinePlot.spread(labels.map(\.y), gap: 13, within: frame.top + 8...frame.bottom - 4)
        for (label, y) in zip(labels, places) {
            result += "<text class=\"halo\" text-anchor=\"end\" x=\"\(Markup.number(frame.right - 8))\" "
            result += "y=\"\(Markup.number(y))\">\(label.text)</text>\n"
        }
        return result
    }

    private func strokeClass(_ style: Int?) -> String {
        style.map { " s\($0 % Markup.seriesColors.count)" } ?? ""
    }

    private func curves(_ series: Series, _ frame: Frame) -> String {
        let color = series.style % Markup.seriesColors.count
        let dash = Markup.seriesDashes[series.style % Markup.seriesDashes.count]
        var result = "<g><title>\(Markup.escaped(series.name))</title>\n"
        if series.curves.count > 1 {
            for curve in series.curves {
                let path = frame.path(curve)
                if !path.isEmpty { result += "<path class=\"seed s\(color)\" d=\"\(path)\"/>\n" }
            }
        }
        let main = LinePlot.main(series)
        let path = frame.path(main)
        if !path.isEmpty { result += "<path class=\"main s\(color)\" stroke-dasharray=\"\(dash)\" d=\"\(path)\"/>\n" }
        if let last = LinePlot.drawable(main).last {
            result += "<circle class=\"f\(color)\" cx=\"\(Markup.number(frame.x.position(last.x)))\" "
            result += "cy=\"\(Markup.number(frame.y.position(last.y)))\" r=\"3.2\"/>\n"
        }
        return result + "</g>\n"
    }

    /// The series' names in the right margin, moved apart where line ends lie close, each with a line to its end.
    private func endLabels(_ frame: Frame) -> String {
        var ends: [(name: String, color: Int, x: Double, y: Double, index: Int)] = []
        for (index, series) in series.enumerated() {
            guard let last = LinePlot.drawable(LinePlot.main(series)).last else { continue }
            ends.append(
                (
                    series.name, series.style % Markup.seriesColors.count, frame.x.position(last.x),
                    frame.y.position(last.y), index
                ))
        }
        ends.sort { ($0.y, $0.index) < ($1.y, $1.index) }
        let places = LinePlot.spread(ends.map(\.y), gap: 15, within: frame.top...frame.bottom)
        var result = ""
        for (end, place) in zip(ends, places) {
            let points = [
                (end.x + 5, end.y), (max(end.x + 5, frame.right + 6), end.y), (frame.right + 14, place),
                (frame.right + 17, place),
            ]
            let path = points.map { "\(Markup.number($0.0)) \(Markup.number($0.1))" }.joined(separator: "L")
            let name = Markup.fitted(end.name, width: width - frame.right - 24, size: 12.5)
            result += "<path class=\"lead s\(end.color)\" d=\"M\(path)\"/>\n"
            result += "<text class=\"name f\(end.color)\" x=\"\(Markup.number(frame.right + 20))\" "
            result += "y=\"\(Markup.number(place + 4))\">\(Markup.escaped(name))</text>\n"
        }
        return result
    }

    /// Ascending positions moved as little as possible, in least squares, to lie `gap` apart and within the range: the
    /// isotonic regression of the positions less their place in the stack, by pooling neighbors.
    static func spread(_ wanted: [Double], gap: Double, within range: ClosedRange<Double>) -> [Double] {
        var pools: [(sum: Double, count: Int)] = []
        for (index, value) in wanted.enumerated() {
            var pool = (sum: value - Double(index) * gap, count: 1)
            while let last = pools.last, last.sum / Double(last.count) >= pool.sum / Double(pool.count) {
                pool = (pool.sum + last.sum, pool.count + last.count)
                pools.removeLast()
            }
            pools.append(pool)
        }
        let top = max(range.lowerBound, range.upperBound - gap * Double(wanted.count - 1))
        let starts = pools.flatMap { pool in
            [Double](repeating: min(top, max(range.lowerBound, pool.sum / Double(pool.count))), count: pool.count)
        }
        return starts.enumerated().map { $1 + Double($0) * gap }
    }
}
