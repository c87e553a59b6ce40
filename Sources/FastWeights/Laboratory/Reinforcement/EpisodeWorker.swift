/// A worker of an actor-critic training: sixteen episodes, and the gradient of their loss.
final class EpisodeWorker {
    let block: EpisodeBlock
    /// With that of the pixels' table behind the parameters'.
    let gradients: Buffer<Float>
    private(set) var loss = ActorCriticLoss()
    var caught = 0

    init(_ task: Catch, _ weights: EpisodeWeights) {
        block = EpisodeBlock(task, weights)
        gradients = Buffer(weights.gradientCount)
    }

    /// Plays sixteen episodes from number `first` on, and leaves their loss and the gradient of scale·Σ loss.
    func learn(_ options: CatchOptions, first: Int, scale: Float) {
        gradients.clear()
        block.begin(Lanes.width, from: first, seed: options.seed, .training)
        block.play(.sampled)
        loss = block.loss(options.weights, scale: scale)
        block.backward(gradients.pointer)
    }
}

/// The gradients of some blocks of episodes added up in their order, that of W_ih from the pixels' tables.
final class GradientSum {
    private let target: Parameters
    private let sources: [Buffer<Float>]
    private let cell: PlacedCell
    private let tables: [TokenRows]
    private let inputRows: Pieces
    private let rest: Pieces
    private let start: Int

    /// The sum of `parts`, to go into `target`.
    init(_ weights: EpisodeWeights, _ parts: [Buffer<Float>], into target: Parameters) {
        (self.target, sources, cell) = (target, parts, weights.cell.cell)
        tables = parts.map { weights.table.gradientRows($0.pointer) }
        inputRows = Pieces(of: cell.sizes.rows, size: 16)
        // W_ih is the first of the parameters.
        start = target.layout.windows[1].offset
        rest = Pieces(of: target.layout.blockCount - start)
    }

    /// Pieces of `collect`: those of W_ih, then those of all others.
    var pieces: Int { inputRows.count + rest.count }

    /// A piece of the sum.
    func collect(piece: Int) {
        guard piece < inputRows.count else {
            let range = rest[piece - inputRows.count]
            return setSum(
                sources, sources.count, in: start + range.lowerBound..<start + range.upperBound, into: target.pointer)
        }
        let (weight, columns) = (target.pointer[cell.inputWeight], cell.inputWeight.count / cell.sizes.rows)
        for r in inputRows[piece] {
            for v in 0..<columns {
                var sum = tables[0].values[v &* tables[0].stride &+ r]
                for table in tables.dropFirst() { sum += table.values[v &* table.stride &+ r] }
                weight[r &* columns &+ v] = sum
            }
        }
    }

    func collect() { for piece in 0..<pieces { collect(piece: piece) } }
}
