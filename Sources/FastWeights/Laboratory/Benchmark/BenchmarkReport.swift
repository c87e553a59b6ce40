/// What the bench prints: the machine and a line a row, or JSON.
struct BenchmarkReport {
    let threads: [Int]
    /// Operations a second of one thread at most, if that was measured.
    let peak: Double?
    /// Columns of the terminal.
    var width = Int.max

    /// What was measured on, and how it was built: names and values.
    var machine: [(name: String, value: JSON)] {
        var facts: [(name: String, value: JSON)] = [
            ("processor", .string(Machine.processor)), ("cores", .number(Double(Machine.coreCount))),
            ("system", .string("\(Machine.operatingSystem), \(Machine.architecture)")),
            ("instructions", .string(Machine.instructionSet)),
            ("multiply_add", .string(Machine.hasFusedMultiplyAdd ? "fused" : "separate")),
            ("optimized", .bool(Machine.isOptimized)), ("version", .string(libraryVersion)),
            ("threads", .array(threads.map { .number(Double($0)) })),
        ]
        if let peak { facts.append(("peak_gflops_a_thread", .number(peak / 1e9))) }
        return facts
    }

    // MARK: Text

    /// The facts of the machine and the heads of the columns.
    func head(idWidth: Int) -> String {
        let facts = machine.map { fact in
            let value: String =
                switch fact.value {
                case .string(let text): text
                case .number(let number) where number != number.rounded(): FixedPoint.text(number, decimals: 1)
                default: fact.value.serialized()
                }
            return TextTable.padded(fact.name.split(separator: "_").joined(separator: " "), to: 22) + value + "\n"
        }
        return facts.joined() + "\n"
            + (isNarrow(idWidth)
                ? ""
                : line(
                    ["id", "threads", "median", "least", "most", "spread", "unit", "GFLOP", "GFLOP/s", "of peak"],
                    idWidth: idWidth))
    }

    func line(_ result: Benchmark.Result, idWidth: Int) -> String {
        (isNarrow(idWidth) ? narrow(result) : wide(result, idWidth: idWidth))
            + (result.phases.map { "\n\($0.table.plain(width: width))\n" } ?? "")
    }

    private func wide(_ result: Benchmark.Result, idWidth: Int) -> String {
        line(
            [
                result.row.id, "\(result.threads)", Self.number(result.median), Self.number(result.least),
                Self.number(result.most), FixedPoint.percent(result.spread, decimals: 0), result.row.unit,
                result.row.operations.map { FixedPoint.text($0 / 1e9, decimals: 4) } ?? "",
                result.speed.map { FixedPoint.text($0 / 1e9, decimals: 1) } ?? "",
                result.share.map { FixedPoint.percent($0, decimals: 0) } ?? "",
            ], idWidth: idWidth)
    }

    /// What a row says first, where a terminal has no room for its line.
    private func narrow(_ result: Benchmark.Result) -> String {
        "\(result.row.id), \(result.threads) thread\(result.threads == 1 ? "" : "s")\n"
            + "  \(Self.number(result.median)) \(result.row.unit), \(Self.number(result.least)) to \(Self.number(result.most))"
            + (result.speed.map { ", \(FixedPoint.text($0 / 1e9, decimals: 1)) GFLOP/s" } ?? "") + "\n"
    }

    private static let widths = [7, 10, 10, 10, 7, 11, 8, 8, 8]
    private func isNarrow(_ idWidth: Int) -> Bool {
        Self.widths.reduce(idWidth) { $0 + 2 + $1 } > width
    }

    private func line(_ cells: [String], idWidth: Int) -> String {
        let widths = [idWidth] + Self.widths
        var text = ""
        for (i, cell) in cells.enumerated() {
            if i > 0 { text += "  " }
            text += TextTable.padded(cell, to: widths[i], i == 0 || i == 6 ? .left : .right)
        }
        while text.last == " " { text.removeLast() }
        return text + "\n"
    }

    /// Four digits that count.
    static func number(_ value: Double) -> String {
        let whole = value.magnitude < 1 ? 0 : "\(Int(min(value.magnitude, 1e15)))".count
        return FixedPoint.text(value, decimals: max(0, 4 - max(whole, value.magnitude < 0.1 ? 0 : 1)))
    }

    // MARK: JSON

    func json(_ results: [Benchmark.Result]) -> JSON {
        [
            "machine": .object(machine.map { JSON.Member(key: $0.name, value: $0.value) }),
            "rows": .array(results.map(Self.json)),
        ]
    }

    private static func json(_ result: Benchmark.Result) -> JSON {
        var members = [
            JSON.Member(key: "id", value: .string(result.row.id)),
            JSON.Member(key: "work", value: .string(result.row.description)),
            JSON.Member(key: "unit", value: .string(result.row.unit)),
            JSON.Member(key: "threads", value: .number(Double(result.threads))),
            JSON.Member(key: "median", value: .number(result.median)),
            JSON.Member(key: "least", value: .number(result.least)),
            JSON.Member(key: "most", value: .number(result.most)),
            JSON.Member(key: "spread", value: .number(result.spread)),
            JSON.Member(key: "repeats", value: .array(result.figures.map { .number($0) })),
        ]
        func add(_ key: String, _ value: Double?) {
            if let value { members.append(JSON.Member(key: key, value: .number(value))) }
        }
        add("operations", result.row.operations)
        add("gflops", result.speed.map { $0 / 1e9 })
        add("share_of_peak", result.share)
        if let phases = result.phases { members.append(JSON.Member(key: "phases", value: phases.json)) }
        return .object(members)
    }
}
