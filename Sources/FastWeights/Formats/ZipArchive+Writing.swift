extension ZipArchive {
    /// The largest numbers for which the directory has its old fields of 16 and 32 bits, as Python's zipfile has them;
    /// others stand in 64 bits beside them.
    struct NarrowLimits {
        /// Bytes of an entry, of all before it, and of the directory.
        var size = UInt64(Int32.max)
        /// Entries.
        var count = UInt64(UInt16.max)
    }

    /// The bytes of an archive that stores `entries` in the order given: the same arguments always give the same bytes.
    ///
    /// They are those Python's zipfile writes for entries of unknown size, as `numpy.savez` does: dated 1 January 1980,
    /// readable by their owner, sizes in 64 bits ahead of the data, and in the directory too where they, or an entry's
    /// place, are 2 GiB or more (zip64).
    ///
    /// - Parameter entries: Names that differ, of at most 65,535 bytes, with their content. Traps on other names.
    /// - Complexity: O(*n*) in the number of bytes.
    public static func serialize(_ entries: [(name: String, content: [UInt8])]) -> [UInt8] {
        serialize(entries, narrow: NarrowLimits())
    }

    static func serialize(_ entries: [(name: String, content: [UInt8])], narrow limits: NarrowLimits) -> [UInt8] {
        var names: Set<String> = []
        for (name, _) in entries {
            require(names.insert(name).inserted, "two entries of a zip archive are named \"\(name)\"")
            require(
                name.utf8.count <= Int(UInt16.max),
                "the name of a zip archive's entry has at most \(UInt16.max) bytes, found \(name.utf8.count)")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(entries.reduce(0) { $0 + $1.content.count + 2 * $1.name.utf8.count + 160 })
        var directory: [UInt8] = []
        for (name, content) in entries {
            let place = UInt64(bytes.count)
            let header = Header(name: name, content: content)
            header.appendLocal(to: &bytes)
            bytes.append(contentsOf: content)
            header.appendCentral(place: place, limits, to: &directory)
        }
        let (start, size, count) = (UInt64(bytes.count), UInt64(directory.count), UInt64(entries.count))
        bytes.append(contentsOf: directory)
        if start > limits.size || size > limits.size || count > limits.count {
            appendWideEnd(count: count, size: size, start: start, to: &bytes)
        }
        bytes.appendLittleEndian(ZipDirectory.endSignature)
        bytes.appendLittleEndian(UInt32(0))  // this disk and that of the directory
        bytes.appendLittleEndian(UInt16(clamping: count))  // on this disk
        bytes.appendLittleEndian(UInt16(clamping: count))
        bytes.appendLittleEndian(UInt32(clamping: size))
        bytes.appendLittleEndian(UInt32(clamping: start))
        bytes.appendLittleEndian(UInt16(0))  // comment
        return bytes
    }

    /// The end record in 64 bits, and the locator that says where it stands.
    private static func appendWideEnd(count: UInt64, size: UInt64, start: UInt64, to bytes: inout [UInt8]) {
        let place = UInt64(bytes.count)
        bytes.appendLittleEndian(ZipDirectory.wideEndSignature)
        bytes.appendLittleEndian(UInt64(ZipDirectory.wideEndLength - 12))  // what is left of it
        bytes.appendLittleEndian(Header.version)  // made by
        bytes.appendLittleEndian(Header.version)  // needed
        bytes.appendLittleEndian(UInt64(0))  // this disk and that of the directory
        bytes.appendLittleEndian(count)  // on this disk
        bytes.appendLittleEndian(count)
        bytes.appendLittleEndian(size)
        bytes.appendLittleEndian(start)
        bytes.appendLittleEndian(ZipDirectory.wideLocatorSignature)
        bytes.appendLittleEndian(UInt32(0))  // its disk
        bytes.appendLittleEndian(place)
        bytes.appendLittleEndian(UInt32(1))  // disks
    }

    /// The two headers of an entry that is written.
    private struct Header {
        /// 4.5, the first with sizes in 64 bits.
        static let version: UInt16 = 45

        let name: [UInt8]
        let flags: UInt16
        let size: UInt64
        let checksum: UInt32

        init(name: String, content: [UInt8]) {
            self.name = Array(name.utf8)
            flags = self.name.allSatisfy { $0 < 0x80 } ? 0 : ZipDirectory.utf8Flag
            size = UInt64(content.count)
            checksum = CRC32.checksum(content)
        }

        func appendLocal(to bytes: inout [UInt8]) {
            bytes.appendLittleEndian(ZipDirectory.localSignature)
            let wide = [size, size]
            appendCommon(size: .max, wide, to: &bytes)
            bytes.append(contentsOf: name)
            append(wide, to: &bytes)
        }

        func appendCentral(place: UInt64, _ limits: NarrowLimits, to bytes: inout [UInt8]) {
            let (isLarge, isFar) = (size > limits.size, place > limits.size)
            let wide = (isLarge ? [size, size] : []) + (isFar ? [place] : [])
            bytes.appendLittleEndian(ZipDirectory.centralSignature)
            bytes.appendLittleEndian(3 << 8 | Self.version)  // made on Unix
            appendCommon(size: isLarge ? .max : UInt32(size), wide, to: &bytes)
            bytes.appendLittleEndian(UInt16(0))  // comment
            bytes.appendLittleEndian(UInt32(0))  // disk, internal attributes
            bytes.appendLittleEndian(UInt32(0o600 << 16))  // permissions
            bytes.appendLittleEndian(isFar ? .max : UInt32(place))
            bytes.append(contentsOf: name)
            append(wide, to: &bytes)
        }

        /// What both headers have, from the version needed to the length of the extra field, which holds `wide`.
        private func appendCommon(size: UInt32, _ wide: [UInt64], to bytes: inout [UInt8]) {
            bytes.appendLittleEndian(Self.version)
            bytes.appendLittleEndian(flags)
            bytes.appendLittleEndian(UInt16(0))  // stored
            bytes.appendLittleEndian(UInt16(0))  // midnight
            bytes.appendLittleEndian(UInt16(1 << 5 | 1))  // 1 January 1980
            bytes.appendLittleEndian(checksum)
            bytes.appendLittleEndian(size)  // compressed
            bytes.appendLittleEndian(size)
            bytes.appendLittleEndian(UInt16(name.count))
            bytes.appendLittleEndian(UInt16(wide.isEmpty ? 0 : 4 + 8 * wide.count))
        }

        /// The extra field of numbers in 64 bits.
        private func append(_ wide: [UInt64], to bytes: inout [UInt8]) {
            guard !wide.isEmpty else { return }
            bytes.appendLittleEndian(ZipDirectory.wideField)
            bytes.appendLittleEndian(UInt16(8 * wide.count))
            for number in wide { bytes.appendLittleEndian(number) }
        }
    }
}
