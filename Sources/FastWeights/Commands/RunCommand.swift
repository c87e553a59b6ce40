extension Command {
    /// `fastweights run`.
    static let run = Command(
        name: "run", summary: "Apply a model or a PyTorch state dict to sequences",
        discussion: """
            The input is a safetensors or .npz file with `input` [T, B, I], or [T, I] of a
            single sequence; if wanted with `h0` [layers·directions, B, H] and, for an
            LSTM, `c0`, both or neither, and with `lengths` [B], whole numbers, where
            sequences end before T. Layers and directions are in PyTorch's order. The
            output has `output` [T, B, H·directions], `h_n` and, of an LSTM, `c_n`. Of a
            model with a head `output` is the head's, logits of classes or numbers:
            [T, B, outputs] a step, [B, outputs] a sequence, with either order of axes.
            Behind a sequence's end it is 0. Fast weights have `A0` and `A_n`
            [layers·directions, B, H, H], and with a schedule `step0` and `step_n`, a
            whole number. An .npy file is the input or the output alone.

            With --state the sequences go on from `h_n` and the rest of what a run before
            has written: two halves, one after the other, give what the whole gives.

            The model is a state dict of nn.RNN, nn.LSTM or nn.GRU, told apart by names and
            shapes, or a file that this library saved.
            """,
        options: [
            Option(name: "model", placeholder: "FILE", kind: .text, help: "The model, safetensors"),
            Option(name: "input", placeholder: "FILE", kind: .text, help: "The sequences: safetensors, .npz or .npy"),
            Option(
                name: "output", placeholder: "FILE", kind: .text,
                help: "Where the results go: .npz, .npy or, by any other name, safetensors"),
            Option(
                name: "state", placeholder: "FILE", kind: .text,
                help: "Go on from the state that a run before wrote there, safetensors or .npz"),
            Option(name: "batch-first", kind: .flag, help: "Input and output are [B, T, …]; states stay as they are"),
            Option(
                name: "activation", placeholder: "NAME", kind: .choice(["relu", "tanh"]), defaultValue: "tanh",
                help: "That of a plain RNN, which a state dict does not tell"),
            Option(
                name: "save", placeholder: "FILE", kind: .text,
                help: "Write the model there too, with its configuration; PyTorch reads that as well"),
            Option(
                name: "prefix", placeholder: "TEXT", kind: .text,
                help: "What stands before the names, as encoder.rnn., where a file has several modules"),
            .seed, .threads,
        ],
        examples: [
            "run --model lstm.safetensors --input x.st --output y.st",
            "run --model lstm.st --input x.npy --output y.npy --batch-first",
            "run --model rnn.st --activation relu --input x.st --output y.st",
            "run --model lstm.st --input next.npy --state y.st --output z.st",
        ]
    ) { arguments in
        for name in ["model", "input", "output"] where !arguments.hasValue(name) {
            throw UsageError("expected --\(name) FILE. Run fastweights run --help for all options.")
        }
        try arguments.checkApart(["output", "save"], from: ["model", "input"])
        for name in ["output", "save"] where arguments.hasValue(name) {
            try Files.checkWritable(arguments.text(name))
        }
        let network = try RecurrentNetwork(
            path: arguments.text("model"), prefix: arguments.hasValue("prefix") ? arguments.text("prefix") : nil,
            activation: Activation(rawValue: arguments.text("activation")) ?? .tanh)
        let sequences = try SequenceInput(
            try TensorFile(path: arguments.text("input")), network.configuration,
            batchFirst: arguments.flag("batch-first"),
            goingOnFrom: arguments.hasValue("state") ? try TensorFile(path: arguments.text("state")) : nil)
        let (tensors, integers) = sequences.results(network, threads: arguments.integer("threads"))
        try TensorFile.write(tensors, integers: integers, to: arguments.text("output"))
        if arguments.hasValue("save") { try network.write(to: arguments.text("save")) }
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
    private let configuration: RecurrentNetworkConfiguration
    private let batchFirst: Bool
    /// Whether the file has one sequence without an axis for the batch.
    private let isSingle: Bool
    private let steps: Int
    private let batch: Int
    private let input: [Float]
    private let state: CellState?
    private let lengths: [Int]?

    /// The sequences of `file`, from the state beside them or from that of the run that wrote `before`.
    ///
    /// Throws `SequenceInputError` for tensors of other shapes than the network needs, and lengths that cannot be.
    init(
        _ file: TensorFile, _ configuration: RecurrentNetworkConfiguration, batchFirst: Bool,
        goingOnFrom before: TensorFile?
    ) throws {
        func fail(_ problem: String) -> SequenceInputError { SequenceInputError(path: file.path, problem: problem) }
        let array = try file.array("input")
        let shape = array.shape
        let isSingle = shape.count == 2
        guard (2...3).contains(shape.count), shape.last == configuration.input, !shape.contains(0) else {
            throw fail(
                "input should have the shape \(batchFirst ? "[B, T, \(configuration.input)]" : "[T, B, \(configuration.input)]") with sizes of at least 1, as the model takes \(configuration.input) numbers a step; found \(shape)"
            )
        }
        let (T, B) = isSingle ? (shape[0], 1) : batchFirst ? (shape[1], shape[0]) : (shape[0], shape[1])
        self.configuration = configuration
        self.batchFirst = batchFirst && !isSingle
        self.isSingle = isSingle
        (steps, batch) = (T, B)
        input = self.batchFirst ? array.exchangingFirstAxes.values : array.values

        let own = try InitialState(file, .besideInput, configuration).read(batch: B, isSingle: isSingle)
        if let before {
            let stored = InitialState(before, .ofRun, configuration)
            func refuse(_ problem: String) -> SequenceInputError {
                SequenceInputError(path: before.path, problem: problem)
            }
            guard own == nil else {
                throw refuse("the input has a state of its own, \(file.path) has h0; give one of the two")
            }
            guard !configuration.bidirectional else {
                throw refuse(
                    "a bidirectional model cannot go on from a run, as its other direction begins at the sequences' ends; run whole sequences"
                )
            }
            guard let last = try stored.read(batch: B, isSingle: isSingle) else {
                throw refuse("expected \(stored.list), which a run into safetensors or .npz writes, found none of them")
            }
            state = last
        } else {
            state = own
        }
        guard file.contains("lengths") else {
            lengths = nil
            return
        }
        let (lengthShape, values) = try file.integers("lengths")
        guard lengthShape == (isSingle ? [] : [B]) || lengthShape == [B], values.allSatisfy({ (1...T).contains($0) })
        else {
            throw fail(
                "lengths should be \(B) whole numbers from 1 to \(T), found \(values.prefix(20)) of shape \(lengthShape)"
            )
        }
        guard !configuration.hasSchedule || values.allSatisfy({ $0 == values[0] }) else {
            throw fail("the model's fast weights have a schedule, for which all lengths should be the same")
        }
        lengths = values
    }

    /// The tensors of the output file, and those of whole numbers.
    func results(
        _ network: RecurrentNetwork, threads: Int
    ) -> (tensors: [(name: String, array: WeightArray)], integers: [(name: String, shape: [Int], values: [Int])]) {
        let result = network.run(
            input, steps: steps, batch: batch, lengths: lengths, state: state, threads: threads)
        let batchAxis = isSingle ? [] : [batch]
        let isPerStep = configuration.head?.isPerStep ?? true
        let output = WeightArray(
            shape: (isPerStep ? [steps] : []) + batchAxis + [configuration.output], values: result.outputs)
        let cells = configuration.layers * configuration.directions
        let states = zip(configuration.stateParts, [result.state.hidden, result.state.memory]).map { part, values in
            (name: part.letter + "_n", array: WeightArray(shape: [cells] + batchAxis + part.sizes, values: values))
        }
        return (
            [(name: "output", array: batchFirst && isPerStep ? output.exchangingFirstAxes : output)] + states,
            configuration.hasSchedule ? [(name: "step_n", shape: [1], values: [result.state.step])] : []
        )
    }
}

extension WeightArray {
    /// The first two of three axes exchanged.
    fileprivate var exchangingFirstAxes: WeightArray {
        let (a, b, width) = (shape[0], shape[1], shape[2])
        var result = WeightArray(shape: [b, a, width], values: values)
        for i in 0..<a {
            for j in 0..<b {
                for k in 0..<width { result.values[(j * a + i) * width + k] = values[(i * b + j) * width + k] }
            }
        }
        return result
    }
}
