@testable import FastWeights

/// What stands on top of the recurrent layers of a test's network.
enum TestHead {
    case perStep(Int)
    case perSequence(Int)

    var isPerStep: Bool { if case .perStep = self { true } else { false } }
}

extension NetworkConfiguration {
    /// Layers of one cell, and a dense one on top, under PyTorch's names without those of the layers: `weight_ih_l0`,
    /// `head.weight`.
    static func stack(
        _ cell: Cell, input: Int, hidden: Int, layers: Int = 1, isBidirectional: Bool = false, bias: Bool = true,
        dropout: Float = 0, epsilon: Float? = nil, head: TestHead? = nil, tokens: Bool = false
    ) -> NetworkConfiguration {
        let stack = Layer.stacked(
            cell.layer(hidden).changed(bias: bias, epsilon: epsilon), layers: layers, isBidirectional: isBidirectional,
            dropout: dropout)
        var named = [NamedLayer(layer: stack, prefix: "")]
        switch head {
        case nil: break
        case .perStep(let outputs): named.append(NamedLayer(layer: .dense(outputs), prefix: "head."))
        case .perSequence(let outputs):
            named.append(NamedLayer(layer: .lastStep, prefix: "last."))
            named.append(NamedLayer(layer: .dense(outputs), prefix: "head."))
        }
        return NetworkConfiguration(tokens ? .tokens(input) : .numbers(input), named)
    }

    /// A cell alone under the names of PyTorch's cells: `weight_ih`.
    static func cell(_ cell: Cell, input: Int, hidden: Int, epsilon: Float? = nil) -> NetworkConfiguration {
        NetworkConfiguration(
            .numbers(input),
            [NamedLayer(layer: cell.layer(hidden).changed(epsilon: epsilon), prefix: "", cellSuffix: "")])
    }

    /// The paper's classifier of tokens around a cell.
    static func classifier(
        _ cell: Cell, hidden: Int, vocabulary: Int, classes: Int, embedding: Int = 100, head: Int = 100
    ) -> NetworkConfiguration {
        NetworkConfiguration(
            .tokens(vocabulary),
            NetworkConfiguration.classifier(
                embedding: embedding, cell.layer(hidden), head: head, classes: classes))
    }

    /// Numbers that it gives.
    var output: Int { definition.output.count }

    /// A state of h of all layers, one behind the other, and of what stands beside it.
    func state(hidden: [Float], memory: [Float] = [], step: Int = 0) -> NetworkState {
        let tensors = definition.stateTensors.map { $0.name == "h" ? hidden : memory }
        let parts = definition.states.filter { $0.part.letter == "h" }
        let batch = hidden.count / parts.reduce(0) { $0 + $1.part.count }
        return definition.state(of: tensors, batch: batch, step: step)
    }
}

extension NetworkState {
    /// h of all layers, one behind the other.
    var hidden: [Float] { parts.filter { $0.name.hasPrefix("h") }.flatMap(\.values) }
    /// What stands beside it.
    var memory: [Float] { parts.filter { !$0.name.hasPrefix("h") }.flatMap(\.values) }
}

extension Layer {
    /// The layer without biases, or with another ε; what it has no option for stays away.
    fileprivate func changed(bias: Bool = true, epsilon: Float? = nil) -> Layer {
        let members = (json.members ?? []).map { member in
            switch member.key {
            case "bias": JSON.Member("bias", bias)
            case "epsilon": JSON.Member("epsilon", epsilon ?? 1e-5)
            default: member
            }
        }
        guard let layer = try? Layer(json: .object(members)) else { misuse("a cell of a test cannot be") }
        return layer
    }
}

extension NetworkConfiguration {
    /// The state that a run begins from where none is given.
    func zeroState(batch: Int) -> NetworkState {
        let shape = BatchShape(definition, steps: 1, batch: batch, lengths: nil)
        return shape.state(definition.states.map { Buffer($0.part.count * batch) })
    }
}

extension TestHead {
    /// Numbers that it gives.
    var outputs: Int {
        switch self {
        case .perStep(let count), .perSequence(let count): count
        }
    }
}

extension Cell {
    /// Whether its memory is folded elsewhere in parts of a sequence than in the whole.
    var isFading: Bool { if case .fastWeights = self { true } else { false } }
}

extension TextModel {
    /// Layers of one cell, `0.`, below the dense one, `1.`.
    convenience init(
        _ cell: Cell, hidden: Int, layers: Int = 1, vocabulary: TextVocabulary, dropout: Float = 0, seed: UInt64
    ) {
        self.init(
            [.stacked(cell.layer(hidden), layers: layers, dropout: dropout)], vocabulary: vocabulary, seed: seed)
    }
}
