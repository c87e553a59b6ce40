/// The network of Finn, Goodfellow and Levine in its places: where its parameters stand, and the operations of a step.
///
///     e0 = LN(conv0 x)    5×5, half the size      n2 = LN(lstm2 LN(lstm1 e0))
///     e1 = conv1 n2       3×3, half the size      n4 = LN(lstm4 LN(lstm3 e1))
///     e2 = conv2 n4       3×3, half the size      n5 = LN(lstm5 (conv3 [e2, action, state]))
///     n6 = LN(lstm6 (convt1 n5))                  n7 = LN(lstm7 (convt2 [n6, e1]))
///     d3 = LN(convt3 [n7, e0])
///
/// all convolutions rectified. An LSTM carries its h as it is; the norm is of what goes on to the next layer. The head makes
/// of n5 and d3 the next frame.
final class MotionNetwork: VideoNetwork, @unchecked Sendable {
    private let convolutions: [MapConvolution.Placed]
    private let transposed: [MapConvolution.Placed]
    private let norms: [MapNorm.Placed]
    private let outerNorms: [MapNorm.Placed]
    private let state: VectorProduct.Placed?
    let head: HeadLayers

    init(_ configuration: VideoConfiguration) {
        let (c, w) = (configuration, configuration.widths)
        var scope = ParameterScope()
        /// The sizes after halving so often.
        func sizes(_ halvings: Int) -> (height: Int, width: Int) { (c.height >> halvings, c.width >> halvings) }
        func convolution(
            _ name: String, _ channels: Int, _ features: Int, _ size: Int, stride: Int, at halvings: Int,
            hasBias: Bool = true
        ) -> MapConvolution.Placed {
            let (height, width) = sizes(halvings)
            return scope.addConvolution(
                name,
                Convolution(
                    channels: channels, features: features,
                    rows: FilterAxis(reading: height, size: size, stride: stride, nil),
                    columns: FilterAxis(reading: width, size: size, stride: stride, nil)),
                isTransposed: false, hasBias: hasBias)
        }
        /// Twice as large, as many maps.
        func larger(_ name: String, _ channels: Int, at halvings: Int, hasBias: Bool = true) -> MapConvolution.Placed {
            let (height, width) = sizes(halvings)
            return scope.addConvolution(
                name,
                Convolution(
                    channels: channels, features: channels,
                    rows: FilterAxis(giving: height, size: 3, stride: 2, nil, extra: 0),
                    columns: FilterAxis(giving: width, size: 3, stride: 2, nil, extra: 0)),
                isTransposed: true, hasBias: hasBias)
        }
        func lstm(_ number: Int, _ inputs: Int) -> (MapLSTM.Placed, MapNorm.Placed) {
            let hidden = w[number - 1]
            let weight = scope.addGates("lstm\(number).weight", hidden, inputs + hidden, MapSize(c.gateSize))
            let filters = GateFilters.Placed(
                inputs: inputs, hidden: hidden,
                parts: [.init(weight: weight, channels: 0..<inputs + hidden, size: MapSize(c.gateSize))],
                bias: scope.add("lstm\(number).bias", 4 * hidden, first: .constant(0)), order: [0, 1, 2, 3])
            return (
                MapLSTM.Placed(filters: filters, forgetOffset: 1), scope.addMapNorm("norm\(number)", hidden)
            )
        }
        let conv0 = convolution("conv0", c.channels, w[0], 5, stride: 2, at: 0, hasBias: false)
        let norm0 = scope.addMapNorm("conv0.norm", w[0])
        let (lstm1, lstm2) = (lstm(1, w[0]), lstm(2, w[0]))
        let conv1 = convolution("conv1", w[1], w[1], 3, stride: 2, at: 1)
        let (lstm3, lstm4) = (lstm(3, w[1]), lstm(4, w[2]))
        let conv2 = convolution("conv2", w[3], w[3], 3, stride: 2, at: 2)
        let conv3 = convolution("conv3", w[3] + c.actions + c.states, w[3], 1, stride: 1, at: 3)
        let lstm5 = lstm(5, w[3])
        let convt1 = larger("convt1", w[4], at: 3)
        let lstm6 = lstm(6, w[4])
        let convt2 = larger("convt2", w[5] + w[1], at: 2)
        let lstm7 = lstm(7, w[5] + w[1])
        let convt3 = larger("convt3", w[6] + w[0], at: 1, hasBias: false)
        let norm8 = scope.addMapNorm("convt3.norm", w[6] + w[0])
        state =
            c.states > 0 ? scope.addProduct("state", inputs: c.actions + c.states, outputs: c.states) : nil
        head = HeadLayers(c, flattened: w[4] * (c.height / 8) * (c.width / 8), maps: w[6] + w[0], &scope)
        convolutions = [conv0, conv1, conv2, conv3]
        transposed = [convt1, convt2, convt3]
        let layers = [lstm1, lstm2, lstm3, lstm4, lstm5, lstm6, lstm7]
        (norms, outerNorms) = (layers.map { $0.1 }, [norm0, norm8])
        super.init(configuration, scope, layers.map { $0.0 })
    }

    override func operations(_ weights: VideoWeights, _ plan: VideoPlan, _ ends: StepEnds) -> StepParts {
        let (c, w, numbers) = (configuration, configuration.widths, weights.numbers)
        var operations: [VideoOperation] = []
        func maps(_ channels: Int, _ halvings: Int) -> PlanarMaps {
            plan.maps(channels, c.height >> halvings, c.width >> halvings)
        }
        func add(_ operation: VideoOperation) { operations.append(operation) }
        func convolve(
            _ placed: MapConvolution.Placed, _ source: PlanarRange, _ target: PlanarRange, isRectified: Bool = true
        ) {
            add(MapConvolution(placed, numbers, from: source, to: target, isRectified: isRectified))
        }
        func normalize(
            _ placed: MapNorm.Placed, _ source: PlanarRange, _ target: PlanarRange, isRectified: Bool = false
        ) {
            add(
                MapNorm(
                    placed, numbers, from: source, to: target, epsilon: c.epsilon, isRectified: isRectified,
                    slots: plan.steps))
        }
        let cells = lstms.enumerated().map { k, placed in
            let halvings = [1, 1, 2, 2, 3, 2, 1][k]
            return MapLSTM(
                placed, weights.gates[k], numbers, height: c.height >> halvings, width: c.width >> halvings, plan)
        }
        // What is read by two layers stands where the second reads it, beside what comes up from below.
        let (first, second) = (maps(w[6] + w[0], 1), maps(w[5] + w[1], 2))
        let (e0, e1) = (first[w[6]..<w[6] + w[0]], second[w[5]..<w[5] + w[1]])
        let (raw, deep, wide) = (maps(w[0], 1), maps(w[1], 1), maps(w[6] + w[0], 0))
        convolve(convolutions[0], ends.input.all, raw.all, isRectified: false)
        normalize(outerNorms[0], raw.all, e0, isRectified: true)
        add(MapCopy(numbers, from: e0, to: cells[0].input))
        add(cells[0])
        normalize(norms[0], cells[0].output, cells[1].input)
        add(cells[1])
        normalize(norms[1], cells[1].output, deep.all)
        convolve(convolutions[1], deep.all, e1)
        add(MapCopy(numbers, from: e1, to: cells[2].input))
        add(cells[2])
        normalize(norms[2], cells[2].output, cells[3].input)
        add(cells[3])
        let deeper = maps(w[3], 2)
        normalize(norms[3], cells[3].output, deeper.all)
        let small = maps(w[3] + c.actions + c.states, 3)
        convolve(convolutions[2], deeper.all, small[0..<w[3]])
        if c.actions + c.states > 0 {
            add(Tiling(numbers, from: ends.command.all, to: small[w[3]..<w[3] + c.actions + c.states]))
        }
        convolve(convolutions[3], small.all, cells[4].input)
        add(cells[4])
        let deepest = maps(w[4], 3)
        normalize(norms[4], cells[4].output, deepest.all)
        convolve(transposed[0], deepest.all, cells[5].input)
        add(cells[5])
        normalize(norms[5], cells[5].output, second[0..<w[5]])
        convolve(transposed[1], second.all, cells[6].input)
        add(cells[6])
        normalize(norms[6], cells[6].output, first[0..<w[6]])
        convolve(transposed[2], first.all, wide.all, isRectified: false)
        let last = maps(w[6] + w[0], 0)
        normalize(outerNorms[1], wide.all, last.all, isRectified: true)
        if let state { add(VectorProduct(state, numbers, from: ends.command.all, to: ends.nextState.all, plan)) }
        let made = head.operations(numbers, deepest.all, last.all, (ends.input, ends.next), plan)
        return StepParts(
            operations: operations + made.operations,
            cleared: [raw, deep, deeper, small, deepest, first, second, wide, last] + made.cleared, cells: cells)
    }
}
