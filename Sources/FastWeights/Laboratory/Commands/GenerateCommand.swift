extension Command {
    /// `fastweights generate`.
    static let generate = Command(
        name: "generate", summary: "Write a text with a model of `train --task text`",
        discussion: """
            Writes as it goes: after the prompt one character at a time, drawn from
            softmax(logits / temperature). Temperature 0 takes the most probable one. A model
            of bytes writes bytes, as they were in the text that it has learned.
            """,
        options: [
            .model(help: "A file written by train --task text"),
            Option(
                name: "prompt", placeholder: "TEXT", kind: .text, defaultShown: "a line's end",
                help: "What the text begins with"),
            Option(
                name: "prompt-file", placeholder: "FILE", kind: .path(),
                help: "A file with what the text begins with, byte for byte"),
            Option(
                name: "temperature", placeholder: "X", kind: .number(0...100), defaultValue: "1",
                help: "Below 1 more probable characters, above 1 more surprising ones"),
            Option(
                name: "length", placeholder: "N", kind: .integer(1...1_000_000_000), defaultValue: "500",
                help: "Characters to write after the prompt; bytes of a model of bytes"),
            .seed,
        ],
        examples: ["generate --model text.safetensors", "generate --model text.safetensors --prompt \"ROMEO:\""]
    ) { arguments in
        let model = try TextModel(path: try arguments.model())
        let prompt = try Self.prompt(arguments, model.vocabulary)
        let writer = try model.writer(
            prompt: prompt ?? Self.lineEnd(model.vocabulary), temperature: Float(arguments.number("temperature")),
            seed: arguments.unsigned("seed"))
        Interruption.install()
        if let prompt { Terminal.write(prompt) }
        for _ in 0..<arguments.integer("length") where !Interruption.requested { Terminal.write(writer.nextBytes()) }
        // Bytes come out as they are, but a terminal's prompt begins a line.
        if model.vocabulary.characters != nil || Terminal.isInteractive(.output) { Terminal.write("\n") }
        return Interruption.requested ? 130 : 0
    }

    /// What the user has the text begin with, nil where that is left open.
    private static func prompt(_ arguments: ParsedArguments, _ vocabulary: TextVocabulary) throws -> [UInt8]? {
        if arguments.hasValue("prompt-file") {
            guard !arguments.isGiven("prompt") else {
                throw UsageError("--prompt and --prompt-file both say what the text begins with; give one of them.")
            }
            return try Files.read(arguments.text("prompt-file"))
        }
        guard arguments.isGiven("prompt") else { return nil }
        let prompt = arguments.text("prompt")
        // Words of a command line that are not UTF-8 come with this character in the place of their bytes.
        guard vocabulary.characters != nil || !prompt.contains("\u{FFFD}") else {
            throw UsageError("--prompt is not UTF-8, which would change its bytes; give them with --prompt-file FILE.")
        }
        return Array(prompt.utf8)
    }

    /// A line's end, or nothing where the text that was learned had none.
    private static func lineEnd(_ vocabulary: TextVocabulary) -> [UInt8] {
        let text = Array("\n".utf8)
        return (try? vocabulary.tokens(text)) == nil ? [] : text
    }
}
