/// The module's random generator: xoshiro256++ (Blackman and Vigna 2019), seeded by SplitMix64.
///
/// The same seed gives the same numbers on every platform and in every version of this module: only integer
/// operations, exact conversions and the module's own logarithm are used. Not for cryptography.
public struct Random: RandomNumberGenerator, Sendable {
    private var s0: UInt64
    private var s1: UInt64
    private var s2: UInt64
    private var s3: UInt64

    /// A generator for `seed`; `stream` gives independent sequences of one seed, for example one a purpose.
    public init(seed: UInt64, stream: UInt64 = 0) {
        var words = SplitMix64(state: seed &+ stream &* 0xD1B5_4A32_D192_ED03)
        s0 = words.next()
        s1 = words.next()
        s2 = words.next()
        s3 = words.next()
    }

    /// The next 64 random bits.
    public mutating func next() -> UInt64 {
        func rotate(_ x: UInt64, _ k: UInt64) -> UInt64 { (x << k) | (x >> (64 - k)) }
        let result = rotate(s0 &+ s3, 23) &+ s0
        let t = s1 << 17
        s2 ^= s0
        s3 ^= s1
        s1 ^= s2
        s0 ^= s3
        s2 ^= t
        s3 = rotate(s3, 45)
        return result
    }

    /// A uniform whole number in 0..<bound, without bias (Lemire's multiplication with rejection).
    public mutating func below(_ bound: Int) -> Int {
        require(bound > 0, "Random.below needs a bound of at least 1, found \(bound)")
        let n = UInt64(bound)
        var product = next().multipliedFullWidth(by: n)
        if product.low < n {
            let threshold = (0 &- n) % n
            while product.low < threshold { product = next().multipliedFullWidth(by: n) }
        }
        return Int(product.high)
    }

    /// A uniform number in [0, 1): the upper 53 bits as a fraction.
    public mutating func uniform() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// A uniform number in [-limit, limit), as a float.
    public mutating func uniform(within limit: Float) -> Float {
        Float((2 * uniform() - 1) * Double(limit))
    }

    /// A standard normal number (Marsaglia's polar method; its second value is not kept, so that the state is four
    /// words and nothing else).
    public mutating func normal() -> Double {
        while true {
            let u = 2 * uniform() - 1
            let v = 2 * uniform() - 1
            let s = u * u + v * v
            if s > 1e-300 && s < 1 { return u * (-2 * naturalLogarithm(s) / s).squareRoot() }
        }
    }

    /// Shuffles `values` in place (Fisher and Yates).
    public mutating func shuffle<T>(_ values: inout [T]) {
        var i = values.count - 1
        while i > 0 {
            values.swapAt(i, below(i + 1))
            i -= 1
        }
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014): a generator of one word, that seeds another one or draws few numbers.
struct SplitMix64: Sendable {
    private var state: UInt64

    init(state: UInt64) { self.state = state }

    /// The next 64 random bits.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A uniform number in [0, 1): the upper 53 bits as a fraction.
    mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }
}
