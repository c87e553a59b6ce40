/// Catch with blanked observations, section 4.4 of Ba et al. 2016: a ball falls through a screen of N by N pixels, and a
/// paddle at its bottom is to be below it in the end.
///
/// An episode has N frames, numbered from 0. In frame t the ball, one pixel, is in row t of a column drawn at the start;
/// the paddle, two pixels, is in the last row. Between two frames the paddle moves one column to the left, stays, or moves
/// one to the right, never beyond the screen. The reward comes with the last frame: 1 where the paddle covers the ball,
/// -1 elsewhere. The first M frames are seen; behind them the whole screen is blank, the paddle too.
struct Catch: Sendable, Equatable {
    /// N, rows and columns of the screen.
    let size: Int
    /// M, frames that are seen.
    let visibleFrames: Int
    /// Where the paddle begins, which the paper does not say.
    let start: Start

    enum Start: String, Sendable, CaseIterable {
        /// In the middle; of an odd number of columns, half a column to the left of it.
        case center
        /// Anywhere.
        case random
    }

    enum Action: Int, Sendable, CaseIterable {
        case left
        case stay
        case right
    }

    /// Pixels of the paddle.
    static let paddle = 2
    /// Lit pixels of a screen, those of paddle and ball together before the last frame.
    static let litPixels = paddle + 1
    private static let sizes = 3...128

    /// Throws unless the screen has 3 to 128 rows and no more frames are seen than there are.
    init(size: Int, visibleFrames: Int, start: Start = .center) throws(TaskError) {
        guard Self.sizes.contains(size), (0...size).contains(visibleFrames) else {
            throw .screen(size: size, visibleFrames: visibleFrames, sizes: Self.sizes)
        }
        (self.size, self.visibleFrames, self.start) = (size, visibleFrames, start)
    }

    /// N², numbers of an observation.
    var pixels: Int { size * size }
    /// N - 1, decisions an episode: one before each frame but the first.
    var decisions: Int { size - 1 }
    /// Places of the paddle, by its left pixel.
    private var places: Range<Int> { 0..<size - Self.paddle + 1 }
    /// Where the paddle may begin.
    private var starts: Range<Int> {
        let middle = (size - Self.paddle) / 2
        return start == .center ? middle..<middle + 1 : places
    }

    /// Every episode there is: each beginning of the paddle with each column of the ball.
    var allEpisodes: [Episode] {
        starts.flatMap { paddle in (0..<size).map { Episode(self, column: $0, paddle: paddle) } }
    }

    /// A new episode, all as probable.
    func episode(_ random: inout Random) -> Episode {
        let column = random.below(size)
        let paddle = starts.lowerBound + (starts.count > 1 ? random.below(starts.count) : 0)
        return Episode(self, column: column, paddle: paddle)
    }

    /// How often who knows nothing of the ball catches it: wherever the paddle ends, it covers 2 of N columns, all as
    /// probable.
    var chanceLevel: Double { Double(Self.paddle) / Double(size) }

    /// How often who has seen the ball catches it at best: where the N - 1 moves suffice. That is always, whatever the
    /// start, as the paddle never needs more than N - 2; who has seen no frame is left to chance.
    var informedOptimum: Double {
        guard visibleFrames > 0 else { return chanceLevel }
        let episodes = allEpisodes
        return Double(episodes.count { $0.movesNeeded <= decisions }) / Double(episodes.count)
    }
}

extension Catch {
    /// One episode, frame by frame.
    struct Episode: Sendable, Equatable {
        let task: Catch
        /// The ball's column.
        let column: Int
        /// The column of the paddle's left pixel.
        private(set) var paddle: Int
        /// The frame there is, from 0, and the row of the ball.
        private(set) var frame = 0

        /// Traps where ball or paddle would not be on the screen.
        init(_ task: Catch, column: Int, paddle: Int) {
            require(
                (0..<task.size).contains(column) && task.places.contains(paddle),
                "a screen of \(task.size) columns has no ball in column \(column) or paddle from column \(paddle) on")
            (self.task, self.column, self.paddle) = (task, column, paddle)
        }

        /// Whether this is the last frame.
        var isOver: Bool { frame == task.size - 1 }
        /// Whether the agent sees the frame.
        var isVisible: Bool { frame < task.visibleFrames }
        /// Whether the paddle is below the ball.
        var isBelow: Bool { movesNeeded == 0 }
        /// Of an episode that is over: whether the ball is caught, 1 or -1.
        var reward: Float { isBelow ? 1 : -1 }
        /// How far the paddle is from where it would cover the ball's column.
        var movesNeeded: Int { max(paddle - column, column - (paddle + Catch.paddle - 1), 0) }

        /// The numbers of the lit pixels, row by row: the ball's, and those of the paddle.
        func lit(_ i: Int) -> Int { i == 0 ? frame * task.size + column : (task.size - 1) * task.size + paddle + i - 1 }

        /// Goes on to the next frame. Traps where there is none.
        mutating func advance(_ action: Action) {
            require(!isOver, "the episode is over at frame \(frame)")
            frame += 1
            paddle = max(0, min(task.size - Catch.paddle, paddle + action.rawValue - Action.stay.rawValue))
        }

        /// What there is on the screen, 0 or 1 a pixel, row by row.
        var screen: [Float] {
            var pixels = [Float](repeating: 0, count: task.pixels)
            for i in 0..<Catch.litPixels { pixels[lit(i)] = 1 }
            return pixels
        }

        /// What the agent sees of it: the screen, or where the frames are blank nothing.
        var observation: [Float] { isVisible ? screen : [Float](repeating: 0, count: task.pixels) }
    }
}

extension Catch {
    /// The task as it stands in model files and results.
    var json: JSON {
        [
            "name": "catch", "size": .number(Double(size)), "visible_frames": .number(Double(visibleFrames)),
            "start": .string(start.rawValue),
        ]
    }

    /// Reads what `json` wrote. Throws what is missing or impossible.
    init(json: JSON) throws {
        let reader = ConfigurationReader(json: json, owner: "task")
        guard try reader.text("name") == "catch" else {
            throw ConfigurationError(description: "expected the task catch, found \"\(try reader.text("name"))\"")
        }
        let name = try reader.text("start")
        // Files of before have the word in British spelling.
        guard let start = Start(rawValue: name == "centre" ? "center" : name) else {
            throw reader.wrong("start", Start.allCases.map(\.rawValue).joined(separator: " or "))
        }
        try self.init(
            size: try reader.count("size"), visibleFrames: try reader.count("visible_frames", from: 0), start: start)
    }
}
