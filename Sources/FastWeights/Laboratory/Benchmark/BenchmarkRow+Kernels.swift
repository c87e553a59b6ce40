// The rows of the kernels: matrix products, and the functions of a number.

extension BenchmarkRow {
    /// M, N, K: the shapes of a recurrent layer at batch 128, and three squares.
    private static let productSizes = [
        (128, 50, 50), (128, 100, 100), (128, 256, 256), (128, 400, 100), (512, 512, 512), (1024, 1024, 1024),
        (2048, 2048, 2048),
    ]

    /// `product/NN/128x50x50`: C = A·B of A [M, K] and B [K, N]. In TN A is stored as its transpose, in NT B is.
    static var products: [BenchmarkRow] {
        ["NN", "TN", "NT"].flatMap { form in
            productSizes.map { size in
                let operations = FloatingPointOperations.product(size.0, size.1, size.2)
                return BenchmarkRow(
                    id: "product/\(form)/\(size.0)x\(size.1)x\(size.2)",
                    description: "matrix product, \(form), M x N x K",
                    work: .timed(.rate(operations * 1e-9, unit: "GFLOP/s")) { threads, measure in
                        product(form, size, threads, measure)
                    },
                    usesThreads: true, isQuick: form == "NN" && [100, 512].contains(size.1), operations: operations)
            }
        }
    }

    private static func product(
        _ form: String, _ size: (m: Int, n: Int, k: Int), _ threads: Int, _ measure: ((_ calls: Int) -> Void) -> Void
    ) {
        let (m, n, k) = size
        let (a, b, c) = (numbers(m * k, within: 1), numbers(k * n, within: 1), Buffer<Float>(m * n))
        let workspace = ProductWorkspace()
        measure { calls in
            let left =
                form == "TN" ? MatrixView(a.pointer, k, m).transposed : MatrixView(a.pointer, m, k)
            let right =
                form == "NT" ? MatrixView(b.pointer, n, k).transposed : MatrixView(b.pointer, k, n)
            let result = MatrixView(c.pointer, m, n)
            for _ in 0..<calls { multiply(left, right, into: result, threads: threads, workspace: workspace) }
            withExtendedLifetime((a, b, c)) {}
        }
    }

    /// `function/exp`: 4096 numbers in the first-level cache, uniform in ±8, with one thread.
    static var functions: [BenchmarkRow] {
        func row(_ name: String, _ pass: @escaping (Panel, Panel) -> Void) -> BenchmarkRow {
            BenchmarkRow(
                id: "function/\(name)", description: "\(name) of 4096 numbers",
                work: .timed(.rate(4096e-9, unit: "G/s")) { _, measure in
                    let (x, y) = (numbers(4096, within: 8), Buffer<Lanes>(256))
                    measure { calls in
                        let source = UnsafeMutableRawPointer(x.pointer).assumingMemoryBound(to: Lanes.self)
                        for _ in 0..<calls { pass(source, y.pointer) }
                        withExtendedLifetime((x, y)) {}
                    }
                }, isQuick: true)
        }
        return [
            row("exp") { x, y in for i in 0..<256 { y[i] = x[i].exponential() } },
            row("tanh") { x, y in for i in 0..<256 { y[i] = x[i].hyperbolicTangent() } },
            row("sigmoid") { x, y in for i in 0..<256 { y[i] = x[i].sigmoid() } },
        ]
    }

    /// Random numbers in ±limit: 4096 different ones over and over, which no kernel can tell from others.
    static func numbers(_ count: Int, within limit: Float) -> Buffer<Float> {
        let buffer = Buffer<Float>(count)
        var random = Random(seed: 1)
        for i in 0..<min(count, 4096) { buffer.pointer[i] = random.uniform(within: limit) }
        for i in stride(from: 4096, to: count, by: 1) { buffer.pointer[i] = buffer.pointer[i &- 4096] }
        return buffer
    }
}
