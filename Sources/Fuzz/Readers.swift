@_spi(Laboratory) import FastWeights

extension Reader {
    /// Every reader; `fixture` gives a file of the folder Fixtures by its path in it.
    static func all(fixture: (String) -> [UInt8]) -> [Reader] {
        func files(_ names: [String]) -> [[UInt8]] { names.map { fixture("files/" + $0) } }
        let arrays: [(name: String, shape: [Int], values: [Float])] = [
            ("a.weight", [2, 3], [1, 2, 3, 4, 5, 6]), ("b", [], [0.5]), ("c", [2, 0], []),
        ]
        return [
            Reader(
                name: "safetensors",
                seeds: [
                    SafeTensors.serialize(arrays, metadata: [("format", "pt"), ("ü", "\"\\\n")]),
                    SafeTensors.serialize([]), everyType,
                    SafeTensors.serialize([("a", [Int](repeating: 1, count: 600), [1])]),
                    fixture("softmax/one_class.safetensors"),
                ],
                words: [
                    "{", "}", "[", "]", ":", ",", "\"", "\\u0041", "\\ud800", "\"dtype\":\"F64\"", "\"shape\":[]",
                    "null",
                    "\"data_offsets\":[0,0]", "\"__metadata__\":{}", "BF16", "I64", "[[[[[[[[", "{\"a\":",
                ], allowance: 160,
                open: { bytes in
                    let file = try SafeTensors(bytes: bytes, source: "fuzz")
                    return { for name in file.names { try readAll(file, name) } }
                }, inside: [safeTensorsHeader]),
            Reader(
                name: "index", seeds: indices,
                words: [
                    "{", "}", "\"", ",", "\"weight_map\":{", "\"a\":\"1\"", "\"b\":\"2\"", "\"../1\"", "\"\"", "\"3\"",
                    "null",
                    "\"metadata\":{}", "[[[[[[[[",
                ],
                allowance: 160,
                open: { bytes in
                    // Whatever the index says, only its two files are there.
                    let file = try SafeTensors(index: bytes, source: "fuzz/index.json") { part in
                        try check(!part.isEmpty && part != ".." && !part.contains("/"))
                        return indexParts[part]
                    }
                    return {
                        try check(Set(file.names).isSubset(of: ["a", "b", "c"]))
                        for name in file.names { try readAll(file, name) }
                    }
                }, inside: [{ $1($0) }]),
            Reader(
                name: "npy",
                seeds: files([
                    "f4.npy", "f2_big.npy", "i8.npy", "b1.npy", "scalar.npy", "vector.npy", "wide.npy", "empty.npy",
                    "columns.npy", "version_2.npy", "version_3.npy", "objects.npy", "records.npy",
                ]), words: numPyWords, allowance: 16, open: { try opened(NumPyArray(bytes: $0, source: "fuzz")) },
                inside: [numPyHeader]),
            Reader(
                name: "npz",
                seeds: files([
                    "stored.npz", "compressed.npz", "zipfile.npz", "no_arrays.npz", "bzip2.npz", "directory_64.npz",
                ]),
                words: numPyWords + [
                    "PK\u{1}\u{2}", "PK\u{3}\u{4}", "PK\u{5}\u{6}", "PK\u{6}\u{6}", "PK\u{6}\u{7}", ".npy",
                ],
                allowance: 1100,
                open: { bytes in
                    let archive = try NumPyArchive(bytes: bytes, source: "fuzz")
                    return { for name in archive.names { try opened(try archive.array(named: name))() } }
                }, inside: [zipEntries]),
            Reader(
                name: "torch",
                seeds: ["lstm", "protocol_4", "protocol_5", "big_endian", "types", "layouts", "checkpoint", "tied"]
                    .map { fixture("torch/\($0).pt") }, words: torchWords, allowance: 400,
                open: { bytes in
                    let file = try TorchFile(bytes: bytes, source: "fuzz")
                    return {
                        for name in file.names { try readAll(file, name) }
                        _ = try StateDictionary(file).network()
                    }
                },
                inside: [
                    pickle, { bytes, change in entries(bytes, change) { change($1) } },
                ]),
            Reader(
                name: "idx",
                seeds: files([
                    "idx3-ubyte", "idx3-sbyte", "idx3-short", "idx3-int", "idx3-float", "idx3-double", "idx0-int",
                    "idx1-ubyte.gz",
                ]), words: ["\0\0\u{8}\u{1}", "\0\0\u{E}\u{3}", "\u{1F}"], allowance: 3100,
                open: { bytes in
                    let file = try IDX(bytes: bytes, source: "fuzz")
                    return {
                        try check(file.floats.count == file.count && file.doubles.count == file.count)
                        if !file.type.isFloatingPoint { try check(file.integers().count == file.count) }
                    }
                }, inside: [{ $1($0) }]),
            Reader(
                name: "gzip",
                seeds: files([
                    "stored.gz", "fixed.gz", "huffman.gz", "runs.gz", "fields.gz", "members.gz", "empty.gz",
                    "idx1-ubyte.gz",
                ]), words: ["\u{1F}", "\u{8}\u{4}", "\u{8}\u{1F}"], allowance: 3100,
                open: { bytes in
                    let content = try Gzip.decompress(bytes, source: "fuzz")
                    return { try check(content.count <= 1032 * bytes.count) }
                }, inside: [{ $1($0) }]),
            Reader(
                name: "model", seeds: models, words: modelWords, allowance: 160,
                open: { bytes in
                    let file = try ModelFile(bytes: bytes, source: "fuzz")
                    return { try check(file.model.parameters.layout == file.model.configuration.layout) }
                }, inside: [metadata(["config", "task"])]),
        ] + videos(fixture: fixture) + networks(fixture: fixture)
    }

    /// A result that a reader may not give: neither success nor a typed error.
    private struct Wrong: Error {}

    static func check(_ isRight: Bool) throws {
        if !isRight { throw Wrong() }
    }

    private static func readAll(_ file: SafeTensors, _ name: String) throws {
        let tensor = try file.tensor(named: name)
        guard let type = tensor.dtype else {
            try check((try? file.floats(name)) == nil && (try? file.integers(name)) == nil)
            return
        }
        if type.isFloatingPoint {
            try check(file.floats(name).count == tensor.count && file.doubles(name).count == tensor.count)
        } else {
            try check(file.integers(name).count == tensor.count)
        }
    }

    private static func readAll(_ file: TorchFile, _ name: String) throws {
        let tensor = try file.tensor(named: name)
        // More numbers than a storage has are refused.
        guard let type = tensor.dtype, tensor.count <= 1 << 16 else {
            _ = try? file.floats(name)
            return
        }
        if type.isFloatingPoint {
            try check(file.floats(name).count == tensor.count && file.doubles(name).count == tensor.count)
        } else {
            try check(file.integers(name).count == tensor.count)
        }
    }

    private static func opened(_ array: NumPyArray) -> () throws -> Void {
        {
            let count = array.shape.reduce(1, *)
            try check(array.count == count && array.floats.count == count && array.doubles.count == count)
            if !array.dtype.isFloatingPoint { try check(array.integers().count == count) }
        }
    }
}

// MARK: - Files to start from

extension Reader {
    private static let numPyWords = [
        "'descr': '>f8'", "'fortran_order': True", "'shape': (2, 3)", "|O", "|b1", "<i2", "(", ")", "{", "}", ",", "'",
        "1, 1, 1, 1, 1, 1, 1, 1, ", "\n", "\u{2}", "\u{3}",
    ]
    private static let torchWords = [
        "collections\nOrderedDict\n", "ctorch\nFloatStorage\n", "ctorch\nByteStorage\n", "ctorch\nSize\n",
        "ctorch.storage\nUntypedStorage\n", "ctorch\nuint16\n", "ctorch\ndevice\n", "cos\nsystem\n",
        "ctorch._utils\n_rebuild_tensor_v2\n", "ctorch._utils\n_rebuild_tensor_v3\n",
        "ctorch._utils\n_rebuild_parameter\n", "(", "((((((((", ")R", "R", "t", "tR", "tQ", "b", "]", "]]]]]]]]", "}",
        "}b",
        "u", "s", "e", "a", ".", "N", "K\0", "K\u{1}", "K\u{3}", "h\0", "h\u{1}", "h\u{6}", "q\0", "X\u{1}\0\0\0a",
        "big", "little", "\u{3}\n",
    ]
    static let modelWords = [
        "\"layer\":\"lstm\"", "\"layer\":\"gru\"", "\"layer\":\"rnn\"", "\"layer\":\"fast_weights\"", "\"hidden\":2",
        "relu",
        "tanh", "true", "false", "null", "{", "}", "[", "]", ",", "\"", "\"layer_norm\":true",
        "\"separate_norms\":true", "\"layer\":\"associative_lstm\"", "\"copies\":3", "\"keys\":2",
        "\"inner_steps\":3", "\"normalise_first\":true",
    ]

    /// The files of a model in two, and indices of it.
    private static let indexParts = [
        "1": SafeTensors.serialize(
            [("a", [2], [1, 2]), ("b", [], [3])], metadata: [("format", "pt"), ("part", "1")]),
        "2": SafeTensors.serialize([("c", [1, 2], [4, 5])], metadata: [("format", "pt"), ("part", "2")]),
    ]
    private static let indices = [
        #"{"metadata": {"total_size": 20}, "weight_map": {"a": "1", "b": "1", "c": "2"}}"#,
        #"{"weight_map":{"a":"1","b":"1"}}"#, #"{"weight_map":{"c":"2"},"metadata":null}"#,
    ].map { Array($0.utf8) }

    /// A file with a tensor of each type, and of one that is not read.
    private static let everyType: [UInt8] = {
        var entries: [String] = []
        var end = 0
        for (type, width) in SafeTensors.DType.allCases.map({ ($0.rawValue, $0.width) }) + [("F8_E4M3", 1)] {
            let begin = end
            end += 3 * width
            entries.append(
                "\"\(type)\":{\"dtype\":\"\(type)\",\"shape\":[3],\"data_offsets\":[\(begin),\(end)]}")
        }
        return framed(Array("{\(entries.joined(separator: ","))}".utf8))
            + (0..<end).map { UInt8(truncatingIfNeeded: $0 * 37) }
    }()

    /// A small model of every kind.
    private static let models: [[UInt8]] = {
        let cells: [Layer] = [
            .irnn(2), .rnn(2, hasLayerNorm: true), .lstm(2), .lstm(2, hasLayerNorm: true), .gru(2), .fastWeights(2),
            .associativeLSTM(2, AssociativeLSTMOptions(copies: 2)),
            .fastWeights(2, FastWeightsOptions(innerSteps: 2, normalizesFirst: true, hasSeparateNorms: true)),
        ]
        guard let task = try? AssociativeRetrieval(pairs: 2) else { return [] }
        return cells.map { cell in
            let configuration = NetworkConfiguration(
                .tokens(AssociativeRetrieval.vocabulary),
                [.embedding(1), cell, .lastStep, .dense(3, activation: .relu), .dense(AssociativeRetrieval.classes)])
            return ModelFile(Network(configuration, seed: 1), task: task).serialized()
        }
    }()
}

// MARK: - Changes behind the lengths

extension Reader {
    /// A safetensors header with its length.
    private static func framed(_ header: [UInt8]) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) } + header
    }

    /// Changes the header of a safetensors file.
    static func safeTensorsHeader(_ bytes: [UInt8], _ change: ([UInt8]) -> [UInt8]) -> [UInt8] {
        let end = 8 + Int(bytes[0]) + Int(bytes[1]) << 8 + Int(bytes[2]) << 16
        return framed(change(Array(bytes[8..<end]))) + bytes[end...]
    }

    /// Changes the header of a NumPy array, and keeps the line feed at its end.
    private static func numPyHeader(_ bytes: [UInt8], _ change: ([UInt8]) -> [UInt8]) -> [UInt8] {
        let width = bytes[6] == 1 ? 2 : 4
        let start = 8 + width
        let end = start + Int(bytes[8]) + Int(bytes[9]) << 8
        let header = change(Array(bytes[start..<end - 1])) + [0x0A]
        let length = (0..<width).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
        return bytes[..<8] + length + header + bytes[end...]
    }

    /// Changes what the entries of an archive hold, each behind its own header and with a right checksum.
    static func zipEntries(_ bytes: [UInt8], _ change: ([UInt8]) -> [UInt8]) -> [UInt8] {
        entries(bytes, change) { _, content in numPyHeader(content, change) }
    }

    /// Changes the pickle in a file of torch.save.
    private static func pickle(_ bytes: [UInt8], _ change: ([UInt8]) -> [UInt8]) -> [UInt8] {
        entries(bytes, change) { name, content in name.hasSuffix(".pkl") ? change(content) : content }
    }

    private static func entries(
        _ bytes: [UInt8], _ change: ([UInt8]) -> [UInt8], _ content: (_ name: String, [UInt8]) -> [UInt8]
    ) -> [UInt8] {
        guard let archive = try? ZipArchive(bytes: bytes, source: "fuzz") else { return change(bytes) }
        return ZipArchive.serialize(
            archive.entries.map { entry in
                (entry.name, (try? archive.content(of: entry)).map { content(entry.name, $0) } ?? [])
            })
    }

    /// Changes the values of these keys in the metadata of a safetensors file.
    static func metadata(_ keys: [String]) -> Inside {
        { bytes, change in
            guard let file = try? SafeTensors(bytes: bytes, source: "fuzz") else { return bytes }
            let tensors = file.names.compactMap { name -> (name: String, shape: [Int], values: [Float])? in
                guard let tensor = try? file.tensor(named: name), let values = try? file.floats(name) else {
                    return nil
                }
                return (name, tensor.shape, values)
            }
            let metadata = file.metadata.sorted { $0.key < $1.key }.map { key, text in
                (key, keys.contains(key) ? String(decoding: change(Array(text.utf8)), as: UTF8.self) : text)
            }
            return SafeTensors.serialize(tensors, metadata: metadata)
        }
    }
}
