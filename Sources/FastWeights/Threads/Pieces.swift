/// A run of numbers cut into pieces of a fixed size, whatever the number of threads.
struct Pieces: Sendable {
    let total: Int
    let size: Int
    let count: Int

    /// Pieces of whole vectors: 2048 floats, which take about half a microsecond, or more where there would be more pieces
    /// than a job has.
    init(of total: Int) { self.init(of: total, size: max(2048, total / 32_768 / Lanes.width * Lanes.width)) }

    /// Pieces of `size` numbers.
    init(of total: Int, size: Int) { (self.total, self.size, count) = (total, size, (total + size - 1) / size) }

    /// Pieces of `size` numbers but for the last, which may have half as many or as many more: no piece is too short to be
    /// worth its beginning.
    init(of total: Int, about size: Int) {
        (self.total, self.size, count) = (total, size, total == 0 ? 0 : max(1, (total + size / 2) / size))
    }

    subscript(piece: Int) -> Range<Int> { piece * size..<(piece == count - 1 ? total : (piece + 1) * size) }
}
