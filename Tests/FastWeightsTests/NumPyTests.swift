import Testing

@testable @_spi(Laboratory) import FastWeights

@Suite struct NumPyTests {
    private func array(_ name: String) throws -> NumPyArray {
        try NumPyArray(bytes: try FileFixtures.read(name), source: name)
    }

    // MARK: Arrays

    /// One byte has no order.
    private static let types =
        NumberType.allCases.map { ($0, false) } + NumberType.allCases.filter { $0.width > 1 }.map { ($0, true) }

    @Test(arguments: types)
    func readsEveryTypeInBothOrders(type: NumberType, isBigEndian: Bool) throws {
        let array = try array(type.rawValue + (isBigEndian ? "_big.npy" : ".npy"))
        let expected = FileFixtures.numbers(type, 24)
        #expect(array.dtype == type && array.shape == [2, 3, 4] && array.count == 24)
        #expect(array.doubles == expected)
        #expect(try array.floats == expected.map { Float($0) })
        if type.isFloatingPoint {
            #expect(FileFixtures.fault { try array.integers() }?.reason == .wrongType)
        } else {
            #expect(try array.integers() == expected.map { Int($0) })
        }
    }

    @Test(arguments: [
        ("scalar.npy", []), ("vector.npy", [5]), ("matrix.npy", [5, 7]),
        ("wide.npy", [1, 2, 1, 3, 1, 2, 1, 1, 2, 1, 1, 1]), ("empty.npy", [3, 0, 2]),
        ("version_2.npy", [2, 3]), ("version_3.npy", [2, 3]), ("columns.npy", [2, 3, 4]),
    ])
    func readsEveryShape(name: String, shape: [Int]) throws {
        let array = try array(name)
        #expect(array.shape == shape)
        #expect(array.doubles == FileFixtures.numbers(.float32, shape.reduce(1, *)))
    }

    @Test func transposesColumns() throws {
        let array = try array("columns_i2_big.npy")
        #expect(array.shape == [5, 7])
        #expect(try array.integers() == FileFixtures.numbers(.int16, 35).map { Int($0) })
    }

    @Test func refusesWhatIsNoArrayOfNumbers() throws {
        func advice(_ name: String) throws -> String? {
            let fault = FileFixtures.fault { try array(name) }
            #expect(fault?.reason == .unsupported)
            return fault?.advice
        }
        #expect(try advice("objects.npy") == "Save it with a numeric dtype.")
        #expect(try advice("records.npy") == "Save each field that is wanted as an array of its own.")
        #expect(try advice("complex.npy") == "Convert the array with astype.")
    }

    @Test func saysWhichFieldsARecordHas() {
        func found(_ descr: String) -> String? {
            fault("{'descr': \(descr), 'fortran_order': False, 'shape': (6,), }\n")?.found
        }
        #expect(found("[('a', '<f4')]") == "records with the fields [('a', '<f4')]")
        let nested = #"[('a', '<f4', (2, 3)), ('b', [('c', '<i4')]), (('title', "n]'q"), '<i2')]"#
        #expect(found(nested) == "records with the fields \(nested)")
        #expect(found("[]") == "records with the fields []")
        #expect(found("[('a', '<f4')") == "the end of the header")
        #expect(found("'<U2'") == "\"<U2\", texts")
        #expect(found("'<M8[s]'") == "\"<M8[s]\", times")
        #expect(found("'<c8'") == "\"<c8\", complex numbers")
        #expect(found("'<V2'")?.contains("bfloat16") == true)
        #expect(found("'<f16'") == "\"<f16\"")
    }

    @Test func saysWhatStandsBehindAnArray() throws {
        let bytes = try FileFixtures.read("scalar.npy")
        func advice(_ rest: [UInt8]) -> String? {
            FileFixtures.fault { try NumPyArray(bytes: bytes + rest, source: "a") }?.advice
        }
        #expect(advice(bytes) == "Another array stands behind it: numpy.savez puts several into one file.")
        #expect(advice([1, 2, 3]) == "3 bytes were appended to the file; fetch or write it again.")
    }

    @Test func aNumberBeyondAFloatIsCalledSo() throws {
        let header = NumPyArray.serialize(shape: [4], values: [0, 0, 0, 0])
        var bytes = Array(header.dropLast(16))
        let code = try #require(bytes.indices.first { bytes[$0...].starts(with: "<f4".utf8) })
        bytes[code + 2] = UInt8(ascii: "8")
        for number in [1, -Double.infinity, 1e300, -1e39] { bytes.appendLittleEndian(number.bitPattern) }
        let array = try NumPyArray(bytes: bytes, source: "a")
        #expect(array.doubles == [1, -.infinity, 1e300, -1e39])
        let fault = FileFixtures.fault { try array.floats }
        #expect(fault?.reason == .valueOutOfRange && fault?.found == "1e+300 in place 2")
        bytes.replaceSubrange(bytes.count - 16..<bytes.count, with: [UInt8](repeating: 0, count: 16))
        #expect(try NumPyArray(bytes: bytes, source: "a").floats == [1, -.infinity, 0, 0])
    }

    @Test(arguments: ["scalar.npy", "vector.npy", "matrix.npy", "wide.npy", "empty.npy", "f4.npy"])
    func writesTheBytesNumPyWrites(name: String) throws {
        let bytes = try FileFixtures.read(name)
        let array = try NumPyArray(bytes: bytes, source: name)
        let values = try array.floats
        #expect(NumPyArray.serialize(shape: array.shape, values: values) == bytes)
    }

    @Test func writesAndReadsPaths() throws {
        let folder = TemporaryFolder()
        let path = folder.path("a")
        try NumPyArray.write(shape: [3, 1], values: [1, -.infinity, 0.1], to: path)
        #expect(try NumPyArray(path: path).floats == [1, -.infinity, 0.1])
        #expect(try NumPyArray(path: path).source == path)
        try NumPyArchive.write([("a", [3], [1, 2, 3])], to: path)
        #expect(try NumPyArchive(path: path).array(named: "a").floats == [1, 2, 3])
        #expect(try ZipArchive(path: path).entries.map(\.name) == ["a.npy"])
        #expect(throws: FileError.self) { try NumPyArray(path: path + ".none") }
    }

    // MARK: Headers that NumPy does not write

    private func fault(_ header: String, numbers: Int = 24, version: UInt8 = 1) -> FormatError? {
        var bytes = [0x93] + Array("NUMPY".utf8) + [version, 0]
        if version == 1 {
            bytes.appendLittleEndian(UInt16(header.utf8.count))
        } else {
            bytes.appendLittleEndian(UInt32(header.utf8.count))
        }
        bytes += Array(header.utf8) + [UInt8](repeating: 0, count: numbers)
        return FileFixtures.fault { try NumPyArray(bytes: bytes, source: "a") }
    }

    @Test func readsTheHeadersOfOthers() {
        #expect(fault("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}\n") == nil)
        #expect(fault("{\"shape\":(2,3,),\"descr\":\"|u1\",\"fortran_order\":True}   \n", numbers: 6) == nil)
        #expect(fault("{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }\n", version: 3) == nil)
        // Python 2's long integers, and white space that Python takes.
        #expect(fault("{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }\n") == nil)
        #expect(fault("{'descr': '<f4', 'fortran_order': False, 'shape': (7L,), }\n")?.reason == .truncated)
        #expect(fault("{'descr': '<f4', 'fortran_order': False, 'shape': (6LL,), }\n")?.reason == .header)
        #expect(fault("{'descr':\t'<f4',\r 'fortran_order': False, 'shape': (6,), }\n") == nil)
    }

    @Test(arguments: [
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }", FormatError.Reason.header),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (6), }\n", .header),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (6,)\n", .header),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (6,),}}\n", .header),
        ("{'descr': '<f4', 'fortran_order': False}\n", .header),
        ("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (6,)}\n", .header),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (6,), 'more': 1}\n", .header),
        ("{'descr': '<f4', 'fortran_order': 1, 'shape': (6,)}\n", .header),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (-6,)}\n", .header),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': 6}\n", .header),
        ("{'descr': '<f4, 'fortran_order': False, 'shape': (6,)}\n", .header),
        ("{'descr': '=f4', 'fortran_order': False, 'shape': (6,)}\n", .unsupported),
        ("{'descr': '|f4', 'fortran_order': False, 'shape': (6,)}\n", .unsupported),
        ("{'descr': '', 'fortran_order': False, 'shape': (6,)}\n", .unsupported),
        ("{'descr': '<U6', 'fortran_order': False, 'shape': (1,)}\n", .unsupported),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (7,)}\n", .truncated),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (5,)}\n", .size),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}\n", .size),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}\n", .size),
        ("\n", .header),
    ])
    func refusesOtherHeaders(header: String, reason: FormatError.Reason) {
        #expect(fault(header)?.reason == reason)
    }

    @Test func refusesTooManyDimensions() {
        let sizes = { (count: Int) in String(repeating: "1, ", count: count) }
        #expect(fault("{'descr': '<f4', 'fortran_order': False, 'shape': (\(sizes(64)))}\n", numbers: 4) == nil)
        let error = fault("{'descr': '<f4', 'fortran_order': False, 'shape': (\(sizes(65)))}\n", numbers: 4)
        #expect(error?.description == "a: expected at most 64 dimensions, found more.")
    }

    @Test func everyLengthButTheWholeIsRefused() throws {
        for name in ["matrix.npy", "version_2.npy", "stored.npz", "zipfile.npz", "compressed.npz"] {
            let bytes = try FileFixtures.read(name)
            for count in 0..<bytes.count {
                let cut = Array(bytes[..<count])
                let fault = FileFixtures.fault {
                    if name.hasSuffix("npy") {
                        _ = try NumPyArray(bytes: cut, source: name)
                    } else {
                        _ = try NumPyArchive(bytes: cut, source: name)
                    }
                }
                #expect(fault != nil, "\(name) cut to \(count) bytes")
            }
        }
    }

    // MARK: Archives

    private func archive(_ name: String) throws -> NumPyArchive {
        try NumPyArchive(bytes: try FileFixtures.read(name), source: name)
    }

    @Test(arguments: ["stored.npz", "compressed.npz"])
    func readsArchives(name: String) throws {
        let archive = try archive(name)
        #expect(archive.names.prefix(3) == ["kernel", "bias", "ü scalar"])
        for (name, shape) in [("kernel", [3, 4]), ("bias", [4]), ("ü scalar", [])] {
            let array = try archive.array(named: name)
            #expect(array.shape == shape)
            expectSame(array.doubles, FileFixtures.numbers(.float32, array.count))
        }
        if name == "compressed.npz" {
            let counts = try archive.array(named: "counts")
            try expectSame(counts.integers(), FileFixtures.numbers(.int64, 1200).map { Int($0) })
        }
        let fault = FileFixtures.fault { try archive.array(named: "kernal") }
        #expect(fault?.reason == .missing && fault?.advice == "Did you mean \"kernel\"?")
    }

    @Test(arguments: ["zipfile.npz", "directory_64.npz"])
    func readsArraysThatZipfileWrote(name: String) throws {
        let archive = try archive(name)
        #expect(archive.names == ["a", "b"])
        #expect(try archive.array(named: "a").doubles == FileFixtures.numbers(.float32, 6))
        #expect(try archive.array(named: "b").integers() == [0, 1, 2, 3, 4])
    }

    @Test func readsArchivesOfOtherThings() throws {
        #expect(try self.archive("no_arrays.npz").names == [])
        let text = try ZipArchive(bytes: try FileFixtures.read("text.zip"), source: "text.zip")
        #expect(text.entries.map(\.name) == ["folder/text.txt"])
        try expectSame(text.content(of: text.entries[0]), FileFixtures.skewed(3000))
        #expect(FileFixtures.fault { try self.archive("text.zip") }?.reason == .header)
        let bzip2 = try self.archive("bzip2.npz")
        #expect(bzip2.names == ["a"] && FileFixtures.fault { try bzip2.array(named: "a") }?.reason == .unsupported)
    }

    @Test func anEntryStandsInNoOthersWay() throws {
        func npy(_ descr: String) -> [UInt8] {
            let text = "{'descr': \(descr), 'fortran_order': False, 'shape': (3,), }\n"
            return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
        }
        let numbers = NumPyArray.serialize(shape: [2], values: [1, 2])
        let bytes = ZipArchive.serialize([
            ("g/", []), ("names.npy", npy("'<U1'")), ("input.npy", numbers), ("__MACOSX/._input.npy", [0, 5, 22, 7]),
            ("g/rec.npy", npy("[('a', '<f4')]")), ("readme.txt", [1]), ("broken.npy", [7]),
        ])
        let archive = try NumPyArchive(bytes: bytes, source: "a.npz")
        #expect(archive.names == ["names", "input", "g/rec", "broken"])
        #expect(try archive.array(named: "input").floats == [1, 2])
        #expect(try archive.header(named: "g/rec").typeName == "[('a', '<f4')]")
        let fault = FileFixtures.fault { try archive.array(named: "names") }
        #expect(fault?.reason == .unsupported && fault?.entry == "names.npy")
        #expect(FileFixtures.fault { try archive.array(named: "broken") }?.entry == "broken.npy")
        let missing = FileFixtures.fault { try archive.array(named: "inputs") }
        #expect(missing?.advice == "Did you mean \"input\"?")
        let others = ZipArchive.serialize([("g/", []), ("__MACOSX/._input.npy", [0])])
        #expect(FileFixtures.fault { try NumPyArchive(bytes: others, source: "a") }?.reason == .header)
    }

    @Test func writesTheBytesSavezWrites() throws {
        let bytes = try FileFixtures.read("stored.npz")
        let archive = try NumPyArchive(bytes: bytes, source: "a")
        let arrays = try archive.names.map { name in
            let array = try archive.array(named: name)
            return (name: name, shape: array.shape, values: try array.floats)
        }
        expectSame(NumPyArchive.serialize(arrays), bytes)
        #expect(try NumPyArchive.serialize([]) == FileFixtures.read("no_arrays.npz"))
    }

    /// Whole numbers as int64: the bytes of `numpy.save`, and in an archive behind the others.
    @Test func writesWholeNumbers() throws {
        let bytes = try FileFixtures.read("i8.npy")
        let array = try NumPyArray(bytes: bytes, source: "a")
        let integers = try array.integers()
        #expect(array.dtype == .int64 && NumPyArray.serialize(shape: array.shape, integers: integers) == bytes)
        let archive = try NumPyArchive(
            bytes: NumPyArchive.serialize([("x", [1], [0.5])], integers: [("n", [2], [.min, .max]), ("s", [], [7])]),
            source: "a")
        #expect(archive.names == ["x", "n", "s"])
        #expect(try archive.array(named: "x").floats == [0.5])
        #expect(try archive.array(named: "n").integers() == [.min, .max])
        #expect(try archive.array(named: "s").integers() == [7] && archive.array(named: "s").shape == [])
    }
}
