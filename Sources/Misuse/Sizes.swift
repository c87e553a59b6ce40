import FastWeights

/// Sizes and options that no network can have.
extension Case {
    /// A network that reads two numbers a step.
    private static func network(_ layers: Layer...) -> NetworkConfiguration {
        NetworkConfiguration(.numbers(2), layers)
    }

    /// The same layers over maps of four rows and columns.
    private static func maps(_ layers: Layer...) -> NetworkConfiguration {
        NetworkConfiguration(.maps(channels: 1, height: 4, width: 4), layers)
    }

    static let sizes: [Case] = [
        Case(
            "no-input", "a network reads from 1 to 1048576 numbers a step, found 0",
            NetworkConfiguration(.numbers(0), [.gru(3)])),
        Case(
            "no-tokens", "a network reads from 1 to 65536 tokens, found 65537",
            NetworkConfiguration(.tokens(65_537), [.gru(3)])),
        Case("no-layers", "there are from 1 to 256 layers, found 0", network()),
        Case(
            "cell-without-units", "layer 0, gru: it needs from 1 to 1048576 hidden units, found 0", network(.gru(0))),
        Case(
            "cell-too-large", "layer 1, lstm: it needs from 1 to 1048576 hidden units, found \(Int.max)",
            network(.gru(3), .lstm(.max))),
        Case(
            "cells-too-large",
            "layer 0, associative_lstm: it needs from 1 to 1048576 hidden units, found \(Int.max)",
            network(.associativeLSTM(.max))),
        Case(
            "outputs-too-large",
            "layer 0, convolution: it would give 268435456 numbers; there may be from 1 to 67108864",
            NetworkConfiguration(.maps(channels: 1, height: 16, width: 16), [.convolution(1 << 20, size: 1)])),
        Case(
            "cell-of-sequences", "layer 2, gru: it needs values at every step, found 3 numbers per sequence",
            network(.gru(3), .lastStep, .gru(3))),
        Case(
            "dense-of-tokens",
            "layer 0, dense: it needs a row of numbers, found one of 5 tokens per step; an embedding makes numbers of tokens",
            NetworkConfiguration(.tokens(5), [.dense(2)])),
        Case(
            "dense-without-outputs", "layer 1, dense: it needs from 1 to 1048576 outputs, found 0",
            network(.gru(3), .dense(0))),
        Case(
            "embedding-of-numbers", "layer 0, embedding: it needs tokens, found 2 numbers per step",
            network(.embedding(4))),
        Case(
            "embedding-deviation",
            "layer 0, embedding: the deviation of its first values is a finite number of at least 0, found nan",
            NetworkConfiguration(.tokens(5), [.embedding(4, deviation: .nan), .gru(3)])),
        Case(
            "residual-other-size",
            "layer 0, residual: its layers read 2 numbers per step and give 3 numbers per step; they must give what they read",
            network(.residual([.dense(3)]))),
        Case(
            "stack-without-layers", "layer 0, stack: it needs from 1 to 256 layers, found -1",
            network(.stack(.gru(3), layers: -1))),
        Case(
            "stack-of-dense", "a stack is made of a recurrent layer; dense was given", Layer.stack(.dense(3), layers: 2)
        ),
        Case(
            "bidirectional-dense", "a recurrent layer can be bidirectional; dense was given",
            Layer.bidirectional(.dense(3))),
        Case(
            "dropout-of-all", "layer 0, dropout: dropout needs a probability from 0 to below 1, found 1.0",
            network(.dropout(1))),
        Case(
            "dropout-nan", "layer 0, stack: dropout needs a probability from 0 to below 1, found nan",
            network(.stack(.gru(3), layers: 2, dropout: .nan))),
        Case(
            "epsilon-negative", "layer 0, lstm: the ε of a layer norm is a finite number of at least 0, found -1.0",
            network(.lstm(3, hasLayerNorm: true, epsilon: -1))),
        Case(
            "odd-units",
            "layer 0, associative_lstm: an associative LSTM needs an even number of hidden units, as half of them are the imaginary parts; found 3",
            network(.associativeLSTM(3))),
        Case(
            "image-without-rows",
            "a network reads maps of 1 to 16384 channels, rows and columns, at most 67108864 numbers in all, found 1, 0 and 4",
            NetworkConfiguration(.maps(channels: 1, height: 0, width: 4), [.flatten])),
        Case(
            "filter-too-large",
            "layer 0, convolution: 2 filters of 5 by 5, one every 1, with a padding of 0 below their size, do not fit 1 maps of 4 by 4 per step",
            maps(.convolution(2, size: 5))),
        Case(
            "cropped-away",
            "layer 0, transposed_convolution: 1 filters of 6 by 6, one every 1, with a padding of 5 below their size, and an output padding of 0 by 0 below the stride, none of SAME, give nothing of 1 maps of 4 by 4 per step",
            maps(.transposedConvolution(1, kernel: 6, padding: .zeros(5)))),
        Case(
            "even-filter",
            "layer 0, convolutional_lstm: its filters have an odd number of rows and of columns, from 1 to 1048575, so that maps keep theirs; found 3 by 4",
            maps(.convolutionalLSTM(2, kernel: MapSize(3, 4)))),
        Case(
            "forget-offset", "a convolutional LSTM needs a finite bias and offset of f, found nan",
            ConvolutionalLSTMOptions(forgetOffset: .nan)),
        Case(
            "window-too-large", "layer 0, max_pool: windows of 5 by 5 do not fit 1 maps of 4 by 4 per step",
            maps(.maxPool(size: 5))),
        Case(
            "dense-of-maps",
            "layer 0, dense: it needs a row of numbers, found 1 maps of 4 by 4 per step; put flatten between",
            maps(.dense(2))),
        Case(
            "inner-steps", "inner steps must be from 0 to 256, found -1", FastWeightsOptions(innerSteps: -1)),
        Case(
            "decay-nan", "fast weights need finite λ and η, found nan and 0.5", FastWeightsOptions(memoryDecay: .nan)),
        Case(
            "no-schedule", "a schedule of the fast memory needs the events of at least 1 step, found none",
            FastWeightsOptions(schedule: [])),
        Case(
            "lagged-schedule",
            "a lagged memory reads and writes at every step; the schedule given is [\"read\"]",
            FastWeightsOptions(isLagged: true, schedule: [.read])),
        Case(
            "chunks", "a chunk of the fast memory needs at least 1 step, found 0",
            FastWeightsOptions(memory: .chunks(0))),
        Case(
            "schedule-changed",
            "layer 0, fast_weights: a schedule of the fast memory needs the events of at least 1 step, found none",
            doing: {
                var options = FastWeightsOptions()
                options.schedule = []
                _ = network(.fastWeights(3, options))
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
            "random-below", "Random.below needs a bound of at least 1, found 0",
            doing: {
                var random = Random(seed: 1)
                _ = random.below(0)
            }),
    ]
}
