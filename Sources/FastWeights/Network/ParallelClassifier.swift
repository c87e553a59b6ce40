/// A classifier's loss, errors and gradients over many sequences, on a crew of threads, with the same bits for any
/// number of them.
///
/// A batch is cut into fixed shards of blocks of sixteen. Each shard has buffers and gradients of its own, and stays in
/// one core's cache through both passes. Whoever ends the second shard of a pair adds the pair's gradients up, most often
/// the core that has both at hand; the pairs' sums are added in their order afterwards. What comes before and after the
/// shards is cut into fixed pieces too. A step allocates nothing.
final class ParallelClassifier {
    let gradients: Parameters
    private let steps: Int
    private let crew: Crew
    private let batch = Batch()
    private let shards: [Shard]
    private let prepare: Job
    private let train: Job
    private let evaluate: Job
    private let addUp: Job
    private let tableGradients: Job
    private let preparePieces: Int
    private let addUpPieces: Int
    private let table: TokenTable

    /// Shards a batch: enough for the cores of a laptop, few enough that adding their gradients costs little.
    static let shardLimit = 4

    /// What the shards work on, from the call that sets it to its end.
    private final class Batch {
        var examples = Examples(tokens: [], targets: [], steps: 1)
        /// The examples of the batch; nil for all of them in their order.
        var indices: [Int]?
        var count = 0
        var shards = 0
        var blocks: Int { (count + Lanes.width - 1) / Lanes.width }

        /// The blocks of a shard.
        func range(of shard: Int) -> Range<Int> { shard * blocks / shards..<(shard + 1) * blocks / shards }

        /// Fills a block with sequences 16·b and following; lanes behind the last repeat it. Returns the lanes that
        /// count.
        func load(_ b: Int, into block: ClassifierBlock) -> Int {
            let first = b * Lanes.width
            let lanes = min(Lanes.width, count - first)
            for lane in 0..<Lanes.width {
                let position = first + min(lane, lanes - 1)
                block.setSequence(lane, examples, indices.map { $0[position] } ?? position)
            }
            return lanes
        }
    }

    private final class Shard {
        let block: ClassifierBlock
        let gradients: Parameters
        let dTable: TokenTable
        /// Where a shard's gradients lie in the block: those before come from the table.
        let range: Range<Int>
        private let target: ClassifierParameters
        var result = BlockLoss()

        init(_ configuration: ClassifierConfiguration, steps: Int) {
            block = ClassifierBlock(configuration, steps: steps)
            gradients = Parameters(configuration.layout)
            dTable = TokenTable(configuration)
            range = configuration.layout.window("cell.weight_hh").offset..<gradients.block.count
            target = ClassifierParameters(gradients)
        }

        func train(
            _ p: ClassifierParameters, _ table: TokenTable, _ recurrent: RecurrentWeights, _ batch: Batch,
            _ blocks: Range<Int>
        ) {
            gradients.block.clear(range)
            dTable.values.clear()
            result = BlockLoss()
            let scale = 1 / Float(batch.count)
            for b in blocks {
                let count = batch.load(b, into: block)
                block.forward(p, table, recurrent)
                result += block.loss(count: count, scale: scale)
                block.backward(p, recurrent, gradients: target, dTable, count: count)
            }
        }

        /// Adds the gradients of another shard to those here.
        func add(_ other: Shard) {
            gradients.block.add(other.gradients.block, range)
            dTable.values.add(other.dTable.values, 0..<dTable.values.count)
        }

        func evaluate(
            _ p: ClassifierParameters, _ table: TokenTable, _ recurrent: RecurrentWeights, _ batch: Batch,
            _ blocks: Range<Int>
        ) {
            result = BlockLoss()
            for b in blocks {
                let count = batch.load(b, into: block)
                block.forward(p, table, recurrent)
                result += block.loss(count: count, scale: 0)
            }
        }
    }

    /// An engine for sequences of `steps` tokens, which reads `parameters` as they are at each call.
    init(_ configuration: ClassifierConfiguration, _ parameters: Parameters, steps: Int, crew: Crew) {
        (self.steps, self.crew) = (steps, crew)
        let shards = (0..<Self.shardLimit).map { _ in Shard(configuration, steps: steps) }
        let (table, dTable) = (TokenTable(configuration), TokenTable(configuration))
        let gradients = Parameters(configuration.layout)
        let (p, g) = (ClassifierParameters(parameters), ClassifierParameters(gradients))
        let batch = batch
        (self.shards, self.gradients, self.table) = (shards, gradients, table)
        let recurrent = RecurrentWeights(configuration.cell)
        let fillPieces = table.fillPieces
        preparePieces = fillPieces + recurrent.pieces
        prepare = Job { piece in
            if piece < fillPieces {
                table.fill(p, piece: piece)
            } else {
                recurrent.pack(p.cell.recurrentWeight, piece: piece - fillPieces)
            }
        }
        let pairs = (0..<Self.shardLimit / 2).map { _ in ShardPair() }
        train = Job { s in
            shards[s].train(p, table, recurrent, batch, batch.range(of: s))
            let first = s & ~1
            if first + 1 < batch.shards && pairs[s / 2].isSecondToEnd() { shards[first].add(shards[first + 1]) }
        }
        evaluate = Job { s in shards[s].evaluate(p, table, recurrent, batch, batch.range(of: s)) }
        let sums = stride(from: 0, to: Self.shardLimit, by: 2).map { shards[$0] }
        let (blocks, tables) = (sums.map(\.gradients.block), sums.map(\.dTable.values))
        let range = shards[0].range
        let (blockPieces, tablePieces) = (Pieces(of: range.count), Pieces(of: dTable.values.count))
        addUpPieces = tablePieces.count + blockPieces.count
        addUp = Job { piece in
            let count = (batch.shards + 1) / 2
            if piece < tablePieces.count {
                dTable.values.setSum(tables, count, in: tablePieces[piece])
            } else {
                let piece = blockPieces[piece - tablePieces.count]
                gradients.block.setSum(
                    blocks, count, in: range.lowerBound + piece.lowerBound..<range.lowerBound + piece.upperBound)
            }
        }
        tableGradients = Job { piece in dTable.writeGradients(p, into: g, piece: piece) }
    }

    /// The losses of the sequences at `indices`, and the gradient of their mean, left in `gradients`.
    func gradient(_ examples: Examples, _ indices: [Int]) -> LossSum {
        let result = run(train, examples, indices)
        crew.perform(addUp, pieces: addUpPieces)
        crew.perform(tableGradients, pieces: table.gradientPieces)
        return result
    }

    /// The losses of all of `examples`, without gradients.
    func evaluate(_ examples: Examples) -> LossSum {
        run(evaluate, examples, nil)
    }

    private func run(_ job: Job, _ examples: Examples, _ indices: [Int]?) -> LossSum {
        require(
            examples.steps == steps, "an engine for sequences of \(steps) tokens was given some of \(examples.steps)")
        (batch.examples, batch.indices, batch.count) = (examples, indices, indices?.count ?? examples.count)
        batch.shards = min(batch.blocks, Self.shardLimit)
        crew.perform(prepare, pieces: preparePieces)
        crew.perform(job, pieces: batch.shards)
        // The caller's array must be his alone again, or his next change of it would copy it.
        batch.indices = nil
        var result = BlockLoss()
        for s in 0..<batch.shards { result += shards[s].result }
        return LossSum(result, terms: batch.count)
    }
}

extension SequenceClassifier {
    /// The losses of all of `examples`, in nats, which must fit the model.
    func evaluate(_ examples: Examples, threads: Int) -> LossSum {
        Crew.run(threads: threads) { crew in
            ParallelClassifier(configuration, parameters, steps: examples.steps, crew: crew).evaluate(examples)
        }
    }
}
