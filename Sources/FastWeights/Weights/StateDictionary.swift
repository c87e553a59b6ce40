/// Named tensors of floating-point numbers that the parameters of a network are read from: a PyTorch state dict.
///
///     let dictionary = try StateDictionary(path: "tagger.pt")                    // torch.save(model.state_dict(), …)
///     let network = try dictionary.network()                                     // its nn.LSTM, under any prefix
///     let bytes = SafeTensors.serialize(network.tensors(prefix: "rnn."))         // and back: load_state_dict(strict=True)
public struct StateDictionary: Sendable {
    /// Where the tensors came from, for error messages.
    public let source: String
    /// The tensors' names, sorted, as a module has them: of tensors under weight norm (`x_g` and `x_v`, or
    /// `parametrizations.x.original0` and `original1`) the name x, whose numbers are g·v/‖v‖; and those of tied tensors
    /// too that the metadata says to be stored under another name.
    public let names: [String]
    let tensors: StoredTensors
    /// The metadata of a safetensors file; empty of others.
    let metadata: [String: String]
    /// The files that they are in.
    let sources: [String]
    var shapes: [String: [Int]] { tensors.shapes }

    /// Opens the file at `path` by what is in it: safetensors, in several files too by their index, or what `torch.save`
    /// wrote, a state dict or a checkpoint with one in it. Throws ``FileError`` when it cannot be read, ``FormatError``
    /// as ``SafeTensors`` and ``TorchFile`` do.
    public init(path: String) throws {
        let bytes = try Files.read(path)
        if FileKind(bytes) == .torch {
            self.init(try TorchFile(bytes: bytes, source: path))
        } else {
            try self.init(SafeTensors(bytes, path: path))
        }
    }

    /// The tensors of a file; their numbers are read when a network asks for them. Throws `FormatError` as the file
    /// does.
    public init(_ file: SafeTensors) throws {
        let shapes = try Dictionary(uniqueKeysWithValues: file.names.map { ($0, try file.tensor(named: $0).shape) })
        self.init(
            StoredTensors(shapes, metadata: file.metadata, source: file.source) { try file.floats($0) },
            metadata: file.metadata, source: file.source, sources: file.sources)
    }

    /// The tensors of a PyTorch file, those of a checkpoint by the way to them, as model.lstm.weight_ih_l0; their numbers are
    /// read when a network asks for them.
    public init(_ file: TorchFile) {
        self.init(
            StoredTensors(file.shapes, metadata: [:], tied: file.tied, source: file.source) { try file.floats($0) },
            source: file.source)
    }

    private init(
        _ tensors: StoredTensors, metadata: [String: String] = [:], source: String, sources: [String]? = nil
    ) {
        (self.tensors, self.metadata, self.source) = (tensors, metadata, source)
        self.sources = sources ?? [source]
        names = tensors.shapes.keys.sorted()
    }

    /// Tensors from elsewhere: names that differ, shapes, and numbers, row-major. Traps where a count is not its shape's,
    /// and on a name that is given twice.
    public init(_ tensors: [(name: String, shape: [Int], values: [Float])], source: String = "state dictionary") {
        var shapes: [String: [Int]] = [:]
        var numbers: [String: [Float]] = [:]
        for (name, shape, values) in tensors {
            require(values.count, fits: shape, "the tensor \(name)")
            require(numbers.updateValue(values, forKey: name) == nil, "two tensors are named \(name)")
            shapes[name] = shape
        }
        self.init(
            StoredTensors(shapes, metadata: [:], source: source) { [numbers] in numbers[$0] ?? [] }, source: source)
    }

    /// The numbers of a tensor, row-major.
    func values(_ name: String) throws -> [Float] { try tensors.values(name) }

    /// The parameters of a network of this layout from the tensors called `name(window)`, or by their own names.
    ///
    /// Throws `WeightsError` that names every missing tensor, every wrong shape, and every other tensor that `belongs` to the
    /// network: without it all do.
    func parameters(
        _ layout: Parameters.Layout, name: (String) -> String = { $0 },
        belongs: (String) -> Bool = { _ in true }
    ) throws -> Parameters {
        let wanted = layout.windows.map { (window: $0, name: name($0.name)) }
        try expect(tensors: wanted.count)
        let known = Set(wanted.map { $0.name })
        let missing = wanted.map { $0.name }.filter { shapes[$0] == nil }
        let unexpected = names.filter { !known.contains($0) && belongs($0) }
        var problems: [String] = []
        func note(_ what: String, _ names: [String]) {
            if !names.isEmpty { problems.append("\(what): \(names.joined(separator: ", "))") }
        }
        note("missing tensors", missing)
        problems += otherForms(of: missing)
        note("unexpected tensors", unexpected)
        note(
            "wrong shapes",
            wanted.compactMap { window, name in
                shapes[name].flatMap { $0 == window.shape ? nil : "\(name) \($0) instead of \(window.shape)" }
            })
        // Where nothing of a module is there, its name may be another.
        if let first = missing.first, problems.count == 1,
            case let module = first.lastIndex(of: ".").map({ first[...$0] }) ?? "",
            !wanted.contains(where: { $0.name.hasPrefix(module) && shapes[$0.name] != nil }),
            let near = NearestName.nearest(to: first, among: names)
        {
            problems.append("the nearest to \(first) is \(near)")
        }
        guard problems.isEmpty else { throw WeightsError(source: source, problems: problems) }
        let parameters = Parameters(layout)
        for (window, name) in wanted { parameters[window.name] = try values(name) }
        return parameters
    }

    /// Before layers are made and what they lack is listed: that would take a claim at its word.
    func expect(tensors count: Int) throws {
        guard count <= 2 * names.count + 16 else {
            throw WeightsError(
                source: source,
                problems: ["a network of these layers has \(count) tensors, found \(names.count) in all"])
        }
    }

    /// What stands in the place of missing tensors, under names that go on behind theirs: parametrizations that are not
    /// known here. A phrase, or nothing.
    func otherForms(of missing: [String]) -> [String] {
        let found = names.filter { name in
            missing.contains { missing in
                let prefix = missing.lastIndex(of: ".").map { missing[...$0] } ?? ""
                let own = missing.dropFirst(prefix.count)
                guard name.hasPrefix(prefix) else { return false }
                let rest = name.dropFirst(prefix.count)
                return rest.hasPrefix(own + "_") && PyTorchName(name) == nil
                    || rest.hasPrefix("parametrizations.\(own).")
            }
        }
        guard !found.isEmpty else { return [] }
        return [
            "in their place found \(found.map { "\($0) \(shapes[$0] ?? [])" }.joined(separator: ", ")), a parametrization that is not known here; remove it in PyTorch before saving"
        ]
    }
}

/// Weights or a model file that do not make a network: everything that is wrong with them, and what to do.
public struct WeightsError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file, or what else the weights came from.
    public var source: String
    /// Everything that is wrong, a phrase each.
    public var problems: [String]

    /// All of it as a sentence.
    public var description: String { "\(source): \(problems.joined(separator: "; "))." }
}
