/// The loss, errors and gradients of a network of convolutions over many images, on a crew of threads, with the same bits
/// for any number of them: blocks of sixteen dealt to a fixed number of shards, gradients added up in a fixed order.
final class ParallelConvolution {
    let gradients: Parameters
    private let crew: Crew
    private let batch = ImageBatch()
    private let shards: [Shard]
    private let prepare: Job
    private let train: Job
    private let evaluate: Job
    private let addUp: Job
    private let pieces: (prepare: Int, addUp: Int)

    /// Shards a batch; each has buffers and gradients of its own.
    static let shardLimit = 4

    /// An engine that reads `parameters` as they are at each call.
    init(_ configuration: ConvolutionalNetworkConfiguration, _ parameters: Parameters, crew: Crew) {
        self.crew = crew
        let gradients = Parameters(configuration.layout)
        let weights = ConvolutionWeights(configuration, parameters)
        let shards = (0..<Self.shardLimit).map { Shard(configuration, $0) }
        let batch = batch
        (self.gradients, self.shards) = (gradients, shards)
        prepare = Job { weights.pack(piece: $0) }
        train = Job { shards[$0].train(weights, batch) }
        evaluate = Job { shards[$0].evaluate(weights, batch) }
        let blocks = shards.map { $0.gradients.block }
        let parts = Pieces(of: gradients.block.count)
        addUp = Job { gradients.block.setSum(blocks, batch.shards, in: parts[$0]) }
        pieces = (weights.pieces, parts.count)
    }

    /// The losses of the images at `indices`, and the gradient of their mean, left in `gradients`. With a `seed` made images
    /// change.
    func gradient(_ data: SequenceData, _ indices: [Int], seed: UInt64? = nil) -> LossSum {
        batch.set(data, indices, seed)
        let result = run(train)
        crew.perform(addUp, pieces: pieces.addUp)
        return result
    }

    /// The losses of all of `data`, without gradients.
    func evaluate(_ data: SequenceData) -> LossSum {
        batch.set(data, nil, nil)
        return run(evaluate)
    }

    private func run(_ job: Job) -> LossSum {
        crew.perform(prepare, pieces: pieces.prepare)
        crew.perform(job, pieces: batch.shards)
        batch.release()
        var result = BlockLoss()
        for s in 0..<batch.shards { result += shards[s].result }
        return LossSum(result, terms: batch.count)
    }
}

/// The images of a step.
private final class ImageBatch {
    private(set) var data: SequenceData?
    private(set) var seed: UInt64?
    private(set) var count = 0
    /// Which of the data; nil for all in their order.
    private var indices: [Int]?

    func set(_ data: SequenceData, _ chosen: [Int]?, _ seed: UInt64?) {
        (self.data, self.seed, indices) = (data, seed, chosen)
        count = chosen?.count ?? data.count
    }

    /// The caller's array must be his alone again, or his next change of it would copy it.
    func release() { indices = nil }

    var blocks: Int { (count + Lanes.width - 1) / Lanes.width }
    var shards: Int { min(blocks, ParallelConvolution.shardLimit) }

    /// Which of the data stands at a position.
    func index(_ position: Int) -> Int { indices.map { $0[position] } ?? position }
}

/// The part of a batch that one thread does at a time.
private final class Shard {
    let gradients: Parameters
    private(set) var result = BlockLoss()
    private let index: Int
    private let configuration: ConvolutionalNetworkConfiguration
    private let pass: ConvolutionPass
    private let windows: ConvolutionGradients
    private let labels = Buffer<Int32>(Lanes.width)

    init(_ configuration: ConvolutionalNetworkConfiguration, _ index: Int) {
        (self.configuration, self.index) = (configuration, index)
        gradients = Parameters(configuration.layout)
        windows = ConvolutionGradients(configuration, gradients)
        pass = ConvolutionPass(configuration)
    }

    func train(_ weights: ConvolutionWeights, _ batch: ImageBatch) {
        gradients.clear()
        forEachBlock(batch, weights, scale: 1 / Float(max(batch.count, 1))) {
            pass.backward(weights, gradients: windows)
        }
    }

    func evaluate(_ weights: ConvolutionWeights, _ batch: ImageBatch) {
        forEachBlock(batch, weights, scale: 0) {}
    }

    /// Runs every block of this shard, of S shards block b being shard b mod S's, and adds up the losses.
    private func forEachBlock(_ batch: ImageBatch, _ weights: ConvolutionWeights, scale: Float, _ body: () -> Void) {
        result = BlockLoss()
        guard let data = batch.data else { return }
        let size = configuration.input.count
        for b in stride(from: index, to: batch.blocks, by: batch.shards) {
            let first = b * Lanes.width
            let count = min(Lanes.width, batch.count - first)
            for lane in 0..<count {
                let i = batch.index(first + lane)
                labels.pointer[lane] = data.targets.classes[i]
                if let made = data.inputs.made {
                    made.write(
                        data.inputs.starts[i], from: 0, count: 1, into: PanelSequence(pointer: pass.input, stride: 0),
                        lane: lane,
                        seed: batch.seed)
                } else {
                    let target = floats(pass.input) + lane
                    for r in 0..<size {
                        target[r &* Lanes.width] = data.inputs.numbers[data.inputs.starts[i] &* size &+ r]
                    }
                }
            }
            pass.forward(weights)
            result += crossEntropy(
                pass.logits, classes: configuration.classes, targets: labels.pointer, count: count, scale: scale)
            body()
        }
    }
}
