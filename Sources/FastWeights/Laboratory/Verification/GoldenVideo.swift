/// Runs the golden cases of video prediction.
extension Fixture {
    /// A predicted frame, the true one and the last one given.
    func videoFrames() throws -> (predicted: [Float], target: [Float], context: [Float], maps: MapShape) {
        let sizes = try shape("target", [nil, nil, nil])
        let maps = MapShape(channels: sizes[0], height: sizes[1], width: sizes[2])
        return (
            try floats("predicted", [sizes]), try floats("target", [sizes]), try floats("context", [sizes]), maps
        )
    }

    /// The similarity that the configuration names.
    func similarity() throws -> SSIM {
        let reader = ConfigurationReader(json: configuration, owner: "metrics")
        let name = try reader.text("window")
        guard let window: SSIM.Window = name == "box" ? .box(side: 7) : name == "gaussian" ? .gaussian : nil else {
            throw FixtureError(self.name, "there is no window \(name)")
        }
        return SSIM(
            window: window, usesSampleCovariance: try reader.flag("sample"), range: try reader.number("range"))
    }

    /// How far one frame is from another, by scikit-image.
    func checkVideoMetrics(_ tally: inout ErrorTally) throws {
        let ((x, y, context, maps), similarity) = (try videoFrames(), try similarity())
        guard
            min(maps.height, maps.width) >= 11
                || similarity.window == .box(side: 7) && maps.height >= 7 && maps.width >= 7
        else { throw FixtureError(name, "frames should be at least as large as the window") }
        let moving = VideoMetrics.moving(y[...], since: context[...], maps)
        let found: [(name: String, value: Double?)] = [
            ("squared_error", VideoMetrics.squaredError(x[...], y[...])),
            ("psnr", VideoMetrics.psnr(x[...], y[...], range: similarity.range)),
            ("moving_psnr", VideoMetrics.psnr(x[...], y[...], where: moving)),
            ("ssim", similarity(x[...], y[...], maps)),
        ]
        for (name, value) in found {
            tally.output(name, [Float(value ?? .nan)], try doubles(name, count: 1))
        }
    }
}
