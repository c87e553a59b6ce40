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

    @Test(arguments: [1, 3, 7, 16, 17, 63, 100, 257])
    func agreesWithTheNaiveTwinAtAllSizes(m: Int) {
        for n in [1, 3, 7, 16, 17, 63, 100, 257] {
            for k in [1, 3, 7, 16, 17, 63, 100, 257] { for form in 0..<4 { compare(m, n, k, form) } }
        }
    }

    /// Tall tiles, and lower ones after them: every number of rows, where A lies and packed in two parts, in all kinds of panels.
    @Test(arguments: [0, 1, 2, 3])
    func everyNumberOfRowsIsCutIntoTiles(form: Int) {
        for m in 1...64 {
            for n in [5, 16, 20, 29] { compare(m, n, 7, form) }
            let matrix = PackedMatrix(rows: m, depth: 9)
            let source = Self.numbers(m * 9, seed: 4)
            let isTransposed = form & 1 != 0
            source.withUnsafeBufferPointer {
                for part in [0..<matrix.tiles / 2, matrix.tiles / 2..<matrix.tiles] {
                    matrix.pack(
                        part, $0.baseAddress!, rowStride: isTransposed ? 1 : 9, depthStride: isTransposed ? m : 1)
                }
            }
            let x = Buffer<Lanes>((0..<9).map { Lanes(repeating: 1 / Float($0 + 1)) })
            let y = Buffer<Lanes>(m)
            matrix.products.multiply(by: x.pointer, into: y.pointer)
            for i in 0..<m {
                var sum: Float = 0
                for k in 0..<9 { sum += source[isTransposed ? k * m + i : i * 9 + k] / Float(k + 1) }
                #expect(abs(y.pointer[i][0] - sum) < 1e-5 && y.pointer[i] == Lanes(repeating: y.pointer[i][0]), "\(m)")
            }
        }
    }

    /// Both operands packed, in several blocks of each of the three sizes, and what is left of each.
    @Test(arguments: [0, 1, 2, 3])
    func agreesWithTheNaiveTwinInBlocks(form: Int) {
        compare(400, 135, 520, form)
        compare(200, 2070, 330, form)
    }

    private func compare(_ m: Int, _ n: Int, _ k: Int, _ form: Int) {
        let (left, right) = Self.operands(m, n, k, form)
        let start = Self.numbers(m * n, seed: 3)
        for accumulate in [false, true] {
            let (fast, naive) = (Buffer(start), Buffer(start))
            multiply(left.view, right.view, into: MatrixView(fast.pointer, m, n), accumulate: accumulate)
            multiplyNaively(left.view, right.view, into: MatrixView(naive.pointer, m, n), accumulate: accumulate)
            var worst: Float = 0
            for i in 0..<m * n { worst = max(worst, abs(fast.pointer[i] - naive.pointer[i])) }
            #expect(worst < 1e-6 * Float(k + 1), "\(m)x\(n)x\(k), form \(form), accumulate \(accumulate)")
        }
    }

    @Test(arguments: [(300, 1040, 100), (1040, 300, 100), (515, 515, 300), (128, 50, 50)], [0, 1, 2, 3])
    func threadsDoNotChangeTheBits(size: (Int, Int, Int), form: Int) {
        let (m, n, k) = size
        let (left, right) = Self.operands(m, n, k, form)
        let start = Self.numbers(m * n, seed: 3)
        let workspace = ProductWorkspace()
        for accumulate in [false, true] {
            let whole = Buffer(start)
            multiply(left.view, right.view, into: MatrixView(whole.pointer, m, n), accumulate: accumulate)
            for threads in [1, 2, 3, 8] {
                let result = Buffer(start)
                multiply(
                    left.view, right.view, into: MatrixView(result.pointer, m, n), accumulate: accumulate,
                    threads: threads, workspace: workspace)
                expectSame(result.array, whole.array, "\(threads) threads")
            }
        }
    }

    /// A matrix and its numbers.
    private struct Operand {
        let numbers: Buffer<Float>
        let view: MatrixView
    }

    /// A [m, k] and B [k, n]; A stored as its transpose where `form` is odd, B where it is 2 or 3.
    private static func operands(_ m: Int, _ n: Int, _ k: Int, _ form: Int) -> (Operand, Operand) {
        func operand(_ rows: Int, _ columns: Int, _ isTransposed: Bool, seed: UInt64) -> Operand {
            let buffer = Buffer(numbers(rows * columns, seed: seed))
            let view =
                isTransposed
                ? MatrixView(buffer.pointer, columns, rows).transposed : MatrixView(buffer.pointer, rows, columns)
            return Operand(numbers: buffer, view: view)
        }
        return (operand(m, k, form & 1 != 0, seed: 1), operand(k, n, form & 2 != 0, seed: 2))
    }

    private static func numbers(_ count: Int, seed: UInt64) -> [Float] {
        var random = Random(seed: seed)
        return (0..<count).map { _ in random.uniform(within: 1) }
    }

    @Test(arguments: [(1, 1, 1), (2, 3, 2), (5, 7, 3), (6, 17, 1), (9, 16, 2), (34, 16, 3), (50, 20, 11)])
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
