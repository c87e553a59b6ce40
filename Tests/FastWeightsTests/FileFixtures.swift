import Testing

@testable import FastWeights

/// The files in Fixtures/files, which NumPy, gzip and zipfile wrote; see Fixtures/files.py.
enum FileFixtures {
    static func read(_ name: String) throws -> [UInt8] {
        try Files.read("\(GoldenTests.directory)/files/\(name)")
    }

    /// The numbers that a file of `count` numbers of `type` holds, row-major.
    static func numbers(_ type: NumberType, _ count: Int) -> [Double] {
        (0..<count).map { i in
            switch type {
            case .float16, .float32, .float64: Double(i - 11) / 4
            case .int8, .int16, .int32, .int64: Double(i - 11)
            case .uint8, .uint16, .uint32, .uint64: Double(i)
            case .boolean: i % 3 == 0 ? 1 : 0
            }
        }
    }

    /// The text of the compressed files: `skewed` of files.py.
    static func skewed(_ count: Int) -> [UInt8] {
        var state = 1
        var content: [UInt8] = []
        while content.count < count {
            state = (state * 1_103_515_245 + 12345) % (1 << 31)
            let high = state >> 16
            if high % 64 == 0 && content.count > 300 {
                let distance = high * 7 % min(content.count, 32768) + 1
                for _ in 0..<32 { content.append(content[content.count - distance]) }
            } else {
                content.append(UInt8(min(high & -high, 128) + (high % 4 == 0 ? (high >> 7) % 64 : 0)))
            }
        }
        return Array(content.prefix(count))
    }

    /// The error that `body` throws, if it throws one of the kind.
    static func fault<T>(_ body: () throws -> T) -> FormatError? {
        do {
            _ = try body()
            return nil
        } catch {
            return error as? FormatError
        }
    }
}
