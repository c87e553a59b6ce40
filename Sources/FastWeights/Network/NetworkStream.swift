/// One running sequence of a network: a step at a time through all layers, for as long as there is input.
///
///     let packed = try NetworkStream.Weights(network)            // once
///     let stream = NetworkStream(packed)                         // one per sequence, on any thread
///     stream.step(sample)                                        // N numbers
///     let y = stream.withOutput { y in y[0] }                    // what the last layer gives, in place
///
/// A step allocates nothing. One stream is not for two threads at once; many streams share their `Weights` without locks.
public final class NetworkStream {
    /// The weights that it shares with other streams.
    public let weights: Weights
    private let root: LayerStream
    let leaves: [LayerStream]
    private let width: Int
    private let columns: Int
    private let period: Int
    /// The phase of the next step in the network's schedule.
    private var phase = 0

    /// Input and layers of the network.
    public var configuration: NetworkConfiguration { weights.configuration }
    private var definition: NetworkDefinition { weights.configuration.definition }

    /// A stream from `state` of one sequence (nil is the zero state).
    public init(_ weights: Weights, state: NetworkState? = nil) {
        self.weights = weights
        let definition = weights.configuration.definition
        root = definition.root.stream(weights.root)
        leaves = root.leaves
        width = definition.output.count
        columns = definition.input.vocabulary ?? definition.input.count
        period = definition.period
        if let state { self.state = state } else { reset() }
    }

    /// A stream with a copy of the network's parameters as they are now. Throws `StreamError` when a layer cannot run a step
    /// at a time.
    public convenience init(_ network: Network, state: NetworkState? = nil) throws(StreamError) {
        self.init(try Weights(network), state: state)
    }

    /// Takes the next N numbers of the sequence. Traps on another count.
    @inline(__always)
    public func step(_ input: [Float]) {
        input.withUnsafeBufferPointer { advance($0) }
    }

    /// Takes the next N numbers of the sequence. Traps on another count.
    @inline(__always)
    public func step(_ input: Span<Float>) {
        input.withUnsafeBufferPointer { advance($0) }
    }

    /// Takes the next number of a sequence with N = 1. Traps on another N.
    @inline(__always)
    public func step(_ input: Float) {
        withUnsafePointer(to: input) { advance(UnsafeBufferPointer(start: $0, count: 1)) }
    }

    /// Takes the next token of the sequence: the bits of a step of numbers that are 0 but for a 1 at `token`, without the
    /// work of multiplying by the zeros. Traps unless the token is from 0 to V - 1.
    public func step(token: Int) {
        require(
            (0..<columns).contains(token), "a token of this stream is from 0 to \(columns - 1); \(token) was given")
        var four = SIMD4<Float>.zero
        withUnsafeMutablePointer(to: &four) { advance(ColumnNumbers(oneAt: token, of: columns, in: $0)) }
    }

    private func advance(_ input: UnsafeBufferPointer<Float>) {
        require(
            input.count == columns, "a step of this stream takes \(columns) numbers; \(input.count) were given")
        advance(ColumnNumbers(pointer: input.baseAddress!, count: input.count))
    }

    /// Runs sequence b of a batch and writes its outputs and last states.
    func run(_ b: Int, of arrays: BatchArrays) {
        let (shape, batch) = (arrays.shape, arrays.shape.batch)
        if let states = arrays.states {
            state = shape.state(states, sequence: b, step: arrays.step)
        }
        let (input, outputs, y) = (arrays.numbers.baseAddress, arrays.outputs, numbers(root.outputs))
        let isPerStep = definition.output.isPerStep
        for t in 0..<(shape.lengths?[b] ?? shape.steps) {
            let row = t &* batch &+ b
            if definition.takesTokens {
                step(token: Int(arrays.tokens.pointer[row]))
            } else {
                advance(ColumnNumbers(pointer: input! + row &* columns, count: columns))
            }
            if isPerStep { (outputs + row &* width).update(from: y, count: width) }
        }
        if !isPerStep { (outputs + b &* width).update(from: y, count: width) }
        for (part, target) in zip(state.parts, arrays.lastStates) {
            for (i, value) in part.values.enumerated() { target.pointer[b * part.values.count + i] = value }
        }
    }

    private func advance(_ x: ColumnNumbers) {
        root.step(x)
        phase = phase &+ 1 < period ? phase &+ 1 : 0
    }

    /// A copy of what the last step gave. A network that ends with one value a sequence gives what it would if the sequence
    /// ended here. Before the first step it is what follows from the state the stream began with: of recurrent layers h,
    /// and what the layers above make of it; 0 of a layer that needs an input too.
    public var output: [Float] { withOutput { $0.withUnsafeBufferPointer { Array($0) } } }

    /// Calls `body` with what the last step gave, in place.
    public func withOutput<Result, Failure>(
        _ body: (Span<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeBufferPointer(start: numbers(root.outputs), count: width).span)
    }

    /// Copies what the last step gave into `target` without making an array. Traps unless it has room for exactly that
    /// many numbers.
    public func copyOutput(into target: inout [Float]) {
        require(
            target.count == width, "the output has \(width) numbers; the array to copy it into has \(target.count)")
        let source = numbers(root.outputs)
        target.withUnsafeMutableBufferPointer { $0.baseAddress!.update(from: source, count: width) }
    }

    /// The state of the sequence, with which another stream or `Network.run` of one sequence goes on. Once set, the output is
    /// that of the state, as before the first step. Setting traps on arrays of other sizes.
    public var state: NetworkState {
        get {
            var parts: [NetworkState.Part] = []
            for (number, leaf) in leaves.enumerated() {
                let values = leaf.state
                for own in definition.states where own.leaf == number {
                    parts.append(
                        NetworkState.Part(
                            name: own.part.name, shape: [1] + own.part.sizes, values: values[own.index]))
                }
            }
            return NetworkState(parts: parts, step: phase)
        }
        set {
            BatchShape(definition, steps: 1, batch: 1, lengths: nil).check(state: newValue)
            phase = newValue.phase(in: period)
            let layers = definition.root.leaves
            for (number, leaf) in leaves.enumerated() {
                let own = definition.states.indices.filter { definition.states[$0].leaf == number }
                if !own.isEmpty { leaf.state = own.map { newValue.parts[$0].values } }
                leaf.phase = phase % layers[number].period
            }
            showState()
        }
    }

    /// Another stream of the same network in the same state and with the same output, which from now on goes its own way.
    public func copy() -> NetworkStream {
        let copy = NetworkStream(weights)
        copy.root.takeOver(root)
        copy.phase = phase
        return copy
    }

    /// Begins a new sequence from the zero state.
    public func reset() {
        root.reset()
        phase = 0
        showState()
    }

    /// Makes the output that which follows from the state, or 0.
    private func showState() { if !root.showState() { root.clearOutput() } }
}

extension NetworkStream {
    /// A network's parameters as they were when this was made, laid out for streams: any number of them, on any threads.
    public final class Weights: @unchecked Sendable {
        /// Input and layers of the network.
        public let configuration: NetworkConfiguration
        /// How many bits are kept of each weight.
        public let precision: WeightPrecision
        let root: LayerStreamWeights

        /// Copies the parameters as they are now; later changes of them do not reach the streams. Throws `StreamError`
        /// when a layer cannot run a step at a time, or when a number of a matrix is too large for the precision.
        ///
        /// With a `precision` of half width the matrices of dense and recurrent layers, which a step reads from the first
        /// number to the last, take half the memory, and a step that waits for it takes little more than half the time. All
        /// else stays as it is: biases, norms, embeddings, convolutions, the fast matrix, states, and the sums.
        public convenience init(_ network: Network, precision: WeightPrecision = .float32) throws(StreamError) {
            let (configuration, layers) = (network.configuration, network.definition.root.children)
            if let reversed = layers.firstIndex(where: { $0.isReversed }) {
                // An embedding that is but a table of the layer above it is none of them.
                let layer = reversed + configuration.layers.count - layers.count
                throw StreamError(
                    description:
                        "layer \(layer), \(configuration.layers[layer].kind.name), reads its sequences backwards "
                        + "too, from an end that a stream does not know; run the network over whole sequences")
            }
            if let problem = Self.problem(network.parameters, network.definition.root.streamMatrices, precision) {
                throw StreamError(description: problem)
            }
            self.init(steppable: network, precision: precision)
        }

        /// Where a finite number would become infinite; nil where none would.
        private static func problem(
            _ parameters: Parameters, _ matrices: [Parameter], _ precision: WeightPrecision
        ) -> String? {
            for window in parameters.layout.windows where matrices.contains(where: { $0.offset == window.offset }) {
                for i in 0..<window.count {
                    let x = parameters.pointer[window.offset + i]
                    guard x.isFinite, !precision.rounded(x).isFinite else { continue }
                    let columns = window.shape[window.shape.count - 1]
                    return "\(window.name) has at \([i / columns, i % columns].text) a number that "
                        + "\(precision.rawValue) cannot hold, whose largest is \(precision.largest); "
                        + "take a precision of more range, as float32"
                }
            }
            return nil
        }

        /// The same of a network whose layers can all run a step at a time.
        init(steppable network: Network, precision: WeightPrecision = .float32) {
            (configuration, self.precision) = (network.configuration, precision)
            let copy = Parameters(network.parameters.layout)
            copy.copy(from: network.parameters)
            let weights = network.definition.weights(copy)
            weights.pack()
            root = network.definition.root.streamWeights(weights.root, precision)
        }

        /// Runs `input`, [T, B, N], as ``Network/run(_:steps:batch:lengths:state:threads:)`` does, but with these
        /// weights, and any number of sequences one by one: each with the bits of its stream. Traps on arrays of other
        /// sizes.
        ///
        /// Of more than four sequences, sixteen side by side in float32 take less time.
        public func run(
            _ input: [Float], steps: Int, batch: Int, lengths: [Int]? = nil, state: NetworkState? = nil,
            threads: Int = 1
        ) -> (outputs: [Float], state: NetworkState) {
            let shape = BatchShape(configuration.definition, steps: steps, batch: batch, lengths: lengths)
            shape.check(input: input)
            shape.check(state: state)
            return BatchArrays.run(shape, numbers: input, state) { run($0, threads) }
        }

        /// The same of tokens, [T, B]. Traps also on a token outside of the vocabulary.
        public func run(
            tokens: [Int], steps: Int, batch: Int, lengths: [Int]? = nil, state: NetworkState? = nil, threads: Int = 1
        ) -> (outputs: [Float], state: NetworkState) {
            let shape = BatchShape(configuration.definition, steps: steps, batch: batch, lengths: lengths)
            shape.check(tokens: tokens)
            shape.check(state: state)
            return BatchArrays.run(shape, tokens: tokens, state) { run($0, threads) }
        }

        func run(_ arrays: BatchArrays, _ threads: Int) {
            ParallelLoop.run(arrays.shape.batch, threads: threads) { NetworkStream(self).run($0, of: arrays) }
        }
    }
}

/// A network that cannot run a step at a time, with the layer that cannot, or not with weights of the precision asked
/// for, with the parameter.
public struct StreamError: Error, CustomStringConvertible, Equatable {
    /// The sentence that says so.
    public let description: String
}
