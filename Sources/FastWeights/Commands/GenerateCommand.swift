extension Command {
    /// `fastweights generate`.
    static let generate = Command(
        name: "generate", summary: "Write a text with a model of `train --task text`",
        discussion: """
            Writes as it goes: after the prompt one character at a time, drawn from
            softmax(logits / temperature). Temperature 0 takes the most probable one.
            """,
        options: [
            Option(name: "model", placeholder: "FILE", kind: .text, help: "A file written by train --task text"),
            Option(
                name: "prompt", placeholder: "TEXT", kind: .text, defaultValue: "\n", defaultShown: "a line's end",
                help: "What the text begins with"),
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
        guard arguments.hasValue("model") else {
            throw UsageError("expected --model FILE. Run fastweights generate --help for all options.")
        }
        let model = try TextModel(path: arguments.text("model"))
        let prompt = arguments.text("prompt")
        let isWhole = arguments.isGiven("prompt") || (try? model.vocabulary.tokens(Array(prompt.utf8))) != nil
        let writer = try model.writer(
            prompt: isWhole ? prompt : "", temperature: Float(arguments.number("temperature")),
            seed: arguments.unsigned("seed"))
        Interruption.install()
        if arguments.isGiven("prompt") { Terminal.write(prompt) }
        for _ in 0..<arguments.integer("length") where !Interruption.requested {
            let text = writer.next()
            if !text.isEmpty { Terminal.write(text) }
        }
        Terminal.write("\n")
        return Interruption.requested ? 130 : 0
    }
}
