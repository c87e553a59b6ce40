extension Layer {
    /// What the layer below gives at a sequence's last step. Of a layer that reads both ways the numbers of each direction
    /// at its own last step, which of the reversed one is the first, as Keras' `Bidirectional` without `return_sequences`.
    public static var lastStep: Layer { Layer(LastStepLayer()) }

    /// The mean over the steps of each sequence. While a sequence runs it is that over the steps so far.
    public static var mean: Layer { Layer(MeanLayer()) }
}

private func needsSteps(_ input: LayerShape) -> String? {
    input.isPerStep && input.maps != nil ? nil : "it needs numbers at every step, found \(input.text)"
}

/// The last step of each sequence; see `Layer.lastStep`.
final class LastStepLayer: LayerKind {
    init() {}
    init(_ reader: ConfigurationReader) throws(ConfigurationError) {}

    var name: String { "last_step" }
    func problem(reading input: LayerShape) -> String? { needsSteps(input) }
    func placed(_ input: LayerInput, _ scope: inout ParameterScope) -> PlacedLayer { PlacedLastStep(input.shape) }
}

private final class PlacedLastStep: PlacedLayer {
    init(_ input: LayerShape) { super.init(input, input.once) }

    override func pass(_ weights: LayerWeights, _ input: PassInput, _ plan: PassPlan) -> LayerPass {
        LastStepPass(self, input, plan)
    }

    override func streamWeights(_ weights: LayerWeights, _ precision: WeightPrecision) -> LayerStreamWeights {
        LayerStreamWeights(weights, precision)
    }
    override func stream(_ shared: LayerStreamWeights) -> LayerStream { CopyStream(width: shared.width) }
}

/// A window of a sequence that goes on gives its own last step, until the next one gives another.
private final class LastStepPass: LayerPass {
    private let input: PassInput
    private let rows: Int
    /// The first of the rows that come of a reversed layer.
    private let reversed: Int
    private let arena = Arena()

    init(_ layer: PlacedLastStep, _ input: PassInput, _ plan: PassPlan) {
        (self.input, rows) = (input, layer.input.count)
        reversed = rows - layer.input.reversed
        let y = arena.panels(1, rows: rows)
        super.init(layer, outputs: y, gradients: plan.trains ? arena.panels(1, rows: rows) : y)
    }

    override func forward(_ run: Run, _ range: Range<Int>) {
        let (y, block) = (outputs[0], run.block)
        if range.lowerBound == 0 {
            for r in reversed..<rows { y[r] = input.x[0][r] }
        }
        guard range.upperBound == run.steps else { return }
        if block.shortest == run.steps {
            return y.update(from: input.x[run.steps - 1], count: reversed)
        }
        for lane in block.lanes where block.lengths[lane] > 0 {
            let end = input.x[block.lengths[lane] - 1]
            for r in 0..<reversed { y[r][lane] = end[r][lane] }
        }
    }

    override func backward(_ run: Run, _ gradients: UnsafeMutablePointer<Float>) {
        guard let dx = input.dx else { return }
        let (dy, block) = (outputGradients[0], run.block)
        for t in 0..<run.steps { dx[t].update(repeating: .zero, count: rows) }
        if block.shortest == run.steps {
            dx[run.steps - 1].update(from: dy, count: reversed)
        } else {
            for lane in block.lanes {
                let end = dx[block.lengths[lane] - 1]
                for r in 0..<reversed { end[r][lane] = dy[r][lane] }
            }
        }
        for r in reversed..<rows { dx[0][r] = dy[r] }
    }
}

/// y = x of one sequence.
final class CopyStream: LayerStream {
    private let arena = StreamArena()

    init(width: Int) {
        super.init(outputs: arena.octets((width + Octet.width - 1) / Octet.width), width: width)
    }

    override func step(_ x: ColumnNumbers) {
        if x.count < x.columns { clearOutput() }
        (outputNumbers + x.first).update(from: x.pointer, count: x.count)
    }
}

/// The mean over time; see `Layer.mean`.
final class MeanLayer: LayerKind {
    init() {}
    init(_ reader: ConfigurationReader) throws(ConfigurationError) {}

    var name: String { "mean" }
    func problem(reading input: LayerShape) -> String? { needsSteps(input) }
    func placed(_ input: LayerInput, _ scope: inout ParameterScope) -> PlacedLayer {
        PlacedMean(input.shape, scope)
    }
}

private final class PlacedMean: PlacedLayer {
    /// The sum of the steps so far, and their number.
    private let parts: [StatePart]

    init(_ input: LayerShape, _ scope: ParameterScope) {
        parts = scope.named([
            StatePart(letter: "sum", sizes: [input.count]), StatePart(letter: "steps", sizes: [1]),
        ])
        super.init(input, input.once)
    }

    override var state: [StatePart] { parts }

    override func pass(_ weights: LayerWeights, _ input: PassInput, _ plan: PassPlan) -> LayerPass {
        MeanPass(self, input, plan)
    }

    override func streamWeights(_ weights: LayerWeights, _ precision: WeightPrecision) -> LayerStreamWeights {
        LayerStreamWeights(weights, precision)
    }
    override func stream(_ shared: LayerStreamWeights) -> LayerStream { MeanStream(width: shared.width) }
}

private final class MeanPass: LayerPass {
    private let input: PassInput
    private let rows: Int
    /// The sum and in the row behind it the number of steps, at the beginning and at the end, and ∂L/∂(those).
    private let initial: Panel
    private let sum: Panel
    /// The sum of the window's steps alone.
    private let own: Panel
    private let dSum: Panel
    private var endsWithGradient = false
    private let arena = Arena()

    init(_ layer: PlacedMean, _ input: PassInput, _ plan: PassPlan) {
        (self.input, rows) = (input, layer.input.count)
        (initial, sum) = (arena.panels(1, rows: rows + 1)[0], arena.panels(1, rows: rows + 1)[0])
        own = arena.panels(1, rows: rows)[0]
        dSum = arena.panels(1, rows: plan.trains ? rows + 1 : 0)[0]
        let y = arena.panels(1, rows: rows)
        super.init(layer, outputs: y, gradients: plan.trains ? arena.panels(1, rows: rows) : y)
    }

    override func forward(_ run: Run, _ range: Range<Int>) {
        let block = run.block
        if range.lowerBound == 0 { own.update(repeating: .zero, count: rows) }
        for t in range {
            let (x, active) = (input.x[t], block.active(at: t))
            let isOver = Lanes.isBehind(active)
            for r in 0..<rows { own[r] += x[r].replacing(with: 0, where: isOver) }
        }
        // What a long sequence begins with would swallow steps that are added to it one by one.
        for r in 0..<rows { sum[r] = initial[r] + own[r] }
        sum[rows] = initial[rows]
        for lane in block.lanes { sum[rows][lane] += Float(min(block.lengths[lane], range.upperBound)) }
        let share = 1 / sum[rows].lanewiseMax(Lanes(repeating: 1))
        for r in 0..<rows { outputs[0][r] = sum[r] * share }
    }

    /// The number of steps is no number that anything is differentiated by.
    override func backward(_ run: Run, _ gradients: UnsafeMutablePointer<Float>) {
        let share = 1 / sum[rows].lanewiseMax(Lanes(repeating: 1))
        for r in 0..<rows {
            let d = outputGradients[0][r] * share
            dSum[r] = endsWithGradient ? dSum[r] + d : d
        }
        dSum[rows] = .zero
        guard let dx = input.dx else { return }
        for t in 0..<run.steps {
            let isOver = Lanes.isBehind(run.block.active(at: t))
            for r in 0..<rows { dx[t][r] = dSum[r].replacing(with: 0, where: isOver) }
        }
    }

    override func goOn() { initial.update(from: sum, count: rows + 1) }
    override func clearState() { initial.update(repeating: .zero, count: rows + 1) }
    override var carriedRows: Int { rows + 1 }
    override func loadState(_ source: Panel) { initial.update(from: source, count: rows + 1) }
    override func storeState(_ target: Panel) { target.update(from: sum, count: rows + 1) }
    override func initialState(_ part: Int) -> Panel { initial + part * rows }
    override func finalState(_ part: Int) -> Panel { sum + part * rows }
    override func finalStateGradient(_ part: Int) -> Panel { dSum + part * rows }
    override func initialStateGradient(_ part: Int) -> Panel { dSum + part * rows }
    override func setsState(initial: Bool, finalGradient: Bool) { endsWithGradient = finalGradient }
}

/// Sum and number of steps are exact enough for a stream without an end: a Float as a sum stands still where a step is less
/// than its last digit, at 2²⁴ steps of one size, and so does a Float as a counter.
private final class MeanStream: LayerStream {
    private let width: Int
    private let sum: Buffer<Double>
    private var steps = 0.0
    private let arena = StreamArena()

    init(width: Int) {
        self.width = width
        sum = Buffer(width)
        super.init(outputs: arena.octets((width + Octet.width - 1) / Octet.width), width: width)
    }

    override func step(_ x: ColumnNumbers) {
        steps += 1
        let sum = sum.pointer + x.first
        for k in 0..<x.count { sum[k] += Double(x.pointer[k]) }
        setOutputs()
    }

    private func setOutputs() {
        let (y, sum, share) = (outputNumbers, sum.pointer, 1 / max(steps, 1))
        for r in 0..<width { y[r] = Float(sum[r] * share) }
    }

    override func reset() {
        steps = 0
        sum.clear()
        setOutputs()
    }

    override func showState() -> Bool { true }

    override func takeOver(_ other: LayerStream) {
        super.takeOver(other)
        let other = unsafeDowncast(other, to: MeanStream.self)
        steps = other.steps
        sum.pointer.update(from: other.sum.pointer, count: width)
    }

    /// As Floats, which from 2²⁴ steps on are the nearest to them.
    override var state: [[Float]] {
        get { [(0..<width).map { Float(sum.pointer[$0]) }, [Float(steps)]] }
        set {
            for r in 0..<width { sum.pointer[r] = Double(newValue[0][r]) }
            steps = Double(newValue[1][0])
            setOutputs()
        }
    }
}
