/// The network of a model file as `fastweights run` applies it, and what it takes of the file and leaves out.
struct AppliedModel {
    let network: RecurrentNetwork
    /// Whether what the network reads are tokens: there is an embedding or a vocabulary.
    let takesTokens: Bool
    /// What a user should know of it: parts of the file that are not used, and what was taken for granted. A phrase each.
    private(set) var notes: [String] = []
    /// What else the metadata of a file of our own hold, as a text's vocabulary.
    private let metadata: [(String, String)]

    /// Throws what `RecurrentNetwork` throws, and `UsageError` for an activation that the file leaves no choice of.
    init(
        path: String, prefix: String? = nil, activation: Activation? = nil, embedding: String? = nil,
        head: HeadModule? = nil
    ) throws {
        let file = try SafeTensors(path: path)
        network = try RecurrentNetwork(
            file, prefix: prefix, activation: activation ?? .tanh, embedding: embedding, head: head)
        takesTokens = embedding != nil || file.metadata["vocabulary"] != nil
        let isOwn = try RecurrentNetwork.configuration(of: file) != nil
        var isPlain = false
        if case .rnn = network.configuration.cell { isPlain = !isOwn }
        guard activation == nil || isPlain else {
            throw UsageError(
                "--activation is for a plain RNN of a state dict; \(path) holds \(network.configuration.summary()).")
        }
        guard !isOwn else {
            metadata = file.metadata.filter { !["format", "config"].contains($0.key) }.sorted { $0.key < $1.key }
            return
        }
        metadata = []
        if isPlain, activation == nil {
            notes.append(
                "the file does not tell an RNN's activation, which is taken for tanh; --activation relu changes that")
        }
        let dictionary = try StateDictionary(file)
        let unused = try dictionary.unused(prefix: prefix, embedding: embedding, head: head)
        guard !unused.isEmpty else { return }
        let shapes = dictionary.shapes
        let shown = unused.prefix(12).map { "\($0) \(shapes[$0] ?? [])" } + (unused.count > 12 ? ["and others"] : [])
        /// The first module whose matrix has so many columns, ready to be asked for by the option.
        func hint(_ option: String, columns: Int) -> String? {
            unused.first { $0.hasSuffix(".weight") && shapes[$0]?.count == 2 && shapes[$0]?[1] == columns }.map {
                "--\(option) \($0.dropLast(".weight".count))"
            }
        }
        let hints = [
            head == nil ? hint("head", columns: network.configuration.features) : nil,
            embedding == nil ? hint("embedding", columns: network.configuration.input) : nil,
        ].compactMap { $0 }
        notes.append(
            "\(path) has tensors that are not used: \(shown.joined(separator: ", "))"
                + (hints.isEmpty ? "" : "; to use them add \(hints.joined(separator: " or "))"))
    }

    /// Writes the network with its configuration, and what else the metadata held.
    func write(to path: String) throws {
        try Files.writeAtomically(network.serialised(metadata: metadata), to: path)
    }
}
