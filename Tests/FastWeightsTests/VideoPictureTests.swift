import Testing

@testable @_spi(Laboratory) import FastWeights

/// What frames, masks and kernels look like: pictures are compared pixel by pixel with what they must have.
@Suite struct VideoPictureTests {
    private typealias Color = VideoCanvas.Color

    private static let maps = MapShape(channels: 3, height: 4, width: 6)

    /// A frame of one color.
    private static func frame(_ red: Float, _ green: Float, _ blue: Float, _ maps: MapShape = maps) -> [Float] {
        [red, green, blue].prefix(maps.channels).flatMap { [Float](repeating: $0, count: maps.area) }
    }

    /// Four true frames, two of them given, from dark to light; one model's predictions are red, another's, of which there
    /// is one more, green.
    private static var comparison: VideoComparison {
        let truth = (0..<4).map { frame(Float($0) / 5, Float($0) / 5, Float($0) / 5) }
        var comparison = VideoComparison(truth: truth, maps, context: 2)
        comparison.add("red", predicted: [frame(1, 0, 0), frame(0.8, 0, 0)])
        comparison.add("green", predicted: [frame(0, 1, 0), frame(0, 0.8, 0), frame(0, 0.6, 0)])
        return comparison
    }

    // MARK: - Canvas

    @Test func numbersBecomeBytes() {
        let maps = MapShape(channels: 1, height: 2, width: 4)
        #expect(
            PNG([0, 1, 0.5, 0.2, -1, 2, .nan, 1.5 / 255], maps).pixels == [0, 255, 128, 51, 0, 255, 0, 2])
        let color = MapShape(channels: 3, height: 1, width: 2)
        #expect(PNG([0, 0.2, 0.4, 0.6, 0.8, 1], color).pixels == [0, 102, 204, 51, 153, 255])
    }

    @Test func whatIsDrawnLiesOverWhatWasThere() {
        var canvas = VideoCanvas(width: 5, height: 4, Color(1, 2, 3))
        canvas.fill(3..<9, -2..<1, Color(9, 9, 9))
        canvas.draw(PNG(width: 2, height: 1, channels: 1, pixels: [70, 80]), x: 1, y: 1, scale: 2)
        let rows = (0..<4).map { y in (0..<5).map { canvas.picture.color($0, y).z } }
        #expect(rows == [[3, 3, 3, 9, 9], [3, 70, 70, 80, 80], [3, 70, 70, 80, 80], [3, 3, 3, 3, 3]])
        #expect(canvas.picture.color(0, 0) == Color(1, 2, 3))
        var framed = VideoCanvas(width: 5, height: 4, Color(0, 0, 0))
        framed.frame(2..<3, 1..<2, size: 1, Color(5, 6, 7))
        let edges = (0..<4).map { y in (0..<5).map { framed.picture.color($0, y).x } }
        #expect(edges == [[0, 5, 5, 5, 0], [0, 5, 0, 5, 0], [0, 5, 5, 5, 0], [0, 0, 0, 0, 0]])
    }

    @Test func wordsAreWritten() {
        var canvas = VideoCanvas(width: 8, height: 6, Color(0, 0, 0))
        canvas.write("t1", x: 0, y: 1, scale: 1, Color(1, 1, 1))
        let rows = (0..<6).map { y in (0..<8).map { canvas.picture.color($0, y).x == 1 ? "#" : "." }.joined() }
        #expect(rows == ["........", "###..#..", ".#..##..", ".#...#..", ".#...#..", ".#..###."])
        #expect(PixelFont.columns("t1") == 7 && PixelFont.columns("") == 0)
        // No two letters look the same, but for those that need not be told apart.
        let letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ+-=.,:/%()"
        let looks = letters.map { letter in PixelFont.pixels(String(letter)).map { "\($0.x)\($0.y)" }.joined() }
        #expect(Set(looks).count == letters.count && !looks.contains(""))
        #expect(PixelFont.pixels(" é").isEmpty)
    }

    @Test func aReducedPictureHasMeans() {
        let picture = PNG(width: 3, height: 3, channels: 1, pixels: [0, 10, 3, 20, 31, 4, 7, 8, 9])
        #expect(picture.reduced(by: 2).pixels == [15, 15, 15, 4, 4, 4, 8, 8, 8, 9, 9, 9])
        #expect(picture.reduced(by: 1).color(1, 1) == Color(31, 31, 31))
    }

    // MARK: - Strip and animation

    @Test func aStripHasARowEachAndAColumnAFrame() {
        let strip = Self.comparison.strip(scale: 2)
        // Columns of 12 pixels, 4 apart, five of them, right of "GREEN" in letters twice as large; rows of 8, 4 apart.
        let left = 8 + (19 + 4) * 2
        let top = 8 + 10 + 8
        #expect(strip.width == left + 5 * 12 + 4 * 4 + 8 && strip.height == top + 3 * 8 + 2 * 4 + 8)
        func color(_ row: Int, _ column: Int) -> Color {
            strip.color(left + column * 16 + 11, top + row * 12 + 7)
        }
        #expect((0..<4).map { color(0, $0).x } == [0, 51, 102, 153] && color(0, 4) == VideoComparison.ground)
        #expect((0..<2).map { color(1, $0) } == [VideoComparison.ground, VideoComparison.ground])
        #expect((2..<5).map { color(1, $0) } == [Color(255, 0, 0), Color(204, 0, 0), VideoComparison.ground])
        #expect((2..<5).map { color(2, $0) } == [Color(0, 255, 0), Color(0, 204, 0), Color(0, 153, 0)])
        // The bars above the columns.
        let bars = (0..<5).map { strip.color(left + $0 * 16, top - 4) }
        let expected = [VideoComparison.given, VideoComparison.predicted]
        #expect(bars == [0, 0, 1, 1, 1].map { expected[$0] })
        // Some columns alone, at a size that follows from the frame's.
        let some = Self.comparison.strip([1, 3])
        #expect(some.width == left + 2 * 60 + 4 + 8 && some.color(left + 64, top) == Color(153, 153, 153))
    }

    @Test func anAnimationShowsWhereThePredictionBegins() throws {
        let animation = Self.comparison.animation(delay: 20, scale: 1)
        #expect(animation.delays == [20, 20, 20, 20, 80] && animation.frames.count == 5)
        // Panels are as wide as "PREDICTED +3".
        let panel = PixelFont.columns("predicted +3") * 2
        let (top, width) = (8 + 10 + 4 + 3, animation.frames[0].width)
        #expect(width == 2 * 8 + 3 * panel + 2 * 8)
        func panelColors(_ place: Int, _ number: Int) -> (border: Color, frame: Color) {
            let (frame, x) = (animation.frames[place], 8 + number * (panel + 8))
            return (frame.color(x, top), frame.color(x + 3, top))
        }
        let (given, predicted) = (VideoComparison.given, VideoComparison.predicted)
        #expect((0..<4).allSatisfy { panelColors($0, 0).border == given })
        #expect(panelColors(4, 0).border == VideoComparison.ground)
        #expect((0..<5).map { panelColors($0, 2).border } == [given, given, predicted, predicted, predicted])
        // Given frames are the true ones.
        #expect((0..<5).map { panelColors($0, 2).frame.x } == [0, 51, 0, 0, 0])
        #expect((2..<5).map { panelColors($0, 2).frame.y } == [255, 204, 153])
        let read = try AnimationReader(gif: animation.gif())
        #expect(read.frames == animation.frames && read.plays == 0)
        // Longer waits are as long as a file can say.
        #expect(Self.comparison.animation(delay: 60_000).delays.last == 65_535)
        // A frame of 4 by 6 is drawn with its longer side near 128 pixels.
        #expect(Self.comparison.animation(delay: 5).frames[0].width == 8 + 3 * (6 * 21 + 6 + 8))
    }

    // MARK: - Terminal

    @Test func halfBlocksHaveTwoPixelsEach() {
        let picture = PNG(
            width: 2, height: 3, channels: 3,
            pixels: [1, 2, 3, 1, 2, 3, 40, 50, 60, 7, 8, 9, 255, 255, 255, 0, 0, 0])
        #expect(
            HalfBlocks.rows(picture, .all) == [
                "\u{1B}[38;2;1;2;3m\u{1B}[48;2;40;50;60m▀\u{1B}[48;2;7;8;9m▀\u{1B}[0m",
                "\u{1B}[38;2;255;255;255m▀\u{1B}[38;2;0;0;0m▀\u{1B}[0m",
            ])
        #expect(HalfBlocks.rows(picture, .indexed)[1] == "\u{1B}[38;5;231m▀\u{1B}[38;5;16m▀\u{1B}[0m")
    }

    /// No other of the 240 colors is nearer.
    @Test func indexedColorsAreTheNearest() {
        let levels = [0, 95, 135, 175, 215, 255]
        let cube = (0..<216).map { SIMD3(levels[$0 / 36], levels[$0 / 6 % 6], levels[$0 % 6]) }
        let table = cube + (0..<24).map { SIMD3(repeating: 8 + 10 * $0) }
        var random = Random(seed: 5)
        for _ in 0..<300 {
            let color = SIMD3(random.below(256), random.below(256), random.below(256))
            func distance(_ other: SIMD3<Int>) -> Int { ((color &- other) &* (color &- other)).wrappedSum() }
            let index = HalfBlocks.index(Color(UInt8(color.x), UInt8(color.y), UInt8(color.z)))
            #expect(distance(table[index - 16]) == table.map(distance).min())
        }
        for (i, color) in table.enumerated() {
            let found = HalfBlocks.index(Color(UInt8(color.x), UInt8(color.y), UInt8(color.z)))
            #expect(table[found - 16] == color, "\(16 + i)")
        }
    }

    @Test func aPlayerFitsItsTerminal() throws {
        let comparison = Self.comparison
        // Three panels of 8 by 6 pixels with their borders, 2 apart: 3 rows, a line of words, and one for the cursor.
        let frames = VideoPlayer.frames(comparison, .all) { $0 <= 5 && $1 <= 60 }
        #expect(frames.count == 5 && frames.allSatisfy { $0.count == 4 })
        #expect(frames[0].last == "truth | red | green: frame 1, given")
        #expect(frames[4].last == "truth | red | green: frame 5, predicted +3")
        func blocks(_ row: String) -> Int { row.count { $0 == "▀" } }
        #expect(frames[0].dropLast().allSatisfy { blocks($0) == 28 && $0.hasSuffix("\u{1B}[0m") })
        let (given, predicted) = (VideoComparison.given, VideoComparison.predicted)
        #expect(frames[1][0].contains("\u{1B}[38;2;\(given.x);\(given.y);\(given.z)m"))
        #expect(!frames[1][0].contains(";\(predicted.x);\(predicted.y);\(predicted.z)m"))
        #expect(frames[2][0].contains("\u{1B}[38;2;\(predicted.x);\(predicted.y);\(predicted.z)m"))
        let small = VideoPlayer.frames(comparison, .indexed) { $0 <= 5 && $1 <= 27 }
        #expect(small[0].count == 3 && blocks(small[0][0]) == 14 && small[0].last == "truth | red | ")
        #expect(VideoPlayer.frames(comparison, .all) { _, _ in false }.isEmpty)
    }

    // MARK: - Folder

    @Test func aFolderOfFramesIsAClip() throws {
        try TemporaryFolder.with { folder in
            let path = folder + "/new/frames"
            let frames = (0..<3).map { PNG(Self.frame(Float($0) / 5, 0.4, 1), Self.maps) }
            try VideoFolder.write(frames, to: path)
            #expect(try Files.list(path) == ["0001.png", "0002.png", "0003.png"])
            let clips = try VideoClips(path: path)
            #expect(clips.count == 1 && clips.shape == VideoShape(frames: 3, maps: Self.maps))
            let planes = frames.flatMap { VideoClip.planes($0.pixels[...], channels: 3) }
            #expect(clips[0].pixels == .bytes(planes))
            #expect(throws: VideoError.self) { try VideoFolder.write(frames, to: path) }
            #expect(throws: VideoError.self) { try VideoFolder.write(frames, to: path + "/0001.png") }
            #expect(try PNG(path: path + "/0001.png") == frames[0])
        }
    }

    // MARK: - Masks and kernels

    @Test func masksAreLayersOfColors() {
        let maps = MapShape(channels: 1, height: 1, width: 4)
        // All of the background, all of the second, half and half, and of a mask that goes beyond.
        let masks: [Float] = [1, 0, 0.5, 1] + [0, 1, 0.5, 1] + [0, 0, 0, 1]
        let layers = MaskLayers([1, 0, 0.5, 1], maps, masks: masks)
        #expect(layers.count == 3)
        let colors = (0..<3).map { MaskLayers.color($0, of: 3) }
        #expect(colors == [Color(128, 128, 128), Color(255, 30, 30), Color(30, 255, 255)])
        let picture = layers.picture(scale: 2)
        #expect(picture.width == 8 && picture.height == 2)
        #expect(picture.color(1, 1) == Color(repeating: UInt8(0.45 * 255 + 0.55 * 128)))
        #expect(picture.color(2, 0) == Color(UInt8(0.55 * 255), UInt8(0.55 * 30), UInt8(0.55 * 30)))
        #expect(picture.color(4, 0).x == UInt8(0.225 * 255 + 0.55 * (64 + 127.5)) && picture.color(7, 0).x == 255)
        let separate = layers.separate(scale: 1)
        #expect(separate.width == 3 * 8 - 4 && separate.color(8 + 1, 4) == Color(255, 255, 255))
        #expect(separate.color(8, 4) == Color(0, 0, 0) && separate.color(8, 0) == colors[1])
        #expect(Set((0..<12).map { MaskLayers.color($0, of: 12) }).count == 12)
    }

    /// The weight above the middle takes the pixel above: what there is moves down.
    @Test func kernelsAreFieldsOfMotion() throws {
        func kernel(_ places: (row: Int, column: Int)...) -> [Float] {
            var weights = [Float](repeating: 0, count: 25)
            for place in places { weights[5 * place.row + place.column] = 1 / Float(places.count) }
            return weights
        }
        let kernels = [kernel((2, 2)), kernel((1, 2)), kernel((0, 4)), kernel((2, 0), (2, 1)), kernel()]
        let strip = MatrixStrip(kernels: kernels.flatMap { $0 }, side: 5, title: "Kernels & co", description: "five")
        #expect(strip.panels.map(\.arrow) == [[0, 0], [0, 1], [-2, 2], [1.5, 0], [0, 0]])
        #expect(strip.panels[1].label == "2: 0.00, 1.00" && strip.panels[2].values[5 * 4 + 0] == 1)
        // The naive twin: a frame with one pixel of light, moved by the kernel.
        for (m, kernel) in kernels.enumerated().dropLast() {
            var moved = SIMD2<Double>.zero
            for y in 0..<9 {
                for x in 0..<9 {
                    for u in 0..<5 {
                        for v in 0..<5 where (y + u - 2, x + v - 2) == (4, 4) {
                            moved += Double(kernel[5 * u + v]) * SIMD2(Double(x - 4), Double(y - 4))
                        }
                    }
                }
            }
            #expect(strip.panels[m].arrow == moved)
        }
        let svg = strip.svg(prefix: "k")
        #expect(isWellFormed(svg))
        expectSelfContained(svg)
        #expect(svg.components(separatedBy: "class=\"arrow\"").count == 6)
        // A panel is 98 pixels wide, so a column is 19.6; the second panel's arrow goes down by as much.
        #expect(svg.contains("d=\"M179.00 117.00L179.00 136.60M"))
    }
}
