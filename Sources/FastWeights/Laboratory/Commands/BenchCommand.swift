extension Command {
    /// `fastweights bench`.
    static let bench = Command(
        name: "bench", summary: "Time products, functions, training, inference and streams",
        discussion: """
            Each row is the median of several repeats with the least and the most, and
            their distance relative to the median. Machines differ and are shared: compare
            rows of one run. The ids, whole or up to one of their slashes, choose rows:

              product/NN/128x50x50      matrix product M x N x K, GFLOP/s; TN, NT: A or B is
                                        stored as its transpose
              function/exp              4096 numbers at once, 10^9 numbers a second
              training/lstm/R=50/K=4    forward, backward, clipping and Adam, batch 128, ms
              inference/lstm/R=50/K=4   forward pass of such batches, sequences a second
              sequence/lstm/R=20/T=1000  one sequence of numbers, every state out, ns a step;
                                        lstm-stream: by a stream
              batch/lstm/R=20/T=63      128 sequences of twenty numbers a step, every state
                                        out, sequences a second
              stream/lstm/R=20          one number in, the next state out, ns; lstm-dense:
                                        and one number out of a dense layer
              stream-bfloat16/lstm/R=100  the same with weights of half width; stream-float16
              fast-memory/list/R=50/T=50  training step with the fast matrix as a list, in
                                        chunks, or as chosen by itself, ms
              threads/lstm/R=100/K=30/B=256  a training step of eight or sixteen blocks, ms; on
                                        one thread its phases, their jobs, and by a model of
                                        them the times on up to 16 threads
              share/lstm/R=50/K=4       speed of a training step that threads share, in percent
                                        of that of trainings on one thread each side by side
              memory/lstm/R=100/T=2000  bytes of all buffers of a training step, MB

            Models are irnn, lstm, gru and fast-weights. K = 30 stands for 63 random tokens:
            there are only 26 letters to ask for, so it is a length to time and not a task.
            GFLOP counts the products of a call. The peak is what a loop of multiply-adds
            over registers alone reached in this run, times the threads.
            """,
        options: [
            Option(
                name: "only", placeholder: "ID,ID", kind: .list(of: .text),
                help: "Only rows with one of these ids or beginnings of an id"),
            Option(
                name: "threads", placeholder: "N,N", kind: .list(of: .integer(1...1024)),
                defaultValue: Machine.coreCount > 1 ? "1,\(min(Machine.coreCount, 1024))" : "1",
                defaultShown: "1 and the number of cores", help: "Numbers of threads to measure with"),
            Option(
                name: "repeats", placeholder: "N", kind: .integer(1...1000), defaultValue: "7",
                help: "Timings a row; 3 with --quick unless given"),
            Option(
                name: "seconds", placeholder: "S", kind: .number(.leastNonzeroMagnitude...60), defaultValue: "0.1",
                help: "Least time a repeat; 0.02 with --quick unless given"),
            Option(name: "json", kind: .flag, help: "Print JSON instead of a table"),
            Option(name: "quick", kind: .flag, help: "Few rows, unless --only names others, and short"),
        ],
        examples: [
            "bench --quick", "bench --only training/lstm,stream --threads 1",
            "bench --only product/NN/512x512x512 --json",
        ]
    ) { arguments in
        let quick = arguments.flag("quick")
        let rows =
            arguments.hasValue("only")
            ? try BenchmarkRow.rows(arguments.texts("only"), among: BenchmarkRow.all)
            : BenchmarkRow.all.filter { !quick || $0.isQuick }
        let threads = arguments.integers("threads")
        guard rows.contains(where: { !$0.counts(threads).isEmpty }) else {
            throw UsageError(
                "\(rows[0].id) is measured with \(rows[0].leastThreads) threads or more, found --threads "
                    + threads.map(String.init).joined(separator: ","))
        }
        var bench = Benchmark(
            repeats: quick && !arguments.isGiven("repeats") ? 3 : arguments.integer("repeats"),
            seconds: quick && !arguments.isGiven("seconds") ? 0.02 : arguments.number("seconds"))
        Interruption.install()
        if rows.contains(where: { $0.operations != nil }) { bench.peak = PeakMultiplyAdd.measure() }
        let report = BenchmarkReport(threads: threads, peak: bench.peak, width: Terminal.tableWidth())
        let idWidth = rows.map(\.id.count).max() ?? 0
        let printsTable = !arguments.flag("json")
        if printsTable { Terminal.write(report.head(idWidth: idWidth)) }
        var results: [Benchmark.Result] = []
        for row in rows {
            for count in row.counts(threads) where !Interruption.requested {
                results.append(bench.measure(row, threads: count))
                if printsTable { Terminal.write(report.line(results[results.count - 1], idWidth: idWidth)) }
            }
        }
        if !printsTable { Terminal.write(report.json(results).serialized(indented: true) + "\n") }
        if Interruption.requested {
            Terminal.write("fastweights bench: interrupted; the rows measured until then are printed\n", to: .error)
            return 130
        }
        return 0
    }
}

extension BenchmarkRow {
    /// The rows that one of `prefixes` names: by its whole id, or by an id's beginning up to a slash.
    ///
    /// Throws for a prefix that names none, with the nearest that does or the groups there are.
    static func rows(_ prefixes: [String], among rows: [BenchmarkRow]) throws(UsageError) -> [BenchmarkRow] {
        let known = rows.map { $0.prefixes }
        for prefix in prefixes where !known.contains(where: { $0.contains(prefix) }) {
            var names: [String] = []
            for name in known.joined() where !names.contains(name) { names.append(name) }
            let hint =
                NearestName.nearest(to: prefix, among: names).map { "; did you mean \($0)?" }
                ?? "; an id begins with one of \(names.filter { !$0.contains("/") }.joined(separator: ", "))."
            throw UsageError("no row of the bench has the id or the beginning of an id \"\(prefix)\"\(hint)")
        }
        return zip(rows, known).filter { _, known in prefixes.contains { known.contains($0) } }.map(\.0)
    }
}
