/// One verb of the command line tool: what it takes, what it does.
struct Command: Sendable {
    /// The verb, in lower case.
    var name: String
    /// One line without a full stop.
    var summary: String
    /// More to know, shown below the summary by `--help`; may have several lines.
    var discussion = ""
    var positionals: [Positional] = []
    var options: [Option] = []
    /// Kinds of work that the option `--task` chooses from, the first unless it is given; none of most commands.
    var tasks: [Task] = []
    /// Command lines to copy, without the name of the tool.
    var examples: [String] = []
    /// Does the work. Returns the exit status, 0 if all went well and 1 if the work was done and found a fault; an error
    /// it throws is printed and ends the tool with 1, or with 2 if it is a ``UsageError``.
    var run: @Sendable (ParsedArguments) throws -> Int32
}

extension Command {
    /// A kind of work of a command, with the options that it has beside the command's own.
    struct Task: Sendable {
        /// The value of `--task`.
        var name: String
        /// More to know of this task, as the command's.
        var discussion = ""
        var options: [Option]
        /// Command lines to copy, as the command's.
        var examples: [String] = []
    }

    /// The option that chooses the task.
    var taskOption: Option? {
        guard let first = tasks.first else { return nil }
        return Option(
            name: "task", placeholder: "NAME", kind: .choice(tasks.map(\.name)), defaultValue: first.name,
            help: "The task")
    }

    /// The value of the last `--task` among the words of a command line, as it stands there.
    func namedTask(_ words: [String]) -> String? {
        let words = Array(words.prefix { $0 != "--" })
        return words.indices.compactMap { i in
            words[i].hasPrefix("--task=")
                ? String(words[i].dropFirst("--task=".count))
                : words[i] == "--task" && i + 1 < words.count ? words[i + 1] : nil
        }.last
    }

    /// The options of a command line: the command's, and those of the task that it names.
    func options(of words: [String]) -> [Option] {
        let named = namedTask(words)
        let task = tasks.first { $0.name == named } ?? tasks.first
        return ownOptions(beside: task) + (task?.options ?? [])
    }

    /// The command's options, but for those in whose place a task has one of the same name.
    private func ownOptions(beside task: Task?) -> [Option] {
        let replaced = Set(task?.options.map(\.name) ?? [])
        return (taskOption.map { [$0] } ?? []) + options.filter { !replaced.contains($0.name) }
    }
}

/// An argument known by its place.
struct Positional: Sendable {
    /// How many words of the command line it takes. Only the last positional of a command may take several.
    enum Arity: Sendable {
        case one, optional, oneOrMore, any
    }

    /// Shown as `<name>`.
    var name: String
    var arity = Arity.one
    var help: String
}

/// An argument known by its name, `--name value` or `--name=value`.
struct Option: Sendable {
    /// What an option's value may be.
    indirect enum Kind: Sendable {
        /// No value: given or not.
        case flag
        case integer(ClosedRange<Int>)
        /// A whole number from 0 to 2^64 - 1.
        case unsigned
        /// A finite number. The lower bound `Double.leastNonzeroMagnitude` stands for "above 0".
        case number(ClosedRange<Double>)
        case text
        /// Text that may be empty.
        case anyText
        /// A file or folder; "-" only where that is standard output, so that no file of this name is made by mistake.
        case path(orOutput: Bool = false)
        case choice([String])
        /// Text of a form: how an error message names it, a value that fits, and whether another one does.
        case form(String, example: String, fits: @Sendable (String) -> Bool)
        /// One or more values separated by commas.
        case list(of: Kind)
    }

    /// Without the dashes.
    var name: String
    /// The value's name in the help, as in `--hidden <N>`; a flag has none.
    var placeholder = ""
    var kind: Kind
    /// The value if the option is not given, as the user would write it; `nil` if there is none. A flag has none.
    var defaultValue: String?
    /// What the help shows as the default, where the value itself depends on the machine.
    var defaultShown: String?
    var help: String
}

// MARK: - Options many commands share

extension Option {
    /// The model that a command uses; `train` writes to the same file unless it is told another.
    static func model(help: String) -> Option {
        Option(name: "model", placeholder: "FILE", kind: .path(), defaultValue: "model.safetensors", help: help)
    }

    static let seed = Option(
        name: "seed", placeholder: "N", kind: .unsigned, defaultValue: "1",
        help: "Seed of all random numbers; the same seed gives the same bits")

    static let threads = Option(
        name: "threads", placeholder: "N", kind: .integer(1...1024), defaultValue: "\(min(Machine.coreCount, 1024))",
        defaultShown: "number of cores", help: "Threads to work with; results do not depend on it")
}

extension ParsedArguments {
    /// The path of `Option.model`. Throws where none is given and the file that is meant by that is not there.
    func model() throws(UsageError) -> String {
        let path = text("model")
        guard isGiven("model") || Files.exists(path) else {
            throw UsageError("expected --model FILE, as there is no \(path) here.")
        }
        return path
    }
}

// MARK: - What a value may be, in words

extension Option.Kind {
    /// The expected value as an error message names it.
    var expectation: String {
        switch self {
        case .flag: "no value"
        case .integer(let range): "a whole number\(Self.bounds(range, least: .min, greatest: .max))"
        case .unsigned: "a whole number from 0 to \(UInt64.max)"
        case .number(let range) where range.lowerBound == .leastNonzeroMagnitude:
            range.upperBound == .greatestFiniteMagnitude
                ? "a number above 0" : "a number above 0, at most \(Self.plain(range.upperBound))"
        case .number(let range):
            "a number"
                + Self.bounds(
                    range, least: -.greatestFiniteMagnitude, greatest: .greatestFiniteMagnitude, show: Self.plain)
        case .text: "some text"
        case .anyText: "a text"
        case .path(orOutput: false): "a path, ./- for a file called -"
        case .path(orOutput: true): "a path, or - for standard output"
        case .choice(let choices): choices.count == 1 ? choices[0] : "one of \(choices.joined(separator: ", "))"
        case .form(let form, _, _): form
        case .list(let element): "values separated by commas, each \(element.expectation)"
        }
    }

    /// A value that is allowed, for error messages about options without a default.
    var example: String {
        switch self {
        case .flag: ""
        case .integer(let range): "\(max(range.lowerBound, min(1, range.upperBound)))"
        case .unsigned: "1"
        case .number(let range): Self.plain(range.contains(0.5) ? 0.5 : range.upperBound)
        case .text, .anyText: "name"
        case .path: "FILE"
        case .choice(let choices): choices.first ?? ""
        case .form(_, let example, _): example
        case .list(.choice(let choices)): choices.prefix(2).joined(separator: ",")
        case .list(let element): element.example
        }
    }

    /// " from 1 to 3", " of at least 1" and so on; nothing where a type's own bound is the only one.
    private static func bounds<Value>(
        _ range: ClosedRange<Value>, least: Value, greatest: Value, show: (Value) -> String = { "\($0)" }
    ) -> String {
        switch (range.lowerBound > least, range.upperBound < greatest) {
        case (false, false): ""
        case (true, false): " of at least \(show(range.lowerBound))"
        case (false, true): " of at most \(show(range.upperBound))"
        case (true, true): " from \(show(range.lowerBound)) to \(show(range.upperBound))"
        }
    }

    /// A number as a user would write it: 1 rather than 1.0.
    private static func plain(_ value: Double) -> String {
        JSON.number(value).serialized()
    }
}

// MARK: - Help

extension Command {
    /// The text `--help` prints, at most `width` columns wide; the same on every machine. Of a command with several tasks
    /// that of the one which the words of the command line name, or of all of them.
    func help(_ words: [String] = [], width: Int = HelpTable.width) -> String {
        let width = min(max(width, 20), HelpTable.width)
        func filled(_ text: String) -> String { LineBreaks.paragraphs(text, width: width) + "\n" }
        func table(_ title: String, _ options: [Option], _ others: [(String, String)] = []) -> String {
            "\n\(title):\n" + HelpTable.text(options.map { ($0.signature, $0.helpWithDefault) } + others, width: width)
        }
        let named = words.isEmpty ? nil : namedTask(words)
        let shown = tasks.filter { named == nil || $0.name == named }
        var text = filled("fastweights \(name): \(summary)")
        for discussion in [discussion] + shown.map(\.discussion) where !discussion.isEmpty {
            text += "\n" + filled(discussion)
        }
        text += "\n" + filled("Usage: \(usage)")
        if !positionals.isEmpty {
            text += "\nArguments:\n" + HelpTable.text(positionals.map { ("<\($0.name)>", $0.help) }, width: width)
        }
        text += table("Options", ownOptions(beside: named == nil ? nil : shown.first), [HelpTable.helpRow])
        for task in shown { text += table("Options of --task \(task.name)", task.options) }
        let examples = shown.flatMap(\.examples) + examples
        if !examples.isEmpty {
            text += "\nExamples:\n" + examples.map { HelpTable.example("fastweights \($0)", width: width) }.joined()
        }
        return text
    }

    /// The command line in brief.
    var usage: String {
        let words = positionals.map { positional in
            switch positional.arity {
            case .one: "<\(positional.name)>"
            case .optional: "[<\(positional.name)>]"
            case .oneOrMore: "<\(positional.name)>..."
            case .any: "[<\(positional.name)>...]"
            }
        }
        return (["fastweights", name, "[options]"] + words).joined(separator: " ")
    }
}

extension Option {
    /// The option with its placeholder.
    var signature: String {
        if case .flag = kind { "--\(name)" } else { "--\(name) <\(placeholder)>" }
    }

    fileprivate var helpWithDefault: String {
        var text = help
        if case .choice(let choices) = kind { text += ": \(choices.joined(separator: ", "))" }
        if case .form(let form, _, _) = kind { text += ": \(form)" }
        if case .list(.choice(let choices)) = kind { text += ": \(choices.joined(separator: ", "))" }
        if let shown = defaultShown ?? defaultValue { text += " (default: \(shown))" }
        return text
    }
}

/// Two columns of text, the right one wrapped.
enum HelpTable {
    static let helpRow = ("--help, -h", "Show this help")
    /// Columns of the text in a place that has them.
    static let width = 80

    static func text(_ rows: [(String, String)], width: Int = width) -> String {
        let longest = rows.map(\.0.count).filter { $0 <= 24 }.max() ?? 0
        // In a narrow place the explanations stand below.
        let left = width - longest < 36 ? 6 : 2 + longest + 2
        var text = ""
        for (term, explanation) in rows {
            var line = "  " + term
            if line.count > left - 2 {
                text += line + "\n"
                line = ""
            }
            for part in LineBreaks.lines(explanation, width: width - left) {
                text += line + String(repeating: " ", count: left - line.count) + part + "\n"
                line = ""
            }
        }
        return text
    }

    /// A command line, broken before options so that a shell still takes it.
    static func example(_ words: String, width: Int) -> String {
        var lines: [String] = []
        var part = ""
        func end() {
            if let last = lines.last, 2 + last.count + 1 + part.count + 2 <= width {
                lines[lines.count - 1] = "\(last) \(part)"
            } else {
                lines.append(lines.isEmpty ? part : "  \(part)")
            }
        }
        for word in words.split(separator: " ") {
            if word.hasPrefix("--") {
                end()
                part = ""
            }
            part += (part.isEmpty ? "" : " ") + word
        }
        end()
        return "  " + lines.joined(separator: " \\\n  ") + "\n"
    }
}
