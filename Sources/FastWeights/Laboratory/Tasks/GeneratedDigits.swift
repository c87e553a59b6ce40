/// Drawn digits that stand in for MNIST where its files are not there: strokes on a grid, bent, turned and moved at random.
///
/// They are easier than handwriting; errors on them are not those of the paper's table, and reports say so.
enum GeneratedDigits {
    /// The strokes of each digit: runs of points in a unit square, y downwards.
    private static let strokes: [[[(x: Double, y: Double)]]] = [
        [[(0.5, 0), (0.1, 0.2), (0.0, 0.5), (0.1, 0.8), (0.5, 1), (0.9, 0.8), (1, 0.5), (0.9, 0.2), (0.5, 0)]],
        [[(0.2, 0.2), (0.55, 0), (0.55, 1)]],
        [[(0.05, 0.2), (0.4, 0), (0.9, 0.15), (0.85, 0.45), (0.05, 1), (1, 1)]],
        [[(0.05, 0.1), (0.5, 0), (0.9, 0.2), (0.45, 0.48), (0.95, 0.75), (0.5, 1), (0, 0.88)]],
        [[(0.6, 0), (0, 0.65), (1, 0.65)], [(0.7, 0.35), (0.7, 1)]],
        [[(0.95, 0), (0.15, 0), (0.1, 0.45), (0.7, 0.4), (0.95, 0.7), (0.6, 1), (0.05, 0.95)]],
        [[(0.8, 0), (0.25, 0.35), (0.05, 0.75), (0.45, 1), (0.9, 0.8), (0.6, 0.55), (0.1, 0.65)]],
        [[(0, 0), (1, 0), (0.4, 1)]],
        [
            [
                (0.5, 0.45), (0.1, 0.2), (0.5, 0), (0.9, 0.2), (0.5, 0.45), (0.05, 0.78), (0.5, 1), (0.95, 0.78),
                (0.5, 0.45),
            ]
        ],
        [[(0.9, 0.35), (0.5, 0.5), (0.1, 0.25), (0.5, 0), (0.9, 0.2), (0.85, 0.65), (0.6, 1)]],
    ]

    /// `count` digits of `side` by `side` pixels; the same for the same seed on every platform. Image i is of digit i mod 10.
    static func make(count: Int, side: Int = 28, seed: UInt64) -> ImageSet {
        var pixels: [UInt8] = []
        pixels.reserveCapacity(count * side * side)
        for i in 0..<count {
            var random = Random(seed: seed, stream: 1000 + UInt64(i))
            pixels += draw(strokes[i % 10], side: Double(side), &random)
        }
        return ImageSet(height: side, width: side, pixels: pixels, labels: (0..<count).map { $0 % 10 }, classes: 10)
    }

    private static func draw(_ strokes: [[(x: Double, y: Double)]], side: Double, _ random: inout Random) -> [UInt8] {
        /// Uniform within ±limit.
        func jitter(_ limit: Double) -> Double { (2 * random.uniform() - 1) * limit }
        // Scale, slant and turn, then the middle of the image and a step away from it.
        let (width, height) = (side * (0.4 + jitter(0.12)), side * (0.62 + jitter(0.1)))
        let (slant, turn) = (jitter(0.3), jitter(0.2))
        let (left, top) = (side / 2 + jitter(0.09 * side), side / 2 + jitter(0.09 * side))
        let pen = side * (0.05 + jitter(0.018))
        let lines = strokes.map { line in
            line.map { point in
                let (u, v) = (point.x - 0.5 + jitter(0.08), point.y - 0.5 + jitter(0.06))
                let (x, y) = ((u - slant * v) * width, v * height)
                return (x: left + x - turn * y, y: top + y + turn * x)
            }
        }
        let size = Int(side)
        var pixels = [UInt8](repeating: 0, count: size * size)
        for row in 0..<size {
            for column in 0..<size {
                let (x, y) = (Double(column) + 0.5, Double(row) + 0.5)
                var nearest = Double.infinity
                for line in lines {
                    for (a, b) in zip(line, line.dropFirst()) { nearest = min(nearest, distance(x, y, a, b)) }
                }
                // Ink fades over a pixel at the pen's edge.
                let ink = min(max(pen + 0.5 - nearest.squareRoot(), 0), 1)
                pixels[row * size + column] = UInt8((255 * ink).rounded())
            }
        }
        return pixels
    }

    /// The square of the distance of (x, y) from the stretch between two points.
    private static func distance(
        _ x: Double, _ y: Double, _ a: (x: Double, y: Double), _ b: (x: Double, y: Double)
    ) -> Double {
        let (dx, dy) = (b.x - a.x, b.y - a.y)
        let length = dx * dx + dy * dy
        let along = length > 0 ? min(max(((x - a.x) * dx + (y - a.y) * dy) / length, 0), 1) : 0
        let (ex, ey) = (a.x + along * dx - x, a.y + along * dy - y)
        return ex * ex + ey * ey
    }
}
