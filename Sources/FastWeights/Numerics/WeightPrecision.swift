/// How many bits a stream keeps of each weight. Products are added up in single precision whatever the weights are.
public enum WeightPrecision: String, Sendable, CaseIterable {
    /// Single precision, 24 binary digits: the weights as they are.
    case float32
    /// The upper half of single precision: 8 binary digits in half the bytes, with the same range.
    ///
    /// A weight becomes the nearest such number, of two equally near ones the even one, and is wrong by a part of 2⁻⁸ at most.
    /// What is infinite or not a number stays so.
    case bfloat16
    /// IEEE half precision: 11 binary digits in half the bytes, of numbers up to 65504.
    ///
    /// A weight becomes the nearest such number, of two equally near ones the even one, and is wrong by a part of 2⁻¹¹
    /// at most, or below 2⁻¹⁴ by 2⁻²⁵. What is infinite or not a number stays so.
    case float16

    /// The largest number, to be read by people.
    var largest: String {
        switch self {
        case .float32: "3.4028e38"
        case .bfloat16: "3.3895e38"
        case .float16: "65504"
        }
    }

    /// The nearest number of this precision.
    func rounded(_ x: Float) -> Float {
        switch self {
        case .float32: x
        case .bfloat16: Float(bitPattern: x.upperHalf << 16)
        case .float16: x.roundedToHalf
        }
    }
}

extension Float {
    /// The bits of the nearest bfloat16, of two equally near ones the even one.
    var upperHalf: UInt32 {
        // What tells a NaN from infinity may stand in its lower half alone.
        isNaN ? bitPattern >> 16 | 0x40 : (bitPattern &+ 0x7FFF &+ (bitPattern >> 16 & 1)) >> 16
    }

    /// The nearest IEEE half, of two equally near ones the even one; by bits, as not every platform has `Float16`.
    fileprivate var roundedToHalf: Float {
        let size = magnitude
        if isNaN { return self }
        // Halfway between 65504 and what would follow.
        if size >= 65520 { return Float(sign: sign, exponent: 0, significand: .infinity) }
        // Below the smallest normal half they are the multiples of 2⁻²⁴, as are floats between 0.5 and 1.
        if size < 0x1p-14 { return Float(sign: sign, exponent: 0, significand: (size + 0.5) - 0.5) }
        return Float(bitPattern: (bitPattern &+ 0xFFF &+ (bitPattern >> 13 & 1)) & ~0x1FFF)
    }
}
