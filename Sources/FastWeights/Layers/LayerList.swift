/// A layer with what stands before the names of its parameters.
struct NamedLayer: Sendable, Equatable {
    var layer: Layer
    var prefix: String
    /// What stands behind the names of a cell, "_l0" as PyTorch has it in `nn.LSTM`, "" as in `nn.LSTMCell`.
    var cellSuffix = "_l0"

    /// Layers named by their indices, as in PyTorch's `nn.Sequential`.
    static func list(_ layers: [Layer]) -> [NamedLayer] {
        layers.enumerated().map { NamedLayer(layer: $1, prefix: "\($0).") }
    }
}

/// Why layers do not make a network: which of them, and what is wrong.
struct LayerProblem: Error {
    let sentence: String
}

/// Layers one on the other: each reads what the one below gives.
final class PlacedList: PlacedLayer {
    /// Most layers of a list, those in its layers apart: a file cannot claim more.
    static let limit = 256
    /// Most parameters of a network.
    static let parameterLimit = 4096
    /// Most numbers that go from a layer to the next.
    static let numbersLimit = 1 << 26

    /// Throws when a layer cannot read what it is given.
    ///
    /// Here alone it is known that tokens, or an embedding of tokens, below a layer that multiplies them are a table.
    static func placed(
        _ layers: [NamedLayer], _ input: LayerShape, _ scope: inout ParameterScope
    ) throws(LayerProblem) -> PlacedList {
        guard (1...limit).contains(layers.count) else {
            throw LayerProblem(sentence: "there are from 1 to \(limit) layers, found \(layers.count)")
        }
        var children: [PlacedLayer] = []
        var next = LayerInput(shape: input, tokens: nil)
        for (i, named) in layers.enumerated() {
            let kind = named.layer.kind
            func fail(_ problem: String) -> LayerProblem {
                LayerProblem(sentence: "layer \(i), \(kind.name): \(problem)")
            }
            if let vocabulary = next.shape.vocabulary, kind.readsTable {
                next.tokens = TokenSource(vocabulary: vocabulary, embedding: nil)
                // What the layer reads are the numbers that stand for the tokens.
                next.shape.values = .numbers(MapShape(channels: vocabulary, height: 1, width: 1))
            }
            if let problem = kind.problem(reading: next.shape) { throw fail(problem) }
            let layer = scope.within(named.prefix, cellSuffix: named.cellSuffix) { kind.placed(next, &$0) }
            if let problem = scope.problem { throw fail(problem) }
            guard scope.layout.windows.count <= parameterLimit else {
                throw fail("with it the layers have more than \(parameterLimit) parameters")
            }
            guard (1...numbersLimit).contains(layer.output.count) else {
                throw fail("it would give \(layer.output.count) numbers; there may be from 1 to \(numbersLimit)")
            }
            next = LayerInput(shape: layer.output, tokens: nil)
            if let embedding = layer.embedding, i + 1 < layers.count, layers[i + 1].layer.kind.readsTable {
                next.tokens = TokenSource(vocabulary: embedding.vocabulary, embedding: embedding.weight)
            } else {
                children.append(layer)
            }
        }
        return PlacedList(input, children)
    }

    init(_ input: LayerShape, _ children: [PlacedLayer]) {
        super.init(input, children[children.count - 1].output, children: children)
    }

    override func pass(_ weights: LayerWeights, _ input: PassInput, _ plan: PassPlan) -> LayerPass {
        var (input, plan) = (input, plan)
        var passes: [LayerPass] = []
        for (layer, weights) in zip(children, weights.children) {
            plan.spare = plan.trains ? nil : Self.spare(for: layer, passes, input.x)
            let pass = layer.pass(weights, input, plan)
            input = PassInput(x: pass.outputs, dx: plan.trains ? pass.outputGradients : nil)
            passes.append(pass)
        }
        return ListPass(self, passes)
    }

    /// Panels of a layer further below, which the one above it has read by then.
    private static func spare(for layer: PlacedLayer, _ below: [LayerPass], _ x: PanelSequence) -> PanelSequence? {
        guard layer.sparesOutputs else { return nil }
        return below.first {
            $0.layer.sparesOutputs && $0.layer.output.count == layer.output.count && $0.outputs.pointer != x.pointer
        }?.outputs
    }

    override func streamWeights(_ weights: LayerWeights, _ precision: WeightPrecision) -> LayerStreamWeights {
        LayerStreamWeights(weights, precision)
    }

    override func stream(_ shared: LayerStreamWeights) -> LayerStream {
        let streams = zip(children, shared.children).map { $0.stream($1) }
        return streams.count == 1 ? streams[0] : ListStream(streams, shared)
    }
}

/// Layers one on the other over a block.
private final class ListPass: LayerPass {
    /// The children, which are there as long as the list is: nobody counts who calls them.
    private let calls: [Unmanaged<LayerPass>]
    /// How many of them, the first, read something at every step.
    private let callsPerStep: Int

    init(_ list: PlacedList, _ passes: [LayerPass]) {
        let last = passes[passes.count - 1]
        calls = passes.map { Unmanaged.passUnretained($0) }
        callsPerStep = list.children.firstIndex { !$0.input.isPerStep } ?? calls.count
        super.init(list, outputs: last.outputs, gradients: last.outputGradients, children: passes)
    }

    override func forward(_ run: Run, _ range: Range<Int>) {
        for i in 0..<(run.goesOn ? callsPerStep : calls.count) {
            calls[i]._withUnsafeGuaranteedRef { $0.forward(run, range) }
        }
    }

    override func backward(_ run: Run, _ gradients: UnsafeMutablePointer<Float>) {
        for child in calls.reversed() { child._withUnsafeGuaranteedRef { $0.backward(run, gradients) } }
    }
}

private final class ListStream: LayerStream {
    /// The layers above the first with what they read, that is y of the one below.
    private let upper: Buffer<Call>
    private let first: Unmanaged<LayerStream>
    private let hasState: [Bool]

    /// A stream, which is there as long as the list is, so that nobody counts who calls it.
    private struct Call: BitwiseCopyable {
        let stream: Unmanaged<LayerStream>
        let input: ColumnNumbers

        @inline(__always) func step() { stream._withUnsafeGuaranteedRef { $0.step(input) } }
    }

    init(_ streams: [LayerStream], _ shared: LayerStreamWeights) {
        first = .passUnretained(streams[0])
        upper = Buffer(streams.count - 1)
        for i in 1..<streams.count {
            let input = ColumnNumbers(pointer: numbers(streams[i - 1].outputs), count: shared.children[i - 1].width)
            (upper.pointer + (i - 1)).initialize(to: Call(stream: .passUnretained(streams[i]), input: input))
        }
        hasState = shared.children.map { $0.layer.carriedRows > 0 }
        super.init(outputs: streams[streams.count - 1].outputs, width: shared.width, children: streams)
    }

    override func step(_ x: ColumnNumbers) {
        first._withUnsafeGuaranteedRef { $0.step(x) }
        let (calls, count) = (upper.pointer, upper.count)
        var i = 0
        while i < count {
            calls[i].step()
            i &+= 1
        }
    }

    /// y of a layer without a state follows where that of the one below does; y that follows from nothing is 0.
    override func showState() -> Bool {
        var isKnown = false
        for i in children.indices {
            if children[i].showState() {
                isKnown = true
            } else if isKnown && !hasState[i] {
                upper.pointer[i - 1].step()
            } else {
                isKnown = false
                children[i].clearOutput()
            }
        }
        return isKnown
    }
}
