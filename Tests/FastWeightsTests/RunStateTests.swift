import Testing

@testable @_spi(Laboratory) import FastWeights

/// What one run writes the next run reads: `fastweights run` of two halves gives what it gives of the whole.
@Suite struct RunStateTests {
    private let folder = TemporaryFolder()
    private static let (T, B, cut) = (7, 3, 4)

    private func run(_ input: String, _ output: String, _ options: String...) -> Int32 {
        CommandLineTool.run(
            arguments: [
                "run", "--model", folder.path("model"), "--input", folder.path(input), "--output", folder.path(output),
            ] + options)
    }

    private func array(_ name: String, _ file: String) throws -> WeightArray {
        try TensorFile(path: folder.path(file)).array(name)
    }

    @Test(arguments: StateTests.cells, ["safetensors", "npz"])
    func twoHalvesAreTheWhole(cell: Cell, ending: String) throws {
        let (T, B, cut) = (Self.T, Self.B, Self.cut)
        let input = CellTests.random(T * B * 3, 1)
        for head in StateTests.heads {
            let network = StateTests.network(cell, head)
            try network.write(to: folder.path("model"))
            let whole = network.run(input, steps: T, batch: B)
            let (first, second) = ("first.\(ending)", "second.\(ending)")
            try NumPyArray.write(shape: [cut, B, 3], values: Array(input[..<(cut * B * 3)]), to: folder.path("a.npy"))
            try NumPyArray.write(
                shape: [T - cut, B, 3], values: Array(input[(cut * B * 3)...]), to: folder.path("b.npy"))
            #expect(run("a.npy", first) == 0)
            #expect(run("b.npy", second, "--state", folder.path(first)) == 0)
            let parts = head?.isPerStep == false ? [second] : [first, second]
            let outputs = try parts.flatMap { try array("output", $0).values }
            #expect(RecurrentStreamTests.relativeError(outputs, whole.outputs) < 1e-4)
            let states = zip(network.definition.stateTensors, [whole.state.hidden, whole.state.memory])
            for (tensor, expected) in states {
                let found = try array(tensor.name + "_n", second)
                #expect(RecurrentStreamTests.relativeError(found.values, expected) < 1e-4)
            }
            let file = try TensorFile(path: folder.path(second))
            let period = if case .fastWeights(let options) = cell { options.schedule.count } else { 1 }
            #expect(file.contains("step_n") == (period > 1))
            if period > 1 { #expect(try file.integers("step_n").values == [T % period]) }
        }
    }

    /// The tensors by hand, as `h0` and so on beside the input.
    @Test(arguments: ["safetensors", "npz"])
    func theInputMayHaveTheStateItself(ending: String) throws {
        let network = StateTests.network(
            .fastWeights(FastWeightsOptions(schedule: [[.write, .clear], [], .read])), nil)
        try network.write(to: folder.path("model"))
        let input = CellTests.random(6 * 3, 2)
        let whole = network.run(input, steps: 6, batch: 1)
        try SafeTensors.write([("input", [4, 3], Array(input[..<12]))], to: folder.path("a"))
        #expect(run("a", "first.\(ending)") == 0)
        let file = try TensorFile(path: folder.path("first.\(ending)"))
        #expect(try file.array("h_n").shape == [2, 9] && file.array("A_n").shape == [2, 9, 9])
        let step = try file.integers("step_n").values
        #expect(step == [1])
        let tensors: [(name: String, shape: [Int], values: [Float])] = [
            ("input", [2, 3], Array(input[12...])), ("h0", [2, 9], try file.array("h_n").values),
            ("A0", [2, 9, 9], try file.array("A_n").values),
        ]
        // The step as a whole number, as it was written once, and with the axis of the batch in the states.
        let batched = tensors.map {
            (name: $0.name, shape: $0.name == "input" ? [2, 1, 3] : [2, 1] + $0.shape[1...], values: $0.values)
        }
        for (name, bytes) in [
            ("b.safetensors", SafeTensors.serialize(tensors, integers: [("step0", [1], step)])),
            ("b.npz", NumPyArchive.serialize(tensors, integers: [("step0", [1], step)])),
            ("old.safetensors", SafeTensors.serialize(tensors + [("step0", [1], [1])])),
            ("old.npz", NumPyArchive.serialize(tensors + [("step0", [], [1])])),
            ("batched.npz", NumPyArchive.serialize(batched, integers: [("step0", [1], step)])),
        ] {
            try Files.writeAtomically(bytes, to: folder.path(name))
            #expect(run(name, "second.\(ending)") == 0)
            let found = try array("output", "second.\(ending)").values
            #expect(RecurrentStreamTests.relativeError(found, Array(whole.outputs[(4 * 9)...])) < 1e-4, "\(name)")
        }
        // A stream takes what the run has written, and the run what a stream has.
        let stream = try NetworkStream(network)
        if ending == "safetensors" {
            try stream.restore(from: SafeTensors(path: folder.path("first.safetensors")))
            #expect(
                RecurrentStreamTests.relativeError(
                    NetworkStreamTests.run(stream, Array(input[12...])), Array(whole.outputs[36...])) < 1e-4)
        }
        stream.reset()
        _ = NetworkStreamTests.run(stream, Array(input[..<12]))
        try stream.writeState(to: folder.path("stream.safetensors"))
        try SafeTensors.write([("input", [2, 1, 3], Array(input[12...]))], to: folder.path("c"))
        #expect(run("c", "third.\(ending)", "--state", folder.path("stream.safetensors")) == 0)
        let found = try array("output", "third.\(ending)").values
        #expect(RecurrentStreamTests.relativeError(found, Array(whole.outputs[36...])) < 1e-4)
    }

    @Test func lengthsMayBeStoredAsFloatingPoint() throws {
        let network = StateTests.network(.lstm(), nil)
        try network.write(to: folder.path("model"))
        let (input, lengths) = (CellTests.random(6 * 5 * 3, 3), [6, 2, 3, 1, 5])
        let expected = network.run(input, steps: 6, batch: 5, lengths: lengths)
        let x = (name: "input", shape: [6, 5, 3], values: input)
        for (name, bytes) in [
            ("i.npz", NumPyArchive.serialize([x], integers: [("lengths", [5], lengths)])),
            ("i.safetensors", SafeTensors.serialize([x], integers: [("lengths", [5], lengths)])),
            ("f.npz", NumPyArchive.serialize([x, ("lengths", [5], lengths.map { Float($0) })])),
            ("f.safetensors", SafeTensors.serialize([x, ("lengths", [5], lengths.map { Float($0) })])),
        ] {
            try Files.writeAtomically(bytes, to: folder.path(name))
            #expect(run(name, "y") == 0)
            try expectSame(array("output", "y").values, expected.outputs, "\(name)")
            #expect(try array("c_n", "y").values == expected.state.memory, "\(name)")
        }
        try NumPyArchive.write([x, ("lengths", [5], [6, 2, 3, 1.5, 5])], to: folder.path("half.npz"))
        #expect(run("half.npz", "y") == 1)
    }

    @Test func statesThatDoNotFitAreRefused() throws {
        let cell = Cell.fastWeights(FastWeightsOptions(schedule: [.write, [], .read]))
        let network = StateTests.network(cell, nil)
        typealias Tensors = [(name: String, shape: [Int], values: [Float])]
        func zeros(_ name: String, _ shape: Int...) -> (name: String, shape: [Int], values: [Float]) {
            (name, shape, [Float](repeating: 0, count: shape.reduce(1, *)))
        }
        let (input, h, A) = (zeros("input", 2, 3, 3), zeros("h0", 2, 3, 9), zeros("A0", 2, 3, 9, 9))
        let step = (name: "step0", shape: [1], values: [2])
        /// What is said of an input, and of a state beside it.
        func problem(
            _ tensors: Tensors, steps: [(name: String, shape: [Int], values: [Int])] = [], state: [UInt8]? = nil,
            _ other: Network? = nil
        ) throws -> String {
            try Files.writeAtomically(SafeTensors.serialize(tensors, integers: steps), to: folder.path("in"))
            if let state { try Files.writeAtomically(state, to: folder.path("before")) }
            do {
                _ = try SequenceInput(
                    TensorFile(path: folder.path("in")), other ?? network, batchFirst: false,
                    goingOnFrom: state == nil ? nil : TensorFile(path: folder.path("before")))
                return "nothing"
            } catch { return "\(error)" }
        }
        #expect(try problem([input, h, A], steps: [step]) == "nothing")
        #expect(
            try problem([input, h, A]).contains("expected h0 and A0 and step0 together or none, found h0 and A0 alone")
        )
        #expect(try problem([input], steps: [step]).contains("found step0 alone"))
        #expect(
            try problem([input, h, A], steps: [("step0", [1], [-1])]).contains(
                "step0 should be one whole number from 0"))
        #expect(try problem([input, h, A], steps: [("step0", [2], [1, 2])]).contains("found [1, 2]"))
        #expect(try problem([input, h, A], steps: [("step0", [], [.max])]) == "nothing")
        #expect(
            try problem([input, zeros("h0", 2, 9), A], steps: [step]).contains("h0 should have the shape [2, 3, 9]"))
        // Of another kind of cell, which would be left out without a word.
        let gru = StateTests.network(.gru, nil)
        #expect(try problem([input, h], gru) == "nothing")
        #expect(try problem([input, h, A], gru).contains("the model's state is h0, found A0 of another kind"))
        #expect(try problem([input, h, zeros("c0", 2, 3, 9)], gru).contains("the model's state is h0, found c0 of"))
        #expect(try problem([input, h], steps: [step], gru).contains("the model's state is h0, found step0 of"))
        // A state file.
        func written(_ tensors: Tensors) -> [UInt8] {
            SafeTensors.serialize(tensors, integers: [("step_n", [1], [1])])
        }
        let (hn, An) = (zeros("h_n", 2, 3, 9), zeros("A_n", 2, 3, 9, 9))
        #expect(try problem([input], state: written([hn, An])) == "nothing")
        #expect(try problem([input, h, A], steps: [step], state: written([hn, An])).contains("give one of the two"))
        #expect(
            try problem([input], state: SafeTensors.serialize([h, A])).contains("expected h_n and A_n and step_n"))
        #expect(try problem([input], state: SafeTensors.serialize([hn, An])).contains("found h_n and A_n alone"))
        #expect(
            try problem([input], state: NumPyArray.serialize(shape: [1], values: [1])).contains("found none of them"))
        let bidirectional = Network(
            NetworkConfiguration.stack(.gru, input: 3, hidden: 9, layers: 2, isBidirectional: true), seed: 1)
        #expect(
            try problem([input], state: SafeTensors.serialize([zeros("h_n", 4, 3, 9)]), bidirectional).contains(
                "bidirectional model cannot go on"))
        #expect(try problem([input, zeros("h0", 4, 3, 9)], bidirectional) == "nothing")
    }
}
