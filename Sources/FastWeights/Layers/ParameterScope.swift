/// Where a parameter of a layer stands in every block of its network's layout: the parameters, gradients and moments.
struct Parameter: Sendable {
    let offset: Int
    let count: Int
}

extension UnsafeMutablePointer where Pointee == Float {
    /// The numbers of a parameter in the block that begins here.
    @inline(__always) subscript(parameter: Parameter) -> UnsafeMutablePointer<Float> { self + parameter.offset }
}

/// What a parameter begins with.
enum FirstValue: Sendable {
    /// Uniform in ±this number.
    case uniform(Float)
    /// Normal around 0 with this deviation.
    case normal(Float)
    /// All the same.
    case constant(Float)
    /// 0 but for the diagonal of a square matrix.
    case diagonal(Float)
    /// 0 but for a range of the numbers.
    case range(Range<Int>, Float)
    /// 0 but for one number in every so many, from this one on.
    case every(Int, from: Int, Float)
}

/// Where layers declare their parameters: name, shape and first value, once.
struct ParameterScope {
    private(set) var layout = Parameters.Layout()
    /// Beside the windows of the layout.
    private var firstValues: [(value: FirstValue, isRecurrent: Bool)] = []
    /// What can be wrong alone in a parameter, as a gate's rows: ranges of its numbers, by name.
    private(set) var parts: [String: [Range<Int>]] = [:]
    /// Why the first parameter that could not be added cannot be; nil where all could.
    private(set) var problem: String?
    private var prefix = ""
    private var suffix = ""
    /// What stands behind a cell's names: the layer of PyTorch's modules, nothing in those of its cells.
    private(set) var cellSuffix = "_l0"
    private var isRecurrent = false
    private var numbers = 0

    /// A number that no layer has taken before, from 0.
    mutating func takeNumber() -> Int {
        defer { numbers += 1 }
        return numbers
    }

    /// Adds a parameter under the names of the layers around it. `parts` are numbers of each part, one behind the other.
    mutating func add(_ name: String, _ shape: Int..., first: FirstValue, parts: [Int]? = nil) -> Parameter {
        add(name, shape, first: first, parts: parts)
    }

    mutating func add(_ name: String, _ shape: [Int], first: FirstValue, parts sizes: [Int]? = nil) -> Parameter {
        let name = prefix + name + suffix
        problem = problem ?? layout.problem(appending: name, shape)
        // Nobody uses a network with a problem.
        guard problem == nil else { return Parameter(offset: 0, count: 0) }
        let offset = layout.append(name, shape: shape)
        firstValues.append((first, isRecurrent))
        let count = layout.windows[layout.windows.count - 1].count
        if let sizes { parts[name] = consecutive(sizes, within: count) }
        return Parameter(offset: offset, count: count)
    }

    /// Parts of a layer's state with the names around them.
    func named(_ parts: [StatePart]) -> [StatePart] {
        parts.map { StatePart(letter: $0.letter, sizes: $0.sizes, name: prefix + $0.letter + suffix) }
    }

    /// Calls `body` with what it adds behind `prefix` and before `suffix`.
    mutating func within<Result>(
        _ prefix: String = "", suffix: String = "", cellSuffix: String? = nil, isRecurrent: Bool = false,
        _ body: (inout ParameterScope) -> Result
    ) -> Result {
        let outer = (self.prefix, self.suffix, self.cellSuffix, self.isRecurrent)
        (self.prefix, self.suffix) = (outer.0 + prefix, suffix + outer.1)
        (self.cellSuffix, self.isRecurrent) = (cellSuffix ?? outer.2, outer.3 || isRecurrent)
        defer { (self.prefix, self.suffix, self.cellSuffix, self.isRecurrent) = outer }
        return body(&self)
    }

    /// Gives a block its first values: those of a network that begins with a recurrent layer in the order of the layers; of
    /// others recurrent layers draw their numbers after all others. So a seed gives the numbers that it always gave.
    func initialize(_ block: Parameters, seed: UInt64) {
        var random = Random(seed: seed, stream: 1)
        let isInOrder = firstValues.first.map { $0.isRecurrent } ?? true
        for recurrent in isInOrder ? [true] : [false, true] {
            for (window, first) in zip(layout.windows, firstValues) where isInOrder || first.isRecurrent == recurrent {
                let p = block.pointer + window.offset
                for i in 0..<window.count { p[i] = 0 }
                switch first.value {
                case .uniform(let limit): for i in 0..<window.count { p[i] = random.uniform(within: limit) }
                case .normal(let deviation): for i in 0..<window.count { p[i] = Float(random.normal()) * deviation }
                case .constant(let value): for i in 0..<window.count { p[i] = value }
                case .diagonal(let value): for i in 0..<window.shape[0] { p[i * (window.shape[0] + 1)] = value }
                case .range(let range, let value): for i in range { p[i] = value }
                case .every(let step, let first, let value):
                    for i in stride(from: first, to: window.count, by: step) { p[i] = value }
                }
            }
        }
    }
}

/// Ranges of so many numbers, one behind the other, those below `count`.
func consecutive(_ sizes: [Int], within count: Int) -> [Range<Int>] {
    var end = 0
    return sizes.compactMap { size in
        defer { end += size }
        return end < count ? end..<min(end + size, count) : nil
    }
}

extension ParameterScope {
    /// Adds gain and bias of a layer norm, `<name>_weight` that begins with 1 and `<name>_bias` with 0, of sets that can be
    /// wrong apart: [sets · count], or with `isMatrix` [sets, count].
    mutating func addNorm(_ name: String, _ count: Int, sets: Int = 1, isMatrix: Bool = false) -> [Parameter] {
        [("weight", FirstValue.constant(1)), ("bias", .constant(0))].map { suffix, first in
            let parts = [Int](repeating: count, count: sets)
            return isMatrix
                ? add("\(name)_\(suffix)", sets, count, first: first, parts: parts)
                : add("\(name)_\(suffix)", sets * count, first: first, parts: parts)
        }
    }
}
