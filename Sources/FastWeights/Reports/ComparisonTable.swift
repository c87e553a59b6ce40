/// Finished runs beside the paper's Table 1: a row for each model and number of hidden units.
///
/// Runs that differ only in the seed share a row, which then shows the median and the range. A run that ended early is in
/// its row like any other and has a footnote; a test error that is not a number counts as the worst.
struct ComparisonTable: Sendable {
    /// What a test error says about the model, next to the plateau: the error of a predictor that knows which digits
    /// occurred but not which key they belong to.
    enum Verdict: Sendable, Equatable {
        /// Below 1 %.
        case solved
        /// Between 1 % and the plateau: some keys are bound to their values.
        case partial
        /// Within `tolerance` of the plateau: no binding learned.
        case plateau
        /// Above the plateau by more than that: not even the digits are remembered.
        case abovePlateau
        /// Not a number.
        case unknown
    }

    /// Median and range of one measurement over the seeds.
    struct Spread: Sendable {
        let median: Double
        let minimum: Double
        let maximum: Double

        /// NaN sorts last, as the worst; the median of an even number is the mean of the middle two.
        init(_ values: [Double]) {
            require(!values.isEmpty, "a spread needs at least one value")
            let sorted = values.sorted { first, second in second.isNaN ? !first.isNaN : first < second }
            let middle = sorted.count / 2
            median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
            minimum = sorted[0]
            maximum = sorted[sorted.count - 1]
        }
    }

    /// One row: the runs of a model with a number of hidden units.
    struct Cell: Sendable {
        let model: String
        let hidden: Int
        let pairs: Int
        /// In the order given.
        let runs: [TrainingRun]
        let testError: Spread
        let seconds: Spread
        let verdict: Verdict

        var paperError: Double? { runs.lazy.compactMap(\.paperError).first }
        var parameters: Int { runs[0].parameters }
    }

    let plateauError: Double
    /// Key-value pairs a sequence, K: those the plateau belongs to.
    let pairs: Int
    /// Models in the order they first occur, each with hidden units ascending.
    let cells: [Cell]

    /// How near to the plateau an error must be to count as being on it: six standard errors of a test on 10,000
    /// sequences, and enough for the paper's own IRNN (60.23 % at R = 50 against 61.65 %).
    /// A tenth of the plateau where that is less: with one pair there is nothing to bind and the plateau is 0.
    static func tolerance(_ plateauError: Double) -> Double { min(0.03, plateauError / 10) }

    init(runs: [TrainingRun], plateauError: Double, pairs: Int) {
        self.plateauError = plateauError
        self.pairs = pairs
        var groups: [[TrainingRun]] = []
        for run in runs {
            let index = groups.firstIndex {
                $0[0].model == run.model && $0[0].hidden == run.hidden && $0[0].pairs == run.pairs
            }
            if let index { groups[index].append(run) } else { groups.append([run]) }
        }
        let models = ComparisonTable.inOrder(runs.map(\.model))
        cells = models.flatMap { model in
            groups.filter { $0[0].model == model }
                .sorted { ($0[0].pairs, $0[0].hidden) < ($1[0].pairs, $1[0].hidden) }
                .map { ComparisonTable.cell($0, plateauError: plateauError, pairs: pairs) }
        }
    }

    private static func cell(_ runs: [TrainingRun], plateauError: Double, pairs: Int) -> Cell {
        let error = Spread(runs.map(\.testError))
        return Cell(
            model: runs[0].model, hidden: runs[0].hidden, pairs: runs[0].pairs, runs: runs, testError: error,
            seconds: Spread(runs.map(\.seconds)),
            verdict: verdict(error.median, plateauError: runs[0].pairs == pairs ? plateauError : nil))
    }

    static func verdict(_ error: Double, plateauError: Double?) -> Verdict {
        if error.isNaN { return .unknown }
        if error < 0.01 { return .solved }
        guard let plateauError else { return .unknown }
        let tolerance = tolerance(plateauError)
        if error < plateauError - tolerance { return .partial }
        return error <= plateauError + tolerance ? .plateau : .abovePlateau
    }

    /// The values without repetitions, each where it first stood.
    static func inOrder(_ values: [String]) -> [String] {
        var seen: Set<String> = []
        return values.filter { seen.insert($0).inserted }
    }

    // MARK: - Text

    /// The aligned table for a terminal of so many columns, its footnotes and the reading.
    func plain(width: Int = .max) -> String {
        func filled(_ text: String) -> String { LineBreaks.paragraphs(text, width: width) + "\n" }
        let notes = footnotes.map(filled).joined()
        return table().plain(width: width) + (notes.isEmpty ? "" : "\n" + notes) + "\n" + filled(reading)
    }

    /// The same as Markdown.
    func markdown() -> String {
        // Two spaces end a line in Markdown.
        let notes = footnotes.map { $0 + "  \n" }.joined()
        return table().markdown() + (notes.isEmpty ? "" : "\n" + notes) + "\n" + reading + "\n"
    }

    /// The rows without footnotes and reading.
    func table() -> TextTable {
        let severalSeeds = cells.contains { $0.runs.count > 1 }
        let severalLengths = cells.contains { $0.pairs != pairs }
        let hasFootnotes = cells.contains { !marks($0).isEmpty }
        let header =
            ["Model"] + (severalLengths ? ["K"] : []) + ["R", "Test error"] + (severalSeeds ? ["Range", "Seeds"] : [])
            + ["Paper", "Plateau", "Parameters", "Below 1 % at step", "Seconds"] + (hasFootnotes ? ["Notes"] : [])
        var table = TextTable(header, alignments: header.map { $0 == "Model" || $0 == "Notes" ? .left : .right })
        for cell in cells {
            var row = [cell.model]
            if severalLengths { row.append(String(cell.pairs)) }
            row += [String(cell.hidden), FixedPoint.percent(cell.testError.median)]
            if severalSeeds { row += [rangeText(cell), String(cell.runs.count)] }
            row += [
                cell.paperError.map { FixedPoint.percent($0) } ?? "–",
                cell.pairs == pairs ? FixedPoint.percent(plateauError) : "–",
                FixedPoint.grouped(cell.parameters), belowOnePercentText(cell),
                FixedPoint.text(cell.seconds.median, decimals: 1),
            ]
            if hasFootnotes { row.append(marks(cell)) }
            table.add(row)
        }
        return table
    }

    /// Smallest and largest test error of several seeds in percent: "0.90–2.13".
    func rangeText(_ cell: Cell) -> String {
        if cell.runs.count == 1 { return "–" }
        let low = FixedPoint.text(cell.testError.minimum * 100, decimals: 2)
        return low + "–" + FixedPoint.text(cell.testError.maximum * 100, decimals: 2)
    }

    /// The first evaluated step below 1 %: of the seeds that reached it the median, and how many did when not all.
    func belowOnePercentText(_ cell: Cell) -> String {
        let reached = cell.runs.compactMap(\.stepsBelowOnePercent)
        if reached.isEmpty { return "–" }
        let median = FixedPoint.grouped(Int(Spread(reached.map(Double.init)).median.rounded()))
        return reached.count == cell.runs.count ? median : "\(median) (\(reached.count) of \(cell.runs.count))"
    }

    // MARK: - Footnotes and reading

    /// One line for each run that ended early, numbered as in the rows.
    var footnotes: [String] {
        var notes: [String] = []
        for cell in cells {
            for run in cell.runs {
                guard let reason = run.stoppedEarly else { continue }
                notes.append(
                    "[\(notes.count + 1)] \(name(cell)), seed \(run.seed), ended after "
                        + "\(FixedPoint.grouped(run.steps)) steps: \(TextTable.singleLine(reason))")
            }
        }
        return notes
    }

    /// The marks of a cell's footnotes: "[1] [2]".
    func marks(_ cell: Cell) -> String {
        var number = 0
        var result = ""
        for other in cells {
            let isThis = other.model == cell.model && other.hidden == cell.hidden && other.pairs == cell.pairs
            for run in other.runs where run.stoppedEarly != nil {
                number += 1
                if isThis { result += (result.isEmpty ? "" : " ") + "[\(number)]" }
            }
        }
        return result
    }

    /// What the numbers say: which rows solve the task, which are on the plateau.
    var reading: String {
        if cells.isEmpty { return "No runs." }
        func names(_ verdict: Verdict) -> String {
            cells.filter { $0.verdict == verdict }.map(name).joined(separator: ", ")
        }
        let plateau = FixedPoint.percent(plateauError)
        let onPlateau = names(.plateau)
        var sentences = [
            onPlateau.isEmpty
                ? "No row is at the plateau (\(plateau))."
                : "At the plateau (\(plateau), no binding learned): \(onPlateau)."
        ]
        let others: [(Verdict, String)] = [
            (.abovePlateau, "Above the plateau (not even the digits that occurred)"), (.partial, "Partly learned"),
            (.solved, "Below 1 %"), (.unknown, "Not comparable"),
        ]
        for (verdict, label) in others where !names(verdict).isEmpty {
            sentences.append("\(label): \(names(verdict)).")
        }
        return sentences.joined(separator: " ")
    }

    private func name(_ cell: Cell) -> String {
        TextTable.singleLine(cell.model) + " R=\(cell.hidden)" + (cell.pairs == pairs ? "" : " K=\(cell.pairs)")
    }
}
