// What recurrent layers of maps share: their gates are a convolution of x and one of h, which keep rows and columns of the maps.

/// The options that they have in common.
struct CellFilters: Sendable {
    /// C, maps of h.
    let channels: Int
    /// Rows and columns of a filter, odd numbers.
    let size: MapSize
    let hasBias: Bool

    init(channels: Int, size: MapSize, hasBias: Bool) {
        (self.channels, self.size, self.hasBias) = (channels, size, hasBias)
    }

    init(_ reader: ConfigurationReader) throws(ConfigurationError) {
        (channels, size) = (try reader.count("channels"), try reader.mapSize("size"))
        hasBias = try reader.flag("bias", default: true)
    }

    var members: [JSON.Member] {
        [
            JSON.Member("channels", channels), JSON.Member(key: "size", value: size.json),
            JSON.Member("bias", hasBias),
        ]
    }

    /// Why a layer with so many gates cannot read values of a shape; nil if it can.
    func problem(reading input: LayerShape, gates: Int) -> String? {
        guard input.isPerStep, let maps = input.maps else {
            return "it needs maps of numbers at every step, found \(input.text)"
        }
        guard (1...sizeLimit).contains(channels) else {
            return "it needs from 1 to \(sizeLimit) channels, found \(channels)"
        }
        let sides = 1...sizeLimit
        guard sides.contains(size.height), sides.contains(size.width), size.height % 2 == 1, size.width % 2 == 1 else {
            return
                "its filters have an odd number of rows and of columns, from 1 to \(sizeLimit - 1), so that maps keep "
                + "theirs; found \(size.text)"
        }
        guard elementCount([gates, channels, maps.channels + channels, size.height, size.width]) != nil,
            elementCount([gates, channels, maps.height, maps.width]) != nil
        else {
            return
                "\(channels) channels and filters of \(size.text) over \(input.text) are more numbers than there can be"
        }
        return nil
    }

    /// The convolution that makes the maps of so many gates of `channels` maps.
    func convolution(of maps: MapShape, channels: Int, gates: Int) -> Convolution {
        Convolution(
            channels: channels, features: gates * self.channels,
            rows: FilterAxis(reading: maps.height, size: size.height, stride: 1, nil),
            columns: FilterAxis(reading: maps.width, size: size.width, stride: 1, nil))
    }
}

/// A recurrent layer of maps in its place: parameters named and shaped as PyTorch would.
class PlacedConvolutionalCell: PlacedLayer {
    let filters: CellFilters
    /// Gates.
    let gates: Int
    /// Of x, I maps, and of h, C maps: both give G·C maps.
    let ofInput: Convolution
    let ofState: Convolution
    /// weight_ih [G·C, I, k, k].
    let inputWeight: Parameter
    /// weight_hh [G·C, C, k, k].
    let recurrentWeight: Parameter
    /// bias_ih [G·C].
    let inputBias: Parameter?
    private let parts: [StatePart]

    /// `letters` are the parts of the state, C maps each; `bias` is what bias_ih begins with where not uniform as the weights.
    init(
        _ filters: CellFilters, gates: Int, letters: [String], bias: FirstValue? = nil, _ input: LayerShape,
        _ scope: inout ParameterScope
    ) {
        let (maps, channels) = (input.maps!, filters.channels)
        (self.filters, self.gates) = (filters, gates)
        ofInput = filters.convolution(of: maps, channels: maps.channels, gates: gates)
        ofState = filters.convolution(of: maps, channels: channels, gates: gates)
        let first = FirstValue.uniform(1 / Float(ofInput.depth + ofState.depth).squareRoot())
        func parts(_ count: Int) -> [Int] { [Int](repeating: channels * count, count: gates) }
        inputWeight = scope.add("weight_ih", ofInput.filterSizes, first: first, parts: parts(ofInput.depth))
        recurrentWeight = scope.add("weight_hh", ofState.filterSizes, first: first, parts: parts(ofState.depth))
        inputBias =
            filters.hasBias ? scope.add("bias_ih", gates * channels, first: bias ?? first, parts: parts(1)) : nil
        let state = MapShape(channels: channels, height: maps.height, width: maps.width)
        self.parts = scope.named(letters.map { StatePart(letter: $0, sizes: state.sizes) })
        super.init(input, LayerShape(values: .numbers(state)))
    }

    final override var state: [StatePart] { parts }
    final override var givesState: Bool { true }
    final override var prefersLanes: Bool { true }
    final override var multiplications: Int { ofInput.multiplications + ofState.multiplications }
    /// Numbers of a gate, and of h.
    final var hidden: Int { output.count }
    /// Numbers of a map.
    final var area: Int { ofState.output.area }
    /// The maps of all gates.
    final var gateMaps: MapShape { ofState.output }

    /// Sets of filters that `FilterWeights` packs, behind that of x.
    var recurrentSets: [(convolution: Convolution, weight: Parameter, first: Int)] { [(ofState, recurrentWeight, 0)] }

    final override func weights(_ block: Parameters) -> LayerWeights {
        FilterWeights(self, block, [(ofInput, inputWeight, 0)] + recurrentSets)
    }
}

/// A recurrent layer of maps over T steps of one block of sixteen sequences. A subclass makes h(t) of the projections of
/// step t, W_ih ∗ x(t) + b_ih, and on the way back their gradients of ∂L/∂h(t).
class ConvolutionalCellPass: RecurrentPass {
    let cell: PlacedConvolutionalCell
    let weights: FilterWeights
    /// Of each step W_ih ∗ x + b_ih, then the gates, at last ∂L/∂(W_ih ∗ x + b_ih); to run forward alone, of one.
    let projections: PanelSequence
    /// For `FilterProducts.addGradient`.
    let scratch: Panel
    private let input: PassInput
    private let ofInput: FilterProducts

    /// `memory` says how many parts the state has beside h.
    init(
        _ cell: PlacedConvolutionalCell, _ weights: FilterWeights, _ input: PassInput, _ plan: PassPlan, memory: Int,
        arena: Arena
    ) {
        (self.cell, self.weights, self.input, scratch) = (cell, weights, input, plan.scratch)
        projections = arena.panels(plan.steps, rows: cell.gateMaps.count, kept: plan.trains)
        ofInput = FilterProducts(cell.ofInput, trains: plan.trains, arena: arena)
        super.init(
            cell, hidden: cell.hidden, memory: plan.carry == .nothing ? 0 : memory * cell.hidden, plan, arena: arena)
    }

    /// What comes before the first step and behind the last, of a state beside h.
    func start() {}
    func finish() {}
    /// h(t) of the projections of step t.
    func step(_ t: Int) { misuse("each kind of cell has its own step") }

    /// What comes before the first step back and behind the last: gradients that add up in lanes.
    func startBack() {}
    func finishBack(_ gradients: UnsafeMutablePointer<Float>) {}
    /// From ∂L/∂h(t) in `dh[t + 1]`: adds the gradients of weight_hh and of what is the kind's own, adds to `dh[t]` what goes
    /// on to the step before, and leaves ∂L/∂(projections) in the place of the projections.
    func stepBack(_ t: Int, _ gradients: UnsafeMutablePointer<Float>) {
        misuse("each kind of cell has its own step back")
    }

    final override func forward(_ run: Run, _ range: Range<Int>) {
        if range.lowerBound == 0 {
            begin(run)
            start()
        }
        let filters = weights.filters()
        for t in range {
            weights.fill(projections[t], cell.gateMaps, with: cell.inputBias)
            ofInput.add(filters, input.x[t], to: projections[t])
            step(t)
        }
        if range.upperBound == steps { finish() }
    }

    final override func backward(_ run: Run, _ gradients: UnsafeMutablePointer<Float>) {
        beginBackward(run.block)
        startBack()
        let filters = weights.filters()
        for t in stride(from: steps - 1, through: 0, by: -1) {
            stepBack(t, gradients)
            let dz = projections[t]
            ofInput.addGradient(dz, input.x[t], scratch: scratch, to: gradients[cell.inputWeight])
            if let bias = cell.inputBias {
                accumulateChannelSums(
                    dz, channels: cell.gateMaps.channels, area: cell.area, into: gradients[bias])
            }
            // Where ∂L/∂x stands in the panel of x, that is read no more.
            guard let dx = input.dx.map({ $0[t] }) else { continue }
            dx.update(repeating: .zero, count: cell.input.count)
            ofInput.addTransposed(filters, dz, to: dx)
        }
        finishBack(gradients)
    }

    /// The numbers of a parameter.
    final func numbers(_ parameter: Parameter) -> UnsafePointer<Float> { UnsafePointer(weights.numbers[parameter]) }
}
