/// What the fast weights attended to: for each step of a sequence how strongly every earlier step comes back.
///
/// The fast weights are a decayed sum of outer products, so their product with the present hidden vector is a sum over
/// the past, weighted by how much the present resembles it (Ba et al. 2016, section 3, equation 4):
///
///     A(t)·h = η Σ_τ λ^(t-τ) h(τ) [h(τ)·h]
///
/// `weights[t][τ]` is the scalar in front of h(τ).
struct HeatMap: Sendable {
    /// The characters of the sequence, one a step; the last is the query.
    let sequence: [Character]
    /// For each step t the weights of the steps τ < t, of either sign. What a row holds beyond that is ignored; a weight
    /// that is not a number is left blank.
    let weights: [[Double]]
    /// The network's probability of each digit.
    let probabilities: [Double]
    /// The digit that belongs to the query, where it is known.
    let correct: Int?

    /// - Precondition: a row of weights for each character, row t with at least t of them, and ten probabilities.
    init(sequence: [Character], weights: [[Double]], probabilities: [Double], correct: Int? = nil) {
        require(!sequence.isEmpty, "the sequence is empty")
        require(
            weights.count == sequence.count, "\(sequence.count) characters but \(weights.count) rows of weights")
        for (step, row) in weights.enumerated() {
            require(row.count >= step, "row \(step) has \(row.count) weights, fewer than there are earlier steps")
        }
        require(probabilities.count == 10, "ten digits but \(probabilities.count) probabilities")
        self.sequence = sequence
        self.weights = weights
        self.probabilities = probabilities
        self.correct = correct
    }

    /// The digit with the highest probability.
    var predicted: Int {
        probabilities.indices.max { HeatMap.rank(probabilities[$0]) < HeatMap.rank(probabilities[$1]) } ?? 0
    }

    private static func rank(_ probability: Double) -> Double {
        probability.isNaN ? -1 : probability
    }

    var past: [[Double]] { weights.enumerated().map { Array($1.prefix($0)) } }
    /// The weights of the query's row.
    var queryWeights: [Double] { past[past.count - 1] }
    /// The largest magnitude, to which the colors are scaled.
    var largest: Double { past.joined().lazy.filter(\.isFinite).map(\.magnitude).max() ?? 0 }
    var isSigned: Bool { past.joined().contains { $0 < 0 } }

    /// One sentence on what is seen.
    static let caption =
        "Each row is one step of reading, each square how strongly an earlier step comes back in it through the fast "
        + "weights:"

    var answerText: String {
        let text = "\(predicted), \(FixedPoint.percent(probabilities[predicted], decimals: 1))"
        guard let correct else { return text }
        return text + (correct == predicted ? ", correct" : ", wrong: it is \(correct)")
    }

    // MARK: - Terminal

    /// How many colors a terminal shows.
    enum TerminalColors: Sendable {
        case none, indexed256, trueColor
    }

    /// The heat map and the answer as rows of text, each ending with a newline.
    ///
    /// Without colors the squares are shaded with characters, a tilde before the negative ones.
    func terminal(_ colors: TerminalColors) -> String {
        let sign = isSigned ? (colors == .none ? ", ~ negative" : ", blue negative") : ""
        var text = "        earlier step →\n"
        text += "  step   " + sequence.map { " \(TextTable.singleLine(String($0))) " }.joined() + "\n"
        for step in sequence.indices.dropFirst() {
            let isQuery = step == sequence.count - 1
            let number = TextTable.padded(String(step), to: 4, .right)
            let name = TextTable.singleLine(String(sequence[step]))
            text += (isQuery ? "\n▶" : " ") + "\(number) \(name)  "
            text += past[step].map { square($0, colors) }.joined()
            text += isQuery ? " ◀ query\n" : "\n"
        }
        let largestText = FixedPoint.text(largest, decimals: 3)
        text += "\n  scale  " + (0...4).map { square(largest * Double($0) / 4, colors) }.joined()
        text += "  0 to \(largestText)\(sign)\n\n"
        text += "  answer \(answerText)\n"
        for digit in probabilities.indices {
            text += probabilityLine(digit, colors)
        }
        return text
    }

    private func square(_ weight: Double, _ colors: TerminalColors) -> String {
        guard let level = ColorScale.level(weight, largest: largest) else { return " ? " }
        if colors == .none {
            let shades = Array(" .:-=+*#%@")
            let shade = shades[(level.magnitude > 0 ? 1 : 0) + Int(level.magnitude) * 8 / ColorScale.levels]
            return (level < 0 ? "~" : " ") + String(repeating: shade, count: 2)
        }
        return background(level, colors) + "   \u{1B}[0m"
    }

    private func background(_ level: Int, _ colors: TerminalColors) -> String {
        let step = Int(level.magnitude)
        if colors == .indexed256 {
            let code = (level < 0 ? ColorScale.indexedNegative : ColorScale.indexedPositive)[step]
            return "\u{1B}[48;5;\(code)m"
        }
        let color = (level < 0 ? ColorScale.darkNegative : ColorScale.darkPositive)[step]
        let (red, green, blue) = ColorScale.components(color)
        return "\u{1B}[48;2;\(red);\(green);\(blue)m"
    }

    private func probabilityLine(_ digit: Int, _ colors: TerminalColors) -> String {
        let probability = probabilities[digit]
        let length = probability.isNaN ? 0 : Int((min(1, max(0, probability)) * 24).rounded())
        let mark = digit == predicted ? "▶" : " "
        let bar = TextTable.padded(String(repeating: colors == .none ? "#" : "█", count: length), to: 24)
        let value = TextTable.padded(FixedPoint.percent(probability, decimals: 1), to: 7, .right)
        let note = digit == correct ? "  correct" : ""
        let isBright = colors != .none && digit == predicted
        return "  \(mark) \(digit)  " + (isBright ? "\u{1B}[1m" : "") + bar + (isBright ? "\u{1B}[0m" : "")
            + " \(value)\(note)\n"
    }
}
