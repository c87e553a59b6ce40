import Testing

@testable import FastWeights

/// Layers as files have them: what may be left out, and what is refused.
@Suite struct LayerOptionTests {
    private func layer(_ text: String) throws -> Layer { try Layer(json: try JSON(parsing: text.utf8)) }

    /// An option that is not there has the value that the layer's function gives it.
    @Test func optionsHaveTheDefaultsOfTheFunctions() throws {
        let layers: [(String, Layer)] = [
            (#"{"layer":"embedding","size":3}"#, .embedding(3)), (#"{"layer":"dense","outputs":3}"#, .dense(3)),
            (#"{"layer":"rnn","hidden":4}"#, .rnn(4)), (#"{"layer":"lstm","hidden":4}"#, .lstm(4)),
            (#"{"layer":"gru","hidden":4}"#, .gru(4)), (#"{"layer":"fast_weights","hidden":4}"#, .fastWeights(4)),
            (#"{"layer":"associative_lstm","hidden":4}"#, .associativeLSTM(4)),
            (#"{"layer":"layer_norm"}"#, .layerNorm()), (#"{"layer":"rms_norm"}"#, .rmsNorm()),
            (#"{"layer":"stack","cell":{"layer":"gru","hidden":4},"layers":2}"#, .stack(.gru(4), layers: 2)),
            // A file says what follows the filters, and without a word nothing does.
            (#"{"layer":"convolution","features":3,"size":2}"#, .convolution(3, size: 2, activation: nil)),
        ]
        for (text, expected) in layers { #expect(try layer(text) == expected, "\(text)") }
    }

    /// What a layer writes it reads, with options that it leaves out where they are as usual too.
    @Test func usualOptionsMayBeThere() throws {
        let usual = #"{"layer":"fast_weights","hidden":4,"schedule":["read write"]}"#
        #expect(try layer(usual) == .fastWeights(4))
        for layer in [
            Layer.dense(2, activation: .sigmoid, hasBias: false), .irnn(3, hasLayerNorm: true, epsilon: 0.25),
            .fastWeights(4, FastWeightsOptions(schedule: [[.write, .clear], .read])), .dropout(0.25),
            .residual([.layerNorm(), .bidirectional(.gru(3)), .dense(4)]),
            .convolution(3, size: 3, stride: 2, padding: 1, activation: .tanh),
            .stack(.lstm(3), layers: 2, isBidirectional: true, dropout: 0.5),
        ] {
            #expect(try Layer(json: try JSON(parsing: layer.description.utf8)) == layer)
        }
    }

    @Test(arguments: [
        (
            #"{"layer":"dense","outputs":3,"activaton":"relu"}"#,
            "the dense's configuration has activaton, which is none of its options outputs, bias, activation"
        ),
        (#"{"layer":"flatten","size":3}"#, "the flatten's configuration has size; it has no options"),
        (
            #"{"layer":"residual","layers":[{"layer":"gru","hidden":2,"units":2}]}"#,
            "the gru's configuration has units, which is none of its options hidden, bias"
        ),
        (
            #"{"layer":"gru","hidden":2,"bias":"no"}"#,
            "the gru's configuration needs bias as true or false, found \"no\""
        ),
        (
            #"{"layer":"lstm"}"#,
            "the lstm's configuration needs hidden as a whole number from 1 to 1048576, found nothing"
        ),
        (
            #"{"layer":"convolution","features":2,"size":2,"stride":1.5}"#,
            "the convolution's configuration needs stride as a whole number from 1 to 1048576, found 1.5"
        ),
        (
            #"{"layer":"rnn","hidden":2,"activation":"gelu"}"#,
            "the rnn's configuration needs activation as relu, tanh or sigmoid, found \"gelu\""
        ),
    ])
    func whatIsWrongIsNamed(text: String, sentence: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try layer(text) }
        #expect(error.description == sentence)
    }
}
