/// One array in NumPy's `.npy` format: read strictly from what `numpy.save` writes; written as float32 and int64.
///
///     let array = try NumPyArray(path: "input.npy")
///     let values = try array.floats       // row-major, last index fastest
///
/// The header is checked when the file is opened; afterwards only a wrong type and a number beyond it can fail. Arrays of
/// objects (pickles, which could run code), records, texts, dates and complex numbers are refused.
public struct NumPyArray: Sendable {
    /// Where the bytes came from, a path as a rule, for error messages.
    public let source: String
    /// The type of its numbers.
    public let dtype: NumberType
    /// Sizes, outermost first; empty for a scalar.
    public let shape: [Int]
    /// How many numbers the array has.
    public var count: Int { numbers.count }

    let numbers: PackedNumbers

    /// Opens the file whose content is `bytes`.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - source: Where the bytes came from, for error messages.
    /// - Throws: ``FormatError`` if the bytes break a rule of the format, or the numbers are not of a ``NumberType``.
    /// - Complexity: O(*h*) for *h* bytes of header; the numbers are not copied.
    public init(bytes: [UInt8], source: String) throws(FormatError) {
        try self.init(try NumPyHeader(bytes: bytes, source: source))
    }

    /// The array behind a header.
    init(_ header: NumPyHeader) throws(FormatError) {
        source = header.source
        let (type, count) = try header.numbers()
        dtype = type
        shape = header.shape
        numbers = PackedNumbers(
            bytes: header.bytes, start: header.end, count: count, type: type, isBigEndian: header.isBigEndian,
            axes: header.isColumnMajor && shape.count > 1 && count > 0 ? Self.columnMajor(shape) : nil)
    }

    /// Opens the file at `path`; throws ``FileError`` if it cannot be read, else as ``init(bytes:source:)``.
    public init(path: String) throws {
        try self.init(bytes: try Files.read(path), source: path)
    }

    /// The axes of an array whose first index is the fastest in the file.
    private static func columnMajor(_ shape: [Int]) -> PackedNumbers.Axes {
        var strides: [Int] = []
        var stride = 1
        for size in shape {
            strides.append(stride)
            stride *= size
        }
        return PackedNumbers.Axes(shape: shape, strides: strides)
    }
}

// MARK: - Numbers

extension NumPyArray {
    /// The numbers, row-major, each rounded to the nearest `Float`; of truth values 0 and 1.
    ///
    /// - Throws: ``FormatError`` for a `Double` beyond every `Float`.
    /// - Complexity: O(*n*) in the array's count.
    public var floats: [Float] { get throws(FormatError) { try numbers.floats(source: source) } }

    /// The numbers, row-major, exact but for 64-bit integers beyond 2^53, which are rounded; of truth values 0 and 1.
    ///
    /// - Complexity: O(*n*) in the array's count.
    public var doubles: [Double] { numbers.doubles }

    /// The integers, row-major; of truth values 0 and 1.
    ///
    /// - Throws: ``FormatError`` if the array holds floating-point numbers, or one of its numbers does not fit an `Int`.
    /// - Complexity: O(*n*) in the array's count.
    public func integers() throws(FormatError) -> [Int] { try numbers.integers(source: source) }
}

// MARK: - Writing

extension NumPyArray {
    /// The bytes `numpy.save` writes for a little-endian float32 array.
    ///
    /// - Parameters:
    ///   - shape: At most 64 sizes, outermost first; empty for a scalar.
    ///   - values: Row-major, as many as the shape says; traps on another count.
    /// - Complexity: O(*n*) in the number of values.
    public static func serialize(shape: [Int], values: [Float]) -> [UInt8] {
        var bytes = header(.float32, shape: shape, count: values.count)
        bytes.appendLittleEndian(values)
        return bytes
    }

    /// The same of whole numbers, as int64.
    public static func serialize(shape: [Int], integers: [Int]) -> [UInt8] {
        var bytes = header(.int64, shape: shape, count: integers.count)
        bytes.appendLittleEndian(integers)
        return bytes
    }

    /// Everything before the numbers, with room for them.
    private static func header(_ type: NumberType, shape: [Int], count: Int) -> [UInt8] {
        require(
            shape.count <= NumPyHeader.largestRank,
            "a NumPy array has at most \(NumPyHeader.largestRank) sizes, found \(shape.count)")
        require(count, fits: shape, "an array")
        var bytes = NumPyHeader.serialize(type, shape: shape)
        bytes.reserveCapacity(bytes.count + type.width * count)
        return bytes
    }

    /// Writes the file at `path` atomically, as ``serialize(shape:values:)`` gives it; throws ``FileError`` when it cannot
    /// be written, and then nothing has changed.
    public static func write(shape: [Int], values: [Float], to path: String) throws {
        try Files.writeAtomically(serialize(shape: shape, values: values), to: path)
    }
}
