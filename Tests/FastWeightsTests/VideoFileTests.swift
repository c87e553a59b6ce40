import Testing

@testable @_spi(Laboratory) import FastWeights

/// Somebody's own clips: what they are taken for, and what is refused because it could be more than one thing.
@Suite struct VideoFileTests {
    private let folder = TemporaryFolder()

    /// A file of bytes whose index follows from its place.
    private func write(_ shape: [Int], to name: String, _ value: (Int) -> UInt8 = { UInt8($0 % 256) }) throws -> String
    {
        let path = folder.path(name)
        let bytes = NumPyHeader.serialize(.uint8, shape: shape) + (0..<shape.reduce(1, *)).map(value)
        try Files.writeAtomically(bytes, to: path)
        return path
    }

    private func problem(_ path: String, _ options: VideoFileOptions = VideoFileOptions()) -> String {
        do {
            return "read as \(try VideoClips(path: path, options).source)"
        } catch let error as VideoError {
            return error.description
        } catch { return "\(error)" }
    }

    private func bytes(_ clip: VideoClip) -> [UInt8] {
        guard case .bytes(let bytes) = clip.pixels else { return [] }
        return bytes
    }

    // MARK: - Arrays

    @Test func movingMNISTHasTimeFirst() throws {
        let path = try write([20, 7, 8, 8], to: "mnist_test_seq.npy")
        let clips = try VideoClips(path: path)
        #expect(clips.count == 7)
        #expect(clips.shape == VideoShape(frames: 20, maps: MapShape(channels: 1, height: 8, width: 8)))
        #expect(clips.source == "\(path), taken for TBHW: clips 7, frames 20, channels 1, 8 by 8")
        for b in [0, 6] {
            let expected = (0..<20).flatMap { t in (0..<64).map { UInt8(((t * 7 + b) * 64 + $0) % 256) } }
            #expect(bytes(clips[b]) == expected)
        }
    }

    /// Byte (b, t, c, h, w) of each layout, wherever its axes are.
    @Test(arguments: [
        ("BTCHW", [4, 5, 3, 6, 7]), ("BTHWC", [4, 5, 6, 7, 3]), ("TCHW", [5, 3, 6, 7]), ("THWC", [5, 6, 7, 1]),
        ("THW", [5, 6, 7]), ("BTHW", [4, 5, 6, 7]), ("TBHW", [5, 4, 6, 7]), ("TBCHW", [5, 4, 2, 6, 7]),
        ("CBTHW", [3, 4, 5, 6, 7]),
    ])
    func layouts(layout: String, shape: [Int]) throws {
        let path = try write(shape, to: "\(layout).npy")
        let known = ["BTCHW", "BTHWC", "TCHW", "THWC", "THW"].contains(layout)
        let options = known ? VideoFileOptions() : VideoFileOptions(layout: VideoLayout(layout))
        let clips = try VideoClips(path: path, options)
        let sizes = Dictionary(uniqueKeysWithValues: zip(layout, shape))
        let (B, T, C) = (sizes["B"] ?? 1, 5, sizes["C"] ?? 1)
        #expect(clips.count == B && clips.shape.frames == T)
        #expect(clips.shape.maps == MapShape(channels: C, height: 6, width: 7))
        for b in 0..<B {
            var expected: [UInt8] = []
            for t in 0..<T {
                for c in 0..<C {
                    for h in 0..<6 {
                        for w in 0..<7 {
                            let place: [Character: Int] = ["B": b, "T": t, "C": c, "H": h, "W": w]
                            let index = zip(layout, shape).reduce(0) { $0 * $1.1 + place[$1.0]! }
                            expected.append(UInt8(index % 256))
                        }
                    }
                }
            }
            #expect(bytes(clips[b]) == expected)
        }
    }

    @Test(arguments: [
        [4, 5, 6, 7], [20, 20, 8, 8], [20, 7, 8, 9], [4, 5, 3, 6, 3], [4, 5, 6, 7, 8], [5, 3, 6, 3], [6, 7, 3], [6, 7],
        [4],
    ])
    func ambiguousShapesAreRefused(shape: [Int]) throws {
        let sentence = problem(try write(shape, to: "clips.npy"))
        #expect(sentence.contains("says what its axes are") && sentence.contains("found \(shape)"), "\(sentence)")
        #expect(sentence.contains("--layout BTHW"))
    }

    @Test func layoutsThatCannotBe() throws {
        for text in ["", "BTHWX", "BTTHW", "BTCH", "bthw"] { #expect(VideoLayout(text) == nil, "\(text)") }
        let path = try write([4, 5, 6, 7], to: "clips.npy")
        #expect(
            problem(path, VideoFileOptions(layout: VideoLayout("BTCHW")))
                == "\(path): expected an array of BTCHW, none of its sizes 0, found [4, 5, 6, 7]")
        let empty = try write([0, 5, 1, 6, 7], to: "empty.npy")
        #expect(problem(empty).hasSuffix("found [0, 5, 1, 6, 7]"))
    }

    @Test func floatsAreFrom0To1() throws {
        let path = folder.path("clips.npy")
        let values = (0..<2 * 3 * 1 * 2 * 2).map { Float($0) / 23 }
        try NumPyArray.write(shape: [2, 3, 1, 2, 2], values: values, to: path)
        #expect(try VideoClips(path: path).batch([1], from: 2).frames == Array(values[20...]))
        for wrong in [-0.5, 1.001, 255, .nan, .infinity] as [Float] {
            try NumPyArray.write(shape: [2, 3, 1, 2, 2], values: values.dropLast() + [wrong], to: path)
            #expect(problem(path).contains("expected floats from 0 to 1, found \(wrong)."))
        }
        #expect(problem(try write([2, 3, 1, 2, 2], to: "binary.npy") { UInt8($0 % 2) }).contains("found none above 1"))
        try Files.writeAtomically(
            NumPyArray.serialize(shape: [1, 1, 1, 2, 2], integers: [1, 2, 3, 4]), to: folder.path("integers.npy"))
        #expect(problem(folder.path("integers.npy")).contains("found i8. Save them with .astype(\"uint8\")"))
    }

    /// A file in Fortran's order holds the same clips.
    @Test func columnsFirst() throws {
        let shape = [2, 3, 1, 4, 5]
        let plain = try VideoClips(path: try write(shape, to: "rows.npy"))
        let header = String(decoding: NumPyHeader.serialize(.uint8, shape: shape), as: Unicode.ASCII.self)
        var bytes = NumPyHeader.serialize(.uint8, shape: shape)
        // As many characters, so that the lengths stay.
        let order = try #require(header.firstRange(of: "False, "))
        let start = header.unicodeScalars.distance(from: header.startIndex, to: order.lowerBound)
        bytes.replaceSubrange(start..<start + 7, with: Array("True,  ".utf8))
        for w in 0..<5 {
            for h in 0..<4 {
                for t in 0..<3 {
                    for b in 0..<2 { bytes.append(UInt8(((b * 3 + t) * 4 + h) * 5 + w)) }
                }
            }
        }
        try Files.writeAtomically(bytes, to: folder.path("columns.npy"))
        let columns = try VideoClips(path: folder.path("columns.npy"))
        #expect(columns[0] == plain[0] && columns[1] == plain[1])
    }

    @Test func actionsAndStatesLieBeside() throws {
        let path = try write([2, 3, 1, 4, 4], to: "frames.npy")
        #expect(try VideoClips(path: path).shape.actions == 0)
        try NumPyArray.write(shape: [2, 3, 2], values: (0..<12).map { Float($0) }, to: folder.path("actions.npy"))
        try NumPyArray.write(shape: [2, 3, 1], values: (0..<6).map { Float(-$0) }, to: folder.path("states.npy"))
        let clips = try VideoClips(path: path)
        #expect(clips.shape.actions == 2 && clips.shape.states == 1)
        #expect(clips[1].actions == [6, 7, 8, 9, 10, 11] && clips[1].states == [-3, -4, -5])
        try NumPyArray.write(shape: [2, 2, 2], values: [Float](repeating: 0, count: 8), to: folder.path("actions.npy"))
        #expect(
            problem(path)
                == "\(folder.path("actions.npy")): expected the shape [2, 3, numbers per frame], as there are 2 clips of 3 frames, found [2, 2, 2]"
        )
        try NumPyArray.write(
            shape: [2, 3, 1], values: [0, 0, .nan, 0, 0, 0], to: folder.path("actions.npy"))
        #expect(problem(path).contains("expected finite numbers"))
    }

    @Test func archives() throws {
        let path = folder.path("clips.npz")
        let frames = (0..<2 * 3 * 1 * 2 * 2).map { Float($0) / 23 }
        func write(_ names: [String]) throws {
            try NumPyArchive.write(
                names.map { name in
                    name == "actions"
                        ? (name, [2, 3, 1], [1, 2, 3, 4, 5, 6]) : (name, [2, 3, 1, 2, 2], frames)
                }, to: path)
        }
        try write(["arr_0"])
        #expect(try VideoClips(path: path).source.hasPrefix("\(path), arr_0, taken for BTCHW"))
        try write(["other", "frames", "actions"])
        let clips = try VideoClips(path: path)
        #expect(clips.shape.actions == 1 && clips[1].actions == [4, 5, 6])
        try write(["a", "b"])
        #expect(
            problem(path).contains(
                "expected one array of frames, called frames, images, videos or alone, found only a, b"))
    }

    @Test func filesOfOtherKindsAreNamed() throws {
        for (name, content, found) in [
            ("clip.mp4", [0, 0, 0, 24] + Array("ftypisom0000".utf8), "found a video. Make a folder of PNGs"),
            ("clip.gif", Array("GIF89a......".utf8), "found a GIF. Make a folder"),
            ("clip.txt", Array("frame\n".utf8), "found a text"),
            ("clip.bin", [UInt8](repeating: 0xEE, count: 40), "records of TensorFlow, whose first"),
        ] {
            try Files.writeAtomically(content, to: folder.path(name))
            #expect(problem(folder.path(name)).contains(found), "\(problem(folder.path(name)))")
        }
        #expect(problem(folder.path("none")).contains("cannot read"))
    }
}
