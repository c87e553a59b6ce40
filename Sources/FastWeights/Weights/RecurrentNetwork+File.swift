extension RecurrentNetwork {
    /// What `format` says in the metadata of a file that `write` made.
    private static let format = "fastweights-network-1"

    /// The bytes of a safetensors file with the parameters by PyTorch's names, and the configuration in the metadata.
    ///
    /// PyTorch reads the file too: `load_state_dict(safetensors.torch.load_file(path), strict=True)`.
    public func serialised() -> [UInt8] { serialised(metadata: []) }

    /// The same with more metadata.
    func serialised(metadata: [(String, String)]) -> [UInt8] {
        SafeTensors.serialise(
            tensors(), metadata: [("format", Self.format), ("config", configuration.json.serialised())] + metadata)
    }

    /// Writes the file atomically. Throws when it cannot be written; then nothing has changed.
    public func write(to path: String) throws {
        try Files.writeAtomically(serialised(), to: path)
    }

    /// Reads a file that `write` made, or a PyTorch state dict, of safetensors, in several files too by their index, or of
    /// `torch.save`; see `init(_:prefix:activation:embedding:head:)`. Throws also what `StateDictionary(path:)` throws.
    public convenience init(
        path: String, prefix: String? = nil, activation: Activation = .tanh, embedding: String? = nil,
        head: HeadModule? = nil
    ) throws {
        try self.init(
            StateDictionary(path: path), prefix: prefix, activation: activation, embedding: embedding, head: head)
    }

    /// The network of a file: by the configuration in the metadata where `write` put one, otherwise by the names and
    /// shapes of a PyTorch state dict, see `StateDictionary.network(prefix:activation:embedding:head:)`.
    ///
    /// Throws `WeightsError` or `SafeTensorsError` with what is wrong; also for a prefix, an embedding or a head of a file
    /// that `write` made, which says itself what it holds.
    public convenience init(
        _ file: SafeTensors, prefix: String? = nil, activation: Activation = .tanh, embedding: String? = nil,
        head: HeadModule? = nil
    ) throws {
        try self.init(
            StateDictionary(file), prefix: prefix, activation: activation, embedding: embedding, head: head)
    }

    /// The same of a file's tensors.
    convenience init(
        _ dictionary: StateDictionary, prefix: String?, activation: Activation, embedding: String?, head: HeadModule?
    ) throws {
        guard let configuration = try Self.configuration(of: dictionary) else {
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
        self.init(configuration, parameters: try dictionary.parameters(configuration, prefix: ""))
    }

    /// The configuration in the metadata, nil of a file that `write` did not make.
    static func configuration(of dictionary: StateDictionary) throws -> RecurrentNetworkConfiguration? {
        let metadata = dictionary.metadata
        guard metadata["format"] == format, let text = metadata["config"] else { return nil }
        func fail(_ problem: String) -> WeightsError { WeightsError(source: dictionary.source, problems: [problem]) }
        do {
            return try RecurrentNetworkConfiguration(json: try JSON(parsing: text.utf8))
        } catch let error as JSONError {
            throw fail("the configuration in the metadata is not JSON: \(error)")
        } catch let error as ConfigurationError {
            throw fail(error.description)
        }
    }
}
