/// What the operations of a pass are made for.
struct VideoPlan {
    /// N, samples of a shard.
    var samples: Int
    /// Steps that are remembered; of a pass that does not train, 1.
    var steps: Int
    var trains: Bool

    /// Maps of this plan, remembered for `ahead` more steps.
    func maps(
        _ channels: Int, _ height: Int, _ width: Int, ahead: Int = 0, hasGradient: Bool = true
    ) -> PlanarMaps {
        PlanarMaps(
            MapShape(channels: channels, height: height, width: width), samples: samples, slots: steps + ahead,
            trains: trains && hasGradient)
    }
}
