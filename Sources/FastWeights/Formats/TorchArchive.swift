/// The zip archive that `torch.save` writes: a folder with the pickle `data.pkl`, `version`, `byteorder`, and in `data` the
/// numbers of each storage under its key. Its entries are stored as they are.
struct TorchArchive {
    let source: String
    let isBigEndian: Bool
    let pickle: Pickle
    /// Bytes of the pickle.
    let pickleCount: Int

    private let archive: ZipArchive
    private let entries: [String: ZipArchive.Entry]
    private let folder: String

    /// The versions of the archive that PyTorch reads.
    private static let versions = 1...10
    /// What a pickle may name. The types stand for themselves; the rest are calls that ``TorchContent`` makes sense of.
    private static let allowed = Set(TorchType.all.keys).union([
        "collections.OrderedDict", "torch.Size", "torch.device", "torch.storage.UntypedStorage",
        "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3", "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_parameter_with_state",
    ])

    /// Throws `FormatError` for a broken rule of the zip format, the archive or the pickle.
    init(bytes: [UInt8], source: String) throws(FormatError) {
        let archive = try ZipArchive(bytes: bytes, source: source)
        let folder = String(archive.entries.first?.name.prefix { $0 != "/" } ?? "")
        let entries = Dictionary(uniqueKeysWithValues: archive.entries.map { ($0.name, $0) })
        func content(_ name: String) throws(FormatError) -> [UInt8]? {
            guard let entry = entries["\(folder)/\(name)"] else { return nil }
            return Array(bytes[try archive.range(of: entry)])
        }
        func error(_ name: String, _ reason: FormatError.Reason, _ expected: String, _ found: String) -> FormatError {
            FormatError(
                source: source, entry: "\(folder)/\(name)", reason: reason, expected: expected, found: found,
                advice: "Load the file in Python and save it again with torch.save.")
        }
        guard let version = try content("version") else {
            throw error("version", .missing, "the archive's version", "no such entry")
        }
        let text = String(decoding: version.prefix(20), as: UTF8.self)
        guard let number = Int(text.filter { !$0.isNewline }), Self.versions.contains(number) else {
            throw error("version", .unsupported, "a version from 1 to \(Self.versions.upperBound)", text)
        }
        // PyTorch 1.x wrote none, on little-endian machines.
        let order = String(decoding: try content("byteorder")?.prefix(20) ?? Array("little".utf8)[...], as: UTF8.self)
        guard order == "little" || order == "big" else { throw error("byteorder", .header, "little or big", order) }
        guard let data = try content("data.pkl") else {
            throw error("data.pkl", .missing, "the pickle of the file", "no such entry")
        }
        pickle = try Pickle(
            bytes: data, source: source, entry: "\(folder)/data.pkl", allowed: Self.allowed, advice: Self.advice)
        pickleCount = data.count
        isBigEndian = order == "big"
        (self.archive, self.folder, self.entries, self.source) = (archive, folder, entries, source)
    }

    private static let advice =
        "Save tensors, dictionaries, lists, numbers and texts alone: of a module its state dict, torch.save(model.state_dict(), …)."

    /// Where the numbers of the storage of this key stand in the file, `count` of `width` bytes.
    func storage(_ key: String, count: Int, width: Int) throws(FormatError) -> Range<Int> {
        let name = "\(folder)/data/\(key)"
        func error(_ reason: FormatError.Reason, _ expected: String, _ found: String) -> FormatError {
            FormatError(
                source: source, entry: name, reason: reason, expected: expected, found: found,
                advice: FormatError.damaged)
        }
        guard let entry = entries[name] else {
            throw error(.missing, "the numbers of a storage", "no such entry")
        }
        guard let size = elementCount([count, width]), size == entry.size else {
            throw error(.size, "\(count) numbers of \(width) bytes", "\(entry.size) bytes")
        }
        return try archive.range(of: entry)
    }
}

/// A number type of PyTorch's.
struct TorchType {
    /// As PyTorch calls it.
    let name: String
    /// Nil for what is only listed.
    let dtype: SafeTensors.DType?

    /// Bytes a number; the types that are only listed have one.
    var width: Int { dtype?.width ?? 1 }

    /// By the names of the types and of their storages in a pickle.
    static let all: [String: TorchType] = {
        var types: [String: TorchType] = [:]
        let stored: [(String, String, SafeTensors.DType)] = [
            ("float64", "Double", .float64), ("float32", "Float", .float32), ("float16", "Half", .float16),
            ("bfloat16", "BFloat16", .bfloat16), ("int64", "Long", .int64), ("int32", "Int", .int32),
            ("int16", "Short", .int16), ("int8", "Char", .int8), ("uint8", "Byte", .uint8), ("bool", "Bool", .boolean),
        ]
        for (name, storage, type) in stored {
            types["torch.\(name)"] = TorchType(name: name, dtype: type)
            types["torch.\(storage)Storage"] = types["torch.\(name)"]
        }
        let untyped: [(String, SafeTensors.DType?)] = [
            ("uint64", .uint64), ("uint32", .uint32), ("uint16", .uint16), ("float8_e4m3fn", nil),
            ("float8_e5m2", nil), ("float8_e4m3fnuz", nil), ("float8_e5m2fnuz", nil), ("float8_e8m0fnu", nil),
        ]
        for (name, type) in untyped { types["torch.\(name)"] = TorchType(name: name, dtype: type) }
        return types
    }()
}
