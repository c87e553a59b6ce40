/// Runs the golden cases of networks of layers: outputs, last states and every gradient, in every way this module can run
/// them.
extension Fixture {
    /// A network as its configuration names its layers.
    func checkLayers(_ tally: inout ErrorTally) throws { try check(try layers(), &tally) }

    /// A cell alone, under the names of PyTorch's cells.
    func checkCell(_ tally: inout ErrorTally) throws { try check(try cell(), &tally) }

    /// Layers of one cell.
    func checkStack(_ tally: inout ErrorTally) throws { try check(try stack(), &tally) }

    /// The network of a case of layers; nil of a case of another kind.
    func network() throws -> Network? {
        let configuration: NetworkConfiguration
        switch kind {
        case "layers": configuration = try layers()
        case "cell": configuration = try cell()
        case "stack": configuration = try stack()
        default: return nil
        }
        return Network(configuration, parameters: try parameters(configuration.layout))
    }

    private func layers() throws -> NetworkConfiguration { try NetworkConfiguration(json: configuration) }
    private func stack() throws -> NetworkConfiguration { try NetworkConfiguration(version1: configuration) }

    private func cell() throws -> NetworkConfiguration {
        let reader = ConfigurationReader(json: configuration, owner: "cell")
        let kind = JSON.Member("layer", try reader.text("cell"))
        let layer = try Layer(json: .object([kind] + (configuration.members ?? [])), isStrict: false)
        return try NetworkConfiguration(
            reading: .numbers(try reader.count("input")), [NamedLayer(layer: layer, prefix: "", cellSuffix: "")])
    }

    /// The same network with its layers in every form that they have.
    private func check(_ configuration: NetworkConfiguration, _ tally: inout ErrorTally) throws {
        let forms = configuration.named.map { $0.layer.kind.forms }
        for form in 0..<(forms.map { $0.count }.max() ?? 1) {
            let named = zip(configuration.named, forms).map { named, forms in
                NamedLayer(
                    layer: Layer(forms[min(form, forms.count - 1)]), prefix: named.prefix,
                    cellSuffix: named.cellSuffix)
            }
            try checkForm(NetworkConfiguration(configuration.input, named), &tally)
        }
    }

    private func checkForm(_ configuration: NetworkConfiguration, _ tally: inout ErrorTally) throws {
        let definition = configuration.definition
        try checkNames(definition)
        let network = Network(configuration, parameters: try parameters(configuration.layout))
        let golden = try GoldenBatch(self, definition)
        let (steps, batch, lengths, start) = (golden.steps, golden.batch, golden.lengths, golden.start)

        let pass = NetworkPass(network)
        let result = golden.forward(pass, 0..<steps, start)
        _ = try doubles("output", [golden.outputShape])
        try compare(result, "", definition, &tally)
        if hasGradients {
            let cotangent = has("cotangent.output") ? try floats("cotangent.output", [golden.outputShape]) : nil
            let gradients = pass.backward(
                cotangent ?? [Float](repeating: 0, count: result.outputs.count),
                state: try state("cotangent.final.", definition, batch: batch, isPartial: true))
            try compare(pass.gradients, "gradient.", &tally, parts: definition.scope.parts)
            if has("gradient.input") {
                tally.gradient("gradient.input", gradients.input, try doubles("gradient.input", [try shape("input")]))
            }
            for tensor in gradients.state.tensors(definition) where has("gradient.state.\(tensor.name)") {
                let name = "gradient.state.\(tensor.name)"
                tally.gradient(
                    name, tensor.values, try doubles(name, stateShapes(tensor.shape)),
                    parts: parts(tensor.shape, tensor.values.count))
            }
        }
        try compare(golden.run(network, threads: 2), ", run", definition, &tally)
        guard !definition.root.isReversed else { return }
        if steps > 1, lengths == nil {
            // The same sequences in two parts, the state carried on.
            let first = golden.forward(pass, 0..<steps / 2, start)
            let second = golden.forward(pass, steps / 2..<steps, first.state)
            let outputs = definition.output.isPerStep ? first.outputs + second.outputs : second.outputs
            try compare((outputs, second.state), ", split", definition, &tally)
        }
        try checkStream(network, golden, &tally)
    }

    /// Throws where a tensor is missing, or has a name that says nothing here: what it holds would not be checked.
    private func checkNames(_ definition: NetworkDefinition) throws {
        let parameters = definition.layout.windows.map(\.name)
        let states = definition.stateTensors.map(\.name)
        var needed = [definition.takesTokens ? "tokens" : "input", "output"] + parameters.map { "parameter.\($0)" }
        if states.contains(where: { has("state.\($0)") }) { needed += states.map { "state.\($0)" } }
        var known = needed + ["lengths", "loss", "cotangent.output"]
        known += ["state.", "final.", "cotangent.final.", "gradient.state."].flatMap { kind in states.map { kind + $0 }
        }
        if !definition.takesTokens { known.append("gradient.input") }
        let gradients = parameters.map { "gradient.\($0)" }
        if hasGradients { needed += gradients }
        known += gradients
        let there = Set(tensors.names)
        let (missing, unexpected) = (needed.filter { !there.contains($0) }, there.subtracting(known).sorted())
        guard missing.isEmpty && unexpected.isEmpty else {
            let problems = [("missing", missing), ("unexpected", unexpected)].filter { !$0.1.isEmpty }
                .map { "\($0.0): \($0.1.joined(separator: ", "))" }
            throw FixtureError(name, "tensors " + problems.joined(separator: "; "))
        }
        guard hasGradients == there.contains(where: { $0.hasPrefix("cotangent.") }) else {
            throw FixtureError(
                name,
                hasGradients
                    ? "there are gradients, but neither cotangent.output nor a cotangent.final"
                    : "there are cotangents, but no gradients to compare with")
        }
    }

    /// A case without is of the forward pass alone.
    private var hasGradients: Bool { tensors.names.contains { $0.hasPrefix("gradient.") } }

    /// Notes outputs and last states.
    private func compare(
        _ found: (outputs: [Float], state: NetworkState), _ note: String, _ definition: NetworkDefinition,
        _ tally: inout ErrorTally
    ) throws {
        tally.output("output" + note, found.outputs, try doubles("output"))
        for tensor in found.state.tensors(definition) where has("final." + tensor.name) {
            let expected = try doubles("final." + tensor.name, stateShapes(tensor.shape))
            tally.output(
                "final.\(tensor.name)\(note)", tensor.values, expected,
                parts: parts(tensor.shape, tensor.values.count))
        }
    }

    /// Each layer's part of a tensor of states, which can be wrong alone.
    private func parts(_ shape: [Int], _ count: Int) -> [Range<Int>] {
        consecutive([Int](repeating: count / shape[0], count: shape[0]), within: count)
    }

    /// The first sequence of the batch alone, a step at a time.
    private func checkStream(_ network: Network, _ golden: GoldenBatch, _ tally: inout ErrorTally) throws {
        let definition = network.definition
        let stream = try NetworkStream(network, state: golden.start?.first)
        let (width, batch) = (definition.output.count, golden.batch)
        let expected = try doubles("output", [golden.outputShape])
        var (outputs, first): ([Float], [Double]) = ([], [])
        let steps = golden.lengths?[0] ?? golden.steps
        for t in 0..<steps {
            golden.step(stream, t)
            guard definition.output.isPerStep || t == steps - 1 else { continue }
            outputs += stream.output
            let row = definition.output.isPerStep ? t * batch * width : 0
            first += expected[row..<row + width]
        }
        tally.output("output, stream", outputs, first)
        for tensor in stream.state.tensors(definition) where has("final." + tensor.name) {
            let all = try doubles("final." + tensor.name)
            let size = tensor.values.count / tensor.shape[0]
            let own = (0..<tensor.shape[0]).flatMap { all[$0 * batch * size..<$0 * batch * size + size] }
            tally.output("final.\(tensor.name), stream", tensor.values, own, parts: parts(tensor.shape, own.count))
        }
    }
}

extension NetworkState {
    /// That of the first sequence.
    var first: NetworkState {
        var state = self
        for (i, part) in parts.enumerated() {
            state.parts[i] = Part(
                name: part.name, shape: [1] + part.shape.dropFirst(),
                values: Array(part.values.prefix(part.values.count / part.shape[0])))
        }
        return state
    }
}

/// The sequences of a golden case.
struct GoldenBatch {
    let steps: Int
    let batch: Int
    let lengths: [Int]?
    let start: NetworkState?
    private let numbers: [Float]
    private let tokens: [Int]
    private let width: Int
    let outputShape: [Int]

    init(_ fixture: Fixture, _ definition: NetworkDefinition) throws {
        let sizes: [Int]
        if let vocabulary = definition.input.vocabulary {
            sizes = try fixture.shape("tokens", [nil, nil])
            tokens = try fixture.integers("tokens", count: sizes[0] * sizes[1], in: 0..<vocabulary)
            (numbers, width) = ([], 1)
        } else {
            sizes = try fixture.shape("input", [nil, nil] + definition.input.sizes)
            (numbers, tokens, width) = (try fixture.floats("input"), [], definition.input.count)
        }
        (steps, batch) = (sizes[0], sizes[1])
        lengths = try fixture.lengths(definition, batch: batch, steps: steps)
        start = try fixture.state("state.", definition, batch: batch)
        outputShape = (definition.output.isPerStep ? [steps] : []) + [batch] + definition.output.sizes
    }

    private func part<Value>(_ values: [Value], _ range: Range<Int>) -> [Value] {
        Array(values[range.lowerBound * batch * width..<range.upperBound * batch * width])
    }

    func forward(
        _ pass: NetworkPass, _ range: Range<Int>, _ state: NetworkState?
    ) -> (outputs: [Float], state: NetworkState) {
        tokens.isEmpty
            ? pass.forward(
                part(numbers, range), steps: range.count, batch: batch, lengths: lengths, state: state)
            : pass.forward(
                tokens: part(tokens, range), steps: range.count, batch: batch, lengths: lengths, state: state)
    }

    func run(_ network: Network, threads: Int) -> (outputs: [Float], state: NetworkState) {
        tokens.isEmpty
            ? network.run(numbers, steps: steps, batch: batch, lengths: lengths, state: start, threads: threads)
            : network.run(tokens: tokens, steps: steps, batch: batch, lengths: lengths, state: start, threads: threads)
    }

    /// Gives a stream step t of the first sequence.
    func step(_ stream: NetworkStream, _ t: Int) {
        if tokens.isEmpty {
            stream.step(Array(numbers[t * batch * width..<t * batch * width + width]))
        } else {
            stream.step(token: tokens[t * batch])
        }
    }
}
