/// The loss of a video model and its gradients over a batch of clips, on a team of threads, with the same bits for any number
/// of them.
///
/// A batch is cut into shards of some clips, which follow from its size alone. A thread has passes of its own, which it lends
/// to the shards that it does; a shard has gradients of its own, which are added in the order of the shards. A step allocates
/// nothing once it has seen the size of the batch.
final class ParallelVideo {
    let gradients: Parameters
    private let weights: VideoWeights
    private let team: ThreadTeam
    private let frames: Int
    private let work = Work()
    private let train: Job
    private let addUp: Job
    private let pieces: Pieces

    /// What the shards of a step have in common.
    private final class Work: @unchecked Sendable {
        var clips: VideoBatch?
        var sampled: [Bool] = []
        var shards: [Range<Int>] = []
        var losses: [Double] = []
        var gradients: [Buffer<Float>] = []
        /// Of each thread a pass for every number of clips.
        var passes: [[Int: VideoPass]]

        init() { passes = [] }
    }

    /// An engine for clips of at most `frames` frames; it reads `parameters` as they are at each call.
    init(_ network: VideoNetwork, _ parameters: Parameters, frames: Int, team: ThreadTeam) {
        let weights = VideoWeights(network, parameters)
        let (work, gradients) = (work, Parameters(network.layout))
        let pieces = Pieces(of: network.layout.blockCount)
        (self.weights, self.team, self.frames, self.gradients, self.pieces) = (weights, team, frames, gradients, pieces)
        work.passes = Array(repeating: [:], count: team.threads)
        train = Job(byWorker: { s, worker in
            let clips = work.shards[s]
            let pass = work.passes[worker][clips.count]!
            let sum = work.gradients[s]
            sum.clear()
            work.losses[s] = pass.forward(work.clips!, from: clips.lowerBound, sampled: work.sampled)
            pass.backward(sum.pointer)
        })
        addUp = Job { setSum(work.gradients, work.shards.count, in: pieces[$0], into: gradients.pointer) }
    }

    /// The shards of a batch of so many clips: of two clips each, one where there are but two, and of more where there would be
    /// more than eight.
    static func shards(of count: Int) -> [Range<Int>] {
        let shards = count <= 3 ? count : min(count / 2, 8)
        return (0..<shards).map { $0 * count / shards..<($0 + 1) * count / shards }
    }

    /// The loss of a batch, and its gradient, left in `gradients`. `sampled` says of each step and clip, [T - 1, B], whether a
    /// true frame is read behind the context.
    func gradient(_ clips: VideoBatch, sampled: [Bool] = []) -> Double {
        work.shards = Self.shards(of: clips.count)
        work.losses = Array(repeating: 0, count: work.shards.count)
        (work.clips, work.sampled) = (clips, sampled)
        while work.gradients.count < work.shards.count {
            work.gradients.append(Buffer(weights.network.layout.blockCount))
        }
        for worker in 0..<team.threads {
            for count in Set(work.shards.map { $0.count }) where work.passes[worker][count] == nil {
                work.passes[worker][count] = VideoPass(weights, samples: count, frames: frames, trains: true)
            }
        }
        team.perform(train, pieces: work.shards.count)
        team.perform(addUp, pieces: pieces.count)
        work.clips = nil
        return work.losses.reduce(0, +)
    }
}
