extension Layer {
    /// A dense layer (PyTorch's `nn.Linear`): y = f(W·x + b), f the `activation`, without one the identity.
    ///
    /// Reads N numbers, at every step or once a sequence, and gives `outputs` of them. Parameters: `weight` [outputs, N] and
    /// `bias` [outputs], first values uniform in ±1/√N. O(outputs·N).
    public static func dense(_ outputs: Int, activation: Activation? = nil, hasBias: Bool = true) -> Layer {
        Layer(DenseLayer(outputs: outputs, activation, hasBias: hasBias))
    }
}

/// A dense layer; see `Layer.dense`.
final class DenseLayer: LayerKind {
    let outputs: Int
    let activation: Activation?
    let hasBias: Bool

    init(outputs: Int, _ activation: Activation? = nil, hasBias: Bool = true) {
        (self.outputs, self.activation, self.hasBias) = (outputs, activation, hasBias)
    }

    init(_ reader: ConfigurationReader) throws(ConfigurationError) {
        outputs = try reader.count("outputs")
        activation = reader.json["activation"] == nil ? nil : try reader.activation()
        hasBias = try reader.flag("bias", default: true)
    }

    var name: String { "dense" }
    var options: [JSON.Member] {
        [JSON.Member("outputs", outputs)]
            + (activation.map { [JSON.Member("activation", $0.rawValue)] } ?? []) + [JSON.Member("bias", hasBias)]
    }

    var unwrittenOptions: [String] { activation == nil ? ["activation"] : [] }

    func problem(reading input: LayerShape) -> String? {
        guard let maps = input.maps, maps.height == 1, maps.width == 1 else {
            return "it needs a row of numbers, found \(input.text)"
                + (input.maps == nil ? "; an embedding makes numbers of tokens" : "; put flatten between")
        }
        return (1...sizeLimit).contains(outputs)
            ? nil : "it needs from 1 to \(sizeLimit) outputs, found \(outputs)"
    }

    func placed(_ input: LayerInput, _ scope: inout ParameterScope) -> PlacedLayer {
        PlacedDense(self, input.shape, &scope)
    }
}

final class PlacedDense: PlacedLayer {
    let activation: Activation?
    let weight: Parameter
    let bias: Parameter?

    init(_ kind: DenseLayer, _ input: LayerShape, _ scope: inout ParameterScope) {
        activation = kind.activation
        let first = FirstValue.uniform(1 / Float(input.count).squareRoot())
        weight = scope.add("weight", kind.outputs, input.count, first: first)
        bias = kind.hasBias ? scope.add("bias", kind.outputs, first: first) : nil
        super.init(input, .vector(kind.outputs, isPerStep: input.isPerStep))
    }

    override func pass(_ weights: LayerWeights, _ input: PassInput, _ plan: PassPlan) -> LayerPass {
        DensePass(self, weights.numbers, input, plan)
    }

    override var multiplications: Int { weight.count }

    override var streamMatrices: [Parameter] { [weight] }

    override func streamWeights(_ weights: LayerWeights, _ precision: WeightPrecision) -> LayerStreamWeights {
        DenseStreamWeights(self, weights, precision)
    }

    override func stream(_ shared: LayerStreamWeights) -> LayerStream {
        let shared = unsafeDowncast(shared, to: DenseStreamWeights.self)
        return switch shared.matrix {
        case .few(let rows): FewOutputsStream(rows, shared, activation)
        case .many(let matrix): DenseStream(matrix, shared, activation)
        }
    }
}

/// A dense layer over a block: y of every step, or of the sequence alone.
final class DensePass: LayerPass {
    private let dense: PlacedDense
    private let numbers: UnsafeMutablePointer<Float>
    private let input: PassInput
    private let rows: Int
    private let columns: Int
    private let scratch: Panel
    private let arena = Arena()

    init(_ dense: PlacedDense, _ numbers: UnsafeMutablePointer<Float>, _ input: PassInput, _ plan: PassPlan) {
        (self.dense, self.numbers, self.input, scratch) = (dense, numbers, input, plan.scratch)
        (rows, columns) = (dense.output.count, dense.input.count)
        let steps = dense.input.isPerStep ? plan.steps : 1
        let outputs = arena.panels(steps, rows: rows)
        // Of the identity the backward pass does not look at y, whose panels ∂L/∂y may take.
        let needsBoth = plan.trains && dense.activation != nil
        super.init(dense, outputs: outputs, gradients: needsBoth ? arena.panels(steps, rows: rows) : outputs)
    }

    override func forward(_ run: Run, _ range: Range<Int>) {
        let (weight, bias) = (numbers[dense.weight], dense.bias.map { numbers[$0] })
        for t in dense.input.isPerStep ? range : 0..<1 {
            let y = outputs[t]
            multiply(weight, rows: rows, columns: columns, by: input.x[t], into: y, accumulate: false)
            if let bias, dense.activation == .relu {
                for r in 0..<rows { y[r] = (y[r] + bias[r]).rectified }
                continue
            }
            if let bias { for r in 0..<rows { y[r] += bias[r] } }
            dense.activation?.apply(y, into: y, count: rows)
        }
    }

    override func backward(_ run: Run, _ gradients: UnsafeMutablePointer<Float>) {
        let (count, dy) = (dense.input.isPerStep ? run.steps : 1, outputGradients)
        if let activation = dense.activation {
            for t in 0..<count { activation.applyBackward(dy[t], outputs[t], count: rows) }
        }
        accumulateOuterProducts(
            dy, rows: rows, input.x, columns: columns, count: count, scratch: scratch, into: gradients[dense.weight])
        if let bias = dense.bias { accumulateSums(dy, rows: rows, count: count, into: gradients[bias]) }
        guard let dx = input.dx else { return }
        for t in 0..<count {
            multiplyTransposed(
                numbers[dense.weight], rows: rows, columns: columns, by: dy[t], into: dx[t], accumulate: false)
        }
    }
}

/// W and b, [outputs padded to whole vectors].
private final class DenseStreamWeights: LayerStreamWeights {
    enum Matrix {
        case few(StreamRows)
        case many(StreamMatrix)
    }

    let matrix: Matrix
    let vectors: Int
    let bias: UnsafePointer<Octet>
    private let arena = StreamArena()

    init(_ dense: PlacedDense, _ source: LayerWeights, _ precision: WeightPrecision) {
        let (rows, columns, p) = (dense.output.count, dense.input.count, source.numbers)
        vectors = (rows + Octet.width - 1) / Octet.width
        let bias = arena.octets(vectors)
        for r in 0..<rows { bias[r / Octet.width][r % Octet.width] = dense.bias.map { p[$0][r] } ?? 0 }
        self.bias = UnsafePointer(bias)
        func number(_ r: Int, _ k: Int) -> Float { precision.rounded(p[dense.weight][r * columns + k]) }
        if rows <= StreamRows.most {
            let few = StreamRows(rows: rows, columns: columns, arena: arena)
            for r in 0..<rows { for k in 0..<columns { few.values[r * columns + k] = number(r, k) } }
            matrix = .few(few)
        } else {
            let many = StreamMatrix(vectors: vectors, parts: [columns], precision: precision, arena: arena)
            for r in 0..<rows {
                for k in 0..<columns {
                    many.set(number(r, k), r / Octet.width, lane: r % Octet.width, column: k, ofPartAt: 0)
                }
            }
            matrix = .many(many)
        }
        super.init(source, precision)
    }
}

private final class DenseStream: LayerStream {
    private let matrix: StreamMatrix
    private let shared: DenseStreamWeights
    private let activation: Activation?
    private let arena = StreamArena()

    init(_ matrix: StreamMatrix, _ shared: DenseStreamWeights, _ activation: Activation?) {
        (self.matrix, self.shared, self.activation) = (matrix, shared, activation)
        super.init(outputs: arena.octets(shared.vectors), width: shared.width)
    }

    override func step(_ x: ColumnNumbers) {
        let none = ColumnNumbers(pointer: x.pointer, count: 0)
        multiply(matrix, by: x, none, from: shared.bias, into: outputs, backwards: false)
        activation?.apply(UnsafePointer(outputs), into: outputs, vectors: shared.vectors)
    }
}

/// The stream of a layer of so few outputs that the calls would cost more than the product.
private final class FewOutputsStream: LayerStream {
    private let matrix: StreamRows
    private let bias: UnsafePointer<Float>
    private let activation: Activation?
    private let shared: DenseStreamWeights
    private let arena = StreamArena()

    init(_ matrix: StreamRows, _ shared: DenseStreamWeights, _ activation: Activation?) {
        (self.matrix, self.shared, self.activation) = (matrix, shared, activation)
        bias = numbers(shared.bias)
        super.init(outputs: arena.octets(shared.vectors), width: shared.width)
    }

    override func step(_ x: ColumnNumbers) {
        multiply(matrix, by: x, from: bias, into: outputNumbers)
        if let activation { activate(activation) }
    }

    @inline(never) private func activate(_ activation: Activation) {
        activation.apply(UnsafePointer(outputs), into: outputs, vectors: shared.vectors)
    }
}
