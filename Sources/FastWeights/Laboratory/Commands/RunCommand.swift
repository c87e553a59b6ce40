extension Command {
    /// `fastweights run`.
    static let run = Command(
        name: "run", summary: "Apply a model or a PyTorch state dict to sequences",
        discussion: """
            The input is a safetensors, .pt or .npz file with `input` [T, B, I], or [T, I] of a
            single sequence; if wanted with `h0` [layers·directions, B, H] and, for an
            LSTM, `c0`, both or neither, and with `lengths` [B], whole numbers, where
            sequences end before T. Layers and directions are in PyTorch's order. The
            output has `output` [T, B, H·directions], `h_n` and, of an LSTM, `c_n`. Of a
            model with a head `output` is the head's, logits of classes or numbers:
            [T, B, outputs] a step, [B, outputs] a sequence, with either order of axes.
            Behind a sequence's end it is 0. Fast weights have `A0` and `A_n`
            [layers·directions, B, H, H], and with a schedule `step0` and `step_n`, a
            whole number. An .npy file is the input or the output alone.
            `input` of whole numbers, [T, B] or [T], is tokens.

            With --state the sequences go on from `h_n` and the rest of what a run before
            has written: two halves, one after the other, give what the whole gives, of fast
            weights up to rounding.

            With --precision bfloat16 or float16 the matrices of recurrent and dense layers
            are rounded to 16 bits, and the sequences run one by one, as streams do. A single
            long sequence with H from 64 on takes less time so, where the processor has fused
            multiply-add; sixteen sequences side by side in float32 take less than one by one.
            A bidirectional model has no streams.

            The model is a state dict of nn.RNN, nn.LSTM or nn.GRU, told apart by names and
            shapes, or a file that this library saved. What a state dict has beside it is
            used where --embedding and --head name it; what is not used is said.
            """,
        options: [
            .model(help: "The model: safetensors, or what torch.save wrote"),
            Option(
                name: "input", placeholder: "FILE", kind: .path(), help: "The sequences: safetensors, .pt, .npz or .npy"
            ),
            Option(
                name: "output", placeholder: "FILE", kind: .path(),
                help: "Where the results go: .npz, .npy or, by any other name, safetensors"),
            Option(
                name: "state", placeholder: "FILE", kind: .path(),
                help: "Go on from the state that a run before wrote there, safetensors or .npz"),
            Option(name: "batch-first", kind: .flag, help: "Input and output are [B, T, …]; states stay as they are"),
            Option(
                name: "activation", placeholder: "NAME", kind: .choice(["relu", "tanh"]), defaultValue: "tanh",
                help: "That of a plain RNN, which a state dict does not tell"),
            Option(
                name: "save", placeholder: "FILE", kind: .path(),
                help: "Write the model there too, with its configuration; PyTorch reads that as well"),
            Option(
                name: "prefix", placeholder: "TEXT", kind: .anyText,
                help: "What stands before the names, as encoder.rnn. or nothing, where a file has several modules"),
            Option(
                name: "embedding", placeholder: "NAME", kind: .text,
                help: "The nn.Embedding of the state dict whose rows the module reads; the input then is tokens"),
            Option(
                name: "head", placeholder: "NAME", kind: .text,
                help: "The nn.Linear of the state dict on top of h at every step"),
            Option(
                name: "per-sequence", kind: .flag,
                help: "That --head is on the last h of a sequence alone, of each direction at its own end"),
            Option(
                name: "precision", placeholder: "NAME", kind: .choice(WeightPrecision.allCases.map(\.rawValue)),
                defaultValue: WeightPrecision.float32.rawValue, help: "What is kept of each weight"),
            .threads,
        ],
        examples: [
            "run --model lstm.safetensors --input x.st --output y.st",
            "run --model lstm.st --input x.npy --output y.npy --batch-first",
            "run --model rnn.st --activation relu --input x.st --output y.st",
            "run --model lstm.st --input next.npy --state y.st --output z.st",
            "run --model tagger.st --embedding emb --head fc --input words.npy --output y.npy",
            "run --model lstm.st --input x.npy --output y.npy --precision bfloat16",
        ]
    ) { arguments in
        for name in ["input", "output"] where !arguments.hasValue(name) {
            throw UsageError("expected --\(name) FILE. Run fastweights run --help for all options.")
        }
        try arguments.checkApart(["output", "save"], from: ["model", "input", "state"])
        for name in ["output", "save"] where arguments.hasValue(name) {
            try Files.checkWritable(arguments.text(name))
        }
        let head = arguments.textIfAny("head")
        let perSequence = arguments.flag("per-sequence")
        guard !perSequence || head != nil else {
            throw UsageError("--per-sequence says where a head stands, and needs --head NAME.")
        }
        func say(_ note: String) { Terminal.write("fastweights run: \(note).\n", to: .error) }
        let (input, output) = (arguments.text("input"), arguments.text("output"))
        let model = try AppliedModel(
            path: try arguments.model(), prefix: arguments.textIfAny("prefix"),
            activation: arguments.isGiven("activation") ? Activation(rawValue: arguments.text("activation")) : nil,
            embedding: arguments.textIfAny("embedding"),
            head: head.map { perSequence ? .perSequence($0) : .perStep($0) })
        try arguments.checkApart(["output", "save"], fromModel: model.sources)
        model.notes.forEach(say)
        let file = try TensorFile(path: input)
        let sequences = try SequenceInput(
            file, model.network, batchFirst: arguments.flag("batch-first"),
            goingOnFrom: try arguments.textIfAny("state").map { try TensorFile(path: $0) })
        if !file.unused.isEmpty {
            say("\(input) has tensors that are not used: \(file.unused.joined(separator: ", "))")
        }
        let precision = WeightPrecision(rawValue: arguments.text("precision")) ?? .float32
        if let note = sequences.note(precision) { say(note) }
        let (results, integers) = try sequences.results(threads: arguments.integer("threads"), precision)
        let left = try TensorFile.write(results, integers: integers, to: output)
        if !left.isEmpty {
            say("\(output) holds \(results[0].name) alone, without \(left.joined(separator: ", ")); .npz holds all")
        }
        if let path = arguments.textIfAny("save") { try model.write(to: path) }
        return 0
    }
}

/// An input that does not fit the model: the file, and what was expected and found.
struct SequenceInputError: Error, Equatable, Sendable, CustomStringConvertible {
    let path: String
    let problem: String

    var description: String { "\(path): \(problem)." }
}

/// The sequences of a file, time-major, with their states and lengths.
struct SequenceInput {
    /// The network over such an input.
    private let network: Network
    private let batchFirst: Bool
    /// Whether the file has one sequence without an axis for the batch.
    private let isSingle: Bool
    private let steps: Int
    private let batch: Int
    private let input: Input
    private let state: NetworkState?
    private let lengths: [Int]?

    /// Numbers [T, B, I], or tokens [T, B].
    private enum Input {
        case numbers([Float])
        case tokens([Int])
    }

    /// The sequences of `file`, from the state beside them or from that of the run that wrote `before`.
    ///
    /// Throws `SequenceInputError` for tensors of other shapes than the network needs, tokens that it has not, and lengths
    /// that cannot be. Of a network that does not say that it takes tokens, whole numbers that may be tokens [T, B] or the
    /// numbers [T, I] of one sequence are neither.
    init(
        _ file: TensorFile, _ network: Network, batchFirst: Bool, goingOnFrom before: TensorFile? = nil
    ) throws {
        func fail(_ problem: String) -> SequenceInputError { SequenceInputError(path: file.path, problem: problem) }
        let given = network.definition.input
        let sizes = given.sizes
        let (shape, input) = try Self.input(file, sizes, takesTokens: given.vocabulary != nil)
        let isTokens = if case .tokens = input { true } else { false }
        let own = isTokens ? [] : sizes
        let isSingle = shape.count == own.count + 1
        guard (1...2).contains(shape.count - own.count), shape.suffix(own.count).elementsEqual(own), !shape.contains(0)
        else {
            let order = batchFirst ? "B, T" : "T, B"
            let numbers = sizes.map { "\($0)" }.joined(separator: ", ")
            throw fail(
                "input should have the shape [\(order), \(numbers)] with sizes of at least 1, as the model takes \(sizes.reduce(1, *)) numbers a step, or [\(order)] of whole numbers, tokens; found \(shape) of \(isTokens ? "whole numbers" : "floats")"
            )
        }
        guard let network = network.reading(tokens: isTokens) else {
            throw fail("the model reads \(given.text); found \(isTokens ? "tokens" : "numbers") of the shape \(shape)")
        }
        let definition = network.definition
        let width = sizes.reduce(1, *)
        let (T, B) = isSingle ? (shape[0], 1) : batchFirst ? (shape[1], shape[0]) : (shape[0], shape[1])
        self.network = network
        self.batchFirst = batchFirst && !isSingle
        self.isSingle = isSingle
        (steps, batch) = (T, B)
        self.input =
            switch input {
            case .numbers(let values) where self.batchFirst:
                .numbers(values.exchangingAxes(B, T, width: width))
            case .tokens(let values) where self.batchFirst: .tokens(values.exchangingAxes(B, T, width: 1))
            default: input
            }

        let beside = try InitialState(file, .besideInput, definition).read(batch: B, isSingle: isSingle)
        if let before {
            let stored = InitialState(before, .ofRun, definition)
            func refuse(_ problem: String) -> SequenceInputError {
                SequenceInputError(path: before.path, problem: problem)
            }
            guard beside == nil else {
                throw fail("the input has a state of its own, h0, beside that of \(before.path); give one of the two")
            }
            guard !definition.root.isReversed else {
                throw refuse(
                    "a bidirectional model cannot go on from a run, as its other direction begins at the sequences' ends; run whole sequences"
                )
            }
            guard let last = try stored.read(batch: B, isSingle: isSingle) else {
                throw refuse("expected \(stored.list), which a run into safetensors or .npz writes, found none of them")
            }
            state = last
        } else {
            state = beside
        }
        guard file.contains("lengths") else {
            lengths = nil
            try check(file)
            return
        }
        let (lengthShape, values) = try file.integers("lengths")
        guard lengthShape == (isSingle ? [] : [B]) || lengthShape == [B], values.allSatisfy({ (1...T).contains($0) })
        else {
            throw fail(
                "lengths should be \(B) whole numbers from 1 to \(T), found \(values.prefix(20)) of shape \(lengthShape)"
            )
        }
        guard !definition.hasSchedule || values.allSatisfy({ $0 == values[0] }) else {
            throw fail("the model's fast weights have a schedule, for which all lengths should be the same")
        }
        lengths = values
        try check(file)
    }

    /// The input as the file has it.
    private static func input(
        _ file: TensorFile, _ sizes: [Int], takesTokens: Bool
    ) throws -> (shape: [Int], Input) {
        let (size, axes) = (sizes[sizes.count - 1], sizes.count)
        guard file.contains("input"), try file.isWhole("input") else {
            let array = try file.array("input")
            return (array.shape, .numbers(array.values))
        }
        let (shape, values) = try file.integers("input")
        let isNumbers = shape.last == size && (shape.count == axes + 2 || shape.count == axes + 1 && !takesTokens)
        guard !isNumbers || shape.count == axes + 2 || axes > 1 || !values.allSatisfy({ (0..<size).contains($0) })
        else {
            throw SequenceInputError(
                path: file.path,
                problem:
                    "input of whole numbers \(shape) may be tokens [T, B] or one sequence of numbers [T, \(size)]; save numbers as floats or with three axes"
            )
        }
        return (shape, isNumbers ? .numbers(values.map { Float($0) }) : .tokens(values))
    }

    /// Throws for a token that the network has not; those behind a sequence's end are not read.
    private func check(_ file: TensorFile) throws {
        guard case .tokens(let tokens) = input else { return }
        let count = network.definition.input.vocabulary ?? 0
        for (place, token) in tokens.enumerated() where !(0..<count).contains(token) {
            let (t, b) = (place / batch, place % batch)
            guard t >= lengths?[b] ?? steps else {
                throw SequenceInputError(
                    path: file.path,
                    problem: "tokens should be 0 to \(count - 1), found \(token) at step \(t) of sequence \(b)")
            }
        }
    }

    /// What there is to say about weights of such a precision here; nil where they are what they were asked for.
    func note(_ precision: WeightPrecision) -> String? {
        if precision == .float32 { return nil }
        if network.definition.root.streamMatrices.isEmpty {
            return "the model has no recurrent or dense layer, and no other is rounded to \(precision.rawValue)"
        }
        if StreamMatrix.kept(precision) != precision {
            return "this build rounds weights to \(precision.rawValue) but keeps them in float32: it takes no less time"
        }
        return batch > 4
            ? "with weights in \(precision.rawValue) the \(batch) sequences run one by one; "
                + "in float32 sixteen run side by side"
            : nil
    }

    /// The tensors of the output file, and those of whole numbers. Throws `StreamError` where the network cannot have
    /// weights of half width.
    func results(
        threads: Int, _ precision: WeightPrecision = .float32
    ) throws -> (
        tensors: [(name: String, array: WeightArray)], integers: [(name: String, shape: [Int], values: [Int])]
    ) {
        let half = precision == .float32 ? nil : try NetworkStream.Weights(network, precision: precision)
        let result =
            switch (input, half) {
            case (.numbers(let input), nil):
                network.run(input, steps: steps, batch: batch, lengths: lengths, state: state, threads: threads)
            case (.tokens(let tokens), nil):
                network.run(
                    tokens: tokens, steps: steps, batch: batch, lengths: lengths, state: state, threads: threads)
            case (.numbers(let input), let half?):
                half.run(input, steps: steps, batch: batch, lengths: lengths, state: state, threads: threads)
            case (.tokens(let tokens), let half?):
                half.run(
                    tokens: tokens, steps: steps, batch: batch, lengths: lengths, state: state, threads: threads)
            }
        let batchAxis = isSingle ? [] : [batch]
        let definition = network.definition
        let (isPerStep, width) = (definition.output.isPerStep, definition.output.sizes)
        let isBatchFirst = batchFirst && isPerStep
        let output = WeightArray(
            shape: (isBatchFirst ? [batch, steps] : (isPerStep ? [steps] : []) + batchAxis) + width,
            values: isBatchFirst
                ? result.outputs.exchangingAxes(steps, batch, width: definition.output.count)
                : result.outputs)
        let states = result.state.tensors(definition).map { tensor in
            let sizes = Array(tensor.shape.dropFirst(2))
            return (
                name: tensor.name + "_n",
                array: WeightArray(shape: [tensor.shape[0]] + batchAxis + sizes, values: tensor.values)
            )
        }
        return (
            [(name: "output", array: output)] + states,
            definition.hasSchedule ? [(name: "step_n", shape: [1], values: [result.state.step])] : []
        )
    }
}

extension Array {
    /// [a, b, width] as [b, a, width].
    fileprivate func exchangingAxes(_ a: Int, _ b: Int, width: Int) -> [Element] {
        var result = self
        for i in 0..<a {
            for j in 0..<b {
                for k in 0..<width { result[(j * a + i) * width + k] = self[(i * b + j) * width + k] }
            }
        }
        return result
    }
}
