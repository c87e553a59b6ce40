/// A checkpoint in a file.
///
/// It is a safetensors file, so that other tools can look into it: the tensors, and what else there is as JSON in the
/// metadata. A CRC-32 over everything else stands first in the header, so that a file with a flipped bit is refused rather
/// than trained on.
final class CheckpointFile: CheckpointStore {
    let path: String

    init(path: String) { self.path = path }

    private static let format = "fastweights-checkpoint-2"
    /// How every file begins after the eight bytes of the header's length; the eight digits of the checksum follow.
    private static let beginning = Array(#"{"__metadata__":{"crc32":""#.utf8)
    private static let noChecksum = "00000000"

    var name: String { path }
    var isEmpty: Bool { !Files.exists(path) }

    func write(_ checkpoint: Checkpoint) throws(TrainingError) {
        do {
            var bytes = try SafeTensors.bytes(
                checkpoint.tensors,
                metadata: [
                    ("crc32", Self.noChecksum), ("format", Self.format),
                    ("identity", checkpoint.identity.serialized()), ("state", checkpoint.state.serialized()),
                ], source: path)
            bytes.replaceSubrange(Self.checksumRange, with: Self.checksum(bytes).utf8)
            try Files.writeAtomically(bytes, to: path)
        } catch {
            throw TrainingError.checkpoint("\(error) The checkpoint before it, if there is one, is whole.")
        }
    }

    func read() throws(TrainingError) -> Checkpoint {
        func fail(_ problem: String) -> TrainingError { .checkpoint("\(path): \(problem)") }
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
            return Checkpoint(
                tensors: try file.names.map { ($0, try file.tensor(named: $0).shape, try file.floats($0)) },
                identity: try JSON(parsing: Array(identity.utf8)), state: try JSON(parsing: Array(state.utf8)))
        } catch let error as TrainingError {
            throw error
        } catch {
            throw TrainingError.checkpoint("\(error)")
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

extension CheckpointOptions {
    /// The file; it is replaced as a whole, so that at every moment there is a good one.
    public var path: String {
        get { store.name }
        set { store = CheckpointFile(path: newValue) }
    }

    /// Traps unless `every` is at least 1.
    public init(path: String, every: Int = 1000, resumes: Bool = false) {
        self.init(store: CheckpointFile(path: path), every: every, resumes: resumes)
    }
}
