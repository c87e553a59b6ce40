/// Up to sixteen episodes of Catch side by side, one a lane: an agent plays them, then learns from them.
///
/// A step's input depends on what was done before, so the recurrent layer goes a step at a time; what it keeps of every
/// step is what the backward pass needs. Of the screen only lit pixels count: its product with W_ih is the sum of their
/// rows in a table of W_ih transposed, and nothing in a blank frame. All buffers are made once.
final class EpisodeBlock {
    /// How an agent chooses what to do.
    enum Choice {
        /// By its probabilities.
        case sampled
        /// What is most probable, the first of equals.
        case greedy
        /// What `setActions` said.
        case given
    }

    private let task: Catch
    private let weights: EpisodeWeights
    private let cell: CellPass
    private let head: DensePass
    private let run: Run
    /// Episodes as they stand, and of each its random numbers; there are always sixteen, of which the first count.
    private(set) var episodes: [Catch.Episode]
    private var randoms: [Random]
    private(set) var count = 0
    /// Lit pixels of the visible frames, a row of sixteen each; what was done, a row a decision.
    private let lit: Buffer<UInt16>
    private let chosen: Buffer<UInt8>
    private let row: Panel
    private let arena = Arena()

    /// A block for agents with these weights.
    init(_ task: Catch, _ weights: EpisodeWeights) {
        let steps = task.decisions
        (self.task, self.weights) = (task, weights)
        let plan = PassPlan(
            steps: steps, carry: .nothing, trains: true, scratch: arena.panels(1, rows: outerProductScratch)[0])
        cell = weights.cell.cell.kind.pass(
            weights.cell, PassInput(x: arena.panels(steps, rows: 0)), plan)
        head = DensePass(
            weights.head, weights.cell.numbers, PassInput(x: cell.outputs, dx: cell.outputGradients), plan)
        episodes = [Catch.Episode](repeating: Catch.Episode(task, column: 0, paddle: 0), count: Lanes.width)
        randoms = [Random](repeating: Random(seed: 0), count: Lanes.width)
        lit = Buffer(min(task.visibleFrames, steps) * Catch.litPixels * Lanes.width)
        chosen = Buffer(steps * Lanes.width)
        row = arena.panels(1, rows: weights.cell.cell.sizes.rows)[0]
        run = Run(block: LaneBlock(Lanes.width) { ($0, steps) })
    }

    /// The outputs of a decision: logits of the actions, and V; after `loss` its gradients.
    func outputs(_ t: Int) -> Panel { head.outputs[t] }
    /// What was done in lane `lane` at decision t.
    func action(_ t: Int, lane: Int) -> Catch.Action {
        Catch.Action(rawValue: Int(chosen.pointer[t * Lanes.width + lane]))!
    }

    /// Begins `count` new episodes. Each has random numbers of its own, from its number on, so that it does not depend on
    /// its block.
    func begin(_ count: Int, from first: Int, seed: UInt64, _ purpose: EpisodePurpose) {
        self.count = count
        for lane in 0..<Lanes.width {
            randoms[lane] = Random(seed: seed, stream: purpose.rawValue << 48 | UInt64(first + lane))
            episodes[lane] = task.episode(&randoms[lane])
        }
    }

    /// Begins these episodes, at most sixteen.
    func begin(_ given: ArraySlice<Catch.Episode>) {
        count = given.count
        for (lane, episode) in given.enumerated() { episodes[lane] = episode }
        for lane in count..<Lanes.width { episodes[lane] = Catch.Episode(task, column: 0, paddle: 0) }
    }

    /// Sets what is done with `Choice.given` in a lane.
    func setActions(_ actions: [Catch.Action], lane: Int) {
        for (t, action) in actions.enumerated() { chosen.pointer[t * Lanes.width + lane] = UInt8(action.rawValue) }
    }

    /// Plays the episodes to their ends. O(T·(G·H² + H)), G the gates; no allocation.
    func play(_ choice: Choice) {
        cell.begin(run)
        for t in 0..<task.decisions {
            project(t)
            cell.unroll(t..<t + 1)
            head.forward(run, t..<t + 1)
            choose(t, choice)
            let actions = chosen.pointer + t * Lanes.width
            for lane in 0..<Lanes.width { episodes[lane].advance(Catch.Action(rawValue: Int(actions[lane]))!) }
        }
    }

    /// Episodes that ended with the ball caught.
    var caught: Int {
        var sum = 0
        for lane in 0..<count where episodes[lane].isBelow { sum += 1 }
        return sum
    }

    /// Plays every `stride`th sixteen of `total` episodes, from the `first`th on, and counts those with the ball caught.
    func countCaught(
        of total: Int, first: Int = 0, stride: Int = 1, seed: UInt64,
        _ purpose: EpisodePurpose
    ) -> Int {
        var sum = 0
        for start in Swift.stride(from: first * Lanes.width, to: total, by: stride * Lanes.width) {
            begin(min(Lanes.width, total - start), from: start, seed: seed, purpose)
            play(.sampled)
            sum += caught
        }
        return sum
    }

    /// W_ih x(t) and the biases.
    private func project(_ t: Int) {
        let (z, bias) = (cell.projections[t], weights.cell.bias.pointer)
        let rows = weights.cell.cell.sizes.rows
        for r in 0..<rows { z[r] = Lanes(repeating: bias[r]) }
        guard t < task.visibleFrames else { return }
        for i in 0..<Catch.litPixels {
            let pixels = litPixels(t, i)
            for lane in 0..<Lanes.width { pixels[lane] = UInt16(truncatingIfNeeded: episodes[lane].lit(i)) }
            weights.table.tokenRows.gather(pixels, into: row)
            for r in 0..<rows { z[r] += row[r] }
        }
    }

    private func litPixels(_ t: Int, _ i: Int) -> UnsafeMutablePointer<UInt16> {
        lit.pointer + (t * Catch.litPixels + i) * Lanes.width
    }

    private func choose(_ t: Int, _ choice: Choice) {
        let (y, actions) = (head.outputs[t], chosen.pointer + t * Lanes.width)
        let (left, stay, right) = (y[0], y[1], y[2])
        switch choice {
        case .given: break
        case .greedy:
            for lane in 0..<Lanes.width {
                let isLeft = left[lane] >= stay[lane] && left[lane] >= right[lane]
                actions[lane] = isLeft ? 0 : stay[lane] >= right[lane] ? 1 : 2
            }
        case .sampled:
            let largest = left.lanewiseMax(stay).lanewiseMax(right)
            let first = (left - largest).exponential()
            let second = first + (stay - largest).exponential()
            let all = second + (right - largest).exponential()
            for lane in 0..<Lanes.width {
                let mark = Float(randoms[lane].uniform()) * all[lane]
                actions[lane] = mark < first[lane] ? 0 : mark < second[lane] ? 1 : 2
            }
        }
    }
}

/// What an episode is for, of which its random numbers depend: what is learned from is never what is measured.
enum EpisodePurpose: UInt64 {
    case training = 6
    case evaluation = 7
    case test = 8
}

// MARK: - Learning

extension EpisodeBlock {
    /// The terms of the loss of the episodes played; the outputs become the gradient of scale·Σ loss.
    func loss(_ weights: ActorCriticWeights, scale: Float) -> ActorCriticLoss {
        var (sum, returns, scales) = (ActorCriticLoss(), Lanes.zero, Lanes.zero)
        for lane in 0..<count {
            returns[lane] = episodes[lane].reward
            scales[lane] = scale
        }
        for t in stride(from: task.decisions - 1, through: 0, by: -1) {
            sum += actorCriticLoss(
                head.outputs[t], actions: Catch.Action.allCases.count, chosen: chosen.pointer + t * Lanes.width,
                returns: returns, scale: scales, weights)
            returns *= weights.discount
        }
        return sum
    }

    /// The backward pass from the gradients that `loss` left: adds those of the parameters to `gradients`, that of W_ih as
    /// the table has it, behind them.
    func backward(_ gradients: UnsafeMutablePointer<Float>) {
        head.backward(run, gradients)
        cell.differentiate(run, gradients)
        let table = weights.table.gradientRows(gradients)
        for t in 0..<min(task.visibleFrames, task.decisions) {
            for i in 0..<Catch.litPixels {
                table.scatter(litPixels(t, i), from: cell.projections[t], count: count)
            }
        }
    }
}

/// An agent's parameters made ready for `EpisodeBlock`, for any number of threads to read.
struct EpisodeWeights {
    let cell: CellWeights
    let head: PlacedDense
    /// What each lit pixel adds to the pre-activations.
    let table: TokenTable

    /// Ready for the parameters of `block`, those of an agent's network, once `pack` has taken them in.
    init(_ configuration: NetworkConfiguration, _ block: Parameters) {
        // The same layers over pixels as tokens, of which a step has some at once.
        let pixels = NetworkConfiguration(.tokens(configuration.definition.input.count), configuration.named)
        let layers = pixels.definition.root.children
        guard let cell = layers[0] as? PlacedCell, let head = layers[1] as? PlacedDense else {
            misuse("an agent of Catch has a recurrent layer and a dense one, found \(configuration.layers)")
        }
        self.cell = CellWeights(cell, block, tableHasBias: false)
        (self.head, table) = (head, self.cell.table!)
        table.place(at: block.layout.blockCount, behind: nil)
    }

    /// Floats of a block of gradients with that of the table.
    var gradientCount: Int { cell.block.layout.blockCount + table.count }
    var pieces: Int { cell.pieces }

    /// Takes in a piece of the parameters as they are now.
    func pack(piece: Int) { cell.pack(piece: piece) }

    func pack() { for piece in 0..<pieces { pack(piece: piece) } }
}
