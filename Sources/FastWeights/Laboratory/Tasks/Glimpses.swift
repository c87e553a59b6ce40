/// Images whose pixels become numbers of mean 0 and deviation 1, moved about at random in a training.
struct StandardisedImages: Sendable {
    let images: ImageSet
    /// What each image's pixels are taken from and multiplied by.
    private let means: [Float]
    private let scales: [Float]
    /// Pixels by which a training moves an image at most, in each direction.
    let shift: Int

    /// How pixels become numbers.
    enum Rule: Sendable, Equatable {
        /// (p - mean) / deviation with those of the training images.
        case by(mean: Float, deviation: Float)
        /// With those of the image itself.
        case each
    }

    /// Traps on a shift below 0.
    init(_ images: ImageSet, _ rule: Rule, shift: Int) {
        require(shift >= 0, "images are moved by 0 pixels or more, found \(shift)")
        (self.images, self.shift) = (images, shift)
        let size = images.height * images.width
        let moments = (0..<images.count).map { i in
            switch rule {
            case .by(let mean, let deviation): (mean: mean, deviation: deviation)
            case .each: ImageSet.moments(images.pixels[i * size..<(i + 1) * size])
            }
        }
        means = moments.map(\.mean)
        scales = moments.map { 1 / max($0.deviation, 1e-3) }
    }

    var checksum: UInt32 { CRC32.checksum(images.pixels) ^ UInt32(truncatingIfNeeded: shift) }

    /// Calls `body` with image `index`, moved if there is a `seed`.
    @inline(__always)
    func withImage(_ index: Int, seed: UInt64?, _ body: (StandardisedImage) -> Void) {
        var offset = (x: 0, y: 0)
        if let seed, shift > 0 {
            var random = Random(seed: seed, stream: UInt64(index))
            offset = (random.below(2 * shift + 1) - shift, random.below(2 * shift + 1) - shift)
        }
        images.pixels.withUnsafeBufferPointer { pixels in
            body(
                StandardisedImage(
                    pixels: pixels.baseAddress! + index &* images.height &* images.width, height: images.height,
                    width: images.width, offset: offset, mean: means[index], scale: scales[index]))
        }
    }
}

/// One of them. Beyond its edges its outermost pixels go on.
struct StandardisedImage {
    let pixels: UnsafePointer<UInt8>
    let height: Int
    let width: Int
    let offset: (x: Int, y: Int)
    let mean: Float
    let scale: Float

    @inline(__always) private func pixel(_ x: Int, _ y: Int) -> Int {
        let (x, y) = (min(max(x &- offset.x, 0), width &- 1), min(max(y &- offset.y, 0), height &- 1))
        return Int(pixels[y &* width &+ x])
    }

    /// The number at (x, y).
    @inline(__always) func fine(_ x: Int, _ y: Int) -> Float { (Float(pixel(x, y)) - mean) * scale }

    /// The mean of the four numbers from (x, y) on.
    @inline(__always) func coarse(_ x: Int, _ y: Int) -> Float {
        let sum = pixel(x, y) &+ pixel(x &+ 1, y) &+ pixel(x, y &+ 1) &+ pixel(x &+ 1, y &+ 1)
        return (Float(sum) * 0.25 - mean) * scale
    }
}

/// The glimpses of images, made of their pixels when a batch asks for them: [24, P² + controls].
final class Glimpses: MadeSequences {
    let policy: GlimpsePolicy
    let steps = GlimpsePolicy.order.count
    private let source: StandardisedImages

    /// Traps unless the images are as large as the policy's.
    init(_ source: StandardisedImages, _ policy: GlimpsePolicy) {
        require(
            source.images.height == policy.side && source.images.width == policy.side,
            "the policy is for images of \(policy.side) by \(policy.side); these are \(source.images.height) by \(source.images.width)"
        )
        (self.source, self.policy) = (source, policy)
    }

    var count: Int { source.images.count }
    var width: Int { policy.width }
    var checksum: UInt32 { source.checksum }

    func write(_ index: Int, from first: Int, count: Int, into panels: PanelSequence, lane: Int, seed: UInt64?) {
        source.withImage(index, seed: seed) { image in
            for t in 0..<count { write(GlimpsePolicy.order[first + t], image, into: floats(panels[t]) + lane) }
        }
    }

    /// One glimpse, a number every sixteen.
    private func write(
        _ glimpse: GlimpsePolicy.Glimpse, _ image: StandardisedImage, into target: UnsafeMutablePointer<Float>
    ) {
        let P = policy.patch
        let isCoarse = glimpse.kind != .detail
        let left = glimpse.quadrant % 2 &* 2 &* P &+ (isCoarse ? 0 : glimpse.detail % 2 &* P)
        let top = glimpse.quadrant / 2 &* 2 &* P &+ (isCoarse ? 0 : glimpse.detail / 2 &* P)
        var target = target
        for y in 0..<P {
            for x in 0..<P {
                target.pointee =
                    isCoarse ? image.coarse(left &+ 2 &* x, top &+ 2 &* y) : image.fine(left &+ x, top &+ y)
                target += Lanes.width
            }
        }
        func signal(_ value: Int, of count: Int) {
            for c in 0..<count {
                target.pointee = c == value ? 1 : 0
                target += Lanes.width
            }
        }
        signal(glimpse.kind.rawValue, of: 3)
        guard policy.controls == .place else { return }
        signal(glimpse.quadrant, of: 4)
        signal(isCoarse ? 4 : glimpse.detail, of: 4)
    }
}

/// Whole images for a network of convolutions, each a sequence of one step: [1, height · width].
final class WholeImages: MadeSequences {
    let source: StandardisedImages
    let steps = 1

    init(source: StandardisedImages) { self.source = source }

    var count: Int { source.images.count }
    var width: Int { source.images.height * source.images.width }
    var checksum: UInt32 { source.checksum }

    func write(_ index: Int, from first: Int, count: Int, into panels: PanelSequence, lane: Int, seed: UInt64?) {
        var target = floats(panels[0]) + lane
        source.withImage(index, seed: seed) { image in
            for y in 0..<image.height {
                for x in 0..<image.width {
                    target.pointee = image.fine(x, y)
                    target += Lanes.width
                }
            }
        }
    }
}
