/// "Spatial transformer predictors" (STP; Finn, Goodfellow, Levine 2016): affine maps of the last frame, see `AffineSampling`,
/// each the identity and what `HeadInputs.transforms` adds to it. As many masks and two, of the last frame and of the painted one;
/// in the release's reading there is a map less than M. O(H·W·M·C) per sample.
final class AffineMaps: MaskedHead {
    private let sampling: AffineSampling
    /// θ of the maps of a sample, six numbers each.
    private let θ: UnsafeMutablePointer<Float>
    /// ∂L/∂θ, a vector a number.
    private let sums: Panel
    /// A row of an image, and of its gradient.
    private let image: RowPanel
    private let dImage: RowPanel

    init(_ options: HeadOptions, samples: Int, alignment: AffineSampling.Alignment = .middles) {
        let (arena, images) = (Arena(), options.images)
        let row = MapRow(width: options.frame.width)
        sampling = AffineSampling(options.frame, alignment, arena: arena)
        (image, dImage) = (
            RowPanel(rows: 1, of: row, arena: arena), RowPanel(rows: 1, of: row, arena: arena)
        )
        θ = floats(arena.panels(1, rows: images)[0])
        sums = arena.panels(1, rows: 6 * images)[0]
        super.init(
            options, samples: samples, images: images, isPainted: true, border: AffineSampling.border, reach: 0,
            arena: arena)
    }

    override class func sizes(of options: HeadOptions) -> HeadSizes {
        HeadSizes(
            transforms: 6 * options.images, masks: options.images + 2, paint: options.frame.channels)
    }

    override func begin(_ n: Int, _ inputs: HeadInputs) {
        let given = given(inputs.transforms, "transforms") + n * 6 * images
        for i in 0..<6 * images { θ[i] = given[i] + (i % 6 == 0 || i % 6 == 4 ? 1 : 0) }
    }

    override func addImages(_ n: Int, row v: Int, _ inputs: HeadInputs) {
        for m in 0..<images {
            sampling.place(θ + 6 &* m, row: v, in: x)
            for c in 0..<options.frame.channels {
                sampling.read(x, channel: c, into: image[0])
                for j in 0..<row.vectors {
                    y[c, j] = y[c, j].mad(masks[j &* maskStride &+ firstMoved &+ m], image[0, j])
                }
            }
        }
    }

    override func beginBackward() { sums.update(repeating: .zero, count: 6 * images) }

    override func backward(_ n: Int, row v: Int, _ inputs: HeadInputs, _ gradients: HeadInputs) {
        for m in 0..<images {
            sampling.place(θ + 6 &* m, row: v, in: x)
            for j in 0..<row.vectors { dMasks[j &* maskStride &+ firstMoved &+ m] = .zero }
            for c in 0..<options.frame.channels {
                sampling.read(x, channel: c, into: image[0])
                for j in 0..<row.vectors {
                    let place = j &* maskStride &+ firstMoved &+ m
                    dMasks[place] = dMasks[place].mad(dy[c, j], image[0, j])
                    dImage[0, j] = masks[place] * dy[c, j]
                }
                sampling.backward(dImage[0], channel: c, addingTo: dx)
            }
            sampling.addGradient(row: v, to: sums + 6 &* m)
        }
    }

    override func finishBackward(_ n: Int, _ gradients: HeadInputs) {
        let target = given(gradients.transforms, "gradients of transforms") + n * 6 * images
        for i in 0..<6 * images { target[i] += sums[i].laneSum }
    }
}
