/// The filters of a convolutional LSTM's gates, of one parameter or of two, one for x and one for h, as one set over [x, h] with
/// the gates in the order i, j, f, o.
final class GateFilters: @unchecked Sendable {
    /// Where they stand.
    struct Placed {
        /// A parameter [4C, channels, rows, columns], and the channels of [x, h] that it is of.
        struct Part {
            let weight: Parameter
            let channels: Range<Int>
            let size: MapSize
        }

        /// Maps of x, and of h.
        let inputs: Int
        let hidden: Int
        let parts: [Part]
        let bias: Parameter?
        /// Where gates i, j, f and o stand in the parameters.
        let order: [Int]

        var channels: Int { inputs + hidden }
        /// The side of the filters: the longer one of those that are not square, with zeros beside them.
        var side: Int { parts.reduce(1) { max($0, $1.size.height, $1.size.width) } }
        /// Whether the parameter is such a set by itself.
        fileprivate var isWhole: Bool {
            parts.count == 1 && order == [0, 1, 2, 3] && parts[0].size == MapSize(side) && bias != nil
        }
    }

    let placed: Placed
    let filters: PlanarFilters
    private let numbers: UnsafeMutablePointer<Float>
    private let weight: Buffer<Float>
    private let bias: Buffer<Float>

    init(_ placed: Placed, _ numbers: UnsafeMutablePointer<Float>) {
        (self.placed, self.numbers) = (placed, numbers)
        let (features, side) = (4 * placed.hidden, placed.side)
        weight = Buffer(placed.isWhole ? 0 : features * placed.channels * side * side)
        bias = Buffer(placed.isWhole ? 0 : features)
        filters = PlanarFilters(
            placed.isWhole ? numbers[placed.parts[0].weight] : weight.pointer,
            bias: placed.isWhole ? numbers[placed.bias!] : bias.pointer, channels: placed.channels,
            features: features, size: side)
    }

    /// Room for the gradient of the set: weights, and biases behind them.
    var gradientCount: Int { 4 * placed.hidden * (placed.channels * placed.side * placed.side + 1) }

    /// Takes in the parameters as they are now, before the filters are packed.
    func combine() {
        guard !placed.isWhole else { return }
        forEachRow { row, own, count in (weight.pointer + row).update(from: numbers + own, count: count) }
        guard let parameter = placed.bias else { return }
        forEachGate { gate, own in
            (bias.pointer + gate).update(from: numbers[parameter] + own, count: placed.hidden)
        }
    }

    /// Adds a gradient of the set to those of the parameters.
    func addGradient(_ gradient: UnsafePointer<Float>, to gradients: UnsafeMutablePointer<Float>) {
        forEachRow { row, own, count in add(gradient + row, to: gradients + own, count: count) }
        guard let parameter = placed.bias else { return }
        let biases = gradient + (gradientCount - 4 * placed.hidden)
        forEachGate { gate, own in add(biases + gate, to: gradients[parameter] + own, count: placed.hidden) }
    }

    /// Calls `body` with the first unit of each gate in the set and in the parameters.
    private func forEachGate(_ body: (_ gate: Int, _ own: Int) -> Void) {
        for (gate, own) in placed.order.enumerated() { body(gate * placed.hidden, own * placed.hidden) }
    }

    /// Calls `body` with each row of a filter: its first number in the set and among all parameters, and how many.
    private func forEachRow(_ body: (_ row: Int, _ own: Int, _ count: Int) -> Void) {
        let side = placed.side
        for part in placed.parts {
            let (height, width, channels) = (part.size.height, part.size.width, part.channels)
            forEachGate { gate, own in
                for unit in 0..<placed.hidden {
                    for c in channels {
                        let filter = ((gate + unit) * placed.channels + c) * side * side
                        let source = ((own + unit) * channels.count + c - channels.lowerBound) * height * width
                        for i in 0..<height {
                            body(
                                filter + (i + (side - height) / 2) * side + (side - width) / 2,
                                part.weight.offset + source + i * width, width)
                        }
                    }
                }
            }
        }
    }
}
