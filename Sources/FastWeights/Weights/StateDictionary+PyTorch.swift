/// A tensor's name in a state dict of PyTorch's recurrent modules, taken apart.
struct PyTorchName {
    /// What stands before, as "encoder.rnn.".
    var prefix: String
    var kind: String
    /// Nil in the names of `nn.LSTMCell` and its kin, which have no layers.
    var layer: Int?
    var isReversed: Bool

    private static let kinds = ["weight_ih", "weight_hh", "weight_hr", "bias_ih", "bias_hh"]

    /// Nil for a name of another kind of tensor.
    init?(_ name: String) {
        var rest = Substring(name)
        isReversed = rest.hasSuffix("_reverse")
        if isReversed { rest = rest.dropLast("_reverse".count) }
        let digits = rest.utf8.reversed().prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }.count
        if digits > 0, rest.dropLast(digits).hasSuffix("_l"), let number = Int(rest.suffix(digits)) {
            layer = number
            rest = rest.dropLast(digits + 2)
        }
        guard layer != nil || !isReversed, let kind = Self.kinds.first(where: { rest.hasSuffix($0) }) else {
            return nil
        }
        self.kind = kind
        prefix = String(rest.dropLast(kind.count))
    }
}

extension StateDictionary {
    /// The prefixes of the recurrent modules in here, sorted: "" for a bare one.
    public var recurrentPrefixes: [String] {
        Set(names.compactMap { PyTorchName($0) }.filter { $0.kind.hasPrefix("weight") }.map(\.prefix)).sorted()
    }

    /// The network of an `nn.RNN`, `nn.LSTM`, `nn.GRU`, or of the cell of one, with its parameters.
    ///
    /// Kind and sizes follow from names and shapes: `weight_hh_l0` [G·H, H] has G = 1 in an RNN, 3 in a GRU, 4 in an LSTM.
    ///
    /// - Parameters:
    ///   - prefix: What stands before the names, as "encoder.rnn."; nil finds it. Tensors of other modules, with another
    ///     prefix or below this one behind a dot, are not looked at; `unused(prefix:embedding:head:)` names them.
    ///   - activation: That of an RNN, which the names do not tell: PyTorch's `nonlinearity`.
    ///   - embedding: The name of an `nn.Embedding`, as "embedding", whose rows the module reads; nil where it reads numbers.
    ///     The network then reads tokens, and has an embedding below the module.
    ///   - head: The `nn.Linear` on top of h; nil for none.
    /// - Throws: `WeightsError` when there is no such module, or several and no prefix; when it has `proj_size`; when the
    ///   tensors are those of fast weights or of a cell with norms, whose options show in no name; and with all tensors that
    ///   are missing, unexpected or of a wrong shape. `FormatError` for a tensor of integers.
    /// - Complexity: O(*n*) in the number of parameters.
    public func network(
        prefix: String? = nil, activation: Activation = .tanh, embedding: String? = nil,
        head: Head? = nil
    ) throws -> Network {
        func fail(_ problem: String) -> WeightsError { WeightsError(source: source, problems: [problem]) }
        guard !SafeTensors.isPart(source) else {
            throw fail(
                "one of several files of a model, in which layers may be left out; open the index beside it, ….safetensors.index.json"
            )
        }
        let prefix = try prefix ?? onlyPrefix()
        let parts = names.compactMap { name in PyTorchName(name).flatMap { $0.prefix == prefix ? $0 : nil } }
        guard !parts.isEmpty else {
            throw fail(
                "no weights of a recurrent module begin with \"\(prefix)\"; found the prefixes \(Self.list(recurrentPrefixes))"
            )
        }
        if parts.contains(where: { $0.kind == "weight_hr" }) {
            throw fail(
                "the LSTM has \(prefix)weight_hr, a projection of h (proj_size), which this library has not; use proj_size=0"
            )
        }
        // Cells have names without a layer.
        let isCell = parts.allSatisfy { $0.layer == nil }
        let layers = (parts.compactMap(\.layer).max() ?? 0) &+ 1
        let limit = PlacedList.limit
        guard (1...limit).contains(layers) else {
            throw fail("tensors of layer \(layers &- 1); there may be \(limit) layers")
        }
        func name(_ kind: String) -> String { prefix + kind + (isCell ? "" : "_l0") }
        guard let recurrent = shapes[name("weight_hh")] else {
            let missing = name("weight_hh")
            throw WeightsError(
                source: source,
                problems: ["missing tensors: \(missing), whose shape tells RNN, GRU and LSTM apart"]
                    + otherForms(of: [missing]))
        }
        guard recurrent.count == 2, recurrent[1] > 0,
            let gates = [1, 3, 4].first(where: { recurrent[0] / $0 == recurrent[1] && recurrent[0] % $0 == 0 })
        else {
            throw fail(
                "\(name("weight_hh")) should have the shape [H, H] of an RNN, [3·H, H] of a GRU or [4·H, H] of an LSTM, found \(recurrent); layers of this library's own are read by a list of layers and names"
            )
        }
        let input = shapes[name("weight_ih")] ?? []
        // A shape that is wrong is named with the others; any input size serves till then.
        let isInputKnown = input.count == 2 && input[0] == recurrent[0] && input[1] > 0
        let (hidden, hasBias) = (recurrent[1], parts.contains { $0.kind.hasPrefix("bias") })
        if let own = ownLayer(prefix, name, gates: gates, hidden: hidden) {
            let module = prefix.hasSuffix(".") ? String(prefix.dropLast()) : prefix
            throw fail(
                "\(own.found) of a layer like \(own.layer), whose options the names do not tell; give the layers, as "
                    + "Network(dictionary, .numbers(\(isInputKnown ? "\(input[1])" : "I")), [(\(own.layer), \"\(module)\")])"
            )
        }
        let isBidirectional = parts.contains { $0.isReversed }
        try expect(tensors: layers * (isBidirectional ? 2 : 1) * (hasBias ? 4 : 2))
        let cell: Layer =
            gates == 4
            ? .lstm(hidden, hasBias: hasBias)
            : gates == 3 ? .gru(hidden, hasBias: hasBias) : .rnn(hidden, activation: activation, hasBias: hasBias)
        let module = RecurrentModule(
            prefix: prefix, input: isInputKnown ? input[1] : 1,
            layers: .stacked(cell, layers: layers, isBidirectional: isBidirectional),
            width: hidden * (isBidirectional ? 2 : 1), cellSuffix: isCell ? "" : "_l0")
        return try network(module, embedding, head)
    }

    /// The layer of this library, and none of PyTorch's, that the tensors below a prefix look like, in Swift, and what shows
    /// it: norms, or the one bias of fast weights; nil where they are a module's of PyTorch.
    private func ownLayer(
        _ prefix: String, _ name: (String) -> String, gates: Int, hidden: Int
    ) -> (layer: String, found: String)? {
        let norms = names.filter { $0.hasPrefix(prefix + "norm_") }
        // Not where something stands in its place, as a parametrization.
        let hasOther = names.contains { $0.hasPrefix(prefix) && $0.contains("bias_hh") }
        let isOneBias = shapes[name("bias_ih")] != nil && !hasOther
        let fastWeights = ".fastWeights(\(hidden), options)"
        switch gates {
        case 1 where isOneBias:
            let bias = "\(name("bias_ih")) without \(name("bias_hh"))"
            return (fastWeights, ([bias] + norms).joined(separator: ", "))
        case 1 where !norms.isEmpty:
            let layer = shapes[name("bias_hh")] == nil ? fastWeights : ".rnn(\(hidden), hasLayerNorm: true)"
            return (layer, norms.joined(separator: ", "))
        case 4 where !norms.isEmpty: return (".lstm(\(hidden), hasLayerNorm: true)", norms.joined(separator: ", "))
        default: return nil
        }
    }

    /// The names of the tensors that `network` with these arguments does not read, sorted. Throws `WeightsError` when there
    /// is no recurrent module, or several and no prefix.
    public func unused(
        prefix: String? = nil, embedding: String? = nil, head: Head? = nil
    ) throws -> [String] {
        let prefix = try prefix ?? onlyPrefix()
        let beside =
            (embedding.map { ["\($0).weight"] } ?? []) + (head.map { ["\($0.name).weight", "\($0.name).bias"] } ?? [])
        return names.filter { name in
            PyTorchName(name)?.prefix != prefix && !beside.contains { tensors.isTied(name, $0) }
        }
    }

    private func onlyPrefix() throws -> String {
        let prefixes = recurrentPrefixes
        guard prefixes.count == 1 else {
            let problem =
                prefixes.isEmpty
                ? "expected weights of nn.RNN, nn.LSTM or nn.GRU, as weight_ih_l0 and weight_hh_l0, found \(names.isEmpty ? "no tensors" : Self.list(names))"
                : "\(prefixes.count) recurrent modules, choose one by its prefix: \(Self.list(prefixes))"
            throw WeightsError(source: source, problems: [problem])
        }
        return prefixes[0]
    }

    /// The first of many, in quotes.
    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(12).map { "\"\($0)\"" }.joined(separator: ", ")
        return names.count > 12 ? "\(shown) and \(names.count - 12) more" : shown
    }
}
