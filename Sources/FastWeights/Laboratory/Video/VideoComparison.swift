/// One clip beside what models made of it, drawn as a strip or as an animation.
///
///     var comparison = VideoComparison(truth: frames, maps, context: 2)
///     comparison.add("cdna", predicted: predictions)
///     try comparison.strip().write(to: "strip.png")
struct VideoComparison: Sendable {
    /// The size of a frame: gray or RGB.
    let maps: MapShape
    /// Frames that the models were given.
    let context: Int
    /// The truth, then what each model made of it.
    private(set) var rows: [Row]

    /// Frames with a name.
    struct Row: Sendable {
        let name: String
        /// The place in the clip of the first frame.
        let first: Int
        let frames: [PNG]

        /// The frame at a place in the clip, nil where there is none.
        func frame(_ place: Int) -> PNG? {
            frames.indices.contains(place - first) ? frames[place - first] : nil
        }
    }

    /// A clip, of which `context` frames are given. Its frames, [C, H, W] each, may end before those that are predicted.
    init(truth: [[Float]], _ maps: MapShape, context: Int, name: String = "truth") {
        require(
            (1...max(truth.count, 1)).contains(context), "\(context) frames of a clip of \(truth.count) are given")
        (self.maps, self.context) = (maps, context)
        rows = [Row(name: name, first: 0, frames: truth.map { PNG($0, maps) })]
    }

    /// Adds what a model made of the clip: the frames that follow those that were given.
    mutating func add(_ name: String, predicted: [[Float]]) {
        rows.append(Row(name: name, first: context, frames: predicted.map { PNG($0, maps) }))
    }

    /// Frames from the first one given to the last one that any row has.
    var count: Int { rows.map { $0.first + $0.frames.count }.max()! }

    // MARK: - Looks

    static let ground = VideoCanvas.Color(24, 27, 32)
    static let ink = VideoCanvas.Color(208, 213, 220)
    static let quiet = VideoCanvas.Color(122, 130, 141)
    /// Of frames that are true or given, and of those that are predicted.
    static let given = VideoCanvas.Color(86, 180, 233)
    static let predicted = VideoCanvas.Color(240, 150, 40)

    private static let (margin, gap) = (8, 4)
    private static let letters = 2

    /// How large a pixel is drawn so that the longer side of a frame has about `side`.
    private func scale(_ side: Int) -> Int { max(1, side / max(maps.height, maps.width)) }

    /// What a frame is called: the given ones by their place in the clip, the predicted ones by the step.
    private func label(_ place: Int) -> String { place < context ? "\(place + 1)" : "+\(place - context + 1)" }

    // MARK: - Strip

    /// A row for the truth and each model, a column a frame, predicted ones below a bar of their color.
    ///
    /// Columns are all frames, or those at `places` in the clip. Pixels are drawn as squares, by a whole number.
    func strip(_ places: [Int]? = nil, scale: Int? = nil) -> PNG {
        let (places, scale) = (places ?? Array(0..<count), scale ?? self.scale(64))
        let (width, height) = (maps.width * scale, maps.height * scale)
        let left = Self.margin + (rows.map { PixelFont.columns($0.name) }.max()! + 4) * Self.letters
        let top = Self.margin + PixelFont.height * Self.letters + 2 * Self.gap
        var canvas = VideoCanvas(
            width: left + places.count * (width + Self.gap) - Self.gap + Self.margin,
            height: top + rows.count * (height + Self.gap) - Self.gap + Self.margin, Self.ground)
        for (column, place) in places.enumerated() {
            let x = left + column * (width + Self.gap)
            canvas.write(label(place), x: x, y: Self.margin, scale: Self.letters, Self.ink)
            canvas.fill(x..<x + width, top - Self.gap..<top - 2, color(place))
            for (row, frames) in rows.enumerated() {
                guard let frame = frames.frame(place) else { continue }
                canvas.draw(frame, x: x, y: top + row * (height + Self.gap), scale: scale)
            }
        }
        for (row, frames) in rows.enumerated() {
            let y = top + row * (height + Self.gap) + (height - PixelFont.height * Self.letters) / 2
            canvas.write(frames.name, x: Self.margin, y: y, scale: Self.letters, Self.ink)
        }
        return canvas.picture
    }

    private func color(_ place: Int) -> VideoCanvas.Color { place < context ? Self.given : Self.predicted }

    // MARK: - Animation

    /// The truth and the models side by side, each with its name above; the border of a model's frames changes its color when
    /// they are no longer given but predicted. The last frame stays for four times as long.
    func animation(delay: Int, scale: Int? = nil) -> Animation {
        let frames = (0..<count).map { scene($0, scale: scale ?? self.scale(128)) }
        let last = min(4 * delay, Int(UInt16.max))
        return Animation(frames, delays: [Int](repeating: delay, count: count - 1) + [last])
    }

    private func scene(_ place: Int, scale: Int) -> PNG {
        let (width, height) = (maps.width * scale, maps.height * scale)
        let (border, line) = (3, PixelFont.height * Self.letters)
        // As wide as the longest words that may stand above or below.
        let words = rows.map(\.name) + [Self.caption(label(count - 1))]
        let panel = max(width + 2 * border, words.map { PixelFont.columns($0) * Self.letters }.max()!)
        let top = Self.margin + line + Self.gap + border
        var canvas = VideoCanvas(
            width: 2 * Self.margin + rows.count * (panel + Self.margin) - Self.margin,
            height: top + height + border + Self.gap + line + Self.margin, Self.ground)
        for (number, row) in rows.enumerated() {
            let left = Self.margin + number * (panel + Self.margin)
            let x = left + border
            canvas.write(row.name, x: left, y: Self.margin, scale: Self.letters, Self.ink)
            guard let shown = row.frame(place) ?? (number > 0 ? rows[0].frame(place) : nil) else { continue }
            let color = number == 0 ? Self.given : color(place)
            canvas.frame(x..<x + width, top..<top + height, size: border, color)
            canvas.draw(shown, x: x, y: top, scale: scale)
            let caption =
                number == 0 ? "frame \(place + 1)" : place < context ? "given" : Self.caption(label(place))
            canvas.write(
                caption, x: left, y: top + height + border + Self.gap, scale: Self.letters,
                number == 0 ? Self.quiet : color)
        }
        return canvas.picture
    }

    private static func caption(_ label: String) -> String { "predicted \(label)" }

    /// The same of one frame without words and with borders of a pixel, as small as it can be: for a terminal.
    func small(_ place: Int) -> PNG {
        let (width, height) = (maps.width + 2, maps.height + 2)
        var canvas = VideoCanvas(width: rows.count * (width + 2) - 2, height: height, VideoCanvas.Color(0, 0, 0))
        for (number, row) in rows.enumerated() {
            let x = number * (width + 2) + 1
            guard let shown = row.frame(place) ?? (number > 0 ? rows[0].frame(place) : nil) else { continue }
            canvas.frame(
                x..<x + maps.width, 1..<1 + maps.height, size: 1, number == 0 ? Self.given : color(place))
            canvas.draw(shown, x: x, y: 1)
        }
        return canvas.picture
    }
}
