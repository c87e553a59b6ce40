/// A table with a row of numbers for each token.
struct TokenRows {
    let values: UnsafeMutablePointer<Float>
    /// Numbers a token.
    let rows: Int
    /// From the numbers of one token to those of the next.
    let stride: Int

    /// panel[r][lane] = table[token of the lane][r].
    func gather<Token: UnsignedInteger & FixedWidthInteger>(_ tokens: UnsafePointer<Token>, into panel: Panel) {
        let target = floats(panel)
        var lane = 0
        while lane < Lanes.width {
            spread(
                row(tokens[lane]), row(tokens[lane &+ 1]), row(tokens[lane &+ 2]), row(tokens[lane &+ 3]), count: rows,
                lane: lane, into: target)
            lane &+= 4
        }
    }

    /// table[token of the lane][r] += panel[r][lane], for the first `count` lanes.
    func scatter<Token: UnsignedInteger & FixedWidthInteger>(
        _ tokens: UnsafePointer<Token>, from panel: Panel, count: Int
    ) {
        let source = floats(panel)
        var lane = 0
        while lane &+ 4 <= count {
            let a = row(tokens[lane])
            let b = row(tokens[lane &+ 1])
            let c = row(tokens[lane &+ 2])
            let d = row(tokens[lane &+ 3])
            var r = 0
            while r &+ 4 <= rows {
                let square = Matrix4x4(at: source + (r &* Lanes.width &+ lane), Lanes.width).transposed
                // One after the other: two of the four may be the same token.
                square.a.add(to: a + r)
                square.b.add(to: b + r)
                square.c.add(to: c + r)
                square.d.add(to: d + r)
                r &+= 4
            }
            while r < rows {
                let p = source + (r &* Lanes.width &+ lane)
                a[r] += p[0]
                b[r] += p[1]
                c[r] += p[2]
                d[r] += p[3]
                r &+= 1
            }
            lane &+= 4
        }
        while lane < count {
            let target = row(tokens[lane])
            for r in 0..<rows { target[r] += source[r &* Lanes.width &+ lane] }
            lane &+= 1
        }
    }

    @inline(__always) private func row<Token: UnsignedInteger & FixedWidthInteger>(
        _ token: Token
    ) -> UnsafeMutablePointer<Float> {
        values + Int(truncatingIfNeeded: token) &* stride
    }
}
