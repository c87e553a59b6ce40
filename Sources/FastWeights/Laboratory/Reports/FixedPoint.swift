/// Numbers as text with a fixed number of decimals, the same characters on every machine.
///
/// Goals in priority order: the printed digits are the exactly rounded value (ties to even, as C's printf rounds), no
/// "-0.00", no dependence on a locale or on Foundation, and a word instead of digits where there is no number.
enum FixedPoint {
    /// What stands where a number would, when the value is not a number.
    static let notAvailable = "n/a"

    /// The value with `decimals` digits after the point, "n/a" for NaN, "inf" or "-inf" for an infinity.
    ///
    /// - Precondition: `decimals` in 0...18.
    static func text(_ value: Double, decimals: Int) -> String {
        require((0...18).contains(decimals), "decimals must be in 0...18, not \(decimals)")
        if value.isNaN { return notAvailable }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }

        let magnitude = value.magnitude
        let whole = magnitude.rounded(.towardZero)
        var unit: UInt64 = 1
        for _ in 0..<decimals { unit *= 10 }
        var fraction = scaledAndRounded(magnitude - whole, by: unit, wholeIsOdd: decimals == 0 && isOdd(whole))
        var digits = integerDigits(whole)
        if fraction == unit {
            // Only a whole part below 2^53 has a fraction that could carry into it.
            digits = String(UInt64(whole) + 1)
            fraction = 0
        }
        let isZero = fraction == 0 && digits == "0"
        var result = value < 0 && !isZero ? "-" : ""
        result += digits
        if decimals > 0 {
            let tail = String(fraction)
            result += "." + String(repeating: "0", count: decimals - tail.count) + tail
        }
        return result
    }

    /// A rate 0...1 as a percentage: 0.0181 is "1.81 %".
    static func percent(_ rate: Double, decimals: Int = 2) -> String {
        rate.isNaN ? notAvailable : text(rate * 100, decimals: decimals) + " %"
    }

    /// A whole number with a comma between groups of three digits.
    static func grouped(_ value: Int) -> String {
        let digits = String(value.magnitude)
        var result = value < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0 && (digits.count - index) % 3 == 0 { result.append(",") }
            result.append(digit)
        }
        return result
    }

    /// A span of time as "7 s", "12 min 4 s" or "3 h 12 min"; "?" when it is not known.
    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e9 else { return "?" }
        let total = Int(max(0, seconds).rounded())
        let (hours, minutes, rest) = (total / 3600, total / 60 % 60, total % 60)
        if hours > 0 { return "\(hours) h \(minutes) min" }
        return minutes > 0 ? "\(minutes) min \(rest) s" : "\(rest) s"
    }

    /// `fraction * unit` rounded to an integer, ties to even, from the exact binary value: the 53-bit significand times
    /// a unit below 2^60 fits in two words, and dividing by the power of two is a shift.
    private static func scaledAndRounded(_ fraction: Double, by unit: UInt64, wholeIsOdd: Bool) -> UInt64 {
        if fraction == 0 { return 0 }
        // fraction = significand * 2^-shift
        let significand = fraction.significandBitPattern | (fraction.isNormal ? 1 << 52 : 0)
        let shift = 52 - (fraction.isNormal ? Int(fraction.exponent) : -1022)
        let product = significand.multipliedFullWidth(by: unit)
        if shift > 114 { return 0 }  // below half a unit whatever the digits are
        let quotient: UInt64
        let remainder: (high: UInt64, low: UInt64)
        let half: (high: UInt64, low: UInt64)
        if shift >= 64 {
            quotient = product.high >> (shift - 64)
            remainder = (product.high & ((1 << (shift - 64)) - 1), product.low)
            half = shift == 64 ? (0, 1 << 63) : (1 << (shift - 65), 0)
        } else {
            quotient = product.high << (64 - shift) | product.low >> shift
            remainder = (0, product.low & ((1 << shift) - 1))
            half = (0, 1 << (shift - 1))
        }
        if remainder < half { return quotient }
        if remainder > half { return quotient + 1 }
        let isOdd = unit == 1 ? wholeIsOdd : quotient % 2 == 1
        return quotient + (isOdd ? 1 : 0)
    }

    private static func isOdd(_ whole: Double) -> Bool {
        whole < 0x1p53 && UInt64(whole) % 2 == 1
    }

    /// The digits of a whole non-negative value; those beyond 64 bits by doubling decimal digits, which is exact.
    private static func integerDigits(_ whole: Double) -> String {
        if whole < 0x1p64 { return String(UInt64(whole)) }
        var digits: [UInt8] = String(whole.significandBitPattern | 1 << 52).utf8.reversed().map { $0 - 48 }
        for _ in 0..<(Int(whole.exponent) - 52) {
            var carry: UInt8 = 0
            for index in digits.indices {
                let doubled = digits[index] * 2 + carry
                digits[index] = doubled % 10
                carry = doubled / 10
            }
            if carry > 0 { digits.append(carry) }
        }
        return String(decoding: digits.reversed().map { $0 + 48 }, as: UTF8.self)
    }
}
