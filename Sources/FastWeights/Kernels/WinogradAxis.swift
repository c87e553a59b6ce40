/// Winograd's transforms along one axis, eight tiles in the lanes: Lavin and Gray's matrices, rows of a point and of its negative
/// from one sum over the even numbers and one over the odd.
protocol WinogradAxis {
    /// n.
    static var points: Int { get }
    /// m.
    static var tile: Int { get }
}

enum FourPointsOfTwo: WinogradAxis {
    @inline(__always) static var points: Int { 4 }
    @inline(__always) static var tile: Int { 2 }
}

enum SixPointsOfTwo: WinogradAxis {
    @inline(__always) static var points: Int { 6 }
    @inline(__always) static var tile: Int { 2 }
}

enum SixPointsOfFour: WinogradAxis {
    @inline(__always) static var points: Int { 6 }
    @inline(__always) static var tile: Int { 4 }
}

enum EightPointsOfTwo: WinogradAxis {
    @inline(__always) static var points: Int { 8 }
    @inline(__always) static var tile: Int { 2 }
}

enum EightPointsOfFour: WinogradAxis {
    @inline(__always) static var points: Int { 8 }
    @inline(__always) static var tile: Int { 4 }
}

extension WinogradAxis {
    typealias Vectors = UnsafeMutablePointer<Octet>

    /// y = Bᵀ d of the numbers d₀ … d₃ and d₄ … d₇, of which n count; vectors of y `r` apart.
    @inline(__always) static func input(_ d: Matrix4x8, _ e: Matrix4x8, into y: Vectors, _ r: Int) {
        if points == 8 {
            y[0] = (d.a - e.c).mad(e.a - d.c, Octet(repeating: 5.25))
            y[7 &* r] = (e.d - d.b).mad(d.d - e.b, Octet(repeating: 5.25))
            let even1 = (d.c + e.c).mad(e.a, Octet(repeating: -4.25))
            let odd1 = (d.b + e.b).mad(d.d, Octet(repeating: -4.25))
            y[r] = even1 + odd1
            y[2 &* r] = even1 - odd1
            let even2 = e.c.mad(d.c, Octet(repeating: 0.25)).mad(e.a, Octet(repeating: -1.25))
            let odd2 = (d.b * 0.5).mad(d.d, Octet(repeating: -2.5)).mad(e.b, Octet(repeating: 2))
            y[3 &* r] = even2 + odd2
            y[4 &* r] = even2 - odd2
            let even3 = e.c.mad(d.c, Octet(repeating: 4)).mad(e.a, Octet(repeating: -5))
            let odd3 = (d.b * 2).mad(d.d, Octet(repeating: -2.5)).mad(e.b, Octet(repeating: 0.5))
            y[5 &* r] = even3 + odd3
            y[6 &* r] = even3 - odd3
        } else if points == 6 {
            y[0] = (d.a * 4 + e.a).mad(d.c, Octet(repeating: -5))
            y[5 &* r] = (d.b * 4 + e.b).mad(d.d, Octet(repeating: -5))
            let (even1, odd1) = (e.a.mad(d.c, Octet(repeating: -4)), d.d.mad(d.b, Octet(repeating: -4)))
            y[r] = even1 + odd1
            y[2 &* r] = even1 - odd1
            let (even2, odd2) = (e.a - d.c, (d.d - d.b) * 2)
            y[3 &* r] = even2 + odd2
            y[4 &* r] = even2 - odd2
        } else {
            y[0] = d.a - d.c
            y[r] = d.c + d.b
            y[2 &* r] = d.c - d.b
            y[3 &* r] = d.d - d.b
        }
    }

    /// y = Aᵀ v: n vectors, `s` apart, become m.
    @inline(__always) static func output(_ v: Vectors, _ s: Int) -> Matrix4x8 {
        let (s1, a1) = (v[s] + v[2 &* s], v[s] - v[2 &* s])
        let last = v[(points &- 1) &* s]
        if points == 4 { return Matrix4x8(v[0] + s1, a1 + last, .zero, .zero) }
        let (s2, a2) = (v[3 &* s] + v[4 &* s], v[3 &* s] - v[4 &* s])
        var (first, second) = (v[0] + s1 + s2, a1.mad(a2, Octet(repeating: 2)))
        if points == 6 {
            if tile == 2 { return Matrix4x8(first, second + last, .zero, .zero) }
            return Matrix4x8(
                first, second, s1.mad(s2, Octet(repeating: 4)), (a1 + last).mad(a2, Octet(repeating: 8)))
        }
        let (s3, a3) = (v[5 &* s] + v[6 &* s], v[5 &* s] - v[6 &* s])
        (first, second) = (first + s3, second.mad(a3, Octet(repeating: 0.5)))
        if tile == 2 { return Matrix4x8(first, second + last, .zero, .zero) }
        return Matrix4x8(
            first, second, s1.mad(s2, Octet(repeating: 4)).mad(s3, Octet(repeating: 0.25)),
            (a1 + last).mad(a2, Octet(repeating: 8)).mad(a3, Octet(repeating: 0.125)))
    }

    /// The vectors from the fifth on of a column whose vectors are `s` apart; of six points, two count.
    @inline(__always) static func fourOthers(_ v: Vectors, _ s: Int) -> Matrix4x8 {
        if points == 8 { return Matrix4x8(at: v + 4 &* s, stride: s) }
        if points == 6 { return Matrix4x8(v[4 &* s], v[5 &* s], .zero, .zero) }
        return Matrix4x8()
    }

    /// Puts them there.
    @inline(__always) static func storeFourOthers(_ e: Matrix4x8, at v: Vectors, _ s: Int) {
        if points == 4 { return }
        v[4 &* s] = e.a
        v[5 &* s] = e.b
        if points == 6 { return }
        v[6 &* s] = e.c
        v[7 &* s] = e.d
    }

    // MARK: The adjoints

    /// d = B v, the adjoint of `input`, of vectors of v `s` apart.
    @inline(__always) static func inputAdjoint(_ v: Vectors, _ s: Int) -> (Matrix4x8, Matrix4x8) {
        let (v0, last) = (v[0], v[(points &- 1) &* s])
        let (s1, a1) = (v[s] + v[2 &* s], v[s] - v[2 &* s])
        if points == 4 {
            return (Matrix4x8(v0, a1 - last, s1 - v0, last), Matrix4x8())
        }
        let (s2, a2) = (v[3 &* s] + v[4 &* s], v[3 &* s] - v[4 &* s])
        if points == 6 {
            let d = Matrix4x8(
                v0 * 4, ((last - a1) * 4).mad(a2, Octet(repeating: -2)),
                (v0 * -5 - s2).mad(s1, Octet(repeating: -4)),
                a1.mad(a2, Octet(repeating: 2)).mad(last, Octet(repeating: -5)))
            return (d, Matrix4x8(v0 + s1 + s2, last, .zero, .zero))
        }
        let (s3, a3) = (v[5 &* s] + v[6 &* s], v[5 &* s] - v[6 &* s])
        let d = Matrix4x8(
            v0, (a1 - last).mad(a2, Octet(repeating: 0.5)).mad(a3, Octet(repeating: 2)),
            s1.mad(v0, Octet(repeating: -5.25)).mad(s2, Octet(repeating: 0.25)).mad(s3, Octet(repeating: 4)),
            (last * 5.25).mad(a1, Octet(repeating: -4.25)).mad(a2 + a3, Octet(repeating: -2.5)))
        let e = Matrix4x8(
            (v0 * 5.25).mad(s1, Octet(repeating: -4.25)).mad(s2, Octet(repeating: -1.25))
                .mad(s3, Octet(repeating: -5)),
            a1.mad(a2, Octet(repeating: 2)).mad(a3, Octet(repeating: 0.5)).mad(last, Octet(repeating: -5.25)),
            s1 + s2 + s3 - v0, last)
        return (d, e)
    }

    /// v = A y, the adjoint of `output`: m vectors become n, `r` apart.
    @inline(__always) static func outputAdjoint(_ y: Matrix4x8, into v: Vectors, _ r: Int) {
        v[0] = y.a
        var (even1, odd1) = (y.a, y.b)
        if tile == 4 { (even1, odd1) = (even1 + y.c, odd1 + y.d) }
        v[r] = even1 + odd1
        v[2 &* r] = even1 - odd1
        v[(points &- 1) &* r] = tile == 4 ? y.d : y.b
        if points == 4 { return }
        var (even2, odd2) = (y.a, y.b * 2)
        if tile == 4 { (even2, odd2) = (even2.mad(y.c, Octet(repeating: 4)), odd2.mad(y.d, Octet(repeating: 8))) }
        v[3 &* r] = even2 + odd2
        v[4 &* r] = even2 - odd2
        if points == 6 { return }
        var (even3, odd3) = (y.a, y.b * 0.5)
        if tile == 4 {
            (even3, odd3) = (even3.mad(y.c, Octet(repeating: 0.25)), odd3.mad(y.d, Octet(repeating: 0.125)))
        }
        v[5 &* r] = even3 + odd3
        v[6 &* r] = even3 - odd3
    }
}
