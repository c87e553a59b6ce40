/// The sequences of a step, the longest first, in blocks of sixteen.
final class NetworkBatch {
    private(set) var inputs: SequenceInputs?
    private(set) var targets: SequenceTargets?
    private(set) var sequences: LengthOrder
    /// Where the states of windows go on; nil of whole sequences.
    private(set) var states: CarriedStates?
    /// Terms of the loss: targets that count, and what they weigh together.
    private(set) var (terms, weight) = (0, 0.0)

    /// What makes the mean of a sum of losses; zero where no target counts.
    var scale: Float { weight > 0 ? 1 / Float(weight) : 0 }

    /// For sequences of at most `longest` steps.
    init(longest: Int) { sequences = LengthOrder(longest: longest) }

    /// Takes the sequences at `indices`, or all. O(sequences + longest).
    func set(_ inputs: SequenceInputs, _ targets: SequenceTargets?, _ indices: [Int]?) {
        (self.inputs, self.targets, states, terms, weight) = (inputs, targets, nil, 0, 0)
        sequences.sort(inputs, indices)
        guard let targets else { return }
        let order = sequences.order
        terms = order.reduce(0) { $0 + targets.terms[$1] }
        weight = order.reduce(0) { $0 + targets.weights[$1] }
    }

    /// Takes a window of every stream.
    func set(_ text: TextStreams) {
        (inputs, targets, states) = (text.data.inputs, text.data.targets, text.states)
        sequences.set(starts: text.starts, steps: text.steps)
        terms = text.starts.count * text.steps
        weight = Double(terms)
    }

    /// Puts the inputs of a block into the lanes of a pass, those of the sequences from `first` on. With a `seed`, that of a
    /// training step, what is made on demand changes at random.
    func load(_ block: LaneBlock, from first: Int, into pass: BlockPass, seed: UInt64? = nil) {
        guard let inputs else { return }
        if let made = inputs.made {
            for lane in block.lanes {
                made.write(
                    block.samples[lane], from: first, count: block.steps, into: pass.inputs, lane: lane, seed: seed)
            }
            return
        }
        guard let width = inputs.width else {
            inputs.tokens.withUnsafeBufferPointer { pass.setTokens($0.baseAddress! + first, block) }
            return
        }
        inputs.numbers.withUnsafeBufferPointer { numbers in
            for t in 0..<block.steps {
                block.gather(
                    numbers.baseAddress! + (first + t) * width, count: block.active(at: t), rows: width,
                    into: pass.inputs[t])
            }
        }
    }

    /// What was found in all blocks, with the batch's targets that count.
    func sum(_ found: BlockLoss) -> LossSum {
        LossSum(found, terms: terms, weight: weight, isOfSquares: targets?.loss == .meanSquares)
    }
}

/// The targets of a block's sequences beside its outputs: what one thread needs for the loss.
final class BlockTargets {
    private let labels = Buffer<Int32>(Lanes.width)
    private let numbers: Panel
    private let rows: Int
    /// Where the gradient goes of which nobody asks.
    private let unasked: PanelSequence
    private let arena = Arena()

    /// For a network of so many outputs.
    init(outputs: Int) {
        rows = outputs
        numbers = arena.panels(1, rows: outputs)[0]
        unasked = PanelSequence(pointer: arena.panels(1, rows: outputs)[0], stride: 0)
    }

    /// The loss of the outputs of block b, and in `gradients`, which may be the same panels, the gradient of scale·Σ loss.
    /// Of targets a step, those of the steps of `block`, which are the sequences' from `first` on.
    func loss(
        _ outputs: PanelSequence, into gradients: PanelSequence? = nil, _ batch: NetworkBatch, _ b: Int,
        _ block: LaneBlock, from first: Int = 0, scale: Float
    ) -> BlockLoss {
        let gradients = gradients ?? unasked
        var sum = BlockLoss()
        guard let wanted = batch.targets else { return sum }
        let (labels, order, loss) = (labels.pointer, batch.sequences.order, wanted.loss)
        let (isBinary, smoothing) = (loss.isBinary, loss.smoothing)
        loss.weights.withUnsafeBufferPointer { buffer in
            let weights = buffer.isEmpty ? nil : buffer.baseAddress
            for t in 0..<(wanted.isPerStep ? block.steps : 1) {
                let active = wanted.isPerStep ? block.active(at: t) : block.count
                let dy = gradients[t]
                if dy != outputs[t] { dy.update(from: outputs[t], count: rows) }
                /// The row of a lane's target.
                func row(_ lane: Int) -> Int {
                    wanted.isPerStep ? block.samples[lane] + first + t : order[b * Lanes.width + lane]
                }
                if wanted.areNumbers {
                    numbers.update(repeating: Lanes(repeating: .nan), count: rows)
                    for lane in 0..<active {
                        for r in 0..<rows { numbers[r][lane] = wanted.numbers[row(lane) * rows + r] }
                    }
                    sum +=
                        isBinary
                        ? binaryCrossEntropy(dy, numbers, rows: rows, weights: weights, scale: scale)
                        : meanSquares(dy, numbers, rows: rows, scale: scale)
                } else {
                    for lane in 0..<active { labels[lane] = wanted.classes[row(lane)] }
                    sum += crossEntropy(
                        dy, classes: rows, targets: labels, count: active, scale: scale,
                        ClassWeights(weights: weights, smoothing: smoothing))
                }
            }
        }
        return sum
    }
}
