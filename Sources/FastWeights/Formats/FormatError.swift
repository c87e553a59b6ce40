/// Why a file is not what its format says it should be, or does not hold what was asked for: safetensors, files of PyTorch,
/// NumPy arrays and archives, IDX, gzip, zip, PNG, TensorFlow's records.
public struct FormatError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The rule that was broken.
    public enum Reason: Equatable, Sendable {
        /// The file ends too early.
        case truncated
        /// The first bytes are not those of the format.
        case signature
        /// A header or a table breaks a rule of the format.
        case header
        /// A safetensors file ends before its header does, or the header is longer than the format allows.
        case headerLength
        /// The header of a safetensors file does not begin with `{` or is not JSON with unique keys.
        case headerSyntax
        /// The `__metadata__` of a safetensors file is not an object of strings.
        case metadata
        /// The dtype, shape or data_offsets of a safetensors file's tensor are absent or malformed.
        case entry
        /// The index of a model in several files is malformed, or names files or tensors that are not there.
        case index
        /// Allowed by the format, but refused or not known here: objects, encryption, another compression, another dtype.
        case unsupported
        /// Two sizes that should agree differ, or one is beyond what the file can hold.
        case size
        /// Compressed data that no compressor writes.
        case compression
        /// The content does not have the checksum that is stored with it.
        case checksum
        /// Parts of a file overlap, lie outside it, or leave a hole where the format allows none.
        case coverage
        /// Two entries of one archive have the same name.
        case duplicate
        /// No entry or tensor has the name asked for.
        case missing
        /// Integers were asked for and floating point is stored, or the reverse.
        case wrongType
        /// A stored number does not fit the type asked for.
        case valueOutOfRange
    }

    /// The file.
    public var source: String
    /// The entry at fault, if it is one entry of an archive, or the tensor.
    public var entry: String?
    /// Which rule.
    public var reason: Reason
    /// What the rule asks for.
    public var expected: String
    /// What is there instead.
    public var found: String
    /// What to do about it.
    public var advice: String?
    /// What an entry is called in this format.
    var noun = "entry"

    /// All of it as a sentence.
    public var description: String {
        let part = entry.map { "\(source), \(noun) \"\($0)\"" } ?? source
        return "\(part): expected \(expected), found \(found)." + (advice.map { " " + $0 } ?? "")
    }

    /// What to do about a file that ends too early.
    static let cutShort = "The file is cut short; fetch or write it again."
    /// What to do about a file with `count` bytes behind its end.
    static func appended(_ count: Int) -> String {
        "\(count) \(count == 1 ? "byte was" : "bytes were") appended to the file; fetch or write it again."
    }
    /// What to do about a file whose content changed.
    static let damaged = "The file is damaged; fetch or write it again."

    /// The first names of many, for the error about one that is not there.
    static func list(_ names: [String]) -> String {
        guard !names.isEmpty else { return "nothing" }
        let shown = names.prefix(12).joined(separator: ", ")
        return names.count > 12 ? "only \(shown) and \(names.count - 12) more" : "only \(shown)"
    }
}
