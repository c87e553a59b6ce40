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
            let header = Array(JSON.object(members).serialised().utf8)
            var bytes: [UInt8] = []
            bytes.appendLittleEndian(UInt64(header.count))
            return bytes + header + data
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
        "optimizer/sgd_nesterov_l2_clip", "schedule/step", "loss/cross_entropy_all_options_mean",
        "loss/binary_cross_entropy_weights_missing_sum",
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

    @Test func configurationsThatCannotBeAreNamed() throws {
        func problem(_ text: String) -> String {
            do {
                _ = try ConvolutionalNetworkConfiguration(json: try JSON(parsing: text.utf8))
                return ""
            } catch { return "\(error)" }
        }
        func network(_ layers: String, height: Int = 6) -> String {
            #"{"channels":1,"height":\#(height),"width":6,"classes":2,"layers":[\#(layers)]}"#
        }
        #expect(problem(network(#"{"layer":"max_pool","size":2}"#)) == "")
        #expect(
            problem(network(#"{"layer":"max_pool","size":7}"#))
                == "layer 0, maxPool(size: 7), does not fit an image of 6 by 6")
        #expect(problem(network("", height: 16_385)).contains("from 1 to 16384, found 1, 16385, 6 and 2"))
    }
}
