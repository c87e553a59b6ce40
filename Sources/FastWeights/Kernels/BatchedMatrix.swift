// Products of a matrix of its own in every lane with vectors: what the fast memory A is made of. Such a matrix is sixteen
// times as large as one that all lanes share, and of H = 200 and more it fits no second-level cache; so the kernels read
// it once, in the order of memory, and a sum of outer products is written in one pass.

/// A square matrix [rows, rows] of its own in each lane, row by row; of a symmetric one the lower triangle alone.
struct BatchedMatrix {
    let values: Panel
    let rows: Int
    let isSymmetric: Bool

    /// Vectors of a matrix.
    static func count(rows: Int, isSymmetric: Bool) -> Int { isSymmetric ? rows * (rows + 1) / 2 : rows * rows }

    var count: Int { Self.count(rows: rows, isSymmetric: isSymmetric) }

    @inline(__always) private func row(_ r: Int) -> Panel {
        values + (isSymmetric ? r &* (r &+ 1) / 2 : r &* rows)
    }

    /// Numbers of row r that are stored.
    @inline(__always) private func width(_ r: Int) -> Int { isSymmetric ? r &+ 1 : rows }

    func clear() { values.update(repeating: .zero, count: count) }

    func scale(by factor: Float) {
        for i in 0..<count { values[i] *= factor }
    }

    // MARK: Products with a vector

    /// y += scale·M·x.
    func addProduct(_ x: Panel, scale: Float, into y: Panel) {
        if isSymmetric { return addSymmetricProduct(x, scale, y) }
        var r = 0
        while r < rows {
            let height = min(rows &- r, 2)
            let (a, b) = (row(r), row(r &+ height &- 1))
            var (even, odd) = (Lanes.zero, Lanes.zero)
            var k = 0
            while k < rows {
                even = even.mad(a[k], x[k])
                odd = odd.mad(b[k], x[k])
                k &+= 1
            }
            y[r] = y[r].mad(scale, even)
            if height == 2 { y[r &+ 1] = y[r &+ 1].mad(scale, odd) }
            r &+= 2
        }
    }

    /// y += scale·Mᵀ·x.
    func addTransposedProduct(_ x: Panel, scale: Float, into y: Panel) {
        if isSymmetric { return addSymmetricProduct(x, scale, y) }
        var r = 0
        while r &+ 1 < rows {
            let (a, b) = (row(r), row(r &+ 1))
            let (first, second) = (x[r] * scale, x[r &+ 1] * scale)
            var k = 0
            while k < rows {
                y[k] = y[k].mad(first, a[k]).mad(second, b[k])
                k &+= 1
            }
            r &+= 2
        }
        guard r < rows else { return }
        let (a, last) = (row(r), x[r] * scale)
        for k in 0..<rows { y[k] = y[k].mad(last, a[k]) }
    }

    /// Two rows of the triangle at a time, each also the two columns above the diagonal.
    @inline(never)
    private func addSymmetricProduct(_ x: Panel, _ scale: Float, _ y: Panel) {
        var a = values
        var r = 0
        while r &+ 1 < rows {
            let b = a + (r &+ 1)
            let (first, second) = (x[r] * scale, x[r &+ 1] * scale)
            var (upper, lower) = (Lanes.zero, Lanes.zero)
            var k = 0
            while k < r {
                let (p, q, v) = (a[k], b[k], x[k])
                upper = upper.mad(p, v)
                lower = lower.mad(q, v)
                y[k] = y[k].mad(first, p).mad(second, q)
                k &+= 1
            }
            upper = upper.mad(a[r], x[r]).mad(b[r], x[r &+ 1])
            lower = lower.mad(b[r], x[r]).mad(b[r &+ 1], x[r &+ 1])
            y[r] = y[r].mad(scale, upper)
            y[r &+ 1] = y[r &+ 1].mad(scale, lower)
            a = b + (r &+ 2)
            r &+= 2
        }
        guard r < rows else { return }
        let last = x[r] * scale
        var sum = Lanes.zero
        for k in 0..<r {
            sum = sum.mad(a[k], x[k])
            y[k] = y[k].mad(last, a[k])
        }
        y[r] = y[r].mad(scale, sum.mad(a[r], x[r]))
    }

    // MARK: Sums of outer products

    /// M += scale·x·yᵀ; of a symmetric matrix, which then is the sum of a gradient and its transpose, scale·(x·yᵀ + y·xᵀ).
    func addOuterProduct(_ x: Panel, _ y: Panel, scale: Float) {
        for r in 0..<rows {
            let (row, left, right) = (row(r), x[r] * scale, y[r] * scale)
            var k = 0
            if isSymmetric {
                while k <= r {
                    row[k] = row[k].mad(left, y[k]).mad(right, x[k])
                    k &+= 1
                }
            } else {
                while k < rows {
                    row[k] = row[k].mad(left, y[k])
                    k &+= 1
                }
            }
        }
    }

    /// M = decay·old + Σ_e w_e h_e h_eᵀ over the states of `list`; without an `old` matrix that of zeros.
    ///
    /// Eight rows by thirty-two columns of M stay in the first-level cache while the states pass, four at a time.
    func setSum(_ old: BatchedMatrix?, decay: Float, _ list: StateHistory) {
        for top in stride(from: 0, to: rows, by: BlockSizes.memoryRows) {
            let bottom = min(top &+ BlockSizes.memoryRows, rows)
            for left in stride(from: 0, to: width(bottom &- 1), by: BlockSizes.memoryColumns) {
                for r in top..<bottom where left < width(r) {
                    let (target, end) = (row(r), min(left &+ BlockSizes.memoryColumns, width(r)))
                    if let source = old?.row(r) {
                        for k in left..<end { target[k] = source[k] * decay }
                    } else {
                        for k in left..<end { target[k] = .zero }
                    }
                }
                var e = 0
                while e < list.count {
                    for r in top..<bottom where left < width(r) {
                        list.addProducts(e, r, row(r), left, min(left &+ BlockSizes.memoryColumns, width(r)))
                    }
                    e &+= BlockSizes.memoryStates
                }
            }
        }
    }
}

extension StateHistory {
    /// row[k] += Σ w_e h_e[r] h_e[k] for the next states from e on and the columns from `left` to `end`.
    @inline(never)
    fileprivate func addProducts(_ e: Int, _ r: Int, _ row: Panel, _ left: Int, _ end: Int) {
        if count &- e < BlockSizes.memoryStates {
            for e in e..<count {
                let state = states[e]
                let factor = state[r] * weights[-e]
                for k in left..<end { row[k] = row[k].mad(factor, state[k]) }
            }
            return
        }
        let (a, b, c, d) = (states[e], states[e &+ 1], states[e &+ 2], states[e &+ 3])
        let (p, q) = (a[r] * weights[-e], b[r] * weights[-e &- 1])
        let (s, t) = (c[r] * weights[-e &- 2], d[r] * weights[-e &- 3])
        var k = left
        while k < end {
            row[k] = row[k].mad(p, a[k]).mad(q, b[k]).mad(s, c[k]).mad(t, d[k])
            k &+= 1
        }
    }
}
