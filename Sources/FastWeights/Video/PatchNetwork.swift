/// Convolutional LSTMs over patches, layer on layer: a frame [C, H, W] becomes maps [p·p·C, H/p, W/p], the pixel in row r and
/// column s of a patch stands in map (r·p + s)·C + c, and what a convolution makes of the last hidden maps becomes the next
/// frame the other way. See `PatchOptions.Form` for what reads and what makes them.
final class PatchNetwork: VideoNetwork, @unchecked Sendable {
    private let output: MapConvolution.Placed

    init(_ configuration: VideoConfiguration) {
        let (c, options) = (configuration, configuration.patches)
        let (height, width) = (c.height / options.patch, c.width / options.patch)
        let maps = options.patch * options.patch * c.channels
        var scope = ParameterScope()
        /// The names are those of our layer `convolutional_lstm`, whose gates stand in the order i, f, g, o.
        func lstm(_ name: String, inputs: Int, hidden: Int) -> MapLSTM.Placed {
            var parts: [GateFilters.Placed.Part] = []
            if inputs > 0 {
                let weight = scope.addGates("\(name).weight_ih_l0", hidden, inputs, options.kernel)
                parts.append(.init(weight: weight, channels: 0..<inputs, size: options.kernel))
            }
            let weight = scope.addGates("\(name).weight_hh_l0", hidden, hidden, options.kernel)
            parts.append(.init(weight: weight, channels: inputs..<inputs + hidden, size: options.kernel))
            let bias = options.hasBias ? scope.add("\(name).bias_ih_l0", 4 * hidden, first: .constant(0)) : nil
            let peepholes = (options.hasPeepholes ? ["ci", "cf", "co"] : []).map {
                scope.add("\(name).weight_\($0)_l0", hidden, height, width, first: .constant(0))
            }
            return MapLSTM.Placed(
                filters: GateFilters.Placed(
                    inputs: inputs, hidden: hidden, parts: parts, bias: bias, order: [0, 2, 1, 3]),
                forgetOffset: options.forgetOffset, peepholes: peepholes)
        }
        /// Layers on each other, of which the first reads so many maps.
        func stack(_ name: String, reading first: Int) -> [MapLSTM.Placed] {
            c.widths.enumerated().map { k, hidden in
                lstm("\(name).\(k)", inputs: k == 0 ? first : c.widths[k - 1], hidden: hidden)
            }
        }
        let isOne = options.form == .one
        let lstms =
            isOne
            ? stack("lstm", reading: maps) : stack("encoder", reading: maps) + stack("forecaster", reading: 0)
        let axes = [height, width].map { FilterAxis(reading: $0, size: 1, stride: 1, nil) }
        output = scope.addConvolution(
            "output",
            Convolution(
                channels: isOne ? c.widths[c.widths.count - 1] : c.widths.reduce(0, +), features: maps, rows: axes[0],
                columns: axes[1]), isTransposed: false, hasBias: options.hasOutputBias)
        super.init(configuration, scope, lstms)
    }

    override func operations(_ weights: VideoWeights, _ plan: VideoPlan, _ ends: StepEnds) -> StepParts {
        let (c, options, numbers) = (configuration, configuration.patches, weights.numbers)
        let (height, width) = (c.height / options.patch, c.width / options.patch)
        let cells = zip(lstms, weights.gates).map {
            MapLSTM($0, $1, numbers, height: height, width: width, plan)
        }
        var operations: [VideoOperation] = [Patching(numbers, ends.input, cells[0].input, options.patch)]
        /// The layers of a stack, the first of which has been given what it reads.
        func stack(_ cells: ArraySlice<MapLSTM>, _ add: (VideoOperation) -> Void) {
            for (k, cell) in zip(cells.indices, cells) {
                if k > cells.startIndex { add(MapCopy(numbers, from: cells[k - 1].output, to: cell.input)) }
                add(cell)
            }
        }
        let hidden = plan.maps(output.convolution.channels, height, width)
        if options.form == .one {
            stack(cells[...]) { operations.append($0) }
            operations.append(MapCopy(numbers, from: cells[cells.count - 1].output, to: hidden.all))
        } else {
            let (encoder, forecaster) = (cells[..<c.widths.count], cells[c.widths.count...])
            stack(encoder) { operations.append($0) }
            operations = operations.map { StepsOnly(numbers, $0, from: 0, to: c.context) }
            operations.append(
                StepsOnly(
                    numbers, StateHandover(numbers, Array(encoder), Array(forecaster), hidden), from: c.context - 1,
                    to: c.context))
            /// From the last frame that is read on.
            func add(_ operation: VideoOperation) {
                operations.append(StepsOnly(numbers, operation, from: c.context - 1, to: .max))
            }
            stack(forecaster, add)
            var first = 0
            for cell in forecaster {
                let channels = first..<first + cell.output.channels.count
                add(MapCopy(numbers, from: cell.output, to: hidden[channels]))
                first = channels.upperBound
            }
        }
        let patches = plan.maps(output.convolution.features, height, width)
        operations.append(MapConvolution(output, numbers, from: hidden.all, to: patches.all, isRectified: false))
        operations.append(
            Unpatching(numbers, patches, ends.next, options.patch, isSquashed: options.loss == .crossEntropy))
        return StepParts(operations: operations, cleared: [hidden, patches], cells: cells)
    }
}

/// An operation that acts at some steps only.
private final class StepsOnly: VideoOperation {
    private let operation: VideoOperation
    private let steps: Range<Int>

    init(_ numbers: UnsafeMutablePointer<Float>, _ operation: VideoOperation, from: Int, to: Int) {
        (self.operation, steps) = (operation, from..<to)
        super.init(numbers)
    }

    override func begin() { operation.begin() }
    override func beginBackward() { operation.beginBackward() }
    override func forward(_ t: Int) { if steps.contains(t) { operation.forward(t) } }
    override func backward(_ t: Int, _ gradients: UnsafeMutablePointer<Float>) {
        if steps.contains(t) { operation.backward(t, gradients) }
    }
    override func finishBackward(_ gradients: UnsafeMutablePointer<Float>) { operation.finishBackward(gradients) }
}

/// The states of some LSTMs after a step become those with which as many others begin it. What those give is 0 before.
private final class StateHandover: VideoOperation {
    private let givers: [MapLSTM]
    private let takers: [MapLSTM]
    private let given: PlanarMaps

    init(
        _ numbers: UnsafeMutablePointer<Float>, _ givers: [MapLSTM], _ takers: [MapLSTM], _ given: PlanarMaps
    ) {
        (self.givers, self.takers, self.given) = (givers, takers, given)
        super.init(numbers)
    }

    override func begin() { given.clear() }

    override func forward(_ t: Int) {
        for (giver, taker) in zip(givers, takers) { taker.takeState(of: giver, after: t) }
    }

    override func backward(_ t: Int, _ gradients: UnsafeMutablePointer<Float>) {
        for (giver, taker) in zip(givers, takers) { taker.giveStateGradient(to: giver) }
    }
}
