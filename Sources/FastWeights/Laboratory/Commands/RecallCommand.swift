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
            .model(help: "A file written by fastweights train"),
            Option(
                name: "svg", placeholder: "FILE", kind: .path(orOutput: true),
                help: "Write the picture there too, or to standard output, -, in place of the answer"),
            .seed,
        ],
        examples: ["recall \"c9k8j3f1??c\" --model model.safetensors --svg recall.svg"]
    ) { arguments in
        try arguments.checkApart(["svg"], from: ["model"])
        let path = try arguments.model()
        let file = try ModelFile(path: path)
        let drawn = try file.task.generate(counts: [1], seed: arguments.unsigned("seed"))[0].tokens
        let given = arguments.positional("sequence").first
        guard given == nil || !arguments.isGiven("seed") else {
            throw UsageError("--seed draws a sequence, but \(given ?? "") is given; leave one of them out.")
        }
        let text = given ?? AssociativeRetrieval.text(drawn)
        let (tokens, answer, pairs) = try AssociativeRetrieval.parse(text)
        for remark in remarks(text, answer: answer, pairs: pairs, trained: file.task.pairs) {
            Terminal.write("fastweights recall: \(remark)\n", to: .error)
        }
        let reading = file.model.read(tokens)
        let map = HeatMap(
            sequence: Array(AssociativeRetrieval.text(tokens)),
            weights: reading.attention ?? tokens.map { _ in tokens.map { _ in 0 } },
            probabilities: reading.probabilities.map { Double($0) }, correct: answer.map { Int($0) })
        if let svg = arguments.textIfAny("svg") {
            guard reading.attention != nil else {
                throw UsageError("--svg needs a model with fast weights, found \(path) without.")
            }
            try Terminal.write(map.svg(prefix: "recall"), toPath: svg)
            if svg == Terminal.outputPath { return 0 }
        }
        if reading.attention == nil {
            Terminal.write(answerTable(map))
        } else {
            let colors: HeatMap.TerminalColors =
                !Terminal.allowsColor(.output) ? .none : Terminal.hasTrueColor ? .trueColor : .indexed256
            Terminal.write(map.terminal(colors))
        }
        return 0
    }

    /// What a reader of the answer should know: that the sequence is not as those the model has learned from.
    static func remarks(_ sequence: String, answer: UInt8?, pairs: Int, trained: Int) -> [String] {
        var remarks: [String] = []
        if pairs != trained {
            remarks.append("the model was trained on \(trained) pairs, this sequence has \(pairs)")
        }
        if answer == nil, let letter = sequence.last {
            remarks.append("the sequence asks for \(letter), which is not among its letters: no answer is right")
        }
        let asked = sequence.dropLast(3).enumerated().filter { $0.offset % 2 == 0 && $0.element == sequence.last }
        if asked.count > 1 {
            remarks.append(
                "\(asked[0].element) stands \(asked.count) times; the digit behind the last is taken as right")
        }
        return remarks
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
