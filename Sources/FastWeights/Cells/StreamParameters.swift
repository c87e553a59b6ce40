/// The parameters of a cell laid out for `RecurrentStream`: eight units a vector.
///
/// H units, of the associative LSTM H/2 complex ones, are padded with zeros to U vectors of eight. Vector u·G + g of the
/// pre-activations holds gate g of the units 8u … 8u + 7, so that one sweep over them has all gates of a unit at hand, and
/// a padded unit computes 0 from 0. The gates of eight units stay in one tile of the product, but those of the associative
/// LSTM, which has more than a tile has room for.
struct StreamParameters {
    /// U, vectors a gate.
    let vectors: Int
    /// G, gates.
    let gates: Int
    /// W_ih and W_hh side by side, [G·U vectors, I + H]; of the GRU W_ih alone, and W_hh apart.
    let weight: StreamMatrix
    let recurrentWeight: StreamMatrix
    /// Both biases added, [G·U]. The GRU's candidate multiplies its recurrent part by r, bias and all, so that there
    /// W_hn's bias stands apart, [U].
    let bias: UnsafePointer<Octet>
    let candidateBias: UnsafePointer<Octet>
    /// Gains and biases of the layer norms: the LSTM's in the order of its gates, the fast weights' sets, or one.
    let norm: Norm?
    /// Those of the LSTM's c.
    let cellNorm: Norm?

    struct Norm {
        let gain: UnsafePointer<Octet>
        let bias: UnsafePointer<Octet>
    }

    /// Copies the parameters as they are now into memory of `arena`.
    init(_ configuration: CellConfiguration, _ source: CellParameters, arena: StreamArena) {
        let (hidden, units) = (configuration.hidden, configuration.units)
        let gates = configuration.gateRows / units
        let vectors = (units + Octet.width - 1) / Octet.width
        self.gates = gates
        self.vectors = vectors

        /// Matrices of G·H rows or the first of them side by side.
        func matrix(_ parts: (values: UnsafePointer<Float>, rows: Int, columns: Int)...) -> StreamMatrix {
            let columns = parts.reduce(0) { $0 + $1.columns }
            let matrix = StreamMatrix(
                vectors: gates * vectors, columns: columns, grain: units < hidden ? 1 : gates, arena: arena)
            var first = 0
            for part in parts {
                for row in 0..<part.rows {
                    let (gate, unit) = (row / units, row % units)
                    for k in 0..<part.columns {
                        matrix.vector(unit / Octet.width * gates + gate, column: first + k)
                            .pointee[unit % Octet.width] = part.values[row * part.columns + k]
                    }
                }
                first += part.columns
            }
            return matrix
        }
        /// Adds `sets` runs of a number a unit to vectors of which those of a run are `stride` apart, the runs `step`.
        func add(_ values: UnsafePointer<Float>, sets: Int, stride: Int, step: Int, to target: Target) {
            for set in 0..<sets {
                for unit in 0..<units {
                    target[unit / Octet.width * stride + set * step][unit % Octet.width] += values[set * units + unit]
                }
            }
        }
        func norm(_ gain: UnsafePointer<Float>?, _ bias: UnsafePointer<Float>?, sets: Int, interleaved: Bool) -> Norm? {
            guard let gain, let bias else { return nil }
            let (gains, biases) = (arena.octets(sets * vectors), arena.octets(sets * vectors))
            let (stride, step) = interleaved ? (sets, 1) : (1, vectors)
            add(gain, sets: sets, stride: stride, step: step, to: gains)
            add(bias, sets: sets, stride: stride, step: step, to: biases)
            return Norm(gain: gains, bias: biases)
        }
        typealias Target = UnsafeMutablePointer<Octet>

        let input = (UnsafePointer(source.inputWeight), configuration.gateRows, configuration.input)
        let recurrent = (UnsafePointer(source.recurrentWeight), configuration.recurrentRows, hidden)
        let isGRU = if case .gru = configuration.cell { true } else { false }
        weight = isGRU ? matrix(input) : matrix(input, recurrent)
        recurrentWeight = isGRU ? matrix(recurrent) : matrix()
        let (bias, candidateBias) = (arena.octets(gates * vectors), arena.octets(vectors))
        add(source.inputBias, sets: gates, stride: gates, step: 1, to: bias)
        if let recurrentBias = source.recurrentBias {
            add(recurrentBias, sets: isGRU ? 2 : gates, stride: gates, step: 1, to: bias)
            if isGRU { add(recurrentBias + 2 * hidden, sets: 1, stride: 1, step: 0, to: candidateBias) }
        }
        self.bias = UnsafePointer(bias)
        self.candidateBias = UnsafePointer(candidateBias)
        if case .fastWeights(let options) = configuration.cell {
            self.norm = norm(source.normGain, source.normBias, sets: options.normSets, interleaved: false)
        } else {
            self.norm = norm(source.normGain, source.normBias, sets: gates, interleaved: true)
        }
        cellNorm = norm(source.cellGain, source.cellBias, sets: 1, interleaved: true)
    }
}

/// Parameters laid out for streams, for any number of them on any threads to read.
final class SharedStreamParameters: @unchecked Sendable {
    let configuration: CellConfiguration
    let parameters: StreamParameters
    private let arena = StreamArena()

    init(_ configuration: CellConfiguration, _ source: CellParameters) {
        self.configuration = configuration
        parameters = StreamParameters(configuration, source, arena: arena)
    }
}
