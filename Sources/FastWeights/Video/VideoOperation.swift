/// One of the operations that a step of a video model is made of, over the samples of a shard. Steps are taken one after
/// another, and gone back through from the last to the first; nothing is allocated in either.
class VideoOperation {
    /// Where all parameters stand.
    let numbers: UnsafeMutablePointer<Float>

    init(_ numbers: UnsafeMutablePointer<Float>) { self.numbers = numbers }

    /// Begins with new clips.
    func begin() {}
    /// What comes before the first step back.
    func beginBackward() {}
    func forward(_ t: Int) { misuse("each operation has its own way forward") }
    /// From the gradient of what it gives to that of what it reads, which is added to, and to the parameters.
    func backward(_ t: Int, _ gradients: UnsafeMutablePointer<Float>) { misuse("each operation has its own way back") }
    /// What comes behind the last step back.
    func finishBackward(_ gradients: UnsafeMutablePointer<Float>) {}
}

/// A convolution or a transposed one, rectified or not.
final class MapConvolution: VideoOperation {
    struct Placed {
        let convolution: Convolution
        let isTransposed: Bool
        let weight: Parameter
        let bias: Parameter?
    }

    private let placed: Placed
    private let source: PlanarRange
    private let target: PlanarRange
    private let isRectified: Bool
    private let products: PlanarProducts

    init(
        _ placed: Placed, _ numbers: UnsafeMutablePointer<Float>, from source: PlanarRange, to target: PlanarRange,
        isRectified: Bool
    ) {
        (self.placed, self.source, self.target, self.isRectified) = (placed, source, target, isRectified)
        products = PlanarProducts(placed.convolution, samples: source.samples)
        super.init(numbers)
    }

    override func forward(_ t: Int) {
        let (x, y, w) = (source.at(t), target.at(t), numbers[placed.weight])
        fillPlanes(
            y, channels: target.channels.count, count: target.maps.plane, with: placed.bias.map { numbers[$0] })
        if placed.isTransposed { products.addTransposed(w, x, to: y) } else { products.add(w, x, to: y) }
        if isRectified { rectify(y, count: target.count) }
    }

    override func backward(_ t: Int, _ gradients: UnsafeMutablePointer<Float>) {
        let (x, dx, dy) = (source.at(t), source.gradient, target.gradient)
        if isRectified { clearWhereNotPositive(dy, target.at(t), count: target.count) }
        if let bias = placed.bias {
            accumulatePlaneSums(
                dy, channels: target.channels.count, count: target.maps.plane, into: gradients[bias])
        }
        let (w, dw) = (numbers[placed.weight], gradients[placed.weight])
        if placed.isTransposed {
            products.addGradient(x, dy, to: dw)
            products.add(w, dy, to: dx)
        } else {
            products.addGradient(dy, x, to: dw)
            products.addTransposed(w, dy, to: dx)
        }
    }
}

/// A layer norm over maps.
final class MapNorm: VideoOperation {
    struct Placed {
        let gain: Parameter
        let bias: Parameter
    }

    private let placed: Placed
    private let source: PlanarRange
    private let target: PlanarRange
    private let norm: PlanarNorm
    private let moments: Buffer<Float>
    private let slots: Int

    init(
        _ placed: Placed, _ numbers: UnsafeMutablePointer<Float>, from source: PlanarRange, to target: PlanarRange,
        epsilon: Float, isRectified: Bool, slots: Int
    ) {
        (self.placed, self.source, self.target, self.slots) = (placed, source, target, slots)
        norm = PlanarNorm(
            channels: source.channels.count, samples: source.samples, area: source.shape.area, epsilon: epsilon,
            isRectified: isRectified)
        moments = Buffer(slots * norm.moments)
        super.init(numbers)
    }

    private func moments(_ t: Int) -> UnsafeMutablePointer<Float> { moments.pointer + t % slots * norm.moments }

    override func forward(_ t: Int) {
        norm.forward(
            source.at(t), gain: numbers[placed.gain], bias: numbers[placed.bias], into: target.at(t),
            moments: moments(t))
    }

    override func backward(_ t: Int, _ gradients: UnsafeMutablePointer<Float>) {
        norm.backward(
            target.gradient, source.at(t), target.at(t), gain: numbers[placed.gain], moments: moments(t),
            addingTo: source.gradient, dGain: gradients[placed.gain], dBias: gradients[placed.bias])
    }
}

/// The same maps in another place.
final class MapCopy: VideoOperation {
    private let source: PlanarRange
    private let target: PlanarRange

    init(_ numbers: UnsafeMutablePointer<Float>, from source: PlanarRange, to target: PlanarRange) {
        (self.source, self.target) = (source, target)
        super.init(numbers)
    }

    override func forward(_ t: Int) { target.at(t).update(from: source.at(t), count: source.count) }

    override func backward(_ t: Int, _ gradients: UnsafeMutablePointer<Float>) {
        add(target.gradient, to: source.gradient, count: source.count)
    }
}

/// Numbers of each sample, the same at every place of a map.
final class Tiling: VideoOperation {
    private let source: PlanarRange
    private let target: PlanarRange

    init(_ numbers: UnsafeMutablePointer<Float>, from source: PlanarRange, to target: PlanarRange) {
        (self.source, self.target) = (source, target)
        super.init(numbers)
    }

    override func forward(_ t: Int) {
        let (x, y, area) = (source.at(t), target.at(t), target.shape.area)
        for k in 0..<source.count { (y + k * area).update(repeating: x[k], count: area) }
    }

    override func backward(_ t: Int, _ gradients: UnsafeMutablePointer<Float>) {
        let (dx, dy, area) = (source.gradient, target.gradient, target.shape.area)
        for k in 0..<source.count { dx[k] += sum(dy + k * area, count: area) }
    }
}

/// y += x.
func add(_ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, count: Int) {
    for k in 0..<count { y[k] += x[k] }
}
