// exp, tanh and sigmoid on sixteen lanes, or on eight.
//
// Goals, in order: accurate over the whole range, infinities and subnormal results included; no table and no call, so
// that a loop over them stays in registers; few instructions and a short chain of them, because a core holds only
// five or so of these chains at a time. `TranscendentalTests` asserts the errors stated here on a grid of two million
// points, for the fused and the portable build.
//
// All three write x = n·ln 2 + r and build 2ⁿ from the bits of a float. With r as half an exponent,
//
//     eʳ = (A + r/2) / (A - r/2),   A = r/2 · coth(r/2) = 1 + r²/12 - r⁴/720 + …
//
// so two terms of A do what a polynomial of degree six does, wherever a division is needed anyway.

/// 1.5·2²³ + 127: the sum with a number below 2²² has the nearest whole number plus 127 in its low bits.
private let roundingShift: Float = 12_583_039

/// Sixteen lanes or eight: the functions below are written once for both. What compares numbers or looks at their bits is
/// spelled out for each, because there the compiler has a vector instruction for types that it knows, and takes the lanes of
/// others one by one.
///
/// Eight lanes are not simply half of sixteen, whose bits would be the same: a build with registers of sixteen compares all
/// sixteen for them, and takes each mask apart again.
protocol FloatLanes: SIMD<Float> {
    /// self + a·b, rounded once where the build has a fused multiply-add.
    func mad(_ a: Self, _ b: Self) -> Self
    /// 2ⁿ where self is the sum of n and `roundingShift`, with n in -126...127; beyond, n + 127 shifted up 23 bits.
    var powerOfTwo: Self { get }
    /// self / other of two powers of two, which may lie outside -126...127 in self.
    func exponentRatio(to other: Self) -> Self
    /// The number between two limits in each lane; NaN stays NaN.
    func within(_ least: Float, _ most: Float) -> Self
    /// At most `limit`; NaN stays NaN.
    func atMost(_ limit: Float) -> Self
    /// |x| in each lane.
    var magnitude: Self { get }
    /// With the sign of `other`, of a number without one.
    func signed(as other: Self) -> Self
    /// `other` in the lanes where `x` is less than `limit`.
    func replaced(by other: Self, where x: Self, isBelow limit: Float) -> Self
}

extension SIMD16: FloatLanes where Scalar == Float {
    private typealias Bits = SIMD16<Int32>

    @_transparent var powerOfTwo: Lanes {
        unsafeBitCast(unsafeBitCast(self, to: Bits.self) &<< 23, to: Lanes.self)
    }
    @_transparent func exponentRatio(to other: Lanes) -> Lanes {
        let one = Int32(bitPattern: Float(1).bitPattern)
        return unsafeBitCast(
            unsafeBitCast(self, to: Bits.self) &- unsafeBitCast(other, to: Bits.self) &+ one, to: Lanes.self)
    }
    @_transparent func within(_ least: Float, _ most: Float) -> Lanes {
        let x = replacing(with: least, where: self .< least)
        return x.replacing(with: most, where: x .> most)
    }
    @_transparent func atMost(_ limit: Float) -> Lanes { replacing(with: limit, where: self .> limit) }
    @_transparent var magnitude: Lanes {
        unsafeBitCast(unsafeBitCast(self, to: Bits.self) & 0x7FFF_FFFF, to: Lanes.self)
    }
    @_transparent func signed(as other: Lanes) -> Lanes {
        let sign = unsafeBitCast(other, to: Bits.self) & Int32(bitPattern: 0x8000_0000)
        return unsafeBitCast(unsafeBitCast(self, to: Bits.self) | sign, to: Lanes.self)
    }
    @_transparent func replaced(by other: Lanes, where x: Lanes, isBelow limit: Float) -> Lanes {
        replacing(with: other, where: x .< limit)
    }
}

extension SIMD8: FloatLanes where Scalar == Float {
    private typealias Bits = SIMD8<Int32>

    @_transparent var powerOfTwo: Octet {
        unsafeBitCast(unsafeBitCast(self, to: Bits.self) &<< 23, to: Octet.self)
    }
    @_transparent func exponentRatio(to other: Octet) -> Octet {
        let one = Int32(bitPattern: Float(1).bitPattern)
        return unsafeBitCast(
            unsafeBitCast(self, to: Bits.self) &- unsafeBitCast(other, to: Bits.self) &+ one, to: Octet.self)
    }
    @_transparent func within(_ least: Float, _ most: Float) -> Octet {
        let x = replacing(with: least, where: self .< least)
        return x.replacing(with: most, where: x .> most)
    }
    @_transparent func atMost(_ limit: Float) -> Octet { replacing(with: limit, where: self .> limit) }
    @_transparent var magnitude: Octet {
        unsafeBitCast(unsafeBitCast(self, to: Bits.self) & 0x7FFF_FFFF, to: Octet.self)
    }
    @_transparent func signed(as other: Octet) -> Octet {
        let sign = unsafeBitCast(other, to: Bits.self) & Int32(bitPattern: 0x8000_0000)
        return unsafeBitCast(unsafeBitCast(self, to: Bits.self) | sign, to: Octet.self)
    }
    @_transparent func replaced(by other: Octet, where x: Octet, isBelow limit: Float) -> Octet {
        replacing(with: other, where: x .< limit)
    }
}

extension SIMD16 where Scalar == Float {
    /// eˣ in each lane. Worst error 1.3 ulp; exact 0 and ∞ outside the range, NaN stays NaN.
    ///
    /// Lanes that are all below 87 take one factor 2ⁿ; otherwise it is applied in two parts, so that subnormal results
    /// and those next to overflow come out right.
    @inline(__always) func exponential() -> Lanes {
        guard all(magnitude .< 87) else { return exponentialOfAnything() }
        let (growth, power) = exponentialParts()
        return power.mad(growth, power)
    }

    @inline(never) private func exponentialOfAnything() -> Lanes {
        let (growth, power) = within(-104, 89).exponentialParts()
        let normal = power.within(0x1p-126, 0x1p127)
        return normal.mad(growth, normal) * power.exponentRatio(to: normal)
    }
}

extension FloatLanes {
    /// eˣ - 1 and 2ⁿ of x = n·ln 2 + r, as eʳ - 1 and 2ⁿ: Cody and Waite's two-part ln 2, |r| ≤ ln 2 / 2, and a
    /// polynomial of degree 6.
    @_transparent fileprivate func exponentialParts() -> (growth: Self, power: Self) {
        let shift = Self(repeating: roundingShift)
        let shifted = shift.mad(self, Self(repeating: 1.442_695_040_9))
        let whole = shifted - shift
        let r = mad(whole, Self(repeating: -0.693_359_375)).mad(whole, Self(repeating: 2.121_944_400_5e-4))
        let square = r * r
        let even = Self(repeating: 0.499_999_940).mad(
            Self(repeating: 0.041_668_389_0).mad(Self(repeating: 0.001_381_453_94), square), square)
        let odd = Self(repeating: 0.166_665_211).mad(Self(repeating: 0.008_368_745_45), square)
        return (r.mad(even.mad(odd, r), square), shifted.powerOfTwo)
    }

    /// The logistic function 1 / (1 + e⁻ˣ) in each lane. Worst error 2.5 ulp over the whole range.
    ///
    /// With x = n·ln 2 + r it is 2ⁿ(A + r/2) / (2ⁿ(A + r/2) + (A - r/2)), both divided by 2ᵐ, m = max(n, -126), so that
    /// no power leaves the range; the small values on the left keep their accuracy down to the subnormal ones.
    @_transparent func sigmoid() -> Self {
        let (above, below, power) = within(-105, 87).logisticParts()
        let normal = power.replaced(by: Self(repeating: 0x1p-126), where: power, isBelow: 0x1p-126)
        let top = power.exponentRatio(to: normal) * above
        return top / top.mad(Self(repeating: 1).exponentRatio(to: normal), below)
    }

    /// The logistic function for a gate: as `sigmoid`, but what is below 2⁻¹²⁵ comes out as that. Four instructions
    /// of nineteen fewer.
    @_transparent func gate() -> Self {
        let (above, below, power) = within(-87, 87).logisticParts()
        return above / above.mad(Self(repeating: 1).exponentRatio(to: power), below)
    }

    /// 2A + r, 2A - r and 2ⁿ of x = n·ln 2 + r.
    @_transparent private func logisticParts() -> (above: Self, below: Self, power: Self) {
        let shift = Self(repeating: roundingShift)
        let shifted = shift.mad(self, Self(repeating: 1.442_695_040_9))
        let whole = shifted - shift
        let r = mad(whole, Self(repeating: -0.693_359_375)).mad(whole, Self(repeating: 2.121_944_400_5e-4))
        let square = r * r
        let twice = Self(repeating: 2).mad(
            Self(repeating: 0.166_666_180).mad(Self(repeating: -0.002_765_970_54), square), square)
        return (twice + r, twice - r, shifted.powerOfTwo)
    }

    /// The hyperbolic tangent in each lane. Worst error 1.5 ulp over the whole range.
    ///
    /// |x| = n·ln 2 / 2 + r. From 0.65 on it is 1 - 2(A - r) / (2ⁿ(A + r) + (A - r)) with A = r·coth r; below, n is 0
    /// and it is x - x(A - 1)/A: one division for both, and one rounding that counts.
    @_transparent func hyperbolicTangent() -> Self {
        let x = magnitude
        let y = x.atMost(9.5)
        let shift = Self(repeating: roundingShift)
        let shifted = shift.mad(y.replaced(by: .zero, where: y, isBelow: 0.65), Self(repeating: 2.885_390_081_8))
        let r = y.mad(shifted - shift, Self(repeating: -0.346_573_59))
        let square = r * r
        let excess =
            Self(repeating: 0.333_330_661).mad(
                Self(repeating: -0.022_183_369_8).mad(Self(repeating: 0.001_954_392_04), square), square) * square
        let a = excess + 1
        let less = a - r
        let top = less.replaced(by: r * excess, where: y, isBelow: 0.65)
        let base = Self(repeating: 1).replaced(by: y, where: y, isBelow: 0.65)
        let result = base.mad(Self(repeating: -2), top / less.mad(shifted.powerOfTwo, a + r))
        return result.signed(as: self)
    }
}

/// The natural logarithm of a positive, normal number, the same bits on every platform; worst error 2 ulp.
///
/// x = 2ᵏ·m with m in [√½, √2), ln m = 2·artanh s with s = (m - 1) / (m + 1) as a series in s². Plain additions,
/// multiplications and divisions only, because the system's own `log` differs between systems and this one feeds the
/// random generator and the loss.
func naturalLogarithm(_ x: Double) -> Double {
    let isLarge = x.significand > 1.414_213_562_373_095_1
    return naturalLogarithm(
        SIMD2(repeating: isLarge ? x.significand / 2 : x.significand),
        SIMD2(repeating: Double(x.exponent) + (isLarge ? 1 : 0)))[0]
}

/// The same bits in each lane, of x ≥ 1; not a number where x is not finite.
func naturalLogarithm(_ x: Lanes) -> Lanes {
    Lanes(
        lowHalf: Octet(naturalLogarithm(SIMD8<Double>(x.lowHalf))),
        highHalf: Octet(naturalLogarithm(SIMD8<Double>(x.highHalf)))
    ).replacing(with: .nan, where: x - x .!= .zero)
}

@inline(__always)
private func naturalLogarithm(_ x: SIMD8<Double>) -> SIMD8<Double> {
    typealias Bits = SIMD8<UInt64>
    let bits = unsafeBitCast(x, to: Bits.self)
    // The sum has the power k, which grows by 1 where the significand is above √2, whose bits end with 0x6…D.
    let sum = bits &+ (0x000F_FFFF_FFFF_FFFF - 0x6_A09E_667F_3BCD)
    let m = unsafeBitCast(bits &- (sum & 0xFFF0_0000_0000_0000) &+ 0x3FF0_0000_0000_0000, to: SIMD8<Double>.self)
    // 2⁵² + k + 1023, less what is not k.
    let k = unsafeBitCast((sum &>> 52) | 0x4330_0000_0000_0000, to: SIMD8<Double>.self) - (0x1p52 + 1023)
    return naturalLogarithm(m, k)
}

/// ln (2ᵏ·m).
@inline(__always)
private func naturalLogarithm<Numbers: SIMD<Double>>(_ m: Numbers, _ k: Numbers) -> Numbers {
    let s = (m - 1) / (m + 1)
    let square = s * s
    var series = Numbers.zero
    var n = 23.0
    while n >= 3 {
        series = (series + 1 / n) * square
        n -= 2
    }
    return k * 0.693_147_180_559_945_31 + 2 * (s + s * series)
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
