/// What a classifier does with one sequence, step by step.
struct Reading {
    /// Of each class.
    let probabilities: [Float]
    /// h(t) after each step, [T][H].
    let states: [[Float]]
    /// With fast weights the weight of every earlier step τ in the last read of every step t, [t][τ].
    let attention: [[Double]]?

    /// The fast matrix after each step, [T] of [H, H] row by row: A(t) = λ A(t-1) + η h(t) h(t)ᵀ, from the states.
    func fastMatrices(decay: Float, rate: Float) -> [[Float]] {
        var matrix = [Float](repeating: 0, count: (states.first?.count ?? 0) * (states.first?.count ?? 0))
        return states.map { h in
            for i in h.indices {
                for j in h.indices { matrix[i * h.count + j] = decay * matrix[i * h.count + j] + rate * h[i] * h[j] }
            }
            return matrix
        }
    }
}

extension SequenceClassifier {
    /// Reads one sequence of tokens, which must fit the model.
    func read(_ tokens: [UInt8]) -> Reading {
        var configuration = configuration
        if case .fastWeights(var options) = configuration.cell.cell {
            // The list form keeps a score of every past step.
            options.memory = .list
            configuration.cell.cell = .fastWeights(options)
        }
        let examples = Examples(tokens: tokens, targets: [0], steps: tokens.count)
        examples.check(configuration)
        let block = ClassifierBlock(configuration, steps: tokens.count)
        let table = TokenTable(configuration)
        let weights = ClassifierParameters(parameters)
        let recurrent = RecurrentWeights(configuration.cell)
        table.fill(weights)
        recurrent.pack(weights.cell.recurrentWeight)
        for lane in 0..<Lanes.width { block.setSequence(lane, examples, 0) }
        block.forward(weights, table, recurrent)
        softmax(block.logits, classes: configuration.classes)
        return Reading(
            probabilities: (0..<configuration.classes).map { block.logits[$0][0] },
            states: (1...tokens.count).map { t in
                (0..<configuration.cell.hidden).map { block.unroll.h[t][$0][0] }
            },
            attention: (block.unroll as? FastWeightsUnroll)?.attention(lane: 0))
    }
}
