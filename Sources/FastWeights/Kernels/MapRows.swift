// Rows of planar maps, sixteen pixels a vector: how they are read, written, and kept with zeros around them.

/// A row of a map as vectors. The lanes behind its end are read as zeros, and not written.
struct MapRow: Sendable {
    /// W, numbers of the row.
    let width: Int

    /// Vectors that hold them.
    var vectors: Int { (width &+ Lanes.width &- 1) / Lanes.width }

    /// Vector j of the row at `p`.
    @inline(__always) func load(_ p: UnsafePointer<Float>, _ j: Int) -> Lanes {
        let (at, left) = (p + j &* Lanes.width, width &- j &* Lanes.width)
        return left >= Lanes.width ? Lanes(at: at) : Lanes(first: left, at: at)
    }

    /// Makes vector j of the row at `p` those numbers.
    @inline(__always) func store(_ x: Lanes, _ p: UnsafeMutablePointer<Float>, _ j: Int) {
        let (at, left) = (p + j &* Lanes.width, width &- j &* Lanes.width)
        if left >= Lanes.width { x.store(at: at) } else { x.store(first: left, at: at) }
    }

    /// Adds those numbers to vector j of the row at `p`.
    @inline(__always) func add(_ x: Lanes, to p: UnsafeMutablePointer<Float>, _ j: Int) {
        store(load(p, j) + x, p, j)
    }
}

/// Rows to work on, whole vectors with zeros on both sides, so that they can be read shifted by up to `margin` numbers.
struct RowPanel {
    /// Zeros before and behind each row, whole vectors.
    let margin: Int
    /// From a row to the next.
    let stride: Int
    private let first: UnsafeMutablePointer<Float>

    init(rows: Int, of row: MapRow, reach: Int = 0, arena: Arena) {
        let beside = MapRow(width: reach).vectors
        margin = beside * Lanes.width
        let vectors = row.vectors + 2 * beside
        stride = vectors * Lanes.width
        first = floats(arena.panels(rows, rows: vectors)[0]) + margin
    }

    /// Where row r begins, behind its margin.
    @inline(__always) subscript(r: Int) -> UnsafeMutablePointer<Float> { first + r &* stride }

    /// Vector j of row r.
    @inline(__always) subscript(r: Int, j: Int) -> Lanes {
        get { Lanes(at: self[r] + j &* Lanes.width) }
        nonmutating set { newValue.store(at: self[r] + j &* Lanes.width) }
    }
}

/// The maps of one sample with zeros around them, so that nobody need ask whether a pixel that is read is outside.
struct PaddedMaps {
    let maps: MapShape
    /// Zeros above, below, and on both sides at least.
    let border: Int
    /// From a row to the next, whole vectors.
    let stride: Int
    private let first: UnsafeMutablePointer<Float>

    init(_ maps: MapShape, border: Int, arena: Arena) {
        (self.maps, self.border) = (maps, border)
        let vectors = MapRow(width: maps.width).vectors + MapRow(width: 2 * border).vectors
        stride = vectors * Lanes.width
        first = floats(arena.panels(maps.channels * (maps.height + 2 * border), rows: vectors)[0])
    }

    /// From a map to the next.
    var plane: Int { (maps.height &+ 2 &* border) &* stride }

    /// Row v of map c, where row 0 is the first of the border; so is its first number.
    @inline(__always) func row(_ c: Int, _ v: Int) -> UnsafeMutablePointer<Float> {
        first + (c &* plane &+ v &* stride)
    }

    /// Calls `body` with each row within the border, and the place of its first number in maps that stand `step` numbers apart.
    @inline(__always)
    private func forEachRow(_ step: Int, _ body: (_ row: UnsafeMutablePointer<Float>, _ place: Int) -> Void) {
        for c in 0..<maps.channels {
            for v in 0..<maps.height { body(row(c, v &+ border) + border, c &* step &+ v &* maps.width) }
        }
    }

    /// Takes in maps that stand `step` numbers apart.
    func fill(from x: UnsafePointer<Float>, step: Int) {
        forEachRow(step) { row, place in row.update(from: x + place, count: maps.width) }
    }

    /// Adds what is within the border to maps that stand `step` numbers apart.
    func add(to x: UnsafeMutablePointer<Float>, step: Int) {
        let line = MapRow(width: maps.width)
        forEachRow(step) { row, place in
            for j in 0..<line.vectors { line.add(line.load(row, j), to: x + place, j) }
        }
    }

    /// Makes everything zero, the border too.
    func clear() { first.update(repeating: 0, count: maps.channels * plane) }
}
