/// A dense layer of PyTorch, `nn.Linear`, that a state dict has beside its recurrent module, and what it reads.
///
///     .perStep("decoder")            // decoder.weight [outputs, H·directions] and, where there is one, decoder.bias
public enum HeadModule: Sendable, Equatable {
    /// On the last h of a sequence, of each direction at its own end: as `Head.perSequence`.
    case perSequence(String)
    /// On h at every step: as `Head.perStep`.
    case perStep(String)

    /// The module's name.
    public var name: String {
        switch self {
        case .perSequence(let name), .perStep(let name): name
        }
    }
}

extension RecurrentNetwork {
    /// This network behind an embedding and below a head of the same state dict. Throws `WeightsError` for tensors of them
    /// that are missing or of a wrong shape.
    func joined(
        _ embedding: String?, _ head: HeadModule?, of dictionary: StateDictionary
    ) throws -> RecurrentNetwork {
        guard embedding != nil || head != nil else { return self }
        var configuration = configuration
        var problems: [String] = []
        /// The shape of a tensor, whose second size must be `columns`.
        func matrix(_ name: String, _ sizes: String, columns: Int) -> [Int]? {
            guard let shape = dictionary.shapes[name] else {
                let bias = name.dropLast("weight".count) + "bias"
                problems.append(
                    "missing tensors: \(name)"
                        + (dictionary.shapes[String(bias)] == nil
                            ? ""
                            : ", though \(bias) is there: the weight may be tied to another; save with safetensors' save_model, which notes that")
                )
                return nil
            }
            guard shape.count == 2, shape[0] > 0, shape[1] == columns else {
                problems.append("\(name) should have the shape \(sizes) with \(columns) columns, found \(shape)")
                return nil
            }
            return shape
        }
        if let embedding, let shape = matrix("\(embedding).weight", "[V, I]", columns: configuration.input) {
            configuration.input = shape[0]
            if shape[0] > 1 << 16 {
                problems.append("\(embedding).weight has \(shape[0]) tokens; there may be 65536")
            }
        }
        var bias: String?
        if let head,
            let shape = matrix("\(head.name).weight", "[outputs, H·directions]", columns: configuration.features)
        {
            configuration.head = if case .perStep = head { .perStep(shape[0]) } else { .perSequence(shape[0]) }
            let name = "\(head.name).bias"
            bias = dictionary.shapes[name].map { _ in name }
            if let found = dictionary.shapes[name] {
                if found != [shape[0]] {
                    problems.append("\(name) should have the shape [\(shape[0])], found \(found)")
                }
            } else if let other = dictionary.biasOfTied(head.name, count: shape[0], embedding: embedding) {
                problems.append(
                    "there is no \(name), but \(other).bias is as large, "
                        + (dictionary.shapes["\(other).weight"] != nil
                            ? "and \(other).weight is tied to \(head.name).weight; name \(other) as the head"
                            : "and \(other).weight may be tied to \(head.name).weight; save with safetensors' save_model, which notes that, and name \(other) as the head")
                )
            }
        }
        if problems.isEmpty, let problem = configuration.problem { problems.append(problem) }
        guard problems.isEmpty else { throw WeightsError(source: dictionary.source, problems: problems) }
        let result = Parameters(configuration.layout)
        for window in parameters.layout.windows where result.layout.window(window.name).shape == window.shape {
            result[window.name] = parameters[window.name]
        }
        if let embedding { project(try dictionary.values("\(embedding).weight"), into: result, configuration) }
        if let head {
            result["head.weight"] = try dictionary.values("\(head.name).weight")
            if let bias { result["head.bias"] = try dictionary.values(bias) }
        }
        return RecurrentNetwork(configuration, parameters: result)
    }

    /// W_ih·Eᵀ of the first layer, [G·H, V], from the rows E [V, I] of an embedding.
    private func project(_ rows: [Float], into target: Parameters, _ configuration: RecurrentNetworkConfiguration) {
        let (table, I, V) = (Buffer(rows), self.configuration.input, configuration.input)
        for place in configuration.places where place.layer == 0 {
            let (name, gateRows) = ("weight_ih" + place.suffix, configuration.cell(at: 0).gateRows)
            withExtendedLifetime(table) {
                multiply(
                    MatrixView(parameters.pointer(to: name), gateRows, I), MatrixView(table.pointer, V, I).transposed,
                    into: MatrixView(target.pointer(to: name), gateRows, V))
            }
        }
    }
}

extension StateDictionary {
    /// The module whose bias belongs to a head that has none of its own: the head's weight is stored once for both, or the
    /// head is the embedding and the other's weight is not in the file.
    fileprivate func biasOfTied(_ head: String, count: Int, embedding: String?) -> String? {
        let others = names.filter { $0.hasSuffix(".bias") && shapes[$0] == [count] }.map { String($0.dropLast(5)) }
        return others.first {
            shapes["\($0).weight"] == nil ? head == embedding : tensors.isTied("\($0).weight", "\(head).weight")
        }
    }
}
