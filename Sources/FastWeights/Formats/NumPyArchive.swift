/// Named arrays in NumPy's `.npz` format: what `numpy.savez` and `numpy.savez_compressed` write, read strictly; written as
/// float32 and int64 without compression.
///
///     let archive = try NumPyArchive(path: "weights.npz")
///     let kernel = try archive.array(named: "kernel").floats
///
/// The archive's directory is checked when it is opened, an array, its checksum included, when it is asked for: one that
/// this library does not read, of texts or records, stands in no other's way. Entries that are no arrays, as folders and
/// what macOS adds to them, are left out.
public struct NumPyArchive: Sendable {
    /// Where the bytes came from, a path as a rule, for error messages.
    public let source: String
    /// The arrays' names in the order of the archive.
    public let names: [String]

    private let archive: ZipArchive
    private let entries: [String: ZipArchive.Entry]
    /// How the arrays' names in the archive end.
    static let suffix = ".npy"

    /// Opens the archive whose content is `bytes`.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - source: Where the bytes came from, for error messages.
    /// - Throws: ``FormatError`` if the bytes are not a zip archive, or one without arrays.
    /// - Complexity: O(*n* log *n*) in the number of entries; the arrays stay compressed.
    public init(bytes: [UInt8], source: String) throws(FormatError) {
        let kind = FileKind(bytes)
        switch kind {
        case .numPyArchive?, .zip?, nil: break
        case let kind?:
            throw FormatError(
                source: source, reason: .signature, expected: "an archive of NumPy arrays", found: kind.name,
                advice: kind.advice(path: source))
        }
        archive = try ZipArchive(bytes: bytes, source: source)
        self.source = source
        let arrays = archive.entries.filter { $0.name.hasSuffix(Self.suffix) && !$0.name.hasPrefix("__MACOSX/") }
        names = arrays.map { String($0.name.dropLast(Self.suffix.count)) }
        entries = Dictionary(uniqueKeysWithValues: zip(names, arrays))
        guard !names.isEmpty || archive.entries.isEmpty else {
            throw FormatError(
                source: source, reason: .header, expected: "arrays, whose names end with \(Self.suffix)",
                found: FormatError.list(archive.entries.map { $0.name }),
                advice: "It is a zip archive, but not one of NumPy arrays.")
        }
    }

    /// Opens the archive at `path`; throws ``FileError`` if it cannot be read, else as ``init(bytes:source:)``.
    public init(path: String) throws {
        try self.init(bytes: try Files.read(path), source: path)
    }

    /// The array `name`; its file's name in the archive is that with `.npy` behind it.
    ///
    /// - Throws: ``FormatError`` that lists what is there, if this is not; and for an entry that is damaged or no array that
    ///   ``NumPyArray`` reads.
    /// - Complexity: O(*n*) in the array's bytes, which are decompressed for each call.
    public func array(named name: String) throws(FormatError) -> NumPyArray {
        try read(name) { header throws(FormatError) in try NumPyArray(header) }
    }

    /// The header of the array `name`, whether this library reads its type or not.
    func header(named name: String) throws(FormatError) -> NumPyHeader {
        try read(name) { header in header }
    }

    private func read<Value>(
        _ name: String, _ value: (NumPyHeader) throws(FormatError) -> Value
    ) throws(FormatError) -> Value {
        guard let entry = entries[name] else {
            let nearest = NearestName.nearest(to: name, among: names)
            throw FormatError(
                source: source, entry: name, reason: .missing, expected: "an array of this name",
                found: FormatError.list(names), advice: nearest.map { "Did you mean \"\($0)\"?" })
        }
        do {
            return try value(try NumPyHeader(bytes: try archive.content(of: entry), source: source))
        } catch {
            var error = error
            error.entry = entry.name
            throw error
        }
    }
}

// MARK: - Writing

extension NumPyArchive {
    /// The bytes `numpy.savez` writes for little-endian float32 arrays and behind them int64 ones, in the order given.
    ///
    /// - Parameters:
    ///   - arrays: Names that differ; values row-major, as many as the shape says. Traps on others, and on
    ///     names of more than 65,535 bytes.
    ///   - integers: The same of whole numbers, as `lengths` of `fastweights run`.
    /// - Complexity: O(*n*) in the number of values.
    public static func serialize(
        _ arrays: [(name: String, shape: [Int], values: [Float])],
        integers: [(name: String, shape: [Int], values: [Int])] = []
    ) -> [UInt8] {
        ZipArchive.serialize(
            arrays.map { ($0.name + suffix, NumPyArray.serialize(shape: $0.shape, values: $0.values)) }
                + integers.map { ($0.name + suffix, NumPyArray.serialize(shape: $0.shape, integers: $0.values)) })
    }

    /// Writes the archive at `path` atomically, as ``serialize(_:integers:)`` gives it; throws ``FileError`` when it cannot
    /// be written, and then nothing has changed.
    public static func write(
        _ arrays: [(name: String, shape: [Int], values: [Float])],
        integers: [(name: String, shape: [Int], values: [Int])] = [], to path: String
    ) throws {
        try Files.writeAtomically(serialize(arrays, integers: integers), to: path)
    }
}
