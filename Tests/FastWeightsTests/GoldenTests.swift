import Testing

@testable import FastWeights

@Suite struct GoldenTests {
    static let directory = String(#filePath.dropLast("Tests/FastWeightsTests/GoldenTests.swift".count)) + "Fixtures"
    static let cases = (try? Verifier.cases(in: directory)) ?? []

    @Test func everyKindOfCaseIsThere() {
        for folder in [
            "rnn", "lstm", "gru", "fast_weights", "associative_lstm", "stack", "model", "keras", "onnx", "network",
            "training", "layers", "convolution", "episodes", "layer_norm", "bound", "softmax", "clip", "optimizer",
            "schedule", "loss", "video_metrics", "video_heads",
        ] {
            #expect(Self.cases.contains { $0.hasPrefix(folder + "/") }, "no golden case in Fixtures/\(folder)")
        }
        #expect(Self.cases.count >= 651)
    }

    /// A kind of layer in the registry without a case, alone or in others, is not checked by anybody else.
    @Test func everyKindOfLayerHasACase() throws {
        var kinds: Set<String> = []
        func note(_ layer: JSON) {
            if let kind = layer["layer"]?.text { kinds.insert(kind) }
            for inner in (layer["layers"]?.elements ?? []) + [layer["cell"]].compactMap({ $0 }) { note(inner) }
        }
        for name in Self.cases where name.hasPrefix("layers/") {
            note(try Fixture(path: "\(Self.directory)/\(name).safetensors", name: name).configuration)
        }
        #expect(kinds.sorted() == Layer.kindNames.sorted())
    }

    @Test(arguments: cases)
    func agrees(name: String) throws {
        let result = try Verifier.run(name, in: Self.directory)
        #expect(
            result.passed,
            "\(name): outputs \(result.outputError), gradients \(result.gradientError), worst \(result.worstTensor)")
    }

    @Test func aCheckCanFail() {
        var tally = ErrorTally()
        tally.output("a", [1, .nan], [1, 2])
        tally.gradient("b", [1, 2.001], [1, 2])
        #expect(tally.outputs == .infinity)
        #expect(abs(tally.gradients - 0.0005) < 1e-6)
        tally.gradient("c", [1], [1, 2])
        #expect(tally.gradients == .infinity)
    }

    /// An error of a tenth in a small gate beside a large one is an error of a tenth.
    @Test func aSmallGateDoesNotHideBehindALargeOne() {
        let expected = [100, -50, 0.5, 1, 0.5, 2]
        let found: [Float] = [100, -50, 0.5, 1.1, 0.5, 2.1]
        func error(_ parts: [Range<Int>]?) -> Double {
            var tally = ErrorTally()
            tally.gradient("a", found, expected, parts: parts)
            #expect(tally.worstTensor == (parts == nil ? "a" : "a, part 2 of 3"))
            return tally.gradients
        }
        #expect(abs(error(nil) - 0.001) < 1e-6)
        #expect(abs(error([0..<2, 2..<4, 4..<6]) - 0.1) < 1e-6)
    }

    /// The parts of a cell's parameters are its gates' rows, and its layer norms.
    @Test func gatesArePartsOfTheirOwn() {
        func sizes(_ cell: Cell, input: Int = 3, hidden: Int = 4) -> [String: [Int]] {
            NetworkConfiguration(
                .numbers(input), [NamedLayer(layer: cell.layer(hidden), prefix: "a.", cellSuffix: "")]
            ).definition.scope.parts.mapValues { $0.map(\.count) }
        }
        let lstm = sizes(.lstm(hasLayerNorm: true))
        #expect(lstm["a.weight_ih"] == [12, 12, 12, 12] && lstm["a.weight_hh"] == [16, 16, 16, 16])
        #expect(lstm["a.bias_hh"] == [4, 4, 4, 4] && lstm["a.norm_weight"] == [4, 4, 4, 4])
        #expect(lstm["a.norm_cell_bias"] == [4] && sizes(.gru)["a.weight_ih"] == [12, 12, 12])
        let norms = sizes(.fastWeights(FastWeightsOptions(innerSteps: 3, hasSeparateNorms: true)))
        #expect(norms["a.norm_bias"] == [4, 4, 4] && norms["a.weight_hh"] == [16])
        // i f o of two complex numbers, two keys in, two out; the candidate does not read h.
        let associative = sizes(.associativeLSTM(AssociativeLSTMOptions(keys: 2, hasRecurrentCandidate: false)))
        #expect(associative["a.weight_ih"] == [6, 6, 6, 12, 12, 12, 12, 12])
        #expect(associative["a.weight_hh"] == [8, 8, 8, 16, 16, 16, 16])
        let parts = NetworkConfiguration.stack(.gru, input: 3, hidden: 4, layers: 2, isBidirectional: true)
            .definition.scope.parts
        #expect(parts["weight_ih_l1_reverse"]?.map(\.count) == [32, 32, 32] && parts.count == 16)
    }
}
