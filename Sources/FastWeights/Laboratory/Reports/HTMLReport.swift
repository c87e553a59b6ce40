/// One self-contained page on a comparison: the results beside the paper's, learning curves, and what was run.
///
/// The page has inline styles and pictures, no script and no reference to another file; it reads on a phone, in dark mode
/// and on paper. All texts passed in are escaped.
struct HTMLReport: Sendable {
    var title: String
    /// Paragraphs under the title.
    var introduction: [String]
    /// The exact command that made the runs.
    var command: String
    /// Names and values in the order shown: toolchain, threads, batch size and so on.
    var configuration: [(String, String)]
    var runs: [TrainingRun]
    /// Trainings without a result, which are shown without a figure.
    var unfinished: [UnfinishedTraining]
    /// Error of a predictor that knows which digits occurred but not which key they belong to, 0...1.
    var plateauError: Double
    /// The same predictor's loss in nats.
    var plateauLoss: Double
    /// Deviations from the paper and remarks, a paragraph each.
    var notes: [String]
    /// Pictures under the learning curves.
    var figures: [HTMLPage.Figure]

    init(
        title: String, introduction: [String], command: String, configuration: [(String, String)], runs: [TrainingRun],
        unfinished: [UnfinishedTraining] = [], plateauError: Double, plateauLoss: Double, notes: [String],
        figures: [HTMLPage.Figure] = []
    ) {
        self.title = title
        self.introduction = introduction
        self.command = command
        self.configuration = configuration
        self.runs = runs
        self.unfinished = unfinished
        self.plateauError = plateauError
        self.plateauLoss = plateauLoss
        self.notes = notes
        self.figures = figures
    }

    /// The page, UTF-8 text.
    func render() -> String {
        HTMLPage.render(
            title: title,
            body: HTMLPage.paragraphs(introduction) + resultSection() + curveSection() + figureSection() + runSection()
                + noteSection())
    }

    /// K of the comparison: that of the first run.
    private var pairs: Int { runs.first?.pairs ?? unfinished.first?.pairs ?? 0 }
    private var comparison: ComparisonTable {
        ComparisonTable(runs: runs, unfinished: unfinished, plateauError: plateauError, pairs: pairs)
    }
    private var models: [String] { ComparisonTable.inOrder(comparison.cells.map(\.model)) }

    // MARK: - Result

    private func resultSection() -> String {
        let comparison = comparison
        var html = "<section>\n<h2>Test error beside the paper’s</h2>\n"
        if comparison.cells.isEmpty { return html + "<p>No runs.</p>\n</section>\n" }
        html += overview(comparison)
        html += "<p class=\"reading\">\(Markup.escaped(comparison.reading))</p>\n"
        html += "<details open><summary>In numbers</summary>\n"
        html += HTMLPage.table(comparison.table(), label: "Results in numbers") + "</details>\n"
        if !comparison.footnotes.isEmpty {
            let items = comparison.footnotes.map { "<p>\(Markup.escaped($0))</p>\n" }.joined()
            html += "<div class=\"footnotes\">\n\(items)</div>\n"
        }
        return html + "</section>\n"
    }

    /// The layout of the paper's Table 1, a row a model and a column for each R; every cell has our error, a bar, the
    /// paper's error as a tick on the bar and the plateau as a dashed line.
    private func overview(_ comparison: ComparisonTable) -> String {
        let cells = comparison.cells
        let columns = Set(cells.map(\.hidden)).sorted()
        let errors: [Double] = [plateauError] + cells.flatMap { [$0.testError?.median ?? 0, $0.paperError ?? 0] }
        let scale = min(1, (errors.filter { $0.isFinite }.max() ?? 1) * 1.08)
        var html = "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Test error by model and size\">\n"
        html += "<table class=\"overview\">\n<thead><tr><th scope=\"col\">Model</th>"
        html += columns.map { "<th scope=\"col\">R = \($0)</th>" }.joined() + "</tr></thead>\n<tbody>\n"
        for model in models {
            let lengths = Set(cells.filter { $0.model == model }.map(\.pairs)).sorted()
            for length in lengths {
                let name = Markup.escaped(model) + (length == pairs ? "" : " <small>K = \(length)</small>")
                html += "<tr><th scope=\"row\">\(name)</th>"
                for hidden in columns {
                    let cell = cells.first { $0.model == model && $0.pairs == length && $0.hidden == hidden }
                    html += cell.map { overviewCell($0, comparison, scale: scale) } ?? "<td>–</td>"
                }
                html += "</tr>\n"
            }
        }
        html += "</tbody>\n</table>\n</div>\n"
        html +=
            "<p class=\"key\"><span><span class=\"bullet\"><i class=\"ours\" style=\"width:70%\"></i></span>ours</span> "
        html += "<span><span class=\"bullet\"><i class=\"paper\" style=\"left:50%\"></i></span>the paper’s</span> "
        html += "<span><span class=\"bullet\"><i class=\"plateau\" style=\"left:50%\"></i></span>plateau "
        html += "\(FixedPoint.percent(plateauError))</span> (knows the digits, not their keys)</p>\n"
        return html
    }

    private func overviewCell(_ cell: ComparisonTable.Cell, _ comparison: ComparisonTable, scale: Double) -> String {
        func share(_ value: Double) -> String {
            FixedPoint.text(value.isFinite ? min(100, max(0, value / scale * 100)) : 0, decimals: 2) + "%"
        }
        let (style, word) = HTMLReport.appearance(cell.verdict)
        guard let testError = cell.testError else { return "<td class=\"\(style)\"><em>\(word)</em></td>" }
        let ours = FixedPoint.percent(testError.median)
        let paper = cell.paperError.map { "paper \(FixedPoint.percent($0))" } ?? "not in the paper"
        var html = "<td class=\"\(style)\"><b>\(ours)</b> <small>\(Markup.escaped(comparison.marks(cell)))</small>"
        html += "<span class=\"bullet\"><i class=\"ours\" style=\"width:\(share(testError.median))\"></i>"
        if cell.pairs == pairs { html += "<i class=\"plateau\" style=\"left:\(share(plateauError))\"></i>" }
        if let paper = cell.paperError { html += "<i class=\"paper\" style=\"left:\(share(paper))\"></i>" }
        html += "</span><small>\(paper)</small>"
        if cell.runs.count > 1 {
            html += "<small>\(cell.runs.count) seeds, \(comparison.rangeText(cell))</small>"
        }
        return html + "<em>\(word)</em></td>"
    }

    private static func appearance(_ verdict: ComparisonTable.Verdict) -> (style: String, word: String) {
        switch verdict {
        case .solved: ("solved", "solved")
        case .partial: ("partial", "partly learned")
        case .plateau: ("flat", "at the plateau")
        case .abovePlateau: ("flat", "above the plateau")
        case .unknown: ("unknown", "not comparable")
        case .unfinished: ("unknown", ComparisonTable.notFinished)
        }
    }

    // MARK: - Learning curves

    private func curveSection() -> String {
        let runs = runs.filter { !$0.curve.isEmpty }
        let sizes = Set(runs.map { [$0.pairs, $0.hidden] }).sorted { ($0[0], $0[1]) < ($1[0], $1[1]) }
        if sizes.isEmpty { return "" }
        var html = "<section>\n<h2>Learning curves</h2>\n"
        html +=
            "<p>Each pair of figures is one number of hidden units R: validation error, and validation loss (negative "
        html +=
            "log likelihood, the quantity of the paper’s Figure 2). Thin lines are seeds, the thick line their median; "
        html += "a dot is where training ended, a diamond the paper’s test error.</p>\n<div class=\"plots\">\n"
        for (index, size) in sizes.enumerated() {
            let here = runs.filter { $0.pairs == size[0] && $0.hidden == size[1] }
            html += "<figure>\(plot(here, ofLoss: false).svg(prefix: "curve-\(index)-error"))</figure>\n"
            html += "<figure>\(plot(here, ofLoss: true).svg(prefix: "curve-\(index)-loss"))</figure>\n"
        }
        return html + "</div>\n</section>\n"
    }

    private func plot(_ runs: [TrainingRun], ofLoss: Bool) -> LinePlot {
        let size = "R = \(runs[0].hidden)" + (runs[0].pairs == pairs ? "" : ", K = \(runs[0].pairs)")
        let series = models.enumerated().compactMap { style, model -> LinePlot.Series? in
            let curves = runs.filter { $0.model == model }.map { run in
                run.curve.map {
                    LinePlot.Point(x: Double($0.step), y: ofLoss ? $0.validationLoss : $0.validationError)
                }
            }
            return curves.isEmpty ? nil : LinePlot.Series(name: model, curves: curves, style: style)
        }
        var references: [LinePlot.Reference] = []
        if runs[0].pairs == pairs {
            let value =
                ofLoss ? FixedPoint.text(plateauLoss, decimals: 3) + " nats" : FixedPoint.percent(plateauError)
            references.append(LinePlot.Reference(value: ofLoss ? plateauLoss : plateauError, label: "plateau \(value)"))
        }
        for (style, model) in models.enumerated() where !ofLoss {
            guard let paper = runs.lazy.filter({ $0.model == model }).compactMap(\.paperError).first else { continue }
            references.append(
                LinePlot.Reference(
                    value: paper, label: "\(model) in the paper: \(FixedPoint.percent(paper))", mark: .diamond,
                    style: style))
        }
        let quantity = ofLoss ? "Validation loss, nats" : "Validation error"
        let results = series.compactMap { series -> String? in
            guard let last = LinePlot.drawable(LinePlot.main(series)).last else { return nil }
            let value = ofLoss ? FixedPoint.text(last.y, decimals: 4) : FixedPoint.percent(last.y)
            return "\(series.name) ends at \(value) after \(FixedPoint.grouped(Int(last.x))) steps"
        }
        return LinePlot(
            title: "\(size): \(ofLoss ? "validation loss" : "validation error")",
            description: "\(quantity) against training steps. \(results.joined(separator: "; ")).",
            xLabel: "training steps", yLabel: quantity, yAxis: ofLoss ? .linear : .percent, series: series,
            references: references)
    }

    private func figureSection() -> String {
        if figures.isEmpty { return "" }
        return "<section>\n<h2>Inside the network</h2>\n\(HTMLPage.figures(figures))</section>\n"
    }

    // MARK: - What was run

    private func runSection() -> String {
        var html = "<section>\n<h2>What was run</h2>\n"
        html += "<pre tabindex=\"0\"><code>\(Markup.escaped(command))</code></pre>\n"
        if !configuration.isEmpty {
            html += "<div class=\"scroll\"><table class=\"settings\"><tbody>\n"
            for (name, value) in configuration {
                html += "<tr><th scope=\"row\">\(Markup.escaped(name))</th><td>\(Markup.escaped(value))</td></tr>\n"
            }
            html += "</tbody></table></div>\n"
        }
        if !runs.isEmpty || !unfinished.isEmpty {
            html += "<details open><summary>Every run</summary>\n"
            html += HTMLPage.table(everyRun(), label: "Every run") + "</details>\n"
        }
        return html + "</section>\n"
    }

    private func everyRun() -> TextTable {
        var table = TextTable([
            "Model", "R", "K", "Seed", "Learning rate", "Steps", "Kept step", "Validation error", "Test error",
            "Test loss", "Seconds", "Ended",
        ])
        for run in runs {
            table.add([
                run.model, String(run.hidden), String(run.pairs), String(run.seed), "\(run.learningRate)",
                FixedPoint.grouped(run.steps), FixedPoint.grouped(run.bestStep),
                FixedPoint.percent(run.validationError), FixedPoint.percent(run.testError),
                FixedPoint.text(run.testLoss, decimals: 4), FixedPoint.text(run.seconds, decimals: 1),
                run.stoppedEarly ?? "as planned",
            ])
        }
        for training in unfinished {
            table.add(
                [
                    training.model, String(training.hidden), String(training.pairs), String(training.seed),
                    "\(training.learningRate)",
                ] + Array(repeating: "–", count: 6) + [ComparisonTable.notFinished])
        }
        return table
    }

    private func noteSection() -> String {
        notes.isEmpty ? "" : "<section>\n<h2>Deviations and notes</h2>\n\(HTMLPage.paragraphs(notes))</section>\n"
    }
}
