/// "Convolutional dynamic neural advection" (CDNA; Finn, Goodfellow, Levine 2016): M kernels, of `HeadInputs.kernels`, each of
/// which moves the whole last frame x. With w_m positive and of sum 1, see `normalizeKernels`,
///
///     image_m[c, v, u] = Σ_ij w_m[i, j] · x[c, v + i - r, u + j - r],   r = (k - 1) / 2, x zero outside
///
/// The images are never made: their sum, each times its mask, is one advection by kernels of each pixel's own, see
/// `KernelMixing`. M + 2 masks, of the last frame, the painted one, and the images; in the release's reading M + 1, and no image of
/// the last kernel. O(H·W·k·k·(M + C)) per sample.
final class MotionKernels: MaskedHead {
    private let advection: Advection
    private let taps: Int
    /// Vectors of a sixteen of kernels.
    private let block: Int
    /// Sixteen kernels a block: z, w and ∂L/∂w.
    private let z: PanelSequence
    private let w: PanelSequence
    private let dw: Panel
    /// 1 / Σ a of the kernels of each block.
    private let scales: Panel
    /// ∂L/∂w, a vector a number.
    private let sums: Panel
    /// The kernels of the pixels of a row.
    private let s: RowPanel
    private let ds: RowPanel

    init(_ options: HeadOptions, samples: Int) {
        let (arena, images) = (Arena(), options.images)
        advection = Advection(maps: options.frame, size: options.kernelSize)
        taps = advection.taps
        block = KernelMixing.rows(taps)
        let blocks = (images + Lanes.width - 1) / Lanes.width
        (z, w) = (arena.panels(blocks, rows: block), arena.panels(blocks, rows: block))
        (dw, scales) = (arena.panels(1, rows: block)[0], arena.panels(1, rows: blocks)[0])
        sums = arena.panels(1, rows: images * block)[0]
        let row = MapRow(width: options.frame.width)
        s = RowPanel(rows: block, of: row, reach: advection.reach, arena: arena)
        ds = RowPanel(rows: block, of: row, arena: arena)
        super.init(
            options, samples: samples, images: images, isPainted: true, border: advection.radius,
            reach: advection.reach, arena: arena)
    }

    override class func sizes(of options: HeadOptions) -> HeadSizes {
        HeadSizes(
            kernels: options.kernels * options.kernelSize * options.kernelSize, masks: options.images + 2,
            paint: options.frame.channels)
    }

    /// Calls `body` with each block of up to sixteen kernels: its number, its first kernel, and how it is mixed.
    @inline(__always)
    private func forEachBlock(_ body: (_ b: Int, _ first: Int, _ mixing: KernelMixing) -> Void) {
        for first in Swift.stride(from: 0, to: images, by: Lanes.width) {
            let kernels = min(Lanes.width, images &- first)
            let mixing = KernelMixing(kernels: kernels, taps: taps, vectors: row.vectors, stride: maskStride)
            body(first / Lanes.width, first, mixing)
        }
    }

    override func begin(_ n: Int, _ inputs: HeadInputs) {
        let given = given(inputs.kernels, "kernels") + n * options.kernels * taps
        forEachBlock { b, first, mixing in
            packPanel(
                depth: taps, width: mixing.kernels, given + first * taps, rowStride: 1, columnStride: taps,
                into: floats(z[b]))
            scales[b] = normalizeKernels(z[b], taps: taps, into: w[b])
        }
    }

    /// s becomes the kernels of the pixels of a row.
    private func mix() {
        for t in 0..<block { s[t].update(repeating: 0, count: row.vectors &* Lanes.width) }
        forEachBlock { b, first, mixing in mixing.add(w[b], masks + firstMoved + first, to: s) }
    }

    override func addImages(_ n: Int, row v: Int, _ inputs: HeadInputs) {
        mix()
        advection.add(s, x, row: v, to: y)
    }

    override func beginBackward() { sums.update(repeating: .zero, count: images &* block) }

    override func backward(_ n: Int, row v: Int, _ inputs: HeadInputs, _ gradients: HeadInputs) {
        mix()
        advection.backwardToMaps(s, dy, row: v, addingTo: dx)
        advection.backwardToKernels(dy, x, row: v, into: ds)
        forEachBlock { b, first, mixing in
            let place = firstMoved + first
            mixing.backwardToMasks(w[b], ds, into: dMasks + place)
            mixing.backwardToKernels(masks + place, ds, addingTo: sums + first &* block)
        }
    }

    override func finishBackward(_ n: Int, _ gradients: HeadInputs) {
        let target = given(gradients.kernels, "gradients of kernels") + n * options.kernels * taps
        forEachBlock { b, first, mixing in
            for t in 0..<taps {
                for m in 0..<mixing.kernels { dw[t][m] = sums[(first &+ m) &* block &+ t].laneSum }
            }
            normalizeKernelsBackward(dw, z[b], w[b], scales[b], taps: taps)
            for m in 0..<mixing.kernels {
                for t in 0..<taps { target[(first &+ m) &* taps &+ t] += dw[t][m] }
            }
        }
    }
}
