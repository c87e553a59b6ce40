import Testing

@testable @_spi(Laboratory) import FastWeights

/// How clips are named on a command line, and how near predictions are to them.
@Suite struct VideoEvaluationTests {
    private static let size = VideoSource.Size(clips: 3, frames: 5, side: 32)

    @Test func wordsStandForWorldsOrPaths() throws {
        #expect(VideoSource("push") == .push(.seen) && VideoSource("push-novel") == .push(.novel))
        #expect(
            VideoSource("./push") == .path("./push") && !VideoSource("./push").isMade && VideoSource("balls").isMade)
        let test = try VideoSource("push").clips(.test, Self.size)
        #expect(test[2] == (try PushWorld(side: 32, objects: .seen, seed: 2)).clip(2, frames: 5))
        let novel = try VideoSource("push-novel").clips(.test, Self.size)
        #expect(novel[0] == (try PushWorld(side: 32, objects: .novel, seed: 3)).clip(0, frames: 5))
        let training = try VideoSource("push").clips(.training, Self.size)
        #expect(training[1] == (try PushWorld(side: 32, objects: .seen, seed: 1)).clip(1, frames: 5))
        // Nothing is measured on what was learned from, nor chosen by what is reported.
        for name in VideoSource.names.map(\.name) {
            let parts = try [VideoSource.Part.training, .validation, .test].map {
                try VideoSource(name).clips($0, Self.size)[0]
            }
            #expect(parts[0] != parts[1] && parts[1] != parts[2] && parts[0] != parts[2], "\(name)")
        }
    }

    @Test func clipsAreSeenOtherwise() throws {
        let maps = MapShape(channels: 2, height: 3, width: 9)
        let shape = VideoShape(frames: 2, maps: maps, actions: 1, states: 2)
        let clips = VideoClips(shape, count: 2, source: "made") { b in
            let pixels = (0..<108).map { UInt8($0 + 100 * b) }
            return VideoClip(pixels: .bytes(pixels), actions: [1, 2], states: [3, 4, 5, 6])
        }
        #expect(clips.framesAlone.shape == VideoShape(frames: 2, maps: maps))
        #expect(clips.framesAlone[1] == VideoClip(pixels: clips[1].pixels))
        let padded = clips.padded(toMultiplesOf: 8)
        #expect(
            padded.shape.maps == MapShape(channels: 2, height: 8, width: 16)
                && padded.source == "made; padded to 8 by 16")
        let (before, after) = (clips[1].frames(maps), padded[1].frames(padded.shape.maps))
        for t in 0..<2 {
            for c in 0..<2 {
                for y in 0..<8 {
                    for x in 0..<16 {
                        let expected = before[t][(c * 3 + min(y, 2)) * 9 + min(x, 8)]
                        #expect(after[t][(c * 8 + y) * 16 + x] == expected)
                    }
                }
            }
        }
        #expect(padded[0].actions == [1, 2] && padded.padded(toMultiplesOf: 8).source == padded.source)
    }

    /// One long clip is cut; what is left at its end is not used. Several clips are never torn apart.
    @Test func oneClipIsCutIntoPieces() {
        let shape = VideoShape(frames: 7, maps: MapShape(channels: 1, height: 1, width: 2), actions: 1, states: 2)
        func clips(_ count: Int) -> VideoClips {
            VideoClips(shape, count: count, source: "made") { _ in
                VideoClip(
                    pixels: .floats((0..<14).map { Float($0) / 14 }), actions: (0..<7).map(Float.init),
                    states: (0..<14).map(Float.init))
            }
        }
        let pieces = clips(1).divided(into: 3)
        #expect(pieces.count == 2 && pieces.shape.frames == 3 && pieces.source == "made, in 2 pieces of 3 frames")
        #expect(pieces[1].pixels == .floats((6..<12).map { Float($0) / 14 }))
        #expect(pieces[1].actions == [3, 4, 5] && pieces[1].states == [6, 7, 8, 9, 10, 11])
        #expect(pieces[0].actions == [0, 1, 2])
        #expect(clips(1).divided(into: 4).shape == shape && clips(2).divided(into: 3).shape == shape)
    }

    @Test func predictionsAreMeasuredBesideCopies() throws {
        let clips = try VideoSource("push").clips(.test, Self.size)
        let maps = clips.shape.maps
        func evaluation(_ threads: Int, _ forecast: (VideoClip) -> [[Float]]) -> VideoEvaluation {
            VideoEvaluation(clips, context: 2, steps: 3, threads: threads, forecast: forecast)
        }
        let copy = evaluation(1) { clip in [[Float]](repeating: clip.frames(maps)[1], count: 3) }
        #expect(copy.predicted == copy.copied && copy.steps == 3 && copy.clips == 3)
        // Gray in the place of everything, beyond 1 by half: the squared error sees it, what is clipped does not.
        let bright = evaluation(2) { _ in [[Float]](repeating: [Float](repeating: 1.5, count: maps.count), count: 3) }
        #expect(
            bright == evaluation(1) { _ in [[Float]](repeating: [Float](repeating: 1.5, count: maps.count), count: 3) })
        for step in 0..<3 {
            var (squares, psnr) = (0.0, 0.0)
            for b in 0..<3 {
                let target = clips[b].frames(maps)[2 + step]
                squares += target.reduce(0) { $0 + (1.5 - Double($1)) * (1.5 - Double($1)) } / 3
                psnr += VideoMetrics.psnr([Float](repeating: 1, count: maps.count)[...], target[...]) / 3
            }
            #expect(abs(bright.predicted[step].squaredError.mean! - squares) < 1e-9 * squares)
            #expect(abs(bright.predicted[step].psnr.mean! - psnr) < 1e-9)
            #expect(bright.copied[step] == copy.predicted[step])
            let black = (0..<3).reduce(0.0) { sum, b in
                sum + clips[b].frames(maps)[2 + step].reduce(0) { $0 + Double($1) * Double($1) } / 3
            }
            #expect(abs(bright.black[step].mean! - black) < 1e-9 * black)
        }
        #expect(bright.isNotBelowBlack && !copy.isNotBelowBlack)
        let perfect = evaluation(1) { Array($0.frames(maps).dropFirst(2)) }
        #expect(
            perfect.predicted.allSatisfy {
                $0.psnr.mean == nil && $0.psnr.others == 3 && abs($0.ssim.mean! - 1) < 1e-12
            })
        let table = perfect.table
        #expect(table.header.count == 9 && table.rows.count == 3 && table.rows[0][0] == "1" && table.rows[0][1] == "–")
        #expect(table.rows[2][2] == FixedPoint.text(copy.predicted[2].psnr.mean!, decimals: 2))
        #expect(
            perfect.notes.contains { $0.hasPrefix("9 frames without any error") }
                && perfect.notes.contains("\(SSIM.box)"))
        #expect(perfect.figures(copy.predicted, \.psnr) == table.rows[0][2] && perfect.blackNote(maps) == nil)
    }

    @Test func aModelOfGrayIsHeldAgainstBlack() {
        let maps = MapShape(channels: 1, height: 8, width: 8)
        let clips = VideoClips(VideoShape(frames: 2, maps: maps), count: 1, source: "one dot") { _ in
            VideoClip(pixels: .floats((0..<128).map { $0 % 64 == 9 ? 1 : 0 }))
        }
        func note(_ light: Float) -> String {
            VideoEvaluation(clips, context: 1, steps: 1, threads: 1) { _ in [(0..<64).map { $0 == 9 ? light : 0 }] }
                .blackNote(maps) ?? ""
        }
        #expect(
            note(0.5)
                == "Squared error of a frame, the mean over 1 steps: 0.25; of black frames 1.00, of the last frame given 0.00"
        )
        #expect(
            note(0).contains("over 1 steps: 1.00; of black frames 1.00") && note(0).contains(". It is not below black"))
    }
}
