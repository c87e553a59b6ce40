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
        /// 16 bits with a sign.
        case int16 = "I16"
        /// 8 bits with a sign.
        case int8 = "I8"
        /// 64 bits without a sign.
        case uint64 = "U64"
        /// 32 bits without a sign.
        case uint32 = "U32"
        /// 16 bits without a sign.
        case uint16 = "U16"
        /// 8 bits without a sign.
        case uint8 = "U8"
        /// A truth value in a byte.
        case boolean = "BOOL"

        /// Bytes a number.
        public var width: Int { numberType?.width ?? 2 }

        /// Whether the numbers are floating point.
        public var isFloatingPoint: Bool { numberType?.isFloatingPoint ?? true }

        /// The type as other formats have it, which is all but `bfloat16`.
        var numberType: NumberType? {
            switch self {
            case .float64: .float64
            case .float32: .float32
            case .float16: .float16
            case .bfloat16: nil
            case .int64: .int64
            case .int32: .int32
            case .int16: .int16
            case .int8: .int8
            case .uint64: .uint64
            case .uint32: .uint32
            case .uint16: .uint16
            case .uint8: .uint8
            case .boolean: .boolean
            }
        }
    }

    /// What the header says about one tensor.
    public struct Tensor: Equatable, Sendable {
        /// Its name.
        public let name: String
        /// The type of its numbers; nil for one that this library does not compute with, which can only be listed.
        public let dtype: DType?
        /// The type as the file names it.
        public let typeName: String
        /// Sizes, outermost first; empty for a scalar.
        public let shape: [Int]
        /// How many numbers the tensor has.
        public let count: Int
        /// Where the data stand in the bytes of its file.
        let range: Range<Int>
        /// Which of the files of a model in several it is in.
        var part = 0
    }

    /// Where the bytes came from, a path as a rule, for error messages.
    public let source: String
    /// The header's `__metadata__`; empty if there is none.
    public let metadata: [String: String]
    /// The tensors' names, sorted.
    public let names: [String]
    /// Where the bytes of each part of a model in several files came from, and their index; else the source alone.
    let sources: [String]

    /// The bytes of the file, or of each part of a model in several.
    private let parts: [[UInt8]]
    private let tensors: [String: Tensor]

    /// Opens the file whose content is `bytes`.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - source: Where the bytes came from, for error messages.
    /// - Throws: ``FormatError`` if the bytes are of another format, which it names, or break any rule of this one. A
    ///   tensor with a dtype that ``DType`` does not list is an error only where it is asked for.
    /// - Complexity: O(*h* + *n* log *n*) for *h* bytes of header and *n* tensors; the data are not copied.
    public init(bytes: [UInt8], source: String) throws(FormatError) {
        let header = try SafeTensorsHeader(bytes: bytes, source: source)
        self.init(source: source, metadata: header.metadata, tensors: header.tensors, parts: [bytes], sources: [source])
    }

    init(
        source: String, metadata: [String: String], tensors: [String: Tensor], parts: [[UInt8]], sources: [String]
    ) {
        (self.source, self.sources) = (source, sources)
        self.metadata = metadata
        names = tensors.keys.sorted()
        self.tensors = tensors
        self.parts = parts
    }

    /// Opens the file at `path`, or with an index, `….safetensors.index.json`, the files that it names beside it.
    ///
    /// Throws ``FileError`` if it cannot be read, else as ``init(bytes:source:)`` and ``init(index:source:part:)``.
    public init(path: String) throws {
        try self.init(try Files.read(path), path: path)
    }

    /// The file at `path`, whose content is `bytes`.
    init(_ bytes: [UInt8], path: String) throws {
        if FileKind(bytes) == .safeTensorsIndex {
            let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
            try self.init(index: bytes, source: path) { name in
                Files.exists(folder + name) ? try Files.read(folder + name) : nil
            }
        } else {
            try self.init(bytes: bytes, source: path)
        }
    }

    /// How many files the tensors are in.
    var partCount: Int { parts.count }
    /// Bytes of these files together.
    var byteCount: Int { parts.reduce(0) { $0 + $1.count } }

    /// The dtype and shape of the tensor `name`.
    ///
    /// - Throws: ``FormatError`` that lists what is there, if this is not.
    public func tensor(named name: String) throws(FormatError) -> Tensor {
        if let tensor = tensors[name] { return tensor }
        let nearest = NearestName.nearest(to: name, among: names)
        throw FormatError(
            source: source, entry: name, reason: .missing, expected: "a tensor of this name",
            found: names.isEmpty ? "no tensors" : "only \(Self.list(names))",
            advice: nearest.map { "Did you mean \"\($0)\"?" }, noun: "tensor")
    }

    /// The first names of many.
    static func list(_ names: [String]) -> String {
        let shown = names.prefix(12).joined(separator: ", ")
        return names.count > 12 ? "\(shown) and \(names.count - 12) more" : shown
    }
}

// MARK: - Numbers

extension SafeTensors {
    /// The numbers of a floating-point tensor, row-major. F64 is rounded to the nearest `Float`; the rest is exact.
    ///
    /// - Throws: ``FormatError`` if there is no such tensor, it holds anything else, or a number beyond every `Float`.
    /// - Complexity: O(*n*) in the tensor's count.
    public func floats(_ name: String) throws(FormatError) -> [Float] {
        let tensor = try floatingPoint(name)
        do { return try packed(tensor).floats(source: source) } catch { throw outOfRange(tensor, error) }
    }

    /// The numbers of a floating-point tensor, row-major and exact.
    ///
    /// - Throws: ``FormatError`` if there is no such tensor or it holds anything else.
    /// - Complexity: O(*n*) in the tensor's count.
    public func doubles(_ name: String) throws(FormatError) -> [Double] {
        packed(try floatingPoint(name)).doubles
    }

    /// The numbers of a tensor of integers (I64 to I8, U64 to U8), row-major; of truth values (BOOL) 0 and 1.
    ///
    /// - Throws: ``FormatError`` if there is no such tensor, it holds anything else, or one of its numbers does not
    ///   fit an `Int`.
    /// - Complexity: O(*n*) in the tensor's count.
    public func integers(_ name: String) throws(FormatError) -> [Int] {
        let tensor = try tensor(named: name)
        guard let type = tensor.dtype, !type.isFloatingPoint else {
            throw wrongType(tensor, expected: "an integer tensor", isFloatingPoint: false)
        }
        do { return try packed(tensor).integers(source: source) } catch { throw outOfRange(tensor, error) }
    }

    private func floatingPoint(_ name: String) throws(FormatError) -> Tensor {
        let tensor = try tensor(named: name)
        guard tensor.dtype?.isFloatingPoint ?? false else {
            throw wrongType(tensor, expected: "a floating-point tensor", isFloatingPoint: true)
        }
        return tensor
    }

    /// The numbers of a tensor of one of the types that are read.
    private func packed(_ tensor: Tensor) -> PackedNumbers {
        PackedNumbers(
            bytes: parts[tensor.part], start: tensor.range.lowerBound, count: tensor.count,
            type: tensor.dtype?.numberType, isBigEndian: false)
    }

    private func wrongType(_ tensor: Tensor, expected: String, isFloatingPoint: Bool) -> FormatError {
        let types = DType.allCases.filter { $0.isFloatingPoint == isFloatingPoint }.map { $0.rawValue }
        return FormatError(
            source: source, entry: tensor.name, reason: tensor.dtype == nil ? .unsupported : .wrongType,
            expected: "\(expected) (\(types.joined(separator: ", ")))", found: tensor.typeName,
            advice: "Convert the tensor before it is saved.", noun: "tensor")
    }

    private func outOfRange(_ tensor: Tensor, _ error: FormatError) -> FormatError {
        FormatError(
            source: source, entry: tensor.name, reason: .valueOutOfRange, expected: error.expected, found: error.found,
            noun: "tensor")
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
    public static func serialize(
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
    ) throws(FormatError) -> [UInt8] {
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
        var header = Array(JSON.object(members).serialized().utf8)
        header.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - header.count % 8) % 8))
        guard header.count <= limit else {
            throw FormatError(
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

    /// Writes the file at `path` atomically, as ``serialize(_:integers:metadata:)`` gives it; throws ``FileError`` when it
    /// cannot be written, and ``FormatError`` where its header would be too long, and then nothing has changed.
    public static func write(
        _ tensors: [(name: String, shape: [Int], values: [Float])],
        integers: [(name: String, shape: [Int], values: [Int])] = [], metadata: [(String, String)] = [],
        to path: String
    ) throws {
        try Files.writeAtomically(
            try bytes(tensors, integers: integers, metadata: metadata, source: path), to: path)
    }
}
