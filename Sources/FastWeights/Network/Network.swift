/// What a network reads at every step.
public enum NetworkInput: Sendable, Equatable {
    /// So many numbers.
    case numbers(Int)
    /// A token below this number, at most 65,536.
    case tokens(Int)
    /// Maps of numbers, channel by channel and row by row.
    case maps(channels: Int, height: Int, width: Int)
}

/// A network: what it reads, and its layers, one on the other.
///
///     let configuration = NetworkConfiguration(.numbers(3), [.lstm(64), .lstm(32), .lastStep, .dense(5)])
///     let network = Network(configuration, seed: 1)
public struct NetworkConfiguration: Sendable, Equatable {
    /// What it reads at every step.
    public let input: NetworkInput
    let named: [NamedLayer]
    let definition: NetworkDefinition

    /// The layers, the first reads the input.
    public var layers: [Layer] { named.map { $0.layer } }

    /// Layers whose parameters are named by their indices, as in PyTorch's `nn.Sequential`: `0.weight_ih_l0`, `3.bias`. Traps
    /// on a layer that cannot read what the one below gives, with a sentence that names it.
    public init(_ input: NetworkInput, _ layers: [Layer]) { self.init(input, NamedLayer.list(layers)) }

    init(_ input: NetworkInput, _ named: [NamedLayer]) {
        do { try self.init(checking: input, named) } catch { misuse(error.sentence) }
    }

    init(checking input: NetworkInput, _ named: [NamedLayer]) throws(LayerProblem) {
        (self.input, self.named) = (input, named)
        definition = try NetworkDefinition(try input.shape(), named)
    }

    /// Where each parameter lies, by name.
    public var layout: Parameters.Layout { definition.layout }

    /// The sizes of what it gives: [T, B, N], or [B, N] of a network that ends with one value a sequence.
    public func outputSizes(steps: Int, batch: Int) -> [Int] {
        (definition.output.isPerStep ? [steps] : []) + [batch, definition.output.count]
    }

    /// Whether input and layers are the same.
    public static func == (a: NetworkConfiguration, b: NetworkConfiguration) -> Bool {
        a.input == b.input && a.named == b.named
    }
}

extension NetworkInput {
    /// Throws on sizes that cannot be.
    func shape() throws(LayerProblem) -> LayerShape {
        switch self {
        case .numbers(let count):
            guard (1...sizeLimit).contains(count) else {
                throw LayerProblem(sentence: "a network reads from 1 to \(sizeLimit) numbers a step, found \(count)")
            }
            return .vector(count)
        case .tokens(let count):
            guard (1...1 << 16).contains(count) else {
                throw LayerProblem(sentence: "a network reads from 1 to \(1 << 16) tokens, found \(count)")
            }
            return LayerShape(values: .tokens(count))
        case .maps(let channels, let height, let width):
            let limit = 1 << 14
            guard [channels, height, width].allSatisfy({ (1...limit).contains($0) }),
                channels * height * width <= PlacedList.numbersLimit
            else {
                throw LayerProblem(
                    sentence:
                        "a network reads maps of 1 to \(limit) channels, rows and columns, at most \(PlacedList.numbersLimit) numbers in all, found \(channels), \(height) and \(width)"
                )
            }
            return LayerShape(values: .numbers(MapShape(channels: channels, height: height, width: width)))
        }
    }
}

/// A network with its parameters: maps sequences to outputs, from any number of threads at once.
///
///     let network = Network(NetworkConfiguration(.numbers(3), [.gru(64), .lastStep, .dense(5)]), seed: 1)
///     let (y, state) = network.run(input, steps: T, batch: B)                        // [T, B, N] → [B, 5]
///
/// A run has working memory of its own, so runs, streams and passes share the network without locks. Only who changes
/// `parameters` must see to it that nobody reads them meanwhile.
public final class Network: Sendable {
    /// Input and layers.
    public let configuration: NetworkConfiguration
    /// All parameters in one block; see `NetworkConfiguration.layout`.
    public let parameters: Parameters
    /// The names of its classes, one for each number that it gives; they go into its file. Empty of a network without.
    public let labels: [String]

    var definition: NetworkDefinition { configuration.definition }

    /// A network with first values as its kinds of layer say. The same seed gives the same numbers. Traps unless there is a
    /// label for each number that it gives, or none.
    public init(_ configuration: NetworkConfiguration, seed: UInt64, labels: [String] = []) {
        if let problem = Self.problem(labels, configuration) { misuse(problem) }
        (self.configuration, self.labels) = (configuration, labels)
        parameters = Parameters(configuration.layout)
        configuration.definition.scope.initialize(parameters, seed: seed)
    }

    /// A network of these parameters, which must have the configuration's layout.
    init(_ configuration: NetworkConfiguration, parameters: Parameters, labels: [String] = []) {
        require(parameters.layout == configuration.layout, "the parameters are of another network")
        (self.configuration, self.parameters, self.labels) = (configuration, parameters, labels)
    }

    /// Why these cannot be the labels of such a network; nil if they can.
    static func problem(_ labels: [String], _ configuration: NetworkConfiguration) -> String? {
        let count = configuration.definition.output.count
        return labels.isEmpty || labels.count == count
            ? nil : "a network that gives \(count) numbers has as many labels; \(labels.count) were given"
    }

    /// The same parameters over tokens, or over numbers that are 0 but for a 1 at a token's index: nil where the first layer
    /// cannot read them.
    public func reading(tokens: Bool) -> Network? {
        let shape = configuration.definition.input
        if (shape.vocabulary != nil) == tokens { return self }
        let size = shape.vocabulary ?? shape.count
        let input = tokens ? NetworkInput.tokens(size) : .numbers(size)
        guard let other = try? NetworkConfiguration(checking: input, configuration.named),
            other.layout == configuration.layout
        else { return nil }
        return Network(other, parameters: parameters, labels: labels)
    }

    /// Runs `input`, [T, B, N], from `state` (nil is the zero state), and returns what the last layer gives, [T, B, N] or of
    /// a network that ends with one value a sequence [B, N], and the last states, from which a later run goes on unless a
    /// layer reads backwards.
    ///
    /// - Parameters:
    ///   - input: The sequences, [T, B, N].
    ///   - steps: T, steps of the longest sequence.
    ///   - batch: B, sequences.
    ///   - lengths: Steps of each sequence, 1 to T; nil where all have T. What stands behind a sequence's end is not read;
    ///     outputs there are zero, and its last state is the one at its own end. A reversed layer begins there.
    ///   - state: The state to begin from.
    ///   - threads: At most so many cores work, sixteen sequences each, or of up to four sequences one each; the bits do not
    ///     depend on it.
    ///
    /// Up to four sequences of at least sixteen steps are stepped through one by one, as a `NetworkStream` does, unless a
    /// layer reads backwards: their numbers differ by rounding from those of the same sequences in a larger batch. With
    /// weights of half width ``NetworkStream/Weights/run(_:steps:batch:lengths:state:threads:)`` does so.
    ///
    /// Dropout never acts here. Traps on arrays of other sizes. The working memory is that of some steps, or of all where a
    /// layer reads backwards.
    public func run(
        _ input: [Float], steps: Int, batch: Int, lengths: [Int]? = nil, state: NetworkState? = nil, threads: Int = 1
    ) -> (outputs: [Float], state: NetworkState) {
        let shape = BatchShape(definition, steps: steps, batch: batch, lengths: lengths)
        shape.check(input: input)
        shape.check(state: state)
        return BatchArrays.run(shape, numbers: input, state) { run($0, threads) }
    }

    /// The same of tokens, [T, B]. Traps also on a token outside of the vocabulary.
    public func run(
        tokens: [Int], steps: Int, batch: Int, lengths: [Int]? = nil, state: NetworkState? = nil, threads: Int = 1
    ) -> (outputs: [Float], state: NetworkState) {
        let shape = BatchShape(definition, steps: steps, batch: batch, lengths: lengths)
        shape.check(tokens: tokens)
        shape.check(state: state)
        return BatchArrays.run(shape, tokens: tokens, state) { run($0, threads) }
    }

    private func run(_ arrays: BatchArrays, _ threads: Int) {
        if arrays.shape.isOfStreams {
            return NetworkStream.Weights(steppable: self).run(arrays, threads)
        }
        let weights = definition.weights(parameters)
        weights.pack()
        let blocks = arrays.shape.blocks
        let window = definition.root.isReversed ? blocks[0].steps : min(blocks[0].steps, ParallelInference.window)
        // Each thread has a pass of its own: of W, thread w takes every W-th block from the one of its number on.
        let workers = min(threads, blocks.count)
        ParallelLoop.run(workers, threads: threads) { w in
            let pass = BlockPass(weights, steps: window, trains: false)
            for b in stride(from: w, to: blocks.count, by: workers) {
                // Window by window, each from the states the one before has left.
                for first in stride(from: 0, to: blocks[b].steps, by: window) {
                    let part = LaneBlock(windowOf: blocks[b], from: first, steps: window)
                    let goesOn = first + window < blocks[b].steps
                    pass.forward(
                        Run(block: part, firstStep: arrays.step + first, goesOn: goesOn), arrays, from: first)
                }
            }
        }
    }
}
