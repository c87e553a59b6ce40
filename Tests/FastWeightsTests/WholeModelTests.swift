import Testing

@testable @_spi(Laboratory) import FastWeights

/// `run` on a state dict with an embedding below its recurrent module and a linear layer on top, and on tokens.
@Suite struct WholeModelTests {
    typealias Tensors = StateDictionaryTests.Tensors
    private static let (T, B, V, outputs) = (4, 3, 7, 2)

    /// An LSTM of 3 numbers and 2 units, E [7, 3], and fc from 2 to 2.
    private static let model: Tensors =
        StateDictionaryTests.lstm.map { ("lstm." + $0.name, $0.shape, $0.values) } + [
            ("emb.weight", [V, 3], CellTests.random(V * 3, 7)), ("fc.weight", [outputs, 2], [1, -2, 0.5, 4]),
            ("fc.bias", [outputs], [0.25, -8]),
        ]
    private static let tokens = (0..<T * B).map { $0 * 5 % V }

    /// The rows of the embedding.
    private static func embedded(_ tokens: [Int]) -> [Float] {
        let rows = CellTests.random(V * 3, 7)
        return tokens.flatMap { rows[$0 * 3..<$0 * 3 + 3] }
    }

    /// fc of rows of h.
    private static func linear(_ h: [Float]) -> [Float] {
        stride(from: 0, to: h.count, by: 2).flatMap { i -> [Float] in
            let (a, b) = (h[i], h[i + 1])
            return [a - 2 * b + 0.25, 0.5 * a + 4 * b - 8]
        }
    }

    private static func bare() throws -> Network { try StateDictionary(model).network() }

    private static func isNear(_ a: [Float], _ b: [Float]) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < 1e-5 }
    }

    /// An .npy file of whole numbers of 64 or 8 bits.
    static func npy(_ shape: [Int], _ values: [Int], type: String = "<i8") -> [UInt8] {
        let sizes = shape.map { "\($0)," }.joined()
        let header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(sizes)), }"
        let padding = String(repeating: " ", count: (64 - (11 + header.utf8.count) % 64) % 64) + "\n"
        let size = header.utf8.count + padding.utf8.count
        let start: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(size % 256), UInt8(size / 256)]
        return start + Array((header + padding).utf8)
            + values.flatMap { value in
                type == "|u1" ? [UInt8(value)] : withUnsafeBytes(of: Int64(value).littleEndian) { Array($0) }
            }
    }

    /// The status of the command on a model and an input, and what it wrote.
    private static func run(
        _ input: [UInt8], _ options: [String], of model: Tensors = model
    ) throws -> (status: Int32, output: (shape: [Int], values: [Float])?) {
        try TemporaryFolder.with { folder in
            try Files.writeAtomically(SafeTensors.serialize(model), to: folder + "/model")
            try Files.writeAtomically(input, to: folder + "/input")
            let status = CommandLineTool.run(
                arguments: [
                    "run", "--model", folder + "/model", "--input", folder + "/input", "--output", folder + "/y.npy",
                ] + options)
            guard status == 0 else { return (status, nil) }
            let array = try NumPyArray(path: folder + "/y.npy")
            return (0, (array.shape, try array.floats))
        }
    }

    // MARK: Embedding and head

    @Test(arguments: [false, true])
    func aHeadIsAppliedWhereItIsNamed(batchFirst: Bool) throws {
        let (T, B) = (Self.T, Self.B)
        let input = CellTests.random(T * B * 3, 3)
        let h = try Self.bare().run(input, steps: T, batch: B).outputs
        func turned(_ values: [Float], _ width: Int) -> [Float] {
            (0..<B).flatMap { CellTests.sequence($0, of: values, B, T, width) }
        }
        let file = NumPyArray.serialize(
            shape: batchFirst ? [B, T, 3] : [T, B, 3], values: batchFirst ? turned(input, 3) : input)
        let options = ["--head", "fc"] + (batchFirst ? ["--batch-first"] : [])
        let steps = try #require(try Self.run(file, options).output)
        #expect(steps.shape == (batchFirst ? [B, T, 2] : [T, B, 2]))
        #expect(Self.isNear(steps.values, batchFirst ? turned(Self.linear(h), 2) : Self.linear(h)))
        let last = try #require(try Self.run(file, options + ["--per-sequence"]).output)
        #expect(last.shape == [B, 2])
        #expect(Self.isNear(last.values, Self.linear(Array(h.suffix(B * 2)))))
        #expect(try Self.run(file, ["--per-sequence"]).status == 2)
        #expect(try Self.run(file, ["--head", "f"]).status == 1)
    }

    /// Below a module derived from `nn.LSTM` the names have no prefix.
    @Test func aDerivedModuleHasItsHeadBeside() throws {
        let input = CellTests.random(5 * 3, 4)
        let h = try Self.bare().run(input, steps: 5, batch: 1).outputs
        let model = StateDictionaryTests.lstm + Self.model.suffix(2)
        let file = NumPyArray.serialize(shape: [5, 3], values: input)
        #expect(try Self.run(file, [], of: model).output?.values == h)
        let output = try #require(try Self.run(file, ["--head", "fc"], of: model).output)
        #expect(output.shape == [5, 2] && Self.isNear(output.values, Self.linear(h)))
    }

    /// Tokens in every file that holds whole numbers, one sequence and several, with either order of axes.
    @Test func tokensGoThroughTheEmbedding() throws {
        let (T, B, tokens) = (Self.T, Self.B, Self.tokens)
        let h = try Self.bare().run(Self.embedded(tokens), steps: T, batch: B).outputs
        let options = ["--embedding", "emb"]
        for type in ["<i8", "|u1"] {
            let output = try #require(try Self.run(Self.npy([T, B], tokens, type: type), options).output)
            #expect(output.shape == [T, B, 2] && Self.isNear(output.values, h))
        }
        let turned = (0..<B).flatMap { b in (0..<T).map { tokens[$0 * B + b] } }
        let rows = (0..<B).flatMap { CellTests.sequence($0, of: h, B, T, 2) }
        let first = try #require(try Self.run(Self.npy([B, T], turned), options + ["--batch-first"]).output)
        #expect(first.shape == [B, T, 2] && Self.isNear(first.values, rows))
        let one = try #require(try Self.run(Self.npy([T], Array(turned.prefix(T))), options + ["--head", "fc"]).output)
        #expect(one.shape == [T, 2] && Self.isNear(one.values, Self.linear(Array(rows.prefix(T * 2)))))
        // Seven sequences: with an embedding the last axis is the batch, though there are as many tokens.
        let seven = try #require(try Self.run(Self.npy([1, 7], [0, 1, 2, 3, 4, 5, 6]), options).output)
        #expect(seven.shape == [1, 7, 2])
        for (shape, values) in [([1, 1], [7]), ([1, 1], [-1]), ([1, 1, 1], [0]), ([0, 2], []), ([], [1])] {
            #expect(try Self.run(Self.npy(shape, values), options).status == 1, "\(shape) \(values)")
        }
    }

    /// A model that does not say what it reads: numbers where tokens cannot be meant, and the other way round.
    @Test func wholeNumbersAreReadInOneWayOnly() throws {
        func output(_ shape: [Int], _ values: [Int]) throws -> [Float]? {
            try Self.run(Self.npy(shape, values), []).output?.values
        }
        let numbers = [0, 1, 2, 5, 1, -1]
        let bare = try Self.bare()
        #expect(try output([2, 3], numbers) == bare.run(numbers.map { Float($0) }, steps: 2, batch: 1).outputs)
        #expect(try output([2, 1, 3], [0, 1, 2, 1, 0, 2]) != nil)
        #expect(try output([2, 3], [0, 1, 2, 1, 0, 2]) == nil)
        #expect(
            try output([2, 2], [0, 1, 2, 2])
                == bare.reading(tokens: true)?.run(tokens: [0, 1, 2, 2], steps: 2, batch: 2).outputs)
        #expect(try output([2, 2], [0, 1, 2, 3]) == nil)
    }

    // MARK: Tokens in a run

    /// Token by token what the numbers give that are 0 but for one, whatever the cell.
    @Test(arguments: RecurrentNetworkTests.cells, [false, true])
    func aTokenIsAOneHotInput(cell: Cell, isBidirectional: Bool) throws {
        let network = RecurrentNetworkTests.network(cell, isBidirectional: isBidirectional)
        let ofTokens = try #require(network.reading(tokens: true))
        // More steps than a window has, and more sequences than a block.
        let (T, B) = (35, 18)
        let tokens = (0..<T * B).map { ($0 * 7 + $0 / 5) % 3 }
        let input = tokens.flatMap { token in (0..<3).map { $0 == token ? Float(1) : 0 } }
        let isFading = if case .fastWeights = cell { true } else { false }
        let lengths = (0..<B).map { isFading ? T : T - $0 }
        let state = RecurrentNetworkTests.state(network, batch: B, seed: 3)
        let expected = network.run(input, steps: T, batch: B, lengths: lengths, state: state)
        // Behind a sequence's end there may be anything.
        let padded = tokens.enumerated().map { $0 / B < lengths[$0 % B] ? $1 : -100 }
        for threads in [1, 3] {
            let found = ofTokens.run(
                tokens: padded, steps: T, batch: B, lengths: lengths, state: state, threads: threads)
            #expect(
                Self.isNear(found.outputs, expected.outputs) && Self.isNear(found.state.hidden, expected.state.hidden))
            #expect(Self.isNear(found.state.memory, expected.state.memory))
        }
    }

    /// A copy of the model knows that what it reads are tokens.
    @Test func aCopyTakesTokensToo() throws {
        try TemporaryFolder.with { folder in
            try Files.writeAtomically(SafeTensors.serialize(Self.model), to: folder + "/model")
            // As many numbers a step as there are tokens: whole numbers could be either.
            try Files.writeAtomically(Self.npy([2, 7], (0..<14).map { $0 * 3 % 7 }), to: folder + "/x.npy")
            func run(_ model: String, _ more: [String]) throws -> [Float] {
                let words = ["run", "--model", folder + model, "--input", folder + "/x.npy", "--output"]
                try #require(CommandLineTool.run(arguments: words + [folder + "/y.npy"] + more) == 0)
                return try NumPyArray(path: folder + "/y.npy").floats
            }
            let first = try run("/model", ["--embedding", "emb", "--head", "fc", "--save", folder + "/copy"])
            #expect(try run("/copy", []) == first && first.count == 28)
        }
    }

    /// Where several modules are in a file, "" names the one whose names have nothing before them.
    @Test func thePrefixMayBeEmpty() throws {
        try TemporaryFolder.with { folder in
            let inner: Tensors = StateDictionaryTests.lstm.map { ("dec." + $0.name, $0.shape, $0.values.map { -$0 }) }
            try Files.writeAtomically(
                SafeTensors.serialize(StateDictionaryTests.lstm + inner), to: folder + "/model")
            let input = (0..<6).map { Float($0) / 5 }
            try NumPyArray.write(shape: [2, 1, 3], values: input, to: folder + "/x.npy")
            func run(_ options: [String]) -> Int32 {
                CommandLineTool.run(
                    arguments: [
                        "run", "--model", folder + "/model", "--input", folder + "/x.npy", "--output",
                        folder + "/y.npy",
                    ] + options)
            }
            #expect(run([]) == 1)
            #expect(run(["--prefix="]) == 0)
            let network = try StateDictionary(StateDictionaryTests.lstm).network()
            #expect(try NumPyArray(path: folder + "/y.npy").floats == network.run(input, steps: 2, batch: 1).outputs)
        }
    }

    // MARK: What is said

    /// Of an embedding and a tied head of as many columns each is named for what it is.
    @Test func tiedModulesAreToldApart() throws {
        try TemporaryFolder.with { folder in
            let lstm: Tensors = [
                ("rnn.weight_ih_l0", [8, 2], CellTests.random(16, 1)),
                ("rnn.weight_hh_l0", [8, 2], CellTests.random(16, 2)),
                ("decoder.bias", [7], CellTests.random(7, 4)), ("encoder.weight", [7, 2], CellTests.random(14, 3)),
            ]
            let path = folder + "/model"
            for (tensors, metadata) in [
                (lstm, [("decoder.weight", "encoder.weight")]),
                (lstm + [("decoder.weight", [7, 2], CellTests.random(14, 3))], []),
            ] {
                try Files.writeAtomically(SafeTensors.serialize(tensors, metadata: metadata), to: path)
                let notes = try AppliedModel(path: path).notes
                #expect(notes.count == 1 && notes[0].hasSuffix("add --head decoder and --embedding encoder"))
            }
            // Without a word about the tie.
            try Files.writeAtomically(SafeTensors.serialize(lstm), to: path)
            let error = #expect(throws: WeightsError.self) {
                try AppliedModel(path: path, embedding: "encoder", head: .perStep("decoder"))
            }
            #expect(
                error?.problems == [
                    "missing tensors: decoder.weight, though decoder.bias is there: the weight may be tied to another; save with safetensors' save_model, which notes that"
                ])
        }
    }

    @Test func whatIsLeftOutIsSaid() throws {
        try TemporaryFolder.with { folder in
            let path = folder + "/model"
            try Files.writeAtomically(SafeTensors.serialize(Self.model), to: path)
            func notes(embedding: String? = nil, head: StateDictionary.Head? = nil) throws -> [String] {
                try AppliedModel(path: path, embedding: embedding, head: head).notes
            }
            let says = "\(path) has tensors that are not used: "
            #expect(
                try notes() == [
                    says
                        + "emb.weight [7, 3], fc.bias [2], fc.weight [2, 2]; to use them add --head fc and --embedding emb"
                ])
            #expect(try notes(head: .perStep("fc")) == [says + "emb.weight [7, 3]; to use them add --embedding emb"])
            #expect(try notes(embedding: "emb", head: .perStep("fc")) == [])
            #expect(throws: UsageError.self) { try AppliedModel(path: path, activation: .relu) }

            let rnn = RecurrentNetworkTests.network(.rnn(activation: .relu))
            try Files.writeAtomically(SafeTensors.serialize(rnn.tensors()), to: path)
            #expect(
                try notes() == [
                    "the file does not tell an RNN's activation, which is taken for tanh; --activation relu changes that"
                ])
            #expect(try AppliedModel(path: path, activation: .relu).notes == [])
            try rnn.write(to: path)
            #expect(try notes() == [])
            #expect(throws: UsageError.self) { try AppliedModel(path: path, activation: .relu) }
        }
    }

    @Test func whatIsNotAskedForInAnInputIsKnown() throws {
        try TemporaryFolder.with { folder in
            let network = RecurrentNetworkTests.network(.gru)
            let names = ["input", "h0", "mask", "state"]
            try NumPyArchive.write(
                names.map {
                    ($0, $0 == "input" ? [1, 1, 3] : [2, 1, 5], [Float](repeating: 0, count: $0 == "input" ? 3 : 10))
                },
                to: folder + "/x.npz")
            let file = try TensorFile(path: folder + "/x.npz")
            let input = try SequenceInput(file, network, batchFirst: false)
            #expect(file.unused == ["mask", "state"])
            let results = try input.results(threads: 1)
            let place = [(name: "step_n", shape: [1], values: [3])]
            #expect(try TensorFile.write(results.tensors, integers: place, to: folder + "/y.npy") == ["h_n", "step_n"])
            #expect(try TensorFile.write(results.tensors, integers: place, to: folder + "/y.npz") == [])
        }
    }

    /// The vocabulary of a text model, whose tokens `run` takes too, stays in the copy.
    @Test func aCopyKeepsTheVocabulary() throws {
        try TemporaryFolder.with { folder in
            let model = TextModel([.gru(4)], vocabulary: TextVocabulary(of: Array("abc".utf8)), seed: 1)
            try model.write(to: folder + "/model")
            try Files.writeAtomically(Self.npy([2, 3], [0, 1, 2, 2, 1, 0]), to: folder + "/x.npy")
            let status = CommandLineTool.run(arguments: [
                "run", "--model", folder + "/model", "--input", folder + "/x.npy", "--output", folder + "/y.npy",
                "--save", folder + "/copy",
            ])
            #expect(status == 0)
            try expectSame(Files.read(folder + "/copy"), Files.read(folder + "/model"))
            #expect(
                try NumPyArray(path: folder + "/y.npy").floats
                    == model.network.run(tokens: [0, 1, 2, 2, 1, 0], steps: 2, batch: 3).outputs)
        }
    }
}
