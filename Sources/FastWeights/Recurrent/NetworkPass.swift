/// The working memory of one user of a network who trains it: forward and backward over whole batches.
///
///     let pass = NetworkPass(network)
///     let y = pass.forward(input, steps: T, batch: B, lengths: lengths, dropoutSeed: step)
///     let dx = pass.backward(gradientOfOutputs)        // adds to pass.gradients
///
/// Arrays are row-major and time-major as PyTorch's default: input [T, B, I], outputs [T, B, H·directions]. A pass reads
/// the network's parameters as they are at each `forward`. Batches of the same sizes use the same buffers. Any number of
/// passes share a network, as long as nobody changes its parameters meanwhile; one pass is not for two threads at once.
public final class NetworkPass {
    /// Cell and sizes of the network.
    public let configuration: RecurrentNetworkConfiguration
    /// ∂L/∂parameters, which add up until they are cleared.
    public let gradients: Parameters
    private let weights: NetworkWeights
    private let gradientWindows: NetworkGradients
    private var shape: BatchShape?
    private var dropped = false
    private var blocks: [(lanes: LaneBlock, pass: StackPass)] = []

    /// A pass over `network`.
    public init(_ network: RecurrentNetwork) {
        configuration = network.configuration
        weights = configuration.weights(network.parameters)
        gradients = Parameters(configuration.layout)
        gradientWindows = NetworkGradients(configuration, gradients)
    }

    /// A pass over a single cell under the names without a layer.
    init(_ cell: CellConfiguration, _ parameters: Parameters) {
        configuration = RecurrentNetworkConfiguration(cell)
        weights = NetworkWeights(cells: [CellWeights(cell, parameters)], head: nil, tables: [])
        gradients = Parameters(parameters.layout)
        gradientWindows = NetworkGradients(ofCell: gradients)
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
    ///   - dropoutSeed: Makes dropout act between the layers, with random numbers of this seed; nil is without dropout,
    ///     as after training. The same seed gives the same bits.
    ///
    /// Traps on arrays of other sizes. O(T·B·layers·directions·G·H·(I + H)), G the gates.
    public func forward(
        _ input: [Float], steps: Int, batch: Int, lengths: [Int]? = nil, state: CellState? = nil,
        dropoutSeed: UInt64? = nil
    ) -> (outputs: [Float], state: CellState) {
        let shape = BatchShape(configuration, steps: steps, batch: batch, lengths: lengths)
        shape.check(input: input)
        shape.check(state: state)
        prepare(shape)
        let seed = configuration.dropout > 0 ? dropoutSeed : nil
        dropped = seed != nil
        weights.pack()
        return input.withUnsafeBufferPointer { input in
            shape.forward(.numbers(input.baseAddress!), state) { arrays in
                for (lanes, pass) in blocks { pass.forward(weights, lanes, arrays, dropoutSeed: seed) }
            }
        }
    }

    /// The backward pass of the last `forward`, once each: from ∂L/∂outputs, of the outputs' sizes, and ∂L/∂(last state)
    /// (nil is zero) the gradients of the input, [T, B, I], and of the first state; those of the parameters are added to
    /// `gradients`.
    ///
    /// Gradients of outputs behind a sequence's end are not read, those of its input there are zero. Traps on arrays of
    /// other sizes, and where no `forward` came before it.
    public func backward(
        _ outputGradient: [Float], state stateGradient: CellState? = nil
    ) -> (input: [Float], state: CellState) {
        guard let shape else { misuse("a backward pass needs a forward pass before it, each one of its own") }
        shape.check(outputGradient: outputGradient)
        shape.check(state: stateGradient)
        // What the forward pass left is used up.
        self.shape = nil
        return shape.backward(outputGradient, stateGradient) { arrays in
            for (lanes, pass) in blocks {
                pass.backward(weights, gradients: gradientWindows, lanes, arrays, dropout: dropped)
            }
        }
    }

    /// The blocks of a batch; buffers for as many steps are used again.
    private func prepare(_ shape: BatchShape) {
        self.shape = shape
        var free = blocks.map(\.pass)
        blocks = shape.blocks.map { lanes in
            let index = free.firstIndex { $0.steps == lanes.steps }
            let pass = index.map { free.remove(at: $0) }
            return (lanes, pass ?? StackPass(configuration, steps: lanes.steps, trains: true))
        }
    }
}
