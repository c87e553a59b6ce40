/// Why bytes are not a JSON document, and where.
struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Bytes before the place, from 0.
    var offset: Int
    /// The line of the place, from 1.
    var line: Int
    /// What JSON or this reader's limits ask for at that place.
    var expected: String
    /// What stands there instead.
    var found: String

    var description: String {
        "line \(line), byte \(offset): expected \(expected), found \(found)"
    }
}

/// Recursive descent over the bytes of one document. `position` is the next byte to read.
struct JSONParser {
    /// Arrays and objects that may be open at once; deeper input could exhaust the stack.
    static let depthLimit = 128

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func document() throws(JSONError) -> JSON {
        let value = try value()
        skipWhiteSpace()
        guard position == bytes.count else { throw error(expected: "the end of the document") }
        return value
    }
}

// MARK: - Values

extension JSONParser {
    private mutating func value() throws(JSONError) -> JSON {
        skipWhiteSpace()
        guard let byte = peek else { throw error(expected: "a JSON value") }
        switch byte {
        case UInt8(ascii: "{"): return try nested { (parser) throws(JSONError) in try parser.object() }
        case UInt8(ascii: "["): return try nested { (parser) throws(JSONError) in try parser.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: throw error(expected: "a JSON value")
        }
    }

    private mutating func nested(
        _ body: (inout JSONParser) throws(JSONError) -> JSON
    ) throws(JSONError) -> JSON {
        guard depth < Self.depthLimit else {
            throw error(expected: "at most \(Self.depthLimit) arrays and objects within each other", found: "one more")
        }
        depth += 1
        defer { depth -= 1 }
        position += 1
        return try body(&self)
    }

    /// The rest of an object after its `{`.
    private mutating func object() throws(JSONError) -> JSON {
        var members: [JSON.Member] = []
        var keys: Set<String> = []
        skipWhiteSpace()
        if take("}") { return .object([]) }
        while true {
            skipWhiteSpace()
            let start = position
            guard peek == UInt8(ascii: "\"") else { throw error(expected: "a key in double quotes") }
            let key = try string()
            guard keys.insert(key).inserted else {
                throw error(at: start, expected: "keys that differ", found: "\"\(key)\" a second time")
            }
            skipWhiteSpace()
            guard take(":") else { throw error(expected: "a colon after the key \"\(key)\"") }
            members.append(JSON.Member(key: key, value: try value()))
            skipWhiteSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw error(expected: "a comma or } after the member \"\(key)\"") }
        }
    }

    /// The rest of an array after its `[`.
    private mutating func array() throws(JSONError) -> JSON {
        var elements: [JSON] = []
        skipWhiteSpace()
        if take("]") { return .array([]) }
        while true {
            elements.append(try value())
            skipWhiteSpace()
            if take("]") { return .array(elements) }
            guard take(",") else { throw error(expected: "a comma or ] after an element") }
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        let start = position
        for expected in "\(word)".utf8 {
            guard peek == expected else { throw error(at: start, expected: "\(word)", found: describe(start)) }
            position += 1
        }
        return value
    }

    private mutating func number() throws(JSONError) -> Double {
        let start = position
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let value = Double(text), value.isFinite else {
            throw error(at: start, expected: "a number of magnitude below 1.8e308", found: text)
        }
        return value
    }

    private mutating func digits() throws(JSONError) {
        let start = position
        while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        guard position > start else { throw error(expected: "a digit") }
    }
}

// MARK: - Strings

extension JSONParser {
    private mutating func string() throws(JSONError) -> String {
        position += 1
        var text = ""
        while true {
            text += try plainCharacters()
            guard let byte = peek else { throw error(expected: "a double quote that ends the string") }
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return text
            case UInt8(ascii: "\\"):
                text.unicodeScalars.append(try escape())
            default:
                throw error(expected: "control characters within a string written as \\u escapes")
            }
        }
    }

    /// The characters up to the next quote, backslash or control character.
    private mutating func plainCharacters() throws(JSONError) -> String {
        let start = position
        while let byte = peek, byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { position += 1 }
        let run = bytes[start..<position]
        let text = String(decoding: run, as: UTF8.self)
        // Decoding replaces what is not UTF-8, so any difference marks the first byte that is not.
        if let fault = zip(run.indices, zip(run, text.utf8)).first(where: { $0.1.0 != $0.1.1 })?.0 {
            throw error(at: fault, expected: "text in UTF-8", found: describe(fault))
        }
        guard text.utf8.count == run.count else {
            throw error(at: position - 1, expected: "text in UTF-8", found: describe(position - 1))
        }
        return text
    }

    private mutating func escape() throws(JSONError) -> Unicode.Scalar {
        let start = position
        position += 1
        guard let byte = peek else { throw error(expected: "a character after the backslash") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{08}"
        case UInt8(ascii: "f"): return "\u{0C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape(start: start)
        default:
            throw error(
                at: start + 1, expected: "one of \" \\ / b f n r t u after the backslash", found: describe(start + 1))
        }
    }

    /// The scalar of `\u` and four digits, or of a pair of these, a high surrogate and a low one. The first `\u` has been
    /// read and began at `start`.
    private mutating func unicodeEscape(start: Int) throws(JSONError) -> Unicode.Scalar {
        let first = try codeUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        if first < 0xDC00, take("\\"), take("u") {
            let second = try codeUnit()
            if (0xDC00...0xDFFF).contains(second),
                let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
            {
                return scalar
            }
        }
        throw error(
            at: start, expected: "a pair of a high and a low surrogate",
            found: "the lone surrogate \\u\(String(first, radix: 16))")
    }

    /// Four hexadecimal digits.
    private mutating func codeUnit() throws(JSONError) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw error(expected: "four hexadecimal digits after \\u")
            }
            unit = unit << 4 | UInt32(digit)
            position += 1
        }
        return unit
    }
}

// MARK: - Bytes and errors

extension JSONParser {
    private var peek: UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    /// Steps over `character` if it comes next.
    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func skipWhiteSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private func error(expected: String) -> JSONError {
        error(at: position, expected: expected, found: describe(position))
    }

    private func error(expected: String, found: String) -> JSONError {
        error(at: position, expected: expected, found: found)
    }

    private func error(at offset: Int, expected: String, found: String) -> JSONError {
        let line = 1 + bytes[..<offset].count { $0 == 0x0A }
        return JSONError(offset: offset, line: line, expected: expected, found: found)
    }

    /// The byte at `offset` in words.
    private func describe(_ offset: Int) -> String {
        guard offset < bytes.count else { return "the end" }
        let byte = bytes[offset]
        guard (0x21...0x7E).contains(byte) else { return "the byte 0x" + String(byte, radix: 16, uppercase: true) }
        return "\"\(Character(Unicode.Scalar(byte)))\""
    }
}
