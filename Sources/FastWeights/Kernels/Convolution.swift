// Convolution of sixteen images side by side: a panel has a row a number of an image, channel by channel, row by row.

/// Filters along the rows of maps, or along their columns.
struct FilterAxis: Sendable, Equatable {
    /// n, numbers of the maps; beyond them all is 0.
    let input: Int
    /// k, numbers that a filter sees.
    let size: Int
    /// From one place of the filter to the next.
    let stride: Int
    /// Zeros before the first number.
    let before: Int
    /// Places of the filter: ⌊(n + before + behind - k) / stride⌋ + 1, of SAME ⌈n / stride⌉.
    let output: Int

    struct Padding: Sendable, Equatable {
        let before: Int
        let behind: Int
    }

    /// Over maps of `input` numbers; a padding of nil is SAME.
    init(reading input: Int, size: Int, stride: Int, _ padding: Padding?) {
        (self.input, self.size, self.stride) = (input, size, stride)
        if let padding {
            before = padding.before
            output = (input + padding.before + padding.behind - size) / stride + 1
        } else {
            output = (input + stride - 1) / stride
            before = max((output - 1) * stride + size - input, 0) / 2
        }
    }

    /// Over the maps whose filters have `places` places: what a transposed convolution gives, with `extra` numbers at the end
    /// that no filter need see. Those of SAME are stride·`places`.
    init(giving places: Int, size: Int, stride: Int, _ padding: Padding?, extra: Int) {
        let input =
            padding.map { (places - 1) * stride + size - $0.before - $0.behind + extra } ?? places * stride
        self.init(reading: input, size: size, stride: stride, padding)
    }

    /// Whether a filter sees a zero beyond the maps.
    var reachesOutside: Bool { before > 0 || (output - 1) * stride + size - before > input }

    /// The numbers of the maps that the filter sees at a place: where it begins, and which of its own those are.
    @inline(__always)
    func seen(at place: Int) -> (first: Int, from: Int, to: Int) {
        let first = place &* stride &- before
        return (first, max(0, 0 &- first), min(size, input &- first))
    }
}

/// W ∗ x: y[f, v, u] = Σ_cij W[f, c, i, j] · x[c, v·stride + i - top, u·stride + j - left], x zero outside; and its transpose,
/// W ∗ᵀ y: x[c, …] = Σ W[f, c, i, j] · y[f, v, u] over the places v, u at which the filter sees that number of x.
struct Convolution: Sendable, Equatable {
    /// C, channels of x.
    let channels: Int
    /// F, filters.
    let features: Int
    let rows: FilterAxis
    let columns: FilterAxis

    /// The shape of x.
    var input: MapShape { MapShape(channels: channels, height: rows.input, width: columns.input) }
    /// The shape of y.
    var output: MapShape { MapShape(channels: features, height: rows.output, width: columns.output) }
    /// Rows of what a filter sees: C·k·k.
    var depth: Int { channels * rows.size * columns.size }
    /// The sizes of W.
    var filterSizes: [Int] { [features, channels, rows.size, columns.size] }
    /// Multiplications of one image.
    var multiplications: Int { output.count * depth }

    /// The same with other filters.
    func with(features: Int) -> Convolution {
        Convolution(channels: channels, features: features, rows: rows, columns: columns)
    }

    /// Calls `body` with each run of numbers under the filter at (u, v): its first row in what the filter sees, its first
    /// row in the image, and how many; those outside the image are left out.
    @inline(__always)
    private func forEachRun(_ u: Int, _ v: Int, _ body: (_ seen: Int, _ row: Int, _ count: Int) -> Void) {
        let ((top, above, below), (left, from, to)) = (rows.seen(at: v), columns.seen(at: u))
        guard from < to else { return }
        var c = 0
        while c < channels {
            var i = above
            while i < below {
                body(
                    (c &* rows.size &+ i) &* columns.size &+ from,
                    (c &* rows.input &+ top &+ i) &* columns.input &+ left &+ from, to &- from)
                i &+= 1
            }
            c &+= 1
        }
    }

    /// What the filter at (u, v) sees, `depth` rows.
    @inline(never)
    func gather(_ x: Panel, _ u: Int, _ v: Int, into seen: Panel) {
        if rows.reachesOutside || columns.reachesOutside { seen.update(repeating: .zero, count: depth) }
        forEachRun(u, v) { first, row, count in
            var k = 0
            while k < count {
                seen[first &+ k] = x[row &+ k]
                k &+= 1
            }
        }
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
