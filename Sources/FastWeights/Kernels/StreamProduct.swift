// Products of a matrix and one vector, eight units of the result in the lanes: what a single sequence needs.
//
// The rows of a matrix are padded with zeros to whole vectors and cut into tiles of nearly equal height. A tile of the
// result stays in registers over all columns, and the columns of a tile follow one another, so that a product reads
// the matrix from its first number to its last.

/// A matrix [M, K] for products with one vector: M padded to `vectors` vectors of eight rows, K columns.
///
/// A tile holds its K columns one behind the other, `height` vectors each or `grain` more in the first `taller` tiles. One
/// of half width holds pairs of columns so.
struct StreamMatrix {
    /// Its numbers, or pairs of them.
    let values: UnsafeMutablePointer<Octet>
    let vectors: Int
    let columns: Int
    /// What follows one another in a tile: columns, or pairs of them.
    let depth: Int
    let tileCount: Int
    /// The tiles, from the first vector to the last.
    private let tiles: UnsafePointer<StreamTile>
    /// Vectors that stay in one tile: the gates of eight units.
    private let grain: Int
    private let height: Int
    private let taller: Int
    /// The precision in which its numbers are kept.
    let precision: WeightPrecision

    /// A matrix of zeros in `arena` whose tiles have at most `tallest` vectors.
    init(vectors: Int, columns: Int, tallest: Int = StreamMatrix.tallest, grain: Int = 1, arena: StreamArena) {
        self.init(
            vectors: vectors, parts: [columns], precision: .float32, tallest: tallest, grain: grain, arena: arena)
    }

    /// Zeros in the place of matrices of so many columns side by side, one or two of them, as `multiply` takes them.
    init(
        vectors: Int, parts: [Int], precision: WeightPrecision, tallest: Int? = nil, grain: Int = 1,
        arena: StreamArena
    ) {
        self.vectors = vectors
        self.grain = grain
        columns = parts.reduce(0, +)
        self.precision = Self.kept(precision)
        let isHalf = self.precision != .float32
        depth = isHalf ? parts.reduce(0) { $0 + ($1 + 1) / 2 } : columns
        let values = arena.octets(vectors * depth)
        let most = max((tallest ?? (isHalf ? Self.tallestOfPairs : Self.tallest)) / grain, 1)
        let tileCount = (vectors / grain + most - 1) / most
        height = vectors / grain / max(tileCount, 1) * grain
        taller = vectors / grain % max(tileCount, 1)
        let tiles = UnsafeMutableRawPointer(arena.octets(tileCount))
            .bindMemory(to: StreamTile.self, capacity: tileCount)
        var first = 0
        for i in 0..<tileCount {
            let height = i < taller ? height + grain : height
            (tiles + i).initialize(
                to: StreamTile(values: values + first * depth, first: first, height: height, self.precision))
            first += height
        }
        (self.values, self.tiles, self.tileCount) = (values, UnsafePointer(tiles), tileCount)
    }

    /// The i-th tile, or the i-th from the last.
    @inline(__always) func tile(_ i: Int, backwards: Bool) -> UnsafePointer<StreamTile> {
        tiles + (backwards ? tileCount &- 1 &- i : i)
    }

    /// The eight rows of vector `v` in column, or pair of columns, `k`.
    func vector(_ v: Int, column k: Int) -> UnsafeMutablePointer<Octet> {
        let tall = taller * (height + grain)
        let tile = tiles[v < tall ? v / (height + grain) : taller + (v - tall) / height]
        return tile.values + (k * tile.height + v - tile.first)
    }

    /// Sets the number, of the matrix's precision, in lane `lane` of vector `v` and column `k` of the part whose columns
    /// begin at `first`.
    func set(_ number: Float, _ v: Int, lane: Int, column k: Int, ofPartAt first: Int) {
        func set<Pair: ColumnPair>(_: Pair.Type) {
            UnsafeMutableRawPointer(vector(v, column: (first + k) / 2)).assumingMemoryBound(to: Pair.self).pointee
                .set(number, lane: lane, column: k % 2)
        }
        switch precision {
        case .float32: vector(v, column: first + k).pointee[lane] = number
        case .bfloat16: set(BFloat16Pair.self)
        case .float16: set(Float16Pair.self)
        }
    }

    /// Where the next part begins behind one of `columns` that begins at `first`: a pair is of one part.
    func end(ofPartAt first: Int, columns: Int) -> Int {
        first + (precision == .float32 ? columns : (columns + 1) / 2 * 2)
    }
}

/// Some rows of a matrix.
struct StreamTile: BitwiseCopyable {
    /// Its columns, or pairs of them.
    let values: UnsafeMutablePointer<Octet>
    /// Its first vector of the matrix's rows, and how many they are.
    let first: Int
    let height: Int
    /// The height of a tile of float32; of half width a number larger than those.
    let kind: Int

    init(values: UnsafeMutablePointer<Octet>, first: Int, height: Int, _ precision: WeightPrecision) {
        (self.values, self.first, self.height) = (values, first, height)
        switch precision {
        case .float32: kind = height
        case .bfloat16: kind = StreamMatrix.tallest + height
        case .float16: kind = 2 * StreamMatrix.tallest + height
        }
    }

    @inline(__always) var isFloat16: Bool { kind > 2 &* StreamMatrix.tallest }

    /// Its numbers in half width.
    @inline(__always) func pairs<Pair: ColumnPair>(_: Pair.Type) -> UnsafePointer<Pair> {
        UnsafeRawPointer(values).assumingMemoryBound(to: Pair.self)
    }
}

/// Some vectors of a result in registers. Stacks of stacks of single vectors, so that each height is a type which the
/// compiler unrolls.
protocol VectorTile {
    static var vectors: Int { get }
    /// Columns that `add` takes.
    static var columns: Int { get }
    init()
    init(at y: UnsafePointer<Octet>)
    /// Adds the columns at `w` times the numbers at `x`.
    mutating func add(_ x: UnsafePointer<Float>, _ w: UnsafePointer<Octet>)
    /// Adds one column.
    mutating func addOne(_ x: UnsafePointer<Float>, _ w: UnsafePointer<Octet>)
    mutating func add(_ other: Self)
    func store(at y: UnsafeMutablePointer<Octet>)

    /// Adds `columns` columns at `w`, or two if that is more, each to the sum to which `add` adds it.
    mutating func addPairs<Pair: ColumnPair>(_ x: UnsafePointer<Float>, _ w: UnsafePointer<Pair>)
    /// Adds the first column of a pair to one tile and the second to another.
    static func add<Pair: ColumnPair>(
        _ x: UnsafePointer<Float>, _ w: UnsafePointer<Pair>, to first: inout Self, _ second: inout Self)
    /// Adds a pair as `addOne` adds its columns.
    mutating func addPair<Pair: ColumnPair>(_ x: UnsafePointer<Float>, _ w: UnsafePointer<Pair>)
    /// Adds the first column of a pair as `addOne` does.
    mutating func addFirst<Pair: ColumnPair>(_ x: UnsafePointer<Float>, _ w: UnsafePointer<Pair>)
}

struct OneVector: VectorTile {
    @inline(__always) static var vectors: Int { 1 }
    @inline(__always) static var columns: Int { 1 }
    var y: Octet

    @inline(__always) init() { y = .zero }
    @inline(__always) init(at p: UnsafePointer<Octet>) { y = p.pointee }
    @inline(__always) mutating func add(_ x: UnsafePointer<Float>, _ w: UnsafePointer<Octet>) { addOne(x, w) }
    @inline(__always) mutating func addOne(_ x: UnsafePointer<Float>, _ w: UnsafePointer<Octet>) {
        y = y.mad(Octet(repeating: x.pointee), w.pointee)
    }
    @inline(__always) mutating func add(_ other: OneVector) { y += other.y }
    @inline(__always) func store(at p: UnsafeMutablePointer<Octet>) { p.pointee = y }

    @inline(__always) mutating func addPairs<Pair: ColumnPair>(_ x: UnsafePointer<Float>, _ w: UnsafePointer<Pair>) {
        addPair(x, w)
    }
    @inline(__always) static func add<Pair: ColumnPair>(
        _ x: UnsafePointer<Float>, _ w: UnsafePointer<Pair>, to first: inout Self, _ second: inout Self
    ) {
        let pair = w.pointee
        first.y = first.y.mad(Octet(repeating: x[0]), pair.first)
        second.y = second.y.mad(Octet(repeating: x[1]), pair.second)
    }
    @inline(__always) mutating func addPair<Pair: ColumnPair>(_ x: UnsafePointer<Float>, _ w: UnsafePointer<Pair>) {
        let pair = w.pointee
        y = y.mad(Octet(repeating: x[0]), pair.first)
        y = y.mad(Octet(repeating: x[1]), pair.second)
    }
    @inline(__always) mutating func addFirst<Pair: ColumnPair>(_ x: UnsafePointer<Float>, _ w: UnsafePointer<Pair>) {
        y = y.mad(Octet(repeating: x.pointee), w.pointee.first)
    }
}

struct VectorStack<Upper: VectorTile, Lower: VectorTile>: VectorTile {
    @inline(__always) static var vectors: Int { Upper.vectors &+ Lower.vectors }
    @inline(__always) static var columns: Int { 1 }
    var upper: Upper
    var lower: Lower

    @inline(__always) init() {
        upper = Upper()
        lower = Lower()
    }
    @inline(__always) init(at p: UnsafePointer<Octet>) {
        upper = Upper(at: p)
        lower = Lower(at: p + Upper.vectors)
    }
    @inline(__always) mutating func add(_ x: UnsafePointer<Float>, _ w: UnsafePointer<Octet>) { addOne(x, w) }
    @inline(__always) mutating func addOne(_ x: UnsafePointer<Float>, _ w: UnsafePointer<Octet>) {
        upper.addOne(x, w)
        lower.addOne(x, w + Upper.vectors)
    }
    @inline(__always) mutating func add(_ other: Self) {
        upper.add(other.upper)
        lower.add(other.lower)
    }
    @inline(__always) func store(at p: UnsafeMutablePointer<Octet>) {
        upper.store(at: p)
        lower.store(at: p + Upper.vectors)
    }

    @inline(__always) mutating func addPairs<Pair: ColumnPair>(_ x: UnsafePointer<Float>, _ w: UnsafePointer<Pair>) {
        addPair(x, w)
    }
    @inline(__always) static func add<Pair: ColumnPair>(
        _ x: UnsafePointer<Float>, _ w: UnsafePointer<Pair>, to first: inout Self, _ second: inout Self
    ) {
        Upper.add(x, w, to: &first.upper, &second.upper)
        Lower.add(x, w + Upper.vectors, to: &first.lower, &second.lower)
    }
    @inline(__always) mutating func addPair<Pair: ColumnPair>(_ x: UnsafePointer<Float>, _ w: UnsafePointer<Pair>) {
        upper.addPair(x, w)
        lower.addPair(x, w + Upper.vectors)
    }
    @inline(__always) mutating func addFirst<Pair: ColumnPair>(_ x: UnsafePointer<Float>, _ w: UnsafePointer<Pair>) {
        upper.addFirst(x, w)
        lower.addFirst(x, w + Upper.vectors)
    }
}

/// Two partial sums of a tile that is too low to hide the latency of a multiply-add: columns in turn, added at the end.
struct TwoSums<Part: VectorTile>: VectorTile {
    @inline(__always) static var vectors: Int { Part.vectors }
    @inline(__always) static var columns: Int { 2 &* Part.columns }
    var first: Part
    var second: Part

    @inline(__always) init() {
        first = Part()
        second = Part()
    }
    @inline(__always) init(at p: UnsafePointer<Octet>) {
        first = Part(at: p)
        second = Part()
    }
    @inline(__always) mutating func add(_ x: UnsafePointer<Float>, _ w: UnsafePointer<Octet>) {
        first.add(x, w)
        second.add(x + Part.columns, w + Part.columns &* Part.vectors)
    }
    @inline(__always) mutating func addOne(_ x: UnsafePointer<Float>, _ w: UnsafePointer<Octet>) {
        first.addOne(x, w)
    }
    @inline(__always) mutating func add(_ other: Self) {
        first.add(other.first)
        second.add(other.second)
    }
    @inline(__always) func store(at p: UnsafeMutablePointer<Octet>) {
        var sum = first
        sum.add(second)
        sum.store(at: p)
    }

    @inline(__always) mutating func addPairs<Pair: ColumnPair>(_ x: UnsafePointer<Float>, _ w: UnsafePointer<Pair>) {
        guard Part.columns > 1 else { return Part.add(x, w, to: &first, &second) }
        first.addPairs(x, w)
        second.addPairs(x + Part.columns, w + Part.columns / 2 &* Part.vectors)
    }
    @inline(__always) static func add<Pair: ColumnPair>(
        _ x: UnsafePointer<Float>, _ w: UnsafePointer<Pair>, to first: inout Self, _ second: inout Self
    ) {
        Part.add(x, w, to: &first.first, &second.first)
    }
    @inline(__always) mutating func addPair<Pair: ColumnPair>(_ x: UnsafePointer<Float>, _ w: UnsafePointer<Pair>) {
        first.addPair(x, w)
    }
    @inline(__always) mutating func addFirst<Pair: ColumnPair>(_ x: UnsafePointer<Float>, _ w: UnsafePointer<Pair>) {
        first.addFirst(x, w)
    }
}

typealias Vectors2 = VectorStack<OneVector, OneVector>
typealias Vectors3 = VectorStack<Vectors2, OneVector>
typealias Vectors4 = VectorStack<Vectors2, Vectors2>
typealias Vectors5 = VectorStack<Vectors4, OneVector>
typealias Vectors6 = VectorStack<Vectors4, Vectors2>
typealias Vectors7 = VectorStack<Vectors6, OneVector>
typealias Vectors8 = VectorStack<Vectors4, Vectors4>
typealias Vectors9 = VectorStack<Vectors8, OneVector>
typealias Vectors10 = VectorStack<Vectors6, Vectors4>
typealias Vectors11 = VectorStack<Vectors10, OneVector>
typealias Vectors12 = VectorStack<Vectors8, Vectors4>

/// y = start + W·[x; v]: W [M, I + H], x [I], v [H], start and y [M] padded to whole vectors; start may be y.
/// O(M·(I + H)).
///
/// Each element is added in an order that the shape of W alone decides. `backwards` takes the tiles from the last to
/// the first: of a matrix larger than a cache level a part is then still there from the product before.
@inline(never)
func multiply(
    _ w: StreamMatrix, by x: ColumnNumbers, _ v: ColumnNumbers, from start: UnsafePointer<Octet>,
    into y: UnsafeMutablePointer<Octet>, backwards: Bool
) {
    if w.columns == 1 && w.precision == .float32 && x.count == 1 {
        // The vectors of a single column lie in order, whatever the tiles.
        let x = Octet(repeating: x.pointer[0])
        for v in 0..<w.vectors { y[v] = start[v].mad(x, w.values[v]) }
        return
    }
    var i = 0
    while i < w.tileCount {
        multiplyTile(w.tile(i, backwards: backwards), by: x, v, from: start, into: y)
        i &+= 1
    }
}

/// One tile of `multiply`.
@inline(never)
func multiplyTile(
    _ tile: UnsafePointer<StreamTile>, by x: ColumnNumbers, _ v: ColumnNumbers, from start: UnsafePointer<Octet>,
    into y: UnsafeMutablePointer<Octet>
) {
    let tile = tile.pointee
    let (values, from, to) = (tile.values, start + tile.first, y + tile.first)
    // A branch of its own for half width would cost a small step some percent.
    switch tile.kind {
    case 1: addTile(TwoSums<TwoSums<OneVector>>.self, values, x, v, from, to)
    #if FMA || arch(arm64)
        case 2: addTile(TwoSums<TwoSums<Vectors2>>.self, values, x, v, from, to)
        case 3: addTile(TwoSums<Vectors3>.self, values, x, v, from, to)
        case 4: addTile(TwoSums<Vectors4>.self, values, x, v, from, to)
        case 5: addTile(TwoSums<Vectors5>.self, values, x, v, from, to)
        case 6: addTile(TwoSums<Vectors6>.self, values, x, v, from, to)
        case 7: addTile(Vectors7.self, values, x, v, from, to)
        case 8: addTile(Vectors8.self, values, x, v, from, to)
        case 9: addTile(Vectors9.self, values, x, v, from, to)
        case 10: addTile(Vectors10.self, values, x, v, from, to)
        case 11: addTile(Vectors11.self, values, x, v, from, to)
        case 12: addTile(Vectors12.self, values, x, v, from, to)
        default: multiplyTileOfPairs(tile, by: x, v, from: from, into: to)
    #else
        case 2: addTile(TwoSums<Vectors2>.self, values, x, v, from, to)
        case 3: addTile(TwoSums<Vectors3>.self, values, x, v, from, to)
        case 4: addTile(Vectors4.self, values, x, v, from, to)
        case 5: addTile(Vectors5.self, values, x, v, from, to)
        default: addTile(Vectors6.self, values, x, v, from, to)
    #endif
    }
}

/// The numbers that a part of a matrix's columns is multiplied by: those of the columns from `first` on, the others zero.
struct ColumnNumbers {
    let pointer: UnsafePointer<Float>
    let count: Int
    let first: Int
    /// Columns of the part, those multiplied by zero included.
    let columns: Int

    @inline(__always) init(pointer: UnsafePointer<Float>, count: Int) {
        (self.pointer, self.count, first, columns) = (pointer, count, 0, count)
    }

    /// The numbers that are zero but for a 1 in column `index` of `columns`, with the bits that all of them would give: a
    /// tile takes at most four columns at a time, and these are the four among which `index` is. `four` has room for them.
    @inline(__always) init(oneAt index: Int, of columns: Int, in four: UnsafeMutablePointer<SIMD4<Float>>) {
        four.pointee = .zero
        four.pointee[index & 3] = 1
        first = index & ~3
        pointer = UnsafeRawPointer(four).assumingMemoryBound(to: Float.self)
        (count, self.columns) = (min(4, columns &- first), columns)
    }

    /// The index of the 1 among numbers that else are zero.
    @inline(__always) var indexOfOne: Int {
        var k = 0
        while k < count &- 1 && pointer[k] == 0 { k &+= 1 }
        return first &+ k
    }
}

@inline(__always)
private func addTile<Tile: VectorTile>(
    _: Tile.Type, _ w: UnsafePointer<Octet>, _ x: ColumnNumbers, _ v: ColumnNumbers, _ start: UnsafePointer<Octet>,
    _ y: UnsafeMutablePointer<Octet>
) {
    var tile = Tile(at: start)
    addColumns(x, of: w, to: &tile)
    addColumns(v, of: w + x.columns &* Tile.vectors, to: &tile)
    tile.store(at: y)
}

@inline(__always)
private func addColumns<Tile: VectorTile>(
    _ x: ColumnNumbers, of w: UnsafePointer<Octet>, to tile: inout Tile
) {
    var column = w + x.first &* Tile.vectors
    var number = x.pointer
    var left = x.count
    while left >= Tile.columns {
        tile.add(number, column)
        column += Tile.columns &* Tile.vectors
        number += Tile.columns
        left &-= Tile.columns
    }
    if Tile.columns > 1 {
        while left > 0 {
            tile.addOne(number, column)
            column += Tile.vectors
            number += 1
            left &-= 1
        }
    }
}
