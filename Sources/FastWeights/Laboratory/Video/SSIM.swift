/// Structural similarity (Wang, Bovik, Sheikh and Simoncelli 2004) of two frames, as scikit-image computes it:
/// (2 μx μy + C1) (2 σxy + C2) / ((μx² + μy² + C1) (σx² + σy² + C2)) in a window around each pixel, C1 = (0.01 L)²,
/// C2 = (0.03 L)², the mean over the pixels whose window lies in the frame, and over the channels.
///
/// Figures of other windows and ranges L are other figures: print `description` with each.
struct SSIM: Sendable, Equatable, CustomStringConvertible {
    let window: Window
    /// Whether variances are those of a sample, larger by n / (n - 1) than those of the n pixels themselves.
    var usesSampleCovariance = true
    /// L, the range of the data: 1 for pixels from 0 to 1. Older versions of scikit-image took 2 for floats.
    var range = 1.0

    enum Window: Sendable, Equatable {
        /// Pixels of a square, all with the same weight.
        case box(side: Int)
        /// exp(-d² / 2σ²) at the distance d, σ = 1.5, cut at 3.5 σ: 11 by 11 pixels.
        case gaussian

        /// The weights of a row, whose products with those of a column are those of the window.
        fileprivate var weights: [Double] {
            switch self {
            case .box(let side): return [Double](repeating: 1 / Double(side), count: side)
            case .gaussian:
                // exp(-1 / 2σ²)
                let weights = (-5...5).map { power(0.800_737_402_916_808_1, $0 * $0) }
                let sum = weights.reduce(0, +)
                return weights.map { $0 / sum }
            }
        }
    }

    /// scikit-image's own: 7 by 7 pixels, sample covariance.
    static let box = SSIM(window: .box(side: 7))
    /// The paper's: 11 by 11 pixels, the covariance of the pixels themselves.
    static let gaussian = SSIM(window: .gaussian, usesSampleCovariance: false)

    var description: String {
        let side = window.weights.count
        let name = window == .gaussian ? "Gaussian" : "box"
        return
            "SSIM, \(name) of \(side) by \(side), \(usesSampleCovariance ? "sample" : "population") covariance, L \(range)"
    }

    /// The similarity of two frames [C, H, W]; 1 of equal ones.
    ///
    /// Complexity: O(*n* · *w*) for *w* weights of a row. Traps on frames of other sizes, or smaller than the window.
    func callAsFunction(_ x: ArraySlice<Float>, _ y: ArraySlice<Float>, _ maps: MapShape) -> Double {
        let weights = window.weights
        require(
            x.count == maps.count && y.count == maps.count && min(maps.height, maps.width) >= weights.count,
            "frames of \(x.count) and \(y.count) numbers for \(maps), and a window of \(weights.count) by \(weights.count)"
        )
        let size = maps.height * maps.width
        let sum = (0..<maps.channels).reduce(0.0) { sum, c in
            func map(_ frame: ArraySlice<Float>) -> [Double] {
                frame[frame.startIndex + c * size..<frame.startIndex + (c + 1) * size].map { Double($0) }
            }
            return sum + similarity(map(x), map(y), maps, weights)
        }
        return sum / Double(maps.channels)
    }

    /// Of one channel.
    private func similarity(_ x: [Double], _ y: [Double], _ maps: MapShape, _ weights: [Double]) -> Double {
        func mean(_ values: [Double]) -> [Double] { Self.filtered(values, maps, weights) }
        let (mx, my) = (mean(x), mean(y))
        let (mxx, myy) = (mean(zip(x, x).map(*)), mean(zip(y, y).map(*)))
        let mxy = mean(zip(x, y).map(*))
        let pixels = Double(weights.count * weights.count)
        let scale = usesSampleCovariance ? pixels / (pixels - 1) : 1
        let (c1, c2) = ((0.01 * range) * (0.01 * range), (0.03 * range) * (0.03 * range))
        var sum = 0.0
        for i in mx.indices {
            let (u, v) = (mx[i], my[i])
            let variances: Double = scale * (mxx[i] - u * u + myy[i] - v * v)
            let covariance: Double = scale * (mxy[i] - u * v)
            sum += (2 * u * v + c1) * (2 * covariance + c2) / ((u * u + v * v + c1) * (variances + c2))
        }
        return sum / Double(mx.count)
    }

    /// Weighted means over the windows that lie in a map, row by row.
    private static func filtered(_ values: [Double], _ maps: MapShape, _ weights: [Double]) -> [Double] {
        let (height, width, side) = (maps.height, maps.width, weights.count)
        let columns = width - side + 1
        var rows = [Double](repeating: 0, count: height * columns)
        for y in 0..<height {
            for (k, weight) in weights.enumerated() {
                for x in 0..<columns { rows[y * columns + x] += weight * values[y * width + x + k] }
            }
        }
        var result = [Double](repeating: 0, count: (height - side + 1) * columns)
        for y in 0..<height - side + 1 {
            for (k, weight) in weights.enumerated() {
                for x in 0..<columns { result[y * columns + x] += weight * rows[(y + k) * columns + x] }
            }
        }
        return result
    }
}
