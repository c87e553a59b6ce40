/// The tensors and plain values of a PyTorch file, collected from the objects in its pickle by the way to each.
struct TorchContent {
    private(set) var tensors: [String: TorchFile.Tensor] = [:]
    private(set) var others: [(name: String, text: String)] = []

    private let archive: TorchArchive
    private var pickle: Pickle { archive.pickle }
    /// Where each storage that was checked stands in the file, by key, count and width.
    private var storages: [Storage: Range<Int>] = [:]
    /// How many bytes of names and values may still come: a small pickle can name a large one's worth by sharing.
    private var budget: Int

    private struct Storage: Hashable {
        let key: String
        let count: Int
        let width: Int
    }

    private typealias Value = Pickle.Value

    /// How deep containers may be in each other, which also ends a container that contains itself.
    static let depthLimit = 64
    /// The most sizes a tensor of PyTorch has.
    static let largestRank = 64
    /// The most bytes of names and values for each of the pickle's, beyond what any may have.
    static let namesPerByte = 32

    private static let simpler = "Save the state dict alone, torch.save(model.state_dict(), …)."

    init(_ archive: TorchArchive) {
        self.archive = archive
        budget = (1 << 13) + Self.namesPerByte * archive.pickleCount
    }

    /// Throws `FormatError` for what is no tensor that PyTorch has, names that are not one alone, and too deep or too
    /// often shared containers.
    mutating func collect() throws(FormatError) { try collect(pickle.root, "", depth: 0) }

    private mutating func collect(_ value: Value, _ name: String, depth: Int) throws(FormatError) {
        try charge(name.utf8.count + 8, name)
        guard depth <= Self.depthLimit else {
            throw error(
                name, .unsupported, "containers at most \(Self.depthLimit) deep", "deeper ones", advice: Self.simpler)
        }
        guard let object = pickle.object(value) else { return others.append((name, text(value))) }
        func joined(_ key: String) -> String { depth == 0 ? key : "\(name).\(key)" }
        switch object.kind {
        case .list, .tuple:
            try charge(object.values.count, name)
            guard object.values.contains(where: { pickle.object($0) != nil }) else {
                return try list(object.values, name)
            }
            for (place, value) in object.values.enumerated() {
                try collect(value, joined("\(place)"), depth: depth + 1)
            }
        case .dictionary, .orderedDictionary:
            for place in stride(from: 0, to: object.values.count, by: 2) {
                let key = object.values[place]
                guard pickle.object(key) == nil else {
                    throw error(name, .unsupported, "texts and numbers as keys", "a tuple", advice: Self.simpler)
                }
                // Before the text is made.
                if case .text(let key) = key { try charge(key.utf8.count, name) }
                try collect(object.values[place + 1], joined(text(key)), depth: depth + 1)
            }
        case .persistentID: others.append((name, "a storage"))
        case .call: try call(object, depth == 0 ? "tensor" : name, depth: depth)
        }
    }

    /// Plain values in one line, the first of many.
    private mutating func list(_ values: [Value], _ name: String) throws(FormatError) {
        let shown = values.prefix(12).map(text)
        try charge(shown.reduce(0) { $0 + $1.utf8.count }, name)
        let rest = values.count > 12 ? " and \(values.count - 12) more" : ""
        others.append((name, "[\(shown.joined(separator: ", "))\(rest)]"))
    }

    private mutating func charge(_ count: Int, _ name: String) throws(FormatError) {
        budget -= count
        guard budget >= 0 else {
            throw error(
                name, .size, "names and values of at most \(Self.namesPerByte) bytes for each of the pickle's",
                "more, by containers that are in several places", advice: Self.simpler)
        }
    }

    /// A plain value as Python writes it, but texts without quotes.
    private func text(_ value: Value) -> String {
        switch value {
        case .none: "None"
        case .boolean(let value): value ? "True" : "False"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .text(let text), .global(let text), .other(let text): text
        case .object: "…"
        }
    }

    private func error(
        _ name: String, _ reason: FormatError.Reason, _ expected: String, _ found: String,
        advice: String = FormatError.damaged
    ) -> FormatError {
        FormatError(
            source: archive.source, entry: name.isEmpty ? nil : name, reason: reason, expected: expected, found: found,
            advice: advice)
    }
}

// MARK: - Calls

extension TorchContent {
    private mutating func call(_ call: Pickle.Object, _ name: String, depth: Int) throws(FormatError) {
        guard case .global(let function) = call.values[0], let arguments = pickle.object(call.values[1])?.values else {
            return
        }
        switch function {
        case "torch._utils._rebuild_tensor_v2":
            // storage, offset, sizes, strides, requires_grad, hooks, and where it is a view of another kind that
            guard (6...7).contains(arguments.count) else { throw unknownForm(name) }
            try add(name, arguments, type: nil, metadata: arguments.dropFirst(6).first)
        case "torch._utils._rebuild_tensor_v3":
            // the same with a type behind the hooks
            guard (7...8).contains(arguments.count), case .global(let type) = arguments[6],
                let type = TorchType.all[type]
            else { throw unknownForm(name) }
            try add(name, arguments, type: type, metadata: arguments.dropFirst(7).first)
        case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
            // the tensor, requires_grad, hooks, and attributes
            guard let tensor = arguments.first, pickle.object(tensor)?.kind == .call else { throw unknownForm(name) }
            try collect(tensor, name, depth: depth + 1)
        case "torch.Size":
            guard let sizes = arguments.first.flatMap(pickle.object)?.values else { throw unknownForm(name) }
            try list(sizes, name)
        case "torch.device": try list(arguments, name)
        default: throw error(name, .unsupported, "a tensor, a size or a device", "a call of \(function)")
        }
    }

    private func unknownForm(_ name: String) -> FormatError {
        error(name, .header, "the arguments that torch.save writes", "others")
    }

    /// At most so many integers as a tensor may have sizes.
    private func integers(_ value: Value) -> [Int]? {
        guard let tuple = pickle.object(value), tuple.kind == .tuple, tuple.values.count <= Self.largestRank else {
            return nil
        }
        let numbers = tuple.values.compactMap { if case .integer(let number) = $0 { number } else { nil } }
        return numbers.count == tuple.values.count ? numbers : nil
    }

    private mutating func add(
        _ name: String, _ arguments: [Value], type: TorchType?, metadata: Value?
    ) throws(FormatError) {
        guard case .integer(let offset) = arguments[1], let shape = integers(arguments[2]),
            let strides = integers(arguments[3]), shape.count == strides.count
        else { throw unknownForm(name) }
        // Its negative or its conjugate, which is not what is stored.
        if let metadata, metadata != .none, pickle.object(metadata)?.values.isEmpty != true {
            throw error(
                name, .unsupported, "numbers as they are stored",
                "a negated or conjugated view", advice: "Save its resolve_neg() or resolve_conj().")
        }
        guard let count = elementCount(shape), offset >= 0, strides.allSatisfy({ $0 >= 0 }) else {
            throw error(
                name, .coverage, "an offset, sizes and strides from 0 on", "\(offset), \(shape) and \(strides)")
        }
        let storage = try storage(arguments[0], name, type)
        // The last number, or none.
        var last: Int? = count == 0 ? -1 : offset
        if count > 0 {
            for (size, stride) in zip(shape, strides) {
                let (way, isFar) = (size - 1).multipliedReportingOverflow(by: stride)
                let sum = last.map { $0.addingReportingOverflow(way) }
                last = isFar || sum?.overflow != false ? nil : sum?.partialValue
            }
        }
        guard let last, last < storage.count else {
            throw error(
                name, .coverage, "numbers within a storage of \(storage.count)",
                "offset \(offset), sizes \(shape), strides \(strides)")
        }
        let tensor = TorchFile.Tensor(
            name: name, dtype: storage.type.dtype, typeName: storage.type.name, shape: shape, count: count,
            strides: strides, start: storage.start + (count == 0 ? 0 : offset * storage.type.width),
            storageCount: storage.count)
        guard tensors.updateValue(tensor, forKey: name) == nil else {
            throw error(name, .duplicate, "names that differ", "two tensors to which this is the way")
        }
    }

    /// The storage of a persistent id ('storage', type, key, place, count).
    private mutating func storage(
        _ value: Value, _ name: String, _ type: TorchType?
    ) throws(FormatError) -> (type: TorchType, start: Int, count: Int) {
        guard let id = pickle.object(value), id.kind == .persistentID, id.values.count == 5,
            id.values[0] == .text("storage"), case .global(let kind) = id.values[1], case .text(let key) = id.values[2],
            case .integer(let count) = id.values[4], count >= 0
        else { throw error(name, .header, "a storage with type, key, place and count", "another value") }
        // One without a type comes with that of the tensor, another has it in its name.
        let isUntyped = kind == "torch.storage.UntypedStorage"
        guard isUntyped || type == nil else {
            throw error(name, .header, "the storage of \(type?.name ?? "") without a type", kind)
        }
        guard let type = isUntyped ? type : TorchType.all[kind], isUntyped || kind.hasSuffix("Storage") else {
            throw error(name, .header, "the type of a storage", kind)
        }
        let width = isUntyped ? 1 : type.width
        let storage = Storage(key: key, count: count, width: width)
        if storages[storage] == nil { storages[storage] = try archive.storage(key, count: count, width: width) }
        return (type, storages[storage]?.lowerBound ?? 0, isUntyped ? count / type.width : count)
    }
}
