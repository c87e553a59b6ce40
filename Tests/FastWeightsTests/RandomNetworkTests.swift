import Testing

@testable import FastWeights

/// Random lists of layers over random sequences, in every way this module runs them, against their naive twins in doubles.
@Suite struct RandomNetworkTests {
    #if DEBUG
        /// Without optimization a network takes a second.
        private static let count = 24
    #else
        private static let count = 300
    #endif

    @Test func everyWayToRunANetworkAgreesWithTheNaiveOne() throws {
        var tally = Tally()
        for number in 0..<Self.count { try RandomNetwork(number).checkForward(&tally) }
        #expect(tally.networks == Self.count)
        #if !DEBUG
            // Every kind that files may name is among them.
            #expect(tally.kinds.count == 22, "\(tally.kinds.sorted())")
        #endif
    }

    @Test func gradientsAreThoseOfDifferences() throws {
        var tally = Tally()
        for number in 0..<Self.count { RandomNetwork(number).checkGradients(&tally) }
        #expect(tally.networks == Self.count)
        // Of the first 24 networks 723 numbers, of 300 10,183; 2 and 24 are at kinks.
        #expect(tally.compared > 28 * Self.count, "\(tally.compared)")
        #expect(tally.kinks < tally.compared / 200, "\(tally.kinks) of \(tally.compared)")
    }

    @Test func aTrainingHasTheGradientsOfAPass() throws {
        for number in 0..<Self.count { try RandomNetwork(number).checkTraining() }
    }

    @Test(arguments: [
        (NetworkInput.tokens(5), [Layer.dense(3)], "layer 0, dense: it needs a row of numbers, found one of 5 tokens"),
        (
            .numbers(4), [.dense(6), .convolution(2, size: 3)],
            "layer 1, convolution: 2 filters of 3 by 3, one every 1, with a padding of 0 below their size, do not fit 6 numbers"
        ),
        (
            .maps(channels: 2, height: 4, width: 6),
            [.convolution(2, kernel: MapSize(5, 7), padding: .zeros(MapSize(0, 1)))],
            "layer 0, convolution: 2 filters of 5 by 7, one every 1, with a padding of [0, 0, 1, 1] below their size, do not fit 2 maps of 4 by 6"
        ),
        (
            .maps(channels: 2, height: 4, width: 6),
            [.convolution(2, kernel: 0, stride: MapSize(1, 2), padding: .same)],
            "layer 0, convolution: 2 filters of 0 by 0, one every 1 by 2, with a padding of SAME, do not fit 2 maps of 4 by 6"
        ),
        (
            .maps(channels: 2, height: 1, width: 1), [.transposedConvolution(2, kernel: 3, padding: .zeros(2))],
            "layer 0, transposed_convolution: 2 filters of 3 by 3, one every 1, with a padding of 2 below their size, and an output padding of 0 by 0"
        ),
        (
            .maps(channels: 2, height: 4, width: 6),
            [.transposedConvolution(2, kernel: 3, stride: 2, outputPadding: 2)],
            "layer 0, transposed_convolution: 2 filters of 3 by 3, one every 2, with a padding of 0 below their size, and an output padding of 2 by 2"
        ),
        (
            .maps(channels: 2, height: 4, width: 6), [.convolutionalLSTM(2, kernel: MapSize(3, 2))],
            "layer 0, convolutional_lstm: its filters have an odd number of rows and of columns, from 1 to 1048575, so that maps keep theirs; found 3 by 2"
        ),
        (
            .maps(channels: 2, height: 4, width: 6), [.lastStep, .convolutionalGRU(2, kernel: 3)],
            "layer 1, convolutional_gru: it needs maps of numbers at every step, found 2 maps of 4 by 6 per sequence"
        ),
        (
            .tokens(4), [.convolutionalGRU(2, kernel: 3)],
            "layer 0, convolutional_gru: it needs maps of numbers at every step, found one of 4 tokens per step"
        ),
        (
            .numbers(4), [.convolutionalLSTM(0, kernel: 3)],
            "layer 0, convolutional_lstm: it needs from 1 to 1048576 channels"
        ),
        (
            .maps(channels: 2, height: 4, width: 4), [.maxPool(size: 5)],
            "layer 0, max_pool: windows of 5 by 5 do not fit 2 maps of 4 by 4 per step"
        ),
        (
            .numbers(4), [.gru(4), .residual([.dense(5)])],
            "layer 1, residual: its layers read 4 numbers per step and give 5 numbers per step"
        ),
        (
            .numbers(4), [.residual([.gru(4), .residual([.lstm(3)])])],
            "layer 0, residual: layer 1, residual: its layers read 4 numbers per step and give 3"
        ),
        (.numbers(4), [.residual([.lastStep])], "layer 0, residual: its layers read 4 numbers per step and give 4"),
        (
            .numbers(4), [.lastStep, .lastStep],
            "layer 1, last_step: it needs numbers at every step, found 4 numbers per sequence"
        ),
        (.tokens(4), [.mean], "layer 0, mean: it needs numbers at every step, found one of 4 tokens per step"),
        (.numbers(4), [.mean, .gru(2)], "layer 1, gru: it needs values at every step, found 4 numbers per sequence"),
        (
            .numbers(4), [.associativeLSTM(5)],
            "layer 0, associative_lstm: an associative LSTM needs an even number of hidden units"
        ),
        (.numbers(4), [.gru(0)], "layer 0, gru: it needs from 1 to 1048576 hidden units, found 0"),
        (
            .numbers(4), [.dense(2), .dense(1 << 21)],
            "layer 1, dense: it needs from 1 to 1048576 outputs, found 2097152"
        ),
        (.numbers(4), [.stack(.gru(3), layers: 0)], "layer 0, stack: it needs from 1 to 256 layers, found 0"),
        (.numbers(4), [.embedding(3)], "layer 0, embedding: it needs tokens, found 4 numbers per step"),
        (.numbers(4), [.dropout(1)], "layer 0, dropout: dropout needs a probability from 0 to below 1, found 1.0"),
        (.numbers(0), [.gru(1)], "a network reads from 1 to 1048576 numbers a step, found 0"),
        (.tokens(1 << 17), [.gru(1)], "a network reads from 1 to 65536 tokens, found 131072"),
        (.numbers(4), [], "there are from 1 to 256 layers, found 0"),
    ])
    func listsThatCannotBeNameTheLayer(_ input: NetworkInput, _ layers: [Layer], _ sentence: String) {
        let problem = #expect(throws: LayerProblem.self) {
            try NetworkConfiguration(checking: input, NamedLayer.list(layers))
        }
        #expect(problem?.sentence.hasPrefix(sentence) == true, "\(problem?.sentence ?? "")")
    }

    @Test func aFileCannotReverseADenseLayer() {
        let json: JSON = ["layer": "bidirectional", "cell": Layer.dense(3).json]
        let error = #expect(throws: ConfigurationError.self) { try Layer(json: json) }
        #expect(error?.description.contains("bidirectional") == true)
        #expect(error?.description.contains("a recurrent layer") == true)
    }

    @Test func aStreamNamesTheLayerThatReadsBackwards() {
        for (layers, sentence) in [
            ([Layer.embedding(3), .gru(2), .bidirectional(.gru(2))], "layer 2, bidirectional, reads"),
            ([.gru(2), .residual([.stack(.gru(1), layers: 2, isBidirectional: true)])], "layer 1, residual, reads"),
        ] {
            let network = Network(NetworkConfiguration(.tokens(4), layers), seed: 1)
            let error = #expect(throws: StreamError.self) { try NetworkStream(network) }
            #expect(error?.description.hasPrefix(sentence) == true, "\(error?.description ?? "")")
        }
    }
}

/// What was compared.
private struct Tally {
    var networks = 0
    /// Kinds of the layers.
    var kinds: Set<String> = []
    /// Numbers of gradients that were compared, and those left out as the loss has a kink there.
    var compared = 0
    var kinks = 0
}

extension RandomNetwork {
    fileprivate func checkForward(_ tally: inout Tally) throws {
        tally.networks += 1
        for layer in network.configuration.layers { tally.kinds.insert(layer.kind.name) }
        let expected = naive(from: start)
        let pass = NetworkPass(network)
        let found = forward(pass, 0..<steps, start)
        check("pass", found, expected)

        let run = run(network)
        check("run", run, expected)
        // A run of windows of steps does as the pass does; the fast weights alone hold their matrix in another way then.
        if steps <= 32 { #expect(run.outputs == found.outputs && run.state == found.state, "run: \(name)") }

        let file = try SafeTensors(bytes: network.serialized(), source: "a test")
        let copy = try Network(file)
        #expect(copy.configuration == network.configuration, "\(name)")
        let again = self.run(copy)
        if hasOwnForm {
            check("file", again, expected)
        } else {
            #expect(again.outputs == run.outputs && again.state == run.state, "file: \(name)")
        }

        let fromZero = start == nil ? expected.outputs : naive(from: nil).outputs
        for (b, prediction) in try network.predict(inputs, threads: 2).enumerated() {
            compare("predictions", prediction.outputs, rows(b, of: fromZero))
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
            check("two halves", (outputs, second.state), expected)
        }
        for b in Set([0, batch / 2, batch - 1]) { try checkStream(b, expected) }
    }

    private func checkStream(
        _ b: Int, _ expected: (outputs: [Double], state: [[Double]])
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
        compare("stream", outputs, rows(b, of: expected.outputs))
        let state = stream.state
        for (i, own) in definition.states.enumerated() {
            let values = Array(expected.state[i][b * own.part.count..<(b + 1) * own.part.count])
            compare("stream's state", state.parts[i].values, values)
        }
        #expect(state.step == ((start?.step ?? 0) + length) % definition.period, "the stream's step: \(name)")
    }

    private func check(
        _ what: String, _ found: (outputs: [Float], state: NetworkState),
        _ expected: (outputs: [Double], state: [[Double]])
    ) {
        compare(what, found.outputs, expected.outputs)
        for (part, values) in zip(found.state.parts, expected.state) {
            compare("\(what)'s state", part.values, values)
        }
        #expect(found.state.step == ((start?.step ?? 0) + steps) % definition.period, "\(what)'s step: \(name)")
    }

    private func compare(_ what: String, _ found: [Float], _ expected: [Double]) {
        guard found.count == expected.count else {
            Issue.record("\(what): \(found.count) numbers instead of \(expected.count): \(name)")
            return
        }
        // Float has 6e-8 of a number; a layer norm of numbers that lie close together makes many times that of it, and the
        // layers above again. All errors that were found are below 1e-5.
        let largest = expected.reduce(1e-6) { max($0, abs($1)) }
        let error = zip(found, expected).reduce(0) { max($0, abs(Double($1.0) - $1.1)) } / largest
        if !(error <= 2e-5) { Issue.record("\(what) is wrong by \(error): \(name)") }
    }

    // MARK: Gradients

    fileprivate func checkGradients(_ tally: inout Tally) {
        tally.networks += 1
        var random = Random(seed: seed, stream: 77)
        // Those sequences alone enter the loss, so that a difference need not run all of them.
        let chosen = Set([random.below(batch), batch - 1])
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
        func places(_ count: Int) -> [Int] { count <= 2 ? Array(0..<count) : (0..<2).map { _ in random.below(count) } }

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
        compare(checked, &tally)
        // Of what does not enter the loss the gradients are nothing.
        for (i, value) in gradients.input.enumerated() where value != 0 {
            let (t, b) = (i / columns / batch, i / columns % batch)
            if !chosen.contains(b) || t >= lengths?[b] ?? steps {
                Issue.record("the gradient of the input of step \(t) of sequence \(b) is \(value): \(name)")
                break
            }
        }
    }

    private func compare(
        _ checked: [(what: String, found: Double, ahead: Double, back: Double)], _ tally: inout Tally
    ) {
        let largest = checked.reduce(1e-9) { max($0, abs($1.ahead)) }
        for what in Set(checked.map(\.what)) {
            let own = checked.filter { $0.what == what }
            let scale = own.reduce(0) { max($0, abs($1.ahead), abs($1.back)) } + 1e-2 * largest
            for place in own {
                guard abs(place.ahead - place.back) <= 1e-3 * scale else {
                    tally.kinks += 1
                    continue
                }
                let error = abs(place.found - (place.ahead + place.back) / 2) / scale
                tally.compared += 1
                if !(error <= 2e-4) {
                    Issue.record(
                        "the gradient of \(what) is \(place.found) instead of \((place.ahead + place.back) / 2): \(name)"
                    )
                }
            }
        }
    }

    // MARK: Training

    /// The gradients of a training are those of a pass, and the loss is that of its evaluation.
    fileprivate func checkTraining() throws {
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
        try ThreadTeam.run(threads: 2) { team in
            let engine = ParallelTraining(definition, network.parameters, longest: steps, team: team)
            let sum = engine.gradient(data, Array(0..<batch))
            #expect(abs(sum.loss - loss) <= 1e-4 * loss, "the loss: \(name)")
            let largest = pass.gradients.block.array.reduce(1e-9) { max($0, abs(Double($1))) }
            for window in definition.layout.windows {
                let (found, expected) = (engine.gradients[window.name], pass.gradients[window.name])
                let scale = expected.reduce(1e-2 * largest) { max($0, abs(Double($1))) }
                let error = zip(found, expected).reduce(0) { max($0, Double(abs($1.0 - $1.1))) } / scale
                if !(error <= 2e-5) { Issue.record("the training's \(window.name) is wrong by \(error): \(name)") }
            }
            let evaluation = try network.evaluate(data, threads: 2)
            #expect(abs(evaluation.loss - loss) <= 1e-4 * loss, "the evaluation's loss: \(name)")
        }
    }
}
