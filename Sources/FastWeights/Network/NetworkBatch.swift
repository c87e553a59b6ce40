/// The sequences of a step, the longest first, in blocks of sixteen.
final class NetworkBatch {
    private(set) var inputs: SequenceInputs?
    private(set) var targets: SequenceTargets?
    private(set) var sequences: LengthOrder
    /// Where the states of windows go on; nil of whole sequences.
    private(set) var states: CarriedStates?
    /// Whether it has all sequences of its inputs, whole.
    private var isWhole = false
    /// Terms of the loss: targets that count, and what they weigh together.
    private(set) var (terms, weight) = (0, 0.0)

    /// For sequences of at most `longest` steps.
    init(longest: Int) { sequences = LengthOrder(longest: longest) }

    /// Takes the sequences at `indices`, or all. O(sequences + longest), and O(1) of all those that it has.
    func set(_ inputs: SequenceInputs, _ targets: SequenceTargets?, _ indices: [Int]?) {
        if isWhole && indices == nil && inputs === self.inputs && targets === self.targets { return }
        isWhole = indices == nil
        (self.inputs, self.targets, states, terms, weight) = (inputs, targets, nil, 0, 0)
        sequences.sort(inputs, indices)
        guard let targets else { return }
        for position in 0..<sequences.count {
            let i = sequences.order.pointer[position]
            terms += targets.terms[i]
            weight += targets.weights[i]
        }
    }

    /// Takes a window of every stream.
    func set(_ text: TextStreams) {
        (inputs, targets, states, isWhole) = (text.data.inputs, text.data.targets, text.states, false)
        sequences.set(starts: text.starts, steps: text.steps)
        terms = text.starts.count * text.steps
        weight = Double(terms)
    }

    /// Calls `body` with the batch where it lies.
    func read(_ body: (BatchRows) -> Void) {
        guard let inputs else { return }
        inputs.read { inputs in
            func read(_ targets: TargetRows?) {
                body(
                    BatchRows(
                        inputs: inputs, targets: targets, states: states, scale: weight > 0 ? 1 / Float(weight) : 0,
                        order: sequences.order.pointer, starts: sequences.starts.pointer,
                        lengths: sequences.lengths.pointer, count: sequences.count))
            }
            if let targets { targets.read { read($0) } } else { read(nil) }
        }
    }

    /// What was found in all blocks, with the batch's targets that count.
    func sum(_ found: BlockLoss) -> LossSum {
        LossSum(found, terms: terms, weight: weight, isOfSquares: targets?.loss == .meanSquares)
    }
}

/// A batch where it lies in memory, for a time: what a thread does for each block of it counts no references.
struct BatchRows {
    let inputs: InputRows
    let targets: TargetRows?
    /// Where the states of windows go on; nil of whole sequences.
    let states: CarriedStates?
    /// What makes the mean of a sum of losses; zero where no target counts.
    let scale: Float
    /// Of each sequence which it is, its first step among all steps of the data, and its steps.
    let order: UnsafePointer<Int>
    let starts: UnsafePointer<Int>
    let lengths: UnsafePointer<Int>
    /// Sequences.
    let count: Int

    /// Block b: its samples are the first steps of the sequences among all steps.
    func block(_ b: Int) -> LaneBlock { block(b, of: starts) }

    /// Block b with samples that are the sequences' own numbers in the data.
    func numbered(_ b: Int) -> LaneBlock { block(b, of: order) }

    @inline(__always)
    private func block(_ b: Int, of samples: UnsafePointer<Int>) -> LaneBlock {
        let first = b * Lanes.width
        return LaneBlock(min(Lanes.width, count - first), samples: samples + first, lengths: lengths + first)
    }

    /// Puts the inputs of a block into the lanes of a pass, those of the sequences from `first` on. With a `seed`, that of
    /// a training step, what is made on demand changes at random.
    func load(_ block: LaneBlock, from first: Int, into pass: BlockPass, seed: UInt64? = nil) {
        if let made = inputs.made {
            for lane in block.lanes {
                made.write(
                    block.samples[lane], from: first, count: block.steps, into: pass.inputs, lane: lane, seed: seed)
            }
        } else if let width = inputs.width {
            for t in 0..<block.steps {
                block.gather(
                    inputs.numbers.baseAddress! + (first + t) * width, count: block.active(at: t), rows: width,
                    into: pass.inputs[t])
            }
        } else {
            pass.setTokens(inputs.tokens.baseAddress! + first, block)
        }
    }
}

/// The targets of a block's sequences beside its outputs: what one thread needs for the loss.
final class BlockTargets {
    private let labels = Buffer<Int32>(Lanes.width)
    private let numbers: Panel
    private let rows: Int
    private let arena = Arena()

    /// For a network of so many outputs.
    init(outputs: Int) {
        rows = outputs
        numbers = arena.panels(1, rows: outputs)[0]
    }

    /// The loss of the outputs of block b, and in `gradients`, where it is asked for, the gradient of the mean over the
    /// batch. Of targets a step, those of the steps of `block`, which are the sequences' from `first` on.
    func loss(
        _ outputs: PanelSequence, into gradients: PanelSequence? = nil, _ batch: BatchRows, _ b: Int,
        _ block: LaneBlock, from first: Int = 0
    ) -> BlockLoss {
        var sum = BlockLoss()
        guard let wanted = batch.targets else { return sum }
        let (labels, order) = (labels.pointer, batch.order + b * Lanes.width)
        let scale = gradients == nil ? nil : batch.scale
        for t in 0..<(wanted.isPerStep ? block.steps : 1) {
            let active = wanted.isPerStep ? block.active(at: t) : block.count
            var y = outputs[t]
            if let gradients {
                let dy = gradients[t]
                if dy != y { dy.update(from: y, count: rows) }
                y = dy
            }
            /// The row of a lane's target.
            func row(_ lane: Int) -> Int { wanted.isPerStep ? block.samples[lane] + first + t : order[lane] }
            if wanted.areNumbers {
                numbers.update(repeating: Lanes(repeating: .nan), count: rows)
                for lane in 0..<active {
                    for r in 0..<rows { numbers[r][lane] = wanted.numbers[row(lane) * rows + r] }
                }
                sum +=
                    wanted.isBinary
                    ? binaryCrossEntropy(y, numbers, rows: rows, weights: wanted.weights, scale: scale)
                    : meanSquares(y, numbers, rows: rows, scale: scale)
            } else {
                for lane in 0..<active { labels[lane] = wanted.classes[row(lane)] }
                sum += crossEntropy(
                    y, classes: rows, targets: labels, count: active, scale: scale,
                    ClassWeights(weights: wanted.weights, smoothing: wanted.smoothing))
            }
        }
        return sum
    }
}
