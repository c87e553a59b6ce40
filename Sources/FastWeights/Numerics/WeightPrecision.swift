/// How many bits a stream keeps of each weight. Products are added up in single precision whatever the weights are.
public enum WeightPrecision: String, Sendable, CaseIterable {
    /// Single precision, 24 binary digits: the weights as they are.
    case float32
    /// The upper half of single precision: 8 binary digits in half the bytes, with the same range.
    ///
    /// A weight becomes the nearest such number, of two equally near ones the even one, and is wrong by a part of 2⁻⁸ at most.
    /// Weights of 3.396e38 and more, beyond the largest such number, become infinite; what is infinite or not a number stays so.
    case bfloat16

    /// The nearest number of this precision.
    func rounded(_ x: Float) -> Float {
        switch self {
        case .float32: x
        case .bfloat16: Float(bitPattern: x.upperHalf << 16)
        }
    }
}

extension Float {
    /// The bits of the nearest bfloat16, of two equally near ones the even one.
    var upperHalf: UInt32 {
        // What tells a NaN from infinity may stand in its lower half alone.
        isNaN ? bitPattern >> 16 | 0x40 : (bitPattern &+ 0x7FFF &+ (bitPattern >> 16 & 1)) >> 16
    }
}
