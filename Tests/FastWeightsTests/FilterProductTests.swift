import Testing

@testable import FastWeights

/// The products of convolutions with panels: places, zeros, and that each is the other's way back.
@Suite struct FilterProductTests {
    private static func axis(_ n: Int, _ size: Int, _ stride: Int, _ padding: FilterAxis.Padding?) -> FilterAxis {
        FilterAxis(reading: n, size: size, stride: stride, padding)
    }

    /// What TensorFlow gives: 5×5 filters with a stride of 2 over even sizes have one zero before and two behind, 3×3 filters
    /// none and one.
    @Test func samePutsTheGreaterHalfBehind() {
        for (n, size, stride, before, output) in [
            (8, 5, 2, 1, 4), (8, 3, 2, 0, 4), (7, 3, 2, 1, 4), (7, 5, 1, 2, 7), (6, 4, 1, 1, 6), (7, 2, 3, 0, 3),
            (1, 9, 1, 4, 1), (10, 1, 3, 0, 4),
        ] {
            let axis = Self.axis(n, size, stride, nil)
            #expect(axis.before == before && axis.output == output, "\(n), \(size), \(stride)")
        }
        #expect(Self.axis(8, 3, 2, nil).reachesOutside && !Self.axis(7, 1, 3, nil).reachesOutside)
        let sides = Self.axis(8, 3, 2, FilterAxis.Padding(before: 0, behind: 1))
        #expect(sides.before == 0 && sides.output == 4 && sides.reachesOutside)
    }

    /// A transposed convolution gives maps of which its convolution has as many places as it was given.
    @Test func transposedSizesComeBack() {
        for n in 1...5 {
            for (size, stride) in [(3, 2), (5, 2), (2, 3), (1, 1), (4, 1), (3, 4)] {
                for extra in 0..<stride {
                    let padding = FilterAxis.Padding(before: size / 2, behind: (size - 1) / 2)
                    let given = FilterAxis(giving: n, size: size, stride: stride, padding, extra: extra)
                    guard given.input > 0 else { continue }
                    #expect(
                        given.output == n && given.input == (n - 1) * stride + size - size / 2 - (size - 1) / 2 + extra)
                }
                let same = FilterAxis(giving: n, size: size, stride: stride, nil, extra: 0)
                #expect(same.output == n && same.input == n * stride)
            }
        }
    }

    /// y·(W ∗ x) = (W ∗ᵀ y)·x = dW·W, in every lane by itself, or in all.
    @Test(arguments: [
        (MapShape(channels: 2, height: 5, width: 6), MapSize(3, 2), MapSize(1, 1), MapPadding.none, 3),
        (MapShape(channels: 3, height: 4, width: 7), MapSize(5, 5), MapSize(2, 1), .same, 7),
        (MapShape(channels: 1, height: 2, width: 1), MapSize(3, 5), MapSize(1, 1), .same, 17),
        (
            MapShape(channels: 2, height: 6, width: 5), MapSize(2, 4), MapSize(2, 3),
            .zeros(top: 1, bottom: 0, left: 0, right: 3), 2
        ),
    ])
    func theProductsAreOneAnothersWayBack(
        maps: MapShape, size: MapSize, stride: MapSize, padding: MapPadding, features: Int
    ) {
        let options = FilterOptions(
            features: features, size: size, stride: stride, padding: padding, hasBias: false, activation: nil)
        let convolution = options.convolution(of: maps)
        let arena = Arena()
        func drawn(_ rows: Int, _ seed: UInt64) -> Panel {
            let panel = arena.panels(1, rows: rows)[0]
            let numbers = CellTests.random(rows * 16, seed)
            for r in 0..<rows { for lane in 0..<16 { panel[r][lane] = numbers[r * 16 + lane] } }
            return panel
        }
        let (outputs, inputs) = (convolution.output.count, convolution.input.count)
        let (x, dy) = (drawn(inputs, 1), drawn(outputs, 2))
        let (y, dx) = (arena.panels(1, rows: outputs)[0], arena.panels(1, rows: inputs)[0])
        let weights = CellTests.random(features * convolution.depth, 3)
        var gradients = [Float](repeating: 0, count: weights.count)
        let filters = PackedFilters(convolution)
        weights.withUnsafeBufferPointer { filters.pack($0.baseAddress!) }
        let products = FilterProducts(convolution, trains: true, arena: arena)
        products.add(filters.products, x, to: y)
        products.addTransposed(filters.products, dy, to: dx)
        let scratch = arena.panels(1, rows: outerProductScratch)[0]
        gradients.withUnsafeMutableBufferPointer {
            products.addGradient(dy, x, scratch: scratch, to: $0.baseAddress!)
        }
        var (ahead, back) = (Lanes.zero, Lanes.zero)
        for r in 0..<outputs { ahead += y[r] * dy[r] }
        for r in 0..<inputs { back += x[r] * dx[r] }
        for lane in 0..<16 { #expect(abs(ahead[lane] - back[lane]) < 1e-3) }
        let sum = zip(weights, gradients).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(sum - ahead.laneSum) < 1e-2)
        // What is there is added to.
        let first = y[0]
        products.add(filters.products, x, to: y)
        for lane in 0..<16 { #expect(abs(y[0][lane] - 2 * first[lane]) < 1e-5) }
    }
}
