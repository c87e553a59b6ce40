import Testing

@testable @_spi(Laboratory) import FastWeights

/// Pictures that Pillow and zlib wrote, our own, and such as nobody should write.
@Suite struct PNGTests {
    private static let (height, width) = (6, 5)

    /// The byte of Fixtures/pictures.py in channel c of the pixel (y, x).
    private static func pixels(_ channels: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                for c in 0..<channels { bytes.append(UInt8((37 * y * y + 11 * x * c + 5 * x + 29 * c) % 256)) }
            }
        }
        return bytes
    }

    private static func read(_ name: String) throws -> PNG { try PNG(path: "\(GoldenTests.directory)/files/\(name)") }

    @Test(arguments: [
        ("gray.png", 1), ("gray_alpha.png", 2), ("rgb.png", 3), ("rgba.png", 4), ("filters_1.png", 1),
        ("filters_2.png", 2), ("filters_3.png", 3), ("filters_4.png", 4),
    ])
    func readsEveryKindAndFilter(name: String, channels: Int) throws {
        let picture = try Self.read(name)
        #expect(
            picture == PNG(width: Self.width, height: Self.height, channels: channels, pixels: Self.pixels(channels)))
    }

    @Test func palettesBecomeColors() throws {
        let entries = (0..<Self.height).flatMap { y in (0..<Self.width).map { x in (x + 3 * y) % 7 } }
        func color(_ i: Int) -> [UInt8] { [40 * i, 255 - 30 * i, 17 * i].map { UInt8(truncatingIfNeeded: $0) } }
        let plain = try Self.read("palette.png")
        #expect(plain.channels == 3 && plain.pixels == entries.flatMap { color($0) })
        let alphas: [UInt8] = [0, 100, 200]
        let clear = try Self.read("palette_alpha.png")
        #expect(clear.channels == 4)
        #expect(clear.pixels == entries.flatMap { color($0) + [$0 < 3 ? alphas[$0] : 255] })
    }

    @Test func whatIsWrittenIsReadAgain() throws {
        for channels in 1...4 {
            let picture = PNG(
                width: Self.width, height: Self.height, channels: channels, pixels: Self.pixels(channels))
            #expect(try PNG(bytes: picture.serialized(), source: "a") == picture)
        }
        // Bytes of which none follows from others: more than one stored block, each of 65,535 bytes.
        var random = Random(seed: 1)
        let noise = (0..<300 * 301 * 3).map { _ in UInt8(random.below(256)) }
        let large = PNG(width: 300, height: 301, channels: 3, pixels: noise)
        try TemporaryFolder.with { folder in
            try large.write(to: folder + "/large.png")
            #expect(try PNG(path: folder + "/large.png") == large)
            #expect(try Files.read(folder + "/large.png").count < noise.count + 301 + 200)
        }
    }

    // MARK: - Compression

    /// Every length and distance there is a code for, those at the ends of their codes' ranges among them.
    @Test func repeatsOfAllLengthsAndDistances() throws {
        var random = Random(seed: 2)
        for distance in [1, 2, 3, 4, 5, 8, 9, 256, 257, 4096, 16_384, 16_385, 32_767, 32_768, 32_769] {
            for length in [2, 3, 4, 10, 11, 12, 13, 114, 115, 130, 131, 257, 258, 259, 517] {
                var bytes = (0..<distance).map { _ in UInt8(random.below(256)) }
                for _ in 0..<length { bytes.append(bytes[bytes.count - distance]) }
                let stream = Deflate.compress(bytes)
                var content: [UInt8] = []
                let end = try Inflate.inflate(stream, 0..<stream.count, limit: bytes.count, into: &content)
                #expect(end == stream.count && content == bytes, "\(length) from \(distance) before")
                // Found wherever the format reaches, and not sooner than it pays.
                let literals = Deflate.compress((0..<distance).map { bytes[$0] }).count
                if length > 11, distance <= 32_768 { #expect(stream.count < literals + 3 + 4 * (1 + length / 258)) }
            }
        }
    }

    @Test func whatRepeatsIsShort() throws {
        #expect(Zlib.compress([]) == [0x78, 0x01, 3, 0, 0, 0, 0, 1])
        #expect(Zlib.compress([UInt8](repeating: 7, count: 100_000)).count < 700)
        // Each row is the one above and 5 more; a clip's background is as smooth.
        var pixels: [UInt8] = []
        for y in 0..<64 {
            for x in 0..<192 { pixels.append(UInt8((5 * y + x) % 256)) }
        }
        let slope = PNG(width: 64, height: 64, channels: 3, pixels: pixels)
        #expect(slope.serialized().count < 500 && slope.serialized() == slope.serialized())
        #expect(try PNG(bytes: slope.serialized(), source: "a") == slope)
    }

    /// A row that is all zeros behind a filter is written with that filter, the first of several.
    @Test func filtersAreChosenByTheirDifferences() throws {
        func filters(_ rows: [[UInt8]], step: Int) -> [UInt8] {
            let bytes = PNGFilter.apply(to: rows.flatMap { $0 }, row: rows[0].count, step: step)
            return stride(from: 0, to: bytes.count, by: rows[0].count + 1).map { bytes[$0] }
        }
        #expect(filters([[0, 0, 0, 0], [9, 9, 9, 9], [9, 9, 9, 9]], step: 1) == [0, 1, 2])
        // Halves of left and above.
        #expect(filters([[80, 80, 80, 80], [40, 60, 70, 75]], step: 1) == [1, 3])
        #expect(filters([[100, 50, 101, 51], [100, 50, 101, 51]], step: 2) == [1, 2])
        // Now the left one, now the one above.
        #expect(filters([[10, 10, 10, 60, 60], [30, 30, 30, 60, 60]], step: 1) == [1, 4])
    }

    // MARK: - Hostile files

    private typealias Chunk = (name: String, content: [UInt8])

    private static func file(_ chunks: [Chunk]) -> [UInt8] {
        PNG.serialize(chunks.map { (Array($0.name.utf8), $0.content) })
    }

    private static func header(
        _ width: UInt32, _ height: UInt32, depth: UInt8 = 8, color: UInt8 = 0, _ rest: [UInt8] = [0, 0, 0]
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(width)
        bytes.appendBigEndian(height)
        return bytes + [depth, color] + rest
    }

    private func fault(_ chunks: [Chunk]) -> FormatError? {
        FileFixtures.fault { try PNG(bytes: Self.file(chunks), source: "a.png") }
    }

    private static let rows = Zlib.stored([0, 1, 2, 0, 3, 4])

    @Test func theFileOfTheseTestsIsGood() throws {
        let bytes = Self.file([("IHDR", Self.header(2, 2)), ("IDAT", Self.rows), ("IEND", [])])
        #expect(try PNG(bytes: bytes, source: "a") == PNG(width: 2, height: 2, channels: 1, pixels: [1, 2, 3, 4]))
    }

    /// Of left and above + left - corner as near to both the left one, of above and the corner the one above.
    @Test(arguments: [([100, 90], 20, 125), ([100, 80], 10, 85)] as [([UInt8], UInt8, UInt8)])
    func equalsOfPaethAreTakenInTurn(first: [UInt8], step: UInt8, expected: UInt8) throws {
        let rows = Zlib.stored([0] + first + [4, step, 5])
        let bytes = Self.file([("IHDR", Self.header(2, 2)), ("IDAT", rows), ("IEND", [])])
        #expect(try PNG(bytes: bytes, source: "a").pixels == first + [first[0] + step, expected])
    }

    @Test func whatIsNotReadIsNamed() throws {
        #expect(
            FileFixtures.fault { try Self.read("deep.png") }?.description.contains(
                "expected 8 bits a channel, found 16. Write it again with 8 bits: ffmpeg -i FILE") == true)
        #expect(FileFixtures.fault { try Self.read("bits.png") }?.found == "1")
        let interlaced = fault([("IHDR", Self.header(2, 2, [0, 0, 1])), ("IDAT", Self.rows), ("IEND", [])])
        #expect(interlaced?.reason == .unsupported && interlaced?.found == "an interlaced picture")
        let animated = fault([
            ("IHDR", Self.header(2, 2)), ("acTL", [0, 0, 0, 2, 0, 0, 0, 0]), ("IDAT", Self.rows), ("IEND", []),
        ])
        #expect(animated?.found == "an animation" && animated?.advice?.contains("ffmpeg") == true)
        let keyed = fault([("IHDR", Self.header(2, 2)), ("tRNS", [0, 3]), ("IDAT", Self.rows), ("IEND", [])])
        #expect(keyed?.reason == .unsupported && keyed?.found == "one transparent color")
        let unknown = fault([("IHDR", Self.header(2, 2)), ("ABCD", []), ("IDAT", Self.rows), ("IEND", [])])
        #expect(unknown?.reason == .unsupported && unknown?.found == "ABCD")
        let others: [(bytes: [UInt8], found: String)] = [
            ([0xFF, 0xD8, 0xFF, 0xE0], "a JPEG image"), (Array("GIF89a".utf8), "a GIF"),
        ]
        for (bytes, found) in others {
            let fault = FileFixtures.fault { try PNG(bytes: bytes, source: "a") }
            #expect(fault?.reason == .signature && fault?.found == found && fault?.advice?.contains("ffmpeg") == true)
        }
    }

    @Test func everyByteIsChecked() throws {
        let bytes = try FileFixtures.read("filters_3.png")
        for i in bytes.indices {
            var changed = bytes
            changed[i] ^= 0x10
            #expect(FileFixtures.fault { try PNG(bytes: changed, source: "a") } != nil, "byte \(i)")
        }
        for length in bytes.indices {
            let fault = FileFixtures.fault { try PNG(bytes: Array(bytes[..<length]), source: "a") }
            #expect(fault?.reason == (length < 8 ? .signature : .truncated), "\(length) bytes")
        }
        #expect(FileFixtures.fault { try PNG(bytes: bytes + [0], source: "a") }?.reason == .size)
    }

    @Test func chunksHaveTheirPlaces() {
        let header: Chunk = ("IHDR", Self.header(2, 2))
        let indexed: Chunk = ("IHDR", Self.header(2, 2, color: 3))
        let rows: Chunk = ("IDAT", Self.rows)
        let color: Chunk = ("PLTE", [UInt8](repeating: 9, count: 6))
        let end: Chunk = ("IEND", [])
        #expect(fault([rows, header, end])?.reason == .header)
        #expect(fault([header, header, rows, end])?.reason == .header)
        #expect(fault([header, rows, ("tEXt", [65, 0]), rows, end])?.found == "tEXt between them")
        #expect(fault([header, rows, ("IEND", [1])])?.reason == .size)
        #expect(fault([indexed, rows, end])?.expected == "a chunk PLTE before IDAT")
        #expect(fault([indexed, rows, color, end])?.found == "one behind it")
        #expect(fault([indexed, color, color, rows, end])?.found == "another one")
        #expect(fault([indexed, ("PLTE", [1, 2]), rows, end])?.reason == .header)
        #expect(fault([indexed, ("PLTE", []), rows, end])?.reason == .header)
        #expect(fault([indexed, color, ("tRNS", [1, 2, 3]), rows, end])?.reason == .header)
        #expect(fault([indexed, color, rows, end])?.description.contains("the palette's 2 entries, found 2") == true)
        #expect(fault([("IHDR", [0, 0, 0, 1]), rows, end])?.expected == "13 bytes in IHDR")
        #expect(fault([header, ("12ab", []), rows, end])?.reason == .header)
        #expect(fault([header, end])?.reason == .truncated)
    }

    @Test func headersMustBePossible() {
        func reason(_ header: [UInt8]) -> FormatError.Reason? {
            fault([("IHDR", header), ("IDAT", Self.rows), ("IEND", [])])?.reason
        }
        for (width, height) in [(0, 2), (2, 0), (UInt32.max, UInt32.max), (1 << 14, 1 << 13)] as [(UInt32, UInt32)] {
            #expect(reason(Self.header(width, height)) == .size)
        }
        #expect(reason(Self.header(2, 2, depth: 3)) == .header)
        #expect(reason(Self.header(2, 2, color: 5)) == .header)
        for rest: [UInt8] in [[1, 0, 0], [0, 1, 0], [0, 0, 2]] { #expect(reason(Self.header(2, 2, rest)) == .header) }
        // More pixels than so few bytes can stand for, and other numbers of them than there are.
        #expect(reason(Self.header(8000, 8000)) == .size)
        #expect(reason(Self.header(2, 3)) == .size && reason(Self.header(2, 1)) == .size)
    }

    @Test func compressedDataMustBeWhole() {
        func fault(_ data: [UInt8]) -> FormatError? {
            self.fault([("IHDR", Self.header(2, 2)), ("IDAT", data), ("IEND", [])])
        }
        #expect(fault([])?.reason == .truncated)
        var checksum = Self.rows
        checksum[checksum.count - 1] ^= 1
        #expect(fault(checksum)?.description.contains("the Adler-32 0x") == true)
        var method = Self.rows
        method[0] = 0x77
        #expect(fault(method)?.reason == .compression)
        var dictionary = Self.rows
        (dictionary[0], dictionary[1]) = (0x78, 0x20)
        #expect(fault(dictionary)?.reason == .compression)
        #expect(fault(Self.rows.dropLast(4) + [0] + Self.rows.suffix(4))?.reason == .size)
        #expect(fault(Zlib.stored([5, 1, 2, 0, 3, 4]))?.found == "5")
    }

    @Test func checksumsOfTheStandards() {
        let digits = Array("123456789".utf8)
        #expect(Zlib.adler32(digits) == 0x091E_01DE && Zlib.adler32([]) == 1)
        #expect(CRC32.checksum(digits) == 0xCBF4_3926 && CRC32.castagnoli(digits[...]) == 0xE306_9283)
        // As many bytes of 255 as bring the sums to their largest before they are reduced.
        let many = [UInt8](repeating: 255, count: 20_000)
        var (low, high) = (1, 0)
        for byte in many {
            low = (low + Int(byte)) % 65521
            high = (high + low) % 65521
        }
        #expect(Zlib.adler32(many) == UInt32(high << 16 | low))
    }
}
