/// Draws a scene of the world "push". The background of a clip is made once; what lies over it is drawn where it is, as it
/// leaves every other pixel as it was to the last bit.
final class PushCanvas {
    private let side: Int
    /// [3, W, W].
    private let background: [Double]
    private var image: [Double]

    init(_ scene: PushScene) {
        side = Int(scene.extent)
        background = Self.background(scene)
        image = background
    }

    /// Appends the bytes of the scene, [3, W, W].
    func draw(_ scene: PushScene, into pixels: inout [UInt8]) {
        image.withUnsafeMutableBufferPointer { image in
            _ = image.update(fromContentsOf: background)
            let layer = PushLayer(image: image.baseAddress!, side: side)
            for object in scene.objects { layer.draw(object) }
            layer.drawArm(at: scene.hand, scale: scene.scale)
        }
        for value in image { pixels.append(UInt8(255 * unit(value) + 0.5)) }
    }

    /// A color, lighter or darker by a lattice of numbers every four pixels of the smaller world, which is interpolated along
    /// rows and then between them.
    private static func background(_ scene: PushScene) -> [Double] {
        let (side, nodes) = (Int(scene.extent), PushScene.latticeSide)
        /// The lattice's cell that a pixel is in, and how far.
        let places = (0..<side).map { x in
            let place = (Double(x) + 0.5) / (4 * scene.scale)
            let cell = min(Int(place), nodes - 2)
            return (cell: cell, share: place - Double(cell))
        }
        let light = places.flatMap { row in
            places.map { column in
                func along(_ row: Int) -> Double {
                    let first = row * nodes + column.cell
                    return scene.lattice[first] * (1 - column.share) + scene.lattice[first + 1] * column.share
                }
                return along(row.cell) * (1 - row.share) + along(row.cell + 1) * row.share
            }
        }
        return (0..<PushWorld.channels).flatMap { c in light.map { unit(scene.base[c] + $0) } }
    }
}

/// The nearest number in [0, 1].
@inline(__always)
private func unit(_ value: Double) -> Double { min(max(value, 0), 1) }

/// An image in the making, and what is laid over it: I ← I (1 - cover) + color · cover.
private struct PushLayer {
    let image: UnsafeMutablePointer<Double>
    let side: Int

    /// Lays something over the pixels whose middles are within `reach` of a place; `paint` gives cover and color from (u, v),
    /// a pixel's middle less that place.
    @inline(__always)
    private func cover(
        _ place: PushVector, reach: PushVector, _ paint: (_ u: Double, _ v: Double) -> (Double, SIMD3<Double>)
    ) {
        let (left, right) = (Int(max(place.x - reach.x, 0)), min(Int(place.x + reach.x), side - 1))
        let (top, bottom) = (Int(max(place.y - reach.y, 0)), min(Int(place.y + reach.y), side - 1))
        guard left <= right, top <= bottom else { return }
        for y in top...bottom {
            for x in left...right {
                let (cover, color) = paint(Double(x) + 0.5 - place.x, Double(y) + 0.5 - place.y)
                guard cover > 0 else { continue }
                for c in 0..<PushWorld.channels {
                    let pixel = image + (c * side + y) * side + x
                    pixel.pointee = pixel.pointee * (1 - cover) + color[c] * cover
                }
            }
        }
    }

    func draw(_ object: PushObject) {
        let (r, shape, pattern, colors) = (object.radius, object.shape, object.pattern, object.colors)
        // The widest shape, the diamond, reaches 1.2 r and the pixel at its edge.
        let reach = 1.2 * r + 1
        cover(object.place, reach: PushVector(reach, reach)) { u, v in
            let inside =
                switch shape {
                case .disc: r - (u * u + v * v).squareRoot()
                case .square: 0.9 * r - max(abs(u), abs(v))
                case .diamond: (1.2 * r - abs(u) - abs(v)) / 2.0.squareRoot()
                case .plus: max(min(0.4 * r - abs(u), r - abs(v)), min(0.4 * r - abs(v), r - abs(u)))
                }
            let marked =
                switch pattern {
                case .rightHalf: u
                case .lowerHalf: v
                case .innerDisc: 0.5 * r - (u * u + v * v).squareRoot()
                case .triangle: (u + v) / 2.0.squareRoot()
                case .innerCross: 0.25 * r - min(abs(u), abs(v))
                }
            let share = unit(0.5 + marked)
            return (unit(0.5 + inside), colors.a * (1 - share) + colors.b * share)
        }
    }

    /// A rod from the upper edge to the hand, and the hand: two discs.
    func drawArm(at hand: PushVector, scale: Double) {
        let rod = PushVector(1.25 * scale + 1, hand.y + 1)
        cover(hand, reach: rod) { u, v in
            (unit(0.5 + 1.25 * scale - abs(u)) * unit(0.5 - v), SIMD3(0.75, 0.75, 0.8))
        }
        for (radius, color) in [
            (PushScene.handRadius * scale, SIMD3(0.2, 0.2, 0.25)), (1.2 * scale, SIMD3(0.9, 0.8, 0.2)),
        ] {
            cover(hand, reach: PushVector(radius + 1, radius + 1)) { u, v in
                (unit(0.5 + radius - (u * u + v * v).squareRoot()), color)
            }
        }
    }
}
