/// Sixteen floats side by side: the unit of every kernel.
///
/// In training a vector holds one number of sixteen samples of the batch, so that no operation ever mixes lanes; for
/// one sequence it holds sixteen units. Sixteen is two AVX2 registers, four SSE2 or NEON registers.
typealias Lanes = SIMD16<Float>

/// Eight floats side by side, one AVX2 register, two SSE2 or NEON ones: eight units of one sequence.
typealias Octet = SIMD8<Float>

/// A run of vectors in memory, 64-byte aligned: row r of a panel is feature r of sixteen samples.
typealias Panel = UnsafeMutablePointer<Lanes>

extension SIMD16 where Scalar == Float {
    static var width: Int { 16 }

    /// self + a·b, rounded once where the build has a fused multiply-add and twice elsewhere.
    ///
    /// On x86-64 without FMA the language's `addingProduct` is one call of `fmaf` a lane, hundreds of times slower.
    @inline(__always) func mad(_ a: Lanes, _ b: Lanes) -> Lanes {
        #if FMA || arch(arm64)
            addingProduct(a, b)
        #else
            self + a * b
        #endif
    }

    @inline(__always) func mad(_ a: Float, _ b: Lanes) -> Lanes {
        mad(Lanes(repeating: a), b)
    }

    /// The sixteen floats at `p`, of any alignment.
    @inline(__always) init(at p: UnsafePointer<Float>) {
        self = UnsafeRawPointer(p).loadUnaligned(as: Lanes.self)
    }

    @inline(__always) func store(at p: UnsafeMutablePointer<Float>) {
        UnsafeMutableRawPointer(p).storeBytes(of: self, as: Lanes.self)
    }

    /// The first `count` floats at `p`, the other lanes zero.
    @inline(__always) init(first count: Int, at p: UnsafePointer<Float>) {
        self = .zero
        for lane in 0..<count { self[lane] = p[lane] }
    }

    @inline(__always) func store(first count: Int, at p: UnsafeMutablePointer<Float>) {
        for lane in 0..<count { p[lane] = self[lane] }
    }

    /// The sum of the lanes by a tree, the same order on every machine.
    @inline(__always) var laneSum: Float {
        let eight = lowHalf + highHalf
        let four = eight.lowHalf + eight.highHalf
        let two = four.lowHalf + four.highHalf
        return two[0] + two[1]
    }

    /// The lanes behind the first `count`. Two vectors are compared, and a vector that is replaced is assigned: with a number
    /// on the right, or in place in memory, the compiler takes the lanes one by one.
    @inline(__always) static func isBehind(_ count: Int) -> SIMDMask<SIMD16<Int32>> {
        SIMD16<Int32>(0..<16) .>= SIMD16<Int32>(repeating: Int32(truncatingIfNeeded: count))
    }

    /// max(self, 0) in each lane; NaN stays NaN.
    @inline(__always) var rectified: Lanes {
        replacing(with: 0, where: self .< 0)
    }

    /// The larger of two vectors in each lane.
    @inline(__always) func lanewiseMax(_ other: Lanes) -> Lanes {
        replacing(with: other, where: self .< other)
    }
}

extension SIMD8 where Scalar == Float {
    /// The eight floats at `p`, of any alignment.
    @inline(__always) init(at p: UnsafePointer<Float>) {
        self = UnsafeRawPointer(p).loadUnaligned(as: SIMD8<Float>.self)
    }

    @inline(__always) func store(at p: UnsafeMutablePointer<Float>) {
        UnsafeMutableRawPointer(p).storeBytes(of: self, as: SIMD8<Float>.self)
    }

    static var width: Int { 8 }

    /// self + a·b, as that of sixteen lanes.
    @inline(__always) func mad(_ a: Octet, _ b: Octet) -> Octet {
        #if FMA || arch(arm64)
            addingProduct(a, b)
        #else
            self + a * b
        #endif
    }

    /// The sum of the lanes by a tree, the same order on every machine.
    @inline(__always) var laneSum: Float {
        let four = lowHalf + highHalf
        let two = four.lowHalf + four.highHalf
        return two[0] + two[1]
    }

    /// The lanes behind the first `count`. Two vectors are compared, and a vector that is replaced is assigned: with a number
    /// on the right, or in place in memory, the compiler takes the lanes one by one.
    @inline(__always) static func isBehind(_ count: Int) -> SIMDMask<SIMD16<Int32>> {
        SIMD16<Int32>(0..<16) .>= SIMD16<Int32>(repeating: Int32(truncatingIfNeeded: count))
    }

    /// max(self, 0) in each lane; NaN stays NaN.
    @inline(__always) var rectified: Octet {
        replacing(with: 0, where: self .< 0)
    }
}
