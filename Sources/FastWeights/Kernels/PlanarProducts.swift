/// The three products of a convolution, of any stride and zeros around, with planar maps [C, N, H, W] of N samples: y += W ∗ x,
/// x += W ∗ᵀ y and dW += Σ dy xᵀ.
///
/// The numbers under the filter at some rows of places are copied together, [C·k·k, places] (im2col), which makes of each a
/// product of matrices; filters of one number need no copy. The samples stand behind each other in a map, so the places of
/// small maps are those of several samples. Nothing is allocated after the first products. Behind the maps there must be room
/// for `planarMargin` numbers, which stay as they are.
final class PlanarProducts {
    let convolution: Convolution
    let samples: Int
    private let seen: Buffer<Float>
    /// Rows of places at a time, those of all samples counted.
    private let block: Int
    private let workspace = ProductWorkspace()

    /// Places of a product.
    private static let places = 256

    init(_ convolution: Convolution, samples: Int) {
        (self.convolution, self.samples) = (convolution, samples)
        let output = convolution.output
        block = min(max(Self.places / output.width, 1), samples * output.height)
        seen = Buffer(Self.seesItself(convolution) ? 0 : convolution.depth * block * output.width)
    }

    /// Whether a filter sees the one number at its place.
    private static func seesItself(_ c: Convolution) -> Bool {
        c.depth == c.channels && c.input.height == c.output.height && c.input.width == c.output.width
            && c.rows.before == 0 && c.columns.before == 0
    }

    /// y += W ∗ x. O(F·C·k·k) a place.
    func add(_ w: UnsafeMutablePointer<Float>, _ x: UnsafeMutablePointer<Float>, to y: UnsafeMutablePointer<Float>) {
        forEachBlock { rows in
            multiply(filters(w), look(x, rows), into: outputs(y, rows), accumulate: true, workspace: workspace)
        }
    }

    /// x += W ∗ᵀ y. O(F·C·k·k) a place.
    func addTransposed(
        _ w: UnsafeMutablePointer<Float>, _ y: UnsafeMutablePointer<Float>, to x: UnsafeMutablePointer<Float>
    ) {
        forEachBlock { rows in
            let y = outputs(y, rows)
            if Self.seesItself(convolution) {
                multiply(filters(w).transposed, y, into: inputs(x, rows), accumulate: true, workspace: workspace)
            } else {
                multiply(
                    filters(w).transposed, y, into: MatrixView(seen.pointer, convolution.depth, y.columns),
                    workspace: workspace)
                forEachRun(rows, y.columns) { seen, row, count, stride in
                    addApart(self.seen.pointer + seen, to: x + row, stride: stride, count: count)
                }
            }
        }
    }

    /// dW += the gradient of the filters, summed over the samples, from dy = ∂L/∂(W ∗ x). O(F·C·k·k) a place.
    func addGradient(
        _ dy: UnsafeMutablePointer<Float>, _ x: UnsafeMutablePointer<Float>, to dw: UnsafeMutablePointer<Float>
    ) {
        forEachBlock { rows in
            multiply(
                outputs(dy, rows), look(x, rows).transposed, into: filters(dw), accumulate: true, workspace: workspace)
        }
    }

    // MARK: Views

    @inline(__always) private func forEachBlock(_ body: (Range<Int>) -> Void) {
        let rows = samples * convolution.output.height
        var first = 0
        while first < rows {
            body(first..<min(first + block, rows))
            first += block
        }
    }

    private func filters(_ w: UnsafeMutablePointer<Float>) -> MatrixView {
        MatrixView(w, convolution.features, convolution.depth)
    }

    private func outputs(_ y: UnsafeMutablePointer<Float>, _ rows: Range<Int>) -> MatrixView {
        planes(y, convolution.output, rows)
    }

    private func inputs(_ x: UnsafeMutablePointer<Float>, _ rows: Range<Int>) -> MatrixView {
        planes(x, convolution.input, rows)
    }

    private func planes(_ p: UnsafeMutablePointer<Float>, _ shape: MapShape, _ rows: Range<Int>) -> MatrixView {
        var view = MatrixView(p + rows.lowerBound * shape.width, shape.channels, rows.count * shape.width)
        view.rowStride = samples * shape.area
        return view
    }

    /// What the filters see at rows of places, [depth, places].
    private func look(_ x: UnsafeMutablePointer<Float>, _ rows: Range<Int>) -> MatrixView {
        guard !Self.seesItself(convolution) else { return inputs(x, rows) }
        let columns = rows.count * convolution.output.width
        if convolution.rows.reachesOutside || convolution.columns.reachesOutside {
            seen.clear(0..<convolution.depth * columns)
        }
        forEachRun(rows, columns) { seen, row, count, stride in
            copyTogether(x + row, stride: stride, into: self.seen.pointer + seen, count: count)
        }
        return MatrixView(seen.pointer, convolution.depth, columns)
    }

    /// Calls `body` with each run of numbers under one number of the filters along a row of places: the first in `seen`, the
    /// first in the maps, how many, and how far they are apart there; those outside the maps are left out.
    @inline(__always) private func forEachRun(_ rows: Range<Int>, _ columns: Int, _ body: (Int, Int, Int, Int) -> Void)
    {
        let (c, output, input) = (convolution, convolution.output, convolution.input)
        let (down, across) = (c.rows, c.columns)
        for channel in 0..<c.channels {
            for i in 0..<down.size {
                for j in 0..<across.size {
                    // The places u with 0 <= u·stride + j - before < W.
                    let shift = j - across.before
                    let from = shift < 0 ? (across.stride - 1 - shift) / across.stride : 0
                    let to = min((input.width - shift + across.stride - 1) / across.stride, output.width)
                    guard from < to else { continue }
                    let target = ((channel * down.size + i) * across.size + j) * columns
                    for row in rows {
                        let y = row % output.height * down.stride + i - down.before
                        guard y >= 0 && y < input.height else { continue }
                        let map = channel * samples + row / output.height
                        body(
                            target + (row - rows.lowerBound) * output.width + from,
                            (map * input.height + y) * input.width + from * across.stride + shift, to - from,
                            across.stride)
                    }
                }
            }
        }
    }
}

/// Room that planar maps need behind their last number, so that vectors may be read and written there.
let planarMargin = Lanes.width

/// y[k] = x[k·stride].
@inline(__always) private func copyTogether(
    _ x: UnsafePointer<Float>, stride: Int, into y: UnsafeMutablePointer<Float>, count: Int
) {
    var k = 0
    if stride == 1 {
        while k &+ Octet.width <= count {
            Octet(at: x + k).store(at: y + k)
            k &+= Octet.width
        }
    } else if stride == 2 {
        while k &+ Octet.width <= count {
            Lanes(at: x + 2 &* k).evenHalf.store(at: y + k)
            k &+= Octet.width
        }
    }
    while k < count {
        y[k] = x[k &* stride]
        k &+= 1
    }
}

/// y[k·stride] += x[k].
@inline(__always) private func addApart(
    _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, stride: Int, count: Int
) {
    var k = 0
    if stride == 1 {
        while k &+ Octet.width <= count {
            (Octet(at: y + k) + Octet(at: x + k)).store(at: y + k)
            k &+= Octet.width
        }
    } else if stride == 2 {
        while k &+ Octet.width <= count {
            var sum = Lanes(at: y + 2 &* k)
            sum.evenHalf += Octet(at: x + k)
            sum.store(at: y + 2 &* k)
            k &+= Octet.width
        }
    }
    while k < count {
        y[k &* stride] += x[k]
        k &+= 1
    }
}

/// Planar maps, `count` numbers a channel, that are the bias of their channel throughout; zero without one.
func fillPlanes(_ y: UnsafeMutablePointer<Float>, channels: Int, count: Int, with bias: UnsafePointer<Float>?) {
    for c in 0..<channels { (y + c * count).update(repeating: bias?[c] ?? 0, count: count) }
}

/// db[c] += the sum of the `count` numbers of channel c of dy.
func accumulatePlaneSums(
    _ dy: UnsafePointer<Float>, channels: Int, count: Int, into db: UnsafeMutablePointer<Float>
) {
    for c in 0..<channels { db[c] += sum(dy + c * count, count: count) }
}

/// The sum of `count` numbers, in sixteen parts.
func sum(_ p: UnsafePointer<Float>, count: Int) -> Float {
    var sum = Lanes.zero
    forEachVector(count) { i, n in sum += n == Lanes.width ? Lanes(at: p + i) : Lanes(first: n, at: p + i) }
    return sum.laneSum
}

/// Calls `body` with the first number and the size of each vector of `count` numbers, of which the last may be shorter.
@inline(__always) func forEachVector(_ count: Int, _ body: (_ first: Int, _ count: Int) -> Void) {
    var i = 0
    while i &+ Lanes.width <= count {
        body(i, Lanes.width)
        i &+= Lanes.width
    }
    if i < count { body(i, count &- i) }
}
