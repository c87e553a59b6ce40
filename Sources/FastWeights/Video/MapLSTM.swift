/// A convolutional LSTM (Shi et al. 2015): one convolution of [x, h] makes the gates i, j, f and o, see `PlanarGates`, to which
/// peepholes add what a unit's cell is worth to them, w_ci·c, w_cf·c and w_co·c'.
///
/// x and h stand side by side in the same maps, h(t) in those of step t + 1.
final class MapLSTM: VideoOperation {
    struct Placed {
        let filters: GateFilters.Placed
        let forgetOffset: Float
        /// w_ci, w_cf and w_co, [C, H, W]; or none.
        var peepholes: [Parameter] = []
    }

    private let placed: Placed
    private let gateFilters: GateFilters
    private let source: PlanarMaps
    private let gates: PlanarMaps
    private let cells: PlanarMaps
    private let scratch: Buffer<Float>
    private let gradient: Buffer<Float>
    private let elementwise: PlanarGates
    private let convolution: PlanarConvolution
    private let steps: Int

    init(
        _ placed: Placed, _ filters: GateFilters, _ numbers: UnsafeMutablePointer<Float>, height: Int, width: Int,
        _ plan: VideoPlan
    ) {
        let shape = filters.placed
        (self.placed, gateFilters, steps) = (placed, filters, plan.steps)
        source = plan.maps(shape.channels, height, width, ahead: 1)
        // The gradient of the gates takes their place.
        gates = plan.maps(4 * shape.hidden, height, width, hasGradient: false)
        cells = plan.maps(shape.hidden, height, width, ahead: 1)
        elementwise = PlanarGates(count: cells.count, forgetOffset: placed.forgetOffset)
        scratch = Buffer(plan.trains ? cells.count : 0)
        gradient = Buffer(plan.trains ? filters.gradientCount : 0)
        convolution = PlanarConvolution(
            channels: shape.channels, features: 4 * shape.hidden, size: shape.side, samples: plan.samples,
            height: height, width: width, steps: plan.steps, trains: plan.trains)
        filters.filters.prepare(for: convolution)
        super.init(numbers)
    }

    /// x of a step.
    var input: PlanarRange { source[0..<gateFilters.placed.inputs] }
    /// h after a step.
    var output: PlanarRange {
        PlanarRange(
            maps: source, channels: gateFilters.placed.inputs..<gateFilters.placed.channels, shift: 1)
    }

    override func begin() {
        output.at(-1).update(repeating: 0, count: cells.count)
        cells.at(0).update(repeating: 0, count: cells.count)
    }

    override func beginBackward() {
        cells.clearGradient()
        output.clearGradient()
        gradient.clear()
    }

    override func forward(_ t: Int) {
        let (z, c, next) = (gates.at(t), cells.at(t), cells.at(t + 1))
        convolution.forward(gateFilters.filters, source.at(t), into: z, step: t % steps)
        addPeephole(0, c, to: z)
        addPeephole(1, c, to: z + 2 * cells.count)
        elementwise.makeCells(z, c, into: next)
        addPeephole(2, next, to: z + 3 * cells.count)
        elementwise.makeState(z, next, into: output.at(t))
    }

    override func backward(_ t: Int, _ gradients: UnsafeMutablePointer<Float>) {
        let (dz, c, next, dc) = (gates.at(t), cells.at(t), cells.at(t + 1), cells.gradient)
        elementwise.makeStateBackward(dz, next, dh: output.gradient, addingTo: dc, scratch: scratch.pointer)
        addPeepholeBackward(2, dz + 3 * cells.count, next, dc, gradients)
        elementwise.makeCellsBackward(dz, c, dc: dc)
        addPeepholeBackward(0, dz, c, dc, gradients)
        addPeepholeBackward(1, dz + 2 * cells.count, c, dc, gradients)
        let features = 4 * gateFilters.placed.hidden
        accumulatePlaneSums(
            dz, channels: features, count: gates.plane, into: gradient.pointer + (gradient.count - features))
        // From here on the gradient of h is that of the state before the step.
        output.clearGradient()
        convolution.backward(gateFilters.filters, dz, addingTo: source.gradient, step: t % steps)
    }

    override func finishBackward(_ gradients: UnsafeMutablePointer<Float>) {
        convolution.addGradient(to: gradient.pointer)
        gateFilters.addGradient(gradient.pointer, to: gradients)
    }

    // MARK: Peepholes

    /// Calls `body` with each map of the cells and where its peepholes begin.
    private func forEachPlane(_ body: (_ plane: Int, _ weight: Int) -> Void) {
        let area = cells.shape.area
        for c in 0..<cells.shape.channels {
            for n in 0..<cells.samples { body((c * cells.samples + n) * area, c * area) }
        }
    }

    /// A gate += w·c.
    private func addPeephole(_ k: Int, _ c: UnsafePointer<Float>, to gate: UnsafeMutablePointer<Float>) {
        guard !placed.peepholes.isEmpty else { return }
        let w = numbers[placed.peepholes[k]]
        forEachPlane { plane, weight in
            for p in 0..<cells.shape.area { gate[plane + p] += w[weight + p] * c[plane + p] }
        }
    }

    private func addPeepholeBackward(
        _ k: Int, _ dGate: UnsafePointer<Float>, _ c: UnsafePointer<Float>, _ dc: UnsafeMutablePointer<Float>,
        _ gradients: UnsafeMutablePointer<Float>
    ) {
        guard !placed.peepholes.isEmpty else { return }
        let (w, dw) = (numbers[placed.peepholes[k]], gradients[placed.peepholes[k]])
        forEachPlane { plane, weight in
            for p in 0..<cells.shape.area {
                dc[plane + p] += w[weight + p] * dGate[plane + p]
                dw[weight + p] += dGate[plane + p] * c[plane + p]
            }
        }
    }

    // MARK: State

    /// Numbers of h and c of all samples.
    var stateCount: Int { 2 * cells.count }

    func storeState(after t: Int, into target: UnsafeMutablePointer<Float>) {
        target.update(from: output.at(t), count: cells.count)
        (target + cells.count).update(from: cells.at(t + 1), count: cells.count)
    }

    func loadState(before t: Int, from source: UnsafePointer<Float>) {
        output.at(t - 1).update(from: source, count: cells.count)
        cells.at(t).update(from: source + cells.count, count: cells.count)
    }

    /// Begins step t with the state of another one after it, which has as many maps.
    func takeState(of other: MapLSTM, after t: Int) {
        output.at(t - 1).update(from: other.output.at(t), count: cells.count)
        cells.at(t).update(from: other.cells.at(t + 1), count: cells.count)
    }

    /// The way back of `takeState`.
    func giveStateGradient(to other: MapLSTM) {
        add(output.gradient, to: other.output.gradient, count: cells.count)
        add(cells.gradient, to: other.cells.gradient, count: cells.count)
        output.clearGradient()
        cells.clearGradient()
    }
}
