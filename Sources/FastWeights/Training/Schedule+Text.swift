// Schedules in words, as command lines, files of options and checkpoints have them.
extension Schedule: LosslessStringConvertible {
    /// The words that `init(_:)` reads, without the numbers that are as they would be anyway.
    public var description: String {
        func text(_ number: Double) -> String { JSON.number(number).serialized() }
        func word(_ name: String, _ value: Double, unless usual: Double) -> String {
            value == usual ? "" : " \(name) \(text(value))"
        }
        let before = warmUp.map { "warm-up \($0.steps)" + word("from", $0.from, unless: 0) + " then " } ?? ""
        switch course {
        case .constant: return before + "constant"
        case .linear(let end): return before + "linear" + word("to", end, unless: 0)
        case .cosine(let end): return before + "cosine" + word("to", end, unless: 0)
        case .step(let every, let factor): return before + "step every \(every)" + word("by", factor, unless: 0.1)
        case .oneCycle(let rise, let start, let end):
            return before + "one-cycle" + word("rise", rise, unless: 0.3) + word("from", start, unless: 0.04)
                + word("to", end, unless: 4e-6)
        }
    }

    /// The forms that `init(_:)` reads, for a reader who is to write one.
    static let forms =
        "one of constant, linear [to X], cosine [to X], step every N [by X], one-cycle [rise X] [from X] [to X], each also behind warm-up N [from X] then"

    /// The schedule that the words of `text` name: one of
    ///
    ///     constant
    ///     linear [to X]
    ///     cosine [to X]
    ///     step every N [by X]
    ///     one-cycle [rise X] [from X] [to X]
    ///
    /// and before it perhaps `warm-up N [from X] then`. N is a number of steps, X a share from 0 to 1. Nil of other words.
    public init?(_ text: String) {
        var words = Words(text)
        var warmUp: WarmUp?
        if words.take("warm-up") {
            guard let steps = words.steps(), let start = words.share("from", default: 0), words.take("then") else {
                return nil
            }
            warmUp = WarmUp(steps: steps, from: start)
        }
        guard let course = Course(&words), words.isEmpty else { return nil }
        self.init(course: course, warmUp: warmUp)
    }
}

extension Schedule.Course {
    /// The course that the words begin with; nil of others.
    fileprivate init?(_ words: inout Words) {
        if words.take("constant") {
            self = .constant
        } else if words.take("linear"), let end = words.share("to", default: 0) {
            self = .linear(to: end)
        } else if words.take("cosine"), let end = words.share("to", default: 0) {
            self = .cosine(to: end)
        } else if words.take("step"), words.take("every"), let steps = words.steps(),
            let factor = words.share("by", default: 0.1)
        {
            self = .step(every: steps, by: factor)
        } else if words.take("one-cycle"), let rise = words.share("rise", default: 0.3),
            let start = words.share("from", default: 0.04), let end = words.share("to", default: 4e-6)
        {
            self = .oneCycle(rise: rise, from: start, to: end)
        } else {
            return nil
        }
    }
}

/// The words of a text, taken from the front.
private struct Words {
    private var rest: ArraySlice<Substring>

    init(_ text: String) { rest = text.split(separator: " ")[...] }

    var isEmpty: Bool { rest.isEmpty }

    /// Takes the next word if it is this one.
    mutating func take(_ word: String) -> Bool {
        guard let first = rest.first, first == word else { return false }
        rest.removeFirst()
        return true
    }

    /// A number of steps, from 1 on.
    mutating func steps() -> Int? { rest.popFirst().flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil } }

    /// The share behind `name`, or the usual one where the next word is another; nil where no share from 0 to 1 follows.
    mutating func share(_ name: String, default usual: Double) -> Double? {
        guard take(name) else { return usual }
        return rest.popFirst().flatMap { word in
            // Double also reads "nan" and hexadecimal digits.
            word.allSatisfy { "0123456789+-.eE".contains($0) } ? Double(word) : nil
        }.flatMap { (0...1).contains($0) ? $0 : nil }
    }
}
