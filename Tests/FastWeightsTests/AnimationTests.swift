import Testing

@testable @_spi(Laboratory) import FastWeights

/// Animations as GIF and PNG, read again by code of the tests; Pillow was asked about the same ones.
@Suite struct AnimationTests {
    /// Frames of one size each, of a few colors, of many that are near to one another, or of noise.
    private static func frames(_ count: Int, _ width: Int, _ height: Int, _ channels: Int, colors: Int) -> [PNG] {
        var random = Random(seed: 3)
        return (0..<count).map { t in
            let pixels = (0..<height * width * channels).map { k -> UInt8 in
                let (c, x, y) = (k % channels, k / channels % width, k / channels / width)
                let smooth: Int = 3 * x + 2 * y + 40 * c + 5 * t
                if colors < 256 { return UInt8((smooth / 7 % colors) * (255 / colors)) }
                return UInt8((smooth + random.below(4)) % 256)
            }
            return PNG(width: width, height: height, channels: channels, pixels: pixels)
        }
    }

    private static func noise(_ count: Int, _ width: Int, _ height: Int, _ channels: Int) -> [PNG] {
        var random = Random(seed: 4)
        return (0..<count).map { _ in
            PNG(
                width: width, height: height, channels: channels,
                pixels: (0..<height * width * channels).map { _ in UInt8(random.below(256)) })
        }
    }

    private static func colored(_ frame: PNG) -> PNG {
        let pixels = frame.channels == 3 ? frame.pixels : frame.pixels.flatMap { [$0, $0, $0] }
        return PNG(width: frame.width, height: frame.height, channels: 3, pixels: pixels)
    }

    /// Gray, and colors of which there are at most 256, are kept; codes of all widths, and tables that are full.
    @Test(arguments: [
        (1, 1, 1, 1, 9), (3, 7, 5, 1, 2), (2, 31, 9, 1, 256), (3, 64, 48, 3, 3), (2, 90, 70, 3, 6),
        (4, 100, 100, 1, 256),
    ])
    func aGIFKeepsFewColors(count: Int, width: Int, height: Int, channels: Int, colors: Int) throws {
        let frames = Self.frames(count, width, height, channels, colors: colors)
        let read = try AnimationReader(gif: Animation(frames, delays: (0..<count).map { 2 + 300 * $0 }).gif())
        #expect(read.frames == frames.map(Self.colored) && read.delays == (0..<count).map { 2 + 300 * $0 })
        #expect(read.plays == 0)
    }

    @Test func codesOfNoiseFillTheTableAgainAndAgain() throws {
        let frames = Self.noise(2, 150, 140, 1)
        #expect(try AnimationReader(gif: Animation(frames, delay: 9).gif()).frames == frames.map(Self.colored))
    }

    /// Many colors become 256 that are near: of smooth frames within a few levels, of noise in all eight bits as near as
    /// 256 boxes of equal size allow.
    @Test func aGIFHasNearColors() throws {
        func differences(_ frames: [PNG]) throws -> (mean: Double, largest: Int) {
            let read = try AnimationReader(gif: Animation(frames, delay: 10).gif()).frames
            let pairs = zip(frames, read).flatMap { zip($0.pixels, $1.pixels).map { abs(Int($0) - Int($1)) } }
            return (Double(pairs.reduce(0, +)) / Double(pairs.count), pairs.max() ?? 0)
        }
        let smooth = try differences(Self.frames(3, 64, 40, 3, colors: 256))
        #expect(smooth.mean < 1.5 && smooth.largest <= 12)
        let noise = try differences(Self.noise(1, 64, 64, 3))
        #expect(noise.mean < 12 && noise.largest < 45)
        // The fewest pixels of a color far from all others keep it about.
        var pixels = [UInt8](repeating: 0, count: 3 * 600)
        for i in 0..<600 { (pixels[3 * i], pixels[3 * i + 1]) = (UInt8(i % 300 / 2), UInt8(i % 60)) }
        pixels[2] = 255
        let rare = try AnimationReader(
            gif: Animation([PNG(width: 30, height: 20, channels: 3, pixels: pixels)], delay: 2).gif())
        #expect(rare.frames[0].pixels[2] == 255)
    }

    @Test(arguments: 1...4) func aPNGKeepsEverything(channels: Int) throws {
        for count in [1, 2, 5] {
            let frames = Self.noise(count, 13, 6, channels)
            let delays = (0..<count).map { 2 + 12_000 * $0 }
            let bytes = Animation(frames, delays: delays).png()
            let read = try AnimationReader(png: bytes)
            #expect(read.frames == frames && read.delays == delays && read.plays == 0)
            // Our own reader of pictures that stand still says what it is.
            #expect(FileFixtures.fault { try PNG(bytes: bytes, source: "a") }?.found == "an animation")
        }
    }

    /// The same on every machine and in every process: colors are counted in a dictionary, whose order is another each time.
    @Test func theBytesAreTheSameEverywhere() throws {
        let animation = Animation(Self.frames(2, 40, 30, 3, colors: 256), delay: 20)
        #expect(CRC32.checksum(animation.gif()) == 0x8ACA_BD2C && CRC32.checksum(animation.png()) == 0x9DD0_48BD)
    }
}
