/// What a model scores on associative retrieval without binding digits to letters: it knows which digits occurred and
/// how often, and answers accordingly. A model at this level has learned no association at all.
@_spi(Laboratory) public struct Plateau: Sendable, Equatable {
    /// Error of the answer "the most frequent digit", 0...1, exact.
    public let error: Double
    /// Cross-entropy in nats of the answer "each digit as often as it occurred", exact.
    public let loss: Double

    /// For sequences of `task`: E[1 - max count / K] and E[Σ (count/K)·(-log(count/K))] over the digits' counts.
    public init(_ task: AssociativeRetrieval) {
        let k = task.pairs
        guard task.repeatsDigits else {
            error = 1 - 1 / Double(k)
            loss = naturalLogarithm(Double(k))
            return
        }
        // P(max count ≤ m) = K!/10ᴷ · [xᴷ] (Σ_{j≤m} xʲ/j!)¹⁰, so E[max] = Σ_m P(max > m).
        var factorials = [1.0]
        for j in 1...k { factorials.append(factorials[j - 1] * Double(j)) }
        var expectedMax = 0.0
        for m in 0..<k {
            var product = [1.0] + [Double](repeating: 0, count: k)
            for _ in 0..<10 {
                product = (0...k).map { n in
                    (0...min(m, n)).reduce(0.0) { $0 + product[n - $1] / factorials[$1] }
                }
            }
            expectedMax += 1 - product[k] * factorials[k] / power(10, k)
        }
        error = 1 - expectedMax / Double(k)
        // Each digit's count is binomial with probability 1/10.
        var nats = 0.0
        for j in 1...k {
            let ways = factorials[k] / (factorials[j] * factorials[k - j])
            let share = Double(j) / Double(k)
            nats -= 10 * ways * power(0.1, j) * power(0.9, k - j) * share * naturalLogarithm(share)
        }
        loss = nats
    }
}
