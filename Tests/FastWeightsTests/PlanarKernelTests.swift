import Testing

@testable import FastWeights

/// Operations on planar maps beside what their equations say, number by number, in doubles.
@Suite struct PlanarKernelTests {
    private static func random(_ count: Int, _ seed: UInt64, margin: Int = 0) -> Buffer<Float> {
        var random = Random(seed: seed)
        let buffer = Buffer<Float>(count + margin)
        for k in 0..<count { buffer.pointer[k] = random.uniform(within: 1) }
        return buffer
    }

    private static func worst(_ found: UnsafePointer<Float>, _ expected: [Double]) -> Double {
        expected.indices.reduce(0) { max($0, abs(Double(found[$1]) - expected[$1])) }
    }

    struct Sizes: CustomTestStringConvertible {
        let c, f, n: Int
        let rows, columns: FilterAxis
        var convolution: Convolution { Convolution(channels: c, features: f, rows: rows, columns: columns) }
        var testDescription: String { "\(c) to \(f), \(n) samples, \(rows.input) by \(columns.input)" }

        init(_ c: Int, _ f: Int, _ n: Int, _ h: Int, _ w: Int, _ size: MapSize, stride: MapSize = 1, same: Bool = true)
        {
            (self.c, self.f, self.n) = (c, f, n)
            let zeros = same ? nil : FilterAxis.Padding(before: 1, behind: 0)
            rows = FilterAxis(reading: h, size: size.height, stride: stride.height, zeros)
            columns = FilterAxis(reading: w, size: size.width, stride: stride.width, zeros)
        }
    }

    static let sizes = [
        Sizes(1, 1, 1, 1, 1, 1), Sizes(3, 5, 2, 7, 9, 3), Sizes(2, 4, 3, 16, 24, 5, stride: 2),
        Sizes(5, 3, 2, 6, 40, 3, stride: 2), Sizes(2, 3, 1, 9, 11, MapSize(3, 5), stride: MapSize(2, 1), same: false),
        Sizes(4, 6, 3, 8, 8, 1), Sizes(3, 2, 2, 33, 35, 3, stride: 3), Sizes(7, 2, 1, 40, 17, 1, stride: 2),
    ]

    /// W ∗ x, its transpose, and the gradient of W, all added to what is there.
    @Test(arguments: sizes) func productsAreThoseOfTheSum(sizes s: Sizes) {
        let (c, n) = (s.convolution, s.n)
        let (x, y) = (
            Self.random(n * c.input.count, 1, margin: planarMargin),
            Self.random(n * c.output.count, 2, margin: planarMargin)
        )
        let (w, dw) = (Self.random(s.f * c.depth, 3), Self.random(s.f * c.depth, 4))
        let (first, second) = (
            Self.random(n * c.output.count, 5, margin: planarMargin),
            Self.random(n * c.input.count, 6, margin: planarMargin)
        )
        var (forward, back, gradient) = (
            doubles(first, n * c.output.count), doubles(second, n * c.input.count), doubles(dw, dw.count)
        )
        for f in 0..<s.f {
            for sample in 0..<n {
                for v in 0..<c.output.height {
                    for u in 0..<c.output.width {
                        let place = ((f * n + sample) * c.output.height + v) * c.output.width + u
                        for channel in 0..<s.c {
                            for i in 0..<c.rows.size {
                                for j in 0..<c.columns.size {
                                    let row = v * c.rows.stride + i - c.rows.before
                                    let column = u * c.columns.stride + j - c.columns.before
                                    guard (0..<c.input.height).contains(row), (0..<c.input.width).contains(column)
                                    else { continue }
                                    let from = ((channel * n + sample) * c.input.height + row) * c.input.width + column
                                    let weight = ((f * s.c + channel) * c.rows.size + i) * c.columns.size + j
                                    forward[place] += Double(w.pointer[weight]) * Double(x.pointer[from])
                                    back[from] += Double(w.pointer[weight]) * Double(y.pointer[place])
                                    gradient[weight] += Double(y.pointer[place]) * Double(x.pointer[from])
                                }
                            }
                        }
                    }
                }
            }
        }
        let products = PlanarProducts(c, samples: n)
        for _ in 0..<1 {
            products.add(w.pointer, x.pointer, to: first.pointer)
            products.addTransposed(w.pointer, y.pointer, to: second.pointer)
            products.addGradient(y.pointer, x.pointer, to: dw.pointer)
        }
        #expect(Self.worst(first.pointer, forward) < 1e-5)
        #expect(Self.worst(second.pointer, back) < 1e-5)
        #expect(Self.worst(dw.pointer, gradient) < 3e-5)
        // What stands behind the maps is as it was.
        for buffer in [x, y, first, second] {
            #expect((buffer.count - planarMargin..<buffer.count).allSatisfy { buffer.pointer[$0] == 0 })
        }
    }

    private func doubles(_ buffer: Buffer<Float>, _ count: Int) -> [Double] {
        (0..<count).map { Double(buffer.pointer[$0]) }
    }

    @Test(arguments: [(1, 1, 1), (3, 2, 7), (5, 3, 64), (2, 1, 35)], [false, true])
    func normIsThatOfItsEquation(sizes: (c: Int, n: Int, area: Int), isRectified: Bool) {
        let (c, n, area) = sizes
        let norm = PlanarNorm(channels: c, samples: n, area: area, epsilon: 0.01, isRectified: isRectified)
        let count = c * n * area
        let (x, y, moments) = (Self.random(count, 1), Buffer<Float>(count), Buffer<Float>(norm.moments))
        let (gain, bias) = (Self.random(c, 2), Self.random(c, 3))
        for k in 0..<count { x.pointer[k] += 3 }
        norm.forward(
            x.pointer, gain: gain.pointer, bias: bias.pointer, into: y.pointer, moments: moments.pointer)
        /// y of doubles.
        func expected(_ x: [Double], _ gain: [Double], _ bias: [Double]) -> [Double] {
            var result = [Double](repeating: 0, count: count)
            for sample in 0..<n {
                let places = (0..<c).flatMap { channel in (0..<area).map { (channel * n + sample) * area + $0 } }
                let mean = places.reduce(0) { $0 + x[$1] } / Double(places.count)
                let variance = places.reduce(0) { $0 + (x[$1] - mean) * (x[$1] - mean) } / Double(places.count)
                for place in places {
                    let channel = place / (n * area)
                    let z = gain[channel] * (x[place] - mean) / (variance + 0.01).squareRoot() + bias[channel]
                    result[place] = isRectified ? max(z, 0) : z
                }
            }
            return result
        }
        let (xs, gains, biases) = (doubles(x, count), doubles(gain, c), doubles(bias, c))
        #expect(Self.worst(y.pointer, expected(xs, gains, biases)) < 1e-5)
        let (dy, dx, dGain, dBias) = (
            Self.random(count, 4), Self.random(count, 5), Self.random(c, 6), Self.random(c, 7)
        )
        let weights = doubles(dy, count)
        let before = (doubles(dx, count), doubles(dGain, c), doubles(dBias, c))
        norm.backward(
            dy.pointer, x.pointer, y.pointer, gain: gain.pointer, moments: moments.pointer, addingTo: dx.pointer,
            dGain: dGain.pointer, dBias: dBias.pointer)
        /// The difference of Σ dy·y around one of the numbers.
        func slope(_ change: (Double) -> [Double]) -> Double {
            let (high, low) = (change(1e-5), change(-1e-5))
            return weights.indices.reduce(0) { $0 + weights[$1] * (high[$1] - low[$1]) } / 2e-5
        }
        for k in stride(from: 0, to: count, by: max(count / 20, 1)) {
            let found = slope { change in
                var moved = xs
                moved[k] += change
                return expected(moved, gains, biases)
            }
            #expect(abs(found + before.0[k] - Double(dx.pointer[k])) < 1e-4)
        }
        for k in 0..<c {
            let ofGain = slope { change in
                var moved = gains
                moved[k] += change
                return expected(xs, moved, biases)
            }
            let ofBias = slope { change in
                var moved = biases
                moved[k] += change
                return expected(xs, gains, moved)
            }
            #expect(abs(ofGain + before.1[k] - Double(dGain.pointer[k])) < 1e-4)
            #expect(abs(ofBias + before.2[k] - Double(dBias.pointer[k])) < 1e-4)
        }
    }

    @Test func vectorsAreAllNumbersOnce() {
        for count in 0..<70 {
            var seen = [Int](repeating: 0, count: count)
            forEachVector(count) { first, n in for k in first..<first + n { seen[k] += 1 } }
            #expect(seen.allSatisfy { $0 == 1 })
            let numbers = Self.random(max(count, 1), UInt64(count))
            let expected = (0..<count).reduce(0.0) { $0 + Double(numbers.pointer[$1]) }
            #expect(abs(Double(sum(numbers.pointer, count: count)) - expected) < 1e-5)
        }
    }
}
