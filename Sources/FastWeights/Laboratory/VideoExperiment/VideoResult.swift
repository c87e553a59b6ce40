/// What is measured of a predicted frame.
enum VideoMeasure: String, Sendable, CaseIterable {
    case psnr
    case movingPSNR = "moving_psnr"
    case ssim
    case squaredError = "squared_error"

    var title: String {
        switch self {
        case .psnr: "PSNR in dB, whole frame"
        case .movingPSNR: "PSNR in dB, moving pixels"
        case .ssim: VideoExperiment.measure.description
        case .squaredError: "Squared error, summed over a frame"
        }
    }

    /// Digits behind the point.
    var decimals: Int { self == .ssim ? 3 : 2 }

    /// A figure as the tables show it.
    func text(_ value: Double) -> String { FixedPoint.text(value, decimals: decimals) }

    fileprivate func mean(_ score: VideoScore) -> MeanOfFinite {
        switch self {
        case .psnr: score.psnr
        case .movingPSNR: score.movingPSNR
        case .ssim: score.ssim
        case .squaredError: score.squaredError
        }
    }
}

/// A finished job as its file keeps it: which job, how the training went, what was measured, where and how long.
struct VideoResult: Sendable {
    let setting: String
    let model: String
    let seed: UInt64
    let isShort: Bool
    let settings: [(name: String, value: String)]
    let training: Training
    let seen: Figures
    let novel: Figures
    let machine: String
    let version: String

    /// How the training went.
    struct Training: Sendable {
        var parameters: Int
        var steps: Int
        /// The step whose parameters the model has.
        var bestStep: Int
        /// What ended it, where its loss stopped being a number.
        var divergence: String?
        var curve: [Trainer.Point]
        /// Of the last part, where it went on from a checkpoint.
        var seconds: Double
        var isResumed: Bool
        var threads: Int
    }

    /// Means over test clips, of the predicted frames and of the last given one in the place of each.
    struct Figures: Sendable {
        let clips: Int
        let predicted: Scores
        let copied: Scores
    }

    /// A number of each measure and predicted step; not a number where no clip has one.
    struct Scores: Sendable {
        private let values: [VideoMeasure: [Double]]

        /// Of the steps 1 and following.
        init(_ values: [VideoMeasure: [Double]]) { self.values = values }

        /// Of a step, the first of which is 1.
        subscript(measure: VideoMeasure, at step: Int) -> Double {
            let steps = self[measure]
            return steps.indices.contains(step - 1) ? steps[step - 1] : .nan
        }

        subscript(measure: VideoMeasure) -> [Double] { values[measure] ?? [] }
    }

    init(_ job: VideoJob, _ training: Training, seen: Figures, novel: Figures) {
        (setting, model, seed, isShort) = (job.setting.name, job.model.name, job.seed, job.setting.isShort)
        (settings, self.training, self.seen, self.novel) = (job.settings, training, seen, novel)
        (machine, version) = (Machine.summary, libraryVersion)
    }

    /// The name of its job.
    var id: String { VideoJob.id(setting: setting, model: model, isShort: isShort, seed: seed) }

    subscript(objects: PushWorld.Objects) -> Figures { objects == .seen ? seen : novel }
}

extension VideoResult.Figures {
    init(_ evaluation: VideoEvaluation) {
        self.init(
            clips: evaluation.clips, predicted: VideoResult.Scores(evaluation.predicted),
            copied: VideoResult.Scores(evaluation.copied))
    }
}

extension VideoResult.Scores {
    fileprivate init(_ scores: [VideoScore]) {
        let values = VideoMeasure.allCases.map { measure in
            (measure, scores.map { measure.mean($0).mean ?? .nan })
        }
        self.init(Dictionary(uniqueKeysWithValues: values))
    }
}

// MARK: - JSON

extension VideoResult: JobResult {
    /// What differs from run to run, seconds and machine, stands last.
    var json: JSON {
        [
            "setting": .string(setting), "model": .string(model), "seed": .string("\(seed)"), "short": .bool(isShort),
            "settings": .object(settings.map { JSON.Member(key: $0.name, value: .string($0.value)) }),
            "parameters": .number(Double(training.parameters)), "steps": .number(Double(training.steps)),
            "best_step": .number(Double(training.bestStep)),
            "divergence": training.divergence.map { .string($0) } ?? .null,
            "ssim": .string(VideoExperiment.measure.description), "seen": seen.json, "novel": novel.json,
            "curve": .array(training.curve.map(\.json)), "seconds": .number(training.seconds),
            "resumed": .bool(training.isResumed), "threads": .number(Double(training.threads)),
            "machine": .string(machine), "version": .string(version),
        ]
    }

    init(json: JSON) throws(ConfigurationError) {
        let reader = ConfigurationReader(json: json, owner: "result")
        (setting, model) = (try reader.text("setting"), try reader.text("model"))
        guard let seed = UInt64(try reader.text("seed")) else {
            throw ConfigurationError(description: "the result's seed must be a whole number in a string")
        }
        (self.seed, isShort) = (seed, try reader.flag("short"))
        settings = (json["settings"]?.members ?? []).map { ($0.key, $0.value.text ?? "") }
        func count(_ key: String, from least: Int = 0) throws(ConfigurationError) -> Int {
            try reader.count(key, from: least, to: 1 << 52)
        }
        let ssim = try reader.text("ssim")
        guard ssim == VideoExperiment.measure.description else {
            throw ConfigurationError(
                description: "the result's ssim must be \(VideoExperiment.measure), found \(ssim)")
        }
        training = Training(
            parameters: try count("parameters"), steps: try count("steps"), bestStep: try count("best_step"),
            divergence: json["divergence"]?.text, curve: try Trainer.Point.curve(json["curve"]),
            seconds: try reader.number("seconds"), isResumed: try reader.flag("resumed"),
            threads: try count("threads", from: 1))
        (seen, novel) = (try Figures(json: json["seen"], of: "seen"), try Figures(json: json["novel"], of: "novel"))
        (machine, version) = (try reader.text("machine"), try reader.text("version"))
    }
}

extension VideoResult.Figures {
    fileprivate var json: JSON {
        ["clips": .number(Double(clips)), "predicted": predicted.json, "copied": copied.json]
    }

    fileprivate init(json: JSON?, of objects: String) throws(ConfigurationError) {
        guard let json, json.members != nil else {
            throw ConfigurationError(description: "the result needs figures of \(objects) objects")
        }
        self.init(
            clips: try ConfigurationReader(json: json, owner: objects).count("clips", to: 1 << 52),
            predicted: try VideoResult.Scores(json: json["predicted"], of: "\(objects), predicted"),
            copied: try VideoResult.Scores(json: json["copied"], of: "\(objects), copied"))
    }
}

extension VideoResult.Scores {
    fileprivate var json: JSON {
        .object(
            VideoMeasure.allCases.map { measure in
                JSON.Member(
                    key: measure.rawValue, value: .array(self[measure].map { $0.isFinite ? .number($0) : .null }))
            })
    }

    /// What is null comes back as not a number: no clip has a finite one.
    fileprivate init(json: JSON?, of what: String) throws(ConfigurationError) {
        var values: [VideoMeasure: [Double]] = [:]
        for measure in VideoMeasure.allCases {
            let found = (json?[measure.rawValue]?.elements ?? []).compactMap { element -> Double? in
                element == .null ? .nan : element.number.flatMap { abs($0) < 1e30 ? $0 : nil }
            }
            let (count, steps) = (json?[measure.rawValue]?.elements?.count, VideoExperiment.predictedSteps)
            guard found.count == steps, count == steps else {
                throw ConfigurationError(
                    description: "the result needs \(measure.rawValue) of \(what) as \(steps) numbers")
            }
            values[measure] = found
        }
        self.init(values)
    }
}
