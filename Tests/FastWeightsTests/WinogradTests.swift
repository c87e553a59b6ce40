import Testing

@testable import FastWeights

/// Convolutions by Winograd's transforms against sums in doubles.
@Suite struct WinogradTests {
    struct Sizes: CustomTestStringConvertible {
        var (k, points, N, H, W, C, F): (Int, Int, Int, Int, Int, Int, Int)
        init(_ k: Int, _ points: Int, _ N: Int, _ H: Int, _ W: Int, _ C: Int, _ F: Int) {
            (self.k, self.points, self.N, self.H, self.W, self.C, self.F) = (k, points, N, H, W, C, F)
        }
        var testDescription: String { "k \(k), \(points) points, [\(N), \(H), \(W)], \(C) to \(F)" }
    }

    /// Both filters with both numbers of points: maps of whole tiles and not, wider than high, of one number; an odd number of
    /// fours of tiles, one sample and several.
    static let grid = [
        Sizes(5, 8, 4, 16, 16, 8, 12), Sizes(5, 8, 1, 16, 16, 3, 2), Sizes(5, 8, 3, 9, 33, 2, 5),
        Sizes(5, 8, 2, 5, 4, 4, 3),
        Sizes(5, 8, 1, 1, 1, 2, 2), Sizes(5, 8, 3, 8, 8, 5, 7), Sizes(5, 6, 2, 8, 8, 6, 4), Sizes(5, 6, 1, 7, 19, 3, 4),
        Sizes(3, 6, 2, 32, 32, 4, 8), Sizes(3, 6, 1, 13, 9, 5, 7), Sizes(3, 6, 5, 4, 17, 2, 3),
        Sizes(3, 8, 3, 13, 9, 5, 7),
        Sizes(3, 8, 1, 12, 48, 2, 3),
    ]

    private static func numbers(_ count: Int, seed: UInt64) -> Buffer<Float> {
        var random = Random(seed: seed)
        return Buffer((0..<count).map { _ in random.uniform(within: 1) })
    }

    /// What the transforms and the products between them make of x, w and dy.
    private static func run(
        _ s: Sizes, _ x: Buffer<Float>, _ w: Buffer<Float>, _ dy: Buffer<Float>
    ) -> (y: [Float], dx: [Float], dw: [Float]) {
        let winograd = Winograd(size: s.k, points: s.points)
        let tiles = WinogradTiles(winograd, samples: s.N, height: s.H, width: s.W)
        let (places, panels, area) = (winograd.places, tiles.panels, s.N * s.H * s.W)
        let u = Buffer<Float>(places * s.F * s.C)
        winograd.transform(w.pointer, count: s.F * s.C, into: u.pointer)
        let (v, dv) = (Buffer<Lanes>(panels * places * s.C), Buffer<Lanes>(panels * places * s.C))
        let (m, dm) = (Buffer<Lanes>(panels * places * s.F), Buffer<Lanes>(panels * places * s.F))
        let (scratch, samples) = (Buffer<Float>(tiles.scratch), Buffer<Lanes>(outerProductScratch))
        tiles.transform(x.pointer, channels: s.C, into: v.pointer, stride: s.C, scratch: scratch.pointer)
        tiles.inverseAdjoint(dy.pointer, features: s.F, into: dm.pointer, stride: s.F)
        let du = Buffer<Float>(u.count)
        for place in 0..<places {
            let filters = u.pointer + place * s.F * s.C
            for p in 0..<panels {
                let (column, feature) = ((p * places + place) * s.C, (p * places + place) * s.F)
                multiply(
                    filters, rows: s.F, columns: s.C, by: v.pointer + column, into: m.pointer + feature,
                    accumulate: false)
                multiplyTransposed(
                    filters, rows: s.F, columns: s.C, by: dm.pointer + feature, into: dv.pointer + column,
                    accumulate: false)
            }
            accumulateOuterProducts(
                PanelSequence(pointer: dm.pointer + place * s.F, stride: places * s.F), rows: s.F,
                PanelSequence(pointer: v.pointer + place * s.C, stride: places * s.C), columns: s.C, count: panels,
                scratch: samples.pointer, into: du.pointer + place * s.F * s.C)
        }
        let (y, dx, dw) = (Buffer<Float>(s.F * area), Buffer<Float>(s.C * area), Buffer<Float>(w.count))
        // What stands in dx and dw is added to.
        for i in 0..<dx.count { dx.pointer[i] = 1 }
        for i in 0..<dw.count { dw.pointer[i] = 2 }
        tiles.inverse(m.pointer, features: s.F, stride: s.F, into: y.pointer)
        tiles.transformAdjoint(
            dv.pointer, channels: s.C, stride: s.C, addingTo: dx.pointer, scratch: scratch.pointer)
        winograd.transformAdjoint(du.pointer, count: s.F * s.C, addingTo: dw.pointer)
        return (y.array, dx.array.map { $0 - 1 }, dw.array.map { $0 - 2 })
    }

    /// The same by their definition.
    private static func naive(
        _ s: Sizes, _ x: Buffer<Float>, _ w: Buffer<Float>, _ dy: Buffer<Float>
    ) -> (y: [Double], dx: [Double], dw: [Double]) {
        var (y, dx, dw) = (
            [Double](repeating: 0, count: dy.count), [Double](repeating: 0, count: x.count),
            [Double](repeating: 0, count: w.count)
        )
        for f in 0..<s.F {
            for c in 0..<s.C {
                for n in 0..<s.N {
                    for v in 0..<s.H {
                        for u in 0..<s.W {
                            let target = ((f * s.N + n) * s.H + v) * s.W + u
                            for i in 0..<s.k {
                                for j in 0..<s.k {
                                    let (row, column) = (v + i - s.k / 2, u + j - s.k / 2)
                                    guard (0..<s.H).contains(row), (0..<s.W).contains(column) else { continue }
                                    let source = ((c * s.N + n) * s.H + row) * s.W + column
                                    let filter = ((f * s.C + c) * s.k + i) * s.k + j
                                    y[target] += Double(w.pointer[filter]) * Double(x.pointer[source])
                                    dx[source] += Double(w.pointer[filter]) * Double(dy.pointer[target])
                                    dw[filter] += Double(x.pointer[source]) * Double(dy.pointer[target])
                                }
                            }
                        }
                    }
                }
            }
        }
        return (y, dx, dw)
    }

    /// The root of the mean square of the differences, and the largest, by that of the numbers.
    private static func error(_ found: [Float], _ expected: [Double]) -> (mean: Double, worst: Double) {
        let size = (expected.reduce(0) { $0 + $1 * $1 } / Double(expected.count)).squareRoot()
        let differences = zip(found, expected).map { abs(Double($0) - $1) }
        let mean = (differences.reduce(0) { $0 + $1 * $1 } / Double(expected.count)).squareRoot()
        return (mean / size, (differences.max() ?? 0) / size)
    }

    @Test(arguments: grid)
    func convolutionsAndTheirGradientsAreTheSums(_ s: Sizes) {
        let area = s.N * s.H * s.W
        let (x, w) = (Self.numbers(s.C * area, seed: 1), Self.numbers(s.F * s.C * s.k * s.k, seed: 2))
        let dy = Self.numbers(s.F * area, seed: 3)
        let (found, expected) = (Self.run(s, x, w, dy), Self.naive(s, x, w, dy))
        for (name, found, expected) in [
            ("y", found.y, expected.y), ("dx", found.dx, expected.dx), ("dw", found.dw, expected.dw),
        ] {
            let error = Self.error(found, expected)
            #expect(error.mean < 1e-5 && error.worst < 1e-4, "\(name): \(error)")
        }
    }
}
