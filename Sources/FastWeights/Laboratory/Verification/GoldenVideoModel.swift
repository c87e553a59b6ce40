/// Runs the golden cases of video models: frames and states that are predicted, the loss and every gradient, in every way that
/// this module can run them.
extension Fixture {
    func checkVideoModel(_ tally: inout ErrorTally) throws {
        let golden = try GoldenClips(self)
        guard !golden.hasState else { return try checkState(golden, &tally) }
        let (model, clips) = (golden.model, golden.clips)
        let parts = golden.parts
        let weights = VideoWeights(model.network, model.parameters)
        let pass = VideoPass(weights, samples: clips.count, frames: clips.shape.frames, trains: true)
        weights.pack()
        var read = [[Float]](repeating: [], count: golden.steps)
        pass.onInputGradient = { read[$0] = golden.byClip($1, clips.shape.maps) }
        let loss = pass.forward(clips, from: 0, sampled: golden.sampled)
        let states = MapShape(channels: clips.shape.states, height: 1, width: 1)
        try compare(
            (0..<golden.steps).flatMap { golden.byClip(pass.predicted($0), clips.shape.maps) },
            (0..<golden.steps).flatMap { golden.byClip(pass.predictedState($0), states) }, golden, &tally)
        tally.output("loss", [Float(loss)], try doubles("loss", count: 1))
        let gradients = Parameters(model.network.layout)
        pass.backward(gradients.pointer)
        try compare(gradients, "gradient.", &tally, parts: parts)
        let context = read.prefix(model.configuration.context).flatMap { $0 }
        tally.gradient("gradient.frames", context, try doubles("gradient.frames", count: context.count))
        try checkFrameByFrame(golden, &tally)
        try checkTraining(golden, &tally)
    }

    /// Notes what is predicted of all clips.
    private func compare(
        _ frames: [Float], _ states: [Float], _ golden: GoldenClips, note: String = "", _ tally: inout ErrorTally
    ) throws {
        // A forecaster predicts the frames behind the context alone.
        let frame = golden.clips.shape.maps.count * golden.clips.count
        let predicted = frames.suffix(golden.predictedSteps * frame)
        tally.output("predicted" + note, Array(predicted), try doubles("predicted", count: predicted.count))
        guard golden.clips.shape.states > 0 else { return }
        tally.output("predicted_states" + note, states, try doubles("predicted_states", count: states.count))
    }

    /// Each clip by a predictor, and behind the context by its fork; a predictor knows of no true frames further on.
    private func checkFrameByFrame(_ golden: GoldenClips, _ tally: inout ErrorTally) throws {
        guard golden.sampled.isEmpty else { return }
        let clips = golden.clips
        let (count, numbers) = (clips.count, clips.shape.maps.count)
        var frames = [Float](repeating: 0, count: golden.steps * count * numbers)
        var states = [Float](repeating: 0, count: golden.steps * count * clips.shape.states)
        for b in 0..<count {
            var predictor = VideoPredictor(golden.model)
            for t in 0..<golden.steps {
                let action = golden.row(clips.actions, t, b, clips.shape.actions)
                if t == golden.model.configuration.context { predictor = predictor.fork() }
                let next =
                    t < golden.model.configuration.context
                    ? predictor.step(
                        golden.row(clips.frames, t, b, numbers), action: action,
                        state: t == 0 ? golden.row(clips.states, 0, b, clips.shape.states) : nil)
                    : predictor.step(action: action)
                frames.replaceSubrange((t * count + b) * numbers..<(t * count + b + 1) * numbers, with: next)
                let state = predictor.state
                states.replaceSubrange((t * count + b) * state.count..<(t * count + b + 1) * state.count, with: state)
            }
        }
        try compare(frames, states, golden, note: ", frame by frame", &tally)
    }

    /// The loss and the gradients in shards, and what steps of Adam make of the parameters where the case says so.
    private func checkTraining(_ golden: GoldenClips, _ tally: inout ErrorTally) throws {
        let (model, steps) = (golden.model, has("training") ? try integers("training", count: 1, in: 1..<100)[0] : 0)
        try ThreadTeam.run(threads: 2) { team in
            let engine = ParallelVideo(model.network, model.parameters, frames: golden.clips.shape.frames, team: team)
            let loss = engine.gradient(golden.clips, sampled: golden.sampled)
            tally.output("loss, in shards", [Float(loss)], try doubles("loss"))
            try compare(engine.gradients, "gradient.", &tally, parts: golden.parts, note: ", in shards")
            guard steps > 0 else { return }
            let optimizer = Optimizer(.adam(), model.parameters, engine.gradients, team: team)
            for step in 0..<steps {
                if step > 0 { _ = engine.gradient(golden.clips, sampled: golden.sampled) }
                optimizer.step(rate: 1e-3)
            }
            try compare(model.parameters, "trained.", &tally, parts: golden.parts)
        }
    }

    /// Clips whose LSTMs begin with a state, one clip after the other: what is predicted, and the state behind the last step.
    private func checkState(_ golden: GoldenClips, _ tally: inout ErrorTally) throws {
        let (model, clips) = (golden.model, golden.clips)
        let (c, numbers) = (model.configuration, clips.shape.maps.count)
        let weights = VideoWeights(model.network, model.parameters)
        let step = VideoStep(model.network, weights, VideoPlan(samples: 1, steps: 1, trains: false))
        weights.pack()
        var frames = [Float](repeating: 0, count: golden.steps * clips.count * numbers)
        var states = [Float](repeating: 0, count: golden.steps * clips.count * c.states)
        var finals = golden.stateSizes.map { [Float](repeating: 0, count: clips.count * $0.count) }
        let memory = Buffer<Float>(step.stateCount)
        for b in 0..<clips.count {
            var first = 0
            for (name, count) in golden.stateSizes {
                let values = try floats("initial." + name, count: clips.count * count)
                for k in 0..<count { memory.pointer[first + k] = values[b * count + k] }
                first += count
            }
            step.begin()
            step.loadState(before: 0, from: memory.pointer)
            for t in 0..<golden.steps {
                let (x, command) = (step.input.at(t), step.command.at(t))
                let given = golden.row(clips.frames, t, b, numbers)
                for k in 0..<numbers { x[k] = t < c.context ? given[k] : step.next.at(t - 1)[k] }
                for (k, a) in golden.row(clips.actions, t, b, c.actions).enumerated() { command[k] = a }
                let state = golden.row(clips.states, 0, b, c.states)
                for k in 0..<c.states { command[c.actions + k] = t == 0 ? state[k] : step.nextState.at(t - 1)[k] }
                step.forward(t)
                for k in 0..<numbers { frames[(t * clips.count + b) * numbers + k] = step.next.at(t)[k] }
                for k in 0..<c.states { states[(t * clips.count + b) * c.states + k] = step.nextState.at(t)[k] }
            }
            step.storeState(after: golden.steps - 1, into: memory.pointer)
            first = 0
            for (i, (_, count)) in golden.stateSizes.enumerated() {
                for k in 0..<count { finals[i][b * count + k] = memory.pointer[first + k] }
                first += count
            }
        }
        try compare(frames, states, golden, &tally)
        for ((name, _), values) in zip(golden.stateSizes, finals) {
            tally.output("final." + name, values, try doubles("final." + name, count: values.count))
        }
    }
}

/// The model and the clips of a golden case.
private struct GoldenClips {
    let model: VideoModel
    let clips: VideoBatch
    /// Which steps and clips read the true frame, [T - 1, B]; empty where the context alone is read.
    let sampled: [Bool]
    /// Whether the LSTMs begin with a state.
    let hasState: Bool

    /// T - 1.
    var steps: Int { clips.shape.frames - 1 }
    /// Steps whose frame is predicted.
    var predictedSteps: Int {
        let c = model.configuration
        return c.head == .convlstm && c.patches.form == .forecaster ? clips.shape.frames - c.context : steps
    }

    init(_ fixture: Fixture) throws {
        let configuration = try VideoConfiguration(json: fixture.configuration)
        let frame = configuration.frame.sizes
        let sizes = try fixture.shape("frames", [nil, nil] + frame)
        guard sizes[0] > configuration.context else {
            throw FixtureError(
                fixture.name,
                "clips need a frame behind the context of \(configuration.context), found \(sizes[0]) frames")
        }
        let network = VideoNetwork.of(configuration)
        if let problem = network.scope.problem { throw FixtureError(fixture.name, problem) }
        model = VideoModel(configuration, parameters: try fixture.parameters(network.layout))
        func numbers(_ name: String, _ width: Int) throws -> [Float] {
            width == 0 ? [] : try fixture.floats(name, [[sizes[0], sizes[1], width]])
        }
        clips = VideoBatch(
            VideoShape(
                frames: sizes[0], maps: configuration.frame, actions: configuration.actions,
                states: configuration.states),
            count: sizes[1], frames: try fixture.floats("frames"),
            actions: try numbers("actions", configuration.actions), states: try numbers("states", configuration.states))
        sampled =
            fixture.has("sampled")
            ? try fixture.integers("sampled", count: (sizes[0] - 1) * sizes[1], in: 0..<2).map { $0 == 1 } : []
        hasState = fixture.has("initial.h1")
    }

    /// Row t, b of [T, B, N].
    func row(_ values: [Float], _ t: Int, _ b: Int, _ count: Int) -> [Float] {
        Array(values[(t * clips.count + b) * count..<(t * clips.count + b + 1) * count])
    }

    /// [B, C, H, W] of planar maps [C, B, H, W].
    func byClip(_ planar: UnsafePointer<Float>, _ maps: MapShape) -> [Float] {
        (0..<clips.count).flatMap { b in
            (0..<maps.channels).flatMap { c in
                UnsafeBufferPointer(start: planar + (c * clips.count + b) * maps.area, count: maps.area)
            }
        }
    }

    /// h and c of the LSTMs as a step keeps them, and how many numbers each has.
    var stateSizes: [(name: String, count: Int)] {
        let c = model.configuration
        return zip(c.widths, [1, 1, 2, 2, 3, 2, 1]).enumerated().flatMap { place, size in
            ["h", "c"].map { ("\($0)\(place + 1)", size.0 * (c.height >> size.1) * (c.width >> size.1)) }
        }
    }

    /// What of a parameter can be wrong alone: the gates, kernels and affine maps.
    var parts: TensorParts {
        let c = model.configuration
        return model.parameters.layout.windows.reduce(into: [:]) { parts, window in
            let layer = window.name.prefix { $0 != "." }
            let isOfGates = ["lstm", "encoder", "forecaster"].contains { layer.hasPrefix($0) }
            let count =
                isOfGates && !window.name.contains("weight_c")
                ? 4 : layer == "kernels" ? c.kernels : layer == "stp2" ? c.affineMaps : 1
            parts[window.name] = consecutive(
                [Int](repeating: window.count / count, count: count), within: window.count)
        }
    }
}
