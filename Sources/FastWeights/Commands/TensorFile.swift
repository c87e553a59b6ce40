/// The tensors of a file that a command reads or writes. The one place that chooses a format by a path's ending: so far
/// everything is safetensors.
struct TensorFile {
    let path: String
    private let file: SafeTensors

    init(path: String) throws {
        self.path = path
        file = try SafeTensors(path: path)
    }

    /// The tensors' names, sorted.
    var names: [String] { file.names }

    /// The floating-point tensor `name`; throws when there is none.
    func array(_ name: String) throws -> WeightArray {
        WeightArray(shape: try file.tensor(named: name).shape, values: try file.floats(name))
    }

    /// The integer tensor `name`; throws when there is none.
    func integers(_ name: String) throws -> (shape: [Int], values: [Int]) {
        (try file.tensor(named: name).shape, try file.integers(name))
    }

    /// Writes tensors atomically.
    static func write(_ tensors: [(name: String, array: WeightArray)], to path: String) throws {
        let bytes = SafeTensors.serialise(
            tensors.map { (name: $0.name, shape: $0.array.shape, values: $0.array.values) })
        try Files.writeAtomically(bytes, to: path)
    }
}
