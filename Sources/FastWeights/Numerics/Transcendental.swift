// exp, tanh and sigmoid on sixteen lanes.
//
// Goals, in order: accurate over the whole range, infinities and subnormal results included; no table and no call, so
// that a loop over them stays in registers; few instructions. `TranscendentalTests` asserts the errors stated here on
// a grid of two million points, for the fused and the portable build.

extension SIMD16 where Scalar == Float {
    /// 2ⁿ for whole n in -126...127, made by writing the exponent bits.
    @inline(__always) private static func powerOfTwo(_ n: SIMD16<Int32>) -> Lanes {
        unsafeBitCast((n &+ 127) &<< 23, to: Lanes.self)
    }

    /// eˣ in each lane. Worst error 1.3 ulp; exact 0 and ∞ outside the range, NaN stays NaN.
    ///
    /// x = n·ln 2 + r with |r| ≤ ln 2 / 2 (Cody and Waite's two-part ln 2), then a polynomial of degree 6 in r. The
    /// factor 2ⁿ is applied in two halves, so that subnormal results and those next to overflow come out right.
    @inline(__always) func exponential() -> Lanes {
        var x = self
        x.replace(with: -104, where: x .< -104)
        x.replace(with: 89, where: x .> 89)
        // Adding 1.5·2²³ leaves the nearest whole number in the low bits of the sum.
        let magic = Lanes(repeating: 12_582_912)
        let shifted = magic.mad(x, Lanes(repeating: 1.442_695_040_9))
        let n = unsafeBitCast(shifted, to: SIMD16<Int32>.self) &- 0x4B40_0000
        let whole = shifted - magic
        var r = x.mad(whole, Lanes(repeating: -0.693_359_375))
        r = r.mad(whole, Lanes(repeating: 2.121_944_400_5e-4))
        var p = Lanes(repeating: 1.987_569_15e-4)
        p = Lanes(repeating: 1.398_199_950_7e-3).mad(p, r)
        p = Lanes(repeating: 8.333_451_907_3e-3).mad(p, r)
        p = Lanes(repeating: 4.166_579_589_4e-2).mad(p, r)
        p = Lanes(repeating: 1.666_666_545_9e-1).mad(p, r)
        p = Lanes(repeating: 5.000_000_120_1e-1).mad(p, r)
        let result = (r + 1).mad(p, r * r)
        let half = n &>> 1
        return result * Lanes.powerOfTwo(half) * Lanes.powerOfTwo(n &- half)
    }

    /// The logistic function 1 / (1 + e⁻ˣ) in each lane. Worst error 2.5 ulp over the whole range.
    ///
    /// Computed from e⁻|ˣ|, which never overflows and keeps the small values on the left accurate.
    @inline(__always) func sigmoid() -> Lanes {
        let negative = self .< 0
        let e = replacing(with: 0 - self, where: self .> 0).exponential()
        return Lanes(repeating: 1).replacing(with: e, where: negative) / (e + 1)
    }

    /// The hyperbolic tangent in each lane. Worst error 1.5 ulp over the whole range.
    ///
    /// An odd polynomial below 0.625 (the coefficients of Moshier's Cephes library), 1 - 2 / (e²ˣ + 1) above.
    @inline(__always) func hyperbolicTangent() -> Lanes {
        let square = self * self
        var p = Lanes(repeating: -5.704_988_727_45e-3)
        p = Lanes(repeating: 2.063_908_885_22e-2).mad(p, square)
        p = Lanes(repeating: -5.373_971_431_41e-2).mad(p, square)
        p = Lanes(repeating: 1.333_144_220_36e-1).mad(p, square)
        p = Lanes(repeating: -3.333_327_941_46e-1).mad(p, square)
        let near = mad(p * square, self)
        let magnitude = replacing(with: 0 - self, where: self .< 0)
        let far = 1 - 2 / ((magnitude + magnitude).exponential() + 1)
        let signed = far.replacing(with: 0 - far, where: self .< 0)
        return signed.replacing(with: near, where: magnitude .< 0.625)
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
