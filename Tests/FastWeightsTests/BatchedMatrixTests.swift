import Testing

@testable import FastWeights

/// The kernels of `BatchedMatrix` against sums in double precision, in every lane.
@Suite struct BatchedMatrixTests {
    static let sizes = [1, 2, 3, 7, 8, 9, 16, 33, 41, 67]

    /// Panels of random numbers, a different one in every lane.
    static func panel(_ rows: Int, _ seed: UInt64) -> Buffer<Lanes> {
        let numbers = CellTests.random(rows * Lanes.width, seed)
        return Buffer((0..<rows).map { r in Lanes((0..<Lanes.width).map { numbers[r * Lanes.width + $0] }) })
    }

    /// A matrix and what is stored of it, element by element.
    struct Sample {
        let buffer: Buffer<Lanes>
        let matrix: BatchedMatrix

        init(_ rows: Int, isSymmetric: Bool, _ seed: UInt64) {
            buffer = BatchedMatrixTests.panel(BatchedMatrix.count(rows: rows, isSymmetric: isSymmetric), seed)
            matrix = BatchedMatrix(values: buffer.pointer, rows: rows, isSymmetric: isSymmetric)
        }

        subscript(r: Int, k: Int, lane: Int) -> Double {
            let n = matrix.rows
            let place = matrix.isSymmetric ? max(r, k) * (max(r, k) + 1) / 2 + min(r, k) : r * n + k
            return Double(buffer.pointer[place][lane])
        }
    }

    static func expectEqual(
        _ found: Float, _ expected: Double, terms: Int, location: SourceLocation = #_sourceLocation
    ) {
        #expect(abs(Double(found) - expected) < 2e-6 * Double(terms + 4), sourceLocation: location)
    }

    @Test(arguments: sizes, [true, false])
    func productsWithAVector(rows: Int, isSymmetric: Bool) {
        let sample = Sample(rows, isSymmetric: isSymmetric, 1)
        let (x, start) = (Self.panel(rows, 2), Self.panel(rows, 3))
        for transposed in [false, true] {
            let y = Self.panel(rows, 3)
            if transposed {
                sample.matrix.addTransposedProduct(x.pointer, scale: 0.3, into: y.pointer)
            } else {
                sample.matrix.addProduct(x.pointer, scale: 0.3, into: y.pointer)
            }
            for r in 0..<rows {
                for lane in 0..<Lanes.width {
                    let sum = (0..<rows).reduce(0.0) {
                        $0 + (transposed ? sample[$1, r, lane] : sample[r, $1, lane]) * Double(x.pointer[$1][lane])
                    }
                    Self.expectEqual(y.pointer[r][lane], Double(start.pointer[r][lane]) + 0.3 * sum, terms: rows)
                }
            }
        }
    }

    @Test(arguments: sizes, [true, false])
    func outerProducts(rows: Int, isSymmetric: Bool) {
        let (before, after) = (
            Sample(rows, isSymmetric: isSymmetric, 1), Sample(rows, isSymmetric: isSymmetric, 1)
        )
        let (x, y) = (Self.panel(rows, 2), Self.panel(rows, 3))
        after.matrix.addOuterProduct(x.pointer, y.pointer, scale: 0.3)
        for r in 0..<rows {
            for k in 0..<rows {
                for lane in 0..<Lanes.width {
                    func product(_ r: Int, _ k: Int) -> Double {
                        Double(x.pointer[r][lane]) * Double(y.pointer[k][lane])
                    }
                    let sum = isSymmetric ? product(r, k) + product(k, r) : product(r, k)
                    Self.expectEqual(Float(after[r, k, lane]), before[r, k, lane] + 0.3 * sum, terms: 2)
                }
            }
        }
    }

    @Test(arguments: sizes, [0, 1, 3, 4, 5, 11])
    func sumsOfStates(rows: Int, count: Int) {
        let (padding, weights) = (2, Buffer(CellTests.random(count + 1, 5)))
        let states = Self.panel((rows + padding) * max(count, 1), 4)
        let list = StateHistory(
            states: PanelSequence(pointer: states.pointer, stride: rows + padding), count: count, rows: rows,
            weights: weights.pointer + max(count - 1, 0))
        for (isSymmetric, hasOld) in [(true, true), (true, false), (false, true), (false, false)] {
            let old = Sample(rows, isSymmetric: isSymmetric, 1)
            let new = Sample(rows, isSymmetric: isSymmetric, 2)
            new.matrix.setSum(hasOld ? old.matrix : nil, decay: 0.7, list)
            for r in 0..<rows {
                for k in 0..<rows {
                    for lane in 0..<Lanes.width {
                        let sum = (0..<count).reduce(0.0) { sum, e in
                            let h = states.pointer + e * (rows + padding)
                            return sum + Double(weights.pointer[count - 1 - e]) * Double(h[r][lane])
                                * Double(h[k][lane])
                        }
                        let start = hasOld ? 0.7 * old[r, k, lane] : 0
                        Self.expectEqual(Float(new[r, k, lane]), start + sum, terms: count)
                    }
                }
            }
        }
    }
}
