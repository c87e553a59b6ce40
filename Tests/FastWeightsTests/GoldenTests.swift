import Testing

@testable import FastWeights

@Suite struct GoldenTests {
    static let directory = String(#filePath.dropLast("Tests/FastWeightsTests/GoldenTests.swift".count)) + "Fixtures"
    static let cases = (try? Verifier.cases(in: directory)) ?? []

    @Test func everyKindOfCaseIsThere() {
        for folder in [
            "rnn", "lstm", "gru", "fast_weights", "associative_lstm", "stack", "model", "keras", "onnx", "network",
            "training",
            "convolution", "episodes", "layer_norm", "bound", "softmax", "clip",
        ] {
            #expect(Self.cases.contains { $0.hasPrefix(folder + "/") }, "no golden case in Fixtures/\(folder)")
        }
        #expect(Self.cases.count >= 275)
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
}
