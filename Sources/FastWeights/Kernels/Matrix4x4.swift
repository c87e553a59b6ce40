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
