/// A picture of RGB that frames, bars and words are drawn on, each over what was there.
struct VideoCanvas: Sendable {
    /// Red, green and blue.
    typealias Color = SIMD3<UInt8>

    let width: Int
    let height: Int
    /// [height, width, 3].
    private var pixels: [UInt8]

    /// A picture all of one color. Traps on a size that `PNG` does not have.
    init(width: Int, height: Int, _ color: Color) {
        (self.width, self.height) = (width, height)
        pixels = (0..<width * height).flatMap { _ in [color.x, color.y, color.z] }
    }

    /// What was drawn.
    var picture: PNG { PNG(width: width, height: height, channels: 3, pixels: pixels) }

    /// Fills a rectangle; what lies outside the picture is left out.
    mutating func fill(_ columns: Range<Int>, _ rows: Range<Int>, _ color: Color) {
        for y in rows.clamped(to: 0..<height) {
            for x in columns.clamped(to: 0..<width) {
                let place = 3 * (y * width + x)
                (pixels[place], pixels[place + 1], pixels[place + 2]) = (color.x, color.y, color.z)
            }
        }
    }

    /// Draws a picture with its upper left corner at (x, y), each pixel as a square of `scale`: gray or RGB, without alpha.
    mutating func draw(_ picture: PNG, x: Int, y: Int, scale: Int = 1) {
        for row in 0..<picture.height {
            for column in 0..<picture.width {
                let (left, top) = (x + column * scale, y + row * scale)
                fill(left..<left + scale, top..<top + scale, picture.color(column, row))
            }
        }
    }

    /// Draws a bar of `size` pixels around a rectangle.
    mutating func frame(_ columns: Range<Int>, _ rows: Range<Int>, size: Int, _ color: Color) {
        let (left, right) = (columns.lowerBound, columns.upperBound)
        let (top, bottom) = (rows.lowerBound, rows.upperBound)
        fill(left - size..<right + size, top - size..<top, color)
        fill(left - size..<right + size, bottom..<bottom + size, color)
        fill(left - size..<left, rows, color)
        fill(right..<right + size, rows, color)
    }

    /// Writes words in the letters of `PixelFont`, their upper left corner at (x, y), a pixel of a letter as a square of `scale`.
    mutating func write(_ text: String, x: Int, y: Int, scale: Int, _ color: Color) {
        for pixel in PixelFont.pixels(text) {
            let (left, top) = (x + pixel.x * scale, y + pixel.y * scale)
            fill(left..<left + scale, top..<top + scale, color)
        }
    }
}

extension PNG {
    /// A frame [C, H, W] as a picture: a number from 0 to 1 is a byte from 0 to 255, those beyond are cut, what is not a number
    /// is 0. Traps unless it is gray or RGB, 1 or 3 channels.
    init(_ frame: [Float], _ maps: MapShape) {
        require(frame.count == maps.count, "a frame of \(frame.count) numbers for \(maps)")
        require([1, 3].contains(maps.channels), "a picture of a frame is gray or RGB, found \(maps.channels) channels")
        let bytes = (0..<maps.area).flatMap { place in
            (0..<maps.channels).map { c -> UInt8 in
                let light = frame[c * maps.area + place]
                return light > 0 ? UInt8(255 * min(light, 1) + 0.5) : 0
            }
        }
        self.init(width: maps.width, height: maps.height, channels: maps.channels, pixels: bytes)
    }

    /// The color of a pixel of a gray or RGB picture.
    func color(_ x: Int, _ y: Int) -> VideoCanvas.Color {
        let place = channels * (y * width + x)
        return channels == 3
            ? VideoCanvas.Color(pixels[place], pixels[place + 1], pixels[place + 2])
            : VideoCanvas.Color(repeating: pixels[place])
    }

    /// A gray or RGB picture as RGB of fewer pixels, each the mean of a square of `factor` a side; squares at the right and
    /// below may be cut.
    func reduced(by factor: Int) -> PNG {
        var result: [UInt8] = []
        for top in stride(from: 0, to: height, by: factor) {
            for left in stride(from: 0, to: width, by: factor) {
                var (sum, count) = (SIMD3<Int>.zero, 0)
                for y in top..<min(top + factor, height) {
                    for x in left..<min(left + factor, width) {
                        let color = color(x, y)
                        sum &+= SIMD3(Int(color.x), Int(color.y), Int(color.z))
                        count += 1
                    }
                }
                for c in 0..<3 { result.append(UInt8((sum[c] + count / 2) / count)) }
            }
        }
        let (columns, rows) = ((width + factor - 1) / factor, (height + factor - 1) / factor)
        return PNG(width: columns, height: rows, channels: 3, pixels: result)
    }
}
