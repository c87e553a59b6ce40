import Testing

@testable @_spi(Laboratory) import FastWeights

/// Models in several files, as Hugging Face's libraries save them.
@Suite struct SafeTensorsIndexTests {
    private typealias Tensors = [(name: String, shape: [Int], values: [Float])]
    private static let (first, second) = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
    private static let network = Network(
        NetworkConfiguration.stack(.lstm(), input: 3, hidden: 4, layers: 2), seed: 5)

    /// The first layer's tensors in one file, the second's in another.
    private static let parts: [String: [UInt8]] = {
        let tensors = network.tensors(prefix: "rnn.")
        func part(_ ending: String, _ number: String) -> [UInt8] {
            SafeTensors.serialize(
                tensors.filter { $0.name.hasSuffix(ending) }, metadata: [("format", "pt"), ("part", number)])
        }
        return [first: part("_l0", "1"), second: part("_l1", "2")]
    }()
    private static let map = network.tensors(prefix: "rnn.").map {
        ($0.name, $0.name.hasSuffix("_l0") ? first : second)
    }

    private static func index(_ map: [(String, String)]) -> [UInt8] {
        let members = map.map { "\(JSON.string($0).serialized()): \(JSON.string($1).serialized())" }
        return Array("{\"metadata\": {\"total_size\": 1}, \"weight_map\": {\(members.joined(separator: ", "))}}".utf8)
    }

    private func fault(
        _ index: [UInt8], _ parts: [String: [UInt8]] = Self.parts
    ) throws -> FormatError? {
        do {
            _ = try SafeTensors(index: index, source: "folder/i.json") { parts[$0] }
            return nil
        } catch let error as FormatError {
            return error
        }
    }

    @Test func isReadAsOneFile() throws {
        let file = try SafeTensors(index: Self.index(Self.map), source: "i.json") { Self.parts[$0] }
        #expect(file.names == Self.map.map(\.0).sorted() && file.partCount == 2)
        #expect(file.byteCount == Self.parts.values.reduce(0) { $0 + $1.count })
        // What the parts have in common.
        #expect(file.metadata == ["format": "pt"])
        for (name, shape, values) in Self.network.tensors(prefix: "rnn.") {
            try expectSame(file.floats(name), values)
            #expect(try file.tensor(named: name).shape == shape)
        }
        let network = try Network(file)
        #expect(network.configuration == Self.network.configuration)
        expectSame(network.parameters.block.array, Self.network.parameters.block.array)
    }

    @Test func everyReaderOfPathsReadsIt() throws {
        try TemporaryFolder.with { folder in
            let path = folder + "/model.safetensors.index.json"
            try Files.writeAtomically(Self.index(Self.map), to: path)
            for (name, bytes) in Self.parts { try Files.writeAtomically(bytes, to: "\(folder)/\(name)") }
            #expect(
                try Network(path: path).parameters.block.array == Self.network.parameters.block.array)
            let text = try FileReport(path: path).text
            #expect(text.contains("bytes in 2 parts") && text.contains("in 8 tensors"))
            #expect(text.contains("rnn. 3 numbers per step → stack(cell lstm(hidden 4,"))
            let input = (0..<12).map { Float($0) / 7 }
            try NumPyArray.write(shape: [4, 1, 3], values: input, to: folder + "/x.npy")
            #expect(
                CommandLineTool.run(arguments: [
                    "run", "--model", path, "--input", folder + "/x.npy", "--output", folder + "/y.npy",
                ]) == 0)
            #expect(
                try NumPyArray(path: folder + "/y.npy").floats == Self.network.run(input, steps: 4, batch: 1).outputs)

            // No result takes the place of a part.
            for words in [["--output", "\(folder)/\(Self.second)"], ["--output", folder + "/z.npy", "--save", path]] {
                #expect(
                    CommandLineTool.run(
                        arguments: ["run", "--model", path, "--input", folder + "/x.npy"] + words) == 2)
            }
            #expect(try Files.read("\(folder)/\(Self.second)") == Self.parts[Self.second])

            // One of the parts alone would be a network of one layer.
            let part = "\(folder)/\(Self.first)"
            #expect(throws: WeightsError.self) { try Network(path: part) }
            #expect(
                try FileReport(path: part).text.contains("cannot be used: \(part): one of several files of a model"))
            // One that is not there.
            try Files.writeAtomically(
                Self.index(Self.map.map { ($0.0, $0.1 == Self.second ? "gone" : $0.1) }), to: path)
            do {
                _ = try Network(path: path)
                Issue.record("read without a part")
            } catch let error as FormatError {
                #expect(
                    error.found
                        == "no file gone, which has rnn.bias_hh_l1, rnn.bias_ih_l1, rnn.weight_hh_l1, rnn.weight_ih_l1")
            }
        }
    }

    @Test func whatIsMissingIsNamedAllTogether() throws {
        let map = Self.map + [("a", Self.first), ("b", Self.first), ("c", "third")]
        #expect(
            try fault(Self.index(map))?.description
                == "folder/i.json: expected the files that the index names, with its tensors, found \(Self.first) without "
                + "a, b; no file third, which has c. "
                + "Fetch all files of the model into one folder, each from the same place as the index.")
        // Without these a network without biases would be read.
        let less = Self.map.filter { !$0.0.contains("bias") }
        #expect(
            try fault(Self.index(less))?.found
                == "\(Self.first) with rnn.bias_hh_l0, rnn.bias_ih_l0, which the index does not have there; "
                + "\(Self.second) with rnn.bias_hh_l1, rnn.bias_ih_l1, which the index does not have there")
        // A tensor in another file than the index says.
        let swapped = Self.map.map { ($0.0, $0.0 == "rnn.bias_hh_l0" ? Self.second : $0.1) }
        #expect(try fault(Self.index(swapped))?.reason == .index)
        // A part of another kind.
        let page = try fault(Self.index(Self.map), [Self.first: Array("<html>".utf8)])
        #expect(page?.reason == .signature && page?.source == "folder/\(Self.first)")
    }

    @Test(arguments: [
        "../model.safetensors", "/etc/passwd", "a/b", "a\\b", "C:b", "..", ".", "", "a\u{0}", "a\n",
    ])
    func namesThatLeaveTheFolderAreRefused(name: String) throws {
        let index = Self.index([("a", name)])
        #expect(throws: FormatError.self) {
            try SafeTensors(index: index, source: "i") { _ in
                Issue.record("asked for \(name)")
                return nil
            }
        }
        let error = try fault(index)
        #expect(error?.reason == .index && error?.entry == "a" && error?.found == JSON.string(name).serialized())
    }

    @Test(arguments: [
        "{\"weight_map\": {}}", "{\"weight_map\": [\"a\"]}", "{\"weight_map\": null}", "{\"weight_map\": {\"a\": 1}}",
        "{\"weight_map\": {\"a\": \"1\", \"a\": \"1\"}}", "{\"weight_map\": {\"a\": \"1\"}", "{\"weight\": 1}", "",
        "[\"weight_map\"]",
    ])
    func malformedIndicesAreRefused(text: String) throws {
        #expect(try fault(Array(text.utf8), ["1": SafeTensors.serialize([("a", [], [1])])])?.reason == .index)
    }

    @Test func partsAreKnownByTheirNames() {
        for name in [Self.first, "a/b-c/x-00003-of-00010.safetensors", "pytorch-model-1-of-2.safetensors"] {
            #expect(SafeTensors.isPart(name), "\(name)")
        }
        for name in [
            "model.safetensors", "model-00001-of-00001.safetensors", "out-of-2.safetensors", "model-00001-of-00002.npz",
            "model-00001-of-00002.safetensors.index.json", "",
        ] { #expect(!SafeTensors.isPart(name), "\(name)") }
    }
}
