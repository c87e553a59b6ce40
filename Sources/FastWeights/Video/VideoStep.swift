/// The operations of a step over the samples of a shard, and the maps that lead from one step to the next.
final class VideoStep {
    private let ends: StepEnds
    private let parts: StepParts

    init(_ network: VideoNetwork, _ weights: VideoWeights, _ plan: VideoPlan) {
        let c = network.configuration
        ends = StepEnds(
            input: plan.maps(c.channels, c.height, c.width), command: plan.maps(c.actions + c.states, 1, 1),
            next: plan.maps(c.channels, c.height, c.width), nextState: plan.maps(c.states, 1, 1))
        parts = network.operations(weights, plan, ends)
    }

    /// The frame that is read.
    var input: PlanarMaps { ends.input }
    var command: PlanarMaps { ends.command }
    /// The frame and the state that are predicted.
    var next: PlanarMaps { ends.next }
    var nextState: PlanarMaps { ends.nextState }
    private var operations: [VideoOperation] { parts.operations }
    private var cells: [MapLSTM] { parts.cells }

    func begin() { for operation in operations { operation.begin() } }
    func forward(_ t: Int) { for operation in operations { operation.forward(t) } }

    func beginBackward() {
        for operation in operations { operation.beginBackward() }
        for maps in [input, command, nextState] { maps.clearGradient() }
    }

    /// From the gradients of `next` and `nextState` to those of `input` and `command`.
    func backward(_ t: Int, _ gradients: UnsafeMutablePointer<Float>) {
        for maps in parts.cleared { maps.clearGradient() }
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
    let gates: [GateFilters]

    init(_ network: VideoNetwork, _ parameters: Parameters) {
        (self.network, self.parameters) = (network, parameters)
        gates = network.lstms.map { GateFilters($0.filters, parameters.pointer) }
    }

    var numbers: UnsafeMutablePointer<Float> { parameters.pointer }
    /// Pieces of `pack`.
    var pieces: Int { gates.reduce(0) { $0 + $1.filters.pieces } }

    func pack() {
        combine()
        for piece in 0..<pieces { pack(piece: piece) }
    }

    /// What comes before the pieces of `pack`.
    func combine() { for gates in gates { gates.combine() } }

    /// Takes in a piece of the parameters as they are now; after passes were made, which say what they need.
    func pack(piece: Int) {
        var piece = piece
        for gates in gates {
            if piece < gates.filters.pieces { return gates.filters.pack(piece) }
            piece -= gates.filters.pieces
        }
    }
}
