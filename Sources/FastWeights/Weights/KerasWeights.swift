extension Network {
    /// The network of Keras layers `SimpleRNN`, `LSTM` or `GRU`, stacked, each alone or in a `Bidirectional` wrapper: the
    /// arrays of `get_weights()`, of one layer after the other.
    ///
    /// A layer has `kernel` [I, G·H], `recurrent_kernel` [H, G·H] and, unless it was made with `use_bias=False`, `bias`; a
    /// wrapper those of the forward and then of the backward layer. The gates are i f c o in the LSTM, as PyTorch's, and z
    /// r h in the GRU, where PyTorch has r z n; the matrices are the transposed ones. The one bias [G·H] of LSTM and
    /// SimpleRNN becomes b_ih, and b_hh is zero. The GRU's [2, 3·H] are b_ih and b_hh. A layer without bias beside others
    /// that have one has zeros, which are the same function. Layers of one kind and size are named as in one module of
    /// PyTorch, `weight_ih_l1`; others by their indices, `1.weight_ih_l0`.
    ///
    /// The layers must have Keras' default activations: tanh, and sigmoid for the gates; SimpleRNN that of `activation`.
    /// Sequences are [B, T, I] in Keras and [T, B, I] here. A `Bidirectional` layer joins its directions as here with its
    /// default `merge_mode="concat"`.
    ///
    /// - Parameters:
    ///   - arrays: The arrays, in their order.
    ///   - isBidirectional: Whether the layers are wrapped.
    ///   - activation: That of SimpleRNN, which the arrays do not tell.
    ///   - biases: Each layer's `use_bias`. Nil finds it in the shapes, where these tell: a bias [2, 3·H] of a GRU has the
    ///     shape of the kernel of a next one that reads two numbers a step.
    /// - Throws: `WeightsError` for arrays that do not fit together, that make networks with and without biases and
    ///   `biases` does not say which, and for a GRU with `reset_after=False`: that resets h before the recurrent product,
    ///   another function than PyTorch's, which no weights can express. Traps on an array whose count is not its shape's.
    /// - Complexity: O(*n*) in the numbers of the arrays.
    public convenience init(
        keras arrays: [WeightArray], isBidirectional: Bool = false, activation: Activation = .tanh,
        biases: [Bool]? = nil
    ) throws {
        for array in arrays { array.check() }
        let source = "Keras weights"
        let layers = KerasLayers(arrays: arrays, directions: isBidirectional ? 2 : 1, biases: biases)
        do {
            try self.init(
                try layers.cells(), directions: layers.directions, activation: activation,
                order: { $0 == 3 ? [1, 0, 2] : Array(0..<$0) }, source: source)
        } catch let problem as KerasLayers.Problem {
            throw WeightsError(source: source, problems: [problem.sentence])
        }
    }
}

extension Network {
    /// The network of Keras layers `ConvLSTM2D`, one on the other: the arrays of `get_weights()`, of one layer after the other.
    ///
    /// A layer has `kernel` [k, l, I, 4·C], `recurrent_kernel` [k, l, C, 4·C] and, unless it was made with `use_bias=False`,
    /// `bias` [4·C]; gates are i f c o. It must have `padding="same"`, strides of 1, filters with odd sides, tanh, and sigmoid
    /// for the gates, which in old versions of Keras is not the default. Clips are [B, T, H, W, I] in Keras, and
    /// [T, B, I, `height`, `width`] here.
    ///
    /// - Throws: `WeightsError` for arrays that are not those of such layers. Traps on an array whose count is not its shape's.
    /// - Complexity: O(*n*) in the numbers of the arrays.
    public convenience init(kerasConvolutionalLSTMs arrays: [WeightArray], height: Int, width: Int) throws {
        for array in arrays { array.check() }
        let source = "Keras weights"
        var (stack, next) = (ConvolutionalStack(height: height, width: width), 0)
        while next < arrays.count {
            let (kernel, recurrent) = (arrays[next], next + 1 < arrays.count ? arrays[next + 1] : nil)
            let sizes = kernel.shape
            guard sizes.count == 4, let recurrent, sizes.allSatisfy({ $0 > 0 }), sizes[3] % 4 == 0,
                recurrent.shape == [sizes[0], sizes[1], sizes[3] / 4, sizes[3]],
                stack.inputs.map({ $0 == sizes[2] }) ?? true
            else {
                let shapes = SafeTensors.list(arrays[next...].map { "\($0.shape)" })
                throw WeightsError(
                    source: source,
                    problems: [
                        "expected a kernel [k, l, \(stack.inputs.map { "\($0)" } ?? "I"), 4·C], a recurrent kernel [k, l, C, 4·C] and perhaps a bias [4·C] of a ConvLSTM2D, found arrays of the shapes \(shapes)"
                    ])
            }
            var cell = ConvolutionalCellWeights(
                input: kernel.outputsFirst, recurrent: recurrent.outputsFirst, forgetOffset: 0)
            next += 2
            if next < arrays.count, arrays[next].shape == [sizes[3]] {
                cell.bias = arrays[next]
                next += 1
            }
            stack.add(cell)
        }
        guard stack.inputs != nil else {
            throw WeightsError(source: source, problems: ["expected the arrays of ConvLSTM2D layers, found no arrays"])
        }
        let network = try stack.network(source: source)
        self.init(network.configuration, parameters: network.parameters)
    }
}

/// The arrays of Keras layers, on the way to cells: a kernel [I, G·H], a recurrent kernel [H, G·H] and perhaps a bias each.
private struct KerasLayers {
    let arrays: [WeightArray]
    let directions: Int
    let biases: [Bool]?

    /// Why they are none.
    struct Problem: Error {
        let sentence: String
    }

    /// The cells in the one way that the arrays can be read.
    func cells() throws -> [ForeignCell] {
        let most = 3 * directions * PlacedList.limit
        guard arrays.count <= most else { throw Problem(sentence: "\(arrays.count) arrays; there may be \(most)") }
        let ways = ways()
        guard ways.count <= 1 else {
            let readings = ways.map { way in
                "\(way.count) \(way.count == 1 ? "layer" : "layers") with biases: [\(SafeTensors.list(way.map { "\($0)" }))]"
            }
            throw Problem(
                sentence:
                    "arrays of the shapes \(Self.list(arrays[...])) can be read as \(readings.joined(separator: " and as ")); say which by the argument biases, each layer's use_bias"
            )
        }
        guard let way = ways.first else { throw try misfit() }
        var (cells, index): ([ForeignCell], Int) = ([], 0)
        for hasBias in way.flatMap({ [Bool](repeating: $0, count: directions) }) {
            cells.append(try cell(at: index, hasBias: hasBias))
            index += hasBias ? 3 : 2
        }
        return cells
    }

    /// Whether each layer has a bias, in every way in which the arrays make a network that fits `biases`; two of many.
    private func ways() -> [[Bool]] {
        if let biases {
            var index: Int? = 0
            for hasBias in biases { index = index.flatMap { end(ofLayerAt: $0, hasBias: hasBias) } }
            return index == arrays.count && !arrays.isEmpty ? [biases] : []
        }
        // Of the arrays from each index on; from the last on, since a layer at an index needs what is known behind it.
        var ways = [[[Bool]]](repeating: [], count: arrays.count) + [[[]]]
        for index in arrays.indices.reversed() {
            let found = [true, false].flatMap { hasBias in
                end(ofLayerAt: index, hasBias: hasBias).map { ways[$0].map { [hasBias] + $0 } } ?? []
            }
            ways[index] = Array(found.prefix(2))
        }
        return arrays.isEmpty ? [] : ways[0]
    }

    /// The index behind the layer whose arrays begin at `index`; nil if they are not those of a layer there.
    private func end(ofLayerAt start: Int, hasBias: Bool) -> Int? {
        var index = start
        for _ in 0..<directions {
            guard isCell(at: start), isCell(at: index), !hasBias || isBias(at: index),
                arrays[index].shape == arrays[start].shape, arrays[index + 1].shape == arrays[start + 1].shape
            else { return nil }
            index += hasBias ? 3 : 2
        }
        // The next layer reads what this one gives.
        let outputs = arrays[start + 1].shape[0] * directions
        return index == arrays.count || arrays[index].isMatrix && arrays[index].shape[0] == outputs ? index : nil
    }

    /// Whether a kernel and a recurrent kernel stand at `index`.
    private func isCell(at index: Int) -> Bool {
        guard index >= 0, index + 1 < arrays.count else { return false }
        let (kernel, recurrent) = (arrays[index], arrays[index + 1])
        return kernel.isMatrix && recurrent.isMatrix && kernel.shape[1] == recurrent.shape[1]
            && [1, 3, 4].contains {
                recurrent.shape[0].multipliedReportingOverflow(by: $0) == (recurrent.shape[1], false)
            }
    }

    /// Whether what stands behind the kernels at `index` can be their bias.
    private func isBias(at index: Int) -> Bool {
        guard index + 2 < arrays.count else { return false }
        let (recurrent, bias) = (arrays[index + 1].shape, arrays[index + 2].shape)
        return bias == [recurrent[1]] || recurrent[1] == 3 * recurrent[0] && bias == [2, recurrent[1]]
    }

    private func cell(at index: Int, hasBias: Bool) throws(Problem) -> ForeignCell {
        var cell = ForeignCell(
            inputWeight: arrays[index].transposed, recurrentWeight: arrays[index + 1].transposed)
        guard hasBias else { return cell }
        let bias = arrays[index + 2]
        let rows = bias.shape[bias.shape.count - 1]
        if bias.shape.count == 2 {
            cell.biases = (bias.part(0, of: 2), bias.part(1, of: 2))
        } else if cell.gates == 3 {
            throw Problem(
                sentence:
                    "array \(index + 2): a bias of shape \(bias.shape) is that of a GRU with reset_after=False, which resets h before the recurrent product; PyTorch's GRU and this library's reset after it. Train with reset_after=True"
            )
        } else {
            cell.biases = (bias, WeightArray(shape: [rows], values: [Float](repeating: 0, count: rows)))
        }
        return cell
    }

    /// The first shapes of many.
    private static func list(_ arrays: ArraySlice<WeightArray>) -> String {
        SafeTensors.list(arrays.map { "\($0.shape)" })
    }

    /// Why the arrays make no network: what is wrong with the cells that they are, or the arrays that are of no cell.
    private func misfit() throws(Problem) -> Problem {
        var (cells, index): ([ForeignCell], Int) = ([], 0)
        while isCell(at: index) {
            let hasBias = isBias(at: index)
            cells.append(try cell(at: index, hasBias: hasBias))
            index += hasBias ? 3 : 2
        }
        let found =
            cells.isEmpty ? "" : " behind \(ForeignCell.list(cells))"
        guard index == arrays.count, !cells.isEmpty else {
            let shapes = Self.list(arrays[index...])
            return Problem(
                sentence:
                    "expected a kernel [I, G·H], a recurrent kernel [H, G·H] and perhaps a bias of each SimpleRNN, LSTM or GRU, found \(shapes.isEmpty ? "no arrays" : "arrays of the shapes \(shapes)")\(found); arrays of other layers, as Dense, cannot be loaded here"
            )
        }
        let problem = ForeignCell.problem(cells, directions: directions)
        let asked = biases.map { ", which are no layers with the biases \($0)" } ?? " do not fit together"
        return Problem(sentence: problem ?? "arrays of the shapes \(Self.list(arrays[...]))\(asked)")
    }
}
