/// Code whose convolutional LSTMs can be read. Every one has an order of gates of its own, which no shape tells: it must be
/// named.
public enum ConvolutionalLSTMCode: String, Sendable, CaseIterable {
    /// ndrplz/ConvLSTM_pytorch: `cell_list.<l>.conv`, one convolution of x and h, with or without a bias; gates i f o g.
    case ndrplz
    /// automan000/Convolutional_LSTM_PyTorch: `cell<l>.Wxi`, `Whi` and so on, a convolution for each gate i, f, c and o of x
    /// and of h, biases with those of x; peepholes `Wci`, `Wcf` and `Wco` [1, C, H, W] where they were saved, zeros otherwise.
    case automan000
    /// OpenSTL: `cell_list.<l>.conv_x.0` and `conv_h.0` without biases, gates i f g o; layer norms `conv_x.1` and `conv_h.1`
    /// where there are some; `conv_last`, a convolution of 1 by 1 on top. A cell's own `conv_o` and `conv_last`, which that code
    /// does not use, are left out.
    case openSTL = "openstl"
    /// Xiaohui9607/physical_interaction_video_prediction_pytorch: `lstm<n>.conv`, a cell alone, one convolution of x and h;
    /// gates i j f o, and 1 added to f.
    case xiaohui9607
    /// TensorFlow's release of video prediction: `<scope>/Gates/weights` [k, l, I + C, 4·C] and `biases`, a cell alone; gates
    /// i j f o, and 1 added to f.
    case tensorFlow = "tensorflow"

    /// The tensor that shows a cell.
    fileprivate var mark: String {
        switch self {
        case .ndrplz, .xiaohui9607: "conv.weight"
        case .automan000: "Wxi.weight"
        case .openSTL: "conv_x.0.weight"
        case .tensorFlow: "Gates/weights"
        }
    }

    /// What stands before the number of a layer; nil where cells stand alone.
    fileprivate var list: String? {
        switch self {
        case .ndrplz, .openSTL: "cell_list."
        case .automan000: "cell"
        case .xiaohui9607, .tensorFlow: nil
        }
    }

    /// Where i, f, g and o stand among the gates of one convolution.
    fileprivate var order: [Int] {
        switch self {
        case .ndrplz: [0, 1, 3, 2]
        case .automan000, .openSTL: [0, 1, 2, 3]
        case .xiaohui9607, .tensorFlow: [0, 2, 1, 3]
        }
    }

    /// What is added to f.
    fileprivate var forgetOffset: Float {
        switch self {
        case .ndrplz, .automan000, .openSTL: 0
        case .xiaohui9607, .tensorFlow: 1
        }
    }
}

extension StateDictionary {
    /// The network of convolutional LSTMs that another code has trained, one layer on the other, gates in this library's order;
    /// on top of OpenSTL's the convolution that makes the next patches.
    ///
    ///     let dictionary = try StateDictionary(path: "checkpoint.pth")
    ///     let network = try dictionary.convolutionalNetwork(of: .ndrplz, height: 16, width: 16)
    ///
    /// The network reads maps [T, B, I, `height`, `width`]: the weights do not tell these sizes. Filters have odd sides, and
    /// zeros around the maps keep their sizes, as all those codes have it. Parameters are named by the layers' indices.
    ///
    /// - Parameters:
    ///   - code: Whose names and order of gates they are.
    ///   - height: Rows of the maps.
    ///   - width: Columns of the maps.
    ///   - prefix: What stands before the names, as "encoder." or "lstm1."; nil finds it. Tensors with another prefix are not
    ///     looked at.
    /// - Throws: `WeightsError` when there is no such cell, or several modules and no prefix; and with all tensors that are
    ///   missing, unexpected or of a wrong shape. `FormatError` for a tensor of integers.
    /// - Complexity: O(*n*) in the number of parameters.
    public func convolutionalNetwork(
        of code: ConvolutionalLSTMCode, height: Int, width: Int, prefix: String? = nil
    ) throws -> Network {
        func fail(_ problem: String) -> WeightsError { WeightsError(source: source, problems: [problem]) }
        let found = names.compactMap { CellName($0, code) }
        let prefixes = Set(found.map(\.prefix)).sorted()
        let shown = SafeTensors.list(prefixes.map { "\"\($0)\"" })
        guard let prefix = prefix ?? (prefixes.count == 1 ? prefixes[0] : nil) else {
            throw fail(
                prefixes.isEmpty
                    ? "expected weights of \(code.rawValue), as \(code.list.map { $0 + "0." } ?? "")\(code.mark), found \(names.isEmpty ? "no tensors" : SafeTensors.list(names))"
                    : "\(prefixes.count) modules of convolutional LSTMs, choose one by its prefix: \(shown)")
        }
        let own = found.filter { $0.prefix == prefix }
        guard !own.isEmpty else {
            throw fail(
                "no weights of \(code.rawValue) begin with \"\(prefix)\"; found the prefixes \(prefixes.isEmpty ? "of none" : shown)"
            )
        }
        let layers = own.compactMap(\.layer).sorted()
        guard layers == Array(0..<layers.count), layers.isEmpty || layers.count == own.count else {
            throw fail("expected layers from 0 on, found \(SafeTensors.list(own.map(\.stem)))")
        }
        var reader = ConvolutionalCells(self, code, height: height, width: width)
        for cell in own.sorted(by: { $0.layer ?? 0 < $1.layer ?? 0 }) { try reader.read(cell.stem) }
        if code == .openSTL, !layers.isEmpty { try reader.readOutput(prefix + "conv_last.weight") }
        return try reader.network()
    }
}

/// The name of the tensor that shows a cell, taken apart.
private struct CellName {
    /// What stands before the names of all layers, and of this cell.
    let prefix: String
    let stem: String
    /// Nil of a cell alone.
    let layer: Int?

    /// Nil for a name of another kind of tensor.
    init?(_ name: String, _ code: ConvolutionalLSTMCode) {
        guard name.hasSuffix(code.mark) else { return nil }
        stem = String(name.dropLast(code.mark.count))
        guard stem.isEmpty || stem.hasSuffix(".") || stem.hasSuffix("/") else { return nil }
        if let list = code.list, stem.hasSuffix(".") {
            let rest = stem.dropLast()
            let digits = rest.utf8.reversed().prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }.count
            if digits > 0, let number = Int(rest.suffix(digits)), rest.dropLast(digits).hasSuffix(list) {
                (prefix, layer) = (String(rest.dropLast(digits + list.count)), number)
                return
            }
        }
        (prefix, layer) = (stem, nil)
    }
}

/// The cells of a code under way to a network: its layers, and their tensors.
private struct ConvolutionalCells {
    private let dictionary: StateDictionary
    private let code: ConvolutionalLSTMCode
    private var stack: ConvolutionalStack
    private var problems: [String] = []

    init(_ dictionary: StateDictionary, _ code: ConvolutionalLSTMCode, height: Int, width: Int) {
        (self.dictionary, self.code) = (dictionary, code)
        stack = ConvolutionalStack(height: height, width: width)
    }

    func network() throws -> Network {
        guard problems.isEmpty else { throw WeightsError(source: dictionary.source, problems: problems) }
        return try stack.network(source: dictionary.source)
    }

    /// The tensor of a name, which must have this shape; a size that is nil may be any from 1 on.
    private mutating func take(_ name: String, _ sizes: [Int?]) throws -> WeightArray? {
        guard let shape = dictionary.shapes[name] else {
            problems.append("missing tensors: \(name)")
            return nil
        }
        guard shape.count == sizes.count, zip(shape, sizes).allSatisfy({ $0 > 0 && $0 == $1 ?? $0 }) else {
            let wanted = sizes.map { $0.map { "\($0)" } ?? "…" }.joined(separator: ", ")
            problems.append("\(name) should have the shape [\(wanted)], found \(shape)")
            return nil
        }
        return WeightArray(shape: shape, values: try dictionary.values(name))
    }

    /// Adds the cell whose names begin with `stem`.
    mutating func read(_ stem: String) throws {
        let names = Set(dictionary.names.filter { $0.hasPrefix(stem) }.map { String($0.dropFirst(stem.count)) })
        let known: [String]
        let weights: ConvolutionalCellWeights?
        switch code {
        case .ndrplz, .xiaohui9607, .tensorFlow: (known, weights) = try ofOneConvolution(stem, names)
        case .automan000: (known, weights) = try ofEightConvolutions(stem, names)
        case .openSTL: (known, weights) = try ofTwoConvolutions(stem, names)
        }
        let unused = code == .openSTL ? ["conv_o.", "conv_last."] : []
        let unexpected = names.subtracting(known).filter { name in !unused.contains { name.hasPrefix($0) } }.sorted()
        if !unexpected.isEmpty {
            problems.append("unexpected tensors: \(SafeTensors.list(unexpected.map { stem + $0 }))")
        }
        if let weights { stack.add(weights) }
    }

    private typealias FoundCell = (known: [String], weights: ConvolutionalCellWeights?)

    /// Filters [4·C, I + C, k, l], of TensorFlow [k, l, I + C, 4·C].
    private mutating func ofOneConvolution(_ stem: String, _ names: Set<String>) throws -> FoundCell {
        let biasName = code == .tensorFlow ? "Gates/biases" : "conv.bias"
        let known = [code.mark, biasName]
        guard var filters = try take(stem + code.mark, [nil, nil, nil, nil]) else { return (known, nil) }
        if code == .tensorFlow { filters = filters.outputsFirst }
        let (rows, depth) = (filters.shape[0], filters.shape[1])
        guard rows % 4 == 0, depth > rows / 4, stack.inputs.map({ $0 == depth - rows / 4 }) ?? true else {
            let read = stack.inputs.map { "\($0)" } ?? "I"
            problems.append(
                "\(stem)\(code.mark) \(dictionary.shapes[stem + code.mark]!) has \(rows) maps of gates over \(depth) of x and h; expected 4·C over \(read) + C"
            )
            return (known, nil)
        }
        let parts = filters.reordered(code.order).split(after: depth - rows / 4)
        var weights = ConvolutionalCellWeights(input: parts.0, recurrent: parts.1, forgetOffset: code.forgetOffset)
        if code != .ndrplz || names.contains(biasName) {
            guard let bias = try take(stem + biasName, [rows]) else { return (known, nil) }
            weights.bias = bias.reordered(code.order)
        }
        return (known, weights)
    }

    /// Filters [C, I, k, l] and [C, C, k, l] for each gate, biases [C] and peepholes [1, C, H, W].
    private mutating func ofEightConvolutions(_ stem: String, _ names: Set<String>) throws -> FoundCell {
        let (gates, holes) = (["i", "f", "c", "o"], ["Wci", "Wcf", "Wco"])
        let known = gates.flatMap { ["Wx\($0).weight", "Wh\($0).weight", "Wx\($0).bias"] } + holes
        var (size, ofInput, ofState, biases): ([Int?], [WeightArray], [WeightArray], [WeightArray]) = (
            [nil, stack.inputs, nil, nil], [], [], []
        )
        for gate in gates {
            guard let x = try take("\(stem)Wx\(gate).weight", size) else { return (known, nil) }
            size = x.shape
            guard let h = try take("\(stem)Wh\(gate).weight", [size[0], size[0], size[2], size[3]]),
                let bias = try take("\(stem)Wx\(gate).bias", [size[0]])
            else { return (known, nil) }
            ofInput.append(x)
            ofState.append(h)
            biases.append(bias)
        }
        var weights = ConvolutionalCellWeights(input: .joined(ofInput), recurrent: .joined(ofState), forgetOffset: 0)
        weights.bias = .joined(biases)
        for hole in holes where holes.contains(where: names.contains) {
            guard let numbers = try take(stem + hole, [1, size[0], stack.height, stack.width]) else {
                return (known, nil)
            }
            weights.peepholes.append(numbers.part(0, of: 1))
        }
        return (known, weights)
    }

    /// Filters [4·C, I, k, l] and [4·C, C, k, l], and norms [4·C, H, W].
    private mutating func ofTwoConvolutions(_ stem: String, _ names: Set<String>) throws -> FoundCell {
        let norms = ["conv_x.1.weight", "conv_x.1.bias", "conv_h.1.weight", "conv_h.1.bias"]
        let known = ["conv_x.0.weight", "conv_h.0.weight"] + norms
        guard let x = try take(stem + known[0], [nil, stack.inputs, nil, nil]) else { return (known, nil) }
        guard x.shape[0] % 4 == 0 else {
            problems.append("\(stem)\(known[0]) should have 4·C maps, found \(x.shape)")
            return (known, nil)
        }
        let rows = x.shape[0]
        guard let h = try take(stem + known[1], [rows, rows / 4, x.shape[2], x.shape[3]]) else { return (known, nil) }
        var weights = ConvolutionalCellWeights(input: x, recurrent: h, forgetOffset: 0)
        for norm in norms where norms.contains(where: names.contains) {
            guard let numbers = try take(stem + norm, [rows, stack.height, stack.width]) else { return (known, nil) }
            weights.norms.append(numbers)
        }
        return (known, weights)
    }

    /// Adds the convolution on top, filters [F, C, 1, 1], where there is one.
    mutating func readOutput(_ name: String) throws {
        guard dictionary.shapes[name] != nil, let filters = try take(name, [nil, stack.inputs, 1, 1]) else { return }
        stack.addOutput(filters)
    }
}

/// The weights of a cell, gates in the order i f g o.
struct ConvolutionalCellWeights {
    /// [4·C, I, k, l] and [4·C, C, k, l].
    var input: WeightArray
    var recurrent: WeightArray
    /// What is added to f.
    var forgetOffset: Float
    /// [4·C].
    var bias: WeightArray?
    /// w_ci, w_cf and w_co [C, H, W], or none.
    var peepholes: [WeightArray] = []
    /// Gain and bias of the norm of x, and of that of h, [4·C, H, W], or none.
    var norms: [WeightArray] = []
}

/// Convolutional LSTMs one on the other, on the way to a network.
struct ConvolutionalStack {
    let height: Int
    let width: Int
    /// Maps that the next layer reads; nil before the first.
    private(set) var inputs: Int?
    private var channels = 0
    private var layers: [Layer] = []
    private var tensors: [(name: String, shape: [Int], values: [Float])] = []

    init(height: Int, width: Int) { (self.height, self.width) = (height, width) }

    private mutating func add(_ layer: Layer, _ parts: [(String, WeightArray)], gives channels: Int) {
        tensors += parts.map { ("\(layers.count).\($0)", $1.shape, $1.values) }
        layers.append(layer)
        inputs = channels
    }

    mutating func add(_ cell: ConvolutionalCellWeights) {
        let hidden = cell.recurrent.shape[1]
        if layers.isEmpty { channels = cell.input.shape[1] }
        let options = ConvolutionalLSTMOptions(
            forgetOffset: cell.forgetOffset, hasPeepholes: !cell.peepholes.isEmpty, hasLayerNorm: !cell.norms.isEmpty)
        let parts =
            [("weight_ih", cell.input), ("weight_hh", cell.recurrent)] + (cell.bias.map { [("bias_ih", $0)] } ?? [])
            + zip(["weight_ci", "weight_cf", "weight_co"], cell.peepholes)
            + zip(["norm_ih_weight", "norm_ih_bias", "norm_hh_weight", "norm_hh_bias"], cell.norms)
        add(
            .convolutionalLSTM(
                hidden, kernel: MapSize(cell.input.shape[2], cell.input.shape[3]), options, hasBias: cell.bias != nil),
            parts.map { ($0 + "_l0", $1) }, gives: hidden)
    }

    mutating func addOutput(_ filters: WeightArray) {
        add(
            .convolution(filters.shape[0], kernel: 1, hasBias: false, activation: nil), [("weight", filters)],
            gives: filters.shape[0])
    }

    func network(source: String) throws -> Network {
        let input = NetworkInput.maps(channels: channels, height: height, width: width)
        let configuration: NetworkConfiguration
        do { configuration = try NetworkConfiguration(checking: input, NamedLayer.list(layers)) } catch {
            throw WeightsError(source: source, problems: [error.sentence])
        }
        let dictionary = StateDictionary(tensors, source: source)
        return Network(configuration, parameters: try dictionary.parameters(configuration.layout))
    }
}

extension WeightArray {
    /// Filters [k, l, I, F] as [F, I, k, l].
    var outputsFirst: WeightArray {
        let (area, depth, rows) = (shape[0] * shape[1], shape[2], shape[3])
        var result = WeightArray(shape: [rows, depth, shape[0], shape[1]], values: values)
        for place in 0..<area {
            for channel in 0..<depth {
                for row in 0..<rows {
                    result.values[(row * depth + channel) * area + place] =
                        values[(place * depth + channel) * rows + row]
                }
            }
        }
        return result
    }

    /// The filters over the first `channels` maps, and over the rest.
    fileprivate func split(after channels: Int) -> (WeightArray, WeightArray) {
        let (rows, depth) = (shape[0], shape[1])
        let area = values.count / (rows * depth)
        func part(_ range: Range<Int>) -> WeightArray {
            WeightArray(
                shape: [rows, range.count] + shape.dropFirst(2),
                values: (0..<rows).flatMap { row in
                    values[(row * depth + range.lowerBound) * area..<(row * depth + range.upperBound) * area]
                })
        }
        return (part(0..<channels), part(channels..<depth))
    }

    /// Arrays one behind the other along the first axis.
    fileprivate static func joined(_ arrays: [WeightArray]) -> WeightArray {
        WeightArray(
            shape: [arrays.reduce(0) { $0 + $1.shape[0] }] + arrays[0].shape.dropFirst(),
            values: arrays.flatMap(\.values)
        )
    }
}
