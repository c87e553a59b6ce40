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

    /// The numbers of a tensor that must have one of these shapes.
    func floats(_ tensor: String, _ shapes: [[Int]]) throws -> [Float] {
        try checkShape(tensor, shapes)
        return try floats(tensor)
    }

    /// The same, exact.
    func doubles(_ tensor: String, _ shapes: [[Int]]) throws -> [Double] {
        try checkShape(tensor, shapes)
        return try doubles(tensor)
    }

    private func checkShape(_ tensor: String, _ shapes: [[Int]]) throws {
        let found = try shape(tensor)
        guard shapes.contains(found) else {
            let wanted = shapes.map { "\($0)" }.joined(separator: " or ")
            throw FixtureError(name, "\(tensor) should have the shape \(wanted), found \(found)")
        }
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

    /// The state of `batch` sequences; nil where the file has none. What is not there of one that `isPartial` is zero.
    func state(
        _ prefix: String, _ definition: NetworkDefinition, batch: Int, isPartial: Bool = false
    ) throws -> NetworkState? {
        let tensors = definition.stateTensors
        guard tensors.contains(where: { has(prefix + $0.name) }) else { return nil }
        let values = try tensors.map { tensor in
            let shape = [tensor.parts.count, batch] + tensor.sizes
            guard !isPartial || has(prefix + tensor.name) else {
                return [Float](repeating: 0, count: shape.reduce(1, *))
            }
            return try floats(prefix + tensor.name, stateShapes(shape))
        }
        return definition.state(of: values, batch: batch, step: 0)
    }

    /// The shapes in which a file may have states, [parts, B, …]: those of one part without the first axis too.
    func stateShapes(_ shape: [Int]) -> [[Int]] { shape[0] == 1 ? [shape, Array(shape.dropFirst())] : [shape] }

    /// The parameters of a layout from "<prefix><name>".
    func parameters(_ layout: Parameters.Layout, from prefix: String = "parameter.") throws -> Parameters {
        // Before memory is taken for what a configuration claims.
        for window in layout.windows { _ = try shape(prefix + window.name, window.shape) }
        let block = Parameters(layout)
        try fill(block, from: prefix)
        return block
    }
}
