extension VideoModel {
    /// Whether a file says that it is one of a video model; false of one that cannot be read.
    static func isModel(_ path: String) -> Bool {
        (try? StateDictionary(path: path))?.metadata["format"] == format
    }

    /// Throws `VideoError` unless clips of these sizes can be read: frames of the model's size, and actions where it reads any.
    /// What else the clips have is left aside.
    func check(_ shape: VideoShape, source: String) throws(VideoError) {
        let own = configuration
        guard shape.maps == own.frame else {
            func text(_ maps: MapShape) -> String { "\(maps.channels) channels of \(maps.height) by \(maps.width)" }
            throw VideoError(
                "\(source): expected frames of \(text(own.frame)), which the model reads, found \(text(shape.maps))")
        }
        guard own.actions == 0 || shape.actions == own.actions else {
            throw VideoError(
                "\(source): expected \(own.actions) numbers of an action per frame, which the model reads, found \(shape.actions == 0 ? "none" : "\(shape.actions)")"
            )
        }
        guard own.states == 0 || [0, own.states].contains(shape.states) else {
            throw VideoError(
                "\(source): expected \(own.states) numbers of a state per frame, which the model reads, found \(shape.states)"
            )
        }
    }
}

extension VideoPredictor {
    /// The `steps` frames, [C, H, W] each, that follow the first ones of a clip of these sizes, as many as the model's context:
    /// these are read, later on those that were predicted. Of the states the first is read, zeros where there is none. The
    /// predictor, which must be at the beginning of a clip, stays there.
    ///
    /// Traps unless `check` takes the sizes, and on a clip without as many frames, and actions up to the last but one frame.
    func forecast(_ clip: VideoClip, _ shape: VideoShape, steps: Int) -> [[Float]] {
        let (own, predictor) = (model.configuration, fork())
        let given = clip.frames(shape.maps).prefix(own.context)
        require(
            self.steps == 0 && given.count == own.context && steps >= 1,
            "\(steps) frames behind \(own.context) are predicted of a clip of \(given.count), by a predictor that has read \(self.steps)"
        )
        let count = own.context + steps - 1
        require(
            own.actions == 0 || clip.actions.count >= count * own.actions,
            "\(steps) frames behind \(own.context) follow from \(count) actions, found \(clip.actions.count / max(own.actions, 1))"
        )
        let state = own.states > 0 && shape.states > 0 ? Array(clip.states.prefix(own.states)) : nil
        let predictions = (0..<count).map { t in
            let action = Array(clip.actions.dropFirst(t * own.actions).prefix(own.actions))
            return t < own.context
                ? predictor.step(given[t], action: action, state: t == 0 ? state : nil) : predictor.step(action: action)
        }
        return Array(predictions.suffix(steps))
    }
}
