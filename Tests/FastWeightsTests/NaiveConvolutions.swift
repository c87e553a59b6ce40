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

extension NaiveRun {
    /// A convolution that keeps rows and columns of one step's maps.
    private func gates(
        _ filters: CellFilters, count: Int, _ row: [Double], _ maps: MapShape, _ weight: [Double], _ bias: [Double]?
    ) -> [Double] {
        let (above, left) = (filters.size.height / 2, filters.size.width / 2)
        let options = FilterOptions(
            features: count * filters.channels, size: filters.size, stride: 1,
            padding: .zeros(top: above, bottom: above, left: left, right: left), hasBias: bias != nil, activation: nil)
        return NaiveRows(rows: [row], maps: maps).convolved(options, weight, bias).rows[0]
    }

    mutating func convolutionalLSTM(
        _ kind: ConvolutionalLSTMLayer, _ prefix: String, _ suffix: String, _ x: NaiveRows
    ) -> NaiveRows {
        let (filters, options, parameters) = (kind.filters, kind.cellOptions, parameters)
        let shape = MapShape(channels: filters.channels, height: x.maps.height, width: x.maps.width)
        func parameter(_ name: String) -> [Double]? { parameters[prefix + name + suffix] }
        let (hName, cName) = (prefix + "h" + suffix, prefix + "c" + suffix)
        var (h, c) = (state[hName]!, state[cName]!)
        func peephole(_ name: String, _ c: [Double]) -> [Double]? { parameter("weight_" + name).map { times($0, c) } }
        let outputs = x.rows.map { row in
            var own = gates(filters, count: 4, row, x.maps, parameter("weight_ih")!, parameter("bias_ih"))
            var other = gates(filters, count: 4, h, shape, parameter("weight_hh")!, nil)
            if options.hasLayerNorm {
                func norm(_ name: String, _ z: [Double]) -> [Double] {
                    normalized(
                        z, parameter("norm_\(name)_weight")!, parameter("norm_\(name)_bias")!, Double(options.epsilon))
                }
                (own, other) = (norm("ih", own), norm("hh", other))
            }
            let z = parts(sum(own, other), of: h.count)
            let i = sum(z[0], peephole("ci", c)).map(sigmoid)
            let f = sum(z[1], peephole("cf", c)).map { sigmoid($0 + Double(options.forgetOffset)) }
            c = sum(times(f, c), times(i, z[2].map { tanh($0) }))
            h = times(sum(z[3], peephole("co", c)).map(sigmoid), c.map { tanh($0) })
            return h
        }
        (state[hName], state[cName]) = (h, c)
        return NaiveRows(rows: outputs, maps: shape)
    }

    mutating func convolutionalGRU(
        _ kind: ConvolutionalGRULayer, _ prefix: String, _ suffix: String, _ x: NaiveRows
    ) -> NaiveRows {
        let (filters, parameters) = (kind.filters, parameters)
        let shape = MapShape(channels: filters.channels, height: x.maps.height, width: x.maps.width)
        func parameter(_ name: String) -> [Double]? { parameters[prefix + name + suffix] }
        func ofState(_ h: [Double]) -> [[Double]] {
            parts(gates(filters, count: 3, h, shape, parameter("weight_hh")!, parameter("bias_hh")), of: h.count)
        }
        let name = prefix + "h" + suffix
        var h = state[name]!
        let outputs = x.rows.map { row in
            let a = parts(
                gates(filters, count: 3, row, x.maps, parameter("weight_ih")!, parameter("bias_ih")), of: h.count)
            let b = ofState(h)
            let (r, z) = (sum(a[0], b[0]).map(sigmoid), sum(a[1], b[1]).map(sigmoid))
            let n = sum(a[2], kind.resetsFirst ? ofState(times(r, h))[2] : times(r, b[2])).map { tanh($0) }
            h = sum(times(z.map { 1 - $0 }, n), times(z, h))
            return h
        }
        state[name] = h
        return NaiveRows(rows: outputs, maps: shape)
    }
}
