/// The most multiply-adds a core can do in this build: a loop over registers alone.
///
/// In a fused build a sum is sixteen lanes of AVX-512, or eight of AVX2 (two registers of NEON), in the portable build four
/// of SSE2, and a multiply-add is a product and a sum. Fourteen independent sums and the two factors fill sixteen registers. A fused
/// multiply-add takes four cycles and two begin in each, so eight sums would do; a product and a sum take six or more
/// and two of each begin: there twelve reached 48 and fourteen 59 GFLOP/s on a Zen 4, which is all it can do.
enum PeakMultiplyAdd {
    #if AVX512
        typealias Sum = SIMD16<Float>
    #elseif FMA || arch(arm64)
        typealias Sum = SIMD8<Float>
    #else
        typealias Sum = SIMD4<Float>
    #endif
    private static let sums = 14

    /// Operations a second of one thread, a multiply-add counted as two: the best of 150 runs of about 0.3 ms. Twenty
    /// once fell into a slow moment of a shared machine together, and gave 98 GFLOP/s where 118 is right.
    static func measure() -> Double {
        let start = Buffer<Sum>((0..<sums).map { Sum(repeating: 1 / Float($0 + 2)) })
        let iterations = 100_000
        var best = Double.infinity
        for _ in 0..<150 {
            let begin = ContinuousClock.now
            run(iterations, 0.25, 0.125, start.pointer)
            best = min(best, (ContinuousClock.now - begin).seconds)
        }
        return Double(iterations * sums * Sum.scalarCount * 2) / best
    }

    /// `iterations` multiply-adds of a and b for each sum that starts, and ends, at `start`.
    @inline(never)
    private static func run(_ iterations: Int, _ a: Float, _ b: Float, _ start: UnsafeMutablePointer<Sum>) {
        let (a, b) = (Sum(repeating: a), Sum(repeating: b))
        var (x0, x1, x2, x3, x4) = (start[0], start[1], start[2], start[3], start[4])
        var (x5, x6, x7, x8, x9) = (start[5], start[6], start[7], start[8], start[9])
        var (x10, x11, x12, x13) = (start[10], start[11], start[12], start[13])
        var left = iterations
        while left > 0 {
            x0 = mad(x0, a, b)
            x1 = mad(x1, a, b)
            x2 = mad(x2, a, b)
            x3 = mad(x3, a, b)
            x4 = mad(x4, a, b)
            x5 = mad(x5, a, b)
            x6 = mad(x6, a, b)
            x7 = mad(x7, a, b)
            x8 = mad(x8, a, b)
            x9 = mad(x9, a, b)
            x10 = mad(x10, a, b)
            x11 = mad(x11, a, b)
            x12 = mad(x12, a, b)
            x13 = mad(x13, a, b)
            left &-= 1
        }
        (start[0], start[1], start[2], start[3], start[4]) = (x0, x1, x2, x3, x4)
        (start[5], start[6], start[7], start[8], start[9]) = (x5, x6, x7, x8, x9)
        (start[10], start[11], start[12], start[13]) = (x10, x11, x12, x13)
    }

    /// x + a·b where that is one instruction; else x·a + b, because the product a·b would be taken out of the loop.
    @inline(__always) private static func mad(_ x: Sum, _ a: Sum, _ b: Sum) -> Sum {
        #if FMA || arch(arm64)
            x.addingProduct(a, b)
        #else
            x * a + b
        #endif
    }
}
