@_spi(Laboratory) import FastWeights

extension Reader {
    /// The readers of clips: pictures and TensorFlow's records.
    static func videos(fixture: (String) -> [UInt8]) -> [Reader] {
        let pictures = [
            "gray", "gray_alpha", "rgb", "rgba", "palette", "palette_alpha", "filters_1", "filters_3", "filters_4",
            "deep",
        ].map { fixture("files/\($0).png") }
        let records = fixture("files/clips.tfrecord")
        return [
            Reader(
                name: "png", seeds: pictures,
                words: [
                    "IHDR", "PLTE", "tRNS", "IDAT", "IEND", "acTL", "tEXt", "\0\0\0\0", "\u{8}\u{3}", "\u{8}\u{6}",
                ],
                // As many bytes as deflate may stand for, and four times as many where they are entries of a palette.
                allowance: 5 * 1032 + 140,
                open: { bytes in
                    let picture = try PNG(bytes: bytes, source: "fuzz")
                    return {
                        try check(picture.pixels.count == picture.width * picture.height * picture.channels)
                        guard picture.pixels.count < 1 << 16 else { return }
                        try check(PNG(bytes: picture.serialized(), source: "fuzz") == picture)
                    }
                }, inside: [chunk, rows],
                seal: { sealed($0) }),
            Reader(
                name: "tfrecord",
                seeds: [records, small, TensorFlowRecords.serialize([]), TensorFlowRecords.serialize([[], [], []])],
                words: ["\u{A}", "\u{12}", "\u{1A}", "\u{A}\u{1}a", "\u{8}\u{1}", "\u{D}", "0/action"],
                allowance: 160,
                open: { bytes in
                    let file = try TensorFlowRecords(bytes: bytes, source: "fuzz")
                    let examples = try (0..<file.count).map { try file.example($0) }
                    return {
                        try check(16 * file.count <= bytes.count && examples.count == file.count)
                        for (i, example) in examples.enumerated() {
                            try check(example.features.count <= file.record(i).count)
                        }
                    }
                }, inside: [record]),
        ]
    }

    /// A record with a list of each kind.
    private static let small = TensorFlowRecords.serialize([
        [
            0x0A, 41, 0x0A, 10, 0x0A, 1, 0x61, 0x12, 5, 0x0A, 3, 0x0A, 1, 7, 0x0A, 14, 0x0A, 1, 0x62, 0x12, 9, 0x12, 7,
            0x0D, 0, 0, 0x80, 0x3F, 0x0A, 0, 0x0A, 11, 0x0A, 1, 0x63, 0x12, 6, 0x1A, 4, 0x0A, 2, 5, 6,
        ]
    ])

    // MARK: - Changes behind the lengths

    /// The chunks of a picture, as far as they are there: where the name begins, and the content.
    private static func chunks(_ bytes: [UInt8]) -> [(name: Int, content: Range<Int>)] {
        var chunks: [(name: Int, content: Range<Int>)] = []
        var position = 8
        while bytes.count - position >= 12 {
            let length = bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
            guard length <= bytes.count - position - 12 else { break }
            chunks.append((position + 4, position + 8..<position + 8 + length))
            position += 12 + length
        }
        return chunks
    }

    /// Changes what the longest chunk holds, or the first, the header.
    private static func chunk(_ bytes: [UInt8], _ change: ([UInt8]) -> [UInt8]) -> [UInt8] {
        let all = chunks(bytes)
        let longest = all.max { $0.content.count < $1.content.count }?.name
        return PNG.serialize(
            all.map { name, content in
                let isChosen = name == (bytes.count % 2 == 0 ? all[0].name : longest)
                return (Array(bytes[name..<name + 4]), isChosen ? change(Array(bytes[content])) : Array(bytes[content]))
            })
    }

    /// Changes the filtered rows, which then are stored in a chunk of their own.
    private static func rows(_ bytes: [UInt8], _ change: ([UInt8]) -> [UInt8]) -> [UInt8] {
        let data = Array("IDAT".utf8)
        let all = chunks(bytes).map { (name: Array(bytes[$0.name..<$0.name + 4]), content: Array(bytes[$0.content])) }
        guard let picture = try? PNG(bytes: bytes, source: "fuzz") else { return change(bytes) }
        let isIndexed = all.contains { $0.name == Array("PLTE".utf8) }
        let size = picture.height * (picture.width * (isIndexed ? 1 : picture.channels) + 1)
        let compressed = all.filter { $0.name == data }.flatMap(\.content)
        guard let rows = try? Zlib.decompress(compressed, size: size, source: "fuzz") else { return change(bytes) }
        return PNG.serialize(
            all.dropLast().filter { $0.name != data } + [(data, Zlib.stored(change(rows))), all[all.count - 1]])
    }

    /// A picture whose chunks have their checksums, as far as there are chunks.
    private static func sealed(_ bytes: [UInt8]) -> [UInt8] {
        let all = chunks(bytes)
        let end = all.last.map { $0.content.upperBound + 4 } ?? 8
        return PNG.serialize(all.map { (Array(bytes[$0.name..<$0.name + 4]), Array(bytes[$0.content])) })
            + bytes.dropFirst(end)
    }

    /// Changes a record, and leaves those behind it.
    private static func record(_ bytes: [UInt8], _ change: ([UInt8]) -> [UInt8]) -> [UInt8] {
        guard let file = try? TensorFlowRecords(bytes: bytes, source: "fuzz"), file.count > 0,
            let records = try? (0..<file.count).map({ Array(try file.record($0)) })
        else { return change(bytes) }
        return TensorFlowRecords.serialize([change(records[0])] + records.dropFirst())
    }
}
