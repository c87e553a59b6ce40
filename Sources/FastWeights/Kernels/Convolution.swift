// Convolution of sixteen images side by side: a panel has a row a number of an image, channel by channel, row by row.
//
// The numbers under the filter at one position are copied into a panel of their own, C·k·k rows (im2col), so that a
// position is one product with the filters as a matrix. Forward holds one position at a time, backward
// those of one row of the output.

/// Numbers of an image, or of what a layer makes of it: channels, rows and columns.
struct MapShape: Sendable, Equatable {
    /// Maps one behind the other.
    var channels: Int
    /// Rows of each.
    var height: Int
    /// Numbers a row.
    var width: Int

    /// Numbers in all.
    var count: Int { channels * height * width }
}

/// y = f(W ∗ x + b) with square filters: y[f, v, u] = Σ_cij W[f, c, i, j] · x[c, v·stride + i - padding, …], x zero outside.
struct Convolution: Sendable, Equatable {
    let input: MapShape
    /// F, filters.
    let features: Int
    /// k, the side of a filter.
    let size: Int
    let stride: Int
    /// Zeros around the image.
    let padding: Int

    /// Rows of what a filter sees: C·k·k.
    var depth: Int { input.channels * size * size }
    var output: MapShape {
        MapShape(
            channels: features, height: (input.height + 2 * padding - size) / stride + 1,
            width: (input.width + 2 * padding - size) / stride + 1)
    }

    /// Calls `body` with each run of numbers under the filter at (u, v): its first row in what the filter sees, its first
    /// row in the image, and how many; those outside the image are left out.
    @inline(__always)
    private func forEachRun(_ u: Int, _ v: Int, _ body: (_ seen: Int, _ row: Int, _ count: Int) -> Void) {
        let (left, top) = (u &* stride &- padding, v &* stride &- padding)
        let (from, to) = (max(0, 0 &- left), min(size, input.width &- left))
        guard from < to else { return }
        var c = 0
        while c < input.channels {
            var i = max(0, 0 &- top)
            let end = min(size, input.height &- top)
            while i < end {
                body(
                    (c &* size &+ i) &* size &+ from, (c &* input.height &+ top &+ i) &* input.width &+ left &+ from,
                    to &- from)
                i &+= 1
            }
            c &+= 1
        }
    }

    /// What the filter at (u, v) sees, `depth` rows.
    @inline(never)
    func gather(_ x: Panel, _ u: Int, _ v: Int, into seen: Panel) {
        if padding > 0 { seen.update(repeating: .zero, count: depth) }
        forEachRun(u, v) { seen[$0...].update(x + $1, $2) }
    }

    /// Adds what the filter at (u, v) saw to the rows of the image.
    @inline(never)
    func scatter(_ seen: Panel, _ u: Int, _ v: Int, addingTo x: Panel) {
        forEachRun(u, v) { first, row, count in
            var k = 0
            while k < count {
                x[row &+ k] += seen[first &+ k]
                k &+= 1
            }
        }
    }
}

extension UnsafeMutablePointer where Pointee == Lanes {
    /// The panel from a row on.
    @inline(__always) fileprivate subscript(range: PartialRangeFrom<Int>) -> Panel { self + range.lowerBound }

    @inline(__always) fileprivate func update(_ source: Panel, _ count: Int) {
        var k = 0
        while k < count {
            self[k] = source[k]
            k &+= 1
        }
    }
}

/// y[c, v, u] = max of x over windows of `size` by `size` that do not overlap; what is left at the edges is not looked at.
struct MaxPool: Sendable, Equatable {
    let input: MapShape
    let size: Int

    var output: MapShape {
        MapShape(channels: input.channels, height: input.height / size, width: input.width / size)
    }

    /// The first row of a window, and of y.
    @inline(__always)
    private func forEachWindow(_ body: (_ first: Int, _ row: Int) -> Void) {
        let output = output
        var row = 0
        for c in 0..<input.channels {
            for v in 0..<output.height {
                for u in 0..<output.width {
                    body((c &* input.height &+ v &* size) &* input.width &+ u &* size, row)
                    row &+= 1
                }
            }
        }
    }

    @inline(never)
    func forward(_ x: Panel, into y: Panel) {
        forEachWindow { first, row in
            var largest = x[first]
            for i in 0..<size {
                for j in 0..<size { largest = largest.lanewiseMax(x[first &+ i &* input.width &+ j]) }
            }
            y[row] = largest
        }
    }

    /// dx becomes ∂L/∂x: of each window the first of its largest numbers has dy. dx may be x.
    @inline(never)
    func backward(_ x: Panel, _ y: Panel, _ dy: Panel, into dx: Panel) {
        forEachWindow { first, row in
            var left = dy[row]
            for i in 0..<size {
                for j in 0..<size {
                    let position = first &+ i &* input.width &+ j
                    let isHere = x[position] .== y[row]
                    dx[position] = Lanes.zero.replacing(with: left, where: isHere)
                    left.replace(with: 0, where: isHere)
                }
            }
        }
        let (rows, columns) = (output.height * size, output.width * size)
        for c in 0..<input.channels {
            for v in 0..<input.height {
                let row = dx + (c &* input.height &+ v) &* input.width
                for u in (v < rows ? columns : 0)..<input.width { row[u] = .zero }
            }
        }
    }
}
