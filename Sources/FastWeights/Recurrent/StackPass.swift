/// A stack of layers over one block of up to sixteen sequences: the buffers of both passes, made once.
///
/// Boundary k is what layer k reads: the network's input, then the outputs of each layer, H rows a direction. The
/// boundary after the last layer is the network's output.
final class StackPass {
    let steps: Int
    private let configuration: RecurrentNetworkConfiguration
    private let boundaries: [PanelSequence]
    /// Numbers a step of each boundary.
    private let widths: [Int]
    /// The cells in PyTorch's order.
    private let cells: [CellPass]
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
    }

    /// One cell, unrolled, with what it reads: the boundary below, or that turned about.
    private struct CellPass {
        let place: RecurrentNetworkConfiguration.Place
        let unroll: Unroll
        let input: PanelSequence
    }

    /// Buffers for sequences of `steps` steps, with `trains` those of the backward pass too.
    init(_ configuration: RecurrentNetworkConfiguration, steps: Int, trains: Bool) {
        self.configuration = configuration
        self.steps = steps
        let arena = arena
        let widths = [configuration.input] + [Int](repeating: configuration.output, count: configuration.layers)
        let boundaries = widths.map { arena.panels(steps, rows: $0) }
        (self.widths, self.boundaries) = (widths, boundaries)
        cells = configuration.places.map { place in
            CellPass(
                place: place, unroll: Unroll.make(configuration.cell(at: place.layer), steps: steps),
                input: place.isReversed ? arena.panels(steps, rows: widths[place.layer]) : boundaries[place.layer])
        }
        let widest = steps * (widths.max() ?? 0)
        training =
            trains
            ? Training(
                boundaries: (0..<2).map { _ in arena.panels(1, rows: widest)[0] },
                turned: arena.panels(1, rows: configuration.bidirectional ? widest : 0)[0],
                masks: configuration.dropout > 0
                    ? widths[1..<configuration.layers].map { arena.panels(steps, rows: $0) } : []) : nil
    }
}

// MARK: - Forward

/// The arrays of a batch that a forward pass reads and writes, time-major; states in PyTorch's order of layers and
/// directions. The states may be the same memory.
struct ForwardArrays {
    var batch: Int
    var input: UnsafePointer<Float>
    var hidden: UnsafePointer<Float>?
    var memory: UnsafePointer<Float>?
    var outputs: UnsafeMutablePointer<Float>
    var lastHidden: UnsafeMutablePointer<Float>
    var lastMemory: UnsafeMutablePointer<Float>
}

extension StackPass {
    /// Runs the sequences of `block`, and writes their outputs and last states. Numbers of the input behind a
    /// sequence's end are not read, outputs there not written. With a `seed` dropout acts between the layers.
    func forward(_ weights: [CellWeights], _ block: LaneBlock, _ arrays: ForwardArrays, dropoutSeed seed: UInt64? = nil)
    {
        let (batch, H, M) = (arrays.batch, configuration.hidden, configuration.memoryRows)
        let count = block.samples.count
        for t in 0..<steps {
            block.gather(
                arrays.input + t * batch * configuration.input, count: block.active(at: t), rows: configuration.input,
                into: boundaries[0][t])
        }
        for (i, cell) in cells.enumerated() {
            let (layer, unroll) = (cell.place.layer, cell.unroll)
            if cell.place.isReversed {
                block.copy(boundaries[layer], rows: widths[layer], into: cell.input, steps: steps, reversed: true)
            }
            unroll.lengths = block.laneLengths(in: steps)
            load(arrays.hidden, i * batch * H, block, rows: H, into: unroll.h[0])
            if let memory = unroll.initialMemory { load(arrays.memory, i * batch * M, block, rows: M, into: memory) }
            project(cell, weights[i])
            unroll.forward(weights[i].parameters, weights[i].recurrent)
            block.scatter(unroll.h[steps], count: count, rows: H, into: arrays.lastHidden + i * batch * H)
            if let memory = unroll.finalMemory {
                block.scatter(memory, count: count, rows: M, into: arrays.lastMemory + i * batch * M)
            }
            block.copy(
                unroll.h(from: 1), rows: H, into: rows(of: cell, in: boundaries[layer + 1]), steps: steps,
                reversed: cell.place.isReversed)
            let isLast = i + 1 == cells.count || cells[i + 1].place.layer > layer
            if let seed, isLast, layer + 1 < configuration.layers { drop(after: layer, block, seed: seed) }
        }
        let width = configuration.output
        for t in 0..<steps {
            block.scatter(
                boundaries[configuration.layers][t], count: block.active(at: t), rows: width,
                into: arrays.outputs + t * batch * width)
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
    private func project(_ cell: CellPass, _ weights: CellWeights) {
        let (rows, columns) = (weights.configuration.gateRows, weights.configuration.input)
        let bias = weights.bias.pointer
        for t in 0..<steps {
            let z = cell.unroll.projections[t]
            for r in 0..<rows { z[r] = Lanes(repeating: bias[r]) }
            multiply(
                weights.parameters.inputWeight, rows: rows, columns: columns, by: cell.input[t], into: z,
                accumulate: true)
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

/// The arrays that a backward pass reads and writes: gradients of what `ForwardArrays` has.
struct BackwardArrays {
    var batch: Int
    var outputs: UnsafePointer<Float>
    var lastHidden: UnsafePointer<Float>?
    var lastMemory: UnsafePointer<Float>?
    var input: UnsafeMutablePointer<Float>
    var hidden: UnsafeMutablePointer<Float>
    var memory: UnsafeMutablePointer<Float>
}

extension StackPass {
    /// The backward pass of the last `forward` of the same block, once: adds the gradients of the parameters and writes
    /// those of the input and of the first states. Numbers of `outputs` behind a sequence's end are not read.
    func backward(
        _ weights: [CellWeights], gradients: [CellParameters], _ block: LaneBlock, _ arrays: BackwardArrays,
        dropout: Bool
    ) {
        guard let training else { preconditionFailure("the backward pass needs a pass that trains") }
        let (batch, H, M) = (arrays.batch, configuration.hidden, configuration.memoryRows)
        let count = block.samples.count
        func gradient(_ boundary: Int) -> PanelSequence {
            PanelSequence(pointer: training.boundaries[boundary % 2], stride: widths[boundary])
        }
        let (outputs, width) = (gradient(configuration.layers), configuration.output)
        for t in 0..<steps {
            block.gather(
                arrays.outputs + t * batch * width, count: block.active(at: t), rows: width, into: outputs[t])
        }
        for (i, cell) in cells.enumerated().reversed() {
            let (layer, unroll) = (cell.place.layer, cell.unroll)
            let (rows, columns) = (weights[i].configuration.gateRows, widths[layer])
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
            if let hidden = arrays.lastHidden {
                for (lane, sample) in block.samples.enumerated() {
                    let row = hidden + (i * batch + sample) * H
                    let end = unroll.dh[block.lengths[lane]]
                    for r in 0..<H { end[r][lane] += row[r] }
                }
            }
            if let memory = unroll.dMemory { load(arrays.lastMemory, i * batch * M, block, rows: M, into: memory) }
            unroll.backward(weights[i].parameters, weights[i].recurrent, gradients: gradients[i])
            accumulateOuterProducts(
                unroll.projections, rows: rows, cell.input, columns: columns, count: steps, scratch: unroll.scratch,
                into: gradients[i].inputWeight)
            accumulateSums(unroll.projections, rows: rows, count: steps, into: gradients[i].inputBias)
            // Of a layer's cells the last comes first here: it writes ∂L/∂(what the layer read), the other adds to it.
            let below = gradient(layer)
            let target = cell.place.isReversed ? PanelSequence(pointer: training.turned, stride: columns) : below
            for t in 0..<steps {
                multiplyTransposed(
                    weights[i].parameters.inputWeight, rows: rows, columns: columns, by: unroll.projections[t],
                    into: target[t], accumulate: !isFirst)
            }
            if cell.place.isReversed {
                block.copy(target, rows: columns, into: below, steps: steps, reversed: true)
            }
            block.scatter(unroll.dh[0], count: count, rows: H, into: arrays.hidden + i * batch * H)
            if let memory = unroll.dMemory {
                block.scatter(memory, count: count, rows: M, into: arrays.memory + i * batch * M)
            }
        }
        for t in 0..<steps {
            block.scatter(
                gradient(0)[t], count: block.active(at: t), rows: configuration.input,
                into: arrays.input + t * batch * configuration.input)
        }
    }
}

extension Unroll {
    /// h(first) and those behind it.
    fileprivate func h(from first: Int) -> PanelSequence { PanelSequence(pointer: h[first], stride: h.stride) }
    fileprivate func dh(from first: Int) -> PanelSequence { PanelSequence(pointer: dh[first], stride: dh.stride) }
}
