/// The models that are compared on glimpses: the rows of the paper's Tables 2 and 3.
struct GlimpseModel: Sendable {
    /// What the command line calls it.
    let name: String
    /// What tables and reports call it.
    let title: String
    let kind: Kind
    /// Test error in Table 2 by features, 0...1.
    let digitErrors: [Int: Double]

    enum Kind: Sendable { case irnn, lstm, convolution, fastWeights }

    static let all = [
        GlimpseModel(
            name: "irnn", title: "IRNN", kind: .irnn, digitErrors: [50: 0.1295, 100: 0.0195, 200: 0.0142]),
        GlimpseModel(
            name: "lstm", title: "LSTM", kind: .lstm, digitErrors: [50: 0.12, 100: 0.0155, 200: 0.011]),
        GlimpseModel(
            name: "convnet", title: "ConvNet", kind: .convolution, digitErrors: [50: 0.0181, 100: 0.01, 200: 0.009]),
        GlimpseModel(
            name: "fast-weights", title: "Fast weights", kind: .fastWeights,
            digitErrors: [50: 0.0721, 100: 0.013, 200: 0.0085]),
    ]

    /// The model called `name`; traps when there is none.
    static func named(_ name: String) -> GlimpseModel {
        guard let model = all.first(where: { $0.name == name }) else {
            misuse("no model is named \(name); there are \(all.map(\.name).joined(separator: ", "))")
        }
        return model
    }

    /// Its cell with these settings; nil of the network of convolutions.
    func cell(_ settings: GlimpseSettings) -> Cell? {
        switch kind {
        case .convolution: nil
        case .irnn: .irnn()
        case .lstm: .lstm()
        case .fastWeights:
            .fastWeights(
                FastWeightsOptions(
                    memoryDecay: settings.decay, writeRate: settings.rate, innerSteps: settings.innerSteps,
                    normalizesFirst: settings.normalizesFirst, hasSeparateNorms: settings.hasSeparateNorms,
                    schedule: settings.events == .scheduled ? GlimpsePolicy.schedule : [.usual]))
        }
    }

    /// The network of convolutions over images of `side` by `side`: three layers of `features` filters, the first of them
    /// as large as a patch.
    static func convolutions(
        side: Int, features F: Int, classes: Int, _ windows: GlimpseSettings.Windows
    ) -> NetworkConfiguration {
        let P = side / 4
        let layers: [Layer] =
            switch windows {
            case .patches:
                [
                    .convolution(F, size: P, stride: P), .convolution(F, size: 2, stride: 2),
                    .convolution(F, size: 2),
                ]
            case .overlapping:
                [
                    .convolution(F, size: P, stride: max(P / 3, 1), padding: P / 2), .maxPool(size: 2),
                    .convolution(F, size: 3, padding: 1), .maxPool(size: 2), .convolution(F, size: 3),
                ]
            }
        return NetworkConfiguration(
            .maps(channels: 1, height: side, width: side), layers + [.flatten, .lastStep, .dense(classes)])
    }
}

/// How a model is trained on glimpses, and what the paper leaves open about it.
struct GlimpseSettings: Sendable, Equatable {
    /// B, images a step.
    var batch = 128
    /// Passes over the training images.
    var epochs = 30
    var learningRate = 1e-3
    /// AdamW's decay of the weights.
    var weightDecay = 0.0
    var clip: Float? = 5
    /// Pixels by which an image is moved at random in training, at most, in each direction. The paper mentions none.
    var shift = 0
    /// Whether the network is told the place of a glimpse beside its kind.
    var controls = GlimpsePolicy.Controls.kind
    /// λ, η and S of the fast weights.
    var decay: Float = 0.95
    var rate: Float = 0.5
    var innerSteps = 1
    /// Layer norm in h_0 too. Without, as equation 5 stands, the integration alone is normalized: no worse on digits
    /// (1.23 and 1.27 % with 100 features), and one norm less.
    var normalizesFirst = false
    /// With a layer norm in h_0, a gain and bias of its own for the integration.
    var hasSeparateNorms = false
    /// When the fast weights are written and read.
    var events = Events.scheduled

    enum Events: String, Sendable {
        /// A coarse view is written and h cleared, and the integration reads.
        case scheduled
        /// Every glimpse reads and is written, none clears: the cell of the other experiments.
        case everyStep
    }

    /// Where the filters of the network of convolutions look.
    var windows = Windows.overlapping

    enum Windows: String, Sendable {
        /// At the patches of the glimpses and nowhere else: sixteen, then four quadrants, then the whole.
        case patches
        /// At windows of a patch's size that overlap, with pools between.
        case overlapping
    }
}
