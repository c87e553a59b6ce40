/// Plays a comparison once in a terminal of colors, the frames in place; where output is no terminal, or one without colors, it
/// writes nothing.
///
/// The cursor is never hidden and each row puts the terminal's colors back, so that nothing is left to mend whenever it ends.
enum VideoPlayer {
    /// Shows so many frames a second, until the end or a signal.
    static func play(_ comparison: VideoComparison, speed: Double) {
        guard Terminal.allowsColor(.output) else { return }
        let colors: HalfBlocks.Colors = Terminal.hasTrueColor ? .all : .indexed
        let frames = frames(comparison, colors) { Terminal.holds(rows: $0, columns: $1, .output) }
        for (i, rows) in frames.enumerated() where !Interruption.requested {
            // Back to the first row, and each row cleared before it is written.
            let back = i == 0 ? "" : "\u{1B}[\(rows.count)A"
            Terminal.write(back + rows.map { "\u{1B}[K\($0)\n" }.joined())
            if i + 1 < frames.count { Terminal.pause(seconds: 1 / speed) }
        }
    }

    /// The rows of each frame, as many pixels averaged as it takes for a place that `holds` them, with a line of words below;
    /// none where no place is small enough.
    static func frames(
        _ comparison: VideoComparison, _ colors: HalfBlocks.Colors, holds: (_ rows: Int, _ columns: Int) -> Bool
    ) -> [[String]] {
        let size = comparison.small(0)
        let words = (0..<comparison.count).map { place in
            let step = place - comparison.context + 1
            let names = comparison.rows.map(\.name).joined(separator: " | ")
            return "\(names): frame \(place + 1), \(step < 1 ? "given" : "predicted +\(step)")"
        }
        func columns(_ factor: Int) -> Int { (size.width + factor - 1) / factor }
        func rows(_ factor: Int) -> Int { ((size.height + factor - 1) / factor + 1) / 2 + 1 }
        // A line more for the cursor.
        guard let factor = (1...8).first(where: { holds(rows($0) + 1, columns($0)) }) else { return [] }
        return words.enumerated().map { place, words in
            let picture = comparison.small(place).reduced(by: factor)
            let fitting = holds(rows(factor) + 1, words.count) ? words : String(words.prefix(columns(factor)))
            return HalfBlocks.rows(picture, colors) + [fitting]
        }
    }
}
