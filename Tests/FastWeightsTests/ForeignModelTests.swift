import Foundation
import Testing

@testable import FastWeights

/// Models of other frameworks whose layers are of unequal kinds and sizes.
@Suite struct ForeignModelTests {
    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures").path
    private static let names: [(layer: Layer, name: String)] = [
        (.embedding(4), "words"), (.lstm(6), "first"), (.bidirectional(.gru(5)), "second"), (.layerNorm(), "norm"),
        (.dense(7, activation: .tanh), "top.0"), (.dense(3, hasBias: false), "top.2"),
    ]

    private static func dictionary() throws -> StateDictionary {
        try StateDictionary(path: fixtures + "/torch/unequal.pt")
    }

    @Test func aModuleOfPyTorchByItsLayersNames() throws {
        let network = try Network(Self.dictionary(), .tokens(11), Self.names)
        let tokens = (0..<15).map { $0 * 4 % 11 }
        let found = network.run(tokens: tokens, steps: 5, batch: 3).outputs
        let archive = try NumPyArchive(path: Self.fixtures + "/torch/unequal.npz")
        let expected = try archive.array(named: "output").floats
        #expect(RecurrentStreamTests.relativeError(found, expected) < 1e-5)
        // And back, under the names that the module has.
        #expect(try Set(network.tensors().map(\.name)) == Set(Self.dictionary().names))
    }

    @Test func allThatIsMissingIsNamedAtOnce() throws {
        var names = Self.names
        names[1].name = "frist"
        let error = #expect(throws: WeightsError.self) { try Network(Self.dictionary(), .tokens(11), names) }
        let text = error?.description ?? ""
        #expect(text.contains("missing tensors: frist.weight_ih_l0, frist.weight_hh_l0, frist.bias_ih_l0"))
        #expect(text.contains("the nearest to frist.weight_ih_l0 is first.weight_ih_l0"))
        names[1].name = "first"
        names[4].layer = .dense(8, activation: .tanh)
        let sizes = #expect(throws: WeightsError.self) { try Network(Self.dictionary(), .tokens(11), names) }
        #expect(
            sizes?.problems == [
                "wrong shapes: top.0.weight [7, 10] instead of [8, 10], top.0.bias [7] instead of [8], top.2.weight [3, 7] instead of [3, 8]"
            ])
        names[4] = (.lastStep, "")
        names[5] = (.lastStep, "")
        let twice = #expect(throws: WeightsError.self) { try Network(Self.dictionary(), .tokens(11), names) }
        #expect(twice?.description.contains("layer 5, last_step: it needs numbers at every step") == true)
    }

    /// Of a model with one layer of a kind that is not known, or with an option that is not.
    @Test(
        arguments: [
            ("{}", "expected the text of model.to_json()"),
            ("[", "the configuration is not JSON"),
            (
                #"{"class_name":"Sequential","config":{"layers":[{"class_name":"Conv1D","config":{"name":"c"}}]}}"#,
                "Conv1D c: this kind of layer is not known here"
            ),
            (
                #"{"class_name":"Sequential","config":{"layers":[{"class_name":"LSTM","config":{"name":"l","units":2,"activation":"relu"}}]}}"#,
                "LSTM l: activation"
            ),
            (
                #"{"class_name":"Sequential","config":{"layers":[{"class_name":"GRU","config":{"name":"g","units":2,"reset_after":false}}]}}"#,
                "GRU g: reset_after=False"
            ),
            (
                #"{"class_name":"Sequential","config":{"layers":[{"class_name":"LSTM","config":{"name":"l","units":2,"go_backwards":true}}]}}"#,
                "LSTM l: go_backwards=True"
            ),
            (
                #"{"class_name":"Sequential","config":{"layers":[{"class_name":"Dense","config":{"name":"d","units":2,"activation":"gelu"}}]}}"#,
                "Dense d: activation gelu"
            ),
            (
                #"{"class_name":"Sequential","config":{"layers":[{"class_name":"Dense","config":{"name":"d","units":2}}]}}"#,
                "Dense d: 0 arrays were given; it needs another one"
            ),
        ])
    func whatIsNotKnownIsNamed(text: String, problem: String) {
        let error = #expect(throws: WeightsError.self) { try Network(kerasModel: text, weights: []) }
        #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
    }

    @Test func labelsComeBack() throws {
        let configuration = NetworkConfiguration(.numbers(2), [.gru(3), .lastStep, .dense(2)])
        let network = Network(configuration, seed: 1, labels: ["yes", "no, \"never\""])
        let again = try Network(SafeTensors(bytes: network.serialized(), source: "memory"))
        #expect(again.labels == network.labels && again.configuration == configuration)
        expectSame(again.parameters.block.array, network.parameters.block.array)
        #expect(network.reading(tokens: true)?.labels == network.labels)
    }
}
