import Foundation

@testable import FastWeights

/// The heads of video models number by number in double precision: each image is made, and seen through its mask.
struct NaiveVideoHead {
    enum Kind: String, CaseIterable {
        case cdna, dna, stp, paint
    }

    /// What a head reads, each planar or a row a sample, as `HeadInputs` has it.
    struct Inputs {
        var kernels: [Double] = []
        var taps: [Double] = []
        var transforms: [Double] = []
        var masks: [Double] = []
        var paint: [Double] = []
        var previous: [Double] = []

        static var paths: [WritableKeyPath<Inputs, [Double]>] {
            [\.kernels, \.taps, \.transforms, \.masks, \.paint, \.previous]
        }
    }

    let kind: Kind
    let options: HeadOptions
    let samples: Int
    var alignment = AffineSampling.Alignment.middles

    private var frame: MapShape { options.frame }
    private var k: Int { options.kernelSize }

    /// Where a number of planar maps stands.
    private func at(_ map: Int, _ n: Int, _ v: Int, _ u: Int) -> Int {
        ((map * samples + n) * frame.height + v) * frame.width + u
    }

    private func pixel(_ x: [Double], _ c: Int, _ n: Int, _ v: Int, _ u: Int) -> Double {
        (0..<frame.height).contains(v) && (0..<frame.width).contains(u) ? x[at(c, n, v, u)] : 0
    }

    private func rectified(_ z: Double) -> Double { options.isRelease ? max(z, 0) : z }

    private func normalized(_ z: [Double]) -> [Double] {
        let a = z.map { max($0 - 1e-12, 0) + 1e-12 }
        let sum = a.reduce(0, +)
        return a.map { $0 / sum }
    }

    private func moved(_ w: [Double], _ x: [Double], _ c: Int, _ n: Int, _ v: Int, _ u: Int) -> Double {
        var sum = 0.0
        for i in 0..<k {
            for j in 0..<k { sum += w[i * k + j] * pixel(x, c, n, v + i - k / 2, u + j - k / 2) }
        }
        return sum
    }

    /// Where an affine map reads a pixel, in columns and rows.
    private func place(_ θ: [Double], _ v: Int, _ u: Int) -> (column: Double, row: Double) {
        func coordinate(_ i: Int, _ count: Int) -> Double {
            alignment == .middles ? 2 * Double(i) / Double(count - 1) - 1 : Double(2 * i + 1) / Double(count) - 1
        }
        func place(_ coordinate: Double, _ count: Int) -> Double {
            alignment == .middles
                ? (coordinate + 1) / 2 * Double(count - 1) : ((coordinate + 1) * Double(count) - 1) / 2
        }
        let (right, down) = (coordinate(u, frame.width), coordinate(v, frame.height))
        return (
            place(θ[0] * right + θ[1] * down + θ[2], frame.width),
            place(θ[3] * right + θ[4] * down + θ[5], frame.height)
        )
    }

    private func transform(_ inputs: Inputs, _ n: Int, _ m: Int) -> [Double] {
        (0..<6).map { inputs.transforms[(n * options.images + m) * 6 + $0] + ($0 == 0 || $0 == 4 ? 1 : 0) }
    }

    private func sampled(_ θ: [Double], _ x: [Double], _ c: Int, _ n: Int, _ v: Int, _ u: Int) -> Double {
        let (column, row) = place(θ, v, u)
        let (left, top) = (column.rounded(.down), row.rounded(.down))
        guard abs(left) < 1e6, abs(top) < 1e6 else { return 0 }
        func corner(_ i: Int, _ j: Int) -> Double {
            pixel(x, c, n, Int(top) + i, Int(left) + j)
        }
        let (fx, fy) = (column - left, row - top)
        return (1 - fy) * ((1 - fx) * corner(0, 0) + fx * corner(0, 1))
            + fy * ((1 - fx) * corner(1, 0) + fx * corner(1, 1))
    }

    /// How near any place is to a row or column of pixels, where the gradient jumps.
    func nearestKink(_ inputs: Inputs) -> Double {
        guard kind == .stp else { return 1 }
        var nearest = 1.0
        for n in 0..<samples {
            for m in 0..<options.images {
                let θ = transform(inputs, n, m)
                for v in 0..<frame.height {
                    for u in 0..<frame.width {
                        let (column, row) = place(θ, v, u)
                        nearest = min(nearest, abs(column - column.rounded()), abs(row - row.rounded()))
                    }
                }
            }
        }
        return nearest
    }

    /// The images that masks choose among, at one pixel.
    private func images(_ inputs: Inputs, _ c: Int, _ n: Int, _ v: Int, _ u: Int) -> [Double] {
        let x = inputs.previous
        let painted = kind == .dna ? [] : [1 / (1 + exp(-rectified(inputs.paint[at(c, n, v, u)])))]
        let taps = k * k
        switch kind {
        case .cdna:
            return [pixel(x, c, n, v, u)] + painted
                + (0..<options.images).map { m in
                    let first = (n * options.kernels + m) * taps
                    return moved(normalized(Array(inputs.kernels[first..<first + taps])), x, c, n, v, u)
                }
        case .dna:
            return [
                pixel(x, c, n, v, u),
                moved(normalized((0..<taps).map { inputs.taps[at($0, n, v, u)] }), x, c, n, v, u),
            ]
        case .stp:
            return [pixel(x, c, n, v, u)] + painted
                + (0..<options.images).map { m in
                    sampled(transform(inputs, n, m), x, c, n, v, u)
                }
        case .paint: return painted
        }
    }

    /// The next frame.
    func next(_ inputs: Inputs) -> [Double] {
        var y = [Double](repeating: 0, count: frame.count * samples)
        for n in 0..<samples {
            for v in 0..<frame.height {
                for u in 0..<frame.width {
                    var masks = [1.0]
                    if kind != .paint {
                        let count = inputs.masks.count / (samples * frame.area)
                        masks = (0..<count).map { exp(rectified(inputs.masks[at($0, n, v, u)])) }
                    }
                    let sum = masks.reduce(0, +)
                    for c in 0..<frame.channels {
                        let images = images(inputs, c, n, v, u)
                        y[at(c, n, v, u)] = zip(masks, images).reduce(0) { $0 + $1.0 * $1.1 } / sum
                    }
                }
            }
        }
        return y
    }
}
