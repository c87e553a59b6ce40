/// Maps read at places that an affine map of theirs says (spatial transformers, Jaderberg et al. 2015): with coordinates from
/// -1 to 1 along rows and columns,
///
///     (x_s, y_s) = θ · (x_t, y_t, 1),   y[c, v, u] = x[c, y_s, x_s] between its four nearest pixels, x zero outside
///
/// Rows of sixteen pixels a vector. Everything is computed in pixels from the middle, with which the identity is exact:
///
///     column - (W - 1)/2 = θ_0·u + θ_1·v·(m/n) + θ_2·m/2,   row - (H - 1)/2 = θ_3·u·(n/m) + θ_4·v + θ_5·n/2
///
/// where -1…1 is m columns and n rows long: W - 1 and H - 1 from one middle of a pixel to the other, W and H from edge to edge.
struct AffineSampling: Sendable {
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

    init(_ maps: MapShape, _ alignment: Alignment) {
        self.maps = maps
        let less = alignment == .middles ? 1 : 0
        (columns, rows) = (Float(max(maps.width - less, 1)), Float(max(maps.height - less, 1)))
    }

    /// Where sixteen pixels are read: the first of four, and how far behind it, in columns and rows.
    struct Places {
        let first: SIMD16<Int32>
        let right: Lanes
        let down: Lanes
    }

    /// Column of the pixels of vector j, from the middle.
    @inline(__always) private func across(_ j: Int) -> Lanes {
        let lanes: Lanes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
        return lanes + (Float(j &* Lanes.width) - Float(maps.width &- 1) / 2)
    }

    /// Row v, from the middle.
    @inline(__always) private func along(_ v: Int) -> Float { Float(v) - Float(maps.height &- 1) / 2 }

    /// The whole number below x, as far as a map may be wide, and how much it is less; of what is no number -2, and no number.
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

    /// Where the pixels of row v and vector j are read in maps whose rows are `stride` numbers apart.
    @inline(__always)
    func places(_ θ: UnsafePointer<Float>, row v: Int, _ j: Int, stride: Int) -> Places {
        let (u, v) = (across(j), along(v))
        let column = Lanes(repeating: θ[1] * (v * columns / rows) + θ[2] * (columns / 2)).mad(θ[0], u)
        let row = Lanes(repeating: θ[4] * v + θ[5] * (rows / 2)).mad(θ[3] * (rows / columns), u)
        let (left, right) = split(column + Float(maps.width &- 1) / 2, maps.width)
        let (top, down) = split(row + Float(maps.height &- 1) / 2, maps.height)
        let border = SIMD16<Int32>(repeating: Int32(Self.border))
        let first =
            (top &+ border) &* SIMD16<Int32>(repeating: Int32(truncatingIfNeeded: stride)) &+ (left &+ border)
        return Places(first: first, right: right, down: down)
    }

    /// The four pixels around each place in one map.
    @inline(__always)
    private func corners(_ x: UnsafePointer<Float>, _ places: Places, stride: Int) -> (Lanes, Lanes, Lanes, Lanes) {
        var (a, b, c, d) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        for lane in 0..<Lanes.width {
            let p = x + Int(places.first[lane])
            (a[lane], b[lane], c[lane], d[lane]) = (p[0], p[1], p[stride], p[stride &+ 1])
        }
        return (a, b, c, d)
    }

    /// The pixels of map c at their places.
    @inline(__always)
    func value(_ x: PaddedMaps, channel c: Int, _ places: Places) -> Lanes {
        let (a, b, c, d) = corners(x.row(c, 0), places, stride: x.stride)
        let (upper, lower) = (a.mad(places.right, b - a), c.mad(places.right, d - c))
        return upper.mad(places.down, lower - upper)
    }

    /// The way back of `value`, which it returns: adds dy to the four pixels of each place in dx, as much as each was worth, and
    /// what it says of the places to `moved`.
    @inline(__always)
    func backward(
        _ x: PaddedMaps, channel: Int, _ places: Places, _ dy: Lanes, addingTo dx: PaddedMaps, _ moved: inout Moved
    ) -> Lanes {
        let (a, b, c, d) = corners(x.row(channel, 0), places, stride: x.stride)
        let (above, below) = (b - a, d - c)
        let (upper, lower) = (a.mad(places.right, above), c.mad(places.right, below))
        moved.right = moved.right.mad(dy, above.mad(places.down, below - above))
        moved.down = moved.down.mad(dy, lower - upper)
        let (far, low) = (dy * places.right, dy * places.down)
        let corner = far * places.down
        let shares = (dy - far - (low - corner), far - corner, low - corner, corner)
        let target = dx.row(channel, 0)
        for lane in 0..<Lanes.width {
            let p = target + Int(places.first[lane])
            p[0] += shares.0[lane]
            p[1] += shares.1[lane]
            p[dx.stride] += shares.2[lane]
            p[dx.stride &+ 1] += shares.3[lane]
        }
        return upper.mad(places.down, lower - upper)
    }

    /// ∂L/∂(the place of each of sixteen pixels), in columns and rows.
    struct Moved {
        var right = Lanes.zero
        var down = Lanes.zero
    }

    /// Adds what the places of row v and vector j say of θ to `sums`, whose six vectors are to be summed.
    @inline(__always)
    func add(_ moved: Moved, row v: Int, _ j: Int, to sums: Panel) {
        let (u, v) = (across(j), along(v))
        sums[0] = sums[0].mad(moved.right, u)
        sums[1] = sums[1].mad(v * columns / rows, moved.right)
        sums[2] = sums[2].mad(columns / 2, moved.right)
        sums[3] = sums[3].mad(moved.down, u * (rows / columns))
        sums[4] = sums[4].mad(v, moved.down)
        sums[5] = sums[5].mad(rows / 2, moved.down)
    }
}
