/// The colors of pictures, at most 256: those that there are, or where there are more, the means of boxes that are cut from all
/// colors as in a median cut (Heckbert 1982), but at their mean, so that few pixels far from all others keep their color. A
/// color is 0xRRGGBB.
struct ColorPalette {
    let colors: [UInt32]
    /// The nearest of `colors` to each color that there is.
    private let nearest: [UInt32: UInt8]

    private static let largestCount = 256

    /// Of gray or RGB pictures. O(*n*) in the pixels, O(*m* log *m*) in the colors.
    init(_ pictures: [PNG]) {
        var counts: [UInt32: Int] = [:]
        for picture in pictures { Self.forEachRun(picture) { counts[$0, default: 0] += $1 } }
        // A dictionary has another order each time.
        let found = counts.map { Color(value: $0.key, count: $0.value) }.sorted { $0.value < $1.value }
        let isSmall = found.count <= Self.largestCount
        let colors = isSmall ? found.map(\.value) : Self.cut(found)
        var nearest: [UInt32: UInt8] = [:]
        for (i, color) in found.enumerated() {
            nearest[color.value] = UInt8(isSmall ? i : Self.nearest(to: color, colors))
        }
        (self.colors, self.nearest) = (colors, nearest)
    }

    /// The place in `colors` of each pixel of a picture, one of those that the palette was made of.
    func indices(_ picture: PNG) -> [UInt8] {
        var indices: [UInt8] = []
        indices.reserveCapacity(picture.width * picture.height)
        Self.forEachRun(picture) { indices += repeatElement(nearest[$0]!, count: $1) }
        return indices
    }

    /// The colors of a picture in their order, and how many pixels in a row have them.
    private static func forEachRun(_ picture: PNG, _ body: (_ color: UInt32, _ count: Int) -> Void) {
        func color(_ i: Int) -> UInt32 {
            guard picture.channels == 3 else { return UInt32(picture.pixels[i]) * 0x01_01_01 }
            return UInt32(picture.pixels[3 * i]) << 16 | UInt32(picture.pixels[3 * i + 1]) << 8
                | UInt32(picture.pixels[3 * i + 2])
        }
        var (last, count) = (color(0), 1)
        for i in 1..<picture.width * picture.height {
            let next = color(i)
            if next == last {
                count += 1
            } else {
                body(last, count)
                (last, count) = (next, 1)
            }
        }
        body(last, count)
    }

    private static func nearest(to color: Color, _ colors: [UInt32]) -> Int {
        var (best, least) = (0, Int.max)
        for (i, other) in colors.enumerated() {
            let difference = color.parts &- Color(value: other, count: 0).parts
            let distance = (difference &* difference).wrappedSum()
            if distance < least { (best, least) = (i, distance) }
        }
        return best
    }
}

// MARK: - Cuts

extension ColorPalette {
    /// A color, and how many pixels have it.
    private struct Color {
        let value: UInt32
        let count: Int

        /// Red, green and blue.
        var parts: SIMD4<Int> { SIMD4(Int(value >> 16), Int(value >> 8 & 0xFF), Int(value & 0xFF), 0) }
    }

    /// Colors that are next to one another.
    private struct Box {
        let colors: [Color]
        /// Σ n x over the pixels' colors x, and Σ n.
        let (sum, count): (SIMD4<Int>, Int)
        /// The part in which they differ most, and by how much: Σ n (x - mean)².
        let (part, spread): (Int, Double)

        init(_ colors: [Color]) {
            self.colors = colors
            var (sum, squares, count) = (SIMD4<Int>.zero, SIMD4<Int>.zero, 0)
            for color in colors {
                sum &+= color.count &* color.parts
                squares &+= color.count &* color.parts &* color.parts
                count += color.count
            }
            let spreads = (0..<3).map { Double(squares[$0]) - Double(sum[$0]) * Double(sum[$0]) / Double(count) }
            let part = (0..<3).max { spreads[$0] < spreads[$1] }!
            (self.sum, self.count, self.part) = (sum, count, part)
            spread = colors.count > 1 ? spreads[part] : 0
        }

        /// The color that stands for all.
        var mean: UInt32 {
            let rounded = (0..<3).map { UInt32((sum[$0] + count / 2) / count) }
            return rounded[0] << 16 | rounded[1] << 8 | rounded[2]
        }

        /// The colors up to the mean and those above it, in the part in which they differ most.
        var halves: (Box, Box) {
            let isLow = { (color: Color) in color.parts[part] * count <= sum[part] }
            return (Box(colors.filter(isLow)), Box(colors.filter { !isLow($0) }))
        }
    }

    /// Divides the box whose colors differ most, until there are as many as a palette has.
    private static func cut(_ colors: [Color]) -> [UInt32] {
        var boxes = [Box(colors)]
        while boxes.count < largestCount, let widest = boxes.indices.max(by: { boxes[$0].spread < boxes[$1].spread }),
            boxes[widest].spread > 0
        {
            let (low, high) = boxes[widest].halves
            boxes[widest] = low
            boxes.append(high)
        }
        return boxes.map(\.mean)
    }
}
