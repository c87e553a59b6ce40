import Testing

@testable import FastWeights

@Suite struct StateDictionaryTests {
    typealias Tensors = [(name: String, shape: [Int], values: [Float])]

    static func tensors(_ shapes: KeyValuePairs<String, [Int]>) -> Tensors {
        shapes.enumerated().map { i, entry in
            (entry.key, entry.value, CellTests.random(entry.value.reduce(1, *), UInt64(i)))
        }
    }

    /// What is wrong with these tensors.
    static func problem(_ tensors: Tensors, prefix: String? = nil) -> String? {
        do {
            _ = try StateDictionary(tensors, source: "file").network(prefix: prefix)
            return nil
        } catch {
            return "\(error)"
        }
    }

    static let lstm = tensors([
        "weight_ih_l0": [8, 3], "weight_hh_l0": [8, 2], "bias_ih_l0": [8], "bias_hh_l0": [8],
    ])

    /// Every stack of the golden cases that PyTorch has, from nothing but names and shapes, and back.
    @Test(arguments: ["", "rnn.", "encoder.0.rnn_", "weight_ih_l0."])
    func architectureFollowsFromNamesAndShapes(prefix: String) throws {
        var count = 0
        for name in GoldenTests.cases where name.hasPrefix("stack/") {
            let fixture = try Fixture(path: "\(GoldenTests.directory)/\(name).safetensors", name: name)
            let expected = try NetworkConfiguration(version1: fixture.configuration)
            let activation: Activation
            switch (expected.definition.root.leaves[0] as? PlacedCell)?.kind {
            case let cell as RNNLayer where !cell.hasLayerNorm: activation = cell.activation
            case let cell as LSTMLayer where !cell.hasLayerNorm: activation = .tanh
            case is GRULayer: activation = .tanh
            default: continue
            }
            let parameters = fixture.tensors.names.filter { $0.hasPrefix("parameter.") }
            let given: Tensors = try parameters.map {
                (
                    prefix + $0.dropFirst("parameter.".count), try fixture.shape($0), try fixture.floats($0)
                )
            }
            let network = try StateDictionary(given).network(activation: activation)
            #expect(network.configuration == expected)
            let exported = network.tensors(prefix: prefix).sorted { $0.name < $1.name }
            #expect(exported.count == given.count)
            for (a, b) in zip(exported, given.sorted { $0.name < $1.name }) {
                #expect(a.name == b.name && a.shape == b.shape && a.values == b.values)
            }
            count += 1
        }
        #expect(count == 32)
    }

    @Test func cellsHaveNamesWithoutALayer() throws {
        let cell = Self.tensors(["a.weight_ih": [9, 4], "a.weight_hh": [9, 3], "a.bias_ih": [9], "a.bias_hh": [9]])
        let network = try StateDictionary(cell).network()
        #expect(network.configuration == NetworkConfiguration.cell(.gru, input: 4, hidden: 3))
        #expect(network.parameters["bias_hh"] == cell[3].values)
        #expect(network.tensors(prefix: "a.").map(\.name) == cell.map(\.name))
        // With layers beside it, such a name is of no use.
        #expect(
            Self.problem(Self.lstm + Self.tensors(["weight_ih": [8, 3]]))
                == "file: unexpected tensors: weight_ih.")
    }

    @Test func otherModulesStandBehindAPrefix() throws {
        let named: Tensors = Self.lstm.map { ("rnn." + $0.name, $0.shape, $0.values) }
        let others = Self.tensors(["fc.weight": [2, 2], "fc.bias": [2], "weight": [3]])
        #expect(
            try StateDictionary(named + others).network().configuration
                == NetworkConfiguration.stack(.lstm(), input: 3, hidden: 2))
        let two: Tensors = named + Self.lstm.map { ("decoder." + $0.name, $0.shape, $0.values) }
        #expect(
            Self.problem(two) == "file: 2 recurrent modules, choose one by its prefix: \"decoder.\", \"rnn.\".")
        #expect(Self.problem(two, prefix: "decoder.") == nil)
        #expect(
            Self.problem(two, prefix: "dec.")
                == "file: no weights of a recurrent module begin with \"dec.\"; found the prefixes \"decoder.\", \"rnn.\"."
        )
        #expect(
            Self.problem(others)
                == "file: expected weights of nn.RNN, nn.LSTM or nn.GRU, as weight_ih_l0 and weight_hh_l0, found \"fc.bias\", \"fc.weight\", \"weight\"."
        )
        #expect(Self.problem([])?.contains("found no tensors") == true)
    }

    /// The golden cases in Fixtures/model are models that PyTorch runs; here what cannot be one, and a bare module.
    @Test func embeddingAndHeadComeByTheirNames() throws {
        func network(_ tensors: Tensors, embedding: String? = nil, head: StateDictionary.Head? = nil) throws -> Network
        {
            try StateDictionary(tensors, source: "file").network(embedding: embedding, head: head)
        }
        let beside = Self.tensors(["emb.weight": [7, 3], "fc.weight": [5, 2], "fc.bias": [5]])
        let both = try network(Self.lstm + beside, embedding: "emb", head: .perSequence("fc"))
        #expect(both.configuration.input == .tokens(7))
        #expect(both.configuration.layers == [.embedding(3), .lstm(2), .lastStep, .dense(5)])
        #expect(both.parameters["head.weight"] == beside[1].values && both.parameters["head.bias"] == beside[2].values)
        #expect(both.parameters["embedding.weight"] == beside[0].values)
        for window in Self.lstm { #expect(both.parameters[window.name] == window.values) }
        // A layer without a bias; numbers in.
        let alone = try network(Self.lstm + beside.filter { $0.name == "fc.weight" }, head: .perStep("fc"))
        #expect(alone.configuration.input == .numbers(3))
        #expect(alone.configuration.layers == [.lstm(2), .dense(5, hasBias: false)])
        #expect(alone.parameters["head.weight"] == beside[1].values)
        #expect(alone.parameters["weight_ih_l0"] == Self.lstm[0].values)

        let wrong = Self.tensors(["emb.weight": [7, 4], "fc.weight": [5, 2], "fc.bias": [4]])
        for (tensors, message) in [
            (
                Self.lstm,
                "file: missing tensors: emb.weight; missing tensors: fc.weight."
            ),
            (
                Self.lstm + wrong,
                "file: emb.weight should have the shape [V, I] with 3 columns, found [7, 4]; fc.bias should have the shape [5], found [4]."
            ),
        ] {
            let error = #expect(throws: WeightsError.self) {
                try network(tensors, embedding: "emb", head: .perStep("fc"))
            }
            #expect("\(error!)" == message)
        }
        // A module derived from nn.LSTM has modules of its own beside its weights; not its own parameters.
        #expect(
            try network(Self.lstm + beside).configuration == NetworkConfiguration.stack(.lstm(), input: 3, hidden: 2)
        )
        #expect(Self.problem(Self.lstm + Self.tensors(["scale": [1]])) == "file: unexpected tensors: scale.")
    }

    @Test func everythingThatDoesNotFitIsNamedAtOnce() {
        let broken = Self.tensors([
            "weight_ih_l0": [8, 3], "weight_hh_l0": [8, 2], "bias_ih_l0": [7], "weight_hh_l2": [8, 2], "extra": [1],
            "weight_ih_l0_reverse": [8, 4],
        ])
        let problem = Self.problem(broken) ?? ""
        for part in [
            "missing tensors: bias_hh_l0, weight_hh_l0_reverse,", "weight_ih_l1,", "bias_hh_l2_reverse",
            "unexpected tensors: extra;",
            "wrong shapes: bias_ih_l0 [7] instead of [8], weight_ih_l0_reverse [8, 4] instead of [8, 3]",
        ] {
            #expect(problem.contains(part), "\(problem)")
        }
        #expect(
            Self.problem(Array(Self.lstm.dropFirst(2)) + Self.tensors(["weight_ih_l0": [8, 3]]))
                == "file: missing tensors: weight_hh_l0, whose shape tells RNN, GRU and LSTM apart.")
        #expect(
            Self.problem(Array(Self.lstm.dropFirst())) == "file: missing tensors: weight_ih_l0.")
    }

    @Test func projectionsAreRefused() {
        let problem = Self.problem(Self.lstm + Self.tensors(["weight_hr_l0": [1, 2]]))
        #expect(problem?.contains("proj_size") == true, "\(problem ?? "")")
    }

    @Test(arguments: [
        ["weight_ih_l0": [8, 3], "weight_hh_l0": [8, 0]], ["weight_ih_l0": [0, 3], "weight_hh_l0": [0, 0]],
        ["weight_ih_l0": [4, 3], "weight_hh_l0": [4, 2]], ["weight_ih_l0": [8], "weight_hh_l0": [8, 2]],
        ["weight_ih_l0": [8, 3], "weight_hh_l0": [8]], ["weight_ih_l0": [8, 0], "weight_hh_l0": [8, 2]],
        ["weight_ih_l0": [0, 1 << 40], "weight_hh_l0": [8, 2]],
        ["weight_hh_l0": [8, 2], "weight_ih_l9223372036854775807": [8, 3]],
        ["weight_hh_l0": [8, 2], "weight_ih_l99999999999999999999": [8, 3]],
        ["weight_hh_l0": [8, 2], "weight_ih_l300": [8, 3]], ["weight_hh_l0": []], ["weight_ih_l0_reverse": []],
        ["_reverse": [], "_l0": [], "": []],
    ])
    func strangeShapesAndNamesAreErrors(shapes: [String: [Int]]) {
        let tensors: Tensors = shapes.sorted { $0.key < $1.key }.map {
            ($0.key, $0.value, [Float](repeating: 1, count: $0.value.reduce(1, *)))
        }
        #expect(Self.problem(tensors) != nil)
    }

    @Test func integersAreNoWeights() throws {
        let header =
            #"{"weight_ih_l0":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},"weight_hh_l0":{"dtype":"I32","shape":[1,1],"data_offsets":[4,8]}}"#
        var bytes = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
        bytes += Array(header.utf8) + [UInt8](repeating: 0, count: 8)
        let file = try SafeTensors(bytes: bytes, source: "file")
        #expect(throws: FormatError.self) { try StateDictionary(file).network() }
    }

    // MARK: Files of our own

    @Test(arguments: RecurrentNetworkTests.cells + [.irnn()], [true, false])
    func readsBackWhatItWrites(cell: Cell, isBidirectional: Bool) throws {
        try TemporaryFolder.with { folder in
            let network = RecurrentNetworkTests.network(
                cell, isBidirectional: isBidirectional, bias: !isBidirectional, dropout: 0.25)
            try network.write(to: folder + "/model")
            let again = try Network(path: folder + "/model")
            // How the fast memory is held is no part of a model.
            #expect(again.configuration == network.configuration)
            expectSame(again.parameters.block.array, network.parameters.block.array)
        }
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"cell":{"cell":"gru","input":3,"hidden":5}}"#,
        #"{"cell":{"cell":"gru","input":3,"hidden":5},"layers":0,"bidirectional":false,"bias":true}"#,
        #"{"cell":{"cell":"gru","input":3,"hidden":5},"layers":100000,"bidirectional":false,"bias":true}"#,
        #"{"cell":{"cell":"gru","input":3,"hidden":5},"layers":1,"bidirectional":false,"bias":true,"dropout":1}"#,
        #"{"cell":{"cell":"gru","input":3,"hidden":1000000},"layers":2,"bidirectional":false,"bias":true}"#,
    ])
    func aWrongConfigurationIsAnError(text: String) throws {
        let network = RecurrentNetworkTests.network(.gru)
        let bytes = SafeTensors.serialize(
            network.tensors(), metadata: [("format", "fastweights-network-1"), ("config", text)])
        let file = try SafeTensors(bytes: bytes, source: "file")
        #expect(throws: (any Error).self) { try Network(file) }
    }
}
