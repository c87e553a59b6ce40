import Testing

@testable @_spi(Laboratory) import FastWeights

/// Tensors that a file has in another form than the module: under weight norm, or tied and stored once.
@Suite struct StoredTensorsTests {
    typealias Tensors = StateDictionaryTests.Tensors

    /// An RNN of one input and two units. The rows of `weight_hh_l0` are (3, 4) and (0, -5), of length 5 both.
    private static let rest: Tensors = [
        ("rnn.weight_ih_l0", [2, 1], [1, 2]), ("rnn.bias_ih_l0", [2], [0, 0]), ("rnn.bias_hh_l0", [2], [0, 0]),
    ]
    private static func norm(_ g: String, _ v: String, shape: [Int] = [2, 1], _ lengths: [Float] = [10, 2.5]) -> Tensors
    {
        [(g, shape, lengths), (v, [2, 2], [3, 4, 0, -5])]
    }

    /// A file whose metadata say what is tied, as safetensors' `save_model` writes it.
    private static func file(_ tensors: Tensors, _ metadata: [(String, String)]) throws -> StateDictionary {
        try StateDictionary(SafeTensors(bytes: SafeTensors.serialize(tensors, metadata: metadata), source: "file"))
    }

    // MARK: Weight norm

    /// g·v/‖v‖: 10·(3, 4)/5 and 2.5·(0, -5)/5.
    @Test(arguments: [
        ("rnn.weight_hh_l0_g", "rnn.weight_hh_l0_v"),
        ("rnn.parametrizations.weight_hh_l0.original0", "rnn.parametrizations.weight_hh_l0.original1"),
    ])
    func weightNormIsPutTogether(length: String, direction: String) throws {
        let dictionary = StateDictionary(Self.rest + Self.norm(length, direction))
        let network = try dictionary.network()
        #expect(network.parameters["weight_hh_l0"] == [6, 8, 0, -2.5])
        #expect(dictionary.names.contains("rnn.weight_hh_l0") && dictionary.names.count == 4)
        #expect(try dictionary.unused() == [])
    }

    /// Of a module without a name, and of the layer on top; a bias has rows of one number, of which the sign is left.
    @Test func weightNormOfEveryParameter() throws {
        let bare: Tensors = Self.rest.map { (String($0.name.dropFirst(4)), $0.shape, $0.values) }
        let tensors: Tensors =
            bare.filter { $0.name != "bias_ih_l0" }
            + Self.norm("parametrizations.weight_hh_l0.original0", "parametrizations.weight_hh_l0.original1")
            + [("bias_ih_l0_g", [2], [3, 4]), ("bias_ih_l0_v", [2], [-7, 2])]
            + Self.norm("fc.weight_g", "fc.weight_v", [5, 5])
        let network = try StateDictionary(tensors).network(head: .perStep("fc"))
        #expect(network.parameters["weight_hh_l0"] == [6, 8, 0, -2.5])
        #expect(network.parameters["bias_ih_l0"] == [-3, 4])
        #expect(network.parameters["head.weight"] == [3, 4, 0, -5])
    }

    /// PyTorch's `dim=1` and `dim=None`, a direction of zeros, another parametrization, and one part without the other.
    @Test func whatCannotBePutTogetherIsRefusedWithWhatWasFound() {
        func problem(_ tensors: Tensors) -> String? { StateDictionaryTests.problem(Self.rest + tensors) }
        let (g, v) = ("rnn.weight_hh_l0_g", "rnn.weight_hh_l0_v")
        let missing =
            "file: missing tensors: rnn.weight_hh_l0, whose shape tells RNN, GRU and LSTM apart; in their place found "
        let advice = ", a parametrization that is not known here; remove it in PyTorch before saving."
        for shape in [[1, 2], [2]] {
            #expect(problem(Self.norm(g, v, shape: shape)) == missing + "\(g) \(shape), \(v) [2, 2]" + advice)
        }
        #expect(problem(Array(Self.norm(g, v).dropFirst())) == missing + "\(v) [2, 2]" + advice)
        #expect(
            problem([("rnn.parametrizations.weight_hh_l0.original", [2, 2], [1, 2, 3, 4])])
                == missing + "rnn.parametrizations.weight_hh_l0.original [2, 2]" + advice)
        #expect(
            problem([(g, [2, 1], [1, 1]), (v, [2, 2], [1, 2, 0, 0])])
                == "file: row 1 of \(v) is 0, a direction that weight norm cannot scale.")
        // The weight beside its parts: one too many, and nobody says which counts.
        #expect(
            problem(Self.norm(g, v) + [("rnn.weight_hh_l0", [2, 2], [1, 2, 3, 4])])
                == "file: unexpected tensors: \(g), \(v).")
        // Of the other matrix and of a bias, where the kind is known.
        let whole: Tensors = [("rnn.weight_hh_l0", [2, 2], [1, 2, 3, 4])]
        let other = StateDictionaryTests.problem(
            Self.rest.dropLast() + whole + [("rnn.bias_hh_l0_orig", [2], [1, 2])])
        #expect(
            other
                == "file: missing tensors: rnn.bias_hh_l0; in their place found rnn.bias_hh_l0_orig [2]\(advice.dropLast()); unexpected tensors: rnn.bias_hh_l0_orig."
        )
    }

    // MARK: Tied tensors

    private static let tied: Tensors =
        StateDictionaryTests.lstm.map { ("rnn." + $0.name, $0.shape, $0.values) } + [
            ("encoder.weight", [5, 3], CellTests.random(15, 1)), ("other.weight", [5, 2], CellTests.random(10, 2)),
            ("decoder.bias", [5], [1, 2, 3, 4, 5]),
        ]

    @Test func aTiedTensorIsFollowedToItsOtherName() throws {
        // The head's matrix is that of another module here, as that of the embedding must have as many columns as rows.
        let dictionary = try Self.file(Self.tied, [("format", "pt"), ("decoder.weight", "other.weight")])
        let network = try dictionary.network(embedding: "encoder", head: .perStep("decoder"))
        #expect(network.parameters["head.weight"] == CellTests.random(10, 2))
        #expect(network.parameters["head.bias"] == [1, 2, 3, 4, 5])
        #expect(dictionary.names.contains("decoder.weight"))
        // One tensor under two names is used under either.
        #expect(try dictionary.unused(embedding: "encoder", head: .perStep("decoder")) == [])
        #expect(try dictionary.unused() == ["decoder.bias", "decoder.weight", "encoder.weight", "other.weight"])
        // Metadata that name no tensor, or one that is there, say nothing.
        let strange = try Self.file(Self.tied, [("decoder.weight", "nothing"), ("encoder.weight", "other.weight")])
        #expect(!strange.names.contains("decoder.weight"))
        #expect(try strange.values("encoder.weight") == CellTests.random(15, 1))
    }

    @Test func aHeadDoesNotLoseTheBiasOfItsOtherName() throws {
        let dictionary = try Self.file(Self.tied, [("decoder.weight", "other.weight")])
        var error = #expect(throws: WeightsError.self) { try dictionary.network(head: .perStep("other")) }
        #expect(
            "\(error!)"
                == "file: there is no other.bias, but decoder.bias is as large, and decoder.weight is tied to other.weight; name decoder as the head."
        )
        // Without the metadata nothing tells where the bias belongs, but for a head that is the embedding too.
        let square: Tensors = [
            ("rnn.weight_ih_l0", [2, 2], [1, 2, 3, 4]), ("rnn.weight_hh_l0", [2, 2], [1, 2, 3, 4]),
            ("encoder.weight", [5, 2], CellTests.random(10, 3)), ("decoder.bias", [5], [1, 2, 3, 4, 5]),
        ]
        error = #expect(throws: WeightsError.self) {
            try StateDictionary(square, source: "file").network(embedding: "encoder", head: .perStep("encoder"))
        }
        #expect("\(error!)".contains("decoder.weight may be tied to encoder.weight; save with safetensors' save_model"))
        let plain = try StateDictionary(square.dropLast()).network(embedding: "encoder", head: .perStep("encoder"))
        #expect(plain.configuration.layers.last == .dense(5, hasBias: false))
        #expect(plain.parameters["head.weight"] == square[2].values)
    }

    // MARK: What is left out

    @Test func whatIsNotReadIsNamed() throws {
        let beside: Tensors = [
            ("fc.weight", [1, 2], [1, 2]), ("fc.bias", [1], [1]), ("emb.weight", [2, 1], [1, 2]),
            ("emb.bias", [1], [1]),
            ("rnn.norm.weight", [2], [1, 1]), ("decoder.weight_ih_l0", [2, 1], [1, 2]),
        ]
        let whole = Self.rest + [("rnn.weight_hh_l0", [2, 2], [1, 2, 3, 4])] + beside
        let dictionary = StateDictionary(whole)
        #expect(
            try dictionary.unused(prefix: "rnn.")
                == ["decoder.weight_ih_l0", "emb.bias", "emb.weight", "fc.bias", "fc.weight", "rnn.norm.weight"])
        #expect(
            try dictionary.unused(prefix: "rnn.", embedding: "emb", head: .perSequence("fc"))
                == ["decoder.weight_ih_l0", "emb.bias", "rnn.norm.weight"])
        #expect(throws: WeightsError.self) { try dictionary.unused() }
        #expect(throws: Never.self) { try dictionary.network(prefix: "rnn.", head: .perStep("fc")) }
    }

    /// A file of our own says what it holds: what is asked for besides would be dropped.
    @Test func aFileOfOurOwnTakesNoNames() throws {
        let network = RecurrentNetworkTests.network(.gru)
        let file = try SafeTensors(bytes: network.serialized(), source: "file")
        let reason =
            "file: prefix, embedding and head are for state dicts; this file says itself what network it holds."
        for (prefix, embedding, head) in [
            ("rnn.", nil, nil), (nil, "emb", nil), (nil, nil, StateDictionary.Head.perStep("fc")),
        ] {
            let error = #expect(throws: WeightsError.self) {
                try Network(file, prefix: prefix, embedding: embedding, head: head)
            }
            #expect("\(error!)" == reason)
        }
        let classifier = ModelFile(TrainingTests.model(.gru), task: try AssociativeRetrieval(pairs: 2)).serialized()
        // The network of a file that holds more, and a file of another kind.
        let model = try Network(SafeTensors(bytes: classifier, source: "file"))
        #expect(model.configuration == TrainingTests.model(.gru).configuration)
        let other = SafeTensors.serialize(network.tensors(), metadata: [("format", "fastweights-recipe-1")])
        let error = #expect(throws: WeightsError.self) { try Network(SafeTensors(bytes: other, source: "file")) }
        #expect(
            error?.description
                == "file: expected a network or a state dict, found a file of the format fastweights-recipe-1.")
        let more = SafeTensors.serialize(
            network.tensors() + [("fc.weight", [1, 5], [1, 2, 3, 4, 5])],
            metadata: [("format", "fastweights-network-2"), ("config", network.configuration.json.serialized())])
        let unexpected = #expect(throws: WeightsError.self) { try Network(SafeTensors(bytes: more, source: "file")) }
        #expect(unexpected?.description == "file: unexpected tensors: fc.weight.")
    }
}
