extension Layer {
    /// A row of numbers for each token (PyTorch's `nn.Embedding`), which is trained.
    ///
    /// Reads tokens below V at every step and gives `size` numbers. Parameter: `weight` [V, size], first values normal
    /// around 0 with `deviation`. Below a recurrent layer it costs nothing per step: a token's row times the layer's matrix
    /// is a row of a table, made once for all steps.
    public static func embedding(_ size: Int, deviation: Float = 1) -> Layer {
        Layer(EmbeddingLayer(size: size, deviation: deviation))
    }
}

/// A row of numbers for each token; see `Layer.embedding`.
final class EmbeddingLayer: LayerKind {
    let size: Int
    let deviation: Float

    init(size: Int, deviation: Float = 1) { (self.size, self.deviation) = (size, deviation) }

    init(_ reader: ConfigurationReader) throws(ConfigurationError) {
        (size, deviation) = (try reader.count("size"), Float(try reader.number("deviation", default: 1)))
    }

    var name: String { "embedding" }
    var options: [JSON.Member] { [JSON.Member("size", size), JSON.Member("deviation", deviation)] }

    func problem(reading input: LayerShape) -> String? {
        guard input.vocabulary != nil else { return "it needs tokens, found \(input.text)" }
        guard (1...sizeLimit).contains(size) else { return "it needs from 1 to \(sizeLimit) numbers, found \(size)" }
        return deviation >= 0 && deviation.isFinite
            ? nil : "the deviation of its first values is a finite number of at least 0, found \(deviation)"
    }

    func placed(_ input: LayerInput, _ scope: inout ParameterScope) -> PlacedLayer {
        PlacedEmbedding(self, input.shape, &scope)
    }
}

final class PlacedEmbedding: PlacedLayer {
    let vocabulary: Int
    let weight: Parameter

    init(_ kind: EmbeddingLayer, _ input: LayerShape, _ scope: inout ParameterScope) {
        vocabulary = input.vocabulary ?? 0
        weight = scope.add("weight", vocabulary, kind.size, first: .normal(kind.deviation))
        super.init(input, .vector(kind.size))
    }

    override var embedding: (vocabulary: Int, weight: Parameter)? { (vocabulary, weight) }

    override func pass(_ weights: LayerWeights, _ input: PassInput, _ plan: PassPlan) -> LayerPass {
        EmbeddingPass(self, weights.numbers, input, plan)
    }

    override func stream(_ shared: LayerStreamWeights) -> LayerStream {
        EmbeddingStream(self, unsafeDowncast(shared, to: PassStreamWeights.self))
    }
}

/// An embedding whose rows are needed as they are.
private final class EmbeddingPass: LayerPass {
    private let embedding: PlacedEmbedding
    private let numbers: UnsafeMutablePointer<Float>
    private let tokens: UnsafeMutablePointer<UInt16>
    private let arena = Arena()

    init(
        _ embedding: PlacedEmbedding, _ numbers: UnsafeMutablePointer<Float>, _ input: PassInput, _ plan: PassPlan
    ) {
        guard let tokens = input.tokens else { misuse("an embedding was given no tokens") }
        (self.embedding, self.numbers, self.tokens) = (embedding, numbers, tokens)
        let rows = embedding.output.count
        super.init(
            embedding, outputs: arena.panels(plan.steps, rows: rows),
            gradients: arena.panels(plan.trains ? plan.steps : 0, rows: rows))
    }

    private func table(_ block: UnsafeMutablePointer<Float>) -> TokenRows {
        TokenRows(values: block[embedding.weight], rows: embedding.output.count, stride: embedding.output.count)
    }

    override func forward(_ run: Run, _ range: Range<Int>) {
        let table = table(numbers)
        for t in range { table.gather(tokens + t * Lanes.width, into: outputs[t]) }
    }

    override func backward(_ run: Run, _ gradients: UnsafeMutablePointer<Float>) {
        let table = table(gradients)
        for t in 0..<run.steps {
            table.scatter(tokens + t * Lanes.width, from: outputGradients[t], count: run.block.active(at: t))
        }
    }
}

private final class EmbeddingStream: LayerStream {
    private let shared: PassStreamWeights
    private let weight: Parameter
    private let size: Int
    private let arena = StreamArena()

    init(_ embedding: PlacedEmbedding, _ shared: PassStreamWeights) {
        (self.shared, weight, size) = (shared, embedding.weight, embedding.output.count)
        super.init(outputs: arena.octets((size + Octet.width - 1) / Octet.width), width: size)
    }

    /// x is zero but for a 1 at the token's index.
    override func step(_ x: ColumnNumbers) {
        let row = shared.weights.numbers[weight] + x.indexOfOne &* size
        outputNumbers.update(from: row, count: size)
    }
}
