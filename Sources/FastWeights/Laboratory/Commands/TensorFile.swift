/// The tensors of a file that a command reads or writes: safetensors, .npz, or .npy, which holds a single one; or only
/// reads, what torch.save wrote. What a file to be read is, its first bytes say; what one to be written shall be, its name's ending.
final class TensorFile {
    let path: String
    /// Bytes, of all files of a model in several.
    let size: Int
    private let content: Content
    private var used: Set<String> = []

    private enum Content {
        case safetensors(SafeTensors)
        case torch(TorchFile)
        case archive(NumPyArchive)
        case array(NumPyHeader)
    }

    init(path: String) throws {
        self.path = path
        let bytes = try Files.read(path)
        switch FileKind(bytes) {
        case .numPyArray: content = .array(try NumPyHeader(bytes: bytes, source: path))
        case .numPyArchive, .zip: content = .archive(try NumPyArchive(bytes: bytes, source: path))
        case .torch: content = .torch(try TorchFile(bytes: bytes, source: path))
        default: content = .safetensors(try SafeTensors(bytes, path: path))
        }
        if case .safetensors(let file) = content { size = file.byteCount } else { size = bytes.count }
    }

    /// What a file says about a tensor without its numbers being read.
    struct Entry {
        let name: String
        let type: String
        let shape: [Int]
        let count: Int
        /// Nil for a type that is not read.
        let isFloatingPoint: Bool?
    }

    /// Every tensor, in the order of the file's names; for an entry of an archive that cannot be read why.
    var entries: [Result<Entry, FormatError>] {
        get throws {
            func entry(_ name: String, _ array: NumPyHeader) throws(FormatError) -> Entry {
                if array.type != nil { _ = try array.numbers() }
                return Entry(
                    name: name, type: array.typeName, shape: array.shape, count: array.count,
                    isFloatingPoint: array.type?.isFloatingPoint)
            }
            switch content {
            case .safetensors(let file):
                return try file.names.map { name in
                    let tensor = try file.tensor(named: name)
                    return .success(
                        Entry(
                            name: name, type: tensor.typeName, shape: tensor.shape, count: tensor.count,
                            isFloatingPoint: tensor.dtype?.isFloatingPoint))
                }
            case .torch(let file):
                return try file.names.map { name in
                    let tensor = try file.tensor(named: name)
                    return .success(
                        Entry(
                            name: name, type: tensor.typeName, shape: tensor.shape, count: tensor.count,
                            isFloatingPoint: tensor.dtype?.isFloatingPoint))
                }
            case .archive(let file):
                return file.names.map { name in
                    Result { () throws(FormatError) in try entry(name, try file.header(named: name)) }
                }
            case .array(let array): return [.success(try entry("input", array))]
            }
        }
    }

    /// The file as safetensors; nil of others.
    var safeTensors: SafeTensors? { if case .safetensors(let file) = content { file } else { nil } }
    /// The file as torch.save's; nil of others.
    var torch: TorchFile? { if case .torch(let file) = content { file } else { nil } }
    /// Its tensors as those of a module; nil of NumPy's.
    var stateDictionary: StateDictionary? {
        get throws {
            switch content {
            case .safetensors(let file): try StateDictionary(file)
            case .torch(let file): StateDictionary(file)
            case .archive, .array: nil
            }
        }
    }

    /// Whether there is a tensor `name`.
    func contains(_ name: String) -> Bool { names.contains(name) }

    /// The names of the tensors that nobody has asked for yet.
    var unused: [String] { names.filter { !used.contains($0) } }

    /// An .npy file has one tensor without a name, which is the input.
    private var names: [String] {
        switch content {
        case .safetensors(let file): file.names
        case .torch(let file): file.names
        case .archive(let file): file.names
        case .array: ["input"]
        }
    }

    /// Whether the tensor `name` is of an integer type; throws when there is none.
    func isWhole(_ name: String) throws -> Bool {
        switch content {
        case .safetensors(let file): try file.tensor(named: name).dtype?.isFloatingPoint == false
        case .torch(let file): try file.tensor(named: name).dtype?.isFloatingPoint == false
        case .archive(let file): try file.header(named: name).type?.isFloatingPoint == false
        case .array(let array): array.type?.isFloatingPoint == false
        }
    }

    /// The tensor `name` as numbers; throws when there is none.
    func array(_ name: String) throws -> WeightArray {
        used.insert(name)
        return switch content {
        case .safetensors(let file):
            WeightArray(shape: try file.tensor(named: name).shape, values: try file.floats(name))
        case .torch(let file):
            WeightArray(shape: try file.tensor(named: name).shape, values: try file.floats(name))
        case .archive(let file): try WeightArray(file.array(named: name))
        case .array(let array): try WeightArray(NumPyArray(array))
        }
    }

    /// The tensor `name` as whole numbers, which may be stored as floating point; throws when there is none, or it holds
    /// others.
    func integers(_ name: String) throws -> (shape: [Int], values: [Int]) {
        used.insert(name)
        switch content {
        case .safetensors(let file): return (try file.tensor(named: name).shape, try file.wholeNumbers(name))
        case .torch(let file): return (try file.tensor(named: name).shape, try file.wholeNumbers(name))
        case .archive(let file):
            let array = try file.array(named: name)
            do { return (array.shape, try array.wholeNumbers()) } catch {
                var error = error
                error.entry = name
                throw error
            }
        case .array(let array): return (array.shape, try NumPyArray(array).wholeNumbers())
        }
    }

    /// Writes tensors and behind them whole numbers atomically: all of them, or into an .npy file the first alone. Gives
    /// the names of those left out.
    static func write(
        _ tensors: [(name: String, array: WeightArray)],
        integers: [(name: String, shape: [Int], values: [Int])] = [], to path: String
    ) throws -> [String] {
        let all = tensors.map { (name: $0.name, shape: $0.array.shape, values: $0.array.values) }
        if path.hasSuffix(".npy") {
            try NumPyArray.write(shape: all[0].shape, values: all[0].values, to: path)
        } else if path.hasSuffix(".npz") {
            try NumPyArchive.write(all, integers: integers, to: path)
        } else {
            try SafeTensors.write(all, integers: integers, to: path)
        }
        return path.hasSuffix(".npy") ? tensors.dropFirst().map(\.name) + integers.map(\.name) : []
    }
}
