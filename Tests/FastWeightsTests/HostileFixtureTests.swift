import Testing

@testable import FastWeights

/// Golden cases whose tensors are of other sizes, or hold other numbers, than their configuration says: `verify` ends in a
/// sentence or a result, and never in a trap.
@Suite struct HostileFixtureTests {
    /// A tensor as its file has it.
    private struct Tensor {
        var name: String
        var dtype: String
        var shape: [Int]
        var data: [UInt8]
    }

    /// A fixture taken apart, to be put together otherwise.
    private struct Parts {
        var metadata: JSON
        var tensors: [Tensor]

        init(_ bytes: [UInt8]) throws {
            let end = 8 + Int(bytes.littleEndian(UInt64.self, at: 0))
            let header = try JSON(parsing: bytes[8..<end])
            metadata = try #require(header["__metadata__"])
            tensors = try (header.members ?? []).filter { $0.key != "__metadata__" }.map { member in
                let offsets = try #require(member.value["data_offsets"]?.elements).compactMap(\.integer)
                return Tensor(
                    name: member.key, dtype: try #require(member.value["dtype"]?.text),
                    shape: try #require(member.value["shape"]?.elements).compactMap(\.integer),
                    data: Array(bytes[end + offsets[0]..<end + offsets[1]]))
            }
        }

        var bytes: [UInt8] {
            var members = [JSON.Member(key: "__metadata__", value: metadata)]
            var data: [UInt8] = []
            for tensor in tensors {
                let begin = Double(data.count)
                data += tensor.data
                members.append(
                    JSON.Member(
                        key: tensor.name,
                        value: [
                            "dtype": .string(tensor.dtype), "shape": .array(tensor.shape.map { .number(Double($0)) }),
                            "data_offsets": [.number(begin), .number(Double(data.count))],
                        ]))
            }
            let header = Array(JSON.object(members).serialized().utf8)
            var bytes: [UInt8] = []
            bytes.appendLittleEndian(UInt64(header.count))
            return bytes + header + data
        }

        /// Takes away a tensor, or all whose names begin so.
        mutating func remove(_ name: String) { tensors.removeAll { $0.name == name || $0.name.hasPrefix(name + ".") } }

        private mutating func change(_ name: String, _ body: (inout Tensor) -> Void) {
            for i in tensors.indices where tensors[i].name == name { body(&tensors[i]) }
        }

        mutating func rename(_ name: String, _ other: String) { change(name) { $0.name = other } }
        mutating func reshape(_ name: String, _ shape: [Int]) { change(name) { $0.shape = shape } }

        /// The first number of a tensor of int64.
        mutating func setFirst(_ name: String, _ number: Int64) {
            change(name) { tensor in tensor = HostileFixtureTests.replacing(tensor, by: number) ?? tensor }
        }

        mutating func configure(_ text: String) { metadata = ["kind": "layers", "config": .string(text)] }

        /// The tensors of float64 that `isMeant` names in another type: float32, or of other sizes zeros.
        mutating func narrow(to dtype: String, bytes: Int, _ isMeant: (String) -> Bool) {
            for i in tensors.indices where tensors[i].dtype == "F64" && isMeant(tensors[i].name) {
                let old = tensors[i].data
                var data: [UInt8] = []
                for place in stride(from: 0, to: old.count, by: 8) {
                    let bits = Float(Double(bitPattern: old.littleEndian(UInt64.self, at: place))).bitPattern
                    if bytes == 4 { data.appendLittleEndian(bits) } else { data += [UInt8](repeating: 0, count: bytes) }
                }
                (tensors[i].dtype, tensors[i].data) = (dtype, data)
            }
        }
    }

    /// What is done to one tensor at a time; nil where it cannot be done to this one.
    private static let changes: [@Sendable (Tensor) -> Tensor?] = [
        // A scalar of its first number.
        { tensor in
            guard tensor.data.count > 8 else { return nil }
            return Tensor(name: tensor.name, dtype: tensor.dtype, shape: [], data: Array(tensor.data.prefix(8)))
        },
        // One row less, or none at all.
        { tensor in
            guard let rows = tensor.shape.first, rows > 0 else { return nil }
            var tensor = tensor
            tensor.data.removeLast(tensor.data.count / rows)
            tensor.shape[0] -= 1
            return tensor
        },
        { tensor in Tensor(name: tensor.name, dtype: tensor.dtype, shape: [0], data: []) },
        // Whole numbers that are too large, and negative ones.
        { tensor in replacing(tensor, by: 1 << 40) }, { tensor in replacing(tensor, by: -2) },
    ]

    private static func replacing(_ tensor: Tensor, by number: Int64) -> Tensor? {
        guard tensor.dtype == "I64", tensor.data.count >= 8 else { return nil }
        var tensor = tensor
        tensor.data.removeFirst(8)
        var first: [UInt8] = []
        first.appendLittleEndian(number)
        tensor.data = first + tensor.data
        return tensor
    }

    @Test(arguments: [
        "lstm/plain_one_unit", "bound/edges", "clip/active", "softmax/one_class", "layer_norm/3_by_33",
        "stack/lstm_lengths", "stack/fast_weights_schedule", "model/gru_per_sequence", "convolution/one_pixel",
        "episodes/lstm", "keras/rnn_relu", "onnx/rnn_tanh", "network/clip_sgd_lstm",
        "training/lstm_bidirectional_tokens_per_step", "training/rnn_no_bias_one_sequence_per_sequence",
        "training/fast_weights_class_weights_label_smoothing_per_step",
        "training/gru_bidirectional_binary_weights_missing_per_sequence", "optimizer/sgd_nesterov_l2_clip",
        "schedule/step", "loss/cross_entropy_all_options_mean",
        "loss/binary_cross_entropy_weights_missing_sum", "layers/unequal_lstms", "layers/mean_state_lengths",
        "layers/convolution_over_time", "layers/fast_weights_tokens", "layers/residual_of_a_stack",
        "video_heads/cdna_one_kernel", "video_heads/dna_size_7", "video_heads/stp_edges", "video_heads/paint_release",
        "video_heads/normalized_kernels_size_3", "video_heads/advection_size_5", "video_heads/kernel_mixing_size_3",
        "video_heads/affine_sampling_edges", "video_heads/mask_softmax",
    ])
    func endsInASentence(name: String) throws {
        let parts = try Parts(try Files.read("\(GoldenTests.directory)/\(name).safetensors"))
        let folder = TemporaryFolder()
        /// Whether the case passes; nil where it ends in a sentence.
        func passes(_ parts: Parts) throws -> Bool? {
            try Files.writeAtomically(parts.bytes, to: folder.path("a.safetensors"))
            do { return try Verifier.run("a", in: folder.path).passed } catch { return nil }
        }
        #expect(try passes(parts) == true, "as it is")
        // Of the parameters the first stands for all, and of the results too. Not every case looks at its loss.
        var seen: Set<Substring> = []
        for (i, tensor) in parts.tensors.enumerated()
        where tensor.name != "loss" && seen.insert(tensor.name.prefix { $0 != "." }).inserted {
            for change in Self.changes {
                guard let changed = change(tensor) else { continue }
                var other = parts
                other.tensors[i] = changed
                #expect(try passes(other) != true, "\(tensor.name) of shape \(changed.shape)")
            }
        }
    }

    /// What is done to a case of layers, and the sentence that it ends in.
    private struct Fault: Sendable, CustomTestStringConvertible {
        var fixture = "unequal_lstms"
        let sentence: String
        let change: @Sendable (inout Parts) -> Void

        var testDescription: String { sentence }
    }

    private static let faults: [Fault] = [
        Fault(sentence: "tensors missing: parameter.4.weight") { $0.remove("parameter.4.weight") },
        Fault(sentence: "tensors missing: tokens; unexpected: input") { $0.rename("tokens", "input") },
        Fault(sentence: "tensors missing: gradient.4.bias; unexpected: gradient.4.bais") {
            $0.rename("gradient.4.bias", "gradient.4.bais")
        },
        Fault(sentence: "tensors missing: state.1.c_l0") { $0.remove("state.1.c_l0") },
        Fault(sentence: "tensors missing: state.1.h_l0; unexpected: state.h") { $0.rename("state.1.h_l0", "state.h") },
        Fault(sentence: "there are cotangents, but no gradients to compare with") { $0.remove("gradient") },
        Fault(sentence: "there are gradients, but neither cotangent.output nor a cotangent.final") {
            $0.remove("cotangent")
        },
        Fault(sentence: "output should have the shape [4, 2], found [2, 4]") { $0.reshape("output", [2, 4]) },
        Fault(sentence: "final.2.h_l0 should have the shape [1, 4, 4] or [4, 4], found [4, 1, 4]") {
            $0.reshape("final.2.h_l0", [4, 1, 4])
        },
        Fault(fixture: "stack_gru", sentence: "state.h should have the shape [3, 4, 4], found [4, 3, 4]") {
            $0.reshape("state.h", [4, 3, 4])
        },
        Fault(fixture: "stack_gru", sentence: "gradient.input should have the shape [5, 4, 3], found [4, 5, 3]") {
            $0.reshape("gradient.input", [4, 5, 3])
        },
        Fault(sentence: "tokens should have numbers from 0 to 6, found 7") { $0.setFirst("tokens", 7) },
        Fault(sentence: "lengths should have numbers from 1 to 5, found 0") { $0.setFirst("lengths", 0) },
        Fault(sentence: "output is F16; expected numbers are F64 or F32") {
            $0.narrow(to: "F16", bytes: 2) { $0 == "output" }
        },
        Fault(sentence: "the metadata has no config") { $0.metadata = ["kind": "layers"] },
        Fault(sentence: "the metadata has no kind; that of a network of layers is layers") {
            $0.metadata = ["config": "{}"]
        },
        Fault(sentence: "unknown kind \"layer\"; that of a network of layers is layers") {
            $0.metadata = ["config": "{}", "kind": "layer"]
        },
        Fault(sentence: "the network's configuration has no input") { $0.configure("{}") },
        Fault(sentence: "the network's configuration needs a list of 1 to 256 layers") {
            $0.configure(#"{"input":{"tokens":7}}"#)
        },
        Fault(sentence: "layer 0, dense: it needs a row of numbers, found one of 7 tokens per step") {
            $0.configure(#"{"input":{"tokens":7},"layers":[{"layer":"dense","outputs":2}]}"#)
        },
        Fault(sentence: "the layer's configuration needs name as a text, found 5") {
            $0.configure(#"{"input":{"tokens":7},"layers":[{"layer":"gru","hidden":2,"name":5}]}"#)
        },
        Fault(sentence: "the dense's configuration has units, which is none of its options outputs, bias, activation") {
            $0.configure(#"{"input":{"numbers":7},"layers":[{"layer":"dense","outputs":2,"units":2}]}"#)
        },
        Fault(sentence: "found \"transformer\"") {
            $0.configure(#"{"input":{"numbers":7},"layers":[{"layer":"transformer"}]}"#)
        },
    ]

    @Test(arguments: faults)
    private func whatIsWrongWithACaseOfLayersIsNamed(fault: Fault) throws {
        var parts = try Parts(try Files.read("\(GoldenTests.directory)/layers/\(fault.fixture).safetensors"))
        fault.change(&parts)
        let folder = TemporaryFolder()
        try Files.writeAtomically(parts.bytes, to: folder.path("a.safetensors"))
        let result = try #require(Verifier.run(["a"], in: folder.path, threads: 1).first)
        #expect(!result.passed && result.problem?.contains(fault.sentence) == true, "\(result.problem ?? "none")")
    }

    /// What a case may leave out, and the types it may have: each passes, and fails with one number wrong.
    @Test(arguments: [false, true])
    func casesNeedNotHaveEverything(isSingle: Bool) throws {
        let folder = TemporaryFolder()
        for name in ["unequal_lstms", "stack_gru", "stack_mean", "residual_block"] {
            var parts = try Parts(try Files.read("\(GoldenTests.directory)/layers/\(name).safetensors"))
            if isSingle { parts.narrow(to: "F32", bytes: 4) { _ in true } }
            func result() throws -> GoldenResult {
                try Files.writeAtomically(parts.bytes, to: folder.path("a.safetensors"))
                return try Verifier.run("a", in: folder.path)
            }
            func expectPass(_ note: String, hasGradients: Bool = true) throws {
                let result = try result()
                #expect(result.passed && result.gradientError.isNaN != hasGradients, "\(name), \(note)")
                #expect(result.tolerance == (isSingle ? 2e-5 : 1e-5))
            }
            try expectPass("whole")
            parts.remove("loss")
            parts.remove("gradient.state")
            parts.remove("gradient.input")
            try expectPass("without gradients of input and state")
            parts.remove("gradient")
            parts.remove("cotangent")
            try expectPass("forward alone", hasGradients: false)
            parts.remove("final")
            try expectPass("outputs alone", hasGradients: false)
            // The sign of the first number.
            let output = try #require(parts.tensors.firstIndex { $0.name == "output" })
            parts.tensors[output].data[isSingle ? 3 : 7] ^= 0x80
            #expect(try !result().passed, "\(name) with a number of the other sign")
        }
    }

    /// A folder with folders, and a file that is none: the others are run.
    @Test func oneBrokenCaseDoesNotHideTheOthers() throws {
        let folder = TemporaryFolder()
        let bytes = try Files.read("\(GoldenTests.directory)/layers/dense.safetensors")
        for name in ["a", "below/b"] {
            try Files.createDirectory(folder.path("below"))
            try Files.writeAtomically(bytes, to: folder.path("\(name).safetensors"))
        }
        try Files.writeAtomically(Array("nothing".utf8), to: folder.path("below/a.safetensors"))
        let names = try Verifier.cases(in: folder.path)
        #expect(names == ["a", "below/a", "below/b"])
        let results = Verifier.run(names, in: folder.path, threads: 2)
        #expect(results.map(\.passed) == [true, false, true])
        #expect(results.map { $0.problem == nil } == [true, false, true])
    }

    /// The example of Fixtures/README.md, number by number.
    @Test func theExampleOfTheDocumentationPasses() throws {
        let numbers: [(String, [Int], [Float])] = [
            ("input", [2, 1, 2], [1, 0.5, 0, 2]), ("parameter.0.weight", [2, 2], [1, 2, -1, 1]),
            ("parameter.0.bias", [2], [0.5, -1]), ("output", [1, 2], [3.5, 0.5]), ("final.sum", [1, 1, 2], [7, 1]),
            ("final.steps", [1, 1, 1], [2]), ("cotangent.output", [1, 2], [1, -2]),
            ("gradient.0.weight", [2, 2], [0.5, 1.25, 0, -2]), ("gradient.0.bias", [2], [1, -1]),
            ("gradient.input", [2, 1, 2], [0.5, 1, 1.5, 0]),
        ]
        var parts = try Parts(try Files.read("\(GoldenTests.directory)/layers/dense.safetensors"))
        parts.configure(
            #"{"input":{"numbers":2},"layers":[{"layer":"dense","outputs":2,"activation":"relu"},{"layer":"mean"}]}"#)
        parts.tensors = numbers.map { name, shape, values in
            var data: [UInt8] = []
            for value in values { data.appendLittleEndian(value.bitPattern) }
            return Tensor(name: name, dtype: "F32", shape: shape, data: data)
        }
        let folder = TemporaryFolder()
        try Files.writeAtomically(parts.bytes, to: folder.path("a.safetensors"))
        let result = try Verifier.run("a", in: folder.path)
        #expect(result.outputError == 0 && result.gradientError == 0, "\(result.worstTensor)")
    }

    @Test func configurationsThatCannotBeAreNamed() throws {
        func problem(_ text: String) -> String {
            do {
                _ = try NetworkConfiguration(json: try JSON(parsing: text.utf8))
                return ""
            } catch { return "\(error)" }
        }
        func network(_ layers: String, height: Int = 6) -> String {
            #"{"input":{"channels":1,"height":\#(height),"width":6},"layers":[\#(layers)]}"#
        }
        #expect(problem(network(#"{"layer":"max_pool","size":2}"#)) == "")
        #expect(
            problem(network(#"{"layer":"max_pool","size":7}"#))
                == "layer 0, max_pool: windows of 7 by 7 do not fit 1 maps of 6 by 6 per step")
        #expect(
            problem(network(#"{"layer":"flatten"}"#, height: 16_385)).hasSuffix(
                "found 1, 16385 and 6"))
        #expect(problem(network("")).contains("a list of 1 to 256 layers"))
        #expect(
            problem(network(#"{"layer":"flatten"},{"layer":"lstm","hidden":0}"#)).contains("hidden as a whole number"))
    }
}
