import Testing

@testable import FastWeights

/// Windows of a text against `NetworkPass` over the same windows as one-hot numbers: it carries the whole matrix A and its
/// gradient, is checked against PyTorch, and gets 0 for the gradient behind a window.
@Suite struct TruncatedTrainingTests {
    static let cells: [Cell] = [
        .irnn(), .lstm(), .lstm(hasLayerNorm: true), .gru, .fastWeights(),
        .fastWeights(FastWeightsOptions(memoryDecay: 0.8, writeRate: 0.2, memory: .matrix)),
        .fastWeights(FastWeightsOptions(memoryDecay: 0.9, innerSteps: 2, normalizesFirst: true, memory: .chunks(3))),
        .fastWeights(FastWeightsOptions(writeRate: 0.1, innerSteps: 2, isLagged: true, memory: .chunks(7))),
        .fastWeights(FastWeightsOptions(writeRate: 0.1, activation: .tanh, isLagged: true, memory: .chunks(2))),
    ]

    @Test(arguments: cells)
    func windowsHaveTheLossAndTheGradientsOfAPass(cell: Cell) throws {
        let (window, streams, V, H, layers) = (7, 19, 5, 9, 2)
        let network = Network(
            NetworkConfiguration.stack(cell, input: V, hidden: H, layers: layers, head: .perStep(V)), seed: 3)
        let reader = try #require(network.reading(tokens: true))
        var random = Random(seed: 4)
        // 26 tokens a stream: three whole windows and one of five.
        let tokens = (0..<streams * 26 + 4).map { _ in random.below(V) }
        let data = try SequenceData(
            .tokens([Array(tokens.dropLast())]), .stepClasses([Array(tokens.dropFirst())]))
        ThreadTeam.run(threads: 1) { team in
            let engine = ParallelTraining(
                reader.definition, reader.parameters, longest: window, carry: .state, team: team
            )
            var text = TextStreams(data, window: window, streams: streams, reader.definition)
            var state: NetworkState?
            for w in 0..<4 {
                #expect(text.advance() == (w == 0) && text.steps == (w < 3 ? 7 : 5))
                let found = engine.gradient(text)
                let pass = NetworkPass(network)
                let (loss, next) = Self.gradient(pass, tokens, text, V, state)
                state = next
                #expect(abs(found.loss - loss) < 1e-5 * loss)
                for name in pass.gradients.layout.windows.map(\.name) {
                    let error = RecurrentStreamTests.relativeError(engine.gradients[name], pass.gradients[name])
                    #expect(error < 2e-4, "window \(w), \(name)")
                }
                for (layer, stream) in [(0, 0), (1, 4), (1, 18)] {
                    let (h, memory) = Self.state(text.states, cell, hidden: H, layer, stream)
                    for (found, all, count) in [
                        (h, next.hidden, H), (memory, next.memory, cell.sizes(hidden: H).memory?.count ?? 0),
                    ] {
                        let expected = Self.part(all, count, layer, stream, streams)
                        #expect(RecurrentStreamTests.relativeError(found, expected) < 1e-4)
                    }
                }
            }
        }
    }

    /// Loss and gradients of a window by `pass`, and the state behind it.
    private static func gradient(
        _ pass: NetworkPass, _ tokens: [Int], _ text: TextStreams, _ V: Int, _ state: NetworkState?
    ) -> (loss: Double, state: NetworkState) {
        let (T, B) = (text.steps, text.starts.count)
        var input = [Float](repeating: 0, count: T * B * V)
        for t in 0..<T { for b in 0..<B { input[(t * B + b) * V + tokens[text.starts[b] + t]] = 1 } }
        let (outputs, next) = pass.forward(input, steps: T, batch: B, state: state)
        var gradient = outputs
        var loss = 0.0
        for t in 0..<T {
            for b in 0..<B {
                let row = (t * B + b) * V..<(t * B + b + 1) * V
                let powers = outputs[row].map { exponential(Double($0)) }
                let sum = powers.reduce(0, +)
                let wanted = tokens[text.starts[b] + t + 1]
                loss += naturalLogarithm(sum / powers[wanted])
                for v in 0..<V {
                    gradient[row.lowerBound + v] = Float((powers[v] / sum - (v == wanted ? 1 : 0)) / Double(T * B))
                }
            }
        }
        pass.gradients.clear()
        _ = pass.backward(gradient)
        return (loss / Double(T * B), next)
    }

    private static func exponential(_ x: Double) -> Double {
        var (sum, term) = (1.0, 1.0)
        for n in 1...60 {
            term *= x / Double(n)
            sum += term
        }
        return sum
    }

    /// Numbers of one cell and sequence in an array [layers, B, count].
    private static func part(_ values: [Float], _ count: Int, _ layer: Int, _ stream: Int, _ batch: Int) -> [Float] {
        Array(values[(layer * batch + stream) * count..<(layer * batch + stream + 1) * count])
    }

    /// h and the whole memory of a stream, of which the fast weights' triangle is kept.
    private static func state(
        _ states: CarriedStates, _ cell: Cell, hidden H: Int, _ layer: Int, _ stream: Int
    ) -> (h: [Float], memory: [Float]) {
        let M = cell.layer(H).kind.cell!.memoryRows(.state)
        let (panel, lane) = (states[stream / Lanes.width] + layer * (H + M), stream % Lanes.width)
        let h = (0..<H).map { panel[$0][lane] }
        guard cell.isFading else { return (h, (0..<M).map { panel[H + $0][lane] }) }
        let memory = (0..<H * H).map { i in
            let (r, k) = (max(i / H, i % H), min(i / H, i % H))
            return panel[H + r * (r + 1) / 2 + k][lane]
        }
        return (h, memory)
    }
}
