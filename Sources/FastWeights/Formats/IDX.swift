/// One array in the IDX format, that of MNIST: read strictly, gzipped or not.
///
///     let images = try IDX(path: "train-images-idx3-ubyte.gz")
///     images.shape                     // [60000, 28, 28]
///     let pixels = images.floats       // row-major, 0 to 255
///
/// A file is two zero bytes, one for the type of the numbers, one for the rank, each size in 32 bits, and the numbers
/// row by row; all big-endian.
public struct IDX: Sendable {
    /// Where the bytes came from, a path as a rule, for error messages.
    public let source: String
    /// `uint8`, `int8`, `int16`, `int32`, `float32` or `float64`.
    public let type: NumberType
    /// Sizes, outermost first; empty for a single number.
    public let shape: [Int]
    /// How many numbers the array has.
    public var count: Int { numbers.count }

    let numbers: PackedNumbers
    /// The format's code for each type.
    static let types: [UInt8: NumberType] = [
        0x08: .uint8, 0x09: .int8, 0x0B: .int16, 0x0C: .int32, 0x0D: .float32, 0x0E: .float64,
    ]

    /// Opens the file whose content is `bytes`; a gzip file, known by its first bytes, is decompressed.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - source: Where the bytes came from, for error messages.
    /// - Throws: ``FormatError`` if the bytes break a rule of either format.
    /// - Complexity: O(1) and nothing copied, or O(*n*) in the decompressed bytes.
    public init(bytes: [UInt8], source: String) throws(FormatError) {
        let bytes = Gzip.isGzip(bytes) ? try Gzip.decompress(bytes, source: source) : bytes
        func fail(
            _ reason: FormatError.Reason, _ expected: String, _ found: String, _ advice: String? = nil
        ) -> FormatError {
            FormatError(source: source, reason: reason, expected: expected, found: found, advice: advice)
        }
        guard bytes.count >= 4 else {
            throw fail(.truncated, "an IDX header of 4 bytes and more", "\(bytes.count) bytes", FormatError.cutShort)
        }
        let (type, begins) = (Self.types[bytes[2]], bytes[0] == 0 && bytes[1] == 0)
        // An MP4 begins with zero bytes too.
        let kind = begins && type != nil ? nil : FileKind(bytes)
        guard begins, kind == nil else {
            throw fail(
                .signature, "an IDX file, which begins with two zero bytes",
                kind?.name ?? "\(hexadecimal(bytes[0])) \(hexadecimal(bytes[1]))", kind?.remedy)
        }
        guard let type else {
            let known = Self.types.keys.sorted().map { hexadecimal($0) }.joined(separator: ", ")
            throw fail(.header, "a type among \(known)", hexadecimal(bytes[2]))
        }
        let start = 4 + 4 * Int(bytes[3])
        guard bytes.count >= start else {
            throw fail(.truncated, "\(bytes[3]) sizes of 4 bytes", "\(bytes.count - 4) bytes", FormatError.cutShort)
        }
        let sizes = (0..<Int(bytes[3])).map { bytes.littleEndian(UInt32.self, at: 4 + 4 * $0).byteSwapped }
        let shape = sizes.map { Int(clamping: $0) }
        guard let size = PackedNumbers.size(of: shape, type: type) else {
            throw fail(.size, "sizes whose product fits \(Int.bitWidth) bits", "\(sizes)")
        }
        guard size.bytes == bytes.count - start else {
            let isShort = size.bytes > bytes.count - start
            throw fail(
                isShort ? .truncated : .size, "\(size.bytes) bytes for \(type.rawValue) of shape \(shape)",
                "\(bytes.count - start)",
                isShort ? FormatError.cutShort : FormatError.appended(bytes.count - start - size.bytes))
        }
        self.source = source
        self.type = type
        self.shape = shape
        numbers = PackedNumbers(bytes: bytes, start: start, count: size.count, type: type, isBigEndian: true)
    }

    /// Opens the file at `path`; throws ``FileError`` if it cannot be read, else as ``init(bytes:source:)``.
    public init(path: String) throws {
        try self.init(bytes: try Files.read(path), source: path)
    }

    /// The numbers, row-major, each rounded to the nearest `Float`.
    ///
    /// - Throws: ``FormatError`` for a `Double` beyond every `Float`.
    /// - Complexity: O(*n*) in the count.
    public var floats: [Float] { get throws(FormatError) { try numbers.floats(source: source) } }

    /// The numbers, row-major and exact.
    ///
    /// - Complexity: O(*n*) in the count.
    public var doubles: [Double] { numbers.doubles }

    /// The integers, row-major.
    ///
    /// - Throws: ``FormatError`` if the file holds floating-point numbers.
    /// - Complexity: O(*n*) in the count.
    public func integers() throws(FormatError) -> [Int] { try numbers.integers(source: source) }
}
