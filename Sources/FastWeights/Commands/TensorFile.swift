/// The tensors of a file that a command reads or writes: safetensors, .npz, or .npy, which holds a single one. What a
/// file to be read is, its first bytes say; what one to be written shall be, its name's ending.
struct TensorFile {
    let path: String
    private let content: Content

    private enum Content {
        case safetensors(SafeTensors)
        case archive(NumPyArchive)
        case array(NumPyArray)
    }

    init(path: String) throws {
        self.path = path
        let bytes = try Files.read(path)
        if bytes.starts(with: [0x93] + Array("NUMPY".utf8)) {
            content = .array(try NumPyArray(bytes: bytes, source: path))
        } else if bytes.starts(with: Array("PK".utf8)) {
            content = .archive(try NumPyArchive(bytes: bytes, source: path))
        } else {
            content = .safetensors(try SafeTensors(bytes: bytes, source: path))
        }
    }

    /// Whether there is a tensor `name`. An .npy file has one without a name, which is the input.
    func contains(_ name: String) -> Bool {
        switch content {
        case .safetensors(let file): file.names.contains(name)
        case .archive(let file): file.names.contains(name)
        case .array: name == "input"
        }
    }

    /// The tensor `name` as numbers; throws when there is none.
    func array(_ name: String) throws -> WeightArray {
        switch content {
        case .safetensors(let file):
            WeightArray(shape: try file.tensor(named: name).shape, values: try file.floats(name))
        case .archive(let file): WeightArray(try file.array(named: name))
        case .array(let array): WeightArray(array)
        }
    }

    /// The tensor `name` as whole numbers, which may be stored as floating point; throws when there is none, or it holds
    /// others.
    func integers(_ name: String) throws -> (shape: [Int], values: [Int]) {
        switch content {
        case .safetensors(let file): return (try file.tensor(named: name).shape, try file.wholeNumbers(name))
        case .archive(let file):
            let array = try file.array(named: name)
            do { return (array.shape, try array.wholeNumbers()) } catch {
                var error = error
                error.entry = name
                throw error
            }
        case .array(let array): return (array.shape, try array.wholeNumbers())
        }
    }

    /// Writes tensors and behind them whole numbers atomically: all of them, or into an .npy file the first alone.
    static func write(
        _ tensors: [(name: String, array: WeightArray)],
        integers: [(name: String, shape: [Int], values: [Int])] = [], to path: String
    ) throws {
        let all = tensors.map { (name: $0.name, shape: $0.array.shape, values: $0.array.values) }
        if path.hasSuffix(".npy") {
            try NumPyArray.write(shape: all[0].shape, values: all[0].values, to: path)
        } else if path.hasSuffix(".npz") {
            try NumPyArchive.write(all, integers: integers, to: path)
        } else {
            try SafeTensors.write(all, integers: integers, to: path)
        }
    }
}
