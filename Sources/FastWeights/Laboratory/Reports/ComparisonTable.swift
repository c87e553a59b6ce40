/// Runs beside the paper's Table 1: a row for each model and number of hidden units.
///
/// Runs that differ only in the seed share a row, which then shows the median and the range. A run that ended early is in
/// its row like any other and has a footnote; a test error that is not a number counts as the worst. A training without a
/// result has a footnote too, and no figure; where a row has no other, the row says so.
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
        /// There is none yet.
        case unfinished
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
        let unfinished: [UnfinishedTraining]
        let verdict: Verdict

        /// Of the runs; nil where there is none.
        var testError: Spread? { spread { $0.testError } }
        var seconds: Spread? { spread { $0.seconds } }

        private func spread(_ value: (TrainingRun) -> Double) -> Spread? {
            runs.isEmpty ? nil : Spread(runs.map(value))
        }

        var paperError: Double? { runs.lazy.compactMap(\.paperError).first }
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

    init(runs: [TrainingRun], unfinished: [UnfinishedTraining] = [], plateauError: Double, pairs: Int) {
        self.plateauError = plateauError
        self.pairs = pairs
        cells = ComparisonTable.inOrder(runs.map(\.model) + unfinished.map(\.model)).flatMap { model in
            let runs = runs.filter { $0.model == model }
            let unfinished = unfinished.filter { $0.model == model }
            let sizes = Set(runs.map { [$0.pairs, $0.hidden] } + unfinished.map { [$0.pairs, $0.hidden] })
            return sizes.sorted { ($0[0], $0[1]) < ($1[0], $1[1]) }.map { size in
                let here = runs.filter { [$0.pairs, $0.hidden] == size }
                return Cell(
                    model: model, hidden: size[1], pairs: size[0], runs: here,
                    unfinished: unfinished.filter { [$0.pairs, $0.hidden] == size },
                    verdict: here.isEmpty
                        ? .unfinished
                        : ComparisonTable.verdict(
                            Spread(here.map(\.testError)).median, plateauError: size[0] == pairs ? plateauError : nil))
            }
        }
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
            row += [
                String(cell.hidden),
                cell.testError.map { FixedPoint.percent($0.median) } ?? ComparisonTable.notFinished,
            ]
            if severalSeeds { row += [rangeText(cell), String(cell.runs.count)] }
            row += [
                cell.paperError.map { FixedPoint.percent($0) } ?? "–",
                cell.pairs == pairs ? FixedPoint.percent(plateauError) : "–",
                cell.runs.first.map { FixedPoint.grouped($0.parameters) } ?? "–", belowOnePercentText(cell),
                cell.seconds.map { FixedPoint.text($0.median, decimals: 1) } ?? "–",
            ]
            if hasFootnotes { row.append(marks(cell)) }
            table.add(row)
        }
        return table
    }

    /// Smallest and largest test error of several seeds in percent: "0.90–2.13".
    func rangeText(_ cell: Cell) -> String {
        guard let testError = cell.testError, cell.runs.count > 1 else { return "–" }
        let low = FixedPoint.text(testError.minimum * 100, decimals: 2)
        return low + "–" + FixedPoint.text(testError.maximum * 100, decimals: 2)
    }

    /// The first evaluated step below 1 %: of the seeds that reached it the median, and how many did when not all.
    func belowOnePercentText(_ cell: Cell) -> String {
        let reached = cell.runs.compactMap(\.stepsBelowOnePercent)
        if reached.isEmpty { return "–" }
        let median = FixedPoint.grouped(Int(Spread(reached.map(Double.init)).median.rounded()))
        return reached.count == cell.runs.count ? median : "\(median) (\(reached.count) of \(cell.runs.count))"
    }

    // MARK: - Footnotes and reading

    /// What stands in place of a figure.
    static let notFinished = "not finished"

    /// One line for each run that ended early and each that is not there, numbered as in the rows.
    var footnotes: [String] {
        cells.flatMap(remarks).enumerated().map { "[\($0 + 1)] \($1)" }
    }

    /// The texts of a cell's footnotes. Where nothing is finished the row says so.
    private func remarks(_ cell: Cell) -> [String] {
        let early = cell.runs.compactMap { run in
            run.stoppedEarly.map {
                "\(name(cell)), seed \(run.seed), ended after \(FixedPoint.grouped(run.steps)) steps: "
                    + TextTable.singleLine($0)
            }
        }
        if cell.runs.isEmpty { return [] }
        return early + cell.unfinished.map { "\(name(cell)), seed \($0.seed): \(ComparisonTable.notFinished)" }
    }

    /// The marks of a cell's footnotes: "[1] [2]".
    func marks(_ cell: Cell) -> String {
        let before = cells.prefix {
            ($0.model, $0.hidden, $0.pairs) != (cell.model, cell.hidden, cell.pairs)
        }.reduce(0) { $0 + remarks($1).count }
        return remarks(cell).indices.map { "[\(before + $0 + 1)]" }.joined(separator: " ")
    }

    /// What the numbers say: which rows solve the task, which are on the plateau.
    var reading: String {
        if cells.isEmpty { return "No runs." }
        func names(_ verdict: Verdict) -> String {
            cells.filter { $0.verdict == verdict }.map(name).joined(separator: ", ")
        }
        let plateau = FixedPoint.percent(plateauError)
        let onPlateau = names(.plateau)
        var sentences: [String] = []
        if !onPlateau.isEmpty {
            sentences.append("At the plateau (\(plateau), no binding learned): \(onPlateau).")
        } else if cells.contains(where: { $0.verdict != .unfinished }) {
            sentences.append("No row is at the plateau (\(plateau)).")
        }
        let others: [(Verdict, String)] = [
            (.abovePlateau, "Above the plateau (not even the digits that occurred)"), (.partial, "Partly learned"),
            (.solved, "Below 1 %"), (.unknown, "Not comparable"), (.unfinished, "Not finished"),
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
