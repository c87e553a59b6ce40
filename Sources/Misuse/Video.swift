import FastWeights

/// Models of video that cannot be, and frames that do not fit them.
extension Case {
    private static func configuration(
        _ head: VideoConfiguration.Head, height: Int = 16, actions: Int = 2
    ) -> VideoConfiguration {
        var configuration = VideoConfiguration(channels: 1, height: height, width: 16, head: head)
        configuration.actions = actions
        if head != .convlstm { configuration.widths = [1, 1, 1, 1, 1, 1, 1] }
        return configuration
    }

    private static var predictor: VideoPredictor { VideoPredictor(VideoModel(configuration(.cdna), seed: 1)) }
    private static var frame: [Float] { [Float](repeating: 0.5, count: 256) }

    static let video: [Case] = [
        Case(
            "video-rows",
            "the network halves frames three times, so rows and columns are multiples of 8; found 20 by 16: pad or crop them, for example to 24 by 16",
            VideoModel(configuration(.cdna, height: 20), seed: 1)),
        Case(
            "video-patches",
            "frames are cut into patches, so rows and columns are multiples of their side; found 18 by 16 and patches of 4",
            VideoModel(configuration(.convlstm, height: 18, actions: 0), seed: 1)),
        Case(
            "video-patches-with-actions",
            "convolutional LSTMs over patches read no actions and no states, found 2 and 0 numbers",
            VideoModel(configuration(.convlstm), seed: 1)),
        Case(
            "video-frame", "a frame [C, H, W] of shape [1, 16, 16] has 256 numbers; 255 were given",
            predictor.step([Float](repeating: 0, count: 255))),
        Case(
            "video-action", "an action of this model has 2 numbers, found 3", predictor.step(frame, action: [0, 0, 0])),
        Case("video-state", "a state of this model has 0 numbers, found 1", predictor.step(frame, state: [0])),
        Case(
            "video-before-the-first-frame", "a predictor needs a frame before it can go on from its own",
            predictor.step(action: [0, 0])),
        Case("video-sampling", "the decay of sampling is above 0, found -1.0", ScheduledSampling(decay: -1)),
    ]
}
