extension RecurrentNetwork {
    /// The network of Keras layers `SimpleRNN`, `LSTM` or `GRU`, stacked, each alone or in a `Bidirectional` wrapper: the
    /// arrays of `get_weights()`, of one layer after the other.
    ///
    /// A layer has `kernel` [I, G·H], `recurrent_kernel` [H, G·H] and, unless it was made with `use_bias=False`, `bias`; a
    /// wrapper those of the forward and then of the backward layer. The gates are i f c o in the LSTM, as PyTorch's, and z
    /// r h in the GRU, where PyTorch has r z n; the matrices are the transposed ones. The one bias [G·H] of LSTM and
    /// SimpleRNN becomes b_ih, and b_hh is zero. The GRU's [2, 3·H] are b_ih and b_hh.
    ///
    /// The layers must have Keras' default activations: tanh, and sigmoid for the gates; SimpleRNN that of `activation`.
    /// Sequences are [B, T, I] in Keras and [T, B, I] here. A `Bidirectional` layer joins its directions as here with its
    /// default `merge_mode="concat"`.
    ///
    /// - Parameters:
    ///   - arrays: The arrays, in their order.
    ///   - bidirectional: Whether the layers are wrapped.
    ///   - activation: That of SimpleRNN, which the arrays do not tell.
    /// - Throws: `WeightsError` for arrays that do not fit together, and for a GRU with `reset_after=False`: that resets
    ///   h before the recurrent product, another function than PyTorch's, which no weights can express. Traps on an array
    ///   whose count is not its shape's.
    public convenience init(
        keras arrays: [WeightArray], bidirectional: Bool = false, activation: Activation = .tanh
    ) throws {
        for array in arrays { array.check() }
        let source = "Keras weights"
        func fail(_ problem: String) -> WeightsError { WeightsError(source: source, problems: [problem]) }
        var cells: [ForeignCell] = []
        var rest = arrays[...]
        while let kernel = rest.popFirst() {
            let place = "cell \(cells.count)"
            guard let recurrent = rest.popFirst(), kernel.isMatrix, recurrent.isMatrix,
                kernel.shape[1] == recurrent.shape[1], recurrent.shape[1] % recurrent.shape[0] == 0
            else {
                throw fail(
                    "\(place): expected a kernel [I, G·H] and a recurrent kernel [H, G·H], found arrays of the shapes \(arrays.map(\.shape))"
                )
            }
            let (H, rows) = (recurrent.shape[0], recurrent.shape[1])
            // Without biases the kernel of a next GRU may be taken for one only where it reads two numbers, H·directions = 2.
            let bias = rest.first.flatMap { $0.shape == [rows] || (rows == 3 * H && $0.shape == [2, rows]) ? $0 : nil }
            var cell = ForeignCell(inputWeight: kernel.transposed, recurrentWeight: recurrent.transposed)
            if let bias {
                rest.removeFirst()
                if bias.shape.count == 2 {
                    cell.biases = (bias.part(0, of: 2), bias.part(1, of: 2))
                } else if rows == 3 * H {
                    throw fail(
                        "\(place): a bias of shape \(bias.shape) is that of a GRU with reset_after=False, which resets h before the recurrent product; PyTorch's GRU and this library's reset after it. Train with reset_after=True"
                    )
                } else {
                    cell.biases = (bias, WeightArray(shape: [rows], values: [Float](repeating: 0, count: rows)))
                }
            }
            cells.append(cell)
        }
        let directions = bidirectional ? 2 : 1
        guard !cells.isEmpty && cells.count % directions == 0 else {
            throw fail(
                "expected the arrays of \(bidirectional ? "two layers, forward and backward, a wrapper" : "at least one layer"), found those of \(cells.count)"
            )
        }
        try self.init(
            cells, directions: directions, activation: activation, order: { $0 == 3 ? [1, 0, 2] : Array(0..<$0) },
            source: source)
    }
}
