/// A classifier's loss, errors and gradients over many sequences, on several threads, with the same bits for any
/// number of them.
///
/// A batch is cut into fixed shards of blocks of sixteen. Each shard has buffers and a gradient block of its own, and
/// stays in one core's cache through both passes; the shards' gradients are added in their order afterwards.
final class ParallelClassifier {
    private let configuration: ClassifierConfiguration
    private let threads: Int
    private let table: TokenTable
    private let dTable: TokenTable
    private let shards: [Shard]
    let gradients: Parameters

    /// Shards a batch: enough for the cores of a laptop, few enough that adding their gradients costs little.
    static let shardLimit = 4

    private final class Shard {
        let block: ClassifierBlock
        let gradients: Parameters
        let dTable: TokenTable
        var result = BlockLoss()

        init(_ configuration: ClassifierConfiguration, steps: Int) {
            block = ClassifierBlock(configuration, steps: steps)
            gradients = Parameters(configuration.layout)
            dTable = TokenTable(configuration)
        }
    }

    init(_ configuration: ClassifierConfiguration, steps: Int, threads: Int) {
        self.configuration = configuration
        self.threads = threads
        table = TokenTable(configuration)
        dTable = TokenTable(configuration)
        gradients = Parameters(configuration.layout)
        shards = (0..<Self.shardLimit).map { _ in Shard(configuration, steps: steps) }
    }

    /// Mean loss over the sequences at `indices` and its gradient, left in `gradients`.
    func gradient(_ parameters: Parameters, _ examples: Examples, _ indices: [Int]) -> BlockLoss {
        let p = ClassifierParameters(parameters)
        table.fill(p)
        let blocks = (indices.count + Lanes.width - 1) / Lanes.width
        let used = min(blocks, shards.count)
        let scale = 1 / Float(indices.count)
        ParallelLoop.run(used, threads: threads) { s in
            let shard = shards[s]
            shard.gradients.block.clear()
            shard.dTable.values.clear()
            shard.result = BlockLoss()
            let g = ClassifierParameters(shard.gradients)
            for b in s * blocks / used..<(s + 1) * blocks / used {
                let count = load(shard.block, examples, b, indices.count) { indices[$0] }
                shard.block.forward(p, table, count: count)
                shard.result += shard.block.loss(count: count, scale: scale)
                shard.block.backward(p, gradients: g, shard.dTable, count: count)
            }
        }
        add(shards.prefix(used).map(\.gradients.block), into: gradients.block)
        add(shards.prefix(used).map(\.dTable.values), into: dTable.values)
        dTable.addGradients(p, into: ClassifierParameters(gradients))
        var result = BlockLoss()
        for shard in shards.prefix(used) { result += shard.result }
        return BlockLoss(loss: result.loss / Double(indices.count), errors: result.errors)
    }

    /// Mean loss and errors over all of `examples`, without gradients.
    func evaluate(_ parameters: Parameters, _ examples: Examples) -> BlockLoss {
        let p = ClassifierParameters(parameters)
        table.fill(p)
        let blocks = (examples.count + Lanes.width - 1) / Lanes.width
        ParallelLoop.run(shards.count, threads: threads) { s in
            let shard = shards[s]
            shard.result = BlockLoss()
            for b in s * blocks / shards.count..<(s + 1) * blocks / shards.count {
                let count = load(shard.block, examples, b, examples.count) { $0 }
                shard.block.forward(p, table, count: count)
                shard.result += shard.block.loss(count: count, scale: 0)
            }
        }
        var result = BlockLoss()
        for shard in shards { result += shard.result }
        return BlockLoss(loss: result.loss / Double(max(examples.count, 1)), errors: result.errors)
    }

    /// Fills a block with sequences 16·b and following; lanes behind the last repeat it. Returns the lanes that count.
    @inline(__always)
    private func load(_ block: ClassifierBlock, _ examples: Examples, _ b: Int, _ total: Int, _ index: (Int) -> Int)
        -> Int
    {
        let first = b * Lanes.width
        let count = min(Lanes.width, total - first)
        for lane in 0..<Lanes.width { block.setSequence(lane, examples, index(first + min(lane, count - 1))) }
        return count
    }

    /// Σ of the parts, in their order.
    private func add(_ parts: [Buffer<Float>], into sum: Buffer<Float>) {
        sum.copy(from: parts[0])
        for part in parts.dropFirst() {
            for i in 0..<sum.count { sum.pointer[i] += part.pointer[i] }
        }
    }
}
