/// The state of a batch of sequences between two runs of a network.
public struct NetworkState: Sendable, Equatable {
    /// A part of a layer's state: h of a recurrent layer, c of an LSTM.
    public struct Part: Sendable, Equatable {
        /// The layer's name and the part's, as `0.h_l0`.
        public let name: String
        /// [B, …].
        public let shape: [Int]
        /// The numbers, row-major.
        public var values: [Float]
    }

    /// The parts, layer by layer.
    public var parts: [Part]
    /// The phase of the next step in the schedule of fast weights that have one; otherwise 0. All sequences have taken as
    /// many steps.
    public var step = 0

    /// The phase of the next step in a schedule of `period` steps. Traps on a step below 0.
    func phase(in period: Int) -> Int {
        require(step >= 0, "a state's step is at least 0, found \(step)")
        return step % period
    }
}

extension NetworkConfiguration {
    /// The zero state of B sequences: the parts that a state has, to put numbers into. Traps on a batch below 1.
    public func zeroState(batch: Int) -> NetworkState {
        require(batch > 0, "a state is of at least 1 sequence, found \(batch)")
        return NetworkState(
            parts: definition.states.map { own in
                let shape = [batch] + own.part.sizes
                return NetworkState.Part(
                    name: own.part.name, shape: shape, values: [Float](repeating: 0, count: shape.reduce(1, *)))
            })
    }
}

/// The sizes of a batch, checked against the arrays that were given with it.
struct BatchShape {
    let definition: NetworkDefinition
    let steps: Int
    let batch: Int
    let lengths: [Int]?

    /// Traps on sizes below 1, and on lengths that are not one from 1 to T for each sequence.
    init(_ definition: NetworkDefinition, steps: Int, batch: Int, lengths: [Int]?) {
        require(steps > 0 && batch > 0, "a run needs at least 1 step and 1 sequence, found \(steps) and \(batch)")
        if let lengths {
            require(
                lengths.count == batch, "\(batch) sequences need \(batch) lengths; \(lengths.count) were given")
            for (b, length) in lengths.enumerated() where !(1...steps).contains(length) {
                misuse(
                    "sequence \(b) has the length \(length); a batch of \(steps) steps allows 1 to \(steps)")
            }
            // Their states would stand at different phases of the schedule.
            require(
                definition.period == 1 || lengths.allSatisfy { $0 == lengths[0] },
                "fast weights with a schedule of \(definition.period) steps run sequences of one length; "
                    + "the lengths given are \(lengths.text)")
        }
        (self.definition, self.steps, self.batch, self.lengths) = (definition, steps, batch, lengths)
    }

    var inputCount: Int { steps * batch * definition.input.count }
    var outputSizes: [Int] {
        (definition.output.isPerStep ? [steps] : []) + [batch, definition.output.count]
    }
    var outputCount: Int { elementCount(outputSizes) ?? .max }

    /// The sequences in blocks of lanes. The fast weights need blocks of one length.
    var blocks: [LaneBlock] {
        LaneBlock.deal(
            batch: batch, steps: steps, lengths: lengths, equalLengths: definition.root.prefersWhole)
    }

    func check(input: [Float]) {
        require(!definition.takesTokens, "the network reads \(definition.input.text); numbers were given")
        require(input.count, fits: [steps, batch, definition.input.count], "the input")
    }

    func check(tokens: [Int]) {
        guard let count = definition.input.vocabulary else {
            misuse("the network reads \(definition.input.text); tokens were given")
        }
        require(tokens.count, fits: [steps, batch], "the array of tokens")
        for (i, token) in tokens.enumerated() where !(0..<count).contains(token) {
            let (t, b) = (i / batch, i % batch)
            if t < lengths?[b] ?? steps {
                misuse(
                    "the token of step \(t) of sequence \(b) is \(token); the network has the tokens 0 to \(count - 1)")
            }
        }
    }

    func check(outputGradient: [Float]) {
        require(outputGradient.count, fits: outputSizes, "the gradient of the outputs")
    }

    func check(state: NetworkState?) {
        guard let state else { return }
        _ = state.phase(in: definition.period)
        require(
            state.parts.count == definition.states.count,
            "the network's state has \(definition.states.count) parts; \(state.parts.count) were given")
        for (found, own) in zip(state.parts, definition.states) {
            require(
                found.values.count, fits: [batch] + own.part.sizes, "the state's part \(own.part.name)")
        }
    }

    /// Whether the sequences run one by one: up to four of them take longer side by side in sixteen lanes than one after
    /// another, each over the whole width of a vector, if they are long enough for their weights to be laid out for that.
    var isOfStreams: Bool {
        batch <= 4 && steps >= 16 && !definition.states.isEmpty && !definition.root.isReversed
            && !(definition.root.prefersLanes && batch > 1)
    }

    /// The state of one of the sequences in `values`.
    func state(_ values: [Buffer<Float>], sequence b: Int, step: Int) -> NetworkState {
        NetworkState(
            parts: zip(definition.states, values).map { own, values in
                let count = own.part.count
                return NetworkState.Part(
                    name: own.part.name, shape: [1] + own.part.sizes,
                    values: (0..<count).map { values.pointer[b * count + $0] })
            }, step: step)
    }

    /// A state of the numbers of each part.
    func state(_ values: [Buffer<Float>], step: Int = 0) -> NetworkState {
        NetworkState(
            parts: zip(definition.states, values).map { own, values in
                NetworkState.Part(name: own.part.name, shape: [batch] + own.part.sizes, values: values.array)
            }, step: step)
    }
}
