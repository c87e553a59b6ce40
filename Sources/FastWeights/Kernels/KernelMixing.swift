// Kernels of a whole frame and masks: the sum of the images that they make, each times its mask, is one advection by kernels
// of each pixel's own. With w_m of k·k numbers, masks a_m, and D a frame's shifted copies,
//
//     Σ_m a_m · Σ_t w_m[t] · D_t = Σ_t s[t] · D_t,   s[t] = Σ_m a_m · w_m[t]
//
// so that M kernels cost M·k·k products a pixel, whatever the number of channels, where M images would cost C·M·k·k. The way
// back needs no image either: with ∂L/∂s[t] = Σ_c ∂L/∂y_c · D_t,c
//
//     ∂L/∂a_m = Σ_t w_m[t] · ∂L/∂s[t],   ∂L/∂w_m[t] = Σ_pixels a_m · ∂L/∂s[t]

/// Up to sixteen kernels and their masks, along a row: a kernel a lane of `w`, a number of it a row. A row has `vectors` vectors;
/// the masks of a vector's pixels stand one behind the other, `stride` vectors from one vector's to the next.
struct KernelMixing: Sendable {
    /// Kernels, at most sixteen.
    let kernels: Int
    /// k·k, numbers of a kernel.
    let taps: Int
    /// Vectors of a row.
    let vectors: Int
    /// From the masks of a vector to those of the next.
    let stride: Int

    /// The number of rows and masks that are made at a time.
    static let block = 4

    /// Rows of w, s and ds, and numbers of dw for each kernel: whole blocks.
    static func rows(_ taps: Int) -> Int { (taps + block - 1) / block * block }

    /// s += Σ_m a_m · w_m, O(M·k·k) a pixel.
    @inline(never)
    func add(_ w: Panel, _ a: UnsafePointer<Lanes>, to s: RowPanel) {
        for j in 0..<vectors {
            let masks = a + j &* stride
            var t = 0
            while t < taps {
                var (s0, s1, s2, s3) = (s[t, j], s[t &+ 1, j], s[t &+ 2, j], s[t &+ 3, j])
                var weights = floats(w + t)
                for m in 0..<kernels {
                    let mask = masks[m]
                    s0 = s0.mad(weights[0], mask)
                    s1 = s1.mad(weights[Lanes.width], mask)
                    s2 = s2.mad(weights[2 &* Lanes.width], mask)
                    s3 = s3.mad(weights[3 &* Lanes.width], mask)
                    weights += 1
                }
                (s[t, j], s[t &+ 1, j], s[t &+ 2, j], s[t &+ 3, j]) = (s0, s1, s2, s3)
                t &+= Self.block
            }
        }
    }

    /// da becomes the gradient of the masks, and up to three numbers behind them anything. O(M·k·k) a pixel.
    @inline(never)
    func backwardToMasks(_ w: Panel, _ ds: RowPanel, into da: Panel) {
        for j in 0..<vectors {
            let gradients = da + j &* stride
            var m = 0
            while m < kernels {
                var (g0, g1, g2, g3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
                var weights = floats(w) + m
                for t in 0..<taps {
                    let d = ds[t, j]
                    g0 = g0.mad(weights[0], d)
                    g1 = g1.mad(weights[1], d)
                    g2 = g2.mad(weights[2], d)
                    g3 = g3.mad(weights[3], d)
                    weights += Lanes.width
                }
                (gradients[m], gradients[m &+ 1], gradients[m &+ 2], gradients[m &+ 3]) = (g0, g1, g2, g3)
                m &+= Self.block
            }
        }
    }

    /// Adds this row's share of the gradients of the kernels to dw, of kernel m from m·rows(taps) on a vector for each number,
    /// whose lanes are to be summed. O(M·k·k) a pixel.
    @inline(never)
    func backwardToKernels(_ a: UnsafePointer<Lanes>, _ ds: RowPanel, addingTo dw: Panel) {
        var sums = dw
        for m in 0..<kernels {
            var t = 0
            while t < taps {
                var (d0, d1, d2, d3) = (sums[0], sums[1], sums[2], sums[3])
                for j in 0..<vectors {
                    let mask = a[j &* stride &+ m]
                    d0 = d0.mad(mask, ds[t, j])
                    d1 = d1.mad(mask, ds[t &+ 1, j])
                    d2 = d2.mad(mask, ds[t &+ 2, j])
                    d3 = d3.mad(mask, ds[t &+ 3, j])
                }
                (sums[0], sums[1], sums[2], sums[3]) = (d0, d1, d2, d3)
                sums += Self.block
                t &+= Self.block
            }
        }
    }
}
