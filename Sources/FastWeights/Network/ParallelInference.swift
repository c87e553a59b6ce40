/// A network run over many sequences without gradients, on a team of threads, with the same bits for any number of them.
///
/// The sequences are put in the order of their lengths and cut into blocks of sixteen. Every thread has buffers of its
/// own, for a window of steps, or where a layer reads backwards or its sequences are lists of states for all. A block's
/// result has a place of its own, and what is added up is added in the blocks' order.
final class ParallelInference {
    /// Steps of a window, whose buffers stay in a core's cache.
    static let window = 32

    private let definition: NetworkDefinition
    private let weights: NetworkWeights
    private let team: ThreadTeam
    private let prepare: Job
    private var workers: [Worker] = []
    private var batch = NetworkBatch(longest: 0)
    private var longest = 0

    /// An engine for weights that it packs at each call.
    init(_ weights: NetworkWeights, team: ThreadTeam) {
        (definition, self.weights, self.team) = (weights.definition, weights, team)
        prepare = Job { weights.pack(piece: $0) }
    }

    /// The losses of all of `data`.
    func evaluate(_ data: SequenceData) -> LossSum {
        begin(data.inputs, data.targets)
        let losses = Buffer<BlockLoss>(batch.sequences.blocks)
        forEachBlock { worker, batch, b in
            // Written once, as another thread's lie beside it.
            var sum = BlockLoss()
            worker.run(batch, b) { part, first in
                sum += worker.targets.loss(worker.pass.outputs, batch, b, part, from: first)
            }
            losses.pointer[b] = sum
        }
        var sum = BlockLoss()
        for b in 0..<batch.sequences.blocks { sum += losses.pointer[b] }
        return batch.sum(sum)
    }

    /// The outputs of all sequences, one behind the other: a row of them a sequence or a step.
    func outputs(_ inputs: SequenceInputs) -> [Float] {
        begin(inputs, nil)
        let (width, isPerStep) = (definition.output.count, definition.output.isPerStep)
        let rows = Buffer<Float>((isPerStep ? inputs.steps : inputs.count) * width)
        forEachBlock { worker, batch, b in
            worker.run(batch, b) { part, first in
                guard isPerStep else {
                    let sequences = batch.numbered(b)
                    return sequences.scatter(
                        worker.pass.outputs[0], count: sequences.count, rows: width, into: rows.pointer)
                }
                for t in 0..<part.steps {
                    part.scatter(
                        worker.pass.outputs[t], count: part.active(at: t), rows: width,
                        into: rows.pointer + (first + t) * width)
                }
            }
        }
        return rows.array
    }

    /// Packs the weights and takes the sequences; makes the workers, anew where the sequences have become longer.
    private func begin(_ inputs: SequenceInputs, _ targets: SequenceTargets?) {
        team.perform(prepare, pieces: weights.pieces)
        if inputs.longest > longest {
            longest = inputs.longest
            batch = NetworkBatch(longest: longest)
            workers = (0..<team.threads).map { _ in Worker(weights, longest: longest) }
        }
        batch.set(inputs, targets, nil)
    }

    /// Calls `body` for every block: of W workers block b is worker b mod W's.
    private func forEachBlock(_ body: @escaping (Worker, BatchRows, Int) -> Void) {
        let (batch, workers, blocks) = (batch, workers, batch.sequences.blocks)
        let work = Job { w in
            let worker = workers[w]
            batch.read { batch in
                for b in stride(from: w, to: blocks, by: workers.count) { body(worker, batch, b) }
            }
        }
        team.perform(work, pieces: min(workers.count, blocks))
    }
}

/// What one thread at a time works with.
private final class Worker {
    let pass: BlockPass
    let targets: BlockTargets
    private let isPerStep: Bool
    /// Whether a block before may have left a state in the pass.
    private var hasState: Bool

    init(_ weights: NetworkWeights, longest: Int) {
        let root = weights.definition.root
        let takesAll = root.isReversed || root.prefersWhole
        let steps = takesAll ? longest : min(longest, ParallelInference.window)
        hasState = steps < longest
        // Where every sequence is one window it begins from zeros, which spares a product.
        pass = BlockPass(weights, steps: steps, trains: false, carry: hasState ? .stateAndGradient : .nothing)
        targets = BlockTargets(outputs: weights.definition.output.count)
        isPerStep = weights.definition.output.isPerStep
    }

    /// Runs block b, and calls `body` with each window of its steps and the window's first; of one value a sequence with the
    /// last window alone.
    func run(_ batch: BatchRows, _ b: Int, _ body: (LaneBlock, Int) -> Void) {
        let block = batch.block(b)
        if hasState { pass.clearState() }
        hasState = block.steps > pass.steps
        var run = Run(block: block)
        for first in stride(from: 0, to: block.steps, by: pass.steps) {
            if hasState { run.block = LaneBlock(windowOf: block, from: first, steps: pass.steps) }
            (run.firstStep, run.goesOn) = (first, first + pass.steps < block.steps)
            if first > 0 { pass.goOn() }
            batch.load(run.block, from: first, into: pass)
            pass.forward(run)
            if isPerStep || !run.goesOn { body(run.block, first) }
        }
    }
}

extension Network {
    /// Mean loss and error over `data`, on at most `threads` cores; the bits do not depend on their number. `loss` is that
    /// of the training; nil stands for cross-entropy of classes, the mean of squares of numbers.
    ///
    /// Throws `SequenceDataError` for tokens and classes that the network has not, numbers that the loss has not, and where
    /// no target counts. Traps when its input or its head is not for such data, and on a loss that is not one of such
    /// targets. O(steps·layers·directions·G·H·(I + H)), G the gates.
    public func evaluate(
        _ data: SequenceData, loss: Loss? = nil, threads: Int = 1
    ) throws(SequenceDataError) -> Evaluation {
        let data = try data.measured(by: loss, definition, as: "the data to evaluate on")
        return infer(data.inputs, threads: threads) { $0.evaluate(data).evaluation }
    }

    /// What the network makes of each sequence, in their order, on at most `threads` cores; the bits do not depend on
    /// their number, nor on the sequences beside one.
    ///
    ///     let predictions = try network.predict(.numbers(recordings, width: 3), threads: 2)
    ///     print(predictions[0].classes, predictions[0].probabilities)
    ///
    /// Throws `SequenceDataError` that names the sequence when there is none, one is empty or not of whole steps, a number
    /// is not finite, or a token is outside the vocabulary. Traps when the network takes another count of numbers a step.
    /// O(steps·layers·directions·G·H·(I + H)), G the gates.
    public func predict(_ inputs: SequenceData.Inputs, threads: Int = 1) throws(SequenceDataError) -> [Prediction] {
        try predict(SequenceInputs(inputs), threads: threads)
    }

    /// The same of the sequences of `data`, whose targets are not looked at.
    ///
    /// Throws `SequenceDataError` for a token outside the vocabulary. Traps when the network takes another count of
    /// numbers a step.
    public func predict(_ data: SequenceData, threads: Int = 1) throws(SequenceDataError) -> [Prediction] {
        try predict(data.inputs, threads: threads)
    }

    private func predict(_ inputs: SequenceInputs, threads: Int) throws(SequenceDataError) -> [Prediction] {
        try inputs.check(definition)
        let rows = infer(inputs, threads: threads) { $0.outputs(inputs) }
        let (width, isPerStep) = (definition.output.count, definition.output.isPerStep)
        return (0..<inputs.count).map { i in
            let (first, count) = isPerStep ? (inputs.starts[i], inputs.lengths[i]) : (i, 1)
            return Prediction(
                outputs: Array(rows[first * width..<(first + count) * width]), width: width,
                hasSoftmax: definition.root.givesProbabilities)
        }
    }

    private func infer<Result>(
        _ inputs: SequenceInputs, threads: Int, _ body: (ParallelInference) -> Result
    ) -> Result {
        ThreadTeam.run(threads: threads) { team in
            body(ParallelInference(definition.weights(parameters), team: team))
        }
    }
}
