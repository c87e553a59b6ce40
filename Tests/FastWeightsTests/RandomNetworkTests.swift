import Testing

@testable import FastWeights

/// Random lists of layers over random sequences, in every way this module runs them, against their naive twins in doubles.
@Suite struct RandomNetworkTests {
    #if DEBUG
        static let count = 40
    #else
        static let count = 300
    #endif

    @Test func passesRunsStreamsAndFilesAgreeWithTheNaiveNetwork() throws {
        var tally = Tally()
        for seed in 0..<Self.count {
            let problem = RandomProblem(seed: UInt64(seed))
            try problem.checkForward(&tally)
            problem.checkGradients(&tally)
            try problem.checkTraining(&tally)
        }
        #expect(tally.networks == Self.count)
        print(tally)
    }
}

struct Tally {
    var networks = 0
    var worst: [String: (Double, String)] = [:]
    var counts: [String: Int] = [:]
    var kinds: [String: Int] = [:]
    mutating func note(_ what: String, _ error: Double, _ where_: String) {
        counts[what, default: 0] += 1
        if error > worst[what]?.0 ?? -1 { worst[what] = (error, where_) }
    }
}

/// A network of one to six layers with sequences for it, all drawn by a seed.
struct RandomProblem {
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

    init(seed: UInt64) {
        var generator = Generator(seed: seed)
        let isLong = seed % 25 == 7
        let configuration = generator.configuration(layers: isLong ? 1 + generator.random.below(2) : 1 + generator.random.below(6))
        self.seed = seed
        var random = generator.random
        hasOwnForm = generator.hasOwnForm
        network = Network(configuration, seed: seed)
        // So that gains are not all 1 and biases not all 0.
        for window in configuration.layout.windows {
            network.parameters[window.name] = network.parameters[window.name].map { $0 + random.uniform(within: 0.3) }
        }
        let definition = configuration.definition
        let (T, B) = isLong ? (33 + random.below(8), 1 + random.below(3)) : (1 + random.below(6), 1 + random.below(20))
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
        name = "seed \(seed), \(configuration.json.serialised()), T \(T), B \(B), lengths \(lengths ?? [])"
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

    // MARK: The naive twin

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

    // MARK: Forward

    func checkForward(_ tally: inout Tally) throws {
        tally.networks += 1
        for layer in network.configuration.layers { tally.kinds[layer.kind.name, default: 0] += 1 }
        let expected = naive(from: start)
        let pass = NetworkPass(network)
        let found = forward(pass, 0..<steps, start)
        check("pass", found, expected, &tally)

        let run = run(network)
        check("run", run, expected, &tally)
        let isSame = run.outputs == found.outputs && run.state == found.state
        tally.note(isSame ? "run has the pass's bits" : steps > 32 ? "long run has others" : "run has others", 0, name)

        let file = try SafeTensors(bytes: network.serialised(), source: "a test")
        let copy = try Network(file)
        #expect(copy.configuration == network.configuration, "\(name)")
        let again = self.run(copy)
        if hasOwnForm {
            check("file", again, expected, &tally)
        } else {
            #expect(again.outputs == run.outputs && again.state == run.state, "file: \(name)")
        }

        let fromZero = start == nil ? expected.outputs : naive(from: nil).outputs
        for (b, prediction) in try network.predict(inputs, threads: 2).enumerated() {
            compare("predictions", prediction.outputs, rows(b, of: fromZero), &tally)
        }
        guard !definition.root.isReversed else {
            #expect(throws: StreamError.self) { try NetworkStream(network) }
            return
        }
        if lengths == nil, steps > 1 {
            let cut = 1 + Int(seed) % (steps - 1)
            let first = forward(pass, 0..<cut, start)
            let second = forward(pass, cut..<steps, first.state)
            let outputs = definition.output.isPerStep ? first.outputs + second.outputs : second.outputs
            check("two halves", (outputs, second.state), expected, &tally)
        }
        for b in Set([0, batch / 2, batch - 1]) { try checkStream(b, expected, &tally) }
    }

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

    private func run(_ network: Network) -> (outputs: [Float], state: NetworkState) {
        guard let tokens else {
            return network.run(numbers, steps: steps, batch: batch, lengths: lengths, state: start, threads: 2)
        }
        return network.run(tokens: tokens, steps: steps, batch: batch, lengths: lengths, state: start, threads: 2)
    }

    private func checkStream(
        _ b: Int, _ expected: (outputs: [Double], state: [[Double]]), _ tally: inout Tally
    ) throws {
        var first = start
        for (i, own) in definition.states.enumerated() {
            guard let part = start?.parts[i] else { break }
            let values = Array(part.values[b * own.part.count..<(b + 1) * own.part.count])
            first?.parts[i] = NetworkState.Part(name: part.name, shape: [1] + own.part.sizes, values: values)
        }
        var stream = try NetworkStream(network, state: first)
        var outputs: [Float] = []
        let length = lengths?[b] ?? steps
        for t in 0..<length {
            if let tokens {
                stream.step(token: tokens[t * batch + b])
            } else {
                stream.step(Array(numbers[(t * batch + b) * columns..<(t * batch + b + 1) * columns]))
            }
            if definition.output.isPerStep || t == length - 1 { outputs += stream.output }
            guard t == length / 2 else { continue }
            let copy = stream.copy()
            #expect(copy.output == stream.output && copy.state == stream.state, "a stream's copy: \(name)")
            stream = copy
        }
        compare("stream", outputs, rows(b, of: expected.outputs), &tally)
        let state = stream.state
        for (i, own) in definition.states.enumerated() {
            let values = Array(expected.state[i][b * own.part.count..<(b + 1) * own.part.count])
            compare("stream's state", state.parts[i].values, values, &tally)
        }
        #expect(state.step == ((start?.step ?? 0) + length) % definition.period, "the stream's step: \(name)")
    }

    private func check(
        _ what: String, _ found: (outputs: [Float], state: NetworkState),
        _ expected: (outputs: [Double], state: [[Double]]), _ tally: inout Tally
    ) {
        compare(what, found.outputs, expected.outputs, &tally)
        for (part, values) in zip(found.state.parts, expected.state) {
            compare("\(what)'s state", part.values, values, &tally)
        }
        #expect(found.state.step == ((start?.step ?? 0) + steps) % definition.period, "\(what)'s step: \(name)")
    }

    private func compare(_ what: String, _ found: [Float], _ expected: [Double], _ tally: inout Tally) {
        guard found.count == expected.count else {
            Issue.record("\(what): \(found.count) numbers instead of \(expected.count): \(name)")
            return
        }
        let largest = expected.reduce(1e-6) { max($0, abs($1)) }
        let error = zip(found, expected).reduce(0) { max($0, abs(Double($1.0) - $1.1)) } / largest
        tally.note(what, error, name)
        if !(error <= 1e-4) { Issue.record("\(what) is wrong by \(error): \(name)") }
    }

    // MARK: Gradients

    func checkGradients(_ tally: inout Tally) {
        var random = Random(seed: seed, stream: 77)
        // Those sequences alone enter the loss, so that a difference need not run all of them.
        let chosen = Set([random.below(batch), random.below(batch), batch - 1])
        let pass = NetworkPass(network)
        let found = forward(pass, 0..<steps, start)
        func weights(_ count: Int) -> [Float] {
            let size = count / batch
            return (0..<count).map { chosen.contains($0 / size) ? random.uniform(within: 1) : 0 }
        }
        let outputs = (0..<found.outputs.count / (batch * width)).flatMap { _ in weights(batch * width) }
        var last = found.state
        for i in last.parts.indices { last.parts[i].values = weights(last.parts[i].values.count) }
        let hasLast = random.below(4) > 0
        let gradients = pass.backward(outputs, state: hasLast ? last : nil)

        /// The loss of a sequence.
        func loss(_ twin: NaiveNetwork, _ sequence: [[Double]], _ state: [String: [Double]], _ b: Int) -> Double {
            let result = twin.run(sequence, from: state, step: start?.step ?? 0)
            var sum = 0.0
            for (t, row) in result.outputs.enumerated() {
                for r in 0..<width { sum += Double(outputs[(t * batch + b) * width + r]) * row[r] }
            }
            guard hasLast else { return sum }
            for (i, own) in definition.states.enumerated() {
                let count = own.part.count
                for (k, value) in result.state[own.part.name]!.enumerated() {
                    sum += Double(last.parts[i].values[b * count + k]) * value
                }
            }
            return sum
        }

        let twin = NaiveNetwork(network)
        let sequences = Dictionary(uniqueKeysWithValues: chosen.map { ($0, sequence($0)) })
        let states = Dictionary(uniqueKeysWithValues: chosen.map { ($0, state($0, start)) })
        let middle = chosen.reduce(0) { $0 + loss(twin, sequences[$1]!, states[$1]!, $1) }
        var checked: [(what: String, found: Double, ahead: Double, back: Double)] = []
        let step = 1e-5
        func check(_ what: String, _ found: Float, _ middle: Double, _ loss: (Double) -> Double) {
            checked.append((what, Double(found), (loss(step) - middle) / step, (middle - loss(-step)) / step))
        }
        func places(_ count: Int) -> [Int] { count <= 4 ? Array(0..<count) : (0..<4).map { _ in random.below(count) } }

        for window in network.configuration.layout.windows {
            let values = pass.gradients[window.name]
            for i in places(window.count) {
                check(window.name, values[i], middle) { difference in
                    var moved = twin
                    moved.parameters[window.name]![i] += difference
                    return chosen.reduce(0) { $0 + loss(moved, sequences[$1]!, states[$1]!, $1) }
                }
            }
        }
        for b in chosen {
            let alone = loss(twin, sequences[b]!, states[b]!, b)
            for place in tokens == nil ? places(sequences[b]!.count * columns) : [] {
                let (t, k) = (place / columns, place % columns)
                check("the input", gradients.input[(t * batch + b) * columns + k], alone) { difference in
                    var moved = sequences[b]!
                    moved[t][k] += difference
                    return loss(twin, moved, states[b]!, b)
                }
            }
            // The number of steps is none to be differentiated by.
            for (i, own) in definition.states.enumerated() where own.part.letter != "steps" {
                for k in places(own.part.count) {
                    let value = gradients.state.parts[i].values[b * own.part.count + k]
                    check("the first state", value, alone) { difference in
                        var moved = states[b]!
                        moved[own.part.name]![k] += difference
                        return loss(twin, sequences[b]!, moved, b)
                    }
                }
            }
        }
        note(checked, &tally)
        // Of what does not enter the loss the gradients are nothing.
        for (i, value) in gradients.input.enumerated() where value != 0 {
            let (t, b) = (i / columns / batch, i / columns % batch)
            if !chosen.contains(b) || t >= lengths?[b] ?? steps {
                Issue.record("the gradient of the input of step \(t) of sequence \(b) is \(value): \(name)")
                break
            }
        }
    }

    private func note(_ checked: [(what: String, found: Double, ahead: Double, back: Double)], _ tally: inout Tally) {
        let largest = checked.reduce(1e-9) { max($0, abs($1.ahead)) }
        for what in Set(checked.map(\.what)) {
            let own = checked.filter { $0.what == what }
            let scale = own.reduce(0) { max($0, abs($1.ahead), abs($1.back)) } + 1e-2 * largest
            for place in own {
                guard abs(place.ahead - place.back) <= 1e-3 * scale else {
                    tally.note("kinks", 0, name)
                    continue
                }
                let error = abs(place.found - (place.ahead + place.back) / 2) / scale
                tally.note("gradients", error, what + name)
                if !(error <= 1e-3) {
                    Issue.record(
                        "the gradient of \(what) is \(place.found) instead of \((place.ahead + place.back) / 2): \(name)")
                }
            }
        }
    }

    // MARK: Training

    /// The gradients of a training are those of a pass, and the loss is that of its evaluation.
    func checkTraining(_ tally: inout Tally) throws {
        var random = Random(seed: seed, stream: 78)
        let (outputs, _) = forward(NetworkPass(network), 0..<steps, nil)
        let targets = (0..<batch).map { b in (0..<outputRows(b) * width).map { _ in random.uniform(within: 1) } }
        let data = try SequenceData(inputs, definition.output.isPerStep ? .stepNumbers(targets) : .numbers(targets))
        let terms = targets.reduce(0) { $0 + $1.count }
        var cotangent = outputs
        var loss = 0.0
        for b in 0..<batch {
            for (i, target) in targets[b].enumerated() {
                let place = (i / width * batch + b) * width + i % width
                let difference = outputs[place] - target
                loss += Double(difference) * Double(difference) / Double(terms)
                cotangent[place] = 2 * difference / Float(terms)
            }
        }
        let pass = NetworkPass(network)
        _ = forward(pass, 0..<steps, nil)
        _ = pass.backward(cotangent)
        try Crew.run(threads: 2) { crew in
            let engine = ParallelTraining(definition, network.parameters, longest: steps, crew: crew)
            let sum = engine.gradient(data, Array(0..<batch))
            #expect(abs(sum.loss - loss) <= 1e-4 * loss, "the loss: \(name)")
            let largest = pass.gradients.block.array.reduce(1e-9) { max($0, abs(Double($1))) }
            for window in definition.layout.windows {
                let (found, expected) = (engine.gradients[window.name], pass.gradients[window.name])
                let scale = expected.reduce(1e-2 * largest) { max($0, abs(Double($1))) }
                let error = zip(found, expected).reduce(0) { max($0, Double(abs($1.0 - $1.1))) } / scale
                tally.note("training", error, name)
                if !(error <= 1e-4) { Issue.record("the training's \(window.name) is wrong by \(error): \(name)") }
            }
            let evaluation = try network.evaluate(data, threads: 2)
            #expect(abs(evaluation.loss - loss) <= 1e-4 * loss, "the evaluation's loss: \(name)")
        }
    }
}

/// Draws valid lists of layers.
private struct Generator {
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
            switch random.below(4) {
            case 0: return .maxPool(size: 1 + random.below(3))
            case 1: return .flatten
            default: return convolution(1 + random.below(4))
            }
        }
        switch random.below(depth == 0 ? 26 : 22) {
        case 0..<6: return cell(hidden())
        case 6..<8: return .bidirectional(cell(hidden()))
        case 8..<10:
            return .stack(cell(hidden()), layers: 1 + random.below(3), isBidirectional: flip(), dropout: one(of: [0, 0.4]))
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

    private mutating func convolution(_ features: Int) -> Layer {
        let size = 1 + random.below(3)
        return .convolution(
            features, size: size, stride: 1 + random.below(2), padding: random.below(size),
            activation: flip(0.3) ? nil : activation())
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
                hidden, activation: activation(), layerNorm: hidden > 2 && flip(), hasBias: flip(0.7), epsilon: epsilon())
        case 1: return .irnn(hidden, layerNorm: hidden > 2 && flip(), hasBias: flip(0.7), epsilon: epsilon())
        case 2: return .lstm(hidden, layerNorm: hidden > 2 && flip(), hasBias: flip(0.7), epsilon: epsilon())
        case 3: return .gru(hidden, hasBias: flip(0.7))
        case 4:
            let options = AssociativeLSTMOptions(
                copies: 1 + random.below(3), keys: 1 + random.below(3), permutationSeed: UInt32(random.below(100)),
                candidateIsRecurrent: flip(), forgetBias: 0.5)
            return .associativeLSTM(hidden + hidden % 2, options, hasBias: flip(0.7))
        default:
            let isLagged = flip(0.3)
            let schedule = isLagged || flip(0.7) ? [MemoryEvents.usual] : (0..<2 + random.below(2)).map { _ in
                MemoryEvents(rawValue: UInt8(random.below(8)))
            }
            let memory: FastMemoryForm = one(of: [.automatic, .automatic, .automatic, .matrix, .list, .chunks(2)])
            hasOwnForm = hasOwnForm || memory != .automatic
            let options = FastWeightsOptions(
                decay: 0.9, rate: 0.3, innerSteps: random.below(4), activation: flip(0.2) ? .relu : .tanh,
                layerNorm: hidden > 2 && flip(), normaliseFirst: flip(), separateNorms: flip(), lagged: isLagged,
                memory: memory, schedule: schedule)
            return .fastWeights(hidden, options, hasBias: flip(0.7), epsilon: epsilon())
        }
    }
}
