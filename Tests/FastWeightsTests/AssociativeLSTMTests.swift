import Testing

@testable @_spi(Laboratory) import FastWeights

extension Cell {
    /// The smallest number of hidden units from `hidden` on that the cell can have.
    func size(_ hidden: Int) -> Int { problem(hidden: hidden) == nil ? hidden : hidden + 1 }
}

/// The associative LSTM against a twin in Double that is written as its equations read, and what it refuses.
@Suite struct AssociativeLSTMTests {
    struct Complex {
        var real = 0.0
        var imaginary = 0.0

        static func + (a: Complex, b: Complex) -> Complex {
            Complex(real: a.real + b.real, imaginary: a.imaginary + b.imaginary)
        }
        static func * (a: Complex, b: Complex) -> Complex {
            Complex(
                real: a.real * b.real - a.imaginary * b.imaginary,
                imaginary: a.real * b.imaginary + a.imaginary * b.real)
        }
        static func * (a: Double, b: Complex) -> Complex { Complex(real: a * b.real, imaginary: a * b.imaginary) }
        var bounded: Complex { (1 / max(1, (real * real + imaginary * imaginary).squareRoot())) * self }
    }

    /// One sequence through the cell: h of every step and the copies at the end, from all that it depends on.
    struct Twin {
        let options: AssociativeLSTMOptions
        let input: Int
        let hidden: Int
        /// weight_ih, weight_hh, bias_ih, x [T, I], h(0), c(0) [S, H].
        var given: [[Double]]

        func run() -> (outputs: [[Double]], copies: [Double]) {
            let half = hidden / 2
            let orders = options.permutations(of: half)
            var h = given[4]
            func complexes(_ v: ArraySlice<Double>) -> [Complex] {
                let v = Array(v)
                return (0..<half).map { Complex(real: v[$0], imaginary: v[half + $0]) }
            }
            var c = (0..<options.copies).map { complexes(given[5][$0 * hidden..<($0 + 1) * hidden]) }
            var outputs: [[Double]] = []
            for first in stride(from: 0, to: given[3].count, by: input) {
                var z = given[2]
                for r in z.indices {
                    for k in 0..<input { z[r] += given[0][r * input + k] * given[3][first + k] }
                    guard (r + 1) * hidden <= given[1].count else { continue }
                    for k in 0..<hidden { z[r] += given[1][r * hidden + k] * h[k] }
                }
                func gate(_ g: Int) -> [Double] { z[g * half..<(g + 1) * half].map { 1 / (1 + exponential(-$0)) } }
                func vector(_ v: Int) -> [Complex] {
                    complexes(z[3 * half + v * hidden..<3 * half + (v + 1) * hidden]).map(\.bounded)
                }
                let (i, f, o, u) = (gate(0), gate(1), gate(2), vector(2 * options.keys))
                var read = [Complex](repeating: Complex(), count: half)
                for s in 0..<options.copies {
                    for k in 0..<half {
                        c[s][k] = f[k] * c[s][k]
                        for n in 0..<options.keys {
                            c[s][k] = c[s][k] + vector(n)[orders[s * half + k]] * (i[k] * u[k])
                        }
                        for n in 0..<options.keys {
                            let found = vector(options.keys + n)[orders[s * half + k]] * c[s][k]
                            read[k] = read[k] + (1 / Double(options.copies)) * found
                        }
                    }
                }
                let y = (0..<half).map { o[$0] * read[$0].bounded }
                h = y.map(\.real) + y.map(\.imaginary)
                outputs.append(h)
            }
            return (outputs, c.flatMap { $0.map(\.real) + $0.map(\.imaginary) })
        }

        /// e^x by its series, so that the twin shares nothing with the module.
        private func exponential(_ x: Double) -> Double {
            var (sum, term) = (1.0, 1.0)
            let part = x / 16
            for n in 1...20 {
                term *= part / Double(n)
                sum += term
            }
            for _ in 0..<4 { sum *= sum }
            return sum
        }
    }

    /// Outputs, last state and the gradients of everything, the twin's by central differences, for sequences of unequal
    /// lengths from a state and from the zero state.
    @Test(arguments: [(1, 1, true), (3, 1, true), (1, 2, true), (2, 3, false)], [false, true])
    func agreesWithTheTwin(choice: (copies: Int, keys: Int, isRecurrent: Bool), hasState: Bool) {
        let options = AssociativeLSTMOptions(
            copies: choice.copies, keys: choice.keys, permutationSeed: 9, hasRecurrentCandidate: choice.isRecurrent)
        let (T, B, I, H, S) = (4, 3, 2, 6, choice.copies)
        let lengths = [4, 1, 3]
        let network = Network(
            NetworkConfiguration.stack(.associativeLSTM(options), input: I, hidden: H), seed: 3)
        var random = Random(seed: 4)
        let names = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0"]
        for name in names {
            network.parameters[name] = network.parameters[name].map { _ in random.uniform(within: 0.7) }
        }
        let input = CellTests.random(T * B * I, 5)
        let cotangent = CellTests.random(T * B * H, 6)
        let start = network.configuration.state(
            hidden: CellTests.random(B * H, 7).map { hasState ? $0 : 0 },
            memory: CellTests.random(B * S * H, 8).map { hasState ? $0 : 0 })
        let last = network.configuration.state(
            hidden: CellTests.random(B * H, 9), memory: CellTests.random(B * S * H, 10))
        let pass = NetworkPass(network)
        let result = pass.forward(input, steps: T, batch: B, lengths: lengths, state: hasState ? start : nil)
        let gradient = pass.backward(cotangent, state: last)

        func doubles(_ v: [Float], _ range: Range<Int>) -> [Double] { v[range].map { Double($0) } }
        var expected: [[Double]] = names.map { [Double](repeating: 0, count: network.parameters[$0].count) }
        for b in 0..<B {
            let x = Array(CellTests.sequence(b, of: input, B, T, I)[..<(lengths[b] * I)])
            let parameters = names.map { network.parameters[$0].map { Double($0) } }
            var twin = Twin(
                options: options, input: I, hidden: H,
                given: parameters + [
                    x.map { Double($0) }, doubles(start.hidden, b * H..<(b + 1) * H),
                    doubles(start.memory, b * S * H..<(b + 1) * S * H),
                ])
            let dy = Array(CellTests.sequence(b, of: cotangent, B, T, H)[..<(lengths[b] * H)])
            func loss() -> Double {
                let (outputs, copies) = twin.run()
                var sum = zip(outputs.joined(), dy).reduce(0) { $0 + $1.0 * Double($1.1) }
                for (k, y) in outputs.last!.enumerated() { sum += y * Double(last.hidden[b * H + k]) }
                for (k, c) in copies.enumerated() { sum += c * Double(last.memory[b * S * H + k]) }
                return sum
            }
            let (outputs, copies) = twin.run()
            let found = Array(CellTests.sequence(b, of: result.outputs, B, T, H)[..<(lengths[b] * H)])
            expectClose(found, outputs.flatMap { $0 }, 1e-5, "outputs of \(b)")
            expectClose(Array(result.state.memory[b * S * H..<(b + 1) * S * H]), copies, 1e-5, "copies of \(b)")
            for part in twin.given.indices {
                let slopes = twin.given[part].indices.map { k in
                    let (value, step) = (twin.given[part][k], 1e-6)
                    twin.given[part][k] = value + step
                    let above = loss()
                    twin.given[part][k] = value - step
                    let below = loss()
                    twin.given[part][k] = value
                    return (above - below) / (2 * step)
                }
                switch part {
                case 3:
                    let dx = Array(CellTests.sequence(b, of: gradient.input, B, T, I)[..<(lengths[b] * I)])
                    expectClose(dx, slopes, 1e-4, "input of \(b)")
                case 4 where hasState:
                    expectClose(Array(gradient.state.hidden[b * H..<(b + 1) * H]), slopes, 1e-4, "h(0) of \(b)")
                case 5 where hasState:
                    expectClose(
                        Array(gradient.state.memory[b * S * H..<(b + 1) * S * H]), slopes, 1e-4, "c(0) of \(b)")
                case 0...2: for k in slopes.indices { expected[part][k] += slopes[k] }
                default: break
                }
            }
        }
        for (name, slopes) in zip(names, expected) { expectClose(pass.gradients[name], slopes, 1e-4, name) }
    }

    private func expectClose(_ found: [Float], _ expected: [Double], _ limit: Double, _ name: String) {
        let scale = expected.reduce(0) { max($0, abs($1)) }
        #expect(found.count == expected.count && scale > 0, "\(name)")
        for (a, b) in zip(found, expected) { #expect(abs(Double(a) - b) <= limit * scale, "\(name)") }
    }

    @Test func theOrdersOfTheCopies() {
        let options = AssociativeLSTMOptions(copies: 4, permutationSeed: 3)
        let orders = options.permutations(of: 20)
        let rows = (0..<4).map { Array(orders[$0 * 20..<($0 + 1) * 20]) }
        #expect(rows[0] == Array(0..<20) && Set(rows).count == 4)
        for row in rows { #expect(row.sorted() == Array(0..<20)) }
        #expect(AssociativeLSTMOptions(copies: 4, permutationSeed: 4).permutations(of: 20) != orders)
        // More copies leave the first ones as they are.
        #expect(Array(AssociativeLSTMOptions(copies: 5, permutationSeed: 3).permutations(of: 20)[..<80]) == orders)
    }

    /// What is stored with one key in unit modulus comes back by its conjugate, and the noise of others falls with copies.
    @Test func copiesReduceTheNoise() {
        func noise(_ copies: Int) -> Double {
            let half = 64
            let orders = AssociativeLSTMOptions(copies: copies, permutationSeed: 1).permutations(of: half)
            var random = Random(seed: 2)
            func vector() -> [Complex] {
                (0..<half).map { _ in
                    let z = Complex(real: random.normal(), imaginary: random.normal())
                    return (1 / (z.real * z.real + z.imaginary * z.imaginary).squareRoot()) * z
                }
            }
            let pairs = (0..<10).map { _ in (key: vector(), value: vector()) }
            var error = 0.0
            for k in 0..<half {
                var read = Complex()
                for s in 0..<copies {
                    let p = orders[s * half + k]
                    let stored = pairs.reduce(Complex()) { $0 + $1.key[p] * $1.value[k] }
                    let key = pairs[0].key[p]
                    let found = Complex(real: key.real, imaginary: -key.imaginary) * stored
                    read = read + (1 / Double(copies)) * found
                }
                let d = read + (-1 * pairs[0].value[k])
                error += d.real * d.real + d.imaginary * d.imaginary
            }
            return error / Double(half)
        }
        #expect((5...14).contains(noise(1)))
        #expect((5...14).contains(noise(8) * 8))
    }

    @Test func firstValues() {
        let configuration = NetworkConfiguration.cell(
            .associativeLSTM(AssociativeLSTMOptions(keys: 2, hasRecurrentCandidate: false, forgetBias: 1.5)), input: 3,
            hidden: 4)
        let layer = Network(configuration, seed: 1)
        #expect(layer.parameters.layout.windows.map(\.shape) == [[26, 3], [22, 4], [26]])
        #expect(layer.parameters["bias_ih"] == [0, 0, 1.5, 1.5] + [Float](repeating: 0, count: 22))
        #expect(layer.parameters["weight_hh"].allSatisfy { abs($0) <= 0.5 })
        #expect(layer.parameters["weight_hh"].contains { abs($0) > 0.25 })
        #expect(configuration.zeroState(batch: 1).memory.count == 4)
    }

    @Test func anOddNumberOfUnitsTraps() async {
        await #expect(processExitsWith: .failure) {
            _ = NetworkConfiguration.cell(.associativeLSTM(), input: 3, hidden: 5)
        }
        await #expect(processExitsWith: .failure) {
            _ = NetworkConfiguration.stack(.associativeLSTM(), input: 3, hidden: 7)
        }
        await #expect(processExitsWith: .failure) { _ = AssociativeLSTMOptions(copies: 0) }
        await #expect(processExitsWith: .failure) { _ = AssociativeLSTMOptions(keys: 257) }
        #expect(Cell.associativeLSTM().problem(hidden: 5)?.hasSuffix("found 5") == true)
        #expect(Cell.associativeLSTM().problem(hidden: 6) == nil && Cell.gru.problem(hidden: 5) == nil)
    }

    @Test func configurationsAreReadAndRefused() throws {
        let options = AssociativeLSTMOptions(
            copies: 3, keys: 2, permutationSeed: .max, hasRecurrentCandidate: false, forgetBias: 0.5)
        let configuration = NetworkConfiguration(.numbers(3), [.associativeLSTM(6, options)])
        let text = configuration.json.serialized()
        #expect(try NetworkConfiguration(json: JSON(parsing: Array(text.utf8))) == configuration)
        for (old, new, problem) in [
            ("\"hidden\":6", "\"hidden\":5", "even number of hidden units"),
            ("\"copies\":3", "\"copies\":0", "copies as a whole number from 1 to 256"),
            ("\"keys\":2", "\"keys\":257", "keys as a whole number from 1 to 256"),
            ("4294967295", "4294967296", "permutation_seed as a whole number from 0 to 4294967295"),
            ("\"recurrent_candidate\":false", "\"recurrent_candidate\":0", "recurrent_candidate as true or false"),
        ] {
            let changed = text.replacing(old, with: new)
            try #require(changed != text)
            let json = try JSON(parsing: Array(changed.utf8))
            let error = #expect(throws: ConfigurationError.self) { _ = try NetworkConfiguration(json: json) }
            #expect(error?.description.contains(problem) == true)
        }
    }

    @Test func commandsRefuseAnOddNumberOfUnits() throws {
        let folder = TemporaryFolder()
        let (run, model) = (folder.path("run"), folder.path("model.safetensors"))
        #expect(
            CommandLineTool.run(arguments: ["compare", "--models", "a-lstm", "--hidden", "21", "--out", run]) == 2)
        #expect(
            CommandLineTool.run(arguments: ["train", "--model", "a-lstm", "--hidden", "21", "--output", model]) == 2)
    }
}
