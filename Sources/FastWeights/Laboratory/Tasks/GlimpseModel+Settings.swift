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

extension GlimpseJob {
    /// Everything that decides the result of a training on `images`, which is their name.
    func described(images: String) -> [(name: String, value: String)] {
        func number(_ value: Double) -> String { JSON.number(value).serialized() }
        let read = ("controls", settings.controls.rawValue)
        let network: [(name: String, value: String)] =
            switch model.kind {
            case .convolution: [("windows", settings.windows.rawValue)]
            case .irnn, .lstm: [read]
            case .fastWeights:
                [
                    read, ("λ", "\(settings.decay)"), ("η", "\(settings.rate)"), ("S", "\(settings.innerSteps)"),
                    ("layer norm of h₀", "\(settings.normalizesFirst)"),
                    ("norms apart", "\(settings.hasSeparateNorms)"),
                    ("events", settings.events.rawValue),
                ]
            }
        return [("images", images), ("features", "\(features)")] + network + [
            ("batch", "\(settings.batch)"), ("epochs", "\(settings.epochs)"),
            ("learning rate", number(settings.learningRate)), ("weight decay", number(settings.weightDecay)),
            ("clip", settings.clip.map { number(Double($0)) } ?? "none"),
            ("schedule", TrainingOptions().schedule.description),
            ("images moved by at most", "\(settings.shift) pixels"),
        ]
    }
}
