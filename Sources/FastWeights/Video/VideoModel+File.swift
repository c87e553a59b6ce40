extension VideoModel {
    /// What `format` says in the metadata of a file that `write` made.
    static let format = "fastweights-video-1"

    /// The bytes of a safetensors file with the parameters by their names, and the configuration in the metadata.
    public func serialized() -> [UInt8] { serialized(metadata: []) }

    /// The same with more metadata.
    func serialized(metadata: [(String, String)]) -> [UInt8] {
        SafeTensors.serialize(
            parameters.layout.windows.map { ($0.name, $0.shape, parameters[$0.name]) },
            metadata: [("format", Self.format), ("config", configuration.json.serialized())] + metadata)
    }

    /// Writes the file atomically. Throws when it cannot be written; then nothing has changed.
    public func write(to path: String) throws { try Files.writeAtomically(serialized(), to: path) }

    /// Reads a file that `write` made. Throws `FileError` when it cannot be read, `FormatError` when it is no such file, and
    /// `WeightsError` with all that is wrong with its configuration and tensors.
    public convenience init(path: String) throws { try self.init(try StateDictionary(path: path)) }

    /// The same of a file in memory.
    public convenience init(bytes: [UInt8], source: String = "video model") throws {
        try self.init(try StateDictionary(try SafeTensors(bytes: bytes, source: source)))
    }

    convenience init(_ file: StateDictionary) throws {
        func fail(_ problem: String) -> WeightsError { WeightsError(source: file.source, problems: [problem]) }
        guard file.metadata["format"] == Self.format, let text = file.metadata["config"] else {
            let found = file.metadata["format"].map { "a file of the format \($0)" } ?? "tensors without a format"
            throw fail("expected a video model, which `fastweights train --task video` writes, found \(found)")
        }
        let configuration: VideoConfiguration
        do { configuration = try VideoConfiguration(json: try JSON(parsing: text.utf8)) } catch let error as JSONError {
            throw fail("the configuration in the metadata is not JSON: \(error)")
        } catch let error as ConfigurationError {
            throw fail(error.description)
        }
        let network = VideoNetwork.of(configuration)
        if let problem = network.scope.problem { throw fail(problem) }
        self.init(network, try file.parameters(network.layout))
    }
}
