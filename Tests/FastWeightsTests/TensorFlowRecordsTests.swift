import Testing

@testable @_spi(Laboratory) import FastWeights

/// Records that Fixtures/pictures.py packed, and such as nobody should write.
@Suite struct TensorFlowRecordsTests {
    private static func bytes() throws -> [UInt8] { try FileFixtures.read("clips.tfrecord") }

    @Test func examplesAreRead() throws {
        let file = try TensorFlowRecords(bytes: Self.bytes(), source: "a")
        #expect(file.count == 3)
        for b in 0..<3 {
            let features = try file.example(b).features
            #expect(features.count == 2 + 4 * 4 && features["length"] == .integers([4]))
            #expect(features["name"] == .bytes([Array("clip".utf8)[...], [0xFF]]))
            for t in 0..<4 {
                let action = (0..<4).map { Float(b) + Float(t) / 4 + Float($0) / 16 }
                #expect(features["\(t)/action"] == .floats(action))
                // Written one by one.
                #expect(features["\(t)/endeffector_pos"] == .floats(action.prefix(3).map { -$0 }))
                let picture = (0..<108).map { UInt8((50 * b + 20 * t + 7 * $0) % 256) }
                #expect(features["\(t)/image_main/encoded"] == .bytes([picture[...]]))
            }
        }
        #expect(try TensorFlowRecords(bytes: [], source: "a").count == 0)
    }

    @Test func everyByteIsChecked() throws {
        let bytes = try Self.bytes()
        func read(_ bytes: [UInt8]) throws {
            let file = try TensorFlowRecords(bytes: bytes, source: "a")
            for i in 0..<file.count { _ = try file.example(i) }
        }
        for i in stride(from: 0, to: bytes.count, by: 7) {
            var changed = bytes
            changed[i] ^= 0x40
            let fault = FileFixtures.fault { try read(changed) }
            #expect(fault?.reason == .checksum || i < 12 && fault?.reason == .signature, "byte \(i): \(fault as Any)")
        }
        // A file that ends with a record is a shorter one.
        let record = bytes.count / 3
        for length in stride(from: 1, to: bytes.count, by: 13) where length % record != 0 {
            let fault = FileFixtures.fault { try read(Array(bytes[..<length])) }
            #expect(fault?.reason == .truncated, "\(length): \(fault as Any)")
        }
    }

    // MARK: - Hostile files

    static func varint(_ number: Int) -> [UInt8] {
        number < 0x80 ? [UInt8(number)] : [UInt8(number & 0x7F | 0x80)] + varint(number >> 7)
    }

    static func field(_ number: Int, _ content: [UInt8]) -> [UInt8] {
        varint(8 * number + 2) + varint(content.count) + content
    }

    static func feature(_ name: String, _ list: [UInt8]) -> [UInt8] {
        field(1, field(1, Array(name.utf8)) + field(2, list))
    }

    private func outcome(_ features: [UInt8]) -> Result<[String: TensorFlowExample.Feature], FormatError> {
        Result { () throws(FormatError) in
            let bytes = TensorFlowRecords.serialize([Self.field(1, features)])
            return try TensorFlowRecords(bytes: bytes, source: "a").example(0).features
        }
    }

    private func fault(_ features: [UInt8]) -> FormatError? {
        if case .failure(let error) = outcome(features) { error } else { nil }
    }

    @Test func lengthsMustBePossible() {
        // A record of four bytes that ends too early, or whose length and checksum are those of a longer one.
        let bytes = TensorFlowRecords.serialize([[1, 2, 3, 4]])
        func fault(_ bytes: [UInt8]) -> FormatError? {
            FileFixtures.fault { try TensorFlowRecords(bytes: bytes, source: "a") }
        }
        let cut = fault(Array(bytes.dropLast()))
        #expect(cut?.reason == .truncated && cut?.expected == "a record of 4 bytes at byte 0" && cut?.found == "3")
        for length in [UInt64.max, 1 << 63, 1 << 62, 5] {
            var wrong: [UInt8] = []
            wrong.appendLittleEndian(length)
            let checksum = CRC32.castagnoli(wrong[...])
            wrong.appendLittleEndian((checksum >> 15 | checksum << 17) &+ 0xA282_EAD8)
            #expect(fault(wrong + bytes[12...])?.expected == "a record of \(length) bytes at byte 0")
        }
        let other = FileFixtures.fault {
            try TensorFlowRecords(bytes: Array("some text, not records".utf8), source: "a")
        }
        #expect(other?.reason == .signature && other?.found == "a text")
        let zipped = FileFixtures.fault { try TensorFlowRecords(bytes: FileFixtures.read("gzip.gz"), source: "a") }
        #expect(zipped?.found == "a gzip file" && zipped?.advice == "Unpack it first.")
    }

    @Test func listsMayBeEmptyRepeatedAndOfOtherFields() throws {
        #expect(try outcome([]).get().isEmpty)
        #expect(try outcome(Self.feature("a", [])).get() == ["a": .bytes([])])
        #expect(try outcome(Self.feature("a", Self.field(3, []))).get() == ["a": .integers([])])
        // Packed and single numbers in one list, and -1, which takes ten bytes.
        let list = Self.field(1, [5, 0x80, 1]) + [0x08, 7] + [0x08] + [UInt8](repeating: 0xFF, count: 9) + [1]
        #expect(try outcome(Self.feature("a", Self.field(3, list))).get() == ["a": .integers([5, 128, 7, -1])])
        // Fields that nobody knows, of every kind.
        let unknown: [UInt8] = [0x78, 1] + [0x79] + [UInt8](repeating: 9, count: 8) + [0x7A, 1, 9, 0x7D, 9, 9, 9, 9]
        #expect(
            try outcome(unknown + Self.feature("a", unknown + Self.field(3, unknown))).get() == ["a": .integers([])])
    }

    @Test func fieldsMustBeWhole() {
        #expect(fault([0x0A, 9, 1])?.reason == .truncated)
        #expect(fault([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1])?.reason == .truncated)
        #expect(fault([0x08] + [UInt8](repeating: 0x80, count: 10))?.reason == .header)
        #expect(fault([0x08] + [UInt8](repeating: 0xFF, count: 9) + [2])?.reason == .header)
        #expect(fault([0x80])?.reason == .truncated && fault([0x7D, 1])?.reason == .truncated)
        #expect(fault([0x03])?.reason == .header && fault([0x0B])?.reason == .header)
        #expect(fault(Self.feature("a", []) + Self.feature("a", []))?.reason == .duplicate)
        #expect(fault(Self.feature("a", Self.field(2, Self.field(1, [1, 2, 3]))))?.reason == .size)
        #expect(fault(Self.feature("a", Self.field(2, [0x08, 1])))?.reason == .header)
        #expect(fault(Self.feature("a", Self.field(3, [0x0D, 1, 2, 3, 4])))?.reason == .header)
        #expect(
            fault([0x03])?.description
                == "a, record \"0\": expected a field's number from 1 to 536870911 at byte 14, found 0. The file is damaged; fetch or write it again."
        )
    }
}
