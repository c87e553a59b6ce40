/// What a classifier does with one sequence, step by step.
struct RetrievalTrace {
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

extension Network {
    /// Reads one sequence of tokens, which must fit the network: a classifier with one recurrent layer.
    func read(_ tokens: [UInt8]) -> RetrievalTrace {
        let named = configuration.named.map { named in
            guard let kind = named.layer.kind as? FastWeightsLayer else { return named }
            // The list form keeps a score of every past step.
            var (options, named) = (kind.memoryOptions, named)
            options.memory = .list
            named.layer = .fastWeights(kind.hidden, options, hasBias: kind.hasBias, epsilon: kind.epsilon)
            return named
        }
        let definition = NetworkConfiguration(configuration.input, named).definition
        let weights = definition.weights(parameters)
        weights.pack()
        let pass = BlockPass(weights, steps: tokens.count, trains: true, carry: .nothing)
        let block = LaneBlock(1) { _ in (0, tokens.count) }
        tokens.map { UInt16($0) }.withUnsafeBufferPointer { pass.setTokens($0.baseAddress!, block) }
        pass.forward(Run(block: block))
        let classes = definition.output.count
        let outputs = (0..<classes).map { pass.outputs[0][$0][0] }
        let cell = pass.root.leaves.lazy.compactMap { $0 as? CellPass }.first
        let states = cell.map { cell in
            (0..<tokens.count).map { t in (0..<cell.hidden).map { cell.outputs[t][$0][0] } }
        }
        return RetrievalTrace(
            probabilities: Prediction(outputs: outputs, width: classes).probabilities, states: states ?? [],
            attention: (cell as? FastWeightsPass)?.attention(lane: 0))
    }
}
