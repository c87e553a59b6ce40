extension Command {
    /// `fastweights bench`.
    static let bench = Command(
        name: "bench", summary: "Time training steps, inference and kernels on this machine",
        discussion: """
            Each row is the median of several repeats with the fastest and the slowest.
            Machines differ and are shared: compare rows of one run.
            """,
        options: [
            Option(
                name: "models", placeholder: "NAMES", kind: .list(of: .choice(RetrievalModel.all.map(\.name))),
                defaultValue: "irnn,lstm,gru,fast-weights", help: "Models to time"),
            Option(
                name: "hidden", placeholder: "R", kind: .list(of: .integer(1...4096)), defaultValue: "20,50,100",
                help: "Recurrent units"),
            Option(
                name: "repeats", placeholder: "N", kind: .integer(1...1000), defaultValue: "7", help: "Timings a row"),
            Option(name: "json", kind: .flag, help: "Print JSON instead of a table"),
            .pairs, .batch, .seed, .threads,
        ], examples: ["bench", "bench --models lstm --hidden 100 --threads 1 --json"]
    ) { arguments in
        let bench = Bench(repeats: arguments.integer("repeats"))
        var rows = bench.kernels()
        let task = try AssociativeRetrieval(pairs: arguments.integer("pairs"))
        let batch = arguments.integer("batch")
        let examples = try task.generate(
            counts: [min(10 * batch, Int(min(task.distinct, 1e6)))], seed: arguments.unsigned("seed"))[0]
        for name in arguments.texts("models") {
            for hidden in arguments.integers("hidden") {
                rows += bench.network(
                    RetrievalModel.named(name), hidden: hidden, examples: examples, batch: batch,
                    threads: arguments.integer("threads"), seed: arguments.unsigned("seed"))
            }
        }
        let machine: [(String, String)] = [
            ("system", "\(Machine.operatingSystem), \(Machine.architecture)"), ("cores", "\(Machine.coreCount)"),
            ("multiply-add", Machine.hasFusedMultiplyAdd ? "fused" : "separate"),
            ("threads", "\(arguments.integer("threads")), kernels 1"), ("version", CommandLineTool.version),
        ]
        Terminal.write(arguments.flag("json") ? Bench.json(rows, machine) : Bench.table(rows, machine))
        return 0
    }
}

/// Times pieces of work by the wall clock.
private struct Bench {
    let repeats: Int

    struct Row {
        let work: String
        let unit: String
        /// One figure a repeat.
        let figures: [Double]
        /// Digits to show.
        let decimals: Int

        var sorted: [Double] { figures.sorted() }
        var median: Double { sorted[figures.count / 2] }
    }

    /// What is made of the seconds of one call.
    enum Figure {
        case milliseconds
        /// So much work a second.
        case rate(Double)

        func value(_ seconds: Double) -> Double {
            switch self {
            case .milliseconds: seconds * 1e3
            case .rate(let work): work / seconds
            }
        }
    }

    /// The figure of the seconds of one call, for each repeat; a repeat makes enough calls to last 50 ms.
    private func measure(
        _ work: String, _ unit: String, decimals: Int, figure: Figure, _ body: () -> Void
    ) -> Row {
        body()
        func seconds(_ calls: Int) -> Double {
            let start = ContinuousClock.now
            for _ in 0..<calls { body() }
            return (ContinuousClock.now - start).seconds / Double(calls)
        }
        let calls = max(1, Int(0.05 / max(seconds(1), 1e-9)))
        return Row(
            work: work, unit: unit, figures: (0..<repeats).map { _ in figure.value(seconds(calls)) }, decimals: decimals
        )
    }

    func kernels() -> [Row] {
        var rows: [Row] = []
        for (m, n, k) in [(128, 50, 50), (128, 100, 100), (128, 256, 256), (512, 512, 512)] {
            let (a, b, c) = (Buffer<Float>(m * k), Buffer<Float>(k * n), Buffer<Float>(m * n))
            var random = Random(seed: 1)
            for buffer in [a, b] { for i in 0..<buffer.count { buffer.pointer[i] = random.uniform(within: 1) } }
            let operations = 2e-9 * Double(m) * Double(n) * Double(k)
            let result = MatrixView(c.pointer, m, n)
            for (name, left, right) in [
                ("A·B", MatrixView(a.pointer, m, k), MatrixView(b.pointer, k, n)),
                ("Aᵀ·B", MatrixView(a.pointer, k, m).transposed, MatrixView(b.pointer, k, n)),
                ("A·Bᵀ", MatrixView(a.pointer, m, k), MatrixView(b.pointer, n, k).transposed),
            ] {
                rows.append(
                    measure("\(name) \(m)x\(n)x\(k)", "GFLOP/s", decimals: 1, figure: .rate(operations)) {
                        multiply(left, right, into: result)
                    })
            }
        }
        let (x, y) = (Buffer<Lanes>(256), Buffer<Lanes>(256))
        var random = Random(seed: 2)
        for i in 0..<256 { for lane in 0..<16 { x.pointer[i][lane] = random.uniform(within: 8) } }
        func elementwise(_ name: String, _ body: () -> Void) {
            rows.append(measure("\(name), 4096 floats", "G/s", decimals: 2, figure: .rate(4096e-9), body))
        }
        elementwise("exp") { for i in 0..<256 { y.pointer[i] = x.pointer[i].exponential() } }
        elementwise("sigmoid") { for i in 0..<256 { y.pointer[i] = x.pointer[i].sigmoid() } }
        elementwise("tanh") { for i in 0..<256 { y.pointer[i] = x.pointer[i].hyperbolicTangent() } }
        return rows
    }

    func network(
        _ model: RetrievalModel, hidden: Int, examples: Examples, batch: Int, threads: Int, seed: UInt64
    ) -> [Row] {
        let network = SequenceClassifier(
            ClassifierConfiguration(
                model.cell, hidden: hidden, vocabulary: AssociativeRetrieval.vocabulary,
                classes: AssociativeRetrieval.classes), seed: seed)
        return Crew.run(threads: threads) { crew in
            let engine = ParallelClassifier(
                network.configuration, network.parameters, steps: examples.steps, crew: crew)
            let optimizer = Optimizer(.adam(), network.parameters, engine.gradients, crew: crew)
            var order = BatchOrder(count: examples.count, batch: batch, seed: seed)
            let name = "\(model.title) R=\(hidden) T=\(examples.steps)"
            let step = measure("training step, \(name), B=\(batch)", "ms", decimals: 3, figure: .milliseconds) {
                order.advance()
                _ = engine.gradient(examples, order.indices)
                optimizer.step(rate: 1e-3, clip: 5)
            }
            let inference = measure(
                "inference, \(name)", "sequences/s", decimals: 0, figure: .rate(Double(examples.count))
            ) { _ = engine.evaluate(examples) }
            return [step, inference]
        }
    }

    static func table(_ rows: [Row], _ machine: [(String, String)]) -> String {
        var table = TextTable(
            ["work", "median", "least", "most", "unit"], alignments: [.left, .right, .right, .right, .left])
        for row in rows {
            func text(_ value: Double) -> String { FixedPoint.text(value, decimals: row.decimals) }
            table.add([
                row.work, text(row.median), text(row.sorted[0]), text(row.sorted[row.figures.count - 1]), row.unit,
            ])
        }
        return machine.map { "\($0.0): \($0.1)\n" }.joined() + "\n" + table.plain()
    }

    static func json(_ rows: [Row], _ machine: [(String, String)]) -> String {
        let json: JSON = [
            "machine": .object(machine.map { JSON.Member(key: $0.0, value: .string($0.1)) }),
            "rows": .array(
                rows.map {
                    [
                        "work": .string($0.work), "unit": .string($0.unit), "median": .number($0.median),
                        "repeats": .array($0.figures.map { .number($0) }),
                    ]
                }),
        ]
        return json.serialised(indented: true) + "\n"
    }
}
