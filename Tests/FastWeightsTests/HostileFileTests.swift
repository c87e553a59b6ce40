import Testing

@testable @_spi(Laboratory) import FastWeights

/// Files made to hurt. `make fuzz` makes millions more.
@Suite struct HostileFileTests {
    // MARK: Zip

    /// Two arrays, stored; the entries' headers begin at 0 and 207, the directory at 414, its second entry at 465.
    private static let archive = NumPyArchive.serialize([
        ("a", [2, 3], [1, 2, 3, 4, 5, 6]), ("b", [6], [1, 2, 3, 4, 5, 6]),
    ])
    private static let second = 207
    private static let directory = 414
    private static let secondEntry = 465
    private static let end = 516

    private func archiveFault(_ change: (inout [UInt8]) -> Void) -> FormatError? {
        var bytes = Self.archive
        change(&bytes)
        return FileFixtures.fault {
            let archive = try NumPyArchive(bytes: bytes, source: "a.npz")
            for name in archive.names { _ = try archive.array(named: name) }
        }
    }

    private func put(_ number: some FixedWidthInteger, at offset: Int, in bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { bytes.replaceSubrange(offset..<offset + $0.count, with: $0) }
    }

    @Test func theArchiveIsLaidOutAsTheseTestsSay() {
        #expect(archiveFault { _ in } == nil)
        for (place, signature) in [
            (0, ZipDirectory.localSignature), (Self.second, ZipDirectory.localSignature),
            (Self.directory, ZipDirectory.centralSignature), (Self.secondEntry, ZipDirectory.centralSignature),
            (Self.end, ZipDirectory.endSignature),
        ] { #expect(Self.archive.littleEndian(UInt32.self, at: place) == signature) }
    }

    @Test func entriesMayNotShareData() {
        // The second entry is the first once more, under another name in the directory only, or under the same.
        #expect(archiveFault { put(UInt32(0), at: Self.secondEntry + 42, in: &$0) }?.reason == .header)
        #expect(
            archiveFault {
                put(UInt32(0), at: Self.secondEntry + 42, in: &$0)
                $0[Self.secondEntry + 46] = UInt8(ascii: "a")
            }?.reason == .duplicate)
        // The first entry's data reach into the second's.
        let fault = archiveFault {
            put(UInt32(200), at: Self.directory + 20, in: &$0)
            put(UInt32(200), at: Self.directory + 24, in: &$0)
        }
        #expect(fault?.reason == .coverage && fault?.entry == "b.npy")
    }

    @Test func entriesMayNotLeaveTheFile() {
        #expect(archiveFault { put(UInt32.max - 1, at: Self.secondEntry + 42, in: &$0) }?.reason == .coverage)
        #expect(archiveFault { put(UInt32(Self.directory), at: Self.secondEntry + 42, in: &$0) }?.reason == .coverage)
        #expect(
            archiveFault {
                put(UInt32(1 << 30), at: Self.directory + 20, in: &$0)
                put(UInt32(1 << 30), at: Self.directory + 24, in: &$0)
            }?.reason == .coverage)
        #expect(archiveFault { put(UInt16.max, at: Self.second + 28, in: &$0) }?.reason == .coverage)
        #expect(archiveFault { put(UInt16.max, at: Self.secondEntry + 28, in: &$0) }?.reason == .size)
        #expect(archiveFault { put(UInt32.max, at: Self.end + 16, in: &$0) }?.reason == .coverage)
        #expect(archiveFault { put(UInt32.max, at: Self.end + 12, in: &$0) }?.reason == .coverage)
    }

    @Test func claimsMustBePossible() {
        // 65,534 entries in 102 bytes of directory, and three.
        #expect(
            archiveFault {
                put(UInt16.max - 1, at: Self.end + 8, in: &$0)
                put(UInt16.max - 1, at: Self.end + 10, in: &$0)
            }?.reason == .size)
        #expect(
            archiveFault {
                put(UInt16(1), at: Self.end + 8, in: &$0)
                put(UInt16(1), at: Self.end + 10, in: &$0)
            }?.reason == .size)
        // Deflated data of 152 bytes cannot stand for four gigabytes, and stored ones for no more than they are.
        #expect(
            archiveFault {
                put(UInt16(8), at: Self.directory + 10, in: &$0)
                put(UInt32.max - 1, at: Self.directory + 24, in: &$0)
            }?.description
                == "a.npz, entry \"a.npy\": expected at most 156864 bytes in 152 stored ones, found 4294967294.")
        #expect(archiveFault { put(UInt32(153), at: Self.directory + 24, in: &$0) }?.reason == .size)
        // Sizes in 64 bits that are not there.
        #expect(archiveFault { put(UInt32.max, at: Self.directory + 24, in: &$0) }?.reason == .header)
    }

    @Test func refusesWhatItCannotOrMustNotRead() {
        #expect(archiveFault { $0[Self.directory + 8] = 1 }?.reason == .unsupported)
        #expect(archiveFault { put(UInt16(12), at: Self.directory + 10, in: &$0) }?.reason == .unsupported)
        #expect(archiveFault { put(UInt16(1), at: Self.directory + 34, in: &$0) }?.reason == .unsupported)
        #expect(archiveFault { put(UInt16(1), at: Self.end + 4, in: &$0) }?.reason == .unsupported)
        #expect(archiveFault { $0[Self.directory + 46] = 0xFF }?.reason == .header)
        #expect(archiveFault { $0[Self.second - 1] ^= 1 }?.reason == .checksum)
        #expect(archiveFault { $0[Self.directory + 16] ^= 1 }?.reason == .checksum)
        #expect(archiveFault { put(UInt16(8), at: Self.directory + 10, in: &$0) }?.entry == "a.npy")
        #expect(archiveFault { $0.append(0) } == nil)
        #expect(archiveFault { $0.append(1) }?.advice == "1 byte was appended to the file; fetch or write it again.")
        #expect(archiveFault { $0.insert(0, at: 0) }?.reason == .coverage)
        #expect(archiveFault { $0 = [] }?.reason == .signature)
    }

    @Test func aDirectoryIn64BitsIsCheckedTheSame() throws {
        let bytes = try FileFixtures.read("directory_64.npz")
        let wide = bytes.count - 22 - 20 - 56
        func reason(_ offset: Int, _ number: UInt64) -> FormatError.Reason? {
            var bytes = bytes
            put(number, at: offset, in: &bytes)
            return FileFixtures.fault { try NumPyArchive(bytes: bytes, source: "a") }?.reason
        }
        #expect(reason(wide + 32, .max) == .unsupported)
        #expect(reason(wide + 40, .max) == .coverage)
        #expect(reason(wide + 48, .max) == .coverage)
        #expect(reason(wide + 56 + 8, .max) == .coverage)
        var counts = bytes
        put(UInt64.max, at: wide + 24, in: &counts)
        put(UInt64.max, at: wide + 32, in: &counts)
        #expect(FileFixtures.fault { try NumPyArchive(bytes: counts, source: "a") }?.reason == .size)
    }

    // MARK: Compressed data

    @Test func anArchiveOfZerosTakesNoMoreThanItClaims() throws {
        // 100,000 zeros in 114 bytes of deflate, in an archive that claims 10,000.
        let member = try FileFixtures.read("runs.gz")
        let deflated = Array(member[10..<member.count - 8])
        var bytes = ZipArchive.serialize([("a", deflated)])
        let directory = bytes.count - 22 - 47
        put(UInt16(8), at: directory + 10, in: &bytes)
        put(UInt32(10_000), at: directory + 24, in: &bytes)
        let archive = try ZipArchive(bytes: bytes, source: "a")
        let fault = FileFixtures.fault { try archive.content(of: archive.entries[0]) }
        #expect(fault?.expected == "at most 10000 bytes of decompressed data" && fault?.reason == .size)
        // One that claims more than there is.
        put(UInt32(100_001), at: directory + 24, in: &bytes)
        let other = try ZipArchive(bytes: bytes, source: "a")
        #expect(FileFixtures.fault { try other.content(of: other.entries[0]) }?.expected == "100001 bytes of content")
    }

    @Test func manyTinyBlocksAreNoTrouble() throws {
        // A hundred thousand empty stored blocks, then the end of the data.
        let blocks = [UInt8]((0..<500_000).map { [0, 0, 0, 0xFF, 0xFF][$0 % 5] })
        var content: [UInt8] = []
        #expect(throws: InflateError.self) {
            try Inflate.inflate(blocks, 0..<blocks.count, limit: 10, into: &content)
        }
        #expect(content.isEmpty)
    }

    // MARK: Safetensors and models

    private func headerReason(_ header: String, data: Int = 0) -> FormatError.Reason? {
        var bytes: [UInt8] = []
        bytes.appendLittleEndian(UInt64(header.utf8.count))
        bytes += Array(header.utf8) + [UInt8](repeating: 0, count: data)
        do {
            _ = try SafeTensors(bytes: bytes, source: "a")
            return nil
        } catch {
            return error.reason
        }
    }

    @Test func headersMayNotExhaustStackOrArithmetic() {
        #expect(headerReason("{\"a\":" + String(repeating: "[", count: 100_000)) == .headerSyntax)
        #expect(headerReason(String(repeating: "{\"a\":", count: 100_000)) == .headerSyntax)
        let huge = "9007199254740992"
        #expect(
            headerReason(#"{"a":{"dtype":"F32","shape":[\#(huge),\#(huge)],"data_offsets":[0,4]}}"#, data: 4) == .size)
        #expect(
            headerReason(#"{"a":{"dtype":"U8","shape":[\#(huge)],"data_offsets":[0,\#(huge)]}}"#, data: 4) == .coverage)
        #expect(headerReason(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, data: 4) == .entry)
        #expect(headerReason(#"{"a":{"dtype":"F32","shape":[1e300],"data_offsets":[0,4]}}"#, data: 4) == .entry)
    }

    private func modelProblem(_ cell: String, vocabulary: Int = 37, pairs: Int = 2) throws -> String {
        let config =
            #"{"vocabulary":\#(vocabulary),"embedding":1,"cell":{\#(cell),"input":1},"head":1,"classes":10}"#
        let task = #"{"name":"associative_retrieval","pairs":\#(pairs),"repeats_digits":false}"#
        let bytes = SafeTensors.serialize(
            [("embedding.weight", [37, 1], [Float](repeating: 0, count: 37))],
            metadata: [("format", "fastweights-classifier-1"), ("config", config), ("task", task)])
        do {
            _ = try ModelFile(bytes: bytes, source: "a")
            return ""
        } catch let error as WeightsError {
            return error.description
        }
    }

    @Test func aModelMayNotClaimMoreThanItHolds() throws {
        // Weights of four terabytes, in a file of a kilobyte.
        #expect(try modelProblem(#""cell":"gru","hidden":1048576"#).hasPrefix("a: missing tensors: cell.weight_ih"))
        #expect(try modelProblem(#""cell":"gru","hidden":1e300"#).contains("needs hidden as a whole number"))
        #expect(try modelProblem(#""cell":"gru","hidden":0"#).contains("needs hidden as a whole number"))
        #expect(try modelProblem(#""cell":["gru"],"hidden":2"#).contains("needs cell as a text, found [\"gru\"]"))
        #expect(try modelProblem(#""cell":"gru","hidden":2"#, vocabulary: 2).contains("37 tokens"))
        #expect(try modelProblem(#""cell":"gru","hidden":2"#, pairs: 26).contains("1 to 10 pairs"))
        #expect(try modelProblem(#""cell":"gru","hidden":2,"#).contains("is not JSON"))
    }
}
