/// A network's loss, errors and gradients over many sequences, on a team of threads, with the same bits for any number of
/// them.
///
/// The sequences of a batch are put in the order of their lengths and cut into blocks of sixteen, which are dealt to shards.
/// How many follows from the batch and the model alone. A thread has buffers of its own, which it lends to the shards that
/// it does; a shard has gradients of its own. Whoever ends the second shard of a pair adds the pair's gradients up, most
/// often the core that has both at hand; the pairs' sums are added in their order afterwards. What comes before and after
/// the shards is cut into fixed pieces too. A step allocates nothing once it has seen the size of the batch.
final class ParallelTraining {
    let gradients: Parameters
    private let team: ThreadTeam
    private let weights: NetworkWeights
    private let batch: NetworkBatch
    private let step = Step()
    private lazy var inference = ParallelInference(weights, team: team)
    private let workers: [Worker]
    private let prepare: Job
    private let train: Job
    private let evaluate: Job
    private let addUp: Job
    private let addUpPieces: Int
    private let writeTables: Job

    /// What the shards of a step have in common.
    private final class Step {
        var shards: [Shard] = []
        /// The sums of the pairs, and with them that of all.
        var sums: [Buffer<Float>] = []
        var plan = ShardPlan(blocks: 0, gradients: 0, isEven: true)
        var dropoutSeed: UInt64?
    }

    /// How the last batch was dealt to shards.
    var plan: ShardPlan { step.plan }

    /// An engine to train a network on sequences of at most `longest` steps; it reads `parameters` as they are at each
    /// call.
    init(
        _ definition: NetworkDefinition, _ parameters: Parameters, longest: Int, carry: Carry = .nothing,
        team: ThreadTeam
    ) {
        self.team = team
        let gradients = Parameters(definition.layout)
        let weights = definition.weights(parameters)
        let workers = (0..<team.threads).map { _ in Worker(weights, steps: longest, carry: carry) }
        let (batch, step) = (NetworkBatch(longest: longest), step)
        (self.weights, self.gradients, self.workers, self.batch) = (weights, gradients, workers, batch)
        prepare = Job { weights.pack(piece: $0) }
        train = Job(byWorker: { s, worker in
            let shard = step.shards[s]
            workers[worker].train(shard, batch, step.plan.blocks(of: s), dropoutSeed: step.dropoutSeed)
            let first = s & ~1
            if first + 1 < step.plan.count && step.shards[first].pair.isSecondToEnd() {
                let (sum, other) = (step.shards[first].gradients, step.shards[first + 1].gradients)
                for range in weights.sums { sum.add(other, range) }
            }
        })
        evaluate = Job(byWorker: { s, worker in
            workers[worker].evaluate(step.shards[s], batch, step.plan.blocks(of: s))
        })
        // The sum of the tables' gradients stays in a block of its own until it is written.
        let tables = Buffer<Float>(weights.gradientCount - definition.layout.blockCount)
        let pieces = Self.pieces(weights)
        addUpPieces = pieces.count
        let tableStart = definition.layout.blockCount
        addUp = Job { piece in
            let (range, count) = (pieces[piece], (step.plan.count + 1) / 2)
            let isTable = range.lowerBound >= tableStart
            let target = isTable ? tables.pointer - tableStart : gradients.pointer
            setSum(step.sums, count, in: range, into: target)
        }
        writeTables = Job { piece in
            weights.writeTableGradients(tables.pointer - tableStart, into: gradients.pointer, piece: piece)
        }
    }

    /// The ranges that are added up, in pieces; none is of both parameters and tables.
    static func pieces(_ weights: NetworkWeights) -> [Range<Int>] {
        let tableStart = weights.definition.layout.blockCount
        return weights.sums.flatMap { range -> [Range<Int>] in
            let cut = min(max(range.lowerBound, tableStart), range.upperBound)
            return [range.lowerBound..<cut, cut..<range.upperBound].filter { !$0.isEmpty }
        }.flatMap { range in
            let pieces = Pieces(of: range.count)
            return (0..<pieces.count).map {
                range.lowerBound + pieces[$0].lowerBound..<range.lowerBound + pieces[$0].upperBound
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
        team.perform(addUp, pieces: addUpPieces)
        team.perform(writeTables, pieces: weights.tablePieces)
        return result
    }

    private func run(_ job: Job, seed: UInt64?) -> LossSum {
        let plan = ShardPlan(
            blocks: batch.sequences.blocks, gradients: weights.gradientCount, isEven: batch.sequences.isEven)
        (step.dropoutSeed, step.plan) = (seed, plan)
        while step.shards.count < plan.count {
            let shard = Shard(weights.gradientCount)
            if step.shards.count % 2 == 0 { step.sums.append(shard.gradients) }
            step.shards.append(shard)
        }
        team.perform(prepare, pieces: weights.pieces)
        team.perform(job, pieces: plan.count)
        var result = BlockLoss()
        for s in 0..<plan.count { result += step.shards[s].result }
        return batch.sum(result)
    }
}

/// A part of a batch.
private final class Shard {
    let gradients: Buffer<Float>
    /// Of this shard and the next one.
    let pair = ShardPair()
    var result = BlockLoss()

    init(_ count: Int) { gradients = Buffer(count) }
}

/// What one thread works with.
private final class Worker: @unchecked Sendable {
    private let pass: BlockPass
    private let targets: BlockTargets
    private let sums: [Range<Int>]
    private let hasState: Bool

    init(_ weights: NetworkWeights, steps: Int, carry: Carry) {
        pass = BlockPass(weights, steps: steps, trains: true, carry: carry)
        targets = BlockTargets(outputs: weights.definition.output.count)
        (sums, hasState) = (weights.sums, carry != .nothing)
    }

    func train(_ shard: Shard, _ batch: NetworkBatch, _ blocks: StrideTo<Int>, dropoutSeed: UInt64?) {
        for range in sums { shard.gradients.clear(range) }
        forEachBlock(shard, batch, blocks, seed: dropoutSeed) { batch, b, run in
            pass.forward(run)
            shard.result += targets.loss(pass.outputs, into: pass.outputGradients, batch, b, run.block)
            pass.backward(run, shard.gradients.pointer)
        }
    }

    func evaluate(_ shard: Shard, _ batch: NetworkBatch, _ blocks: StrideTo<Int>) {
        forEachBlock(shard, batch, blocks, seed: nil) { batch, b, run in
            pass.forward(run)
            shard.result += targets.loss(pass.outputs, batch, b, run.block)
        }
    }

    private func forEachBlock(
        _ shard: Shard, _ batch: NetworkBatch, _ blocks: StrideTo<Int>, seed: UInt64?,
        _ body: (BatchRows, Int, Run) -> Void
    ) {
        shard.result = BlockLoss()
        batch.read { batch in
            for b in blocks {
                let block = batch.block(b)
                batch.load(block, from: 0, into: pass, seed: seed)
                if let states = batch.states { pass.root.loadState(states[b]) } else if hasState { pass.clearState() }
                body(batch, b, Run(block: block, dropoutSeed: seed))
                if let states = batch.states { pass.root.storeState(states[b]) }
            }
        }
    }
}
