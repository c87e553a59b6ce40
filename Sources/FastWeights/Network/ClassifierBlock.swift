/// A classifier at work on one block of sixteen sequences: every buffer of the two passes, made once.
final class ClassifierBlock {
    private let configuration: ClassifierConfiguration
    private let steps: Int
    let unroll: Unroll
    /// Tokens by step, sixteen a step.
    private let tokens: Buffer<UInt8>
    let targets = Buffer<UInt8>(Lanes.width)
    private let hidden: PanelSequence
    private let dHidden: PanelSequence
    private let outputs: PanelSequence
    private let arena = Arena()

    init(_ configuration: ClassifierConfiguration, steps: Int) {
        self.configuration = configuration
        self.steps = steps
        unroll = Unroll.make(configuration.cell, steps: steps, carry: .nothing)
        tokens = Buffer(steps * Lanes.width)
        hidden = arena.panels(1, rows: configuration.head)
        dHidden = arena.panels(1, rows: configuration.head)
        outputs = arena.panels(1, rows: configuration.classes)
    }

    /// Logits after `forward`, their gradient after `loss`.
    var logits: Panel { outputs[0] }

    /// Puts sequence `index` of `examples` into a lane.
    func setSequence(_ lane: Int, _ examples: Examples, _ index: Int) {
        examples.tokens.withUnsafeBufferPointer { source in
            for t in 0..<steps { tokens.pointer[t &* Lanes.width &+ lane] = source[index &* steps &+ t] }
        }
        targets.pointer[lane] = examples.targets[index]
    }

    /// The network's logits.
    func forward(_ p: ClassifierParameters, _ table: TokenTable, _ recurrent: RecurrentWeights) {
        let rows = table.tokenRows
        for t in 0..<steps { rows.gather(tokens.pointer + t * Lanes.width, into: unroll.projections[t]) }
        unroll.forward(p.cell, recurrent)
        let size = configuration.cell.hidden
        multiply(
            p.hiddenWeight, rows: configuration.head, columns: size, by: unroll.h[steps], into: hidden[0],
            accumulate: false)
        for r in 0..<configuration.head { hidden[0][r] = (hidden[0][r] + p.hiddenBias[r]).rectified }
        multiply(
            p.outputWeight, rows: configuration.classes, columns: configuration.head, by: hidden[0], into: logits,
            accumulate: false)
        for c in 0..<configuration.classes { logits[c] += Lanes(repeating: p.outputBias[c]) }
    }

    /// Loss and errors; the logits become the gradient of scale·Σ loss.
    func loss(count: Int, scale: Float) -> BlockLoss {
        crossEntropy(logits, classes: configuration.classes, targets: targets.pointer, count: count, scale: scale)
    }

    /// Adds the gradients of everything but the token table to `g`, and the table's to `dTable`.
    func backward(
        _ p: ClassifierParameters, _ recurrent: RecurrentWeights, gradients g: ClassifierParameters,
        _ dTable: TokenTable,
        count: Int
    ) {
        let (head, classes, size) = (configuration.head, configuration.classes, configuration.cell.hidden)
        accumulateOuterProducts(
            outputs, rows: classes, hidden, columns: head, count: 1, scratch: unroll.scratch, into: g.outputWeight)
        accumulateSums(outputs, rows: classes, count: 1, into: g.outputBias)
        multiplyTransposed(
            p.outputWeight, rows: classes, columns: head, by: logits, into: dHidden[0], accumulate: false)
        Activation.relu.applyBackward(dHidden[0], hidden[0], count: head)
        let last = PanelSequence(pointer: unroll.h[steps], stride: 0)
        accumulateOuterProducts(
            dHidden, rows: head, last, columns: size, count: 1, scratch: unroll.scratch, into: g.hiddenWeight)
        accumulateSums(dHidden, rows: head, count: 1, into: g.hiddenBias)
        unroll.dh[1].update(repeating: .zero, count: (steps - 1) * size)
        multiplyTransposed(
            p.hiddenWeight, rows: head, columns: size, by: dHidden[0], into: unroll.dh[steps], accumulate: false)
        unroll.backward(p.cell, recurrent, gradients: g.cell)
        let rows = dTable.tokenRows
        for t in 0..<steps {
            rows.scatter(tokens.pointer + t * Lanes.width, from: unroll.projections[t], count: count)
        }
    }
}
