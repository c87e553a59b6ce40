/// The weights of one ONNX node `RNN`, `LSTM` or `GRU`, for `Network.init(onnx:)`.
///
/// D is 2 where the node's direction is "bidirectional" and otherwise 1.
public struct ONNXWeights: Sendable, Equatable {
    /// W, [D, G·H, I].
    public var input: WeightArray
    /// R, [D, G·H, H].
    public var recurrent: WeightArray
    /// B, [D, 2·G·H], W's bias and then R's; nil where the node has none.
    public var bias: WeightArray?
    /// The node's attribute of that name, of a GRU.
    public var isLinearBeforeReset: Bool

    /// The arrays of a node; `Network.init(onnx:activation:)` checks their shapes.
    public init(
        input: WeightArray, recurrent: WeightArray, bias: WeightArray? = nil, isLinearBeforeReset: Bool = false
    ) {
        self.input = input
        self.recurrent = recurrent
        self.bias = bias
        self.isLinearBeforeReset = isLinearBeforeReset
    }
}

extension Network {
    /// The network of ONNX nodes, one a layer.
    ///
    /// The gates are i o f c in the LSTM, where PyTorch has i f g o, and z r h in the GRU, where PyTorch has r z n. The
    /// nodes must have the default activations (an RNN that of `activation`), no clip, no peepholes P, no `input_forget`,
    /// direction "forward" or "bidirectional", and a GRU `linear_before_reset` = 1. With `layout` = 0 sequences are
    /// [T, B, I] as here, and the outputs Y [T, D, B, H], of which these are [T, B, D·H].
    ///
    /// - Throws: `WeightsError` for arrays that do not fit together, and for a GRU with `linear_before_reset` = 0, ONNX's
    ///   default: that resets h before the recurrent product, another function than PyTorch's. Traps on an array whose
    ///   count is not its shape's.
    public convenience init(onnx layers: [ONNXWeights], activation: Activation = .tanh) throws {
        for node in layers { [node.input, node.recurrent, node.bias].forEach { $0?.check() } }
        let source = "ONNX weights"
        func fail(_ problem: String) -> WeightsError { WeightsError(source: source, problems: [problem]) }
        guard let directions = layers.first?.input.shape.first, (1...2).contains(directions) else {
            throw fail(
                "expected W [D, G·H, I] of at least one node, D 1 or 2, found \(layers.map(\.input.shape))")
        }
        var cells: [ForeignCell] = []
        for (layer, node) in layers.enumerated() {
            let (w, r) = (node.input.shape, node.recurrent.shape)
            guard w.count == 3, r.count == 3, w[0] == directions, r[0] == directions, w[1] == r[1], w[2] > 0, r[2] > 0,
                r[1] > 0, r[1] % r[2] == 0, node.bias.map({ $0.shape == [directions, 2 * r[1]] }) ?? true
            else {
                throw fail(
                    "layer \(layer): expected W [D, G·H, I], R [D, G·H, H] and B [D, 2·G·H] with D = \(directions), found \(w), \(r) and \(node.bias.map { "\($0.shape)" } ?? "no B")"
                )
            }
            if r[1] == 3 * r[2], !node.isLinearBeforeReset {
                throw fail(
                    "layer \(layer): a GRU with linear_before_reset = 0 resets h before the recurrent product; PyTorch's GRU and this library's reset after it. Export with linear_before_reset = 1"
                )
            }
            for d in 0..<directions {
                let bias = node.bias?.part(d, of: directions)
                cells.append(
                    ForeignCell(
                        inputWeight: node.input.part(d, of: directions),
                        recurrentWeight: node.recurrent.part(d, of: directions),
                        biases: bias.map { bias in
                            func half(_ i: Int) -> WeightArray {
                                WeightArray(shape: [r[1]], values: Array(bias.values[i * r[1]..<(i + 1) * r[1]]))
                            }
                            return (half(0), half(1))
                        }))
            }
        }
        try self.init(
            cells, directions: directions, activation: activation,
            order: { $0 == 4 ? [0, 2, 3, 1] : $0 == 3 ? [1, 0, 2] : [0] }, source: source)
    }
}
