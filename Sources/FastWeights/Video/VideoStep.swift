/// The operations of a step over the samples of a shard, and the maps that lead from one step to the next.
final class VideoStep {
    /// The frame that is read, [C, N, H, W].
    let input: PlanarMaps
    /// Action and state, [A + S, N].
    let command: PlanarMaps
    /// The frame and the state that are predicted.
    let next: PlanarMaps
    let nextState: PlanarMaps
    /// In their order.
    let operations: [VideoOperation]
    /// Maps whose gradients begin with 0 at every step.
    private let cleared: [PlanarMaps]
    private let cells: [MapLSTM]

    init(_ network: VideoNetwork, _ weights: VideoWeights, _ plan: VideoPlan) {
        let c = network.configuration
        input = plan.maps(c.channels, c.height, c.width)
        command = plan.maps(c.actions + c.states, 1, 1)
        next = plan.maps(c.channels, c.height, c.width)
        nextState = plan.maps(c.states, 1, 1)
        let parts = network.operations(weights, plan, (input, command, next, nextState))
        (operations, cleared, cells) = (parts.operations, parts.cleared, parts.cells)
    }

    func begin() { for operation in operations { operation.begin() } }
    func forward(_ t: Int) { for operation in operations { operation.forward(t) } }

    func beginBackward() {
        for operation in operations { operation.beginBackward() }
        for maps in [input, command, nextState] { maps.clearGradient() }
    }

    /// From the gradients of `next` and `nextState` to those of `input` and `command`.
    func backward(_ t: Int, _ gradients: UnsafeMutablePointer<Float>) {
        for maps in cleared { maps.clearGradient() }
        for cell in cells { cell.input.clearGradient() }
        for maps in [input, command] { maps.clearGradient() }
        for operation in operations.reversed() { operation.backward(t, gradients) }
    }

    func finishBackward(_ gradients: UnsafeMutablePointer<Float>) {
        for operation in operations { operation.finishBackward(gradients) }
    }

    /// What the frame that was predicted at step t is made of.
    func sources(_ t: Int) -> FrameSources { (operations.last as? FrameHead)?.sources(t) ?? FrameSources() }

    // MARK: State

    /// Numbers of the state of all samples: h and c of every LSTM.
    var stateCount: Int { cells.reduce(0) { $0 + $1.stateCount } }

    /// Copies the state after step t.
    func storeState(after t: Int, into target: UnsafeMutablePointer<Float>) {
        var target = target
        for cell in cells {
            cell.storeState(after: t, into: target)
            target += cell.stateCount
        }
    }

    /// Takes the state that `storeState` has left, for step t to begin with.
    func loadState(before t: Int, from source: UnsafePointer<Float>) {
        var source = source
        for cell in cells {
            cell.loadState(before: t, from: source)
            source += cell.stateCount
        }
    }
}

/// A video model's parameters made ready for passes, for any number of them on any threads to read.
final class VideoWeights: @unchecked Sendable {
    let network: VideoNetwork
    let parameters: Parameters
    /// Those of the LSTMs' gates.
    let gates: [PlanarFilters]

    init(_ network: VideoNetwork, _ parameters: Parameters) {
        (self.network, self.parameters) = (network, parameters)
        let numbers = parameters.pointer
        gates = network.lstms.map { placed in
            let convolution = placed.convolution
            return PlanarFilters(
                numbers[placed.weight], bias: numbers[placed.bias], channels: convolution.channels,
                features: convolution.features, size: convolution.rows.size)
        }
    }

    var numbers: UnsafeMutablePointer<Float> { parameters.pointer }
    /// Pieces of `pack`.
    var pieces: Int { gates.reduce(0) { $0 + $1.pieces } }

    func pack() { for piece in 0..<pieces { pack(piece: piece) } }

    /// Takes in a piece of the parameters as they are now; after passes were made, which say what they need.
    func pack(piece: Int) {
        var piece = piece
        for filters in gates {
            if piece < filters.pieces { return filters.pack(piece) }
            piece -= filters.pieces
        }
    }
}
