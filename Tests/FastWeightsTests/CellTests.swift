import Testing

@testable import FastWeights

@Suite struct CellTests {
    static let cells: [Cell] = [
        .rnn(activation: .tanh), .rnn(activation: .relu, hasLayerNorm: true), .irnn(), .lstm(),
        .lstm(hasLayerNorm: true),
        .gru,
        .fastWeights(), .fastWeights(FastWeightsOptions(innerSteps: 3, isLagged: true)),
        .fastWeights(FastWeightsOptions(innerSteps: 0)), .associativeLSTM(),
        .associativeLSTM(AssociativeLSTMOptions(copies: 3, keys: 2)),
    ]

    static func random(_ count: Int, _ seed: UInt64) -> [Float] {
        var random = Random(seed: seed)
        return (0..<count).map { _ in Float(random.normal()) }
    }

    @Test(arguments: cells)
    func noStateIsTheZeroState(cell: Cell) {
        let configuration = NetworkConfiguration.cell(cell, input: 3, hidden: 6)
        let layer = NetworkPass(Network(configuration, seed: 1))
        let input = Self.random(4 * 2 * 3, 1)
        let zero = configuration.zeroState(batch: 2)
        let (a, b) = (layer.forward(input, steps: 4, batch: 2), layer.forward(input, steps: 4, batch: 2, state: zero))
        expectSame(a.outputs, b.outputs)
        #expect(a.state == b.state)
        #expect(a.outputs.contains { $0 != 0 })
    }

    /// A sample's results must not depend on the others of its batch, nor on where in a block it stands.
    @Test(arguments: cells)
    func sequencesOfABatchAreIndependent(cell: Cell) {
        let layer = NetworkPass(Network(.cell(cell, input: 3, hidden: 6), seed: 2))
        let (steps, batch) = (4, 19)
        let input = Self.random(steps * batch * 3, 2)
        let whole = layer.forward(input, steps: steps, batch: batch)
        for b in [0, 7, 18] {
            let result = layer.forward(Self.sequence(b, of: input, batch, steps, 3), steps: steps, batch: 1)
            expectSame(result.outputs, Self.sequence(b, of: whole.outputs, batch, steps, 6))
        }
    }

    /// Sequence b of an array [T, B, width].
    static func sequence(_ b: Int, of values: [Float], _ batch: Int, _ steps: Int, _ width: Int) -> [Float] {
        var result: [Float] = []
        for t in 0..<steps {
            let first = (t * batch + b) * width
            result += values[first..<first + width]
        }
        return result
    }

    @Test(arguments: [(1, false), (3, true)])
    func formsOfTheFastMemoryAgree(innerSteps: Int, isLagged: Bool) {
        let (steps, batch, H) = (23, 2, 6)
        let input = Self.random(steps * batch * 3, 3)
        let cotangent = Self.random(steps * batch * H, 4)
        func run(_ form: FastWeightsOptions.MemoryForm) -> [[Float]] {
            let options = FastWeightsOptions(innerSteps: innerSteps, isLagged: isLagged, memory: form)
            let layer = NetworkPass(Network(.cell(.fastWeights(options), input: 3, hidden: H), seed: 3))
            let result = layer.forward(input, steps: steps, batch: batch)
            let gradient = layer.backward(cotangent)
            return [result.outputs, result.state.memory, gradient.input, layer.gradients["weight_hh"]]
        }
        let matrix = run(.matrix)
        for form in [FastWeightsOptions.MemoryForm.list, .chunks(1), .chunks(4), .chunks(22), .automatic] {
            for (a, b) in zip(run(form), matrix) {
                let scale = b.reduce(0) { max($0, abs($1)) }
                #expect(scale > 0)
                for (x, y) in zip(a, b) { #expect(abs(x - y) <= 2e-5 * scale) }
            }
        }
    }

    /// η = 0 leaves the extra inner step alone: f(LN(f(b) ...)) reads nothing from the past but b.
    @Test func withoutARateTheMemoryStaysEmpty() {
        let cell = Cell.fastWeights(FastWeightsOptions(writeRate: 0))
        let layer = NetworkPass(Network(.cell(cell, input: 3, hidden: 5), seed: 4))
        let result = layer.forward(Self.random(30, 5), steps: 5, batch: 2)
        #expect(result.state.memory.allSatisfy { $0 == 0 })
    }
}
