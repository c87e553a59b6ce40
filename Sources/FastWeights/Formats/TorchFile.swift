/// The tensors of a PyTorch file: what `torch.save` writes since PyTorch 1.6, `.pt` or `.pth`, of a state dict or of
/// dictionaries, lists and tuples with tensors in them, read strictly and without running anything.
///
///     let file = try TorchFile(path: "checkpoint.pt")        // torch.save({"model": model.state_dict(), "epoch": 3}, …)
///     let weights = try file.floats("model.lstm.weight_ih_l0")
///
/// A tensor's name is the way to it, keys and places in lists joined with dots; that of a file which is a tensor itself is
/// "tensor". Shared storages, any strides, and either order of bytes are read.
///
/// The file is a zip archive with a pickle in it, a program that may call whatever Python has. Here it may build tensors and
/// parameters of the number types, ordered dictionaries, sizes and devices, and holds numbers and texts beside them. A
/// file with anything else in it, as a whole module, is refused with its name.
public struct TorchFile: Sendable {
    /// What the file says about one tensor.
    public struct Tensor: Equatable, Sendable {
        /// Its name, the way to it.
        public let name: String
        /// The type of its numbers; nil for one that this library does not compute with, which can only be listed.
        public let dtype: SafeTensors.DType?
        /// The type as PyTorch calls it, as bfloat16.
        public let typeName: String
        /// Sizes, outermost first; empty for a scalar.
        public let shape: [Int]
        /// How many numbers the tensor has.
        public let count: Int
        /// From each place of an axis to the next, in numbers.
        let strides: [Int]
        /// Where the first number stands in the file.
        let start: Int
        /// How many numbers its storage has.
        let storageCount: Int

        /// Equal of tensors whose numbers are the same, place by place.
        fileprivate var place: Place { Place(start: start, type: typeName, shape: shape, strides: strides) }
    }

    fileprivate struct Place: Hashable {
        let start: Int
        let type: String
        let shape: [Int]
        let strides: [Int]
    }

    /// Where the bytes came from, a path as a rule, for error messages.
    public let source: String
    /// The tensors' names, sorted.
    public let names: [String]
    /// What else the file holds, numbers and texts and lists of them, named as the tensors are, in the file's order.
    public let others: [(name: String, text: String)]
    /// The first of the tensors that have all their numbers in the same places, by the names of the others: tied ones.
    let tied: [String: String]

    private let bytes: [UInt8]
    private let tensors: [String: Tensor]
    private let isBigEndian: Bool

    /// Opens the file whose content is `bytes`.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - source: Where the bytes came from, for error messages.
    /// - Throws: ``FormatError`` if the bytes are of another format, which it names, with what else the file would make
    ///   Python do, and where a rule is broken: checksums, sizes, strides that leave a storage. Files of before PyTorch 1.6 and of
    ///   TorchScript are told apart.
    /// - Complexity: O(*n*) in the bytes, whose checksums are compared; the numbers are not copied.
    public init(bytes: [UInt8], source: String) throws(FormatError) {
        let kind = FileKind(bytes)
        guard kind == .torch else {
            throw FormatError(
                source: source, reason: .signature, expected: FileKind.torch.name, found: kind?.name ?? "other bytes",
                advice: kind?.advice(path: source))
        }
        let archive = try TorchArchive(bytes: bytes, source: source)
        var content = TorchContent(archive)
        try content.collect()
        self.source = source
        self.bytes = bytes
        isBigEndian = archive.isBigEndian
        tensors = content.tensors
        others = content.others
        names = tensors.keys.sorted()
        var (tied, first): ([String: String], [Place: String]) = ([:], [:])
        for name in names {
            guard let tensor = tensors[name], tensor.count > 0 else { continue }
            if let other = first[tensor.place] { tied[name] = other } else { first[tensor.place] = name }
        }
        self.tied = tied
    }

    /// Opens the file at `path`; throws ``FileError`` if it cannot be read, else as ``init(bytes:source:)``.
    public init(path: String) throws {
        try self.init(bytes: try Files.read(path), source: path)
    }

    var shapes: [String: [Int]] { tensors.mapValues(\.shape) }
    /// Bytes of the file.
    var byteCount: Int { bytes.count }

    /// The type and shape of the tensor `name`.
    ///
    /// - Throws: ``FormatError`` that lists what is there, if this is not.
    public func tensor(named name: String) throws(FormatError) -> Tensor {
        if let tensor = tensors[name] { return tensor }
        let nearest = NearestName.nearest(to: name, among: names)
        throw FormatError(
            source: source, entry: name, reason: .missing, expected: "a tensor of this name",
            found: FormatError.list(names), advice: nearest.map { "Did you mean \"\($0)\"?" })
    }
}

// MARK: - Numbers

extension TorchFile {
    /// The most numbers that a tensor may have which has more than its storage, repeated by strides of 0.
    static let repeatedLimit = 1 << 16

    /// The numbers of a floating-point tensor, row-major. Double precision is rounded to the nearest `Float`; the rest is
    /// exact.
    ///
    /// - Throws: ``FormatError`` if there is no such tensor, it holds anything else, a number beyond every `Float`, or more
    ///   than 65,536 numbers that its storage has not, repeated.
    /// - Complexity: O(*n*) in the tensor's count.
    public func floats(_ name: String) throws(FormatError) -> [Float] {
        let numbers = try numbers(name, isFloatingPoint: true)
        do { return try numbers.floats(source: source) } catch { throw error.of(name) }
    }

    /// The numbers of a floating-point tensor, row-major and exact.
    ///
    /// - Throws: ``FormatError`` if there is no such tensor, it holds anything else, or as ``floats(_:)`` for repeated ones.
    /// - Complexity: O(*n*) in the tensor's count.
    public func doubles(_ name: String) throws(FormatError) -> [Double] {
        try numbers(name, isFloatingPoint: true).doubles
    }

    /// The numbers of a tensor of integers, row-major; of truth values 0 and 1.
    ///
    /// - Throws: ``FormatError`` if there is no such tensor, it holds anything else, one of its numbers does not fit an
    ///   `Int`, or as ``floats(_:)`` for repeated ones.
    /// - Complexity: O(*n*) in the tensor's count.
    public func integers(_ name: String) throws(FormatError) -> [Int] {
        let numbers = try numbers(name, isFloatingPoint: false)
        do { return try numbers.integers(source: source) } catch { throw error.of(name) }
    }

    private func numbers(_ name: String, isFloatingPoint: Bool) throws(FormatError) -> PackedNumbers {
        let tensor = try tensor(named: name)
        guard let type = tensor.dtype, type.isFloatingPoint == isFloatingPoint else {
            throw FormatError(
                source: source, entry: name, reason: .wrongType,
                expected: isFloatingPoint ? "a floating-point tensor" : "an integer tensor", found: tensor.typeName,
                advice: "Convert the tensor before it is saved.")
        }
        guard tensor.count <= max(tensor.storageCount, Self.repeatedLimit) else {
            throw FormatError(
                source: source, entry: name, reason: .size,
                expected:
                    "at most \(Self.repeatedLimit) numbers of a tensor that repeats the \(tensor.storageCount) of its storage",
                found: "\(tensor.count)", advice: "Save the tensor's clone().")
        }
        return PackedNumbers(
            bytes: bytes, start: tensor.start, count: tensor.count, type: type.numberType, isBigEndian: isBigEndian,
            axes: PackedNumbers.Axes(shape: tensor.shape, strides: tensor.strides))
    }
}

extension FormatError {
    /// The same, of a tensor.
    fileprivate func of(_ name: String) -> FormatError {
        var error = self
        error.entry = name
        return error
    }
}
