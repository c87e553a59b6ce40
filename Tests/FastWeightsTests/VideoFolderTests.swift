import Testing

@testable @_spi(Laboratory) import FastWeights

/// Folders of numbered PNGs, and records of the BAIR robot's kind.
@Suite struct VideoFolderTests {
    private let folder = TemporaryFolder()

    private func picture(_ seed: Int, channels: Int = 3, width: Int = 4) -> PNG {
        PNG(
            width: width, height: 3, channels: channels,
            pixels: (0..<3 * width * channels).map {
                channels % 2 == 0 && $0 % channels == channels - 1 ? 255 : UInt8((seed + $0) % 256)
            })
    }

    private func write(_ picture: PNG, _ name: String) throws {
        if let end = name.lastIndex(of: "/") { try Files.createDirectory(folder.path(String(name[..<end]))) }
        try picture.write(to: folder.path(name))
    }

    private func problem() -> String {
        do { return "read as \(try VideoClips(path: folder.path).source)" } catch { return "\(error)" }
    }

    private func remove(_ name: String) { TemporaryFolder.remove(folder.path(name)) }

    private func bytes(_ clip: VideoClip) -> [UInt8] {
        guard case .bytes(let bytes) = clip.pixels else { return [] }
        return bytes
    }

    @Test func oneFolderAClip() throws {
        // Numbers without leading zeros, in steps of 5, in a folder of train and test too.
        for (c, clip) in ["train/a", "train/b"].enumerated() {
            for t in 0..<4 { try write(picture(100 * c + 10 * t), "\(clip)/cam2_frame\(5 * t + 5).png") }
        }
        let clips = try VideoClips(path: folder.path)
        #expect(clips.count == 2)
        #expect(clips.shape == VideoShape(frames: 4, maps: MapShape(channels: 3, height: 3, width: 4)))
        #expect(clips.source == "\(folder.path), clips 2, frames 4, channels 3, 3 by 4")
        for b in 0..<2 {
            var expected: [UInt8] = []
            for t in 0..<4 {
                for c in 0..<3 {
                    for k in 0..<12 { expected.append(UInt8(100 * b + 10 * t + 3 * k + c)) }
                }
            }
            #expect(bytes(clips[b]) == expected)
        }
        // The folder of one clip is one too.
        #expect(try VideoClips(path: folder.path("train/b"))[0] == clips[1])
        // Clips of unequal lengths are as long as the shortest.
        remove("train/a/cam2_frame20.png")
        #expect(try VideoClips(path: folder.path).source.contains("frames 3, as many as the shortest has"))
    }

    @Test func alphaThatHidesNothingIsLeftOut() throws {
        for (t, channels) in [2, 1, 2].enumerated() { try write(picture(t, channels: channels), "\(t).png") }
        #expect(try VideoClips(path: folder.path).shape.maps.channels == 1)
        let clear = PNG(width: 4, height: 3, channels: 2, pixels: [UInt8](repeating: 254, count: 24))
        try write(clear, "2.png")
        #expect(problem().contains("2.png: expected pixels that are opaque, found transparent ones"))
    }

    @Test func framesThatAreMissingOrOfAnotherSizeAreNamed() throws {
        for t in [1, 2, 3, 5] { try write(picture(t), "\(t).png") }
        #expect(problem().contains("go up by 1, found 5.png behind 3.png; a frame is missing"))
        try write(picture(4, width: 5), "4.png")
        #expect(
            problem().contains(
                "4.png: expected 3 channels of 3 by 4, as the first frame has, found 3 channels of 3 by 5"))
        try write(picture(4, channels: 1), "4.png")
        #expect(problem().contains("found 1 channels of 3 by 4"))
        try write(picture(4), "4.png")
        #expect(problem().hasPrefix("read as"))
        try write(picture(4), "04.png")
        #expect(problem().contains("expected frames of different numbers, found 04.png and 4.png"))
        remove("04.png")
        try write(picture(4), "last.png")
        #expect(problem().contains("last.png: expected a frame's number in the name, as 0001.png, found none"))
        remove("last.png")
        try write(picture(4), "more/1.png")
        #expect(problem().contains("found 1.png beside folders of PNGs"))
        remove("more")
        try Files.writeAtomically([1, 2, 3], to: folder.path("5.png"))
        #expect(problem().contains("expected a PNG image"))
    }

    @Test func foldersWithoutPicturesSayWhatToDo() throws {
        #expect(problem().contains("found nothing"))
        try Files.writeAtomically([0xFF, 0xD8, 0xFF], to: folder.path("1.JPG"))
        #expect(
            problem().contains("found 1.JPG. JPEG, GIF and video codecs are not read: mkdir CLIP && ffmpeg -i FILE"))
    }

    @Test func actionsAndStatesOfEachClipOrOfAll() throws {
        for clip in ["a", "b"] { for t in 0..<3 { try write(picture(t), "\(clip)/\(t).png") } }
        func numbers(_ shape: [Int], _ first: Int, _ name: String) throws {
            try NumPyArray.write(
                shape: shape, values: (0..<shape.reduce(1, *)).map { Float(first + $0) }, to: folder.path(name))
        }
        try numbers([3, 2], 0, "a/actions.npy")
        #expect(problem().contains("expected actions.npy for every clip or none, found none at \(folder.path("b"))"))
        try numbers([3, 2], 50, "b/actions.npy")
        try numbers([2, 3, 1], 0, "states.npy")
        let clips = try VideoClips(path: folder.path)
        #expect(clips.shape.actions == 2 && clips.shape.states == 1)
        #expect(clips[1].actions == [50, 51, 52, 53, 54, 55] && clips[1].states == [3, 4, 5])
        try numbers([3, 1], 50, "b/actions.npy")
        #expect(problem().contains("expected 2 numbers per frame"))
        try numbers([2, 3, 2], 0, "actions.npy")
        #expect(problem().contains("found both"))
        remove("a/actions.npy")
        remove("b/actions.npy")
        #expect(try VideoClips(path: folder.path)[1].actions == [6, 7, 8, 9, 10, 11])
        try numbers([2, 4, 2], 0, "actions.npy")
        #expect(problem().contains("expected the shape [2, 3, numbers per frame]"))
    }

    // MARK: - Records

    private static let records = "\(GoldenTests.directory)/files/clips.tfrecord"

    @Test func recordsOfRawPictures() throws {
        let clips = try VideoClips(path: Self.records)
        #expect(clips.count == 3)
        #expect(
            clips.shape
                == VideoShape(frames: 4, maps: MapShape(channels: 3, height: 6, width: 6), actions: 4, states: 3))
        #expect(clips.source.contains("camera image_main"))
        let side = try VideoClips(path: Self.records, VideoFileOptions(camera: "image_aux1"))
        for b in 0..<3 {
            for (clips, more) in [(clips, 0), (side, 100)] {
                var expected: [UInt8] = []
                for t in 0..<4 {
                    for c in 0..<3 {
                        for k in 0..<36 { expected.append(UInt8((50 * b + 20 * t + 7 * (3 * k + c) + more) % 256)) }
                    }
                }
                #expect(bytes(clips[b]) == expected)
            }
            var actions: [Float] = []
            for t in 0..<4 {
                for n in 0..<4 { actions.append(Float(b) + Float(t) / 4 + Float(n) / 16) }
            }
            #expect(clips[b].actions == actions && clips[b].states.count == 12)
            #expect(clips[b].states[3] == -Float(b) - 0.25)
        }
        // A folder of two such files has the clips of both.
        for name in ["b.tfrecords", "a.tfrecord"] {
            try Files.writeAtomically(try Files.read(Self.records), to: folder.path(name))
        }
        #expect(try VideoClips(path: folder.path).count == 6)
    }

    /// The sentence for records of these examples, each of names with the lists' bytes.
    private func problem(_ examples: [[(String, [UInt8])]], camera: String? = nil) throws -> String {
        typealias Records = TensorFlowRecordsTests
        let records = examples.map { Records.field(1, $0.flatMap { Records.feature($0.0, $0.1) }) }
        try Files.writeAtomically(TensorFlowRecords.serialize(records), to: folder.path("clips.tfrecord"))
        do {
            return
                "read as \(try VideoClips(path: folder.path("clips.tfrecord"), VideoFileOptions(camera: camera)).source)"
        } catch { return "\(error)" }
    }

    @Test func recordsThatAreNoClipsAreNamed() throws {
        func picture(_ bytes: [UInt8]) -> [UInt8] {
            TensorFlowRecordsTests.field(1, TensorFlowRecordsTests.field(1, bytes))
        }
        func floats(_ count: Int) -> [UInt8] {
            TensorFlowRecordsTests.field(2, TensorFlowRecordsTests.field(1, [UInt8](repeating: 0, count: 4 * count)))
        }
        let (gray, color) = (picture([1, 2, 3, 4]), picture(Array(1...12)))
        #expect(try problem([[("0/x/encoded", gray)]]).contains("camera x, clips 1, frames 1, 2 by 2"))
        #expect(try problem([[("0/x/encoded", gray)], [("0/x/encoded", color)]]).contains("expected 4 bytes"))
        #expect(try problem([[("0/x/encoded", gray), ("0/y/encoded", gray)]]).contains("found only x, y"))
        #expect(try problem([[("0/x/encoded", gray)]], camera: "z").contains("expected pictures as 0/z/encoded"))
        #expect(try problem([[("a", gray)]]).contains("0/image_main/encoded, found only a"))
        #expect(try problem([[("0/x/encoded", picture([1, 2]))]]).contains("found 2 bytes"))
        #expect(try problem([[("0/x/encoded", picture([]))]]).contains("found 0 bytes"))
        #expect(try problem([[("0/x/encoded", picture([0xFF, 0xD8, 0xFF, 0]))]]).contains("found a JPEG image"))
        #expect(try problem([[("0/x/encoded", floats(1))]]).contains("expected one raw picture"))
        #expect(
            try problem([[("0/x/encoded", gray), ("1/x/encoded", gray), ("0/action", floats(2))]])
                .contains("expected 2 finite floats as 1/action"))
        #expect(
            try problem([[("0/x/encoded", gray), ("0/action", floats(2))], [("0/x/encoded", gray)]])
                .contains("example 1: expected VideoShape("))
        #expect(try problem([]).contains("expected examples, found no records"))
    }
}
