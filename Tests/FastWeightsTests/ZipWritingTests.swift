import Foundation
import Testing

@testable @_spi(Laboratory) import FastWeights

/// Archives beyond what the directory's old fields hold, without their gigabytes: small ones for which the fields are said
/// to hold less.
@Suite struct ZipWritingTests {
    private static let entries: [(name: String, content: [UInt8])] = [
        ("a.bin", Array(0..<64)), ("b.bin", [UInt8](repeating: 0x78, count: 10)),
        ("ü.bin", [UInt8](repeating: 0x7A, count: 300)),
    ]

    /// Length and CRC-32 of what Python 3.11 writes:
    ///
    ///     zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT = size, count
    ///     with zipfile.ZipFile(file, "w") as archive:
    ///         for name, content in entries:
    ///             with archive.open(name, "w", force_zip64=True) as entry: entry.write(content)
    @Test(arguments: [
        (UInt64(Int32.max), 65_535, 716, 0x06D8_7F40), (50, 65_535, 852, 0xD0C9_5BFF), (0, 65_535, 868, 0x35AF_836A),
        (100, 65_535, 832, 0x8B0E_009D), (400, 65_535, 792, 0x8386_AF09), (UInt64(Int32.max), 2, 792, 0x8386_AF09),
    ])
    func writesTheBytesZipfileWrites(size: UInt64, count: UInt64, length: Int, checksum: UInt32) throws {
        let bytes = ZipArchive.serialize(Self.entries, narrow: ZipArchive.NarrowLimits(size: size, count: count))
        #expect(bytes.count == length && CRC32.checksum(bytes) == checksum)
        let archive = try ZipArchive(bytes: bytes, source: "a.zip")
        #expect(archive.entries.map(\.name) == Self.entries.map(\.name))
        for (entry, expected) in zip(archive.entries, Self.entries) {
            #expect(try archive.content(of: entry) == expected.content)
        }
    }

    /// Length and CRC-32 of `numpy.savez(file, output=numpy.arange(6, dtype="f4").reshape(2, 3), h_n=numpy.zeros((1, 3), "f4"))`
    /// with zipfile.ZIP64_LIMIT = size.
    @Test(arguments: [
        (UInt64(Int32.max), 540, 0x412A_E803), (200, 628, 0xE8D2_4997), (100, 664, 0xC824_5BC6),
    ])
    func writesTheBytesSavezWrites(size: UInt64, length: Int, checksum: UInt32) throws {
        let arrays: [(name: String, shape: [Int], values: [Float])] = [
            ("output", [2, 3], [0, 1, 2, 3, 4, 5]), ("h_n", [1, 3], [0, 0, 0]),
        ]
        let bytes = ZipArchive.serialize(
            arrays.map { ($0.name + ".npy", NumPyArray.serialize(shape: $0.shape, values: $0.values)) },
            narrow: ZipArchive.NarrowLimits(size: size))
        #expect(bytes.count == length && CRC32.checksum(bytes) == checksum)
        let archive = try NumPyArchive(bytes: bytes, source: "a.npz")
        #expect(try archive.array(named: "output").floats == [0, 1, 2, 3, 4, 5])
        #expect(try archive.array(named: "h_n").shape == [1, 3])
    }

    @Test func theDirectoryCountsMoreEntriesThanSixteenBits() throws {
        let count = Int(UInt16.max) + 1
        let bytes = ZipArchive.serialize((0..<count).map { ("\($0)", []) })
        #expect(bytes.suffix(22)[bytes.endIndex - 12] == 0xFF)
        let archive = try ZipArchive(bytes: bytes, source: "a.zip")
        #expect(archive.entries.count == count && archive.entries[count - 1].name == "65535")
    }
}
