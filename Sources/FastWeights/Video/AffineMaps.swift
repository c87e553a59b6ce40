/// "Spatial transformer predictors" (STP; Finn, Goodfellow, Levine 2016): affine maps of the last frame, see `AffineSampling`, each
/// the identity and what `HeadInputs.transforms` adds to it. As many masks and two, of the last frame and of the painted one; in the
/// release's reading there is a map less than M. O(H·W·M·C) per sample.
final class AffineMaps: MaskedHead {
    private let sampling: AffineSampling
    /// θ of the maps of a sample, six numbers each.
    private let θ: UnsafeMutablePointer<Float>
    /// ∂L/∂θ, a vector a number.
    private let sums: Panel

    init(_ options: HeadOptions, samples: Int, alignment: AffineSampling.Alignment = .middles) {
        let (arena, images) = (Arena(), options.isRelease ? options.kernels - 1 : options.kernels)
        sampling = AffineSampling(options.frame, alignment)
        θ = floats(arena.panels(1, rows: images)[0])
        sums = arena.panels(1, rows: 6 * images)[0]
        super.init(
            options, samples: samples, images: images, isPainted: true, border: AffineSampling.border, reach: 0,
            arena: arena)
    }

    override var sizes: HeadSizes {
        HeadSizes(transforms: 6 * images, masks: images + 2, paint: options.frame.channels)
    }

    override func begin(_ n: Int, _ inputs: HeadInputs) {
        let given = given(inputs.transforms, "transforms") + n * 6 * images
        for i in 0..<6 * images { θ[i] = given[i] + (i % 6 == 0 || i % 6 == 4 ? 1 : 0) }
    }

    override func addImages(_ n: Int, row v: Int, _ inputs: HeadInputs) {
        for j in 0..<row.vectors {
            for m in 0..<images {
                let mask = masks[j &* maskStride &+ firstMoved &+ m]
                let places = sampling.places(θ + 6 &* m, row: v, j, stride: x.stride)
                for c in 0..<options.frame.channels {
                    y[c, j] = y[c, j].mad(mask, sampling.value(x, channel: c, places))
                }
            }
        }
    }

    override func beginBackward() { sums.update(repeating: .zero, count: 6 * images) }

    override func backward(_ n: Int, row v: Int, _ inputs: HeadInputs, _ gradients: HeadInputs) {
        for j in 0..<row.vectors {
            for m in 0..<images {
                let place = j &* maskStride &+ firstMoved &+ m
                let places = sampling.places(θ + 6 &* m, row: v, j, stride: x.stride)
                var (moved, dMask) = (AffineSampling.Moved(), Lanes.zero)
                for c in 0..<options.frame.channels {
                    let image = sampling.backward(
                        x, channel: c, places, masks[place] * dy[c, j], addingTo: dx, &moved)
                    dMask = dMask.mad(dy[c, j], image)
                }
                dMasks[place] = dMask
                sampling.add(moved, row: v, j, to: sums + 6 &* m)
            }
        }
    }

    override func finishBackward(_ n: Int, _ gradients: HeadInputs) {
        let target = given(gradients.transforms, "gradients of transforms") + n * 6 * images
        for i in 0..<6 * images { target[i] += sums[i].laneSum }
    }
}
