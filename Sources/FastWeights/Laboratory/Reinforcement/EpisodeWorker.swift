/// A worker of an actor-critic training: sixteen episodes, and the gradient of their loss.
final class EpisodeWorker {
    let block: EpisodeBlock
    /// In which that of W_ih holds the gradient of the pixels' table.
    let gradients: Parameters
    private let windows: EpisodeGradients
    private(set) var loss = ActorCriticLoss()
    var caught = 0

    init(_ task: Catch, _ configuration: RecurrentNetworkConfiguration) {
        block = EpisodeBlock(task, configuration)
        gradients = Parameters(configuration.layout)
        windows = EpisodeGradients(configuration, gradients)
    }

    /// Plays sixteen episodes from number `first` on, and leaves their loss and the gradient of scale·Σ loss.
    func learn(_ weights: EpisodeWeights, _ options: CatchOptions, first: Int, scale: Float) {
        gradients.clear()
        block.begin(Lanes.width, from: first, seed: options.seed, .training)
        block.play(weights, .sampled)
        loss = block.loss(options.weights, scale: scale)
        block.backward(weights, gradients: windows)
    }
}

/// The gradients of some blocks of episodes added up in their order, that of W_ih turned about from its table.
final class GradientSum {
    private let target: Parameters
    private let sources: [Buffer<Float>]
    private let tables: [UnsafeMutablePointer<Float>]
    private let cell: CellConfiguration
    private let turns: Int
    private let rest: Pieces

    /// The sum of `parts`, to go into `target`.
    init(_ configuration: RecurrentNetworkConfiguration, _ parts: [Parameters], into target: Parameters) {
        self.target = target
        sources = parts.map(\.block)
        tables = sources.map(\.pointer)
        cell = configuration.cell(at: 0)
        require(
            target.layout.windows[0].name.hasPrefix("weight_ih"), "the first of the parameters is not W_ih")
        turns = InputTable.pieces(cell).count
        rest = Pieces(of: target.layout.blockCount - target.layout.windows[1].offset)
    }

    /// Pieces of `collect`: those of W_ih, then those of all others.
    var pieces: Int { turns + rest.count }

    /// A piece of the sum.
    func collect(piece: Int) {
        if piece < turns {
            InputTable.turn(tables, tables.count, cell, piece: piece, into: target.pointer)
        } else {
            let (range, first) = (rest[piece - turns], target.layout.windows[1].offset)
            target.block.setSum(sources, sources.count, in: first + range.lowerBound..<first + range.upperBound)
        }
    }

    func collect() { for piece in 0..<pieces { collect(piece: piece) } }
}
