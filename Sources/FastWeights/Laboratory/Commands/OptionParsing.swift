/// A command line that makes no sense: what was expected, what was found and what to write instead. Exit status 2.
struct UsageError: Error, Equatable, Sendable, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The values of a command's options and positionals, given or default.
///
/// To ask for an option that the command's table does not have, for a value of another kind, or for one that may be
/// absent without asking ``hasValue(_:)`` first, is a mistake in the command and stops the program.
struct ParsedArguments: Sendable {
    /// A value that fits its option's kind.
    enum Value: Equatable, Sendable {
        case flag
        case integer(Int)
        case unsigned(UInt64)
        case number(Double)
        case text(String)
        case list([Value])
    }

    /// The command line after the name of the command, as it was given.
    fileprivate(set) var words: [String] = []
    fileprivate var values: [String: Value] = [:]
    fileprivate var given: Set<String> = []
    fileprivate var positionals: [String: [String]] = [:]
    fileprivate let declared: Set<String>

    fileprivate init(declared: some Sequence<String>) {
        self.declared = Set(declared)
    }

    /// Whether the option was written on the command line.
    func isGiven(_ name: String) -> Bool {
        checkDeclared(name)
        return given.contains(name)
    }

    /// Whether the option was written on the command line or has a default.
    func hasValue(_ name: String) -> Bool {
        checkDeclared(name)
        return values[name] != nil
    }

    /// Whether the flag was given.
    func flag(_ name: String) -> Bool { isGiven(name) }

    /// The value of an option of kind `integer`.
    func integer(_ name: String) -> Int { value(name, \.integer) }

    /// The value of an option of kind `unsigned`.
    func unsigned(_ name: String) -> UInt64 { value(name, \.unsigned) }

    /// The value of an option of kind `number`.
    func number(_ name: String) -> Double { value(name, \.number) }

    /// The value of an option of kind `text`, `path` or `choice`.
    func text(_ name: String) -> String { value(name, \.text) }

    /// The values of an option that is a list of `integer`.
    func integers(_ name: String) -> [Int] { list(name, \.integer) }

    /// The values of an option that is a list of `unsigned`.
    func unsigneds(_ name: String) -> [UInt64] { list(name, \.unsigned) }

    /// The values of an option that is a list of `number`.
    func numbers(_ name: String) -> [Double] { list(name, \.number) }

    /// The values of an option that is a list of `text` or `choice`.
    func texts(_ name: String) -> [String] { list(name, \.text) }

    /// The same, nil where the option has neither a value nor a default.
    func textIfAny(_ name: String) -> String? { hasValue(name) ? text(name) : nil }

    /// The words of the positional `name`: one, or as many as its arity allows.
    func positional(_ name: String) -> [String] {
        guard let words = positionals[name] else { misuse("the command has no positional <\(name)>") }
        return words
    }

    /// Throws where a file that one of the `outputs` names would take the place of one of a model's, at `paths`.
    func checkApart(_ outputs: [String], fromModel paths: [String]) throws(UsageError) {
        for output in outputs where values[output] != nil {
            guard let path = paths.first(where: { Files.isSame(text(output), $0) }) else { continue }
            throw UsageError("--\(output) names \(path), a file of the model, which would be lost. Name another one.")
        }
    }

    /// Throws where a file that one of the `outputs` names would take the place of one that another of them or of the
    /// `others` names. Options that another task has, and not this one, name none.
    func checkApart(_ outputs: [String], from others: [String] = []) throws(UsageError) {
        for (index, output) in outputs.enumerated() where values[output] != nil {
            for other in outputs.dropFirst(index + 1) + others where values[other] != nil {
                guard !Files.isSame(text(output), text(other)) else {
                    throw UsageError(
                        "--\(output) and --\(other) name the same file, \(text(other)), which would be lost. Name another one."
                    )
                }
            }
        }
    }

    private func checkDeclared(_ name: String) {
        require(declared.contains(name), "the command has no option --\(name)")
    }

    private func value<T>(_ name: String, _ content: (Value) -> T?) -> T {
        checkDeclared(name)
        guard let value = values[name] else { misuse("--\(name) has no value and no default") }
        guard let content = content(value) else { misuse("--\(name) has the value \(value)") }
        return content
    }

    private func list<T>(_ name: String, _ content: (Value) -> T?) -> [T] {
        value(name) { $0.elements }.map { element in
            guard let content = content(element) else { misuse("--\(name) has the element \(element)") }
            return content
        }
    }
}

extension ParsedArguments.Value {
    fileprivate var integer: Int? { if case .integer(let value) = self { value } else { nil } }
    fileprivate var unsigned: UInt64? { if case .unsigned(let value) = self { value } else { nil } }
    fileprivate var number: Double? { if case .number(let value) = self { value } else { nil } }
    fileprivate var text: String? { if case .text(let value) = self { value } else { nil } }
    fileprivate var elements: [Self]? { if case .list(let values) = self { values } else { nil } }
}

// MARK: - One command line

extension Command {
    /// Reads the words that follow the command's name.
    ///
    /// An option's value is the next word or stands behind "="; a word that begins with a dash and is no number is taken
    /// as a value only behind "=". After `--` every word is a positional. An option given twice has its last value.
    func parse(_ words: [String]) throws(UsageError) -> ParsedArguments {
        let options = options(of: words)
        var parsed = ParsedArguments(declared: options.map(\.name))
        parsed.words = words
        for option in options {
            guard let text = option.defaultValue else { continue }
            parsed.values[option.name] = try option.value(of: text)
        }
        var free: [String] = []
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--" {
                free += rest
                break
            } else if word.hasPrefix("-"), word != "-", !Self.isNegativeNumber(word) {
                let (option, attached) = try option(in: word, of: options)
                parsed.values[option.name] = try option.value(attached: attached, following: &rest)
                parsed.given.insert(option.name)
            } else {
                free.append(word)
            }
        }
        parsed.positionals = try assign(free)
        return parsed
    }

    /// Whether the words ask for help instead of work.
    static func asksForHelp(_ words: [String]) -> Bool {
        words.prefix { $0 != "--" }.contains { $0 == "--help" || $0 == "-h" }
    }

    /// The option `word` names, and what stands behind its "=".
    private func option(in word: String, of options: [Option]) throws(UsageError) -> (Option, attached: String?) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        if let option = options.first(where: { "--\($0.name)" == parts[0] }) {
            return (option, parts.count > 1 ? parts[1] : nil)
        }
        let bare = String(parts[0].drop { $0 == "-" })
        let others = tasks.filter { $0.options.contains { "--\($0.name)" == parts[0] } }.map(\.name)
        guard others.isEmpty else {
            throw UsageError("\(parts[0]) is for --task \(others.joined(separator: " or ")) alone.")
        }
        let hint = NearestName.nearest(to: bare, among: options.map(\.name) + ["help"]).map {
            "; did you mean --\($0)?"
        }
        throw UsageError("unknown option \(parts[0])\(hint ?? ".") Run fastweights \(name) --help for all options.")
    }

    /// Deals the free words out to the positionals in order.
    private func assign(_ words: [String]) throws(UsageError) -> [String: [String]] {
        var rest = words[...]
        var assigned: [String: [String]] = [:]
        for positional in positionals {
            let count =
                switch positional.arity {
                case .one, .optional: min(1, rest.count)
                case .oneOrMore, .any: rest.count
                }
            if count == 0, positional.arity == .one || positional.arity == .oneOrMore {
                throw UsageError("expected <\(positional.name)>: \(positional.help). Usage: \(usage)")
            }
            assigned[positional.name] = Array(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        if let word = rest.first { throw UsageError("unexpected argument \"\(word)\". Usage: \(usage)") }
        return assigned
    }

    /// Whether the word begins as a negative number does, or a list of such.
    fileprivate static func isNegativeNumber(_ word: String) -> Bool {
        guard word.first == "-", let next = word.dropFirst().first else { return false }
        return next == "." || ("0"..."9").contains(next)
    }
}

// MARK: - One option

extension Option {
    /// The option's value, attached or taken from the words that follow.
    fileprivate func value(
        attached: String?, following rest: inout ArraySlice<String>
    ) throws(UsageError) -> ParsedArguments.Value {
        if case .flag = kind {
            guard let attached else { return .flag }
            throw UsageError("--\(name) takes no value, but found \"\(attached)\"; write --\(name) alone.")
        }
        if let attached { return try value(of: attached) }
        guard let next = rest.first, !next.hasPrefix("-") || next == "-" || Command.isNegativeNumber(next) else {
            throw UsageError("--\(name) needs a value: \(kind.expectation), for example \(example).")
        }
        rest.removeFirst()
        return try value(of: next)
    }

    /// The value `text` stands for.
    func value(of text: String) throws(UsageError) -> ParsedArguments.Value {
        if let value = kind.value(of: text) { return value }
        throw UsageError("--\(name) expects \(kind.expectation), but found \"\(text)\"; for example \(example).")
    }

    private var example: String {
        // Of a form an example says more than what is taken without one.
        if case .form = kind { return "--\(name) \(kind.example)" }
        return "--\(name) \(defaultValue ?? kind.example)"
    }
}

extension Option.Kind {
    /// The value `text` stands for; `nil` if it is malformed or out of range.
    fileprivate func value(of text: String) -> ParsedArguments.Value? {
        switch self {
        case .flag:
            return nil
        case .integer(let range):
            return Int(text).flatMap { range.contains($0) ? .integer($0) : nil }
        case .unsigned:
            return UInt64(text).map { .unsigned($0) }
        case .number(let range):
            // Double also reads "nan", "infinity" and hexadecimal digits.
            guard text.allSatisfy({ "0123456789+-.eE".contains($0) }), let value = Double(text) else { return nil }
            return value.isFinite && range.contains(value) ? .number(value) : nil
        case .text:
            return text.isEmpty ? nil : .text(text)
        case .anyText:
            return .text(text)
        case .path(let orOutput):
            return text.isEmpty || text == "-" && !orOutput ? nil : .text(text)
        case .choice(let choices):
            return choices.contains(text) ? .text(text) : nil
        case .form(_, _, let fits):
            return fits(text) ? .text(text) : nil
        case .list(let element):
            let parts = text.split(separator: ",", omittingEmptySubsequences: false)
            let values = parts.compactMap { element.value(of: String($0)) }
            return values.count == parts.count ? .list(values) : nil
        }
    }
}
