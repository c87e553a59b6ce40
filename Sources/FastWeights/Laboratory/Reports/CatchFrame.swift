/// A frame of Catch as rows of text: what the agent sees beside what there is, and below what it does about it.
///
///     Frame 2 of 15
///     it sees   there is
///     +------+  +------+
///     |      |  |      |
///     |      |  | o    |
///     |      |  |   == |
///     +------+  +------+
///     left 0.90  stay 0.08  right 0.02   value +0.84   goes left
struct CatchFrame {
    /// The frame.
    let episode: Catch.Episode
    /// What the agent made of it; nil in the last frame, which it does not see.
    let decision: CatchAgent.Decision?

    private static let gap = "  "

    /// Rows of `text`, the same in every frame of an episode.
    static func rows(_ task: Catch) -> Int { task.size + 5 }

    /// Columns of the longest row, two screens or what stands below them.
    static func columns(_ task: Catch) -> Int { max(2 * (task.size + 2) + gap.count, 59) }

    /// The rows, each ending with a newline.
    var text: String {
        let size = episode.task.size
        let border = "+" + String(repeating: "-", count: size) + "+"
        var rows = [
            "Frame \(episode.frame) of \(size - 1)" + (episode.isVisible ? "" : ", blank"),
            TextTable.padded("it sees", to: size + 2) + Self.gap + "there is",
            border + Self.gap + border,
        ]
        let (seen, there) = (episode.observation, episode.screen)
        for row in 0..<size {
            rows.append("|" + line(seen, row) + "|" + Self.gap + "|" + line(there, row) + "|")
        }
        rows += [border + Self.gap + border, conclusion]
        return rows.map { $0 + "\n" }.joined()
    }

    /// One row of a screen: the ball is an o, the paddle two equals signs, and where they meet the ball shows.
    private func line(_ pixels: [Float], _ row: Int) -> String {
        let size = episode.task.size
        return String(
            (0..<size).map { column -> Character in
                guard pixels[row * size + column] > 0 else { return " " }
                return row == episode.frame && column == episode.column ? "o" : "="
            })
    }

    private var conclusion: String {
        guard let decision else {
            let away = episode.movesNeeded
            return episode.isBelow ? "caught" : "missed by \(away) column\(away == 1 ? "" : "s")"
        }
        let chances = zip(Catch.Action.allCases, decision.probabilities).map {
            "\($0) \(FixedPoint.text($1, decimals: 2))"
        }
        let sign = decision.value < 0 ? "" : "+"
        return chances.joined(separator: "  ") + "   value \(sign)\(FixedPoint.text(decision.value, decimals: 2))   "
            + decision.action.verb
    }
}

extension Catch.Action {
    /// What it does who chose this.
    fileprivate var verb: String {
        switch self {
        case .left: "goes left"
        case .stay: "stays"
        case .right: "goes right"
        }
    }
}
