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
final class VideoNetwork: @unchecked Sendable {
    let configuration: VideoConfiguration
    let scope: ParameterScope
    private let convolutions: [MapConvolution.Placed]
    private let transposed: [MapConvolution.Placed]
    let lstms: [MapLSTM.Placed]
    private let norms: [MapNorm.Placed]
    private let outerNorms: [MapNorm.Placed]
    private let state: VectorProduct.Placed?
    let head: HeadLayers

    /// Traps on a configuration that cannot be.
    init(_ configuration: VideoConfiguration) {
        if let problem = configuration.problem { misuse(problem) }
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
        func lstm(_ number: Int, _ inputs: Int, at halvings: Int) -> (MapLSTM.Placed, MapNorm.Placed) {
            let ((height, width), hidden) = (sizes(halvings), w[number - 1])
            let convolution = Convolution(
                channels: inputs + hidden, features: 4 * hidden,
                rows: FilterAxis(reading: height, size: c.gateSize, stride: 1, nil),
                columns: FilterAxis(reading: width, size: c.gateSize, stride: 1, nil))
            let weights = scope.addConvolution(
                "lstm\(number)", convolution, isTransposed: false, hasBias: true, gates: 4)
            return (
                MapLSTM.Placed(convolution: convolution, weight: weights.weight, bias: weights.bias!),
                scope.addMapNorm("norm\(number)", hidden)
            )
        }
        let conv0 = convolution("conv0", c.channels, w[0], 5, stride: 2, at: 0, hasBias: false)
        let norm0 = scope.addMapNorm("conv0.norm", w[0])
        let (lstm1, lstm2) = (lstm(1, w[0], at: 1), lstm(2, w[0], at: 1))
        let conv1 = convolution("conv1", w[1], w[1], 3, stride: 2, at: 1)
        let (lstm3, lstm4) = (lstm(3, w[1], at: 2), lstm(4, w[2], at: 2))
        let conv2 = convolution("conv2", w[3], w[3], 3, stride: 2, at: 2)
        let conv3 = convolution("conv3", w[3] + c.actions + c.states, w[3], 1, stride: 1, at: 3)
        let lstm5 = lstm(5, w[3], at: 3)
        let convt1 = larger("convt1", w[4], at: 3)
        let lstm6 = lstm(6, w[4], at: 2)
        let convt2 = larger("convt2", w[5] + w[1], at: 2)
        let lstm7 = lstm(7, w[5] + w[1], at: 1)
        let convt3 = larger("convt3", w[6] + w[0], at: 1, hasBias: false)
        let norm8 = scope.addMapNorm("convt3.norm", w[6] + w[0])
        state =
            c.states > 0 ? scope.addProduct("state", inputs: c.actions + c.states, outputs: c.states) : nil
        head = HeadLayers(c, flattened: w[4] * (c.height / 8) * (c.width / 8), maps: w[6] + w[0], &scope)
        convolutions = [conv0, conv1, conv2, conv3]
        transposed = [convt1, convt2, convt3]
        let layers = [lstm1, lstm2, lstm3, lstm4, lstm5, lstm6, lstm7]
        (lstms, norms, outerNorms) = (layers.map { $0.0 }, layers.map { $0.1 }, [norm0, norm8])
        self.configuration = configuration
        self.scope = scope
    }

    var layout: Parameters.Layout { scope.layout }

    /// The operations of a step in their order, the maps whose gradients begin with 0 at each, and its LSTMs.
    func operations(
        _ weights: VideoWeights, _ plan: VideoPlan,
        _ ends: (input: PlanarMaps, command: PlanarMaps, next: PlanarMaps, nextState: PlanarMaps)
    ) -> (operations: [VideoOperation], cleared: [PlanarMaps], cells: [MapLSTM]) {
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
            let source = plan.maps(
                placed.convolution.channels, c.height >> halvings, c.width >> halvings, ahead: 1)
            return MapLSTM(placed, weights.gates[k], numbers, source, plan)
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
        return (
            operations + made.operations,
            [raw, deep, deeper, small, deepest, first, second, wide, last] + made.cleared, cells
        )
    }
}

extension ParameterScope {
    /// Adds the filters of a convolution, `<name>.weight`, first values uniform in ±√(6 / (inputs + outputs)) as Glorot and
    /// Bengio have it, and `<name>.bias` of zeros. Those of several gates are drawn together.
    mutating func addConvolution(
        _ name: String, _ convolution: Convolution, isTransposed: Bool, hasBias: Bool, gates: Int = 1
    ) -> MapConvolution.Placed {
        let filter = convolution.rows.size * convolution.columns.size
        let limit = (6 / Float((convolution.channels + convolution.features) * filter)).squareRoot()
        let sizes = convolution.filterSizes
        let parts = gates > 1 ? [Int](repeating: sizes.reduce(1, *) / gates, count: gates) : nil
        let weight = add("\(name).weight", sizes, first: .uniform(limit), parts: parts)
        let outputs = isTransposed ? convolution.channels : convolution.features
        return MapConvolution.Placed(
            convolution: convolution, isTransposed: isTransposed, weight: weight,
            bias: hasBias ? add("\(name).bias", outputs, first: .constant(0)) : nil)
    }

    /// Adds gain and bias of a layer norm over maps, a number a channel.
    mutating func addMapNorm(_ name: String, _ channels: Int) -> MapNorm.Placed {
        MapNorm.Placed(
            gain: add("\(name).weight", channels, first: .constant(1)),
            bias: add("\(name).bias", channels, first: .constant(0)))
    }

    /// Adds a product of a vector of each sample.
    mutating func addProduct(
        _ name: String, inputs: Int, outputs: Int, weight: FirstValue? = nil, bias: FirstValue = .constant(0)
    ) -> VectorProduct.Placed {
        let limit = (6 / Float(inputs + outputs)).squareRoot()
        return VectorProduct.Placed(
            inputs: inputs, outputs: outputs,
            weight: add("\(name).weight", outputs, inputs, first: weight ?? .uniform(limit)),
            bias: add("\(name).bias", outputs, first: bias))
    }
}
