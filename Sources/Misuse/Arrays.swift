import FastWeights

/// Arrays, states and parameters of other sizes than a network has.
extension Case {
    private static var network: RecurrentNetwork {
        RecurrentNetwork(RecurrentNetworkConfiguration(.gru, input: 2, hidden: 3), seed: 1)
    }

    private static var scheduled: RecurrentNetwork {
        let cell = Cell.fastWeights(FastWeightsOptions(schedule: [.usual, .read]))
        return RecurrentNetwork(RecurrentNetworkConfiguration(cell, input: 1, hidden: 2), seed: 1)
    }

    private static var bidirectional: RecurrentNetwork {
        RecurrentNetwork(RecurrentNetworkConfiguration(.gru, input: 2, hidden: 3, bidirectional: true), seed: 1)
    }

    private static func step(_ body: (NetworkStream) -> Void) { body(NetworkStream(network)) }

    static let arrays: [Case] = [
        Case(
            "input-count", "the input of shape [1, 1, 2] has 2 numbers; 3 were given",
            network.run([1, 2, 3], steps: 1, batch: 1)),
        Case(
            "input-too-large",
            "the input has the shape [\(Int.max), 2, 2]; sizes are at least 0, and their product is at most \(Int.max)",
            network.run([1, 2], steps: .max, batch: 2)),
        Case(
            "tokens-too-many",
            "the array of tokens has the shape [\(Int.max), 2]; sizes are at least 0, and their product is at most \(Int.max)",
            network.run(tokens: [0], steps: .max, batch: 2)),
        Case(
            "no-steps", "a run needs at least 1 step and 1 sequence, found 0 and 1",
            network.run([], steps: 0, batch: 1)),
        Case(
            "lengths-count", "2 sequences need 2 lengths; 1 were given",
            network.run([1, 2, 3, 4], steps: 1, batch: 2, lengths: [1])),
        Case(
            "length-too-long", "sequence 0 has the length 2; a batch of 1 steps allows 1 to 1",
            network.run([1, 2], steps: 1, batch: 1, lengths: [2])),
        Case(
            "lengths-with-schedule",
            "fast weights with a schedule of 2 steps run sequences of one length; the lengths given are [1, 2]",
            scheduled.run([1, 2, 3, 4], steps: 2, batch: 2, lengths: [1, 2])),
        Case(
            "state-count",
            "the state of 1 sequences and 1 cells has 3 numbers of h and 0 of memory; 2 and 0 were given",
            network.run([1, 2], steps: 1, batch: 1, state: CellState(hidden: [1, 2]))),
        Case(
            "state-step", "a state's step is at least 0, found -1", CellState(hidden: [], step: -1)),
        Case(
            "state-step-changed", "a state's step is at least 0, found -1",
            doing: {
                var state = CellState(hidden: [0, 0], memory: [0, 0, 0, 0])
                state.step = -1
                _ = scheduled.run([1], steps: 1, batch: 1, state: state)
            }),
        Case(
            "no-threads", "work is done on 1 to 1024 threads, found 0",
            network.run([1, 2], steps: 1, batch: 1, threads: 0)),
        Case(
            "backward-first", "a backward pass needs a forward pass before it, each one of its own",
            NetworkPass(network).backward([1, 2, 3])),
        Case(
            "backward-twice", "a backward pass needs a forward pass before it, each one of its own",
            doing: {
                let pass = NetworkPass(network)
                _ = pass.forward([1, 2], steps: 1, batch: 1)
                for _ in 0..<2 { _ = pass.backward([1, 2, 3]) }
            }),
        Case(
            "backward-count", "the gradient of the outputs of shape [1, 1, 3] has 3 numbers; 2 were given",
            doing: {
                let pass = NetworkPass(network)
                _ = pass.forward([1, 2], steps: 1, batch: 1)
                _ = pass.backward([1, 2])
            }),
        Case("step-empty", "a step of this stream takes 2 numbers; 0 were given", step { $0.step([]) }),
        Case("step-one", "a step of this stream takes 2 numbers; 1 were given", step { $0.step(0.5) }),
        Case("step-token", "a token of this stream is from 0 to 1; 2 was given", step { $0.step(token: 2) }),
        Case(
            "output-array", "the output has 3 numbers; the array to copy it into has 2",
            step {
                var target: [Float] = [0, 0]
                $0.copyOutput(into: &target)
            }),
        Case(
            "stream-state",
            "the state of one sequence in 1 layers has 3 numbers of h and 0 of memory; 1 and 0 were given",
            step { $0.state = CellState(hidden: [1]) }),
        Case(
            "stream-bidirectional",
            "a stream runs forwards only, and this network is bidirectional; run it over whole sequences",
            NetworkStream(bidirectional)),
        Case(
            "layer-input", "the input of shape [1, 1, 2] has 2 numbers; 1 were given",
            RecurrentLayer(CellConfiguration(.gru, input: 2, hidden: 3), seed: 1).forward([1], steps: 1, batch: 1)),
        Case(
            "cell-hidden-array", "h has 3 numbers; the array to copy it into has 0",
            doing: {
                var target: [Float] = []
                RecurrentStream(RecurrentLayer(CellConfiguration(.gru, input: 2, hidden: 3), seed: 1))
                    .copyHidden(into: &target)
            }),
        Case(
            "parameter-name",
            "no parameter is named weight_ih; there are weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0",
            network.parameters["weight_ih"]),
        Case(
            "parameter-count", "the parameter bias_ih_l0 of shape [9] has 9 numbers; 1 were given",
            network.parameters["bias_ih_l0"] = [1]),
        Case(
            "parameters-copied",
            "parameters can only be copied from a block of the same layout: here are none, there weight_ih_l0 [9, 2], weight_hh_l0 [9, 3], bias_ih_l0 [9], bias_hh_l0 [9]",
            Parameters(ParameterLayout()).copy(from: network.parameters)),
        Case(
            "parameter-twice", "two parameters are named w",
            doing: {
                var layout = ParameterLayout()
                for _ in 0..<2 { layout.append("w", 2) }
            }),
        Case(
            "parameter-negative",
            "the parameter w has the shape [-1, 2]; sizes are at least 0, and memory must hold all numbers",
            doing: {
                var layout = ParameterLayout()
                layout.append("w", -1, 2)
            }),
        Case(
            "parameter-too-large",
            "the parameter w has the shape [\(1 << 40), \(1 << 40)]; sizes are at least 0, and memory must hold all numbers",
            doing: {
                var layout = ParameterLayout()
                layout.append("w", 1 << 40, 1 << 40)
            }),
    ]
}
