/// The associative-retrieval task of Ba et al. 2016, section 4.1: K letter-digit pairs, "??", one of the letters; the
/// answer is its digit. `c9k8j3f1??c` asks for 9.
///
/// Letters are drawn without replacement, digits with (the paper's `j0a5s5z2??a` repeats one) unless asked otherwise.
@_spi(Laboratory) public struct AssociativeRetrieval: Sendable, Equatable {
    /// K, pairs a sequence.
    public let pairs: Int
    /// Whether a digit may occur twice in a sequence.
    public let repeatsDigits: Bool

    /// 26 letters, 10 digits and the question mark.
    public static let vocabulary = 37
    /// The ten digits.
    public static let classes = 10
    private static let symbols = Array("abcdefghijklmnopqrstuvwxyz0123456789?".utf8)
    private static let firstDigit = 26
    private static let question: UInt8 = 36

    /// The paper's network around a recurrent layer: an embedding of 100 numbers below it, and on its last step a layer of 100
    /// ReLU units and one of the classes.
    public static func classifier(_ layer: Layer, embeddingDeviation: Float = 1) -> NetworkConfiguration {
        NetworkConfiguration(
            .tokens(vocabulary),
            NetworkConfiguration.classifier(
                embedding: 100, deviation: embeddingDeviation, layer, head: 100, classes: classes))
    }

    /// T, tokens a sequence: 2K + 3.
    public var steps: Int { 2 * pairs + 3 }

    /// Throws when there are not as many different letters, or digits where they may not repeat.
    public init(pairs: Int, repeatsDigits: Bool = true) throws(TaskError) {
        let limit = repeatsDigits ? 26 : 10
        guard (1...limit).contains(pairs) else { throw .pairs(pairs, limit: limit) }
        self.pairs = pairs
        self.repeatsDigits = repeatsDigits
    }

    /// Number of different examples.
    var distinct: Double {
        var count = Double(pairs)
        for k in 0..<pairs { count *= Double(26 - k) * Double(repeatsDigits ? 10 : 10 - k) }
        return count
    }

    /// Sets of examples of the given sizes, all different, so that none is in two sets. The same for the same seed.
    ///
    /// Throws `TaskError` when there are not as many different sequences. Traps on a size below 0 or above 2³².
    public func generate(counts: [Int], seed: UInt64) throws(TaskError) -> [Examples] {
        if let wrong = counts.first(where: { !(0...1 << 32).contains(Int64($0)) }) {
            misuse("a set has from 0 to 2³² examples, found \(wrong)")
        }
        let total = counts.reduce(0, +)
        guard Double(total) <= distinct else { throw .tooManyExamples(total, distinct: Int(distinct), pairs: pairs) }
        var random = Random(seed: seed, stream: 3)
        // A hash is enough to tell examples apart: that two different ones share it only costs a new draw.
        var seen = Set<UInt64>(minimumCapacity: total)
        var sets: [Examples] = []
        var letters = Array(UInt8(0)..<26)
        var digits = Array(UInt8(0)..<10)
        var sequence = [UInt8](repeating: Self.question, count: steps)
        for count in counts {
            var tokens: [UInt8] = []
            tokens.reserveCapacity(count * steps)
            var targets: [UInt8] = []
            while targets.count < count {
                for k in 0..<pairs {
                    letters.swapAt(k, k + random.below(26 - k))
                    if repeatsDigits {
                        sequence[2 * k + 1] = UInt8(Self.firstDigit + random.below(10))
                    } else {
                        digits.swapAt(k, k + random.below(10 - k))
                        sequence[2 * k + 1] = UInt8(Self.firstDigit) + digits[k]
                    }
                    sequence[2 * k] = letters[k]
                }
                let asked = random.below(pairs)
                sequence[steps - 1] = letters[asked]
                let hash = sequence.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
                guard seen.insert(hash).inserted else { continue }
                tokens += sequence
                targets.append(sequence[2 * asked + 1] - UInt8(Self.firstDigit))
            }
            sets.append(Examples(tokens: tokens, targets: targets, steps: steps))
        }
        return sets
    }

    /// The tokens of a sequence such as "c9k8j3f1??c", the digit it asks for, nil where no letter is that of the question,
    /// and its pairs. Throws `TaskError` for another text.
    public static func parse(_ text: String) throws(TaskError) -> (tokens: [UInt8], answer: UInt8?, pairs: Int) {
        let bytes = Array(text.lowercased().utf8)
        let tokens = bytes.compactMap { byte in symbols.firstIndex(of: byte).map { UInt8($0) } }
        let length = tokens.count
        guard tokens.count == bytes.count, length >= 5, length % 2 == 1,
            tokens[length - 3...length - 2] == [question, question],
            tokens[length - 1] < firstDigit
        else { throw .sequence(text) }
        let pairs = (length - 3) / 2
        var answer: UInt8?
        for k in 0..<pairs {
            guard tokens[2 * k] < firstDigit, (firstDigit..<36).contains(Int(tokens[2 * k + 1])) else {
                throw .sequence(text)
            }
            if tokens[2 * k] == tokens[length - 1] { answer = tokens[2 * k + 1] - UInt8(firstDigit) }
        }
        return (tokens, answer, pairs)
    }

    /// A sequence as it is written, for example "c9k8j3f1??c". Traps on a token that is none of the 37.
    public static func text(_ tokens: some Collection<UInt8>) -> String {
        let bytes = tokens.map { token in
            require(token < vocabulary, "a token of the task is from 0 to \(vocabulary - 1); \(token) was given")
            return symbols[Int(token)]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// What can be wrong with a task's settings or an example given by hand.
@_spi(Laboratory) public enum TaskError: Error, CustomStringConvertible, Equatable {
    /// So many pairs, of which there may be 1 to `limit`.
    case pairs(Int, limit: Int)
    /// So many different examples, of which there are only `distinct`.
    case tooManyExamples(Int, distinct: Int, pairs: Int)
    /// A text that is not a sequence of the task, with what is wrong.
    case sequence(String)
    /// A screen of Catch whose rows are not within `sizes`, or on which more frames are seen than there are.
    case screen(size: Int, visibleFrames: Int, sizes: ClosedRange<Int>)

    /// The sentence that says so.
    public var description: String {
        switch self {
        case .pairs(let pairs, let limit):
            "a sequence can have 1 to \(limit) pairs with these settings, found \(pairs)"
        case .tooManyExamples(let total, let distinct, let pairs):
            "\(total) different examples were asked for, but with \(pairs) pair\(pairs == 1 ? "" : "s") there are only \(distinct): ask for fewer examples or more pairs"
        case .sequence(let text):
            "expected letter-digit pairs, two question marks and a letter, as in c9k8j3f1??c; found \"\(text)\""
        case .screen(let size, let visibleFrames, let sizes):
            "a screen of Catch has \(sizes.lowerBound) to \(sizes.upperBound) rows and at most as many visible frames; found \(size) rows and \(visibleFrames) visible frames"
        }
    }
}
