/// A matrix [M, K] of few rows for products with one vector, the columns in the lanes: by `StreamMatrix`, which has the rows
/// there, most of them would be empty.
struct StreamRows {
    /// Rows at most: of more, those of `StreamMatrix` fill its lanes.
    static let most = 3

    let rows: Int
    let columns: Int
    let values: UnsafeMutablePointer<Float>

    /// A matrix of zeros in `arena`.
    init(rows: Int, columns: Int, arena: StreamArena) {
        (self.rows, self.columns) = (rows, columns)
        values = UnsafeMutableRawPointer(arena.octets((rows * columns + Octet.width - 1) / Octet.width))
            .assumingMemoryBound(to: Float.self)
    }
}

/// y = start + W·x. O(M·K).
@inline(__always)
func multiply(
    _ w: StreamRows, by x: ColumnNumbers, from start: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>
) {
    var row = 0
    var values = UnsafePointer(w.values + x.first)
    while row < w.rows {
        y[row] = start[row] + dot(values, x.pointer, x.count)
        values += w.columns
        row &+= 1
    }
}

/// Σ w·x of `count` numbers, by two sums of eight lanes.
@inline(__always)
private func dot(_ w: UnsafePointer<Float>, _ x: UnsafePointer<Float>, _ count: Int) -> Float {
    typealias Quartet = SIMD4<Float>
    var (first, second) = (Octet.zero, Octet.zero)
    var k = 0
    while k &+ 16 <= count {
        first = first.mad(Octet(at: w + k), Octet(at: x + k))
        second = second.mad(Octet(at: w + (k &+ 8)), Octet(at: x + (k &+ 8)))
        k &+= 16
    }
    if k &+ 8 <= count {
        first = first.mad(Octet(at: w + k), Octet(at: x + k))
        k &+= 8
    }
    let eight = first + second
    var four = eight.lowHalf + eight.highHalf
    if k &+ 4 <= count {
        four +=
            UnsafeRawPointer(w + k).loadUnaligned(as: Quartet.self)
            * UnsafeRawPointer(x + k).loadUnaligned(as: Quartet.self)
        k &+= 4
    }
    let two = four.lowHalf + four.highHalf
    var sum = two[0] + two[1]
    while k < count {
        sum += w[k] * x[k]
        k &+= 1
    }
    return sum
}
