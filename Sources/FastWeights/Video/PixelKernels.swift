/// "Dynamic neural advection" (DNA; Finn, Goodfellow, Levine 2016): a kernel for each pixel of the next frame, of
/// `HeadInputs.taps`, whose numbers are positive and sum to 1, see `normalizeKernels` and `Advection`. Two masks, of the last
/// frame and the moved one; nothing is painted.
///
/// The release rectifies what the kernels are made of, which changes nothing: what is below 0 counts as 0 as it is.
/// O(H·W·k·k·C) per sample.
final class PixelKernels: MaskedHead {
    private let advection: Advection
    private let taps: Int
    /// What kernels are made of and the kernels of each vector's pixels, `taps` vectors one behind the other.
    private let z: PanelSequence
    private let w: PanelSequence
    /// 1 / Σ a of each vector's.
    private let scales: Panel
    /// ∂L/∂w of a vector's pixels.
    private let dw: Panel
    /// The kernels of the pixels of a row, times the mask of the moved image.
    private let s: RowPanel
    private let ds: RowPanel

    init(_ options: HeadOptions, samples: Int) {
        require(
            options.kernels == 1,
            "a head with a kernel for each pixel has one image, so 1 kernel; found \(options.kernels)")
        let (arena, row) = (Arena(), MapRow(width: options.frame.width))
        advection = Advection(maps: options.frame, size: options.kernelSize)
        taps = advection.taps
        (z, w) = (arena.panels(row.vectors, rows: taps), arena.panels(row.vectors, rows: taps))
        (scales, dw) = (arena.panels(1, rows: row.vectors)[0], arena.panels(1, rows: taps)[0])
        s = RowPanel(rows: taps, of: row, reach: advection.reach, arena: arena)
        ds = RowPanel(rows: taps, of: row, arena: arena)
        super.init(
            options, samples: samples, images: 1, isPainted: false, border: advection.radius, reach: advection.reach,
            arena: arena)
    }

    override class func sizes(of options: HeadOptions) -> HeadSizes {
        HeadSizes(taps: options.kernelSize * options.kernelSize, masks: 2)
    }

    /// Makes the kernels of row v.
    private func makeKernels(_ n: Int, _ v: Int, _ inputs: HeadInputs) {
        let given = HeadInputs.row(given(inputs.taps, "taps"), options.frame, n, v)
        for j in 0..<row.vectors {
            let (z, w) = (z[j], w[j])
            for t in 0..<taps { z[t] = row.load(given + t &* step, j) }
            scales[j] = normalizeKernels(z, taps: taps, into: w)
            let mask = masks[j &* maskStride &+ firstMoved]
            for t in 0..<taps { s[t, j] = mask * w[t] }
        }
    }

    override func addImages(_ n: Int, row v: Int, _ inputs: HeadInputs) {
        makeKernels(n, v, inputs)
        advection.add(s, x, row: v, to: y)
    }

    override func backward(_ n: Int, row v: Int, _ inputs: HeadInputs, _ gradients: HeadInputs) {
        makeKernels(n, v, inputs)
        advection.backwardToMaps(s, dy, row: v, addingTo: dx)
        advection.backwardToKernels(dy, x, row: v, into: ds)
        let target = HeadInputs.row(given(gradients.taps, "gradients of taps"), options.frame, n, v)
        for j in 0..<row.vectors {
            let (w, place) = (w[j], j &* maskStride &+ firstMoved)
            var dMask = Lanes.zero
            for t in 0..<taps {
                let d = ds[t, j]
                dMask = dMask.mad(w[t], d)
                dw[t] = masks[place] * d
            }
            dMasks[place] = dMask
            normalizeKernelsBackward(dw, z[j], w, scales[j], taps: taps)
            for t in 0..<taps { row.add(dw[t], to: target + t &* step, j) }
        }
    }
}
