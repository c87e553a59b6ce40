// What the kernels hold in registers and in caches, of each kind of build, in one place.
//
// No bit of a result depends on it but where a stream's tile has more than one sum (`StreamMatrix.tallest`): an element of
// a product is the sum of its own terms in their order, whatever tile it is in.
//
// | build | vector registers | what that allows |
// | --- | --- | --- |
// | `AVX512` | 32 of 16 floats | a row of sixteen columns is one register; two multiply-adds a cycle of four cycles' latency need eight sums, and 28 are there |
// | `AVX2` (`FMA`), arm64 | 16 of 8 floats, 32 of 4 | a row is two registers; twelve sums, two vectors of B and one of A |
// | portable | 16 of 4 floats (SSE2) | a row is four registers; eight sums, as a product needs a register of its own before it is added |

#if AVX512
    /// Twelve rows of one register each. A turn loads one vector of B and twelve numbers of A, and two loads begin in a cycle:
    /// that is as many cycles as twelve multiply-adds take, and half a one more. Six rows, as below, would wait for their sums.
    typealias TallTile = Stack<SixRows, SixRows>
    /// Six pairs of rows of eight columns: twelve sums, as below, each in half of a register.
    typealias NarrowTile = Stack<SixPairedRows, SixPairedRows>
    /// Sixteen sums in eight rows of a register and half of one.
    typealias WideTile = Stack<FourWideRows, FourWideRows>
#elseif FMA || arch(arm64)
    /// Twelve AVX2 accumulators, two vectors of B and one of A: fifteen of sixteen registers.
    typealias TallTile = Stack<FourRows, TwoRows>
    /// As many accumulators in twelve rows of eight columns.
    typealias NarrowTile = Stack<SixPairedRows, SixPairedRows>
    /// Twelve AVX2 accumulators, three vectors of B and one of A: all registers.
    typealias WideTile = FourWideRows
#else
    /// Eight SSE2 accumulators; more would spill.
    typealias TallTile = TwoRows
    /// As many accumulators in four rows of eight columns.
    typealias NarrowTile = FourPairedRows
#endif

/// How rows are cut into tiles: tall ones first, then tiles of eight and six (`AVX512`), of four, two and one.
///
/// With tiles of six, two or three rows keep the multiply-add units half busy, so the last eight rows are two tiles of
/// four, and the last nine these and one of one. With tiles of twelve, fewer than eight rows take as long as eight: the
/// last fourteen to seventeen rows are a tile of eight, and one or two lower ones.
enum TileRows {
    /// Tall tiles in so many rows.
    @inline(__always) static func tall(in rows: Int) -> Int {
        let full = rows / TallTile.rows
        let left = rows &- full &* TallTile.rows
        #if AVX512
            return full > 0 && left >= 2 && left <= 5 ? full &- 1 : full
        #else
            return TallTile.rows > 4 && full > 0 && (left == 2 || left == 3) ? full &- 1 : full
        #endif
    }

    /// Rows of the next tile where `left` are left and no tall tile is.
    @inline(__always) static func low(in left: Int) -> Int {
        #if AVX512
            if left >= 6 { return left >= 8 ? 8 : 6 }
        #endif
        return left >= 4 ? 4 : left >= 2 ? 2 : 1
    }

    /// The tiles of so many rows: the first row of each, and how many it has.
    static func tiles(in rows: Int) -> [(first: Int, height: Int)] {
        let tall = tall(in: rows) * TallTile.rows
        var tiles: [(first: Int, height: Int)] = []
        var row = 0
        while row < rows {
            let height = row < tall ? TallTile.rows : low(in: rows - row)
            tiles.append((row, height))
            row += height
        }
        return tiles
    }
}

extension StreamMatrix {
    /// Vectors of eight rows in a tile of a product with one vector, and in one of the fast matrix, which keeps λ, x, g, the
    /// rounding constant and one number of A beside the sums.
    ///
    /// Up to six vectors have two or four sums each, so that other heights give other last bits. `AVX512` has those of
    /// `AVX2`, and its vectors of eight: the matrix is read from a cache, which gives no more for longer ones.
    #if FMA || arch(arm64)
        /// Twelve AVX2 accumulators and one number of x: thirteen of sixteen registers, the matrix is read in place.
        static let tallest = 12
        static let tallestFading = 8
    #else
        /// Twelve SSE2 accumulators, two for each vector; more would spill.
        static let tallest = 6
        static let tallestFading = 4
    #endif

    /// Vectors in a tile of half width: nine AVX2 accumulators, two numbers of x, the mask, and the shifted and loaded words;
    /// the compiler puts a higher tile on the stack.
    static let tallestOfPairs = 9
}

enum BlockSizes {
    /// Rows of B in a packed panel: 16 KB, half a small first-level cache.
    static let depth = 256
    /// Rows of A that are packed together: 192 KB, for the second-level cache. Whole tiles of twelve, of six and of two.
    static let rows = 192
    /// Columns of B that are packed together: 2 MB, for the third-level cache.
    static let columns = 2048
    /// B stays where it is up to this many numbers: 256 KB, half a small second-level cache.
    static let unpacked = 65_536
    /// A stays where it is up to this many numbers; low tiles read it more often, so that packing pays earlier.
    static let unpackedLeft = TallTile.rows > 4 ? 65_536 : 8_192
    /// Rows or columns of a piece for one of several threads, about.
    static let piece = 256
    /// Multiplications of such a piece at least: some 300 µs, where it takes 85 to wake a thread.
    static let work = 1 << 24
    /// Rows of C that are made at once where it has eight columns left and A lies in columns; 1 KB, which fits on the stack.
    static let strip = 32
    /// Steps whose samples are summed up at a time in the gradient of a weight matrix: the samples of sixteen rows of x,
    /// 16 KB, stay in a first-level cache while all rows of dy pass.
    static let steps = 16
    /// Panels of a planar convolution whose values, products and outputs stay in a second-level cache.
    static let planarPanels = 2
    /// Where the sums of its gradient are more numbers than this, 4 MB, they are read and written for so many panels at a time.
    static let planarSums = 1 << 20
    static let heldPanels = 8
    /// Rows and columns of a fast matrix of sixteen samples that stay in the first-level cache, 16 KB, while its states pass.
    static let memoryRows = 8
    static let memoryColumns = 32
    /// States that are added to them at a time.
    static let memoryStates = 4
}
