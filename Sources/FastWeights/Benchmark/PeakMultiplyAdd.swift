/// The most multiply-adds a core can do in this build: a loop over registers alone.
///
/// Twelve independent sums cover what a processor has in flight: two multiply-adds a cycle, four cycles each, are eight.
/// In the fused build a sum is eight AVX2 lanes (two registers of NEON), in the portable build four of SSE2, and a
/// multiply-add is a product and a sum.
enum PeakMultiplyAdd {
    #if FMA || arch(arm64)
        typealias Sum = SIMD8<Float>
    #else
        typealias Sum = SIMD4<Float>
    #endif

    /// Operations a second of one thread, a multiply-add counted as two: the best of twenty runs of about 0.3 ms.
    static func measure() -> Double {
        let numbers = Buffer<Sum>((0..<14).map { Sum(repeating: 1 / Float($0 + 2)) })
        let turns = 100_000
        var best = Double.infinity
        for _ in 0..<20 {
            let start = ContinuousClock.now
            run(turns, numbers.pointer)
            best = min(best, (ContinuousClock.now - start).seconds)
        }
        return Double(turns * 12 * Sum.scalarCount * 2) / best
    }

    /// x = x·a + b, `turns` times, for the twelve sums behind a and b at `numbers`.
    ///
    /// The sum is a factor too, so that not even its product can be taken out of the loop.
    @inline(never)
    private static func run(_ turns: Int, _ numbers: UnsafeMutablePointer<Sum>) {
        let (a, b) = (numbers[0], numbers[1])
        var (x0, x1, x2, x3) = (numbers[2], numbers[3], numbers[4], numbers[5])
        var (x4, x5, x6, x7) = (numbers[6], numbers[7], numbers[8], numbers[9])
        var (x8, x9, x10, x11) = (numbers[10], numbers[11], numbers[12], numbers[13])
        var left = turns
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
            left &-= 1
        }
        (numbers[2], numbers[3], numbers[4], numbers[5]) = (x0, x1, x2, x3)
        (numbers[6], numbers[7], numbers[8], numbers[9]) = (x4, x5, x6, x7)
        (numbers[10], numbers[11], numbers[12], numbers[13]) = (x8, x9, x10, x11)
    }

    @inline(__always) private static func mad(_ x: Sum, _ a: Sum, _ b: Sum) -> Sum {
        #if FMA || arch(arm64)
            b.addingProduct(x, a)
        #else
            x * a + b
        #endif
    }
}
