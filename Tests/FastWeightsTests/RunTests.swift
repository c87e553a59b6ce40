import Testing

@testable import FastWeights

/// Up to four sequences of at least sixteen steps, which `run` steps through one by one, and more, which it takes in blocks,
/// against a forward pass, in which they lie side by side.
@Suite struct RunTests {
    /// Sequences that run one by one, and the steps of each, which differ where that is allowed.
    private static let batches: [[Int]] = [[16], [37], [21, 35, 16], [40, 40, 40, 40]]

    @Test(arguments: RecurrentNetworkTests.cells)
    func aRunIsTheForwardPass(cell: Cell) {
        let network = RecurrentNetworkTests.network(cell)
        for lengths in Self.batches {
            let (steps, batch) = (lengths.max()!, lengths.count)
            let input = CellTests.random(steps * batch * 3, 1)
            let start = RecurrentNetworkTests.state(network, batch: batch, seed: 2)
            for state in [nil, start] {
                let pass = NetworkPass(network).forward(
                    input, steps: steps, batch: batch, lengths: lengths, state: state)
                let run = network.run(input, steps: steps, batch: batch, lengths: lengths, state: state)
                expectNear(run.outputs, pass.outputs, cell)
                expectNear(run.state.hidden, pass.state.hidden, cell)
                expectNear(run.state.memory, pass.state.memory, cell)
                let three = network.run(
                    input, steps: steps, batch: batch, lengths: lengths, state: state, threads: 3)
                expectSame(three.outputs, run.outputs)
                #expect(three.state == run.state)
            }
        }
    }

    /// Enough steps behind and before the cut go on from the same numbers.
    @Test(arguments: RecurrentNetworkTests.cells)
    func aSplitSequenceIsTheWholeOne(cell: Cell) {
        let network = RecurrentNetworkTests.network(cell)
        let (steps, cut, batch) = (40, 17, 2)
        let input = CellTests.random(steps * batch * 3, 3)
        let whole = network.run(input, steps: steps, batch: batch)
        let first = network.run(Array(input[..<(cut * batch * 3)]), steps: cut, batch: batch)
        let second = network.run(
            Array(input[(cut * batch * 3)...]), steps: steps - cut, batch: batch, state: first.state)
        expectSame(first.outputs + second.outputs, whole.outputs)
        #expect(second.state == whole.state)
    }

    /// One value a sequence, of tokens, with layers that have a state beside the cells'.
    @Test func aListOfLayersGivesOneValueASequence() {
        let network = Network(
            NetworkConfiguration(
                .tokens(7), [.embedding(6), .lstm(5), .layerNorm(), .mean, .dense(3, activation: .tanh)]),
            seed: 4)
        var random = Random(seed: 5)
        let (steps, batch, lengths) = (30, 3, [30, 8, 19])
        let tokens = (0..<steps * batch).map { _ in random.below(7) }
        let pass = NetworkPass(network).forward(tokens: tokens, steps: steps, batch: batch, lengths: lengths)
        let run = network.run(tokens: tokens, steps: steps, batch: batch, lengths: lengths)
        #expect(run.outputs.count == batch * 3)
        #expect(RecurrentStreamTests.relativeError(run.outputs, pass.outputs) < 1e-5)
        for (a, b) in zip(run.state.parts, pass.state.parts) {
            #expect(a.name == b.name && a.shape == b.shape)
            #expect(RecurrentStreamTests.relativeError(a.values, b.values) < 1e-5)
        }
    }

    /// A schedule goes on at its place.
    @Test func aScheduleGoesOn() {
        let options = FastWeightsOptions(schedule: [.usual, .read, .usual])
        let network = Network(NetworkConfiguration(.numbers(3), [.fastWeights(5, options)]), seed: 6)
        let input = CellTests.random(38 * 3, 7)
        let whole = network.run(input, steps: 38, batch: 1)
        let first = network.run(Array(input[..<(19 * 3)]), steps: 19, batch: 1)
        let second = network.run(Array(input[(19 * 3)...]), steps: 19, batch: 1, state: first.state)
        #expect(first.state.step == 1 && whole.state.step == 2)
        expectSame(first.outputs + second.outputs, whole.outputs)
        let pass = NetworkPass(network).forward(input, steps: 38, batch: 1)
        expectNear(whole.outputs, pass.outputs, .fastWeights())
    }

    /// More sequences, fewer steps, and layers that read backwards: the bits of the pass.
    @Test func othersRunSideBySide() {
        let network = RecurrentNetworkTests.network(.lstm())
        for (steps, batch) in [(20, 5), (15, 1)] {
            let input = CellTests.random(steps * batch * 3, 8)
            expectSame(
                network.run(input, steps: steps, batch: batch).outputs,
                NetworkPass(network).forward(input, steps: steps, batch: batch).outputs)
        }
        let both = RecurrentNetworkTests.network(.lstm(), isBidirectional: true)
        let input = CellTests.random(20 * 3, 9)
        expectSame(
            both.run(input, steps: 20, batch: 1).outputs,
            NetworkPass(both).forward(input, steps: 20, batch: 1).outputs)
    }

    /// The blocks of a thread use one pass, window by window: nothing of one goes to the next, nor of a run to another.
    @Test(arguments: RecurrentNetworkTests.cells, [false, true])
    func blocksDoNotSeeEachOther(cell: Cell, isBidirectional: Bool) {
        let network = RecurrentNetworkTests.network(cell, isBidirectional: isBidirectional)
        let (steps, batch) = (70, 40)
        let lengths = (0..<batch).map { 1 + $0 * 29 % steps }
        let input = CellTests.random(steps * batch * 3, 10)
        let start = RecurrentNetworkTests.state(network, batch: batch, seed: 11)
        for (lengths, state) in [(lengths, start), (lengths, nil), (nil, nil)] {
            let pass = NetworkPass(network).forward(input, steps: steps, batch: batch, lengths: lengths, state: state)
            let runs = [1, 2, 5].map {
                network.run(input, steps: steps, batch: batch, lengths: lengths, state: state, threads: $0)
            }
            expectNear(runs[0].outputs, pass.outputs, cell)
            expectNear(runs[0].state.hidden, pass.state.hidden, cell)
            for run in runs[1...] {
                expectSame(run.outputs, runs[0].outputs)
                #expect(run.state == runs[0].state)
            }
        }
    }

    /// To rounding, which many steps of the fast weights enlarge.
    private func expectNear(_ a: [Float], _ b: [Float], _ cell: Cell) {
        #expect(RecurrentStreamTests.relativeError(a, b) < (cell.isFading ? 1e-3 : 1e-5))
    }
}
