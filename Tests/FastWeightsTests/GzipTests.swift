import Testing

@testable @_spi(Laboratory) import FastWeights

@Suite struct GzipTests {
    private func content(_ name: String) throws -> [UInt8] {
        try Gzip.decompress(try FileFixtures.read(name), source: name)
    }

    @Test func checksumIsThatOfTheStandard() {
        #expect(CRC32.checksum(Array("123456789".utf8)) == 0xCBF4_3926)
        #expect(CRC32.checksum([]) == 0)
        let bytes = FileFixtures.skewed(40)
        for count in 0...40 {
            var crc = ~UInt32(0)
            for byte in bytes[..<count] {
                crc ^= UInt32(byte)
                for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 0 ? 0 : 0xEDB8_8320) }
            }
            #expect(CRC32.checksum(bytes[..<count]) == ~crc)
        }
    }

    @Test func readsEveryKindOfBlock() throws {
        try expectSame(content("gzip.gz"), FileFixtures.skewed(70_000))
        for name in ["stored.gz", "fixed.gz", "huffman.gz"] {
            try expectSame(content(name), FileFixtures.skewed(3000))
        }
        #expect(try content("runs.gz") == [UInt8](repeating: 0, count: 100_000))
        #expect(try content("empty.gz") == [])
    }

    @Test func readsHeaderFieldsAndMembers() throws {
        try expectSame(content("fields.gz"), FileFixtures.skewed(300))
        try expectSame(content("members.gz"), FileFixtures.skewed(700))
    }

    @Test func holdsToTheLimit() throws {
        let bytes = try FileFixtures.read("gzip.gz")
        #expect(try Gzip.decompress(bytes, source: "a", limit: 70_000).count == 70_000)
        #expect(FileFixtures.fault { try Gzip.decompress(bytes, source: "a", limit: 69_999) }?.reason == .size)
        let members = try FileFixtures.read("members.gz")
        #expect(try Gzip.decompress(members, source: "a", limit: 700).count == 700)
        #expect(
            FileFixtures.fault { try Gzip.decompress(members, source: "a", limit: 699) }?.description
                == "a: expected at most 399 bytes of decompressed data, found more.")
    }

    @Test func everyByteCountsAndEveryLength() throws {
        for name in ["fields.gz", "members.gz", "empty.gz"] {
            let bytes = try FileFixtures.read(name)
            let content = try content(name)
            for count in 0..<bytes.count {
                // A file cut between members is whole.
                let cut = try? Gzip.decompress(Array(bytes[..<count]), source: name)
                #expect(cut == nil || content.starts(with: cut!) && cut!.count < content.count)
            }
            var read = 0
            for i in bytes.indices {
                var changed = bytes
                changed[i] ^= 0x10
                // The time, the hint at the compressor and the system are free; names may be any bytes.
                guard let other = try? Gzip.decompress(changed, source: name) else { continue }
                expectSame(other, content)
                read += 1
            }
            // Of the shortest header's ten bytes those are six; a header with a checksum has none.
            #expect(name == "fields.gz" || read >= 6, "\(name) is read with \(read) of its bytes changed")
        }
    }

    @Test func saysWhatIsWrong() throws {
        let bytes = try FileFixtures.read("fixed.gz")
        func reason(_ change: (inout [UInt8]) -> Void) -> FormatError.Reason? {
            var bytes = bytes
            change(&bytes)
            return FileFixtures.fault { try Gzip.decompress(bytes, source: "a") }?.reason
        }
        #expect(reason { $0 = [] } == .truncated)
        #expect(reason { $0.removeLast(9) } == .truncated)
        #expect(reason { $0[0] = 0x50 } == .signature)
        #expect(reason { $0[2] = 7 } == .unsupported)
        #expect(reason { $0[3] = 0x20 } == .header)
        #expect(reason { $0[3] = 0x02 } == .checksum)
        #expect(reason { $0[10] |= 0x06 } == .compression)
        #expect(reason { $0[$0.count - 5] ^= 1 } == .checksum)
        #expect(reason { $0[$0.count - 1] ^= 1 } == .size)
        #expect(reason { $0.append(1) } == .signature)
        #expect(reason { $0.append(0x1F) } == .truncated)
    }

    @Test func zeroBytesBehindAMemberArePadding() throws {
        let (one, other) = (try FileFixtures.read("fixed.gz"), try FileFixtures.read("fields.gz"))
        let (text, more) = (FileFixtures.skewed(3000), FileFixtures.skewed(300))
        for count in [1, 9, 10, 512] {
            let zeros = [UInt8](repeating: 0, count: count)
            #expect(try Gzip.decompress(one + zeros, source: "a") == text)
            #expect(try Gzip.decompress(one + zeros + other + zeros, source: "a") == text + more)
            #expect(FileFixtures.fault { try Gzip.decompress(zeros + one, source: "a") }?.reason == .signature)
        }
    }

    @Test func saysHowManyBytesWereAppended() throws {
        let bytes = try FileFixtures.read("fixed.gz")
        for (rest, first, count) in [("garbage!", "0x67 0x61", 8), ("a longer piece of garbage", "0x61 0x20", 25)] {
            let fault = FileFixtures.fault { try Gzip.decompress(bytes + Array(rest.utf8), source: "a") }
            #expect(
                fault?.description
                    == "a: expected another gzip member or the end at byte \(bytes.count), found \(first). "
                    + "\(count) bytes were appended to the file; fetch or write it again.")
        }
        let one = FileFixtures.fault { try Gzip.decompress(bytes + [7], source: "a") }
        #expect(one?.found == "0x07" && one?.advice == "1 byte was appended to the file; fetch or write it again.")
    }

    // MARK: Deflate streams by hand

    /// Fields of (value, bits) as deflate packs them, lowest bit first.
    private func stream(_ fields: [(Int, Int)]) -> [UInt8] {
        var bits: [Int] = []
        for (value, count) in fields { bits += (0..<count).map { value >> $0 & 1 } }
        while bits.count % 8 != 0 { bits.append(0) }
        return stride(from: 0, to: bits.count, by: 8).map { i in
            UInt8((0..<8).reduce(0) { $0 | bits[i + $1] << $1 })
        }
    }

    private func inflate(_ fields: [(Int, Int)]) -> (content: [UInt8]?, fault: FormatError.Reason?) {
        let bytes = stream(fields)
        var content: [UInt8] = []
        do {
            _ = try Inflate.inflate(bytes, 0..<bytes.count, limit: 1000, into: &content)
            return (content, nil)
        } catch {
            return (nil, error.reason)
        }
    }

    @Test func refusesWhatNoCompressorWrites() {
        #expect(inflate([(1, 1), (1, 2), (0, 7)]).content == [])
        #expect(inflate([(1, 1), (3, 2)]).fault == .compression)
        // A stored block whose length has another complement.
        #expect(inflate([(1, 1), (0, 2), (0, 5), (1, 16), (1, 16), (7, 8)]).fault == .compression)
        #expect(inflate([(1, 1), (0, 2), (0, 5), (1, 16), (0xFFFE, 16), (7, 8)]).content == [7])
        #expect(inflate([(1, 1), (0, 2), (0, 5), (2, 16), (0xFFFD, 16), (7, 8)]).fault == .truncated)
        // The literal 0 is 00110000, the length 3 is 0000001, both first bit first; distance symbol 0 is 00000.
        #expect(inflate([(1, 1), (1, 2), (0x0C, 8), (0x40, 7), (0, 5), (0, 7)]).content == [0, 0, 0, 0])
        // A distance of 2 where there is one byte; the symbols 286 and 30, which have no meaning.
        #expect(inflate([(1, 1), (1, 2), (0x0C, 8), (0x40, 7), (0x10, 5), (0, 7)]).fault == .compression)
        #expect(inflate([(1, 1), (1, 2), (0x0C, 8), (0x63, 8), (0, 5), (0, 7)]).fault == .compression)
        #expect(inflate([(1, 1), (1, 2), (0x0C, 8), (0x40, 7), (0x0F, 5), (0, 7)]).fault == .compression)
        // Dynamic blocks: 287 literals; a repeat with nothing before it; code lengths that make no code.
        let order = [(1, 1), (2, 2)]
        #expect(inflate(order + [(30, 5), (0, 5), (0, 4)]).fault == .compression)
        let repeatFirst = [(1, 3), (0, 3), (0, 3), (1, 3)]
        #expect(inflate(order + [(0, 5), (0, 5), (0, 4)] + repeatFirst + [(1, 1), (0, 60)]).fault == .compression)
        let threeOfOneBit = [(1, 3), (1, 3), (1, 3), (0, 3)]
        #expect(inflate(order + [(0, 5), (0, 5), (0, 4)] + threeOfOneBit + [(0, 60)]).fault == .compression)
        // Lengths that are all zero: no code ends the block.
        let zeros = [(0, 3), (0, 3), (1, 3), (1, 3)]
        let allZero = [(1, 1), (127, 7), (1, 1), (109, 7)]
        #expect(inflate(order + [(0, 5), (0, 5), (0, 4)] + zeros + allZero + [(0, 60)]).fault == .compression)
    }

    @Test func codesMustBeComplete() {
        func isCode(_ lengths: [UInt8]) -> Bool { HuffmanCode(lengths: lengths) != nil }
        #expect(isCode([1, 1]) && isCode([1, 2, 2]) && isCode([0, 1, 0]) && isCode([0, 0]))
        #expect(!isCode([1, 1, 1]) && !isCode([1, 2]) && !isCode([2]) && !isCode([2, 2, 2]))
        let longest = (1...15).map { UInt8($0) } + [15]
        let code = HuffmanCode(lengths: longest)!
        #expect(code.symbol(in: 0) == (0, 1))
        #expect(code.symbol(in: 0x7FF) == (11, 12))
        #expect(code.symbol(in: 0x3FFF) == (14, 15))
        #expect(code.symbol(in: 0x7FFF) == (15, 15))
    }
}
