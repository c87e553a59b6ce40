import FastWeights

/// A reader under attack.
struct Reader {
    let name: StaticString
    /// Good files to start from.
    let seeds: [[UInt8]]
    /// Words of the format.
    let words: [String]
    /// The most bytes that opening a file may allocate for each of its bytes.
    let allowance: Int
    /// Bytes that any file may make it allocate: errors, tables, the smallest arrays.
    var free = 1 << 13
    /// Opens a file, and gives a way to read all that it holds.
    let open: ([UInt8]) throws -> () throws -> Void
    /// Ways to apply a change to a part of a file and to make the lengths around that part right again.
    let inside: [Inside]
    /// Makes the checksum of a file right again that its format has; nil where the reader's errors say how.
    var seal: (([UInt8]) -> [UInt8])?

    typealias Inside = (_ file: [UInt8], _ change: ([UInt8]) -> [UInt8]) -> [UInt8]

    /// Whether an error is one of those the library promises for such files.
    static func isTyped(_ error: any Error) -> Bool {
        switch error {
        case is FormatError, is WeightsError: true
        case TrainingError.checkpoint, TrainingError.diverged: true
        default: false
        }
    }
}

// MARK: - Checksums

extension Reader {
    /// The file with the checksums and sizes that its content asks for, as far as the reader names them.
    ///
    /// The reader's own error says which number stands in the file and which belongs there.
    func repaired(_ bytes: [UInt8]) -> [UInt8] {
        if let seal { return seal(bytes) }
        var bytes = bytes
        for _ in 0..<6 {
            do {
                _ = try open(bytes)
                return bytes
            } catch let error as FormatError where error.reason == .checksum || error.reason == .size {
                guard let old = Self.number(in: error.expected), let new = Self.number(in: error.found) else {
                    return bytes
                }
                Self.replace(old, by: new, in: &bytes)
            } catch {
                return bytes
            }
        }
        return bytes
    }

    /// The number in a text, with as many bytes as its hexadecimal digits say, four if it is decimal.
    private static func number(in text: String) -> [UInt8]? {
        for word in text.split(separator: " ") {
            let digits = word.hasPrefix("0x") ? word.dropFirst(2) : word
            guard let number = UInt64(digits, radix: word.hasPrefix("0x") ? 16 : 10) else { continue }
            let width = word.hasPrefix("0x") ? digits.count / 2 : 4
            return (0..<width).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * $0)) }
        }
        return nil
    }

    private static func replace(_ old: [UInt8], by new: [UInt8], in bytes: inout [UInt8]) {
        guard old.count == new.count, !old.isEmpty, bytes.count >= old.count else { return }
        for start in 0...bytes.count - old.count where bytes[start] == old[0] {
            if bytes[start..<start + old.count].elementsEqual(old) {
                bytes.replaceSubrange(start..<start + old.count, with: new)
            }
        }
    }
}
