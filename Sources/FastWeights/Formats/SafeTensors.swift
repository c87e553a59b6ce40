/// Named tensors in the safetensors format: what PyTorch and others write, read strictly; and written, as F32 and I64.
///
///     let file = try SafeTensors(path: "model.safetensors")  // or (bytes: bytes, source: "model.safetensors")
///     let weights = try file.floats("lstm.weight_ih_l0")     // row-major, last index fastest
///     let shape = try file.tensor(named: "lstm.weight_ih_l0").shape
///
/// A file is 8 bytes of little-endian header length, a JSON header that gives each tensor's dtype, shape and place, and
/// the data. The whole header is checked when the file is opened; afterwards only a wrong name or dtype can fail.
public struct SafeTensors: Sendable {
    /// The type of a stored number.
    public enum DType: String, CaseIterable, Sendable {
        /// IEEE double precision.
        case float64 = "F64"
        /// IEEE single precision.
        case float32 = "F32"
        /// IEEE half precision.
        case float16 = "F16"
        /// The upper half of single precision.
        case bfloat16 = "BF16"
        /// 64 bits with a sign.
        case int64 = "I64"
        /// 32 bits with a sign.
        case int32 = "I32"
        /// 8 bits without a sign.
        case uint8 = "U8"

        /// Bytes a number.
        public var width: Int {
            switch self {
            case .float64, .int64: 8
            case .float32, .int32: 4
            case .float16, .bfloat16: 2
            case .uint8: 1
            }
        }

        /// Whether the numbers are floating point.
        public var isFloatingPoint: Bool {
            switch self {
            case .float64, .float32, .float16, .bfloat16: true
            case .int64, .int32, .uint8: false
            }
        }
    }

    /// What the header says about one tensor.
    public struct Tensor: Equatable, Sendable {
        /// Its name.
        public let name: String
        /// The type of its numbers.
        public let dtype: DType
        /// Sizes, outermost first; empty for a scalar.
        public let shape: [Int]
        /// Where the data stand in the file's bytes.
        let range: Range<Int>

        /// How many numbers the tensor has.
        public var count: Int { range.count / dtype.width }
    }

    /// Where the bytes came from, a path as a rule, for error messages.
    public let source: String
    /// The header's `__metadata__`; empty if there is none.
    public let metadata: [String: String]
    /// The tensors' names, sorted.
    public let names: [String]

    private let bytes: [UInt8]
    private let tensors: [String: Tensor]

    /// Opens the file whose content is `bytes`.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - source: Where the bytes came from, for error messages.
    /// - Throws: ``SafeTensorsError`` if the bytes break any rule of the format, or a tensor has a dtype that
    ///   ``DType`` does not list.
    /// - Complexity: O(*h* + *n* log *n*) for *h* bytes of header and *n* tensors; the data are not copied.
    public init(bytes: [UInt8], source: String) throws(SafeTensorsError) {
        let header = try SafeTensorsHeader(bytes: bytes, source: source)
        self.bytes = bytes
        self.source = source
        metadata = header.metadata
        tensors = header.tensors
        names = header.tensors.keys.sorted()
    }

    /// Opens the file at `path`; throws ``FileError`` if it cannot be read, else as ``init(bytes:source:)``.
    public init(path: String) throws {
        try self.init(bytes: try Files.read(path), source: path)
    }

    /// The dtype and shape of the tensor `name`.
    ///
    /// - Throws: ``SafeTensorsError`` that lists what is there, if this is not.
    public func tensor(named name: String) throws(SafeTensorsError) -> Tensor {
        if let tensor = tensors[name] { return tensor }
        let nearest = NearestName.nearest(to: name, among: names)
        throw SafeTensorsError(
            source: source, tensor: name, reason: .missingTensor, expected: "a tensor of this name",
            found: names.isEmpty ? "no tensors" : "only \(Self.list(names))",
            advice: nearest.map { "Did you mean \"\($0)\"?" })
    }

    /// The first names of many.
    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(12).joined(separator: ", ")
        return names.count > 12 ? "\(shown) and \(names.count - 12) more" : shown
    }
}

// MARK: - Numbers

extension SafeTensors {
    /// The numbers of a floating-point tensor, row-major. F64 is rounded to the nearest `Float`; the rest is exact.
    ///
    /// - Throws: ``SafeTensorsError`` if there is no such tensor or it holds integers.
    /// - Complexity: O(*n*) in the tensor's count.
    public func floats(_ name: String) throws(SafeTensorsError) -> [Float] {
        let tensor = try tensor(named: name)
        switch tensor.dtype {
        case .float64: return decode(tensor) { (bits: UInt64) in Float(Double(bitPattern: bits)) }
        case .float32: return decode(tensor) { (bits: UInt32) in Float(bitPattern: bits) }
        case .float16: return decode(tensor, Float.init(halfBits:))
        case .bfloat16: return decode(tensor) { (bits: UInt16) in Float(bitPattern: UInt32(bits) << 16) }
        case .int64, .int32, .uint8: throw wrongType(tensor, expected: "a floating-point tensor (F64, F32, F16, BF16)")
        }
    }

    /// The numbers of a floating-point tensor, row-major and exact.
    ///
    /// - Throws: ``SafeTensorsError`` if there is no such tensor or it holds integers.
    /// - Complexity: O(*n*) in the tensor's count.
    public func doubles(_ name: String) throws(SafeTensorsError) -> [Double] {
        let tensor = try tensor(named: name)
        if tensor.dtype == .float64 { return decode(tensor) { (bits: UInt64) in Double(bitPattern: bits) } }
        return try floats(name).map(Double.init)
    }

    /// The numbers of an integer tensor (I64, I32, U8), row-major.
    ///
    /// - Throws: ``SafeTensorsError`` if there is no such tensor, it holds floating-point numbers, or one of its
    ///   numbers does not fit an `Int`, which can only be where `Int` has 32 bits.
    /// - Complexity: O(*n*) in the tensor's count.
    public func integers(_ name: String) throws(SafeTensorsError) -> [Int] {
        let tensor = try tensor(named: name)
        switch tensor.dtype {
        case .int64:
            let values = decode(tensor) { (bits: UInt64) in Int64(bitPattern: bits) }
            if let large = values.first(where: { Int(exactly: $0) == nil }) {
                throw SafeTensorsError(
                    source: source, tensor: name, reason: .valueOutOfRange,
                    expected: "numbers that fit \(Int.bitWidth) bits", found: "\(large)")
            }
            return values.map { Int($0) }
        case .int32: return decode(tensor) { (bits: UInt32) in Int(Int32(bitPattern: bits)) }
        case .uint8: return decode(tensor) { (byte: UInt8) in Int(byte) }
        case .float64, .float32, .float16, .bfloat16:
            throw wrongType(tensor, expected: "an integer tensor (I64, I32, U8)")
        }
    }

    private func decode<Bits: FixedWidthInteger, Value>(_ tensor: Tensor, _ value: (Bits) -> Value) -> [Value] {
        bytes.numbers(from: tensor.range.lowerBound, count: tensor.count, value)
    }

    private func wrongType(_ tensor: Tensor, expected: String) -> SafeTensorsError {
        SafeTensorsError(
            source: source, tensor: tensor.name, reason: .wrongType, expected: expected,
            found: tensor.dtype.rawValue)
    }
}

// MARK: - Writing

extension SafeTensors {
    /// The bytes of a file that holds `tensors` as F32 and behind them `integers` as I64, in the order given: the same
    /// arguments always give the same bytes.
    ///
    /// The header is padded with spaces so that the data begin at a multiple of 8.
    ///
    /// - Parameters:
    ///   - tensors: Names that differ and are not `__metadata__`; values row-major, as many as the shape says.
    ///   - integers: The same of whole numbers, as `lengths` of `fastweights run`.
    ///   - metadata: Keys, which differ, with their values; left out of the file if empty.
    /// - Complexity: O(*n*) in the number of values. Traps on names, keys and counts that are other, and where names and
    ///   metadata are more than the 100,000,000 bytes that the format allows a header.
    public static func serialise(
        _ tensors: [(name: String, shape: [Int], values: [Float])],
        integers: [(name: String, shape: [Int], values: [Int])] = [], metadata: [(String, String)] = []
    ) -> [UInt8] {
        do {
            return try bytes(tensors, integers: integers, metadata: metadata, source: "safetensors")
        } catch { misuse("\(error)") }
    }

    /// The same of a file `source`; throws where its header would be longer than `limit`.
    static func bytes(
        _ tensors: [(name: String, shape: [Int], values: [Float])],
        integers: [(name: String, shape: [Int], values: [Int])] = [], metadata: [(String, String)], source: String,
        limit: Int = SafeTensorsHeader.lengthLimit
    ) throws(SafeTensorsError) -> [UInt8] {
        var members: [JSON.Member] = []
        if !metadata.isEmpty {
            var keys: Set<String> = []
            for (key, _) in metadata {
                require(keys.insert(key).inserted, "the metadata key \"\(key)\" is given twice")
            }
            let entries = metadata.map { JSON.Member(key: $0.0, value: .string($0.1)) }
            members.append(JSON.Member(key: SafeTensorsHeader.metadataKey, value: .object(entries)))
        }
        var names: Set<String> = [SafeTensorsHeader.metadataKey]
        var end = 0
        func declare(_ name: String, _ type: DType, _ shape: [Int], count: Int) {
            require(names.insert(name).inserted, "the tensor name \"\(name)\" is reserved or given twice")
            require(count, fits: shape, "the tensor \"\(name)\"")
            let begin = end
            end += count * type.width
            let entry: JSON = [
                "dtype": .string(type.rawValue), "shape": .array(shape.map { .number(Double($0)) }),
                "data_offsets": [.number(Double(begin)), .number(Double(end))],
            ]
            members.append(JSON.Member(key: name, value: entry))
        }
        for (name, shape, values) in tensors { declare(name, .float32, shape, count: values.count) }
        for (name, shape, values) in integers { declare(name, .int64, shape, count: values.count) }
        var header = Array(JSON.object(members).serialised().utf8)
        header.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - header.count % 8) % 8))
        guard header.count <= limit else {
            throw SafeTensorsError(
                source: source, reason: .headerLength,
                expected: "names and metadata for a header of at most \(limit) bytes",
                found: "\(header.count) bytes")
        }

        var bytes: [UInt8] = []
        bytes.reserveCapacity(SafeTensorsHeader.prefixLength + header.count + end)
        withUnsafeBytes(of: UInt64(header.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: header)
        for tensor in tensors { bytes.appendLittleEndian(tensor.values) }
        for tensor in integers { bytes.appendLittleEndian(tensor.values) }
        return bytes
    }

    /// Writes the file at `path` atomically, as ``serialise(_:integers:metadata:)`` gives it; throws ``FileError`` when it
    /// cannot be written, and ``SafeTensorsError`` where its header would be too long, and then nothing has changed.
    public static func write(
        _ tensors: [(name: String, shape: [Int], values: [Float])],
        integers: [(name: String, shape: [Int], values: [Int])] = [], metadata: [(String, String)] = [],
        to path: String
    ) throws {
        try Files.writeAtomically(
            try bytes(tensors, integers: integers, metadata: metadata, source: path), to: path)
    }
}
