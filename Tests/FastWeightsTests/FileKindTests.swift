import Testing

@testable @_spi(Laboratory) import FastWeights

/// What users hand over by mistake: each is recognized by its first bytes, and every reader says which it is.
@Suite struct FileKindTests {
    private static func zip(_ names: String...) -> [UInt8] { ZipArchive.serialize(names.map { ($0, [1, 2, 3]) }) }

    /// A file of each kind; binary ones begin as those that PyTorch 2.15, h5py, onnx and others wrote.
    static let files: [(kind: FileKind, bytes: [UInt8])] = [
        (.safeTensors, SafeTensors.serialize([("a", [1], [1])])), (.safeTensors, SafeTensors.serialize([])),
        (
            .safeTensorsIndex,
            Array("{\"metadata\": {},\n \"weight_map\": {\"a\": \"model-00001-of-00002.safetensors\"}}".utf8)
        ),
        (.numPyArray, NumPyArray.serialize(shape: [1], values: [1])),
        (.numPyArchive, NumPyArchive.serialize([("a", [1], [1])])), (.numPyArchive, NumPyArchive.serialize([])),
        (.idx, [0, 0, 8, 3, 0, 0, 0xEA, 0x60, 0, 0, 0, 28, 0, 0, 0, 28]),
        (.gzip, [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]),
        (.compressed, Array("BZh91AY".utf8)), (.compressed, [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0, 0, 4]),
        (.compressed, [0x28, 0xB5, 0x2F, 0xFD, 4, 0, 0x49, 0]),
        (.zip, zip("folder/readme.txt")),
        (.torch, zip("real/data.pkl", "real/byteorder", "real/data/0", "real/version")),
        // Cut short, when only the first entry tells.
        (.torch, Array(zip("real/data.pkl", "real/data/0").dropLast(9))),
        (
            .legacyTorch,
            [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E, 0x80, 2, 0x4D]
        ),
        (.torchScript, zip("script/data/0", "script/data.pkl", "script/code/a.py", "script/constants.pkl")),
        (.torchScript, zip("script/data.pkl", "script/code/a.py")),
        (.pickle, [0x80, 4, 0x95, 7, 0, 0, 0, 0, 0, 0, 0, 0x7D, 0x94, 0x2E]),
        (.keras, zip("metadata.json", "config.json", "model.weights.h5")),
        (.hdf5, [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 0]),
        (.onnx, [8, 14, 0x12, 7] + Array("pytorch".utf8) + [0x3A, 5]), (.onnx, [8, 3, 0x3A, 5, 0x12, 1, 0x67]),
        (.gguf, Array("GGUF".utf8) + [3, 0, 0, 0]), (.tensorFlowLite, [0x1C, 0, 0, 0] + Array("TFL3".utf8)),
        (.png, PNG(width: 1, height: 1, channels: 1, pixels: [7]).serialized()),
        (.jpeg, [0xFF, 0xD8, 0xFF, 0xE0, 0, 0x10]), (.gif, Array("GIF89a".utf8)),
        (.video, [0, 0, 0, 0x20] + Array("ftypisom0000".utf8)), (.video, [0x1A, 0x45, 0xDF, 0xA3, 1]),
        (.video, Array("RIFF".utf8) + [0, 1, 2, 3] + Array("AVI LIST".utf8)),
        (
            .gitLFSPointer,
            Array("version https://git-lfs.github.com/spec/v1\noid sha256:0000\nsize 12345\n".utf8)
        ),
        (.webPage, Array("\n<!DOCTYPE html>\n<html>".utf8)), (.webPage, Array("<?xml version=\"1.0\"?><Error/>".utf8)),
        (.json, Array("{\"hidden_size\": 4}".utf8)), (.json, [0xEF, 0xBB, 0xBF] + Array("[1, 2]".utf8)),
        (.table, Array("1,2,3\n4,5,6\n".utf8)), (.table, Array("a\tb\r\n1\t2\r\n".utf8)),
        (.text, Array("Hello, reader; how are you?\nWell.\n".utf8)), (.text, Array("   \n".utf8)),
    ]

    @Test func everyKindIsRecognized() {
        for (kind, bytes) in Self.files { #expect(FileKind(bytes) == kind, "\(kind)") }
        #expect(FileKind.allCases.allSatisfy { kind in Self.files.contains { $0.kind == kind } })
        for unknown: [UInt8] in [
            [], [0], [0, 0, 7, 1], [7, 8, 9], [8, 1, 0x12, 4, 8, 1], [8, 14, 0, 0], [0x41, 0], [0x80, 4, 0],
            [UInt8](repeating: 0xFF, count: 64), Array("hello".utf8) + [0],
        ] { #expect(FileKind(unknown) == nil, "\(unknown)") }
        // The length of a header of safetensors may be any other kind's beginning.
        for first: [UInt8] in [[0x50, 0x4B, 3, 4], [8, 14, 0x12, 0], [0x1F, 0x8B, 0, 0]] {
            #expect(FileKind(first + [0, 0, 0, 0] + Array("{}".utf8)) == .safeTensors)
        }
    }

    @Test func aModelOfAnotherKindIsNamed() {
        for (kind, bytes) in Self.files where kind != .safeTensors {
            do {
                _ = try Network(SafeTensors(bytes: bytes, source: "folder.d/m"))
                Issue.record("\(kind) was read")
            } catch {
                #expect((error as? FormatError)?.reason == .signature)
                #expect(
                    "\(error)".hasPrefix("folder.d/m: expected a safetensors file, found \(kind.name)."), "\(error)")
                #expect(kind == .text || kind == .idx || (error as? FormatError)?.advice != nil, "\(kind)")
            }
        }
    }

    @Test func everyReaderNamesThem() {
        typealias Read = ([UInt8]) throws -> Void
        let readers: [(own: [FileKind], read: Read)] = [
            ([.numPyArray], { _ = try NumPyArray(bytes: $0, source: "f") }),
            ([.numPyArchive, .zip], { _ = try NumPyArchive(bytes: $0, source: "f") }),
            ([.numPyArchive, .zip, .torch, .torchScript, .keras], { _ = try ZipArchive(bytes: $0, source: "f") }),
            ([.gzip], { _ = try Gzip.decompress($0, source: "f") }),
            ([.idx, .gzip], { _ = try IDX(bytes: $0, source: "f") }),
            ([.png], { _ = try PNG(bytes: $0, source: "f") }),
            ([], { _ = try TensorFlowRecords(bytes: $0, source: "f") }),
        ]
        for (number, (own, read)) in readers.enumerated() {
            for (kind, bytes) in Self.files where !own.contains(kind) {
                let fault = FileFixtures.fault { try read(bytes) }
                #expect(fault?.reason == .signature && fault?.found == kind.name, "\(number), \(kind): \(fault as Any)")
            }
        }
    }

    @Test func whatIsToBeDoneIsSaid() {
        func advice(_ kind: FileKind, _ path: String) -> String { kind.advice(path: path) ?? "" }
        // The lines were run in PyTorch 2.15, with a path with a quote in it too.
        #expect(
            advice(.legacyTorch, "a.b/model.pt") == """
                Save it again in Python, in the form of today:
                    import torch
                    torch.save(torch.load("a.b/model.pt", map_location="cpu", weights_only=True), "a.b/model.new.pt")
                """)
        #expect(advice(.legacyTorch, "a.b/model").contains("\"a.b/model\", map") == true)
        #expect(advice(.legacyTorch, "a.b/model").hasSuffix("\"a.b/model.new.pt\")"))
        #expect(advice(.legacyTorch, "a\"b.pt").contains(#"torch.load("a\"b.pt", "#))
        #expect(advice(.torch, "m.pt").contains("Network(path:)"))
        // Of a video frames are made where clips are asked for, not where weights are.
        #expect(advice(.video, "m.mp4") == advice(.png, "m.png") && FileKind.video.remedy?.contains("ffmpeg") == true)
        #expect(advice(.torchScript, "m.pt").contains(#"torch.jit.load("m.pt", map_location="cpu").state_dict()"#))
        #expect(advice(.keras, "m.keras").hasSuffix(#"keras.models.load_model("m.keras").get_weights())"#))
        #expect(advice(.onnx, "m.onnx").contains(#"onnx.load("m.onnx").graph.initializer"#))
        #expect(advice(.numPyArchive, "m.npz").hasSuffix(#"save_file(dict(numpy.load("m.npz")), "m.safetensors")"#))
        #expect(advice(.gitLFSPointer, "m") == "Fetch the file itself with git lfs pull.")
        #expect(advice(.webPage, "m").contains("/resolve/"))
        // Where no tensors are expected, only what makes the right file of it.
        let fault = FileFixtures.fault { try IDX(bytes: NumPyArray.serialize(shape: [], values: [1]), source: "f") }
        #expect(
            fault?.description
                == "f: expected an IDX file, which begins with two zero bytes, found an array of NumPy, .npy.")
    }

    /// What is not asked for is listed by `info` and stands in no run's way.
    @Test func tensorsOfOtherTypesBesideAreListed() throws {
        try TemporaryFolder.with { folder in
            let network = Network(NetworkConfiguration.stack(.gru, input: 2, hidden: 3), seed: 1)
            // The same file with a tensor more, whose two bytes stand behind the others.
            let bytes = SafeTensors.serialize(network.tensors(prefix: "rnn."))
            let end = 8 + Int(bytes.littleEndian(UInt64.self, at: 0))
            let size = bytes.count - end
            let header = String(decoding: bytes[8..<end], as: UTF8.self).prefix { $0 != " " }.dropLast()
            let entry = #","mask":{"dtype":"F8_E5M2","shape":[1,2],"data_offsets":[\#(size),\#(size + 2)]}}"#
            var model: [UInt8] = []
            model.appendLittleEndian(UInt64((header + entry).utf8.count))
            model += Array((header + entry).utf8) + bytes[end...] + [1, 2]
            let (path, input, output) = (folder + "/m", folder + "/x.npz", folder + "/y.npy")
            try Files.writeAtomically(model, to: path)
            let text = "{'descr': '<U1', 'fortran_order': False, 'shape': (3,), }\n"
            let names = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
            let numbers: [Float] = [1, 2, 3, 4]
            try Files.writeAtomically(
                ZipArchive.serialize([
                    ("names.npy", names), ("damaged.npy", [1]),
                    ("input.npy", NumPyArray.serialize(shape: [2, 1, 2], values: numbers)),
                ]), to: input)
            #expect(
                CommandLineTool.run(arguments: ["run", "--model", path, "--input", input, "--output", output]) == 0)
            try expectSame(NumPyArray(path: output).floats, network.run(numbers, steps: 2, batch: 1).outputs)

            func row(_ path: String, _ name: String) throws -> [Substring]? {
                try FileReport(path: path).text.split(separator: "\n").first { $0.hasPrefix(name + " ") }?.split(
                    separator: " ", omittingEmptySubsequences: true)
            }
            #expect(try row(path, "mask") == ["mask", "F8_E5M2", "[1,", "2]", "2"])
            #expect(try row(path, "Parameters")?.suffix(5) == ["those", "of", "the", "types", "F8_E5M2"])
            #expect(try row(path, "Network")?.contains("gru(hidden") == true)
            #expect(try row(input, "names") == ["names", "<U1", "[3]", "3"])
            #expect(try row(input, "input") == ["input", "f4", "[2,", "1,", "2]", "4"])
            #expect(try row(input, "Unreadable")?.contains("\"damaged.npy\":") == true)
        }
    }

    /// Every command that takes a model, given a file of another kind, ends with status 1; a training does not go on from it.
    @Test func commandsNameThem() throws {
        try TemporaryFolder.with { folder in
            let (model, input) = (folder + "/model.pt", folder + "/x.npy")
            try Files.writeAtomically(Self.zip("model/data.pkl"), to: model)
            try NumPyArray.write(shape: [2, 1, 3], values: [0, 0, 0, 0, 0, 0], to: input)
            for arguments in [
                ["info", model], ["run", "--model", model, "--input", input, "--output", folder + "/y"],
                ["evaluate", model], ["generate", "--model", model], ["play", "--model", model],
                ["recall", "c9k8??c", "--model", model],
            ] { #expect(CommandLineTool.run(arguments: arguments) == 1, "\(arguments)") }
            do {
                _ = try CheckpointFile(path: model).read()
                Issue.record("a checkpoint was read")
            } catch {
                #expect(
                    "\(error)".hasPrefix(
                        "\(model): a PyTorch file, as torch.save writes it, not a checkpoint of a training"))
            }
        }
    }
}
