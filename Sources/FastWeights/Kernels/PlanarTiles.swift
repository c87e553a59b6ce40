/// Maps of N samples, [C, N, H, W], cut into tiles of m by m: where the tiles lie, and copies of the maps with zeros around.
///
/// Tiles are in the lanes, sixteen a panel, sample by sample and row by row, so that few samples fill them. Values of a panel
/// stand [place][channel], `stride` vectors from a place to the next.
///
/// Work goes channel by channel: what the tiles of some panels see of a channel is copied with zeros around into memory
/// that a first-level cache holds, and the same the other way round for gradients. Maps that are not cut into whole tiles, or
/// not into whole vectors of them, are written and read by way of such a copy, too.
struct PlanarTiles {
    let winograd: Winograd
    let samples: Int
    /// The first of them, which have maps now.
    private(set) var used: Int
    let height: Int
    let width: Int
    /// Numbers from a channel's maps to those of the next.
    let channelStride: Int
    /// Rows and columns of tiles.
    private let rows: Int
    private let columns: Int
    /// Numbers of a row with zeros around.
    let paddedWidth: Int
    /// A channel's maps with zeros around, and a copy of them to which gradients are added.
    let padded: Buffer<Float>
    let added: Buffer<Float>
    /// Where the patch of each tile begins in there; of lanes without a tile, where that of the last one does.
    let starts: Buffer<Int>
    /// Where the outputs of each tile begin: in the maps of a channel, or in `whole`.
    let targets: Buffer<Int>
    /// Outputs of whole tiles, where maps are not; those of lanes without a tile stand behind. The same for their gradients,
    /// which are zero where there are none.
    let whole: Buffer<Float>
    let wholeGradients: Buffer<Float>
    /// Between the two axes.
    let between: Buffer<Octet>

    init(
        _ winograd: Winograd, samples: Int, height: Int, width: Int, trains: Bool, channelStride: Int
    ) {
        (self.winograd, self.samples, self.height, self.width) = (winograd, samples, height, width)
        used = samples
        self.channelStride = channelStride
        let (m, n) = (winograd.tile, winograd.points)
        rows = (height + m - 1) / m
        columns = (width + m - 1) / m
        let count = samples * rows * columns
        // Rows of patches are read in fours.
        paddedWidth = columns * m + winograd.size - 1 + (n % 4 == 0 || m == 1 ? 0 : 4 - n % 4)
        let paddedHeight = rows * m + winograd.size - 1
        // Behind the last number a vector may begin there, in lanes without a tile.
        padded = Buffer(samples * paddedHeight * paddedWidth + Lanes.width)
        added = Buffer(trains ? padded.count : 0)
        between = Buffer(2 * n * n)
        let isWhole = winograd.isDirect || (height % m == 0 && width % m == 0 && count % Octet.width == 0)
        let (wholeHeight, wholeWidth) = isWhole ? (height, width) : (rows * m, columns * m)
        let wholeCount = samples * wholeHeight * wholeWidth
        // m rows of a tile that is not there.
        whole = Buffer(isWhole ? 0 : wholeCount + m * wholeWidth)
        wholeGradients = Buffer(trains ? whole.count : 0)
        let lanes = (count + Lanes.width - 1) / Lanes.width * Lanes.width
        (starts, targets) = (Buffer(lanes), Buffer(lanes))
        for lane in 0..<lanes {
            let tile = min(lane, count - 1)
            let (sample, row, column) = (tile / (rows * columns), tile / columns % rows, tile % columns)
            starts.pointer[lane] = (sample * paddedHeight + row * m) * paddedWidth + column * m
            targets.pointer[lane] =
                lane < count ? (sample * wholeHeight + row * m) * wholeWidth + column * m : wholeCount
        }
    }

    /// Goes on with the first `count` samples.
    mutating func use(_ count: Int) { used = count }

    /// As many samples, or more, as have whole vectors of eight tiles, by fours or eights.
    func filling(_ count: Int) -> Int {
        let unit = rows * columns % 2 == 0 ? 4 : 8
        return (count + unit - 1) / unit * unit
    }

    /// Tiles.
    var count: Int { used * rows * columns }
    /// Panels of sixteen tiles.
    var panels: Int { (count + Lanes.width - 1) / Lanes.width }
    /// Vectors of eight tiles.
    var octets: Int { (count + Octet.width - 1) / Octet.width }
    var isWhole: Bool { whole.count == 0 }
    /// Numbers from a row of outputs to the next.
    var targetWidth: Int { isWhole ? width : columns * winograd.tile }

    // MARK: Copies of maps

    /// Calls `body` with each sample of some panels, and the rows of tiles of it that are theirs.
    @inline(__always)
    private func forEachSample(_ panels: Range<Int>, _ body: (_ sample: Int, _ first: Int, _ last: Int) -> Void) {
        let first = panels.lowerBound &* Lanes.width / columns
        let last = (min(panels.upperBound &* Lanes.width, count) &- 1) / columns
        var sample = first / rows
        while sample &* rows <= last {
            let top = sample &* rows
            body(sample, max(first &- top, 0), min(last &- top, rows &- 1))
            sample &+= 1
        }
    }

    /// Calls `body` with each row that tiles of some panels see: where it begins in a map, and where in the padded copy.
    @inline(__always)
    private func forEachSeenRow(_ panels: Range<Int>, _ body: (_ row: Int, _ padded: Int) -> Void) {
        let (m, k) = (winograd.tile, winograd.size)
        let paddedHeight = rows &* m &+ k &- 1
        forEachSample(panels) { sample, first, last in
            var y = max(first &* m &- k / 2, 0)
            let end = min((last &+ 1) &* m &+ k &- 1 &- k / 2, height)
            while y < end {
                body(
                    (sample &* height &+ y) &* width,
                    (sample &* paddedHeight &+ y &+ k / 2) &* paddedWidth &+ k / 2)
                y &+= 1
            }
        }
    }

    /// Calls `body` with each row of outputs of tiles of some panels: where it begins in a map, where in `whole`, and the
    /// columns that are theirs.
    @inline(__always)
    private func forEachTargetRow(
        _ panels: Range<Int>, _ body: (_ row: Int, _ whole: Int, _ columns: Range<Int>) -> Void
    ) {
        let m = winograd.tile
        let firstTile = panels.lowerBound &* Lanes.width
        let lastTile = min(panels.upperBound &* Lanes.width, count) &- 1
        forEachSample(panels) { sample, first, last in
            for row in first...last {
                let tiles = (sample &* rows &+ row) &* columns
                let from = max(firstTile &- tiles, 0) &* m
                let to = min((lastTile &- tiles &+ 1) &* m, width)
                for y in row &* m..<min((row &+ 1) &* m, height) {
                    body((sample &* height &+ y) &* width, (sample &* rows &* m &+ y) &* columns &* m, from..<to)
                }
            }
        }
    }

    /// Copies what tiles of some panels see of a channel.
    @inline(never)
    func pad(_ x: UnsafePointer<Float>, _ panels: Range<Int>) {
        let target = padded.pointer
        forEachSeenRow(panels) { row, padded in copy(x + row, to: target + padded, width) }
    }

    /// The copy that gradients are added to becomes 0 where tiles of some panels see it.
    @inline(never)
    func clearAdded(_ panels: Range<Int>) {
        let (m, k) = (winograd.tile, winograd.size)
        let paddedHeight = rows &* m &+ k &- 1
        forEachSample(panels) { sample, first, last in
            let target = added.pointer + (sample &* paddedHeight &+ first &* m) &* paddedWidth
            target.update(repeating: 0, count: ((last &- first &+ 1) &* m &+ k &- 1) &* paddedWidth)
        }
    }

    /// Adds what stands in the copy to a channel; the zeros around are left out.
    @inline(never)
    func collect(_ panels: Range<Int>, addingTo x: UnsafeMutablePointer<Float>) {
        let source = UnsafePointer(added.pointer)
        forEachSeenRow(panels) { row, padded in add(source + padded, to: x + row, width) }
    }

    /// Copies outputs of whole tiles to a channel.
    @inline(never)
    func cut(_ panels: Range<Int>, into y: UnsafeMutablePointer<Float>) {
        let source = UnsafePointer(whole.pointer)
        forEachTargetRow(panels) { row, whole, columns in
            copy(source + (whole &+ columns.lowerBound), to: y + (row &+ columns.lowerBound), columns.count)
        }
    }

    /// Copies gradients of a channel to whole tiles.
    @inline(never)
    func fill(_ panels: Range<Int>, with dy: UnsafePointer<Float>) {
        let target = wholeGradients.pointer
        forEachTargetRow(panels) { row, whole, _ in copy(dy + row, to: target + whole, width) }
    }

    @inline(__always)
    private func copy(_ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ count: Int) {
        var i = 0
        while i &+ 4 <= count {
            SIMD4(at: source + i).store(at: target + i)
            i &+= 4
        }
        while i < count {
            target[i] = source[i]
            i &+= 1
        }
    }

    @inline(__always)
    private func add(_ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ count: Int) {
        var i = 0
        while i &+ 4 <= count {
            SIMD4(at: source + i).add(to: target + i)
            i &+= 4
        }
        while i < count {
            target[i] += source[i]
            i &+= 1
        }
    }
}
