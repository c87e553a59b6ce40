@testable import FastWeights

/// A network of one to six layers with sequences for it, all drawn by a seed.
struct RandomNetwork {
    let name: String
    let network: Network
    let steps: Int
    let batch: Int
    let lengths: [Int]?
    /// [T, B, N]; of tokens 0 but for a 1.
    let numbers: [Float]
    let tokens: [Int]?
    let start: NetworkState?
    let seed: UInt64
    /// Whether fast weights hold their matrix in a form that files do not tell.
    private(set) var hasOwnForm = false

    var definition: NetworkDefinition { network.definition }
    var columns: Int { definition.input.vocabulary ?? definition.input.count }
    var width: Int { definition.output.count }
    /// Rows of output of a sequence.
    func outputRows(_ b: Int) -> Int { definition.output.isPerStep ? lengths?[b] ?? steps : 1 }

    /// Layers that share memory or work with those beside them in ways of their own, which chance seldom brings together.
    static let pairs: [(input: NetworkInput, layers: [Layer])] = [
        (.tokens(5), [.embedding(3), .bidirectional(.lstm(3)), .lastStep]),
        (.tokens(7), [.embedding(4), .stack(.gru(2), layers: 2, isBidirectional: true), .mean, .softmax]),
        (.tokens(3), [.embedding(5), .fastWeights(3), .dense(2)]),
        (.numbers(3), [.dense(4), .bidirectional(.gru(3))]),
        (.numbers(3), [.dense(5), .convolution(2, size: 1, activation: .tanh)]),
        (.numbers(3), [.dense(5), .maxPool(size: 1), .residual([.dense(5)])]),
        (
            .maps(channels: 2, height: 3, width: 4),
            [
                .convolutionalLSTM(3, kernel: MapSize(1, 3), ConvolutionalLSTMOptions(hasPeepholes: true)),
                .convolutionalGRU(2, kernel: 3), .convolutionalGRU(1, kernel: 1, resetsFirst: true),
            ]
        ),
        (
            .maps(channels: 1, height: 4, width: 3),
            [
                .convolution(2, kernel: 3, stride: 2, padding: .same, activation: .tanh),
                .residual([.convolutionalLSTM(2, kernel: 1)]), .layerNorm(epsilon: 0.1, isPerChannel: true),
                .transposedConvolution(3, kernel: MapSize(2, 3), stride: 2, padding: .same, activation: .sigmoid),
                .mean,
            ]
        ),
        (.maps(channels: 2, height: 3, width: 2), [.flatten, .bidirectional(.rnn(3)), .flatten, .lastStep]),
        (.maps(channels: 2, height: 3, width: 2), [.flatten, .residual([.bidirectional(.gru(6))]), .lastStep]),
        (
            .numbers(2),
            [
                .fastWeights(3, FastWeightsOptions(activation: .tanh, schedule: [.usual, [.write, .clear], .read])),
                .gru(2),
                .fastWeights(4, FastWeightsOptions(activation: .tanh, schedule: [.usual, .read])),
            ]
        ),
    ]

    /// All of the pairs, then lists that are drawn.
    init(_ number: Int) {
        let seed = UInt64(number)
        var generator = LayerGenerator(seed: seed)
        let isLong = number % 25 == 16
        let configuration =
            number < Self.pairs.count
            ? NetworkConfiguration(Self.pairs[number].input, Self.pairs[number].layers)
            : generator.configuration(layers: 1 + generator.random.below(isLong ? 2 : 6))
        self.seed = seed
        var random = generator.random
        hasOwnForm = generator.hasOwnForm
        network = Network(configuration, seed: seed)
        // So that gains are not all 1 and biases not all 0.
        for window in configuration.layout.windows {
            network.parameters[window.name] = network.parameters[window.name].map { $0 + random.uniform(within: 0.3) }
        }
        let definition = configuration.definition
        let isPair = number < Self.pairs.count
        let T = isLong ? 33 + random.below(8) : isPair ? 3 + random.below(4) : 1 + random.below(6)
        let B = 1 + random.below(isLong ? 3 : 20)
        (steps, batch) = (T, B)
        let takesLengths = definition.period == 1 && T > 1 && random.below(2) == 0
        lengths = takesLengths ? (0..<B).map { $0 == B / 2 ? T : 1 + random.below(T) } : nil
        let columns = definition.input.vocabulary ?? definition.input.count
        if definition.takesTokens {
            let drawn = (0..<T * B).map { _ in random.below(columns) }
            tokens = drawn
            numbers = drawn.flatMap { token in (0..<columns).map { Float($0 == token ? 1 : 0) } }
        } else {
            tokens = nil
            numbers = (0..<T * B * columns).map { _ in random.uniform(within: 1) }
        }
        start = random.below(3) == 0 ? nil : Self.state(definition, batch: B, &random)
        name = "network \(number), \(configuration.json.serialized()), T \(T), B \(B), lengths \(lengths ?? [])"
    }

    /// A state of random numbers, in the midst of a schedule.
    private static func state(_ definition: NetworkDefinition, batch: Int, _ random: inout Random) -> NetworkState {
        let parts = definition.states.map { state in
            NetworkState.Part(
                name: state.part.name, shape: [batch] + state.part.sizes,
                values: (0..<batch * state.part.count).map { _ in
                    state.part.letter == "steps" ? Float(random.below(3)) : random.uniform(within: 0.5)
                })
        }
        return NetworkState(parts: parts, step: random.below(definition.period))
    }

    // MARK: Both ways

    func forward(
        _ pass: NetworkPass, _ range: Range<Int>, _ state: NetworkState?
    ) -> (outputs: [Float], state: NetworkState) {
        let (first, end) = (range.lowerBound * batch, range.upperBound * batch)
        guard let tokens else {
            let part = Array(numbers[first * columns..<end * columns])
            return pass.forward(part, steps: range.count, batch: batch, lengths: lengths, state: state)
        }
        let part = Array(tokens[first..<end])
        return pass.forward(tokens: part, steps: range.count, batch: batch, lengths: lengths, state: state)
    }

    func run(_ network: Network) -> (outputs: [Float], state: NetworkState) {
        guard let tokens else {
            return network.run(numbers, steps: steps, batch: batch, lengths: lengths, state: start, threads: 2)
        }
        return network.run(tokens: tokens, steps: steps, batch: batch, lengths: lengths, state: start, threads: 2)
    }

    /// Sequence b as rows.
    func sequence(_ b: Int) -> [[Double]] {
        (0..<(lengths?[b] ?? steps)).map { t in
            numbers[(t * batch + b) * columns..<(t * batch + b + 1) * columns].map { Double($0) }
        }
    }

    /// The sequences as data.
    var inputs: SequenceData.Inputs {
        if let tokens {
            let sequences = (0..<batch).map { b -> [Int] in
                let length = lengths?[b] ?? steps
                return (0..<length).map { t in tokens[t * batch + b] }
            }
            return .tokens(sequences)
        }
        let sequences = (0..<batch).map { b -> [Float] in sequence(b).flatMap { $0.map { Float($0) } } }
        return .numbers(sequences, width: columns)
    }

    /// The first state of sequence b by names.
    func state(_ b: Int, _ state: NetworkState?) -> [String: [Double]] {
        var result: [String: [Double]] = [:]
        for (i, own) in definition.states.enumerated() {
            let count = own.part.count
            let values = state?.parts[i].values ?? [Float](repeating: 0, count: count * batch)
            result[own.part.name] = values[b * count..<(b + 1) * count].map { Double($0) }
        }
        return result
    }

    /// The rows of sequence b in a batch's outputs.
    func rows(_ b: Int, of outputs: [Double]) -> [Double] {
        var rows: [Double] = []
        for t in 0..<outputRows(b) {
            let first = (t * batch + b) * width
            rows += outputs[first..<first + width]
        }
        return rows
    }

    /// Outputs and last state of all sequences as the library lays them out.
    func naive(from start: NetworkState?) -> (outputs: [Double], state: [[Double]]) {
        let twin = NaiveNetwork(network)
        var outputs = [Double](repeating: 0, count: (definition.output.isPerStep ? steps : 1) * batch * width)
        var last = definition.states.map { [Double](repeating: 0, count: $0.part.count * batch) }
        for b in 0..<batch {
            let result = twin.run(sequence(b), from: state(b, start), step: start?.step ?? 0)
            for (t, row) in result.outputs.enumerated() {
                for r in 0..<width { outputs[(t * batch + b) * width + r] = row[r] }
            }
            for (i, own) in definition.states.enumerated() {
                let values = result.state[own.part.name]!
                for k in values.indices { last[i][b * values.count + k] = values[k] }
            }
        }
        return (outputs, last)
    }
}

/// Draws valid lists of layers.
private struct LayerGenerator {
    var random: Random
    private(set) var hasOwnForm = false

    init(seed: UInt64) { random = Random(seed: seed, stream: 76) }

    mutating func configuration(layers count: Int) -> NetworkConfiguration {
        let input: NetworkInput
        switch random.below(4) {
        case 0: input = .tokens(2 + random.below(9))
        case 1:
            input = .maps(channels: 1 + random.below(3), height: 3 + random.below(4), width: 2 + random.below(5))
        default: input = .numbers(1 + random.below(9))
        }
        var layers: [Layer] = []
        var found: NetworkConfiguration?
        while layers.count < count {
            let form = hasOwnForm
            let shape = found?.definition.output ?? (try! input.shape())
            let next = layers + [layer(shape)]
            guard let valid = try? NetworkConfiguration(checking: input, NamedLayer.list(next)),
                valid.definition.output.count <= 60
            else {
                hasOwnForm = form
                continue
            }
            (layers, found) = (next, valid)
        }
        return found!
    }

    private mutating func flip(_ probability: Double = 0.5) -> Bool { random.uniform() < probability }
    private mutating func one<Value>(of values: [Value]) -> Value { values[random.below(values.count)] }
    /// Seldom the ReLU, whose gradient jumps.
    private mutating func activation() -> Activation { one(of: [.tanh, .tanh, .tanh, .sigmoid, .relu]) }
    private mutating func epsilon() -> Float { one(of: [1e-5, 1e-3, 0.1]) }

    /// A layer for values of a shape, which it may not be able to read.
    private mutating func layer(_ shape: LayerShape, depth: Int = 0) -> Layer {
        let isMap = (shape.maps?.height ?? 1) > 1 || (shape.maps?.width ?? 1) > 1
        if shape.vocabulary != nil, flip(0.6) { return .embedding(1 + random.below(7)) }
        if isMap, flip() {
            switch random.below(9) {
            case 0: return .maxPool(size: 1 + random.below(3))
            case 1: return .flatten
            case 2: return .layerNorm(epsilon: epsilon(), isPerChannel: true)
            case 3: return transposedConvolution(1 + random.below(3))
            case 4..<7: return convolutionalCell(1 + random.below(3))
            default: return convolution(1 + random.below(4))
            }
        }
        switch random.below(depth == 0 ? 26 : 22) {
        case 0..<6: return cell(hidden())
        case 6..<8: return .bidirectional(cell(hidden()))
        case 8..<10:
            return .stack(
                cell(hidden()), layers: 1 + random.below(3), isBidirectional: flip(), dropout: one(of: [0, 0.4]))
        case 10..<13: return .dense(hidden(), activation: flip() ? nil : activation(), hasBias: flip(0.7))
        case 13: return .dropout(0.3)
        case 14: return .layerNorm(epsilon: epsilon())
        case 15: return .rmsNorm(epsilon: epsilon())
        case 16: return .softmax
        case 17: return convolution(1 + random.below(6))
        case 18: return .flatten
        case 19..<22 where depth < 2: return residual(shape, depth: depth)
        case 22: return .lastStep
        case 23: return .mean
        default: return cell(hidden())
        }
    }

    private mutating func hidden() -> Int { one(of: [1, 2, 3, 4, 5, 7, 8, 9, 11, 17]) }

    private mutating func size(_ limit: Int) -> MapSize { MapSize(1 + random.below(limit), 1 + random.below(limit)) }
    private mutating func padding(_ size: MapSize) -> MapPadding {
        if flip(0.4) { return .same }
        func zeros(_ limit: Int) -> Int { random.below(limit) }
        return .zeros(
            top: zeros(size.height), bottom: zeros(size.height), left: zeros(size.width), right: zeros(size.width))
    }

    private mutating func convolution(_ features: Int) -> Layer {
        let size = size(3)
        return .convolution(
            features, kernel: size, stride: self.size(2), padding: padding(size), hasBias: flip(0.8),
            activation: flip(0.3) ? nil : activation())
    }

    private mutating func transposedConvolution(_ features: Int) -> Layer {
        let (size, stride) = (size(3), size(2))
        let padding = padding(size)
        let extra = padding == .same ? 0 : MapSize(random.below(stride.height), random.below(stride.width))
        return .transposedConvolution(
            features, kernel: size, stride: stride, padding: padding, outputPadding: extra, hasBias: flip(0.8),
            activation: flip(0.3) ? nil : activation())
    }

    private mutating func convolutionalCell(_ channels: Int) -> Layer {
        let size = MapSize(1 + 2 * random.below(2), 1 + 2 * random.below(3))
        if flip(0.4) { return .convolutionalGRU(channels, kernel: size, resetsFirst: flip(), hasBias: flip(0.7)) }
        let options = ConvolutionalLSTMOptions(
            forgetOffset: flip() ? 1 : 0, hasPeepholes: flip(), hasLayerNorm: flip(0.3), epsilon: 0.1)
        return .convolutionalLSTM(channels, kernel: size, options, hasBias: flip(0.7))
    }

    /// Layers that end with as many numbers as they read.
    private mutating func residual(_ shape: LayerShape, depth: Int) -> Layer {
        guard let maps = shape.maps else { return .residual([.softmax]) }
        var layers = (0..<random.below(3)).map { _ in layer(shape, depth: depth + 1) }
        if maps.height * maps.width > 1 {
            layers.append(.convolution(maps.channels, size: 3, padding: 1, activation: activation()))
        } else {
            switch random.below(4) {
            case 0: layers.append(cell(shape.count))
            case 1 where shape.count % 2 == 0: layers.append(.bidirectional(cell(shape.count / 2)))
            case 2: layers.append(.layerNorm(epsilon: epsilon()))
            default: layers.append(.dense(shape.count, activation: flip() ? nil : activation()))
            }
        }
        return .residual(layers)
    }

    private mutating func cell(_ hidden: Int) -> Layer {
        switch random.below(6) {
        case 0:
            return .rnn(
                hidden, activation: activation(), hasLayerNorm: hidden > 2 && flip(), hasBias: flip(0.7),
                epsilon: epsilon())
        case 1: return .irnn(hidden, hasLayerNorm: hidden > 2 && flip(), hasBias: flip(0.7), epsilon: epsilon())
        case 2: return .lstm(hidden, hasLayerNorm: hidden > 2 && flip(), hasBias: flip(0.7), epsilon: epsilon())
        case 3: return .gru(hidden, hasBias: flip(0.7))
        case 4:
            let options = AssociativeLSTMOptions(
                copies: 1 + random.below(3), keys: 1 + random.below(3), permutationSeed: UInt32(random.below(100)),
                hasRecurrentCandidate: flip(), forgetBias: 0.5)
            return .associativeLSTM(hidden + hidden % 2, options, hasBias: flip(0.7))
        default:
            let isLagged = flip(0.3)
            let schedule =
                isLagged || flip(0.7)
                ? [FastWeightsOptions.MemoryEvents.usual]
                : (0..<2 + random.below(2)).map { _ in
                    FastWeightsOptions.MemoryEvents(rawValue: UInt8(random.below(8)))
                }
            let memory: FastWeightsOptions.MemoryForm = one(of: [
                .automatic, .automatic, .automatic, .matrix, .list, .chunks(2),
            ])
            hasOwnForm = hasOwnForm || memory != .automatic
            let options = FastWeightsOptions(
                memoryDecay: 0.9, writeRate: 0.3, innerSteps: random.below(4), activation: flip(0.2) ? .relu : .tanh,
                hasLayerNorm: hidden > 2 && flip(), normalizesFirst: flip(), hasSeparateNorms: flip(),
                isLagged: isLagged,
                memory: memory, schedule: schedule)
            return .fastWeights(hidden, options, hasBias: flip(0.7), epsilon: epsilon())
        }
    }
}
