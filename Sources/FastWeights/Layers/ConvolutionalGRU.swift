extension Layer {
    /// The convolutional GRU (Ballas et al. 2016, arXiv 1511.06432): h is C = `channels` maps, gates are convolutions of x and h
    /// with filters of `kernel` rows and columns, odd numbers, in the order r z n; · is the product number by number:
    ///
    ///     r = σ(W_ir ∗ x + b_ir + W_hr ∗ h + b_hr)
    ///     z = σ(W_iz ∗ x + b_iz + W_hz ∗ h + b_hz)
    ///     n = tanh(W_in ∗ x + b_in + r·(W_hn ∗ h + b_hn)),   or with `resetsFirst`   tanh(W_in ∗ x + b_in + W_hn ∗ (r·h))
    ///     h = (1 - z)·n + z·h
    ///
    /// The reset gate acts behind the convolution, as in PyTorch's `nn.GRU`; in the paper it acts first, and then there are no
    /// b_hr, b_hz and b_hn.
    ///
    /// Reads I maps at every step and gives C of as many rows and columns. Parameters, k the rows and l the columns of a filter:
    /// `weight_ih_l0` [3·C, I, k, l], `weight_hh_l0` [3·C, C, k, l], `bias_ih_l0` and `bias_hh_l0` [3·C], first values uniform in
    /// ±1/√((I + C)·k·l). The state is h, [C, H, W]. O(C·(I + C)·k·l·H·W) per step and sequence.
    public static func convolutionalGRU(
        _ channels: Int, kernel: MapSize, resetsFirst: Bool = false, hasBias: Bool = true
    ) -> Layer {
        Layer(
            ConvolutionalGRULayer(
                CellFilters(channels: channels, size: kernel, hasBias: hasBias), resetsFirst: resetsFirst))
    }
}

/// The convolutional GRU; the equations stand at `Layer.convolutionalGRU`.
final class ConvolutionalGRULayer: LayerKind {
    let filters: CellFilters
    let resetsFirst: Bool

    init(_ filters: CellFilters, resetsFirst: Bool) { (self.filters, self.resetsFirst) = (filters, resetsFirst) }

    init(_ reader: ConfigurationReader) throws(ConfigurationError) {
        (filters, resetsFirst) = (try CellFilters(reader), try reader.flag("resets_first", default: false))
    }

    var name: String { "convolutional_gru" }
    var options: [JSON.Member] { filters.members + [JSON.Member("resets_first", resetsFirst)] }

    func problem(reading input: LayerShape) -> String? { filters.problem(reading: input, gates: 3) }

    func placed(_ input: LayerInput, _ scope: inout ParameterScope) -> PlacedLayer {
        scope.within(suffix: scope.cellSuffix, isRecurrent: true) {
            PlacedConvolutionalGRU(filters, resetsFirst: resetsFirst, input.shape, &$0)
        }
    }
}

private final class PlacedConvolutionalGRU: PlacedConvolutionalCell {
    let resetsFirst: Bool
    /// bias_hh [3·C], where the reset gate acts on one.
    private(set) var recurrentBias: Parameter?

    init(_ filters: CellFilters, resetsFirst: Bool, _ input: LayerShape, _ scope: inout ParameterScope) {
        self.resetsFirst = resetsFirst
        super.init(filters, gates: 3, letters: ["h"], input, &scope)
        guard filters.hasBias && !resetsFirst else { return }
        let limit = 1 / Float(ofInput.depth + ofState.depth).squareRoot()
        recurrentBias = scope.add(
            "bias_hh", 3 * filters.channels, first: .uniform(limit),
            parts: [Int](repeating: filters.channels, count: 3))
    }

    /// Of r and z together, and of the candidate, whose product stands apart.
    override var recurrentSets: [(convolution: Convolution, weight: Parameter, first: Int)] {
        let (C, depth) = (filters.channels, ofState.depth)
        return [
            (ofState.with(features: 2 * C), recurrentWeight, 0),
            (ofState.with(features: C), recurrentWeight, 2 * C * depth),
        ]
    }

    override func pass(_ weights: LayerWeights, _ input: PassInput, _ plan: PassPlan) -> LayerPass {
        ConvolutionalGRUPass(self, unsafeDowncast(weights, to: FilterWeights.self), input, plan)
    }
}

private final class ConvolutionalGRUPass: ConvolutionalCellPass {
    private let placed: PlacedConvolutionalGRU
    private let ofGates: FilterProducts
    private let ofCandidate: FilterProducts
    /// The first number of W_hn in weight_hh.
    private let candidateWeight: Int
    /// W_hn ∗ h + b_hn at each step, on the way back its gradient; or r·h where that comes first.
    private let candidate: PanelSequence
    /// ∂L/∂(r·h).
    private let dReset: Panel

    init(_ cell: PlacedConvolutionalGRU, _ weights: FilterWeights, _ input: PassInput, _ plan: PassPlan) {
        let arena = Arena()
        placed = cell
        let sets = cell.recurrentSets
        ofGates = FilterProducts(sets[0].convolution, trains: plan.trains, arena: arena)
        ofCandidate = FilterProducts(sets[1].convolution, trains: plan.trains, arena: arena)
        candidateWeight = sets[1].first
        candidate = arena.panels(plan.steps, rows: cell.hidden, kept: plan.trains)
        dReset = arena.panels(1, rows: plan.trains && cell.resetsFirst ? cell.hidden : 0)[0]
        super.init(cell, weights, input, plan, memory: 0, arena: arena)
    }

    override func step(_ t: Int) {
        let (r, previous, y) = (projections[t], h[t], h[t + 1])
        let (z, n) = (r + hidden, r + 2 * hidden)
        if t >= firstProduct { ofGates.add(weights.filters(1), previous, to: r) }
        if placed.resetsFirst {
            applyGate(r, count: 2 * hidden)
            let reset = candidate[t]
            for k in 0..<hidden { reset[k] = r[k] * previous[k] }
            if t >= firstProduct { ofCandidate.add(weights.filters(2), reset, to: n) }
        } else {
            let hn = candidate[t]
            addRecurrentBias(r, hn)
            if t >= firstProduct { ofCandidate.add(weights.filters(2), previous, to: hn) }
            applyGate(r, count: 2 * hidden)
            for k in 0..<hidden { n[k] = n[k].mad(r[k], hn[k]) }
        }
        applyTanh(n, into: n, count: hidden)
        for k in 0..<hidden { y[k] = n[k].mad(z[k], previous[k] - n[k]) }
        hold(y, previous, at: t)
    }

    /// b_hr and b_hz are added to the projections, and hn becomes b_hn.
    private func addRecurrentBias(_ r: Panel, _ hn: Panel) {
        guard let parameter = placed.recurrentBias else { return hn.update(repeating: .zero, count: hidden) }
        let (bias, C, area) = (numbers(parameter), cell.filters.channels, cell.area)
        for c in 0..<2 * C { for k in c * area..<(c + 1) * area { r[k] += bias[c] } }
        fillChannels(hn, channels: C, area: area, with: bias + 2 * C)
    }

    override func stepBack(_ t: Int, _ gradients: UnsafeMutablePointer<Float>) {
        let (r, previous, dy, dPrevious) = (projections[t], h[t], dh[t + 1], dh[t])
        let (z, n, kept) = (r + hidden, r + 2 * hidden, candidate[t])
        for k in 0..<hidden {
            let (d, update, new) = (dy[k], z[k], n[k])
            n[k] = d * (1 - update) * (1 - new * new)
            z[k] = d * (previous[k] - new) * update * (1 - update)
            dPrevious[k] = dPrevious[k].mad(d, update)
        }
        let weight = gradients[cell.recurrentWeight] + candidateWeight
        if placed.resetsFirst {
            dReset.update(repeating: .zero, count: hidden)
            if t >= firstProduct {
                ofCandidate.addGradient(n, kept, scratch: scratch, to: weight)
                ofCandidate.addTransposed(weights.filters(2), n, to: dReset)
            }
            for k in 0..<hidden {
                let reset = r[k]
                dPrevious[k] = dPrevious[k].mad(dReset[k], reset)
                r[k] = dReset[k] * previous[k] * reset * (1 - reset)
            }
        } else {
            for k in 0..<hidden {
                let (reset, hn) = (r[k], kept[k])
                r[k] = n[k] * hn * reset * (1 - reset)
                kept[k] = n[k] * reset
            }
            if t >= firstProduct {
                ofCandidate.addGradient(kept, previous, scratch: scratch, to: weight)
                ofCandidate.addTransposed(weights.filters(2), kept, to: dPrevious)
            }
            addRecurrentBiasGradient(r, kept, gradients)
        }
        guard t >= firstProduct else { return }
        ofGates.addGradient(r, previous, scratch: scratch, to: gradients[cell.recurrentWeight])
        ofGates.addTransposed(weights.filters(1), r, to: dPrevious)
    }

    private func addRecurrentBiasGradient(_ r: Panel, _ hn: Panel, _ gradients: UnsafeMutablePointer<Float>) {
        guard let bias = placed.recurrentBias else { return }
        let C = cell.filters.channels
        accumulateChannelSums(r, channels: 2 * C, area: cell.area, into: gradients[bias])
        accumulateChannelSums(hn, channels: C, area: cell.area, into: gradients[bias] + 2 * C)
    }
}
