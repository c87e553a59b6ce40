// Tensors of a fixture that must have certain sizes: whatever a file holds, a case ends in a sentence.
extension Fixture {
    /// The shape of a tensor that must have these sizes; nil stands for any from 1 on.
    func shape(_ tensor: String, _ sizes: [Int?]) throws -> [Int] {
        let found = try shape(tensor)
        let fits = found.count == sizes.count && zip(found, sizes).allSatisfy { $0 >= 1 && ($1 ?? $0) == $0 }
        guard fits else {
            let wanted = sizes.map { $0.map { "\($0)" } ?? "…" }.joined(separator: ", ")
            throw FixtureError(name, "\(tensor) should have the shape [\(wanted)], found \(found)")
        }
        return found
    }

    /// The numbers of a tensor that must have so many.
    func floats(_ tensor: String, count: Int) throws -> [Float] {
        try counted(tensor, try floats(tensor), count)
    }

    /// The same, exact.
    func doubles(_ tensor: String, count: Int) throws -> [Double] {
        try counted(tensor, try doubles(tensor), count)
    }

    /// The whole numbers of a tensor that must have so many, all of them in `range`.
    func integers(_ tensor: String, count: Int, in range: Range<Int>) throws -> [Int] {
        let values = try counted(tensor, try tensors.integers(tensor), count)
        if let wrong = values.first(where: { !range.contains($0) }) {
            throw FixtureError(
                name,
                "\(tensor) should have numbers from \(range.lowerBound) to \(range.upperBound - 1), found \(wrong)")
        }
        return values
    }

    private func counted<Value>(_ tensor: String, _ values: [Value], _ count: Int) throws -> [Value] {
        guard values.count == count else {
            throw FixtureError(name, "\(tensor) should have \(count) numbers, found \(values.count)")
        }
        return values
    }

    /// Steps of each of `batch` sequences, 1 to `steps`; nil where the file does not say.
    func lengths(_ definition: NetworkDefinition, batch: Int, steps: Int) throws -> [Int]? {
        guard has("lengths") else { return nil }
        let lengths = try integers("lengths", count: batch, in: 1..<steps + 1)
        guard definition.period == 1 || Set(lengths).count == 1 else {
            throw FixtureError(name, "fast weights with a schedule need sequences of one length, found \(lengths)")
        }
        return lengths
    }

    /// The state of `batch` sequences; nil where the file has none.
    func state(_ prefix: String, _ definition: NetworkDefinition, batch: Int) throws -> NetworkState? {
        let tensors = definition.stateTensors
        guard let first = tensors.first, has(prefix + first.name) else { return nil }
        let values = try tensors.map { tensor in
            try floats(
                prefix + tensor.name, count: tensor.parts.count * batch * tensor.sizes.reduce(1, *))
        }
        return definition.state(of: values, batch: batch, step: 0)
    }

    /// The parameters of a layout from "<prefix><name>".
    func parameters(_ layout: ParameterLayout, from prefix: String = "parameter.") throws -> Parameters {
        // Before memory is taken for what a configuration claims.
        for window in layout.windows { _ = try shape(prefix + window.name, window.shape) }
        let block = Parameters(layout)
        try fill(block, from: prefix)
        return block
    }
}
