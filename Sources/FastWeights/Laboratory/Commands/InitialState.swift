/// The state that sequences begin from, as a file has it: `h0`, `c0` or `A0` and, of fast weights with a schedule, `step0`
/// beside an input; with `_n` behind each letter in what a run before has written.
struct InitialState {
    /// What stands behind the letters.
    enum Naming: String {
        case besideInput = "0"
        case ofRun = "_n"
    }

    private let file: TensorFile
    private let naming: Naming
    private let definition: NetworkDefinition

    init(_ file: TensorFile, _ naming: Naming, _ definition: NetworkDefinition) {
        (self.file, self.naming, self.definition) = (file, naming, definition)
    }

    /// The state of `batch` sequences, nil where the file has none of its tensors. Where the input is a single sequence without
    /// an axis for the batch, the state may be so too.
    ///
    /// Throws `SequenceInputError` where a part is missing, of another shape or of another kind of cell's state.
    func read(batch: Int, isSingle: Bool) throws -> NetworkState? {
        let suffix = naming.rawValue
        let stray = definition.strayStateNames(suffix, isThere: file.contains)
        guard stray.isEmpty else {
            throw fail(
                "the model's state is \(list), found \(stray.joined(separator: " and ")) of another kind of cell; leave that out, or take the model it belongs to"
            )
        }
        let names = definition.stateNames(suffix)
        let given = names.filter(file.contains)
        guard !given.isEmpty else { return nil }
        guard given == names else {
            throw fail("expected \(list) together or none, found \(given.joined(separator: " and ")) alone")
        }
        let parts = try definition.stateTensors.map { tensor in
            try part(
                tensor.name + suffix, tensor.sizes, layers: tensor.parts.count, batch: batch, isSingle: isSingle)
        }
        return definition.state(
            of: parts, batch: batch, step: definition.hasSchedule ? try step("step" + suffix) : 0)
    }

    /// The names of all parts.
    var list: String { definition.stateNames(naming.rawValue).joined(separator: " and ") }

    private func part(
        _ name: String, _ sizes: [Int], layers: Int, batch: Int, isSingle: Bool
    ) throws -> [Float] {
        let (whole, single) = ([layers, batch] + sizes, [layers] + sizes)
        let array = try file.array(name)
        guard array.shape == whole || batch == 1 && array.shape == single else {
            throw fail("\(name) should have the shape \(isSingle ? single : whole), found \(array.shape)")
        }
        return array.values
    }

    /// The place in the fast weights' schedule.
    private func step(_ name: String) throws -> Int {
        let (shape, values) = try file.integers(name)
        guard values.count == 1, values[0] >= 0 else {
            throw fail("\(name) should be one whole number from 0, found \(values.prefix(20)) of shape \(shape)")
        }
        return values[0]
    }

    private func fail(_ problem: String) -> SequenceInputError { SequenceInputError(path: file.path, problem: problem) }
}
