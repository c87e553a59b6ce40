/// A convolutional LSTM: one convolution of [x, h] makes the gates i, j, f and o, see `PlanarGates`.
///
/// x and h stand side by side in the same maps, h(t) in those of step t + 1.
final class MapLSTM: VideoOperation {
    struct Placed {
        let convolution: Convolution
        let weight: Parameter
        let bias: Parameter

        /// C, maps of h.
        var hidden: Int { convolution.features / 4 }
        /// Maps of x.
        var inputs: Int { convolution.channels - hidden }
    }

    private let placed: Placed
    private let source: PlanarMaps
    private let gates: PlanarMaps
    private let cells: PlanarMaps
    private let scratch: Buffer<Float>
    private let elementwise: PlanarGates
    private let filters: PlanarFilters
    private let convolution: PlanarConvolution
    private let steps: Int

    init(
        _ placed: Placed, _ filters: PlanarFilters, _ numbers: UnsafeMutablePointer<Float>, _ source: PlanarMaps,
        _ plan: VideoPlan
    ) {
        (self.placed, self.filters, self.source, steps) = (placed, filters, source, plan.steps)
        let (height, width) = (source.shape.height, source.shape.width)
        // The gradient of the gates takes their place.
        gates = plan.maps(4 * placed.hidden, height, width, hasGradient: false)
        cells = plan.maps(placed.hidden, height, width, ahead: 1)
        elementwise = PlanarGates(count: cells.count)
        scratch = Buffer(plan.trains ? cells.count : 0)
        convolution = PlanarConvolution(
            channels: filters.channels, features: filters.features, size: filters.size, samples: plan.samples,
            height: height, width: width, steps: plan.steps, trains: plan.trains)
        filters.prepare(for: convolution)
        super.init(numbers)
    }

    /// x of a step.
    var input: PlanarRange { source[0..<placed.inputs] }
    /// h after a step.
    var output: PlanarRange {
        PlanarRange(maps: source, channels: placed.inputs..<placed.convolution.channels, shift: 1)
    }

    override func begin() {
        let count = cells.count
        (source.at(0) + placed.inputs * source.plane).update(repeating: 0, count: count)
        cells.at(0).update(repeating: 0, count: count)
    }

    override func beginBackward() {
        cells.clearGradient()
        output.clearGradient()
    }

    override func forward(_ t: Int) {
        let z = gates.at(t)
        convolution.forward(filters, source.at(t), into: z, step: t % steps)
        elementwise.forward(z, cells.at(t), into: cells.at(t + 1), h: output.at(t))
    }

    override func backward(_ t: Int, _ gradients: UnsafeMutablePointer<Float>) {
        let dz = gates.at(t)
        elementwise.backward(
            dz, cells.at(t), cells.at(t + 1), dh: output.gradient, dc: cells.gradient, scratch: scratch.pointer)
        accumulatePlaneSums(
            dz, channels: 4 * placed.hidden, count: gates.plane, into: gradients[placed.bias])
        // From here on the gradient of h is that of the state before the step.
        output.clearGradient()
        convolution.backward(filters, dz, addingTo: source.gradient, step: t % steps)
    }

    override func finishBackward(_ gradients: UnsafeMutablePointer<Float>) {
        convolution.addGradient(to: gradients[placed.weight])
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
}
