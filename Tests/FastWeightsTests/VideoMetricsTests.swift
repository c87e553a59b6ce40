import Testing

@testable import FastWeights

/// Metrics against scikit-image in double precision, and what is to be known of them.
@Suite struct VideoMetricsTests {
    private static let cases = GoldenTests.cases.filter { $0.hasPrefix("video_metrics/") }

    /// Closer than the tolerance of `verify`, in which the windows or covariances of two settings could be one.
    @Test(arguments: cases)
    func goldenCasesInDoublePrecision(name: String) throws {
        let fixture = try Fixture(path: "\(GoldenTests.directory)/\(name).safetensors", name: name)
        let ((x, y, context, maps), similarity) = (try fixture.videoFrames(), try fixture.similarity())
        func near(_ found: Double, _ tensor: String) throws {
            let expected = try fixture.doubles(tensor)[0]
            #expect(abs(found - expected) <= 1e-11 * max(abs(expected), 1), "\(tensor): \(found), \(expected)")
        }
        try near(similarity(x[...], y[...], maps), "ssim")
        try near(VideoMetrics.squaredError(x[...], y[...]), "squared_error")
        try near(VideoMetrics.psnr(x[...], y[...], range: similarity.range), "psnr")
        let moving = VideoMetrics.moving(y[...], since: context[...], maps)
        try near(try #require(VideoMetrics.psnr(x[...], y[...], where: moving)), "moving_psnr")
    }

    @Test func thereAreFiveSettingsAndMore() throws {
        let settings = try Self.cases.map {
            try Fixture(path: "\(GoldenTests.directory)/\($0).safetensors", name: $0).similarity().description
        }
        #expect(Set(settings).count >= 5)
        #expect(settings.contains("SSIM, box of 7 by 7, sample covariance, L 1.0"))
        #expect(SSIM.gaussian.description == "SSIM, Gaussian of 11 by 11, population covariance, L 1.0")
    }

    @Test func equalFrames() {
        let frame = (0..<3 * 81).map { Float($0 % 17) / 17 }
        let maps = MapShape(channels: 3, height: 9, width: 9)
        #expect(SSIM.box(frame[...], frame[...], maps) == 1)
        #expect(VideoMetrics.psnr(frame[...], frame[...]) == .infinity)
        #expect(VideoMetrics.psnr(meanSquare: 0.01) == 20)
        let still = VideoMetrics.moving(frame[...], since: frame[...], maps)
        #expect(VideoMetrics.psnr(frame[...], frame[...], where: still) == nil)
    }

    @Test func aPixelMovesInAnyChannel() {
        let maps = MapShape(channels: 2, height: 1, width: 3)
        let moving = VideoMetrics.moving([0, 0, 0.5, 0, 0.04, 0][...], since: [0, 0.03, 0, 0, 0, 0][...], maps)
        #expect(moving == [false, true, true])
        // Both channels of both pixels count.
        let psnr = VideoMetrics.psnr([9, 0, 0, 9, 0.2, 0][...], [0, 0, 0, 0, 0, 0][...], where: moving)!
        #expect(abs(psnr - VideoMetrics.psnr(meanSquare: 0.01)) < 1e-5)
    }

    /// What is infinite is counted and never averaged; the squared error is that of what was predicted, before clipping.
    @Test func scoresAreMeansOverFrames() {
        let maps = MapShape(channels: 1, height: 7, width: 7)
        let (zero, one) = ([Float](repeating: 0, count: 49), [Float](repeating: 1, count: 49))
        var score = VideoScore()
        score.add(zero[...], zero[...], context: zero[...], maps, .box)
        score.add(zero[...], one[...], context: zero[...], maps, .box)
        score.add([Float](repeating: 1.5, count: 49)[...], one[...], context: zero[...], maps, .box)
        #expect(score.psnr.count == 1 && score.psnr.others == 2 && score.psnr.mean == 0)
        #expect(abs(score.squaredError.mean! - (49 + 49 * 0.25) / 3) < 1e-12)
        #expect(score.movingPSNR.count == 1 && score.movingPSNR.others == 1 && score.ssim.count == 3)
        #expect(MeanOfFinite().mean == nil)
    }

    /// What a model that has learned nothing reaches: the last frame given, repeated. Similarities are known of the first 64
    /// clips of novel objects.
    @Test(arguments: [
        (PushWorld.Objects.seen, UInt64(2), [23.63, 21.62, 20.17, 19.17, 18.32]),
        (.novel, 3, [23.83, 21.84, 20.44, 19.68, 18.78]),
    ])
    func copyingTheLastFrameHasTheKnownLevels(objects: PushWorld.Objects, seed: UInt64, levels: [Double]) throws {
        let clips = VideoClips(try PushWorld(side: 32, objects: objects, seed: seed), count: 256, frames: 20)
        let (steps, size) = ([1, 2, 4, 8, 18], clips.shape.maps.count)
        var scores = steps.map { _ in VideoScore() }
        var first = scores
        for b in 0..<clips.count {
            let frames = clips.batch([b]).frames
            let last = frames[size..<2 * size]
            for (i, step) in steps.enumerated() {
                let target = frames[(1 + step) * size..<(2 + step) * size]
                scores[i].add(last, target, context: last, clips.shape.maps, .box)
            }
            if b == 63 { first = scores }
        }
        for (score, level) in zip(scores, levels) { #expect(abs(score.psnr.mean! - level) < 0.006) }
        guard objects == .novel else { return }
        for (score, level) in zip(first, [0.837, nil, 0.667, 0.603, 0.505]) {
            if let level { #expect(abs(score.ssim.mean! - level) < 0.0005) }
        }
        for (score, level) in zip(scores, [13.8, nil, 12.8, 13.0]) {
            if let level { #expect(abs(score.movingPSNR.mean! - level) < 0.1) }
        }
    }
}
