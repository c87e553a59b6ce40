import Testing

@testable import FastWeights

/// Fast weights that are written, read and cleared at some steps only, against the equations written out.
@Suite struct ScheduleTests {
    static let schedules: [[FastWeightsOptions.MemoryEvents]] = [
        [[.write, .clear], [], .read], [[.write, .clear], [], [], [], [], .read],
        [.write, [.read, .clear], [], .usual],
        [.read], [[.write, .clear]], [[.read, .clear], .write, [.write, .read]], [.usual],
    ]
    static let forms: [FastWeightsOptions.MemoryForm] = [
        .matrix, .list, .chunks(1), .chunks(2), .chunks(4), .automatic,
    ]

    /// h of every step of one sequence and the last A, by the equations of `FastWeightsOptions` and `MemoryEvents`.
    static func naive(
        _ options: FastWeightsOptions, _ p: Parameters, _ input: [Double], I: Int, H: Int
    ) -> (outputs: [Double], memory: [Double]) {
        func tensor(_ name: String) -> [Double] { p[name].map { Double($0) } }
        let (C, W, bias) = (tensor("weight_ih"), tensor("weight_hh"), tensor("bias_ih"))
        let (gain, shift) = (tensor("norm_weight"), tensor("norm_bias"))
        func normalized(_ z: [Double]) -> [Double] {
            let mean = z.reduce(0, +) / Double(H)
            let variance = z.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(H)
            return z.indices.map { (z[$0] - mean) / (variance + 1e-5).squareRoot() * gain[$0] + shift[$0] }
        }
        /// start + row r of `matrix` times `x`.
        func added(_ matrix: [Double], row r: Int, by x: ArraySlice<Double>, to start: Double) -> Double {
            zip(matrix[(r * x.count)...], x).reduce(start) { $0 + $1.0 * $1.1 }
        }
        var (h, A) = ([Double](repeating: 0, count: H), [Double](repeating: 0, count: H * H))
        var outputs: [Double] = []
        for t in 0..<input.count / I {
            let events = options.schedule[t % options.schedule.count]
            let x = input[t * I..<(t + 1) * I]
            let b = (0..<H).map { added(W, row: $0, by: h[...], to: added(C, row: $0, by: x, to: bias[$0])) }
            var new = (options.normalizesFirst ? normalized(b) : b).map { max($0, 0) }
            for _ in 0..<(events.contains(.read) ? options.innerSteps : 0) {
                let old = new
                new = normalized((0..<H).map { added(A, row: $0, by: old[...], to: b[$0]) }).map { max($0, 0) }
            }
            if events.contains(.write) {
                for i in 0..<H * H {
                    A[i] = Double(options.memoryDecay) * A[i] + Double(options.writeRate) * new[i / H] * new[i % H]
                }
            }
            outputs += new
            h = events.contains(.clear) ? [Double](repeating: 0, count: H) : new
        }
        return (outputs, A)
    }

    static func layer(_ options: FastWeightsOptions, input: Int, hidden: Int) -> Network {
        let layer = Network(.cell(.fastWeights(options), input: input, hidden: hidden), seed: 5)
        layer.parameters["weight_hh"] = CellTests.random(hidden * hidden, 6).map { $0 * 0.4 }
        return layer
    }

    @Test(arguments: schedules, [1, 2])
    func agreesWithTheEquations(schedule: [FastWeightsOptions.MemoryEvents], innerSteps: Int) {
        let (B, I, H) = (17, 3, 5)
        for (steps, form) in zip([1, 7, 12, 13, 8, 19], Self.forms) {
            let options = FastWeightsOptions(
                innerSteps: innerSteps, normalizesFirst: innerSteps == 2, memory: form, schedule: schedule)
            let layer = Self.layer(options, input: I, hidden: H)
            let input = CellTests.random(steps * B * I, 7)
            let result = NetworkPass(layer).forward(input, steps: steps, batch: B)
            for b in [0, 16] {
                let sequence = CellTests.sequence(b, of: input, B, steps, I)
                let twin = Self.naive(options, layer.parameters, sequence.map { Double($0) }, I: I, H: H)
                let found = CellTests.sequence(b, of: result.outputs, B, steps, H)
                #expect(zip(found, twin.outputs).allSatisfy { abs(Double($0) - $1) < 2e-4 })
                let memory = result.state.memory[b * H * H..<(b + 1) * H * H]
                #expect(zip(memory, twin.memory).allSatisfy { abs(Double($0) - $1) < 2e-4 })
            }
            #expect(result.outputs.contains { $0 != 0 })
        }
    }

    /// A training starts from the zero state and keeps no matrix where a list will do; the layers do keep one.
    @Test(arguments: schedules, forms)
    func trainingHasTheGradientsOfTheLayer(
        schedule: [FastWeightsOptions.MemoryEvents], form: FastWeightsOptions.MemoryForm
    ) throws {
        for steps in 1...13 {
            let options = FastWeightsOptions(innerSteps: 2, normalizesFirst: true, memory: form, schedule: schedule)
            let network = Network(
                NetworkConfiguration.stack(.fastWeights(options), input: 3, hidden: 5, head: .perStep(2)), seed: 3)
            let (numbers, targets) = (CellTests.random(steps * 3, 8), CellTests.random(steps * 2, 9))
            let data = try SequenceData(.numbers([numbers], width: 3), .stepNumbers([targets]))
            let pass = NetworkPass(network)
            let outputs = pass.forward(numbers, steps: steps, batch: 1).outputs
            let scale = 1 / Float(steps)
            _ = pass.backward(zip(outputs, targets).map { ($0 - $1) * scale })
            ThreadTeam.run(threads: 1) { team in
                let engine = ParallelTraining(
                    network.definition, network.parameters, longest: steps, team: team)
                _ = engine.gradient(data, [0])
                for window in network.configuration.layout.windows {
                    let (own, other) = (engine.gradients[window.name], pass.gradients[window.name])
                    let largest = other.reduce(0) { max($0, abs($1)) }
                    #expect(
                        zip(own, other).allSatisfy { abs($0 - $1) <= 1e-5 * max(largest, 1e-2) },
                        "\(window.name), \(steps) steps")
                }
            }
        }
    }

    @Test(arguments: schedules)
    func partsGiveWhatTheWholeGives(schedule: [FastWeightsOptions.MemoryEvents]) throws {
        let (T, B) = (41, 3)
        let network = Network(
            NetworkConfiguration.stack(
                .fastWeights(FastWeightsOptions(schedule: schedule)), input: 2, hidden: 5, layers: 2), seed: 4)
        let input = CellTests.random(T * B * 2, 10)
        let whole = network.run(input, steps: T, batch: B)
        #expect(whole.state.step == T % schedule.count)
        for cut in [1, 2, 3, 34, 40] {
            let first = network.run(Array(input[..<(cut * B * 2)]), steps: cut, batch: B)
            let second = network.run(Array(input[(cut * B * 2)...]), steps: T - cut, batch: B, state: first.state)
            let parts = first.outputs + second.outputs
            #expect(zip(parts, whole.outputs).allSatisfy { abs($0 - $1) < 1e-4 })
            #expect(zip(second.state.hidden, whole.state.hidden).allSatisfy { abs($0 - $1) < 1e-4 })
            #expect(zip(second.state.memory, whole.state.memory).allSatisfy { abs($0 - $1) < 1e-4 })
            #expect(second.state.step == whole.state.step)
        }
        // A stream whose state goes through a file on the way.
        let stream = try NetworkStream(network)
        for t in 0..<T {
            stream.step(Array(input[t * B * 2..<t * B * 2 + 2]))
            let output = stream.output
            #expect(zip(output, whole.outputs[t * B * 5..<t * B * 5 + 5]).allSatisfy { abs($0 - $1) < 1e-4 })
            let copy = try NetworkStream(network)
            try copy.restore(from: SafeTensors(bytes: stream.serializedState(), source: "state"))
            #expect(copy.state == stream.state)
            stream.state = copy.state
        }
    }

    /// A place that a file gives may be any whole number.
    @Test func theLastPlaceOfAllIsOneInTheSchedule() throws {
        let options = FastWeightsOptions(schedule: [.usual, .read, []])
        let network = Network(
            NetworkConfiguration.stack(.fastWeights(options), input: 1, hidden: 2), seed: 1)
        func outputs(_ step: Int) throws -> [Float] {
            let state = network.configuration.state(hidden: [0.5, 1], memory: [1, 0.5, 0.5, 2], step: step)
            let run = network.run([1, -1, 2], steps: 3, batch: 1, state: state)
            #expect(run.state.step == step % 3)
            let stream = try NetworkStream(network, state: state)
            stream.step(1)
            #expect(stream.state.step == (step % 3 + 1) % 3)
            return run.outputs
        }
        // 2⁶³ - 1 is 1 modulo 3.
        #expect(try outputs(.max) == outputs(1) && outputs(.max) != outputs(0))
    }

    /// Layers with schedules of two and of three steps are where they began after six.
    @Test func schedulesOfUnequalLengthsKeepTheirPlaces() throws {
        func layer(_ schedule: [FastWeightsOptions.MemoryEvents]) -> Layer {
            .fastWeights(5, FastWeightsOptions(schedule: schedule))
        }
        let network = Network(
            NetworkConfiguration(
                .numbers(2), [layer([.usual, [.read, .clear]]), layer([[.write, .clear], [], .read])]),
            seed: 4)
        let input = CellTests.random(13 * 2, 11)
        let stream = try NetworkStream(network)
        for t in 0..<13 {
            #expect(stream.state.step == t % 6)
            let whole = network.run(Array(input[..<(t * 2 + 2)]), steps: t + 1, batch: 1)
            let one = network.run(
                Array(input[(t * 2)..<(t * 2 + 2)]), steps: 1, batch: 1, state: stream.state)
            let copy = try NetworkStream(network)
            try copy.restore(from: SafeTensors(bytes: stream.serializedState(), source: "state"))
            for other in [stream, copy] { other.step(Array(input[(t * 2)..<(t * 2 + 2)])) }
            expectSame(copy.output, stream.output)
            let last = Array(whole.outputs.suffix(5))
            #expect(zip(stream.output, last).allSatisfy { abs($0 - $1) < 1e-4 }, "step \(t)")
            #expect(zip(one.outputs, last).allSatisfy { abs($0 - $1) < 1e-4 }, "step \(t)")
            #expect(stream.state.step == whole.state.step && one.state.step == whole.state.step)
        }
        // 65,521, 65,519, 65,497 and 65,479 are primes, whose product has more than 53 bits.
        let layers = [65521, 65519, 65497, 65479].map { count in
            NamedLayer(
                layer: layer([FastWeightsOptions.MemoryEvents](repeating: [], count: count - 1) + [.usual]),
                prefix: "\(count).")
        }
        let error = #expect(throws: LayerProblem.self) { try NetworkConfiguration(checking: .numbers(2), layers) }
        #expect(error?.sentence.contains("begin again together after more than") == true)
    }

    @Test func filesKeepTheSchedule() throws {
        let cell = Cell.fastWeights(FastWeightsOptions(schedule: [[.write, .clear], [], .read]))
        let configuration = NetworkConfiguration.stack(cell, input: 2, hidden: 3)
        #expect(try NetworkConfiguration(json: configuration.json) == configuration)
        #expect(configuration.json.serialized().contains(#""schedule":["write clear","","read"]"#))
        let usual = NetworkConfiguration.stack(.fastWeights(), input: 2, hidden: 3)
        #expect(!usual.json.serialized().contains("schedule"))
        for (schedule, problem) in [
            (#"["wrote"]"#, "events among read, write and clear"), ("[]", "a list with the events of each step"),
            (#""read""#, "a list with the events of each step"), ("[1]", "events among read, write and clear"),
        ] {
            let text = configuration.json.serialized()
                .replacing(#"["write clear","","read"]"#, with: schedule)
            #expect {
                _ = try NetworkConfiguration(json: JSON(parsing: Array(text.utf8)))
            } throws: {
                "\($0)".contains(problem)
            }
        }
        let lagging = configuration.json.serialized()
            .replacing(#""lagged":false"#, with: #""lagged":true"#)
        #expect(throws: ConfigurationError.self) { try NetworkConfiguration(json: JSON(parsing: Array(lagging.utf8))) }
    }
}
