/// A head that puts the next frame together of several images: the last frame as it is, in most heads one painted from nothing,
/// and the last frame moved in one way or more. Masks, a softmax over `HeadInputs.masks` at each pixel, say how much of each is
/// seen:
///
///     y = a_0·x + a_1·σ(P) + Σ_m a_m·image_m
///
/// Row by row; what is moved is a subclass's. In the release's reading max(0, ·) is taken of the logits of masks and of P.
class MaskedHead: VideoHead {
    /// Images that are moved.
    final let images: Int
    /// The first of their masks.
    final let firstMoved: Int
    /// A row of a map.
    final let row: MapRow
    /// The last frame of the sample.
    final let x: PaddedMaps
    /// Its gradient.
    final let dx: PaddedMaps
    /// A row of the next frame.
    final let y: RowPanel
    /// Its gradient.
    final let dy: RowPanel
    /// The masks of a row, as `MaskSoftmax` has them.
    final let masks: Panel
    /// Their gradients, in the same order.
    final let dMasks: Panel
    /// From the masks of a vector to those of the next; there is room for more, which nobody reads, behind them.
    final let maskStride: Int
    private let softmax: MaskSoftmax
    private let pixels: PaintedPixels?
    private let arena: Arena
    private var isPainted: Bool { pixels != nil }

    /// A head with so many moved images, which reads the last frame up to `border` pixels outside, and rows of gradients shifted
    /// by up to `reach`.
    init(
        _ options: HeadOptions, samples: Int, images: Int, isPainted: Bool, border: Int, reach: Int, arena: Arena
    ) {
        (self.images, self.arena) = (images, arena)
        (firstMoved, pixels) = isPainted ? (2, PaintedPixels(isRectified: options.isRelease)) : (1, nil)
        row = MapRow(width: options.frame.width)
        x = PaddedMaps(options.frame, border: border, arena: arena)
        dx = PaddedMaps(options.frame, border: border, arena: arena)
        y = RowPanel(rows: options.frame.channels, of: row, arena: arena)
        dy = RowPanel(rows: options.frame.channels, of: row, reach: reach, arena: arena)
        let count = firstMoved + images
        maskStride = count + KernelMixing.block - 1
        masks = arena.panels(1, rows: row.vectors * maskStride)[0]
        dMasks = arena.panels(1, rows: row.vectors * maskStride)[0]
        softmax = MaskSoftmax(masks: count, row: row, isRectified: options.isRelease, stride: maskStride)
        super.init(options, samples: samples)
    }

    // MARK: - What a subclass does

    /// What all rows of a sample need.
    func begin(_ n: Int, _ inputs: HeadInputs) {}
    /// Adds each moved image, times its mask, to row v, which is y.
    func addImages(_ n: Int, row v: Int, _ inputs: HeadInputs) { misuse("each head moves pixels in its own way") }
    /// What all rows of a sample need on the way back, beside what they need forward.
    func beginBackward() {}
    /// From dy of row v to the gradients of the masks of the moved images, which it sets, and of x and the inputs, which it adds
    /// to.
    func backward(_ n: Int, row v: Int, _ inputs: HeadInputs, _ gradients: HeadInputs) {
        misuse("each head moves pixels in its own way")
    }
    /// Adds to the gradients of what all rows of a sample shared.
    func finishBackward(_ n: Int, _ gradients: HeadInputs) {}

    // MARK: - Frames

    override final func forward(
        _ inputs: HeadInputs, previous: UnsafePointer<Float>, into next: UnsafeMutablePointer<Float>
    ) {
        let (frame, logits) = (options.frame, given(inputs.masks, "logits of masks"))
        if isPainted { _ = given(inputs.paint, "paint") }
        for n in 0..<samples {
            x.fill(from: previous + n * frame.area, step: step)
            begin(n, inputs)
            for v in 0..<frame.height {
                let place = (n &* frame.height &+ v) &* frame.width
                softmax.forward(logits + place, step: step, into: masks)
                for c in 0..<frame.channels {
                    composeImages(c, v, inputs.paint.map { $0 + (c &* step &+ place) })
                }
                addImages(n, row: v, inputs)
                for c in 0..<frame.channels {
                    for j in 0..<row.vectors { row.store(y[c, j], next + c &* step + place, j) }
                }
            }
        }
    }

    override final func backward(
        _ inputs: HeadInputs, previous: UnsafePointer<Float>, dNext: UnsafePointer<Float>, gradients: HeadInputs,
        addingTo dPrevious: UnsafeMutablePointer<Float>
    ) {
        let (frame, logits) = (options.frame, given(inputs.masks, "logits of masks"))
        let dLogits = given(gradients.masks, "gradients of masks")
        if isPainted { _ = (given(inputs.paint, "paint"), given(gradients.paint, "gradients of paint")) }
        for n in 0..<samples {
            x.fill(from: previous + n * frame.area, step: step)
            dx.clear()
            begin(n, inputs)
            beginBackward()
            for v in 0..<frame.height {
                let place = (n &* frame.height &+ v) &* frame.width
                softmax.forward(logits + place, step: step, into: masks)
                for j in 0..<row.vectors {
                    (dMasks[j &* maskStride], dMasks[j &* maskStride &+ 1]) = (.zero, .zero)
                }
                for c in 0..<frame.channels {
                    let at = c &* step &+ place
                    for j in 0..<row.vectors { dy[c, j] = row.load(dNext + at, j) }
                    composeImagesBackward(c, v, inputs.paint.map { $0 + at }, gradients.paint.map { $0 + at })
                }
                backward(n, row: v, inputs, gradients)
                softmax.backward(masks, dMasks, logits + place, step: step, addingTo: dLogits + place)
            }
            finishBackward(n, gradients)
            dx.add(to: dPrevious + n * frame.area, step: step)
        }
    }

    /// y of channel c in row v becomes the last frame and the painted one, each times its mask.
    private func composeImages(_ c: Int, _ v: Int, _ paint: UnsafePointer<Float>?) {
        let source = x.row(c, v &+ x.border) + x.border
        for j in 0..<row.vectors {
            let a = masks + j &* maskStride
            var sum = a[0] * Lanes(at: source + j &* Lanes.width)
            if let pixels, let paint { sum = sum.mad(a[1], pixels.value(row.load(paint, j))) }
            y[c, j] = sum
        }
    }

    /// From dy of channel c in row v to both images and their masks.
    private func composeImagesBackward(
        _ c: Int, _ v: Int, _ paint: UnsafePointer<Float>?, _ dPaint: UnsafeMutablePointer<Float>?
    ) {
        let inside = v &+ x.border
        let (source, target) = (x.row(c, inside) + x.border, dx.row(c, inside) + x.border)
        for j in 0..<row.vectors {
            let (a, g, d) = (masks + j &* maskStride, dMasks + j &* maskStride, dy[c, j])
            let at = j &* Lanes.width
            g[0] = g[0].mad(d, Lanes(at: source + at))
            Lanes(at: target + at).mad(a[0], d).store(at: target + at)
            guard let pixels, let paint, let dPaint else { continue }
            let z = row.load(paint, j)
            let painted = pixels.value(z)
            g[1] = g[1].mad(d, painted)
            row.add(pixels.gradient(z, painted, a[1] * d), to: dPaint, j)
        }
    }
}
