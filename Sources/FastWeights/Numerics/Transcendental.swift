// exp, tanh and sigmoid on sixteen lanes.
//
// Goals, in order: accurate over the whole range, infinities and subnormal results included; no table and no call, so
// that a loop over them stays in registers; few instructions. `TranscendentalTests` asserts the errors stated here on
// a grid of two million points, for the fused and the portable build.

extension SIMD16 where Scalar == Float {
    /// eˣ in each lane. Worst error 1.3 ulp; exact 0 and ∞ outside the range, NaN stays NaN.
    @inline(__always) func exponential() -> Lanes {
        Lanes(lowHalf: lowHalf.exponential(), highHalf: highHalf.exponential())
    }

    /// The logistic function 1 / (1 + e⁻ˣ) in each lane. Worst error 2.5 ulp over the whole range.
    @inline(__always) func sigmoid() -> Lanes {
        Lanes(lowHalf: lowHalf.sigmoid(), highHalf: highHalf.sigmoid())
    }

    /// The hyperbolic tangent in each lane. Worst error 1.5 ulp over the whole range.
    @inline(__always) func hyperbolicTangent() -> Lanes {
        Lanes(lowHalf: lowHalf.hyperbolicTangent(), highHalf: highHalf.hyperbolicTangent())
    }
}

// The work is done on eight lanes, one AVX2 register: of comparisons of sixteen the compiler makes masks of another
// width than the numbers, and falls back to vectors of four.

extension SIMD8 where Scalar == Float {
    @inline(__always) private init(_ x: Float) { self.init(repeating: x) }

    /// self + a·b, as `Lanes.mad`.
    @inline(__always) func mad(_ a: SIMD8<Float>, _ b: SIMD8<Float>) -> SIMD8<Float> {
        #if FMA || arch(arm64)
            addingProduct(a, b)
        #else
            self + a * b
        #endif
    }

    @inline(__always) private var magnitude: SIMD8<Float> {
        unsafeBitCast(unsafeBitCast(self, to: SIMD8<UInt32>.self) & 0x7FFF_FFFF, to: SIMD8<Float>.self)
    }

    /// 2ⁿ for whole n in -126...127, made by writing the exponent bits.
    @inline(__always) private static func powerOfTwo(_ n: SIMD8<Int32>) -> SIMD8<Float> {
        unsafeBitCast((n &+ 127) &<< 23, to: SIMD8<Float>.self)
    }

    /// n and e^r of self = n·ln 2 + r with whole n and |r| ≤ ln 2 / 2, for |self| ≤ 104: Cody and Waite's two-part ln 2,
    /// then a polynomial of degree 6 in r, in pairs of terms so that its chain is short.
    @inline(__always) private func reduced() -> (n: SIMD8<Int32>, power: SIMD8<Float>) {
        // Adding 1.5·2²³ leaves the nearest whole number in the low bits of the sum.
        let magic = SIMD8<Float>(12_582_912)
        let shifted = magic.mad(self, SIMD8(1.442_695_040_9))
        let n = unsafeBitCast(shifted, to: SIMD8<Int32>.self) &- 0x4B40_0000
        let whole = shifted - magic
        let r = mad(whole, SIMD8(-0.693_359_375)).mad(whole, SIMD8(2.121_944_400_5e-4))
        let square = r * r
        let high = SIMD8(1.398_199_950_7e-3).mad(SIMD8(1.987_569_15e-4), r)
        let middle = SIMD8(4.166_579_589_4e-2).mad(SIMD8(8.333_451_907_3e-3), r)
        let low = SIMD8(5.000_000_120_1e-1).mad(SIMD8(1.666_666_545_9e-1), r)
        return (n, (r + 1).mad(low.mad(middle.mad(high, square), square), square))
    }

    /// p·2ⁿ for p near 1 and -126 < n < 127: n is added to the exponent's bits.
    @inline(__always) private static func scaled(_ p: SIMD8<Float>, by n: SIMD8<Int32>) -> SIMD8<Float> {
        unsafeBitCast(unsafeBitCast(p, to: SIMD8<Int32>.self) &+ n &<< 23, to: SIMD8<Float>.self)
    }

    /// As `Lanes.exponential`. Where all eight results are normal numbers, which a branch finds out, this costs a third
    /// less.
    @inline(__always) func exponential() -> SIMD8<Float> {
        if any(magnitude .> 87) { return exponentialOfAnyRange() }
        let (n, power) = reduced()
        return Self.scaled(power, by: n)
    }

    /// The factor 2ⁿ is applied in two halves, so that subnormal results and those next to overflow come out right.
    @inline(__always) private func exponentialOfAnyRange() -> SIMD8<Float> {
        replacing(with: 89, where: self .> 89).exponentialBelowOverflow()
    }

    @inline(__always) private func exponentialBelowOverflow() -> SIMD8<Float> {
        let (n, power) = replacing(with: -104, where: self .< -104).reduced()
        let half = n &>> 1
        return power * Self.powerOfTwo(half) * Self.powerOfTwo(n &- half)
    }

    /// As `Lanes.sigmoid`: from e⁻|ˣ|, which never overflows and keeps the small values on the left accurate. (A branch
    /// for results in the normal range, as in the exponential, gained nothing in the gates of an LSTM.)
    @inline(__always) func sigmoid() -> SIMD8<Float> {
        let e = (0 - magnitude).exponentialBelowOverflow()
        return SIMD8(1).replacing(with: e, where: self .< 0) / (e + 1)
    }

    /// As `Lanes.hyperbolicTangent`: an odd polynomial below 0.625 (the coefficients of Moshier's Cephes library),
    /// 1 - 2 / (e²ˣ + 1) above.
    @inline(__always) func hyperbolicTangent() -> SIMD8<Float> {
        let square = self * self
        let fourth = square * square
        let high = SIMD8(2.063_908_885_22e-2).mad(SIMD8(-5.704_988_727_45e-3), square)
        let middle = SIMD8(1.333_144_220_36e-1).mad(SIMD8(-5.373_971_431_41e-2), square)
        let near = mad(SIMD8(-3.333_327_941_46e-1).mad(middle.mad(high, fourth), square) * square, self)
        let size = magnitude
        let twice = size + size
        let (n, power) = twice.replacing(with: 19, where: twice .> 19).reduced()
        let far = unsafeBitCast(1 - 2 / (Self.scaled(power, by: n) + 1), to: SIMD8<UInt32>.self)
        let sign = unsafeBitCast(self, to: SIMD8<UInt32>.self) & 0x8000_0000
        return unsafeBitCast(far | sign, to: SIMD8<Float>.self).replacing(with: near, where: size .< 0.625)
    }
}

/// The natural logarithm of a positive, normal number, the same bits on every platform; worst error 2 ulp.
///
/// x = 2ᵏ·m with m in [√½, √2), ln m = 2·artanh s with s = (m - 1) / (m + 1) as a series in s². Plain additions,
/// multiplications and divisions only, because the system's own `log` differs between systems and this one feeds the
/// random generator and the loss.
func naturalLogarithm(_ x: Double) -> Double {
    var k = Int(x.exponent)
    var m = x.significand
    if m > 1.414_213_562_373_095_1 {
        m /= 2
        k += 1
    }
    let s = (m - 1) / (m + 1)
    let square = s * s
    var series = 0.0
    var n = 23.0
    while n >= 3 {
        series = (series + 1 / n) * square
        n -= 2
    }
    return Double(k) * 0.693_147_180_559_945_31 + 2 * (s + s * series)
}

/// xⁿ for n ≥ 0 by squaring, the same bits on every platform.
func power(_ x: Double, _ n: Int) -> Double {
    var (result, base, left) = (1.0, x, n)
    while left > 0 {
        if left & 1 == 1 { result *= base }
        base *= base
        left >>= 1
    }
    return result
}
