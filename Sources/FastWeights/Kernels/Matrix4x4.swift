/// Four rows of four numbers in registers, which is what a change between rows and columns is made of.
struct Matrix4x4 {
    var a: SIMD4<Float>
    var b: SIMD4<Float>
    var c: SIMD4<Float>
    var d: SIMD4<Float>

    @inline(__always) init(_ a: SIMD4<Float>, _ b: SIMD4<Float>, _ c: SIMD4<Float>, _ d: SIMD4<Float>) {
        (self.a, self.b, self.c, self.d) = (a, b, c, d)
    }

    @inline(__always) init(
        rows a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafePointer<Float>, _ d: UnsafePointer<Float>
    ) {
        self.init(SIMD4(at: a), SIMD4(at: b), SIMD4(at: c), SIMD4(at: d))
    }

    /// Four rows `stride` floats apart.
    @inline(__always) init(at p: UnsafePointer<Float>, _ stride: Int) {
        self.init(rows: p, p + stride, p + 2 &* stride, p + 3 &* stride)
    }

    @inline(__always) func store(at p: UnsafeMutablePointer<Float>, _ stride: Int) {
        a.store(at: p)
        b.store(at: p + stride)
        c.store(at: p + 2 &* stride)
        d.store(at: p + 3 &* stride)
    }

    @inline(__always) var transposed: Matrix4x4 {
        let (ab, cd) = (SIMD4(a[0], b[0], a[1], b[1]), SIMD4(c[0], d[0], c[1], d[1]))
        let (AB, CD) = (SIMD4(a[2], b[2], a[3], b[3]), SIMD4(c[2], d[2], c[3], d[3]))
        return Matrix4x4(
            SIMD4(lowHalf: ab.lowHalf, highHalf: cd.lowHalf), SIMD4(lowHalf: ab.highHalf, highHalf: cd.highHalf),
            SIMD4(lowHalf: AB.lowHalf, highHalf: CD.lowHalf), SIMD4(lowHalf: AB.highHalf, highHalf: CD.highHalf))
    }

    /// The sum of each row, as a vector.
    @inline(__always) var rowSums: SIMD4<Float> {
        let columns = transposed
        return (columns.a + columns.b) + (columns.c + columns.d)
    }
}

extension SIMD4 where Scalar == Float {
    @inline(__always) init(at p: UnsafePointer<Float>) {
        self = UnsafeRawPointer(p).loadUnaligned(as: SIMD4<Float>.self)
    }

    @inline(__always) func store(at p: UnsafeMutablePointer<Float>) {
        UnsafeMutableRawPointer(p).storeBytes(of: self, as: SIMD4<Float>.self)
    }

    @inline(__always) func add(to p: UnsafeMutablePointer<Float>) { (SIMD4(at: p) + self).store(at: p) }
}

/// Puts four rows of `count` numbers into four neighboring lanes of a panel: target[r · 16 + lane + i] = row i [r].
@inline(__always)
func spread(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafePointer<Float>, _ d: UnsafePointer<Float>,
    count: Int, lane: Int, into target: UnsafeMutablePointer<Float>
) {
    var r = 0
    while r &+ 4 <= count {
        Matrix4x4(rows: a + r, b + r, c + r, d + r).transposed.store(
            at: target + (r &* Lanes.width &+ lane), Lanes.width)
        r &+= 4
    }
    while r < count {
        SIMD4(a[r], b[r], c[r], d[r]).store(at: target + (r &* Lanes.width &+ lane))
        r &+= 1
    }
}

/// Four rows of eight numbers: two squares side by side.
struct Matrix4x8 {
    var a: Octet
    var b: Octet
    var c: Octet
    var d: Octet

    @inline(__always) init(_ a: Octet, _ b: Octet, _ c: Octet, _ d: Octet) {
        (self.a, self.b, self.c, self.d) = (a, b, c, d)
    }

    /// The four numbers at each of eight places: of the first four in one square, of the others in the other.
    @inline(__always) init(at p: UnsafePointer<Float>, _ places: UnsafePointer<Int>) {
        @inline(__always) func row(_ i: Int) -> Octet {
            Octet(lowHalf: SIMD4(at: p + places[i]), highHalf: SIMD4(at: p + places[i &+ 4]))
        }
        self.init(row(0), row(1), row(2), row(3))
    }

    /// Rows `stride` vectors apart.
    @inline(__always) init(at p: UnsafePointer<Octet>, stride: Int) {
        self.init(p[0], p[stride], p[2 &* stride], p[3 &* stride])
    }

    @inline(__always) func store(at p: UnsafeMutablePointer<Octet>, stride: Int) {
        p[0] = a
        p[stride] = b
        p[2 &* stride] = c
        p[3 &* stride] = d
    }

    /// Puts rows to the places that `init(at:_:)` reads.
    @inline(__always) func store(at p: UnsafeMutablePointer<Float>, _ places: UnsafePointer<Int>) {
        forEachRow { row, i in row.store(at: p + places[i]) }
    }

    /// Adds rows to what stands there.
    @inline(__always) func add(to p: UnsafeMutablePointer<Float>, _ places: UnsafePointer<Int>) {
        forEachRow { row, i in row.add(to: p + places[i]) }
    }

    @inline(__always) private func forEachRow(_ body: (SIMD4<Float>, Int) -> Void) {
        body(a.lowHalf, 0)
        body(b.lowHalf, 1)
        body(c.lowHalf, 2)
        body(d.lowHalf, 3)
        body(a.highHalf, 4)
        body(b.highHalf, 5)
        body(c.highHalf, 6)
        body(d.highHalf, 7)
    }

    /// Each square transposed.
    @inline(__always) var turned: Matrix4x8 {
        let ab = Octet(a[0], b[0], a[1], b[1], a[4], b[4], a[5], b[5])
        let cd = Octet(c[0], d[0], c[1], d[1], c[4], d[4], c[5], d[5])
        let AB = Octet(a[2], b[2], a[3], b[3], a[6], b[6], a[7], b[7])
        let CD = Octet(c[2], d[2], c[3], d[3], c[6], d[6], c[7], d[7])
        return Matrix4x8(
            Octet(ab[0], ab[1], cd[0], cd[1], ab[4], ab[5], cd[4], cd[5]),
            Octet(ab[2], ab[3], cd[2], cd[3], ab[6], ab[7], cd[6], cd[7]),
            Octet(AB[0], AB[1], CD[0], CD[1], AB[4], AB[5], CD[4], CD[5]),
            Octet(AB[2], AB[3], CD[2], CD[3], AB[6], AB[7], CD[6], CD[7]))
    }
}
