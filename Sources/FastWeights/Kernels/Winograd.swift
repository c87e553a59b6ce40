/// Convolutions with stride 1 by fewer products: Winograd's minimal filtering (Winograd 1980; Lavin and Gray 2016).
///
/// Maps are cut into tiles of m by m outputs. What a tile is made of, n by n inputs with n = m + k - 1, is evaluated at n
/// points of each axis, Bᵀ d B; the filters are too, G g Gᵀ; there the convolution is a product for each of n² places, and
/// Aᵀ · A makes of them the outputs. With k = 5 and m = 4 that is 4 products an output rather than 25.
///
/// Eight points are 0, ±1, ±2, ±½ and ∞, six are 0, ±1, ±2 and ∞.
struct Winograd: Sendable, Equatable {
    /// k, the side of the filters.
    let size: Int
    /// n, points of an axis.
    let points: Int
    /// m, the side of a tile of outputs.
    var tile: Int { points + 1 - size }
    /// n².
    var places: Int { points * points }

    var axis: WinogradAxis { WinogradAxis(points: points, tile: tile) }

    /// G, [n, k]: row i has the powers of point i over ∏ (a_i - a_j), but for signs that Bᵀ has too, and the last, ∞, is
    /// the last number.
    private var filterMatrix: [[Double]] {
        let all: [Double] = [0, 1, -1, 2, -2, 0.5, -0.5]
        let divisors: [Double] = points == 8 ? [1, -4.5, -4.5, 90, 90, 1.40625, 1.40625] : [4, -6, -6, 24, 24]
        var rows = zip(all, divisors).map { point, divisor in
            var row: [Double] = [1 / divisor]
            for _ in 1..<size { row.append(row[row.count - 1] * point) }
            return row
        }
        rows.append([Double](repeating: 0, count: size - 1) + [1])
        return rows
    }

    /// U [n², F·C] = G g Gᵀ of filters [F·C, k, k]. In doubles, as the filters are few. O(F·C·n²·k).
    func transform(_ filters: UnsafePointer<Float>, count: Int, into u: UnsafeMutablePointer<Float>) {
        let g = filterMatrix
        var row = [Double](repeating: 0, count: size)
        for f in 0..<count {
            let filter = filters + f * size * size
            for a in 0..<points {
                for j in 0..<size {
                    row[j] = 0
                    for i in 0..<size { row[j] += g[a][i] * Double(filter[i * size + j]) }
                }
                for b in 0..<points {
                    var sum = 0.0
                    for j in 0..<size { sum += g[b][j] * row[j] }
                    u[(a * points + b) * count + f] = Float(sum)
                }
            }
        }
    }

    /// dg += Gᵀ dU G, the adjoint.
    func transformAdjoint(_ du: UnsafePointer<Float>, count: Int, addingTo dg: UnsafeMutablePointer<Float>) {
        let g = filterMatrix
        var row = [Double](repeating: 0, count: points)
        for f in 0..<count {
            let filter = dg + f * size * size
            for i in 0..<size {
                for b in 0..<points {
                    row[b] = 0
                    for a in 0..<points { row[b] += g[a][i] * Double(du[(a * points + b) * count + f]) }
                }
                for j in 0..<size {
                    var sum = 0.0
                    for b in 0..<points { sum += g[b][j] * row[b] }
                    filter[i * size + j] += Float(sum)
                }
            }
        }
    }
}

/// The transforms along one axis, of vectors `s` apart into vectors `r` apart: Lavin and Gray's matrices, rows of a point and
/// of its negative from one sum over the even numbers and one over the odd.
struct WinogradAxis {
    let points: Int
    let tile: Int

    typealias Vectors = UnsafeMutablePointer<Octet>

    /// y = Bᵀ d.
    @inline(__always) func input(_ d: Vectors, _ s: Int, into y: Vectors, _ r: Int) {
        if points == 8 {
            let (d1, d2, d3, d4, d5, d6) = (d[s], d[2 &* s], d[3 &* s], d[4 &* s], d[5 &* s], d[6 &* s])
            y[0] = (d[0] - d6).mad(d4 - d2, Octet(repeating: 5.25))
            y[7 &* r] = (d[7 &* s] - d1).mad(d3 - d5, Octet(repeating: 5.25))
            let e1 = (d2 + d6).mad(d4, Octet(repeating: -4.25))
            let o1 = (d1 + d5).mad(d3, Octet(repeating: -4.25))
            y[r] = e1 + o1
            y[2 &* r] = e1 - o1
            let e2 = d6.mad(d2, Octet(repeating: 0.25)).mad(d4, Octet(repeating: -1.25))
            let o2 = (d1 * 0.5).mad(d3, Octet(repeating: -2.5)).mad(d5, Octet(repeating: 2))
            y[3 &* r] = e2 + o2
            y[4 &* r] = e2 - o2
            let e3 = d6.mad(d2, Octet(repeating: 4)).mad(d4, Octet(repeating: -5))
            let o3 = (d1 * 2).mad(d3, Octet(repeating: -2.5)).mad(d5, Octet(repeating: 0.5))
            y[5 &* r] = e3 + o3
            y[6 &* r] = e3 - o3
        } else {
            let (d1, d2, d3, d4) = (d[s], d[2 &* s], d[3 &* s], d[4 &* s])
            y[0] = (d[0] * 4 + d4).mad(d2, Octet(repeating: -5))
            y[5 &* r] = (d1 * 4 + d[5 &* s]).mad(d3, Octet(repeating: -5))
            let (e1, o1) = (d4.mad(d2, Octet(repeating: -4)), d3.mad(d1, Octet(repeating: -4)))
            y[r] = e1 + o1
            y[2 &* r] = e1 - o1
            let (e2, o2) = (d4 - d2, (d3 - d1) * 2)
            y[3 &* r] = e2 + o2
            y[4 &* r] = e2 - o2
        }
    }

    /// y = Aᵀ v: n vectors become m.
    @inline(__always) func output(_ v: Vectors, _ s: Int, into y: Vectors, _ r: Int) {
        let (s1, a1) = (v[s] + v[2 &* s], v[s] - v[2 &* s])
        let (s2, a2) = (v[3 &* s] + v[4 &* s], v[3 &* s] - v[4 &* s])
        var (s3, a3) = (Octet.zero, Octet.zero)
        if points == 8 { (s3, a3) = (v[5 &* s] + v[6 &* s], v[5 &* s] - v[6 &* s]) }
        y[0] = v[0] + s1 + s2 + s3
        if tile == 4 {
            let last = v[(points &- 1) &* s]
            y[r] = a1.mad(a2, Octet(repeating: 2)).mad(a3, Octet(repeating: 0.5))
            y[2 &* r] = s1.mad(s2, Octet(repeating: 4)).mad(s3, Octet(repeating: 0.25))
            y[3 &* r] = (a1 + last).mad(a2, Octet(repeating: 8)).mad(a3, Octet(repeating: 0.125))
            return
        }
        var (two, half): (Float, Float) = (2, 0.5)
        var j = 1
        while j < tile {
            let isOdd = j & 1 == 1
            var sum = (isOdd ? a1 : s1).mad(isOdd ? a2 : s2, Octet(repeating: two))
                .mad(isOdd ? a3 : s3, Octet(repeating: half))
            if j == tile &- 1 { sum += v[(points &- 1) &* s] }
            y[j &* r] = sum
            two *= 2
            half *= 0.5
            j &+= 1
        }
    }
}

extension WinogradAxis {
    /// d = B y, the adjoint of `input`.
    @inline(__always) func inputAdjoint(_ v: Vectors, _ s: Int, into d: Vectors, _ r: Int) {
        let (s1, a1) = (v[s] + v[2 &* s], v[s] - v[2 &* s])
        let (s2, a2) = (v[3 &* s] + v[4 &* s], v[3 &* s] - v[4 &* s])
        if points == 8 {
            let (s3, a3) = (v[5 &* s] + v[6 &* s], v[5 &* s] - v[6 &* s])
            let (v0, v7) = (v[0], v[7 &* s])
            d[0] = v0
            d[r] = (a1 - v7).mad(a2, Octet(repeating: 0.5)).mad(a3, Octet(repeating: 2))
            d[2 &* r] = s1.mad(v0, Octet(repeating: -5.25)).mad(s2, Octet(repeating: 0.25)).mad(s3, Octet(repeating: 4))
            d[3 &* r] = (v7 * 5.25).mad(a1, Octet(repeating: -4.25)).mad(a2 + a3, Octet(repeating: -2.5))
            d[4 &* r] = (v0 * 5.25).mad(s1, Octet(repeating: -4.25)).mad(s2, Octet(repeating: -1.25))
                .mad(s3, Octet(repeating: -5))
            d[5 &* r] = a1.mad(a2, Octet(repeating: 2)).mad(a3, Octet(repeating: 0.5)).mad(v7, Octet(repeating: -5.25))
            d[6 &* r] = s1 + s2 + s3 - v0
            d[7 &* r] = v7
        } else {
            let (v0, v5) = (v[0], v[5 &* s])
            d[0] = v0 * 4
            d[r] = ((v5 - a1) * 4).mad(a2, Octet(repeating: -2))
            d[2 &* r] = (v0 * -5 - s2).mad(s1, Octet(repeating: -4))
            d[3 &* r] = a1.mad(a2, Octet(repeating: 2)).mad(v5, Octet(repeating: -5))
            d[4 &* r] = v0 + s1 + s2
            d[5 &* r] = v5
        }
    }

    /// v = A y, the adjoint of `output`: m vectors become n.
    @inline(__always) func outputAdjoint(_ y: Vectors, _ s: Int, into v: Vectors, _ r: Int) {
        if tile == 4 {
            let (y0, y1, y2, y3) = (y[0], y[s], y[2 &* s], y[3 &* s])
            let (e1, o1) = (y0 + y2, y1 + y3)
            let (e2, o2) = (y0.mad(y2, Octet(repeating: 4)), (y1 * 2).mad(y3, Octet(repeating: 8)))
            v[0] = y0
            v[r] = e1 + o1
            v[2 &* r] = e1 - o1
            v[3 &* r] = e2 + o2
            v[4 &* r] = e2 - o2
            if points == 8 {
                let (e3, o3) = (y0.mad(y2, Octet(repeating: 0.25)), (y1 * 0.5).mad(y3, Octet(repeating: 0.125)))
                v[5 &* r] = e3 + o3
                v[6 &* r] = e3 - o3
            }
            v[(points &- 1) &* r] = y3
            return
        }
        var (e1, o1) = (y[0], Octet.zero)
        var (e2, o2, e3, o3) = (e1, o1, e1, o1)
        var (two, half): (Float, Float) = (2, 0.5)
        var j = 1
        while j < tile {
            let u = y[j &* s]
            if j & 1 == 1 {
                o1 += u
                o2 = o2.mad(u, Octet(repeating: two))
                o3 = o3.mad(u, Octet(repeating: half))
            } else {
                e1 += u
                e2 = e2.mad(u, Octet(repeating: two))
                e3 = e3.mad(u, Octet(repeating: half))
            }
            two *= 2
            half *= 0.5
            j &+= 1
        }
        v[0] = y[0]
        v[r] = e1 + o1
        v[2 &* r] = e1 - o1
        v[3 &* r] = e2 + o2
        v[4 &* r] = e2 - o2
        if points == 8 {
            v[5 &* r] = e3 + o3
            v[6 &* r] = e3 - o3
        }
        v[(points &- 1) &* r] = y[(tile &- 1) &* s]
    }
}
