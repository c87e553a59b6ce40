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
    private let passes: VideoPasses
    private let work = Work()
    private let prepare: Job
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
    }

    /// An engine for clips of at most `frames` frames; it reads `parameters` as they are at each call.
    init(_ network: VideoNetwork, _ parameters: Parameters, frames: Int, team: ThreadTeam) {
        let (work, weights, gradients) = (work, VideoWeights(network, parameters), Parameters(network.layout))
        let passes = VideoPasses(weights, frames: frames, trains: true, threads: team.threads)
        let pieces = Pieces(of: network.layout.blockCount)
        (self.weights, self.team, self.passes, self.gradients, self.pieces) = (weights, team, passes, gradients, pieces)
        prepare = Job { weights.pack(piece: $0) }
        train = Job(byWorker: { s, worker in
            let (clips, sum) = (work.shards[s], work.gradients[s])
            let pass = passes[worker, clips.count]
            sum.clear()
            work.losses[s] = pass.forward(work.clips!, from: clips.lowerBound, sampled: work.sampled)
            pass.backward(sum.pointer)
        })
        addUp = Job { setSum(work.gradients, work.shards.count, in: pieces[$0], into: gradients.pointer) }
    }

    /// The shards of a batch of so many clips: of two clips each, one where there are but three, and of more where there would
    /// be more than eight shards.
    static func shards(of count: Int) -> [Range<Int>] {
        let shards = count <= 3 ? count : min(count / 2, 8)
        return (0..<shards).map { $0 * count / shards..<($0 + 1) * count / shards }
    }

    /// The loss of a batch, and its gradient, left in `gradients`. `sampled` says of each step and clip, [T - 1, B], whether a
    /// true frame is read behind the context.
    func gradient(_ clips: VideoBatch, sampled: [Bool] = []) -> Double {
        if work.shards.last?.upperBound != clips.count {
            work.shards = Self.shards(of: clips.count)
            work.losses = Array(repeating: 0, count: work.shards.count)
            passes.prepare(work.shards.map { $0.count })
        }
        while work.gradients.count < work.shards.count {
            work.gradients.append(Buffer(weights.network.layout.blockCount))
        }
        (work.clips, work.sampled) = (clips, sampled)
        weights.combine()
        team.perform(prepare, pieces: weights.pieces)
        team.perform(train, pieces: work.shards.count)
        team.perform(addUp, pieces: pieces.count)
        work.clips = nil
        return work.losses.reduce(0, +)
    }
}

/// Runs a video model over clips without gradients, on a team of threads.
final class VideoInference {
    /// Clips that are run together.
    private static let samples = 8

    private let weights: VideoWeights
    private let team: ThreadTeam
    private let passes: VideoPasses
    private let frames: Int
    private let prepare: Job

    /// An engine for clips of `frames` frames; it reads `parameters` as they are at each call.
    init(_ network: VideoNetwork, _ parameters: Parameters, frames: Int, team: ThreadTeam) {
        let weights = VideoWeights(network, parameters)
        (self.weights, self.team, self.frames) = (weights, team, frames)
        passes = VideoPasses(weights, frames: frames, trains: false, threads: team.threads)
        prepare = Job { weights.pack(piece: $0) }
    }

    /// The mean loss of the clips' first frames: of each the context is read, from then on the model's own frames. `each` is told
    /// of every step of some clips: their numbers, they themselves, the step, and the pass that has taken it; by any thread, for
    /// the same clips by one.
    func run(
        _ clips: VideoClips,
        each: @escaping (_ clips: Range<Int>, VideoBatch, _ t: Int, VideoPass) -> Void = { _, _, _, _ in }
    ) -> Double {
        let pieces = Pieces(of: clips.count, size: Self.samples)
        let (losses, passes, frames) = (Buffer<Double>(pieces.count), passes, frames)
        passes.prepare((0..<pieces.count).map { pieces[$0].count })
        weights.combine()
        team.perform(prepare, pieces: weights.pieces)
        team.perform(
            Job(byWorker: { piece, worker in
                let range = pieces[piece]
                let (batch, pass) = (clips.batch(Array(range), frames: frames), passes[worker, range.count])
                // The loss of a batch is the mean over its clips.
                losses.pointer[piece] =
                    pass.forward(batch, from: 0) { each(range, batch, $0, pass) } * Double(range.count)
            }), pieces: pieces.count)
        return (0..<pieces.count).reduce(0) { $0 + losses.pointer[$1] } / Double(clips.count)
    }
}

/// The passes that threads lend to shards: of each thread one for every number of clips.
private final class VideoPasses: @unchecked Sendable {
    private let weights: VideoWeights
    private let frames: Int
    private let trains: Bool
    private var passes: [[Int: VideoPass]]

    init(_ weights: VideoWeights, frames: Int, trains: Bool, threads: Int) {
        (self.weights, self.frames, self.trains) = (weights, frames, trains)
        passes = Array(repeating: [:], count: threads)
    }

    /// Makes those for shards of so many clips.
    func prepare(_ sizes: [Int]) {
        for worker in passes.indices {
            for size in Set(sizes) where passes[worker][size] == nil {
                passes[worker][size] = VideoPass(weights, samples: size, frames: frames, trains: trains)
            }
        }
    }

    subscript(worker: Int, samples: Int) -> VideoPass { passes[worker][samples]! }
}
