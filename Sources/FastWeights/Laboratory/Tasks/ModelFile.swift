/// A trained classifier as a file: safetensors with PyTorch's parameter names, the configuration in the metadata.
public struct ModelFile: Sendable {
    /// The classifier.
    public let model: SequenceClassifier
    /// The task it was trained for.
    public let task: AssociativeRetrieval
    /// Facts of its training, for people: names and values, of a file that was read in the order of the names.
    public let notes: [(String, String)]

    private static let format = "fastweights-classifier-1"

    /// A file of a model that was trained for `task`; nothing is written yet. Traps on a model of other tokens or classes
    /// than the task has.
    public init(_ model: SequenceClassifier, task: AssociativeRetrieval, notes: [(String, String)] = []) {
        if let problem = Self.problem(model.configuration) { misuse(problem) }
        self.model = model
        self.task = task
        self.notes = notes
    }

    /// The bytes of the file: the same model always gives the same.
    public func serialised() -> [UInt8] {
        let parameters = model.parameters
        let tensors = parameters.layout.windows.map { (name: $0.name, shape: $0.shape, values: parameters[$0.name]) }
        let taskJSON: JSON = [
            "name": "associative_retrieval", "pairs": .number(Double(task.pairs)),
            "repeats_digits": .bool(task.repeatsDigits),
        ]
        let metadata =
            [
                ("format", Self.format), ("config", model.configuration.json.serialised()),
                ("task", taskJSON.serialised()),
            ] + notes
        return SafeTensors.serialise(tensors, metadata: metadata)
    }

    /// Writes the file atomically. Throws when it cannot be written; then nothing has changed.
    public func write(to path: String) throws {
        try Files.writeAtomically(serialised(), to: path)
    }

    /// Reads a file that `write` made. Throws, with the path, what is wrong and what to do, when it is not one.
    public init(path: String) throws {
        try self.init(bytes: try Files.read(path), source: path)
    }

    /// Reads a file whose content is `bytes`; `source` says where they came from, for error messages.
    ///
    /// Throws ``SafeTensorsError`` when they are no safetensors file, and ``ModelFileError`` when that holds no model, or
    /// one whose tensors or task are not those of its configuration.
    public init(bytes: [UInt8], source path: String) throws {
        let file = try SafeTensors(bytes: bytes, source: path)
        func fail(_ problem: String) -> ModelFileError { ModelFileError(description: "\(path): \(problem)") }
        guard let configuration = try Self.configuration(of: file), let task = file.metadata["task"] else {
            throw fail("not a model of `fastweights train`: the metadata has no format \(Self.format)")
        }
        do {
            let reader = ConfigurationReader(json: try JSON(parsing: Array(task.utf8)), place: "task")
            self.task = try AssociativeRetrieval(
                pairs: try reader.count("pairs", to: 26), repeatsDigits: try reader.flag("repeats_digits"))
            if let problem = Self.problem(configuration) { throw fail(problem) }
            let layout = configuration.layout
            let windows = layout.windows
            let missing = windows.map(\.name).filter { !file.names.contains($0) }
            let unexpected = file.names.filter { name in !windows.contains { $0.name == name } }
            guard missing.isEmpty && unexpected.isEmpty else {
                throw fail(
                    "missing tensors: \(missing.isEmpty ? "none" : missing.joined(separator: ", ")); unexpected: \(unexpected.isEmpty ? "none" : unexpected.joined(separator: ", "))"
                )
            }
            for window in windows {
                let shape = try file.tensor(named: window.name).shape
                guard shape == window.shape else {
                    throw fail("tensor \(window.name) should have shape \(window.shape), found \(shape)")
                }
            }
            // Only now, when the file is known to hold as many numbers as the configuration asks for.
            let parameters = Parameters(layout)
            for window in windows { parameters[window.name] = try file.floats(window.name) }
            model = SequenceClassifier(configuration, parameters: parameters)
            notes = file.metadata.filter { !["format", "config", "task"].contains($0.key) }
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
    private static func problem(_ network: ClassifierConfiguration) -> String? {
        let (tokens, classes) = (AssociativeRetrieval.vocabulary, AssociativeRetrieval.classes)
        guard network.vocabulary != tokens || network.classes != classes else { return nil }
        return "the task has \(tokens) tokens and \(classes) classes, the network \(network.vocabulary) and "
            + "\(network.classes)"
    }

    /// The configuration in the metadata of a file, nil of one that `write` did not make.
    static func configuration(of file: SafeTensors) throws -> ClassifierConfiguration? {
        guard file.metadata["format"] == format, let text = file.metadata["config"] else { return nil }
        func fail(_ problem: String) -> ModelFileError {
            ModelFileError(description: "\(file.source): \(problem)")
        }
        do {
            return try ClassifierConfiguration(json: try JSON(parsing: text.utf8))
        } catch let error as JSONError {
            throw fail("the configuration in the metadata is not JSON: \(error)")
        } catch let error as ConfigurationError {
            throw fail(error.description)
        }
    }
}
