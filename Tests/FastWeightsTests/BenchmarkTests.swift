import Testing

@testable @_spi(Laboratory) import FastWeights

/// The bench but for its timings: which rows there are, how they are chosen, counted and shown.
@Suite struct BenchmarkTests {
    private func ids(_ prefixes: String...) throws -> [String] {
        try BenchmarkRow.rows(prefixes, among: BenchmarkRow.all).map(\.id)
    }

    private func message(_ prefixes: String...) -> String? {
        do {
            _ = try BenchmarkRow.rows(prefixes, among: BenchmarkRow.all)
            return nil
        } catch {
            return error.description
        }
    }

    // MARK: Rows

    @Test func everyRowHasAnIdOfItsOwn() throws {
        let ids = BenchmarkRow.all.map(\.id)
        #expect(
            Set(ids).count == ids.count
                && ids.count
                    == 21 + 3 + 28 + Layer.cells(hidden: 1).count + 28 + 24 + 54 + 6 + 20 + 27 + 4 + 6 + 3 * (12 + 4)
                    + 4
        )
        for id in [
            "product/NN/128x50x50", "product/TN/128x400x100", "product/NT/2048x2048x2048", "function/sigmoid",
            "training/fast-weights/R=256/K=30", "inference/irnn/R=20/K=4", "stream/gru/R=8", "stream/lstm-dense/R=20",
            "memory/lstm/R=100/T=2000", "sequences/lstm/R=64/T=50", "stream/gru-dense/R=64",
            "stream-bfloat16/gru/R=256", "stream-float16/lstm/R=100",
            "sequence/lstm/R=20/T=1000", "sequence/gru-stream/R=256/T=1000", "batch/gru/R=100/T=63",
            "threads/text-gru/R=128/T=64/B=256", "share/lstm/R=50/K=4",
        ] {
            #expect(ids.contains(id), "\(id)")
        }
    }

    @Test func prefixesChooseRows() throws {
        #expect(try ids("function/exp") == ["function/exp"])
        #expect(try ids("training/gru/R=50") == ["training/gru/R=50/K=4", "training/gru/R=50/K=30"])
        #expect(try ids("stream/lstm").count == 8)
        #expect(try ids("memory", "function", "function/exp").count == 4 + 3)
        #expect(try ids("memory", "function").first == "function/exp", "in the order of the rows")
    }

    @Test func unknownPrefixesNameTheNearestOrTheGroups() {
        #expect(
            message("trainin/lstm")
                == "no row of the bench has the id or the beginning of an id \"trainin/lstm\"; did you mean training/lstm?"
        )
        #expect(message("function/sin")?.contains("did you mean") == true)
        let groups =
            "product, function, convolution, training, sequences, video, inference, sequence, batch, stream, stream-bfloat16, "
            + "stream-float16, threads, share, fast-memory, memory."
        for prefix in ["everything", "training/ls", "stream/", "", "R=50"] {
            #expect(message("function", prefix) != nil, "\(prefix)")
        }
        #expect(message("everything")?.hasSuffix(groups) == true)
    }

    @Test func theQuickRowsCoverEveryTimedGroup() {
        let quick = BenchmarkRow.all.filter(\.isQuick)
        #expect(quick.count <= 25)
        #expect(
            Set(quick.map { $0.prefixes[0] })
                == [
                    "product", "function", "convolution", "training", "sequences", "video", "inference", "sequence",
                    "batch", "stream",
                ])
    }

    @Test func wrongCommandLinesEndWithTwo() {
        for words in [
            ["--only", "trainin"], ["--threads", "0"], ["--threads", "1,x"], ["--seconds", "0"], ["--repeats", "0"],
            ["--models", "lstm"], ["--only", "share", "--threads", "1"],
        ] {
            #expect(CommandLineTool.run(arguments: ["bench"] + words) == 2, "\(words)")
        }
    }

    // MARK: Measuring

    @Test func aRowOfEachKindGivesFigures() throws {
        var bench = Benchmark(repeats: 2, seconds: 1e-9)
        bench.peak = 1e9
        let ids = [
            "product/NN/128x50x50", "product/TN/128x50x50", "product/NT/128x50x50", "function/tanh",
            "training/irnn/R=20/K=4", "training/irnn/R=20/K=30", "inference/irnn/R=20/K=4", "stream/irnn/R=8",
            "stream/lstm-dense/R=50", "stream-bfloat16/lstm/R=64", "stream-float16/gru/R=64",
            "sequences/gru/R=64/T=50", "convolution/3x3/8-32/8x8/N=2/m=2", "video/convlstm/C=32/B=4",
            "sequence/lstm/R=20/T=1000",
            "sequence/gru-stream/R=20/T=1000", "batch/gru/R=20/T=63", "share/irnn/R=50/K=4",
        ]
        for row in try BenchmarkRow.rows(ids, among: BenchmarkRow.all) {
            let result = bench.measure(row, threads: 2)
            #expect(result.figures.count == 2 && result.figures.allSatisfy { $0.isFinite && $0 > 0 }, "\(row.id)")
            #expect(
                (result.share != nil)
                    == ["product", "training", "sequences", "video", "inference", "sequence", "batch"].contains(
                        row.prefixes[0]))
        }
    }

    /// In percent of what each thread reaches alone: half as fast together is 50.
    @Test func aShareIsOfUnsharedWork() throws {
        let row = BenchmarkRow(
            id: "share/a", description: "a",
            work: .shared { threads in
                (together: { Double($0) * 3 }, apart: { Double($0) * Double(threads) * 1.5 })
            }, usesThreads: true, leastThreads: 2)
        let result = Benchmark(repeats: 3, seconds: 1e-9).measure(row, threads: 2)
        #expect(result.figures == [50, 50, 50] && row.unit == "%")
        #expect(row.counts([1, 2, 4]) == [2, 4] && row.counts([1]).isEmpty)
    }

    @Test func aRepeatMakesAsManyCallsAsItTakes() {
        var calls = 0
        let durations = Benchmark(repeats: 3, seconds: 1e-6).time { calls += $0 }
        #expect(durations.count == 3 && calls >= 4)
    }

    @Test func figuresFollowFromSeconds() {
        #expect(BenchmarkRow.Figure.milliseconds.value(seconds: 0.25) == 250)
        #expect(BenchmarkRow.Figure.nanosecondsPerStep(4).value(seconds: 1) == 2.5e8)
        #expect(BenchmarkRow.Figure.rate(3, unit: "G/s").value(seconds: 0.5) == 6)
        #expect(
            Benchmark.median([3, 1, 2]) == 2 && Benchmark.median([4, 1, 2, 3]) == 2.5 && Benchmark.median([7]) == 7)
        let row = BenchmarkRow(id: "a/b", description: "a", work: .megabytes { 12.5 })
        #expect(Benchmark().measure(row, threads: 1).figures == [12.5] && row.unit == "MB")
    }

    // MARK: Reports

    private var result: Benchmark.Result {
        Benchmark.Result(
            row: BenchmarkRow(
                id: "training/x/R=1", description: "a step",
                work: .timed(.milliseconds) { _, measure in measure { _ in } },
                operations: 4e9),
            threads: 2, figures: [4, 2, 3], speed: 1.5e10, share: 0.25)
    }

    @Test func jsonHasTheMachineAndTheRows() throws {
        let text = BenchmarkReport(threads: [1, 2], peak: 1e11).json([result]).serialized(indented: true)
        let json = try JSON(parsing: text.utf8)
        let machine = try #require(json["machine"])
        #expect(machine["cores"]?.integer == Machine.coreCount && machine["peak_gflops_a_thread"]?.number == 100)
        #expect(machine["multiply_add"]?.text == (Machine.hasFusedMultiplyAdd ? "fused" : "separate"))
        #expect(machine["processor"]?.text?.isEmpty == false && machine["threads"]?.elements?.count == 2)
        let row = try #require(json["rows"]?.elements?.first)
        #expect(
            row == [
                "id": "training/x/R=1", "work": "a step", "unit": "ms", "threads": 2, "median": 3, "least": 2,
                "most": 4,
                "spread": .number(2.0 / 3), "repeats": [4, 2, 3], "operations": 4e9, "gflops": 15,
                "share_of_peak": 0.25,
            ])
    }

    @Test func theTableHasALineARow() {
        let report = BenchmarkReport(threads: [2], peak: nil)
        let lines = report.head(idWidth: 14).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.contains { $0.hasPrefix("multiply add") } && !lines.contains { $0.hasPrefix("peak") })
        #expect(
            report.line(result, idWidth: 14)
                == "training/x/R=1        2       3.000       2.000       4.000     67 %  ms             4.0000      15.0      25 %\n"
        )
        #expect(
            [0.01234, 0.5, 9.87654, 98.7654, 98765.4].map(BenchmarkReport.number)
                == ["0.0123", "0.500", "9.877", "98.77", "98765"])
    }

    /// Where a line has no room, a row is two lines, without the heads of columns.
    @Test func aNarrowTerminalHasTwoLinesARow() {
        let report = BenchmarkReport(threads: [2], peak: nil, width: 60)
        #expect(
            report.line(result, idWidth: 14) == "training/x/R=1, 2 threads\n  3.000 ms, 2.000 to 4.000, 15.0 GFLOP/s\n")
        #expect(!report.head(idWidth: 14).contains("GFLOP"))
        // 14 of the id, 79 of the others, two between.
        #expect(
            BenchmarkReport(threads: [2], peak: nil, width: 14 + 79 + 18 - 1).line(result, idWidth: 14).contains(
                "\n  3.000"))
        #expect(
            !BenchmarkReport(threads: [2], peak: nil, width: 14 + 79 + 18).line(result, idWidth: 14).contains(
                "\n  3.000"))
    }

    // MARK: Many threads

    /// Four jobs on two threads: 3 | 1, then 2 to the second, which has 3 as well, then 2 to the first: 5 | 3. The best would be
    /// 4 | 4, but nobody knows a job's size before it is done.
    @Test func jobsAreDealtGreedily() {
        #expect([1, 2, 3, 4, 5].map { StepPhases.most([3, 1, 2, 2], threads: $0) } == [8, 5, 3, 3, 3])
        #expect(
            [1, 2, 3, 16].map { StepPhases.most([2048, 2048, 2048, 100], threads: $0) } == [6244, 4096, 2148, 2048])
        // 16 blocks in 16 shards, and eight in four of two.
        #expect([1, 2, 3, 4, 8, 16].map { StepPhases.most(Self.sizes(16), threads: $0) } == [16, 8, 6, 4, 2, 1])
        #expect([1, 2, 3, 4, 8, 16].map { StepPhases.most(Self.sizes(8), threads: $0) } == [8, 4, 4, 2, 2, 2])
        // 65 blocks are 64 shards, the last of which has two.
        #expect([1, 2, 8, 16, 64].map { StepPhases.most(Self.sizes(65), threads: $0) } == [65, 33, 9, 5, 2])
        #expect(StepPhases.most([], threads: 3) == 0)
    }

    private static func sizes(_ blocks: Int) -> [Int] {
        ShardPlan(blocks: blocks, gradients: 1000, isEven: true).sizes
    }

    /// Jobs of 1, 5 and 16 pieces, and two of unequal sizes: on three threads 1 + 2 + 6 pieces and the larger of the two.
    @Test func aStepOnManyThreadsAsCalculatedByHand() {
        func step(barrier: Double) -> StepPhases {
            StepPhases(
                phases: [
                    StepPhases.Phase(name: "alone", jobs: [1], seconds: 1),
                    StepPhases.Phase(name: "five", jobs: [1, 1, 1, 1, 1], seconds: 10),
                    StepPhases.Phase(name: "blocks", jobs: Self.sizes(16), seconds: 16, barriers: 2),
                    StepPhases.Phase(name: "unequal", jobs: [30, 10], seconds: 4, barriers: 0),
                    StepPhases.Phase(name: "none", jobs: [], seconds: 0),
                ], barrier: barrier)
        }
        // 1 + 10 + 16 + 4; 1 + 3·2 + 8 + 3; 1 + 2·2 + 6 + 3; 1 + 2·2 + 4 + 3; 1 + 2 + 2 + 3; 1 + 2 + 1 + 3; no more than that.
        #expect([1, 2, 3, 4, 8, 16, 1000].map { step(barrier: 0).seconds(threads: $0) } == [31, 18, 14, 12, 8, 7, 7])
        // Three times 0.5 where threads wait, and nothing for what one does alone.
        #expect([1, 2, 4].map { step(barrier: 0.5).seconds(threads: $0) } == [31, 19.5, 13.5])
        #expect(step(barrier: 0).speedUp(threads: 8) == 3.875 && step(barrier: 9).speedUp(threads: 1) == 1)
        let table = step(barrier: 0.5).table
        #expect(
            table.header == [
                "phase, ms", "jobs", "largest", "1 thread", "2 threads", "4 threads", "8 threads", "16 threads",
            ])
        #expect(table.rows[1] == ["five", "5", "2000", "10000", "6500", "4500", "2500", "2500"])
        #expect(table.rows[3] == ["unequal", "2", "3000", "4000", "3000", "3000", "3000", "3000"])
        #expect(table.rows[4] == ["none", "0", "0.0000", "0.0000", "0.0000", "0.0000", "0.0000", "0.0000"])
        #expect(table.rows[5] == ["step", "", "", "31000", "19500", "13500", "9500", "8500"])
        #expect(table.rows[6] == ["times as fast", "", "", "1.00", "1.59", "2.30", "3.26", "3.65"])
        let json = step(barrier: 0.5).json
        #expect(json["speed_up"]?["2"]?.number == 31 / 19.5 && json["milliseconds"]?["2"]?.number == 19500)
        #expect(
            json["phases"]?.elements?[3] == [
                "name": "unequal", "jobs": [30, 10],
                "milliseconds": ["1": 4000, "2": 3000, "4": 3000, "8": 3000, "16": 3000],
            ])
    }

    /// Fast weights, R = 50: 17,568 floats with padding, of which 2512 of W_hh, 6272 behind the biases and 37·64 of the table
    /// are added up, each in pieces of 2048; the table has two pieces of rows and three of the embedding.
    @Test(arguments: [(128, [2, 2, 2, 2]), (256, [Int](repeating: 1, count: 16))])
    func aStepIsTakenApart(batch: Int, shards: [Int]) throws {
        let row = try BenchmarkRow.rows(["threads/fast-weights/R=50/K=4/B=\(batch)"], among: BenchmarkRow.all)[0]
        let bench = Benchmark(repeats: 1, seconds: 1e-9)
        let result = bench.measure(row, threads: 1)
        let phases = try #require(result.phases)
        let jobs = phases.phases.map(\.jobs)
        #expect(jobs[2] == shards && jobs[4] == [2048, 464, 2048, 2048, 2048, 128, 2048, 320])
        // How many tiles of W_hh are packed depends on the build.
        #expect(jobs[1].count > 4)
        #expect([0, 3, 5, 6].map { jobs[$0].count } == [1, shards.count / 2, 2 + 3, 9])
        #expect(jobs[6].reduce(0, +) == 17_568)
        #expect(phases.phases.map(\.barriers) == [1, 1, 1, 0, 1, 1, 2])
        #expect(phases.barrier > 0 && phases.phases.allSatisfy { $0.seconds.isFinite } && phases.phases[2].seconds > 0)
        let report = BenchmarkReport(threads: [1], peak: nil)
        let text = report.line(result, idWidth: 10)
        #expect(text.contains("\nshards") && text.contains("\ntimes as fast"))
        let json = report.json([result])["rows"]?.elements?[0]
        #expect(json?["phases"]?["phases"]?.elements?.count == 7)
        #expect(bench.measure(row, threads: 2).phases == nil)
    }

    // MARK: Operations

    /// V = 37, I = 100, H = 2, D = 100, C = 10, counted by hand.
    private func operations(_ cell: Cell, steps: Int) -> FloatingPointOperations {
        FloatingPointOperations(cell, hidden: 2, steps: steps, batch: 2)
    }

    @Test func operationsOfAnLSTMAsCountedByHand() {
        // Table 37·8·100 for two sequences, two steps of 8·2, head 100·2 + 100·10: 14,800 + 32 + 1200 multiply-adds.
        #expect(operations(.lstm(), steps: 3).forward == 2 * 16_032)
        #expect(operations(.lstm(), steps: 3).backward == 2 * 2 * 16_032)
        // The GRU has 3·H rows: 11,100 + 24 + 1200. A single step of the IRNN multiplies no state: 3700 + 1200.
        #expect(operations(.gru, steps: 3).trainingStep == 6 * 12_324)
        #expect(operations(.irnn(), steps: 1).trainingStep == 6 * 4900)
    }

    @Test func operationsOfTheFastMemoryAsCountedByHand() {
        func attention(_ memory: FastWeightsOptions.MemoryForm, innerSteps: Int = 1, steps: Int) -> [Double] {
            let options = FastWeightsOptions(innerSteps: innerSteps, memory: memory)
            let count = FloatingPointOperations.attention(options, hidden: 2, steps: steps)
            return [count.forward, count.backward]
        }
        // 0 + 1 + 2 + 3 states in the list, of 2·H and 4·H multiply-adds.
        #expect(attention(.list, steps: 4) == [24, 48])
        #expect(attention(.list, innerSteps: 3, steps: 4) == [72, 144])
        #expect(attention(.list, innerSteps: 0, steps: 4) == [0, 0])
        // Lists of 0, 1, 0, 1, 0; three reads of a matrix of 4; two chunks of 2 folded
        // into a matrix: 8 + 12 + 16 and 16 + 24 + 32.
        #expect(attention(.chunks(2), steps: 5) == [36, 72])
        let network = operations(.fastWeights(FastWeightsOptions(memory: .list)), steps: 4)
        #expect(network.trainingStep == Double(6 * (3700 + 3 * 4 + 1200) + 2 * (24 + 48)))
    }

    @Test func thePeakIsANumber() {
        #expect(PeakMultiplyAdd.measure() > 1e6)
    }
}
