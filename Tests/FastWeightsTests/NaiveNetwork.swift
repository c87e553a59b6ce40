import Foundation

@testable import FastWeights

/// A network over one sequence in doubles, written from the equations of the public comments alone: the naive twin of every
/// layer, to which the passes, streams and gradients of the library are held.
struct NaiveNetwork {
    let configuration: NetworkConfiguration
    var parameters: [String: [Double]] = [:]

    init(_ network: Network) {
        configuration = network.configuration
        for window in configuration.layout.windows {
            parameters[window.name] = network.parameters[window.name].map(Double.init)
        }
    }

    /// What the last layer gives, a row a step or one, and the last state by the names of its parts. Tokens are rows that are
    /// 0 but for a 1.
    func run(
        _ sequence: [[Double]], from state: [String: [Double]], step: Int = 0
    ) -> (outputs: [[Double]], state: [String: [Double]]) {
        var run = NaiveRun(parameters: parameters, state: state, firstStep: step)
        let maps: MapShape
        if case .maps(let channels, let height, let width) = configuration.input {
            maps = MapShape(channels: channels, height: height, width: width)
        } else {
            maps = MapShape(channels: sequence[0].count, height: 1, width: 1)
        }
        let layers = configuration.named.map { (layer: $0.layer, prefix: $0.prefix, suffix: $0.cellSuffix) }
        return (run.list(layers, NaiveRows(rows: sequence, maps: maps)).rows, run.state)
    }
}

/// What goes from layer to layer: a row a step, or one of the sequence.
struct NaiveRows {
    var rows: [[Double]]
    var maps: MapShape
    /// How many of the last numbers are those of a layer that reads backwards.
    var reversed = 0

    func with(_ rows: [[Double]]) -> NaiveRows { NaiveRows(rows: rows, maps: maps, reversed: reversed) }
    static func vectors(_ rows: [[Double]], reversed: Int = 0) -> NaiveRows {
        NaiveRows(rows: rows, maps: MapShape(channels: rows[0].count, height: 1, width: 1), reversed: reversed)
    }
}

extension NaiveRows {
    /// A number of a map, 0 outside of it.
    func number(_ row: [Double], _ c: Int, _ v: Int, _ u: Int) -> Double {
        (0..<maps.height).contains(v) && (0..<maps.width).contains(u) ? row[(c * maps.height + v) * maps.width + u] : 0
    }

    /// Rows of maps of another shape, number by number.
    func filling(
        _ maps: MapShape, _ number: (_ row: [Double], _ c: Int, _ v: Int, _ u: Int) -> Double
    ) -> NaiveRows {
        let filled = rows.map { row in
            (0..<maps.count).map { i in
                number(row, i / (maps.height * maps.width), i / maps.width % maps.height, i % maps.width)
            }
        }
        return NaiveRows(rows: filled, maps: maps)
    }
}

struct NaiveRun {
    let parameters: [String: [Double]]
    var state: [String: [Double]]
    let firstStep: Int

    mutating func list(_ layers: [(layer: Layer, prefix: String, suffix: String)], _ x: NaiveRows) -> NaiveRows {
        layers.reduce(x) { layer($1.layer, $1.prefix, $1.suffix, $0) }
    }

    private mutating func layer(_ layer: Layer, _ prefix: String, _ suffix: String, _ x: NaiveRows) -> NaiveRows {
        func parameter(_ name: String) -> [Double]? { parameters[prefix + name] }
        switch layer.kind {
        case let cell as any CellKind: return .vectors(run(cell, prefix, suffix, x.rows))
        case let kind as BidirectionalLayer: return bothWays(kind.inner, prefix, suffix, x)
        case let kind as StackLayer:
            return (0..<kind.layers).reduce(x) { x, k in
                kind.isBidirectional
                    ? bothWays(kind.inner, prefix, "_l\(k)", x) : .vectors(run(kind.inner, prefix, "_l\(k)", x.rows))
            }
        case is EmbeddingLayer:
            let (weight, count) = (parameter("weight")!, x.maps.channels)
            let size = weight.count / count
            let columns = (0..<size).map { i in (0..<count).map { weight[$0 * size + i] } }
            return .vectors(x.rows.map { row in columns.map { dot($0, row) } })
        case let kind as DenseLayer:
            return .vectors(
                x.rows.map { row in
                    let z = sum(product(parameter("weight")!, row), parameter("bias"))
                    return kind.activation.map { function($0, z) } ?? z
                })
        case is DropoutLayer: return x
        case let kind as NormLayer:
            return x.with(
                x.rows.map { row in
                    guard !kind.centers else {
                        let area = kind.isPerChannel ? x.maps.height * x.maps.width : 1
                        func gains(_ name: String) -> [Double] {
                            parameter(name)!.flatMap { [Double](repeating: $0, count: area) }
                        }
                        return normalized(row, gains("weight"), gains("bias"), Double(kind.epsilon))
                    }
                    let scale = (dot(row, row) / Double(row.count) + Double(kind.epsilon)).squareRoot()
                    return zip(row, parameter("weight")!).map { $0 / scale * $1 }
                })
        case is SoftmaxLayer:
            return x.with(
                x.rows.map { row in
                    let powers = row.map { exp($0) }
                    return powers.map { $0 / powers.reduce(0, +) }
                })
        case let kind as ResidualLayer:
            let layers = kind.layers.enumerated().map { (layer: $1, prefix: "\(prefix)\($0).", suffix: "_l0") }
            let branch = list(layers, x)
            // A sum is of one direction only where both that are added up are.
            let reversed = branch.reversed == x.reversed ? x.reversed : 0
            return NaiveRows(rows: zip(x.rows, branch.rows).map { sum($0, $1) }, maps: x.maps, reversed: reversed)
        case is LastStepLayer:
            let ahead = x.rows[0].count - x.reversed
            return NaiveRows(rows: [Array(x.rows.last!.prefix(ahead)) + x.rows[0].dropFirst(ahead)], maps: x.maps)
        case is MeanLayer:
            let total = x.rows.reduce(state[prefix + "sum"]!) { sum($0, $1) }
            let steps = state[prefix + "steps"]![0] + Double(x.rows.count)
            (state[prefix + "sum"], state[prefix + "steps"]) = (total, [steps])
            return NaiveRows(rows: [total.map { $0 / steps }], maps: x.maps)
        case let kind as ConvolutionLayer:
            return x.convolved(kind.filters, parameter("weight")!, parameter("bias"))
        case let kind as TransposedConvolutionLayer:
            return x.spread(kind, parameter("weight")!, parameter("bias"))
        case let kind as ConvolutionalLSTMLayer: return convolutionalLSTM(kind, prefix, suffix, x)
        case let kind as ConvolutionalGRULayer: return convolutionalGRU(kind, prefix, suffix, x)
        case let kind as MaxPoolLayer:
            let maps = MapShape(
                channels: x.maps.channels, height: x.maps.height / kind.size, width: x.maps.width / kind.size)
            return x.filling(maps) { row, c, v, u in
                var largest = -Double.infinity
                for i in 0..<kind.size {
                    for j in 0..<kind.size {
                        largest = max(largest, x.number(row, c, v * kind.size + i, u * kind.size + j))
                    }
                }
                return largest
            }
        case is FlattenLayer: return .vectors(x.rows, reversed: x.reversed)
        default: fatalError("the naive network does not know \(layer)")
        }
    }

    private mutating func bothWays(
        _ kind: any CellKind, _ prefix: String, _ suffix: String, _ x: NaiveRows
    ) -> NaiveRows {
        let ahead = run(kind, prefix, suffix, x.rows)
        let back = run(kind, prefix, suffix + "_reverse", x.rows.reversed()).reversed()
        return .vectors(zip(ahead, back).map { $0 + $1 }, reversed: ahead[0].count)
    }

    // MARK: Cells

    /// h of every step; the state goes on.
    private mutating func run(
        _ kind: any CellKind, _ prefix: String, _ suffix: String, _ rows: [[Double]]
    ) -> [[Double]] {
        let cell = NaiveCell(parameters: parameters, prefix: prefix, suffix: suffix)
        let hName = prefix + "h" + suffix
        let memoryName = prefix + (kind is FastWeightsLayer ? "A" : "c") + suffix
        var (h, memory) = (state[hName]!, state[memoryName] ?? [])
        let outputs = rows.enumerated().map { t, x in
            switch kind {
            case let kind as RNNLayer: h = cell.rnn(kind, x, h)
            case let kind as LSTMLayer: h = cell.lstm(kind, x, h, &memory)
            case is GRULayer: h = cell.gru(x, h)
            case let kind as AssociativeLSTMLayer: h = cell.associative(kind.memoryOptions, x, h, &memory)
            case let kind as FastWeightsLayer:
                let events = kind.memoryOptions.schedule[(firstStep + t) % kind.memoryOptions.schedule.count]
                let y = cell.fastWeights(kind, events, x, h, &memory)
                h = events.contains(.clear) ? [Double](repeating: 0, count: h.count) : y
                return y
            default: fatalError("the naive network does not know \(kind.name)")
            }
            return h
        }
        (state[hName], state[memoryName]) = (h, memory.isEmpty ? nil : memory)
        return outputs
    }
}

/// One step of each cell: the new h, and in place the new memory.
private struct NaiveCell {
    let parameters: [String: [Double]]
    let prefix: String
    let suffix: String

    private func parameter(_ name: String) -> [Double]? { parameters[prefix + name + suffix] }
    private func fromInput(_ x: [Double]) -> [Double] { sum(product(parameter("weight_ih")!, x), parameter("bias_ih")) }
    private func fromState(_ h: [Double]) -> [Double] { sum(product(parameter("weight_hh")!, h), parameter("bias_hh")) }

    private func norm(_ name: String, _ z: [Double], _ epsilon: Float, set: Int = 0) -> [Double] {
        func part(_ values: [Double]) -> [Double] { Array(values[set * z.count..<(set + 1) * z.count]) }
        return normalized(
            z, part(parameter(name + "_weight")!), part(parameter(name + "_bias")!), Double(epsilon))
    }

    func rnn(_ kind: RNNLayer, _ x: [Double], _ h: [Double]) -> [Double] {
        let z = sum(fromInput(x), fromState(h))
        return function(kind.activation, kind.hasLayerNorm ? norm("norm", z, kind.epsilon) : z)
    }

    func lstm(_ kind: LSTMLayer, _ x: [Double], _ h: [Double], _ c: inout [Double]) -> [Double] {
        var gates = parts(sum(fromInput(x), fromState(h)), of: h.count)
        if kind.hasLayerNorm { gates = gates.enumerated().map { norm("norm", $1, kind.epsilon, set: $0) } }
        let (i, f, o) = (gates[0].map(sigmoid), gates[1].map(sigmoid), gates[3].map(sigmoid))
        c = sum(times(f, c), times(i, gates[2].map { tanh($0) }))
        return times(o, (kind.hasLayerNorm ? norm("norm_cell", c, kind.epsilon) : c).map { tanh($0) })
    }

    func gru(_ x: [Double], _ h: [Double]) -> [Double] {
        let (a, b) = (parts(fromInput(x), of: h.count), parts(fromState(h), of: h.count))
        let (r, z) = (sum(a[0], b[0]).map(sigmoid), sum(a[1], b[1]).map(sigmoid))
        let n = sum(a[2], times(r, b[2])).map { tanh($0) }
        return sum(times(z.map { 1 - $0 }, n), times(z, h))
    }

    func fastWeights(
        _ kind: FastWeightsLayer, _ events: FastWeightsOptions.MemoryEvents, _ x: [Double], _ h: [Double],
        _ A: inout [Double]
    ) -> [Double] {
        let options = kind.memoryOptions
        var norms = 0
        func f(_ z: [Double], normalizes: Bool) -> [Double] {
            guard normalizes else { return function(options.activation, z) }
            defer { norms += 1 }
            return function(
                options.activation, norm("norm", z, kind.epsilon, set: options.hasSeparateNorms ? norms : 0))
        }
        let b = sum(fromState(h), fromInput(x))
        var y = f(b, normalizes: options.hasLayerNorm && options.normalizesFirst)
        if events.contains(.read) {
            for _ in 0..<options.innerSteps { y = f(sum(b, product(A, y)), normalizes: options.hasLayerNorm) }
        }
        if events.contains(.write) {
            let written = options.isLagged ? h : y
            A = zip(A, written.flatMap { a in written.map { a * $0 } }).map {
                Double(options.memoryDecay) * $0 + Double(options.writeRate) * $1
            }
        }
        return y
    }

    func associative(
        _ options: AssociativeLSTMOptions, _ x: [Double], _ h: [Double], _ memory: inout [Double]
    ) -> [Double] {
        let (H, half, keys) = (h.count, h.count / 2, options.keys)
        var z = fromInput(x)
        let recurrent = product(parameter("weight_hh")!, h)
        for r in recurrent.indices { z[r] += recurrent[r] }
        let gates = parts(Array(z.prefix(3 * half)), of: half).map { $0.map(sigmoid) }
        let vectors = parts(Array(z.dropFirst(3 * half)), of: H).map { bound(complex($0)) }
        let value = vectors[2 * keys].enumerated().map { $1.times(Complex(gates[0][$0], 0)) }
        let orders = parts(options.permutations(of: half), of: half)
        var read = [Complex](repeating: Complex(0, 0), count: half)
        var copies: [[Double]] = []
        for (old, order) in zip(parts(memory, of: H), orders) {
            var copy = complex(old)
            for k in 0..<half { copy[k] = copy[k].times(Complex(gates[1][k], 0)) }
            for key in vectors.prefix(keys) {
                for k in 0..<half { copy[k] = copy[k].plus(key[order[k]].times(value[k])) }
            }
            for key in vectors[keys..<2 * keys] {
                for k in 0..<half { read[k] = read[k].plus(key[order[k]].times(copy[k])) }
            }
            copies.append(copy.map { $0.real } + copy.map { $0.imaginary })
        }
        memory = copies.flatMap { $0 }
        let mean = bound(read.map { Complex($0.real / Double(options.copies), $0.imaginary / Double(options.copies)) })
        let y = mean.enumerated().map { $1.times(Complex(gates[2][$0], 0)) }
        return y.map { $0.real } + y.map { $0.imaginary }
    }
}

// MARK: - Arithmetic

private func dot(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for i in a.indices { sum += a[i] * b[i] }
    return sum
}

// Tests are not optimized, and most of their time goes by here: loops without iterators.

/// W x, W row by row.
private func product(_ weight: [Double], _ x: [Double]) -> [Double] {
    let columns = x.count
    var result = [Double](repeating: 0, count: weight.count / columns)
    var (i, r) = (0, 0)
    while r < result.count {
        var (sum, k) = (0.0, 0)
        while k < columns {
            sum += weight[i] * x[k]
            (i, k) = (i + 1, k + 1)
        }
        result[r] = sum
        r += 1
    }
    return result
}

private func combined(_ a: [Double], _ b: [Double], _ operation: (Double, Double) -> Double) -> [Double] {
    var (result, i) = (a, 0)
    while i < a.count {
        result[i] = operation(a[i], b[i])
        i += 1
    }
    return result
}

func sum(_ a: [Double], _ b: [Double]?) -> [Double] { b.map { combined(a, $0, +) } ?? a }
func times(_ a: [Double], _ b: [Double]) -> [Double] { combined(a, b, *) }
func parts<Value>(_ a: [Value], of size: Int) -> [[Value]] {
    stride(from: 0, to: a.count, by: size).map { Array(a[$0..<$0 + size]) }
}

func sigmoid(_ z: Double) -> Double { 1 / (1 + exp(-z)) }

func function(_ f: Activation, _ z: [Double]) -> [Double] {
    switch f {
    case .relu: z.map { max(0, $0) }
    case .tanh: z.map { tanh($0) }
    case .sigmoid: z.map(sigmoid)
    }
}

func normalized(_ z: [Double], _ gain: [Double], _ bias: [Double], _ epsilon: Double) -> [Double] {
    let mean = z.reduce(0, +) / Double(z.count)
    let variance = z.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(z.count)
    return z.indices.map { gain[$0] * (z[$0] - mean) / (variance + epsilon).squareRoot() + bias[$0] }
}

private struct Complex {
    var real: Double
    var imaginary: Double
    init(_ real: Double, _ imaginary: Double) { (self.real, self.imaginary) = (real, imaginary) }
    func plus(_ b: Complex) -> Complex { Complex(real + b.real, imaginary + b.imaginary) }
    func times(_ b: Complex) -> Complex {
        Complex(real * b.real - imaginary * b.imaginary, real * b.imaginary + imaginary * b.real)
    }
}

/// A vector's numbers as complex ones: the real parts stand first.
private func complex(_ z: [Double]) -> [Complex] {
    (0..<z.count / 2).map { Complex(z[$0], z[z.count / 2 + $0]) }
}

private func bound(_ z: [Complex]) -> [Complex] {
    z.map {
        let length = max(1, ($0.real * $0.real + $0.imaginary * $0.imaginary).squareRoot())
        return Complex($0.real / length, $0.imaginary / length)
    }
}
