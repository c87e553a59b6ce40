/// What a head reads, as maps; nil of what it does not.
struct HeadMaps {
    var masks: PlanarMaps?
    var paint: PlanarMaps?
    var taps: PlanarMaps?
    /// Kernels or affine maps, [numbers, N].
    var motion: PlanarMaps?
}

/// The last operation of a step: the head makes the next frame of the last one.
final class FrameHead: VideoOperation {
    private let head: VideoHead
    private let isAffine: Bool
    private let maps: HeadMaps
    private let input: PlanarMaps
    private let next: PlanarMaps
    /// The numbers of `motion` and their gradients, a sample behind the other.
    private let rows: Buffer<Float>
    private let gradients: Buffer<Float>

    init(
        _ c: VideoConfiguration, _ numbers: UnsafeMutablePointer<Float>, input: PlanarMaps, next: PlanarMaps,
        _ maps: HeadMaps, _ plan: VideoPlan
    ) {
        let options = HeadOptions(
            frame: c.frame, kernels: c.kernels, kernelSize: c.kernelSize, isRelease: c.parity == .release)
        switch c.head {
        case .cdna: head = MotionKernels(options, samples: plan.samples)
        case .dna: head = PixelKernels(options, samples: plan.samples)
        case .stp: head = AffineMaps(options, samples: plan.samples)
        case .paint, .convlstm: head = Painting(options, samples: plan.samples)
        }
        isAffine = c.head == .stp
        (self.maps, self.input, self.next) = (maps, input, next)
        rows = Buffer(maps.motion?.count ?? 0)
        gradients = Buffer(maps.motion?.count ?? 0)
        super.init(numbers)
    }

    override func forward(_ t: Int) {
        head.forward(inputs(t), previous: input.at(t), into: next.at(t))
    }

    override func backward(_ t: Int, _ gradients: UnsafeMutablePointer<Float>) {
        let motion = maps.motion
        self.gradients.clear()
        let derivatives = made(
            motion: self.gradients.pointer, taps: maps.taps?.gradient, masks: maps.masks?.gradient,
            paint: maps.paint?.gradient)
        head.backward(
            inputs(t), previous: input.at(t), dNext: next.gradient, gradients: derivatives,
            addingTo: input.gradient)
        guard let motion else { return }
        let (samples, numbers) = (motion.samples, motion.shape.count)
        for n in 0..<samples {
            for k in 0..<numbers { motion.gradient[k * samples + n] += self.gradients.pointer[n * numbers + k] }
        }
    }

    /// What the head reads at step t.
    private func inputs(_ t: Int) -> HeadInputs {
        if let motion = maps.motion {
            let (samples, numbers, source) = (motion.samples, motion.shape.count, motion.at(t))
            for n in 0..<samples { for k in 0..<numbers { rows.pointer[n * numbers + k] = source[k * samples + n] } }
        }
        return made(
            motion: rows.pointer, taps: maps.taps?.at(t), masks: maps.masks?.at(t), paint: maps.paint?.at(t))
    }

    private func made(
        motion: UnsafeMutablePointer<Float>, taps: UnsafeMutablePointer<Float>?, masks: UnsafeMutablePointer<Float>?,
        paint: UnsafeMutablePointer<Float>?
    ) -> HeadInputs {
        HeadInputs(
            kernels: isAffine ? nil : motion, taps: taps, transforms: isAffine ? motion : nil, masks: masks,
            paint: paint)
    }

    /// What the frame of the first sample is made of at step t.
    func sources(_ t: Int) -> FrameSources {
        var sources = FrameSources()
        if let masks = maps.masks {
            let (count, area, logits) = (masks.shape.channels, masks.shape.area, masks.at(t))
            let isRectified = head.options.isRelease
            let pixels = (0..<area).flatMap { pixel in
                (0..<count).map { k in
                    let z = logits[k * masks.plane + pixel]
                    return isRectified ? max(z, 0) : z
                }
            }
            let shares = softmax(pixels, classes: count)
            sources.masks = (0..<count).flatMap { k in (0..<area).map { shares[$0 * count + k] } }
        }
        if let motion = maps.motion, !isAffine {
            let (numbers, taps) = (motion.at(t), head.options.kernelSize * head.options.kernelSize)
            sources.kernels = (0..<motion.shape.count).map { numbers[$0 * motion.samples] }
            forEachPanel(of: &sources.kernels, width: taps) { panel, _ in
                _ = normalizeKernels(panel, taps: taps, into: panel)
            }
        }
        return sources
    }
}

/// What a predicted frame is made of.
public struct FrameSources: Sendable, Equatable {
    /// [K, H, W], of each pixel shares that add up to 1: of the last frame, of the painted one where there is one, and of the
    /// last frame moved in each of the model's ways. Empty of a model that paints.
    public var masks: [Float] = []
    /// [M, k, k], the kernels of a `cdna` model, whose numbers add up to 1: the one in row u and column v takes the pixel that
    /// lies (u, v) from the middle. Empty of others.
    public var kernels: [Float] = []
}
