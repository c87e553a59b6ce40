/// What goes from one layer of a network to the next: tokens or numbers, at every step or once a sequence.
struct LayerShape: Sendable, Equatable {
    /// The values of one step of one sequence.
    enum Values: Sendable, Equatable {
        /// A token below this number.
        case tokens(Int)
        /// Maps of numbers; a vector of N numbers is N maps of one number each.
        case numbers(MapShape)
    }

    var values: Values
    /// Whether there are values at every step; otherwise the sequence has them once.
    var isPerStep = true
    /// How many of the last numbers come of a layer that reads backwards: their last step is the sequence's first.
    var reversed = 0

    /// N numbers.
    static func vector(_ count: Int, isPerStep: Bool = true) -> LayerShape {
        LayerShape(values: .numbers(MapShape(channels: count, height: 1, width: 1)), isPerStep: isPerStep)
    }

    /// Numbers, 0 of tokens.
    var count: Int { if case .numbers(let maps) = values { maps.count } else { 0 } }

    /// The maps; nil of tokens.
    var maps: MapShape? { if case .numbers(let maps) = values { maps } else { nil } }

    /// The sizes of an array of the numbers, of tokens as many numbers that are 0 but for a 1.
    var sizes: [Int] {
        guard let maps else { return [vocabulary ?? 0] }
        return maps.height == 1 && maps.width == 1 ? [maps.channels] : [maps.channels, maps.height, maps.width]
    }

    /// The number of tokens; nil of numbers.
    var vocabulary: Int? { if case .tokens(let count) = values { count } else { nil } }

    /// The same numbers of each sequence as a whole.
    var once: LayerShape {
        var shape = self
        (shape.isPerStep, shape.reversed) = (false, 0)
        return shape
    }

    /// To be read by people.
    var text: String {
        let when = isPerStep ? "per step" : "per sequence"
        switch values {
        case .tokens(let count): return "one of \(count) tokens \(when)"
        case .numbers(let maps) where maps.height == 1 && maps.width == 1: return "\(maps.channels) numbers \(when)"
        case .numbers(let maps): return "\(maps.channels) maps of \(maps.height) by \(maps.width) \(when)"
        }
    }
}

/// What a layer reads, and from where.
struct LayerInput {
    var shape: LayerShape
    /// Where the numbers are rows of a table by tokens, that table: who multiplies them can multiply the table instead.
    var tokens: TokenSource?
}

/// A vocabulary whose tokens stand for rows of numbers: those of an embedding, or one-hot.
struct TokenSource {
    /// V, tokens.
    var vocabulary: Int
    /// The rows of numbers, [V, E]; nil where token v is a 1 at index v among V numbers that else are 0.
    var embedding: Parameter?
}
