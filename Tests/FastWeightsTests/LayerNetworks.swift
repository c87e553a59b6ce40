import Testing

@testable import FastWeights

/// Networks for what must hold whatever the layers.
@Suite struct LayerNetworks {
    /// Networks that have every kind of layer among them, and those whose passes depend on their neighbors beside each.
    static let all: [NetworkConfiguration] =
        [
            // An embedding whose rows are read as they are, and one that is a table; no embedding at all.
            NetworkConfiguration(.tokens(7), [.embedding(6), .layerNorm(), .dense(4, activation: .relu)]),
            NetworkConfiguration(.tokens(7), [.embedding(6), .gru(5), .lastStep, .dense(4)]),
            NetworkConfiguration(.tokens(7), [.associativeLSTM(6), .dense(4)]),
            NetworkConfiguration(.tokens(7), [.embedding(3), .bidirectional(.lstm(5)), .rmsNorm(), .mean]),
            NetworkConfiguration(
                .numbers(6),
                [.stack(.rnn(5), layers: 3, isBidirectional: true, dropout: 0.3), .lastStep, .dense(4)]),
            NetworkConfiguration(
                .tokens(7),
                [
                    .embedding(6), .stack(.fastWeights(5), layers: 2, dropout: 0.3), .dropout(0.2), .dense(4),
                    .softmax,
                ]),
            NetworkConfiguration(
                .numbers(6),
                [
                    .dense(5, activation: .tanh),
                    .residual([.rmsNorm(), .lstm(5), .dropout(0.2), .residual([.dense(5, activation: .sigmoid)])]),
                    .mean, .layerNorm(), .residual([.dense(5)]), .dropout(0.1), .dense(4), .softmax,
                ]),
            NetworkConfiguration(
                .maps(channels: 2, height: 6, width: 5),
                [
                    .dropout(0.1), .convolution(3, size: 3, padding: 1), .maxPool(size: 2),
                    .convolution(2, size: 2, activation: nil), .flatten, .gru(5), .lastStep, .dense(4),
                ]),
            NetworkConfiguration(
                .maps(channels: 2, height: 6, width: 5),
                [
                    .convolution(3, kernel: MapSize(3, 2), stride: 2, padding: .same, hasBias: false),
                    .layerNorm(isPerChannel: true),
                    .convolutionalLSTM(
                        3, kernel: 3, ConvolutionalLSTMOptions(hasPeepholes: true, hasLayerNorm: true)),
                    .convolutionalGRU(3, kernel: MapSize(1, 3)),
                    .residual([.convolutionalGRU(3, kernel: 1, resetsFirst: true), .convolutionalLSTM(3, kernel: 1)]),
                    .transposedConvolution(2, kernel: 3, stride: 2, padding: .same), .flatten, .lastStep, .dense(4),
                ]),
        ] + Layer.cells(hidden: 6).map { NetworkConfiguration(.numbers(6), [$0.layer, .lastStep, .dense(4)]) }

    /// Sequences of 1 to `longest` steps with numbers to learn.
    static func data(_ configuration: NetworkConfiguration, count: Int, longest: Int = 9) throws -> SequenceData {
        let definition = configuration.definition
        var random = Random(seed: 3)
        let lengths = (0..<count).map { _ in 1 + random.below(longest) }
        func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in Float(random.normal()) } }
        let (width, outputs) = (definition.input.count, definition.output.count)
        let inputs: SequenceData.Inputs =
            definition.takesTokens
            ? .tokens(lengths.map { (0..<$0).map { _ in random.below(7) } })
            : .numbers(lengths.map { numbers($0 * width) }, width: width)
        return try SequenceData(
            inputs,
            definition.output.isPerStep
                ? .stepNumbers(lengths.map { numbers($0 * outputs) })
                : .numbers(lengths.map { _ in numbers(outputs) }))
    }

    /// The names of the kinds in layers, and in the layers that these are made of.
    private static func kinds(_ json: JSON) -> [String] {
        let own = json["layer"]?.text.map { [$0] } ?? []
        let inner = (json.members ?? []).map(\.value) + (json.elements ?? [])
        return own + inner.flatMap { kinds($0) }
    }

    /// A kind that is new must be among the networks; a cell is by the registry.
    @Test func everyKindOfLayerIsThere() {
        #expect(Set(Layer.kindNames) == Set(LayerNetworks.all.flatMap { Self.kinds($0.json) }))
    }
}
