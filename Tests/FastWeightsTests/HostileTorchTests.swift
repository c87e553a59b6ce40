import Testing

@testable @_spi(Laboratory) import FastWeights

/// Files of `torch.save` that are damaged, or made to harm: each ends in a sentence that says what is wrong and where.
@Suite struct HostileTorchTests {
    private typealias Bytes = TorchBytes

    private static let eight = [UInt8](repeating: 0, count: 8)
    private static func error(_ bytes: [UInt8]) -> FormatError? {
        FileFixtures.fault { try TorchFile(bytes: bytes, source: "f.pt") }
    }
    /// Expects a file with this pickle to be refused.
    private static func refuse(
        _ pickle: [UInt8], storages: [String: [UInt8]] = ["0": eight], _ reason: FormatError.Reason, _ phrase: String,
        start: [UInt8] = [0x80, 2], end: [UInt8] = [0x2E], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let fault = error(Bytes.file(pickle, storages: storages, start: start, end: end))
        #expect(fault?.reason == reason, "\(fault as Any)", sourceLocation: sourceLocation)
        let text = fault?.description ?? "nothing"
        #expect(text.contains(phrase) && text.hasPrefix("f.pt"), "\(text)", sourceLocation: sourceLocation)
    }

    private static let good = Bytes.dictionary([("w", Bytes.tensor("Float", [2], [1]))])

    /// What the rest is damaged from.
    @Test func theFileIsGoodBefore() throws {
        let file = try TorchFile(bytes: Bytes.file(Self.good, storages: ["0": Self.eight]), source: "f")
        #expect(try file.floats("w") == [0, 0])
    }

    // MARK: The archive

    @Test func damagedArchives() throws {
        let bytes = Bytes.file(Self.good, storages: ["0": Self.eight])
        let cut = Self.error(Array(bytes.dropLast(9)))
        #expect(cut?.reason == .signature && cut?.advice == FormatError.cutShort)
        var changed = bytes
        let entry = try ZipArchive(bytes: bytes, source: "f").entries.first { $0.name == "m/data/0" }
        changed[try #require(entry).data.lowerBound] = 1
        let sum = Self.error(changed)
        #expect(sum?.reason == .checksum && sum?.entry == "m/data/0")

        Self.refuse(
            Self.good, storages: [:], .missing, "\"m/data/0\": expected the numbers of a storage, found no such entry")
        Self.refuse(
            Self.good, storages: ["0": [1, 2, 3, 4]], .size,
            "\"m/data/0\": expected 2 numbers of 4 bytes, found 4 bytes")
        func archive(_ version: String?, _ order: String) -> String? {
            Self.error(Bytes.file(Self.good, storages: ["0": Self.eight], version: version, byteorder: order))?
                .description
        }
        #expect(archive(nil, "little")?.contains("\"m/version\": expected the archive's version") == true)
        #expect(archive("11", "little")?.contains("expected a version from 1 to 10, found 11") == true)
        #expect(archive("3\n", "middle")?.contains("\"m/byteorder\": expected little or big, found middle") == true)
        #expect(archive("3\n", "little") == nil)
        let other = Self.error(ZipArchive.serialize([("a/version", [0x33]), ("m/data.pkl", [])]))
        #expect(other?.entry == "a/data.pkl" && other?.reason == .missing)
    }

    /// A small file that unpacks to a large pickle.
    @Test func compressedEntriesAreRefused() throws {
        var bytes = Bytes.file(Self.good, storages: ["0": Self.eight])
        // The method stands behind the signature of each header, in the local ones at 8 and in the directory at 10.
        for place in bytes.indices.dropLast(12) where bytes[place...].starts(with: [0x50, 0x4B, 1, 2]) {
            bytes[place + 10] = 8
        }
        let fault = Self.error(bytes)
        #expect(fault?.reason == .unsupported && fault?.found == "compressed or encrypted ones")
    }

    @Test func otherFilesOfPyTorchAreToldApart() throws {
        for name in ["legacy.pt", "legacy_4.pt"] {
            let fault = FileFixtures.fault { try TorchFile(path: TorchFileTests.path(name)) }
            #expect(fault?.reason == .signature)
            #expect(fault?.found == "a PyTorch file, as torch.save wrote it before PyTorch 1.6")
            #expect(fault?.advice?.contains("torch.save(torch.load(\"") == true)
        }
        for (kind, bytes) in FileKindTests.files where kind != .torch {
            let fault = Self.error(bytes)
            #expect(fault?.reason == .signature && fault?.found == kind.name, "\(kind)")
            #expect(kind != .torchScript || fault?.advice?.contains("torch.jit.load(") == true)
        }
    }

    // MARK: What would run

    @Test func codeIsNamedAndNotRun() throws {
        let names = [
            ("os", "system"), ("builtins", "eval"), ("torch", "load"), ("torch", "ComplexFloatStorage"),
            ("torch._utils", "_rebuild_sparse_tensor"), ("collections", "Counter"), ("torch", "float"),
            ("torch._utils", "_rebuild_tensor_v2.__globals__"),
        ]
        for (module, name) in names {
            let call = Bytes.tuple([Bytes.text("true")]) + [0x52]
            let found = "found \(module).\(name), which is not run. Save tensors,"
            Self.refuse(Bytes.global(module, name) + call, .unsupported, found)
            Self.refuse(Bytes.text(module) + Bytes.text(name) + [0x93] + call, .unsupported, found)
        }
        for (name, found) in ["command": "posix.system", "module": "torch.nn.modules.rnn.LSTM"] {
            let fault = FileFixtures.fault { try TorchFile(path: TorchFileTests.path(name + ".pt")) }
            #expect(fault?.reason == .unsupported && fault?.entry == "archive/data.pkl")
            #expect(fault?.found == "\(found), which is not run")
            #expect(fault?.advice?.contains("torch.save(model.state_dict(), …)") == true)
        }
        // What may be named is not what may be called.
        for name in ["FloatStorage", "float32"] {
            Self.refuse(Bytes.global("torch", name) + [0x29, 0x52], .unsupported, "found a call of torch.\(name)")
        }
        for (code, name): (UInt8, String) in [(0x81, "NEWOBJ"), (0x69, "INST"), (0x6F, "OBJ"), (0x82, "EXT1")] {
            Self.refuse(
                [0x29, code], .unsupported,
                "an instruction that torch.save writes at byte 3 of the pickle, found \(name)")
        }
        Self.refuse([0x29, 0xFF], .unsupported, "found one that pickles do not have (0xFF)")
        Self.refuse(
            [0x5D, 0x7D, 0x62], .unsupported, "attributes of an OrderedDict alone at byte 4 of the pickle, found those")
    }

    // MARK: The pickle

    @Test func damagedPickles() {
        Self.refuse([], .header, "one value at the end at byte 2 of the pickle, found 0")
        Self.refuse([0x4E], .signature, "a pickle of protocol 2 to 5", start: [])
        Self.refuse([0x4E], .signature, "a pickle of protocol 2 to 5", start: [0x80, 6])
        Self.refuse([0x4E], .truncated, "1 bytes more at byte 3 of the pickle, found 0", end: [])
        Self.refuse(Bytes.text("word").dropLast(2), .truncated, "4 bytes more at byte 2", end: [])
        Self.refuse([0x58, 0xFF, 0xFF, 0xFF, 0xFF], .truncated, "4294967295 bytes more")
        Self.refuse([0x8D] + [UInt8](repeating: 0xFF, count: 8), .truncated, "18446744073709551615 bytes more")
        Self.refuse([0x8B, 0xFF, 0xFF, 0xFF, 0xFF], .truncated, "-1 bytes more")
        Self.refuse(Array("ctorch".utf8), .truncated, "a name that ends with a line feed")
        Self.refuse([0x8C, 2, 0xC3, 0x28], .header, "a text in UTF-8")
        Self.refuse(
            [0x4E], .size, "the end of the pickle at byte 3 of the pickle, found 1 bytes behind", end: [0x2E, 0])
        Self.refuse([0x4E, 0x4E], .header, "one value at the end at byte 4 of the pickle, found 2 and 0 marks")
        Self.refuse([0x4E, 0x28], .header, "found 1 and 1 marks")
        // Stack and memo.
        Self.refuse([0x85], .header, "1 values on the stack at byte 2 of the pickle, found 0")
        Self.refuse([0x4E, 0x28, 0x85], .header, "1 values on the stack at byte 4 of the pickle, found 0")
        Self.refuse([0x74], .header, "a mark on the stack")
        Self.refuse([0x5D, 0x28, 0x61], .header, "a value on the stack")
        Self.refuse([0x4E, 0x4E, 0x61], .header, "a list or a dictionary to add to")
        Self.refuse([0x5D, 0x4E, 0x4E, 0x73], .header, "a list or a dictionary to add to")
        Self.refuse([0x7D, 0x28, 0x4E, 0x75], .header, "keys with values")
        Self.refuse([0x68, 0], .header, "a value of the memo, which has 0 at byte 2 of the pickle, found number 0")
        Self.refuse(
            [0x4E, 0x71, 1], .header, "number 0 of the memo, or one before it at byte 3 of the pickle, found number 1")
        Self.refuse([0x4E, 0x72, 0xFF, 0xFF, 0xFF, 0xFF], .header, "found number 4294967295")
        Self.refuse([0x94], .header, "a value on the stack")
        Self.refuse([0x4E, 0x51], .header, "a tuple as persistent id")
        Self.refuse([0x4E, 0x4E, 0x93], .header, "the names of a module and of something in it")
        Self.refuse([0x4E, 0x29, 0x52], .header, "a name and its arguments")
        // Frames: beyond the end, one in another, and an instruction that leaves its own.
        func frame(_ count: UInt8) -> [UInt8] { [0x95, count, 0, 0, 0, 0, 0, 0, 0] }
        Self.refuse(frame(9) + [0x4E], .truncated, "9 bytes more at byte 2 of the pickle, found 2", start: [0x80, 4])
        Self.refuse(frame(11) + frame(1) + [0x4E], .size, "a frame behind the last", start: [0x80, 4])
        Self.refuse(frame(2) + [0x4D, 1, 2], .size, "within its frame, which ends at byte 13", start: [0x80, 4])
        #expect(Self.error(Bytes.file(frame(2) + [0x4E], start: [0x80, 4])) == nil)
        #expect(Self.error(Bytes.file(frame(1) + [0x4E] + frame(1), start: [0x80, 4])) == nil)
    }

    /// Depth, circles and containers in many places: some hundred bytes that stand for much more.
    @Test func nothingGrowsWithoutEnd() {
        let depth = TorchContent.depthLimit
        func nested(_ count: Int) -> [UInt8] {
            [UInt8](repeating: 0x5D, count: count) + [UInt8](repeating: 0x61, count: count - 1)
        }
        #expect(Self.error(Bytes.file(nested(depth + 1))) == nil)
        let phrase = "containers at most \(depth) deep, found deeper ones"
        Self.refuse(nested(depth + 2), .unsupported, phrase)
        Self.refuse(nested(200_000), .unsupported, phrase)
        Self.refuse([0x5D, 0x94, 0x68, 0, 0x61], .unsupported, phrase)
        Self.refuse([0x7D, 0x94] + Bytes.text("a") + [0x68, 0, 0x73], .unsupported, phrase)
        // Each list holds the one before ten times.
        var laughs: [UInt8] = [0x29, 0x94]
        for level in 0..<UInt8(30) {
            laughs += [0x28] + (0..<10).flatMap { _ in [0x68, level] as [UInt8] } + [0x74, 0x94]
        }
        Self.refuse([0x28] + laughs + [0x74], .size, "names and values of at most 32 bytes for each of the pickle's")
        // A long key in many places, and a long list.
        let word = Bytes.text(String(repeating: "k", count: 255)) + [0x94]
        let wide = [0x28] + word + [0x7D, 0x94, 0x28] + (0..<200).flatMap { [0x4B, $0, 0x68, 0] as [UInt8] } + [0x75]
        Self.refuse(
            wide + (0..<200).flatMap { _ in [0x7D, 0x68, 0, 0x68, 1, 0x73] as [UInt8] } + [0x74], .size,
            "containers that are in several places")
        // A parameter whose tensor is itself.
        let parameter = Bytes.global("torch._utils", "_rebuild_parameter") + [0x5D, 0x94, 0x85, 0x52, 0x94]
        Self.refuse(parameter, .header, "the arguments that torch.save writes")
    }

    // MARK: Tensors

    @Test func tensorsBeyondTheirStorage() {
        func refuse(
            _ offset: Int, _ shape: [Int], _ strides: [Int], count: Int = 2, _ phrase: String,
            sourceLocation: SourceLocation = #_sourceLocation
        ) {
            Self.refuse(
                Bytes.dictionary([
                    ("a", Bytes.tensor("Float", count: count, offset: offset, shape, strides))
                ]), .coverage, "\"a\": expected " + phrase, sourceLocation: sourceLocation)
        }
        let within = "numbers within a storage of 2, found offset "
        refuse(0, [3], [1], within + "0, sizes [3], strides [1]")
        refuse(1, [2], [1], within + "1, sizes [2], strides [1]")
        refuse(2, [1], [1], within + "2, sizes [1]")
        refuse(0, [2], [2], within + "0, sizes [2], strides [2]")
        refuse(0, [2, 2], [1, 1], within)
        refuse(.max, [2], [1], within)
        refuse(0, [3], [.max], within)
        refuse(0, [3, 3], [.max / 2, .max / 2], within)
        let positive = "an offset, sizes and strides from 0 on, found "
        refuse(1, [2], [-1], positive + "1, [2] and [-1]")
        refuse(-1, [2], [1], positive + "-1")
        refuse(0, [-2, -1], [1, 1], positive + "0, [-2, -1]")
        refuse(0, [1 << 40, 1 << 40], [0, 0], positive)
        #expect(
            Self.error(Bytes.file(Bytes.tensor("Float", count: 2, offset: 9, [0], [1]), storages: ["0": Self.eight]))
                == nil)
    }

    @Test func tensorsOfOtherForms() {
        func refuse(_ tensor: [UInt8], _ reason: FormatError.Reason, _ phrase: String) {
            Self.refuse(Bytes.dictionary([("a", tensor)]), reason, "\"a\": expected " + phrase)
        }
        refuse(Bytes.tensor("Float", [2], [1, 1]), .header, "the arguments that torch.save writes")
        let many = [Int](repeating: 1, count: 65)
        refuse(Bytes.tensor("Float", count: 2, many, many), .header, "the arguments")
        refuse(
            Bytes.tensor("Float", [2], [1], metadata: Bytes.dictionary([("neg", [0x88])])), .unsupported,
            "numbers as they are stored, found a negated or conjugated view. Save its resolve_neg()")
        refuse(Bytes.tensor("torch.storage.Untyped", count: 8, [2], [1]), .header, "the type of a storage")
        refuse(
            Bytes.tensor("Float", [2], [1], type: "uint16"), .header, "the storage of uint16 without a type")
        refuse(Bytes.global("torch._utils", "_rebuild_tensor_v2") + [0x29, 0x52], .header, "the arguments")
        refuse(Bytes.global("torch._utils", "_rebuild_parameter") + [0x4E, 0x85, 0x52], .header, "the arguments")
        refuse(Bytes.global("torch", "Size") + [0x29, 0x52], .header, "the arguments")
        Self.refuse(
            [0x7D, 0x29, 0x4E, 0x73], .unsupported, "expected texts and numbers as keys, found a tuple")
        Self.refuse(
            Bytes.dictionary([
                ("a.b", Bytes.tensor("Float", [2], [1])),
                ("a", Bytes.dictionary([("b", Bytes.tensor("Float", [2], [1]))])),
            ]), .duplicate, "\"a.b\": expected names that differ")
    }

    /// A tensor of one number that says it has a million: listed, and refused where its numbers are asked for.
    @Test func repeatedNumbersAreBounded() throws {
        func file(_ shape: [Int]) throws -> TorchFile {
            try TorchFile(
                bytes: Bytes.file(
                    Bytes.tensor("Float", count: 2, shape, shape.map { _ in 0 }), storages: ["0": Self.eight]),
                source: "f")
        }
        #expect(try file([1 << 10, 1 << 6]).floats("tensor").count == 1 << 16)
        let large = try file([1 << 20, 1 << 40])
        #expect(try large.tensor(named: "tensor").count == 1 << 60)
        for fault in [
            FileFixtures.fault { try large.floats("tensor") }, FileFixtures.fault { try large.doubles("tensor") },
        ] {
            #expect(fault?.reason == .size && fault?.advice == "Save the tensor's clone().")
        }
    }
}
