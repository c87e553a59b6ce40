/// The results of one setting: each model's, beside those of the last given frame.
struct VideoSection {
    let setting: VideoExperiment.Setting
    /// Models with results, in the order of the experiment.
    let rows: [Row]

    /// The results of a model that may stand together.
    struct Row {
        let model: VideoExperiment.Model
        let results: [VideoResult]

        func mean(_ measure: VideoMeasure, _ objects: PushWorld.Objects, at step: Int) -> SeedMean {
            SeedMean(results.map { $0[objects].predicted[measure, at: step] })
        }
    }

    /// What the last given frame is called where it stands in the place of a prediction.
    static let copied = "Copy of the last frame"
    /// In the order of the tables.
    static let objects = [PushWorld.Objects.novel, .seen]
    /// The steps that tables show.
    static let steps = [1, 2, 4, 8, 12, 18]
    static let allSteps = Array(1...VideoExperiment.predictedSteps)

    /// Of these results those of the setting; whole trainings before short ones. Nil without any.
    init?(_ setting: VideoExperiment.Setting, of results: [VideoResult]) {
        var results = results.filter { $0.setting == setting.name }
        let isShort = results.allSatisfy(\.isShort)
        if !isShort { results = results.filter { !$0.isShort } }
        rows = VideoExperiment.models.compactMap { model in
            let own = results.filter { $0.model == model.name }.alike
            return own.isEmpty ? nil : Row(model: model, results: own)
        }
        guard !rows.isEmpty else { return nil }
        self.setting = isShort ? setting.shortened : setting
    }

    var results: [VideoResult] { rows.flatMap(\.results) }

    func row(_ name: String) -> Row? { rows.first { $0.model.name == name } }

    /// Of the last given frame, the same for all models.
    func copied(_ measure: VideoMeasure, _ objects: PushWorld.Objects, at step: Int) -> Double {
        rows[0].results[0][objects].copied[measure, at: step]
    }

    // MARK: - Tables

    /// Each model's figures at some steps, novel objects first.
    func table(_ measure: VideoMeasure, at steps: [Int] = steps) -> TextTable {
        let header = ["Model", "Objects"] + steps.map { "+\($0)" }
        var table = TextTable(header, alignments: header.indices.map { $0 < 2 ? .left : .right })
        for objects in Self.objects {
            for row in rows {
                table.add(
                    [row.model.title, objects.rawValue] + steps.map { row.mean(measure, objects, at: $0).text(measure) }
                )
            }
            table.add(
                [Self.copied, objects.rawValue] + steps.map { measure.text(copied(measure, objects, at: $0)) })
        }
        return table
    }

    /// How many trainings a figure is of, and what stands behind it.
    var spread: String {
        let seeds = Set(rows.map(\.results.count)).sorted()
        guard let most = seeds.last, most > 1 else { return "One training of each model." }
        let number = seeds.count == 1 ? "\(most)" : "up to \(most)"
        return "Means of \(number) trainings of each model, with their standard deviation."
    }

    // MARK: - What is not as it should be

    /// A sentence for each model and measure that is not above the copy of the last frame.
    var notAboveCopy: [String] {
        let measures = [(VideoMeasure.psnr, "PSNR"), (.movingPSNR, "PSNR of moving pixels"), (.ssim, "SSIM")]
        return rows.flatMap { row in
            Self.objects.flatMap { objects in
                measures.compactMap { measure, name in
                    let steps = Self.allSteps.filter {
                        !(row.mean(measure, objects, at: $0).mean > copied(measure, objects, at: $0))
                    }
                    guard !steps.isEmpty else { return nil }
                    return "\(row.model.title) is not above a copy of the last frame in \(name) on \(objects.rawValue) "
                        + "objects at \(Self.text(steps: steps))."
                }
            }
        }
    }

    /// "step 3", "steps 1 to 4 and 9".
    static func text(steps: [Int]) -> String {
        var ranges: [ClosedRange<Int>] = []
        for step in steps {
            if let last = ranges.last, last.upperBound + 1 == step {
                ranges[ranges.count - 1] = last.lowerBound...step
            } else {
                ranges.append(step...step)
            }
        }
        let words = ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound) to \($0.upperBound)" }
        let list = words.count < 2 ? words.joined() : words.dropLast().joined(separator: ", ") + " and " + words.last!
        return (steps.count == 1 ? "step " : "steps ") + list
    }
}

/// The mean of a figure over seeds.
struct SeedMean: Equatable {
    let mean: Double
    /// The standard deviation, that of a sample; nil of one seed.
    let deviation: Double?

    /// Traps without a value.
    init(_ values: [Double]) {
        require(!values.isEmpty, "a mean is of at least 1 value")
        let mean = values.reduce(0, +) / Double(values.count)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        self.mean = mean
        deviation = values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : nil
    }

    func text(_ measure: VideoMeasure) -> String {
        measure.text(mean) + (deviation.map { " ± \(measure.text($0))" } ?? "")
    }
}

extension VideoResult: SeededResult {
    var settingsText: String { settings.map { "\($0.name) \($0.value)" }.joined(separator: "\n") }
}
