import Testing

@testable @_spi(Laboratory) import FastWeights

@Suite struct PaperCommandTests {
    private func run(_ words: [String]) -> Int32 { CommandLineTool.run(arguments: words) }

    /// The only job of an experiment, as `--only inside --quick` has it.
    private func insideJob() throws -> PaperJob {
        try #require(PaperExperiment.inside.jobs(PaperExperiment.Scale(isQuick: true)).first)
    }

    @Test func jobsAreListedDoneAndReported() throws {
        let folder = TemporaryFolder()
        let options = ["--quick", "--only", "inside", "--out", folder.path("run")]
        #expect(run(["jobs"] + options) == 0)
        #expect(run(["run-job", "1"] + options) == 2 && run(["run-job", "no"] + options) == 2)
        #expect(run(["report", folder.path("run")]) == 2)
        let job = try insideJob()
        let results = JobFolder<PaperJob>(folder.path("run"))
        try results.write(PaperResult(job, PaperJob.Outcome(measure: 0.25), seconds: 1), of: job)
        // Done already: nothing is trained.
        #expect(run(["run-job", "0"] + options) == 0 && run(["paper"] + options) == 0)
        #expect(results.result(of: job)?.outcome.measure == 0.25)
        for name in ["report.html", "results.csv"] { #expect(Files.exists(folder.path("run/\(name)"))) }
        #expect(run(["report", folder.path("run")]) == 0)
    }

    /// A report of nothing replaces none.
    @Test func withoutAResultNoReportIsWritten() throws {
        let folder = TemporaryFolder()
        try Files.createDirectory(folder.path("run/jobs"))
        try Files.writeAtomically(Array("{".utf8), to: folder.path("run/jobs/damaged.json"))
        try Files.writeAtomically(Array("before".utf8), to: folder.path("run/report.html"))
        #expect(run(["report", folder.path("run")]) == 1)
        #expect(try Files.read(folder.path("run/report.html")) == Array("before".utf8))
        #expect(!Files.exists(folder.path("run/results.csv")))
    }

    /// The one training of this experiment has a seed of its own.
    @Test func seedsThatNobodyTakesAreRefused() {
        let folder = TemporaryFolder()
        let options = ["--quick", "--out", folder.path("run"), "--seeds", "2"]
        #expect(run(["jobs", "--only", "inside"] + options) == 2)
        #expect(run(["jobs", "--only", "inside,table-1"] + options) == 0)
    }

    /// Before a training whose result would be lost.
    @Test func aFolderThatCannotBeWrittenIsRefusedAtOnce() throws {
        let folder = TemporaryFolder()
        try Files.writeAtomically([], to: folder.path("file"))
        let options = ["--quick", "--only", "inside", "--out", folder.path("file/run")]
        #expect(run(["run-job", "0"] + options) == 1)
        #expect(run(["paper"] + options) == 1)
    }

    /// The picture is that of the result in the table.
    @Test func theWholeTrainingIsDrawnNotTheQuickOne() throws {
        func result(quick: Bool, sequence: String) throws -> PaperResult {
            var outcome = PaperJob.Outcome(measure: 0.25)
            let states: JSON = .array(sequence.map { _ in [.number(0.5), .number(1)] })
            let weights: JSON = .array(sequence.indices.enumerated().map { .array(Array(repeating: 1, count: $0.0)) })
            outcome.drawing = [
                "sequence": .string(sequence), "answer": 3, "states": states, "attention": weights,
                "probabilities": .array(Array(repeating: 0.1, count: AssociativeRetrieval.classes)),
            ]
            let job = try #require(PaperExperiment.inside.jobs(PaperExperiment.Scale(isQuick: quick)).first)
            return PaperResult(job, outcome, seconds: 1)
        }
        let both = [try result(quick: true, sequence: "a1??a"), try result(quick: false, sequence: "b2??b")]
        let html = PaperReport(results: both, problems: []).render()
        #expect(html.contains("while b2??b is read") && !html.contains("a1??a"))
        #expect(PaperReport(results: [both[0]], problems: []).render().contains("while a1??a is read"))
    }
}
