/// The next frame painted from nothing: σ(P) of `HeadInputs.paint`, in the release's reading σ(max(P, 0)). The last frame is not
/// looked at. What the other heads are compared with.
final class Painting: VideoHead {
    private let pixels: PaintedPixels
    /// All maps.
    private let row: MapRow

    override init(_ options: HeadOptions, samples: Int) {
        pixels = PaintedPixels(isRectified: options.isRelease)
        row = MapRow(width: options.frame.count * samples)
        super.init(options, samples: samples)
    }

    override class func sizes(of options: HeadOptions) -> HeadSizes { HeadSizes(paint: options.frame.channels) }

    override func forward(
        _ inputs: HeadInputs, previous: UnsafePointer<Float>, into next: UnsafeMutablePointer<Float>
    ) {
        let paint = given(inputs.paint, "paint")
        for j in 0..<row.vectors { row.store(pixels.value(row.load(paint, j)), next, j) }
    }

    override func backward(
        _ inputs: HeadInputs, previous: UnsafePointer<Float>, dNext: UnsafePointer<Float>, gradients: HeadInputs,
        addingTo dPrevious: UnsafeMutablePointer<Float>
    ) {
        let (paint, dPaint) = (given(inputs.paint, "paint"), given(gradients.paint, "gradients of paint"))
        for j in 0..<row.vectors {
            let z = row.load(paint, j)
            row.add(pixels.gradient(z, pixels.value(z), row.load(dNext, j)), to: dPaint, j)
        }
    }
}
