extension StateDictionary {
    /// A dense layer of PyTorch, `nn.Linear`, that a state dict has beside its recurrent module, and what it reads.
    ///
    ///     .perStep("decoder")            // decoder.weight [outputs, H·directions] and, where there is one, decoder.bias
    public enum Head: Sendable, Equatable {
        /// On the last h of a sequence, of each direction at its own end: as `.lastStep` and `.dense`.
        case perSequence(String)
        /// On h at every step: as `.dense`.
        case perStep(String)

        /// The module's name.
        public var name: String {
            switch self {
            case .perSequence(let name), .perStep(let name): name
            }
        }
    }
}

/// A recurrent module of a state dict.
struct RecurrentModule {
    /// What stands before the names of its tensors.
    let prefix: String
    /// Numbers that it reads.
    let input: Int
    let layers: Layer
    /// Numbers that it gives.
    let width: Int
    /// What stands behind a cell's names.
    let cellSuffix: String
}

extension StateDictionary {
    /// The network of a recurrent module behind an embedding and below a head of the same state dict: its layers are called
    /// `embedding` and `head`, and the module nothing. Throws `WeightsError` for tensors that are missing, unexpected or of a
    /// wrong shape.
    func network(_ module: RecurrentModule, _ embedding: String?, _ head: Head?) throws -> Network {
        var problems: [String] = []
        /// The shape of a tensor, whose second size must be `columns`.
        func matrix(_ name: String, _ sizes: String, columns: Int) -> [Int]? {
            guard let shape = shapes[name] else {
                let bias = name.dropLast("weight".count) + "bias"
                problems.append(
                    "missing tensors: \(name)"
                        + (shapes[String(bias)] == nil
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
        var input = NetworkInput.numbers(module.input)
        var layers = [NamedLayer(layer: module.layers, prefix: "", cellSuffix: module.cellSuffix)]
        if let embedding, let shape = matrix("\(embedding).weight", "[V, I]", columns: module.input) {
            input = .tokens(shape[0])
            layers.insert(NamedLayer(layer: .embedding(module.input), prefix: "embedding."), at: 0)
        }
        if let head, let shape = matrix("\(head.name).weight", "[outputs, H·directions]", columns: module.width) {
            if case .perSequence = head { layers.append(NamedLayer(layer: .lastStep, prefix: "last.")) }
            let bias = shapes["\(head.name).bias"]
            if let bias, bias != [shape[0]] {
                problems.append("\(head.name).bias should have the shape [\(shape[0])], found \(bias)")
            }
            if bias == nil, let other = biasOfTied(head.name, count: shape[0], embedding: embedding) {
                problems.append(
                    "there is no \(head.name).bias, but \(other).bias is as large, "
                        + (shapes["\(other).weight"] != nil
                            ? "and \(other).weight is tied to \(head.name).weight; name \(other) as the head"
                            : "and \(other).weight may be tied to \(head.name).weight; save with safetensors' save_model, which notes that, and name \(other) as the head")
                )
            }
            layers.append(NamedLayer(layer: .dense(shape[0], hasBias: bias != nil), prefix: "head."))
        }
        guard problems.isEmpty else { throw WeightsError(source: source, problems: problems) }
        let configuration: NetworkConfiguration
        do { configuration = try NetworkConfiguration(checking: input, layers) } catch {
            throw WeightsError(source: source, problems: [error.sentence])
        }
        let parameters = try parameters(configuration.layout) { name in
            if let embedding, name == "embedding.weight" { return "\(embedding).weight" }
            if let head, name.hasPrefix("head.") { return head.name + name.dropFirst("head".count) }
            return module.prefix + name
        } belongs: {
            $0.hasPrefix(module.prefix) && !$0.dropFirst(module.prefix.count).contains(".")
        }
        return Network(configuration, parameters: parameters)
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
