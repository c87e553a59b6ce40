/// The results of jobs merged: a table for each experiment with the paper's figures beside ours, learning curves,
/// pictures, deviations and every run.
struct PaperReport: JobReport {
    let results: [PaperResult]
    /// What is wrong with files that are no results.
    let problems: [String]

    /// The results of one place of a table.
    struct Cell {
        let results: [PaperResult]
        let measure: ComparisonTable.Spread
        let paper: Double?
        let milestones: [Double]

        /// By how much we are worse than the paper, 0 and below if we are not.
        func shortfall(_ measure: PaperExperiment.Measure) -> Double? {
            paper.map { measure.lowerIsBetter ? self.measure.median - $0 : $0 - self.measure.median }
        }
    }

    func cell(_ experiment: PaperExperiment, row: String, column: String) -> Cell? {
        let here = results.filter { ($0.experiment, $0.row, $0.column) == (experiment.name, row, column) }
        let shown = PaperReport.alike(here)
        guard !shown.isEmpty else { return nil }
        // What was trained on other data has nothing of the paper's beside it.
        let isItsData = shown.allSatisfy { $0.outcome.data == nil }
        return Cell(
            results: shown, measure: ComparisonTable.Spread(shown.map(\.outcome.measure)),
            paper: isItsData ? experiment.paper[row]?[column] : nil, milestones: shown.compactMap(\.outcome.milestone))
    }

    /// Of the results of one place those that may stand together, a seed once and in order: whole trainings before quick
    /// ones, the paper's data before what stands in for them, and of several settings those that most have.
    private static func alike(_ results: [PaperResult]) -> [PaperResult] {
        var results = results
        for isBetter in [{ !$0.isQuick }, { $0.outcome.data == nil }] as [(PaperResult) -> Bool]
        where results.contains(where: isBetter) {
            results = results.filter(isBetter)
        }
        return results.alike
    }

    /// The results that are in an experiment's table, in its order.
    private func shown(_ experiment: PaperExperiment) -> [PaperResult] {
        experiment.rows.flatMap { row in
            experiment.columns.flatMap { cell(experiment, row: row, column: $0)?.results ?? [] }
        }
    }

    /// What a reader has to know of the results as a whole.
    private var remarks: [String] {
        let shown = PaperExperiment.all.flatMap(shown)
        var texts: [String] = []
        if shown.contains(where: \.isQuick) {
            texts.append("Quick trainings are among them, cut short: their figures are not final.")
        }
        let count = results.count - shown.count
        if count > 0 {
            texts.append(
                "\(count) results are left out: of quick trainings, other data or other settings than those shown.")
        }
        return texts + problems
    }

    /// The experiments that have results, in the order of the paper.
    var experiments: [PaperExperiment] {
        PaperExperiment.all.filter { experiment in results.contains { $0.experiment == experiment.name } }
    }

    // MARK: - Text

    /// The tables for a terminal of so many columns.
    func plain(width: Int = .max) -> String {
        var text = experiments.map { experiment in
            "\(([experiment.title + ", " + experiment.measure.name] + standIns(of: experiment)).joined(separator: "\n"))\n\n\(table(experiment).plain(width: width))\n"
        }.joined()
        text += remarks.map { LineBreaks.paragraphs($0, width: width) + "\n" }.joined()
        return text.isEmpty ? "No results yet.\n" : text
    }

    private func table(_ experiment: PaperExperiment) -> TextTable {
        var table = TextTable(
            ["Model"] + experiment.columns.flatMap { [$0, experiment.paper.isEmpty ? "range" : "paper"] })
        for row in experiment.rows {
            let cells = experiment.columns.map { cell(experiment, row: row, column: $0) }
            guard cells.contains(where: { $0 != nil }) else { continue }
            table.add(
                [row]
                    + cells.flatMap { cell -> [String] in
                        guard let cell else { return ["–", "–"] }
                        let other =
                            experiment.paper.isEmpty
                            ? range(cell) ?? "–" : cell.paper.map { FixedPoint.percent($0) } ?? "–"
                        return [FixedPoint.percent(cell.measure.median), other]
                    })
        }
        return table
    }

    /// Every result, one a line, for other programs.
    func csv() -> String {
        let header = [
            "experiment", "row", "column", "seed", "measure", "validation", "milestone", "steps", "parameters",
            "seconds", "data", "quick", "settings",
        ]
        func number(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
        let lines = results.map { result in
            MetricsCSV.record([
                result.experiment, result.row, result.column, "\(result.seed)", number(result.outcome.measure),
                number(result.outcome.validation), number(result.outcome.milestone), "\(result.outcome.steps)",
                "\(result.outcome.parameters)", number(result.seconds), result.outcome.data ?? "",
                "\(result.isQuick)", result.settings.map { "\($0.name) \($0.value)" }.joined(separator: "; "),
            ])
        }
        return MetricsCSV.record(header) + lines.joined()
    }

    // MARK: - The page

    func render() -> String {
        var body = HTMLPage.paragraphs(introduction)
        for experiment in experiments { body += section(experiment) }
        return HTMLPage.render(title: "Using Fast Weights to Attend to the Recent Past, reproduced", body: body)
    }

    private var introduction: [String] {
        let seconds = results.reduce(0) { $0 + $1.seconds }
        let machines = Set(results.map(\.machine)).sorted().joined(separator: "; ")
        var texts = [
            "Every table and figure of Ba, Hinton, Mnih, Leibo and Ionescu (2016) that could be trained anew: our figures beside the paper’s, the median of several seeds with their range, and what we did otherwise.",
            "\(results.count) trainings, \(FixedPoint.duration(seconds)) of training in all, on \(machines.isEmpty ? "no machine" : machines).",
        ]
        let missing = PaperExperiment.all.filter { experiment in !experiments.contains { $0.name == experiment.name } }
        if !missing.isEmpty {
            texts.append("Not among the results: " + missing.map(\.title).joined(separator: "; ") + ".")
        }
        return texts + remarks
    }

    private func section(_ experiment: PaperExperiment) -> String {
        var html = "<section id=\"\(experiment.name)\">\n<h2>\(Markup.escaped(experiment.title))</h2>\n"
        html += HTMLPage.paragraphs(experiment.introduction + standIns(of: experiment))
        if experiment.draw == nil { html += overview(experiment) }
        if shown(experiment).contains(where: PaperReport.hasDiverged) {
            html += HTMLPage.paragraphs(["A training whose loss became no number counts as wrong throughout."])
        }
        var figures = experiment.figures.enumerated().compactMap { index, figure -> HTMLPage.Figure? in
            let plot = plot(experiment, figure)
            guard !plot.series.isEmpty else { return nil }
            return HTMLPage.Figure(caption: "", svg: plot.svg(prefix: "\(experiment.name)-\(index)"))
        }
        if let draw = experiment.draw {
            figures += shown(experiment).prefix(1).compactMap(\.outcome.drawing).flatMap(draw)
        }
        if !figures.isEmpty { html += HTMLPage.figures(figures) }
        if !experiment.figures.isEmpty && !figures.isEmpty {
            html += HTMLPage.paragraphs(["A thin line is one training, the thick one their median."])
        }
        if !experiment.deviations.isEmpty {
            html += "<h3>Deviations</h3>\n" + HTMLPage.paragraphs(experiment.deviations)
        }
        html += "<details><summary>Every run; results.csv has them too</summary>\n"
        html += HTMLPage.table(everyRun(experiment), label: "Every run of \(experiment.title)") + "</details>\n"
        return html + "</section>\n"
    }

    /// What stood in for data that were not there.
    private func standIns(of experiment: PaperExperiment) -> [String] {
        let data = Set(shown(experiment).compactMap(\.outcome.data)).sorted()
        return data.isEmpty
            ? []
            : [
                "In place of the paper's data, whose figures are not to be compared with these: "
                    + data.joined(separator: "; ") + "."
            ]
    }

    /// A row a model and a column a size; every cell has our figure, a bar, and the paper's as a tick on the bar.
    private func overview(_ experiment: PaperExperiment) -> String {
        let cells = experiment.rows.flatMap { row in
            experiment.columns.compactMap { cell(experiment, row: row, column: $0) }
        }
        let largest = cells.flatMap { [$0.measure.median, $0.paper ?? 0] }.filter(\.isFinite).max() ?? 1
        let scale = experiment.measure.lowerIsBetter ? max(min(1, largest * 1.08), 1e-9) : 1
        var html = "<table class=\"overview\">\n<thead><tr><th scope=\"col\">Model</th>"
        html += experiment.columns.map { "<th scope=\"col\">\(Markup.escaped($0))</th>" }.joined()
        html += "</tr></thead>\n<tbody>\n"
        for row in experiment.rows {
            let here = experiment.columns.map { cell(experiment, row: row, column: $0) }
            guard here.contains(where: { $0 != nil }) else { continue }
            html += "<tr><th scope=\"row\">\(Markup.escaped(row))</th>"
            html += here.map { $0.map { overviewCell(experiment, $0, scale: scale) } ?? "<td>–</td>" }.joined()
            html += "</tr>\n"
        }
        let label = "\(experiment.title), \(experiment.measure.name)"
        html = HTMLPage.scrolling(html + "</tbody>\n</table>\n", label: label)
        html += "<p class=\"key\">\(Markup.escaped(experiment.measure.name)): "
        html += "<span><span class=\"bullet\"><i class=\"ours\" style=\"width:70%\"></i></span>ours, the median</span> "
        if !experiment.paper.isEmpty {
            html += "<span><span class=\"bullet\"><i class=\"paper\" style=\"left:50%\"></i></span>the paper’s</span>"
        }
        return html + "</p>\n"
    }

    private func overviewCell(_ experiment: PaperExperiment, _ cell: Cell, scale: Double) -> String {
        func share(_ value: Double) -> String {
            FixedPoint.text(value.isFinite ? min(100, max(0, value / scale * 100)) : 0, decimals: 2) + "%"
        }
        let (style, word) = PaperReport.appearance(cell.shortfall(experiment.measure))
        var html = "<td class=\"\(style)\"><b>\(FixedPoint.percent(cell.measure.median))</b>"
        html += "<span class=\"bullet\"><i class=\"ours\" style=\"width:\(share(cell.measure.median))\"></i>"
        if let paper = cell.paper { html += "<i class=\"paper\" style=\"left:\(share(paper))\"></i>" }
        html += "</span>"
        if let paper = cell.paper { html += "<small>paper \(FixedPoint.percent(paper))</small>" }
        if let range = range(cell) {
            let of = experiment.hasInterval ? "parts" : "seeds"
            html += "<small>\(cell.results.count) \(of), \(range)</small>"
        }
        let diverged = cell.results.count(where: PaperReport.hasDiverged)
        if diverged > 0 { html += "<small>\(diverged) of \(cell.results.count) diverged</small>" }
        if cell.results.contains(where: \.isQuick) { html += "<small>quick, not final</small>" }
        if experiment.hasInterval && cell.results.count > 1 {
            let parts = CrossValidation(cell.results.map(\.outcome.measure))
            let width = FixedPoint.text(parts.halfWidth * 100, decimals: 1)
            html +=
                "<small>mean \(FixedPoint.percent(parts.mean, decimals: 1)) ± \(width), 95 % interval, about</small>"
        }
        if let milestone = experiment.milestone {
            let reached =
                cell.milestones.isEmpty
                ? "never" : FixedPoint.grouped(Int(ComparisonTable.Spread(cell.milestones).median))
            let share = cell.milestones.count < cell.results.count && !cell.milestones.isEmpty
            let count = share ? " (\(cell.milestones.count) of \(cell.results.count))" : ""
            html += "<small>\(Markup.escaped(milestone)): \(reached)\(count)</small>"
        }
        return html + (word.isEmpty ? "" : "<em>\(word)</em>") + "</td>"
    }

    private static func hasDiverged(_ result: PaperResult) -> Bool {
        result.outcome.facts.contains { $0.name == PaperJob.Fact.diverged }
    }

    /// Smallest and largest of several seeds; nil of one.
    private func range(_ cell: Cell) -> String? {
        guard cell.results.count > 1 else { return nil }
        let low = FixedPoint.text(cell.measure.minimum * 100, decimals: 2)
        return low + "–" + FixedPoint.text(cell.measure.maximum * 100, decimals: 2) + " %"
    }

    private static func appearance(_ shortfall: Double?) -> (style: String, word: String) {
        guard let shortfall else { return ("unknown", "") }
        if shortfall < 0.000_05 { return ("solved", "as good as the paper or better") }
        let points = FixedPoint.text(shortfall * 100, decimals: 2)
        return (shortfall <= 0.01 ? "partial" : "flat", "\(points) points worse than the paper")
    }

    private func plot(_ experiment: PaperExperiment, _ figure: PaperExperiment.Figure) -> LinePlot {
        let series = experiment.rows.enumerated().compactMap { style, row -> LinePlot.Series? in
            let curves = (cell(experiment, row: row, column: figure.column)?.results ?? []).compactMap { result in
                result.outcome.curves.first { $0.name == figure.curve }?.points
            }
            return curves.isEmpty ? nil : LinePlot.Series(name: row, curves: curves, style: style)
        }
        return LinePlot(
            title: figure.title,
            description: "\(figure.yLabel) against \(figure.xLabel) of \(series.map(\.name).joined(separator: ", ")).",
            xLabel: figure.xLabel, yLabel: figure.yLabel, yAxis: figure.yAxis, series: series,
            references: figure.references)
    }

    private func everyRun(_ experiment: PaperExperiment) -> TextTable {
        let header = [
            "Model", "Column", "Seed", experiment.measure.name, "Validation", "Steps", "Parameters", "Seconds",
            "Settings",
            "Facts",
        ]
        var table = TextTable(
            header, alignments: header.indices.map { $0 < 2 || $0 > 7 ? .left : .right })
        func text(_ facts: [PaperJob.Fact]) -> String {
            facts.map { "\($0.name) \($0.value)" }.joined(separator: "; ")
        }
        for result in shown(experiment) {
            table.add([
                result.row, result.column, "\(result.seed)", FixedPoint.percent(result.outcome.measure),
                result.outcome.validation.map { FixedPoint.percent($0) } ?? "–",
                FixedPoint.grouped(result.outcome.steps), FixedPoint.grouped(result.outcome.parameters),
                FixedPoint.text(result.seconds, decimals: 1), text(result.settings), text(result.outcome.facts),
            ])
        }
        return table
    }
}
