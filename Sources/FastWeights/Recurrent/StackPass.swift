/// A stack of layers over one block of up to sixteen sequences: the buffers of both passes, made once.
///
/// Boundary k is what layer k reads: the network's input, then the outputs of each layer, H rows a direction. The
/// boundary after the last layer is the network's output.
final class StackPass {
    /// T of the next passes, at most the steps that it was made for.
    var steps: Int {
        didSet { for cell in cells { cell.unroll.steps = steps } }
    }
    let configuration: RecurrentNetworkConfiguration
    /// Vectors of a cell's memory as it is carried.
    private let memoryRows: Int
    private let boundaries: [PanelSequence]
    /// Numbers a step of each boundary.
    private let widths: [Int]
    /// The cells in PyTorch's order.
    private let cells: [CellPass]
    /// The layer on top, where the network has one.
    private let head: HeadPass?
    private let training: Training?
    private let arena = Arena()

    /// What only the backward pass needs.
    private struct Training {
        /// ∂L/∂boundary. Two that take turns: a layer reads one and writes the other.
        let boundaries: [Panel]
        /// ∂L/∂input of a cell that reads its sequences backwards.
        let turned: Panel
        /// What dropout multiplied the inner boundaries by.
        let masks: [PanelSequence]
        /// ∂L/∂(what a head a sequence reads).
        let last: PanelSequence
    }

    /// One cell, unrolled, with what it reads: the boundary below, or that turned about; or the tokens of that.
    private struct CellPass {
        let place: RecurrentNetworkConfiguration.Place
        let unroll: Unroll
        let input: PanelSequence
        let tokens: Buffer<UInt16>?
    }

    /// Buffers for sequences of at most `steps` steps, with `trains` those of the backward pass too.
    ///
    /// Where it carries nothing, every sequence begins from the zero state, and the last states are not kept; then the
    /// sequences of a block may have any lengths, whatever the cell. With `takesTokens` the input is tokens.
    init(
        _ configuration: RecurrentNetworkConfiguration, steps: Int, trains: Bool, carry: Carry = .stateAndGradient,
        takesTokens: Bool = false
    ) {
        self.configuration = configuration
        self.steps = steps
        memoryRows = configuration.cell(at: 0).memoryRows(carry)
        let arena = arena
        let widths =
            [takesTokens ? 0 : configuration.input]
            + [Int](repeating: configuration.features, count: configuration.layers)
        let boundaries = widths.map { arena.panels(steps, rows: $0) }
        (self.widths, self.boundaries) = (widths, boundaries)
        cells = configuration.places.map { place in
            CellPass(
                place: place,
                unroll: Unroll.make(
                    configuration.cell(at: place.layer), steps: steps, carry: carry),
                input: place.isReversed ? arena.panels(steps, rows: widths[place.layer]) : boundaries[place.layer],
                tokens: takesTokens && place.layer == 0 ? Buffer(steps * Lanes.width) : nil)
        }
        head = configuration.head.map { HeadPass($0, columns: configuration.features, steps: steps) }
        let widest = steps * (widths.max() ?? 0)
        training =
            trains
            ? Training(
                boundaries: (0..<2).map { _ in arena.panels(1, rows: widest)[0] },
                turned: arena.panels(1, rows: configuration.bidirectional ? widest : 0)[0],
                masks: configuration.dropout > 0
                    ? widths[1..<configuration.layers].map { arena.panels(steps, rows: $0) } : [],
                last: arena.panels(1, rows: configuration.head?.isPerStep == false ? configuration.features : 0))
            : nil
    }

    /// The input of step t, a panel of I rows.
    func input(_ t: Int) -> Panel { boundaries[0][t] }

    /// What the network gave, a panel a step or, of a head a sequence, one alone; where ∂L/∂(that) goes for `differentiate`.
    var outputs: PanelSequence { head?.outputs ?? boundaries[configuration.layers] }

    private var outputCount: Int { configuration.head?.isPerStep ?? true ? steps : 1 }

    /// Puts the tokens of a block's sequences into its lanes: lane l reads those from `source[samples[l]]` on.
    func setTokens(_ source: UnsafePointer<UInt16>, _ block: LaneBlock) {
        for cell in cells {
            guard let tokens = cell.tokens?.pointer else { break }
            for t in 0..<steps {
                let row = tokens + t &* Lanes.width
                for lane in 0..<Lanes.width {
                    // Behind the end any token will do.
                    guard lane < block.samples.count, t < block.lengths[lane] else {
                        row[lane] = 0
                        continue
                    }
                    let place = cell.place.isReversed ? block.lengths[lane] &- 1 &- t : t
                    row[lane] = source[block.samples[lane] &+ place]
                }
            }
        }
    }
}

// MARK: - Forward

extension StackPass {
    /// Runs the sequences of `block`, and writes their outputs and last states. Numbers of the input behind a
    /// sequence's end are not read, outputs there not written. With a `seed` dropout acts between the layers.
    func forward(
        _ weights: NetworkWeights, _ block: LaneBlock, _ arrays: ForwardArrays, dropoutSeed seed: UInt64? = nil
    ) {
        let (batch, H, M) = (arrays.batch, configuration.hidden, configuration.memoryRows)
        let count = block.samples.count
        for t in 0..<steps {
            block.gather(
                arrays.input + t * batch * configuration.input, count: block.active(at: t), rows: configuration.input,
                into: boundaries[0][t])
        }
        for (i, cell) in cells.enumerated() {
            load(arrays.hidden, i * batch * H, block, rows: H, into: cell.unroll.h[0])
            cell.unroll.memoryIsZero = arrays.memory == nil
            if let memory = cell.unroll.initialMemory {
                load(arrays.memory, i * batch * M, block, rows: M, into: memory)
            }
        }
        run(weights, block, dropoutSeed: seed)
        for (i, cell) in cells.enumerated() {
            block.scatter(cell.unroll.h[steps], count: count, rows: H, into: arrays.lastHidden + i * batch * H)
            if let memory = cell.unroll.finalMemory {
                block.scatter(memory, count: count, rows: M, into: arrays.lastMemory + i * batch * M)
            }
        }
        let width = configuration.output
        for t in 0..<outputCount {
            let active = outputCount < steps ? count : block.active(at: t)
            block.scatter(outputs[t], count: active, rows: width, into: arrays.outputs + t * batch * width)
        }
    }

    /// Takes the states of all cells, those of `storeStates`, to begin from.
    func loadStates(_ source: Panel) {
        var source = source
        for cell in cells {
            cell.unroll.h[0].update(from: source, count: configuration.hidden)
            source += configuration.hidden
            guard let memory = cell.unroll.initialMemory else { continue }
            memory.update(from: source, count: memoryRows)
            source += memoryRows
        }
    }

    /// Copies the last states of all cells, H rows and those of the memory each.
    func storeStates(_ target: Panel) {
        var target = target
        for cell in cells {
            target.update(from: cell.unroll.h[steps], count: configuration.hidden)
            target += configuration.hidden
            guard let memory = cell.unroll.finalMemory else { continue }
            target.update(from: memory, count: memoryRows)
            target += memoryRows
        }
    }

    /// From the input of every step, and where the passes carry states from those, the outputs.
    func run(_ weights: NetworkWeights, _ block: LaneBlock, dropoutSeed seed: UInt64?) {
        for (i, cell) in cells.enumerated() {
            let (layer, unroll) = (cell.place.layer, cell.unroll)
            unroll.lengths = block.laneLengths(in: steps)
            project(cell, i, weights, block)
            unroll.forward(weights.cells[i].parameters, weights.cells[i].recurrent)
            block.copy(
                unroll.h(from: 1), rows: configuration.hidden, into: rows(of: cell, in: boundaries[layer + 1]),
                steps: steps, reversed: cell.place.isReversed)
            let isLast = i + 1 == cells.count || cells[i + 1].place.layer > layer
            if let seed, isLast, layer + 1 < configuration.layers { drop(after: layer, block, seed: seed) }
        }
        guard let head, let parameters = weights.head else { return }
        collectLastStates()
        head.forward(parameters, headInput, count: outputCount)
    }

    /// What the head reads. A lane whose sequence is over keeps its h, so that the last step has every sequence's last.
    private var headInput: PanelSequence {
        guard let head, configuration.head?.isPerStep == false else { return boundaries[configuration.layers] }
        return PanelSequence(pointer: head.last, stride: 0)
    }

    private func collectLastStates() {
        guard let head, configuration.head?.isPerStep == false else { return }
        for (direction, cell) in cells.suffix(configuration.directions).enumerated() {
            (head.last + direction * configuration.hidden).update(
                from: cell.unroll.h[steps], count: configuration.hidden)
        }
    }

    private func load(_ source: UnsafePointer<Float>?, _ offset: Int, _ block: LaneBlock, rows: Int, into panel: Panel)
    {
        if let source {
            block.gather(source + offset, count: block.samples.count, rows: rows, into: panel)
        } else {
            panel.update(repeating: .zero, count: rows)
        }
    }

    /// W_ih x(t) and the biases of every step.
    private func project(_ cell: CellPass, _ i: Int, _ weights: NetworkWeights, _ block: LaneBlock) {
        let projections = cell.unroll.projections
        if let tokens = cell.tokens {
            let table = weights.tables[i].rows
            for t in 0..<steps { table.gather(tokens.pointer + t * Lanes.width, into: projections[t]) }
            return
        }
        let (layer, own) = (cell.place.layer, weights.cells[i])
        let (rows, columns) = (own.configuration.gateRows, own.configuration.input)
        if cell.place.isReversed {
            block.copy(boundaries[layer], rows: columns, into: cell.input, steps: steps, reversed: true)
        }
        let bias = own.bias.pointer
        for t in 0..<steps {
            let z = projections[t]
            for r in 0..<rows { z[r] = Lanes(repeating: bias[r]) }
            multiply(
                own.parameters.inputWeight, rows: rows, columns: columns, by: cell.input[t], into: z, accumulate: true)
        }
    }

    /// The rows of a boundary that a cell writes.
    private func rows(of cell: CellPass, in boundary: PanelSequence) -> PanelSequence {
        let first = cell.place.isReversed ? configuration.hidden : 0
        return PanelSequence(pointer: boundary.pointer + first, stride: boundary.stride)
    }

    /// Drops numbers of what `layer` gave and divides the others by 1 - p. Each layer and sequence has random numbers of
    /// its own, so that they depend neither on the block nor on the other sequences.
    private func drop(after layer: Int, _ block: LaneBlock, seed: UInt64) {
        guard let mask = training?.masks[layer] else { preconditionFailure("dropout needs a pass that trains") }
        let (p, rows) = (Double(configuration.dropout), widths[layer + 1])
        let scale = 1 / (1 - configuration.dropout)
        let boundary = boundaries[layer + 1]
        for (lane, sample) in block.samples.enumerated() {
            var random = Random(seed: seed, stream: UInt64(layer) << 40 | UInt64(sample))
            for t in 0..<block.lengths[lane] {
                for r in 0..<rows { mask[t][r][lane] = random.uniform() < p ? 0 : scale }
            }
        }
        for t in 0..<steps { for r in 0..<rows { boundary[t][r] *= mask[t][r] } }
    }
}

// MARK: - Backward

extension StackPass {
    /// The backward pass of the last `forward` of the same block, once: adds the gradients of the parameters and writes
    /// those of the input and of the first states. Numbers of `outputs` behind a sequence's end are not read.
    func backward(
        _ weights: NetworkWeights, gradients: NetworkGradients, _ block: LaneBlock, _ arrays: BackwardArrays,
        dropout: Bool
    ) {
        let (batch, H, M) = (arrays.batch, configuration.hidden, configuration.memoryRows)
        let (count, width) = (block.samples.count, configuration.output)
        let outputs = outputGradients
        for t in 0..<outputCount {
            let active = outputCount < steps ? count : block.active(at: t)
            block.gather(arrays.outputs + t * batch * width, count: active, rows: width, into: outputs[t])
        }
        for (i, cell) in cells.enumerated() {
            if let memory = cell.unroll.dMemory { load(arrays.lastMemory, i * batch * M, block, rows: M, into: memory) }
        }
        differentiate(
            weights, gradients: gradients, block, dropout: dropout,
            lastHidden: arrays.lastHidden.map { (pointer: $0, batch: batch) }, ofInput: true)
        for (i, cell) in cells.enumerated() {
            block.scatter(cell.unroll.dh[0], count: count, rows: H, into: arrays.hidden + i * batch * H)
            if let memory = cell.unroll.dMemory {
                block.scatter(memory, count: count, rows: M, into: arrays.memory + i * batch * M)
            }
        }
        for t in 0..<steps {
            block.scatter(
                gradient(0)[t], count: block.active(at: t), rows: configuration.input,
                into: arrays.input + t * batch * configuration.input)
        }
    }

    /// Where ∂L/∂outputs goes before `differentiate`: 0 in empty lanes and behind a sequence's end. With a head these are
    /// the panels of the outputs themselves.
    var outputGradients: PanelSequence { head?.outputs ?? gradient(configuration.layers) }

    private func gradient(_ boundary: Int) -> PanelSequence {
        guard let training else { preconditionFailure("the backward pass needs a pass that trains") }
        return PanelSequence(pointer: training.boundaries[boundary % 2], stride: widths[boundary])
    }

    /// From `outputGradients` the gradients of the parameters, added to `gradients`, and with `ofInput` those of the
    /// input. Of tokens the gradient of W_ih is that of its table, transposed.
    func differentiate(
        _ weights: NetworkWeights, gradients: NetworkGradients, _ block: LaneBlock, dropout: Bool,
        lastHidden: (pointer: UnsafePointer<Float>, batch: Int)? = nil, ofInput: Bool
    ) {
        guard let training else { preconditionFailure("the backward pass needs a pass that trains") }
        let H = configuration.hidden
        differentiateHead(weights, gradients, block, training)
        for (i, cell) in cells.enumerated().reversed() {
            let (layer, unroll) = (cell.place.layer, cell.unroll)
            let (own, target) = (weights.cells[i], gradients.cells[i])
            let (rows, columns) = (own.configuration.gateRows, own.configuration.input)
            let above = gradient(layer + 1)
            let isFirst = i + 1 == cells.count || cells[i + 1].place.layer > layer
            if dropout, isFirst, layer + 1 < configuration.layers {
                let mask = training.masks[layer]
                for t in 0..<steps { for r in 0..<widths[layer + 1] { above[t][r] *= mask[t][r] } }
            }
            unroll.dh[0].update(repeating: .zero, count: H)
            block.copy(
                self.rows(of: cell, in: above), rows: H, into: unroll.dh(from: 1), steps: steps,
                reversed: cell.place.isReversed)
            if let lastHidden {
                for (lane, sample) in block.samples.enumerated() {
                    let row = lastHidden.pointer + (i * lastHidden.batch + sample) * H
                    let end = unroll.dh[block.lengths[lane]]
                    for r in 0..<H { end[r][lane] += row[r] }
                }
            }
            unroll.backward(own.parameters, own.recurrent, gradients: target)
            accumulateSums(unroll.projections, rows: rows, count: steps, into: target.inputBias)
            if let tokens = cell.tokens {
                let table = TokenRows(values: target.inputWeight, rows: rows)
                for t in 0..<steps {
                    table.scatter(
                        tokens.pointer + t * Lanes.width, from: unroll.projections[t], count: block.active(at: t))
                }
                continue
            }
            accumulateOuterProducts(
                unroll.projections, rows: rows, cell.input, columns: columns, count: steps, scratch: unroll.scratch,
                into: target.inputWeight)
            guard layer > 0 || ofInput else { continue }
            // Of a layer's cells the last comes first here: it writes ∂L/∂(what the layer read), the other adds to it.
            let below = gradient(layer)
            let turned = cell.place.isReversed ? PanelSequence(pointer: training.turned, stride: columns) : below
            for t in 0..<steps {
                multiplyTransposed(
                    own.parameters.inputWeight, rows: rows, columns: columns, by: unroll.projections[t],
                    into: turned[t], accumulate: !isFirst)
            }
            if cell.place.isReversed {
                block.copy(turned, rows: columns, into: below, steps: steps, reversed: true)
            }
        }
    }

    /// The head's gradients, and ∂L/∂(the last layer's h).
    private func differentiateHead(
        _ weights: NetworkWeights, _ gradients: NetworkGradients, _ block: LaneBlock, _ training: Training
    ) {
        guard let head, let parameters = weights.head, let target = gradients.head else { return }
        let (above, H) = (gradient(configuration.layers), configuration.hidden)
        let isPerStep = outputCount == steps && configuration.head!.isPerStep
        head.backward(
            parameters, headInput, count: outputCount, gradients: target, scratch: cells[0].unroll.scratch,
            into: isPerStep ? above : training.last)
        guard !isPerStep else { return }
        let d = training.last[0]
        above[0].update(repeating: .zero, count: steps * configuration.features)
        for lane in block.samples.indices {
            let end = above[block.lengths[lane] - 1]
            for r in 0..<H { end[r][lane] = d[r][lane] }
        }
        // The reversed direction ends at the first step.
        for r in H..<max(configuration.features, H) { above[0][r] = d[r] }
    }
}

extension Unroll {
    /// h(first) and those behind it.
    fileprivate func h(from first: Int) -> PanelSequence { PanelSequence(pointer: h[first], stride: h.stride) }
    fileprivate func dh(from first: Int) -> PanelSequence { PanelSequence(pointer: dh[first], stride: dh.stride) }
}
