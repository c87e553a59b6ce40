import Foundation

@testable import FastWeights

// The naive twins of layers with filters, number by number.

extension NaiveRows {
    /// How many zeros stand before and behind n numbers.
    private static func zeros(_ padding: MapPadding, _ n: MapSize, _ size: MapSize, _ stride: MapSize) -> [Int] {
        func same(_ n: Int, _ size: Int, _ stride: Int) -> [Int] {
            // What the last of ⌈n / stride⌉ places sees beyond the numbers.
            let all = max(0, (n + stride - 1) / stride * stride - stride + size - n)
            return [all / 2, all - all / 2]
        }
        switch padding {
        case .zeros(let top, let bottom, let left, let right): return [top, bottom, left, right]
        case .same: return same(n.height, size.height, stride.height) + same(n.width, size.width, stride.width)
        }
    }

    /// A convolution of every row.
    func convolved(_ filters: FilterOptions, _ weight: [Double], _ bias: [Double]?) -> NaiveRows {
        let (size, stride) = (filters.size, filters.stride)
        let zeros = Self.zeros(filters.padding, MapSize(maps.height, maps.width), size, stride)
        let shape = MapShape(
            channels: filters.features, height: (maps.height + zeros[0] + zeros[1] - size.height) / stride.height + 1,
            width: (maps.width + zeros[2] + zeros[3] - size.width) / stride.width + 1)
        return filling(shape) { row, f, v, u in
            var z = bias?[f] ?? 0
            for c in 0..<maps.channels {
                for i in 0..<size.height {
                    for j in 0..<size.width {
                        z +=
                            weight[((f * maps.channels + c) * size.height + i) * size.width + j]
                            * number(row, c, v * stride.height + i - zeros[0], u * stride.width + j - zeros[2])
                    }
                }
            }
            return filters.activation.map { function($0, [z])[0] } ?? z
        }
    }

    /// A transposed convolution of every row: each number adds the filter, times itself, where it stands.
    func spread(_ kind: TransposedConvolutionLayer, _ weight: [Double], _ bias: [Double]?) -> NaiveRows {
        let (filters, extra, size, stride) = (kind.filters, kind.outputPadding, kind.filters.size, kind.filters.stride)
        var (height, width) = (maps.height * stride.height, maps.width * stride.width)
        var (top, left) = (max(0, size.height - stride.height) / 2, max(0, size.width - stride.width) / 2)
        if case .zeros(let above, let below, let before, let behind) = filters.padding {
            height += size.height - stride.height - above - below + extra.height
            width += size.width - stride.width - before - behind + extra.width
            (top, left) = (above, before)
        }
        let shape = MapShape(channels: filters.features, height: height, width: width)
        let spread = rows.map { row in
            var sums = (0..<shape.count).map { bias?[$0 / (height * width)] ?? 0 }
            for (place, x) in row.enumerated() {
                let c = place / (maps.height * maps.width)
                let (v, u) = (place / maps.width % maps.height * stride.height, place % maps.width * stride.width)
                for f in 0..<shape.channels {
                    for i in 0..<size.height {
                        for j in 0..<size.width {
                            let (m, n) = (v + i - top, u + j - left)
                            guard (0..<height).contains(m), (0..<width).contains(n) else { continue }
                            sums[(f * height + m) * width + n] +=
                                weight[((c * shape.channels + f) * size.height + i) * size.width + j] * x
                        }
                    }
                }
            }
            return filters.activation.map { function($0, sums) } ?? sums
        }
        return NaiveRows(rows: spread, maps: shape)
    }
}
