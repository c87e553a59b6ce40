/// What a model of convolutional LSTMs over patches is made of, beside its widths.
public struct PatchOptions: Sendable, Equatable {
    /// How frames are read and made.
    public enum Form: String, Sendable, CaseIterable {
        /// One network reads frames and goes on from its own, as OpenSTL has it. All frames but the first are learned.
        case one
        /// An encoder reads the context; a forecaster of as many layers begins with its states and reads nothing (Shi et al.
        /// 2015). The frames behind the context are learned.
        case forecaster
    }

    /// What is made small.
    public enum Loss: String, Sendable, CaseIterable {
        /// The mean of squared errors.
        case meanSquares = "mean_squares"
        /// The mean of -y·log ŷ - (1 - y)·log(1 - ŷ); what comes out goes through a σ.
        case crossEntropy = "cross_entropy"
    }

    /// p: a patch of p by p pixels is one place of the maps, so that there are p·p as many of them.
    public var patch = 4
    /// How frames are read and made.
    public var form = Form.one
    /// What is made small.
    public var loss = Loss.meanSquares
    /// Rows and columns of the filters of the gates, odd numbers.
    public var kernel: MapSize = 5
    /// Whether the gates have a bias.
    public var hasBias = true
    /// Whether the gates see the cells, by a weight for each number of the maps.
    public var hasPeepholes = false
    /// What is added to the forget gate.
    public var forgetOffset: Float = 1
    /// Whether the last convolution has a bias.
    public var hasOutputBias = true

    /// Patches of four by four, one network.
    public init() {}
}

// MARK: - JSON

extension PatchOptions {
    /// As they stand in a file.
    var members: [JSON.Member] {
        [
            JSON.Member(key: "form", value: .string(form.rawValue)), JSON.Member("patch", patch),
            JSON.Member(key: "kernel_size", value: kernel.json), JSON.Member(key: "bias", value: .bool(hasBias)),
            JSON.Member(key: "peepholes", value: .bool(hasPeepholes)),
            JSON.Member(key: "forget_offset", value: .number(Double(forgetOffset))),
            JSON.Member(key: "output_bias", value: .bool(hasOutputBias)),
            JSON.Member(key: "loss", value: .string(loss.rawValue)),
        ]
    }

    /// Reads what `members` wrote. Throws `ConfigurationError` with what is missing or cannot be.
    init(_ reader: ConfigurationReader) throws(ConfigurationError) {
        form = try reader.name("form", Form.self)
        patch = try reader.count("patch")
        kernel = try reader.mapSize("kernel_size")
        hasBias = try reader.flag("bias")
        hasPeepholes = try reader.flag("peepholes")
        forgetOffset = Float(try reader.number("forget_offset"))
        hasOutputBias = try reader.flag("output_bias")
        loss = try reader.name("loss", Loss.self)
        if try reader.flag("layer_norm", default: false) {
            throw reader.wrong("layer_norm", "false: a model of video has no norms inside its cells")
        }
    }
}

extension ConfigurationReader {
    /// One of the names of an enumeration.
    func name<Name: RawRepresentable<String> & CaseIterable>(
        _ key: String, _: Name.Type
    ) throws(ConfigurationError) -> Name {
        guard let value = Name(rawValue: try text(key)) else {
            throw wrong(key, "one of " + Name.allCases.map { $0.rawValue }.joined(separator: ", "))
        }
        return value
    }
}
