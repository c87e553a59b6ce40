/// One golden case of the `Fixtures` folder: float64 results of PyTorch, and how far this module's are from them.
struct GoldenResult: Sendable {
    /// Folder and name, for example "lstm/plain_general".
    let name: String
    /// Worst error of what the forward pass gives: outputs, states, losses; not a number where none was compared.
    let outputError: Double
    /// Worst error of the gradients, or of the parameters after training steps; not a number where none was compared.
    let gradientError: Double
    /// The largest error that passes.
    let tolerance: Double
    /// Where the worst error stands.
    let worstTensor: String
    /// Why the case could not be run; nil of one that was.
    let problem: String?

    init(_ name: String, _ tally: ErrorTally, tolerance: Double, problem: String? = nil) {
        (self.name, outputError, gradientError) = (name, tally.outputs, tally.gradients)
        (self.tolerance, worstTensor, self.problem) = (tolerance, tally.worstTensor, problem)
    }

    /// A case in which nothing was compared fails.
    var passed: Bool {
        guard problem == nil else { return false }
        let errors = [outputError, gradientError].filter { !$0.isNaN }
        return !errors.isEmpty && errors.allSatisfy { $0 <= tolerance }
    }
}

/// A fixture that cannot be used, with the file and what is wrong.
struct FixtureError: Error, CustomStringConvertible {
    let description: String

    init(_ file: String, _ problem: String) {
        description = "\(file): \(problem); Fixtures/README.md says what a case holds"
    }
}

/// A fixture file with its configuration.
struct Fixture {
    let name: String
    let tensors: SafeTensors
    let configuration: JSON

    init(path: String, name: String) throws {
        self.name = name
        tensors = try SafeTensors(path: path)
        guard let text = tensors.metadata["config"] else { throw FixtureError(path, "the metadata has no config") }
        configuration = try JSON(parsing: Array(text.utf8))
    }

    var kind: String { tensors.metadata["kind"] ?? "" }
    func has(_ tensor: String) -> Bool { tensors.names.contains(tensor) }
    func floats(_ tensor: String) throws -> [Float] { try tensors.floats(tensor) }
    func doubles(_ tensor: String) throws -> [Double] { try tensors.doubles(tensor) }
    func shape(_ tensor: String) throws -> [Int] { try tensors.tensor(named: tensor).shape }

    /// The largest error that passes. Of cases of layers, which anybody may make, expected numbers in float32 are as far from
    /// the true ones as those found may be; no coarser type will do.
    func tolerance() throws -> Double {
        guard kind == "layers" else { return Verifier.tolerance }
        let expected = tensors.names.filter { name in
            ["output", "final", "gradient"].contains { name == $0 || name.hasPrefix($0 + ".") }
        }
        let types = try expected.map { ($0, try tensors.tensor(named: $0).dtype) }
        if let (tensor, type) = types.first(where: { $1 == .float16 || $1 == .bfloat16 }) {
            throw FixtureError(name, "\(tensor) is \(type?.rawValue ?? ""); expected numbers are F64 or F32")
        }
        return types.contains { $1 == .float32 } ? 2 * Verifier.tolerance : Verifier.tolerance
    }

    /// Sets every parameter of `block` from "<prefix><name>", and says which of the file's were not asked for.
    func fill(_ block: Parameters, from prefix: String) throws {
        let given = tensors.names.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
        let wanted = block.layout.windows.map(\.name)
        let missing = wanted.filter { !given.contains($0) } + given.filter { !wanted.contains($0) }
        guard missing.isEmpty else {
            throw FixtureError(name, "missing or unexpected parameters: \(missing.joined(separator: ", "))")
        }
        for window in block.layout.windows {
            let values = try floats(prefix + window.name)
            guard try shape(prefix + window.name) == window.shape else {
                throw FixtureError(name, "\(window.name) should have shape \(window.shape)")
            }
            block[window.name] = values
        }
    }

    /// Notes the error of every tensor of `block` against "<prefix><name>", each part of those in `parts` apart.
    func compare(
        _ block: Parameters, _ prefix: String, _ tally: inout ErrorTally, parts: TensorParts = [:], note: String = ""
    ) throws {
        for window in block.layout.windows {
            let name = prefix + window.name
            tally.gradient(name + note, block[window.name], try doubles(name), parts: parts[window.name])
        }
    }
}
