/// A training as it stood at one step, in a file from which it goes on to the same bits.
///
/// It is a safetensors file, so that other tools can look into it: parameters, the best ones so far and the optimizer's
/// moments as tensors, what else there is as JSON in the metadata. A CRC-32 over everything else stands first in the
/// header, so that a file with a flipped bit is refused rather than trained on.
struct CheckpointFile {
    /// Tensors, row-major, in the order of the file.
    var tensors: [(name: String, shape: [Int], values: [Float])]
    /// Which training it belongs to: names and values, which must be those of the training that goes on.
    var identity: JSON
    /// How far it had come.
    var state: JSON

    private static let format = "fastweights-checkpoint-2"
    /// How every file begins after the eight bytes of the header's length; the eight digits of the checksum follow.
    private static let beginning = Array(#"{"__metadata__":{"crc32":""#.utf8)
    private static let noChecksum = "00000000"

    /// Writes the file so that `path` at every moment holds the old one or the new one, whole.
    func write(to path: String) throws {
        var bytes = try SafeTensors.bytes(
            tensors,
            metadata: [
                ("crc32", Self.noChecksum), ("format", Self.format), ("identity", identity.serialized()),
                ("state", state.serialized()),
            ], source: path)
        bytes.replaceSubrange(Self.checksumRange, with: Self.checksum(bytes).utf8)
        try Files.writeAtomically(bytes, to: path)
    }

    /// Reads a file that `write` made. Throws what is wrong with it, and what to do.
    init(path: String) throws(CheckpointError) {
        func fail(_ problem: String) -> CheckpointError { CheckpointError(description: "\(path): \(problem)") }
        do {
            var bytes = try Files.read(path)
            if let kind = FileKind(bytes), kind != .safeTensors {
                throw fail("\(kind.name), not a checkpoint of a training; \(kind.remedy ?? Self.advice)")
            }
            let range = Self.checksumRange
            guard bytes.count >= range.upperBound,
                bytes[SafeTensorsHeader.prefixLength..<range.lowerBound].elementsEqual(Self.beginning)
            else {
                throw fail("not a checkpoint of a training, or one whose beginning is damaged; \(Self.advice)")
            }
            let stored = Array(bytes[range])
            bytes.replaceSubrange(range, with: Self.noChecksum.utf8)
            guard stored == Array(Self.checksum(bytes).utf8) else {
                throw fail("the checkpoint is damaged or cut short: its checksum does not fit; \(Self.advice)")
            }
            let file = try SafeTensors(bytes: bytes, source: path)
            guard file.metadata["format"] == Self.format, let identity = file.metadata["identity"],
                let state = file.metadata["state"]
            else {
                let found = file.metadata["format"].map { "\($0), that of another version" } ?? "none"
                throw fail("expected a checkpoint of the format \(Self.format), found \(found); \(Self.advice)")
            }
            self.identity = try JSON(parsing: Array(identity.utf8))
            self.state = try JSON(parsing: Array(state.utf8))
            tensors = []
            for name in file.names {
                tensors.append((name, try file.tensor(named: name).shape, try file.floats(name)))
            }
        } catch let error as CheckpointError {
            throw error
        } catch {
            throw CheckpointError(description: "\(error)")
        }
    }

    init(tensors: [(name: String, shape: [Int], values: [Float])], identity: JSON, state: JSON) {
        (self.tensors, self.identity, self.state) = (tensors, identity, state)
    }

    /// The block called `name`, whose tensors are those of `layout`, each behind this name and a slash.
    func parameters(_ name: String, _ layout: Parameters.Layout) throws(CheckpointError) -> Parameters {
        let result = Parameters(layout)
        for window in layout.windows {
            guard let tensor = tensors.first(where: { $0.name == "\(name)/\(window.name)" }),
                tensor.shape == window.shape
            else {
                throw CheckpointError(
                    description: "the checkpoint has no tensor \(name)/\(window.name) of shape \(window.shape)")
            }
            result[window.name] = tensor.values
        }
        return result
    }

    /// Adds a block's tensors as those called `name`.
    mutating func append(_ name: String, _ block: Parameters) {
        for window in block.layout.windows {
            tensors.append(("\(name)/\(window.name)", window.shape, block[window.name]))
        }
    }

    private static let advice = "go on from another one, or begin anew without it"

    private static var checksumRange: Range<Int> {
        let start = SafeTensorsHeader.prefixLength + beginning.count
        return start..<start + noChecksum.utf8.count
    }

    /// Eight hexadecimal digits.
    private static func checksum(_ bytes: [UInt8]) -> String {
        let digits = String(CRC32.checksum(bytes), radix: 16)
        return String(repeating: "0", count: noChecksum.utf8.count - digits.utf8.count) + digits
    }
}

/// A checkpoint that cannot be used, with its path, what is wrong and what to do.
struct CheckpointError: Error, CustomStringConvertible, Equatable {
    let description: String
}
