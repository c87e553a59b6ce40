extension Layer {
    /// y = x + f(x), f the `layers` one on the other, which must give as many numbers as they read, at as many steps.
    /// Parameters: those of f, each behind its index in the list and a dot.
    public static func residual(_ layers: [Layer]) -> Layer { Layer(ResidualLayer(layers)) }
}

/// A residual branch; see `Layer.residual`.
final class ResidualLayer: LayerKind {
    let layers: [Layer]

    init(_ layers: [Layer]) { self.layers = layers }

    var name: String { "residual" }
    var options: [JSON.Member] { [JSON.Member(key: "layers", value: .array(layers.map { $0.json }))] }

    func problem(reading input: LayerShape) -> String? {
        guard input.maps != nil else { return "it needs numbers, found \(input.text)" }
        var scope = ParameterScope()
        do {
            let branch = try PlacedList.placed(NamedLayer.list(layers), input, &scope)
            let (from, to) = (input, branch.output)
            return to.values == from.values && to.isPerStep == from.isPerStep
                ? nil : "its layers read \(from.text) and give \(to.text); they must give what they read"
        } catch {
            return error.sentence
        }
    }

    func placed(_ input: LayerInput, _ scope: inout ParameterScope) -> PlacedLayer {
        do {
            return PlacedResidual(try PlacedList.placed(NamedLayer.list(layers), input.shape, &scope))
        } catch {
            misuse(error.sentence)
        }
    }
}

private final class PlacedResidual: PlacedLayer {
    init(_ branch: PlacedList) {
        var output = branch.output
        // A sum has numbers of a reversed layer only where both that are added up have.
        if output.reversed != branch.input.reversed { output.reversed = 0 }
        super.init(branch.input, output, children: [branch])
    }

    override func pass(_ weights: LayerWeights, _ input: PassInput, _ plan: PassPlan) -> LayerPass {
        ResidualPass(self, children[0].pass(weights.children[0], input, plan), input, plan)
    }

    override func streamWeights(_ weights: LayerWeights, _ precision: WeightPrecision) -> LayerStreamWeights {
        LayerStreamWeights(weights, precision)
    }
    override func stream(_ shared: LayerStreamWeights) -> LayerStream {
        ResidualStream(children[0].stream(shared.children[0]), width: output.count)
    }
}

private final class ResidualPass: LayerPass {
    private let input: PassInput
    private let rows: Int
    private let arena = Arena()

    init(_ layer: PlacedResidual, _ branch: LayerPass, _ input: PassInput, _ plan: PassPlan) {
        (self.input, rows) = (input, layer.output.count)
        let y = arena.panels(layer.output.isPerStep ? plan.steps : 1, rows: rows)
        // ∂L/∂y is ∂L/∂(branch), whose panels it takes unless they are its result's.
        super.init(
            layer, outputs: y,
            gradients: plan.trains ? arena.panels(layer.output.isPerStep ? plan.steps : 1, rows: rows) : y,
            children: [branch])
    }

    private func steps(_ range: Range<Int>) -> Range<Int> { layer.output.isPerStep ? range : 0..<1 }

    override func forward(_ run: Run, _ range: Range<Int>) {
        children[0].forward(run, range)
        for t in steps(range) {
            let (x, y, branch) = (input.x[t], outputs[t], children[0].outputs[t])
            for r in 0..<rows { y[r] = x[r] + branch[r] }
        }
    }

    override func backward(_ run: Run, _ gradients: UnsafeMutablePointer<Float>) {
        let all = steps(0..<run.steps)
        for t in all { children[0].outputGradients[t].update(from: outputGradients[t], count: rows) }
        children[0].backward(run, gradients)
        guard let dx = input.dx else { return }
        for t in all { for r in 0..<rows { dx[t][r] += outputGradients[t][r] } }
    }
}

private final class ResidualStream: LayerStream {
    private let width: Int
    private let arena = StreamArena()

    init(_ branch: LayerStream, width: Int) {
        self.width = width
        super.init(
            outputs: arena.octets((width + Octet.width - 1) / Octet.width), width: width, children: [branch])
    }

    override func step(_ x: ColumnNumbers) {
        children[0].step(x)
        let y = outputNumbers
        y.update(from: numbers(children[0].outputs), count: width)
        for k in 0..<x.count { y[x.first &+ k] += x.pointer[k] }
    }
}
