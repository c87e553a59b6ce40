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
            [layers·directions, B, H, H]. An .npy file is the input or the output alone.

            The model is a state dict of nn.RNN, nn.LSTM or nn.GRU, told apart by names and
            shapes, or a file that this library saved.
            """,
        options: [
            Option(name: "model", placeholder: "FILE", kind: .text, help: "The model, safetensors"),
            Option(name: "input", placeholder: "FILE", kind: .text, help: "The sequences: safetensors, .npz or .npy"),
            Option(
                name: "output", placeholder: "FILE", kind: .text,
                help: "Where the results go: .npz, .npy or, by any other name, safetensors"),
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
        ]
    ) { arguments in
        for name in ["model", "input", "output"] where !arguments.hasValue(name) {
            throw UsageError("expected --\(name) FILE. Run fastweights run --help for all options.")
        }
        let network = try RecurrentNetwork(
            path: arguments.text("model"), prefix: arguments.hasValue("prefix") ? arguments.text("prefix") : nil,
            activation: Activation(rawValue: arguments.text("activation")) ?? .tanh)
        let sequences = try SequenceInput(
            try TensorFile(path: arguments.text("input")), network.configuration,
            batchFirst: arguments.flag("batch-first"))
        try TensorFile.write(
            sequences.results(network, threads: arguments.integer("threads")), to: arguments.text("output"))
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

    /// Throws `SequenceInputError` for tensors of other shapes than the network needs, and lengths that cannot be.
    init(_ file: TensorFile, _ configuration: RecurrentNetworkConfiguration, batchFirst: Bool) throws {
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

        /// The state called `name`, with the axis of the batch left out where the input has none.
        func part(_ name: String, _ sizes: [Int]) throws -> [Float] {
            let cells = configuration.layers * configuration.directions
            let wanted = [cells] + (isSingle ? [] : [B]) + sizes
            let array = try file.array(name)
            guard array.shape == wanted else {
                throw fail("\(name) should have the shape \(wanted), found \(array.shape)")
            }
            return array.values
        }
        /// The place in the fast weights' schedule that a run before wrote as step_n.
        func place() throws -> Int {
            guard file.contains("step0") else { return 0 }
            let (shape, values) = try file.integers("step0")
            guard values.count == 1, values[0] >= 0 else {
                throw fail("step0 should be one whole number from 0, found \(values.prefix(20)) of shape \(shape)")
            }
            return values[0]
        }
        let memory = configuration.memoryTensor
        let names = ["h0"] + (memory.map { ["\($0.letter)0"] } ?? [])
        let given = names.filter(file.contains)
        guard given.isEmpty || given == names else {
            throw fail(
                "expected \(names.joined(separator: " and ")) together or neither, found \(given.joined(separator: ", ")) alone"
            )
        }
        state =
            given.isEmpty
            ? nil
            : CellState(
                hidden: try part("h0", [configuration.hidden]),
                memory: try memory.map { try part("\($0.letter)0", $0.sizes) } ?? [],
                step: try place())
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
        guard configuration.cell.period == 1 || values.allSatisfy({ $0 == values[0] }) else {
            throw fail("the model's fast weights have a schedule, for which all lengths should be the same")
        }
        lengths = values
    }

    /// The tensors of the output file.
    func results(_ network: RecurrentNetwork, threads: Int) -> [(name: String, array: WeightArray)] {
        let result = network.run(
            input, steps: steps, batch: batch, lengths: lengths, state: state, threads: threads)
        let batchAxis = isSingle ? [] : [batch]
        let isPerStep = configuration.head?.isPerStep ?? true
        let output = WeightArray(
            shape: (isPerStep ? [steps] : []) + batchAxis + [configuration.output], values: result.outputs)
        let cells = configuration.layers * configuration.directions
        var tensors = [
            ("output", batchFirst && isPerStep ? output.exchangingFirstAxes : output),
            ("h_n", WeightArray(shape: [cells] + batchAxis + [configuration.hidden], values: result.state.hidden)),
        ]
        if let memory = configuration.memoryTensor {
            tensors.append(
                (
                    "\(memory.letter)_n",
                    WeightArray(shape: [cells] + batchAxis + memory.sizes, values: result.state.memory)
                ))
        }
        if configuration.cell.period > 1 {
            tensors.append(("step_n", WeightArray(shape: [1], values: [Float(result.state.step)])))
        }
        return tensors.map { (name: $0.0, array: $0.1) }
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
