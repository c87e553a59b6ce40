import Testing

@testable import FastWeights

@Suite struct MatrixProductTests {
    static let sizes = [
        (0, 3, 2), (3, 0, 2), (2, 3, 0), (1, 1, 1), (1, 7, 1), (7, 1, 17), (6, 16, 5), (13, 33, 3), (63, 100, 7),
        (5, 16, 600), (12, 300, 300),
    ]

    @Test(arguments: sizes, [0, 1, 2, 3])
    func agreesWithTheNaiveTwin(size: (Int, Int, Int), transposes: Int) {
        let (m, n, k) = size
        var random = Random(seed: 7)
        func matrix(_ rows: Int, _ columns: Int) -> Buffer<Float> {
            Buffer((0..<rows * columns).map { _ in random.uniform(within: 1) })
        }
        let (a, b) = (matrix(m, k), matrix(k, n))
        let left = transposes & 1 == 0 ? MatrixView(a.pointer, m, k) : MatrixView(a.pointer, k, m).transposed
        let right = transposes & 2 == 0 ? MatrixView(b.pointer, k, n) : MatrixView(b.pointer, n, k).transposed
        for accumulate in [false, true] {
            let start = matrix(m, n)
            let (fast, naive) = (Buffer(start.array), Buffer(start.array))
            multiply(left, right, into: MatrixView(fast.pointer, m, n), accumulate: accumulate)
            multiplyNaively(left, right, into: MatrixView(naive.pointer, m, n), accumulate: accumulate)
            for (x, y) in zip(fast.array, naive.array) { #expect(abs(x - y) < 2e-6 * Float(k + 1)) }
        }
    }

    @Test(arguments: [(1, 1, 1), (2, 3, 2), (5, 7, 3), (6, 17, 1), (50, 20, 11)])
    func panelProductsAgreeWithTheNaiveTwin(size: (Int, Int, Int)) {
        let (m, k, steps) = size
        var random = Random(seed: 8)
        let w = Buffer((0..<m * k).map { _ in random.uniform(within: 1) })
        let x = Buffer((0..<steps * k * 16).map { _ in random.uniform(within: 1) })
        let y = Buffer((0..<steps * m * 16).map { _ in random.uniform(within: 1) })
        func panel(_ buffer: Buffer<Float>) -> Panel {
            UnsafeMutableRawPointer(buffer.pointer).assumingMemoryBound(to: Lanes.self)
        }
        let (result, expected) = (Buffer<Float>(m * 16), Buffer<Float>(m * 16))
        multiply(w.pointer, rows: m, columns: k, by: panel(x), into: panel(result), accumulate: false)
        multiplyNaively(
            MatrixView(w.pointer, m, k), MatrixView(x.pointer, k, 16), into: MatrixView(expected.pointer, m, 16))
        for (a, b) in zip(result.array, expected.array) { #expect(abs(a - b) < 1e-5) }

        let (back, expectedBack) = (Buffer<Float>(k * 16), Buffer<Float>(k * 16))
        multiplyTransposed(w.pointer, rows: m, columns: k, by: panel(y), into: panel(back), accumulate: false)
        multiplyNaively(
            MatrixView(w.pointer, m, k).transposed, MatrixView(y.pointer, m, 16),
            into: MatrixView(expectedBack.pointer, k, 16))
        for (a, b) in zip(back.array, expectedBack.array) { #expect(abs(a - b) < 1e-5) }

        let dw = Buffer<Float>(m * k)
        let scratch = Buffer<Float>(outerProductScratch * Lanes.width)
        let db = Buffer<Float>(m)
        accumulateOuterProducts(
            PanelSequence(pointer: panel(y), stride: m), rows: m, PanelSequence(pointer: panel(x), stride: k),
            columns: k, count: steps, scratch: panel(scratch), into: dw.pointer)
        accumulateSums(PanelSequence(pointer: panel(y), stride: m), rows: m, count: steps, into: db.pointer)
        for i in 0..<m {
            var bias = 0.0
            for t in 0..<steps { for lane in 0..<16 { bias += Double(y.pointer[(t * m + i) * 16 + lane]) } }
            #expect(abs(Double(db.pointer[i]) - bias) < 1e-4)
            for j in 0..<k {
                var sum = 0.0
                for t in 0..<steps {
                    for lane in 0..<16 {
                        sum += Double(y.pointer[(t * m + i) * 16 + lane]) * Double(x.pointer[(t * k + j) * 16 + lane])
                    }
                }
                #expect(abs(Double(dw.pointer[i * k + j]) - sum) < 1e-4)
            }
        }
    }
}
