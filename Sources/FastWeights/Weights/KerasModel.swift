extension Network {
    /// The network of a Keras model: its configuration, `model.to_json()`, and its arrays, `model.get_weights()`.
    ///
    ///     let network = try Network(kerasModel: try String(contentsOfFile: "model.json", encoding: .utf8), weights: arrays)
    ///
    /// A `Sequential` model, or a functional one whose layers stand one on the other, of `InputLayer`, `Embedding`,
    /// `SimpleRNN`, `LSTM`, `GRU`, each of its own size, alone or in `Bidirectional`, with or without `return_sequences`,
    /// `Dense` and `TimeDistributed(Dense)` with the activations linear, relu, tanh, sigmoid and softmax,
    /// `LayerNormalization`, `Dropout` and `GlobalAveragePooling1D`. The gates are reordered as in
    /// `init(keras:isBidirectional:activation:biases:)`. Sequences are [B, T, I] in Keras and [T, B, I] here. Parameters are
    /// named by the layers' indices.
    ///
    /// - Throws: `WeightsError` that names every layer that cannot be loaded, with what is not known of it: another kind,
    ///   other activations, `reset_after=False`, `go_backwards=True`, masks, another `merge_mode`; and for arrays that are
    ///   not those of the layers. Traps on an array whose count is not its shape's.
    /// - Complexity: O(*n*) in the numbers of the arrays.
    public convenience init(kerasModel text: String, weights arrays: [WeightArray]) throws {
        for array in arrays { array.check() }
        var model = KerasModel(arrays)
        try model.read(text)
        let configuration: NetworkConfiguration
        do { configuration = try NetworkConfiguration(checking: model.input, NamedLayer.list(model.layers)) } catch {
            throw model.fail([error.sentence])
        }
        let dictionary = StateDictionary(model.tensors, source: KerasModel.source)
        self.init(configuration, parameters: try dictionary.parameters(configuration.layout))
    }
}

/// A Keras model under way to a network: its layers, and the tensors made of its arrays.
private struct KerasModel {
    static let source = "Keras model"

    private(set) var input = NetworkInput.numbers(1)
    private(set) var layers: [Layer] = []
    private(set) var tensors: [(name: String, shape: [Int], values: [Float])] = []
    private let arrays: [WeightArray]
    private var next = 0
    private var problems: [String] = []

    init(_ arrays: [WeightArray]) { self.arrays = arrays }

    func fail(_ problems: [String]) -> WeightsError { WeightsError(source: Self.source, problems: problems) }

    mutating func read(_ text: String) throws {
        let json: JSON
        do { json = try JSON(parsing: text.utf8) } catch { throw fail(["the configuration is not JSON: \(error)"]) }
        guard let kind = json["class_name"]?.text, let found = json["config"]?["layers"]?.elements,
            ["Sequential", "Functional", "Model"].contains(kind)
        else {
            throw fail(["expected the text of model.to_json(), of a Sequential or a functional model with layers"])
        }
        guard found.count <= PlacedList.limit else { throw fail(["\(found.count) layers"]) }
        if kind != "Sequential" { try checkChain(found) }
        for layer in found { read(layer) }
        if problems.isEmpty, next < arrays.count {
            problems.append("\(arrays.count) arrays were given; the layers have \(next)")
        }
        guard problems.isEmpty else { throw fail(problems) }
    }

    /// Throws unless every layer of a functional model reads the one before.
    private func checkChain(_ layers: [JSON]) throws {
        for (above, layer) in zip(layers, layers.dropFirst()) {
            let node = layer["inbound_nodes"]?.serialized() ?? ""
            let name = above["config"]?["name"]?.text ?? above["name"]?.text ?? ""
            guard node.contains("\"\(name)\""), layer["inbound_nodes"]?.elements?.count == 1 else {
                throw fail([
                    "the layer \(layer["config"]?["name"]?.text ?? "?") does not read the one before, \(name), alone; models with branches cannot be loaded"
                ])
            }
        }
    }

    private mutating func read(_ layer: JSON) {
        let (kind, config) = (layer["class_name"]?.text ?? "?", layer["config"] ?? .null)
        let name = config["name"]?.text ?? kind
        func note(_ problem: String) { problems.append("\(kind) \(name): \(problem)") }
        switch kind {
        case "InputLayer":
            let shape = config["batch_shape"] ?? config["batch_input_shape"]
            guard let sizes = shape?.elements, (2...3).contains(sizes.count) else {
                return note(
                    "its batch_shape should be [B, T] of tokens or [B, T, I], found \(shape?.serialized() ?? "none")")
            }
            if sizes.count == 3 {
                guard let count = sizes[2].integer else { return note("the number of its inputs is not given") }
                input = .numbers(count)
            }
        case "Embedding":
            guard let (rows, columns) = sizes(config, "input_dim", "output_dim") else {
                return note("input_dim and output_dim are missing")
            }
            if config["mask_zero"]?.boolean == true {
                return note(
                    "mask_zero=True hides the token 0; give sequences without padding, or their lengths, and save it with mask_zero=False"
                )
            }
            guard let table = take([rows, columns], kind, name) else { return }
            (input, layers) = (.tokens(rows), layers + [.embedding(columns)])
            tensors.append(("\(layers.count - 1).weight", table.shape, table.values))
        case "SimpleRNN", "LSTM", "GRU": readCell(kind, config, wrapper: nil, name)
        case "Bidirectional":
            guard let inner = config["layer"], let innerKind = inner["class_name"]?.text, let own = inner["config"]
            else {
                return note("it has no layer")
            }
            guard config["merge_mode"]?.text == "concat" else {
                return note(
                    "merge_mode \(config["merge_mode"]?.serialized() ?? "none"); \"concat\" alone is known here")
            }
            readCell(innerKind, own, wrapper: config, name)
        case "TimeDistributed":
            guard config["layer"]?["class_name"]?.text == "Dense", let own = config["layer"]?["config"] else {
                return note("only a Dense layer in it is known here")
            }
            readDense(own, name)
        case "Dense": readDense(config, name)
        case "LayerNormalization": readNorm(config, name)
        case "Dropout": layers.append(.dropout(Float(config["rate"]?.number ?? 0)))
        case "GlobalAveragePooling1D": layers.append(.mean)
        default: note("this kind of layer is not known here")
        }
    }

    private func sizes(_ config: JSON, _ first: String, _ second: String) -> (Int, Int)? {
        guard let a = config[first]?.integer, let b = config[second]?.integer, a > 0, b > 0 else { return nil }
        return (a, b)
    }

    /// The next array, of this shape; a size that is nil may be any.
    private mutating func take(_ shape: [Int?], _ kind: String, _ name: String) -> WeightArray? {
        guard next < arrays.count else {
            problems.append("\(kind) \(name): \(arrays.count) arrays were given; it needs another one")
            return nil
        }
        let array = arrays[next]
        let fits = array.shape.count == shape.count && zip(array.shape, shape).allSatisfy { $0 == $1 ?? $0 && $0 > 0 }
        guard fits else {
            let wanted = shape.map { $0.map { "\($0)" } ?? "…" }.joined(separator: ", ")
            problems.append("\(kind) \(name): array \(next) should have the shape [\(wanted)], found \(array.shape)")
            return nil
        }
        next += 1
        return array
    }

    private mutating func readCell(_ kind: String, _ config: JSON, wrapper: JSON?, _ name: String) {
        func note(_ problem: String) { problems.append("\(kind) \(name): \(problem)") }
        guard let units = config["units"]?.integer, (1...sizeLimit).contains(units),
            let gates = ["SimpleRNN": 1, "GRU": 3, "LSTM": 4][kind]
        else { return note("expected SimpleRNN, LSTM or GRU with its units") }
        let activation = Activation(rawValue: config["activation"]?.text ?? "tanh")
        guard let activation, gates == 1 || activation == .tanh,
            gates == 1 || (config["recurrent_activation"]?.text ?? "sigmoid") == "sigmoid"
        else {
            return note(
                "activation \(config["activation"]?.serialized() ?? "?") and recurrent_activation \(config["recurrent_activation"]?.serialized() ?? "none"); tanh and sigmoid are known here"
            )
        }
        if config["go_backwards"]?.boolean == true { return note("go_backwards=True is known in Bidirectional alone") }
        if kind == "GRU", config["reset_after"]?.boolean == false {
            return note(
                "reset_after=False resets h before the recurrent product, another function than this library's; train with reset_after=True"
            )
        }
        let hasBias = config["use_bias"]?.boolean ?? true
        let number = layers.count
        for suffix in wrapper == nil ? ["_l0"] : ["_l0", "_l0_reverse"] {
            guard let kernel = take([nil, gates * units], kind, name),
                let recurrent = take([units, gates * units], kind, name)
            else { return }
            var parts = [("weight_ih", kernel.transposed), ("weight_hh", recurrent.transposed)]
            if hasBias {
                guard let bias = take(gates == 3 ? [2, gates * units] : [gates * units], kind, name) else { return }
                let zeros = WeightArray(
                    shape: [gates * units], values: [Float](repeating: 0, count: gates * units))
                parts += [
                    ("bias_ih", gates == 3 ? bias.part(0, of: 2) : bias),
                    ("bias_hh", gates == 3 ? bias.part(1, of: 2) : zeros),
                ]
            }
            for (part, array) in parts {
                let array = array.reordered(gates == 3 ? [1, 0, 2] : Array(0..<gates))
                tensors.append(("\(number).\(part)\(suffix)", array.shape, array.values))
            }
        }
        let cell: Layer =
            switch gates {
            case 1: .rnn(units, activation: activation, hasBias: hasBias)
            case 3: .gru(units, hasBias: hasBias)
            default: .lstm(units, hasBias: hasBias)
            }
        layers.append(wrapper == nil ? cell : .bidirectional(cell))
        if config["return_sequences"]?.boolean != true { layers.append(.lastStep) }
    }

    private mutating func readDense(_ config: JSON, _ name: String) {
        guard let units = config["units"]?.integer, (1...sizeLimit).contains(units) else {
            return problems.append("Dense \(name): its units are missing")
        }
        let found = config["activation"]?.text ?? "linear"
        let activation = Activation(rawValue: found)
        guard activation != nil || ["linear", "softmax"].contains(found) else {
            return problems.append(
                "Dense \(name): activation \(found); linear, relu, tanh, sigmoid and softmax are known here")
        }
        guard let kernel = take([nil, units], "Dense", name) else { return }
        let (number, weight, hasBias) = (layers.count, kernel.transposed, config["use_bias"]?.boolean ?? true)
        tensors.append(("\(number).weight", weight.shape, weight.values))
        if hasBias {
            guard let bias = take([units], "Dense", name) else { return }
            tensors.append(("\(number).bias", bias.shape, bias.values))
        }
        layers.append(.dense(units, activation: activation, hasBias: hasBias))
        if found == "softmax" { layers.append(.softmax) }
    }

    private mutating func readNorm(_ config: JSON, _ name: String) {
        let axis = config["axis"]?.elements?.first ?? config["axis"] ?? .null
        guard axis.integer == -1 || axis.integer == 2, config["center"]?.boolean != false,
            config["scale"]?.boolean != false, config["rms_scaling"]?.boolean != true
        else {
            return problems.append(
                "LayerNormalization \(name): it is known here over the last axis, with center and scale")
        }
        guard let gain = take([nil], "LayerNormalization", name), let bias = take([nil], "LayerNormalization", name)
        else { return }
        tensors.append(("\(layers.count).weight", gain.shape, gain.values))
        tensors.append(("\(layers.count).bias", bias.shape, bias.values))
        layers.append(.layerNorm(epsilon: Float(config["epsilon"]?.number ?? 1e-3)))
    }
}
