/// The filters of a convolution, [F, C, k, k], and a number a feature, ready for products at the places of the tiles; shared by
/// all shards of a batch, whatever form their convolutions take.
final class PlanarFilters: @unchecked Sendable {
    let channels: Int
    let features: Int
    let size: Int
    let bias: UnsafePointer<Float>?
    private let weight: UnsafePointer<Float>
    private var sets: [PlaceFilters] = []

    /// For convolutions that read `channels` and make `features` with filters of side `size`. `weight` and `bias` are read by
    /// `pack` and by the convolutions, and must stay where they are as long as this does.
    init(
        _ weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?, channels: Int, features: Int, size: Int
    ) {
        (self.channels, self.features, self.size) = (channels, features, size)
        (self.weight, self.bias) = (weight, bias)
    }

    /// Makes room for what a convolution needs, before `pack`; not while others read.
    func prepare(for convolution: PlanarConvolution) {
        require(
            convolution.channels == channels && convolution.features == features
                && convolution.winograd.size == size,
            "filters of \(channels) channels, \(features) features and side \(size) are shared by convolutions of such, "
                + "found \(convolution.text)")
        prepare(for: convolution.winograd, trains: convolution.trains)
    }

    /// The same for convolutions of a form.
    func prepare(for form: Winograd, trains: Bool) {
        if let set = sets.firstIndex(where: { $0.winograd == form }) {
            guard trains && !sets[set].trains else { return }
            sets.remove(at: set)
        }
        sets.append(PlaceFilters(form, channels: channels, features: features, trains: trains))
    }

    /// Pieces of the packing, which threads may do in any order.
    var pieces: Int { sets.reduce(0) { $0 + $1.pieces } }

    /// Takes in what a piece has of the filters. All pieces together O(F·C·n²·k).
    func pack(_ piece: Int) {
        var piece = piece
        for set in sets {
            if piece < set.pieces { return set.pack(piece, weight) }
            piece -= set.pieces
        }
    }

    func pack() { for piece in 0..<pieces { pack(piece) } }

    /// Those of a form.
    func matrices(_ form: Winograd) -> PlaceFilters.Matrices {
        for set in sets where set.winograd == form { return set.matrices }
        misuse("these filters were made for other convolutions")
    }
}

/// Filters in the form of one kind of tiles: a matrix [F, depth] a place, and that transposed, packed as `packTiles` does.
final class PlaceFilters {
    let winograd: Winograd
    let trains: Bool
    private let transform: FilterTransform
    private let channels: Int
    private let features: Int
    private let matrix: Buffer<Float>
    private let transposed: Buffer<Float>
    /// Of a piece, what its transforms need.
    private let scratch: Buffer<Lanes>
    private let scratchStride: Int
    /// Tiles of rows of the matrix, of which a piece has some, and those of the transposed.
    private let tiles: [(first: Int, height: Int)]
    private let transposedTiles: [(first: Int, height: Int)]
    let pieces: Int

    /// `trains` says whether the transposed is needed.
    init(_ winograd: Winograd, channels: Int, features: Int, trains: Bool) {
        (self.winograd, self.trains, self.channels, self.features) = (winograd, trains, channels, features)
        transform = FilterTransform(winograd)
        let depth = winograd.depth(channels: channels)
        matrix = Buffer(winograd.products * features * depth)
        transposed = Buffer(trains ? matrix.count : 0)
        tiles = TileRows.tiles(in: features)
        transposedTiles = trains ? TileRows.tiles(in: depth) : []
        // About two thousand filters a piece.
        pieces = min(max(features * channels / 2048, 1), tiles.count)
        let tallest = tiles.reduce(0) { max($0, $1.height) }
        scratchStride = winograd.isDirect ? 0 : transform.scratch + winograd.places * tallest
        scratch = Buffer(pieces * scratchStride)
    }

    /// For as long as the filters are there.
    var matrices: Matrices { Matrices(matrix: matrix.pointer, transposed: transposed.pointer) }

    struct Matrices {
        let matrix: UnsafePointer<Float>
        let transposed: UnsafePointer<Float>
    }

    func pack(_ piece: Int, _ weight: UnsafePointer<Float>) {
        let own = tiles[tiles.count * piece / pieces..<tiles.count * (piece + 1) / pieces]
        guard winograd.isDirect else {
            for tile in own { pack(rows: tile, weight, scratch.pointer + piece * scratchStride) }
            return
        }
        let depth = winograd.depth(channels: channels)
        for (first, height) in own {
            packTiles(
                rows: height, depth: depth, weight + first * depth, rowStride: depth, depthStride: 1,
                into: matrix.pointer + first * depth)
        }
        let count = transposedTiles.count
        for (first, height) in transposedTiles[count * piece / pieces..<count * (piece + 1) / pieces] {
            packTiles(
                rows: height, depth: features, weight + first, rowStride: 1, depthStride: depth,
                into: transposed.pointer + first * features)
        }
    }

    /// A tile of features, sixteen channels at a time: their values at all places, from there to the places' matrices.
    private func pack(rows tile: (first: Int, height: Int), _ weight: UnsafePointer<Float>, _ scratch: Panel) {
        let (area, height, places) = (winograd.size * winograd.size, tile.height, winograd.places)
        let values = scratch + transform.scratch
        var c = 0
        while c < channels {
            let count = min(Lanes.width, channels - c)
            for r in 0..<height {
                let filters = weight + ((tile.first + r) * channels + c) * area
                transform.apply(filters, count: count, into: values + r, stride: height, scratch: scratch)
            }
            for place in 0..<places {
                let start = place * features * channels
                let rows = UnsafePointer(floats(values + place * height))
                packTiles(
                    rows: height, depth: count, rows, rowStride: Lanes.width, depthStride: 1,
                    into: matrix.pointer + (start + tile.first * channels + c * height))
                if !transposedTiles.isEmpty {
                    transpose(rows, height, c, count, into: transposed.pointer + start, column: tile.first)
                }
            }
            c += Lanes.width
        }
    }

    /// Copies `height` rows of `count` numbers, from row `c` of the transposed on, to columns from `column` on.
    private func transpose(
        _ source: UnsafePointer<Float>, _ height: Int, _ c: Int, _ count: Int,
        into target: UnsafeMutablePointer<Float>, column: Int
    ) {
        var row = c
        var t = min(c / TallTile.rows, transposedTiles.count - 1)
        while transposedTiles[t].first > row { t -= 1 }
        while transposedTiles[t].first + transposedTiles[t].height <= row { t += 1 }
        while row < c + count {
            let (first, tall) = transposedTiles[t]
            let end = min(first + tall, c + count)
            for r in 0..<height {
                let (from, to) = (
                    source + (r &* Lanes.width &- c), target + (first &* features &+ (column &+ r) &* tall &- first)
                )
                var i = row
                while i < end {
                    to[i] = from[i]
                    i &+= 1
                }
            }
            row = end
            t += 1
        }
    }
}
