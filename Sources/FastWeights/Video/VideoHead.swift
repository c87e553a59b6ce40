/// What a head makes frames of, and how.
struct HeadOptions: Sendable, Equatable {
    /// C, H and W of a frame.
    var frame: MapShape
    /// M, kernels of a frame, or affine maps; a kernel for each pixel is one.
    var kernels = 1
    /// k, the side of a kernel, an odd number.
    var kernelSize = 5
    /// Whether it is what the authors' release computes: logits of masks and of paint are rectified, and there is a mask less, so
    /// that the last of M kernels is not used and there are M - 1 affine maps.
    var isRelease = false

    /// Images that kernels of the whole frame, or affine maps, make.
    var images: Int { isRelease ? kernels - 1 : kernels }
}

/// What the network gives to a head, of N samples, or the gradients of it. Each head says which it reads; the others may be nil.
struct HeadInputs {
    /// [N, M·k·k]: what kernels are made of.
    var kernels: UnsafeMutablePointer<Float>?
    /// [k·k, N, H, W]: what the kernels of pixels are made of.
    var taps: UnsafeMutablePointer<Float>?
    /// [N, 6·maps]: what is added to the identity, [1, 0, 0, 0, 1, 0] of each map.
    var transforms: UnsafeMutablePointer<Float>?
    /// [K, N, H, W]: logits of the masks.
    var masks: UnsafeMutablePointer<Float>?
    /// [C, N, H, W]: what a painted image is the sigmoid of.
    var paint: UnsafeMutablePointer<Float>?

    /// Those of sample n, and of planar maps those from row v of it on.
    @inline(__always)
    static func row(_ maps: UnsafeMutablePointer<Float>, _ frame: MapShape, _ n: Int, _ v: Int)
        -> UnsafeMutablePointer<Float>
    {
        maps + (n &* frame.height &+ v) &* frame.width
    }
}

/// Numbers per sample of what a head reads; 0 of what it does not read. Of `taps`, `masks` and `paint` it is maps.
struct HeadSizes: Sendable, Equatable {
    var kernels = 0
    var taps = 0
    var transforms = 0
    var masks = 0
    var paint = 0
}

/// The last part of a model of video: makes the next frame, of N samples, from the last one and from what the network says of it.
///
/// A frame is planar, [C, N, H, W]. Nothing is kept from `forward` to `backward`, which makes again what it needs, and neither
/// allocates; a head is for one thread at a time.
class VideoHead {
    let options: HeadOptions
    /// N.
    let samples: Int

    /// Traps unless the sizes are possible.
    init(_ options: HeadOptions, samples: Int) {
        let (frame, k) = (options.frame, options.kernelSize)
        require(
            samples > 0 && min(frame.channels, frame.height, frame.width) > 0,
            "a head makes frames of 1 or more channels, rows and columns, of 1 or more samples; found [\(frame.channels), "
                + "\(samples), \(frame.height), \(frame.width)]")
        require(
            options.kernels > 0 && k > 0 && k % 2 == 1,
            "a head has 1 or more kernels, whose side is an odd number; found \(options.kernels) of side \(k)")
        (self.options, self.samples) = (options, samples)
    }

    /// What such a head reads.
    class func sizes(of options: HeadOptions) -> HeadSizes { misuse("each head says what it reads") }

    /// `next` becomes the next frame after `previous`.
    func forward(_ inputs: HeadInputs, previous: UnsafePointer<Float>, into next: UnsafeMutablePointer<Float>) {
        misuse("each head makes frames in its own way")
    }

    /// The way back of `forward`, from dNext = ∂L/∂next: adds the gradients of the inputs to `gradients`, and that of the last
    /// frame to `dPrevious`.
    func backward(
        _ inputs: HeadInputs, previous: UnsafePointer<Float>, dNext: UnsafePointer<Float>, gradients: HeadInputs,
        addingTo dPrevious: UnsafeMutablePointer<Float>
    ) {
        misuse("each head goes back in its own way")
    }

    /// Numbers from a map of all samples to the next.
    final var step: Int { samples * options.frame.area }

    /// What a caller must give.
    @inline(__always)
    final func given(_ pointer: UnsafeMutablePointer<Float>?, _ what: StaticString) -> UnsafeMutablePointer<Float> {
        guard let pointer else { misuse("this head reads \(what), which were not given") }
        return pointer
    }
}
