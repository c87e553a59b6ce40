/// The network of a model file as `fastweights run` applies it, and what it takes of the file and leaves out.
struct AppliedModel {
    let network: Network
    /// What a user should know of it: parts of the file that are not used, and what was taken for granted. A phrase each.
    private(set) var notes: [String] = []
    /// The files that it was read from.
    let sources: [String]
    /// What else the metadata of a file of our own hold, as a text's vocabulary.
    private let metadata: [(String, String)]

    /// Throws what `Network` throws, and `UsageError` for an activation that the file leaves no choice of.
    init(
        path: String, prefix: String? = nil, activation: Activation? = nil, embedding: String? = nil,
        head: StateDictionary.Head? = nil
    ) throws {
        let dictionary = try StateDictionary(path: path)
        // Files of before say beside the network that it reads tokens.
        network = try Network(
            dictionary, prefix: prefix, activation: activation ?? .tanh, embedding: embedding, head: head,
            takesTokens: dictionary.metadata["vocabulary"] != nil || dictionary.metadata["input"] == "tokens")
        sources = dictionary.sources
        let isOwn = try Network.configuration(of: dictionary) != nil
        let cells = network.definition.root.leaves.compactMap { $0 as? PlacedCell }
        let isPlain = !isOwn && cells.allSatisfy { $0.kind is RNNLayer }
        guard activation == nil || isPlain else {
            throw UsageError(
                "--activation is for a plain RNN of a state dict; \(path) holds \(network.configuration.summary).")
        }
        guard !isOwn else {
            metadata = dictionary.metadata.filter { !["format", "config", "labels"].contains($0.key) }.sorted {
                $0.key < $1.key
            }
            return
        }
        metadata = []
        if isPlain, activation == nil {
            notes.append(
                "the file does not tell an RNN's activation, which is taken for tanh; --activation relu changes that")
        }
        let unused = try dictionary.unused(prefix: prefix, embedding: embedding, head: head)
        guard !unused.isEmpty else { return }
        let shapes = dictionary.shapes
        let shown = unused.prefix(12).map { "\($0) \(shapes[$0] ?? [])" } + (unused.count > 12 ? ["and others"] : [])
        /// Modules of which something is not used, with a matrix of so many columns.
        func modules(columns: Int) -> [Substring] {
            dictionary.names.filter { $0.hasSuffix(".weight") && shapes[$0]?.count == 2 && shapes[$0]?[1] == columns }
                .map { $0.dropLast(".weight".count) }
                .filter { unused.contains("\($0).weight") || unused.contains("\($0).bias") }
        }
        func hasBias(_ module: Substring) -> Bool { shapes["\(module).bias"] != nil }
        // Only a dense layer has a bias; without one it may be either, and is not both.
        let table = embedding == nil ? modules(columns: cells[0].input.count).first { !hasBias($0) } : nil
        let tops =
            head == nil
            ? modules(columns: (cells.last?.sizes.hidden ?? 0) * (network.definition.root.isReversed ? 2 : 1)) : []
        let top = tops.first(where: hasBias) ?? tops.first { $0 != table }
        let hints = [top.map { "--head \($0)" }, table.map { "--embedding \($0)" }].compactMap { $0 }
        notes.append(
            "\(path) has tensors that are not used: \(shown.joined(separator: ", "))"
                + (hints.isEmpty ? "" : "; to use them add \(hints.joined(separator: " and "))"))
    }

    /// Writes the network with its configuration, and what else the metadata held.
    func write(to path: String) throws {
        try Files.writeAtomically(network.serialized(metadata: metadata), to: path)
    }
}
