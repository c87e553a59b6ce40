/// The models of Finn, Goodfellow and Levine, "Unsupervised Learning for Physical Interaction through Video Prediction" (2016),
/// trained alike on the world "push", and what is measured of them: the same clips, steps and rates for each, of several seeds.
enum VideoExperiment {
    /// One of the models that are compared.
    struct Model: Sendable, Equatable {
        /// What the command line and the files call it.
        let name: String
        let title: String
        /// The word beside its pictures.
        let label: String
        let head: VideoConfiguration.Head
        /// Whether it is told what the arm does.
        var readsActions = true
    }

    /// All of them, in the order of the tables.
    static let models = [
        Model(name: "cdna", title: "CDNA", label: "cdna", head: .cdna),
        Model(
            name: "cdna-without-actions", title: "CDNA without actions", label: "no action", head: .cdna,
            readsActions: false),
        Model(name: "dna", title: "DNA", label: "dna", head: .dna),
        Model(name: "stp", title: "STP", label: "stp", head: .stp),
        Model(name: "paint", title: "Painted", label: "paint", head: .paint),
    ]

    /// How large the models are, and how long they are trained.
    struct Setting: Sendable, Equatable {
        /// What the files call it.
        var name: String
        var title: String
        /// Names of the models that are trained in it.
        var models: [String]
        /// Trainings of each.
        var seeds: Int
        /// What the paper's widths are divided by.
        var divisor: Int
        /// The side of the filters of gates.
        var gateSize: Int
        var steps: Int
        /// k of the scheduled sampling.
        var decay: Double
        /// About how long a step takes on one core.
        var secondsPerStep: Double
        var trainingClips = 3000
        var validationClips = 64
        /// Of seen objects, and as many of novel ones.
        var testClips = 256
        /// Steps between evaluations, and between checkpoints.
        var evaluateEvery = 250
        /// Whether it is cut short, to see that everything runs.
        var isShort = false
    }

    /// The settings, in the order of the report.
    static let settings = [
        Setting(
            name: "quick", title: "The quick setting", models: models.map(\.name), seeds: 3, divisor: 4, gateSize: 3,
            steps: 3000, decay: 120, secondsPerStep: 0.1),
        Setting(
            name: "full", title: "The full setting", models: ["cdna", "paint"], seeds: 1, divisor: 2, gateSize: 5,
            steps: 6000, decay: 300, secondsPerStep: 0.5),
    ]

    /// How much is trained.
    struct Scale: Sendable {
        /// A version of minutes: the quick setting cut short.
        var isQuick = false
        /// Trainings of each model; nil for each setting's own number.
        var seeds: Int?
        /// Names of models; nil for all.
        var models: [String]?
    }

    /// The trainings of a scale, whose results and models stand in `folder`.
    static func jobs(_ scale: Scale, folder: String) -> [VideoJob] {
        let settings = scale.isQuick ? [settings[0].shortened] : settings
        return settings.flatMap { setting in
            models.filter { setting.models.contains($0.name) && scale.models?.contains($0.name) != false }.flatMap {
                model in
                (1...UInt64(scale.seeds ?? setting.seeds)).map {
                    VideoJob(setting: setting, model: model, seed: $0, folder: folder)
                }
            }
        }
    }

    static func model(named name: String) -> Model? { models.first { $0.name == name } }

    // MARK: - The world

    /// Pixels a side.
    static let side = 32
    /// Frames that a training reads of a clip.
    static let trainedFrames = 10
    /// Steps that are predicted of a test clip.
    static let predictedSteps = 18
    static let context = 2
    static let measure = SSIM.box

    /// Clips of the world as its specification has them.
    static func clips(_ objects: PushWorld.Objects, _ part: VideoSource.Part, count: Int, frames: Int) throws
        -> VideoClips
    {
        try VideoSource.push(objects).clips(part, VideoSource.Size(clips: count, frames: frames, side: side))
    }

    /// The clips that models are measured on.
    static func testClips(_ objects: PushWorld.Objects, count: Int) throws -> VideoClips {
        try clips(objects, .test, count: count, frames: context + predictedSteps)
    }
}

extension VideoExperiment.Setting {
    /// A version of minutes: a third of the steps, one seed, a quarter of the test clips.
    var shortened: Self {
        var setting = self
        (setting.steps, setting.decay, setting.seeds, setting.testClips) = (1000, 80, 1, 64)
        setting.isShort = true
        return setting
    }

    /// Steps of a training that is not cut short.
    var wholeSteps: String { FixedPoint.grouped(VideoExperiment.settings.first { $0.name == name }?.steps ?? steps) }

    /// What is trained and for how long, in a few words.
    var summary: String {
        let width = [1: "the paper's widths", 2: "half the paper's widths", 4: "a quarter of the paper's widths"][
            divisor]
        return "\(width ?? "widths of the paper's divided by \(divisor)"), gates of \(gateSize) by \(gateSize), "
            + "\(FixedPoint.grouped(steps)) steps"
    }
}
