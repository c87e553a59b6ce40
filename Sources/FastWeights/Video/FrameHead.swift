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
}
