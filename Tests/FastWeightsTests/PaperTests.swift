import Foundation
import Testing

@testable import FastWeights

@Suite struct PaperTests {
    private static let scales = [PaperExperiment.Scale(), PaperExperiment.Scale(isQuick: true)]

    /// A training of a few steps, as the experiments make theirs.
    private func job(seed: UInt64 = 1, steps: Int = 6, hidden: Int = 5) -> PaperJob {
        var options = TrainingOptions(RetrievalModel.named("irnn").recipe(hidden: hidden), quick: true)
        (options.steps, options.evaluateEvery, options.seed) = (steps, 3, seed)
        let training = RetrievalTraining(
            model: RetrievalModel.named("irnn"), hidden: hidden, seed: seed, options: options)
        return PaperJob("table-1", training, isQuick: true)
    }

    private func context(stops: Bool = false) -> JobContext {
        JobContext(threads: 2, progress: { _, _ in }, shouldStop: { stops })
    }

    private func result(_ row: String, _ column: String, seed: UInt64, _ measure: Double, data: String? = nil) throws
        -> PaperResult
    {
        let job = PaperJob(
            experiment: "table-1", row: row, column: column, seed: seed, settings: [("steps", "3")], isQuick: false,
            seconds: 1, worst: 1, train: { _ in PaperJob.Outcome(measure: 0) })
        var outcome = PaperJob.Outcome(measure: measure)
        outcome.data = data
        outcome.curves = [
            PaperJob.Curve(
                name: PaperJob.Curve.validationLoss, points: [.init(x: 1, y: 2.25), .init(x: 2, y: measure)])
        ]
        return PaperResult(job, outcome, seconds: 2)
    }

    @Test(arguments: scales) func everyJobHasAPlaceOfItsOwn(_ scale: PaperExperiment.Scale) {
        #expect(Set(PaperExperiment.all.map(\.name)).count == PaperExperiment.all.count)
        for experiment in PaperExperiment.all {
            let jobs = experiment.jobs(scale)
            #expect(experiment.name == "table-3" || !jobs.isEmpty)
            #expect(jobs.allSatisfy { $0.experiment == experiment.name && $0.seconds > 0 })
            #expect(Set(jobs.map(\.id)).count == jobs.count)
            for job in jobs {
                #expect(experiment.rows.contains(job.row) && experiment.columns.contains(job.column))
                #expect(job.isQuick == scale.isQuick)
                #expect(job.id.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/-.".contains($0)) })
            }
            #expect(experiment.paper.keys.allSatisfy(experiment.rows.contains))
            #expect(experiment.figures.allSatisfy { experiment.columns.contains($0.column) })
        }
    }

    @Test func seedsCanBeAskedFor() {
        let five = PaperExperiment.retrieval.jobs(PaperExperiment.Scale(seeds: 5))
        #expect(five.count == 60 && Set(five.map(\.seed)) == [1, 2, 3, 4, 5])
        #expect(PaperExperiment.retrieval.jobs(PaperExperiment.Scale()).count == 36)
    }

    @Test func aResultComesBackFromItsFile() throws {
        let folder = TemporaryFolder()
        let job = job()
        let results = JobFolder<PaperJob>(folder.path("run"))
        #expect(results.result(of: job) == nil)
        let outcome = try job.run(context())
        #expect(outcome.steps == 6 && outcome.parameters > 0 && (0...1).contains(outcome.measure))
        #expect(outcome.curves.map(\.name) == [PaperJob.Curve.validationError, PaperJob.Curve.validationLoss])
        #expect(outcome.curves[1].points.map(\.x) == [3, 6])
        #expect(try job.run(context()) == outcome)
        try results.write(PaperResult(job, outcome, seconds: 3), of: job)
        let again = try #require(results.result(of: job))
        #expect(again.outcome == outcome && again.seconds == 3 && again.isQuick)
        #expect(try results.results().results.count == 1)
    }

    @Test func aResultOfOtherSettingsIsNotTaken() throws {
        let folder = TemporaryFolder()
        let results = JobFolder<PaperJob>(folder.path("run"))
        let (short, long) = (job(), job(steps: 7))
        #expect(short.id == long.id)
        try results.write(PaperResult(short, PaperJob.Outcome(measure: 0.5), seconds: 1), of: short)
        #expect(results.result(of: short) != nil && results.result(of: long) == nil)
    }

    @Test func aDamagedResultIsNamedAndDoneAgain() throws {
        let folder = TemporaryFolder()
        let results = JobFolder<PaperJob>(folder.path("run"))
        let job = job()
        try results.write(PaperResult(job, PaperJob.Outcome(measure: 0.5), seconds: 1), of: job)
        let file = folder.path("run/jobs/\(job.id).json")
        let whole = try Files.read(file)
        for count in stride(from: 0, to: whole.count - 2, by: 7) {
            try Files.writeAtomically(Array(whole[..<count]), to: file)
            #expect(results.result(of: job) == nil)
            let (found, problems) = try results.results()
            #expect(found.isEmpty && problems.count == 1 && problems[0].contains("\(job.id).json is no result"))
        }
    }

    /// Without a layer norm h grows with every step of a sequence, here beyond what a number holds.
    @Test func aLossThatIsNoNumberIsAResult() throws {
        let cell = Cell.fastWeights(FastWeightsOptions(writeRate: 1e20, hasLayerNorm: false))
        let model = RetrievalModel.named("fast-weights").with(cell, title: "Fast weights")
        var options = TrainingOptions(model.recipe(hidden: 20), quick: true)
        options.steps = 6
        let training = RetrievalTraining(model: model, hidden: 20, seed: 1, options: options)
        let job = PaperJob("table-1", training, isQuick: true)
        let outcome = try job.run(context())
        #expect(outcome.measure == 1 && outcome.steps == 1)
        #expect(outcome.facts == [PaperJob.Fact(name: "diverged", value: "at step 1")])
        let html = PaperReport(results: [PaperResult(job, outcome, seconds: 1)], problems: []).render()
        #expect(html.contains("1 of 1 diverged") && html.contains("counts as wrong throughout"))
    }

    @Test func whatComesToNothingIsTheWorstThereIs() throws {
        for experiment in PaperExperiment.all {
            for job in experiment.jobs(PaperExperiment.Scale(isQuick: true)) {
                #expect(job.worst == (experiment.measure.lowerIsBetter ? 1 : 0))
            }
        }
    }

    @Test func standInsHaveNothingOfThePapersBesideThem() throws {
        let results = [
            try result("LSTM", "R = 50", seed: 1, 0.01, data: "drawn digits"),
            try result("LSTM", "R = 100", seed: 1, 0.02),
        ]
        let report = PaperReport(results: results, problems: [])
        let html = report.render()
        #expect(!html.contains("paper 1.85 %") && html.contains("paper 0.00 %"))
        #expect(html.contains("not to be compared with these: drawn digits"))
        #expect(report.plain().contains("not to be compared with these: drawn digits"))
        #expect(!report.plain().contains("1.85 %") && report.csv().contains(",drawn digits,"))
    }

    /// Results on drawn digits are not taken for those on MNIST.
    @Test func theImagesDecideTheResult() {
        let job = GlimpseJob(.named("irnn"), features: 50, seed: 1, settings: GlimpseSettings())
        #expect(job.described(images: "MNIST").map(\.value) != job.described(images: "drawn digits").map(\.value))
        for experiment in [PaperExperiment.glimpses, .readings] {
            let jobs = experiment.jobs(PaperExperiment.Scale())
            #expect(jobs.allSatisfy { $0.settings.contains { $0.name == "images" && !$0.value.isEmpty } })
            // No two rows train the same.
            let trainings = jobs.filter { $0.seed == 1 }.map { "\($0.column) \($0.settings)" }
            #expect(Set(trainings).count == trainings.count)
        }
    }

    /// Quick results, other data, other settings and copies of a file have no part in a median.
    @Test func resultsThatAreNotAlikeAreNotMixed() throws {
        func other(_ measure: Double, seed: UInt64, steps: String = "3", quick: Bool = false) -> PaperResult {
            let job = PaperJob(
                experiment: "table-1", row: "LSTM", column: "R = 50", seed: seed, settings: [("steps", steps)],
                isQuick: quick, seconds: 1, worst: 1, train: { _ in PaperJob.Outcome(measure: 0) })
            return PaperResult(job, PaperJob.Outcome(measure: measure), seconds: 1)
        }
        var results = [
            other(0.03, seed: 2), other(0.01, seed: 1), other(0.02, seed: 3), other(0.9, seed: 4, steps: "9"),
            other(0.8, seed: 1, quick: true), other(0.7, seed: 3),
        ]
        results.append(try result("LSTM", "R = 50", seed: 5, 0.6, data: "drawn digits"))
        let report = PaperReport(results: results, problems: [])
        let cell = try #require(report.cell(.retrieval, row: "LSTM", column: "R = 50"))
        #expect(cell.results.map(\.outcome.measure) == [0.01, 0.03, 0.02] && cell.paper == 0.0185)
        #expect(report.plain().contains("4 results are left out") && report.render().contains("4 results are left out"))
        let quick = PaperReport(results: [other(0.8, seed: 1, quick: true)], problems: [])
        #expect(quick.cell(.retrieval, row: "LSTM", column: "R = 50")?.measure.median == 0.8)
        #expect(!quick.plain().contains("left out") && quick.plain().contains("cut short"))
        #expect(quick.render().contains("quick, not final") && !report.render().contains("quick, not final"))
    }

    /// So that a quick one, or one on drawn digits, takes no whole one's place.
    @Test func theFileTellsQuickJobsAndOtherDataApart() {
        var ids: [String] = []
        for (isQuick, standIn) in [(false, nil), (true, nil), (false, "drawn digits"), (true, "drawn digits")] {
            ids.append(
                PaperJob(
                    experiment: "table-2", row: "LSTM", column: "50 features", seed: 3, settings: [],
                    isQuick: isQuick, standIn: standIn, seconds: 1, worst: 1,
                    train: { _ in PaperJob.Outcome(measure: 0) }
                ).id)
        }
        #expect(ids[0] == "table-2/lstm/50-features/seed-3" && Set(ids).count == 4)
    }

    @Test(arguments: [
        ("measure", JSON.number(17)), ("measure", .null), ("validation", .number(-1)), ("milestone", .number(1e300)),
        ("milestone", .number(0.5)),
    ])
    func aResultOutOfRangeIsRefused(key: String, value: JSON) throws {
        let good = try result("LSTM", "R = 50", seed: 1, 0.5).json
        #expect(try PaperResult(json: good).outcome.measure == 0.5)
        let members = (good.members ?? []).map { $0.key == key ? JSON.Member(key: key, value: value) : $0 }
        #expect(throws: ConfigurationError.self) { try PaperResult(json: .object(members)) }
    }

    /// Numbers that no axis takes are gaps in a curve.
    @Test func aCurveOfHugeNumbersIsDrawn() throws {
        var outcome = try result("LSTM", "R = 50", seed: 1, 0.5).outcome
        outcome.curves[0].points = [.init(x: -1e308, y: 1e308), .init(x: 1, y: 2), .init(x: 2, y: 1)]
        let huge = try PaperResult(json: PaperResult(job(hidden: 50), outcome, seconds: 1).json)
        #expect(huge.outcome.curves[0].points[0].x.isNaN)
        #expect(PaperReport(results: [huge], problems: []).render().contains("Figure 2"))
    }

    @Test func anInterruptedJobLeavesNothing() {
        #expect(throws: InterruptedJob.self) { _ = try job().run(context(stops: true)) }
    }

    @Test func theReportHasMediansRangesAndThePaper() throws {
        let results = try [(1, 0.03), (2, 0.01), (3, 0.02)].map {
            try result("Fast weights", "R = 20", seed: $0.0, $0.1)
        }
        let report = PaperReport(results: results, problems: ["<b>broken</b>"])
        let html = report.render()
        expectSelfContained(html)
        #expect(
            html.contains("<b>2.00 %</b>") && html.contains("3 seeds, 1.00–3.00 %") && html.contains("paper 1.81 %"))
        #expect(html.contains("0.19 points worse than the paper") && html.contains("&lt;b&gt;broken"))
        #expect(report.plain().contains("2.00 %") && report.plain().contains("1.81 %"))
        #expect(report.csv().split(separator: "\r\n").count == 4)
        let ids = html.components(separatedBy: " id=\"").dropFirst().map { $0.prefix { $0 != "\"" } }
        #expect(Set(ids).count == ids.count)
        let better = PaperReport(results: [try result("LSTM", "R = 50", seed: 1, 0.0185)], problems: [])
        #expect(better.render().contains("as good as the paper or better"))
        #expect(PaperReport(results: [], problems: []).plain() == "No results yet.\n")
    }

    @Test func theFastMatrixIsThatOfEquationOne() {
        let reading = RetrievalTrace(probabilities: [], states: [[1, 0], [0, 2], [1, 1]], attention: nil)
        let matrices = reading.fastMatrices(decay: 0.5, rate: 0.25)
        #expect(matrices[0] == [0.25, 0, 0, 0] && matrices[1] == [0.125, 0, 0, 1])
        #expect(matrices[2] == [0.3125, 0.25, 0.25, 0.75])
    }
}
