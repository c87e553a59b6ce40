/// Named arrays in NumPy's `.npz` format: what `numpy.savez` and `numpy.savez_compressed` write, read strictly; written as
/// float32 and int64 without compression.
///
///     let archive = try NumPyArchive(path: "weights.npz")
///     let kernel = try archive.array(named: "kernel").floats
///
/// The whole archive is checked when it is opened, each array's checksum included; afterwards only a wrong name can fail.
public struct NumPyArchive: Sendable {
    /// Where the bytes came from, a path as a rule, for error messages.
    public let source: String
    /// The arrays' names in the order of the archive.
    public let names: [String]

    private let arrays: [String: NumPyArray]
    private static let suffix = ".npy"

    /// Opens the archive whose content is `bytes`.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - source: Where the bytes came from, for error messages.
    /// - Throws: ``FormatError`` if the bytes are not a zip archive, or an entry is not an array that ``NumPyArray`` reads.
    /// - Complexity: O(*n*) in the bytes of the file and of the arrays, which are decompressed and kept.
    public init(bytes: [UInt8], source: String) throws(FormatError) {
        let archive = try ZipArchive(bytes: bytes, source: source)
        var names: [String] = []
        var arrays: [String: NumPyArray] = [:]
        for entry in archive.entries {
            guard entry.name.hasSuffix(Self.suffix) else {
                throw FormatError(
                    source: source, entry: entry.name, reason: .header,
                    expected: "a name that ends with \(Self.suffix)",
                    found: "another", advice: "It is a zip archive, but not one of NumPy arrays.")
            }
            do {
                let name = String(entry.name.dropLast(Self.suffix.count))
                arrays[name] = try NumPyArray(bytes: try archive.content(of: entry), source: source)
                names.append(name)
            } catch {
                var error = error
                error.entry = entry.name
                throw error
            }
        }
        self.source = source
        self.names = names
        self.arrays = arrays
    }

    /// Opens the archive at `path`; throws ``FileError`` if it cannot be read, else as ``init(bytes:source:)``.
    public init(path: String) throws {
        try self.init(bytes: try Files.read(path), source: path)
    }

    /// The array `name`; its file's name in the archive is that with `.npy` behind it.
    ///
    /// - Throws: ``FormatError`` that lists what is there, if this is not.
    public func array(named name: String) throws(FormatError) -> NumPyArray {
        if let array = arrays[name] { return array }
        let nearest = NearestName.nearest(to: name, among: names)
        throw FormatError(
            source: source, entry: name, reason: .missing, expected: "an array of this name",
            found: FormatError.list(names), advice: nearest.map { "Did you mean \"\($0)\"?" })
    }
}

// MARK: - Writing

extension NumPyArchive {
    /// The bytes `numpy.savez` writes for little-endian float32 arrays and behind them int64 ones, in the order given.
    ///
    /// - Parameters:
    ///   - arrays: Names that differ; values row-major, as many as the shape says. Traps on others, and as
    ///     ``ZipArchive/serialise(_:)``.
    ///   - integers: The same of whole numbers, as `lengths` of `fastweights run`.
    /// - Complexity: O(*n*) in the number of values.
    public static func serialise(
        _ arrays: [(name: String, shape: [Int], values: [Float])],
        integers: [(name: String, shape: [Int], values: [Int])] = []
    ) -> [UInt8] {
        ZipArchive.serialise(
            arrays.map { ($0.name + suffix, NumPyArray.serialise(shape: $0.shape, values: $0.values)) }
                + integers.map { ($0.name + suffix, NumPyArray.serialise(shape: $0.shape, integers: $0.values)) })
    }

    /// Writes the archive at `path` atomically, as ``serialise(_:integers:)`` gives it; throws ``FileError`` when it cannot
    /// be written, and then nothing has changed.
    public static func write(
        _ arrays: [(name: String, shape: [Int], values: [Float])],
        integers: [(name: String, shape: [Int], values: [Int])] = [], to path: String
    ) throws {
        try Files.writeAtomically(serialise(arrays, integers: integers), to: path)
    }
}
