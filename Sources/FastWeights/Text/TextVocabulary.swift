/// The units of a text that a model predicts, each a token: the characters of a text (Unicode scalars), or bytes.
///
/// Every file can be read in bytes; in characters those of valid UTF-8.
public struct TextVocabulary: Sendable, Equatable {
    /// The characters in rising order, token by token; nil for bytes, of which token is the value.
    public let characters: [Unicode.Scalar]?
    private let tokenOfCharacter: [Unicode.Scalar: UInt16]

    /// Tokens.
    public var count: Int { characters?.count ?? 256 }

    /// Most characters of a vocabulary: more make the network's last layer larger than all the rest.
    static let characterLimit = 1024

    /// All 256 bytes.
    public static let bytes = TextVocabulary(characters: nil)

    init(characters: [Unicode.Scalar]?) {
        self.characters = characters
        tokenOfCharacter = Dictionary(
            uniqueKeysWithValues: (characters ?? []).enumerated().map { ($1, UInt16($0)) })
    }

    /// The characters of a file's content, or bytes where that is not UTF-8 or has more than 1024 kinds of character;
    /// `init(charactersOf:)` says which and where.
    public init(of content: [UInt8]) { self = (try? Self(charactersOf: content)) ?? .bytes }

    /// The characters of a file's content. Throws `TextError` that names the first byte that is not UTF-8, or says that
    /// there are more than 1024 kinds of character.
    public init(charactersOf content: [UInt8]) throws(TextError) {
        let characters = Set(try Self.text(content).unicodeScalars)
        guard characters.count <= Self.characterLimit else {
            throw TextError(
                description:
                    "the text has \(characters.count) kinds of character; a vocabulary has at most \(Self.characterLimit)"
            )
        }
        self.init(characters: characters.sorted())
    }

    /// The text that the bytes are. Throws `TextError` that names the first byte that is not UTF-8.
    private static func text(_ content: [UInt8]) throws(TextError) -> String {
        if let text = String(validating: content, as: UTF8.self) { return text }
        var decoder = UTF8.ForwardParser()
        var rest = content.makeIterator()
        var byte = 0
        while case .valid(let scalar) = decoder.parseScalar(from: &rest) { byte += scalar.count }
        let line = 1 + content[..<byte].count { $0 == UInt8(ascii: "\n") }
        let digits = String(content[byte], radix: 16, uppercase: true)
        throw TextError(
            description:
                "the text is not UTF-8: byte \(byte + 1) of \(content.count), in line \(line), is 0x\(digits)"
        )
    }

    /// The tokens of a text. Throws `TextError` that names the first character that the vocabulary has not.
    public func tokens(_ content: [UInt8]) throws(TextError) -> [UInt16] {
        guard characters != nil else { return content.map { UInt16($0) } }
        let text: String
        do { text = try Self.text(content) } catch {
            throw TextError(description: "\(error); the model's vocabulary is of characters")
        }
        var tokens: [UInt16] = []
        for character in text.unicodeScalars {
            guard let token = tokenOfCharacter[character] else {
                throw TextError(
                    description:
                        "the character \"\(character)\" was not in the text that the model was trained on; its vocabulary has \(count) characters"
                )
            }
            tokens.append(token)
        }
        return tokens
    }

    /// The UTF-8 bytes of a token. Traps on one outside the vocabulary.
    public func bytes(of token: Int) -> [UInt8] {
        require((0..<count).contains(token), "a token of this vocabulary is from 0 to \(count - 1); \(token) was given")
        guard let characters else { return [UInt8(truncatingIfNeeded: token)] }
        return Array(String(Character(characters[token])).utf8)
    }
}

extension TextVocabulary {
    var json: JSON {
        guard let characters else { return "bytes" }
        return .string(String(String.UnicodeScalarView(characters)))
    }

    init(json: JSON) throws(ConfigurationError) {
        guard let text = json.text else { throw ConfigurationError(description: "the model has no vocabulary") }
        let characters = Array(text.unicodeScalars)
        guard text != "bytes" else {
            self = .bytes
            return
        }
        guard Set(characters).count == characters.count, (1...Self.characterLimit).contains(characters.count) else {
            throw ConfigurationError(
                description:
                    "the vocabulary needs 1 to \(Self.characterLimit) characters that differ, found \(characters.count)"
            )
        }
        self.init(characters: characters)
    }
}

/// A text that a model cannot be trained on, or cannot go on from.
public struct TextError: Error, CustomStringConvertible, Equatable {
    /// The sentence that says so.
    public let description: String
}
