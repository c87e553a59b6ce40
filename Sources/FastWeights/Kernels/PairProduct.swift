// Products of a matrix of half width and one vector: half as many bytes to read for the same sums. A matrix of 16 bits a
// number is read as words of 32, each the number of one column and that of the next: a shift gives eight numbers of the
// one, a mask eight of the other, and none moves between lanes.

/// Eight numbers of one column as bfloat16 in the lower halves, and of the next column in the upper ones.
typealias ColumnPair = SIMD8<UInt32>

extension SIMD8 where Scalar == UInt32 {
    /// The eight numbers in the lower halves.
    @inline(__always) var first: Octet { unsafeBitCast(self &<< 16, to: Octet.self) }
    /// The eight numbers in the upper halves.
    @inline(__always) var second: Octet { unsafeBitCast(self & ColumnPair(repeating: 0xFFFF_0000), to: Octet.self) }
}

extension StreamMatrix {
    /// Whether a matrix can be of half width. Without a fused multiply-add a product of four lanes waits for the arithmetic
    /// and not for the memory, and half width would cost a quarter of its speed.
    static var hasPairs: Bool {
        #if FMA || arch(arm64)
            true
        #else
            false
        #endif
    }
}

#if FMA || arch(arm64)
    /// One tile of `multiply` of a matrix of half width.
    ///
    /// A number is added to the sum to which a tile of float32 of that height, or at least of as many sums, adds it.
    @inline(never)
    func multiplyTileOfPairs(
        _ w: StreamMatrix, _ tile: Int, by x: ColumnNumbers, _ v: ColumnNumbers, from start: UnsafePointer<Octet>,
        into y: UnsafeMutablePointer<Octet>
    ) {
        guard let pairs = UnsafePointer(w.pairs) else { return }
        let first = w.first(tile)
        let (values, from, to) = (pairs + first &* w.depth, start + first, y + first)
        switch w.height(tile) {
        case 1: addTile(TwoSums<TwoSums<OneVector>>.self, values, x, v, from, to)
        case 2: addTile(TwoSums<TwoSums<Vectors2>>.self, values, x, v, from, to)
        case 3: addTile(TwoSums<Vectors3>.self, values, x, v, from, to)
        case 4: addTile(TwoSums<Vectors4>.self, values, x, v, from, to)
        case 5: addTile(Vectors5.self, values, x, v, from, to)
        case 6: addTile(Vectors6.self, values, x, v, from, to)
        case 7: addTile(Vectors7.self, values, x, v, from, to)
        case 8: addTile(Vectors8.self, values, x, v, from, to)
        default: addTile(Vectors9.self, values, x, v, from, to)
        }
    }

    /// A function of its own for each height: of all in one the compiler kept some sums on the stack.
    @inline(never)
    private func addTile<Tile: VectorTile>(
        _: Tile.Type, _ w: UnsafePointer<ColumnPair>, _ x: ColumnNumbers, _ v: ColumnNumbers,
        _ start: UnsafePointer<Octet>, _ y: UnsafeMutablePointer<Octet>
    ) {
        var tile = Tile(at: start)
        addColumns(x, of: w, to: &tile)
        addColumns(v, of: w + ((x.columns &+ 1) &>> 1) &* Tile.vectors, to: &tile)
        tile.store(at: y)
    }

    /// `x.first` is even, as a one among zeros has it.
    @inline(__always)
    private func addColumns<Tile: VectorTile>(
        _ x: ColumnNumbers, of w: UnsafePointer<ColumnPair>, to tile: inout Tile
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
