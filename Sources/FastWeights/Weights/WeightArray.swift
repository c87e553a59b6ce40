/// An array of weights as another framework hands it out: numbers row-major, and their shape.
public struct WeightArray: Sendable, Equatable {
    /// Sizes, outermost first.
    public var shape: [Int]
    /// The numbers, row-major, as many as the shape says.
    public var values: [Float]

    /// Traps where the count is not the shape's.
    public init(shape: [Int], values: [Float]) {
        require(
            shape.allSatisfy { $0 >= 0 } && shape.reduce(1, *) == values.count,
            "an array of shape \(shape) has \(shape.reduce(1, *)) numbers; \(values.count) were given")
        self.shape = shape
        self.values = values
    }

    /// An array of a NumPy file, as from Keras' `get_weights`; numbers rounded to the nearest `Float`. Throws `FormatError`
    /// as ``NumPyArray/floats`` does.
    public init(_ array: NumPyArray) throws(FormatError) { self.init(shape: array.shape, values: try array.floats) }

    /// Whether it is a matrix with numbers in it.
    var isMatrix: Bool { shape.count == 2 && shape[0] > 0 && shape[1] > 0 }

    /// Rows and columns exchanged.
    var transposed: WeightArray {
        let (rows, columns) = (shape[0], shape[1])
        var result = self
        result.shape = [columns, rows]
        for r in 0..<rows { for c in 0..<columns { result.values[c * rows + r] = values[r * columns + c] } }
        return result
    }

    /// Part i of `count` equal parts along the first axis, without that axis.
    func part(_ i: Int, of count: Int) -> WeightArray {
        let size = values.count / count
        return WeightArray(
            shape: Array(shape.dropFirst()), values: Array(values[i * size..<(i + 1) * size]))
    }

    /// The gates, blocks of equal height along the first axis, in another order: block i comes from block order[i].
    func reordered(_ order: [Int]) -> WeightArray {
        let size = values.count / order.count
        return WeightArray(shape: shape, values: order.flatMap { values[$0 * size..<($0 + 1) * size] })
    }
}

/// The parameters of one cell under way to PyTorch's form, gates in the order of the framework they come from.
struct ForeignCell {
    /// [G·H, I], [G·H, H] and, where there are biases, [G·H] twice.
    var inputWeight: WeightArray
    var recurrentWeight: WeightArray
    var biases: (input: WeightArray, recurrent: WeightArray)?

    var hidden: Int { recurrentWeight.shape[1] }
    var gates: Int { recurrentWeight.shape[0] / hidden }
}

extension RecurrentNetwork {
    /// A network of these cells, layer by layer, in each the forward direction first. `order` gives, for the number of
    /// gates, from which block each gate of PyTorch's comes.
    convenience init(
        _ cells: [ForeignCell], directions: Int, activation: Activation, order: (Int) -> [Int], source: String
    ) throws {
        let (H, gates) = (cells[0].hidden, cells[0].gates)
        guard [1, 3, 4].contains(gates), cells[0].recurrentWeight.shape[0] == gates * H else {
            throw WeightsError(
                source: source,
                problems: [
                    "expected 1, 3 or 4 gates (RNN, GRU, LSTM) in the recurrent matrix, found \(cells[0].recurrentWeight.shape[0]) rows for \(H) units"
                ])
        }
        let layers = cells.count / directions
        guard layers <= RecurrentNetworkConfiguration.layerLimit else {
            throw WeightsError(
                source: source,
                problems: ["\(layers) layers; there may be \(RecurrentNetworkConfiguration.layerLimit)"])
        }
        let configuration = RecurrentNetworkConfiguration(
            gates == 4 ? .lstm() : gates == 3 ? .gru : .rnn(activation: activation),
            input: cells[0].inputWeight.shape[1], hidden: H, layers: layers,
            bidirectional: directions == 2, bias: cells.contains { $0.biases != nil })
        var tensors: [(name: String, shape: [Int], values: [Float])] = []
        for (place, cell) in zip(configuration.places, cells) {
            let parts = [
                ("weight_ih", cell.inputWeight), ("weight_hh", cell.recurrentWeight), ("bias_ih", cell.biases?.input),
                ("bias_hh", cell.biases?.recurrent),
            ]
            for case (let name, let part?) in parts {
                guard cell.gates == gates, part.shape[0] == gates * H else {
                    throw WeightsError(
                        source: source,
                        problems: [
                            "\(name) of layer \(place.layer) should have \(gates) gates of \(H) units, found \(part.shape[0]) rows"
                        ])
                }
                let part = part.reordered(order(gates))
                tensors.append((name + place.suffix, part.shape, part.values))
            }
        }
        self.init(
            configuration,
            parameters: try StateDictionary(tensors, source: source).parameters(configuration, prefix: ""))
    }
}
