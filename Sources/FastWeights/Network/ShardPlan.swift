/// How the blocks of a batch are dealt to shards, each with gradients of its own. It follows from the batch and the model
/// alone and never from the number of threads, and so do the bits of what the shards add up to.
struct ShardPlan: Equatable {
    /// Blocks of the batch, of sixteen sequences.
    let blocks: Int
    /// Shards: four for up to eight blocks, so that adding their gradients costs little, one a block of larger batches,
    /// which have work for more cores, as long as their gradients stay below a quarter of a gigabyte.
    let count: Int
    /// Whether neighboring blocks are one shard's; otherwise shards take blocks in turn, so that each has long ones.
    let isEven: Bool

    /// Shards for blocks of a model with so many gradients.
    init(blocks: Int, gradients: Int, isEven: Bool) {
        (self.blocks, self.isEven) = (blocks, isEven)
        count = blocks > 8 ? min(blocks, 64, max(4, (1 << 26) / max(gradients, 1))) : min(blocks, 4)
    }

    /// The blocks of a shard: the first, and how far it is to the next.
    func blocks(of shard: Int) -> StrideTo<Int> {
        isEven
            ? stride(from: shard * blocks / count, to: (shard + 1) * blocks / count, by: 1)
            : stride(from: shard, to: blocks, by: count)
    }

    /// Blocks of each shard.
    var sizes: [Int] { (0..<count).map { Array(blocks(of: $0)).count } }
}
