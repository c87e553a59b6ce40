/// A stack of layers over one block of up to sixteen sequences: the buffers of both passes, made once.
///
/// Boundary k is what layer k reads: the network's input, then the outputs of each layer, H rows a direction. The
/// boundary after the last layer is the network's output.
///
/// To run forward alone it needs little: a cell is unrolled over a window of steps at a time, in buffers that stay in a
/// core's cache, and boundaries take turns in the memory of two.
final class StackPass {
    /// Steps of a window.
    static let window = 32

    /// T of the next passes, at most the steps that it was made for.
    var steps: Int
    /// The number of the first of them in its sequence.
    private var firstStep = 0
    /// Steps that a cell is unrolled over at a time: all where a backward pass follows.
    private let window: Int
    let configuration: RecurrentNetworkConfiguration
    let boundaries: [PanelSequence]
    /// Numbers a step of each boundary.
    let widths: [Int]
    /// The cells in PyTorch's order.
    let cells: [CellPass]
    /// The layer on top, where the network has one.
    let head: HeadPass?
    let training: Training?
    private let arena = Arena()

    /// What only the backward pass needs.
    struct Training {
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
    struct CellPass {
        let place: RecurrentNetworkConfiguration.Place
        let unroll: Unroll
        let input: PanelSequence
        let tokens: Buffer<UInt16>?
    }

    /// Buffers for sequences of at most `steps` steps, with `trains` those of the backward pass too.
    ///
    /// Where it carries nothing, every sequence begins from the zero state, and the last states are not kept; then the
    /// sequences of a block may have any lengths, whatever the cell. With `takesTokens` the input is tokens.
    ///
    /// The fast weights are not cut into windows: their list of states costs less than the matrix that would go from one
    /// window to the next.
    init(
        _ configuration: RecurrentNetworkConfiguration, steps: Int, trains: Bool, carry: Carry = .stateAndGradient,
        takesTokens: Bool = false
    ) {
        self.configuration = configuration
        self.steps = steps
        let arena = arena
        let widths =
            [takesTokens ? 0 : configuration.input]
            + [Int](repeating: configuration.features, count: configuration.layers)
        let widest = steps * (widths.max() ?? 0)
        let turns = trains ? [] : (0..<2).map { _ in arena.panels(1, rows: widest)[0] }
        let boundaries = widths.enumerated().map { k, width in
            trains ? arena.panels(steps, rows: width) : PanelSequence(pointer: turns[k % 2], stride: width)
        }
        let window = trains || configuration.cell.isFading ? steps : min(steps, Self.window)
        (self.widths, self.boundaries, self.window) = (widths, boundaries, window)
        cells = configuration.places.map { place in
            CellPass(
                place: place,
                unroll: Unroll.make(
                    configuration.cell(at: place.layer), steps: window,
                    carry: carry == .nothing && window < steps ? .stateAndGradient : carry,
                    trains: trains),
                input: place.isReversed ? arena.panels(window, rows: widths[place.layer]) : boundaries[place.layer],
                tokens: takesTokens && place.layer == 0 ? Buffer(steps * Lanes.width) : nil)
        }
        head = configuration.head.map { HeadPass($0, columns: configuration.features, steps: steps) }
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
    /// The inputs of all steps.
    var inputs: PanelSequence { boundaries[0] }

    /// What the network gave, a panel a step or, of a head a sequence, one alone; where ∂L/∂(that) goes for `differentiate`.
    var outputs: PanelSequence { head?.outputs ?? boundaries[configuration.layers] }

    var isPerStep: Bool { configuration.head?.isPerStep ?? true }
    var outputCount: Int { isPerStep ? steps : 1 }

    /// Puts the tokens of a block's sequences into its lanes: lane l reads those from `source[samples[l]]` on, each
    /// `stride` behind the one before. Inlined, as nearly every caller's stride is 1.
    @inline(__always)
    func setTokens(_ source: UnsafePointer<UInt16>, stride: Int = 1, _ block: LaneBlock) {
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
                    row[lane] = source[block.samples[lane] &+ place &* stride]
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
        firstStep = arrays.step
        switch arrays.input {
        case .numbers(let numbers):
            for t in 0..<steps {
                block.gather(
                    numbers + t * batch * configuration.input, count: block.active(at: t), rows: configuration.input,
                    into: boundaries[0][t])
            }
        case .tokens(let tokens): setTokens(tokens, stride: batch, block)
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
            block.scatter(cell.unroll.lastState, count: count, rows: H, into: arrays.lastHidden + i * batch * H)
            if let memory = cell.unroll.finalMemory {
                block.scatter(memory, count: count, rows: M, into: arrays.lastMemory + i * batch * M)
            }
        }
        let width = configuration.output
        for t in 0..<outputCount {
            let active = isPerStep ? block.active(at: t) : count
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
            cell.unroll.memoryIsZero = false
            memory.update(from: source, count: cell.unroll.memoryRows)
            source += cell.unroll.memoryRows
        }
    }

    /// Copies the last states of all cells, H rows and those of the memory each.
    func storeStates(_ target: Panel) {
        var target = target
        for cell in cells {
            target.update(from: cell.unroll.lastState, count: configuration.hidden)
            target += configuration.hidden
            guard let memory = cell.unroll.finalMemory else { continue }
            target.update(from: memory, count: cell.unroll.memoryRows)
            target += cell.unroll.memoryRows
        }
    }

    /// From the input of every step, and where the passes carry states from those, the outputs.
    func run(_ weights: NetworkWeights, _ block: LaneBlock, dropoutSeed seed: UInt64?) {
        for (i, cell) in cells.enumerated() {
            let layer = cell.place.layer
            var first = 0
            while first < steps {
                if first > 0 { cell.unroll.goOn() }
                run(cell, i, weights, block, from: first)
                first += window
            }
            let isLast = i + 1 == cells.count || cells[i + 1].place.layer > layer
            if let seed, isLast, layer + 1 < configuration.layers { drop(after: layer, block, seed: seed) }
        }
        guard let head, let parameters = weights.head else { return }
        collectLastStates()
        head.forward(parameters, headInput, 0..<outputCount)
    }

    /// One cell over the window of its steps from `first` on; a reversed cell's are counted from every sequence's end.
    private func run(_ cell: CellPass, _ i: Int, _ weights: NetworkWeights, _ block: LaneBlock, from first: Int) {
        let (own, unroll) = (weights.cells[i], cell.unroll)
        unroll.steps = min(window, steps - first)
        unroll.firstStep = firstStep + first
        unroll.lengths = block.laneLengths(from: first, steps: unroll.steps)
        project(cell, i, weights, block, from: first)
        unroll.forward(own.parameters, own.recurrent)
        let target = rows(of: cell, in: boundaries[cell.place.layer + 1])
        if cell.place.isReversed {
            block.turnBack(
                unroll.h(from: 1), rows: configuration.hidden, into: target, from: first, count: unroll.steps,
                steps: steps)
        } else {
            for t in 0..<unroll.steps { target[first + t].update(from: unroll.h[t + 1], count: configuration.hidden) }
        }
    }

    /// Begins the next `run` where the last one ended, of the same sequences.
    func goOn() {
        for cell in cells { cell.unroll.goOn() }
        firstStep += steps
    }

    /// Begins the next `run` from the zero state.
    func clearStates() {
        for cell in cells { cell.unroll.clearState() }
        firstStep = 0
    }

    /// What the head reads. A lane whose sequence is over keeps its h, so that the last step has every sequence's last.
    var headInput: PanelSequence {
        guard let head, configuration.head?.isPerStep == false else { return boundaries[configuration.layers] }
        return PanelSequence(pointer: head.last, stride: 0)
    }

    private func collectLastStates() {
        guard let head, configuration.head?.isPerStep == false else { return }
        for (direction, cell) in cells.suffix(configuration.directions).enumerated() {
            (head.last + direction * configuration.hidden).update(
                from: cell.unroll.lastHidden, count: configuration.hidden)
        }
    }

    func load(_ source: UnsafePointer<Float>?, _ offset: Int, _ block: LaneBlock, rows: Int, into panel: Panel) {
        if let source {
            block.gather(source + offset, count: block.samples.count, rows: rows, into: panel)
        } else {
            panel.update(repeating: .zero, count: rows)
        }
    }

    /// W_ih x(t) and the biases of every step of the window from `first` on.
    private func project(_ cell: CellPass, _ i: Int, _ weights: NetworkWeights, _ block: LaneBlock, from first: Int) {
        let (projections, count) = (cell.unroll.projections, cell.unroll.steps)
        if let tokens = cell.tokens {
            let table = weights.tables[i].rows
            for t in 0..<count { table.gather(tokens.pointer + (first + t) * Lanes.width, into: projections[t]) }
            return
        }
        let own = weights.cells[i]
        let (rows, columns) = (own.configuration.gateRows, own.configuration.input)
        var input = PanelSequence(pointer: cell.input[first], stride: cell.input.stride)
        if cell.place.isReversed {
            input = cell.input
            block.turn(
                boundaries[cell.place.layer], rows: columns, into: input, from: first, count: count, steps: steps)
        }
        let bias = own.bias.pointer
        for t in 0..<count {
            let z = projections[t]
            for r in 0..<rows { z[r] = Lanes(repeating: bias[r]) }
            multiply(
                own.parameters.inputWeight, rows: rows, columns: columns, by: input[t], into: z, accumulate: true)
        }
    }

    /// The rows of a boundary that a cell writes.
    func rows(of cell: CellPass, in boundary: PanelSequence) -> PanelSequence {
        let first = cell.place.isReversed ? configuration.hidden : 0
        return PanelSequence(pointer: boundary.pointer + first, stride: boundary.stride)
    }

    /// Drops numbers of what `layer` gave and divides the others by 1 - p. Each layer and sequence has random numbers of
    /// its own, so that they depend neither on the block nor on the other sequences.
    private func drop(after layer: Int, _ block: LaneBlock, seed: UInt64) {
        guard let mask = training?.masks[layer] else { misuse("dropout needs a pass that trains") }
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

extension Unroll {
    /// h(first) and those behind it.
    fileprivate func h(from first: Int) -> PanelSequence { PanelSequence(pointer: h[first], stride: h.stride) }
}
