/// A network's loss, errors and gradients over many sequences, on a crew of threads, with the same bits for any number of
/// them.
///
/// The sequences of a batch are put in the order of their lengths and cut into blocks of sixteen, dealt to a fixed number
/// of shards in turn. Each shard has buffers and gradients of its own; gradients are added up pair by pair in a fixed
/// order. A step allocates nothing once it has seen the size of the batch.
final class ParallelNetwork {
    let gradients: Parameters
    private let crew: Crew
    private let batch: NetworkBatch
    private let shards: [Shard]
    private let prepare: Job
    private let train: Job
    private let evaluate: Job
    private let addUp: Job
    private let preparePieces: Int
    private let addUpPieces: Int
    private let turn: Job
    private let turnPieces: Int

    /// Shards a batch: as in `ParallelClassifier`.
    static let shardLimit = 4

    /// An engine for a network with a head, and for data like `data` with sequences of at most `longest` steps; it reads
    /// `parameters` as they are at each call.
    init(
        _ configuration: RecurrentNetworkConfiguration, _ parameters: Parameters, longest: Int, takesTokens: Bool,
        carry: Carry = .nothing, crew: Crew
    ) {
        self.crew = crew
        let gradients = Parameters(configuration.layout)
        var weights = configuration.weights(parameters)
        if takesTokens { weights.tables = weights.cells.prefix(configuration.directions).map { InputTable($0) } }
        let shards = (0..<Self.shardLimit).map { index in
            Shard(configuration, index, steps: longest, takesTokens: takesTokens, carry: carry)
        }
        let batch = NetworkBatch(longest: longest)
        (self.gradients, self.shards, self.batch) = (gradients, shards, batch)
        let (cells, tables) = (weights.cells, weights.tables)
        preparePieces = cells.reduce(0) { $0 + $1.pieces } + tables.reduce(0) { $0 + $1.pieces }
        prepare = Job { piece in
            var piece = piece
            for cell in cells {
                if piece < cell.pieces { return cell.pack(piece: piece) }
                piece -= cell.pieces
            }
            for table in tables {
                if piece < table.pieces { return table.fill(piece: piece) }
                piece -= table.pieces
            }
        }
        let pairs = (0..<Self.shardLimit / 2).map { _ in ShardPair() }
        train = Job { [weights] s in
            shards[s].train(weights, batch)
            let first = s & ~1
            if first + 1 < batch.shards && pairs[s / 2].isSecondToEnd() {
                shards[first].gradients.block.add(
                    shards[first + 1].gradients.block, 0..<gradients.block.count)
            }
        }
        evaluate = Job { [weights] s in shards[s].evaluate(weights, batch) }
        let sums = stride(from: 0, to: Self.shardLimit, by: 2).map { shards[$0].gradients.block }
        let blockPieces = Pieces(of: gradients.block.count)
        addUpPieces = blockPieces.count
        addUp = Job { piece in gradients.block.setSum(sums, (batch.shards + 1) / 2, in: blockPieces[piece]) }
        // Of tokens the gradients of W_ih lie in the shards as those of the tables.
        let turned = zip(tables, zip(cells, configuration.places)).map { table, of in
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
                        part.sources, (batch.shards + 1) / 2, part.cell, piece: piece, into: part.target)
                }
                piece -= part.pieces
            }
        }
    }

    /// Mean loss over the sequences at `indices` and its gradient, left in `gradients`. With a `seed` dropout acts.
    func gradient(_ data: SequenceData, _ indices: [Int], dropoutSeed seed: UInt64? = nil) -> Evaluation {
        batch.set(data, indices)
        return gradient(seed)
    }

    /// The same over a window of a text's streams, whose states go on.
    func gradient(_ text: TextStreams, dropoutSeed seed: UInt64? = nil) -> Evaluation {
        batch.set(text)
        return gradient(seed)
    }

    /// Mean loss and error over all of `data`, without gradients.
    func evaluate(_ data: SequenceData) -> Evaluation {
        batch.set(data, nil)
        return run(evaluate, seed: nil)
    }

    /// The same over a window of a text's streams, whose states go on.
    func evaluate(_ text: TextStreams) -> Evaluation {
        batch.set(text)
        return run(evaluate, seed: nil)
    }

    private func gradient(_ seed: UInt64?) -> Evaluation {
        let result = run(train, seed: seed)
        crew.perform(addUp, pieces: addUpPieces)
        crew.perform(turn, pieces: turnPieces)
        return result
    }

    private func run(_ job: Job, seed: UInt64?) -> Evaluation {
        batch.seed = seed
        batch.shards = min(batch.blocks, Self.shardLimit)
        crew.perform(prepare, pieces: preparePieces)
        crew.perform(job, pieces: batch.shards)
        var result = BlockLoss()
        for s in 0..<batch.shards { result += shards[s].result }
        let terms = Double(max(batch.terms, 1))
        let loss = result.loss / terms
        let isRegression = batch.data?.targets.isRegression ?? false
        return Evaluation(loss: loss, error: isRegression ? loss : Double(result.errors) / terms)
    }
}

/// The sequences of a step, the longest first.
private final class NetworkBatch {
    private(set) var data: SequenceData?
    /// Which sequences, by falling length and in each length in the order given.
    private(set) var order: [Int] = []
    /// The first step of each among all steps of the data, and how many there are.
    private(set) var starts: [Int] = []
    private(set) var lengths: [Int] = []
    /// Where the states of windows go on; nil of whole sequences.
    private(set) var states: CarriedStates?
    /// Terms of the loss: sequences, or steps that count; of numbers times their count.
    private(set) var terms = 0
    var shards = 0
    var seed: UInt64?
    private var places: [Int]

    var blocks: Int { (order.count + Lanes.width - 1) / Lanes.width }

    init(longest: Int) { places = [Int](repeating: 0, count: longest + 2) }

    private func setCount(_ count: Int) {
        guard order.count != count else { return }
        order = [Int](repeating: 0, count: count)
        (starts, lengths) = (order, order)
    }

    /// Takes the sequences at `indices`, or all. O(sequences + longest).
    func set(_ data: SequenceData, _ indices: [Int]?) {
        (self.data, states, terms) = (data, nil, 0)
        let (count, longest) = (indices?.count ?? data.count, places.count - 2)
        func sequence(_ position: Int) -> Int { indices.map { $0[position] } ?? position }
        setCount(count)
        // A counting sort: the place behind longest - length counts the sequences of a length, then says where they go.
        for i in places.indices { places[i] = 0 }
        for position in 0..<count {
            let i = sequence(position)
            places[longest - data.lengths[i] + 1] += 1
            terms += data.terms(i)
        }
        for i in 1..<places.count { places[i] += places[i - 1] }
        for position in 0..<count {
            let i = sequence(position)
            let place = longest - data.lengths[i]
            order[places[place]] = i
            starts[places[place]] = data.starts[i]
            lengths[places[place]] = data.lengths[i]
            places[place] += 1
        }
    }

    /// Takes a window of every stream.
    func set(_ text: TextStreams) {
        (data, states) = (text.data, text.states)
        setCount(text.starts.count)
        for i in order.indices { (order[i], starts[i], lengths[i]) = (i, text.starts[i], text.steps) }
        terms = order.count * text.steps
    }
}

extension SequenceData {
    /// Terms that sequence `i` has in the loss.
    fileprivate func terms(_ i: Int) -> Int {
        let isPerStep = targets.isPerStep
        if targets.isRegression { return targets.width * (isPerStep ? lengths[i] : 1) }
        guard isPerStep else { return 1 }
        var count = 0
        for t in starts[i]..<starts[i] + lengths[i] where targets.classes[t] >= 0 { count += 1 }
        return count
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
    private var block = LaneBlock()
    private let labels = Buffer<Int32>(Lanes.width)
    private let targets: Panel
    private let arena = Arena()

    init(
        _ configuration: RecurrentNetworkConfiguration, _ index: Int, steps: Int, takesTokens: Bool, carry: Carry
    ) {
        (self.configuration, self.index) = (configuration, index)
        gradients = Parameters(configuration.layout)
        windows = NetworkGradients(configuration, gradients)
        pass = StackPass(
            configuration, steps: steps, trains: true, carry: carry, takesTokens: takesTokens)
        targets = arena.panels(1, rows: configuration.output)[0]
    }

    func train(_ weights: NetworkWeights, _ batch: NetworkBatch) {
        gradients.clear()
        let scale = 1 / Float(max(batch.terms, 1))
        let seed = configuration.dropout > 0 ? batch.seed : nil
        forEachBlock(batch) { data, first in
            pass.run(weights, block, dropoutSeed: seed)
            result += loss(data, batch, first, scale: scale)
            pass.differentiate(weights, gradients: windows, block, dropout: seed != nil, ofInput: false)
        }
    }

    func evaluate(_ weights: NetworkWeights, _ batch: NetworkBatch) {
        forEachBlock(batch) { data, first in
            pass.run(weights, block, dropoutSeed: nil)
            result += loss(data, batch, first, scale: 0)
        }
    }

    /// Loads every block of this shard: of S shards block b is shard b mod S's.
    private func forEachBlock(_ batch: NetworkBatch, _ body: (SequenceData, Int) -> Void) {
        result = BlockLoss()
        guard let data = batch.data else { return }
        for b in stride(from: index, to: batch.blocks, by: batch.shards) {
            let first = b * Lanes.width
            block.clear()
            for position in first..<min(first + Lanes.width, batch.order.count) {
                block.append(batch.starts[position], length: batch.lengths[position])
            }
            pass.steps = block.steps
            if let width = data.width {
                data.numbers.withUnsafeBufferPointer { numbers in
                    for t in 0..<block.steps {
                        block.gather(
                            numbers.baseAddress! + t * width, count: block.active(at: t), rows: width,
                            into: pass.input(t))
                    }
                }
            } else {
                data.tokens.withUnsafeBufferPointer { pass.setTokens($0.baseAddress!, block) }
            }
            if let states = batch.states { pass.loadStates(states[b]) }
            body(data, first)
            if let states = batch.states { pass.storeStates(states[b]) }
        }
    }

    /// The block's loss; its outputs become the gradient of scale·Σ loss.
    private func loss(_ data: SequenceData, _ batch: NetworkBatch, _ first: Int, scale: Float) -> BlockLoss {
        var sum = BlockLoss()
        let (outputs, rows, labels) = (pass.outputs, configuration.output, labels.pointer)
        let wanted = data.targets
        for t in 0..<(wanted.isPerStep ? block.steps : 1) {
            let active = wanted.isPerStep ? block.active(at: t) : block.samples.count
            /// The place of a lane's target.
            func place(_ lane: Int) -> Int { wanted.isPerStep ? block.samples[lane] + t : batch.order[first + lane] }
            if wanted.isRegression {
                var weight = Lanes.zero
                for lane in 0..<active {
                    weight[lane] = 1
                    for r in 0..<rows { targets[r][lane] = wanted.numbers[place(lane) * rows + r] }
                }
                sum += meanSquares(outputs[t], targets, rows: rows, weight: weight, scale: scale)
            } else {
                for lane in 0..<active { labels[lane] = wanted.classes[place(lane)] }
                sum += crossEntropy(outputs[t], classes: rows, targets: labels, count: active, scale: scale)
            }
        }
        return sum
    }
}

extension RecurrentNetwork {
    /// Mean loss and error over `data`, on at most `threads` cores; the bits do not depend on their number.
    ///
    /// Throws `SequenceDataError` for tokens and classes that the network has not. Traps when its head is not for such
    /// targets. O(steps·layers·directions·G·H·(I + H)).
    public func evaluate(_ data: SequenceData, threads: Int = 1) throws(SequenceDataError) -> Evaluation {
        try data.check(configuration)
        return Crew.run(threads: threads) { crew in
            ParallelNetwork(
                configuration, parameters, longest: data.longest, takesTokens: data.width == nil, crew: crew
            ).evaluate(data)
        }
    }
}
