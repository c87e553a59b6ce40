/// What a byte of a PNG's row is written as the difference from, modulo 256: the number of each row's filter stands in front of
/// it.
enum PNGFilter: UInt8, CaseIterable {
    case none, left, above, mean, paeth

    /// What is expected of a byte with these neighbors of the same channel, 0 where there is none; `corner` is above on the
    /// left.
    @inline(__always)
    func prediction(left: UInt8, above: UInt8, corner: UInt8) -> UInt8 {
        switch self {
        case .none: return 0
        case .left: return left
        case .above: return above
        case .mean: return UInt8((Int(left) + Int(above)) / 2)
        case .paeth:
            // That of the three which is nearest to left + above - corner; of equals the first (Paeth 1991).
            let (a, b, c) = (Int(left), Int(above), Int(corner))
            let (da, db, dc) = (abs(b - c), abs(a - c), abs(a + b - 2 * c))
            return da <= db && da <= dc ? left : db <= dc ? above : corner
        }
    }

    /// Makes rows that each have the number of their filter in front rows of pixels, in place: what is written never reaches
    /// what is still to be read. A row has `row` bytes, a pixel `step`. A number of no filter ends it and is given back.
    static func remove(from rows: inout [UInt8], height: Int, row: Int, step: Int) -> UInt8? {
        let wrong: UInt8? = rows.withUnsafeMutableBufferPointer { rows in
            for y in 0..<height {
                guard let filter = PNGFilter(rawValue: rows[y * (row + 1)]) else { return rows[y * (row + 1)] }
                let (from, to) = (y * (row + 1) + 1, y * row)
                for i in 0..<row {
                    let prediction = filter.prediction(
                        left: i >= step ? rows[to + i - step] : 0, above: y > 0 ? rows[to + i - row] : 0,
                        corner: y > 0 && i >= step ? rows[to + i - row - step] : 0)
                    rows[to + i] = rows[from + i] &+ prediction
                }
            }
            return nil
        }
        if wrong == nil { rows.removeLast(height) }
        return wrong
    }

    /// The rows of `pixels`, each behind the number of its filter: that which leaves the smallest differences, of equals the
    /// first, as the standard advises.
    static func apply(to pixels: [UInt8], row: Int, step: Int) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(pixels.count + pixels.count / row)
        var (line, best) = ([UInt8](repeating: 0, count: row), [UInt8](repeating: 0, count: row))
        for start in stride(from: 0, to: pixels.count, by: row) {
            var (chosen, least) = (PNGFilter.none, Int.max)
            for filter in allCases {
                var sum = 0
                for i in 0..<row {
                    let place = start + i
                    let prediction = filter.prediction(
                        left: i >= step ? pixels[place - step] : 0, above: start > 0 ? pixels[place - row] : 0,
                        corner: start > 0 && i >= step ? pixels[place - row - step] : 0)
                    line[i] = pixels[place] &- prediction
                    sum += Int(min(line[i], 0 &- line[i]))
                }
                if sum < least {
                    (chosen, least) = (filter, sum)
                    swap(&line, &best)
                }
            }
            result.append(chosen.rawValue)
            result += best
        }
        return result
    }
}
