/// A layer over one running sequence, a step at a time: forward only. Where a pass holds sixteen sequences in the lanes of
/// a vector, a stream holds eight units, so that one sequence alone uses the whole width.
///
/// A step allocates nothing. Vectors are padded with zeros.
class LayerStream {
    let children: [LayerStream]
    /// y of the last step.
    final let outputs: UnsafeMutablePointer<Octet>
    /// The same as numbers.
    @inline(__always) final var outputNumbers: UnsafeMutablePointer<Float> {
        UnsafeMutableRawPointer(outputs).assumingMemoryBound(to: Float.self)
    }
    /// Its vectors.
    private let vectors: Int
    /// The phase of the next step in the layer's schedule; 0 of a layer that does the same at every step.
    var phase = 0

    /// A stream that gives `width` numbers a step.
    init(outputs: UnsafeMutablePointer<Octet>, width: Int, children: [LayerStream] = []) {
        (self.outputs, self.children) = (outputs, children)
        vectors = (width + Octet.width - 1) / Octet.width
    }

    /// Takes the next step of the sequence.
    func step(_ x: ColumnNumbers) { misuse("each kind of layer has its own stream") }

    /// Begins a new sequence from the zero state.
    func reset() { for child in children { child.reset() } }

    /// Makes y that of the state, once this has been set. False where y depends on more than the state.
    func showState() -> Bool { false }

    /// Makes y 0.
    final func clearOutput() { outputs.update(repeating: .zero, count: vectors) }

    /// Takes over all that the next steps of another stream of the same layer depend on, and y.
    func takeOver(_ other: LayerStream) {
        outputs.update(from: other.outputs, count: vectors)
        for (child, theirs) in zip(children, other.children) { child.takeOver(theirs) }
    }

    /// The layer's own state, numbers of each part; set, the numbers fit.
    var state: [[Float]] {
        get { [] }
        set {}
    }

    final var leaves: [LayerStream] { children.isEmpty ? [self] : children.flatMap { $0.leaves } }
}

/// A layer's parameters laid out for streams: any number of them, on any threads.
class LayerStreamWeights {
    let layer: PlacedLayer
    let children: [LayerStreamWeights]
    /// Numbers a step of what it gives.
    final var width: Int { layer.output.count }

    /// Copies the parameters as they are, the matrices of streams' products in this precision.
    init(_ weights: LayerWeights, _ precision: WeightPrecision) {
        layer = weights.layer
        children = zip(layer.children, weights.children).map { $0.streamWeights($1, precision) }
    }
}

/// The vectors at `p` as numbers.
@inline(__always)
func numbers(_ p: UnsafePointer<Octet>) -> UnsafePointer<Float> {
    UnsafeRawPointer(p).assumingMemoryBound(to: Float.self)
}

/// A stream of a layer that has none of its own: its pass with a single lane in use, a step at a time.
final class PassStream: LayerStream {
    private let layer: PlacedLayer
    private let pass: LayerPass
    private let x: PanelSequence
    private let arena = Arena()
    private let vectors = StreamArena()
    private let width: Int
    private var run = Run(block: LaneBlock(1) { _ in (0, 1) })
    /// Whether the state is that behind a step of the pass, not that before its first.
    private var hasStepped = false

    init(_ shared: PassStreamWeights) {
        let weights = shared.weights
        layer = weights.layer
        width = layer.output.count
        x = arena.panels(1, rows: layer.input.count)
        let plan = PassPlan(steps: 1, carry: .stateAndGradient, trains: false, scratch: arena.panels(1, rows: 0)[0])
        pass = layer.pass(weights, PassInput(x: x), plan)
        super.init(outputs: vectors.octets((width + Octet.width - 1) / Octet.width), width: width)
        reset()
    }

    override func step(_ input: ColumnNumbers) {
        for r in 0..<input.columns { x[0][r][0] = 0 }
        for k in 0..<input.count { x[0][input.first + k][0] = input.pointer[k] }
        if hasStepped { pass.goOn() }
        pass.forward(run, 0..<1)
        (hasStepped, run.firstStep) = (true, run.firstStep + 1)
        show(pass.outputs[0])
    }

    private func show(_ panel: Panel) {
        let y = outputNumbers
        for r in 0..<width { y[r] = panel[r][0] }
    }

    override func reset() {
        (hasStepped, run.firstStep) = (false, 0)
        pass.clearState()
    }

    override func showState() -> Bool {
        guard layer.givesState else { return false }
        show(part(0))
        return true
    }

    override func takeOver(_ other: LayerStream) {
        super.takeOver(other)
        let other = unsafeDowncast(other, to: PassStream.self)
        (hasStepped, run.firstStep) = (false, other.run.firstStep)
        for (i, part) in layer.state.enumerated() {
            pass.initialState(i).update(from: other.part(i), count: part.count)
        }
    }

    private func part(_ i: Int) -> Panel { hasStepped ? pass.finalState(i) : pass.initialState(i) }

    override var state: [[Float]] {
        get { layer.state.enumerated().map { i, own in (0..<own.count).map { part(i)[$0][0] } } }
        set {
            reset()
            for (i, values) in newValue.enumerated() {
                for (r, value) in values.enumerated() { pass.initialState(i)[r][0] = value }
            }
        }
    }
}

/// The packed weights of a layer whose stream is its pass, in float32 always.
final class PassStreamWeights: LayerStreamWeights {
    let weights: LayerWeights

    override init(_ weights: LayerWeights, _ precision: WeightPrecision) {
        self.weights = weights
        super.init(weights, precision)
    }
}
