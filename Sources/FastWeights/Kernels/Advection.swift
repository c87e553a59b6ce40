/// Pixels moved by kernels, one for each pixel of the target: with r = (k - 1) / 2 and x zero outside
///
///     y[c, v, u] = Σ_ij s[i·k + j, v, u] · x[c, v + i - r, u + j - r]
///
/// A row at a time, forward and back, O(C·k·k·W) each.
struct Advection: Sendable {
    let maps: MapShape
    /// k, odd.
    let size: Int

    /// Numbers of a kernel.
    var taps: Int { size * size }
    /// Numbers that a kernel reaches to each side: the border that x needs.
    var radius: Int { size / 2 }
    /// How far rows of kernels and of dy are read shifted.
    var reach: Int { size - 1 }

    /// y, a row of each channel, grows by row v of what the kernels s of that row make of x.
    @inline(never)
    func add(_ s: RowPanel, _ x: PaddedMaps, row v: Int, to y: RowPanel) {
        for c in 0..<maps.channels {
            var at = 0
            while at < maps.width {
                var sum = Lanes(at: y[c] + at)
                var kernels = s[0] + at
                for i in 0..<size {
                    let source = x.row(c, v &+ i) + at
                    for j in 0..<size {
                        sum = sum.mad(Lanes(at: kernels), Lanes(at: source + j))
                        kernels += s.stride
                    }
                }
                sum.store(at: y[c] + at)
                at &+= Lanes.width
            }
        }
    }

    /// ds becomes the gradient of the kernels of row v: ds[i·k + j, u] = Σ_c dy[c, u] · x[c, v + i - r, u + j - r].
    @inline(never)
    func backwardToKernels(_ dy: RowPanel, _ x: PaddedMaps, row v: Int, into ds: RowPanel) {
        for i in 0..<size {
            for j in 0..<size {
                let target = ds[i &* size &+ j]
                var at = 0
                while at < maps.width {
                    var sum = Lanes.zero
                    for c in 0..<maps.channels {
                        sum = sum.mad(Lanes(at: dy[c] + at), Lanes(at: x.row(c, v &+ i) + (at &+ j)))
                    }
                    sum.store(at: target + at)
                    at &+= Lanes.width
                }
            }
        }
    }

    /// Adds what of the gradient of x comes by row v: dx[c, v + i - r, u + j - r] += s[i·k + j, u] · dy[c, u]. Each number of dx
    /// is read and written once per row of the kernels; s and dy are read shifted instead.
    @inline(never)
    func backwardToMaps(_ s: RowPanel, _ dy: RowPanel, row v: Int, addingTo dx: PaddedMaps) {
        for c in 0..<maps.channels {
            for i in 0..<size {
                let target = dx.row(c, v &+ i)
                var at = 0
                while at < maps.width &+ reach {
                    var sum = Lanes(at: target + at)
                    var (kernels, gradients) = (s[i &* size] + at, dy[c] + at)
                    for _ in 0..<size {
                        sum = sum.mad(Lanes(at: kernels), Lanes(at: gradients))
                        kernels += s.stride &- 1
                        gradients -= 1
                    }
                    sum.store(at: target + at)
                    at &+= Lanes.width
                }
            }
        }
    }
}
