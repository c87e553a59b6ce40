import Testing

@testable import FastWeights

@Suite struct SafeTensorsTests {
    // MARK: A file another program wrote

    /// Written by the Python package safetensors 0.8.0 from torch tensors.
    private static let golden = bytes(
        hex: """
            40020000000000007b225f5f6d657461646174615f5f223a7b226d616465206279223a227361666574656e736f727320
            302e382e30227d2c22693634223a7b226474797065223a22493634222c227368617065223a5b325d2c22646174615f6f
            666673657473223a5b302c31365d7d2c22663634223a7b226474797065223a22463634222c227368617065223a5b325d
            2c22646174615f6f666673657473223a5b31362c33325d7d2c22656d707479223a7b226474797065223a22463332222c
            227368617065223a5b332c302c325d2c22646174615f6f666673657473223a5b33322c33325d7d2c22663332223a7b22
            6474797065223a22463332222c227368617065223a5b312c335d2c22646174615f6f666673657473223a5b33322c3434
            5d7d2c227363616c6172223a7b226474797065223a22463332222c227368617065223a5b5d2c22646174615f6f666673
            657473223a5b34342c34385d7d2c22693332223a7b226474797065223a22493332222c227368617065223a5b322c315d
            2c22646174615f6f666673657473223a5b34382c35365d7d2c2262663136223a7b226474797065223a2242463136222c
            227368617065223a5b335d2c22646174615f6f666673657473223a5b35362c36325d7d2c22663136223a7b2264747970
            65223a22463136222c227368617065223a5b355d2c22646174615f6f666673657473223a5b36322c37325d7d2c227538
            223a7b226474797065223a225538222c227368617065223a5b335d2c22646174615f6f666673657473223a5b37322c37
            355d7d7d20202020ffffffffffffffff0000000000000040555555555555d53f9c7500883ce437fe0000c03f000000c0
            0000504000002040feffffff07000000803f49c0967e003c00800100ff7b007c00ff03
            """)

    private static func bytes(hex: String) -> [UInt8] {
        let digits = hex.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    @Test func readsEveryTypeThatPythonWrote() throws {
        let file = try SafeTensors(bytes: Self.golden, source: "golden")
        #expect(file.names == ["bf16", "empty", "f16", "f32", "f64", "i32", "i64", "scalar", "u8"])
        #expect(file.metadata == ["made by": "safetensors 0.8.0"])
        #expect(try file.doubles("f64") == [1.0 / 3, -1e300])
        #expect(try file.floats("f32") == [1.5, -2, 3.25])
        #expect(try file.doubles("f32") == [1.5, -2, 3.25])
        #expect(try file.floats("f16") == [1, -0.0, 0x1p-24, 65504, .infinity])
        #expect(try file.floats("f16")[1].sign == .minus)
        #expect(try file.floats("bf16") == [1, -3.140625, Float(bitPattern: 0x7E96_0000)])
        #expect(try file.doubles("bf16") == [1, -3.140625, Double(Float(bitPattern: 0x7E96_0000))])
        #expect(try file.integers("i64") == [-1, 1 << 62])
        #expect(try file.integers("i32") == [-2, 7])
        #expect(try file.integers("u8") == [0, 255, 3])
        #expect(try file.floats("scalar") == [2.5])
        #expect(try file.floats("empty") == [])
    }

    @Test func givesTypeAndShape() throws {
        let file = try SafeTensors(bytes: Self.golden, source: "golden")
        let shapes: [String: [Int]] = [
            "bf16": [3], "empty": [3, 0, 2], "f16": [5], "f32": [1, 3], "f64": [2], "i32": [2, 1], "i64": [2],
            "scalar": [], "u8": [3],
        ]
        for (name, shape) in shapes {
            let tensor = try file.tensor(named: name)
            #expect(tensor.shape == shape)
            #expect(tensor.count == shape.reduce(1, *))
            let type = name == "empty" || name == "scalar" ? "F32" : name.uppercased()
            #expect(tensor.dtype?.rawValue == type && tensor.typeName == type)
        }
    }

    @Test func convertsEveryHalf() {
        for bits in UInt16.min...UInt16.max {
            let exponent = Int(bits >> 10 & 0x1F)
            let fraction = Float(bits & 0x3FF)
            let value = Float(halfBits: bits)
            #expect((value.sign == .minus) == (bits & 0x8000 != 0))
            if exponent == 0x1F {
                #expect(fraction == 0 ? value.isInfinite : value.isNaN)
            } else {
                let significand = exponent == 0 ? fraction : 1024 + fraction
                let expected = Float(sign: .plus, exponent: max(exponent, 1) - 25, significand: significand)
                #expect(value.magnitude == expected)
            }
        }
    }

    // MARK: Writing

    @Test func writesTheBytesThatAreDocumented() {
        let bytes = SafeTensors.serialize(
            [("b", [2], [1, -2]), ("a", [], [0.5])], metadata: [("z", "1"), ("y", "\"")])
        let header =
            #"{"__metadata__":{"z":"1","y":"\""},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
            + #""a":{"dtype":"F32","shape":[],"data_offsets":[8,12]}}"#
        let padded = header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
        #expect(padded.utf8.count % 8 == 0)
        let data: [UInt8] = [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0, 0, 0, 0, 0x3F]
        #expect(bytes == [UInt8(padded.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(padded.utf8) + data)
    }

    @Test func writesWholeNumbersBehindTheOthers() throws {
        let bytes = SafeTensors.serialize([("a", [], [0.5])], integers: [("n", [2], [1, -2])])
        let header =
            #"{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"#
            + #""n":{"dtype":"I64","shape":[2],"data_offsets":[4,20]}}"#
        let padded = header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
        let data: [UInt8] = [0, 0, 0, 0x3F, 1, 0, 0, 0, 0, 0, 0, 0, 0xFE] + [UInt8](repeating: 0xFF, count: 7)
        #expect(bytes == [UInt8(padded.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(padded.utf8) + data)
        #expect(try SafeTensors(bytes: bytes, source: "memory").integers("n") == [1, -2])
    }

    @Test func padsTheHeaderNoMoreThanNeeded() {
        for length in 1...16 {
            let name = String(repeating: "n", count: length)
            let bytes = SafeTensors.serialize([(name, [1], [0])])
            let header = bytes[8..<bytes.count - 4]
            #expect(header.count % 8 == 0)
            #expect(bytes.prefix(8) == [UInt8(header.count), 0, 0, 0, 0, 0, 0, 0])
            #expect(header.reversed().prefix { $0 == UInt8(ascii: " ") }.count < 8)
        }
    }

    @Test func readsBackWhatItWrites() throws {
        let values: [Float] = [
            0, -0.0, 1, .infinity, -.infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1 / 3,
        ]
        let bytes = SafeTensors.serialize(
            [("layer.weight", [2, 4], values), ("é \"", [1], [7]), ("none", [0, 5], []), ("", [], [3])],
            metadata: [("eta", "0.5"), ("λ", "0.95\n")])
        let file = try SafeTensors(bytes: bytes, source: "memory")
        #expect(file.names == ["", "layer.weight", "none", "é \""])
        #expect(file.metadata == ["eta": "0.5", "λ": "0.95\n"])
        #expect(try file.floats("layer.weight").map(\.bitPattern) == values.map(\.bitPattern))
        #expect(try file.tensor(named: "layer.weight").shape == [2, 4])
        #expect(try file.floats("é \"") == [7])
        #expect(try file.floats("none").isEmpty)
        #expect(try file.tensor(named: "none").shape == [0, 5])
        #expect(try file.floats("") == [3])
    }

    @Test func writesAndReadsAnEmptyFile() throws {
        let file = try SafeTensors(bytes: SafeTensors.serialize([]), source: "memory")
        #expect(file.names.isEmpty && file.metadata.isEmpty)
    }

    // MARK: Asking for the wrong thing

    private func fault<T>(_ body: () throws(FormatError) -> T) -> FormatError? {
        do {
            _ = try body()
            return nil
        } catch {
            return error
        }
    }

    @Test func namesTheNearestTensorAndWhatIsThere() throws {
        let file = try SafeTensors(bytes: Self.golden, source: "golden")
        let error = fault { () throws(FormatError) in try file.floats("scalra") }
        #expect(error?.reason == .missing)
        #expect(error?.entry == "scalra" && error?.source == "golden")
        #expect(error?.advice == "Did you mean \"scalar\"?")
        #expect(error?.found == "only bf16, empty, f16, f32, f64, i32, i64, scalar, u8")
        #expect(fault { () throws(FormatError) in try file.tensor(named: "weights") }?.advice == nil)
    }

    @Test func refusesToConvertBetweenIntegersAndFloats() throws {
        let file = try SafeTensors(bytes: Self.golden, source: "golden")
        for name in ["i64", "i32", "u8"] {
            let error = fault { () throws(FormatError) in try file.floats(name) }
            #expect(error?.reason == .wrongType)
            #expect(error?.found == name.uppercased())
            #expect(fault { () throws(FormatError) in try file.doubles(name) }?.reason == .wrongType)
        }
        for name in ["f64", "f32", "f16", "bf16"] {
            #expect(fault { () throws(FormatError) in try file.integers(name) }?.reason == .wrongType)
        }
    }

    // MARK: Rejection

    /// A file with this header and so many bytes of data.
    private static func file(_ header: String, data: Int = 0) -> [UInt8] {
        let length = UInt64(header.utf8.count)
        return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array(header.utf8)
            + [UInt8](repeating: 0, count: data)
    }

    /// One member of a header.
    private static func entry(
        _ name: String, _ begin: Int, _ end: Int, shape: String? = nil, dtype: String = "F32"
    ) -> String {
        let shape = shape ?? "[\((end - begin) / 4)]"
        return #""\#(name)":{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":[\#(begin),\#(end)]}"#
    }

    private func reason(_ bytes: [UInt8]) -> FormatError.Reason? {
        fault { () throws(FormatError) in try SafeTensors(bytes: bytes, source: "f") }?.reason
    }

    private func reason(_ members: String..., data: Int = 0) -> FormatError.Reason? {
        reason(Self.file("{" + members.joined(separator: ",") + "}", data: data))
    }

    @Test func acceptsWhatTheFormatAllows() throws {
        #expect(reason(Self.entry("a", 0, 8), Self.entry("b", 8, 12), data: 12) == nil)
        #expect(reason(Self.entry("b", 8, 12), Self.entry("a", 0, 8), data: 12) == nil)
        #expect(reason(Self.entry("b", 0, 4), Self.entry("e", 4, 4), Self.entry("a", 4, 8), data: 8) == nil)
        #expect(reason(Self.entry("e", 0, 0, shape: "[0,9007199254740992]")) == nil)
        #expect(reason(Self.file("{}    ")) == nil)
        #expect(reason(Self.file("{\(Self.entry("a", 0, 4))} \n", data: 4)) == nil)
        #expect(reason(#""a":{"extra":[],"dtype":"U8","shape":[3],"data_offsets":[0,3]}"#, data: 3) == nil)
        // After a header of odd length no number of the data stands at a multiple of its width.
        let odd = Self.file("{\(Self.entry("a", 0, 8, shape: "[1]", dtype: "F64"))} ", data: 8)
        #expect(odd.count % 2 == 1)
        #expect(try SafeTensors(bytes: odd, source: "f").doubles("a") == [0])
    }

    /// The format allows a header of 100,000,000 bytes; here it is said to be less.
    @Test func aHeaderThatIsTooLongIsNotWritten() throws {
        let tensors: [(name: String, shape: [Int], values: [Float])] = [("w", [2], [1, 2])]
        let whole = SafeTensors.serialize(tensors, metadata: [("k", "v")])
        let length = Int(whole.littleEndian(UInt64.self, at: 0))
        #expect(try SafeTensors.bytes(tensors, metadata: [("k", "v")], source: "a", limit: length) == whole)
        let error = #expect(throws: FormatError.self) {
            try SafeTensors.bytes(tensors, metadata: [("k", "v")], source: "a", limit: length - 1)
        }
        #expect(
            error?.description
                == "a: expected names and metadata for a header of at most \(length - 1) bytes, found \(length) bytes.")
    }

    @Test func refusesATruncatedFileAtEveryLength() {
        for length in 0..<Self.golden.count {
            #expect(reason(Array(Self.golden.prefix(length))) != nil, "\(length) bytes")
        }
        #expect(reason(Array(Self.golden.prefix(7))) == .headerLength)
        #expect(reason(Array(Self.golden.prefix(583))) == .headerLength)
        #expect(reason(Array(Self.golden.dropLast())) == .coverage)
    }

    @Test func refusesAHeaderOfTheWrongLength() {
        #expect(reason([UInt8](repeating: 0xFF, count: 64)) == .headerSyntax)
        let limit = (0..<8).map { UInt8(truncatingIfNeeded: 100_000_000 >> (8 * $0)) }
        let overLimit = (0..<8).map { UInt8(truncatingIfNeeded: 100_000_001 >> (8 * $0)) }
        let header = Array("{}".utf8)
        let atLimit = fault { () throws(FormatError) in try SafeTensors(bytes: limit + header, source: "f") }
        #expect(atLimit?.expected == "a header of 100000000 bytes after the first 8")
        let over = fault { () throws(FormatError) in try SafeTensors(bytes: overLimit + header, source: "f") }
        #expect(over?.expected == "a header of at most 100000000 bytes")
        #expect(over?.found == "the length 100000001")
        #expect(reason([0, 0, 0, 0, 0, 0, 0, 0x80] + header) == .headerLength)
    }

    @Test func refusesAHeaderThatIsNoPlainObject() {
        #expect(reason(Self.file("")) == .headerSyntax)
        #expect(reason(Self.file(" {}")) == .headerSyntax)
        #expect(reason(Self.file("[]")) == .headerSyntax)
        #expect(reason(Self.file("{")) == .headerSyntax)
        #expect(reason(Self.file("{}x")) == .headerSyntax)
        #expect(reason(Self.file("{\"a\":\u{0}}")) == .headerSyntax)
        #expect(reason([2, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0xFF]) == .headerSyntax)
        let deep = String(repeating: "{\"a\":", count: 10_000)
        #expect(reason(Self.file(deep)) == .headerSyntax)
    }

    @Test func refusesDuplicateNames() {
        #expect(reason(Self.entry("a", 0, 4), Self.entry("a", 4, 8), data: 8) == .headerSyntax)
        #expect(reason(Self.entry("a", 0, 4), Self.entry("a", 0, 4), data: 4) == .headerSyntax)
        #expect(reason(#""__metadata__":{},"__metadata__":{}"#) == .headerSyntax)
        #expect(reason(#""__metadata__":{"k":"1","k":"2"}"#) == .headerSyntax)
    }

    @Test(arguments: ["null", "1", "[]", "\"x\"", "{\"k\":1}", "{\"k\":null}", "{\"k\":{}}"])
    func refusesMetadataThatAreNotStrings(_ metadata: String) {
        #expect(reason("\"__metadata__\":\(metadata)") == .metadata)
    }

    @Test(arguments: [
        "1", "null", "[]", "{}",
        #"{"shape":[1],"data_offsets":[0,4]}"#, #"{"dtype":"F32","data_offsets":[0,4]}"#,
        #"{"dtype":"F32","shape":[1]}"#,
        #"{"dtype":1,"shape":[1],"data_offsets":[0,4]}"#, #"{"dtype":"F32","shape":1,"data_offsets":[0,4]}"#,
        #"{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}"#, #"{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}"#,
        #"{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}"#, #"{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}"#,
        #"{"dtype":"F32","shape":[1],"data_offsets":[0]}"#, #"{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}"#,
        #"{"dtype":"F32","shape":[1],"data_offsets":[4,0]}"#, #"{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}"#,
        #"{"dtype":"F32","shape":[1e300],"data_offsets":[0,4]}"#, #"{"dtype":"F32","shape":[1],"data_offsets":{}}"#,
    ])
    func refusesMalformedEntries(_ entry: String) {
        #expect(reason("\"a\":\(entry)", data: 4) == .entry)
    }

    @Test(arguments: ["C64", "F8_E4M3", "F8_E8M0", "F4", "f32", "", "F128"])
    func listsUnknownTypesAndRefusesThemOnlyWhereAskedFor(_ dtype: String) throws {
        let entries = [Self.entry("mask", 0, 4, shape: "[2,5]", dtype: dtype), Self.entry("w", 4, 12)]
        let file = try SafeTensors(bytes: Self.file("{\(entries.joined(separator: ","))}", data: 12), source: "f")
        let tensor = try file.tensor(named: "mask")
        #expect(tensor.dtype == nil && tensor.typeName == dtype && tensor.shape == [2, 5] && tensor.count == 10)
        #expect(try file.floats("w") == [0, 0])
        let errors = [
            fault { () throws(FormatError) in _ = try file.floats("mask") },
            fault { () throws(FormatError) in _ = try file.doubles("mask") },
            fault { () throws(FormatError) in _ = try file.integers("mask") },
        ]
        for error in errors {
            #expect(error?.reason == .unsupported && error?.found == dtype && error?.entry == "mask")
        }
        // What is not read must still lie between the others.
        #expect(reason(Self.entry("mask", 0, 4, dtype: dtype), Self.entry("w", 8, 12), data: 12) == .coverage)
    }

    @Test(
        arguments: [
            ("BOOL", [1, 0], [1, 0]), ("I8", [255, 7], [-1, 7]), ("U8", [255, 7], [255, 7]),
            ("I16", [254, 255, 1, 1], [-2, 257]), ("U16", [254, 255, 1, 1], [65534, 257]),
            ("I32", [254, 255, 255, 255], [-2]), ("U32", [254, 255, 255, 255], [4_294_967_294]),
            ("I64", [254, 255, 255, 255, 255, 255, 255, 255], [-2]),
            ("U64", [5, 0, 0, 0, 0, 0, 0, 64], [(1 << 62) + 5]),
        ] as [(String, [UInt8], [Int])])
    func readsEveryIntegerType(dtype: String, data: [UInt8], values: [Int]) throws {
        let entry = Self.entry("a", 0, data.count, shape: "[\(values.count)]", dtype: dtype)
        let file = try SafeTensors(bytes: Self.file("{\(entry)}") + data, source: "f")
        #expect(try file.integers("a") == values)
        #expect(fault { () throws(FormatError) in try file.floats("a") }?.reason == .wrongType)
    }

    @Test func numbersBeyondTheirTypeAreCalledSo() throws {
        let wide = Self.file("{\(Self.entry("a", 0, 8, shape: "[1]", dtype: "U64"))}") + [0, 0, 0, 0, 0, 0, 0, 128]
        let file = try SafeTensors(bytes: wide, source: "f")
        let error = fault { () throws(FormatError) in try file.integers("a") }
        #expect(error?.reason == .valueOutOfRange && error?.found == "9223372036854775808" && error?.entry == "a")
        let golden = try SafeTensors(bytes: Self.golden, source: "golden")
        #expect(
            fault { () throws(FormatError) in try golden.floats("f64") }?.description
                == "golden, tensor \"f64\": expected numbers of magnitude up to 3.4028235e+38, the largest of single "
                + "precision, found -1e+300 in place 1.")
    }

    @Test(arguments: [
        "[4294967296,4294967296]", "[9007199254740992,9007199254740992]", "[2305843009213693952]",
        "[4294967296,4294967296,0]", "[2]", "[0]", "[1,2]", "[]",
    ])
    func refusesShapesThatOverflowOrDoNotFitTheData(_ shape: String) {
        let width = shape == "[]" ? 8 : 4
        let reason = reason(Self.entry("a", 0, width, shape: shape), data: width)
        // Beyond 2^53 a number of the header is no exact integer at all.
        #expect(reason == (shape == "[2305843009213693952]" ? .entry : .size))
    }

    @Test func refusesAShapeWhoseSizeWrapsRoundToThatOfTheData() {
        #expect(reason(Self.entry("a", 0, 0, shape: "[4294967296,4294967296]")) == .size)
        // 2^62 numbers of 4 bytes.
        #expect(reason(Self.entry("a", 0, 0, shape: "[4611686018427387904]")) == .entry)
        #expect(reason(Self.entry("a", 0, 0, shape: "[2147483648,2147483648]")) == .size)
    }

    @Test func refusesHolesOverlapsAndTrailingBytes() {
        #expect(reason(Self.entry("a", 4, 8), data: 8) == .coverage)
        #expect(reason(Self.entry("a", 0, 4), Self.entry("b", 8, 12), data: 12) == .coverage)
        #expect(reason(Self.entry("a", 0, 8), Self.entry("b", 4, 12), data: 12) == .coverage)
        #expect(reason(Self.entry("a", 0, 8), Self.entry("b", 0, 8), data: 8) == .coverage)
        #expect(reason(Self.entry("a", 0, 8), Self.entry("e", 4, 4), data: 8) == .coverage)
        #expect(reason(Self.entry("a", 0, 4), data: 5) == .coverage)
        #expect(reason(Self.entry("a", 0, 8), data: 4) == .coverage)
        #expect(reason(data: 1) == .coverage)
        #expect(reason(Self.entry("e", 4, 4), data: 0) == .coverage)
    }

    @Test func errorsSayWhereWhatAndWhatToDo() {
        let bytes = Self.file("{\(Self.entry("w", 0, 8, shape: "[3]"))}", data: 8)
        let error = fault { () throws(FormatError) in try SafeTensors(bytes: bytes, source: "m.safetensors") }
        #expect(
            error?.description
                == "m.safetensors, tensor \"w\": expected 12 bytes for F32 of shape [3], found 8 (data_offsets [0, 8])."
        )
        let short = fault { () throws(FormatError) in try SafeTensors(bytes: [1, 2], source: "s") }
        #expect(
            short?.description
                == "s: expected 8 bytes that give the header's length, found 2 bytes in all. "
                + "The file is cut short; fetch or write it again.")
    }
}
