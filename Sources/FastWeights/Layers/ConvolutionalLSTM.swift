extension Layer {
    /// The convolutional LSTM of Shi et al. 2015: h and c are C = `channels` maps, gates are convolutions of x and h with filters
    /// of `kernel` rows and columns, odd numbers. The equations stand at ``ConvolutionalLSTMOptions``; the order is i f g o.
    ///
    /// Reads I maps at every step and gives C of as many rows and columns. Parameters, k the rows and l the columns of a filter,
    /// H and W those of the maps: `weight_ih_l0` [4·C, I, k, l], `weight_hh_l0` [4·C, C, k, l] and `bias_ih_l0` [4·C], first
    /// values uniform in ±1/√((I + C)·k·l); of peepholes `weight_ci_l0`, `weight_cf_l0` and `weight_co_l0` [C, H, W], first 0; of
    /// the norms `norm_ih_weight_l0` and `norm_hh_weight_l0`, first 1, `norm_ih_bias_l0` and `norm_hh_bias_l0`, first 0,
    /// [4·C, H, W]. The state is h and c, [C, H, W] each. O(C·(I + C)·k·l·H·W) per step and sequence.
    public static func convolutionalLSTM(
        _ channels: Int, kernel: MapSize, _ options: ConvolutionalLSTMOptions = ConvolutionalLSTMOptions(),
        hasBias: Bool = true
    ) -> Layer {
        Layer(
            ConvolutionalLSTMLayer(CellFilters(channels: channels, size: kernel, hasBias: hasBias), options))
    }
}

/// The convolutional LSTM; the equations stand at `ConvolutionalLSTMOptions`.
final class ConvolutionalLSTMLayer: LayerKind {
    let filters: CellFilters
    let cellOptions: ConvolutionalLSTMOptions

    init(_ filters: CellFilters, _ options: ConvolutionalLSTMOptions) {
        (self.filters, cellOptions) = (filters, options)
    }

    init(_ reader: ConfigurationReader) throws(ConfigurationError) {
        (filters, cellOptions) = (try CellFilters(reader), try ConvolutionalLSTMOptions(reader))
    }

    var name: String { "convolutional_lstm" }
    var options: [JSON.Member] { filters.members + cellOptions.members }
    var unwrittenOptions: [String] { cellOptions.unwritten }

    func problem(reading input: LayerShape) -> String? {
        filters.problem(reading: input, gates: 4) ?? cellOptions.problem
    }

    func placed(_ input: LayerInput, _ scope: inout ParameterScope) -> PlacedLayer {
        scope.within(suffix: scope.cellSuffix, isRecurrent: true) {
            PlacedConvolutionalLSTM(filters, cellOptions, input.shape, &$0)
        }
    }
}

private final class PlacedConvolutionalLSTM: PlacedConvolutionalCell {
    let options: ConvolutionalLSTMOptions
    /// w_ci, w_cf and w_co.
    private(set) var peepholes: [Parameter] = []
    /// Gain and bias of each norm, of x and of h.
    private(set) var norms: [(gain: Parameter, bias: Parameter)] = []

    init(
        _ filters: CellFilters, _ options: ConvolutionalLSTMOptions, _ input: LayerShape,
        _ scope: inout ParameterScope
    ) {
        self.options = options
        let channels = filters.channels
        super.init(
            filters, gates: 4, letters: ["h", "c"],
            bias: options.forgetBias.map { .range(channels..<2 * channels, $0) }, input, &scope)
        if options.hasPeepholes {
            peepholes = ["ci", "cf", "co"].map {
                scope.add("weight_\($0)", output.maps!.sizes, first: .constant(0))
            }
        }
        if options.hasLayerNorm {
            norms = ["ih", "hh"].map {
                let parts = [Int](repeating: hidden, count: 4)
                let gain = scope.add("norm_\($0)_weight", gateMaps.sizes, first: .constant(1), parts: parts)
                return (gain, scope.add("norm_\($0)_bias", gateMaps.sizes, first: .constant(0), parts: parts))
            }
        }
    }

    override func pass(_ weights: LayerWeights, _ input: PassInput, _ plan: PassPlan) -> LayerPass {
        ConvolutionalLSTMPass(self, unsafeDowncast(weights, to: FilterWeights.self), input, plan)
    }
}

private final class ConvolutionalLSTMPass: ConvolutionalCellPass {
    private let placed: PlacedConvolutionalLSTM
    private let ofState: FilterProducts
    /// T + 1 panels of c, and T, or to run forward alone one, of tanh(c).
    private let cells: PanelSequence
    private let tanhCells: PanelSequence
    private let dCell: Panel
    /// Gradients of w_ci, w_cf and w_co, a lane each.
    private let dPeepholes: Panel
    /// Norms of x and of h; none without.
    private let norms: [MapNorm]
    /// W_hh ∗ h of a step, or its gradient, of a layer with norms.
    private let recurrent: Panel

    /// A layer norm over the maps of all gates.
    private struct MapNorm {
        let gain: Parameter
        let bias: Parameter
        /// ẑ and 1/σ of each step.
        let normalized: PanelSequence
        let scales: PanelSequence
        let gradients: LaneGradients
    }

    init(_ cell: PlacedConvolutionalLSTM, _ weights: FilterWeights, _ input: PassInput, _ plan: PassPlan) {
        let arena = Arena()
        let (rows, steps, trains, all) = (cell.hidden, plan.steps, plan.trains, cell.gateMaps.count)
        placed = cell
        ofState = FilterProducts(cell.ofState, trains: trains, arena: arena)
        cells = arena.panels(steps + 1, rows: rows)
        tanhCells = arena.panels(steps, rows: rows, kept: trains)
        dCell = arena.panels(1, rows: trains ? rows : 0)[0]
        dPeepholes = arena.panels(1, rows: trains ? cell.peepholes.count * rows : 0)[0]
        norms = cell.norms.map { gain, bias in
            MapNorm(
                gain: gain, bias: bias, normalized: arena.panels(steps, rows: all, kept: trains),
                scales: arena.panels(steps, rows: 1, kept: trains),
                gradients: arena.laneGradients(rows: trains ? all : 0))
        }
        recurrent = arena.panels(1, rows: cell.norms.isEmpty ? 0 : all)[0]
        super.init(cell, weights, input, plan, memory: 1, arena: arena)
    }

    override func start() { if let initialMemory { cells[0].update(from: initialMemory, count: hidden) } }
    override func finish() { finalMemory?.update(from: cells[steps], count: hidden) }

    override func step(_ t: Int) {
        let i = projections[t]
        addState(t, to: i)
        let (f, g, o) = (i + hidden, i + 2 * hidden, i + 3 * hidden)
        let (c, next, squashed, y) = (cells[t], cells[t + 1], tanhCells[t], h[t + 1])
        let (peepholes, offset) = (placed.peepholes, placed.options.forgetOffset)
        if !peepholes.isEmpty {
            let (ofInput, ofForget) = (numbers(peepholes[0]), numbers(peepholes[1]))
            for k in 0..<hidden {
                i[k] = i[k].mad(ofInput[k], c[k])
                f[k] = f[k].mad(ofForget[k], c[k])
            }
        }
        if offset != 0 { for k in 0..<hidden { f[k] += offset } }
        applyGate(i, count: 2 * hidden)
        applyTanh(g, into: g, count: hidden)
        for k in 0..<hidden { next[k] = (i[k] * g[k]).mad(f[k], c[k]) }
        if !peepholes.isEmpty {
            let ofOutput = numbers(peepholes[2])
            for k in 0..<hidden { o[k] = o[k].mad(ofOutput[k], next[k]) }
        }
        applyGate(o, count: hidden)
        applyTanh(next, into: squashed, count: hidden)
        for k in 0..<hidden { y[k] = o[k] * squashed[k] }
        hold(next, c, at: t)
        hold(y, h[t], at: t)
    }

    /// z += W_hh ∗ h(t-1), where both are normalized LN(z) + LN(W_hh ∗ h(t-1)).
    private func addState(_ t: Int, to z: Panel) {
        guard !norms.isEmpty else {
            if t >= firstProduct { ofState.add(weights.filters(1), h[t], to: z) }
            return
        }
        let count = cell.gateMaps.count
        recurrent.update(repeating: .zero, count: count)
        ofState.add(weights.filters(1), h[t], to: recurrent)
        applyNorm(norms[0], t, to: z)
        applyNorm(norms[1], t, to: recurrent)
        for r in 0..<count { z[r] += recurrent[r] }
    }

    /// z becomes gain·LN(z) + bias.
    private func applyNorm(_ norm: MapNorm, _ t: Int, to z: Panel) {
        let (count, normalized, gain, bias) = (
            cell.gateMaps.count, norm.normalized[t], numbers(norm.gain), numbers(norm.bias)
        )
        normalized.update(from: z, count: count)
        norm.scales[t].pointee = normalize(normalized, rows: count, epsilon: placed.options.epsilon)
        for r in 0..<count { z[r] = Lanes(repeating: bias[r]).mad(gain[r], normalized[r]) }
    }

    override func startBack() {
        dCell.update(repeating: .zero, count: hidden)
        dPeepholes.update(repeating: .zero, count: placed.peepholes.count * hidden)
        for norm in norms { norm.gradients.clear(rows: cell.gateMaps.count) }
    }

    override func stepBack(_ t: Int, _ gradients: UnsafeMutablePointer<Float>) {
        startMemoryGradient(dCell, at: t)
        let (i, dy, c, squashed) = (projections[t], dh[t + 1], cells[t], tanhCells[t])
        let (f, g, o) = (i + hidden, i + 2 * hidden, i + 3 * hidden)
        for k in 0..<hidden {
            let y = squashed[k]
            dCell[k] = dCell[k].mad(dy[k] * o[k], 1 - y * y)
            o[k] = dy[k] * y * o[k] * (1 - o[k])
        }
        if !placed.peepholes.isEmpty { passOutputPeepholes(o, cells[t + 1]) }
        for k in 0..<hidden {
            let d = dCell[k]
            let (a, b, e) = (i[k], f[k], g[k])
            i[k] = d * e * a * (1 - a)
            f[k] = d * c[k] * b * (1 - b)
            g[k] = d * a * (1 - e * e)
            dCell[k] = d * b
        }
        if !placed.peepholes.isEmpty { passInputPeepholes(i, f, c) }
        addStateGradient(t, i, gradients)
    }

    /// From ∂L/∂o, before its gate, to c(t) and w_co.
    private func passOutputPeepholes(_ o: Panel, _ next: Panel) {
        let (ofOutput, sum) = (numbers(placed.peepholes[2]), dPeepholes + 2 * hidden)
        for k in 0..<hidden {
            dCell[k] = dCell[k].mad(ofOutput[k], o[k])
            sum[k] = sum[k].mad(o[k], next[k])
        }
    }

    /// From ∂L/∂i and ∂L/∂f, before their gates, to c(t-1), w_ci and w_cf.
    private func passInputPeepholes(_ i: Panel, _ f: Panel, _ c: Panel) {
        let (ofInput, ofForget) = (numbers(placed.peepholes[0]), numbers(placed.peepholes[1]))
        let (inputSum, forgetSum) = (dPeepholes, dPeepholes + hidden)
        for k in 0..<hidden {
            dCell[k] = dCell[k].mad(ofInput[k], i[k]).mad(ofForget[k], f[k])
            inputSum[k] = inputSum[k].mad(i[k], c[k])
            forgetSum[k] = forgetSum[k].mad(f[k], c[k])
        }
    }

    /// From ∂L/∂(what `addState` gave) to h(t-1) and the weights, and to the projections, in their place.
    private func addStateGradient(_ t: Int, _ dz: Panel, _ gradients: UnsafeMutablePointer<Float>) {
        var dState = dz
        if !norms.isEmpty {
            dState = recurrent
            dState.update(from: dz, count: cell.gateMaps.count)
            differentiateNorm(norms[0], t, dz)
            differentiateNorm(norms[1], t, dState)
        }
        guard t >= firstProduct else { return }
        ofState.addGradient(dState, h[t], scratch: scratch, to: gradients[cell.recurrentWeight])
        ofState.addTransposed(weights.filters(1), dState, to: dh[t])
    }

    /// From ∂L/∂(gain·LN(z) + bias) to z, in its place, and to gain and bias.
    private func differentiateNorm(_ norm: MapNorm, _ t: Int, _ d: Panel) {
        normalizeBackward(
            d, norm.normalized[t], norm.scales[t].pointee, rows: cell.gateMaps.count, gain: numbers(norm.gain),
            norm.gradients)
    }

    override func finishBack(_ gradients: UnsafeMutablePointer<Float>) {
        dMemory?.update(from: dCell, count: hidden)
        for (p, peephole) in placed.peepholes.enumerated() {
            let (sum, target) = (dPeepholes + p * hidden, gradients[peephole])
            for k in 0..<hidden { target[k] += sum[k].laneSum }
        }
        for norm in norms {
            norm.gradients.add(
                rows: cell.gateMaps.count, toGain: gradients[norm.gain], bias: gradients[norm.bias])
        }
    }
}
