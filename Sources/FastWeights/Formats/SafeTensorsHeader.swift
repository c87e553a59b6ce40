/// The header of a safetensors file, read from its bytes with every rule of the format checked.
struct SafeTensorsHeader {
    /// Bytes before the header: its length.
    static let prefixLength = 8
    /// The longest header the format allows, in bytes.
    static let lengthLimit = 100_000_000
    /// The one key of the header that names no tensor.
    static let metadataKey = "__metadata__"

    private(set) var metadata: [String: String] = [:]
    private(set) var tensors: [String: SafeTensors.Tensor] = [:]

    private let source: String

    init(bytes: [UInt8], source: String) throws(FormatError) {
        self.source = source
        if let kind = FileKind(bytes), kind != .safeTensors {
            throw error(
                .signature, expected: "a safetensors file", found: kind.name, advice: kind.advice(path: source))
        }
        guard bytes.count <= Self.prefixLength || bytes[Self.prefixLength] == UInt8(ascii: "{") else {
            let beginning = bytes.prefix(Self.prefixLength + 1).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
            throw error(
                .headerSyntax, expected: "a safetensors file, whose byte \(Self.prefixLength) is {",
                found: "the bytes \(beginning.joined(separator: " "))",
                advice: "The file is of another format, or damaged.")
        }
        let dataStart = try headerEnd(bytes)
        for member in try members(bytes[Self.prefixLength..<dataStart]) {
            if member.key == Self.metadataKey {
                metadata = try strings(member.value)
            } else {
                tensors[member.key] = try tensor(member, dataStart: dataStart)
            }
        }
        try checkCoverage(dataStart..<bytes.count)
    }

    /// Where the header ends and the data begin.
    private func headerEnd(_ bytes: [UInt8]) throws(FormatError) -> Int {
        guard bytes.count >= Self.prefixLength else {
            throw error(
                .headerLength, expected: "8 bytes that give the header's length", found: "\(bytes.count) bytes in all",
                advice: FormatError.cutShort)
        }
        let length = bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
        guard length <= UInt64(Self.lengthLimit) else {
            throw error(
                .headerLength, expected: "a header of at most \(Self.lengthLimit) bytes", found: "the length \(length)",
                advice: "The file is probably no safetensors file.")
        }
        let end = Self.prefixLength + Int(length)
        guard end <= bytes.count else {
            throw error(
                .headerLength, expected: "a header of \(length) bytes after the first 8",
                found: "\(bytes.count - Self.prefixLength)", advice: FormatError.cutShort)
        }
        return end
    }

    private func members(_ header: ArraySlice<UInt8>) throws(FormatError) -> [JSON.Member] {
        guard !header.isEmpty else {
            throw error(.headerSyntax, expected: "a header that begins with {", found: "an empty header")
        }
        do {
            // A document that begins with a brace can only be an object.
            return try JSON(parsing: header).members ?? []
        } catch let fault {
            throw error(
                .headerSyntax, expected: "\(fault.expected) at byte \(fault.offset) of the header", found: fault.found)
        }
    }

    private func strings(_ value: JSON) throws(FormatError) -> [String: String] {
        guard let members = value.members else {
            throw error(.metadata, expected: "\(Self.metadataKey) as an object of strings", found: value.kind)
        }
        var strings: [String: String] = [:]
        for member in members {
            guard let text = member.value.text else {
                throw error(
                    .metadata, expected: "a string for \"\(member.key)\" of \(Self.metadataKey)",
                    found: member.value.kind)
            }
            strings[member.key] = text
        }
        return strings
    }
}

// MARK: - One tensor

extension SafeTensorsHeader {
    private func tensor(_ member: JSON.Member, dataStart: Int) throws(FormatError) -> SafeTensors.Tensor {
        let name = member.key
        guard member.value.members != nil else {
            throw error(.entry, tensor: name, expected: "an object that describes it", found: member.value.kind)
        }
        guard let typeName = member.value["dtype"]?.text else {
            throw error(
                .entry, tensor: name, expected: "a dtype, a string", found: member.value["dtype"]?.kind ?? "none")
        }
        let dtype = SafeTensors.DType(rawValue: typeName)
        let shape = try naturals(member.value["shape"], key: "shape", of: name)
        let offsets = try naturals(member.value["data_offsets"], key: "data_offsets", of: name)
        guard offsets.count == 2, offsets[0] <= offsets[1] else {
            throw error(
                .entry, tensor: name, expected: "data_offsets [begin, end] with begin <= end", found: "\(offsets)")
        }
        // Of a type that is not known the count alone is.
        guard let size = elementCount(shape + [dtype?.width ?? 1]) else {
            throw error(
                .size, tensor: name, expected: "a shape whose size in bytes fits \(Int.bitWidth) bits",
                found: "\(shape)")
        }
        guard dtype == nil || offsets[1] - offsets[0] == size else {
            throw error(
                .size, tensor: name, expected: "\(size) bytes for \(typeName) of shape \(shape)",
                found: "\(offsets[1] - offsets[0]) (data_offsets \(offsets))")
        }
        guard offsets[1] <= Int.max - dataStart else {
            throw error(
                .entry, tensor: name, expected: "data_offsets within \(Int.bitWidth) bits", found: "\(offsets)")
        }
        return SafeTensors.Tensor(
            name: name, dtype: dtype, typeName: typeName, shape: shape, count: size / (dtype?.width ?? 1),
            range: dataStart + offsets[0]..<dataStart + offsets[1])
    }

    /// An array of whole numbers that are not negative.
    private func naturals(_ value: JSON?, key: String, of name: String) throws(FormatError) -> [Int] {
        let expected = "\(key), an array of whole numbers from 0"
        guard let elements = value?.elements else {
            throw error(.entry, tensor: name, expected: expected, found: value?.kind ?? "none")
        }
        var numbers: [Int] = []
        for element in elements {
            guard let number = element.integer, number >= 0 else {
                throw error(.entry, tensor: name, expected: expected, found: element.serialized())
            }
            numbers.append(number)
        }
        return numbers
    }
}

// MARK: - All tensors together

extension SafeTensorsHeader {
    /// The tensors' data must follow each other from the first byte after the header to the last of the file.
    private func checkCoverage(_ data: Range<Int>) throws(FormatError) {
        let ordered = tensors.values.sorted {
            ($0.range.lowerBound, $0.range.upperBound, $0.name) < ($1.range.lowerBound, $1.range.upperBound, $1.name)
        }
        var end = data.lowerBound
        for tensor in ordered {
            let begin = tensor.range.lowerBound
            guard begin == end else {
                throw error(
                    .coverage, tensor: tensor.name, expected: "data that begin at byte \(end - data.lowerBound)",
                    found: "\(begin - data.lowerBound), which leaves \(begin > end ? "a hole" : "an overlap")")
            }
            end = tensor.range.upperBound
        }
        guard end == data.upperBound else {
            throw error(
                .coverage, expected: "\(end - data.lowerBound) bytes of data", found: "\(data.count)",
                advice: end > data.upperBound ? FormatError.cutShort : FormatError.appended(data.upperBound - end))
        }
    }

    private func error(
        _ reason: FormatError.Reason, tensor: String? = nil, expected: String, found: String, advice: String? = nil
    ) -> FormatError {
        FormatError(
            source: source, entry: tensor, reason: reason, expected: expected, found: found, advice: advice,
            noun: "tensor")
    }
}
