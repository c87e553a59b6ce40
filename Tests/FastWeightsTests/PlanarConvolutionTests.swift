import Testing

@testable import FastWeights

/// Planar convolutions, in every form that there is, against sums in doubles.
@Suite struct PlanarConvolutionTests {
    struct Sizes: CustomTestStringConvertible, Sendable {
        var (k, m, N, H, W, C, F): (Int, Int, Int, Int, Int, Int, Int)
        /// Steps, and numbers between the maps of two channels.
        var (steps, gap): (Int, Int)
        init(_ k: Int, _ m: Int, _ N: Int, _ H: Int, _ W: Int, _ C: Int, _ F: Int, steps: Int = 1, gap: Int = 0) {
            (self.k, self.m, self.N, self.H, self.W) = (k, m, N, H, W)
            (self.C, self.F, self.steps, self.gap) = (C, F, steps, gap)
        }
        var form: Winograd { Winograd(size: k, tile: m) }
        var testDescription: String {
            "F(\(m), \(k)), [\(N), \(H), \(W)], \(C) to \(F), \(steps) steps, gaps of \(gap)"
        }
        func convolution(trains: Bool = true) -> PlanarConvolution {
            PlanarConvolution(
                channels: C, features: F, size: k, samples: N, height: H, width: W, steps: steps, trains: trains,
                channelStride: N * H * W + gap, form: form)
        }
    }

    /// Every form: maps of whole tiles and not, wider than high, of one number; panels that are not full, and more of them than
    /// are worked on at a time; steps whose gradients are held and not; channels that are no multiples of anything, or only those
    /// or only the features of sixteen.
    static let grid = [
        Sizes(1, 1, 2, 3, 5, 3, 4), Sizes(1, 1, 1, 8, 8, 16, 5, steps: 2),
        Sizes(3, 1, 2, 4, 16, 3, 7), Sizes(3, 1, 3, 5, 8, 2, 16, steps: 3), Sizes(3, 1, 5, 3, 4, 5, 2, gap: 3),
        Sizes(3, 1, 1, 7, 5, 16, 3, steps: 2), Sizes(5, 1, 1, 1, 1, 2, 2), Sizes(5, 1, 4, 8, 8, 3, 6, steps: 2),
        Sizes(7, 1, 2, 6, 9, 3, 5), Sizes(9, 1, 1, 4, 7, 2, 3),
        Sizes(3, 2, 1, 8, 8, 3, 16, steps: 2), Sizes(3, 2, 3, 7, 9, 5, 7), Sizes(3, 2, 5, 1, 2, 2, 3, steps: 3),
        Sizes(3, 2, 4, 16, 16, 16, 8), Sizes(3, 2, 1, 1, 1, 4, 2),
        Sizes(3, 4, 2, 32, 32, 4, 8), Sizes(3, 4, 1, 13, 9, 5, 7, steps: 3, gap: 5), Sizes(3, 4, 5, 4, 17, 2, 3),
        Sizes(3, 4, 2, 8, 16, 7, 48, steps: 2), Sizes(3, 4, 3, 16, 16, 8, 12, steps: 5),
        Sizes(5, 2, 2, 8, 8, 6, 4), Sizes(5, 2, 1, 7, 19, 3, 4, steps: 4), Sizes(5, 2, 5, 6, 2, 17, 3),
        Sizes(5, 2, 3, 4, 4, 3, 32, steps: 3, gap: 8), Sizes(5, 2, 3, 20, 20, 2, 5),
        Sizes(5, 4, 4, 16, 16, 8, 12, steps: 2), Sizes(5, 4, 1, 16, 16, 3, 2, steps: 11), Sizes(5, 4, 3, 9, 33, 2, 5),
        Sizes(5, 4, 2, 5, 4, 4, 3), Sizes(5, 4, 1, 1, 1, 2, 2), Sizes(5, 4, 3, 8, 8, 5, 7, steps: 2),
        Sizes(5, 4, 2, 32, 48, 1, 1), Sizes(5, 4, 1, 4, 32, 20, 16, steps: 3), Sizes(5, 4, 5, 8, 8, 33, 19),
        Sizes(5, 4, 2, 8, 8, 17, 31, steps: 5), Sizes(3, 2, 1, 5, 3, 7, 13, steps: 3), Sizes(5, 4, 3, 8, 16, 3, 14),
        Sizes(7, 2, 2, 8, 8, 4, 5, steps: 2), Sizes(7, 2, 1, 11, 6, 3, 16), Sizes(7, 2, 4, 5, 5, 2, 3),
    ]

    /// Numbers of every step of a shard, and what its convolution makes of them.
    final class Shard {
        let sizes: Sizes
        let (x, dy, y, dx): ([Buffer<Float>], [Buffer<Float>], [Buffer<Float>], [Buffer<Float>])
        let (w, bias, dw): (Buffer<Float>, Buffer<Float>, Buffer<Float>)
        let convolution: PlanarConvolution
        let filters: PlanarFilters

        init(_ s: Sizes) {
            sizes = s
            let stride = s.N * s.H * s.W + s.gap
            func numbers(_ count: Int, _ seed: Int) -> Buffer<Float> {
                var random = Random(seed: UInt64(seed))
                return Buffer((0..<count).map { _ in random.uniform(within: 1) })
            }
            x = (0..<s.steps).map { numbers(s.C * stride, 1 + 2 * $0) }
            dy = (0..<s.steps).map { numbers(s.F * stride, 2 + 2 * $0) }
            // Of y nothing is read, in the gaps nothing is written; what stands in dx and dw is added to.
            y = (0..<s.steps).map { _ in Buffer([Float](repeating: 9, count: s.F * stride)) }
            dx = (0..<s.steps).map { _ in Buffer([Float](repeating: 1, count: s.C * stride)) }
            (w, bias) = (numbers(s.F * s.C * s.k * s.k, 101), numbers(s.F, 102))
            dw = Buffer([Float](repeating: 2, count: w.count))
            convolution = s.convolution()
            filters = PlanarFilters(
                w.pointer, bias: bias.pointer, channels: s.C, features: s.F, size: s.k)
            filters.prepare(for: convolution)
            filters.pack()
        }

        func forward() {
            for t in 0..<sizes.steps { convolution.forward(filters, x[t].pointer, into: y[t].pointer, step: t) }
        }

        func backward() {
            // A range that is reversed allocates, where tests are not optimized.
            var t = sizes.steps
            while t > 0 {
                t -= 1
                convolution.backward(filters, dy[t].pointer, addingTo: dx[t].pointer, step: t)
            }
            convolution.addGradient(to: dw.pointer)
        }

        /// Calls `body` with each product that is part of a sum: of the numbers of y, x and w at these places.
        func forEachProduct(_ body: (_ y: Int, _ x: Int, _ w: Int) -> Void) {
            let (s, stride) = (sizes, sizes.N * sizes.H * sizes.W + sizes.gap)
            let pad = s.k / 2
            for n in 0..<s.N {
                for v in 0..<s.H {
                    for u in 0..<s.W {
                        for i in max(0, pad - v)..<min(s.k, s.H + pad - v) {
                            for j in max(0, pad - u)..<min(s.k, s.W + pad - u) {
                                let target = (n * s.H + v) * s.W + u
                                let source = (n * s.H + v + i - pad) * s.W + u + j - pad
                                for f in 0..<s.F {
                                    for c in 0..<s.C {
                                        body(
                                            f * stride + target, c * stride + source,
                                            ((f * s.C + c) * s.k + i) * s.k + j)
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }

        /// Whether a number of maps stands between two channels.
        func isGap(_ place: Int) -> Bool {
            place % (sizes.N * sizes.H * sizes.W + sizes.gap) >= sizes.N * sizes.H * sizes.W
        }
    }

    /// The root of the mean square of the differences, and the largest, by that of the numbers.
    static func error(_ found: [Double], _ expected: [Double]) -> (mean: Double, worst: Double) {
        let size = (expected.reduce(0) { $0 + $1 * $1 } / Double(expected.count)).squareRoot()
        let differences = zip(found, expected).map { abs($0 - $1) }
        let mean = (differences.reduce(0) { $0 + $1 * $1 } / Double(expected.count)).squareRoot()
        return (mean / size, (differences.max() ?? 0) / size)
    }

    /// The errors that there may be, of a form: half as much again as the largest that were found here.
    static func bounds(_ form: Winograd) -> (mean: Double, worst: Double) {
        switch (form.tile, form.size) {
        case (1, _): (6e-7, 4e-6)
        case (2, 3): (7.5e-7, 4e-6)
        case (2, 5): (2.5e-6, 3.5e-5)
        case (2, _): (4e-6, 4e-5)
        case (_, 3): (2.4e-6, 2.8e-5)
        default: (7e-6, 4.5e-5)
        }
    }

    @Test(arguments: grid)
    func convolutionsAndTheirGradientsAreTheSums(_ s: Sizes) {
        let shard = Shard(s)
        shard.forward()
        shard.backward()
        var dw = [Double](repeating: 0, count: shard.w.count)
        for t in 0..<s.steps {
            let (x, dy) = (shard.x[t].array, shard.dy[t].array)
            var y = [Double](repeating: 0, count: dy.count)
            var dx = [Double](repeating: 0, count: x.count)
            let w = shard.w.array
            shard.forEachProduct { i, j, k in
                y[i] += Double(w[k]) * Double(x[j])
                dx[j] += Double(w[k]) * Double(dy[i])
                dw[k] += Double(dy[i]) * Double(x[j])
            }
            let stride = s.N * s.H * s.W + s.gap
            var foundY = shard.y[t].array.map { Double($0) }
            let foundDx = shard.dx[t].array.map { Double($0) - 1 }
            for i in 0..<y.count {
                if shard.isGap(i) { #expect(foundY[i] == 9) }
                foundY[i] = shard.isGap(i) ? 0 : foundY[i] - Double(shard.bias.pointer[i / stride])
            }
            for i in 0..<dx.count where shard.isGap(i) { #expect(foundDx[i] == 0) }
            for (name, found, expected) in [("y", foundY, y), ("dx", foundDx, dx)] {
                Self.expect(Self.error(found, expected), s.form, "\(name) of step \(t)")
            }
        }
        Self.expect(Self.error(shard.dw.array.map { Double($0) - 2 }, dw), s.form, "dw")
    }

    static func expect(_ error: (mean: Double, worst: Double), _ form: Winograd, _ name: String) {
        let bounds = bounds(form)
        #expect(error.mean < bounds.mean && error.worst < bounds.worst, "\(name): \(error)")
    }

    /// dy·(W ∗ x) = (W ∗ᵀ dy)·x = dW·W.
    @Test(arguments: grid)
    func eachIsTheWayBackOfTheOthers(_ s: Sizes) {
        let shard = Shard(s)
        for f in 0..<s.F { shard.bias.pointer[f] = 0 }
        shard.forward()
        shard.backward()
        func dot(_ a: Buffer<Float>, _ b: Buffer<Float>, less: Double = 0, gaps: Bool = true) -> Double {
            (0..<a.count).reduce(0) { sum, i in
                gaps && shard.isGap(i) ? sum : sum + (Double(a.pointer[i]) - less) * Double(b.pointer[i])
            }
        }
        let (ahead, back) = (0..<s.steps).reduce((0, 0)) { sums, t in
            (sums.0 + dot(shard.y[t], shard.dy[t]), sums.1 + dot(shard.dx[t], shard.x[t], less: 1))
        }
        let filters = dot(shard.dw, shard.w, less: 2, gaps: false)
        // Of the size that such a sum of random numbers has.
        let size = (Double(s.steps * s.F * s.C * s.N * s.H * s.W) * Double(s.k * s.k) / 27).squareRoot()
        let bound = 10 * Self.bounds(s.form).mean * size
        #expect(abs(ahead - back) < bound && abs(ahead - filters) < bound, "\(ahead), \(back), \(filters)")
    }

    /// What was added to dW is not added again; a step without dx leaves the same dW.
    @Test(arguments: [Sizes(5, 4, 1, 16, 16, 3, 2, steps: 3), Sizes(3, 2, 3, 7, 9, 5, 7), Sizes(3, 1, 2, 4, 16, 3, 7)])
    func gradientsOfFiltersBeginAnew(_ s: Sizes) {
        let shard = Shard(s)
        shard.forward()
        shard.backward()
        let once = shard.dw.array
        shard.convolution.addGradient(to: shard.dw.pointer)
        #expect(shard.dw.array == once)
        shard.forward()
        for i in 0..<shard.dw.count { shard.dw.pointer[i] = 2 }
        for t in (0..<s.steps).reversed() {
            shard.convolution.backward(shard.filters, shard.dy[t].pointer, addingTo: nil, step: t)
        }
        shard.convolution.addGradient(to: shard.dw.pointer)
        #expect(shard.dw.array == once)
    }

    /// The bits are those of one thread, whoever packs which piece first; and those of a shard alone, whatever other forms the
    /// filters were packed for.
    @Test func piecesAreIndependent() {
        let sizes = Sizes(5, 4, 2, 8, 8, 70, 64)
        let (one, other) = (Shard(sizes), Shard(sizes))
        let convolutions = [Sizes(5, 2, 1, 8, 8, 70, 64).convolution(), other.convolution]
        let filters = PlanarFilters(
            other.w.pointer, bias: other.bias.pointer, channels: 70, features: 64, size: 5)
        for convolution in convolutions { filters.prepare(for: convolution) }
        #expect(filters.pieces > 2)
        for piece in (0..<filters.pieces).reversed() { filters.pack(piece) }
        one.forward()
        other.convolution.forward(filters, other.x[0].pointer, into: other.y[0].pointer, step: 0)
        other.convolution.backward(filters, other.dy[0].pointer, addingTo: other.dx[0].pointer, step: 0)
        one.convolution.backward(one.filters, one.dy[0].pointer, addingTo: one.dx[0].pointer, step: 0)
        #expect(one.y[0].array == other.y[0].array && one.dx[0].array == other.dx[0].array)
    }

    /// A sample has the same bits whatever stands beside it.
    @Test(arguments: [(5, 4), (5, 2), (3, 4), (3, 2), (3, 1)])
    func samplesDoNotMix(k: Int, m: Int) {
        let (one, all) = (Shard(Sizes(k, m, 1, 6, 8, 3, 4)), Shard(Sizes(k, m, 3, 6, 8, 3, 4)))
        one.forward()
        for c in 0..<3 { for i in 0..<48 { all.x[0].pointer[(3 * c + 1) * 48 + i] = one.x[0].pointer[c * 48 + i] } }
        all.forward()
        for f in 0..<4 {
            for i in 0..<48 { #expect(all.y[0].pointer[(3 * f + 1) * 48 + i] == one.y[0].pointer[f * 48 + i]) }
        }
    }

    /// The first samples of a convolution of more are those of one of theirs, bit by bit, whatever went before.
    @Test(arguments: [
        (Sizes(5, 4, 8, 8, 8, 3, 16), 2, 4), (Sizes(5, 4, 8, 8, 24, 3, 5, steps: 2), 1, 4),
        (Sizes(3, 2, 16, 2, 2, 4, 3, steps: 3), 6, 8), (Sizes(3, 1, 8, 4, 4, 3, 2), 3, 4),
    ])
    func fewerSamplesAreAConvolutionOfTheirs(s: Sizes, asked: Int, used: Int) {
        let all = Shard(s)
        all.forward()
        all.backward()
        all.convolution.use(samples: asked)
        #expect(all.convolution.used == used)
        let area = s.H * s.W
        let few = Shard(Sizes(s.k, s.m, used, s.H, s.W, s.C, s.F, steps: s.steps, gap: (s.N - used) * area))
        for t in 0..<s.steps {
            few.x[t].copy(from: all.x[t])
            few.dy[t].copy(from: all.dy[t])
        }
        for i in 0..<all.dw.count { all.dw.pointer[i] = 2 }
        for shard in [all, few] {
            for t in 0..<s.steps {
                for i in 0..<shard.y[t].count { shard.y[t].pointer[i] = 9 }
                for i in 0..<shard.dx[t].count { shard.dx[t].pointer[i] = 1 }
            }
            shard.forward()
            shard.backward()
        }
        #expect(all.dw.array == few.dw.array)
        for t in 0..<s.steps {
            #expect(all.y[t].array == few.y[t].array && all.dx[t].array == few.dx[t].array)
        }
    }

    /// Large maps are cut into tiles of four, maps of one number are not.
    @Test func formsFollowTheCost() {
        func form(_ k: Int, _ N: Int, _ side: Int, _ C: Int, _ F: Int) -> Int {
            PlanarCost.least(
                PlanarCost.Shape(
                    channels: C, features: F, size: k, samples: N, height: side, width: side, trains: true)
            ).form.tile
        }
        #expect(form(5, 4, 16, 64, 128) == 4 && form(3, 2, 16, 16, 64) == 4)
        #expect(form(5, 1, 8, 64, 256) == 2 && form(5, 2, 8, 64, 256) == 4 && form(5, 1, 4, 64, 256) == 1)
        #expect(form(1, 4, 16, 64, 128) == 1 && form(5, 1, 1, 4, 8) == 1 && form(9, 4, 16, 8, 8) == 1)
    }
}
