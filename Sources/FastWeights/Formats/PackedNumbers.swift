/// The type of the numbers stored in a NumPy or IDX file; the raw value is NumPy's code without the order of bytes.
public enum NumberType: String, CaseIterable, Sendable {
    /// IEEE double precision.
    case float64 = "f8"
    /// IEEE single precision.
    case float32 = "f4"
    /// IEEE half precision.
    case float16 = "f2"
    /// 64 bits with a sign.
    case int64 = "i8"
    /// 32 bits with a sign.
    case int32 = "i4"
    /// 16 bits with a sign.
    case int16 = "i2"
    /// 8 bits with a sign.
    case int8 = "i1"
    /// 64 bits without a sign.
    case uint64 = "u8"
    /// 32 bits without a sign.
    case uint32 = "u4"
    /// 16 bits without a sign.
    case uint16 = "u2"
    /// 8 bits without a sign.
    case uint8 = "u1"
    /// A truth value in a byte.
    case boolean = "b1"

    /// Bytes a number.
    public var width: Int {
        switch self {
        case .float64, .int64, .uint64: 8
        case .float32, .int32, .uint32: 4
        case .float16, .int16, .uint16: 2
        case .int8, .uint8, .boolean: 1
        }
    }

    /// Whether the numbers are floating point.
    public var isFloatingPoint: Bool {
        switch self {
        case .float64, .float32, .float16: true
        case .int64, .int32, .int16, .int8, .uint64, .uint32, .uint16, .uint8, .boolean: false
        }
    }
}

/// Numbers of one type as they stand in a file, one behind the other from a byte on, or at the distances of an array's axes.
struct PackedNumbers: Sendable {
    let bytes: [UInt8]
    /// The first number's first byte.
    let start: Int
    let count: Int
    /// Nil for the upper half of single precision, bfloat16, which NumPy and IDX have not.
    let type: NumberType?
    let isBigEndian: Bool
    /// Nil where the numbers stand one behind the other.
    var axes: Axes?

    /// Sizes of an array, outermost first, and how many numbers from each place of an axis to the next, at least 0.
    struct Axes: Sendable {
        let shape: [Int]
        let strides: [Int]
    }

    /// The stored numbers, each rounded to the nearest `Float`; throws for a `Double` beyond the largest, which would be
    /// called infinite.
    func floats(source: String) throws(FormatError) -> [Float] {
        let values = rounded
        if type == .float64, values.contains(where: { $0.isInfinite }) {
            let exact = doubles
            if let i = values.indices.first(where: { values[$0].isInfinite && exact[$0].isFinite }) {
                throw FormatError(
                    source: source, reason: .valueOutOfRange,
                    expected:
                        "numbers of magnitude up to \(Float.greatestFiniteMagnitude), the largest of single precision",
                    found: "\(exact[i]) in place \(i)")
            }
        }
        return values
    }

    /// The stored numbers, each rounded to the nearest `Float`, infinity included.
    private var rounded: [Float] {
        switch type {
        case .float64: map(UInt64.self) { Float(Double(bitPattern: $0)) }
        case .float32: map(UInt32.self) { Float(bitPattern: $0) }
        case .float16: map(UInt16.self, Float.init(halfBits:))
        case .int64: map(UInt64.self) { Float(Int64(bitPattern: $0)) }
        case .int32: map(UInt32.self) { Float(Int32(bitPattern: $0)) }
        case .int16: map(UInt16.self) { Float(Int16(bitPattern: $0)) }
        case .int8: map(UInt8.self) { Float(Int8(bitPattern: $0)) }
        case .uint64: map(UInt64.self) { Float($0) }
        case .uint32: map(UInt32.self) { Float($0) }
        case .uint16: map(UInt16.self) { Float($0) }
        case .uint8: map(UInt8.self) { Float($0) }
        case .boolean: map(UInt8.self) { $0 == 0 ? 0 : 1 }
        case nil: map(UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
        }
    }

    /// The stored numbers; 64-bit integers are rounded to the nearest `Double`, the rest is exact.
    var doubles: [Double] {
        switch type {
        case .float64: map(UInt64.self) { Double(bitPattern: $0) }
        case .int64: map(UInt64.self) { Double(Int64(bitPattern: $0)) }
        case .uint64: map(UInt64.self) { Double($0) }
        case .int32: map(UInt32.self) { Double(Int32(bitPattern: $0)) }
        case .uint32: map(UInt32.self) { Double($0) }
        case .float32, .float16, .int16, .int8, .uint16, .uint8, .boolean, nil: rounded.map(Double.init)
        }
    }

    /// The stored integers, true as 1; throws for floating point, and where one does not fit.
    func integers(source: String) throws(FormatError) -> [Int] {
        func wide<Bits: FixedWidthInteger>(
            _: Bits.Type, _ value: (Bits) -> some BinaryInteger
        ) throws(FormatError) -> [Int] {
            let values = map(Bits.self, value)
            if let large = values.first(where: { Int(exactly: $0) == nil }) {
                throw FormatError(
                    source: source, reason: .valueOutOfRange, expected: "numbers that fit \(Int.bitWidth) bits",
                    found: "\(large)")
            }
            return values.map { Int($0) }
        }
        switch type {
        case .int64: return try wide(UInt64.self) { Int64(bitPattern: $0) }
        case .uint64: return try wide(UInt64.self) { $0 }
        case .uint32: return try wide(UInt32.self) { $0 }
        case .int32: return map(UInt32.self) { Int(Int32(bitPattern: $0)) }
        case .int16: return map(UInt16.self) { Int(Int16(bitPattern: $0)) }
        case .int8: return map(UInt8.self) { Int(Int8(bitPattern: $0)) }
        case .uint16: return map(UInt16.self) { Int($0) }
        case .uint8: return map(UInt8.self) { Int($0) }
        case .boolean: return map(UInt8.self) { $0 == 0 ? 0 : 1 }
        case .float64, .float32, .float16, nil:
            throw FormatError(
                source: source, reason: .wrongType, expected: "integers",
                found: "floating point (\(type?.rawValue ?? "bfloat16"))")
        }
    }

    /// Of uint8: bytes among which the numbers stand row-major from `start` on, these ones if they do already.
    var rowMajorBytes: (bytes: [UInt8], start: Int) { axes == nil ? (bytes, start) : (map(UInt8.self) { $0 }, 0) }

    /// The numbers in the order of the last index fastest.
    private func map<Bits: FixedWidthInteger, Value>(_: Bits.Type, _ value: (Bits) -> Value) -> [Value] {
        guard let axes, count > 0 else {
            return bytes.numbers(from: start, count: count, isBigEndian: isBigEndian, value)
        }
        return bytes.withUnsafeBytes { raw in
            var index = [Int](repeating: 0, count: axes.shape.count)
            var offset = 0
            return (0..<count).map { _ in
                let place = start + offset * MemoryLayout<Bits>.size
                let bits = raw.loadUnaligned(fromByteOffset: place, as: Bits.self)
                // The next index: the last one that is not at its end grows, those behind it start anew.
                for axis in axes.shape.indices.reversed() {
                    index[axis] += 1
                    offset += axes.strides[axis]
                    if index[axis] < axes.shape[axis] { break }
                    offset -= axes.shape[axis] * axes.strides[axis]
                    index[axis] = 0
                }
                return value(isBigEndian ? Bits(bigEndian: bits) : Bits(littleEndian: bits))
            }
        }
    }

    /// How many numbers a shape has, and how many bytes they take; `nil` if a product on the way overflows.
    static func size(of shape: [Int], type: NumberType) -> (count: Int, bytes: Int)? {
        elementCount(shape + [type.width]).map { ($0 / type.width, $0) }
    }
}

// MARK: - Numbers among bytes

extension [UInt8] {
    /// Maps numbers that stand one behind the other, at any address and in either order of bytes.
    func numbers<Bits: FixedWidthInteger, Value>(
        from start: Int, count: Int, isBigEndian: Bool = false, _ value: (Bits) -> Value
    ) -> [Value] {
        withUnsafeBytes { raw in
            (0..<count).map { index in
                let bits = raw.loadUnaligned(fromByteOffset: start + index * MemoryLayout<Bits>.size, as: Bits.self)
                return value(isBigEndian ? Bits(bigEndian: bits) : Bits(littleEndian: bits))
            }
        }
    }

    /// The little-endian number whose first byte is at `offset`; traps when it does not lie within the bytes.
    func littleEndian<Number: FixedWidthInteger>(_: Number.Type, at offset: Int) -> Number {
        withUnsafeBytes { raw in
            require(
                offset >= 0 && offset <= raw.count - MemoryLayout<Number>.size,
                "a number of \(MemoryLayout<Number>.size) bytes at byte \(offset) of \(raw.count)")
            return Number(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: Number.self))
        }
    }

    mutating func appendLittleEndian(_ number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }

    mutating func appendLittleEndian(_ numbers: [Float]) {
        #if _endian(little)
            numbers.withUnsafeBytes { append(contentsOf: $0) }
        #else
            for number in numbers { appendLittleEndian(number.bitPattern) }
        #endif
    }

    /// Each in 64 bits.
    mutating func appendLittleEndian(_ numbers: [Int]) {
        for number in numbers { appendLittleEndian(Int64(number)) }
    }
}

extension Float {
    /// The IEEE 754 half-precision number of these bits; by bits, as not every platform has `Float16`.
    init(halfBits bits: UInt16) {
        let sign = UInt32(bits & 0x8000) << 16
        let exponent = UInt32(bits >> 10) & 0x1F
        let fraction = UInt32(bits) & 0x3FF
        switch exponent {
        case 0:
            // Zero and subnormals are whole multiples of 2^-24.
            let magnitude = Float(fraction) * 0x1p-24
            self.init(bitPattern: magnitude.bitPattern | sign)
        case 0x1F:
            self.init(bitPattern: sign | 0x7F80_0000 | fraction << 13)
        default:
            self.init(bitPattern: sign | (exponent + 127 - 15) << 23 | fraction << 13)
        }
    }
}
