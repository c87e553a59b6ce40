/// Owns the panels of one unrolled cell.
final class Arena {
    private var owned: [Buffer<Lanes>] = []

    func panels(_ count: Int, rows: Int) -> PanelSequence {
        let (vectors, overflow) = count.multipliedReportingOverflow(by: rows)
        require(!overflow, "\(count) steps of \(rows) numbers are more than memory can hold")
        let buffer = Buffer<Lanes>(vectors)
        owned.append(buffer)
        return PanelSequence(pointer: buffer.pointer, stride: rows)
    }

    /// As many panels; or, not to be kept, a single one in the place of all.
    func panels(_ count: Int, rows: Int, kept: Bool) -> PanelSequence {
        kept ? panels(count, rows: rows) : PanelSequence(pointer: panels(1, rows: rows).pointer, stride: 0)
    }

    func laneGradients(rows: Int) -> LaneGradients {
        LaneGradients(gain: panels(1, rows: rows)[0], bias: panels(1, rows: rows)[0])
    }
}

/// Owns vectors: of one stream, or of the parameters that streams share.
final class StreamArena {
    private var owned: [Buffer<Octet>] = []

    /// `count` vectors of zeros, 64-byte aligned.
    func octets(_ count: Int) -> UnsafeMutablePointer<Octet> {
        let buffer = Buffer<Octet>(count)
        owned.append(buffer)
        return buffer.pointer
    }

    /// As many pairs of columns of half width.
    func pairs(_ count: Int) -> UnsafeMutablePointer<ColumnPair> {
        UnsafeMutableRawPointer(octets(count)).bindMemory(to: ColumnPair.self, capacity: count)
    }
}
