extension Layer {
    /// A recurrent layer that reads its sequences forwards, and another like it that reads them backwards, each from its own
    /// end (PyTorch's `bidirectional=True`, Keras' `Bidirectional`); gives the numbers of both, the forward ones first.
    ///
    /// Parameters: those of the layer, and again with `_reverse` behind their names. A stream cannot run it, as the reversed
    /// direction begins at the end of a sequence. Traps on a layer that is no recurrent cell.
    public static func bidirectional(_ layer: Layer) -> Layer {
        guard let cell = layer.kind.cell else {
            misuse("a recurrent layer can be bidirectional; \(layer.kind.name) was given")
        }
        return Layer(BidirectionalLayer(cell))
    }
}

/// A cell in both directions; see `Layer.bidirectional`.
final class BidirectionalLayer: LayerKind {
    let inner: any CellKind

    init(_ inner: any CellKind) { self.inner = inner }

    var name: String { "bidirectional" }
    var options: [JSON.Member] { [JSON.Member(key: "cell", value: inner.layer.json)] }
    var readsTable: Bool { true }
    var forms: [any LayerKind] { inner.forms.compactMap { $0.cell.map { BidirectionalLayer($0) } } }
    func problem(reading input: LayerShape) -> String? { inner.problem(reading: input) }

    func placed(_ input: LayerInput, _ scope: inout ParameterScope) -> PlacedLayer {
        let suffix = scope.cellSuffix
        return PlacedBidirectional(
            inner.placedCell(input, suffix: suffix, &scope),
            inner.placedCell(input, suffix: suffix + "_reverse", &scope))
    }
}

final class PlacedBidirectional: PlacedLayer {
    init(_ forward: PlacedCell, _ backward: PlacedCell) {
        let rows = forward.sizes.hidden
        var output = LayerShape.vector(2 * rows)
        output.reversed = rows
        super.init(forward.input, output, children: [forward, backward])
    }

    override var isReversed: Bool { true }
    override var sparesOutputs: Bool { true }

    override func pass(_ weights: LayerWeights, _ input: PassInput, _ plan: PassPlan) -> LayerPass {
        BidirectionalPass(self, weights, input, plan)
    }
}

/// Both directions over a block. Forward alone it needs little: the cells are unrolled over a window of steps at a time, in
/// buffers that stay in a core's cache.
private final class BidirectionalPass: LayerPass {
    /// Steps of a window.
    private static let window = 32

    private let ahead: CellPass
    private let back: CellPass
    private let input: PassInput
    private let plan: PassPlan
    private let hidden: Int
    private let columns: Int
    private let window: Int
    /// Whether it must clear the states that its windows leave, as each run begins from zeros.
    private let clearsStates: Bool
    /// x in reverse, and ∂L/∂(that); or the tokens in reverse.
    private let reversed: PanelSequence
    private let dReversed: PanelSequence
    private let tokens: Buffer<UInt16>
    private let arena: Arena

    init(_ layer: PlacedBidirectional, _ weights: LayerWeights, _ input: PassInput, _ plan: PassPlan) {
        let arena = Arena()
        let steps = plan.steps
        let window = plan.trains ? steps : min(steps, Self.window)
        (self.input, self.plan, self.window, self.arena) = (input, plan, window, arena)
        (hidden, columns) = (layer.output.reversed, layer.input.count)
        let hasTokens = input.tokens != nil
        reversed = arena.panels(window, rows: hasTokens ? 0 : columns)
        dReversed = arena.panels(plan.trains && input.dx != nil ? steps : 0, rows: columns)
        tokens = Buffer(hasTokens ? window * Lanes.width : 0)
        clearsStates = plan.carry == .nothing && window < steps
        var plan = plan
        plan.steps = window
        if clearsStates { plan.carry = .stateAndGradient }
        func cell(_ i: Int, _ input: PassInput) -> CellPass {
            unsafeDowncast(layer.children[i].pass(weights.children[i], input, plan), to: CellPass.self)
        }
        // The reversed direction writes ∂L/∂x, the other adds to it.
        var ahead = input
        ahead.addsGradient = true
        self.ahead = cell(0, ahead)
        back = cell(
            1,
            PassInput(
                x: reversed, dx: input.dx.map { [dReversed] _ in dReversed },
                tokens: hasTokens ? tokens.pointer : nil))
        let y = plan.spare ?? arena.panels(steps, rows: 2 * hidden)
        super.init(
            layer, outputs: y, gradients: plan.trains ? arena.panels(steps, rows: 2 * hidden) : y,
            children: [self.ahead, back])
    }

    /// The rows of the reversed direction.
    private func reversedRows(_ panels: PanelSequence) -> PanelSequence {
        PanelSequence(pointer: panels.pointer + hidden, stride: panels.stride)
    }

    override func forward(_ run: Run, _ range: Range<Int>) {
        require(
            range == 0..<run.steps,
            "a layer that reads backwards takes all steps at once, found \(range.count) of \(run.steps)")
        if clearsStates { clearState() }
        var first = 0
        while first < run.steps {
            let count = min(window, run.steps - first)
            var part = run
            // In training all steps are one window.
            if count < run.steps {
                let block = LaneBlock(windowOf: run.block, from: first, steps: count)
                part = Run(block: block, firstStep: run.firstStep + first)
            }
            if first > 0 {
                ahead.goOn()
                back.goOn()
            }
            ahead.input.x = input.x.dropping(first)
            ahead.input.tokens = input.tokens.map { $0 + first * Lanes.width }
            ahead.forward(part, 0..<count)
            for t in 0..<count { outputs[first + t].update(from: ahead.outputs[t], count: hidden) }
            reverse(run.block, from: first, count: count, steps: run.steps)
            back.forward(part, 0..<count)
            run.block.reverseBack(
                back.outputs, rows: hidden, into: reversedRows(outputs), from: first, count: count, steps: run.steps)
            first += count
        }
    }

    private func reverse(_ block: LaneBlock, from first: Int, count: Int, steps: Int) {
        guard let source = input.tokens else {
            return block.reverse(input.x, rows: columns, into: reversed, from: first, count: count, steps: steps)
        }
        for t in 0..<count {
            for lane in 0..<Lanes.width {
                // Behind the end any token will do.
                let step = lane < block.count ? block.lengths[lane] &- 1 &- first &- t : -1
                tokens.pointer[t &* Lanes.width &+ lane] = step < 0 ? 0 : source[step &* Lanes.width &+ lane]
            }
        }
    }

    override func backward(_ run: Run, _ gradients: UnsafeMutablePointer<Float>) {
        let (block, steps) = (run.block, run.steps)
        block.reverse(
            reversedRows(outputGradients), rows: hidden, into: back.outputGradients, from: 0, count: steps, steps: steps
        )
        back.backward(run, gradients)
        for t in 0..<steps { ahead.outputGradients[t].update(from: outputGradients[t], count: hidden) }
        ahead.backwardToParameters(run, gradients)
        // Where ∂L/∂x stands in the panels of x, those are read no more.
        if let dx = input.dx {
            block.reverse(dReversed, rows: columns, into: dx, from: 0, count: steps, steps: steps)
        }
        ahead.backwardToInput()
    }
}
