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
///
/// Two numbers that go together are moved as one of twice the width: then the compiler sees one shuffle of two registers,
/// where it takes longer rows of single numbers apart.
struct Matrix4x8 {
    var a: Octet
    var b: Octet
    var c: Octet
    var d: Octet

    /// Four pairs of numbers.
    private typealias Pairs = SIMD4<Double>

    @inline(__always) init(_ a: Octet, _ b: Octet, _ c: Octet, _ d: Octet) {
        (self.a, self.b, self.c, self.d) = (a, b, c, d)
    }

    @inline(__always) init() { self.init(.zero, .zero, .zero, .zero) }

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

    /// Each square transposed.
    @inline(__always) var turned: Matrix4x8 {
        let (ab, cd) = (Self.lower(a, b), Self.lower(c, d))
        let (AB, CD) = (Self.upper(a, b), Self.upper(c, d))
        @inline(__always) func first(_ x: Pairs, _ y: Pairs) -> Octet { Self.octet(Pairs(x[0], y[0], x[2], y[2])) }
        @inline(__always) func second(_ x: Pairs, _ y: Pairs) -> Octet { Self.octet(Pairs(x[1], y[1], x[3], y[3])) }
        return Matrix4x8(first(ab, cd), second(ab, cd), first(AB, CD), second(AB, CD))
    }

    /// Numbers 0 and 1 of each half of both in turn.
    @inline(__always) private static func lower(_ a: Octet, _ b: Octet) -> Pairs {
        unsafeBitCast(Octet(a[0], b[0], a[1], b[1], a[4], b[4], a[5], b[5]), to: Pairs.self)
    }

    /// Numbers 2 and 3.
    @inline(__always) private static func upper(_ a: Octet, _ b: Octet) -> Pairs {
        unsafeBitCast(Octet(a[2], b[2], a[3], b[3], a[6], b[6], a[7], b[7]), to: Pairs.self)
    }

    @inline(__always) private static func octet(_ pairs: Pairs) -> Octet { unsafeBitCast(pairs, to: Octet.self) }

    // MARK: Tiles, at eight places

    /// The four numbers at each of eight places: of the first four in one square, of the others in the other.
    @inline(__always) init(at p: UnsafePointer<Float>, _ places: UnsafePointer<Int>) {
        @inline(__always) func two(_ i: Int) -> SIMD2<Double> {
            UnsafeRawPointer(p + places[i]).loadUnaligned(as: SIMD2<Double>.self)
        }
        @inline(__always) func row(_ i: Int) -> Octet {
            let (low, high) = (two(i), two(i &+ 4))
            return Self.octet(Pairs(low[0], low[1], high[0], high[1]))
        }
        self.init(row(0), row(1), row(2), row(3))
    }

    /// Calls `body` with each row of a square and its place.
    @inline(__always) private func forEachRow(_ body: (SIMD4<Float>, Int) -> Void) {
        @inline(__always) func both(_ row: Octet, _ i: Int) {
            let pairs = unsafeBitCast(row, to: Pairs.self)
            body(unsafeBitCast(SIMD2(pairs[0], pairs[1]), to: SIMD4<Float>.self), i)
            body(unsafeBitCast(SIMD2(pairs[2], pairs[3]), to: SIMD4<Float>.self), i &+ 4)
        }
        both(a, 0)
        both(b, 1)
        both(c, 2)
        both(d, 3)
    }

    /// Puts rows to the places that `init(at:_:)` reads.
    @inline(__always) func store(at p: UnsafeMutablePointer<Float>, _ places: UnsafePointer<Int>) {
        forEachRow { row, i in row.store(at: p + places[i]) }
    }

    /// Adds rows to what stands there.
    @inline(__always) func add(to p: UnsafeMutablePointer<Float>, _ places: UnsafePointer<Int>) {
        forEachRow { row, i in row.add(to: p + places[i]) }
    }

    /// Two numbers at each of eight places, the first of each in a, the second in b.
    @inline(__always) init(pairsAt p: UnsafePointer<Float>, _ places: UnsafePointer<Int>) {
        @inline(__always) func two(_ i: Int) -> Double {
            UnsafeRawPointer(p + places[i]).loadUnaligned(as: Double.self)
        }
        let u = Self.octet(Pairs(two(0), two(1), two(4), two(5)))
        let v = Self.octet(Pairs(two(2), two(3), two(6), two(7)))
        self.init(
            Octet(u[0], u[2], v[0], v[2], u[4], u[6], v[4], v[6]),
            Octet(u[1], u[3], v[1], v[3], u[5], u[7], v[5], v[7]), .zero, .zero)
    }

    /// Puts a and b to the places that `init(pairsAt:_:)` reads.
    @inline(__always) func storePairs(at p: UnsafeMutablePointer<Float>, _ places: UnsafePointer<Int>) {
        @inline(__always) func put(_ pair: Double, _ i: Int) {
            UnsafeMutableRawPointer(p + places[i]).storeBytes(of: pair, as: Double.self)
        }
        let (u, v) = (Self.lower(a, b), Self.upper(a, b))
        put(u[0], 0)
        put(u[1], 1)
        put(v[0], 2)
        put(v[1], 3)
        put(u[2], 4)
        put(u[3], 5)
        put(v[2], 6)
        put(v[3], 7)
    }
}
