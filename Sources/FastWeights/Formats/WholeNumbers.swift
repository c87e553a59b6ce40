// Whole numbers that may have been stored as floating point: who has but one writer writes lengths and steps as such.

extension SafeTensors {
    /// The numbers of an integer tensor, or of a floating-point one whose numbers are whole, row-major.
    ///
    /// Throws ``SafeTensorsError`` when there is no such tensor, or a number in it is not exactly a whole one.
    func wholeNumbers(_ name: String) throws(SafeTensorsError) -> [Int] {
        guard try tensor(named: name).dtype?.isFloatingPoint == true else { return try integers(name) }
        var result: [Int] = []
        for value in try doubles(name) {
            guard let number = Int(stored: value) else {
                throw SafeTensorsError(
                    source: source, tensor: name, reason: .valueOutOfRange, expected: Int.storedRange, found: "\(value)"
                )
            }
            result.append(number)
        }
        return result
    }
}

extension NumPyArray {
    /// The numbers of an integer array, or of a floating-point one whose numbers are whole, row-major.
    ///
    /// Throws ``FormatError`` when a number is not exactly a whole one.
    func wholeNumbers() throws(FormatError) -> [Int] {
        guard dtype.isFloatingPoint else { return try integers() }
        var result: [Int] = []
        for value in doubles {
            guard let number = Int(stored: value) else {
                throw FormatError(
                    source: source, reason: .valueOutOfRange, expected: Int.storedRange, found: "\(value)")
            }
            result.append(number)
        }
        return result
    }
}

extension Int {
    fileprivate static let storedRange = "whole numbers, as floating point up to 2^24 (16,777,216)"

    /// The whole number that was stored as `value`. Nil of another, and beyond 2^24, where two neighbours may have been
    /// rounded to one `Float`.
    fileprivate init?(stored value: Double) {
        guard abs(value) <= 0x1p24 else { return nil }
        self.init(exactly: value)
    }
}
