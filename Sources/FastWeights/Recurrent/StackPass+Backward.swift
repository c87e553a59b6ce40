// The backward pass of a stack of layers.

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
            let active = isPerStep ? block.active(at: t) : count
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
        guard let training else { misuse("the backward pass needs a pass that trains") }
        return PanelSequence(pointer: training.boundaries[boundary % 2], stride: widths[boundary])
    }

    /// From `outputGradients` the gradients of the parameters, added to `gradients`, and with `ofInput` those of the
    /// input. Of tokens the gradient of W_ih is that of its table, transposed.
    func differentiate(
        _ weights: NetworkWeights, gradients: NetworkGradients, _ block: LaneBlock, dropout: Bool,
        lastHidden: (pointer: UnsafePointer<Float>, batch: Int)? = nil, ofInput: Bool
    ) {
        guard let training else { misuse("the backward pass needs a pass that trains") }
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
            let dh = self.rows(of: cell, in: above)
            if cell.place.isReversed {
                block.turn(dh, rows: H, into: unroll.dh(from: 1), from: 0, count: steps, steps: steps)
            } else {
                for t in 0..<steps { unroll.dh[t + 1].update(from: dh[t], count: H) }
            }
            if let lastHidden, unroll.keepsLastState {
                for (lane, sample) in block.samples.enumerated() {
                    let row = lastHidden.pointer + (i * lastHidden.batch + sample) * H
                    let end = unroll.dh[block.lengths[lane]]
                    for r in 0..<H { end[r][lane] += row[r] }
                }
            }
            unroll.backward(own.parameters, own.recurrent, gradients: target)
            accumulateSums(unroll.projections, rows: rows, count: steps, into: target.inputBias)
            if let tokens = cell.tokens {
                let table = TokenRows(values: target.inputWeight, rows: rows, stride: rows)
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
                block.turn(turned, rows: columns, into: below, from: 0, count: steps, steps: steps)
            }
        }
    }

    /// The head's gradients, and ∂L/∂(the last layer's h).
    private func differentiateHead(
        _ weights: NetworkWeights, _ gradients: NetworkGradients, _ block: LaneBlock, _ training: Training
    ) {
        guard let head, let parameters = weights.head, let target = gradients.head else { return }
        let (above, H) = (gradient(configuration.layers), configuration.hidden)
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
    /// ∂L/∂h(first) and those behind it.
    fileprivate func dh(from first: Int) -> PanelSequence { PanelSequence(pointer: dh[first], stride: dh.stride) }
}
