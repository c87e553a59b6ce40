/// A stack of recurrent layers with its parameters: maps sequences to outputs, from any number of threads at once.
///
///     let network = try RecurrentNetwork(path: "lstm.safetensors")                   // of PyTorch, or of `write(to:)`
///     let (y, state) = network.run(input, steps: T, batch: B)                        // [T, B, I] → [T, B, H·directions]
///     let stream = NetworkStream(network)                                            // or one step at a time
///     let pass = NetworkPass(network)                                                // or with gradients
///
/// A run has working memory of its own, so runs, streams and passes share the network without locks. Only who changes
/// `parameters` must see to it that nobody reads them meanwhile.
public final class RecurrentNetwork: Sendable {
    /// Cell and sizes.
    public let configuration: RecurrentNetworkConfiguration
    /// All parameters in one block, by PyTorch's names; see `RecurrentNetworkConfiguration.layout`.
    public let parameters: Parameters

    /// A network with first values as the cell's kind asks: RNN, LSTM and GRU uniform in ±1/√H, as PyTorch, and a head
    /// uniform in ±1/√(H·directions), as its `nn.Linear`.
    public init(_ configuration: RecurrentNetworkConfiguration, seed: UInt64) {
        self.configuration = configuration
        parameters = Parameters(configuration.layout)
        var random = Random(seed: seed, stream: 1)
        for place in configuration.places {
            configuration.cell(at: place.layer).initialise(parameters, suffix: place.suffix, random: &random)
        }
        guard configuration.head != nil else { return }
        let limit = 1 / Float(configuration.features).squareRoot()
        for window in configuration.layout.windows where window.name.hasPrefix("head.") {
            for i in 0..<window.count { parameters.pointer[window.offset + i] = random.uniform(within: limit) }
        }
    }

    /// A network of these parameters, which must have the configuration's layout.
    init(_ configuration: RecurrentNetworkConfiguration, parameters: Parameters) {
        require(parameters.layout == configuration.layout, "the parameters are of another network")
        self.configuration = configuration
        self.parameters = parameters
    }

    /// Runs `input`, [T, B, I], from `state` (nil is the zero state), and returns the last layer's h at every step,
    /// [T, B, H·directions], or what the head makes of it, [T, B, outputs] or [B, outputs], and the last states, from
    /// which a later run of a unidirectional network goes on.
    ///
    /// - Parameters:
    ///   - input: The sequences, [T, B, I].
    ///   - steps: T, steps of the longest sequence.
    ///   - batch: B, sequences.
    ///   - lengths: Steps of each sequence, 1 to T; nil where all have T. What stands behind a sequence's end is not read;
    ///     outputs there are zero, and its last state is the one at its own end. The reversed direction begins there.
    ///   - state: h [layers·directions, B, H] and the memory, the layers in order and in each the forward direction
    ///     first.
    ///   - threads: At most so many cores work, sixteen sequences each; the bits do not depend on it.
    ///
    /// Dropout never acts here. Traps on arrays of other sizes. O(T·B·layers·directions·G·H·(I + H)), G the gates; the
    /// working memory is that of some steps, and in a bidirectional network twice what a layer gives at all of them.
    public func run(
        _ input: [Float], steps: Int, batch: Int, lengths: [Int]? = nil, state: CellState? = nil, threads: Int = 1
    ) -> (outputs: [Float], state: CellState) {
        let shape = BatchShape(configuration, steps: steps, batch: batch, lengths: lengths)
        shape.check(input: input)
        return input.withUnsafeBufferPointer { run(.numbers($0.baseAddress!), shape, state, threads) }
    }

    /// The same of tokens, [T, B], in the place of numbers that are 0 but for a 1 at the token's place: a token's product
    /// with W_ih is a row of a table, so that the size of the vocabulary, I, costs nothing a step.
    ///
    /// Traps also on a token outside of 0 to I - 1, or above 65,535.
    public func run(
        tokens: [Int], steps: Int, batch: Int, lengths: [Int]? = nil, state: CellState? = nil, threads: Int = 1
    ) -> (outputs: [Float], state: CellState) {
        let shape = BatchShape(configuration, steps: steps, batch: batch, lengths: lengths)
        shape.check(tokens: tokens)
        return tokens.map { UInt16(truncatingIfNeeded: $0) }.withUnsafeBufferPointer {
            run(.tokens($0.baseAddress!), shape, state, threads)
        }
    }

    private func run(
        _ input: ForwardArrays.Input, _ shape: BatchShape, _ state: CellState?, _ threads: Int
    ) -> (outputs: [Float], state: CellState) {
        shape.check(state: state)
        let takesTokens = if case .tokens = input { true } else { false }
        let weights = configuration.weights(parameters, takesTokens: takesTokens)
        for table in weights.tables { for piece in 0..<table.pieces { table.fill(piece: piece) } }
        let blocks = shape.blocks
        return shape.forward(input, state) { arrays in
            ParallelLoop.run(blocks.count, threads: threads) { run(blocks[$0], weights, arrays) }
        }
    }

    /// One block, window by window, each from the states the one before has left.
    private func run(_ block: LaneBlock, _ weights: NetworkWeights, _ arrays: ForwardArrays) {
        let window = configuration.bidirectional ? block.steps : min(block.steps, StackPass.window)
        let pass = StackPass(configuration, steps: window, trains: false, takesTokens: !weights.tables.isEmpty)
        var arrays = arrays
        for first in stride(from: 0, to: block.steps, by: window) {
            let part = block.window(from: first, steps: window)
            pass.steps = part.steps
            pass.forward(weights, part, arrays)
            arrays.skip(steps: window, of: configuration.input)
            // A head a sequence writes to the same place each time, the last time from the sequence's end.
            if configuration.head?.isPerStep ?? true { arrays.outputs += window * arrays.batch * configuration.output }
            (arrays.hidden, arrays.memory) = (UnsafePointer(arrays.lastHidden), UnsafePointer(arrays.lastMemory))
        }
    }
}
