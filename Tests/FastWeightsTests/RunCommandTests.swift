import Testing

@testable @_spi(Laboratory) import FastWeights

@Suite struct RunCommandTests {
    typealias Tensors = StateDictionaryTests.Tensors

    private static func write(_ tensors: Tensors, _ path: String) throws {
        try Files.writeAtomically(SafeTensors.serialize(tensors), to: path)
    }

    /// A safetensors file with lengths, whole numbers of 64 bits.
    private static func file(_ input: [Float], _ shape: [Int], _ lengths: [Int]) -> [UInt8] {
        let start = 8 * lengths.count
        let header =
            #"{"lengths":{"dtype":"I64","shape":[\#(lengths.count)],"data_offsets":[0,\#(start)]},"#
            + #""input":{"dtype":"F32","shape":\#(shape),"data_offsets":[\#(start),\#(start + 4 * input.count)]}}"#
        var bytes = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8)
        for length in lengths { withUnsafeBytes(of: Int64(length).littleEndian) { bytes += Array($0) } }
        for x in input { withUnsafeBytes(of: x.bitPattern.littleEndian) { bytes += Array($0) } }
        return bytes
    }

    /// Runs the command on files of a folder and gives the output, or nil where it fails with 1.
    private static func run(
        _ network: Network, _ tensors: Tensors, _ options: [String] = [], prefix: String = "rnn."
    ) throws -> SafeTensors? {
        try TemporaryFolder.with { folder in
            try write(network.tensors(prefix: prefix), folder + "/model")
            try write(tensors, folder + "/input")
            let status = CommandLineTool.run(
                arguments: [
                    "run", "--model", folder + "/model", "--input", folder + "/input", "--output", folder + "/output",
                ] + options)
            guard status == 0 else {
                #expect(status == 1)
                #expect(!Files.exists(folder + "/output"))
                return nil
            }
            return try SafeTensors(bytes: try Files.read(folder + "/output"), source: "output")
        }
    }

    @Test(arguments: [Cell.lstm(), .gru, .rnn(activation: .tanh), .rnn(activation: .relu)], [false, true])
    func appliesAStateDict(cell: Cell, batchFirst: Bool) throws {
        let network = RecurrentNetworkTests.network(cell, isBidirectional: true)
        let (T, B) = (4, 2)
        let input = CellTests.random(T * B * 3, 1)
        let state = RecurrentNetworkTests.state(network, batch: B, seed: 2)
        let expected = network.run(input, steps: T, batch: B, state: state)
        func turned(_ values: [Float], _ width: Int) -> [Float] {
            (0..<B).flatMap { CellTests.sequence($0, of: values, B, T, width) }
        }
        var tensors: Tensors = [
            ("input", batchFirst ? [B, T, 3] : [T, B, 3], batchFirst ? turned(input, 3) : input),
            ("h0", [4, B, 5], state.hidden),
        ]
        if cell == .lstm() { tensors.append(("c0", [4, B, 5], state.memory)) }
        let relu = cell == .rnn(activation: .relu) ? ["--activation", "relu"] : []
        let output = try #require(try Self.run(network, tensors, (batchFirst ? ["--batch-first"] : []) + relu))
        #expect(output.names == (cell == .lstm() ? ["c_n", "h_n", "output"] : ["h_n", "output"]))
        #expect(try output.tensor(named: "output").shape == (batchFirst ? [B, T, 10] : [T, B, 10]))
        try expectSame(output.floats("output"), (batchFirst ? turned(expected.outputs, 10) : expected.outputs))
        #expect(try output.tensor(named: "h_n").shape == [4, B, 5])
        try expectSame(output.floats("h_n"), expected.state.hidden)
        if cell == .lstm() { try expectSame(output.floats("c_n"), expected.state.memory) }
    }

    @Test func oneSequenceNeedsNoAxisForTheBatch() throws {
        let network = RecurrentNetworkTests.network(.lstm())
        let input = CellTests.random(6 * 3, 3)
        let output = try #require(try Self.run(network, [("input", [6, 3], input)], ["--batch-first"]))
        try expectSame(output.floats("output"), network.run(input, steps: 6, batch: 1).outputs)
        #expect(try output.tensor(named: "output").shape == [6, 5])
        #expect(try output.tensor(named: "c_n").shape == [2, 5])
    }

    /// Weights of half width: the bits of streams with them, of any number of sequences, numbers or tokens.
    @Test(arguments: HalfWidthTests.halves)
    func weightsMayBeOfHalfWidth(precision: WeightPrecision) throws {
        let network = RecurrentNetworkTests.network(.lstm())
        let option = ["--precision", precision.rawValue]
        for (T, B) in [(20, 1), (3, 6)] {
            let input = CellTests.random(T * B * 3, 3)
            let state = RecurrentNetworkTests.state(network, batch: B, seed: 9)
            let tensors: Tensors = [
                ("input", [T, B, 3], input), ("h0", [2, B, 5], state.hidden), ("c0", [2, B, 5], state.memory),
            ]
            let output = try #require(try Self.run(network, tensors, option + ["--threads", "2"]))
            let weights = try NetworkStream.Weights(network, precision: precision)
            let expected = weights.run(input, steps: T, batch: B, state: state)
            try expectSame(output.floats("output"), expected.outputs)
            try expectSame(output.floats("h_n"), expected.state.hidden)
            let exact = network.run(input, steps: T, batch: B, state: state).outputs
            #expect(expected.outputs != exact)
            #expect(RecurrentStreamTests.relativeError(expected.outputs, exact) < 0.02)
            let same = try #require(try Self.run(network, tensors, ["--precision", "float32"]))
            try expectSame(same.floats("output"), exact)
            if B == 1 {
                let stream = NetworkStream(weights, state: state)
                expectSame(NetworkStreamTests.run(stream, input), expected.outputs)
                #expect(stream.state == expected.state)
            }
        }
        let tokens = Network(NetworkConfiguration(.tokens(7), [.embedding(6), .gru(5), .dense(3)]), seed: 4)
        let weights = try NetworkStream.Weights(tokens, precision: precision)
        let found = weights.run(tokens: [1, 6, 0, 3, 2, 5], steps: 3, batch: 2, lengths: [3, 2], threads: 2)
        for (b, sequence) in [[1, 0, 2], [6, 3]].enumerated() {
            let stream = NetworkStream(weights)
            for (t, token) in sequence.enumerated() {
                stream.step(token: token)
                expectSame(Array(found.outputs[(t * 2 + b) * 3..<(t * 2 + b + 1) * 3]), stream.output)
            }
        }
        #expect(found.outputs[15...].allSatisfy { $0 == 0 })
    }

    /// Where weights of half width cannot be had, or are not what they were asked for.
    @Test func whatHalfWidthCannotDoIsSaid() throws {
        let input: Tensors = [("input", [4, 2, 3], CellTests.random(24, 3))]
        let both = RecurrentNetworkTests.network(.lstm(), isBidirectional: true)
        #expect(try Self.run(both, input, ["--precision", "bfloat16"]) == nil)
        #expect(try Self.run(both, input, ["--precision", "float32"]) != nil)
        let large = RecurrentNetworkTests.network(.lstm())
        large.parameters["weight_hh_l1"][3] = 1e5
        #expect(try Self.run(large, input, ["--precision", "float16"]) == nil)
        #expect(try Self.run(large, input, ["--precision", "bfloat16"]) != nil)
        #expect(CommandLineTool.run(arguments: ["run", "--model", "x", "--precision", "float64"]) == 2)
        func note(_ layers: [Layer], _ steps: Int, _ batch: Int, _ precision: WeightPrecision) throws -> String? {
            try TemporaryFolder.with { folder in
                let numbers = [Float](repeating: 0, count: steps * batch * 3)
                try Self.write([("input", [steps, batch, 3], numbers)], folder + "/input")
                let network = Network(NetworkConfiguration(.numbers(3), layers), seed: 1)
                return try SequenceInput(try TensorFile(path: folder + "/input"), network, batchFirst: false)
                    .note(precision)
            }
        }
        let isKept = StreamMatrix.kept(.bfloat16) == .bfloat16
        #expect(try note([.gru(4)], 20, 9, .float32) == nil)
        #expect(try (note([.gru(4)], 20, 4, .bfloat16) == nil) == isKept)
        let many = try note([.gru(4)], 20, 5, .bfloat16)
        #expect(many?.contains(isKept ? "the 5 sequences run one by one" : "keeps them in float32") == true)
        #expect(try note([.softmax], 20, 1, .bfloat16)?.contains("no recurrent or dense layer") == true)
    }

    /// NumPy's formats on both sides: an archive with all tensors, a file with input or output alone.
    @Test func takesAndGivesNumPyFiles() throws {
        try TemporaryFolder.with { folder in
            let network = RecurrentNetworkTests.network(.lstm())
            let (T, B) = (4, 2)
            let input = CellTests.random(T * B * 3, 8)
            let state = RecurrentNetworkTests.state(network, batch: B, seed: 9)
            try Self.write(network.tensors(prefix: ""), folder + "/model")
            try NumPyArray.write(shape: [T, B, 3], values: input, to: folder + "/x.npy")
            try NumPyArchive.write(
                [("input", [T, B, 3], input), ("h0", [2, B, 5], state.hidden), ("c0", [2, B, 5], state.memory)],
                to: folder + "/x.npz")
            func run(_ from: String, _ to: String) {
                #expect(
                    CommandLineTool.run(
                        arguments: [
                            "run", "--model", folder + "/model", "--input", folder + from, "--output", folder + to,
                        ]) == 0)
            }
            run("/x.npy", "/y.npy")
            let alone = try NumPyArray(path: folder + "/y.npy")
            #expect(alone.shape == [T, B, 5])
            expectSame(try alone.floats, network.run(input, steps: T, batch: B).outputs)
            run("/x.npz", "/y.npz")
            let expected = network.run(input, steps: T, batch: B, state: state)
            let archive = try NumPyArchive(path: folder + "/y.npz")
            #expect(archive.names == ["output", "h_n", "c_n"])
            try expectSame(archive.array(named: "output").floats, expected.outputs)
            try expectSame(archive.array(named: "c_n").floats, expected.state.memory)
            run("/x.npz", "/y.safetensors")
            let tensors = try SafeTensors(bytes: try Files.read(folder + "/y.safetensors"), source: "y")
            try expectSame(tensors.floats("h_n"), expected.state.hidden)
        }
    }

    /// A model of our own keeps what a state dict does not tell.
    @Test func aSavedModelIsAppliedToo() throws {
        try TemporaryFolder.with { folder in
            let network = RecurrentNetworkTests.network(.fastWeights())
            try network.write(to: folder + "/model")
            let input = CellTests.random(4 * 2 * 3, 4)
            let state = RecurrentNetworkTests.state(network, batch: 2, seed: 5)
            try Self.write(
                [("input", [4, 2, 3], input), ("h0", [2, 2, 5], state.hidden), ("A0", [2, 2, 5, 5], state.memory)],
                folder + "/input")
            let status = CommandLineTool.run(
                arguments: [
                    "run", "--model", folder + "/model", "--input", folder + "/input", "--output", folder + "/output",
                    "--save", folder + "/copy",
                ])
            #expect(status == 0)
            let output = try SafeTensors(bytes: try Files.read(folder + "/output"), source: "output")
            let expected = network.run(input, steps: 4, batch: 2, state: state)
            try expectSame(output.floats("output"), expected.outputs)
            try expectSame(output.floats("A_n"), expected.state.memory)
            try expectSame(Files.read(folder + "/copy"), Files.read(folder + "/model"))
        }
    }

    /// A model that was trained here, with its head: the outputs are those of `predict`, sequence by sequence.
    @Test(arguments: [Cell.lstm(), .fastWeights()], [TestHead.perSequence(3), .perStep(3)])
    func aTrainedHeadIsApplied(cell: Cell, head: TestHead) throws {
        try TemporaryFolder.with { folder in
            let data = try SequenceTrainingTests.data(head, count: 40)
            let network = SequenceTrainingTests.network(cell, head)
            _ = try Trainer(
                network, training: data, validation: data, options: SequenceTrainingTests.options { $0.steps = 4 }
            ).run()
            try network.write(to: folder + "/model")
            let (lengths, T) = (Array(data.lengths.prefix(7)), data.longest)
            let expected = try network.predict(data.selecting(Array(0..<7)))
            var input = [Float](repeating: 0, count: 7 * T * 5)
            for (b, length) in lengths.enumerated() {
                let first = data.inputs.starts[b] * 5
                input.replaceSubrange(
                    b * T * 5..<(b * T + length) * 5, with: data.inputs.numbers[first..<first + length * 5])
            }
            try Files.writeAtomically(Self.file(input, [7, T, 5], lengths), to: folder + "/x")
            let status = CommandLineTool.run(
                arguments: [
                    "run", "--model", folder + "/model", "--input", folder + "/x", "--output", folder + "/y.npz",
                    "--batch-first",
                ])
            #expect(status == 0)
            let archive = try NumPyArchive(path: folder + "/y.npz")
            #expect(archive.names == ["output", "h_n"] + (cell == .lstm() ? ["c_n"] : ["A_n"]))
            let output = try archive.array(named: "output")
            #expect(output.shape == (head.isPerStep ? [7, T, 3] : [7, 3]))
            for (b, prediction) in expected.enumerated() {
                let rows = head.isPerStep ? T : 1
                let found = Array(try output.floats[b * rows * 3..<(b + 1) * rows * 3])
                let error = RecurrentStreamTests.relativeError(
                    Array(found.prefix(prediction.outputs.count)), prediction.outputs)
                #expect(error < 1e-3)
                #expect(found.dropFirst(prediction.outputs.count).allSatisfy { $0 == 0 })
            }
        }
    }

    @Test func lengthsEndSequences() throws {
        let network = RecurrentNetworkTests.network(.gru)
        let input = CellTests.random(18, 6)
        for (lengths, isValid) in [([3, 1], true), ([0, 1], false), ([4, 1], false)] {
            try TemporaryFolder.with { folder in
                try Files.writeAtomically(Self.file(input, [3, 2, 3], lengths), to: folder + "/input")
                try network.write(to: folder + "/model")
                let status = CommandLineTool.run(
                    arguments: [
                        "run", "--model", folder + "/model", "--input", folder + "/input", "--output",
                        folder + "/output",
                    ])
                #expect(status == (isValid ? 0 : 1))
                guard isValid else { return }
                let output = try SafeTensors(bytes: try Files.read(folder + "/output"), source: "output")
                #expect(
                    try output.floats("output")
                        == network.run(input, steps: 3, batch: 2, lengths: lengths).outputs)
            }
        }
    }

    @Test func inputsThatDoNotFitFail() throws {
        let network = RecurrentNetworkTests.network(.lstm())
        func zeros(_ name: String, _ shape: Int...) -> (name: String, shape: [Int], values: [Float]) {
            (name, shape, [Float](repeating: 0, count: shape.reduce(1, *)))
        }
        let input = zeros("input", 4, 2, 3)
        for tensors: Tensors in [
            [], [zeros("x", 4, 2, 3)], [zeros("input", 4, 2, 4)], [zeros("input", 3)], [zeros("input", 0, 2, 3)],
            [zeros("input", 4, 0, 3)], [zeros("input", 1, 4, 2, 3)], [input, zeros("h0", 2, 2, 5)],
            [input, zeros("h0", 2, 2, 5), zeros("c0", 2, 2, 4)], [input, zeros("h0", 1, 2, 5), zeros("c0", 2, 2, 5)],
            [input, zeros("lengths", 2)],
        ] {
            #expect(try Self.run(network, tensors) == nil, "\(tensors.map { ($0.name, $0.shape) })")
        }
        #expect(try Self.run(network, [input, zeros("h0", 2, 2, 5), zeros("c0", 2, 2, 5)]) != nil)
        #expect(CommandLineTool.run(arguments: ["run"]) == 2)
        #expect(CommandLineTool.run(arguments: ["run", "--model", "x", "--activation", "gelu"]) == 2)
        #expect(CommandLineTool.run(arguments: ["run", "--model", "x", "--input", "x", "--output", "y"]) == 1)
    }

    @Test func infoTellsWhatAFileHolds() throws {
        try TemporaryFolder.with { folder in
            let path = folder + "/model"
            let network = RecurrentNetworkTests.network(.rnn(activation: .relu), isBidirectional: true, dropout: 0.5)
            try network.write(to: path)
            #expect(CommandLineTool.run(arguments: ["info", path]) == 0)
            var text = try FileReport(path: path).text
            #expect(
                text.contains(
                    "Network     3 numbers per step → stack(cell rnn(hidden 5, activation relu, layer_norm false, "
                        + "identity false, bias true, epsilon 1e-05), layers 2, bidirectional true, dropout 0.5)\n"))
            #expect(text.contains("weight_ih_l1_reverse  F32   [5, 10]       50\n"), "\(text)")
            #expect(text.contains("Parameters  \(network.configuration.layout.parameterCount) in 16 tensors\n"))
            try Self.write(network.tensors(prefix: "a.") + network.tensors(prefix: "b.").dropLast(), path)
            text = try FileReport(path: path).text
            #expect(
                text.contains("Network     a. 3 numbers per step → stack(cell rnn(hidden 5, activation tanh or relu,"))
            #expect(text.contains("Network     b. cannot be used: \(path): missing tensors: b.bias_hh_l1_reverse.\n"))
            let classifier = TrainingTests.model(.fastWeights())
            try ModelFile(classifier, task: try AssociativeRetrieval(pairs: 2)).write(to: path)
            text = try FileReport(path: path).text
            #expect(text.contains("Network     one of 37 tokens per step → embedding("))
            #expect(text.contains(" → fast_weights(hidden 9, activation relu, layer_norm true, "))
            #expect(text.contains(" → last_step → dense(outputs 14, activation relu, bias true) → dense(outputs 10, "))
            try Self.write([], path)
            #expect(try FileReport(path: path).text.contains("Parameters  0 in 0 tensors\n"))
            try Files.writeAtomically(Array("nothing".utf8), to: path)
            #expect(CommandLineTool.run(arguments: ["info", path]) == 1)
            #expect(CommandLineTool.run(arguments: ["info", folder + "/missing"]) == 1)
        }
    }
}
