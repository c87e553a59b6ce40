extension GlimpseModel {
    /// How the model is trained on digits: what had the lowest validation error, and epochs enough for a curve that is
    /// flat at the end. With `quick` a look of some seconds.
    func digitSettings(features: Int, quick: Bool = false) -> GlimpseSettings {
        var settings = GlimpseSettings()
        settings.weightDecay = 0.1
        settings.shift = features >= 200 ? 2 : 1
        switch kind {
        case .irnn:
            // Its states grow without a layer norm: a short norm of the gradients, and smaller steps where it is wide.
            settings.learningRate = features >= 200 ? 5e-4 : 1e-3
            settings.clip = 1
            settings.epochs = 30
        case .lstm:
            settings.learningRate = 2e-3
            settings.epochs = features >= 200 ? 20 : 30
        case .convolution:
            settings.learningRate = 1e-3
            settings.epochs = 8
        case .fastWeights:
            settings.learningRate = 2e-3
            settings.epochs = features >= 200 ? 50 : 30
        }
        if quick { settings.epochs = 2 }
        return settings
    }

    /// How it is trained on faces, of which there are few.
    func faceSettings(quick: Bool = false) -> GlimpseSettings {
        var settings = GlimpseSettings()
        settings.batch = 32
        settings.learningRate = kind == .irnn ? 1e-3 : 2e-3
        settings.clip = kind == .irnn ? 1 : 5
        settings.weightDecay = 0.1
        settings.shift = 2
        settings.epochs = quick ? 20 : 100
        return settings
    }
}

extension GlimpseSettings {
    /// Everything that was chosen, for a report.
    var described: [(name: String, value: String)] {
        [
            ("batch", "\(batch)"), ("epochs", "\(epochs)"), ("learning rate", "\(learningRate)"),
            ("weight decay", "\(weightDecay)"), ("clip", clip.map { "\($0)" } ?? "none"),
            ("images moved by", "0 to \(shift) pixels"), ("controls", controls.rawValue), ("λ", "\(decay)"),
            ("η", "\(rate)"), ("S", "\(innerSteps)"), ("layer norm of h_0", "\(normaliseFirst)"),
            ("separate norms", "\(separateNorms)"), ("events", events.rawValue),
            ("W starts as", recurrentScale.map { "\($0) · identity" } ?? "the cell has it"),
            ("windows of the ConvNet", windows.rawValue),
        ]
    }
}
