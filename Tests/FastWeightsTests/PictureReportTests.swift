import Foundation
import Testing

@testable import FastWeights

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// What every picture and page must satisfy.
func expectSelfContained(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
    let lower = text.lowercased()
    for word in ["nan ", " nan", "\"nan", "inf\"", "<script", "href=", "src=", "url(", "@import", "javascript:"] {
        #expect(!lower.contains(word), "found \(word)", sourceLocation: sourceLocation)
    }
}

func isWellFormed(_ xml: String) -> Bool {
    XMLParser(data: Data(xml.utf8)).parse()
}

@Suite struct LinePlotReportTests {
    private func plot(_ series: [LinePlot.Series], x: LinePlot.Axis = .linear, y: LinePlot.Axis = .percent) -> LinePlot
    {
        LinePlot(
            title: "A & B <c>", description: "says \"this\"", xLabel: "steps", yLabel: "error", xAxis: x, yAxis: y,
            series: series,
            references: [
                .init(value: 0.6165, label: "plateau <61.65 %>"),
                .init(value: 0.0185, label: "paper", mark: .diamond, style: 1),
                .init(value: .nan, label: "absent"),
            ])
    }

    private func series(_ name: String, _ curves: [[(Double, Double)]], style: Int = 0) -> LinePlot.Series {
        LinePlot.Series(name: name, curves: curves.map { $0.map { .init(x: $0.0, y: $0.1) } }, style: style)
    }

    @Test func structureAndEscaping() {
        let svg = plot([series("LSTM & co", [[(0, 0.9), (100, 0.6)], [(0, 0.8), (100, 0.5)]])]).svg(prefix: "p1")
        #expect(isWellFormed(svg))
        expectSelfContained(svg)
        #expect(
            svg.contains("role=\"img\"") && svg.contains("viewBox=\"0 0 440 310\"") && svg.contains("width=\"100%\""))
        #expect(svg.contains("<title id=\"p1-title\">A &amp; B &lt;c&gt;</title>"))
        #expect(svg.contains("<desc id=\"p1-desc\">says &quot;this&quot;</desc>"))
        #expect(svg.contains("prefers-color-scheme:dark"))
        #expect(svg.contains("plateau &lt;61.65 %&gt;") && !svg.contains("absent"))
        #expect(svg.components(separatedBy: "class=\"seed").count == 3)
        #expect(svg.components(separatedBy: "class=\"main").count == 2)
    }

    @Test func sameBytesAndScopedStyle() {
        let plot = plot([series("a", [[(1, 0.5), (1000, 0.001)]])], x: .logarithmic, y: .logarithmicPercent)
        #expect(plot.svg(prefix: "x") == plot.svg(prefix: "x"))
        let style = plot.svg(prefix: "x").components(separatedBy: "<style>\n")[1].components(separatedBy: "</style>")[0]
        for rule in style.split(separator: "\n") {
            #expect(rule.hasPrefix(".x{") || rule.hasPrefix(".x ") || rule.hasPrefix("@media screen"))
        }
        #expect(!plot.svg(prefix: "other").contains("\"x-title\""))
    }

    @Test(arguments: [LinePlot.Axis.linear, .logarithmic], [LinePlot.Axis.percent, .logarithmic, .logarithmicPercent])
    func degenerateCurves(x: LinePlot.Axis, y: LinePlot.Axis) {
        let long = String(repeating: "A very long name ", count: 10)
        let cases: [[LinePlot.Series]] = [
            [], [series("none", [])], [series("empty", [[]])], [series("point", [[(500, 0.3)]])],
            [series("zero", [[(0, 0), (10, 0)]])], [series("bad", [[(1, .nan), (2, .infinity), (3, .nan)]])],
            [
                series(long, [[(1, 0.5), (2, .nan), (3, 0.4)]]),
                series("tiny", [[(1, .leastNonzeroMagnitude), (2, 1e300)]], style: 9),
            ],
        ]
        for series in cases {
            let svg = plot(series, x: x, y: y).svg(prefix: "p")
            #expect(isWellFormed(svg))
            expectSelfContained(svg)
        }
        #expect(plot(cases[5], x: x, y: y).svg(prefix: "p").contains("no data"))
        #expect(plot(cases[3], x: x, y: y).svg(prefix: "p").contains("<circle"))
    }

    @Test func aGapLiftsThePen() {
        let svg = plot([series("a", [[(1, 0.5), (2, .nan), (3, 0.4)]])]).svg(prefix: "p")
        let path = svg.components(separatedBy: "class=\"main s0\" stroke-dasharray=\"none\" d=\"")[1].split(
            separator: "\"")[0]
        #expect(path.count { $0 == "M" } == 2 && !path.contains("L"))
    }

    @Test func medianCarriesFinishedCurvesForward() {
        let curves = [[(1, 3.0), (2, 1)], [(1, 5), (2, 4), (3, 4)], [(2, 9), (3, 8)]].map {
            $0.map { LinePlot.Point(x: Double($0.0), y: $0.1) }
        }
        let median = LinePlot.median(curves)
        #expect(median.map(\.x) == [1, 2, 3])
        #expect(median.map(\.y) == [4, 4, 4])
    }

    @Test func labelsAreSpread() {
        #expect(LinePlot.spread([10, 50], gap: 15, within: 0...100) == [10, 50])
        #expect(LinePlot.spread([50, 50, 50], gap: 10, within: 0...100) == [40, 50, 60])
        #expect(LinePlot.spread([99, 100], gap: 10, within: 0...100) == [90, 100])
        #expect(LinePlot.spread([], gap: 10, within: 0...100).isEmpty)
        let crowded = LinePlot.spread([0, 0, 0], gap: 60, within: 0...100)
        #expect(crowded == [0, 60, 120])
    }

    @Test func scales() {
        let steps = PlotScale(
            values: [0, 60000], isLogarithmic: false, labels: .counts, widen: false, start: 0, end: 600)
        #expect(steps.majorTicks.map(\.label) == ["0", "10k", "20k", "30k", "40k", "50k", "60k"])
        #expect(steps.minorTicks.first == 5000)
        let errors = PlotScale(
            values: [0, 0.9], isLogarithmic: false, labels: .percent, widen: true, start: 100, end: 0)
        #expect(errors.majorTicks.map(\.label) == ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"])
        let log = PlotScale(
            values: [0, 0.01, 0.7], isLogarithmic: true, labels: .percent, widen: true, start: 100, end: 0)
        #expect(log.majorTicks.map(\.label) == ["1 %", "10 %", "100 %"])
        #expect(log.position(0) == 100 && abs(log.position(0.1) - 50) < 1e-9)
        for value in [1e-12, 0.3, 1, 2, 9.99, 1000, 6.02e23] {
            #expect(
                abs(PlotScale.log10(value) - Foundation.log10(value)) <= 4e-15 * max(1, abs(Foundation.log10(value))))
        }
        #expect([0.001, 0.0099, 1, 999.99, 1000].map(PlotScale.decade) == [-3, -3, 0, 2, 3])
    }
}

@Suite struct HeatMapReportTests {
    private func map(_ text: String, sign: Double = 1, correct: Int? = 9) -> HeatMap {
        let sequence = Array(text)
        let last = sequence.count - 1
        let weights = sequence.indices.map { step in
            (0..<step).map { past in step == last && past == 1 ? 0.8 : sign * 0.1 * Double(past % 3) }
        }
        var probabilities = [Double](repeating: 0.01, count: 10)
        probabilities[9] = 0.91
        return HeatMap(sequence: sequence, weights: weights, probabilities: probabilities, correct: correct)
    }

    @Test func svgTellsWhatItShows() {
        let svg = map("c9k8j3f1??c").svg(prefix: "att")
        #expect(isWellFormed(svg))
        expectSelfContained(svg)
        #expect(svg.contains("attends most to &#39;9&#39; at step 1 (0.800)"))
        #expect(svg.contains("Answer: 9, 91.0 %, correct."))
        #expect(svg.contains("✓ correct") && svg.contains("A(t)·h = η Σ λ"))
        // 55 pairs of steps, each a square that says which.
        #expect(svg.components(separatedBy: "rx=\"3\"><title>").count == 56)
        #expect(svg == map("c9k8j3f1??c").svg(prefix: "att"))
        #expect(map("c9k8j3f1??c", correct: 3).svg(prefix: "a").contains("✗ it is 3"))
    }

    @Test func signedWeightsAreCold() {
        #expect(!map("c9k8??c").svg(prefix: "a").contains("class=\"n"))
        #expect(map("c9k8??c", sign: -1).svg(prefix: "a").contains("class=\"n2\""))
    }

    @Test(arguments: ["c", "c9", "<&\"?", "c9k8j3f1??c", String(repeating: "a1", count: 30) + "??a"])
    func anyLength(text: String) {
        let svg = map(text, sign: -1, correct: nil).svg(prefix: "a")
        #expect(isWellFormed(svg))
        expectSelfContained(svg)
    }

    @Test func oddWeights() {
        let weights: [[Double]] = [[], [.nan], [.infinity, -.infinity]]
        let map = HeatMap(
            sequence: ["a", "1", "?"], weights: weights, probabilities: [Double](repeating: .nan, count: 10))
        let svg = map.svg(prefix: "a")
        #expect(isWellFormed(svg))
        expectSelfContained(svg)
        #expect(map.terminal(.none).contains(" ? "))
    }

    @Test func terminalWithoutColor() {
        let lines = map("c9k8??c").terminal(.none).components(separatedBy: "\n")
        #expect(lines[1] == "  step    c  9  k  8  ?  ?  c ")
        #expect(lines.contains("▶   6 c      @@ --    :: -- ◀ query"))
        #expect(lines.contains { $0.hasPrefix("  answer 9, 91.0 %, correct") })
        #expect(lines.contains("  ▶ 9  ######################    91.0 %  correct"))
        #expect(!lines.joined().contains("\u{1B}"))
        #expect(map("c9k8??c", sign: -1).terminal(.none).contains("~"))
    }

    @Test func terminalColorsAreReset() {
        for colors in [HeatMap.TerminalColors.indexed256, .trueColor] {
            let text = map("c9k8??c", sign: -1).terminal(colors)
            let set = text.components(separatedBy: "\u{1B}[48;").count + text.components(separatedBy: "\u{1B}[1m").count
            #expect(set - 1 == text.components(separatedBy: "\u{1B}[0m").count)
        }
    }

    /// Lightness must fall, or rise on a dark ground, with every step: the colors can be read without seeing the hue.
    @Test func lightnessIsMonotonic() {
        func luminance(_ color: String) -> Double {
            let (red, green, blue) = ColorScale.components(color)
            let linear = [red, green, blue].map { pow(Double($0) / 255, 2.2) }
            return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        }
        let ramps = [
            ColorScale.lightPositive.reversed(), ColorScale.lightNegative.reversed(), ColorScale.darkPositive,
            ColorScale.darkNegative,
        ]
        for ramp in ramps {
            #expect(ramp.count == ColorScale.levels + 1)
            #expect(zip(ramp, ramp.dropFirst()).allSatisfy { luminance($0) < luminance($1) })
        }
        #expect(
            ColorScale.indexedPositive.count == ramps[0].count && ColorScale.indexedNegative.count == ramps[0].count)
    }
}
