/// A trained classifier as a file: safetensors with PyTorch's parameter names, the configuration in the metadata.
@_spi(Laboratory) public struct ModelFile: Sendable {
    /// The classifier.
    public let model: Network
    /// The task it was trained for.
    public let task: AssociativeRetrieval
    /// Facts of its training, for people: names and values, of a file that was read in the order of the names.
    public let notes: [(String, String)]

    /// A file of a model that was trained for `task`; nothing is written yet. Traps on a model of other tokens or classes
    /// than the task has.
    public init(_ model: Network, task: AssociativeRetrieval, notes: [(String, String)] = []) {
        if let problem = Self.problem(model.definition) { misuse(problem) }
        self.model = model
        self.task = task
        self.notes = notes
    }

    /// The bytes of the file: the same model always gives the same.
    public func serialized() -> [UInt8] {
        let taskJSON: JSON = [
            "name": "associative_retrieval", "pairs": .number(Double(task.pairs)),
            "repeats_digits": .bool(task.repeatsDigits),
        ]
        return model.serialized(metadata: [("task", taskJSON.serialized())] + notes)
    }

    /// Writes the file atomically. Throws when it cannot be written; then nothing has changed.
    public func write(to path: String) throws {
        try Files.writeAtomically(serialized(), to: path)
    }

    /// Reads a file that `write` made. Throws, with the path, what is wrong and what to do, when it is not one.
    public init(path: String) throws {
        try self.init(bytes: try Files.read(path), source: path)
    }

    /// Reads a file whose content is `bytes`; `source` says where they came from, for error messages.
    ///
    /// Throws ``FormatError`` when they are no safetensors file, and ``WeightsError`` when that holds no model, or
    /// one whose tensors or task are not those of its configuration.
    public init(bytes: [UInt8], source path: String) throws {
        let file = try SafeTensors(bytes: bytes, source: path)
        func fail(_ problem: String) -> WeightsError { WeightsError(source: path, problems: [problem]) }
        do {
            guard let network = try Network.configuration(of: StateDictionary(file)), let task = file.metadata["task"]
            else {
                throw fail("not a model of `fastweights train`: the metadata has no network and task")
            }
            let reader = ConfigurationReader(json: try JSON(parsing: Array(task.utf8)), owner: "task")
            self.task = try AssociativeRetrieval(
                pairs: try reader.count("pairs", to: 26), repeatsDigits: try reader.flag("repeats_digits"))
            if let problem = Self.problem(network.definition) { throw fail(problem) }
            model = try Network(file)
            notes = file.metadata.filter { !["format", "config", "labels", "task"].contains($0.key) }
                .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        } catch let error as ConfigurationError {
            throw fail(error.description)
        } catch let error as TaskError {
            throw fail(error.description)
        } catch let error as JSONError {
            throw fail("the task in the metadata is not JSON: \(error)")
        }
    }
}

extension ModelFile {
    /// Why a network is not for the task; nil if it is.
    private static func problem(_ network: NetworkDefinition) -> String? {
        let (tokens, classes) = (AssociativeRetrieval.vocabulary, AssociativeRetrieval.classes)
        guard network.input.vocabulary != tokens || network.output != .vector(classes, isPerStep: false) else {
            return nil
        }
        return "the task has \(tokens) tokens and \(classes) classes per sequence; the network reads "
            + "\(network.input.text) and gives \(network.output.text)"
    }
}
