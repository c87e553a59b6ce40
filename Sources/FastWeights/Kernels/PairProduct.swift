// Products of a matrix of half width and one vector: half as many bytes to read for the same sums.

/// Eight numbers of a column and eight of the next, 16 bits each.
protocol ColumnPair {
    var first: Octet { get }
    var second: Octet { get }
    /// Sets the first (0) or the second (1) number in lane `lane` to one of the pair's precision.
    mutating func set(_ number: Float, lane: Int, column: Int)
}

/// Words of 32 bits, each a number of the first column as bfloat16 in the lower half, and of the second in the upper
/// one: a shift gives eight numbers, a mask the others, and none moves between lanes.
struct BFloat16Pair: ColumnPair {
    private var words: SIMD8<UInt32>

    @inline(__always) var first: Octet { unsafeBitCast(words &<< 16, to: Octet.self) }
    @inline(__always) var second: Octet {
        unsafeBitCast(words & SIMD8<UInt32>(repeating: 0xFFFF_0000), to: Octet.self)
    }
    mutating func set(_ number: Float, lane: Int, column: Int) {
        let shift = UInt32(column) &* 16
        words[lane] = words[lane] & ~(0xFFFF << shift) | number.upperHalf << shift
    }
}

#if arch(arm64) || FMA && !os(macOS)
    /// IEEE halves, one column behind the other: the processor widens eight at a time. Swift has no such type on a Mac
    /// with an Intel processor.
    struct Float16Pair: ColumnPair {
        private var halves: (SIMD8<Float16>, SIMD8<Float16>)

        @inline(__always) var first: Octet { Self.wide(halves.0) }
        @inline(__always) var second: Octet { Self.wide(halves.1) }
        mutating func set(_ number: Float, lane: Int, column: Int) {
            if column == 0 { halves.0[lane] = Float16(number) } else { halves.1[lane] = Float16(number) }
        }
        /// Lane by lane, which the compiler makes one instruction.
        @inline(__always) private static func wide(_ v: SIMD8<Float16>) -> Octet {
            Octet(
                Float(v[0]), Float(v[1]), Float(v[2]), Float(v[3]), Float(v[4]), Float(v[5]), Float(v[6]), Float(v[7]))
        }
    }
#else
    /// In its place where numbers of that precision are kept in float32.
    typealias Float16Pair = BFloat16Pair
#endif

extension StreamMatrix {
    /// The precision in which a matrix of `precision` is kept. Without a fused multiply-add a product of four lanes
    /// waits for the arithmetic and not for the memory, and half width would cost a quarter of its speed.
    static func kept(_ precision: WeightPrecision) -> WeightPrecision {
        #if arch(arm64) || FMA && !os(macOS)
            precision
        #elseif FMA
            precision == .float16 ? .float32 : precision
        #else
            .float32
        #endif
    }
}

#if FMA || arch(arm64)
    /// One tile of `multiply` of a matrix of half width.
    ///
    /// A number is added to the sum to which a tile of float32 of that height, or at least of as many sums, adds it.
    @inline(never)
    func multiplyTileOfPairs(
        _ tile: StreamTile, by x: ColumnNumbers, _ v: ColumnNumbers, from start: UnsafePointer<Octet>,
        into y: UnsafeMutablePointer<Octet>
    ) {
        if tile.isFloat16 {
            multiplyPairs(tile.pairs(Float16Pair.self), tile.height, by: x, v, from: start, into: y)
        } else {
            multiplyPairs(tile.pairs(BFloat16Pair.self), tile.height, by: x, v, from: start, into: y)
        }
    }

    @inline(__always)
    private func multiplyPairs<Pair: ColumnPair>(
        _ pairs: UnsafePointer<Pair>, _ height: Int, by x: ColumnNumbers, _ v: ColumnNumbers,
        from start: UnsafePointer<Octet>, into y: UnsafeMutablePointer<Octet>
    ) {
        switch height {
        case 1: addTile(TwoSums<TwoSums<OneVector>>.self, pairs, x, v, start, y)
        case 2: addTile(TwoSums<TwoSums<Vectors2>>.self, pairs, x, v, start, y)
        case 3: addTile(TwoSums<Vectors3>.self, pairs, x, v, start, y)
        case 4: addTile(TwoSums<Vectors4>.self, pairs, x, v, start, y)
        case 5: addTile(Vectors5.self, pairs, x, v, start, y)
        case 6: addTile(Vectors6.self, pairs, x, v, start, y)
        case 7: addTile(Vectors7.self, pairs, x, v, start, y)
        case 8: addTile(Vectors8.self, pairs, x, v, start, y)
        default: addTile(Vectors9.self, pairs, x, v, start, y)
        }
    }

    /// A function of its own for each height: of all in one the compiler kept some sums on the stack.
    @inline(never)
    private func addTile<Tile: VectorTile, Pair: ColumnPair>(
        _: Tile.Type, _ w: UnsafePointer<Pair>, _ x: ColumnNumbers, _ v: ColumnNumbers,
        _ start: UnsafePointer<Octet>, _ y: UnsafeMutablePointer<Octet>
    ) {
        var tile = Tile(at: start)
        addColumns(x, of: w, to: &tile)
        addColumns(v, of: w + ((x.columns &+ 1) &>> 1) &* Tile.vectors, to: &tile)
        tile.store(at: y)
    }

    /// `x.first` is even, as a one among zeros has it.
    @inline(__always)
    private func addColumns<Tile: VectorTile, Pair: ColumnPair>(
        _ x: ColumnNumbers, of w: UnsafePointer<Pair>, to tile: inout Tile
    ) {
        let columns = Tile.columns > 2 ? Tile.columns : 2
        var pair = w + (x.first &>> 1) &* Tile.vectors
        var number = x.pointer
        var left = x.count
        while left >= columns {
            tile.addPairs(number, pair)
            pair += (columns &>> 1) &* Tile.vectors
            number += columns
            left &-= columns
        }
        if columns > 2 && left >= 2 {
            tile.addPair(number, pair)
            pair += Tile.vectors
            number += 2
            left &-= 2
        }
        if left > 0 { tile.addFirst(number, pair) }
    }
#endif
