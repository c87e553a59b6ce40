import FastWeights

/// Arrays, states and parameters of other sizes than a network has.
extension Case {
    private static var network: Network { Network(NetworkConfiguration(.numbers(2), [.gru(3)]), seed: 1) }

    private static var tokens: Network { Network(NetworkConfiguration(.tokens(5), [.gru(3)]), seed: 1) }

    private static var scheduled: Network {
        let layer = Layer.fastWeights(2, FastWeightsOptions(schedule: [.usual, .read]))
        return Network(NetworkConfiguration(.numbers(1), [layer]), seed: 1)
    }

    /// The zero state of `network` with other numbers of h.
    private static func state(hidden: [Float]) -> NetworkState {
        var state = network.configuration.zeroState(batch: 1)
        state.parts[0].values = hidden
        return state
    }

    private static func half(_ network: Network) throws -> NetworkStream.Weights {
        try NetworkStream.Weights(network, precision: .float16)
    }

    private static func step(_ body: (NetworkStream) throws -> Void) throws { try body(NetworkStream(network)) }

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
            tokens.run(tokens: [0], steps: .max, batch: 2)),
        Case(
            "tokens-of-numbers", "the network reads 2 numbers per step; tokens were given",
            network.run(tokens: [0], steps: 1, batch: 1)),
        Case(
            "numbers-of-tokens", "the network reads one of 5 tokens per step; numbers were given",
            tokens.run([0, 1], steps: 2, batch: 1)),
        Case(
            "token-of-run", "the token of step 0 of sequence 1 is 5; the network has the tokens 0 to 4",
            tokens.run(tokens: [1, 5], steps: 1, batch: 2)),
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
            "state-count", "the state's part 0.h_l0 of shape [1, 3] has 3 numbers; 2 were given",
            network.run([1, 2], steps: 1, batch: 1, state: state(hidden: [1, 2]))),
        Case(
            "state-parts", "the network's state has 1 parts; 2 were given",
            network.run([1, 2], steps: 1, batch: 1, state: scheduled.configuration.zeroState(batch: 1))),
        Case("state-batch", "a state is of at least 1 sequence, found 0", network.configuration.zeroState(batch: 0)),
        Case(
            "state-step", "a state's step is at least 0, found -1",
            doing: {
                var state = scheduled.configuration.zeroState(batch: 1)
                state.step = -1
                _ = scheduled.run([1], steps: 1, batch: 1, state: state)
            }),
        Case(
            "no-threads", "work is done on 1 to 1024 threads, found 0",
            network.run([1, 2], steps: 1, batch: 1, threads: 0)),
        Case(
            "half-input", "the input of shape [1, 1, 2] has 2 numbers; 3 were given",
            try half(network).run([1, 2, 3], steps: 1, batch: 1)),
        Case(
            "half-tokens", "the network reads 2 numbers per step; tokens were given",
            try half(network).run(tokens: [0], steps: 1, batch: 1)),
        Case(
            "half-token", "the token of step 1 of sequence 0 is -1; the network has the tokens 0 to 4",
            try half(tokens).run(tokens: [1, -1], steps: 2, batch: 1)),
        Case(
            "half-lengths", "2 sequences need 2 lengths; 1 were given",
            try half(network).run([1, 2, 3, 4], steps: 1, batch: 2, lengths: [1])),
        Case(
            "half-state", "the state's part 0.h_l0 of shape [1, 3] has 3 numbers; 2 were given",
            try half(network).run([1, 2], steps: 1, batch: 1, state: state(hidden: [1, 2]))),
        Case(
            "half-threads", "work is done on 1 to 1024 threads, found 0",
            try half(network).run([1, 2], steps: 1, batch: 1, threads: 0)),
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
        Case(
            "pass-input", "the input of shape [1, 1, 2] has 2 numbers; 1 were given",
            NetworkPass(network).forward([1], steps: 1, batch: 1)),
        Case("step-empty", "a step of this stream takes 2 numbers; 0 were given", try step { $0.step([]) }),
        Case("step-one", "a step of this stream takes 2 numbers; 1 were given", try step { $0.step(0.5) }),
        Case("step-token", "a token of this stream is from 0 to 1; 2 was given", try step { $0.step(token: 2) }),
        Case(
            "output-array", "the output has 3 numbers; the array to copy it into has 2",
            try step {
                var target: [Float] = [0, 0]
                $0.copyOutput(into: &target)
            }),
        Case(
            "stream-state", "the state's part 0.h_l0 of shape [1, 3] has 3 numbers; 1 were given",
            try step { $0.state = state(hidden: [1]) }),
        Case(
            "parameter-name",
            "no parameter is named weight_ih; there are 0.weight_ih_l0, 0.weight_hh_l0, 0.bias_ih_l0, 0.bias_hh_l0",
            network.parameters["weight_ih"]),
        Case(
            "parameter-count", "the parameter 0.bias_ih_l0 of shape [9] has 9 numbers; 1 were given",
            network.parameters["0.bias_ih_l0"] = [1]),
        Case(
            "parameters-copied",
            "parameters can only be copied from a block of the same layout: here are none, there 0.weight_ih_l0 [9, 2], 0.weight_hh_l0 [9, 3], 0.bias_ih_l0 [9], 0.bias_hh_l0 [9]",
            Parameters(Parameters.Layout()).copy(from: network.parameters)),
        Case(
            "parameter-twice", "two parameters are named w",
            doing: {
                var layout = Parameters.Layout()
                for _ in 0..<2 { layout.append("w", 2) }
            }),
        Case(
            "parameter-negative",
            "the parameter w has the shape [-1, 2]; sizes are at least 0, and memory must hold all numbers",
            doing: {
                var layout = Parameters.Layout()
                layout.append("w", -1, 2)
            }),
        Case(
            "parameter-too-large",
            "the parameter w has the shape [\(1 << 40), \(1 << 40)]; sizes are at least 0, and memory must hold all numbers",
            doing: {
                var layout = Parameters.Layout()
                layout.append("w", 1 << 40, 1 << 40)
            }),
    ]
}
