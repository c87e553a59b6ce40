extension LinePlot {
    /// The plotting area with its two scales.
    struct Frame {
        let left: Double
        let right: Double
        let top: Double
        let bottom: Double
        let x: PlotScale
        let y: PlotScale

        /// Reserves the margins: below for ticks and the label, on the right for the longest series name, at most two
        /// fifths of the width.
        init(_ plot: LinePlot) {
            let names = plot.series.map { Markup.textWidth($0.name, size: 12.5) }
            let margin = min(plot.width * 0.4, (names.max() ?? 0) + 28)
            let isPercent = plot.yAxis == .percent || plot.yAxis == .logarithmicPercent
            top = 54
            bottom = plot.height - 46
            right = plot.width - max(margin, 16)
            let points = plot.series.flatMap { $0.curves.flatMap(LinePlot.drawable) }
            let heights = points.map(\.y) + plot.references.map(\.value)
            y = PlotScale(
                values: heights, isLogarithmic: plot.yAxis == .logarithmic || plot.yAxis == .logarithmicPercent,
                labels: isPercent ? .percent : .plain, widen: true, start: bottom, end: top)
            let labels = y.majorTicks.map { Markup.textWidth($0.label, size: 12) }
            left = 20 + (labels.max() ?? 0)
            x = PlotScale(
                values: points.map(\.x), isLogarithmic: plot.xAxis == .logarithmic, labels: .counts, widen: false,
                start: left, end: right)
        }

        /// The path of a curve, lifted where a point cannot be drawn; a lone point is a stroke of no length, which the
        /// round cap turns into a dot.
        func path(_ curve: [Point]) -> String {
            var path = ""
            var isDown = false
            for point in curve {
                guard point.x.isFinite, point.y.isFinite else {
                    isDown = false
                    continue
                }
                let place = "\(Markup.number(x.position(point.x))) \(Markup.number(y.position(point.y)))"
                path += (isDown ? "L" : "M") + place
                if !isDown { path += "h0" }
                isDown = true
            }
            return path
        }

        func axes(xLabel: String) -> String {
            var result = ""
            for tick in y.majorTicks {
                let place = y.position(tick.value)
                result += line("grid", left, place, right, place)
                result += text(tick.label, left - 7, place + 4, anchor: "end")
            }
            if y.isLogarithmic {
                for value in y.minorTicks {
                    result += line("tick", left - 3, y.position(value), left, y.position(value))
                }
            }
            result += line("tick", left, bottom, right, bottom)
            for value in x.minorTicks {
                result += line("tick", x.position(value), bottom, x.position(value), bottom + 3)
            }
            var occupied = -Double.infinity
            for tick in x.majorTicks {
                let place = x.position(tick.value)
                result += line("tick", place, bottom, place, bottom + 6)
                let half = Markup.textWidth(tick.label, size: 12) / 2
                guard place - half > occupied else { continue }
                occupied = place + half + 4
                result += text(tick.label, place, bottom + 20, anchor: "middle")
            }
            return result + text(xLabel, (left + right) / 2, bottom + 38, anchor: "middle")
        }

        func noData() -> String {
            text("no data", (left + right) / 2, (top + bottom) / 2, anchor: "middle")
        }

        private func line(_ name: String, _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> String {
            "<line class=\"\(name)\" x1=\"\(Markup.number(x1))\" y1=\"\(Markup.number(y1))\" "
                + "x2=\"\(Markup.number(x2))\" y2=\"\(Markup.number(y2))\"/>\n"
        }

        private func text(_ text: String, _ x: Double, _ y: Double, anchor: String) -> String {
            "<text x=\"\(Markup.number(x))\" y=\"\(Markup.number(y))\" text-anchor=\"\(anchor)\">"
                + "\(Markup.escaped(text))</text>\n"
        }
    }
}
