/// A convolution with stride 1, k odd and zeros around, over maps of a shard's samples, [C, N, H, W], at the steps of a
/// sequence, on one thread: y = W ∗ x + b, its way back to x, and the gradient of W summed over the steps.
///
/// Of the forms that the filters can take, by Winograd's transforms or as written, the one is taken that `PlanarCost` says is the
/// cheapest. The gradient of W adds up at the places of the tiles, and is transformed once. The values of x are made again on
/// the way back: that takes less time than to write n²/m² times as many numbers to memory and to read them there, so
/// training holds no more than x, which must stay as it was. No result depends on anything but shapes and numbers.
final class PlanarConvolution {
    let channels: Int
    let features: Int
    let steps: Int
    let trains: Bool
    let winograd: Winograd
    /// What the form was chosen by.
    let cost: PlanarCost
    private var tiles: PlanarTiles
    /// Rows of the values of a product, and vectors from a place to the next: an odd number, since places a power of two apart
    /// share few sets of a first-level cache.
    private let depth: Int
    private let valueStride: Int
    private let productStride: Int
    /// Panels that are transformed and multiplied at a time, and those whose values and gradients are held until there are
    /// enough of them for the gradient of W.
    private let group: Int
    private let most: Int
    private let values: Buffer<Lanes>
    private let products: Buffer<Lanes>
    private let dValues: Buffer<Lanes>
    /// ∂L/∂U, [place][F][depth], or [place][depth][F] where that has whole vectors.
    private let sums: Buffer<Float>
    private let isTurned: Bool
    private let samples: Buffer<Lanes>
    private let transform: FilterTransform
    private let transformScratch: Buffer<Lanes>
    private let inputs: Buffer<UnsafePointer<Float>?>
    private var held = 0

    /// `steps` are those of the longest sequence; without `trains` there is no way back. `channelStride` are the numbers from a
    /// channel's maps to those of the next, in all maps, N·H·W where nothing is said. A form may be asked for.
    init(
        channels: Int, features: Int, size: Int, samples: Int, height: Int, width: Int, steps: Int, trains: Bool,
        channelStride: Int? = nil, form: Winograd? = nil
    ) {
        let area = samples * height * width
        require(
            channels > 0 && features > 0 && size > 0 && size % 2 == 1 && area > 0 && steps > 0
                && (channelStride ?? area) >= area,
            "a planar convolution needs an odd filter size and 1 or more of everything; found \(channels) channels, "
                + "\(features) features, filters of \(size), \(samples) samples of \(height) by \(width), \(steps) steps "
                + "and \(channelStride ?? area) numbers a channel")
        (self.channels, self.features, self.steps, self.trains) = (channels, features, steps, trains)
        let shape = PlanarCost.Shape(
            channels: channels, features: features, size: size, samples: samples, height: height, width: width,
            trains: trains)
        cost = form.map { PlanarCost(shape, $0) } ?? PlanarCost.least(shape)
        winograd = cost.form
        tiles = PlanarTiles(
            winograd, samples: samples, height: height, width: width, trains: trains,
            channelStride: channelStride ?? area)
        depth = winograd.depth(channels: channels)
        (valueStride, productStride) = (depth | 1, features | 1)
        group = min(tiles.panels, BlockSizes.planarPanels)
        let sumCount = winograd.products * features * depth
        most = trains ? max(group, sumCount > BlockSizes.planarSums ? BlockSizes.heldPanels : 1) : group
        values = Buffer(most * winograd.products * valueStride)
        products = Buffer(most * winograd.products * productStride)
        dValues = Buffer(trains ? group * winograd.products * valueStride : 0)
        sums = Buffer(trains ? sumCount : 0)
        isTurned = depth % Lanes.width != 0 && features % Lanes.width == 0
        self.samples = Buffer(trains ? outerProductScratch : 0)
        transform = FilterTransform(winograd)
        transformScratch = Buffer(trains ? transform.scratch : 0)
        inputs = Buffer(steps)
    }

    var text: String { "\(channels) channels, \(features) features and filters of \(winograd.size)" }

    /// Goes on with the first samples, `count` at least: as many more as fill vectors of tiles, and these must have zeros.
    func use(samples count: Int) { tiles.use(min(tiles.filling(count), tiles.samples)) }
    /// Samples in use.
    var used: Int { tiles.used }

    /// y = W ∗ x + b of step t. O(F·C·n²) a tile. x must stay as it is until the way back of the step, of a shard that trains.
    func forward(
        _ filters: PlanarFilters, _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, step t: Int
    ) {
        if held > 0 { addHeld() }
        inputs.pointer[t] = x
        let matrix = filters.matrices(winograd).matrix
        forEachGroup(from: 0) { range in
            tiles.transform(x, channels: channels, range, into: values.pointer, stride: valueStride)
            multiply(
                matrix, rows: features, depth: depth, values.pointer, valueStride, into: products.pointer,
                productStride, panels: range.count)
            tiles.inverse(
                products.pointer, features: features, range, stride: productStride, into: y, bias: filters.bias)
            return 0
        }
    }

    /// From dy = ∂L/∂y of step t: adds ∂L/∂x to dx, and to what `addGradient` gives.
    func backward(
        _ filters: PlanarFilters, _ dy: UnsafePointer<Float>, addingTo dx: UnsafeMutablePointer<Float>?, step t: Int
    ) {
        guard let x = inputs.pointer[t] else { misuse("step \(t) of a convolution goes back, but never went forward") }
        let transposed = filters.matrices(winograd).transposed
        forEachGroup(from: held) { range in
            let values = values.pointer + held &* winograd.products &* valueStride
            let products = products.pointer + held &* winograd.products &* productStride
            tiles.transform(x, channels: channels, range, into: values, stride: valueStride)
            tiles.inverseAdjoint(dy, features: features, range, into: products, stride: productStride)
            if let dx {
                multiply(
                    transposed, rows: depth, depth: features, products, productStride, into: dValues.pointer,
                    valueStride, panels: range.count)
                tiles.transformAdjoint(
                    dValues.pointer, channels: channels, range, stride: valueStride, addingTo: dx)
            }
            held += range.count
            if held == most { addHeld() }
            return held
        }
    }

    /// dW += the gradients of all steps since the last call, [F, C, k, k].
    func addGradient(to dw: UnsafeMutablePointer<Float>) {
        if held > 0 { addHeld() }
        let (rows, columns) = isTurned ? (depth, features) : (features, depth)
        if winograd.isDirect {
            for r in 0..<rows {
                let (source, target) = (sums.pointer + r * columns, dw + (isTurned ? r : r * depth))
                let spacing = isTurned ? depth : 1
                for c in 0..<columns { target[c &* spacing] += source[c] }
            }
        } else {
            let area = winograd.size * winograd.size
            for r in 0..<rows {
                for c in stride(from: 0, to: columns, by: Lanes.width) {
                    let filter = isTurned ? c * channels + r : r * channels + c
                    transform.applyAdjoint(
                        sums.pointer + r * columns + c, count: min(Lanes.width, columns - c), stride: rows * columns,
                        addingTo: dw + filter * area, spacing: isTurned ? channels * area : area,
                        scratch: transformScratch.pointer)
                }
            }
        }
        sums.clear()
    }

    /// Calls `body` with the panels of the maps, a group at a time, or fewer where there is no room beside those that
    /// are held; it says how many are then.
    @inline(__always)
    private func forEachGroup(from held: Int, _ body: (Range<Int>) -> Int) {
        var (first, held) = (0, held)
        while first < tiles.panels {
            let range = first..<min(first + min(group, most - held), tiles.panels)
            held = body(range)
            first = range.upperBound
        }
    }

    /// A product at every place.
    private func multiply(
        _ matrices: UnsafePointer<Float>, rows: Int, depth: Int, _ x: Panel, _ xStride: Int, into y: Panel,
        _ yStride: Int, panels: Int
    ) {
        let count = winograd.products
        for place in 0..<count {
            let matrix = matrices + place &* rows &* depth
            for p in 0..<panels {
                multiplyColumnPanel(
                    rows: rows, depth: depth, packed: matrix, floats(x + (p &* count &+ place) &* xStride),
                    floats(y + (p &* count &+ place) &* yStride), Lanes.width, accumulate: false)
            }
        }
    }

    /// ∂L/∂U += Σ dM Vᵀ of the panels that are held.
    private func addHeld() {
        let count = winograd.products
        for place in 0..<count {
            let dy = PanelSequence(pointer: products.pointer + place &* productStride, stride: count &* productStride)
            let x = PanelSequence(pointer: values.pointer + place &* valueStride, stride: count &* valueStride)
            let (rows, columns) = isTurned ? (depth, features) : (features, depth)
            accumulateOuterProducts(
                isTurned ? x : dy, rows: rows, isTurned ? dy : x, columns: columns, count: held,
                scratch: samples.pointer, into: sums.pointer + place &* rows &* columns)
        }
        held = 0
    }
}
