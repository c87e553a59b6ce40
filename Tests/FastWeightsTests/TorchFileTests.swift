import Testing

@testable @_spi(Laboratory) import FastWeights

/// Files that PyTorch's `torch.save` wrote; see Fixtures/torch_files.py. Beside each stands in an .npz what must come out.
@Suite struct TorchFileTests {
    static func path(_ name: String) -> String { "\(GoldenTests.directory)/torch/\(name)" }

    private static func file(_ name: String) throws -> TorchFile { try TorchFile(path: path(name)) }

    /// The numbers of a float32 array that PyTorch made.
    private static func results(_ name: String) throws -> (String) throws -> [Float] {
        let archive = try NumPyArchive(path: path(name))
        return { try archive.array(named: $0).floats }
    }

    private static func isNear(_ a: [Float], _ b: [Float]) -> Bool {
        a.count == b.count && !a.isEmpty && zip(a, b).allSatisfy { abs($0 - $1) <= 1e-6 }
    }

    /// Every number type, and every way to lie in a storage: transposed, strided, repeated, empty, several in one.
    @Test(arguments: ["types", "layouts"]) func readsWhatNumPyReads(name: String) throws {
        let file = try Self.file(name + ".pt")
        let expected = try NumPyArchive(path: Self.path(name + ".npz"))
        #expect(file.names == expected.names.sorted() && file.names.count >= 13)
        for name in file.names {
            let (tensor, array) = (try file.tensor(named: name), try expected.array(named: name))
            #expect(tensor.shape == array.shape && tensor.count == array.count, "\(name)")
            let type = try #require(tensor.dtype)
            #expect(type.isFloatingPoint == array.dtype.isFloatingPoint, "\(name)")
            if type.isFloatingPoint {
                expectSame(try file.doubles(name), array.doubles, name)
                expectSame(try file.floats(name), try array.floats, name)
                #expect(FileFixtures.fault { try file.integers(name) }?.reason == .wrongType)
            } else {
                expectSame(try file.integers(name), try array.integers(), name)
                #expect(FileFixtures.fault { try file.floats(name) }?.reason == .wrongType)
            }
            #expect(name == "bool" ? type == .boolean : tensor.typeName == "\(type)")
        }
        #expect(file.others.isEmpty)
    }

    /// By hand, so that not both readers err: x(i) = (i - 11) / 4 in a storage of 4 by 6.
    @Test func layoutsAreThoseOfPyTorch() throws {
        let file = try Self.file("layouts.pt")
        func x(_ indices: Int...) -> [Float] { indices.map { Float($0 - 11) / 4 } }
        #expect(try file.floats("transposed").prefix(5) == x(0, 6, 12, 18, 1)[...])
        #expect(try file.floats("row") == x(12, 13, 14, 15, 16, 17))
        #expect(try file.floats("column") == x(3, 9, 15, 21))
        #expect(try file.floats("block") == x(8, 9, 10, 14, 15, 16))
        #expect(try file.floats("every_second") == x(1, 3, 5, 13, 15, 17))
        #expect(try file.floats("expanded") == x(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2))
        #expect(try file.floats("windows") == x(0, 1, 2, 1, 2, 3, 2, 3, 4, 3, 4, 5))
        #expect(try file.floats("scalar") == [-1.25] && file.tensor(named: "scalar").shape == [])
        #expect(try file.floats("empty") == [] && file.tensor(named: "empty").shape == [0, 3])
        #expect(try Self.file("types.pt").doubles("bfloat16") == [-2.75, -2.5, -2.25, -2, -1.75, -1.5])
        #expect(try Self.file("types.pt").integers("int16") == [-11, -10, -9, -8, -7, -6])
    }

    /// The protocols of pickle that PyTorch can be told to use, and the archive of a big-endian machine.
    @Test(arguments: ["lstm", "protocol_3", "protocol_4", "protocol_5", "big_endian"])
    func aStateDictIsANetwork(name: String) throws {
        let network = try Network(path: Self.path(name + ".pt"))
        #expect(network.configuration == .stack(.lstm(), input: 3, hidden: 4, layers: 2))
        let results = try Self.results("lstm.npz")
        let (outputs, state) = network.run(try results("input"), steps: 5, batch: 2)
        #expect(Self.isNear(outputs, try results("output")))
        #expect(Self.isNear(state.hidden, try results("h_n")))
        #expect(Self.isNear(state.memory, try results("c_n")))
    }

    /// A training's checkpoint: the model is found in it, and the rest is listed.
    @Test func aCheckpointIsRead() throws {
        let file = try Self.file("checkpoint.pt")
        let values = Dictionary(uniqueKeysWithValues: file.others.map { ($0.name, $0.text) })
        #expect(file.others.first?.name == "epoch" && file.others.count == 24)
        #expect(values["epoch"] == "3" && values["best"] == "0.25" && values["name"] == "tagger")
        #expect(values["losses"] == "[1.5, 0.75]" && values["resumed"] == "False" && values["scheduler"] == "None")
        #expect(values["seed"] == "a whole number of 9 bytes" && values["config.dtype"] == "torch.bfloat16")
        #expect(values["config.shape"] == "[2, 3]" && values["config.device"] == "[cuda, 0]")
        #expect(values["config.tags"] == "[a, b]" && values["samples.1.deep.1"] == "4")
        #expect(values["optimizer.param_groups.0.params"] == "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]")
        #expect(try file.floats("samples.0") == [1, 1] && file.floats("samples.1.deep.0") == [0])
        #expect(try file.floats("optimizer.state.10.step") == [1])
        let dictionary = try StateDictionary(path: Self.path("checkpoint.pt"))
        #expect(dictionary.recurrentPrefixes == ["model.rnn."] && dictionary.names == file.names)

        let results = try Self.results("checkpoint.npz")
        let tagger = try Network(
            path: Self.path("checkpoint.pt"), embedding: "model.encoder", head: .perStep("model.decoder"))
        let archive = try NumPyArchive(path: Self.path("checkpoint.npz"))
        let tokens = try archive.array(named: "input").integers()
        let outputs = tagger.run(tokens: tokens, steps: 6, batch: 2).outputs
        #expect(Self.isNear(outputs, try results("output")))
    }

    /// Weight norm, and a dense layer with the embedding's matrix: both names are there and share a storage.
    @Test func tiedTensorsAndWeightNorm() throws {
        let dictionary = try StateDictionary(path: Self.path("tied.pt"))
        let network = try dictionary.network(embedding: "encoder", head: .perStep("decoder"))
        let tokens = try NumPyArchive(path: Self.path("tied.npz")).array(named: "input").integers()
        let outputs = network.run(tokens: tokens, steps: 6, batch: 2).outputs
        #expect(Self.isNear(outputs, try Self.results("tied.npz")("output")))
        // As of safetensors' save_model: one name counts as the other, and a bias is not left out.
        #expect(try dictionary.unused(embedding: "encoder") == ["decoder.bias"])
        do {
            _ = try dictionary.network(head: .perStep("encoder"))
            Issue.record("a head was read without its bias")
        } catch {
            #expect("\(error)".contains("decoder.weight is tied to encoder.weight; name decoder as the head"))
        }
        #expect(try Self.file("layouts.pt").tied == ["tied": "base"])
    }

    @Test func theToolTakesThem() throws {
        try TemporaryFolder.with { folder in
            // By what is in it and not by its name.
            let (model, output) = (folder + "/model", folder + "/y.npy")
            try Files.writeAtomically(Files.read(Self.path("checkpoint.pt")), to: model)
            let input = folder + "/x.npz"
            try Files.writeAtomically(Files.read(Self.path("checkpoint.npz")), to: input)
            let words = ["run", "--model", model, "--input", input, "--output", output]
            let parts = ["--embedding", "model.encoder", "--head", "model.decoder"]
            #expect(CommandLineTool.run(arguments: words + parts) == 0)
            #expect(Self.isNear(try NumPyArray(path: output).floats, try Self.results("checkpoint.npz")("output")))

            let text = try FileReport(path: model).text
            #expect(text.contains("Parameters  860 in 46 tensors\n"))
            #expect(text.contains("Network     model.rnn. 3 numbers per step → bidirectional("))
            #expect(text.contains("Value       epoch: 3\n"))

            let many = folder + "/many.pt"
            try Files.writeAtomically(
                TorchBytes.file(TorchBytes.dictionary((0..<60).map { ("k\($0)", [0x4E]) })), to: many)
            let values = try FileReport(path: many).text.split(separator: "\n").filter { $0.hasPrefix("Value ") }
            #expect(values.count == 51 && values.last == "Value       and 10 more")

            // Sequences too, with lengths of whole numbers.
            let (sequences, other) = (folder + "/x.pt", folder + "/z.npy")
            try Files.writeAtomically(
                TorchBytes.file(
                    TorchBytes.dictionary([
                        ("input", TorchBytes.tensor("Float", [2, 1, 3], [3, 3, 1])),
                        ("lengths", TorchBytes.tensor("Long", key: "1", [1], [1])),
                    ]), storages: ["0": [UInt8](repeating: 0, count: 24), "1": [2, 0, 0, 0, 0, 0, 0, 0]]),
                to: sequences)
            let lstm = ["run", "--model", Self.path("lstm.pt"), "--input", sequences, "--output", other]
            #expect(CommandLineTool.run(arguments: lstm) == 0)
            #expect(try NumPyArray(path: other).shape == [2, 1, 4])
        }
    }

    @Test func aTensorOfAnotherNameIsNamed() throws {
        let fault = FileFixtures.fault { try Self.file("lstm.pt").floats("weight_hh_l2") }
        #expect(fault?.reason == .missing && fault?.advice == "Did you mean \"weight_hh_l0\"?")
    }

    /// Forms that the fixtures do not have: lone objects, untyped storages, numbers of every length.
    @Test func otherForms() throws {
        func open(_ pickle: [UInt8], _ storage: [UInt8]) throws -> TorchFile {
            try TorchFile(bytes: TorchBytes.file(pickle, storages: ["0": storage]), source: "f")
        }
        let lone = try open(TorchBytes.tensor("Short", [2], [1]), [1, 0, 0xFE, 0xFF])
        #expect(try lone.names == ["tensor"] && lone.integers("tensor") == [1, -2])
        let eight = try open(
            TorchBytes.tensor("torch.storage.Untyped", count: 2, [2], [1], type: "float8_e5m2"), [1, 2])
        #expect(
            try eight.tensor(named: "tensor").dtype == nil && eight.tensor(named: "tensor").typeName == "float8_e5m2")
        #expect(FileFixtures.fault { try eight.floats("tensor") }?.found == "float8_e5m2")
        let list = try open(
            [0x28] + [0x8A, 0] + [0x8A, 1, 0xFF] + [0x8A, 2, 0xFF, 0] + [0x8A, 8, 0, 0, 0, 0, 0, 0, 0, 0x80]
                + [0x8B, 1, 0, 0, 0, 5] + [0x4A, 0xFE, 0xFF, 0xFF, 0xFF] + [0x4D, 1, 2]
                + [0x47, 0xBF, 0xF8, 0, 0, 0, 0, 0, 0] + [0x43, 2, 7, 7] + [0x74], [])
        #expect(
            list.others.map(\.text) == ["[0, -1, 255, -9223372036854775808, 5, -2, 513, -1.5, 2 bytes]"])
        let long = try open([0x5D, 0x28] + [UInt8](repeating: 0x4E, count: 20) + [0x65], [])
        #expect(
            long.others.map(\.text) == [
                "[\([String](repeating: "None", count: 12).joined(separator: ", ")) and 8 more]"
            ])
    }
}

/// Files as `torch.save` writes them, put together by hand.
enum TorchBytes {
    static func text(_ text: String) -> [UInt8] { [0x8C, UInt8(text.utf8.count)] + Array(text.utf8) }
    static func global(_ module: String, _ name: String) -> [UInt8] { Array("c\(module)\n\(name)\n".utf8) }
    static func integer(_ number: Int) -> [UInt8] {
        [0x8A, 8] + (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
    static func tuple(_ parts: [[UInt8]]) -> [UInt8] { [0x28] + parts.flatMap { $0 } + [0x74] }
    static func dictionary(_ pairs: [(String, [UInt8])]) -> [UInt8] {
        [0x7D, 0x28] + pairs.flatMap { text($0.0) + $0.1 } + [0x75]
    }

    /// A storage's persistent id, by the first part of its type's name.
    static func storage(_ kind: String, key: String = "0", count: Int) -> [UInt8] {
        let names = "\(kind)Storage".split(separator: ".").map(String.init)
        let module = names.count == 1 ? "torch" : names.dropLast().joined(separator: ".")
        return tuple([
            text("storage"), global(module, names[names.count - 1]), text(key), text("cpu"), integer(count),
        ]) + [0x51]
    }

    /// A tensor of a storage with as many numbers as the shape says, or as given.
    static func tensor(
        _ kind: String, key: String = "0", count: Int? = nil, offset: Int = 0, _ shape: [Int], _ strides: [Int],
        type: String? = nil, metadata: [UInt8] = []
    ) -> [UInt8] {
        global("torch._utils", type == nil ? "_rebuild_tensor_v2" : "_rebuild_tensor_v3")
            + tuple(
                [
                    storage(kind, key: key, count: count ?? shape.reduce(1, *)), integer(offset),
                    tuple(shape.map(integer)), tuple(strides.map(integer)), [0x89],
                    global("collections", "OrderedDict") + [0x29, 0x52],
                ] + (type.map { [global("torch", $0)] } ?? []) + (metadata.isEmpty ? [] : [metadata])) + [0x52]
    }

    /// The archive with a pickle of these instructions.
    static func file(
        _ pickle: [UInt8], storages: [String: [UInt8]] = [:], version: String? = "3\n", byteorder: String = "little",
        start: [UInt8] = [0x80, 2], end: [UInt8] = [0x2E]
    ) -> [UInt8] {
        var entries = [("m/data.pkl", start + pickle + end), ("m/byteorder", Array(byteorder.utf8))]
        entries += storages.sorted { $0.key < $1.key }.map { ("m/data/\($0.key)", $0.value) }
        if let version { entries.append(("m/version", Array(version.utf8))) }
        return ZipArchive.serialize(entries)
    }
}
