// Whole numbers that may have been stored as floating point: who has but one writer writes lengths and steps as such.

extension SafeTensors {
    /// The numbers of an integer tensor, or of a floating-point one whose numbers are whole, row-major.
    ///
    /// Throws ``FormatError`` when there is no such tensor, or a number in it is not exactly a whole one.
    func wholeNumbers(_ name: String) throws(FormatError) -> [Int] {
        guard try tensor(named: name).dtype?.isFloatingPoint == true else { return try integers(name) }
        return try stored(try doubles(name)) { expected, found in
            FormatError(
                source: source, entry: name, reason: .valueOutOfRange, expected: expected, found: found, noun: "tensor")
        }
    }
}

extension TorchFile {
    /// The numbers of an integer tensor, or of a floating-point one whose numbers are whole, row-major.
    ///
    /// Throws ``FormatError`` when there is no such tensor, or a number in it is not exactly a whole one.
    func wholeNumbers(_ name: String) throws(FormatError) -> [Int] {
        guard try tensor(named: name).dtype?.isFloatingPoint == true else { return try integers(name) }
        return try stored(try doubles(name)) { expected, found in
            FormatError(
                source: source, entry: name, reason: .valueOutOfRange, expected: expected, found: found)
        }
    }
}

extension NumPyArray {
    /// The numbers of an integer array, or of a floating-point one whose numbers are whole, row-major.
    ///
    /// Throws ``FormatError`` when a number is not exactly a whole one.
    func wholeNumbers() throws(FormatError) -> [Int] {
        guard dtype.isFloatingPoint else { return try integers() }
        return try stored(doubles) { expected, found in
            FormatError(source: source, reason: .valueOutOfRange, expected: expected, found: found)
        }
    }
}

/// The whole numbers that were stored as `values`. `fault` makes the error of another, and of one beyond 2^24, where two
/// neighbors may have been rounded to one `Float`.
private func stored(
    _ values: [Double], _ fault: (_ expected: String, _ found: String) -> FormatError
) throws(FormatError) -> [Int] {
    var result: [Int] = []
    for value in values {
        guard abs(value) <= 0x1p24, let number = Int(exactly: value) else {
            throw fault("whole numbers, as floating point up to 2^24 (16,777,216)", "\(value)")
        }
        result.append(number)
    }
    return result
}
