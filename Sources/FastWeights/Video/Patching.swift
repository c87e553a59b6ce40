/// Where the pixels of frames [C, N, H, W] stand in maps of patches, [p·p·C, N, H/p, W/p].
private struct PatchPlaces {
    let frame: MapShape
    let samples: Int
    let patch: Int

    /// Calls `body` with each row of a map of patches: its first number, the first pixel of it in the frames, whose neighbors
    /// stand `patch` apart, and how many.
    @inline(__always) func forEachRow(_ body: (_ row: Int, _ pixel: Int, _ count: Int) -> Void) {
        let (height, width) = (frame.height / patch, frame.width / patch)
        for r in 0..<patch {
            for s in 0..<patch {
                for c in 0..<frame.channels {
                    let map = (r * patch + s) * frame.channels + c
                    for n in 0..<samples {
                        for y in 0..<height {
                            body(
                                ((map * samples + n) * height + y) * width,
                                ((c * samples + n) * frame.height + y * patch + r) * frame.width + s, width)
                        }
                    }
                }
            }
        }
    }
}

/// Frames become patches.
final class Patching: VideoOperation {
    private let source: PlanarMaps
    private let target: PlanarRange
    private let places: PatchPlaces

    init(_ numbers: UnsafeMutablePointer<Float>, _ source: PlanarMaps, _ target: PlanarRange, _ patch: Int) {
        (self.source, self.target) = (source, target)
        places = PatchPlaces(frame: source.shape, samples: source.samples, patch: patch)
        super.init(numbers)
    }

    override func forward(_ t: Int) {
        let (x, y, patch) = (source.at(t), target.at(t), places.patch)
        places.forEachRow { row, pixel, count in for k in 0..<count { y[row + k] = x[pixel + k * patch] } }
    }

    override func backward(_ t: Int, _ gradients: UnsafeMutablePointer<Float>) {
        let (dx, dy, patch) = (source.gradient, target.gradient, places.patch)
        places.forEachRow { row, pixel, count in for k in 0..<count { dx[pixel + k * patch] += dy[row + k] } }
    }
}

/// Patches become frames, and their numbers z, if `isSquashed`, σ(z).
final class Unpatching: VideoOperation {
    private let source: PlanarMaps
    private let target: PlanarMaps
    private let isSquashed: Bool
    private let places: PatchPlaces

    init(
        _ numbers: UnsafeMutablePointer<Float>, _ source: PlanarMaps, _ target: PlanarMaps, _ patch: Int,
        isSquashed: Bool
    ) {
        (self.source, self.target, self.isSquashed) = (source, target, isSquashed)
        places = PatchPlaces(frame: target.shape, samples: target.samples, patch: patch)
        super.init(numbers)
    }

    override func forward(_ t: Int) {
        let (x, y, patch) = (source.at(t), target.at(t), places.patch)
        places.forEachRow { row, pixel, count in for k in 0..<count { y[pixel + k * patch] = x[row + k] } }
        guard isSquashed else { return }
        forEachVector(target.count) { k, n in
            let z = n == Lanes.width ? Lanes(at: y + k) : Lanes(first: n, at: y + k)
            if n == Lanes.width { z.sigmoid().store(at: y + k) } else { z.sigmoid().store(first: n, at: y + k) }
        }
    }

    override func backward(_ t: Int, _ gradients: UnsafeMutablePointer<Float>) {
        let (y, dx, dy, patch) = (target.at(t), source.gradient, target.gradient, places.patch)
        if isSquashed { for k in 0..<target.count { dy[k] *= SigmoidSlope.of(y[k]) } }
        places.forEachRow { row, pixel, count in for k in 0..<count { dx[row + k] += dy[pixel + k * patch] } }
    }
}

/// The slope of y = σ(z), y·(1 - y), and never 0, so that the cross-entropy's gradient, which is divided by it and multiplied by
/// it again, is ŷ - y of numbers that are 0 or 1 too.
enum SigmoidSlope {
    static func of(_ y: Float) -> Float { max(y * (1 - y), 1e-7) }
}
