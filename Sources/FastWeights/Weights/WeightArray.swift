/// An array of weights as another framework hands it out: numbers row-major, and their shape.
public struct WeightArray: Sendable, Equatable {
    /// Sizes, outermost first.
    public var shape: [Int]
    /// The numbers, row-major, as many as the shape says.
    public var values: [Float]

    /// Traps where the count is not the shape's.
    public init(shape: [Int], values: [Float]) {
        self.shape = shape
        self.values = values
        check()
    }

    /// Traps where the count is not the shape's, which either may have been set without the other.
    func check() { require(values.count, fits: shape, "an array") }

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

    var inputs: Int { inputWeight.shape[1] }
    var hidden: Int { recurrentWeight.shape[1] }
    var gates: Int { recurrentWeight.shape[0] / hidden }

    /// Kind and sizes, as LSTM(4) of 3 inputs.
    var summary: String {
        let kind = gates == 1 ? "RNN" : gates == 3 ? "GRU" : gates == 4 ? "LSTM" : "a cell of \(gates) gates"
        return "\(kind)(\(hidden)) of \(inputs) \(inputs == 1 ? "input" : "inputs")"
    }

    /// The first of many.
    static func list(_ cells: [ForeignCell]) -> String { SafeTensors.list(cells.map { $0.summary }) }

    /// Why these cells, in the order of layers and in each forward and backward, are no network of this library; nil if they
    /// are one.
    static func problem(_ cells: [ForeignCell], directions: Int) -> String? {
        guard cells.count <= PlacedList.limit * directions else {
            return "\(cells.count / directions) layers; there may be \(PlacedList.limit)"
        }
        let found = "found \(list(cells))"
        let advice = "; layers in one direction and bidirectional ones cannot be loaded as one network"
        guard cells.allSatisfy({ [1, 3, 4].contains($0.gates) }) else {
            return "expected 1, 3 or 4 gates (RNN, GRU, LSTM) in a recurrent matrix, \(found)"
        }
        guard cells.count % directions == 0 else {
            return "expected a forward and a backward cell in each bidirectional layer, \(found)\(advice)"
        }
        for first in stride(from: 0, to: cells.count, by: directions) {
            let (ahead, back) = (cells[first], cells[first + directions - 1])
            guard ahead.gates == back.gates, ahead.hidden == back.hidden, ahead.inputs == back.inputs else {
                return
                    "expected a forward and a backward cell of one kind and size in each bidirectional layer, \(found)"
            }
            let wanted = first == 0 ? ahead.inputs : cells[first - 1].hidden * directions
            if ahead.inputs != wanted {
                return
                    "\(found): layer \(first / directions) reads \(wanted) numbers a step, not \(ahead.inputs)\(advice)"
            }
        }
        return nil
    }
}

extension Network {
    /// A network of these cells, layer by layer, in each the forward direction first: of layers of one kind and size with
    /// the names that they have in one module of PyTorch, otherwise each with those of its index. `order` gives, for the
    /// number of gates, from which block each gate of PyTorch's comes.
    convenience init(
        _ cells: [ForeignCell], directions: Int, activation: Activation, order: (Int) -> [Int], source: String
    ) throws {
        if let problem = ForeignCell.problem(cells, directions: directions) {
            throw WeightsError(source: source, problems: [problem])
        }
        var layers: [Layer] = []
        var tensors: [(name: String, shape: [Int], values: [Float])] = []
        let isStack = cells.allSatisfy { $0.gates == cells[0].gates && $0.hidden == cells[0].hidden }
        for first in stride(from: 0, to: cells.count, by: directions) {
            let own = cells[first..<first + directions]
            let (H, gates) = (cells[first].hidden, cells[first].gates)
            let hasBias = (isStack ? cells[...] : own).contains { $0.biases != nil }
            let zeros = WeightArray(shape: [gates * H], values: [Float](repeating: 0, count: gates * H))
            let cell: Layer =
                gates == 4
                ? .lstm(H, hasBias: hasBias)
                : gates == 3 ? .gru(H, hasBias: hasBias) : .rnn(H, activation: activation, hasBias: hasBias)
            for (direction, cell) in own.enumerated() {
                var parts = [("weight_ih", cell.inputWeight), ("weight_hh", cell.recurrentWeight)]
                if hasBias {
                    parts += [("bias_ih", cell.biases?.input ?? zeros), ("bias_hh", cell.biases?.recurrent ?? zeros)]
                }
                for (name, part) in parts {
                    let part = part.reordered(order(gates))
                    let own = isStack ? "\(name)_l\(layers.count)" : "\(layers.count).\(name)_l0"
                    tensors.append((own + (direction == 1 ? "_reverse" : ""), part.shape, part.values))
                }
            }
            layers.append(
                .stacked(
                    cell, layers: isStack ? cells.count / directions : 1, isBidirectional: directions == 2))
        }
        let named = isStack ? [NamedLayer(layer: layers[0], prefix: "")] : NamedLayer.list(layers)
        let dictionary = StateDictionary(tensors, source: source)
        do {
            let configuration = try NetworkConfiguration(
                checking: .numbers(cells[0].inputs), named)
            self.init(configuration, parameters: try dictionary.parameters(configuration.layout))
        } catch let error as LayerProblem {
            throw WeightsError(source: source, problems: [error.sentence])
        }
    }
}
