import Testing

@testable import FastWeights

/// Training memory grows as O(T·H), by the bytes of all buffers of one block of sixteen sequences.
@Suite struct MemoryTests {
    static let cells: [Cell] = [.irnn(), .lstm(), .gru, .fastWeights()]

    /// Vectors of sixteen floats a step and unit: what O(T·H) leaves bounded.
    private func vectors(_ cell: Cell, steps: Int, hidden: Int) -> Double {
        let configuration = NetworkConfiguration.classifier(cell, hidden: hidden, vocabulary: 37, classes: 10)
        let network = Network(configuration, seed: 1)
        let pass = BlockPass(
            network.definition.weights(network.parameters), steps: steps, trains: true, carry: .nothing)
        let bytes = bufferBytes(reachableFrom: pass) - bufferBytes(reachableFrom: pass.weights)
        return Double(bytes) / Double(steps * hidden * MemoryLayout<Lanes>.size)
    }

    /// At least the states and their gradients, at most a dozen vectors: the LSTM, the largest, has four gates, four
    /// gates' worth of states and two of gradients.
    @Test(arguments: cells)
    func aBlockNeedsAFewVectorsAStepAndUnit(cell: Cell) {
        for steps in [500, 1000, 2000] {
            let vectors = vectors(cell, steps: steps, hidden: 100)
            #expect((2...12).contains(vectors), "T = \(steps): \(vectors)")
        }
    }

    @Test(arguments: cells)
    func twiceTheStepsAreTwiceTheMemory(cell: Cell) {
        let (short, middle, long) = (
            500 * vectors(cell, steps: 500, hidden: 100), 1000 * vectors(cell, steps: 1000, hidden: 100),
            2000 * vectors(cell, steps: 2000, hidden: 100)
        )
        #expect(abs((long - middle) / (2 * (middle - short)) - 1) < 0.02)
    }

    /// The explicit matrix of each step is what the bound is to keep out: (H + 1) / 2 vectors a step and unit.
    @Test func theExplicitMatrixFailsTheBound() {
        #expect(vectors(.fastWeights(FastWeightsOptions(memory: .matrix)), steps: 200, hidden: 40) > 20)
    }

    // MARK: How it is counted

    private class Base {
        let first = Buffer<Float>(10)
    }

    private final class Owner: Base {
        let more: [Buffer<Lanes>]? = [Buffer(2), Buffer(3)]
        let again: Buffer<Float>
        let pair: (Buffer<UInt8>, Int)
        weak var selfAgain: Owner?

        init(_ shared: Buffer<Float>) {
            again = shared
            pair = (Buffer(7), 1)
            super.init()
            selfAgain = self
        }
    }

    @Test func everyBufferIsCountedOnce() {
        let shared = Buffer<Float>(100)
        let owner = Owner(shared)
        #expect(bufferBytes(reachableFrom: owner) == 40 + 5 * 64 + 400 + 7)
        #expect(bufferBytes(reachableFrom: shared) == 400)
    }
}
