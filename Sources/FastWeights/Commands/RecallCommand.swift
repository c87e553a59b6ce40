extension Command {
    /// `fastweights recall`.
    static let recall = Command(
        name: "recall", summary: "Answer one sequence and show what was attended to",
        discussion: """
            Each row of the picture is a step of reading, each square how strongly an
            earlier step comes back in it: η λ^(t-τ) [h(τ)·h_s(t)], the scalar in front of
            h(τ) in equation (4) of Ba et al. 2016.
            """,
        positionals: [
            Positional(
                name: "sequence", arity: .optional,
                help: "Letter-digit pairs, ??, a letter: c9k8j3f1??c; without it one drawn with --seed")
        ],
        options: [
            Option(
                name: "model", placeholder: "FILE", kind: .text, defaultValue: "model.safetensors",
                help: "A file written by fastweights train"),
            Option(name: "svg", placeholder: "FILE", kind: .text, help: "Write the picture there too"),
            .seed, .threads,
        ],
        examples: ["recall \"c9k8j3f1??c\" --model model.safetensors --svg recall.svg"]
    ) { arguments in
        try arguments.checkApart(["svg"], from: ["model"])
        let file = try ModelFile(path: arguments.text("model"))
        let drawn = try file.task.generate(counts: [1], seed: arguments.unsigned("seed"))[0].tokens
        let text = arguments.positional("sequence").first ?? AssociativeRetrieval.text(drawn)
        let (tokens, answer, pairs) = try AssociativeRetrieval.parse(text)
        if pairs != file.task.pairs {
            Terminal.write(
                "fastweights recall: the model was trained on \(file.task.pairs) pairs, this sequence has \(pairs)\n",
                to: .error)
        }
        let reading = file.model.read(tokens)
        let map = HeatMap(
            sequence: Array(AssociativeRetrieval.text(tokens)),
            weights: reading.attention ?? tokens.map { _ in tokens.map { _ in 0 } },
            probabilities: reading.probabilities.map { Double($0) }, correct: answer.map { Int($0) })
        if arguments.hasValue("svg") {
            guard reading.attention != nil else {
                throw UsageError("--svg needs a model with fast weights, found \(arguments.text("model")) without.")
            }
            try Files.writeAtomically(Array(map.svg(prefix: "recall").utf8), to: arguments.text("svg"))
        }
        if reading.attention == nil {
            Terminal.write(answerTable(map))
        } else {
            let colours: HeatMap.TerminalColors =
                !Terminal.allowsColour(.output) ? .none : Terminal.hasTrueColour ? .trueColor : .indexed256
            Terminal.write(map.terminal(colours))
        }
        return 0
    }

    /// The answer of a model that has no fast weights to show.
    private static func answerTable(_ map: HeatMap) -> String {
        var table = TextTable(["digit", "probability"], alignments: [.left, .right])
        for (digit, probability) in map.probabilities.enumerated() {
            table.add(["\(digit)", FixedPoint.percent(probability, decimals: 1)])
        }
        return "\(String(map.sequence)) → \(map.answerText)\n\n" + table.plain()
    }
}
