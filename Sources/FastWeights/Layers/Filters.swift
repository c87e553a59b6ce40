// What layers with filters share: their options, and their parameters made ready for passes.

/// The options of a convolution, or of a transposed one.
struct FilterOptions: Sendable {
    /// F, maps that the layer gives.
    var features: Int
    /// Rows and columns of a filter.
    var size: MapSize
    var stride: MapSize
    var padding: MapPadding
    var hasBias = true
    var activation: Activation?

    init(
        features: Int, size: MapSize, stride: MapSize, padding: MapPadding, hasBias: Bool, activation: Activation?
    ) {
        (self.features, self.size, self.stride, self.padding) = (features, size, stride, padding)
        (self.hasBias, self.activation) = (hasBias, activation)
    }

    init(_ reader: ConfigurationReader) throws(ConfigurationError) {
        (features, size) = (try reader.count("features"), try reader.mapSize("size"))
        (stride, padding) = (try reader.mapSize("stride", default: 1), try reader.mapPadding("padding"))
        hasBias = try reader.flag("bias", default: true)
        activation = reader.json["activation"] == nil ? nil : try reader.activation()
    }

    /// As files have them: what is square is one number, and a bias is a matter of course.
    var members: [JSON.Member] {
        [
            JSON.Member("features", features), JSON.Member(key: "size", value: size.json),
            JSON.Member(key: "stride", value: stride.json), JSON.Member(key: "padding", value: padding.json),
        ] + (hasBias ? [] : [JSON.Member("bias", false)])
            + (activation.map { [JSON.Member("activation", $0.rawValue)] } ?? [])
    }

    var unwritten: [String] { (hasBias ? ["bias"] : []) + (activation == nil ? ["activation"] : []) }

    /// Whether there can be such filters over so many channels, wherever they are.
    func canBe(channels: Int) -> Bool {
        let sizes = 1...sizeLimit
        guard sizes.contains(features), sizes.contains(size.height), sizes.contains(size.width),
            sizes.contains(stride.height), sizes.contains(stride.width),
            elementCount([features, channels, size.height, size.width]) != nil
        else { return false }
        guard case .zeros(let top, let bottom, let left, let right) = padding else { return true }
        let (rows, columns) = (0..<size.height, 0..<size.width)
        return rows.contains(top) && rows.contains(bottom) && columns.contains(left) && columns.contains(right)
    }

    /// To be read by people.
    var text: String {
        let steps = stride.height == stride.width ? "\(stride.height)" : stride.text
        let zeros = padding == .same ? "SAME" : "\(padding.text) below their size"
        return "\(features) filters of \(size.text), one every \(steps), with a padding of \(zeros)"
    }

    /// The filters over maps of a shape.
    func convolution(of maps: MapShape) -> Convolution {
        Convolution(
            channels: maps.channels, features: features,
            rows: FilterAxis(reading: maps.height, size: size.height, stride: stride.height, padding.rows),
            columns: FilterAxis(reading: maps.width, size: size.width, stride: stride.width, padding.columns))
    }
}

extension MapShape {
    /// Channels, rows and columns.
    var sizes: [Int] { [channels, height, width] }
}

/// Why a layer cannot read what is not maps; nil where it can.
func needsMaps(_ input: LayerShape) -> String? {
    input.maps == nil ? "it needs maps of numbers, found \(input.text)" : nil
}

// MARK: - Files

extension MapSize {
    /// One number where rows and columns are as many.
    var json: JSON { height == width ? .number(Double(height)) : .array([height, width].map { .number(Double($0)) }) }
}

extension MapPadding {
    /// "same", or the zeros: of all sides, of rows and columns, or above, below, on the left and on the right.
    var json: JSON {
        guard case .zeros(let top, let bottom, let left, let right) = self else { return .string("same") }
        guard top == bottom, left == right else {
            return .array([top, bottom, left, right].map { .number(Double($0)) })
        }
        return MapSize(top, left).json
    }
}

extension ConfigurationReader {
    /// A whole number for rows and columns, or two.
    func mapSize(
        _ key: String, from: Int = 1, default fallback: MapSize? = nil
    ) throws(ConfigurationError) -> MapSize {
        if json[key] == nil, let fallback { return fallback }
        guard let numbers = wholeNumbers(key, from: from), numbers.count <= 2 else {
            throw wrong(key, "a whole number from \(from) to \(sizeLimit), or two, of rows and of columns")
        }
        return MapSize(numbers[0], numbers[numbers.count - 1])
    }

    /// Zeros around maps; none where nothing is said.
    func mapPadding(_ key: String) throws(ConfigurationError) -> MapPadding {
        guard let value = json[key] else { return .none }
        if value.text == "same" { return .same }
        guard let numbers = wholeNumbers(key, from: 0), numbers.count != 3, numbers.count <= 4 else {
            throw wrong(
                key,
                "\"same\", or a whole number from 0 to \(sizeLimit), or two, of rows and of columns, or four, of top, "
                    + "bottom, left and right")
        }
        guard numbers.count == 4 else { return .zeros(MapSize(numbers[0], numbers[numbers.count - 1])) }
        return .zeros(top: numbers[0], bottom: numbers[1], left: numbers[2], right: numbers[3])
    }

    /// One number, or those of a list; nil of anything else.
    private func wholeNumbers(_ key: String, from: Int) -> [Int]? {
        guard let value = json[key] else { return nil }
        let numbers = (value.elements ?? [value]).compactMap { $0.integer }
        let all = numbers.count == value.elements?.count ?? 1 && numbers.allSatisfy { (from...sizeLimit).contains($0) }
        return all && !numbers.isEmpty ? numbers : nil
    }
}

// MARK: - Parameters

/// The filters of a layer, packed.
final class FilterWeights: LayerWeights {
    private let packed: [(filters: PackedFilters, weight: Parameter, first: Int)]

    /// Of each set of filters their parameter, and the first number there.
    init(
        _ layer: PlacedLayer, _ block: Parameters, _ sets: [(convolution: Convolution, weight: Parameter, first: Int)]
    ) {
        packed = sets.map { (PackedFilters($0.convolution), $0.weight, $0.first) }
        super.init(layer, block)
    }

    override var pieces: Int { packed.count }

    override func pack(piece: Int) {
        let (filters, weight, first) = packed[piece]
        filters.pack(numbers[weight] + first)
    }

    /// The products of a set of filters; asked for before a loop over steps.
    func filters(_ set: Int = 0) -> PackedFilters.Products { packed[set].filters.products }

    /// Maps that are the bias of their channel throughout, or 0 without one.
    func fill(_ y: Panel, _ shape: MapShape, with bias: Parameter?) {
        guard let bias else { return y.update(repeating: .zero, count: shape.count) }
        fillChannels(y, channels: shape.channels, area: shape.area, with: numbers[bias])
    }
}
