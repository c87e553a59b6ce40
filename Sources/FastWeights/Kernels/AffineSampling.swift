/// Maps read at places that an affine map of theirs says (spatial transformers, Jaderberg et al. 2015): with coordinates from
/// -1 to 1 along rows and columns,
///
///     (x_s, y_s) = θ · (x_t, y_t, 1),   y[c, v, u] = x[c, y_s, x_s] between its four nearest pixels, x zero outside
///
/// A row at a time. Everything is computed in pixels from the middle, with which the identity is exact:
///
///     column - (W - 1)/2 = θ_0·u + θ_1·v·(m/n) + θ_2·m/2,   row - (H - 1)/2 = θ_3·u·(n/m) + θ_4·v + θ_5·n/2
///
/// where -1…1 is m columns and n rows long: W - 1 and H - 1 from one middle of a pixel to the other, W and H from edge to edge.
struct AffineSampling {
    /// What -1 and 1 are.
    enum Alignment: Sendable {
        /// The middles of the outermost pixels: PyTorch's `align_corners=True`.
        case middles
        /// The edges of the maps: PyTorch's `align_corners=False`.
        case edges
    }

    /// Zeros that the maps need around them: a pixel and the next, as far outside as places go.
    static let border = 2

    let maps: MapShape
    /// Columns from -1 to 1.
    private let columns: Float
    /// Rows from -1 to 1.
    private let rows: Float
    private let row: MapRow
    /// Of each pixel of a row, where the first of the four pixels around its place stands in a map of x.
    private let first: Buffer<Int32>
    /// How far behind that its place is, in columns and in rows.
    private let distances: RowPanel
    /// The four pixels around each place in one map.
    private let corners: RowPanel
    /// ∂L/∂(place), in columns and in rows.
    private let moved: RowPanel

    init(_ maps: MapShape, _ alignment: Alignment, arena: Arena) {
        self.maps = maps
        let less = alignment == .middles ? 1 : 0
        (columns, rows) = (Float(max(maps.width - less, 1)), Float(max(maps.height - less, 1)))
        row = MapRow(width: maps.width)
        first = Buffer(row.vectors * Lanes.width)
        distances = RowPanel(rows: 2, of: row, arena: arena)
        corners = RowPanel(rows: 4, of: row, arena: arena)
        moved = RowPanel(rows: 2, of: row, arena: arena)
    }

    /// Columns of the pixels of vector j, from the middle.
    @inline(__always) private func across(_ j: Int) -> Lanes {
        let lanes = Lanes(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
        return lanes + (Float(j &* Lanes.width) - Float(maps.width &- 1) / 2)
    }

    /// Row v, from the middle.
    private func along(_ v: Int) -> Float { Float(v) - Float(maps.height &- 1) / 2 }

    /// The whole number below x, and how much less it is, of -2 at least and `size` at most: beyond, all is zero. Of what is no
    /// number -2, and no number.
    @inline(__always) private func split(_ x: Lanes, _ size: Int) -> (whole: SIMD16<Int32>, rest: Lanes) {
        let inside = x.within(-2, Float(size))
        let number = inside.replacing(with: -2, where: inside .!= inside)
        // The sum's low bits are the nearest whole number.
        let shift = Lanes(repeating: 0x1.8p23)
        let nearest = (number + shift) - shift
        let whole = nearest.replacing(with: nearest - 1, where: nearest .> number)
        let bits = unsafeBitCast(whole + shift, to: SIMD16<Int32>.self) &- unsafeBitCast(shift, to: SIMD16<Int32>.self)
        return (bits, inside - whole)
    }

    /// Takes in where θ says that the pixels of row v are read in x.
    @inline(never)
    func place(_ θ: UnsafePointer<Float>, row v: Int, in x: PaddedMaps) {
        let along = along(v)
        let column = θ[1] * (along * columns / rows) + θ[2] * (columns / 2) + Float(maps.width &- 1) / 2
        let line = θ[4] * along + θ[5] * (rows / 2) + Float(maps.height &- 1) / 2
        let border = SIMD16<Int32>(repeating: Int32(truncatingIfNeeded: x.border))
        let stride = SIMD16<Int32>(repeating: Int32(truncatingIfNeeded: x.stride))
        for j in 0..<row.vectors {
            let across = across(j)
            let (left, right) = split(Lanes(repeating: column).mad(θ[0], across), maps.width)
            let (top, down) = split(Lanes(repeating: line).mad(θ[3] * (rows / columns), across), maps.height)
            UnsafeMutableRawPointer(first.pointer + j &* Lanes.width).storeBytes(
                of: (top &+ border) &* stride &+ (left &+ border), as: SIMD16<Int32>.self)
            (distances[0, j], distances[1, j]) = (right, down)
            (moved[0, j], moved[1, j]) = (.zero, .zero)
        }
    }

    /// `image` becomes the pixels of map c at the places of the row.
    @inline(never)
    func read(_ x: PaddedMaps, channel c: Int, into image: UnsafeMutablePointer<Float>) {
        let (source, below) = (x.row(c, 0), x.stride)
        let (first, corners, next) = (first.pointer, corners[0], corners.stride)
        for u in 0..<maps.width {
            let (p, to) = (source + Int(first[u]), corners + u)
            (to[0], to[next]) = (p[0], p[1])
            (to[2 &* next], to[3 &* next]) = (p[below], p[below &+ 1])
        }
        for j in 0..<row.vectors {
            let (upper, lower) = between(j)
            upper.mad(distances[1, j], lower - upper).store(at: image + j &* Lanes.width)
        }
    }

    /// Between both upper pixels, and both lower ones.
    @inline(__always) private func between(_ j: Int) -> (upper: Lanes, lower: Lanes) {
        let (a, c, right) = (corners[0, j], corners[2, j], distances[0, j])
        return (a.mad(right, corners[1, j] - a), c.mad(right, corners[3, j] - c))
    }

    /// The way back of `read`, after which it is called: adds dy, the gradient of the image, to the four pixels of each place in dx,
    /// as much as each was worth, and keeps what it says of the places.
    @inline(never)
    func backward(_ dy: UnsafePointer<Float>, channel: Int, addingTo dx: PaddedMaps) {
        for j in 0..<row.vectors {
            let (dy, right, down) = (Lanes(at: dy + j &* Lanes.width), distances[0, j], distances[1, j])
            let (upper, lower) = between(j)
            let (above, below) = (corners[1, j] - corners[0, j], corners[3, j] - corners[2, j])
            moved[0, j] = moved[0, j].mad(dy, above.mad(down, below - above))
            moved[1, j] = moved[1, j].mad(dy, lower - upper)
            // What each of the pixels was worth takes their place.
            let (far, low) = (dy * right, dy * down)
            let corner = far * down
            (corners[0, j], corners[1, j]) = (dy - far - (low - corner), far - corner)
            (corners[2, j], corners[3, j]) = (low - corner, corner)
        }
        let (target, below) = (dx.row(channel, 0), dx.stride)
        let (first, shares, next) = (first.pointer, corners[0], corners.stride)
        for u in 0..<maps.width {
            let (p, from) = (target + Int(first[u]), shares + u)
            p[0] += from[0]
            p[1] += from[next]
            p[below] += from[2 &* next]
            p[below &+ 1] += from[3 &* next]
        }
    }

    /// Adds what the places of row v say of θ to `sums`, whose six vectors are to be summed.
    func addGradient(row v: Int, to sums: Panel) {
        let along = along(v)
        for j in 0..<row.vectors {
            let (right, down, across) = (moved[0, j], moved[1, j], across(j))
            sums[0] = sums[0].mad(right, across)
            sums[1] = sums[1].mad(along * columns / rows, right)
            sums[2] = sums[2].mad(columns / 2, right)
            sums[3] = sums[3].mad(down, across * (rows / columns))
            sums[4] = sums[4].mad(along, down)
            sums[5] = sums[5].mad(rows / 2, down)
        }
    }
}
