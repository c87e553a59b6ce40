/// A network's loss, errors and gradients over many sequences, on a crew of threads, with the same bits for any number of
/// them.
///
/// The sequences of a batch are put in the order of their lengths and cut into blocks of sixteen, dealt to a fixed number
/// of shards in turn. Each shard has buffers and gradients of its own; gradients are added up pair by pair in a fixed
/// order. A step allocates nothing once it has seen the size of the batch.
final class ParallelNetwork {
    let gradients: Parameters
    private let configuration: RecurrentNetworkConfiguration
    private let crew: Crew
    private let weights: NetworkWeights
    private let batch: NetworkBatch
    private let step: Step
    private lazy var inference = ParallelInference(configuration, weights, crew: crew)
    private let shards: [Shard]
    private let prepare: Job
    private let train: Job
    private let evaluate: Job
    private let addUp: Job
    private let addUpPieces: Int
    private let turn: Job
    private let turnPieces: Int

    /// What the shards of a step have in common.
    private final class Step {
        var shards = 0
        var dropoutSeed: UInt64?
    }

    /// Shards a batch: as in `ParallelClassifier`.
    static let shardLimit = 4

    /// An engine for a network with a head, to train it on sequences of at most `longest` steps; it reads `parameters` as
    /// they are at each call.
    init(
        _ configuration: RecurrentNetworkConfiguration, _ parameters: Parameters, longest: Int, takesTokens: Bool,
        carry: Carry = .nothing, crew: Crew
    ) {
        (self.configuration, self.crew) = (configuration, crew)
        let gradients = Parameters(configuration.layout)
        let weights = configuration.weights(parameters, takesTokens: takesTokens)
        let shards = (0..<Self.shardLimit).map { index in
            Shard(configuration, index, steps: longest, takesTokens: takesTokens, carry: carry)
        }
        let (batch, step) = (NetworkBatch(longest: longest), Step())
        (self.weights, self.gradients, self.shards, self.batch, self.step) = (weights, gradients, shards, batch, step)
        prepare = Job { weights.pack(piece: $0) }
        let pairs = (0..<Self.shardLimit / 2).map { _ in ShardPair() }
        train = Job { s in
            shards[s].train(weights, batch, shards: step.shards, dropoutSeed: step.dropoutSeed)
            let first = s & ~1
            if first + 1 < step.shards && pairs[s / 2].isSecondToEnd() {
                shards[first].gradients.block.add(
                    shards[first + 1].gradients.block, 0..<gradients.block.count)
            }
        }
        evaluate = Job { s in shards[s].evaluate(weights, batch, shards: step.shards) }
        let sums = stride(from: 0, to: Self.shardLimit, by: 2).map { shards[$0].gradients.block }
        let blockPieces = Pieces(of: gradients.block.count)
        addUpPieces = blockPieces.count
        addUp = Job { piece in gradients.block.setSum(sums, (step.shards + 1) / 2, in: blockPieces[piece]) }
        // Of tokens the gradients of W_ih lie in the shards as those of the tables.
        let turned = zip(weights.tables, zip(weights.cells, configuration.places)).map { table, of in
            let offset = configuration.layout.window("weight_ih" + of.1.suffix).offset
            return (
                pieces: table.pieces, cell: of.0.configuration, sources: sums.map { $0.pointer + offset },
                target: gradients.pointer + offset
            )
        }
        turnPieces = turned.reduce(0) { $0 + $1.pieces }
        turn = Job { piece in
            var piece = piece
            for part in turned {
                if piece < part.pieces {
                    return InputTable.turn(
                        part.sources, (step.shards + 1) / 2, part.cell, piece: piece, into: part.target)
                }
                piece -= part.pieces
            }
        }
    }

    /// The losses of the sequences at `indices`, and the gradient of their mean, left in `gradients`: zero where no target
    /// counts. With a `seed` dropout acts.
    func gradient(_ data: SequenceData, _ indices: [Int], dropoutSeed seed: UInt64? = nil) -> LossSum {
        batch.set(data.inputs, data.targets, indices)
        return gradient(seed)
    }

    /// The same over a window of a text's streams, whose states go on.
    func gradient(_ text: TextStreams, dropoutSeed seed: UInt64? = nil) -> LossSum {
        batch.set(text)
        return gradient(seed)
    }

    /// The losses of all of `data`, of sequences as long as they may be, without gradients.
    func evaluate(_ data: SequenceData) -> LossSum { inference.evaluate(data) }

    /// The same over a window of a text's streams, whose states go on.
    func evaluate(_ text: TextStreams) -> LossSum {
        batch.set(text)
        return run(evaluate, seed: nil)
    }

    private func gradient(_ seed: UInt64?) -> LossSum {
        let result = run(train, seed: seed)
        crew.perform(addUp, pieces: addUpPieces)
        crew.perform(turn, pieces: turnPieces)
        return result
    }

    private func run(_ job: Job, seed: UInt64?) -> LossSum {
        step.dropoutSeed = seed
        step.shards = min(batch.blocks, Self.shardLimit)
        crew.perform(prepare, pieces: weights.pieces)
        crew.perform(job, pieces: step.shards)
        var result = BlockLoss()
        for s in 0..<step.shards { result += shards[s].result }
        return batch.sum(result)
    }
}

/// The part of a batch that one thread does at a time.
private final class Shard {
    let gradients: Parameters
    var result = BlockLoss()
    private let index: Int
    private let configuration: RecurrentNetworkConfiguration
    private let pass: StackPass
    private let windows: NetworkGradients
    private let targets: BlockTargets
    private var block = LaneBlock()

    init(
        _ configuration: RecurrentNetworkConfiguration, _ index: Int, steps: Int, takesTokens: Bool, carry: Carry
    ) {
        (self.configuration, self.index) = (configuration, index)
        gradients = Parameters(configuration.layout)
        windows = NetworkGradients(configuration, gradients)
        pass = StackPass(
            configuration, steps: steps, trains: true, carry: carry, takesTokens: takesTokens)
        targets = BlockTargets(outputs: configuration.output)
    }

    func train(_ weights: NetworkWeights, _ batch: NetworkBatch, shards: Int, dropoutSeed: UInt64?) {
        gradients.clear()
        let scale = 1 / Float(max(batch.terms, 1))
        let seed = configuration.dropout > 0 ? dropoutSeed : nil
        forEachBlock(batch, shards, seed: dropoutSeed) { b in
            pass.run(weights, block, dropoutSeed: seed)
            result += targets.loss(pass.outputs, batch, b, block, scale: scale)
            pass.differentiate(weights, gradients: windows, block, dropout: seed != nil, ofInput: false)
        }
    }

    func evaluate(_ weights: NetworkWeights, _ batch: NetworkBatch, shards: Int) {
        forEachBlock(batch, shards, seed: nil) { b in
            pass.run(weights, block, dropoutSeed: nil)
            result += targets.loss(pass.outputs, batch, b, block, scale: 0)
        }
    }

    /// Loads every block of this shard: of S shards block b is shard b mod S's.
    private func forEachBlock(_ batch: NetworkBatch, _ shards: Int, seed: UInt64?, _ body: (Int) -> Void) {
        result = BlockLoss()
        for b in stride(from: index, to: batch.blocks, by: shards) {
            batch.fill(&block, b)
            batch.load(block, from: 0, into: pass, seed: seed)
            if let states = batch.states { pass.loadStates(states[b]) }
            body(b)
            if let states = batch.states { pass.storeStates(states[b]) }
        }
    }
}
