extension SafeTensors {
    /// Opens a model in several safetensors files, as Hugging Face's libraries save one that is large: an index,
    /// `model.safetensors.index.json`, whose `weight_map` says in which file each tensor is.
    ///
    ///     let model = try SafeTensors(path: "model.safetensors.index.json")     // its files are read from beside it
    ///
    /// The tensors are those of all files together. The metadata are those of the files, without the keys for which two of
    /// them have different values.
    ///
    /// - Parameters:
    ///   - index: The whole index.
    ///   - source: Where it came from, for error messages.
    ///   - part: The content of a file that the index names, nil if it is not there. The name is one without a folder.
    /// - Throws: ``FormatError`` if the index is malformed or names a file in another folder, with all files and
    ///   tensors that are not there, with tensors that the index does not name, and for a file that
    ///   ``init(bytes:source:)`` refuses; what `part` throws.
    /// - Complexity: O(*n* log *n*) in the number of tensors; the data are not copied.
    public init(index: [UInt8], source: String, part: (String) throws -> [UInt8]?) throws {
        let places = try Self.places(index, source: source)
        let wanted = Dictionary(grouping: places.keys.sorted()) { places[$0] ?? "" }
        let files = wanted.keys.sorted()
        let folder = source.lastIndex(of: "/").map { source[...$0] } ?? ""
        var (parts, tensors, problems): ([[UInt8]], [String: Tensor], [String]) = ([], [:], [])
        var metadata: [String: Set<String>] = [:]
        for file in files {
            let names = wanted[file] ?? []
            guard let bytes = try part(file) else {
                problems.append("no file \(file), which has \(Self.list(names))")
                continue
            }
            let header = try SafeTensorsHeader(bytes: bytes, source: folder + file)
            let missing = names.filter { header.tensors[$0] == nil }
            let others = header.tensors.keys.filter { places[$0] != file }.sorted()
            if !missing.isEmpty { problems.append("\(file) without \(Self.list(missing))") }
            if !others.isEmpty {
                problems.append("\(file) with \(Self.list(others)), which the index does not have there")
            }
            for name in names {
                tensors[name] = header.tensors[name]
                tensors[name]?.part = parts.count
            }
            for (key, value) in header.metadata { metadata[key, default: []].insert(value) }
            parts.append(bytes)
        }
        guard problems.isEmpty else {
            throw FormatError(
                source: source, reason: .index, expected: "the files that the index names, with its tensors",
                found: problems.joined(separator: "; "),
                advice: "Fetch all files of the model into one folder, each from the same place as the index.")
        }
        let common = metadata.compactMapValues { $0.count == 1 ? $0.first : nil }
        self.init(
            source: source, metadata: common, tensors: tensors, parts: parts,
            sources: [source] + files.map { folder + $0 })
    }

    /// The name of the file that each tensor is in.
    private static func places(_ index: [UInt8], source: String) throws(FormatError) -> [String: String] {
        func error(_ expected: String, _ found: String, tensor: String? = nil) -> FormatError {
            FormatError(
                source: source, entry: tensor, reason: .index, expected: expected, found: found, noun: "tensor")
        }
        let json: JSON
        do { json = try JSON(parsing: index) } catch let fault {
            throw error("an index in JSON, \(fault.expected) at byte \(fault.offset)", fault.found)
        }
        guard let members = json["weight_map"]?.members, !members.isEmpty else {
            let found = json["weight_map"]
            throw error(
                "weight_map, an object with the file of each tensor",
                found?.members.map { _ in "an empty one" } ?? found?.kind ?? "none")
        }
        var places: [String: String] = [:]
        for member in members {
            guard let file = member.value.text else {
                throw error("the name of its file", member.value.kind, tensor: member.key)
            }
            // An index may not make a program open what is not beside it.
            guard !file.isEmpty, file != ".", file != "..",
                file.utf8.allSatisfy({ $0 >= 0x20 && !"/\\:".utf8.contains($0) })
            else {
                throw error("the name of a file beside the index", JSON.string(file).serialized(), tensor: member.key)
            }
            places[member.key] = file
        }
        return places
    }

    /// Whether a file of this name is one of several that a model is in, as model-00001-of-00002.safetensors; which the
    /// names and shapes in it cannot tell.
    static func isPart(_ path: String) -> Bool {
        let words = path.split(separator: "-")
        guard words.count >= 4, words[words.count - 2] == "of", let number = Int(words[words.count - 3]) else {
            return false
        }
        let count = words[words.count - 1].prefix { $0.isNumber }
        return number > 0 && (Int(count) ?? 0) > 1 && words[words.count - 1].dropFirst(count.count) == ".safetensors"
    }
}
