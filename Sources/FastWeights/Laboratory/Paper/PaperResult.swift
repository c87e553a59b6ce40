/// A finished job as its file keeps it: which job, what came out, where and how long.
struct PaperResult: Sendable {
    let experiment: String
    let row: String
    let column: String
    let seed: UInt64
    let settings: [PaperJob.Fact]
    let isQuick: Bool
    let outcome: PaperJob.Outcome
    let seconds: Double
    let machine: String
    let version: String

    init(_ job: PaperJob, _ outcome: PaperJob.Outcome, seconds: Double) {
        (experiment, row, column, seed) = (job.experiment, job.row, job.column, job.seed)
        settings = job.settings.map { PaperJob.Fact(name: $0.name, value: $0.value) }
        (isQuick, self.outcome, self.seconds) = (job.isQuick, outcome, seconds)
        machine = Machine.summary
        version = libraryVersion
    }
}

extension PaperResult: SeededResult {
    var settingsText: String { settings.map { "\($0.name) \($0.value)" }.joined(separator: "\n") }
}

extension PaperResult: JobResult {
    /// What differs from run to run, seconds and machine, stands last.
    var json: JSON {
        func facts(_ facts: [PaperJob.Fact]) -> JSON {
            .object(facts.map { JSON.Member(key: $0.name, value: .string($0.value)) })
        }
        return [
            "experiment": .string(experiment), "row": .string(row), "column": .string(column),
            "seed": .string("\(seed)"), "settings": facts(settings), "quick": .bool(isQuick),
            "measure": .number(outcome.measure),
            "validation": outcome.validation.map { .number($0) } ?? .null,
            "milestone": outcome.milestone.map { .number($0) } ?? .null, "steps": .number(Double(outcome.steps)),
            "parameters": .number(Double(outcome.parameters)), "data": outcome.data.map { .string($0) } ?? .null,
            "facts": facts(outcome.facts),
            "curves": .object(
                outcome.curves.map { curve in
                    JSON.Member(key: curve.name, value: .array(curve.points.map { [.number($0.x), .number($0.y)] }))
                }),
            "drawing": outcome.drawing ?? .null, "seconds": .number(seconds), "machine": .string(machine),
            "version": .string(version),
        ]
    }

    init(json: JSON) throws(ConfigurationError) {
        let reader = ConfigurationReader(json: json, owner: "result")
        func facts(_ key: String) -> [PaperJob.Fact] {
            (json[key]?.members ?? []).map { PaperJob.Fact(name: $0.key, value: $0.value.text ?? "") }
        }
        (experiment, row, column) = (
            try reader.text("experiment"), try reader.text("row"), try reader.text("column")
        )
        guard let seed = UInt64(try reader.text("seed")) else {
            throw ConfigurationError(description: "the result's seed must be a whole number in a string")
        }
        self.seed = seed
        settings = facts("settings")
        isQuick = try reader.flag("quick")
        func share(_ key: String, _ value: Double) throws(ConfigurationError) -> Double {
            guard (0...1).contains(value) else {
                throw ConfigurationError(description: "the result's \(key) must be from 0 to 1, found \(value)")
            }
            return value
        }
        var outcome = PaperJob.Outcome(measure: try share("measure", try reader.number("measure")))
        if let validation = json["validation"]?.number { outcome.validation = try share("validation", validation) }
        if let milestone = json["milestone"], milestone != .null {
            outcome.milestone = Double(try reader.count("milestone", from: 0, to: 1 << 52))
        }
        outcome.steps = try reader.count("steps", from: 0, to: .max)
        outcome.parameters = try reader.count("parameters", from: 0, to: .max)
        outcome.data = json["data"]?.text
        outcome.facts = facts("facts")
        for member in json["curves"]?.members ?? [] {
            let points = (member.value.elements ?? []).map { point in
                let numbers = (point.elements ?? []).map { $0.number.flatMap { abs($0) < 1e30 ? $0 : nil } ?? .nan }
                return LinePlot.Point(x: numbers.first ?? .nan, y: numbers.count > 1 ? numbers[1] : .nan)
            }
            outcome.curves.append(PaperJob.Curve(name: member.key, points: points))
        }
        if let drawing = json["drawing"], drawing != .null { outcome.drawing = drawing }
        self.outcome = outcome
        seconds = try reader.number("seconds")
        (machine, version) = (try reader.text("machine"), try reader.text("version"))
    }
}
