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
            (
                #"{"layer":"transposed_convolution","features":3,"size":2}"#,
                .transposedConvolution(3, kernel: 2, activation: nil)
            ),
            (#"{"layer":"convolutional_lstm","channels":3,"size":5}"#, .convolutionalLSTM(3, kernel: 5)),
            (#"{"layer":"convolutional_gru","channels":3,"size":5}"#, .convolutionalGRU(3, kernel: 5)),
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
            .convolution(3, kernel: MapSize(3, 4), stride: MapSize(2, 1), padding: .same, hasBias: false),
            .convolution(3, kernel: 3, padding: .zeros(top: 0, bottom: 1, left: 2, right: 1), activation: nil),
            .convolution(3, kernel: 3, padding: .zeros(MapSize(0, 1)), activation: .sigmoid),
            .transposedConvolution(
                2, kernel: 3, stride: MapSize(2, 3), padding: .zeros(1), outputPadding: MapSize(1, 2)),
            .layerNorm(epsilon: 1e-12, isPerChannel: true),
            .convolutionalLSTM(
                2, kernel: MapSize(3, 5),
                ConvolutionalLSTMOptions(
                    forgetBias: 1, forgetOffset: 0.5, hasPeepholes: true, hasLayerNorm: true, epsilon: 0.25),
                hasBias: false),
            .convolutionalGRU(2, kernel: 1, resetsFirst: true, hasBias: false),
            .stack(.lstm(3), layers: 2, isBidirectional: true, dropout: 0.5),
        ] {
            #expect(try Layer(json: try JSON(parsing: layer.description.utf8)) == layer)
        }
    }

    /// What files said of a convolution before there were filters of any rows and columns, they say still.
    @Test func usualFiltersAreWrittenAsBefore() throws {
        let written = Layer.convolution(3, size: 3, stride: 2, padding: 1, activation: .tanh).description
        #expect(
            written
                == #"{"layer":"convolution","features":3,"size":3,"stride":2,"padding":1,"activation":"tanh"}"#)
        #expect(try layer(written) == .convolution(3, kernel: 3, stride: 2, padding: .zeros(1), activation: .tanh))
        #expect(Layer.layerNorm().description == #"{"layer":"layer_norm","epsilon":1e-05}"#)
        let sides = Layer.convolution(
            1, kernel: MapSize(4, 5), padding: .zeros(top: 0, bottom: 1, left: 2, right: 3), activation: nil)
        #expect(
            sides.description
                == #"{"layer":"convolution","features":1,"size":[4,5],"stride":1,"padding":[0,1,2,3]}"#)
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
            "the convolution's configuration needs stride as a whole number from 1 to 1048576, or two, of rows and of columns, found 1.5"
        ),
        (
            #"{"layer":"convolution","features":2,"size":[2,2,2]}"#,
            "the convolution's configuration needs size as a whole number from 1 to 1048576, or two, of rows and of columns, found [2,2,2]"
        ),
        (
            #"{"layer":"convolution","features":2,"size":2,"padding":"valid"}"#,
            "the convolution's configuration needs padding as \"same\", or a whole number from 0 to 1048576, or two, of rows and of columns, or four, of top, bottom, left and right, found \"valid\""
        ),
        (
            #"{"layer":"transposed_convolution","features":2,"size":2,"output_padding":-1}"#,
            "the transposed_convolution's configuration needs output_padding as a whole number from 0 to 1048576, or two, of rows and of columns, found -1"
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
