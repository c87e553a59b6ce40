/// The tensors of a file by the names that a module has for them, where some are stored in another form: tied ones, whose
/// numbers are in the file once, and those under weight norm, of which the file has length and direction.
struct StoredTensors: Sendable {
    /// The shape of each.
    private(set) var shapes: [String: [Int]]
    /// The stored name of a tied tensor whose numbers are those of another.
    private(set) var tied: [String: String]
    /// The parts of a tensor under weight norm.
    private var norms: [String: (length: String, direction: String)] = [:]
    private let source: String
    private let stored: @Sendable (String) throws -> [Float]

    /// `metadata` may say of a name that is missing under which other one its tensor is stored, as safetensors' `save_model`
    /// does; `tied` of names that are there whose numbers they share. `values` gives the numbers of a stored tensor.
    init(
        _ shapes: [String: [Int]], metadata: [String: String], tied sharing: [String: String] = [:], source: String,
        values: @escaping @Sendable (String) throws -> [Float]
    ) {
        tied = metadata.filter { shapes[$0] == nil && shapes[$1] != nil }.merging(sharing) { own, _ in own }
        self.shapes = shapes.merging(tied.compactMapValues { shapes[$0] }) { own, _ in own }
        self.source = source
        stored = values
        for name in self.shapes.keys.sorted() {
            guard let (whole, direction) = Self.weightNorm(name), self.shapes[whole] == nil,
                let size = self.shapes[name], let shape = self.shapes[direction],
                let rows = shape.first, size == [rows] + shape.dropFirst().map({ _ in 1 })
            else { continue }
            norms[whole] = (name, direction)
            self.shapes[whole] = shape
            self.shapes[name] = nil
            self.shapes[direction] = nil
        }
    }

    /// The numbers of a tensor, row-major; of one under weight norm g·v/‖v‖, each row's norm its own (PyTorch's `dim=0`).
    /// Throws what the file throws, and `WeightsError` for a row that has no direction.
    func values(_ name: String) throws -> [Float] {
        guard let (length, direction) = norms[name] else { return try stored(tied[name] ?? name) }
        let (g, v) = (try values(length), try values(direction))
        let columns = v.count / max(g.count, 1)
        return try g.indices.flatMap { row in
            let part = v[row * columns..<(row + 1) * columns].map { Double($0) }
            let norm = part.reduce(0) { $0 + $1 * $1 }.squareRoot()
            guard norm > 0 || columns == 0 else {
                throw WeightsError(
                    source: source,
                    problems: ["row \(row) of \(direction) is 0, a direction that weight norm cannot scale"])
            }
            return part.map { Float($0 * (Double(g[row]) / norm)) }
        }
    }

    /// Whether two names are of one stored tensor.
    func isTied(_ a: String, _ b: String) -> Bool { (tied[a] ?? a) == (tied[b] ?? b) }

    /// The name of the tensor whose length under weight norm `name` is, and that of its direction: `x_g` and `x_v`, or
    /// `parametrizations.x.original0` and `original1`.
    private static func weightNorm(_ name: String) -> (whole: String, direction: String)? {
        if name.hasSuffix("_g") {
            let whole = String(name.dropLast(2))
            return (whole, whole + "_v")
        }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[parts.count - 1] == "original0", parts[parts.count - 3] == "parametrizations"
        else { return nil }
        let whole = (parts.dropLast(3) + [parts[parts.count - 2]]).joined(separator: ".")
        return (whole, name.dropLast() + "1")
    }
}
