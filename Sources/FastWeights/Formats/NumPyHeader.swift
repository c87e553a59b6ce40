/// The header of a `.npy` file, read from its bytes with every rule of the format checked.
///
/// A file is 0x93 and "NUMPY", two bytes of version, the header's length, the header and the numbers. The header is a
/// dictionary as Python writes it: `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.
struct NumPyHeader {
    /// The most dimensions NumPy knows.
    static let largestRank = 64
    static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

    /// The type as the file names it: NumPy's code without the order of bytes, or as it stands there what this library
    /// does not read, as U2 for texts or [('a', '<f4')] for records.
    private(set) var typeName = ""
    /// Nil for what this library does not read.
    private(set) var type: NumberType?
    private(set) var isBigEndian = false
    private(set) var isColumnMajor = false
    private(set) var shape: [Int] = []
    /// Where the header ends and the numbers begin.
    private(set) var end = 0

    let bytes: [UInt8]
    let source: String
    /// The next byte to read.
    private var position = 0

    init(bytes: [UInt8], source: String) throws(FormatError) {
        self.bytes = bytes
        self.source = source
        try readPrefix()
        try readDictionary()
    }

    /// How many numbers the shape stands for, or the most that can be.
    var count: Int {
        shape.contains(0)
            ? 0
            : shape.reduce(1) { count, size in
                let (product, overflow) = count.multipliedReportingOverflow(by: size)
                return overflow ? .max : product
            }
    }

    /// The type of the numbers, which are as many as the shape says. Throws for what this library does not read.
    func numbers() throws(FormatError) -> (type: NumberType, count: Int) {
        guard let type else { throw unreadable() }
        guard let size = PackedNumbers.size(of: shape, type: type) else {
            throw error(.size, "a shape whose size in bytes fits \(Int.bitWidth) bits", "\(shape)")
        }
        let found = bytes.count - end
        guard size.bytes == found else {
            let isShort = size.bytes > found
            let isArray = !isShort && bytes[(end + size.bytes)...].starts(with: Self.magic)
            throw error(
                isShort ? .truncated : .size, "\(size.bytes) bytes for \(type.rawValue) of shape \(shape)", "\(found)",
                isShort
                    ? FormatError.cutShort
                    : isArray
                        ? "Another array stands behind it: numpy.savez puts several into one file."
                        : FormatError.appended(found - size.bytes))
        }
        return (type, size.count)
    }

    /// Magic, version and length.
    private mutating func readPrefix() throws(FormatError) {
        guard bytes.starts(with: Self.magic) else {
            let kind = FileKind(bytes)
            throw error(
                .signature, "a NumPy array, which begins 0x93 and NUMPY", kind?.name ?? "other bytes",
                kind?.advice(path: source))
        }
        guard bytes.count >= 12 else {
            throw error(.truncated, "a version and the header's length", "the end", FormatError.cutShort)
        }
        let length: Int
        switch (bytes[6], bytes[7]) {
        case (1, 0):
            length = Int(bytes.littleEndian(UInt16.self, at: 8))
            position = 10
        case (2, 0), (3, 0):
            length = Int(clamping: bytes.littleEndian(UInt32.self, at: 8))
            position = 12
        case let (major, minor):
            throw error(.unsupported, "version 1.0, 2.0 or 3.0", "\(major).\(minor)")
        }
        guard length <= bytes.count - position else {
            throw error(
                .truncated, "a header of \(length) bytes", "\(bytes.count - position)", FormatError.cutShort)
        }
        end = position + length
        guard length > 0, bytes[end - 1] == 0x0A else {
            throw error(.header, "a header that ends with a line feed", "one that does not")
        }
    }

    private func error(
        _ reason: FormatError.Reason, _ expected: String, _ found: String, _ advice: String? = nil
    ) -> FormatError {
        FormatError(source: source, reason: reason, expected: expected, found: found, advice: advice)
    }
}

// MARK: - The dictionary

extension NumPyHeader {
    private mutating func readDictionary() throws(FormatError) {
        try expect("{")
        var missing: Set<String> = ["descr", "fortran_order", "shape"]
        while !take("}") {
            let key = try string("a key")
            guard missing.remove(key) != nil else {
                throw error(.header, "the keys descr, fortran_order and shape once each", "\"\(key)\"")
            }
            try expect(":")
            switch key {
            case "descr": try readType()
            case "fortran_order": isColumnMajor = try truth()
            default: shape = try tuple()
            }
            if !take(",") {
                try expect("}")
                break
            }
        }
        guard missing.isEmpty else {
            throw error(.header, "the key \(missing.sorted().joined(separator: ", "))", "a header without")
        }
        skipSpace()
        guard position == end else {
            throw error(.header, "nothing but space after the header's }", describe(position))
        }
    }

    private mutating func readType() throws(FormatError) {
        if let records = try list() {
            typeName = records
            return
        }
        let code = try string("a type")
        let order = code.first
        let kind = String(code.dropFirst())
        type = NumberType(rawValue: kind).flatMap {
            order == "<" || order == ">" || order == "|" && $0.width == 1 ? $0 : nil
        }
        typeName = type == nil ? code : kind
        isBigEndian = order == ">"
    }

    /// A list in brackets, its brackets and all as it stands there; nil if none comes next.
    private mutating func list() throws(FormatError) -> String? {
        guard take("[") else { return nil }
        let start = position - 1
        var depth = 1
        while depth > 0 {
            skipSpace()
            guard position < end else {
                throw error(.header, "a bracket ] that ends the list of fields", describe(position))
            }
            switch bytes[position] {
            case UInt8(ascii: "'"), UInt8(ascii: "\""): _ = try string("a name")
            case UInt8(ascii: "["): (depth, position) = (depth + 1, position + 1)
            case UInt8(ascii: "]"): (depth, position) = (depth - 1, position + 1)
            default: position += 1
            }
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// Why an array of a type that is no ``NumberType`` is not read.
    private func unreadable() -> FormatError {
        if typeName.hasPrefix("[") {
            return error(
                .unsupported, "an array of numbers", "records with the fields \(typeName)",
                "Save each field that is wanted as an array of its own.")
        }
        let kind = typeName.drop { "<>|=".contains($0) }
        let what: String? =
            switch kind.first {
            case "U", "S": "texts"
            case "M", "m": "times"
            case "c": "complex numbers"
            case "V": "raw bytes, as which NumPy saves also bfloat16 and other types that are not its own"
            default: nil
            }
        if kind.first == "O" {
            return error(
                .unsupported, "an array of numbers", "Python objects, whose loading could run any code",
                "Save it with a numeric dtype.")
        }
        let known = NumberType.allCases.map { $0.rawValue }.joined(separator: ", ")
        return error(
            .unsupported, "a type among \(known) after < or >", "\"\(typeName)\"" + (what.map { ", \($0)" } ?? ""),
            "Convert the array with astype.")
    }

    private mutating func truth() throws(FormatError) -> Bool {
        skipSpace()
        for (word, value) in [("True", true), ("False", false)] where bytes[position..<end].starts(with: word.utf8) {
            position += word.utf8.count
            return value
        }
        throw error(.header, "True or False", describe(position))
    }

    /// Whole numbers from 0 in parentheses; a single one has a comma behind it.
    private mutating func tuple() throws(FormatError) -> [Int] {
        try expect("(")
        var numbers: [Int] = []
        while !take(")") {
            guard numbers.count < Self.largestRank else {
                throw error(.unsupported, "at most \(Self.largestRank) dimensions", "more")
            }
            numbers.append(try natural())
            if !take(",") {
                guard numbers.count > 1 else { throw error(.header, "a comma after a single size", describe(position)) }
                try expect(")")
                break
            }
        }
        return numbers
    }

    private mutating func natural() throws(FormatError) -> Int {
        skipSpace()
        let start = position
        var number = 0
        while position < end, case let digit = bytes[position] &- 0x30, digit < 10 {
            let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(Int(digit))
            guard !overflow, !carry else { throw error(.size, "sizes that fit \(Int.bitWidth) bits", "a larger one") }
            number = sum
            position += 1
        }
        guard position > start else { throw error(.header, "a size, a whole number from 0", describe(position)) }
        // Python 2 marks its long integers.
        if position < end, bytes[position] == UInt8(ascii: "L") { position += 1 }
        return number
    }

    /// A text in single or double quotes, without escapes.
    private mutating func string(_ what: String) throws(FormatError) -> String {
        skipSpace()
        guard position < end, bytes[position] == UInt8(ascii: "'") || bytes[position] == UInt8(ascii: "\"") else {
            throw error(.header, "\(what) in quotes", describe(position))
        }
        let start = position + 1
        guard let close = bytes[start..<end].firstIndex(of: bytes[position]) else {
            throw error(.header, "a quote that ends \(what)", "the end of the header")
        }
        position = close + 1
        return String(decoding: bytes[start..<close], as: UTF8.self)
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(FormatError) {
        if !take(character) { throw error(.header, "\(character) at byte \(position)", describe(position)) }
    }

    /// Steps over space, and over `character` if it comes next.
    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard position < end, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while position < end, bytes[position] == 0x20 || (0x09...0x0D).contains(bytes[position]) { position += 1 }
    }

    private func describe(_ offset: Int) -> String {
        offset < end ? "the byte \(hexadecimal(bytes[offset]))" : "the end of the header"
    }
}

// MARK: - Writing

extension NumPyHeader {
    /// Everything before the numbers of a little-endian array of `type`: the bytes NumPy writes.
    static func serialize(_ type: NumberType, shape: [Int]) -> [UInt8] {
        let sizes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
        var header = "{'descr': '<\(type.rawValue)', 'fortran_order': False, 'shape': (\(sizes)), }"
        // NumPy leaves room for the first size to grow to 21 digits.
        if let first = shape.first { header += String(repeating: " ", count: 21 - "\(first)".count) }
        // The numbers begin at a multiple of 64; the last byte before them is a line feed.
        header += String(repeating: " ", count: 64 - (11 + header.utf8.count) % 64)
        var bytes = magic + [1, 0]
        bytes.appendLittleEndian(UInt16(header.utf8.count + 1))
        bytes.append(contentsOf: header.utf8)
        bytes.append(0x0A)
        return bytes
    }
}
