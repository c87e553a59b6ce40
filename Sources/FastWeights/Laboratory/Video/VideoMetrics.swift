/// How far predicted frames are from true ones. Frames are [C, H, W], from 0 to 1; sums are in double precision.
enum VideoMetrics {
    /// Σ (x - y)² over a frame: the number of Moving MNIST's tables, before anything is clipped.
    ///
    /// Complexity: O(*n*). Traps on frames of different sizes, as all functions here.
    static func squaredError(_ x: ArraySlice<Float>, _ y: ArraySlice<Float>) -> Double {
        require(x.count == y.count, "frames of \(x.count) and \(y.count) numbers are compared")
        return zip(x, y).reduce(0) { sum, pair in
            let difference = Double(pair.0) - Double(pair.1)
            return sum + difference * difference
        }
    }

    /// 10 log₁₀ (L² / mean squared error) in decibels, L the range of the data; infinite without an error.
    static func psnr(meanSquare: Double, range: Double = 1) -> Double {
        meanSquare > 0 ? 10 * naturalLogarithm(range * range / meanSquare) / naturalLogarithm(10) : .infinity
    }

    /// The same of two frames.
    static func psnr(_ x: ArraySlice<Float>, _ y: ArraySlice<Float>, range: Double = 1) -> Double {
        psnr(meanSquare: squaredError(x, y) / Double(x.count), range: range)
    }

    /// Which pixels move: those of which a channel differs by more than `threshold` from the last frame that was given.
    static func moving(
        _ frame: ArraySlice<Float>, since context: ArraySlice<Float>, _ maps: MapShape, threshold: Float = 0.03
    ) -> [Bool] {
        require(
            frame.count == maps.count && context.count == maps.count,
            "frames of \(frame.count) and \(context.count) numbers are compared; \(maps) has \(maps.count)")
        let pixels = maps.height * maps.width
        var result = [Bool](repeating: false, count: pixels)
        for (k, (x, y)) in zip(frame, context).enumerated() where abs(x - y) > threshold { result[k % pixels] = true }
        return result
    }

    /// The peak signal-to-noise ratio over some of the pixels, all channels of each; nil without a pixel.
    static func psnr(_ x: ArraySlice<Float>, _ y: ArraySlice<Float>, where pixels: [Bool]) -> Double? {
        require(
            x.count == y.count && !pixels.isEmpty && x.count % pixels.count == 0,
            "frames of \(x.count) and \(y.count) numbers are compared in \(pixels.count) pixels")
        var (sum, count) = (0.0, 0)
        for (k, (x, y)) in zip(x, y).enumerated() where pixels[k % pixels.count] {
            let difference = Double(x) - Double(y)
            (sum, count) = (sum + difference * difference, count + 1)
        }
        return count > 0 ? psnr(meanSquare: sum / Double(count)) : nil
    }
}

/// The means over clips of what was found at one predicted step.
struct VideoScore: Sendable, Equatable {
    /// Squared error, summed over a frame.
    private(set) var squaredError = MeanOfFinite()
    /// Of each frame by itself, in decibels; frames without an error are counted apart.
    private(set) var psnr = MeanOfFinite()
    /// The same over the pixels that move.
    private(set) var movingPSNR = MeanOfFinite()
    private(set) var ssim = MeanOfFinite()

    /// Adds a predicted frame. It is clipped to [0, 1] for all but the squared error; `context` is the last frame given.
    mutating func add(
        _ predicted: ArraySlice<Float>, _ target: ArraySlice<Float>, context: ArraySlice<Float>, _ maps: MapShape,
        _ measure: SSIM
    ) {
        squaredError.add(VideoMetrics.squaredError(predicted, target))
        let clipped = predicted.map { min(max($0, 0), 1) }[...]
        psnr.add(VideoMetrics.psnr(clipped, target))
        let moving = VideoMetrics.moving(target, since: context, maps)
        if let value = VideoMetrics.psnr(clipped, target, where: moving) { movingPSNR.add(value) }
        ssim.add(measure(clipped, target, maps))
    }

    /// Adds what was found elsewhere.
    mutating func add(_ other: VideoScore) {
        squaredError.add(other.squaredError)
        psnr.add(other.psnr)
        movingPSNR.add(other.movingPSNR)
        ssim.add(other.ssim)
    }
}

/// A mean of the finite ones of some numbers, with the others counted apart.
struct MeanOfFinite: Sendable, Equatable {
    /// How many are finite, and how many are not.
    private(set) var (count, others) = (0, 0)
    private var sum = 0.0

    mutating func add(_ value: Double) {
        guard value.isFinite else {
            others += 1
            return
        }
        (sum, count) = (sum + value, count + 1)
    }

    /// Adds the numbers of another mean.
    mutating func add(_ other: MeanOfFinite) {
        (sum, count, others) = (sum + other.sum, count + other.count, others + other.others)
    }

    /// Nil where none is finite.
    var mean: Double? { count > 0 ? sum / Double(count) : nil }
}
