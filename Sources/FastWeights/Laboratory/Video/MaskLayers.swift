/// Which image a model takes each pixel from: the masks as layers of colors over the gray frame.
struct MaskLayers: Sendable {
    /// The frame that the masks were made for.
    let frame: [Float]
    let maps: MapShape
    /// [K, H, W], of each pixel shares that add up to 1.
    let masks: [Float]

    /// K masks of a frame. Traps unless their sizes fit.
    init(_ frame: [Float], _ maps: MapShape, masks: [Float]) {
        require(
            frame.count == maps.count && !masks.isEmpty && masks.count % maps.area == 0,
            "a frame of \(frame.count) numbers and masks of \(masks.count) for \(maps)")
        (self.frame, self.maps, self.masks) = (frame, maps, masks)
    }

    /// K.
    var count: Int { masks.count / maps.area }

    /// The color of a mask: gray of the first one, which takes the last frame as it is; the others go around the circle of
    /// colors.
    static func color(_ mask: Int, of count: Int) -> VideoCanvas.Color {
        guard mask > 0 else { return VideoCanvas.Color(repeating: 128) }
        let turn = 6 * Double(mask - 1) / Double(max(count - 1, 1))
        /// All within a sixth of the circle of its own place, nothing from two sixths on.
        func part(_ shift: Double) -> UInt8 {
            let place = (turn + shift).truncatingRemainder(dividingBy: 6)
            return UInt8(30 + 225 * min(max(abs(place - 3) - 1, 0), 1) + 0.5)
        }
        return VideoCanvas.Color(part(0), part(4), part(2))
    }

    /// The frame in gray, and over it each pixel in the colors of its masks, by their shares; each pixel is a square of `scale`.
    func picture(scale: Int = 4) -> PNG {
        var canvas = VideoCanvas(width: maps.width * scale, height: maps.height * scale, VideoComparison.ground)
        let colors = (0..<count).map { Self.color($0, of: count) }
        var pixels: [UInt8] = []
        for place in 0..<maps.area {
            let light = (0..<maps.channels).reduce(Float(0)) { $0 + frame[$1 * maps.area + place] }
            let gray = min(max(light / Float(maps.channels), 0), 1)
            for c in 0..<3 {
                let color = (0..<count).reduce(Float(0)) { $0 + masks[$1 * maps.area + place] * Float(colors[$1][c]) }
                // Shares of what is no softmax may add up to more.
                pixels.append(UInt8(min(max(0.45 * 255 * gray + 0.55 * color, 0), 255)))
            }
        }
        canvas.draw(
            PNG(width: maps.width, height: maps.height, channels: 3, pixels: pixels), x: 0, y: 0, scale: scale)
        return canvas.picture
    }

    /// Each mask by itself in gray, one beside the other: white where all of a pixel is taken from its image.
    func separate(scale: Int = 2) -> PNG {
        let (width, gap) = (maps.width * scale, 4)
        var canvas = VideoCanvas(
            width: count * (width + gap) - gap, height: maps.height * scale + gap, VideoComparison.ground)
        for k in 0..<count {
            let mask = PNG(
                Array(masks[k * maps.area..<(k + 1) * maps.area]),
                MapShape(channels: 1, height: maps.height, width: maps.width))
            let left = k * (width + gap)
            canvas.fill(left..<left + width, 0..<gap - 1, Self.color(k, of: count))
            canvas.draw(mask, x: left, y: gap, scale: scale)
        }
        return canvas.picture
    }
}
