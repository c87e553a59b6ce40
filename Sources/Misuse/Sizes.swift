import FastWeights

/// Sizes and options that no network can have, given at once or by a change.
extension Case {
    private static var configuration: RecurrentNetworkConfiguration {
        RecurrentNetworkConfiguration(.gru, input: 2, hidden: 3)
    }

    /// A network of a configuration that was changed after it was made.
    private static func changed(_ change: (inout RecurrentNetworkConfiguration) -> Void) -> RecurrentNetwork {
        var configuration = configuration
        change(&configuration)
        return RecurrentNetwork(configuration, seed: 1)
    }

    static let sizes: [Case] = [
        Case(
            "cell-without-units", "a cell needs input and hidden sizes from 1 to 1048576, found 2 and 0",
            CellConfiguration(.gru, input: 2, hidden: 0)),
        Case(
            "network-too-large",
            "a cell needs input and hidden sizes from 1 to 1048576, found 2 and \(Int.max)",
            RecurrentNetworkConfiguration(.lstm(), input: 2, hidden: .max)),
        Case(
            "directions-too-large", "a layer gives at most 1048576 numbers a step, H·directions, found 2097152",
            RecurrentNetworkConfiguration(.gru, input: 2, hidden: 1 << 20, bidirectional: true)),
        Case(
            "no-layers", "a network needs from 1 to 256 layers, found 0",
            RecurrentNetworkConfiguration(.gru, input: 2, hidden: 3, layers: 0)),
        Case(
            "dropout-of-all", "dropout needs a probability from 0 to below 1, found 1.0",
            RecurrentNetworkConfiguration(.gru, input: 2, hidden: 3, layers: 2, dropout: 1)),
        Case(
            "dropout-nan", "dropout needs a probability from 0 to below 1, found nan",
            RecurrentNetworkConfiguration(.gru, input: 2, hidden: 3, layers: 2, dropout: .nan)),
        Case(
            "epsilon-negative", "the ε of a layer norm is a finite number of at least 0, found -1.0",
            RecurrentNetworkConfiguration(.lstm(layerNorm: true), input: 2, hidden: 3, epsilon: -1)),
        Case(
            "head-without-outputs", "a head needs from 1 to 1048576 outputs, found 0",
            RecurrentNetworkConfiguration(.gru, input: 2, hidden: 3, head: .perStep(0))),
        Case(
            "odd-units",
            "an associative LSTM needs an even number of hidden units, as half of them are the imaginary parts; found 3",
            RecurrentNetworkConfiguration(.associativeLSTM(), input: 2, hidden: 3)),
        Case(
            "layers-changed", "a network needs from 1 to 256 layers, found -1", changed { $0.layers = -1 }),
        Case(
            "units-changed", "a cell needs input and hidden sizes from 1 to 1048576, found 2 and -3",
            changed { $0.hidden = -3 }),
        Case(
            "cell-changed", "a cell needs input and hidden sizes from 1 to 1048576, found 0 and 3",
            doing: {
                var cell = CellConfiguration(.gru, input: 2, hidden: 3)
                cell.input = 0
                _ = RecurrentLayer(cell, seed: 1)
            }),
        Case(
            "inner-steps", "inner steps must be from 0 to 256, found -1", FastWeightsOptions(innerSteps: -1)),
        Case(
            "decay-nan", "fast weights need finite λ and η, found nan and 0.5", FastWeightsOptions(decay: .nan)),
        Case(
            "no-schedule", "a schedule of the fast memory needs the events of at least 1 step, found none",
            FastWeightsOptions(schedule: [])),
        Case(
            "lagged-schedule",
            "a lagged memory reads and writes at every step; the schedule given is [\"read\"]",
            FastWeightsOptions(lagged: true, schedule: [.read])),
        Case(
            "chunks", "a chunk of the fast memory needs at least 1 step, found 0",
            FastWeightsOptions(memory: .chunks(0))),
        Case(
            "schedule-changed", "a schedule of the fast memory needs the events of at least 1 step, found none",
            changed {
                var options = FastWeightsOptions()
                options.schedule = []
                $0.cell = .fastWeights(options)
            }),
        Case(
            "copies", "an associative LSTM needs from 1 to 256 copies and keys, found 0 copies and 1 keys",
            AssociativeLSTMOptions(copies: 0)),
        Case(
            "permutations", "an order is of 0 to 1048576 numbers, found -1",
            AssociativeLSTMOptions().permutations(of: -1)),
        Case(
            "permutations-too-many", "an order is of 0 to 1048576 numbers, found \(Int.max)",
            AssociativeLSTMOptions().permutations(of: .max)),
        Case(
            "classifier-vocabulary", "a classifier needs 1 to 256 tokens and classes, found 257 and 10",
            ClassifierConfiguration(.gru, hidden: 3, vocabulary: 257, classes: 10)),
        Case(
            "classifier-changed", "a classifier's head needs 1 to 1048576 units, found 0",
            doing: {
                var configuration = ClassifierConfiguration(.gru, hidden: 3, vocabulary: 5, classes: 2)
                configuration.head = 0
                _ = SequenceClassifier(configuration, seed: 1)
            }),
        Case(
            "embedding-deviation", "the deviation of embeddings is a finite number of at least 0, found nan",
            SequenceClassifier(
                ClassifierConfiguration(.gru, hidden: 3, vocabulary: 5, classes: 2), seed: 1, embeddingDeviation: .nan)),
        Case(
            "image-without-rows",
            "an image's channels, rows and columns, and a network's classes are from 1 to 16384, found 1, 0, 4 and 2",
            ConvolutionalNetworkConfiguration(MapShape(channels: 1, height: 0, width: 4), [], classes: 2)),
        Case(
            "filter-too-large",
            "layer 0, maxPool(size: 5), does not fit an image of 4 by 4",
            ConvolutionalNetworkConfiguration(
                MapShape(channels: 1, height: 4, width: 4), [.maxPool(size: 5)], classes: 2)),
        Case(
            "map-too-large",
            "\(Int.max) channels of 2 by 1 numbers: sizes are at least 0, and memory must hold all numbers",
            MapShape(channels: .max, height: 2, width: 1).count),
        Case(
            "random-below", "Random.below needs a bound of at least 1, found 0",
            doing: {
                var random = Random(seed: 1)
                _ = random.below(0)
            }),
    ]
}
