/// The working memory of one user of a network who trains it: forward and backward over whole batches.
///
///     let pass = NetworkPass(network)
///     let y = pass.forward(input, steps: T, batch: B, lengths: lengths, dropoutSeed: step)
///     let dx = pass.backward(gradientOfOutputs)        // adds to pass.gradients
///
/// Arrays are row-major and time-major as PyTorch's default: input [T, B, N]. A pass reads the network's parameters as they
/// are at each `forward`. Batches of the same sizes use the same buffers. Any number of passes share a network, as long as
/// nobody changes its parameters meanwhile; one pass is not for two threads at once.
public final class NetworkPass {
    /// Input and layers of the network.
    public let configuration: NetworkConfiguration
    /// ∂L/∂parameters, which add up until they are cleared.
    public let gradients: Parameters
    private let weights: NetworkWeights
    /// A block of gradients with those of the tables, where there are any.
    private let block: Buffer<Float>?
    private var shape: BatchShape?
    private var seed: UInt64?
    private var step = 0
    private var blocks: [(lanes: LaneBlock, pass: BlockPass)] = []

    /// A pass over `network`.
    public init(_ network: Network) {
        configuration = network.configuration
        weights = network.definition.weights(network.parameters)
        gradients = Parameters(configuration.layout)
        block = weights.tables.isEmpty ? nil : Buffer(weights.gradientCount)
    }

    /// Runs `input`, [T, B, N], from `state` (nil is the zero state), as `Network.run` does.
    ///
    /// - Parameters:
    ///   - input: The sequences, [T, B, N].
    ///   - steps: T, steps of the longest sequence.
    ///   - batch: B, sequences.
    ///   - lengths: Steps of each sequence, 1 to T; nil where all have T.
    ///   - state: The state to begin from.
    ///   - dropoutSeed: Makes dropout act, with random numbers of this seed; nil is without dropout, as after training. The
    ///     same seed gives the same bits.
    ///
    /// Traps on arrays of other sizes.
    public func forward(
        _ input: [Float], steps: Int, batch: Int, lengths: [Int]? = nil, state: NetworkState? = nil,
        dropoutSeed: UInt64? = nil
    ) -> (outputs: [Float], state: NetworkState) {
        let shape = BatchShape(weights.definition, steps: steps, batch: batch, lengths: lengths)
        shape.check(input: input)
        shape.check(state: state)
        return BatchArrays.run(shape, numbers: input, state) { forward($0, dropoutSeed) }
    }

    /// The same of tokens, [T, B]. Traps also on a token outside of the vocabulary.
    public func forward(
        tokens: [Int], steps: Int, batch: Int, lengths: [Int]? = nil, state: NetworkState? = nil,
        dropoutSeed: UInt64? = nil
    ) -> (outputs: [Float], state: NetworkState) {
        let shape = BatchShape(weights.definition, steps: steps, batch: batch, lengths: lengths)
        shape.check(tokens: tokens)
        shape.check(state: state)
        return BatchArrays.run(shape, tokens: tokens, state) { forward($0, dropoutSeed) }
    }

    private func forward(_ arrays: BatchArrays, _ seed: UInt64?) {
        prepare(arrays.shape)
        (self.seed, step) = (seed, arrays.step)
        weights.pack()
        for (lanes, pass) in blocks {
            pass.forward(Run(block: lanes, firstStep: step, dropoutSeed: seed), arrays)
        }
    }

    /// The backward pass of the last `forward`, once each: from ∂L/∂outputs, of the outputs' sizes, and ∂L/∂(last state)
    /// (nil is zero) the gradients of the input, [T, B, N], of tokens none, and of the first state; those of the parameters
    /// are added to `gradients`.
    ///
    /// Gradients of outputs behind a sequence's end are not read, those of its input there are zero. Traps on arrays of
    /// other sizes, and where no `forward` came before it.
    public func backward(
        _ outputGradient: [Float], state stateGradient: NetworkState? = nil
    ) -> (input: [Float], state: NetworkState) {
        guard let shape else { misuse("a backward pass needs a forward pass before it, each one of its own") }
        shape.check(outputGradient: outputGradient)
        shape.check(state: stateGradient)
        // What the forward pass left is used up.
        self.shape = nil
        let outputs = Buffer(outputGradient)
        let last = stateGradient.map { $0.parts.map { Buffer($0.values) } }
        let inputs = Buffer<Float>(shape.inputCount)
        let states = shape.definition.states.map { Buffer<Float>($0.part.count * shape.batch) }
        block?.clear()
        for (lanes, pass) in blocks {
            pass.backward(
                Run(block: lanes, firstStep: step, dropoutSeed: seed), shape, outputs: outputs, lastStates: last,
                block?.pointer ?? gradients.pointer, inputs: inputs, states: states)
        }
        if let block { addGradients(block) }
        return (inputs.array, shape.state(states))
    }

    /// Adds what a backward pass has left in a block with tables.
    private func addGradients(_ block: Buffer<Float>) {
        for piece in 0..<weights.tablePieces {
            weights.writeTableGradients(block.pointer, into: block.pointer, piece: piece)
        }
        gradients.block.add(block, 0..<gradients.block.count)
    }

    /// The blocks of a batch; buffers for as many steps are used again.
    private func prepare(_ shape: BatchShape) {
        self.shape = shape
        var free = blocks.map { $0.pass }
        blocks = shape.blocks.map { lanes in
            let index = free.firstIndex { $0.steps == lanes.steps }
            let pass = index.map { free.remove(at: $0) }
            return (
                lanes, pass ?? BlockPass(weights, steps: lanes.steps, trains: true, wantsInputGradient: true)
            )
        }
    }
}
