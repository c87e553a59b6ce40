/// Why a file is not what its format says it should be, or does not hold what was asked for: NumPy arrays and archives,
/// IDX, gzip, zip.
public struct FormatError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The rule that was broken.
    public enum Reason: Equatable, Sendable {
        /// The file ends too early.
        case truncated
        /// The first bytes are not those of the format.
        case signature
        /// A header or a table breaks a rule of the format.
        case header
        /// Allowed by the format, but refused or not known here: objects, encryption, another compression.
        case unsupported
        /// Two sizes that should agree differ, or one is beyond what the file can hold.
        case size
        /// Compressed data that no compressor writes.
        case compression
        /// The content does not have the checksum that is stored with it.
        case checksum
        /// Parts of a file overlap or lie outside it.
        case place
        /// Two entries of one archive have the same name.
        case duplicate
        /// No entry has the name asked for.
        case missing
        /// Integers were asked for and floating point is stored.
        case wrongType
        /// A stored number does not fit the type asked for.
        case valueOutOfRange
    }

    /// The file.
    public var source: String
    /// The entry at fault, if it is one entry of an archive.
    public var entry: String?
    /// Which rule.
    public var reason: Reason
    /// What the rule asks for.
    public var expected: String
    /// What is there instead.
    public var found: String
    /// What to do about it.
    public var advice: String?

    /// All of it as a sentence.
    public var description: String {
        let place = entry.map { "\(source), entry \"\($0)\"" } ?? source
        return "\(place): expected \(expected), found \(found)." + (advice.map { " " + $0 } ?? "")
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
