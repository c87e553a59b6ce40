/// A JSON document (RFC 8259): read strictly, written deterministically, with the order of an object's members kept.
///
///     let record: JSON = ["model": "LSTM", "hidden": 50, "curve": [0.9, 0.4]]
///     let text = record.serialized()            // {"model":"LSTM","hidden":50,"curve":[0.9,0.4]}
///     let again = try JSON(parsing: text.utf8)  // == record
///
/// Numbers are `Double`, so an integer beyond 2^53 must travel as a string. Two objects are equal only if their
/// members also come in the same order.
enum JSON: Equatable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSON])
    /// Members in the order they were written; their keys differ.
    case object([Member])

    /// One `"key": value` of an object.
    struct Member: Equatable, Sendable {
        var key: String
        var value: JSON

        init(key: String, value: JSON) {
            self.key = key
            self.value = value
        }
    }

    /// The largest magnitude below which every whole `Double` is exact and is written without a fraction: 2^53.
    static let exactIntegerLimit = 9_007_199_254_740_992.0
}

// MARK: - Reading a document

extension JSON {
    /// Reads one JSON document in UTF-8, with nothing but white space around it.
    ///
    /// Stricter than many readers where JSON is ambiguous: duplicate keys, invalid UTF-8, lone surrogates, a byte order
    /// mark, numbers beyond `Double` and nesting deeper than 128 are refused.
    ///
    /// - Throws: ``JSONError`` with the place, what was expected there and what was found.
    /// - Complexity: O(*n*) in the number of bytes.
    init(parsing bytes: some Collection<UInt8>) throws(JSONError) {
        var parser = JSONParser(bytes: Array(bytes))
        self = try parser.document()
    }
}

// MARK: - Looking inside

extension JSON {
    /// The value of the object's member `key`; `nil` if there is none or this is no object.
    ///
    /// - Complexity: O(*m*) in the number of members.
    subscript(key: String) -> JSON? {
        members?.first { $0.key == key }?.value
    }

    /// The number, if this is one.
    var number: Double? {
        if case .number(let value) = self { value } else { nil }
    }

    /// The number, if this is one that is whole and of magnitude at most 2^53, where `Double` is still exact.
    var integer: Int? {
        guard case .number(let value) = self, value.magnitude <= Self.exactIntegerLimit else { return nil }
        return Int(exactly: value)
    }

    /// The string, if this is one.
    var text: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The truth value, if this is one.
    var boolean: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The elements, if this is an array.
    var elements: [JSON]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The members in order, if this is an object.
    var members: [Member]? {
        if case .object(let value) = self { value } else { nil }
    }

    /// What this is, with an article, as error messages name it: "a number", "an object".
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a truth value"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

// MARK: - Writing a document

extension JSON {
    /// The document as text: the same value always gives the same characters, on every machine.
    ///
    /// Whole numbers below 2^53 are written without a fraction, others by the shortest digits that read back as the same
    /// `Double`. JSON has no infinity and no NaN: both are written as `null`.
    ///
    /// - Parameter indented: Two spaces a level and one member a line; an array of scalars stays on its line.
    /// - Complexity: O(*n*) in the length of the result.
    func serialized(indented: Bool = false) -> String {
        var text = ""
        write(to: &text, indented: indented, level: 0)
        return text
    }

    private func write(to text: inout String, indented: Bool, level: Int) {
        switch self {
        case .null:
            text += "null"
        case .bool(let value):
            text += value ? "true" : "false"
        case .number(let value):
            text += Self.literal(value)
        case .string(let value):
            Self.writeQuoted(value, to: &text)
        case .array(let elements):
            let oneLine = !indented || elements.allSatisfy { $0.isScalar }
            let separator = indented && oneLine ? ", " : ","
            text += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { text += separator }
                if !oneLine { Self.writeLineBreak(to: &text, level: level + 1) }
                element.write(to: &text, indented: indented, level: level + 1)
            }
            if !oneLine { Self.writeLineBreak(to: &text, level: level) }
            text += "]"
        case .object(let members):
            let oneLine = !indented || members.isEmpty
            text += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { text += "," }
                if !oneLine { Self.writeLineBreak(to: &text, level: level + 1) }
                Self.writeQuoted(member.key, to: &text)
                text += indented ? ": " : ":"
                member.value.write(to: &text, indented: indented, level: level + 1)
            }
            if !oneLine { Self.writeLineBreak(to: &text, level: level) }
            text += "}"
        }
    }

    private var isScalar: Bool {
        switch self {
        case .null, .bool, .number, .string: true
        case .array, .object: false
        }
    }

    private static func literal(_ value: Double) -> String {
        guard value.isFinite else { return "null" }
        guard value.magnitude < exactIntegerLimit, let whole = Int64(exactly: value) else { return value.description }
        return value == 0 && value.sign == .minus ? "-0" : whole.description
    }

    private static func writeLineBreak(to text: inout String, level: Int) {
        text += "\n"
        text += String(repeating: "  ", count: level)
    }

    private static func writeQuoted(_ value: String, to text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\u{08}": text += "\\b"
            case "\u{0C}": text += "\\f"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{00}"..<"\u{20}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}

// MARK: - Literals

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    init(nilLiteral: ()) { self = .null }

    init(booleanLiteral value: Bool) { self = .bool(value) }

    /// Integers beyond 2^53 are rounded to the nearest `Double`.
    init(integerLiteral value: Int) { self = .number(Double(value)) }

    init(floatLiteral value: Double) { self = .number(value) }

    init(stringLiteral value: String) { self = .string(value) }

    init(arrayLiteral elements: JSON...) { self = .array(elements) }

    /// - Precondition: The keys differ.
    init(dictionaryLiteral elements: (String, JSON)...) {
        let keys = elements.map { $0.0 }
        require(Set(keys).count == keys.count, "a JSON object's keys must differ, but they are \(keys.text)")
        self = .object(elements.map { Member(key: $0.0, value: $0.1) })
    }
}

extension JSON.Member {
    /// A whole number.
    init(_ key: String, _ value: Int) { self.init(key: key, value: .number(Double(value))) }
    /// A number as its shortest decimals say it.
    init(_ key: String, _ value: Float) { self.init(key: key, value: .number(Double("\(value)") ?? Double(value))) }
    /// True or false.
    init(_ key: String, _ value: Bool) { self.init(key: key, value: .bool(value)) }
    /// A text.
    init(_ key: String, _ value: String) { self.init(key: key, value: .string(value)) }
}
