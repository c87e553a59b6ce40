extension Network {
    /// What `format` says in the metadata of a file that `write` made.
    private static let format = "fastweights-network-2"

    /// The bytes of a safetensors file with the parameters by PyTorch's names, and configuration and labels in the metadata.
    ///
    /// PyTorch reads the file too: `load_state_dict(safetensors.torch.load_file(path), strict=True)`.
    public func serialized() -> [UInt8] { serialized(metadata: []) }

    /// The same with more metadata.
    func serialized(metadata: [(String, String)]) -> [UInt8] {
        let labels = labels.isEmpty ? [] : [("labels", JSON.array(self.labels.map { .string($0) }).serialized())]
        return SafeTensors.serialize(
            tensors(),
            metadata: [("format", Self.format), ("config", configuration.json.serialized())] + labels + metadata)
    }

    /// Writes the file atomically. Throws when it cannot be written; then nothing has changed.
    public func write(to path: String) throws {
        try Files.writeAtomically(serialized(), to: path)
    }

    /// Reads a file that `write` made, or a PyTorch state dict, of safetensors, in several files too by their index, or of
    /// `torch.save`; see `init(_:prefix:activation:embedding:head:)`. Throws also what `StateDictionary(path:)` throws.
    public convenience init(
        path: String, prefix: String? = nil, activation: Activation = .tanh, embedding: String? = nil,
        head: StateDictionary.Head? = nil
    ) throws {
        try self.init(
            StateDictionary(path: path), prefix: prefix, activation: activation, embedding: embedding, head: head)
    }

    /// The network of a file: by the configuration in the metadata where `write` put one, otherwise by the names and
    /// shapes of a PyTorch state dict, see `StateDictionary.network(prefix:activation:embedding:head:)`.
    ///
    /// Throws `WeightsError` or `FormatError` with what is wrong; also for a prefix, an embedding or a head of a file
    /// that `write` made, which says itself what it holds.
    public convenience init(
        _ file: SafeTensors, prefix: String? = nil, activation: Activation = .tanh, embedding: String? = nil,
        head: StateDictionary.Head? = nil
    ) throws {
        try self.init(
            StateDictionary(file), prefix: prefix, activation: activation, embedding: embedding, head: head)
    }

    /// The same of a file's tensors; with `takesTokens` a file of before, whose networks read numbers or tokens, is of one
    /// that reads tokens.
    convenience init(
        _ dictionary: StateDictionary, prefix: String? = nil, activation: Activation = .tanh, embedding: String? = nil,
        head: StateDictionary.Head? = nil, takesTokens: Bool = false
    ) throws {
        guard let configuration = try Self.configuration(of: dictionary, takesTokens: takesTokens) else {
            if let format = dictionary.metadata["format"], format.hasPrefix("fastweights-") {
                throw WeightsError(
                    source: dictionary.source,
                    problems: ["expected a network or a state dict, found a file of the format \(format)"])
            }
            let network = try dictionary.network(
                prefix: prefix, activation: activation, embedding: embedding, head: head)
            self.init(network.configuration, parameters: network.parameters)
            return
        }
        guard prefix == nil, embedding == nil, head == nil else {
            throw WeightsError(
                source: dictionary.source,
                problems: [
                    "prefix, embedding and head are for state dicts; this file says itself what network it holds"
                ])
        }
        let labels = try Self.labels(of: dictionary)
        if let problem = Self.problem(labels, configuration) {
            throw WeightsError(source: dictionary.source, problems: [problem])
        }
        self.init(configuration, parameters: try dictionary.parameters(configuration.layout), labels: labels)
    }

    /// The names of the classes in the metadata, none where there are no such.
    private static func labels(of dictionary: StateDictionary) throws -> [String] {
        guard let text = dictionary.metadata["labels"] else { return [] }
        let names = (try? JSON(parsing: text.utf8))?.elements?.map { $0.text }
        guard let names, names.allSatisfy({ $0 != nil }) else {
            throw WeightsError(
                source: dictionary.source,
                problems: ["the labels in the metadata are not a list of texts: \(text.prefix(80))"])
        }
        return names.compactMap { $0 }
    }

    /// The configuration in the metadata, nil of a file that `write` did not make.
    static func configuration(
        of dictionary: StateDictionary, takesTokens: Bool = false
    ) throws -> NetworkConfiguration? {
        let metadata = dictionary.metadata
        guard let format = metadata["format"], let text = metadata["config"] else { return nil }
        func fail(_ problem: String) -> WeightsError { WeightsError(source: dictionary.source, problems: [problem]) }
        do {
            switch format {
            case Self.format: return try NetworkConfiguration(json: try JSON(parsing: text.utf8))
            case "fastweights-network-1":
                return try NetworkConfiguration(version1: try JSON(parsing: text.utf8), takesTokens: takesTokens)
            case "fastweights-classifier-1":
                return try NetworkConfiguration(classifier: try JSON(parsing: text.utf8))
            default: return nil
            }
        } catch let error as JSONError {
            throw fail("the configuration in the metadata is not JSON: \(error)")
        } catch let error as ConfigurationError {
            throw fail(error.description)
        }
    }

    /// The network of a module of PyTorch, from its state dict: its layers, each with the name that it has in the module.
    ///
    ///     // nn.Sequential-like: self.encoder = nn.Embedding(50, 16), self.rnn = nn.LSTM(16, 32), self.head = nn.Linear(32, 5)
    ///     let network = try Network(
    ///         dictionary, .tokens(50),
    ///         [(.embedding(16), "encoder"), (.lstm(32), "rnn"), (.lastStep, ""), (.dense(5), "head")])
    ///
    /// Throws `WeightsError` when the layers do not fit each other, and with all tensors that are missing, with those of
    /// nearly their names, or of a wrong shape, and those of the named modules that no layer reads.
    public convenience init(
        _ dictionary: StateDictionary, _ input: NetworkInput, _ layers: [(layer: Layer, name: String)]
    ) throws {
        let named = layers.map { layer, name in
            let prefix = name.isEmpty ? "" : name + "."
            let isCell = dictionary.shapes[prefix + "weight_ih"] != nil
            return NamedLayer(layer: layer, prefix: prefix, cellSuffix: isCell ? "" : "_l0")
        }
        let configuration: NetworkConfiguration
        do { configuration = try NetworkConfiguration(checking: input, named) } catch {
            throw WeightsError(source: dictionary.source, problems: [error.sentence])
        }
        let prefixes = named.map { $0.prefix }.filter { !$0.isEmpty }
        let parameters = try dictionary.parameters(
            configuration.layout,
            belongs: { name in
                prefixes.contains { name.hasPrefix($0) }
            })
        self.init(configuration, parameters: parameters)
    }

    /// The parameters by their names behind `prefix`, in the layout's order, ready for `SafeTensors.serialize`: a module of
    /// PyTorch with layers of these names takes them with `load_state_dict(strict=True)`.
    public func tensors(prefix: String = "") -> [(name: String, shape: [Int], values: [Float])] {
        parameters.layout.windows.map { (prefix + $0.name, $0.shape, parameters[$0.name]) }
    }
}
